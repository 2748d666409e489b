#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read about API keys of Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_api_key_info
short_description: Read about API keys of Elasticsearch
description:
  - Lists API keys, which end first before the others. Nothing that is secret is in it.
  - With O(owner=true) the cluster privilege C(manage_own_api_key) is enough; else C(read_security) is needed, on 7.17
    C(manage_api_key).
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes.info
  - raylogs.efk._connection
  - raylogs.efk._names
options:
  owner:
    description: Whether only the keys of the user who asks are listed.
    type: bool
    default: false
  active_only:
    description: Whether keys that have ended or were invalidated are left out.
    type: bool
    default: true
seealso:
  - module: raylogs.efk.elasticsearch_api_key
"""

EXAMPLES = r"""
- name: Find keys that end within a month
  raylogs.efk.elasticsearch_api_key_info:
  register: found
  delegate_to: localhost

- name: Name them
  ansible.builtin.debug:
    msg: "{{ ending | selectattr('days_left', 'lt', 30) | map(attribute='name') }}"
  vars:
    ending: "{{ found.api_keys | rejectattr('days_left', 'none') }}"
"""

RETURN = r"""
api_keys:
  description: The keys that match; times in milliseconds, C(days_left) is null for a key that does not end.
  returned: success
  type: list
  elements: dict
  sample:
    - name: app-writer
      id: 78iKCaIBtwcuw0s3cQ0g
      username: elastic
      realm: reserved
      creation: 1795456397614
      expiration: 1803232397614
      days_left: 89
      metadata: {}
      invalidated: false
      active: true
"""

from ansible_collections.raylogs.efk.plugins.module_utils._api_keys import list_api_keys
from ansible_collections.raylogs.efk.plugins.module_utils._module import inform
from ansible_collections.raylogs.efk.plugins.module_utils._security import SECURITY


def main() -> None:
    """List API keys."""
    names = {"type": "list", "elements": "str", "default": ["*"]}
    flags = {"owner": {"type": "bool", "default": False}, "active_only": {"type": "bool", "default": True}}
    inform(SECURITY, {"name": names, **flags}, list_api_keys)


if __name__ == "__main__":
    main()
