#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until a service on this host answers as it should."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_health_info
short_description: Wait until a service on this host answers as it should
description:
  - Asks an address of this host until it answers 200 and, where O(field) is given, until a field of its JSON answer has
    one of the values wanted. It ends as soon as that holds.
  - It fails as soon as the process of O(pid_file) is gone, or O(unit) does not run any more, with the last lines of its
    log.
  - It runs on the host of the service, so it reaches one that listens on the loopback address.
  - It needs no client library. TLS is always verified.
  - A server that was started a few minutes ago is given some seconds in which it may not know its users yet; later,
    it is a failure at once when it refuses the user. So it is when its certificate is not trusted for some seconds.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._host
  - raylogs.efk._host.process
  - raylogs.efk._host.service
options:
  url:
    description: The address to ask. Proxies are not used.
    type: str
    required: true
  field:
    description: Name of a field of the JSON answer.
    type: str
  values:
    description: Values of O(field) that are good enough; needed with O(field).
    type: list
    elements: str
  ca_path:
    description: The certificates of the authorities to trust instead of those of the system.
    type: path
  username:
    description: The user who asks.
    type: str
  password:
    description: The password of O(username).
    type: str
  identity:
    default: ""
  unit:
    description: The systemd unit of the service.
    type: str
attributes:
  check_mode:
    description: In check mode nothing is asked, for the service may not be there yet.
seealso:
  - module: raylogs.efk.host_daemon
"""

EXAMPLES = r"""
- name: Wait until Elasticsearch can take documents
  raylogs.efk.host_health_info:
    name: Elasticsearch
    url: http://127.0.0.1:9200/_cluster/health?wait_for_status=yellow&timeout=5s
    field: status
    values: [yellow, green]
    pid_file: /run/elasticsearch/elasticsearch.pid
    identity: org.elasticsearch

- name: Wait until a server with TLS and users answers
  raylogs.efk.host_health_info:
    name: Elasticsearch
    url: https://127.0.0.1:9200/
    ca_path: /etc/elasticsearch/certs/ca.crt
    username: elastic
    password: "{{ elastic_password }}"
"""

RETURN = r"""
answer:
  description: The last answer, as JSON where it is JSON.
  returned: when it was asked
  type: raw
  sample: {status: green}
seconds:
  description: Seconds waited.
  returned: when it was asked
  type: float
  sample: 0.4
"""

import pathlib
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.raylogs.efk.plugins.module_utils._health import Answer, ask, build_opener
from ansible_collections.raylogs.efk.plugins.module_utils._process import find_remedy, last_lines, read_pid_file

PAUSE = 0.25
ENDED = ("failed", "inactive")
YOUNG = 300
"""Seconds after its start in which a server may still refuse what it accepts later."""
GRACE = 30


def journal(module: AnsibleModule) -> list[str]:
    """Return the last lines of the unit's journal, which has what was said before there was a log."""
    if not module.params["unit"]:
        return []
    command = ["journalctl", "--no-pager", "--output=cat", "--lines=15", f"--unit={module.params['unit']}"]
    lines: list[str] = module.run_command(command)[1].splitlines()
    return lines


def explain(module: AnsibleModule, why: str) -> str:
    """Say what failed, and what the log says."""
    params = module.params
    log = last_lines(pathlib.Path(params["log_file"])) if params["log_file"] else []
    log += journal(module)
    remedy = find_remedy("\n".join([why, *log]), params["remedies"])
    head = f"{params['name']} is not ready at {params['url']}: {why}.{' ' if remedy else ''}{remedy}"
    return "\n".join([head, f"The last lines of {params['log_file']}:", *log] if log else [head])


def why_gone(module: AnsibleModule) -> str:
    """Say why the service will never answer; nothing when it may."""
    if module.params["unit"]:
        command = ["systemctl", "show", "--property=ActiveState", "--value", module.params["unit"]]
        _code, state, _error = module.run_command(command)
        return f"its unit {module.params['unit']} is {state.strip()}" if state.strip() in ENDED else ""
    if not module.params["pid_file"]:
        return ""
    try:
        found = read_pid_file(pathlib.Path(module.params["pid_file"]), module.params["identity"])
    except OSError as error:
        return f"its pid file cannot be read ({error})"
    return "" if found.state == "running" else f"its process is gone ({found.reason})"


def grace(module: AnsibleModule, refused: str) -> int:
    """Return for how many seconds a refusal does not count: new certificates take some, users only after a start."""
    if refused == "certificate" or not module.params["pid_file"]:
        return GRACE
    try:
        found = read_pid_file(pathlib.Path(module.params["pid_file"]), module.params["identity"])
    except OSError:
        return GRACE
    return GRACE if found.state != "running" or time.time() - found.started < YOUNG else 0


def wait(module: AnsibleModule) -> Answer:
    """Ask until the answer is good enough, or fail with what is known.

    :raises OSError: when the authorities cannot be read.
    """
    began, refused_since = time.monotonic(), None
    # An opener that was refused once does not give the user again.
    while not (answer := ask(build_opener(module.params), module.params)).good:
        now = time.monotonic()
        refused_since = (refused_since or now) if answer.refused else None
        if gone := why_gone(module):
            module.fail_json(msg=explain(module, gone))
        if refused_since is not None and now - refused_since >= grace(module, answer.refused):
            module.fail_json(msg=explain(module, answer.words))
        if now - began > module.params["timeout"]:
            module.fail_json(msg=explain(module, f"after {module.params['timeout']} seconds {answer.words}"))
        time.sleep(PAUSE)
    return answer


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "url": {"type": "str", "required": True},
            "ca_path": {"type": "path"},
            "username": {"type": "str"},
            "password": {"type": "str", "no_log": True},
            "field": {"type": "str"},
            "values": {"type": "list", "elements": "str"},
            "pid_file": {"type": "path"},
            "identity": {"type": "str", "default": ""},
            "log_file": {"type": "path"},
            "remedies": {"type": "dict", "default": {}},
            "unit": {"type": "str"},
            "timeout": {"type": "int", "default": 180},
        },
        required_by={"field": ["values"]},
        required_together=[("username", "password")],
        supports_check_mode=True,
    )
    params = module.params
    if not params["url"].startswith(("http://", "https://")):
        module.fail_json(msg=f"The url {params['url']} must begin with http:// or https://.")
    if module.check_mode:
        module.exit_json(changed=False)
    began = time.monotonic()
    try:
        answer = wait(module)
    except OSError as error:
        module.fail_json(
            msg=f"Cannot read the authorities in {params['ca_path']}: {error}. Run as a user who may read that file."
        )
    module.exit_json(changed=False, answer=answer.body, seconds=round(time.monotonic() - began, 1))


if __name__ == "__main__":
    main()
