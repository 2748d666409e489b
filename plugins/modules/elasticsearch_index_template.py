#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage index templates of Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_index_template
short_description: Manage index templates of Elasticsearch
description:
  - Creates, replaces and deletes composable index templates, which say what new indices and data streams look like.
  - Legacy templates (C(_template)) are not touched.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes
  - raylogs.efk._connection
  - raylogs.efk._state
  - raylogs.efk._template
  - raylogs.efk._notes
options:
  index_patterns:
    description: Patterns of the names of indices and data streams. Required when O(state=present).
    type: list
    elements: str
  composed_of:
    description: Component templates, later ones override earlier ones, and O(template) overrides all.
    type: list
    elements: str
  ignore_missing_component_templates:
    description: Those components that need not exist. Needs Elasticsearch 8.7.
    type: list
    elements: str
  priority:
    description: Of several templates that match a name, the one with the highest priority counts.
    type: int
  data_stream:
    description: With this, even if it is V({}), names that match become data streams instead of indices.
    type: dict
    suboptions:
      hidden:
        description: Whether the data streams are hidden from wildcards.
        type: bool
      allow_custom_routing:
        description: Whether documents may choose their shard.
        type: bool
  allow_auto_create:
    description: Whether a document may create its index, whatever the cluster setting C(action.auto_create_index) says.
    type: bool
seealso:
  - module: raylogs.efk.elasticsearch_component_template
  - name: Index templates
    description: What Elastic says about them.
    link: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-indices-put-index-template
"""

EXAMPLES = r"""
- name: Let names that begin with app- become data streams
  raylogs.efk.elasticsearch_index_template:
    name: app
    index_patterns: [app-*]
    priority: 200
    data_stream: {}
    template:
      settings:
        number_of_shards: 1
      lifecycle:
        data_retention: 30d
  delegate_to: localhost

- name: Remove the template
  raylogs.efk.elasticsearch_index_template:
    name: app
    state: absent
"""

RETURN = r"""
index_template:
  description: The index template as the server holds it, in check mode as it would be written; null when absent.
  returned: success
  type: dict
  sample:
    name: app
    index_patterns: [app-*]
    composed_of: []
    priority: 200
"""

from ansible_collections.raylogs.efk.plugins.module_utils._module import run
from ansible_collections.raylogs.efk.plugins.module_utils._objects import INDEX_TEMPLATE


def main() -> None:
    """Manage one index template."""
    run(INDEX_TEMPLATE)


if __name__ == "__main__":
    main()
