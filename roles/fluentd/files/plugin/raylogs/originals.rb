# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require_relative 'catalogue'
require_relative 'json_record'
require_relative 'text'

module RayLogs
  # Where the originals of copied lines are: files of the same node, found by name, or line by line.
  class Originals
    SECONDS = 1.0
    ANY = '[^/]+'

    # now: tells the seconds by a clock that is never set.
    def initialize(catalogue, logs_dir, now)
      @now = now
      @catalogue = catalogue
      @logs_dir = logs_dir
      @names = {}
      @listed = {}
      @looked = nil
      @there = {}
      @lines = {}
    end

    # Return a test that tells whether the original of a line may hold it.
    def file_test(rule)
      of_worker = rule.original.include?('{worker_id}')
      lambda do |words|
        next false if of_worker && !rule.marked && words['worker_id'].to_s.empty?
        # It stands on another node.
        next false unless words['copy_ip'].to_s.empty?

        there?(rule, words)
      end
    end

    # Tell whether the node holds a file named as the rule's original with the words filled in; other parts may be any.
    def there?(rule, words)
      filled = rule.original.split(Catalogue::PART, -1).each_with_index.map do |text, number|
        next Regexp.escape(text) if number.even?

        words[text].to_s.empty? ? ANY : Regexp.escape(words[text])
      end.join
      @there[filled] || find(filled)
    end

    # Return a test that tells whether the original holds a line with the same values, as far as it is written.
    def line_test(rule, parts)
      name = rule.original.gsub(Catalogue::PART) { parts.fetch(Regexp.last_match(1), '') }
      lines = @lines[name] ||= Lines.new(File.join(@logs_dir, name), rule.same_line, @catalogue.event_bytes)
      ->(words) { lines.include?(words) }
    end

    private

    def find(filled)
      list
      @absent ||= {}
      return false if @absent.key?(filled)

      regexp = /\A#{filled}\z/
      found = @names.each_key.any? { |name| regexp.match?(name) }
      (found ? @there : @absent)[filled] = true
      found
    end

    # List the folders that changed.
    def list
      now = @now.call
      return if @looked && now - @looked < SECONDS

      @looked = now
      walk('')
    end

    def walk(folder)
      path = File.join(@logs_dir, folder)
      changed = File.lstat(path).mtime
      fresh = @listed.dig(folder, 0) != changed || Time.now - changed < 2 * SECONDS
      @listed[folder] = [changed, names(path, folder)] if fresh
      @listed[folder][1].each { |inner| walk(inner) }
    rescue SystemCallError
      @listed.delete(folder)
    end

    # Note the canonical names of the files of a folder; return its folders.
    def names(path, folder)
      Dir.each_child(path).select do |child|
        name = folder.empty? ? child : "#{folder}/#{child}"
        next true if File.lstat(File.join(@logs_dir, name)).directory?

        known = Catalogue.shown(@catalogue.classify(name).name)
        next false if @names.key?(known)

        @names[known] = true
        @absent = nil
        false
      rescue SystemCallError
        false
      end.map { |child| folder.empty? ? child : "#{folder}/#{child}" }
    end

    # The lines of one original, by their values.
    class Lines
      def initialize(path, names, limit)
        @path = path
        @names = names
        @limit = limit
        @known = {}
        @read = 0
      end

      def include?(words)
        hash = @names.map { |name| words.fetch(name, '') }.hash
        @known.key?(hash) || (read_on && @known.key?(hash))
      end

      private

      # Read what was written since; tell whether there was any.
      def read_on
        File.open(@path, 'rb') do |io|
          next false if io.size <= @read

          io.seek(@read)
          while (line = io.gets("\n", @limit))
            # A line that is not complete yet is read again.
            break unless line.end_with?("\n") || line.bytesize == @limit

            @read += line.bytesize
            record = JsonRecord.parse(line)
            @known[@names.map { |name| Text.as_text(record[name]) }.hash] = true if record
          end
          true
        end
      rescue SystemCallError
        false
      end
    end
  end
end
