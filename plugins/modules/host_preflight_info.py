#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what a service needs to know of a host before it starts."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_preflight_info
short_description: Read what a service needs to know of a host before it starts
description:
  - Reads in one go whether a pid file tells the truth, who listens on some ports, how many bytes are free at
    some paths, and how much memory a new process may take.
  - It needs nothing but Linux' C(/proc), no C(ss), C(lsof) or C(df).
  - It never changes anything.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._host
  - raylogs.efk._host.process
options:
  identity:
    default: ""
  ports:
    description: TCP ports of which to say who listens on them.
    type: list
    elements: int
    default: []
  paths:
    description: Paths of which to say how many bytes are free; a path that does not exist counts as its nearest parent.
    type: list
    elements: path
    default: []
attributes:
  check_mode:
    description: Reads and never changes anything, so check mode makes no difference.
seealso:
  - module: raylogs.efk.host_daemon
"""

EXAMPLES = r"""
- name: Look at the host before Elasticsearch starts
  raylogs.efk.host_preflight_info:
    pid_file: /run/elasticsearch/elasticsearch.pid
    identity: org.elasticsearch
    ports: [9200]
    paths: [/var/lib/elasticsearch]
  register: elasticsearch_host

- name: Check that the port is free
  ansible.builtin.assert:
    that: elasticsearch_host.process.state == 'running' or elasticsearch_host.listeners | length == 0
"""

RETURN = r"""
process:
  description: What the pid file says, and whether it is true.
  returned: success
  type: dict
  sample: {state: stale, pid: 4711, reason: "/run/es.pid names process 4711, which is gone"}
  contains:
    state:
      description: V(absent) without a pid file, V(running), or V(stale) when the process is gone or another program.
      returned: always
      type: str
      sample: running
    pid:
      description: The process id in the file.
      returned: when the file holds one
      type: int
      sample: 4711
    reason:
      description: Why the state is not V(running).
      returned: always
      type: str
      sample: ""
listeners:
  description: Who listens on the ports. The process is known where this user may look at it.
  returned: success
  type: list
  elements: dict
  sample: [{port: 9200, address: 127.0.0.1, pid: 812, process: java, user: elasticsearch}]
lowest_port:
  description: The lowest port on which a program without root's rights may listen.
  returned: success
  type: int
  sample: 1024
free_bytes:
  description: Bytes that an ordinary user may still write at each path.
  returned: success
  type: dict
  sample: {"/var/lib/elasticsearch": 52613349376}
available_memory:
  description: Bytes that a new process may take, within the limit of the container where there is one.
  returned: success
  type: int
  sample: 8123453440
total_memory:
  description: Bytes of memory of the host.
  returned: success
  type: int
  sample: 16787333120
"""

import pathlib
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.raylogs.efk.plugins.module_utils._process import (
    available_memory,
    find_listeners,
    free_bytes,
    lowest_port,
    read_pid_file,
    total_memory,
)


def describe_host(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return all that was asked for."""
    answer: dict[str, t.Any] = {
        "listeners": [listener._asdict() for listener in find_listeners(params["ports"])],
        "lowest_port": lowest_port(),
        "free_bytes": {path: free_bytes(pathlib.Path(path)) for path in params["paths"]},
        "available_memory": available_memory(),
        "total_memory": total_memory(),
    }
    if params["pid_file"]:
        answer["process"] = read_pid_file(pathlib.Path(params["pid_file"]), params["identity"])._asdict()
    else:
        answer["process"] = {"state": "absent", "pid": None, "reason": "no pid file was named"}
    return answer


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "pid_file": {"type": "path"},
            "identity": {"type": "str", "default": ""},
            "ports": {"type": "list", "elements": "int", "default": []},
            "paths": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(changed=False, **describe_host(module.params))
    except OSError as error:
        module.fail_json(msg=f"Cannot look at this host: {error}. Run as a user who may read that path.")


if __name__ == "__main__":
    main()
