# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require_relative 'convert'
require_relative 'event_builder'

module RayLogs
  # Records of Ray's event files: tasks that ended, actors, nodes, jobs, deaths of workers, OOM kills. Goes in the order
  # of the file: a task's first record holds the name for the later ones.
  class RecordBuilder
    PLACE = /\{([^}]+)\}/

    attr_reader :base

    # Take what is known of the file.
    def initialize(context)
      catalogue = context.catalogue
      @context = context
      @base = context.base
      @rule = catalogue.data['records'][context.classified.kind.record]
      @folded = @rule.dig('folded', 'profiles')&.include?(context.profile)
      @levels = catalogue.levels
      @cleaner = catalogue.shared(:cleaner) { Text::Cleaner.new(catalogue) }
      @masker = catalogue.masker
      @labels = catalogue.shared(:labels) { Text::Labels.new(catalogue) }
      @fields = catalogue.shared([:record_fields, context.classified.kind.record]) do
        @rule['fields'].map { |entry| [entry['from'].split('.'), entry['field'], entry['type']] }
      end
      @labels_from = @rule['labels_from']&.split('.')
      @not_labels = not_labels
      @tasks = {}
      @undo = nil
      @previous = nil
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
      @tasks = older.tasks.dup
      @previous = older.previous
    end

    # Take what became known of the file.
    def learn(fields, _clock)
      @base.merge!(fields)
    end

    # Make the item of one frame.
    def build(frame)
      what, event =
        if @context.left_out then @context.left_out
        elsif frame.note.equal?(Framer::UNPARSED) then unparsed(frame)
        elsif frame.record then of_record(frame, frame.record)
        else Framer::BLANK
        end
      Item.new(frame.offset, frame.raw.bytesize, what, event, frame.key)
    end

    # Remember what records said that later ones depend on.
    def mark
      @undo = []
      @previous
    end

    # Forget what records said since the mark.
    def reset(mark)
      @previous = mark
      evicted = {}
      @undo.reverse_each do |key, known, gone|
        if gone then evicted[key] = known
        elsif known then @tasks[key] = known
        else @tasks.delete(key)
        end
      end
      @tasks = evicted.to_a.reverse.to_h.merge(@tasks) unless evicted.empty?
      @undo = []
    end

    protected

    attr_reader :tasks, :previous

    private

    # What became a field of its own is no label too.
    def not_labels
      of_labels = @fields.select { |path, _field, _kind| path[0..-2].join('.') == @rule['labels_from'] }
      of_labels.to_h { |path, _field, _kind| [path.last, true] }
    end

    def unparsed(frame)
      event = @base.dup
      event['tags'] = [Framer::UNPARSED]
      finish(frame, event, @cleaner.clean(frame.raw), nil)
    end

    def of_record(frame, record)
      event = @base.dup
      event['event.dataset'] = @rule['dataset']
      @fields.each do |path, field, kind|
        converted = Convert.value(Convert.at_path(record, path), kind)
        event[field] = converted unless converted.nil?
      end
      moment = @context.clock.read(number(record[@rule['time']]))
      return task(frame, event, record, moment) if @rule.key?('states')

      level = Convert.level(record[@rule.fetch('level', '')], @levels)
      event['log.level'] = level if level
      event['event.dataset'] = @rule.fetch('by_label', {}).fetch(event['ray.event.label'], event['event.dataset'])
      add_error(event, record)
      add_duration(event, record)
      add_labels(event, record)
      finish(frame, event, message(event, record), moment)
    end

    def message(event, record)
      template = @rule['message']
      unless template.include?('{')
        return @cleaner.clean_text(Text.as_text(record.fetch(template, '')).gsub('\n', "\n"))
      end

      @cleaner.clean_text(template.gsub(PLACE) { shown(event, record, Regexp.last_match(1)) })
    end

    def shown(event, record, place)
      value = event.fetch(place) { Convert.at_path(record, place.split('.')) }
      value.nil? ? '?' : Text.as_text(value)
    end

    def add_error(event, record)
      rule = @rule['error']
      cause = rule && Convert.at_path(record, rule['from'].split('.'))
      return unless cause.is_a?(Hash) && !cause.empty?

      event['error.type'] = Text.as_text(cause.fetch(rule['type']) { cause.keys.first })
      rule['message'].each do |path|
        said = Convert.at_path(cause, path.split('.'))
        next unless Convert.truthy?(said)

        event['error.message'] = @cleaner.clean_text(Text.as_text(said))
        break
      end
    end

    def add_duration(event, record)
      return unless @rule.key?('started')

      started, ended = %w[started ended].map do |name|
        @context.clock.read(number(Convert.at_path(record, @rule[name].split('.'))))
      end
      event['event.duration'] = (ended.ms - started.ms) * Moment::NS_PER_MS if started && ended && ended.ms >= started.ms
    end

    def add_labels(event, record)
      rest = Convert.at_path(record, @labels_from)
      kept = rest.is_a?(Hash) ? @labels.of(rest, @not_labels) : {}
      event['labels'] = kept unless kept.empty?
    end

    # Make the event of an attempt that ended, or of the run that its worker profiled; fold all else.
    def task(frame, event, record, moment)
      data = record['event_data']
      data = {} unless data.is_a?(Hash)
      known = know(event, data)
      states = Convert.at_path(data, %w[state_updates state_ts_ns])
      states = {} unless states.is_a?(Hash)
      number, outcome = @rule['ended'].find { |state, _outcome| states.key?(state) }
      return ended(frame, event.merge!(known), data, [number, outcome, states, moment]) if number

      run = run_of(data)
      return profiled(frame, event, known, run, moment) if run
      return @rule['folded']['id'] if @folded

      event['event.dataset'] = @rule['record_dataset']
      event.merge!(known)
      reached = states.keys.map { |state| @rule['states'].fetch(state, state) }.join(', ')
      finish(frame, event, "Task record: #{reached.empty? ? 'profile' : reached}", moment)
    end

    def profiled(frame, event, known, run, moment)
      event['event.dataset'] = @rule['profile_dataset']
      event.merge!(known)
      event['ray.task_name'] = run['event_name'].delete_prefix(@rule['profile_prefix'])
      last = Convert.whole(run['end_time'])
      duration = [last - Convert.whole(run['start_time']), 0].max
      event['event.duration'] = duration
      message = format('Task %<name>s ran %<seconds>.3f s', name: event['ray.task_name'],
                                                            seconds: duration.fdiv(Moment::NS_PER_SECOND))
      finish(frame, event, message, Moment.from_ns(last) || moment)
    end

    # Remember what only the first record of an attempt's owner says; return it for the later ones.
    def know(event, data)
      key = [event['ray.task_id'].to_s, event.fetch('ray.attempt', 0)]
      info = data['task_info']
      if info.is_a?(Hash)
        name = Convert.truthy?(info['name']) ? info['name'] : info['func_or_class_name']
        actor = Convert.hex_id(info['actor_id'])
        known = {}
        known['ray.task_name'] = Text.as_text(name) if Convert.truthy?(name)
        known['ray.actor_id'] = actor if Convert.truthy?(actor)
        remember(key, known)
      end
      @tasks.fetch(key, {})
    end

    def remember(key, known)
      @undo&.push([key, @tasks[key], false])
      @tasks[key] = known
      return if @tasks.size <= @rule['remembered_tasks']

      oldest, its = @tasks.shift
      @undo&.push([oldest, its, true])
    end

    def ended(frame, event, data, how)
      number, outcome, states, moment = how
      event['ray.task_state'] = @rule['states'][number]
      event['event.outcome'] = outcome
      name = event.fetch('ray.task_name') { event['ray.task_id'] || 'None' }
      message = "Task #{name} #{event['ray.task_state'].downcase}"
      error = Convert.at_path(data, %w[state_updates error_info])
      message += failure(event, error) if error.is_a?(Hash)
      run = run_of(data)
      if run
        event['event.duration'] = [Convert.whole(run['end_time']) - Convert.whole(run['start_time']), 0].max
      end
      finish(frame, event, message, Moment.from_ns(Convert.whole(states[number])) || moment)
    end

    def failure(event, error)
      event['log.level'] = 'ERROR'
      event['error.type'] = Text.as_text(error.fetch('error_type', 'UNKNOWN'))
      event['error.message'] = @cleaner.clean_text(Text.as_text(error.fetch('error_message', '')))
      ": #{event['error.type']}: #{event['error.message']}"
    end

    # Return the profile event of a whole run, `task::<name>`.
    def run_of(data)
      events = Convert.at_path(data, %w[profile_events events])
      return nil unless events.is_a?(Array)

      events.find { |event| event.is_a?(Hash) && event['event_name'].to_s.start_with?(@rule['profile_prefix']) }
    end

    def finish(frame, event, message, moment)
      chosen = moment || @previous || @created
      event['ray.time_source'] = moment ? 'line' : @previous ? 'previous' : 'read'
      if moment
        @previous = moment
        event['ray.lag_ms'] = @created.ms - moment.ms
        event['ray.timestamp'] = moment.nanos_text if moment.ns
      end
      event['@timestamp'] = chosen.text
      event['message'] = message
      event['log.file.fingerprint'] = frame.key unless frame.key.equal?(@piece)
      event['log.offset'] = frame.offset
      event['event.id'] = "#{frame.key}:#{frame.offset}"
      event['ray.bytes'] = frame.raw.bytesize
      event['ray.pattern'], event['ray.pattern_id'] = @masker.mask(message)
      [EVENT, event]
    end

    # Return a number that Ray writes as text as a number.
    def number(raw)
      raw.is_a?(String) && raw.match?(/\A[0-9]+\z/) ? Convert.whole(raw, -1) : raw
    end
  end
end
