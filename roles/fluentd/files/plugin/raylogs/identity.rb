# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# frozen_string_literal: true

require 'digest'
require_relative 'json_record'

module RayLogs
  # Identity of a file: the first part of the ids of its events, the same wherever the bytes lie.
  module Identity
    DIGEST_BYTES = 15
    JOB_MAGIC = ':job_id:'

    module_function

    # Return the identity (20 characters) of a file whose first line, cut to the catalogue's head_bytes, is `head`.
    def base_key(session, node_id, name, head)
      digest = Digest::SHA256.digest("#{session}\n#{node_id}\n".b << name.b << "\n" << head.b)
      [digest.byteslice(0, DIGEST_BYTES)].pack('m0').tr('+/', '-_').force_encoding(Encoding::UTF_8)
    end

    # Return the first line of an open file as far as identity knows it.
    def head(io, catalogue)
      (io.gets("\n", catalogue.head_bytes) || ''.b).delete_suffix("\n")
    end

    # Tell whether another piece of the file can begin with the same line; a line with a time of its own cannot.
    def repeatable?(head, kind, catalogue)
      return false if head.start_with?(JOB_MAGIC) || kind.framing == 'record'

      kind.formats.none? { |name| name == Format::JSON ? timed_record?(head, catalogue) : timed?(head, catalogue.formats[name]) }
    end

    # Return `<inode>.<birth in nanoseconds>` of an open file; nil where the kernel or the file system does not tell.
    def inode_and_birth(io)
      birth = io.birthtime
      "#{io.stat.ino}.#{birth.to_i * 1_000_000_000 + birth.nsec}"
    rescue NotImplementedError, SystemCallError
      nil
    end

    def timed?(head, form)
      form.groups.key?('time') && form.regexp.match?(head)
    end

    def timed_record?(head, catalogue)
      record = JsonRecord.parse(head) or return false
      table = catalogue.data['json']
      %w[time_ns time_local time].any? { |name| table[name].any? { |key| record.key?(key) } }
    end
  end
end
