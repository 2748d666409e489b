# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'fileutils'
require 'json'

module RayLogs
  # Positions that a power cut does not pass: what lies before them was on the disk of the buffer, or delivered, when
  # they were written. A process that is killed loses nothing that it wrote, so only another boot goes back to them.
  class Checkpoint
    BOOT_ID = '/proc/sys/kernel/random/boot_id'

    def initialize(path, mode: 0o600, boot_id: nil)
      @path = path
      @mode = mode
      @boot_id = boot_id || (File.exist?(BOOT_ID) ? File.read(BOOT_ID).strip : '')
    end

    # The positions to go back to, by inode; nil when those of the position file hold.
    def fall_back
      stored = JSON.parse(File.read(@path))
      return if stored['clean'] || stored['boot_id'] == @boot_id

      stored['positions'].to_h { |ino, position| [ino.to_i, position] }
    rescue Errno::ENOENT, JSON::ParserError
      nil
    end

    # positions: by inode, read before the block brings to the disk what lies before them.
    def make(positions, clean: false)
      yield if block_given?
      draft = "#{@path}.draft"
      FileUtils.mkdir_p(File.dirname(@path))
      File.open(draft, 'wb', @mode) do |file|
        file.write(JSON.generate({ 'boot_id' => @boot_id, 'clean' => clean, 'positions' => positions }))
        file.fsync
      end
      File.rename(draft, @path)
    end
  end
end
