# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules about the host they run on share."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the attributes of these modules, and of the options that name a service."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Says what it would do and does nothing.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

    SERVICE = r"""
options:
  name:
    description: Name of the service, for messages.
    type: str
    required: true
  log_file:
    description: The log whose last lines are shown when the service does not come up.
    type: path
  timeout:
    description: Seconds after which it is a failure.
    type: int
    default: 180
  remedies:
    description:
      - What to do about known causes, sentences by the regular expression that finds the cause in the log or output.
      - The sentence of the first that is found begins the message; groups of the expression may stand in it.
    type: dict
    default: {}
"""

    PROCESS = r"""
options:
  pid_file:
    description: The file into which the service writes its process id.
    type: path
  identity:
    description:
      - Text that the command line of the service contains.
      - A pid file whose process does not contain it is stale, for process ids are used again.
    type: str
"""
