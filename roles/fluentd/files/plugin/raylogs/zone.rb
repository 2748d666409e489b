# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

module RayLogs
  # A time zone that nobody knows.
  class ZoneError < ArgumentError; end

  # How far local time is ahead of UTC, by the system's tz database. The process's own TZ plays no part.
  module Zone
    OFFSET = /\A(?:UTC)?([+-])(\d{1,2}):?(\d\d)\z/
    NAME = %r{\A[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*\z}
    FOLDERS = %w[/usr/share/zoneinfo /usr/lib/zoneinfo /usr/share/lib/zoneinfo /etc/zoneinfo].freeze
    LOCAL_TIME = '/etc/localtime'

    # One offset for ever.
    class Fixed
      def initialize(seconds)
        @seconds = seconds
      end

      def at_local(_seconds, _year)
        @seconds
      end
    end

    # Find a zone by its name or offset; raise ZoneError when it is neither.
    def self.find(zone)
      offset = OFFSET.match(zone)
      if offset
        minutes = offset[2].to_i * 60 + offset[3].to_i
        return Fixed.new((offset[1] == '-' ? -60 : 60) * minutes) if minutes < 24 * 60
      end
      return Fixed.new(0) if %w[UTC Z].include?(zone)

      Table.new(File.binread(path_of(zone)))
    end

    # Name the zone of this host.
    def self.of_system
      stated = ENV['TZ'].to_s.delete_prefix(':')
      return stated if known?(stated)

      target = File.exist?(LOCAL_TIME) ? File.realpath(LOCAL_TIME) : ''
      name = FOLDERS.filter_map { |folder| target.delete_prefix("#{folder}/") if target.start_with?("#{folder}/") }.first
      name ||= File.exist?('/etc/timezone') ? File.read('/etc/timezone').strip : 'UTC'
      name = name.delete_prefix('posix/')
      known?(name) ? name : 'UTC'
    end

    def self.known?(zone)
      !find(zone).nil?
    rescue ZoneError
      false
    end

    def self.path_of(zone)
      paths = NAME.match?(zone) ? FOLDERS.map { |folder| File.join(folder, zone) } : []
      paths.find { |path| File.file?(path) && File.binread(path, 4) == Table::MAGIC } ||
        raise(ZoneError, "Time zone '#{zone}' is not known here. Give a name of the tz database such as Europe/Berlin " \
                         '(it comes with the package tzdata), or an offset such as +05:30.')
    end
    private_class_method :path_of

    # The transitions of a zone, as its TZif file lists them, and the rule for all later years.
    class Table
      MAGIC = 'TZif'
      HEADER = 44

      def initialize(data)
        body = second_version(data)
        @rule = body ? Rule.parse(data.byteslice(body[:end]..).strip) : nil
        read(data, body || counts(data, 0, 4))
      end

      # Return the seconds east of UTC at a local time: of an hour that comes twice, the first pass.
      def at_local(seconds, year)
        return @rule ? @rule.at_local(seconds, year) : @last if @walls.empty? || seconds > @walls.last
        return @first if seconds < @walls.first

        @offsets[@walls.bsearch_index { |wall| wall > seconds }&.pred || (@walls.size - 1)]
      end

      private

      def second_version(data)
        return nil if data.getbyte(4).to_i < '2'.ord

        counts(data, counts(data, 0, 4)[:end], 8)
      end

      # Read a header: where its block begins and ends, and how many there are of what.
      def counts(data, start, width)
        utc, std, leap, times, types, chars = data.unpack('N6', offset: start + 20)
        block = start + HEADER
        { begin: block, end: block + times * (width + 1) + types * 6 + chars + leap * (width + 4) + std + utc,
          times: times, types: types, width: width }
      end

      def read(data, block)
        times = data.unpack("#{block[:width] == 8 ? 'q>' : 'l>'}#{block[:times]}", offset: block[:begin])
        place = block[:begin] + block[:times] * block[:width]
        kinds = data.unpack("C#{block[:times]}", offset: place)
        infos = Array.new(block[:types]) { |number| data.unpack('l>CC', offset: place + block[:times] + number * 6) }
        @offsets = kinds.map { |kind| infos[kind][0] }
        earlier = [infos[0][0], *@offsets]
        @walls = times.each_with_index.map { |time, number| time + earlier[number, 2].max }
        @first = (infos.find { |_offset, dst, _name| dst.zero? } || infos[0])[0]
        @last = @offsets.last || infos[0][0]
      end
    end

    # What the end of a TZif file says of later years, such as `CET-1CEST,M3.5.0,M10.5.0/3`.
    class Rule
      NAME = /<[^>]+>|[A-Za-z]{3,}/
      TIME = /[+-]?\d{1,3}(?::\d\d){0,2}/
      WHOLE = /\A(?:#{NAME})(#{TIME})(?:(?:#{NAME})(#{TIME})?,([^,]+),([^,]+))?\z/
      DAY = %r{\A(?:M(\d+)\.(\d)\.(\d)|(J?)(\d+))(?:/(#{TIME}))?\z}
      DAY_SECONDS = 86_400

      def self.parse(text)
        match = WHOLE.match(text)
        match && new(match)
      end

      def initialize(match)
        @std = -seconds_of(match[1])
        return unless match[3]

        @dst = match[2] ? -seconds_of(match[2]) : @std + 3_600
        @start = DAY.match(match[3])
        @stop = DAY.match(match[4])
      end

      def at_local(seconds, year)
        return @std unless @dst

        start = transition(@start, year)
        stop = transition(@stop, year)
        @dst >= @std ? start += @dst - @std : stop -= @dst - @std
        summer = start < stop ? seconds >= start && seconds < stop : !(seconds >= stop && seconds < start)
        summer ? @dst : @std
      end

      private

      def transition(day, year)
        time = day[6] ? seconds_of(day[6]) : 7_200
        return Time.utc(year).to_i + day_of_year(day, year) * DAY_SECONDS + time unless day[1]

        Time.utc(year, day[1].to_i, day_of_month(day, year)).to_i + time
      end

      def day_of_month(day, year)
        month = day[1].to_i
        first = Time.utc(year, month)
        days = (Time.utc(month == 12 ? year + 1 : year, month % 12 + 1).to_i - first.to_i) / DAY_SECONDS
        found = 1 + (day[3].to_i - first.wday) % 7 + (day[2].to_i - 1) * 7
        found > days ? found - 7 : found
      end

      def day_of_year(day, year)
        number = day[5].to_i
        return number if day[4].empty?

        leap = Time.utc(year, 12, 31).yday == 366
        number - 1 + (leap && number >= 60 ? 1 : 0)
      end

      def seconds_of(text)
        hours, minutes, seconds = text.delete('+-').split(':').map(&:to_i)
        total = hours * 3_600 + minutes.to_i * 60 + seconds.to_i
        text.start_with?('-') ? -total : total
      end
    end
  end
end
