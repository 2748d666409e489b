# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'minitest/autorun'
require 'tmpdir'
require_relative '../../roles/fluentd/files/plugin/raylogs/checkpoint'

class CheckpointTest < Minitest::Test
  def setup
    @dir = Dir.mktmpdir
    @path = File.join(@dir, 'ray.pos.checkpoint')
  end

  def teardown
    FileUtils.rm_r(@dir)
  end

  def checkpoint(boot)
    RayLogs::Checkpoint.new(@path, boot_id: boot)
  end

  def test_without_one_the_positions_hold
    assert_nil checkpoint('one').fall_back
  end

  def test_another_process_of_the_same_boot_lost_nothing
    checkpoint('one').make({ 7 => 10 })
    assert_nil checkpoint('one').fall_back
  end

  def test_another_boot_goes_back
    checkpoint('one').make({ 7 => 10 })
    assert_equal({ 7 => 10 }, checkpoint('two').fall_back)
  end

  def test_an_orderly_end_lost_nothing
    checkpoint('one').make({ 7 => 10 }, clean: true)
    assert_nil checkpoint('two').fall_back
  end

  def test_it_is_written_after_the_buffer_is_on_the_disk
    checkpoint('one').make({ 7 => 10 })
    assert_raises(Errno::EIO) { checkpoint('one').make({ 7 => 20 }) { raise Errno::EIO } }
    assert_equal({ 7 => 10 }, checkpoint('two').fall_back)
  end

  def test_a_torn_one_counts_for_none
    File.write(@path, '{"boot')
    assert_nil checkpoint('two').fall_back
  end
end
