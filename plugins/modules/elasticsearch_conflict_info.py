#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read which objects of others stand in the way of templates."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_conflict_info
short_description: Read which objects of others stand in the way of templates
description:
  - Lists the templates, indices, data streams and aliases under a prefix that somebody else made, before templates and
    data streams with that prefix are written.
  - What carries the mark of O(mark) in its C(_meta) is ours. For indices, that is the C(_meta) of their mappings.
  - An index template of others is a conflict when it has one of our names, or when it may match one of
    O(index_patterns) and either its priority is not below O(priority) or its pattern begins with O(prefix).
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes.info
  - raylogs.efk._connection
options:
  prefix:
    description: What all our names begin with; indices, data streams and aliases that begin so are looked at.
    type: str
    required: true
  index_patterns:
    description: Names of our data streams, or patterns of the names of our indices; C(*) stands for any characters.
    type: list
    elements: str
    required: true
  index_templates:
    description: Names of our index templates.
    type: list
    elements: str
    default: []
  component_templates:
    description: Names of our component templates.
    type: list
    elements: str
    default: []
  priority:
    description: Priority of our index templates.
    type: int
    required: true
  mark:
    description: What the C(_meta) of our objects holds, maybe among other things.
    type: dict
    required: true
  tolerated:
    description: Names or patterns of indices and data streams of others which may stay beside ours under O(prefix).
    type: list
    elements: str
    default: []
seealso:
  - module: raylogs.efk.elasticsearch_index_template
"""

EXAMPLES = r"""
- name: Look for objects of others
  raylogs.efk.elasticsearch_conflict_info:
    prefix: app-
    index_patterns: [app-web, app-batch]
    index_templates: [app-web, app-batch]
    priority: 500
    mark:
      managed_by: us
  delegate_to: localhost
  register: found

- name: Stop when there are any
  ansible.builtin.assert:
    that: not found.conflicts
    fail_msg: "{{ found.conflicts | map(attribute='message') | join(' ') }}"
    quiet: true
"""

RETURN = r"""
conflicts:
  description: What is in the way.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: V(index template), V(component template), V(index), V(data stream) or V(alias).
      type: str
      returned: success
    name: {description: Its name., type: str, returned: success}
    message: {description: What it is and why it is in the way., type: str, returned: success}
    fix: {description: How it may get out of the way., type: str, returned: success}
  sample:
    - kind: index
      name: app-web
      message: The index 'app-web' has a name that is to be ours, but our templates did not make it.
      fix: Reindex it under another name and delete it, or choose another prefix.
data_streams:
  description: Names of all data streams under the prefix, whoever made them.
  returned: success
  type: list
  elements: str
  sample: [app-web]
"""

import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils._api import Request, path_to
from ansible_collections.raylogs.efk.plugins.module_utils._conflicts import (
    Claim,
    component_template_conflicts,
    index_conflicts,
    index_template_conflicts,
)
from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import ELASTICSEARCH, Connection, call
from ansible_collections.raylogs.efk.plugins.module_utils._module import inform

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, Options, Params

OPTIONS: Options = {
    "prefix": {"type": "str", "required": True},
    "index_patterns": {"type": "list", "elements": "str", "required": True},
    "index_templates": {"type": "list", "elements": "str", "default": []},
    "component_templates": {"type": "list", "elements": "str", "default": []},
    "priority": {"type": "int", "required": True},
    "mark": {"type": "dict", "required": True},
    "tolerated": {"type": "list", "elements": "str", "default": []},
}


def ask(connection: Connection, path: str) -> t.Any:
    """Send one reading request."""
    return call(connection, Request("Cannot look for objects of others", "GET", path))


def read_conflicts(connection: Connection, params: Params) -> Body:
    """Gather what stands in the way."""
    claim = Claim(**{name: params[name] for name in Claim._fields})
    under = path_to("{name}*", claim.prefix)
    resolved = ask(connection, f"/_resolve/index/{under}?expand_wildcards=all")
    mappings = ask(connection, f"/{under}/_mapping?expand_wildcards=all&filter_path=*.mappings._meta")
    conflicts = [
        *component_template_conflicts(ask(connection, "/_component_template"), claim),
        *index_template_conflicts(ask(connection, "/_index_template"), claim),
        *index_conflicts(resolved, mappings, claim),
    ]
    return {
        "conflicts": [
            {"kind": kind, "name": name, "message": f"The {kind} '{name}' {reason}.", "fix": fix}
            for kind, name, reason, fix in conflicts
        ],
        "data_streams": [stream["name"] for stream in resolved["data_streams"]],
    }


def main() -> None:
    """Read the conflicts of one claim."""
    inform(ELASTICSEARCH, OPTIONS, read_conflicts)


if __name__ == "__main__":
    main()
