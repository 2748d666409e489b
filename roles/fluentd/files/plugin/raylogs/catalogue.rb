# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'json'

module RayLogs
  # Compiles the catalogue's regular expressions, which are Python's, so that Ruby reads them alike.
  module Patterns
    # What a pattern consists of: an escaped character, a character class, or any other character.
    TOKEN = /\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|./m

    @bytes = {}
    @text = {}

    # For lines as they lie on the disk.
    def self.on_bytes(pattern)
      @bytes[pattern] ||= Regexp.new(portable(pattern).b, Regexp::NOENCODING)
    end

    # For messages: \w, \d, \s and \b know ASCII alone.
    def self.on_text(pattern)
      @text[pattern] ||= Regexp.new("(?a:#{portable(pattern)})")
    end

    # For names of files, which match as a whole.
    def self.whole(pattern)
      Regexp.new("\\A(?:#{portable(pattern)})\\z".b, Regexp::NOENCODING)
    end

    # Python's $ is the end, or what a last newline follows; Ruby's is the end of every line.
    def self.portable(pattern)
      pattern.gsub(TOKEN) { |token| token == '$' ? '\Z' : token }
    end
    private_class_method :portable
  end

  # One kind of file; the fields are the catalogue's.
  Kind = Struct.new(:id, :path, :regexp, :class_, :dataset, :component, :framing, :formats, :record, :magic, :identity,
                    :rotation, :store, keyword_init: true)

  # What the name of one file says: kind, canonical name, number of the piece, and what the name carries.
  Classified = Struct.new(:kind, :name, :number, :old, :parts)

  # What a profile leaves out of one kind.
  Omission = Struct.new(:id, :levels, :message) do
    # Tell whether an event of this level and message is left out.
    def covers?(level, text)
      (levels.nil? || levels.include?(level)) && (message.nil? || message.match?(text))
    end
  end

  # Fields that the message of a dataset holds.
  Detail = Struct.new(:regexp, :groups)

  # A rule for lines, or whole files, that repeat another file.
  Copy = Struct.new(:id, :kinds, :format, :original, :marked, :same_line, keyword_init: true)

  # One format of a line: the expression and what its groups are.
  class Format
    JSON = 'json'

    attr_reader :name, :regexp, :groups, :first

    def initialize(name, rule)
      @name = name
      @regexp = Patterns.on_bytes(rule['pattern'])
      @groups = rule['groups'].each_with_index.to_h { |group, number| [group, number + 1] }
      @first = rule['first'].b
    end
  end

  # Everything that is known of Ray's files, compiled from the JSON that is generated from catalogue/.
  class Catalogue
    SUFFIX = /\A(.+)\.([0-9]{1,3})\z/n
    INFIX = /\A(.+)\.([0-9]{1,3})(\.[a-z]+)\z/n
    PART = /\{([a-z_]+)\}/
    OLD = 'old/'
    NEVER = 'never'
    PROFILES = %w[lean standard full].freeze

    attr_reader :data, :fields, :event_bytes, :head_bytes, :levels, :kinds, :formats, :copies, :escapes, :progress,
                :mask, :masker

    # Read the JSON file.
    def self.load(path)
      # Fluentd runs Ruby with other encodings than UTF-8.
      new(::JSON.parse(File.binread(path).force_encoding(Encoding::UTF_8)))
    end

    # Take the catalogue and the fields of the schema.
    def initialize(generated)
      @data = data = generated['catalogue']
      @fields = generated['fields']
      @event_bytes = data['limits']['event_bytes']
      @head_bytes = data['limits']['head_bytes']
      @levels = data['levels']
      @kinds = data['kinds'].map { |kind| compile_kind(kind) }
      @formats = data['formats'].to_h { |name, rule| [name, Format.new(name, rule)] }
      @copies = data['copies'].map { |rule| compile_copy(rule) }
      @escapes = Patterns.on_bytes(data['escapes'])
      @progress = Patterns.on_bytes(data['progress'])
      @mask = Patterns.on_text(data['pattern']['mask'])
      @masker = Text::Masker.new(self)
      @shared = {}
    end

    # Return what all files share of a name, made once.
    def shared(name)
      @shared.fetch(name) { @shared[name] = yield }
    end

    # Tell what the file `name`, relative to `logs/`, is; what no other kind knows is of the last one.
    def classify(name)
      name = name.b
      old = name.start_with?(OLD)
      readings = readings(old ? name.delete_prefix(OLD) : name)
      readings.each do |reading, number, rotation|
        @kinds[0..-2].each do |kind|
          next unless rotation.nil? || kind.rotation.include?(rotation)

          match = kind.regexp.match(reading)
          return classified(kind, reading, number, old, match.named_captures) if match
        end
      end
      rest = @kinds.last
      reading, number, = readings.reverse.find { |_name, _number, rotation| rotation.nil? || rest.rotation.include?(rotation) }
      classified(rest, reading, number, old, { 'rest' => reading })
    end

    # Return what the profile leaves out of a kind.
    def omissions(kind, profile)
      shared([:omissions, kind.id, profile]) { compile_omissions(kind, profile) }
    end

    # Tell whether the profile stores a kind of file at all.
    def stored?(kind, profile)
      kind.store != NEVER && PROFILES.index(profile) >= PROFILES.index(kind.store)
    end

    # Return the patterns that find more fields in the messages of a dataset.
    def details(dataset)
      shared([:details, dataset]) { compile_details(dataset) }
    end

    # Write the name of a file as text; a byte that is no UTF-8 is a question mark.
    def self.shown(name)
      name.dup.force_encoding(Encoding::UTF_8).scrub { |bytes| '?' * bytes.bytesize }
    end

    private

    def compile_omissions(kind, profile)
      rules = @data['omissions'].select do |rule|
        rule['profiles'].include?(profile) && (rule['classes'].nil? || rule['classes'].include?(kind.class_)) &&
          (rule['kinds'].nil? || rule['kinds'].include?(kind.id))
      end
      rules.map { |rule| Omission.new(rule['id'], rule['levels'], rule['message'] && Patterns.on_text(rule['message'])) }
    end

    def compile_details(dataset)
      rules = @data.fetch('details', []).select { |rule| rule['datasets'].include?(dataset) }
      rules.map do |rule|
        Detail.new(Patterns.on_text(rule['pattern']), rule['groups'].map { |group| [group['field'], group['type']] })
      end
    end

    def classified(kind, name, number, old, parts)
      Classified.new(kind, name, number, old, parts.transform_values { |part| part && self.class.shown(part) })
    end

    # Return the ways to read a name: as it stands, as X.out.1, as X.1.log.
    def readings(name)
      suffix = SUFFIX.match(name)
      infix = INFIX.match(name)
      [[name, 0, nil], suffix && [suffix[1], suffix[2].to_i, 'suffix'],
       infix && [infix[1] + infix[3], infix[2].to_i, 'infix']].compact
    end

    def compile_kind(kind)
      Kind.new(id: kind['id'], path: kind['path'], regexp: path_regexp(kind['path']), class_: kind['class'],
               dataset: kind.fetch('dataset', ''), component: kind.fetch('component', ''), framing: kind['framing'],
               formats: kind.fetch('formats', []), record: kind.fetch('record', ''), magic: kind.fetch('magic', false),
               identity: kind.fetch('identity', 'node'), rotation: kind.fetch('rotation', []),
               store: kind.fetch('store', PROFILES.first))
    end

    def path_regexp(path)
      Patterns.whole(path.split(PART, -1).each_with_index.map do |text, number|
        number.odd? ? "(?<#{text}>#{@data['name_parts'][text]})" : Regexp.escape(text)
      end.join)
    end

    def compile_copy(rule)
      Copy.new(id: rule['id'], kinds: rule.fetch('kinds', []), format: rule.fetch('format', ''),
               original: rule['original'], marked: rule.fetch('marked', false), same_line: rule.fetch('same_line', []))
    end
  end
end
