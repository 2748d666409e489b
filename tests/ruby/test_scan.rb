# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'fileutils'
require 'minitest/autorun'
require 'minitest/mock'
require 'tmpdir'
require_relative '../../roles/fluentd/files/plugin/raylogs/scan'

class ScanTest < Minitest::Test
  REST_AFTER = 300

  def setup
    @dir = Dir.mktmpdir
    @logs = File.join(@dir, 'session_2026-11-23_01-01-01_000001_1', 'logs')
    FileUtils.mkdir_p(File.join(@logs, 'old'))
    @positions = {}
    @now = Time.now + 10
  end

  def teardown
    FileUtils.rm_r(@dir)
  end

  def scan(limit: 100)
    @scan ||= RayLogs::Scan.new(
      [@dir], wanted: ->(_logs, name) { !name.start_with?('debug_state') }, position: @positions.method(:[]),
              rest_after: REST_AFTER, open_limit: limit
    )
  end

  # Names of the files to follow after some rounds, in each of which a second passes.
  def names(rounds = 1)
    found = nil
    rounds.times { found = scan.look(@now += 1) }
    found.each_value.map { |file| file.path[(@logs.size + 1)..] }.sort
  end

  def write(name, text = "line\n", age: 0)
    path = File.join(@logs, name)
    File.write(path, text)
    File.utime(@now - age, @now - age, path) if age.positive?
    path
  end

  def read_to_the_end(path)
    @positions[File.stat(path).ino] = File.size(path)
  end

  def test_files_of_all_folders_are_found
    write('raylet.out')
    write('old/worker.out')
    assert_equal %w[old/worker.out raylet.out], names
  end

  def test_what_nobody_wants_links_and_other_folders_are_not
    write('debug_state.txt')
    File.symlink(write('raylet.out'), File.join(@logs, 'link.out'))
    File.symlink(File.dirname(@logs), File.join(@dir, 'session_latest'))
    FileUtils.mkdir_p(File.join(@dir, 'other', 'logs'))
    assert_equal %w[raylet.out], names
  end

  def test_a_session_that_begins_later_is_found
    write('raylet.out')
    names
    later = File.join(@dir, 'session_2026-11-24_01-01-01_000001_1', 'logs')
    FileUtils.mkdir_p(later)
    File.write(File.join(later, 'raylet.out'), "line\n")
    assert_equal 2, scan.look(@now += 1).size
  end

  def test_a_file_that_takes_the_name_of_another_is_found
    first = File.stat(write('raylet.out')).ino
    names
    File.rename(File.join(@logs, 'raylet.out'), File.join(@logs, 'raylet.out.1'))
    second = File.stat(write('raylet.out')).ino
    assert_equal [first, second].sort, scan.look(@now += 1).keys.sort
  end

  def test_an_old_file_that_was_read_is_at_rest_until_it_grows
    path = write('raylet.out', age: 1000)
    assert_equal %w[raylet.out], names
    read_to_the_end(path)
    assert_empty names
    File.write(path, "more\n", mode: 'a')
    File.utime(@now, @now, path)
    assert_equal %w[raylet.out], names(5)
  end

  def test_an_old_file_with_something_unread_is_followed
    @positions[File.stat(write('raylet.out', age: 1000)).ino] = 2
    assert_equal %w[raylet.out], names
  end

  def test_no_more_files_are_open_than_may_be
    10.times { |number| write("worker-#{number}.out", age: 1000) }
    assert_equal 3, (scan(limit: 3) && names).size
  end

  def test_old_files_are_read_although_there_are_too_many_young_ones
    5.times { |number| write("young-#{number}.out") }
    write('old.out', age: 1000)
    assert_includes (scan(limit: 3) && names), 'old.out'
  end

  def test_the_youngest_are_followed_first
    write('older.out', age: 50)
    write('young.out', age: 1)
    assert_includes (scan(limit: 1) && names), 'young.out'
  end

  def test_a_removed_file_is_not_found_any_more
    path = write('raylet.out')
    names
    File.unlink(path)
    assert_empty names
    assert_empty scan.all
  end

  def test_a_removed_session_is_not_found_any_more
    write('raylet.out')
    names
    FileUtils.rm_r(File.dirname(@logs))
    assert_empty names
    assert_empty scan.all
  end

  def test_signs_of_patterns_in_a_temp_dir_stand_for_themselves
    odd = File.join(@dir, 'ray[1]{a}*')
    logs = File.join(odd, 'session_2026-11-23_01-01-01_000001_1', 'logs')
    FileUtils.mkdir_p(logs)
    File.write(File.join(logs, 'raylet.out'), "line\n")
    scan = RayLogs::Scan.new([odd], wanted: ->(*) { true }, position: {}.method(:[]), rest_after: 300, open_limit: 9)
    assert_equal 1, scan.look(@now).size
  end

  def test_a_folder_that_cannot_be_read_is_named_until_it_can
    write('raylet.out')
    Dir.stub(:children, ->(path) { raise Errno::EACCES, path }) { assert_empty names }
    assert_includes scan.unreadable[@logs], 'Permission denied'
    assert_equal %w[raylet.out], names
    assert_empty scan.unreadable
  end
end
