#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage many objects of Elasticsearch in one pass."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_content
short_description: Manage many objects of Elasticsearch in one pass
description:
  - Brings cluster settings, ILM policies, ingest pipelines, component templates, index templates and data streams to
    the state that is declared, in the order in which one may need another, over one connection.
  - Each kind of object is read by one request. What equals is not written.
  - What can be known to fail is refused before anything is written. If the server refuses an object midway, those
    before it are written, and the next run goes on from there.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes
  - raylogs.efk._connection
options:
  objects:
    description:
      - The objects. Each has a C(kind), which is the name of its module without C(elasticsearch_), such as
        V(index_template), and the options of that module, such as C(name) and C(state).
      - The order does not matter.
    type: list
    elements: dict
    default: []
  path:
    description:
      - A folder with more objects, on the host that runs the module. Each kind has a folder, such as
        C(index_templates), and each object a file in it, such as C(app.yml), with the options of its module in YAML
        or JSON.
      - The name of an object is that of its file, unless the file says otherwise.
    type: path
  mark:
    description: Notes that each object gets in its C(_meta), if it has one, to tell who owns it. Its own notes win.
    type: dict
    default: {}
  prune:
    description:
      - Whether ILM policies, ingest pipelines and templates that carry the whole O(mark) and are not declared are
        deleted. Nothing is, if one of them is still needed.
      - Data streams, cluster settings and roles are never pruned.
    type: bool
    default: false
  roll_over:
    description:
      - Data streams that get a new index when C(_meta) in the mapping of the index they write to differs from what
        the templates say after this run, so that a new mapping counts from now on. Those that do not exist are skipped.
      - A field that exists is never given another type; that is refused.
    type: list
    elements: str
    default: []
  keep_types:
    description:
      - Indices, or patterns of them such as V(app-*), that are searched together with what the templates will make.
        To give one of their fields another type is refused. The data streams of O(roll_over) need not be named here.
    type: list
    elements: str
    default: []
  unsupported:
    description:
      - What to do about objects of a kind that the server does not have, such as ILM policies on a reduced
        distribution. They are returned in RV(unsupported).
    type: str
    choices: [fail, skip]
    default: fail
  assume_empty:
    description:
      - Whether the server is to be taken for one that is not there yet and holds nothing; no request is sent.
      - For check mode, in a play that would install the server. Refused otherwise.
    type: bool
    default: false
seealso:
  - module: raylogs.efk.elasticsearch_component_template
  - module: raylogs.efk.elasticsearch_index_template
"""

EXAMPLES = r"""
- name: Declare how the events of an application are kept
  raylogs.efk.elasticsearch_content:
    objects:
      - kind: component_template
        name: app-fields
        template:
          mappings:
            _meta:
              schema_version: 1
            properties:
              message:
                type: text
      - kind: index_template
        name: app
        index_patterns: [app]
        composed_of: [app-fields]
        priority: 200
        data_stream: {}
    roll_over: [app]
    mark:
      managed_by: platform-team

- name: Remove what is no longer declared
  raylogs.efk.elasticsearch_content:
    objects: []
    mark:
      managed_by: platform-team
    prune: true
"""

RETURN = r"""
objects:
  description: What was done, or in check mode would be done, about each object, in this order.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the object.
      type: str
      returned: success
      sample: index_template
    name:
      description: Name of the object, empty for cluster settings.
      type: str
      returned: success
      sample: app
    verb:
      description: V(create), V(update), V(delete), V(roll over) or V(none).
      type: str
      returned: success
      sample: create
  sample: [{"kind": "index_template", "name": "app", "verb": "create"}]
unsupported:
  description: Objects that the server cannot hold, and why.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the object.
      type: str
      returned: success
      sample: ilm_policy
    name:
      description: Name of the object.
      type: str
      returned: success
      sample: app
    reason:
      description: What the server lacks.
      type: str
      returned: success
      sample: "Cannot manage objects of the kind ILM policy: http://es1:9200 is Elasticsearch 8.19.0 without ILM: …"
  sample: []
"""

import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils._apply import apply
from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import ELASTICSEARCH
from ansible_collections.raylogs.efk.plugins.module_utils._module import execute

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._api import Options

OPTIONS: Options = {
    "objects": {"type": "list", "elements": "dict", "default": []},
    "path": {"type": "path"},
    "mark": {"type": "dict", "default": {}},
    "prune": {"type": "bool", "default": False},
    "roll_over": {"type": "list", "elements": "str", "default": []},
    "keep_types": {"type": "list", "elements": "str", "default": []},
    "unsupported": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    "assume_empty": {"type": "bool", "default": False},
}


def main() -> None:
    """Manage many objects."""
    execute(ELASTICSEARCH, OPTIONS, apply)


if __name__ == "__main__":
    main()
