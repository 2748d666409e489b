# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'fileutils'
require 'minitest/autorun'
require 'tmpdir'
require_relative '../../roles/fluentd/files/plugin/raylogs/node'

class NodeTest < Minitest::Test
  CATALOGUE = RayLogs::Catalogue.load(File.join(__dir__, '../../catalogue/ray_logs.json'))
  SESSION = 'session_2026-11-23_08-00-00_000000_1'
  WORKER = 'ab' * 28
  NODE = 'cd' * 28
  ACTOR = 'ef' * 16
  OUTPUT = "worker-#{WORKER}-ffffffff-7.out"
  CORE = "python-core-worker-#{WORKER}_7.log"
  HEADER = '[2026-11-23 08:33:54,012 I 7 7] (raylet) a.cc:1: '
  NODE_LINE = "#{HEADER}Setting node ID node_id=#{NODE}\n"
  ACTOR_LINE = "#{HEADER}Creating actor actor_id=#{ACTOR}\n"

  def setup
    @logs = File.join(Dir.mktmpdir, SESSION, 'logs')
    FileUtils.mkdir_p(@logs)
    @seconds = 0
  end

  def teardown
    FileUtils.rm_r(File.dirname(@logs, 2))
  end

  def write(name, text)
    path = File.join(@logs, name)
    FileUtils.mkdir_p(File.dirname(path))
    File.binwrite(path, text, mode: 'ab')
    @seconds += 60
  end

  def node(**settings)
    all = { cluster: 'c', profile: 'full', zone: '', local_zone: 'UTC', host_name: 'h', reader: {}, **settings }
    RayLogs::Node.new(catalogue: CATALOGUE, logs_dir: @logs, session: SESSION, settings: all, now: -> { @seconds })
  end

  def events(context, *lines)
    parser = RayLogs::Parser.new(context)
    (parser.feed(lines.map(&:b), 0) + parser.close).filter_map(&:event)
  end

  def test_a_file_whose_identity_needs_the_node_waits_until_its_raylet_has_spoken
    write('gcs_server.out', "#{HEADER}text\n")
    known = node
    assert_equal(:wait, known.context('gcs_server.out', HEADER, wait: true))
    assert_nil(known.context('gcs_server.out', HEADER, wait: false).base['ray.node_id'])
    write('raylet.out', NODE_LINE.byteslice(0, 90))
    assert_equal(:wait, known.context('gcs_server.out', HEADER, wait: true))
    write('raylet.out', NODE_LINE.byteslice(90..))
    context = known.context('gcs_server.out', HEADER, wait: true)
    assert_equal(NODE, context.base['ray.node_id'])
    assert_equal(RayLogs::Identity.base_key(SESSION, NODE, 'gcs_server.out', HEADER), context.key)
  end

  def test_the_node_is_known_when_the_beginning_of_its_raylets_log_was_rotated_away
    write('raylet.out', "#{HEADER}text\n")
    write('raylet.out.2', "#{HEADER}[state-dump] Node ID: #{NODE}\n")
    assert_equal(NODE, node.context('raylet.out', HEADER, wait: true).base['ray.node_id'])
  end

  def test_a_file_with_a_name_of_its_own_waits_for_nothing_and_learns_the_node_later
    write(OUTPUT, "text\n")
    parser = RayLogs::Parser.new(node.context(OUTPUT, 'text', wait: true))
    assert_nil(parser.base['ray.node_id'])
    write('raylet.out', NODE_LINE)
    assert_equal([NODE], (parser.feed(["text\n".b], 0) + parser.close).map { |item| item.event['ray.node_id'] })
  end

  def test_a_worker_that_says_that_it_is_an_actors_waits_for_the_actors_id
    write(OUTPUT, ":job_id:01000000\n:actor_name:A\ntext\n")
    known = node
    assert_equal(:wait, known.context(OUTPUT, ':job_id:01000000', wait: true))
    assert_nil(known.context(OUTPUT, ':job_id:01000000', wait: false).base['ray.actor_id'])
    write(CORE, ACTOR_LINE)
    assert_equal(ACTOR, known.context(OUTPUT, ':job_id:01000000', wait: true).base['ray.actor_id'])
  end

  def test_a_worker_that_becomes_an_actors_while_it_is_read
    write(OUTPUT, ":job_id:01000000\n")
    parser = RayLogs::Parser.new(node.context(OUTPUT, ':job_id:01000000', wait: true))
    mark = parser.mark
    lines = [":job_id:01000000\n".b, ":actor_name:A(1)\n".b, "text\n".b]
    assert_raises(RayLogs::FactAwaited) { parser.feed(lines, 0) }
    parser.reset(mark)
    write(CORE, ACTOR_LINE)
    event = (parser.feed(lines, 0) + parser.close).last.event
    assert_equal([ACTOR, 'A', '01000000'], event.values_at('ray.actor_id', 'ray.actor_class', 'ray.job_id'))
  end

  def test_lines_that_only_look_like_an_actors_do_not_wait_for_ever
    write(OUTPUT, ":job_id:01000000\n")
    parser = RayLogs::Parser.new(node.context(OUTPUT, ':job_id:01000000', wait: true))
    mark = parser.mark
    assert_raises(RayLogs::FactAwaited) { parser.feed([":actor_name:Fake\n".b], 0) }
    parser.reset(mark)
    @seconds += 15
    assert_equal(['magic'], parser.feed([":actor_name:Fake\n".b], 0).map(&:what))
  end

  def test_lines_that_cannot_wait_are_taken_without_the_actor
    write(OUTPUT, ":job_id:01000000\n")
    parser = RayLogs::Parser.new(node.context(OUTPUT, ':job_id:01000000', wait: true))
    mark = parser.mark
    assert_raises(RayLogs::FactAwaited) { parser.feed([":actor_name:Gone\n".b], 0) }
    parser.reset(mark)
    parser.hurry
    assert_equal(['magic'], parser.feed([":actor_name:Gone\n".b], 0).map(&:what))
  end

  def test_the_job_of_an_idle_worker_is_known_to_its_other_files
    write(OUTPUT, ":job_id:03000000\n")
    write(CORE, "#{HEADER}text\n")
    assert_equal('03000000', node.context(CORE, HEADER).base['ray.job_id'])
    assert_equal('03000000', node.context("train/ray-train-app-worker-#{WORKER}.log", '{}').base['ray.job_id'])
  end

  def test_facts_do_not_take_back_what_lines_said_even_when_a_batch_is_repeated
    write(OUTPUT, ":job_id:01000000\n")
    parser = RayLogs::Parser.new(node.context(OUTPUT, ':job_id:01000000'))
    parser.feed([":job_id:01000000\n".b], 0)
    mark = parser.mark
    write(CORE, ACTOR_LINE)
    2.times do
      parser.reset(mark)
      event = (parser.feed([":job_id:02000000\n".b, "text\n".b], 17) + parser.close).last.event
      assert_equal([ACTOR, '02000000'], event.values_at('ray.actor_id', 'ray.job_id'))
    end
  end

  def test_zones
    line = '{"asctime": "2026-11-23 03:33:54,012", "message": "m", "timestamp_ns": 1795422834012000000}'
    print_line = "2026-11-23 03:33:54,012\tINFO a.py:1 -- text\n"
    write(OUTPUT, "#{line}\n")
    other = "worker-#{'12' * 28}-01000000-8.out"
    write(other, "text\n")
    known = node
    shown = events(known.context(OUTPUT, line), "#{line}\n", print_line).map { |event| event['@timestamp'] }
    assert_equal(['2026-11-23T08:33:54.012Z'] * 2, shown)
    assert_equal('-05:00', known.context(other, 'text').clock.zone)
    assert_equal('America/New_York', node(local_zone: 'America/New_York').context(OUTPUT, line).clock.zone)
    assert_equal('Asia/Kolkata', node(zone: 'Asia/Kolkata').context(OUTPUT, line).clock.zone)
    assert_equal('Europe/Berlin', node(local_zone: 'Europe/Berlin').context(other, 'text').clock.zone)
  end

  def test_copies_of_the_same_node
    driver = 'job-driver-raysubmit_1.log'
    write(driver, '')
    known = node
    copy = "\e[36m(f pid=7)\e[0m text\n"
    elsewhere = "\e[36m(f pid=7, ip=10.0.0.2)\e[0m text\n"
    assert_equal(%w[driver_copy], events(known.context(driver, copy), copy).map { |event| event['ray.copy_of'] })
    write(OUTPUT, "text\n")
    assert_empty(events(known.context(driver, copy), copy))
    assert_equal(1, events(known.context(driver, copy), elsewhere).size)
    assert_equal(1, events(node(keep_copies: true).context(driver, copy), copy).size)
  end

  def test_lines_that_another_file_holds
    app, sys = %w[app sys].map { |kind| "train/ray-train-#{kind}-worker-#{WORKER}.log" }
    line = '{"asctime": "2026-11-23 08:33:54,012", "levelname": "INFO", "message": "%s", "filename": "a.py", "lineno": 1}'
    lines = [format("#{line}\n", 'a'), format("#{line}\n", 'b')]
    write(app, lines.join)
    write(sys, lines[0])
    context = node.context(app, lines[0])
    assert_equal(%w[b], events(context, *lines).map { |event| event['message'] })
    write(sys, lines[1])
    assert_empty(events(context, *lines))
  end

  def test_a_file_that_is_left_out_as_a_whole
    name = 'ray-data/ray-data-dataset_1.log'
    line = "2026-11-23 08:33:54,012\tINFO a.py:1 -- text\n"
    write('raylet.out', NODE_LINE)
    write(name, line)
    assert_equal(%w[ray_data_dataset], events(node.context(name, line), line).map { |event| event['ray.copy_of'] })
    write('ray-data/ray-data.log', line)
    assert_equal('ray_data_dataset', node.left_out(name))
    parser = RayLogs::Parser.new(node.context(name, line))
    assert_equal(%w[ray_data_dataset], (parser.feed([line.b], 0) + parser.close).map(&:what))
  end

  def test_what_lines_said_goes_on_in_the_next_piece
    write(OUTPUT, ":job_id:01000000\n:task_name:f\n")
    known = node
    first = RayLogs::Parser.new(known.context(OUTPUT, ':job_id:01000000'))
    first.feed([":job_id:01000000\n".b, ":task_name:f\n".b], 0)
    event = events(known.context(OUTPUT, 'text'), "text\n").first
    assert_equal(%w[01000000 f], event.values_at('ray.job_id', 'ray.task_name'))
  end

  def test_pieces_that_begin_with_the_same_line_get_keys_of_their_own
    write(OUTPUT, "same\n")
    known = node
    context = known.context(OUTPUT, 'same')
    path = File.join(@logs, OUTPUT)
    first = known.key(context.classified, 'same', ino: File.stat(path).ino)
    assert_equal(context.key, first)
    given = Struct.new(:key, :ino, :btime).new(first, *birth(path))
    File.utime(100, 100, path)
    File.rename(path, "#{path}.1")
    write(OUTPUT, "same\n")
    assert_equal("#{first}~b100", known.key(context.classified, 'same', ino: File.stat(path).ino, members: [given]))
    assert_equal(first, known.key(context.classified, 'same', ino: given.ino, members: [given]))
    assert_match(/\A#{File.stat(path).ino}\.\d+\z/, context_inode(known))
  end

  def birth(path)
    File.open(path, 'rb') { |io| RayLogs::Identity.inode_and_birth(io) }.split('.').map(&:to_i)
  end

  def context_inode(known)
    known.context(OUTPUT, 'same').base['log.file.inode']
  end
end
