# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of every module that manages one object by name."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of name and state."""

    DOCUMENTATION = r"""
options:
  name:
    description: Name of the object.
    type: str
    required: true
  state:
    description:
      - V(present) makes the object equal to the options; what is not given is removed from it.
      - V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
"""
