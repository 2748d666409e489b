# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'fluent/plugin/in_tail'
require_relative 'raylogs/catalogue'
require_relative 'raylogs/checkpoint'
require_relative 'raylogs/journal'
require_relative 'raylogs/node'
require_relative 'raylogs/parser'
require_relative 'raylogs/scan'
require_relative 'raylogs/tracked_file'

module Fluent
  module Plugin
    # Follows the files of Ray's sessions with Fluentd's own `tail`, and makes of their lines the events of the schema.
    #
    # What tail is good at stays its own: noticing changes, reading, rotation, the position file. What is changed: which
    # files are followed, that lines become events before they are emitted, and that the stored position never passes
    # the first byte of what is not yet in the buffer, whatever fails.
    class RayTailInput < TailInput
      Fluent::Plugin.register_input('ray_tail', self)

      # What of tail is used, with the number of arguments: another tail may work otherwise.
      KNOWN_TAIL = {
        receive_lines: 2, setup_watcher: 2, detach_watcher: -3, expand_paths: 0, refresh_watchers: 0
      }.freeze
      CLASSES = %w[app system event].freeze
      # The GCS of a head starts up to half a minute before its raylet says the node's id.
      IDENTITY_WAIT_S = 120
      ACTOR_WAIT_S = 15
      REST_WAIT_S = 30
      QUIET_S = 60
      COMPLAINT_S = 10
      LONGEST_HOLDS = 5
      private_constant :KNOWN_TAIL, :CLASSES, :IDENTITY_WAIT_S, :ACTOR_WAIT_S, :REST_WAIT_S, :QUIET_S, :COMPLAINT_S, :LONGEST_HOLDS

      desc 'The catalogue of Ray log files (JSON).'
      config_param :catalogue, :string
      desc 'How much is stored: lean, standard or full.'
      config_param :profile, :enum, list: %i[lean standard full], default: :standard
      desc 'The time zone of local times: a name or an offset. Empty: as the files show, else the zone of this host.'
      config_param :zone, :string, default: ''
      desc 'Store lines that stand in two files by the design of Ray twice, marked as copies.'
      config_param :keep_copies, :bool, default: false
      desc 'Fields of the user: name (app.x), type, path in the JSON record.'
      config_param :fields_extra, :array, default: [], value_type: :hash
      desc 'The name of this host in events.'
      config_param :host_name, :string, default: nil
      desc 'The version of the collection that made this configuration.'
      config_param :collector_version, :string, default: ''
      desc 'An event waits this long for its continuation lines.'
      config_param :hold, :time, default: 1
      desc 'A file that is read to its end and did not change for so long is closed, and looked at every few seconds.'
      config_param :rest_after, :time, default: 300
      desc 'No more files than these are open at once.'
      config_param :open_limit, :integer, default: 4096
      desc 'This host ends with its collector: at a stop no line waits in its file for a fact.'
      config_param :ephemeral, :bool, default: false
      desc 'How often positions are made safe against a power cut.'
      config_param :checkpoint_interval, :time, default: 60

      desc 'A temp dir of Ray and the name of its cluster.'
      config_section :temp_dir, param_name: :temp_dirs, multi: true, required: true do
        config_argument :path, :string
        config_param :cluster, :string, default: ''
      end

      # Stands where tail expects a row of its position file. Each watcher has its own place in a file; what is stored is
      # the file's.
      class Cursor
        attr_reader :read_pos, :file

        def initialize(row, file, plugin)
          @row = row
          @file = file
          @plugin = plugin
          @read_pos = file.taken
        end

        def read_inode
          @row.read_inode
        end

        def update(ino, pos)
          @file = @plugin.begin_again(@file) if pos < @read_pos
          @row.update(ino, pos)
          @read_pos = pos
        end

        def update_pos(pos)
          @file = @plugin.begin_again(@file) if pos < @read_pos
          @read_pos = pos
          store
        end

        # A row that was given up may have moved: writing to it would damage another file's.
        def store
          safe = @file.safe
          @row.update_pos(safe) unless [safe, TailInput::PositionFile::UNWATCHED_POSITION].include?(@row.read_pos)
        rescue IOError, SystemCallError
          # The row stays behind, which is safe: tail must not hear of it, or it would offer the lines twice.
          nil
        end
      end

      def configure(conf)
        conf.add_element('parse')['@type'] = 'none' if conf.elements('parse').empty?
        conf['path'] ||= conf.elements('temp_dir').map { |section| "#{section.arg}/session_2*/logs/*" }.join(',')
        conf['follow_inodes'] ||= 'true'
        conf['read_from_head'] ||= 'true'
        super
        refuse_other_tails
        refuse_options
        @known = load_catalogue
        @host_name ||= Socket.gethostname
      end

      def multi_workers_ready?
        false
      end

      def start
        @files = {}
        @nodes = {}
        @again = {}
        @complained = {}
        @first_asked = {}
        @counts = Hash.new(0)
        @seconds = {}
        @tags = CLASSES.to_h { |name| [name, "#{@tag}.#{name}"] }
        @journal = RayLogs::Journal.new("#{@pos_file}.files")
        @checkpoint = RayLogs::Checkpoint.new("#{@pos_file}.checkpoint")
        @positions = stored_positions
        @scan = RayLogs::Scan.new(
          @temp_dirs.map(&:path), wanted: method(:wanted?), position: method(:position_of),
          rest_after: @rest_after, open_limit: @open_limit
        )
        @out = router.dup
        # Without the label @ERROR between: what fails to be buffered comes back to us, and stays in its file.
        @out.emit_error_handler = self
        super
        timer_execute(:ray_tail_sweep, 0.5) { sweep }
        timer_execute(:ray_tail_checkpoint, @checkpoint_interval) { make_checkpoint }
      end

      def close
        super
        make_checkpoint(clean: true)
        @journal.close
      end

      def handle_emits_error(_tag, _events, error)
        raise error
      end

      # --- what tail calls

      # The files to follow, in the form that tail wants.
      def expand_paths
        (@targets || @scan.look).transform_values { |found| TargetInfo.new(found.path, found.ino) }
      end

      # Tail gives up the rows of all files that are not to be followed: how far they were read is kept before.
      def refresh_watchers
        @targets = @scan.look
        @files.each_value { |file| remember(file) unless @targets.key?(file.ino) }
        super
        forget_removed
      ensure
        @targets = nil
      end

      def setup_watcher(target_info, row)
        file = @files[target_info.ino] ||= track(target_info)
        file.path = target_info.path
        watcher = super(target_info, Cursor.new(row, file, self))
        file.readers += 1
        watcher
      end

      # All that is read of a file goes through its last reader's end: what is open then is an event as it is.
      def detach_watcher(watcher, ino, close_io = true)
        file = watcher.pe.file
        read_waiting(watcher) if file.readers == 1 && (close_io || @ephemeral)
        super
        attempt(watcher) { file.release }
        watcher.pe.store
        @again.delete(watcher)
        file.readers -= 1
        return if file.readers.positive?

        file.close
        remember(file)
        @files.delete(file.ino) if @files[file.ino].equal?(file)
      end

      # true: the lines are in the buffer or wait for more of their event; tail reads on. false: tail offers them again.
      def receive_lines(lines, watcher)
        cursor = watcher.pe
        taken = attempt(watcher) { cursor.file.take(lines, cursor.read_pos, Fluent::Clock.now) }
        @again[watcher] = true unless taken
        taken
      end

      # The file was cut off and is written anew.
      def begin_again(file)
        attempt(nil) { file.release }
        @journal.begin_again(file.ino)
        @positions.delete(file.ino)
        new_file(file.ino, file.path, 0).tap { |anew| anew.readers = file.readers }
      end

      def statistics
        counted = @counts.merge('files' => @files.size, 'behind_bytes' => behind)
        super.merge('ray_tail' => counted)
      end

      private

      # --- configuration

      def refuse_other_tails
        strange = KNOWN_TAIL.reject do |name, arity|
          TailInput.method_defined?(name) && TailInput.instance_method(name).arity == arity
        end
        return if strange.empty?

        raise Fluent::ConfigError,
              "ray_tail was written for the tail of Fluentd 1.16 to 1.19; that of #{Fluent::VERSION} has another " \
              "#{strange.keys.join(', ')}. Install fluent-package 6, or a newer version of this collection."
      end

      def refuse_options
        wrong = { 'max_line_size' => @max_line_size, 'encoding' => @encoding, 'from_encoding' => @from_encoding,
                  'open_on_every_update' => @open_on_every_update, 'a multiline parser' => @multiline_mode,
                  'follow_inodes false' => !@follow_inodes, 'read_from_head false' => !@read_from_head }
        wrong = wrong.select { |_name, given| given }.keys
        return if wrong.empty?

        raise Fluent::ConfigError, "ray_tail cannot work with #{wrong.join(' and ')}: remove that from its <source>."
      end

      def load_catalogue
        RayLogs::Catalogue.load(@catalogue)
      rescue SystemCallError, JSON::ParserError, KeyError, RegexpError => e
        raise Fluent::ConfigError, "the catalogue #{@catalogue} cannot be used: #{e.message}. Run the role fluentd again."
      end

      # --- which files

      def wanted?(_logs, name)
        kind = @known.classify(name).kind
        kind.framing != 'none' && @known.stored?(kind, @profile.to_s)
      end

      def position_of(ino)
        @files[ino]&.safe || @positions[ino]
      end

      # How far each file was read, by inode: rows of the position file, and what was kept of files at rest.
      def stored_positions
        positions = @journal.inodes.to_h { |ino| [ino, @journal[ino].left] }.compact
        rows_of_position_file { |ino, position| positions[ino] = position }
        safe = @checkpoint.fall_back or return positions
        log.info 'this host was started again without an orderly end; reading on from the last checkpoint'
        positions.to_h { |ino, position| [ino, [position, safe.fetch(ino, 0)].min] }
      end

      def rows_of_position_file
        return unless File.exist?(@pos_file)

        File.foreach(@pos_file, mode: 'rb') do |line|
          match = PositionFile::POSITION_FILE_ENTRY_REGEX.match(line) or next
          position = match[2].to_i(16)
          yield match[3].to_i(16), position unless position == PositionFile::UNWATCHED_POSITION
        end
      end

      def track(target_info)
        ino = target_info.ino
        position = @positions[ino] || 0
        position = 0 if position.positive? && !same_file?(target_info, position)
        new_file(ino, target_info.path, position)
      end

      def new_file(ino, path, position)
        @files[ino] = RayLogs::TrackedFile.new(
          ino, path, position, journal: @journal, identify: method(:identify), deliver: method(:deliver)
        )
      end

      # Inodes are used again within seconds: what was read under one is another file's where birth or first line differ.
      def same_file?(target_info, position)
        File.open(target_info.path, 'rb') do |file|
          status = file.stat
          raise WatcherSetupError, "#{target_info.path} was rotated" unless status.ino == target_info.ino

          entry = @journal[target_info.ino]
          same = entry.nil? || (entry.btime == birth(file) && entry.head == digest(RayLogs::Identity.head(file, @known)))
          if same && position > status.size
            @journal.begin_again(target_info.ino)
          elsif !same
            @journal.forget(target_info.ino)
          end
          same && position <= status.size
        end
      rescue SystemCallError => e
        raise WatcherSetupError, e.message
      end

      def remember(file)
        @positions[file.ino] = file.safe
        @journal.leave(file.ino, file.safe)
      end

      def forget_removed
        @journal.inodes.each do |ino|
          next if @scan.all.key?(ino.abs) || @files.key?(ino)

          @journal.forget(ino)
          @positions.delete(ino)
        end
        @nodes.delete_if { |logs, _node| !File.directory?(logs) }
      end

      # --- which file is this

      def identify(file)
        logs, session, name = split(file.path)
        node = @nodes[logs] ||= RayLogs::Node.new(
          catalogue: @known, logs_dir: logs, session: session, settings: settings(logs)
        )
        context = file.with_handle do |io|
          head = RayLogs::Identity.head(io, @known)
          made = node.context(name, head, wait: waits_for(file))
          raise RayLogs::FactAwaited, "#{file.path}: waiting for what other files say of it" if made == :wait

          identified(file, io, head, node, made)
        end
        RayLogs::Parser.new(context)
      end

      def split(path)
        match = path.match(%r{\A(.*/(session_[^/]+)/logs)/(.+)\z}m) or raise "#{path} is no log of a session"
        match.captures
      end

      # What other files say of this one is worth some time, but no line: whose output it is, and longer, who it is.
      def waits_for(file)
        return false if file.hurried?

        now = Fluent::Clock.now
        @first_asked.delete_if { |_ino, asked| now - asked > 10 * IDENTITY_WAIT_S }
        waited = now - (@first_asked[file.ino] ||= now)
        waited < ACTOR_WAIT_S || (waited < IDENTITY_WAIT_S && :identity)
      end

      # Give the file the key that it had, or a new one that no other file has.
      def identified(file, io, head, node, context)
        entry = @journal[file.ino]
        if entry.nil?
          key = node.key(context.classified, head, ino: file.ino, members: @journal.of_base(context.key))
          @journal.add(file.ino, birth(io), digest(head), context.key, key)
          entry = @journal[file.ino]
        end
        context.key = entry.key
        file.tag = @tags.fetch(context.classified.kind.class_)
        context
      end

      def birth(io)
        RayLogs::PieceKeys.birth(RayLogs::Identity.inode_and_birth(io))
      end

      def digest(head)
        Digest::SHA256.base64digest(head)[0, 16]
      end

      def settings(logs)
        temp_dir = @temp_dirs.find { |section| logs.start_with?("#{section.path.chomp('/')}/") }
        { cluster: temp_dir&.cluster.to_s, profile: @profile.to_s, zone: @zone, host_name: @host_name,
          reader: { 'agent.type' => 'fluentd', 'agent.name' => @host_name, 'agent.version' => @collector_version },
          keep_copies: @keep_copies, extra_fields: @fields_extra, fact_wait: ACTOR_WAIT_S }
      end

      # --- to the buffer

      def deliver(file, items)
        events = Fluent::MultiEventStream.new
        items.each { |item| events.add(time_of(item.event), item.event) if item.event }
        emit(file.tag, events)
        items.each { |item| @counts[item.event ? 'events' : item.what] += 1 }
      end

      def emit(tag, events)
        @out.emit_stream(tag, events) unless events.empty?
      rescue Fluent::Plugin::Buffer::BufferChunkOverflowError
        emit_singly(tag, events)
      end

      # One of them is larger than a chunk may be: it goes where refused events go, all others to the buffer.
      def emit_singly(tag, events)
        events.each do |time, record|
          @out.emit_stream(tag, Fluent::OneEventStream.new(time, record))
        rescue Fluent::Plugin::Buffer::BufferChunkOverflowError => e
          router.emit_error_event(tag, time, record, e)
        end
      end

      # The event's own time, for indices by day.
      def time_of(event)
        text = event['@timestamp']
        second = text[0, 19]
        @seconds.clear if @seconds.size > 1000
        epoch = @seconds[second] ||= Time.utc(*second.split(/[-T:]/).map(&:to_i)).to_i
        Fluent::EventTime.new(epoch, text[20, 3].to_i * 1_000_000)
      end

      # --- what cannot wait for the next change of a file

      def sweep
        now = Fluent::Clock.now
        @files.each_value do |file|
          attempt(nil) { file.release && store(file) } if file.waited?(now, @hold, LONGEST_HOLDS * @hold)
        end
        take_rests(now)
        # The first call offers the lines again, the second reads on: the file itself may never change again.
        again, @again = @again, {}
        again.each_key { |watcher| 2.times { watcher.on_notify } }
      end

      # The last reader of a file leaves: what waited is taken without the facts, and read on after that.
      def read_waiting(watcher)
        return unless @again.delete(watcher)

        watcher.pe.file.hurry
        2.times { watcher.on_notify }
      end

      # A line that has no end for so long is not going to get one: its writer died.
      def take_rests(now)
        return if now - (@rests_taken ||= 0) < REST_WAIT_S / 5

        @rests_taken = now
        @files.each_value do |file|
          file.rest if now - file.touched > QUIET_S
          found = @scan.all[file.ino]
          next if found.nil? || file.open? || found.size <= file.taken || Time.now.to_f - found.mtime < REST_WAIT_S

          attempt(nil) { file.take_rest(now, @known.event_bytes) && store(file) }
        end
      end

      def store(file)
        [*@tails.values, *@tails_rotate_wait.keys].each do |watcher|
          watcher.pe.store if watcher.pe.file.equal?(file)
        end
      end

      # true, or false after an error, which nobody but the log hears of: tail would close the file, or drop the lines.
      def attempt(watcher)
        yield
        true
      rescue RayLogs::FactAwaited
        false
      rescue StandardError => e
        complain(e, watcher&.path)
        false
      end

      def complain(error, path)
        now = Fluent::Clock.now
        return if now - (@complained[error.class] || -COMPLAINT_S) < COMPLAINT_S

        @complained[error.class] = now
        log.error 'lines could not be taken; they stay in their file and are read again', path: path, error: error
        log.error_backtrace(error.backtrace)
      end

      def behind
        @scan.all.each_value.sum { |found| [found.size - (position_of(found.ino) || 0), 0].max }
      end

      def make_checkpoint(clean: false)
        positions = @positions.merge(@files.transform_values(&:safe))
        @checkpoint.make(positions, clean: clean) { sync_buffers }
      rescue SystemCallError => e
        complain(e, nil)
      end

      def sync_buffers
        @journal.sync
        buffers = Fluent::Engine.root_agent.outputs.filter_map { |output| output.buffer if output.respond_to?(:buffer) }
        folders = buffers.filter_map { |buffer| File.dirname(buffer.path) if buffer.respond_to?(:path) && buffer.path }
        folders.uniq.each do |folder|
          Dir.glob(File.join(folder, '*')).each { |path| File.open(path, &:fsync) if File.file?(path) }
        rescue Errno::ENOENT
          # A chunk that was delivered meanwhile.
          retry
        end
      end
    end
  end
end
