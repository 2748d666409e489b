# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require_relative 'json_record'
require_relative 'text'

module RayLogs
  # Lines to frames: which lines of a file make one event. Nothing here knows what an event looks like.
  class Framer
    MAGIC = 'magic'
    BLANK = 'blank'
    UNPARSED = 'unparsed'
    FRAGMENT = 'fragment'
    SPLIT = 'split'
    COPY_FORMAT = 'driver_copy'
    COLON = 58
    NEWLINE = 10
    INDENT = [32, 9].freeze
    QUIET = %w[DEBUG INFO].freeze
    REMOTE = 'ray::'
    STACK = '  File '
    TRACEBACK = 'Traceback (most recent call last):'
    INNER_TRACEBACK = ": #{TRACEBACK}"
    GROUP_LINE = /\A[ \t-\r]+[|+]/n
    RECORD = :record
    NO_LINES = [].freeze

    # The bytes of one event, magic line or blank line, and where they begin. A text line has a format and its match, a
    # JSON line a record; a line without header neither.
    Frame = Struct.new(:key, :offset, :raw, :format, :match, :record, :note)

    # What undoes the lines that were fed since.
    Mark = Struct.new(:parts, :count, :state)

    # What an event that is open ended with; asked at every cut.
    STATE = %i[@size @key @offset @format @match @note @mode @orphan @cut_end].freeze

    # Take the kind's formats and framing; every frame goes to the block.
    def initialize(catalogue, kind, &build)
      @build = build
      @limit = catalogue.event_bytes
      @firsts = catalogue.shared([:firsts, kind.id]) { formats_by_first_byte(catalogue, kind) }
      @output = kind.framing == 'output'
      @records = kind.framing == 'record'
      @level_keys = catalogue.data['json']['level']
      @message_keys = catalogue.data['json']['message']
      @magic = kind.magic ? Patterns.on_bytes(catalogue.data['magic']['pattern']) : nil
      @levels = catalogue.levels
      @begins_traceback = Patterns.on_bytes(catalogue.data['traceback']['begin'])
      @chains_traceback = Patterns.on_bytes(catalogue.data['traceback']['chained'])
      @begins_crash = Patterns.on_bytes(catalogue.data['blocks']['crash']['begin'])
      @goes_on_crash = Patterns.on_bytes(catalogue.data['blocks']['crash']['go_on'])
      @parts = NO_LINES
      @size = 0
      @orphan = UNPARSED
      @cut_end = nil
      @mode = :plain
    end

    # What lines are whose beginning is not there.
    attr_writer :orphan
    # The key of the piece that is fed next.
    attr_accessor :piece

    # Frame one line, which is no longer than an event may be. offset: where it begins.
    def feed(line, offset)
      return feed_record(line, offset) if @records

      first = line.getbyte(0)
      return if first == COLON && @magic && magic?(line, offset)

      formats = @firsts[first]
      if formats && recognise(formats, line)
        @output ? turn_output(line, offset, true) : turn(line, offset, true)
      elsif !@parts.empty? && @size + line.bytesize <= @limit && (!@output || goes_on?(line))
        @parts << line
        @size += line.bytesize
      else
        @output ? turn_output(line, offset, false) : turn(line, offset, false)
      end
    end

    # End the event that is open.
    def close
      return if @parts.empty?

      raw = @parts.size == 1 ? @parts[0] : @parts.join
      @parts = NO_LINES
      @build.call(Frame.new(@key, @offset, raw, @format, @match, nil, @note))
    end

    # End the event that is open where a stored one ended.
    def cut
      return if @records

      @cut_end = @parts.last
      close
      @orphan = FRAGMENT
    end

    # Return where the open event begins; nil when none is open.
    def open_at
      @parts.empty? ? nil : @offset
    end

    # Return the key of the piece in which the open event begins; nil when none is open.
    def open_in
      @parts.empty? ? nil : @key
    end

    # Remember what is open.
    def mark
      Mark.new(@parts, @parts.size, STATE.map { |name| instance_variable_get(name) })
    end

    # Forget all lines since the mark.
    def reset(mark)
      @parts = mark.parts
      @parts.pop while @parts.size > mark.count
      STATE.each_with_index { |name, number| instance_variable_set(name, mark.state[number]) }
    end

    private

    def feed_record(line, offset)
      return @build.call(Frame.new(@piece, offset, line, nil, nil, nil, BLANK)) if Text.blank?(line)

      record = JsonRecord.parse(line)
      record = nil if record && record.empty?
      @build.call(Frame.new(@piece, offset, line, nil, nil, record, record ? nil : UNPARSED))
    end

    def magic?(line, offset)
      spoken = @magic.match(line)
      return false unless spoken

      close
      @build.call(Frame.new(@piece, offset, line, nil, spoken, nil, MAGIC))
      true
    end

    # Find the format of a line: its match or record is what is found.
    def recognise(formats, line)
      formats.each do |form|
        if form.nil?
          record = JsonRecord.parse(line)
          next if record.nil? || record.empty? || !(@output || log_record?(record))

          @found_format = nil
          @found_match = nil
          @found_record = record
          return true
        elsif (match = form.regexp.match(line))
          @found_format = form
          @found_match = match
          @found_record = nil
          return true
        end
      end
      false
    end

    def log_record?(record)
      @level_keys.any? { |key| record.key?(key) } && @message_keys.any? { |key| record.key?(key) }
    end

    # End the open event and begin the next one with this line.
    def turn(line, offset, headed)
      too_long = !headed && !@parts.empty?
      close
      if headed && @found_record
        @orphan = UNPARSED
        @build.call(Frame.new(@piece, offset, line, nil, nil, @found_record, nil))
      elsif !headed && !too_long && Text.blank?(line)
        @build.call(Frame.new(@piece, offset, line, nil, nil, nil, BLANK))
      else
        open(line, offset, headed, headed ? nil : too_long ? SPLIT : @orphan)
      end
    end

    def turn_output(line, offset, headed)
      note = headed ? nil : note_of(line)
      close
      if headed && @found_record
        @build.call(Frame.new(@piece, offset, line, nil, nil, @found_record, nil))
      elsif !headed && Text.blank?(line)
        @build.call(Frame.new(@piece, offset, line, nil, nil, nil, BLANK))
      else
        open(line, offset, headed, note)
        @mode = first_mode(line, headed)
      end
    end

    # Say what a line without header is whose event was ended before it.
    def note_of(line)
      unless @parts.empty?
        torn = @parts.last.getbyte(-1) != NEWLINE
        return SPLIT if torn || (@size + line.bytesize > @limit && goes_on?(line))
      end
      cut_off?(line) ? FRAGMENT : nil
    end

    def open(line, offset, headed, note)
      @parts = [line]
      @size = line.bytesize
      @key = @piece
      @offset = offset
      @format = headed ? @found_format : nil
      @match = headed ? @found_match : nil
      @note = note
      @orphan = UNPARSED
    end

    # Tell whether a line would have gone on with the event that was ended where a stored one ends.
    def cut_off?(line)
      ended = @cut_end
      return false unless ended

      @cut_end = nil
      @parts.empty? && (ended.getbyte(-1) != NEWLINE || goes_on?(line))
    end

    def first_mode(line, headed)
      return @found_format.name == COPY_FORMAT ? :single : :plain if headed
      return traceback_mode(line) if @begins_traceback.match?(line)

      @begins_crash.match?(line) ? :crash : :plain
    end

    # Tell whether a line without a header belongs to the open event of free text, and what may follow it.
    def goes_on?(line)
      case @mode
      when :plain then goes_on_plain?(line)
      when :single then false
      when :crash then @goes_on_crash.match?(line.sub(/\n+\z/, ''))
      when :group then indented?(line) && line.match?(GROUP_LINE)
      else goes_on_traceback?(line)
      end
    end

    def indented?(line)
      INDENT.include?(line.getbyte(0))
    end

    def goes_on_plain?(line)
      if @begins_traceback.match?(line)
        return false if @format.nil? || quiet?

        @mode = traceback_mode(line)
        return true
      end
      indented?(line) && !Text.blank?(line)
    end

    # Tell whether a line is none that an exception is logged with: the traceback after it is of its own.
    def quiet?
      group = @format.groups['level']
      group && QUIET.include?(@levels[@match[group]])
    end

    def goes_on_traceback?(line)
      blank = Text.blank?(line)
      case @mode
      when :frames
        @mode = :last_line unless blank || indented?(line) || rstripped(line).end_with?(TRACEBACK)
        true
      when :last_line then goes_on_after_last_line?(line, blank)
      when :gap
        @mode = :chained
        @chains_traceback.match?(line)
      else
        return blank unless @begins_traceback.match?(line) || line.start_with?(REMOTE)

        @mode = :frames
        true
      end
    end

    # Ray's errors show the task's stack behind the line of the exception, or a whole traceback as its text.
    def goes_on_after_last_line?(line, blank)
      if line.start_with?(STACK) || rstripped(line).end_with?(INNER_TRACEBACK)
        @mode = :frames
        return true
      end
      @mode = :gap if blank
      blank || indented?(line)
    end

    def rstripped(line)
      line.sub(/[ \t-\r]+\z/n, '')
    end

    def traceback_mode(line)
      indented?(line) ? :group : :frames
    end

    # List the formats that a line beginning with a byte can have; nil stands for JSON.
    def formats_by_first_byte(catalogue, kind)
      firsts = []
      kind.formats.each do |name|
        form = catalogue.formats[name]
        (form ? form.first : '{').each_byte { |byte| (firsts[byte] ||= []) << form }
      end
      firsts
    end
  end
end
