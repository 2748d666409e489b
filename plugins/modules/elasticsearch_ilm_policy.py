#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage ILM policies of Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_ilm_policy
short_description: Manage ILM policies of Elasticsearch
description:
  - Creates, replaces and deletes policies of index lifecycle management.
  - Needs a server with ILM; a reduced distribution has none.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes
  - raylogs.efk._connection
  - raylogs.efk._state
options:
  phases:
    description:
      - The phases V(hot), V(warm), V(cold), V(frozen) and V(delete), each with C(min_age) and C(actions).
      - Required when O(state=present). A misspelt phase is refused before anything is sent.
      - V("True") and V("False") among the options of an action are written as booleans, V(1.0) as V(1).
      - Times and sizes are compared by what they amount to, as Elasticsearch does; V(7d) equals V(168h).
    type: dict
  meta:
    description: Notes of your own, kept with the policy.
    type: dict
    aliases: [_meta]
  deprecated:
    description: Whether Elasticsearch warns about whoever uses this policy. Needs Elasticsearch 8.14.
    type: bool
seealso:
  - module: raylogs.efk.elasticsearch_ilm_policy_info
  - name: ILM policies
    description: What Elastic says about them.
    link: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ilm-put-lifecycle
"""

EXAMPLES = r"""
- name: Roll over each day or at 30 GB, delete after a month
  raylogs.efk.elasticsearch_ilm_policy:
    name: app
    phases:
      hot:
        actions:
          rollover:
            max_age: 1d
            max_primary_shard_size: 30gb
      delete:
        min_age: 30d
        actions:
          delete: {}
  delegate_to: localhost

- name: Remove the policy
  raylogs.efk.elasticsearch_ilm_policy:
    name: app
    state: absent
"""

RETURN = r"""
ilm_policy:
  description: The policy as the server holds it, in check mode as it would be written; null when absent.
  returned: success
  type: dict
  sample:
    name: app
    phases:
      delete:
        min_age: 30d
        actions:
          delete:
            delete_searchable_snapshot: true
"""

from ansible_collections.raylogs.efk.plugins.module_utils._module import run
from ansible_collections.raylogs.efk.plugins.module_utils._objects import ILM_POLICY


def main() -> None:
    """Manage one ILM policy."""
    run(ILM_POLICY)


if __name__ == "__main__":
    main()
