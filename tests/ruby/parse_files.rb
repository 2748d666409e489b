# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

# Reads {"catalogue": path, "files": [{…}, …]} and writes for each file a line {"items": […], "closed": […]}. A file holds
# what is known of it (name, base, keys, …), its pieces as paths or in base64, and how it is fed: "whole", "batches" with
# random borders, "undone" (each batch is fed, taken back and fed again) or "quiet" (every border ends the open event).
require 'json'
require_relative '../../roles/fluentd/files/plugin/raylogs/parser'

# Answers what it was told; asking for anything else is a difference.
class Answers
  def initialize(pairs)
    @known = pairs.to_h
  end

  def call(words)
    @known.fetch(words)
  end
end

# Feeds one file.
class Feeder
  LARGEST_BATCH = 40

  def initialize(catalogue, file)
    @file = file
    @random = Random.new(file['seed'].to_i)
    @keys = file['keys']
    @parser = RayLogs::Parser.new(context(catalogue))
    @parser.created = RayLogs::Moment.from_ms(file['created'])
    @items = []
    @closed = []
  end

  def feed
    @file['pieces'].each_with_index do |piece, number|
      @parser.turn(@keys[number]) if number.positive?
      feed_piece(piece, number)
    end
    note(@parser.close)
    { items: @items, closed: @closed }
  end

  private

  def context(catalogue)
    classified = catalogue.classify(@file['name'])
    classified.number = @file['number']
    RayLogs::FileContext.new(
      catalogue: catalogue, classified: classified, clock: RayLogs::Clock.new(@file['zone']), base: @file['base'],
      key: @keys[0], omissions: catalogue.omissions(classified.kind, @file['profile']),
      copies: @file['copies'].map { |id, pairs| [catalogue.copies.find { |rule| rule.id == id }, Answers.new(pairs)] },
      zone_assumed: @file['zone_assumed'], extra_fields: @file['extra_fields'], keep_copies: @file['keep_copies'],
      profile: @file['profile']
    )
  end

  def feed_piece(piece, number)
    content = piece['path'] ? File.binread(piece['path']) : piece['base64'].unpack1('m0')
    lines = content.lines("\n")
    offset = 0
    cuts = @file['cuts'][number.to_s]
    until lines.empty?
      batch = lines.shift(@file['mode'] == 'whole' ? lines.size : 1 + @random.rand(LARGEST_BATCH))
      feed_batch(batch, offset, cuts, lines)
      offset += batch.sum(&:bytesize)
      quiet(number, offset) if @file['mode'] == 'quiet' && !lines.empty?
    end
  end

  def feed_batch(batch, offset, cuts, later)
    if @file['mode'] == 'undone'
      mark = @parser.mark
      @random.rand(1..2).times do
        wasted = [*batch, *later.first(@random.rand(LARGEST_BATCH))]
        @parser.feed(wasted.map(&:dup), offset, cuts: cuts)
        @parser.close if @random.rand(2).zero?
        @parser.reset(mark)
      end
    end
    note(@parser.feed(batch, offset, cuts: cuts))
  end

  def quiet(number, offset)
    return unless @parser.open_at

    note(@parser.close)
    @closed << [number, offset]
  end

  def note(items)
    items.each { |item| @items << [@keys.index(item.key), item.offset, item.size, item.what, item.event] }
  end
end

asked = JSON.parse($stdin.read)
catalogue = RayLogs::Catalogue.load(asked['catalogue'])
asked['files'].each { |file| puts JSON.generate(Feeder.new(catalogue, file).feed) }
