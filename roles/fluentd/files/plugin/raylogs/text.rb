# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'digest'

module RayLogs
  # Text: raw bytes to messages, messages to patterns, whatever an application logs to labels.
  module Text
    INVALID_UTF8 = 'invalid_utf8'
    REPLACEMENT = "\u{fffd}"
    # What Python's str.strip() takes away.
    SPACE = '[\t-\r\x1c-\x20\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]'
    LEADING = /\A#{SPACE}+/
    TRAILING = /#{SPACE}+\z/
    # What is neither blank nor a newline in bytes.
    SEEN = /[^ \t-\r]/n
    QUOTED = /["\\\x00-\x1f]/
    SHORT_ESCAPES = { '"' => '\"', '\\' => '\\\\', "\n" => '\n', "\r" => '\r', "\t" => '\t', "\f" => '\f',
                      "\b" => '\b' }.freeze
    ESCAPES = Hash.new { |known, char| known[char] = SHORT_ESCAPES[char] || format('\u%04x', char.ord) }
    FINITE_JSON_DIGITS = 18

    # Decode bytes; what is no UTF-8 is replaced.
    def self.utf8(bytes)
      text = bytes.dup.force_encoding(Encoding::UTF_8)
      text.valid_encoding? ? text : text.scrub(REPLACEMENT)
    end

    def self.blank?(bytes)
      !bytes.match?(SEEN)
    end

    # Strip a text as Python does.
    def self.strip(text)
      rstrip(text).sub(LEADING, '')
    end

    def self.rstrip(text)
      text.end_with?("\n", ' ') || !text.ascii_only? || text.match?(TRAILING) ? text.sub(TRAILING, '') : text
    end

    # Write any JSON value as text.
    def self.as_text(value)
      value.is_a?(String) ? value : dump(value)
    end

    # Write a JSON value as Python does: `{"a": [1, 2.5]}`.
    def self.dump(value)
      case value
      when String then "\"#{value.gsub(QUOTED, ESCAPES)}\""
      when Hash then "{#{value.map { |key, item| "#{dump(key)}: #{dump(item)}" }.join(', ')}}"
      when Array then "[#{value.map { |item| dump(item) }.join(', ')}]"
      when Float then float(value)
      when nil then 'null'
      else value.to_s
      end
    end

    # Write a float as Python does, which takes to exponents later: 1e+16.
    def self.float(value)
      text = value.to_s
      return text unless text.include?('e')
      return text.sub('.0e', 'e') unless text.end_with?('e+15')

      sign, digits = text.delete_suffix('e+15').delete('.').match(/(-?)(.*)/).captures
      "#{sign}#{digits[0, 16].ljust(16, '0')}.#{digits[16..].to_s.ljust(1, '0')}"
    end
    private_class_method :float

    # Turns raw bytes into messages.
    class Cleaner
      NEWLINE = 10

      # Take the catalogue's rules for escapes and progress bars.
      def initialize(catalogue)
        @escapes = catalogue.escapes
        @progress = catalogue.progress
      end

      # Return the message of raw bytes, from a place on: UTF-8, without colours, no newlines around, a progress bar's
      # last frame.
      def clean(raw, from = 0)
        if raw.include?("\e") || raw.include?("\r")
          raw = plain(raw.byteslice(from..))
          from = 0
        end
        stop = raw.bytesize
        stop -= 1 while stop > from && raw.getbyte(stop - 1) == NEWLINE
        from += 1 while from < stop && raw.getbyte(from) == NEWLINE
        text = raw.byteslice(from, stop - from).force_encoding(Encoding::UTF_8)
        text.valid_encoding? ? text : text.scrub(REPLACEMENT)
      end

      # Clean a text that was decoded before.
      def clean_text(text)
        clean(text.b)
      end

      private

      def plain(raw)
        raw = raw.gsub(@escapes, '') if raw.include?("\e")
        return raw unless raw.include?("\r")

        raw.split("\n", -1).map { |line| last_frame(line) }.join("\n")
      end

      def last_frame(line)
        frames = line.split("\r", -1).reject { |frame| Text.blank?(frame) }
        frames.size > 1 && @progress.match?(line) ? frames.last : frames.join("\n")
      end
    end

    # Turns messages into patterns: numbers, ids, paths, addresses and quoted text masked.
    class Masker
      CACHED = 8192
      ID_LENGTH = 16

      def initialize(catalogue)
        @mask = catalogue.mask
        rule = catalogue.data['pattern']
        @replacement = rule['replacement']
        @head = rule['head']
        @length = catalogue.fields['pattern_length']
        @known = {}
        @patterns = {}
      end

      # Return the pattern of a message's first line and the pattern's hash (16 digits of its SHA-256).
      def mask(message)
        head = head_of(message)
        @known.fetch(head) do
          @known.clear if @known.size >= CACHED
          @known[head] = identified(head.gsub(@mask, @replacement)[0, @length])
        end
      end

      private

      def identified(pattern)
        @patterns.fetch(pattern) do
          @patterns.clear if @patterns.size >= CACHED
          @patterns[pattern] = [pattern.freeze, Digest::SHA256.hexdigest(pattern)[0, ID_LENGTH].freeze].freeze
        end
      end

      def head_of(message)
        long = message.size > @head
        head = long ? message[0, @head] : message
        newline = head.index("\n")
        return head[0, newline] if newline
        return head unless long

        # What the cut left of an id or a number would not be masked.
        space = head.rindex(' ')
        space.nil? || space.zero? ? head : head[0, space]
      end
    end

    # Keeps of an application's own fields what a flattened field takes: depth, count, keys and values cut.
    class Labels
      # Take the schema's limits, and the keys that never become a label.
      def initialize(catalogue)
        fields = catalogue.fields
        @depth = fields['label_depth']
        @count = fields['label_count']
        @key_length = fields['label_key_length']
        @length = fields['label_length']
        @secret = catalogue.data.fetch('secret_keys', []).to_h { |key| [key, true] }
        @nothing = {}.freeze
      end

      def of(value, skip = @nothing)
        @budget = @count
        items(value, @depth, skip)
      end

      private

      def items(value, depth, skip = @nothing)
        kept = {}
        value.each do |key, item|
          next if skip.key?(key) || @secret.key?(key) || item.nil? || item == ''
          break if @budget <= 0

          @budget -= 1
          label = label(item, depth - 1)
          kept[name(key)] = label unless label.respond_to?(:empty?) && label.empty? && !label.is_a?(String)
        end
        kept
      end

      def name(key)
        name = key.include?("\0") ? key.tr("\0", REPLACEMENT) : key
        name = name[0, @key_length] if name.size > @key_length
        name = name.gsub(/\A[. ]+|[. ]+\z/, '') if name.start_with?('.', ' ') || name.end_with?('.', ' ')
        name.empty? ? '_' : name
      end

      def label(value, depth)
        case value
        when String then value.size > @length ? value[0, @length] : value
        when true, false then value
        when Integer then value.to_s.size <= FINITE_JSON_DIGITS ? value : value.to_s[0, @length]
        when Float then value.finite? ? value : Text.dump(value)
        when Hash then depth.positive? ? items(value, depth) : Text.dump(value)[0, @length]
        when Array then list(value, depth)
        else Text.dump(value)[0, @length]
        end
      end

      def list(value, depth)
        return Text.dump(value)[0, @length] unless depth.positive? && value.size <= @budget

        @budget -= value.size
        value.compact.map { |item| label(item, depth - 1) }
      end
    end
  end
end
