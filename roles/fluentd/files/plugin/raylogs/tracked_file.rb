# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'monitor'

module RayLogs
  # One file, whatever its name is and however many readers it has at the moment: which of its bytes became events.
  #
  # taken: the bytes before it are events, or belong to the event that is still open. safe: the bytes before it are
  # events that somebody else keeps now; reading begins there after a restart.
  class TrackedFile
    HEAD_BYTES = 64 * 1024
    TAIL_BYTES = 256 * 1024
    READ_BYTES = 64 * 1024
    private_constant :HEAD_BYTES, :TAIL_BYTES, :READ_BYTES

    attr_reader :ino, :taken, :touched
    attr_accessor :path, :readers, :tag

    # journal: of all files. identify: called with this file and its first line, returns its parser or raises.
    # deliver: called with this file and its items; what it raises leaves everything as it was before.
    def initialize(ino, path, taken, journal:, identify:, deliver:)
      @ino = ino
      @path = path
      @taken = taken
      @journal = journal
      @identify = identify
      @deliver = deliver
      @readers = 0
      @monitor = Monitor.new
      @touched = @opened = 0.0
    end

    def safe
      (@parser&.open_at) || @taken
    end

    def open?
      !@parser&.open_at.nil?
    end

    # Take lines that begin at an offset. Those that another reader brought before are passed over.
    def take(lines, offset, now)
      @monitor.synchronize do
        lines, offset = rest_of(lines, offset)
        next if lines.empty?

        parse(now) { |parser| parser.feed(lines, offset, cuts: cuts_behind(offset)) }
        @taken = offset + lines.sum(&:bytesize)
      end
    end

    # End the open event although nothing shows that it is complete.
    def release
      @monitor.synchronize do
        next unless open?

        remember_cut(@taken)
        parse(@touched, &:close)
      end
    end

    # Whether the open event has waited for more lines: since the last one came, or since its first one came.
    def waited?(now, quiet, longest)
      open? && (now - @touched >= quiet || now - @opened >= longest)
    end

    # Take what stands behind the last newline, when it is not going to have one.
    def take_rest(now, limit)
      @monitor.synchronize do
        rest = File.open(@path, 'rb') { |file| file.stat.ino == @ino && file.pread(limit, @taken) }
        next if !rest || rest.include?("\n")

        take([rest], @taken, now)
        release
      rescue EOFError, SystemCallError
        nil
      end
    end

    # The file is read for the last time: its lines cannot wait any more for what other files say of it.
    def hurry
      @monitor.synchronize do
        @hurried = true
        @parser&.hurry
      end
    end

    def hurried?
      @hurried
    end

    # Open the file for the block. While a fact is awaited it stays open, for it may be removed meanwhile.
    def with_handle
      @handle ||= File.open(@path, 'rb')
      raise "#{@path} is another file by now" unless @handle.stat.ino == @ino

      @handle.rewind
      yield(@handle).tap { close }
    rescue FactAwaited
      raise
    rescue StandardError
      close
      raise
    end

    def close
      @handle&.close
      @handle = nil
    end

    # Give back the memory of what is known of earlier lines; the next line brings it back.
    def rest
      @monitor.synchronize { @parser = nil unless open? || @touched.zero? }
    end

    private

    def cuts_behind(offset)
      cuts = @journal[@ino]&.cuts
      return if cuts.nil? || cuts.empty? || cuts.last <= offset

      cuts.select { |cut| cut > offset }
    end

    def remember_cut(offset)
      @journal.cut(@ino, offset) unless @journal[@ino]&.cuts&.last == offset
    end

    # The lines, or their parts, that lie behind what was taken.
    def rest_of(lines, offset)
      return [lines, offset] if offset >= @taken

      kept = lines.drop_while do |line|
        passed = offset + line.bytesize <= @taken
        offset += line.bytesize if passed
        passed
      end
      return [kept, offset] if kept.empty? || offset == @taken

      [[kept.first.byteslice(@taken - offset..), *kept.drop(1)], @taken]
    end

    def parse(now)
      @parser ||= replayed(@identify.call(self))
      @parser.created = Moment.now
      mark = @parser.mark
      was = @parser.open_at
      begin
        @deliver.call(self, yield(@parser))
      rescue StandardError
        @parser.reset(mark)
        raise
      end
      @opened = now unless @parser.open_at == was
      @touched = now
    end

    # Earlier lines give later ones their context: of what an earlier process took, the head (whose file this is) and the
    # end (the last time, the last task) are parsed again for it.
    def replayed(parser)
      return parser if @taken.zero?

      File.open(@path, 'rb') do |file|
        raise "#{@path} is another file by now" unless file.stat.ino == @ino

        from = 0
        if @taken > HEAD_BYTES + TAIL_BYTES
          replay(parser, file, 0, HEAD_BYTES)
          from = line_after(file, @taken - TAIL_BYTES)
        end
        replay(parser, file, from, @taken)
      end
      parser
    end

    def replay(parser, file, offset, stop)
      file.seek(offset)
      while offset < stop
        lines = []
        size = 0
        while size < READ_BYTES && offset + size < stop && (line = file.gets("\n", stop - offset - size))
          lines << line
          size += line.bytesize
        end
        break if lines.empty?

        parser.feed(lines, offset, cuts: cuts_behind(offset))
        offset += size
      end
      parser.close
    end

    def line_after(file, offset)
      file.seek(offset)
      file.gets
      file.pos
    end
  end
end
