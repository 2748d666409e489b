# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'ipaddr'
require_relative 'clock'
require_relative 'text'

module RayLogs
  # Values of records to values of fields; nil when a value is none of a field's type.
  module Convert
    KEYWORD_LENGTH = 8191
    LONG_DIGITS = 18
    UNITS = { '' => 1, 'K' => 1 << 10, 'M' => 1 << 20, 'G' => 1 << 30, 'T' => 1 << 40 }.freeze
    DECIMAL_UNITS = { '' => 1, 'K' => 10**3, 'M' => 10**6, 'G' => 10**9, 'T' => 10**12 }.freeze
    BYTES = /\A(\d+(?:\.\d+)?)([KMGT]?)(i?)B\z/
    # No more digits than a whole number has.
    DEMAND = /: (\d{1,15})\+? /
    INTEGER = /\A-?[0-9]+\z/
    DIGITS = '[0-9]+(?:_[0-9]+)*'
    FLOAT = /\A[+-]?(?:#{DIGITS}(?:\.(?:#{DIGITS})?)?|\.#{DIGITS})(?:[eE][+-]?#{DIGITS})?\z/
    LAST_WHOLE = 2**63 - 1
    WHOLE = /\A-?[0-9]{1,19}\z/
    HEX = /\A[0-9a-f]+\z/
    # Digits of the ids of jobs, actors, tasks, and of nodes and workers.
    HEX_LENGTHS = [8, 32, 48, 56].freeze
    BASE64 = %r{\A(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\z}
    ENTRY = /\n (\d{1,15}(?!\d))? ?/
    STATED_ZONE = /(?:Z|UTC|[+-]\d\d:?\d\d)\s*\z/
    ADDRESS = /\A\d{1,3}(?:\.\d{1,3}){3}\z|\A[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(%[^%]+)?\z/
    UTC = Clock.new('UTC')
    # Python's numbers of levels; applications that log numbers at all log these.
    LEVEL_NUMBERS = { 10 => 'DEBUG', 20 => 'INFO', 30 => 'WARNING', 40 => 'ERROR', 50 => 'CRITICAL' }.freeze

    class << self
      # Convert a value to a type of the catalogue.
      def value(raw, kind)
        case kind
        when 'keyword' then keyword(raw)
        when 'long' then long(raw)
        when 'base64_id' then hex_id(raw)
        else rare(raw, kind)
        end
      end

      # Return the level that a value names.
      def level(raw, levels)
        case raw
        when String then levels[raw] || levels[Text.strip(raw).upcase]
        when Integer then LEVEL_NUMBERS[raw]
        end
      end

      # Tell whether an ISO time says its zone.
      def states_zone?(stated)
        stated.match?(STATED_ZONE)
      end

      # Return what stands in a record at a path, also where keys hold dots; nil when nothing does.
      def at_path(record, path)
        return record if path.empty?
        return nil unless record.is_a?(Hash)
        return record[path[0]] if path.size == 1

        path.size.downto(1) do |length|
          key = length == 1 ? path[0] : path[0, length].join('.')
          return at_path(record[key], path[length..]) if record.key?(key)
        end
        nil
      end

      # Return a whole number that fits 64 bits, also where it is written as text; else the default.
      def whole(raw, default = 0)
        number = raw if raw.is_a?(Integer)
        number = raw.to_i if raw.is_a?(String) && WHOLE.match?(raw)
        number && number.abs <= LAST_WHOLE ? number : default
      end

      # Tell whether Python takes a JSON value for true.
      def truthy?(raw)
        case raw
        when nil, false, 0, '' then false
        when Hash, Array then !raw.empty?
        else true
        end
      end

      # Turn Ray's base64 ids into the hexadecimal ids of all other files; what is hexadecimal already stays.
      def hex_id(raw)
        return nil unless raw.is_a?(String) && !raw.empty?
        return raw if HEX_LENGTHS.include?(raw.size) && raw.match?(HEX)

        raw.match?(BASE64) ? raw.unpack1('m').unpack1('H*').force_encoding(Encoding::UTF_8) : keyword(raw)
      end

      private

      def rare(raw, kind)
        case kind
        when 'double' then double(raw)
        when 'text' then raw.nil? || raw == '' ? nil : Text.as_text(raw)
        when 'date' then UTC.read(raw)&.text
        when 'date_nanos' then UTC.read(raw)&.then { |moment| moment.nanos_text || moment.text }
        when 'ip' then ip(raw)
        when 'boolean' then [true, false].include?(raw) ? raw : nil
        when 'milliseconds' then milliseconds(raw)
        when 'bytes' then bytes(raw)
        when 'entries' then entries(raw)
        when 'demands' then demands(raw)
        when 'outcome' then raw == 'OK' ? 'success' : 'failure'
        else raise ArgumentError, "the catalogue names the type #{kind}, which nobody knows"
        end
      end

      def keyword(raw)
        case raw
        when String
          return nil if raw.empty?

          raw.size > KEYWORD_LENGTH ? raw[0, KEYWORD_LENGTH] : raw
        when nil, Hash, Array then nil
        else Text.dump(raw)[0, KEYWORD_LENGTH]
        end
      end

      def long(raw)
        case raw
        when Float then raw.finite? && raw.floor == raw && raw.abs < 10**LONG_DIGITS ? raw.to_i : nil
        when Integer then raw.to_s.size <= LONG_DIGITS ? raw : nil
        when String
          digits = Text.strip(raw)
          digits.size <= LONG_DIGITS && digits.match?(INTEGER) ? digits.to_i : nil
        end
      end

      def double(raw)
        number =
          case raw
          when Integer, Float then raw.to_f
          when String
            text = raw.ascii_only? ? Text.strip(raw) : ''
            text.delete('_').to_f if text.match?(FLOAT)
          end
        number&.finite? ? number : nil
      end

      def ip(raw)
        match = raw.is_a?(String) && ADDRESS.match(raw)
        return nil unless match

        "#{compressed(IPAddr.new(raw.delete_suffix(match[1].to_s)))}#{match[1]}"
      rescue IPAddr::Error
        nil
      end

      def compressed(address)
        return address.to_s if address.ipv4?

        words = address.hton.unpack('n8').map { |word| word.to_s(16) }.join(':')
        zeros = words.scan(/(?<![^:])0(?::0)+(?![^:])/).max_by.with_index { |found, number| [found.size, -number] }
        return words unless zeros

        before, _run, after = words.partition(/(?<![^:])#{zeros}(?![^:])/)
        "#{before.delete_suffix(':')}::#{after.delete_prefix(':')}"
      end

      def milliseconds(raw)
        number = double(raw)
        return nil if number.nil? || number.abs > LAST_WHOLE.fdiv(Moment::NS_PER_MS)

        (number * Moment::NS_PER_MS).round(half: :even)
      end

      def bytes(raw)
        match = raw.is_a?(String) && BYTES.match(raw)
        match ? double(match[1].to_f * (match[3].empty? ? DECIMAL_UNITS : UNITS)[match[2]]) : nil
      end

      # Count the lines of a list in the autoscaler's report; ` 2 name` counts twice, ` (no …)` not at all.
      def entries(raw)
        return 0 unless raw.is_a?(String)

        count = 0
        raw.scan(ENTRY) { count += ($1 || 1).to_i unless $'.start_with?('(') }
        count
      end

      # Add up the pending demands: ` {'CPU': 1.0}: 4+ pending tasks/actors`.
      def demands(raw)
        raw.is_a?(String) ? raw.scan(DEMAND).sum { |number,| number.to_i } : 0
      end
    end

    # What a JSON record says in terms of the schema; `consumed` are the keys that need not be kept as labels.
    JsonEvent = Struct.new(:fields, :level, :message, :stack_trace, :time_ns, :time_local, :time, :consumed)

    # The catalogue's table of the keys of JSON records.
    class JsonKeys
      COMPONENT = 'component'
      CONTESTED, MESSAGE, LEVEL, STACK, TIME_NS, TIME_LOCAL, TIME = Array.new(7) { |bit| 1 << bit }

      def initialize(table)
        @table = table
        several = table['keys'].group_by { |entry| entry['field'] }.select { |_field, entries| entries.size > 1 }
        @fields = {}
        @contested = []
        table['keys'].each do |entry|
          triple = [entry['key'], entry['field'], entry['type']].freeze
          several.key?(entry['field']) || @fields.key?(entry['key']) ? @contested << triple : @fields[entry['key']] = triple
        end
        @kinds = kinds_of_keys
      end

      # Read a record; a value that does not fit its field stays a label.
      def read(record, component, levels)
        consumed = {}
        fields = {}
        there = unique_fields(record, fields, consumed)
        contested_fields(record, fields, consumed) if there.anybits?(CONTESTED)
        consumed[COMPONENT] = true if record.key?(COMPONENT) && record[COMPONENT] == component
        message = first(record, 'message', consumed) if there.anybits?(MESSAGE)
        JsonEvent.new(fields, there.anybits?(LEVEL) ? level(record, levels, consumed) : nil,
                      message.nil? ? nil : Text.as_text(message), there.anybits?(STACK) ? stack(record, consumed) : nil,
                      there.anybits?(TIME_NS) ? first(record, 'time_ns', consumed) : nil,
                      there.anybits?(TIME_LOCAL) ? first(record, 'time_local', consumed) : nil,
                      there.anybits?(TIME) ? first(record, 'time', consumed) : nil, consumed)
      end

      private

      # Say of each key what it may hold, so that only what is there is looked for.
      def kinds_of_keys
        kinds = Hash.new(0)
        @contested.each { |key, _field, _kind| kinds[key] |= CONTESTED }
        { 'message' => MESSAGE, 'level' => LEVEL, 'stack_trace' => STACK, 'time_ns' => TIME_NS, 'time_local' => TIME_LOCAL,
          'time' => TIME }.each { |name, bit| @table[name].each { |key| kinds[key] |= bit } }
        kinds
      end

      def unique_fields(record, fields, consumed)
        there = 0
        record.each do |key, raw|
          there |= @kinds[key]
          _key, field, kind = @fields[key]
          add(fields, field, Convert.value(raw, kind), key, consumed) if field
        end
        there
      end

      def contested_fields(record, fields, consumed)
        @contested.each do |key, field, kind|
          next if fields.key?(field) || !record.key?(key)

          add(fields, field, Convert.value(record[key], kind), key, consumed)
        end
      end

      def add(fields, field, converted, key, consumed)
        return if converted.nil?

        fields[field] = converted
        consumed[key] = true
      end

      def first(record, name, consumed)
        @table[name].each do |key|
          found = record[key]
          next if found.nil?

          consumed[key] = true
          return found
        end
        nil
      end

      def level(record, levels, consumed)
        @table['level'].each do |key|
          level = Convert.level(record[key], levels)
          next unless level

          consumed[key] = true
          return level
        end
        nil
      end

      def stack(record, consumed)
        @table['stack_trace'].each do |key|
          next unless Convert.truthy?(record[key])

          consumed[key] = true
          return Text.as_text(record[key])
        end
        nil
      end
    end
  end
end
