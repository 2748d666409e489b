# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

module RayLogs
  # The keys of the pieces of a rotated file whose first lines may be the same: as the importer chooses them.
  module PieceKeys
    NS_PER_SECOND = 1_000_000_000
    BEGUN = '~b'
    ENDED = '~e'
    private_constant :NS_PER_SECOND, :BEGUN, :ENDED

    # What is known of a piece that decides on its key. inode: inode and birth time, where the kernel tells them.
    Piece = Struct.new(:base, :repeatable, :number, :mtime_ns, :inode, keyword_init: true) do
      def second
        mtime_ns / NS_PER_SECOND
      end

      def birth
        PieceKeys.birth(inode)
      end
    end

    # A key that was given already, with the inode under which its events were read.
    Member = Struct.new(:key, :inode)

    module_function

    # Return the key of each piece of a file, oldest first. members: by base the keys that were given.
    def resolve(chain, members = {})
      doubtful = doubtful(chain)
      ends = chain.map(&:second).tally
      chain.each_with_index.with_object([]) do |(piece, number), keys|
        keys << if doubtful.include?(piece.base)
                  choose(piece, chain, number, ends, keys, members.fetch(piece.base, []))
                else
                  piece.base
                end
      end
    end

    def birth(inode)
      digits = inode.to_s[/\.([0-9]+)\z/, 1]
      digits ? digits.to_i : 0
    end

    def doubtful(chain)
      return [] if chain.size == 1 && chain.first.number.zero?

      count = chain.map(&:base).tally
      chain.select { |piece| piece.repeatable || count[piece.base] > 1 }.map(&:base)
    end

    def choose(piece, chain, number, ends, keys, members)
      members = members.reject { |member| keys.include?(member.key) }
      oldest = number.zero?
      boundary = oldest ? piece : chain[number - 1]
      begun = "#{piece.base}#{oldest ? ENDED : BEGUN}#{boundary.second}"
      known = members.find { |member| !piece.inode.to_s.empty? && member.inode == piece.inode }
      return known.key if known

      crowded = crowded_seconds(piece.base, members).include?(boundary.second)
      return timed(begun, piece, members, keys, oldest) if ends[boundary.second] == 1 && !crowded
      return unused("#{begun}.#{boundary.mtime_ns % NS_PER_SECOND}", keys) if piece.inode.to_s.empty?

      crowded_key(begun, piece, members, keys)
    end

    # The key of a piece whose limits in time are its own.
    def timed(begun, piece, members, keys, oldest)
      stored = members.map(&:key)
      others = members.select { |member| another?(piece, member) }.map(&:key)
      before = oldest ? predecessor(piece, members) : nil
      known = stored.include?(begun) ? begun : before
      return known if known && !others.include?(known)

      oldest && piece.number.zero? && stored.empty? ? piece.base : unused(begun, keys + others)
    end

    # Both are originals, and their inodes differ. A copy is younger than the last line of its original.
    def another?(piece, member)
      births = [piece.birth, birth(member.inode)]
      piece.inode != member.inode && births.all? { |born| born.positive? && born <= piece.mtime_ns }
    end

    # The key of a piece that ended when another one began; none where several ended then.
    def predecessor(piece, members)
      begun = "#{piece.base}#{BEGUN}"
      stored = members.map(&:key)
      starts = stored.filter_map { |key| key[begun.size..].to_i if key.match?(/\A#{Regexp.escape(begun)}[0-9]+\z/) }.uniq.sort
      return unless starts.include?(piece.second)

      since = starts.select { |start| start < piece.second }.last || 0
      key = since.zero? ? piece.base : "#{begun}#{since}"
      crowded = crowded_seconds(piece.base, members).any? { |second| second.between?(since, piece.second) }
      key if stored.include?(key) && !crowded
    end

    def crowded_seconds(base, members)
      members.filter_map { |member| member.key[(base.size + BEGUN.size)..].to_s[/\A([0-9]+)\./, 1]&.to_i }
    end

    def crowded_key(begun, piece, members, keys)
      taken = keys + members.map(&:key)
      return piece.base if taken.none? { |key| key.start_with?(piece.base) }

      unused("#{begun}.0", taken)
    end

    def unused(key, taken)
      free = key
      free = "#{key}.#{number = (number || 0) + 1}" while taken.include?(free)
      free
    end
  end
end
