#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until a service on this host answers as it should."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_installation_info
short_description: Read what an earlier Elasticsearch left on a host
description:
  - Says what a data folder holds and which version wrote it, from the files alone, and whose a unit of systemd is.
  - It never changes anything.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._host
options:
  data_dir:
    description: The data folder of Elasticsearch.
    type: path
    required: true
  unit:
    description: The name of a unit of systemd.
    type: str
    required: true
  mark:
    description: Text that tells a unit of one's own from the units of others.
    type: str
    required: true
attributes:
  check_mode:
    description: Reads and never changes anything, so check mode makes no difference.
seealso:
  - module: raylogs.efk.host_preflight_info
"""

EXAMPLES = r"""
- name: Look for an earlier Elasticsearch
  raylogs.efk.host_installation_info:
    data_dir: /var/lib/elasticsearch
    unit: elasticsearch.service
    mark: X-Made-By=example
  register: elasticsearch_before
"""

RETURN = r"""
data:
  description: What the data folder holds.
  returned: success
  type: dict
  sample: {state: elasticsearch, version: 8.19.0, entries: [_state, indices, node.lock, nodes]}
  contains:
    state:
      description: V(absent), V(empty), V(elasticsearch), or V(foreign) for files that are not Elasticsearch's.
      returned: always
      type: str
      sample: elasticsearch
    version:
      description: The version that wrote the data last; empty where nothing did.
      returned: always
      type: str
      sample: 8.19.0
    entries:
      description: What stands in the folder.
      returned: always
      type: list
      elements: str
      sample: [_state, indices, node.lock, nodes]
units:
  description: The files of the unit, and whether each carries the mark.
  returned: success
  type: list
  elements: dict
  sample: [{path: /usr/lib/systemd/system/elasticsearch.service, managed: false}]
"""

import pathlib

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.raylogs.efk.plugins.module_utils._installation import find_units, read_data


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "data_dir": {"type": "path", "required": True},
            "unit": {"type": "str", "required": True},
            "mark": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        data = read_data(pathlib.Path(params["data_dir"]))
        units = find_units(params["unit"], params["mark"])
    except OSError as error:
        module.fail_json(msg=f"Cannot look at {params['data_dir']}: {error}. Run as a user who may read it.")
    module.exit_json(changed=False, data=data._asdict(), units=[unit._asdict() for unit in units])


if __name__ == "__main__":
    main()
