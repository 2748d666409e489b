#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read index templates of Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_index_template_info
short_description: Read index templates of Elasticsearch
description:
  - Lists index templates as the server holds them.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes.info
  - raylogs.efk._connection
  - raylogs.efk._names
seealso:
  - module: raylogs.efk.elasticsearch_index_template
"""

EXAMPLES = r"""
- name: Read all whose names begin with app
  raylogs.efk.elasticsearch_index_template_info:
    name: [app*]
  register: found
  delegate_to: localhost
"""

RETURN = r"""
index_templates:
  description: The index templates that match, by name.
  returned: success
  type: list
  elements: dict
  sample:
    - name: app
      index_patterns: [app-*]
      composed_of: []
"""

from ansible_collections.raylogs.efk.plugins.module_utils._module import inform_of
from ansible_collections.raylogs.efk.plugins.module_utils._objects import INDEX_TEMPLATE


def main() -> None:
    """List index templates."""
    inform_of(INDEX_TEMPLATE)


if __name__ == "__main__":
    main()
