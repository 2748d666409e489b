# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require_relative 'convert'
require_relative 'framer'

module RayLogs
  # What became of the bytes of a frame: an event, or the name of why there is none. key: of the piece where it begins.
  Item = Struct.new(:offset, :size, :what, :event, :key)

  EVENT = 'event'

  # A fact that decides on an event is not known yet: its lines are to be fed again, later.
  class FactAwaited < StandardError; end

  # Frames to events: the fields of the schema from the lines of one file and from what is known of the file. Earlier
  # lines give later ones their time and their context.
  class EventBuilder
    ZONE_ASSUMED = 'zone_assumed'
    COPY = 'copy'
    TRACEBACK = 'Traceback (most recent call last):'
    GROUP = '+ Exception Group'
    GROUP_PREFIX = '  | '
    LONG_DIGITS = 18
    GROUP_FIELDS = {
      'pid' => ['process.pid', true],
      'thread_id' => ['process.thread.id', true],
      'line' => ['log.origin.file.line', true],
      'file' => ['log.origin.file.name', false],
      'component' => ['ray.component', false],
      'logger' => ['log.logger', false],
      'request_id' => ['ray.serve.request_id', false]
    }.freeze
    SUBJECTS = %w[ray.actor_id ray.task_id ray.job_id].freeze
    REPR = /\A([\p{L}\p{N}_.:<>-]+)\(/
    ID_PAIR = '_id='
    # What magic lines say.
    SPOKEN = %w[ray.job_id ray.task_name ray.actor_class].freeze

    # What is compiled of a format: where the parts of a line stand among the groups of its match.
    Plan = Struct.new(:name, :time, :zone, :level, :fields, :serve, :python, :groups, :copies)
    # A pair of a text line: where it begins, where its key does, where it ends.
    Pair = Struct.new(:start, :key_start, :stop, :key, :value)

    attr_reader :base

    # Take what is known of the file.
    def initialize(context)
      catalogue = context.catalogue
      data = catalogue.data
      @context = context
      @kind = context.classified.kind
      @output = @kind.framing == 'output'
      @header = @kind.framing == 'header'
      @app = @kind.class_ == 'app'
      @base = context.base
      @clock = context.clock
      @omissions = context.omissions
      @left_out = context.left_out
      @cleaner = catalogue.shared(:cleaner) { Text::Cleaner.new(catalogue) }
      @masker = catalogue.masker
      @labels = catalogue.shared(:labels) { Text::Labels.new(catalogue) }
      @levels = catalogue.levels
      plans = catalogue.shared(:plans) { catalogue.formats.transform_values { |form| plan(form) } }
      @plans = with_copies(plans)
      @details = catalogue.shared(:details) { Hash.new { |known, dataset| known[dataset] = catalogue.details(dataset) } }
      @datasets = catalogue.shared([:datasets, @kind.id]) { dataset_rules(catalogue) }
      @pairs = Patterns.on_text(data['pairs']['pattern'])
      @pair_fields = data['pairs']['fields']
      @last_line = Patterns.on_text(data['traceback']['last_line'])
      @crash = Patterns.on_text(data['blocks']['crash']['begin'])
      @begins_traceback = Patterns.on_text(data['traceback']['begin'])
      @json = catalogue.shared(:json_keys) { Convert::JsonKeys.new(data['json']) }
      @previous = nil
      @previous_is_local = false
    end

    # Say when the bytes were read.
    def created=(moment)
      @created = moment
      @base['event.created'] = moment.text
    end

    # Name the piece that is read; an event that began in the one before keeps that one's name.
    def piece=(key)
      @piece = key
      @base['log.file.fingerprint'] = key
    end

    # Go on where the piece before ended.
    def inherit(older)
      spoken, @previous, @previous_is_local = older.mark
      SPOKEN.zip(spoken) { |field, value| @base[field] ||= value if value }
    end

    # Take what became known of the file.
    def learn(fields, clock)
      @clock = clock
      fields.each { |field, value| @base[field] = value unless SPOKEN.include?(field) && @base.key?(field) }
    end

    # Make the item of one frame.
    def build(frame)
      what, event =
        if frame.note.equal?(Framer::MAGIC)
          remember(frame.match)
          Framer::MAGIC
        elsif frame.note.equal?(Framer::BLANK) then Framer::BLANK
        elsif @left_out then @left_out
        elsif frame.record then from_json(frame)
        elsif frame.format then from_text(frame)
        else plain(frame)
        end
      Item.new(frame.offset, frame.raw.bytesize, what, event, frame.key)
    end

    # Remember what lines said that later ones depend on.
    def mark
      [SPOKEN.map { |field| @base[field] }, @previous, @previous_is_local]
    end

    # Forget what lines said since the mark; facts that were learnt meanwhile stay.
    def reset(mark)
      spoken, @previous, @previous_is_local = mark
      SPOKEN.zip(spoken) { |field, value| value.nil? ? @base.delete(field) : @base[field] = value }
    end

    private

    def plan(form)
      groups = form.groups
      fields = groups.filter_map { |name, number| GROUP_FIELDS[name] && [number, *GROUP_FIELDS[name]] }
      Plan.new(form.name, groups['time'], groups['zone'], groups['level'], fields, form.name == 'serve',
               form.name == 'python', groups)
    end

    # Return the plans with the rules for copies that hold for this file.
    def with_copies(plans)
      by_format = @context.copies.group_by { |rule, _test| rule.format }
      named = by_format.slice(*plans.keys)
      return plans if named.empty?

      plans.merge(named.to_h { |name, copies| [name, plans[name].dup.tap { |plan| plan.copies = copies }] })
    end

    def dataset_rules(catalogue)
      rules = catalogue.data.fetch('datasets', []).select { |rule| rule['kinds'].include?(@kind.id) }
      rules.map { |rule| [rule['dataset'], Patterns.on_text(rule['message'])] }
    end

    def remember(match)
      value = @cleaner.clean(match[2])
      case match[1]
      when 'job_id' then @base['ray.job_id'] = value
      when 'task_name' then @base['ray.task_name'] = value
      else
        @base['ray.actor_class'] = value[REPR, 1] || value
        find_actor
      end
    end

    # A worker that says that it is an actor's has an id, which its own lines do not tell.
    def find_actor
      facts = @context.facts or return
      facts.actor
      learn(facts.fields, facts.clock)
    end

    def plain(frame)
      message = @cleaner.clean(frame.raw)
      event = @base.dup
      event['tags'] = [frame.note] if frame.note
      crash = message.start_with?('***', 'Fatal') ? @crash.match(message) : nil
      if crash
        event['log.level'] = 'CRITICAL'
        event['error.type'] = crash[1] || crash[3]
        moment = crash[2] && Moment.from_ns(crash[2].to_i * Moment::NS_PER_SECOND)
        return finish(frame, event, message, moment && Moment.new(moment.text, moment.ms), false)
      end
      event['log.level'] = 'ERROR' if message.match?(@begins_traceback)
      finish(frame, event, message, nil, false)
    end

    def from_text(frame)
      match = frame.match
      plan = @plans[frame.format.name]
      level = plan.level && @levels[match[plan.level]]
      message = @cleaner.clean(frame.raw, match.end(0))
      moment = time(match, plan)
      omitted = omitted(level, message) unless @omissions.empty?
      if omitted
        pass(moment, true)
        return omitted
      end
      event = @base.dup
      event['log.level'] = level if level
      add_groups(event, match, plan.fields)
      add_serve(event, match, plan.groups) if plan.serve
      event['event.dataset'] = 'ray.log' if @output
      if (!@app || plan.python) && message.include?(ID_PAIR)
        exact, message = add_pairs(event, message, plan.python)
        moment = exact || moment
      end
      copied = plan.copies && copied(plan, match, event)
      if copied
        pass(moment, true)
        return copied
      end
      finish(frame, event, message, moment, plan.zone.nil? || match[plan.zone].nil?)
    end

    def add_groups(event, match, fields)
      fields.each do |number, field, whole|
        value = match[number]
        next if value.nil? || value.empty?

        if whole
          event[field] = value.to_i if value.bytesize <= LONG_DIGITS
        else
          value.force_encoding(Encoding::UTF_8)
          event[field] = value.valid_encoding? ? value : value.scrub(Text::REPLACEMENT)
        end
      end
    end

    def from_json(frame)
      record = frame.record
      read = @json.read(record, @base['ray.component'], @levels)
      moment, local = json_time(read)
      message = json_message(read.message, frame.raw)
      omitted = omitted(read.level, message) unless @omissions.empty?
      if omitted
        pass(moment, local)
        return omitted
      end
      event = @base.merge(read.fields)
      event['event.dataset'] = 'ray.log' if @output
      event['log.level'] = read.level if read.level
      message = add_stack(event, message, @cleaner.clean_text(read.stack_trace)) if read.stack_trace
      promote(event, record) unless @context.extra_fields.empty?
      rest = @labels.of(record, read.consumed)
      event['labels'] = rest unless rest.empty?
      copied = copied_record(record, event) unless @context.copies.empty?
      if copied
        pass(moment, local)
        return copied
      end
      finish(frame, event, message, moment, local)
    end

    def json_message(message, raw)
      return @cleaner.clean(raw) if message.nil?
      return @cleaner.clean_text(message) if message.include?("\e") || message.include?("\r")

      message.start_with?("\n") || message.end_with?("\n") ? message.gsub(/\A\n+|\n+\z/, '') : message
    end

    def json_time(read)
      exact = read.time_ns.nil? ? nil : Moment.from_ns(Convert.whole(read.time_ns))
      return [exact, false] if exact
      return [@clock.local(read.time_local), true] if read.time_local.is_a?(String)

      [@clock.read(read.time), read.time.is_a?(String) && !Convert.states_zone?(read.time)]
    end

    def time(match, plan)
      return nil unless plan.time

      text = match[plan.time]
      zone = plan.zone && match[plan.zone]
      zone.nil? || zone.empty? ? @clock.local(text) : @clock.read(text + zone)
    end

    def omitted(level, message)
      @omissions.each { |omission| return omission.id if omission.covers?(level, message) }
      nil
    end

    # Name the Serve component: `controller 2830`, `proxy 127.0.0.1` or `<app>_<Deployment> <replica>`.
    def add_serve(event, match, groups)
      component = Text.utf8(match[groups['serve_component']])
      identity = Text.utf8(match[groups['serve_id']])
      if %w[controller proxy].include?(component)
        event['ray.serve.component'] = component
        event['ray.serve.id'] = identity
      else
        application = component.rpartition('_')[0]
        event['ray.serve.component'] = 'replica'
        event['ray.serve.deployment'] = component
        event['ray.serve.replica'] = identity
        event['ray.serve.application'] = application.empty? ? component : application
      end
    end

    # Take the key=value pairs that Ray appends; return the exact time among them and the message without them.
    #
    # Ray's Python formatter appends those of the writer to the last line, and they are no part of the message. C++
    # appends those of the line's subject to the first line, as part of the sentence.
    def add_pairs(event, message, own)
      before, newline, line = own ? message.rpartition("\n") : ['', '', message.partition("\n")[0]]
      pairs = pairs_of(line)
      cut = own ? own_pairs(pairs, line) : 0
      exact = nil
      pairs.each do |pair|
        next if pair.start < cut

        field = @pair_fields[pair.key]
        if pair.key == 'timestamp_ns' then exact = Moment.from_ns(Convert.whole(pair.value))
        elsif field && (own || !event.key?(field) || SUBJECTS.include?(field)) then event[field] = pair.value
        elsif own then event['labels'] = { **event.fetch('labels', {}), pair.key => pair.value }
        end
      end
      [exact, own ? "#{before}#{newline}#{line[0, cut]}" : message]
    end

    def pairs_of(line)
      found = []
      place = 0
      while (match = @pairs.match(line, place))
        place = match.end(0)
        found << Pair.new(match.begin(0), match.begin(1), place, match[1], match[2])
      end
      found
    end

    # Return where the pairs begin that Ray's Python formatter appended; the line's end when it did not.
    def own_pairs(pairs, line)
      start = line.size
      pairs.reverse_each do |pair|
        break if pair.stop != start || !['', ' '].include?(line[pair.start...pair.key_start])

        start = pair.start
      end
      line[start..].include?(ID_PAIR) ? start : line.size
    end

    # Return the rule by which the line is a copy that is left out; mark a copy that is kept.
    def copied(plan, match, event)
      words = plan.groups.transform_values { |number| Text.utf8(match[number] || '') }
      words['worker_id'] = event['ray.worker_id'] if !words.key?('worker_id') && event.key?('ray.worker_id')
      rule, = plan.copies.find { |_rule, there| there.call(words) }
      return rule.id if rule && !@context.keep_copies

      rule ||= plan.copies[0][0] if plan.copies[0][0].marked
      mark_copy(event, rule.id) if rule
      nil
    end

    # Return the rule by which a JSON line is a copy that is left out; mark a copy that is kept.
    def copied_record(record, event)
      @context.copies.each do |rule, there|
        next unless rule.format == Format::JSON || !rule.same_line.empty?

        names = rule.same_line.empty? ? ['worker_id'] : rule.same_line
        next unless there.call(names.to_h { |name| [name, Text.as_text(record[name])] })
        return rule.id unless @context.keep_copies

        mark_copy(event, rule.id)
      end
      nil
    end

    def mark_copy(event, rule)
      event['ray.copy_of'] = rule
      add_tag(event, COPY)
    end

    def add_tag(event, tag)
      event['tags'] = [*event['tags'], tag]
    end

    def promote(event, record)
      @context.extra_fields.each do |field, kind, path|
        value = Convert.at_path(record, path)
        converted = value.nil? ? nil : Convert.value(value, kind)
        event[field] = converted unless converted.nil?
      end
    end

    # Set the error.* fields from a traceback; return the message with the exception's own line.
    def add_stack(event, message, stack)
      group = message.end_with?(GROUP)
      lines = stack.split("\n", -1).reject { |line| Text.strip(line).empty? }
      (group ? lines.drop(1) : lines.reverse).each do |line|
        last = @last_line.match(line)
        next unless last && line.start_with?(GROUP_PREFIX) == group && (group || !line.start_with?(' ', "\t"))

        event['error.type'] = last[1]
        text = Text.strip(line[last.end(0)..])
        event['error.message'] = text unless text.empty?
        message = Text.rstrip(message.delete_suffix(GROUP)) if group
        message = with_last_line(message, Text.strip(line.sub(/\A[ |]+/, '')))
        break
      end
      event['error.stack_trace'] = stack
      # A traceback whose last line is not there yet says at least where it was.
      message.empty? && !lines.empty? ? Text.strip(lines.last) : message
    end

    def with_last_line(message, shown)
      return shown if message.empty?

      message.include?(shown) ? message : "#{message}\n#{shown}"
    end

    def pass(moment, local)
      return unless moment

      @previous = moment
      @previous_is_local = local
    end

    # Add what every event has: time, identity, message, pattern, details.
    def finish(frame, event, message, moment, local)
      if moment.nil? && @header && frame.format.nil? && frame.record.nil?
        omitted = omitted(event['log.level'], message)
        return omitted if omitted
      end
      begin_ = message.index(TRACEBACK)
      if begin_ && !event.key?('error.stack_trace')
        message = add_stack(event, Text.rstrip(message[0, begin_]), message[begin_..])
      end
      pass(moment, local)
      add_time(event, moment)
      dataset = dataset(event, message)
      event['message'] = message
      event['log.file.fingerprint'] = frame.key unless frame.key.equal?(@piece)
      event['log.offset'] = frame.offset
      event['event.id'] = "#{frame.key}:#{frame.offset}"
      event['ray.bytes'] = frame.raw.bytesize
      event['ray.pattern'], event['ray.pattern_id'] = @masker.mask(message) unless message.empty?
      add_tag(event, Text::INVALID_UTF8) if message.include?(Text::REPLACEMENT)
      details = @details[dataset]
      add_details(event, message, details) unless details.empty?
      [EVENT, event]
    end

    def add_details(event, message, details)
      details.each do |detail|
        found = detail.regexp.match(message)
        next unless found

        detail.groups.each_with_index do |(field, kind), number|
          converted = Convert.value(found[number + 1], kind)
          event[field] = converted unless converted.nil?
        end
      end
    end

    def add_time(event, moment)
      if moment
        source = 'line'
        chosen = moment
        event['ray.lag_ms'] = @created.ms - moment.ms
        event['ray.timestamp'] = moment.nanos_text if moment.ns
      elsif @previous
        source = 'previous'
        chosen = @previous
      else
        source = 'read'
        chosen = @created
      end
      event['@timestamp'] = chosen.text
      event['ray.time_source'] = source
      add_tag(event, ZONE_ASSUMED) if @context.zone_assumed && @previous_is_local && source != 'read'
    end

    def dataset(event, message)
      @datasets.each { |dataset, regexp| event['event.dataset'] = dataset if message.match?(regexp) }
      event['event.dataset']
    end
  end
end
