# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

# Reads [[base, repeatable, number, last change, inode], ...] and the given keys by base, a case a line; writes the keys.
require 'json'
require_relative '../../roles/fluentd/files/plugin/raylogs/piece_keys'

$stdin.each_line do |line|
  chain, members = JSON.parse(line)
  pieces = chain.map do |base, repeatable, number, mtime_ns, inode|
    RayLogs::PieceKeys::Piece.new(base: base, repeatable: repeatable, number: number, mtime_ns: mtime_ns, inode: inode)
  end
  given = members.transform_values { |found| found.map { |member| RayLogs::PieceKeys::Member.new(*member) } }
  puts JSON.generate(RayLogs::PieceKeys.resolve(pieces, given))
end
