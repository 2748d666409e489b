# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

# Reads {"catalogue": path, "folder": path, "nodes": [{…}, …]}: writes each node's files there anew, in steps of time, and
# parses them meanwhile as the collector does; writes for each node a line {"events": […], "left_out": {…}}.
require 'fileutils'
require 'json'
require_relative '../../roles/fluentd/files/plugin/raylogs/node'

# One node whose files grow.
class LiveNode
  WAIT_MS = 120_000

  # A file that is read as it grows.
  Following = Struct.new(:number, :name, :path, :read, :parser, :asked)
  # What is remembered of a key that was given.
  Given = Struct.new(:base, :key, :ino, :btime)

  def initialize(catalogue, asked, folder)
    @catalogue = catalogue
    @asked = asked
    @logs = File.join(folder, asked['session'], 'logs')
    FileUtils.mkdir_p(@logs)
    @ms = asked['steps'][0][0]
    settings = asked['settings'].transform_keys(&:to_sym)
    @node = RayLogs::Node.new(catalogue: catalogue, logs_dir: @logs, session: asked['session'], settings: settings,
                               now: -> { @ms / 1000.0 })
    @files = {}
    @pieces = {}
    @infix = ->(path) { !catalogue.classify(path.delete_prefix("#{@logs}/")).kind.rotation.include?('suffix') }
    @given = []
    @events = []
    @left_out = Hash.new(0)
  end

  def run
    @asked['steps'].each do |ms, grown|
      @ms = ms
      grown.each { |appended| append(*appended) }
      @files.each_value { |file| follow(file) }
    end
    @ms += 10 * WAIT_MS
    @files.each_value { |file| follow(file, last: true) }
    { events: @events, left_out: @left_out }
  end

  private

  # Write bytes of a piece, which is the newest when its first bytes come: older ones get higher numbers then.
  def append(name, number, source, from, stop)
    path = File.join(@logs, name)
    FileUtils.mkdir_p(File.dirname(path))
    chain = @pieces[name] ||= []
    rotate(path, chain) if number >= chain.size
    file = chain[number] ||= @files[[name, number]] = Following.new(number, name, path, 0, nil, nil)
    File.binwrite(file.path, File.binread(source, stop - from, from), mode: 'ab')
    File.utime(0, @ms / 1000, file.path)
  end

  def rotate(path, chain)
    chain.reverse.each_with_index.reverse_each do |file, number|
      rotated = @infix.call(path) ? path.sub(/(\.[a-z]+)\z/, ".#{number + 1}\\1") : "#{path}.#{number + 1}"
      File.rename(file.path, rotated)
      file.path = rotated
      file.name = rotated.delete_prefix("#{@logs}/")
    end
  end

  def follow(file, last: false)
    rest = File.binread(file.path, nil, file.read) || ''
    lines = rest.lines("\n")
    lines.pop unless last || lines.empty? || lines.last.end_with?("\n")
    return if lines.empty? && !last

    feed(file, lines, last)
  end

  def feed(file, lines, last)
    file.asked ||= @ms
    file.parser ||= parser(file, @ms - file.asked < WAIT_MS) or return
    file.parser.created = RayLogs::Moment.from_ms(@ms)
    mark = file.parser.mark
    items = file.parser.feed(lines, file.read)
    items += file.parser.close if last
    file.read += lines.sum(&:bytesize)
    items.each { |item| item.event ? @events << [file.number, item.event] : @left_out[item.what] += 1 }
  rescue RayLogs::FactAwaited
    file.parser.reset(mark)
  end

  def parser(file, wait)
    File.open(file.path, 'rb') do |io|
      head = RayLogs::Identity.head(io, @catalogue)
      context = @node.context(file.name, head, wait: wait)
      next if context == :wait

      members = @given.select { |given| given.base == context.key }
      base = context.key
      context.key = @node.key(context.classified, head, ino: io.stat.ino, members: members)
      birth = RayLogs::Identity.inode_and_birth(io).to_s.split('.').last.to_i
      @given << Given.new(base, context.key, io.stat.ino, birth)
      RayLogs::Parser.new(context)
    end
  end
end

asked = JSON.parse($stdin.read)
catalogue = RayLogs::Catalogue.load(asked['catalogue'])
asked['nodes'].each_with_index do |node, number|
  puts JSON.generate(LiveNode.new(catalogue, node, File.join(asked['folder'], number.to_s)).run)
end
