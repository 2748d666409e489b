# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

module RayLogs
  # Which files there are to read, found with as few system calls as possible: a folder is listed again when it changed,
  # a file that is at rest (read to its end and quiet) is looked at every few rounds and needs no open handle.
  class Scan
    Found = Struct.new(:path, :ino, :size, :mtime)

    SESSIONS = 'session_2*/logs'
    ROUNDS = 5
    SETTLED_S = 2.0
    private_constant :SESSIONS, :ROUNDS, :SETTLED_S

    # wanted: called with a logs folder and a file's path below it, tells whether it is read at all.
    # position: called with an inode, tells how far the file was read. open_limit: how many files are followed at once.
    def initialize(temp_dirs, wanted:, position:, rest_after:, open_limit:)
      @temp_dirs = temp_dirs
      @wanted = wanted
      @position = position
      @rest_after = rest_after
      @open_limit = open_limit
      @folders = {}
      @all = {}
      @round = 0
      @unreadable = {}
    end

    # Folders that could not be listed, with the reason.
    attr_reader :unreadable

    # All files that exist, by inode, as of the last look.
    attr_reader :all

    # The files to follow, by inode: those that grow, and of the old ones that have something unread as many as fit.
    def look(now = Time.now)
      @round += 1
      list_folders(now.to_f)
      look_at_sizes
      fresh, old = @all.each_value.partition { |found| now.to_f - found.mtime < @rest_after }
      unread = old.select { |found| (@position.call(found.ino) || 0) < found.size }
      chosen = fresh.sort_by { |found| -found.mtime }.first(@open_limit)
      chosen += unread.first([@open_limit - chosen.size, 1].max)
      chosen.to_h { |found| [found.ino, found] }
    end

    private

    def list_folders(now)
      present = {}
      @temp_dirs.each do |temp_dir|
        Dir.glob(File.join(escape(temp_dir), SESSIONS)).each { |logs| walk(logs, logs, now, present) }
      end
      return if present.size == @folders.size && !@changed

      @changed = false
      @folders = present
      @all = {}
      @folders.each_value { |folder| folder[:files].each { |found| @all[found.ino] = found } }
    end

    def escape(path)
      path.gsub(/[\\\[\]{}*?]/) { |special| "\\#{special}" }
    end

    def walk(logs, folder, now, present)
      mtime = File.lstat(folder).mtime.to_f
      known = @folders[folder]
      if known.nil? || known[:mtime] != mtime || known[:listed] - mtime < SETTLED_S
        known = list(logs, folder, now, mtime, known ? known[:wanted] : {})
        @changed = true
      end
      present[folder] = known
      known[:folders].each { |inner| walk(logs, inner, now, present) }
    rescue SystemCallError => e
      @unreadable[folder] = e.message unless e.is_a?(Errno::ENOENT)
    end

    def list(logs, folder, now, mtime, decided)
      files = []
      folders = []
      wanted = {}
      Dir.children(folder).each do |name|
        path = File.join(folder, name)
        status = File.lstat(path)
        if status.directory?
          folders << path
        elsif status.file? && (wanted[name] = decided.fetch(name) { @wanted.call(logs, path[(logs.size + 1)..]) })
          files << Found.new(path, status.ino, status.size, status.mtime.to_f)
        end
      rescue Errno::ENOENT
        next
      end
      @unreadable.delete(folder)
      { mtime: mtime, listed: now, files: files, folders: folders, wanted: wanted }
    end

    # Nothing says that a file at rest has grown but its size. Each is looked at in one of several rounds, those that are
    # followed too: whoever follows them knows earlier.
    def look_at_sizes
      @all.each_value do |found|
        next unless found.ino % ROUNDS == @round % ROUNDS

        status = File.lstat(found.path)
        next @changed = true unless status.ino == found.ino

        found.size = status.size
        found.mtime = status.mtime.to_f
      rescue Errno::ENOENT
        @changed = true
      end
    end
  end
end
