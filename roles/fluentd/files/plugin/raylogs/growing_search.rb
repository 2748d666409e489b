# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

module RayLogs
  # Searches files that grow: what was searched before is not read again.
  class GrowingSearch
    CHUNK = 1 << 20
    # No match is longer.
    OVERLAP = 1 << 14

    # limit: how much of a file is searched; nil: all.
    def initialize(regexp, limit: nil)
      @regexp = regexp
      @limit = limit
      @searched = {}
    end

    # Return the first match in the files, in their order; nil when there is none yet.
    def find(paths)
      paths.each do |path|
        match = File.open(path, 'rb') { |io| search(io) }
        return match if match
      rescue SystemCallError
        # A file that is gone or cannot be read says nothing.
        next
      end
      nil
    end

    private

    def search(io)
      status = io.stat
      stop = [status.size, @limit].compact.min
      done = @searched[status.ino] || 0
      # Cut off and written anew.
      done = 0 if done > status.size
      while done < stop
        from = [done - OVERLAP, 0].max
        text = io.pread([done + CHUNK, stop].min - from, from)
        match = @regexp.match(text)
        return match if match

        done = @searched[status.ino] = from + text.bytesize
      end
      nil
    rescue EOFError
      nil
    end
  end
end
