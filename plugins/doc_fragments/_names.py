# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects of a kind are read."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the option."""

    DOCUMENTATION = r"""
options:
  name:
    description: Names, which may hold C(*) and C(?). What does not exist is not listed.
    type: list
    elements: str
    default: ["*"]
"""
