# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module promises."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the attributes of modules."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Says what would change, reads only.
    support: full
  diff_mode:
    description: Shows the object before and after, in the form the server compares.
    support: full
  idempotent:
    description: Running it again with the same options changes nothing.
    support: full
"""

    INFO = r"""
attributes:
  check_mode:
    description: Reads only, so check mode makes no difference.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: N/A
  idempotent:
    description: Changes nothing.
    support: full
"""
