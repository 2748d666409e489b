# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes that several kinds of objects may carry."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of these options."""

    DOCUMENTATION = r"""
options:
  version:
    description: A number of your own; Elasticsearch does nothing with it.
    type: int
  meta:
    description: Notes of your own, kept with the object.
    type: dict
    aliases: [_meta]
  deprecated:
    description: Whether Elasticsearch warns about whoever uses this object. Needs Elasticsearch 8.12; pipelines 8.14.
    type: bool
"""
