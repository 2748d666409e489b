# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'minitest/autorun'
require 'tmpdir'
require_relative '../../roles/fluentd/files/plugin/raylogs/journal'

class JournalTest < Minitest::Test
  def setup
    @dir = Dir.mktmpdir
    @path = File.join(@dir, 'ray.pos.files')
    @journal = RayLogs::Journal.new(@path)
  end

  def teardown
    @journal.close
    FileUtils.rm_r(@dir)
  end

  def again
    RayLogs::Journal.new(@path)
  end

  def test_everything_is_known_again
    @journal.add(7, 5, 'head', 'base', 'key')
    @journal.cut(7, 10)
    @journal.cut(7, 20)
    @journal.leave(7, 33)
    assert_equal RayLogs::Journal::Entry.new(7, 5, 'head', 'base', 'key', [10, 20], 33), again[7]
  end

  def test_it_is_for_its_owner_alone
    assert_equal 0o600, File.stat(@path).mode & 0o777
  end

  def test_a_torn_line_says_nothing_and_spoils_none
    @journal.add(7, 5, 'head', 'base', 'key')
    File.write(@path, '{"c":7,"at":[1', mode: 'a')
    found = again
    assert_empty found[7].cuts
    found.cut(7, 12)
    assert_equal [12], again[7].cuts
  end

  def test_a_record_behind_one_that_the_disk_cut_off_is_read
    @journal.add(7, 5, 'head', 'base', 'key')
    file = @journal.instance_variable_get(:@file)
    file.define_singleton_method(:write) do |text|
      singleton_class.remove_method(:write)
      super(text[0, 5])
      raise Errno::ENOSPC
    end
    assert_raises(Errno::ENOSPC) { @journal.cut(7, 11) }
    assert_empty @journal[7].cuts
    @journal.cut(7, 12)
    assert_equal [12], again[7].cuts
  end

  def test_what_is_forgotten_is_gone
    @journal.add(7, 5, 'head', 'base', 'key')
    @journal.forget(7)
    assert_nil again[7]
  end

  def test_the_key_of_a_file_that_began_again_stays_taken
    @journal.add(7, 5, 'head', 'base', 'key')
    @journal.begin_again(7)
    assert_nil again[7]
    assert_equal(['key'], again.of_base('base').map(&:key))
  end

  def test_history_does_not_grow_for_ever
    @journal.add(7, 5, 'head', 'base', 'key')
    300_000.times { |number| @journal.cut(7, number) }
    assert_operator File.size(@path), :<, 5 * 1024 * 1024
    assert_equal 299_999, again[7].cuts.last
    assert_operator again[7].cuts.size, :<=, 1000
  end

  def test_the_position_of_an_unknown_file_is_not_kept
    @journal.leave(9, 10)
    assert_nil again[9]
  end
end
