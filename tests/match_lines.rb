# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Reads {"patterns": [...], "lines": [base64, ...]}, writes [pattern number, line number, [[group in base64, ...], ...]] a line.
require 'json'

def encoded(group)
  group && [group].pack('m0')
end

asked = JSON.parse($stdin.read)
lines = asked['lines'].map { |line| line.unpack1('m0') }
asked['patterns'].each_with_index do |pattern, number|
  regexp = Regexp.new(pattern.b, Regexp::NOENCODING)
  lines.each_with_index do |line, place|
    found = line.to_enum(:scan, regexp).map { Regexp.last_match.to_a.map { |group| encoded(group) } }
    puts JSON.generate([number, place, found]) unless found.empty?
  end
end
