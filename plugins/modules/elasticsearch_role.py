#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage roles of Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_role
short_description: Manage roles of Elasticsearch
description:
  - Creates, replaces and deletes roles, which say what users may do.
  - A privilege that the server does not know, and rights on nothing, are refused before anything is written, in check
    mode, too.
  - A name has at most 507 letters without accents, digits and signs of ASCII.
  - Roles that are built into Elasticsearch are left alone.
  - Needs the cluster privilege C(manage_security), and a full distribution of Elasticsearch.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes
  - raylogs.efk._connection
  - raylogs.efk._state
options:
  cluster:
    description: Privileges on the cluster, such as V(monitor).
    type: list
    elements: str
  indices:
    description: Rights on indices, data streams and aliases. The order does not matter.
    type: list
    elements: dict
    suboptions:
      names:
        description: Names, which may hold C(*) and C(?), or regular expressions between slashes.
        type: list
        elements: str
        required: true
      privileges:
        description: Privileges on these, such as V(create_doc) or V(read).
        type: list
        elements: str
        required: true
      query:
        description: Which documents are meant, as a query in JSON or as a dictionary. Needs a licence that covers it.
        type: raw
      field_security:
        description: Which fields are meant. Needs a licence that covers it.
        type: dict
        suboptions:
          grant:
            description: Fields that are, which may hold C(*).
            type: list
            elements: str
          except:
            description: Fields among those that are not.
            type: list
            elements: str
      allow_restricted_indices:
        description: Whether the names may mean indices that Elasticsearch keeps for itself.
        type: bool
  applications:
    description: Rights in applications such as Kibana.
    type: list
    elements: dict
    suboptions:
      application:
        description: Name of the application.
        type: str
        required: true
      privileges:
        description: Privileges of the application.
        type: list
        elements: str
        required: true
      resources:
        description: What they are for, V(*) for everything.
        type: list
        elements: str
        required: true
  run_as:
    description: Users whose name the owner of the role may act in.
    type: list
    elements: str
  metadata:
    description: Notes of your own, kept with the role. Names that begin with C(_) are reserved.
    type: dict
  description:
    description: What the role is for. Needs Elasticsearch 8.15.
    type: str
seealso:
  - module: raylogs.efk.elasticsearch_role_info
  - module: raylogs.efk.elasticsearch_user
  - name: Privileges
    description: What Elastic says about them.
    link: https://www.elastic.co/docs/reference/elasticsearch/security-privileges
"""

EXAMPLES = r"""
- name: Let whoever has the role add events to one stream, and nothing else
  raylogs.efk.elasticsearch_role:
    name: app-writer
    cluster: [monitor]
    indices:
      - names: [app]
        privileges: [create_doc]
  delegate_to: localhost

- name: Remove the role
  raylogs.efk.elasticsearch_role:
    name: app-writer
    state: absent
"""

RETURN = r"""
role:
  description: The role as the server holds it, in check mode as it would be written; null when absent.
  returned: success
  type: dict
  sample:
    name: app-writer
    cluster: [monitor]
    indices:
      - names: [app]
        privileges: [create_doc]
        allow_restricted_indices: false
    applications: []
    run_as: []
    metadata: {}
"""

from ansible_collections.raylogs.efk.plugins.module_utils._module import run
from ansible_collections.raylogs.efk.plugins.module_utils._roles import ROLE


def main() -> None:
    """Manage one role."""
    run(ROLE)


if __name__ == "__main__":
    main()
