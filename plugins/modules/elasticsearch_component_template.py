#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage component templates of Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_component_template
short_description: Manage component templates of Elasticsearch
description:
  - Creates, replaces and deletes component templates, the building blocks of index templates.
  - Existing indices do not change; new indices and the next backing index of a data stream get what is written here.
  - O(template) is required when O(state=present).
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes
  - raylogs.efk._connection
  - raylogs.efk._state
  - raylogs.efk._template
  - raylogs.efk._notes
seealso:
  - module: raylogs.efk.elasticsearch_index_template
  - name: Component templates
    description: What Elastic says about them.
    link: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-cluster-put-component-template
"""

EXAMPLES = r"""
- name: Declare the fields of log events
  raylogs.efk.elasticsearch_component_template:
    name: log-fields
    template:
      mappings:
        properties:
          message:
            type: text
          log.level:
            type: keyword
  delegate_to: localhost

- name: Remove the component
  raylogs.efk.elasticsearch_component_template:
    name: log-fields
    state: absent
"""

RETURN = r"""
component_template:
  description: The component template as the server holds it, in check mode as it would be written; null when absent.
  returned: success
  type: dict
  sample:
    name: log-fields
    template:
      mappings:
        properties:
          message:
            type: text
"""

from ansible_collections.raylogs.efk.plugins.module_utils._module import run
from ansible_collections.raylogs.efk.plugins.module_utils._objects import COMPONENT_TEMPLATE


def main() -> None:
    """Manage one component template."""
    run(COMPONENT_TEMPLATE)


if __name__ == "__main__":
    main()
