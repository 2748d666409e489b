# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

# Reads {"catalogue": path, "rounds": n, "files": [{…}]} as tests/ruby/parse_files.rb does; writes for each round the
# seconds of one core that the plainest reading and the parser took, the lines and the events.
require 'json'
require_relative '../roles/fluentd/files/plugin/raylogs/parser'

LINES_AT_ONCE = 1000

def seconds
  before = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
  yield
  Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID) - before
end

# The least that any shipper does with a line.
def read_plainly(files)
  files.sum do |file|
    file['pieces'].sum do |piece|
      lines = 0
      File.open(piece['path'], 'rb') do |handle|
        while (line = handle.gets)
          line.force_encoding(Encoding::UTF_8)
          lines += 1
        end
      end
      lines
    end
  end
end

def context(catalogue, file)
  classified = catalogue.classify(file['name'])
  RayLogs::FileContext.new(
    catalogue: catalogue, classified: classified, clock: RayLogs::Clock.new(file['zone']), base: file['base'],
    key: file['keys'][0], omissions: catalogue.omissions(classified.kind, file['profile']),
    zone_assumed: file['zone_assumed'], keep_copies: true, profile: file['profile']
  )
end

def parse(catalogue, files)
  files.sum do |file|
    parser = RayLogs::Parser.new(context(catalogue, file))
    file['pieces'].zip(file['keys']).sum do |piece, key|
      parser.turn(key)
      parse_piece(parser, piece['path']) + parser.close.size
    end
  end
end

def parse_piece(parser, path)
  events = offset = 0
  File.open(path, 'rb') do |handle|
    handle.each_line.each_slice(LINES_AT_ONCE) do |lines|
      parser.created = RayLogs::Moment.now
      parser.mark
      events += parser.feed(lines, offset).count(&:event)
      offset += lines.sum(&:bytesize)
    end
  end
  events
end

asked = JSON.parse($stdin.read)
catalogue = RayLogs::Catalogue.load(asked['catalogue'])
asked['rounds'].times do
  lines = events = 0
  plain = seconds { lines = read_plainly(asked['files']) }
  ours = seconds { events = parse(catalogue, asked['files']) }
  puts JSON.generate({ plain: plain, ours: ours, lines: lines, events: events })
  $stdout.flush
end
