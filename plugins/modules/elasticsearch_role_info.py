#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read roles of Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_role_info
short_description: Read roles of Elasticsearch
description:
  - Lists roles as the server holds them, those that are built in among them.
  - Needs the cluster privilege C(read_security), on 7.17 C(manage_security).
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes.info
  - raylogs.efk._connection
  - raylogs.efk._names
seealso:
  - module: raylogs.efk.elasticsearch_role
"""

EXAMPLES = r"""
- name: Read all roles whose names begin with app
  raylogs.efk.elasticsearch_role_info:
    name: [app*]
  register: found
  delegate_to: localhost
"""

RETURN = r"""
roles:
  description: The roles that match, by name.
  returned: success
  type: list
  elements: dict
  sample:
    - name: app-writer
      cluster: [monitor]
      indices:
        - names: [app]
          privileges: [create_doc]
          allow_restricted_indices: false
      applications: []
      run_as: []
      metadata: {}
      transient_metadata:
        enabled: true
"""

from ansible_collections.raylogs.efk.plugins.module_utils._module import inform_of
from ansible_collections.raylogs.efk.plugins.module_utils._roles import ROLE


def main() -> None:
    """List roles."""
    inform_of(ROLE)


if __name__ == "__main__":
    main()
