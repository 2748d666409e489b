# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'weakref'
require_relative 'catalogue'
require_relative 'clock'
require_relative 'growing_search'
require_relative 'identity'
require_relative 'originals'
require_relative 'parser'
require_relative 'piece_keys'

module RayLogs
  # What one node's logs folder says of its files, as far as it is written: the node's id, the version of Ray, the actor
  # and the job of each worker, originals of copied lines. Facts that come later reach the parsers that are there.
  class Node
    WORKER_PARTS = { 'worker_id' => 'ray.worker_id', 'submission_id' => 'ray.submission_id' }.freeze
    NO_JOB = 'ffffffff'
    DRIVER = NO_JOB * 6
    JOB = /(?:\A|\n):job_id:([0-9a-f]{8})\r?\n/n
    JOB_HEAD = 1 << 16
    ACTOR_MAGIC = /^:actor_name:/n
    ZONE_HEAD = 1 << 20
    FIXED_FACTS = %w[node_id ray_version host_name].freeze
    # Pieces of a rotated file follow each other; as many numbers may be missing.
    MISSING_PIECES = 3
    REFRESH_S = 0.5
    LAST_PIECE = 999

    Piece = Struct.new(:path, :number, :old)

    attr_reader :catalogue, :logs_dir, :session

    # settings: cluster, profile, zone (empty: as the files show, else this host's), host_name, reader (fields of the
    # reader), keep_copies, extra_fields (name, type, path), local_zone (this host's), fact_wait (seconds that the lines
    # of an actor wait for its id). now: tells the seconds by a clock that is never set.
    def initialize(catalogue:, logs_dir:, session:, settings:, now: -> { Process.clock_gettime(Process::CLOCK_MONOTONIC) })
      @catalogue = catalogue
      @logs_dir = logs_dir
      @session = session
      @settings = settings
      @now = now
      @facts = {}
      @searches = Hash.new { |known, name| known[name] = search_of(name) }
      @actors = {}
      @jobs = {}
      @offsets = {}
      @clocks = {}
      @builders = {}
      @news = 0
      @originals = Originals.new(catalogue, logs_dir, now)
      @extra_fields = settings.fetch(:extra_fields, []).map { |field| extra_field(field) }
    end

    # Read what grew of the files that say something of the whole node; at most twice a second.
    def refresh
      return if node_known? || (@refreshed && now - @refreshed < REFRESH_S)

      @refreshed = now
      FIXED_FACTS.each do |name|
        next if @facts[name] || (@facts[name] = find_fixed(name)).nil?

        @news += 1
      end
    end

    # Counts the facts of the whole node that became known.
    attr_reader :news

    # The id that Ray gave the node; nil until its raylet has said it.
    def node_id
      @facts['node_id']
    end

    def host_name
      @facts['host_name'] || @settings[:host_name]
    end

    # Return what is known of the file `name`, relative to the logs folder, whose first line is `head`; :wait while a
    # fact is awaited that decides on identity, or on whose output it is. wait: true for both, :identity, or false.
    def context(name, head, wait: false)
      classified = @catalogue.classify(name)
      facts = FileFacts.new(self, classified, File.join(@logs_dir, name), wait_for_actor: wait == true)
      return :wait if (wait && awaits_identity?(classified)) || (wait == true && facts.awaits_actor?)

      kind = classified.kind
      FileContext.new(
        catalogue: @catalogue, classified: classified, clock: facts.clock, base: base(classified, name, head, facts),
        key: base_key(classified, head), omissions: @catalogue.omissions(kind, profile), copies: copies(classified),
        extra_fields: @extra_fields, keep_copies: keep_copies?, profile: profile, left_out: left_out(name), facts: facts
      )
    end

    # Return the rule by which a whole file is left out because its original is there; nil when it is not.
    def left_out(name)
      classified = @catalogue.classify(name)
      rule = whole_copy(classified.kind)
      rule.id if rule && !keep_copies? && @originals.there?(rule, classified.parts)
    end

    # Return the key of a piece among all pieces of its file. members: what was given before to pieces with the same
    # beginning, each with key, ino and btime.
    def key(classified, head, ino:, members: [], path: nil)
      base = base_key(classified, head)
      chain = pieces(classified).filter_map { |piece| identified(piece, classified) }
      place = chain.index { |identity, its_ino| its_ino == ino && identity.base == base }
      return base unless place

      given = members.map { |member| PieceKeys::Member.new(member.key, "#{member.ino}.#{member.btime}") }
      PieceKeys.resolve(chain.map(&:first), { base => given })[place]
    end

    # Return the fields of a worker's file, of a driver's or of a submitted job's: what is known of job and actor.
    def worker_fields(parts)
      worker = parts.fetch('worker_id', '')
      job = job_of(parts) || parts.fetch('job_id', '')
      job = worker[0, NO_JOB.size] if worker.end_with?(DRIVER)
      actor = actor_of(parts)
      fields = {}
      fields['ray.job_id'] = job unless job.empty? || job == NO_JOB || parts.key?('submission_id')
      fields['ray.actor_id'] = actor if actor
      fields
    end

    # Return the fields of the node that may be learnt late.
    def node_fields
      { 'ray.version' => @facts['ray_version'], 'ray.node_id' => node_id, 'host.name' => host_name }.compact
    end

    def node_known?
      FIXED_FACTS.all? { |name| @facts[name] }
    end

    # Return the actor whose worker this is, as its core worker logged it.
    def actor_of(parts)
      worker = parts['worker_id'] or return nil
      @actors[worker] ||= @searches[['actor_of_worker', worker]].find(files_of('core_worker', parts))&.[](1)&.then { |id| text(id) }
    end

    # Return the job that an idle worker was given: its first magic line says it.
    def job_of(parts)
      worker = parts['worker_id'] or return nil
      return nil unless parts.fetch('job_id', NO_JOB) == NO_JOB

      @jobs[worker] ||= @searches[['job', worker]].find(files_of('worker', { **parts, 'job_id' => NO_JOB }))&.[](1)&.then { |id| text(id) }
    end

    # Forget the searches for what is found.
    def found(parts)
      worker = parts['worker_id'] or return
      @searches.delete(['actor_of_worker', worker]) if @actors[worker]
      @searches.delete(['job', worker]) if @jobs[worker]
    end

    # Return the clock of a file: of the zone that is stated, else that its own lines show, else that most files of the
    # node show, else of this host. An offset that this host's zone had at that time is that zone.
    def clock(offset)
      return clock_of(@settings[:zone]) unless @settings[:zone].to_s.empty?

      minutes, agrees = offset || @offsets.values.tally.max_by { |_offset, count| count }&.first
      minutes.nil? || agrees ? local_clock : clock_of(Clock.offset_name(minutes))
    end

    # Remember the minutes east of UTC that a file shows, and whether they are this host's.
    def note_offset(path, minutes, seconds)
      @offsets[path] = [minutes, local_clock.offset_at(seconds) == minutes * 60].freeze
    end

    def zone_rules(kind)
      @catalogue.shared([:zone_rules, kind.id]) do
        rules = @catalogue.data['facts'].select { |rule| rule['scope'] == 'file' && rule['kinds'].include?(kind.id) }
        rules.map { |rule| [Patterns.on_bytes(rule['pattern']), rule['groups']] }
      end
    end

    # What earlier lines said goes on in the next piece of a rotated file. Return what made the events of the one before.
    def succeed(classified, builder)
      older, number = @builders[classified.name]
      @builders[classified.name] = [WeakRef.new(builder), classified.number].freeze
      older.__getobj__ if older && number >= classified.number
    rescue WeakRef::RefError
      nil
    end

    def zone_stated?
      !@settings[:zone].to_s.empty?
    end

    # Seconds by a clock that is never set.
    def now
      @now.call
    end

    def fact_wait
      @settings.fetch(:fact_wait, 15)
    end

    private

    def profile
      @settings.fetch(:profile, 'standard')
    end

    def keep_copies?
      @settings[:keep_copies] || false
    end

    def text(bytes)
      bytes.dup.force_encoding(Encoding::UTF_8).freeze
    end

    def extra_field(field)
      name, type, path = %w[name type path].map { |key| field[key] || field[key.to_sym] }
      [name, type, path.split('.')].freeze
    end

    def local_clock
      clock_of(@settings[:local_zone] ||= Zone.of_system)
    end

    def clock_of(zone)
      @clocks[zone] ||= Clock.new(zone)
    end

    def awaits_identity?(classified)
      classified.kind.identity == 'node' && node_id.nil?
    end

    def base_key(classified, head)
      Identity.base_key(@session, classified.kind.identity == 'node' ? node_id : '', classified.name, head)
    end

    def base(classified, name, head, facts)
      kind = classified.kind
      parts = classified.parts
      base = constant(classified)
      inode = inode(name) if Identity.repeatable?(head, kind, @catalogue)
      base['log.file.inode'] = inode if inode
      WORKER_PARTS.each { |part, field| base[field] = parts[part] if parts[part] }
      base.merge!(facts.fields)
      base['process.pid'] = Convert.whole(parts['pid']) if parts['pid']
      base.merge!(replica(parts)) if kind.id == 'serve_replica'
      rule = whole_copy(kind)
      base.merge!('ray.copy_of' => rule.id, 'tags' => [EventBuilder::COPY]) if rule
      base
    end

    # Return the fields that are the same for all events of a file and that no line overrides.
    def constant(classified)
      kind = classified.kind
      fields = {
        'ecs.version' => @catalogue.fields['ecs_version'], 'ray.schema_version' => @catalogue.fields['version'],
        'event.kind' => 'event', 'ray.cluster' => @settings[:cluster], 'ray.session' => @session,
        'ray.class' => kind.class_, 'log.file.path' => "#{@session}/logs/#{Catalogue.shown(classified.name)}",
        'event.dataset' => kind.dataset, 'ray.component' => kind.component, **@settings.fetch(:reader, {})
      }
      stream = classified.parts['stream']
      fields['ray.stream'] = stream if stream
      fields
    end

    def replica(parts)
      name = parts['serve_name']
      application = name.rpartition('_')[0]
      { 'ray.serve.deployment' => name, 'ray.serve.replica' => parts['serve_replica'],
        'ray.serve.application' => application.empty? ? name : application }
    end

    def inode(name)
      File.open(File.join(@logs_dir, name), 'rb') { |io| Identity.inode_and_birth(io) }
    rescue SystemCallError
      nil
    end

    def whole_copy(kind)
      @catalogue.copies.find { |rule| rule.kinds.include?(kind.id) && rule.format.empty? && rule.same_line.empty? }
    end

    def copies(classified)
      @catalogue.copies.filter_map do |rule|
        next unless rule.kinds.empty? || rule.kinds.include?(classified.kind.id)

        if !rule.same_line.empty? then [rule, @originals.line_test(rule, classified.parts)]
        elsif !rule.format.empty? then [rule, @originals.file_test(rule)]
        end
      end
    end

    # --- facts of the whole node, which files of fixed names hold

    def find_fixed(name)
      match = @searches[name].find(fixed_files(name))
      match && text(match[1])
    end

    def search_of(name)
      name = name[0] if name.is_a?(Array)
      return GrowingSearch.new(JOB, limit: JOB_HEAD) if name == 'job'

      rule = @catalogue.data['facts'].find { |fact| fact['id'] == name }
      GrowingSearch.new(Patterns.on_bytes(rule['pattern']))
    end

    def fixed_files(name)
      kinds = @catalogue.data['facts'].find { |fact| fact['id'] == name }['kinds']
      fixed = @catalogue.kinds.select { |kind| kinds.include?(kind.id) && !kind.path.include?('{') }
      fixed.flat_map { |kind| numbered(kind, kind.path).map(&:path) }
    end

    # --- files of a worker

    # Return the files of a kind that belong to the worker of another file.
    def files_of(kind_id, parts)
      kind = @catalogue.kinds.find { |other| other.id == kind_id }
      paths = kind.path.include?('{stream}') ? %w[err out].map { |stream| kind.path.sub('{stream}', stream) } : [kind.path]
      filled = paths.map { |path| path.gsub(Catalogue::PART) { parts[Regexp.last_match(1)] || '*' } }
      filled.flat_map do |path|
        names = path.include?('*') ? Dir.glob(path, base: @logs_dir) : [path]
        names.flat_map { |name| numbered(kind, name).map(&:path) }
      end
    end

    # --- pieces of a rotated file

    # Return the pieces of a file that are there, oldest first.
    def pieces(classified)
      numbered(classified.kind, classified.name)
    end

    def numbered(kind, name)
      found = at(name, 0)
      missing = 0
      (1..LAST_PIECE).each do |number|
        break if kind.rotation.empty? || missing >= MISSING_PIECES

        there = kind.rotation.flat_map { |rotation| at(rotated(name, number, rotation), number) }
        missing = there.empty? ? missing + 1 : 0
        found += there
      end
      found.sort_by { |piece| [-piece.number, piece.old ? 0 : 1] }
    end

    def at(name, number)
      [false, true].filter_map do |old|
        path = File.join(@logs_dir, old ? "#{Catalogue::OLD}#{name}" : name)
        Piece.new(path, number, old) if File.file?(path)
      end
    end

    def rotated(name, number, rotation)
      return "#{name}.#{number}" if rotation == 'suffix'

      stem, dot, suffix = name.rpartition('.')
      dot.empty? ? "#{name}.#{number}" : "#{stem}.#{number}.#{suffix}"
    end

    def identified(piece, classified)
      File.open(piece.path, 'rb') do |io|
        status = io.stat
        next if status.size.zero?

        head = Identity.head(io, @catalogue)
        repeatable = Identity.repeatable?(head, classified.kind, @catalogue)
        changed = status.mtime
        identity = PieceKeys::Piece.new(
          base: base_key(classified, head), repeatable: repeatable, number: piece.number,
          mtime_ns: changed.to_i * 1_000_000_000 + changed.nsec, inode: repeatable ? Identity.inode_and_birth(io).to_s : ''
        )
        [identity, status.ino]
      end
    rescue SystemCallError
      nil
    end
  end

  # What a node still has to say of one file; the file's parser asks before it parses.
  class FileFacts
    # When is looked again for what is not known yet: after a second, later more rarely.
    SECONDS = 1.0
    LONGEST = 10.0
    QUARTER = 15
    MOST_MINUTES = 14 * 60
    UTC = Clock.new('UTC')

    # wait_for_actor: whether lines of an actor may wait for its id.
    def initialize(node, classified, path, wait_for_actor:)
      @node = node
      @classified = classified
      @path = path
      @kind = classified.kind
      @worker = classified.parts.key?('worker_id') && (@kind.magic || @kind.identity == 'name')
      @waits_until = wait_for_actor ? nil : 0
      @zones = node.zone_stated? ? [] : node.zone_rules(@kind).map { |regexp, groups| [GrowingSearch.new(regexp, limit: Node::ZONE_HEAD), groups] }
      @pause = SECONDS
      look
    end

    attr_reader :clock, :fields

    # Say that no line can wait any more.
    def hurry
      @waits_until = 0
    end

    # Tell whether something new is known: then `fields` and `clock` say it.
    def news?
      return false if (@complete || now - @asked < @pause) && @heard == @node.news

      before = [@fields, @clock]
      look
      news = before != [@fields, @clock]
      @pause = news ? SECONDS : [@pause * 1.5, LONGEST].min
      news
    end

    # Return what makes the events of the piece before this one, where it is still there; remember what makes this one's.
    def succeed(builder)
      @node.succeed(@classified, builder)
    end

    # Look at once for the actor whose worker says that it is one; raise FactAwaited while it may still become known.
    def actor
      return if @fields.key?('ray.actor_id') || !@worker

      look
      return if @fields.key?('ray.actor_id')

      @waits_until ||= now + @node.fact_wait
      raise FactAwaited, "#{@path}: its actor's id is not known yet" if now < @waits_until
    end

    # Tell whether the file is an actor's of which the id is not known.
    def awaits_actor?
      return false unless @kind.magic && @worker && !@fields.key?('ray.actor_id')

      File.open(@path, 'rb') { |io| (io.read(4096) || '').match?(Node::ACTOR_MAGIC) }
    rescue SystemCallError
      false
    end

    private

    def now
      @node.now
    end

    def look
      @asked = now
      @node.refresh
      @heard = @node.news
      find_zone unless @zones.empty?
      @clock = @node.clock(@offset)
      @fields = @node.node_fields
      @fields.merge!(@node.worker_fields(@classified.parts)) if @kind.magic || @kind.identity == 'name'
      @complete = @node.node_known? && @zones.empty? && worker_known?
      @node.found(@classified.parts) if @complete
    end

    # A worker may become an actor's at any time, but not twice.
    def worker_known?
      !@worker || (@fields.key?('ray.actor_id') && @fields.key?('ray.job_id'))
    end

    def find_zone
      @zones.each do |search, groups|
        match = search.find([@path]) or next
        minutes, seconds = shown(groups.zip(match.captures).to_h)
        next if minutes.nil? || minutes.abs > MOST_MINUTES

        @offset = @node.note_offset(@path, minutes, seconds)
        @zones = []
        return
      end
    end

    # Return the minutes east of UTC that an anchor shows, and when.
    def shown(words)
      offset = words['offset']
      return [(offset[0] == '-' ? -1 : 1) * (offset[1, 2].to_i * 60 + offset[3..].to_i), Time.now.to_i] if offset

      ms = words.key?('epoch_ns') ? words['epoch_ns'].to_i / 1_000_000 : words['epoch_s'].to_i * 1_000
      local = UTC.local(words['local'])
      local && [QUARTER * ((local.ms - ms) / 60_000.0 / QUARTER).round(half: :even), ms / 1_000]
    end
  end
end
