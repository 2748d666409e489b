#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read ILM policies of Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_ilm_policy_info
short_description: Read ILM policies of Elasticsearch
description:
  - Lists ILM policies as the server holds them.
  - Needs a server that has them; a reduced distribution does not.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes.info
  - raylogs.efk._connection
  - raylogs.efk._names
seealso:
  - module: raylogs.efk.elasticsearch_ilm_policy
"""

EXAMPLES = r"""
- name: Read all whose names begin with app
  raylogs.efk.elasticsearch_ilm_policy_info:
    name: [app*]
  register: found
  delegate_to: localhost
"""

RETURN = r"""
ilm_policies:
  description:
    - The ILM policies that match, by name.
    - Each also says C(in_use_by), C(version) and C(modified_date).
  returned: success
  type: list
  elements: dict
  sample:
    - name: app
      phases:
        delete:
          min_age: 30d
          actions:
            delete:
              delete_searchable_snapshot: true
      in_use_by:
        indices: []
        data_streams: []
        composable_templates: []
"""

from ansible_collections.raylogs.efk.plugins.module_utils._module import inform_of
from ansible_collections.raylogs.efk.plugins.module_utils._objects import ILM_POLICY


def main() -> None:
    """List ILM policies."""
    inform_of(ILM_POLICY)


if __name__ == "__main__":
    main()
