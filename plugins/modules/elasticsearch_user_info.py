#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read users of Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_user_info
short_description: Read users of Elasticsearch
description:
  - Lists users of the native realm, and those that are built in, as the server describes them, without passwords.
  - Needs the cluster privilege C(read_security), on 7.17 C(manage_security).
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes.info
  - raylogs.efk._connection
  - raylogs.efk._names
seealso:
  - module: raylogs.efk.elasticsearch_user
"""

EXAMPLES = r"""
- name: Read all users
  raylogs.efk.elasticsearch_user_info:
  register: found
  delegate_to: localhost
"""

RETURN = r"""
users:
  description: The users that match, by name.
  returned: success
  type: list
  elements: dict
  sample:
    - name: ada
      username: ada
      roles: [app-reader]
      full_name: Ada Lovelace
      email: null
      metadata: {}
      enabled: true
"""

from ansible_collections.raylogs.efk.plugins.module_utils._module import inform_of
from ansible_collections.raylogs.efk.plugins.module_utils._users import USER


def main() -> None:
    """List users."""
    inform_of(USER)


if __name__ == "__main__":
    main()
