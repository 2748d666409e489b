# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What component templates and index templates share."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the options of both."""

    DOCUMENTATION = r"""
options:
  template:
    description: What an index gets from this template.
    type: dict
    suboptions:
      settings:
        description:
          - Settings of the index, nested or dotted, with or without the prefix C(index.).
          - V("True") and V("False") are written in small letters, and numbers such as V(1.0) without the fraction.
        type: dict
      mappings:
        description: Fields and their types. Elasticsearch keeps them as they are written.
        type: dict
      aliases:
        description: Aliases by name, each with its options or V({}).
        type: dict
      lifecycle:
        description: Lifecycle of the data streams made from this template. Needs Elasticsearch 8.14.
        type: dict
      data_stream_options:
        description: Options of the data streams made from this template. Needs Elasticsearch 8.19.
        type: dict
"""
