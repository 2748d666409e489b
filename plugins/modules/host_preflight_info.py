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
    some paths, how much memory a new process may take, which limits it has, which names cannot be resolved, and what
    time it is.
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
  files:
    description: Files of which to say when they were written.
    type: list
    elements: path
    default: []
  names:
    description: Names of other hosts, of which to say which cannot be resolved.
    type: list
    elements: str
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
    command:
      description: The command line of the running process.
      returned: always
      type: str
      sample: java -Xms4g -cp lib/* org.elasticsearch.server
    memory:
      description: Bytes of memory that the running process holds.
      returned: always
      type: int
      sample: 776994816
    started:
      description: When the running process started, in seconds since 1970.
      returned: always
      type: float
      sample: 1766490117.42
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
modified:
  description: When each file was written, in seconds since 1970, and V(0) where there is none.
  returned: success
  type: dict
  sample: {"/etc/elasticsearch/elasticsearch.yml": 1766490115.07}
available_memory:
  description: Bytes that a new process may take, within the limit of the container where there is one.
  returned: success
  type: int
  sample: 8123453440
total_memory:
  description: Bytes of memory of the host, or the limit of the container where that is less.
  returned: success
  type: int
  sample: 16787333120
limits:
  description: The hard limits of what is started from here, V(-1) for none.
  returned: success
  type: dict
  sample: {nofile: 1048576, nproc: 63432, memlock: 8388608}
service_limits:
  description: How high the first process, which starts the services, may set these limits, V(-1) for any.
  returned: success
  type: dict
  sample: {nofile: -1, nproc: -1, memlock: -1}
max_map_count:
  description: The kernel's vm.max_map_count.
  returned: success
  type: int
  sample: 65530
unresolved:
  description: The names that this host cannot turn into an address, with the reason.
  returned: success
  type: dict
  sample: {es2.example.com: Name or service not known}
time:
  description: What the clock of this host says, in seconds since 1970.
  returned: success
  type: float
  sample: 1766491200.25
"""

import pathlib
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.raylogs.efk.plugins.module_utils._process import (
    PidFile,
    available_memory,
    find_listeners,
    free_bytes,
    kernel_number,
    lowest_port,
    modification_time,
    own_limits,
    read_pid_file,
    service_limits,
    total_memory,
    unresolved,
)


def describe_host(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return all that was asked for."""
    answer: dict[str, t.Any] = {
        "listeners": [listener._asdict() for listener in find_listeners(params["ports"])],
        "lowest_port": lowest_port(),
        "free_bytes": {path: free_bytes(pathlib.Path(path)) for path in params["paths"]},
        "modified": {path: modification_time(pathlib.Path(path)) for path in params["files"]},
        "available_memory": available_memory(),
        "total_memory": total_memory(),
        "limits": own_limits(),
        "service_limits": service_limits(),
        "max_map_count": kernel_number("vm.max_map_count"),
        "unresolved": unresolved(params["names"]),
        "time": time.time(),
    }
    if params["pid_file"]:
        answer["process"] = read_pid_file(pathlib.Path(params["pid_file"]), params["identity"])._asdict()
    else:
        answer["process"] = PidFile("absent", None, "no pid file was named")._asdict()
    return answer


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "pid_file": {"type": "path"},
            "identity": {"type": "str", "default": ""},
            "ports": {"type": "list", "elements": "int", "default": []},
            "paths": {"type": "list", "elements": "path", "default": []},
            "files": {"type": "list", "elements": "path", "default": []},
            "names": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(changed=False, **describe_host(module.params))
    except OSError as error:
        module.fail_json(msg=f"Cannot look at this host: {error}. Run as a user who may read that path.")


if __name__ == "__main__":
    main()
