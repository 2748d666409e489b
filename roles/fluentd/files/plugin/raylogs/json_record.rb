# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'json'
require 'strscan'
require_relative 'text'

module RayLogs
  # Reads a line as a JSON object as Python's json does: raw control bytes and invalid UTF-8 in strings, NaN, halves of
  # surrogate pairs. Ruby's own parser is fast and differs in the rest: comments, unknown escapes.
  module JsonRecord
    DEEPEST = 400
    OPTIONS = { max_nesting: DEEPEST, allow_nan: true, create_additions: false, allow_duplicate_key: true }.freeze
    # Python reads no whole number that has more.
    DIGITS = 4300
    MANY_DIGITS = /[0-9]{#{DIGITS + 1}}/
    # Half of a surrogate pair, or what is no escape of JSON.
    ODD_ESCAPE = %r{\\(?:u[dD]|u(?![0-9a-fA-F]{4})|[^"\\/bfnrtu])}
    STRING = /"(?:[^"\\]|\\.)*"/m

    # Return the object, or nil when the line is none.
    def self.parse(line)
      text = Text.utf8(line)
      return nil if commented?(text)
      return Exact.new(text).object if odd?(text)

      begin
        object = JSON.parse(text, OPTIONS)
      rescue JSON::NestingError
        return nil
      rescue JSON::ParserError
        return Exact.new(text).object
      end
      object.is_a?(Hash) ? object : nil
    end

    def self.commented?(text)
      (text.include?('//') || text.include?('/*')) && text.gsub(STRING, '').include?('/')
    end
    private_class_method :commented?

    def self.odd?(text)
      (text.include?('\\') && text.match?(ODD_ESCAPE)) || (text.bytesize > DIGITS && text.match?(MANY_DIGITS))
    end
    private_class_method :odd?

    # The slow way, for the few lines of which the fast one would make something else.
    class Exact
      NUMBER = /(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][+-]?[0-9]+)?/
      PLAIN = /[^"\\]+/
      ESCAPES = { '"' => '"', '\\' => '\\', '/' => '/', 'b' => "\b", 'f' => "\f", 'n' => "\n", 'r' => "\r",
                  't' => "\t" }.freeze
      WORDS = { 'true' => true, 'false' => false, 'null' => nil, 'NaN' => Float::NAN, 'Infinity' => Float::INFINITY,
                '-Infinity' => -Float::INFINITY }.freeze
      WORD = /true|false|null|NaN|-?Infinity/
      HIGH = (0xd800..0xdbff).freeze
      LOW = (0xdc00..0xdfff).freeze

      def initialize(text)
        @text = StringScanner.new(text)
      end

      def object
        catch(:none) do
          skip_space
          none unless @text.peek(1) == '{'
          found = value(1)
          skip_space
          @text.eos? ? found : none
        end
      end

      private

      def none
        throw :none, nil
      end

      def skip_space
        @text.skip(/[ \t\n\r]+/)
      end

      def value(depth)
        case @text.peek(1)
        when '{' then hash(depth)
        when '[' then array(depth)
        when '"' then string
        else scalar
        end
      end

      def scalar
        word = @text.scan(WORD)
        return WORDS[word] if word

        none unless @text.scan(NUMBER)
        whole = @text[1]
        return (@text[0]).to_f if @text[2] || @text[3]

        none if whole.delete('-').size > DIGITS
        whole.to_i
      end

      def hash(depth)
        none if depth > DEEPEST
        @text.getch
        found = {}
        each_item('}') do
          none unless @text.peek(1) == '"'
          key = string
          skip_space
          none unless @text.skip(/:/)
          skip_space
          found[key] = value(depth + 1)
        end
        found
      end

      def array(depth)
        none if depth > DEEPEST
        @text.getch
        found = []
        each_item(']') { found << value(depth + 1) }
        found
      end

      def each_item(stop)
        skip_space
        return @text.getch if @text.peek(1) == stop

        loop do
          yield
          skip_space
          char = @text.getch
          return if char == stop

          none unless char == ','
          skip_space
        end
      end

      def string
        @text.getch
        found = +''
        loop do
          plain = @text.scan(PLAIN)
          found << plain if plain
          case @text.getch
          when '"' then return found
          when '\\' then found << escaped
          else none
          end
        end
      end

      def escaped
        char = @text.getch
        return ESCAPES[char] || none unless char == 'u'

        code = @text.scan(/[0-9a-fA-F]{4}/)&.hex || none
        if HIGH.cover?(code) && (low = @text.check(/\\u([0-9a-fA-F]{4})/) && @text[1].hex) && LOW.cover?(low)
          @text.skip(/\\u[0-9a-fA-F]{4}/)
          code = 0x10000 + ((code - 0xd800) << 10) + low - 0xdc00
        end
        HIGH.cover?(code) || LOW.cover?(code) ? Text::REPLACEMENT : [code].pack('U')
      end
    end
  end
end
