# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require_relative 'catalogue'
require_relative 'event_builder'
require_relative 'record_builder'

module RayLogs
  # What is known of a file before its first line is read. base: fields of every event; a line may override what is not
  # the same for the whole file. key: identity of the piece. copies: [[rule, test], …] with a test that tells from the
  # words of a line whether the original is there. left_out: the rule by which no line of the file is stored. facts: what
  # becomes known later. The base is the parser's own from then on.
  FileContext = Struct.new(:catalogue, :classified, :clock, :base, :key, :omissions, :copies, :zone_assumed,
                           :extra_fields, :keep_copies, :profile, :left_out, :facts, keyword_init: true) do
    def initialize(**)
      super
      self.omissions ||= []
      self.copies ||= []
      self.extra_fields ||= []
      self.profile ||= 'standard'
    end
  end

  # Makes the items of one file of the lines that are fed, in the order of the file.
  class Parser
    # What undoes everything that was fed since.
    Mark = Struct.new(:framer, :builder, :piece, :begun, :rotated)

    def initialize(context)
      catalogue = context.catalogue
      kind = context.classified.kind
      @limit = catalogue.event_bytes
      @facts = context.facts
      @learnt = true
      @builder = kind.framing == 'record' ? RecordBuilder.new(context) : EventBuilder.new(context)
      older = @facts&.succeed(@builder)
      @builder.inherit(older) if older
      @items = []
      @framer = Framer.new(catalogue, kind) { |frame| @items << @builder.build(frame) }
      @rotated = context.classified.number.positive? || !older.nil?
      turn(context.key)
      self.created = Moment.now
    end

    # When the bytes were read: event.created, and the time of lines without one.
    def created=(moment)
      @builder.created = moment
    end

    # Say that no line can wait for a fact any more.
    def hurry
      @facts&.hurry
    end

    # Fields of every event; facts that are learnt later are merged into them.
    def base
      @builder.base
    end

    # Make the items of lines: binary strings with their newlines. offset: of the first one's first byte. cuts: ascending
    # offsets at which an event must end, also such as lie before or behind these lines. orphan: the note of lines at the beginning of the piece that no header
    # precedes (by default what the name of the file says).
    def feed(lines, offset, cuts: nil, orphan: nil)
      learn
      cuts = ahead(cuts, offset)
      begin_piece(orphan) unless @begun
      lines.each do |line|
        if cuts || line.bytesize > @limit
          offset = feed_parts(line, offset, cuts)
        else
          @framer.feed(line, offset)
          offset += line.bytesize
        end
      end
      taken
    end

    # End the open event, as a cut at its end would: whoever reads it again passes that offset among the cuts.
    def close
      @framer.cut if @framer.open_at
      taken
    end

    # Say that the file was rotated: what is fed next is of a new piece, and lines go on where the old one ended.
    def turn(key)
      @framer.piece = @builder.piece = key
      @begun = false
    end

    # Return the offset of the first byte of the open event; nil when none is open.
    def open_at
      @framer.open_at
    end

    # Return the key of the piece in which the open event begins; nil when none is open.
    def open_in
      @framer.open_in
    end

    # Remember where the parser is. Only the last mark can be gone back to, as often as needed.
    def mark
      @last_mark = Mark.new(@framer.mark, @builder.mark, @framer.piece, @begun, @rotated)
    end

    # Undo everything that was fed since the last mark.
    def reset(mark)
      raise ArgumentError, 'only the last mark can be gone back to' unless mark.equal?(@last_mark)

      @framer.reset(mark.framer)
      @builder.reset(mark.builder)
      @framer.piece = @builder.piece = mark.piece
      # What was learnt since is to be learnt again.
      @learnt = false
      @begun = mark.begun
      @rotated = mark.rotated
      @items.clear
    end

    private

    # Take what became known of the file. What its lines said of themselves is nearer.
    def learn
      return unless @facts && (@facts.news? || !@learnt)

      @learnt = true
      @builder.learn(@facts.fields, @facts.clock)
    end

    # Return the cuts that are still to be made; what was fed before ended at its own.
    def ahead(cuts, offset)
      cuts = cuts&.select { |cut| @begun ? cut > offset : cut >= offset }
      cuts.nil? || cuts.empty? ? nil : cuts
    end

    def begin_piece(orphan)
      @framer.orphan = orphan || (@rotated ? Framer::FRAGMENT : Framer::UNPARSED)
      @begun = true
      # Whatever piece comes next continues this one.
      @rotated = true
    end

    # Feed a line that is longer than an event may be, or in which an event may have to end.
    def feed_parts(line, offset, cuts)
      place = 0
      while place < line.bytesize
        place = feed_part(line.byteslice(place, @limit), offset + place, cuts) - offset
      end
      offset + place
    end

    def feed_part(part, offset, cuts)
      while cuts && cuts[0] && cuts[0] <= offset + part.bytesize
        cut = cuts.shift
        if cut > offset
          @framer.feed(part.byteslice(0, cut - offset), offset)
          part = part.byteslice(cut - offset..)
          offset = cut
        end
        @framer.cut
      end
      @framer.feed(part, offset) unless part.empty?
      offset + part.bytesize
    end

    def taken
      items = @items
      @items = []
      items
    end
  end
end
