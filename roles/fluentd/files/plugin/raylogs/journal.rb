# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'fileutils'
require 'json'

module RayLogs
  # What must be known of a file after a restart beside its position: who it is, where time cut its events, and how far
  # it was read when it was last left alone. One record a line, appended; written anew when most of it is history.
  class Journal
    # btime: birth in nanoseconds, 0 where the file system does not tell. head: hash of the first line. left: position
    # when nobody watched the file any more.
    Entry = Struct.new(:ino, :btime, :head, :base, :key, :cuts, :left) do
      def to_records
        records = [{ f: ino, b: btime, head: head, base: base, key: key }]
        records << { c: ino, at: cuts } unless cuts.empty?
        records << { l: ino, at: left } if left
        records
      end
    end

    HISTORY_BYTES = 4 * 1024 * 1024
    CUTS = 1000
    private_constant :HISTORY_BYTES, :CUTS

    def initialize(path, mode: 0o600)
      @path = path
      @mode = mode
      @entries = {}
      @lock = Mutex.new
      read
      rewrite
    end

    def [](ino)
      @entries[ino]
    end

    # The entries of all files whose identity begins alike: what a key must not be given to twice.
    def of_base(base)
      @entries.each_value.select { |entry| entry.base == base }
    end

    def add(ino, btime, head, base, key)
      write({ f: ino, b: btime, head: head, base: base, key: key })
    end

    # Before an event is ended by time: reading the file again must end it at the same byte.
    def cut(ino, offset)
      write({ c: ino, at: [offset] })
    end

    def leave(ino, position)
      write({ l: ino, at: position }) if @entries.key?(ino) && @entries[ino].left != position
    end

    def forget(ino)
      write({ d: ino }) if @entries.key?(ino)
    end

    # A file was cut off and is written anew: its bytes are others, and its key must not be given to them.
    def begin_again(ino)
      entry = @entries[ino] or return
      write({ f: -ino, b: entry.btime, head: entry.head, base: entry.base, key: entry.key })
      forget(ino)
    end

    def inodes
      @entries.keys
    end

    # To the disk, so that a power cut does not know less than what was stored before it.
    def sync
      @lock.synchronize { @file.fsync unless @file.closed? }
    end

    def close
      @lock.synchronize { @file.close unless @file.closed? }
    end

    private

    def read
      return unless File.exist?(@path)

      # A line can be torn, by a kill or by a full disk: it says nothing, and what it was about is read again.
      File.foreach(@path, mode: 'rb') do |line|
        record = parse(line)
        apply(record) if record
      end
    end

    def parse(line)
      JSON.parse(line, symbolize_names: true)
    rescue JSON::ParserError
      nil
    end

    def apply(record)
      case record
      in { f: ino, b: btime, head: head, base: base, key: key }
        @entries[ino] = Entry.new(ino, btime, head, base, key, [], nil)
      in { c: ino, at: Array => offsets } then add_cuts(@entries[ino], offsets)
      in { l: ino, at: position } then @entries[ino]&.left = position
      in { d: ino } then @entries.delete(ino)
      else nil
      end
    end

    # Only what is read again needs its cuts, and that is the end of a file.
    def add_cuts(entry, offsets)
      return unless entry

      entry.cuts.push(*offsets)
      entry.cuts.shift(entry.cuts.size - CUTS) if entry.cuts.size > CUTS
    end

    def write(record)
      @lock.synchronize do
        line = "#{"\n" if @torn}#{JSON.generate(record)}\n"
        @torn = true
        @file.write(line)
        @torn = false
        apply(record)
        @written += line.bytesize
        rewrite if @written > HISTORY_BYTES && @written > 4 * @live
      end
    end

    # One whole new file in place of the old one: a kill leaves either.
    def rewrite
      draft = "#{@path}.draft"
      FileUtils.mkdir_p(File.dirname(@path))
      File.open(draft, 'wb', @mode) do |file|
        @entries.each_value { |entry| entry.to_records.each { |record| file.write("#{JSON.generate(record)}\n") } }
        file.fsync
      end
      File.rename(draft, @path)
      @file&.close
      @file = File.open(@path, 'ab')
      @file.sync = true
      @live = @file.size
      @written = @live
    end
  end
end
