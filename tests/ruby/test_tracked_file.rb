# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'fileutils'
require 'minitest/autorun'
require 'minitest/mock'
require 'tmpdir'
require_relative '../../roles/fluentd/files/plugin/raylogs/journal'
require_relative '../../roles/fluentd/files/plugin/raylogs/parser'
require_relative '../../roles/fluentd/files/plugin/raylogs/tracked_file'

class TrackedFileTest < Minitest::Test
  CATALOGUE = RayLogs::Catalogue.load(File.join(__dir__, '../../catalogue/ray_logs.json'))
  WORKER = "worker-#{'a' * 56}-01000000-123.out"
  HEADER = '[2026-11-23 01:01:02,123 I 55 55] (raylet) main.cc:12: '
  LIMIT = 262_144

  def setup
    @dir = Dir.mktmpdir
    @journal = RayLogs::Journal.new(File.join(@dir, 'journal'))
    @stored = []
    @refuse = false
  end

  def teardown
    @journal.close
    FileUtils.rm_r(@dir)
  end

  # The file as a process that begins at a position sees it.
  def tracked(name = WORKER, text: '', taken: 0)
    @path = File.join(@dir, name)
    File.binwrite(@path, text) unless text.empty? && File.exist?(@path)
    ino = File.stat(@path).ino
    @journal.add(ino, 0, 'head', 'base', 'key') unless @journal[ino]
    RayLogs::TrackedFile.new(ino, @path, taken, journal: @journal, identify: method(:identify), deliver: method(:deliver))
  end

  def identify(file)
    RayLogs::Parser.new(
      RayLogs::FileContext.new(
        catalogue: CATALOGUE, classified: CATALOGUE.classify(File.basename(file.path)), clock: RayLogs::Clock.of('UTC'),
        base: {}, key: 'key'
      )
    )
  end

  def deliver(_file, items)
    raise 'the buffer is full' if @refuse

    @stored.concat(items.filter_map(&:event))
  end

  def shown
    @stored.map { |event| [event['log.offset'], event['message']] }
  end

  def test_the_position_stays_at_the_first_byte_of_an_open_event
    file = tracked('raylet.out')
    file.take(["#{HEADER}one\n", "#{HEADER}two\n", " more\n"], 0, 1.0)
    first = "#{HEADER}one\n".bytesize
    assert_equal [[0, 'one']], shown
    assert_equal first, file.safe
    file.release
    assert_equal [first, "two\n more"], shown.last
    assert_equal file.taken, file.safe
  end

  def test_a_refused_batch_is_taken_when_it_is_offered_again
    file = tracked
    @refuse = true
    assert_raises(RuntimeError) { file.take(["one\n", "two\n", "three\n"], 0, 1.0) }
    assert_equal 0, file.safe
    @refuse = false
    file.take(["one\n", "two\n", "three\n"], 0, 2.0)
    file.release
    assert_equal [[0, 'one'], [4, 'two'], [8, 'three']], shown
  end

  def test_a_refused_release_keeps_the_event
    file = tracked
    file.take(["one\n"], 0, 1.0)
    @refuse = true
    assert_raises(RuntimeError) { file.release }
    assert file.open?
    @refuse = false
    file.release
    assert_equal [[0, 'one']], shown
  end

  def test_what_two_readers_bring_is_taken_once
    file = tracked
    file.take(["one\n", "two\n"], 0, 1.0)
    file.take(["one\n", "two\n", "three\n"], 0, 2.0)
    file.take(["two\n"], 4, 2.0)
    file.release
    assert_equal [[0, 'one'], [4, 'two'], [8, 'three']], shown
  end

  def test_the_end_of_a_line_behind_a_taken_part_is_an_event_of_its_own
    file = tracked(text: "one\npart")
    file.take(["one\n"], 0, 1.0)
    file.release
    file.take_rest(2.0, LIMIT)
    assert_equal [4, 'part'], shown.last
    file.take(["partial\n"], 4, 3.0)
    file.release
    assert_equal [8, 'ial'], shown.last
    assert_equal %w[fragment], @stored.last['tags']
  end

  def test_a_rest_that_has_its_newline_is_left_to_the_reader
    file = tracked(text: "one\npart\n")
    file.take(["one\n"], 0, 1.0)
    file.release
    file.take_rest(2.0, LIMIT)
    assert_equal [[0, 'one']], shown
  end

  def test_an_event_cut_by_time_is_cut_at_the_same_byte_when_it_is_read_again
    text = "one\n  two\nthree\n"
    file = tracked(text: text)
    file.take(["one\n"], 0, 1.0)
    file.release
    file.take(["  two\n", "three\n"], 4, 2.0)
    file.release
    first, @stored = @stored, []
    again = tracked
    again.take(text.lines, 0, 3.0)
    again.release
    assert_equal(first.map { |event| event.slice('log.offset', 'message', 'tags') },
                 @stored.map { |event| event.slice('log.offset', 'message', 'tags') })
  end

  def test_what_a_journal_does_not_take_is_not_emitted
    file = tracked
    file.take(["one\n"], 0, 1.0)
    @journal.stub(:cut, ->(*) { raise Errno::ENOSPC }) { assert_raises(Errno::ENOSPC) { file.release } }
    assert_empty shown
    file.release
    assert_equal [[0, 'one']], shown
  end

  def test_context_of_earlier_lines_is_known_after_a_restart
    text = ":job_id:02000000\n:actor_name:Counter\none\ntwo\n"
    file = tracked(text: text, taken: text.index('two'))
    file.take(["two\n"], text.index('two'), 1.0)
    file.release
    assert_equal ['02000000', 'Counter'], @stored[0].values_at('ray.job_id', 'ray.actor_class')
    assert_equal 1, @stored.size
  end

  def test_a_long_file_is_parsed_again_at_its_head_and_its_end_only
    middle = ":task_name:other\n#{'x' * 1000}\n" * 1000
    text = ":job_id:02000000\n#{middle}:task_name:last\ntwo\n"
    file = tracked(text: text, taken: text.bytesize - 4)
    file.take(["two\n"], text.bytesize - 4, 1.0)
    file.release
    assert_equal ['02000000', 'last'], @stored[0].values_at('ray.job_id', 'ray.task_name')
  end

  def test_a_file_that_is_another_by_now_gives_no_context
    file = tracked(text: "one\ntwo\n", taken: 4)
    File.rename(@path, "#{@path}.1")
    File.binwrite(@path, "one\ntwo\n")
    assert_raises(RuntimeError) { file.take(["two\n"], 4, 1.0) }
    file.path = "#{@path}.1"
    file.take(["two\n"], 4, 1.0)
    file.release
    assert_equal [[4, 'two']], shown
  end

  def test_a_file_that_is_read_for_the_last_time_waits_for_nothing
    file = tracked
    refute file.hurried?
    file.take(["one\n"], 0, 1.0)
    file.hurry
    assert file.hurried?
    file.release
    assert_equal [[0, 'one']], shown
  end

  def test_a_file_that_waits_stays_open_although_it_is_removed
    file = tracked(text: "one\n")
    assert_raises(RayLogs::FactAwaited) { file.with_handle { raise RayLogs::FactAwaited } }
    File.unlink(@path)
    assert_equal("one\n", file.with_handle(&:read))
    assert_raises(Errno::ENOENT) { file.with_handle(&:read) }
  end

  def test_what_a_file_was_told_is_kept_while_its_first_lines_wait
    asked = 0
    ready = false
    file = tracked
    file.instance_variable_set(:@identify, lambda do |its|
      asked += 1
      identify(its).tap { |parser| parser.define_singleton_method(:feed) { |*given, **more| ready ? super(*given, **more) : raise(RayLogs::FactAwaited) } }
    end)
    assert_raises(RayLogs::FactAwaited) { file.take(["one\n"], 0, 99.0) }
    file.rest
    ready = true
    file.take(["one\n"], 0, 99.0)
    assert_equal 1, asked
    file.rest
    assert file.open?
  end

  def test_an_event_waits_for_more_lines_and_not_for_ever
    file = tracked
    file.take(["one\n"], 0, 10.0)
    refute file.waited?(10.5, 1, 5)
    assert file.waited?(11.0, 1, 5)
    9.times { |number| file.take(["  more\n"], 4 + (7 * number), 10.0 + (0.6 * number)) }
    assert file.waited?(15.0, 1, 5)
    file.release
    refute file.waited?(99.0, 1, 5)
  end
end
