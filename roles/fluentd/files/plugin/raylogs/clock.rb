# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require_relative 'zone'

module RayLogs
  # A moment: UTC to the millisecond as text, milliseconds since 1970, and nanoseconds since 1970 where known.
  class Moment
    NS_PER_MS = 1_000_000
    NS_PER_SECOND = 1_000_000_000
    # What date_nanos can hold; a time outside is no time of a log line.
    LAST_NS = 9_223_372_036_854_775_807
    # Numbers with as many digits as they are written with.
    TWO = Array.new(100) { |number| format('%02d', number).freeze }.freeze
    THREE = Array.new(1000) { |number| format('%03d', number).freeze }.freeze
    # The number of digits tells seconds, milliseconds, microseconds and nanoseconds apart from 2001 to 2286.
    NS_PER_UNIT = { 10 => NS_PER_SECOND, 13 => NS_PER_MS, 16 => 1_000, 19 => 1 }.freeze

    attr_reader :text, :ms, :ns

    def initialize(text, ms, ns = nil)
      @text = text
      @ms = ms
      @ns = ns
    end

    # Write the moment to the nanosecond; nil where the nanoseconds are not known.
    def nanos_text
      @ns && "#{@text.chop}#{(NS_PER_MS + @ns % NS_PER_MS).to_s.byteslice(1, 6)}Z"
    end

    # Make a moment of milliseconds since 1970, and of nanoseconds where they are known.
    def self.from_ms(ms, ns = nil)
      seconds, rest = ms.divmod(1_000)
      minute, second = seconds.divmod(60)
      # One value, so that no thread sees the minute of one time and the text of another.
      last = @last
      last = @last = [minute, Time.at(minute * 60).utc.strftime('%Y-%m-%dT%H:%M:')].freeze if last.nil? || last[0] != minute
      new("#{last[1]}#{TWO[second]}.#{THREE[rest]}Z", ms, ns)
    end

    # Make a moment of nanoseconds since 1970; nil when no field could hold it.
    def self.from_ns(ns)
      ns.positive? && ns <= LAST_NS ? from_ms(ns / NS_PER_MS, ns) : nil
    end

    # Make a moment of an epoch number in seconds, milli-, micro- or nanoseconds; nil when it is none of these.
    def self.from_number(value)
      return nil if value.is_a?(Float) && !value.finite?

      unit = NS_PER_UNIT[value.to_i.to_s.size]
      return nil if unit.nil? || value.negative?

      ns = value.is_a?(Integer) ? value * unit : (value * unit / NS_PER_MS).round(half: :even) * NS_PER_MS
      moment = from_ns(ns)
      unit < NS_PER_MS || moment.nil? ? moment : new(moment.text, moment.ms)
    end

    # The moment that it is now, to the millisecond.
    def self.now
      from_ms(Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond))
    end
  end

  # Turns the local times of one zone into moments; remembers the minutes that it has seen.
  class Clock
    ISO = /\A(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)\d* ?(Z|UTC|[+-]\d\d:?\d\d)?/
    # A minute, as lenient as Python's strptime.
    MINUTE = /\A(\d{4})-(1[0-2]|0[1-9]|[1-9])-(3[01]|[12]\d|0[1-9]|[1-9]|\ [1-9])
              [\ \t-\r\x1c-\x1f]+(2[0-3]|[01]\d|\d):([0-5]\d|\d)/x
    CACHED_MINUTES = 4096
    # Where the parts of `2026-11-23 08:33:54,012` begin and end.
    MINUTE_SIZE = 16
    SECOND = 17
    FRACTION = 20
    SIZE = 23
    NS_DIGITS = 9

    attr_reader :zone

    # Take the zone's name (Asia/Kolkata) or offset (+05:30); raise ZoneError when it is not known.
    def initialize(zone)
      @zone = zone
      @offsets = Zone.find(zone)
      @minutes = {}
    end

    # Read `2026-11-23 08:33:54,012`; comma or point, any fraction or none. nil when it is no time.
    def local(text)
      return nil unless text.ascii_only?

      minute = text.byteslice(0, MINUTE_SIZE)
      prefix, ms = @minutes.fetch(minute) { remember(minute) }
      second = digits(text, SECOND, 2)
      return nil if prefix.nil? || second.nil? || second > 59
      return with_fraction(text, prefix, ms, second) if text.bytesize != SIZE

      rest = digits(text, FRACTION, 3)
      rest && Moment.new("#{prefix}:#{Moment::TWO[second]}.#{Moment::THREE[rest]}Z", ms + second * 1_000 + rest)
    end

    # Read a time of an application's JSON: an ISO text with or without a zone, or an epoch number of any unit.
    def read(value)
      return Moment.from_number(value) if value.is_a?(Numeric)
      return nil unless value.is_a?(String) && (match = ISO.match(value))
      return local(match[1]) unless match[2]

      begin
        Clock.of(match[2]).local(match[1])
      rescue ZoneError
        nil
      end
    end

    # Return the seconds that local time is ahead of UTC at a moment (to be exact only away from a change of the clocks).
    def offset_at(seconds)
      @offsets.at_local(seconds, Time.at(seconds).utc.year)
    end

    # Return the clock of an offset that a line states itself.
    def self.of(zone)
      @clocks ||= {}
      name = %w[Z UTC].include?(zone) ? 'UTC' : zone
      @clocks[name] ||= new(name)
    end

    # Name the zone that is `minutes` east of UTC.
    def self.offset_name(minutes)
      return 'UTC' if minutes.zero?

      format('%<sign>s%<hours>02d:%<minutes>02d', sign: minutes.negative? ? '-' : '+', hours: minutes.abs / 60,
                                                  minutes: minutes.abs % 60)
    end

    private

    def with_fraction(text, prefix, ms, second)
      fraction = text.byteslice(FRACTION, NS_DIGITS) || ''
      return nil unless fraction.match?(/\A\d*\z/)

      digits = fraction.ljust(NS_DIGITS, '0')
      ms += second * 1_000 + digits[0, 3].to_i
      ns = fraction.size > 3 ? ms * Moment::NS_PER_MS + digits[3, 6].to_i : nil
      Moment.new("#{prefix}:#{Moment::TWO[second]}.#{digits[0, 3]}Z", ms, ns)
    end

    # Read so many digits; nil where others stand.
    def digits(text, place, count)
      number = 0
      while count.positive?
        byte = text.getbyte(place)
        return nil if byte.nil? || byte < 48 || byte > 57

        number = number * 10 + byte - 48
        place += 1
        count -= 1
      end
      number
    end

    def remember(minute)
      @minutes.clear if @minutes.size >= CACHED_MINUTES
      @minutes[minute.freeze] = minute_of(minute)
    end

    # Return the minute in UTC as text and the milliseconds at which it begins.
    def minute_of(minute)
      text = minute.tr('T', ' ')
      match = MINUTE.match(text)
      return nil if match.nil? || match.end(0) != text.size

      year, month, day, hour, minutes = match.captures.map(&:to_i)
      return nil unless year.positive? && day <= days_in(year, month)

      seconds = Time.utc(year, month, day, hour, minutes).to_i
      seconds -= @offsets.at_local(seconds, year)
      ms = seconds * 1_000
      return nil if ms.negative? || ms * Moment::NS_PER_MS > Moment::LAST_NS

      # A zone can be off by seconds, as all were before 1900: the text then says less than the number.
      [Time.at(seconds).utc.strftime('%Y-%m-%dT%H:%M').freeze, ms].freeze
    end

    def days_in(year, month)
      return 29 if month == 2 && (year % 4).zero? && (!(year % 100).zero? || (year % 400).zero?)

      [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    end
  end
end
