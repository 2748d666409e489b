#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start and stop a program that runs in the background without a service manager."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_daemon
short_description: Run a program in the background without a service manager
description:
  - Starts, stops and restarts a program that puts itself in the background and writes a pid file, on hosts without
    systemd or for users who are not root.
  - A pid file whose process is gone, or is another program, is stale and is replaced; such a process never gets a
    signal.
author: [Contributors to the raylogs.efk project (@raylogs)]
options:
  name:
    description: Name of the service, for messages.
    type: str
    required: true
  state:
    description: Whether the program runs, does not run, or is stopped and started.
    type: str
    choices: [started, stopped, restarted]
    default: started
  argv:
    description: The command that starts the program in the background and then returns; needed unless O(state=stopped).
    type: list
    elements: str
  environment:
    description: Environment variables of the program, beside those of this task.
    type: dict
    default: {}
  pid_file:
    description: The file into which the program writes its process id.
    type: path
    required: true
  identity:
    description: Text that the command line of the running program contains.
    type: str
    required: true
  user:
    description: The user who runs the program. Only root may name another user than itself.
    type: str
  chdir:
    description: The folder in which the program is started.
    type: path
  log_file:
    description: The log whose last lines are shown when the program does not start.
    type: path
  timeout:
    description: Seconds within which the program is in the background, or has ended.
    type: int
    default: 180
attributes:
  check_mode:
    description: Says what it would do and does nothing.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
seealso:
  - module: raylogs.efk.host_health_info
  - module: raylogs.efk.host_preflight_info
"""

EXAMPLES = r"""
- name: Start Elasticsearch in the background
  raylogs.efk.host_daemon:
    name: Elasticsearch
    argv: [/opt/elasticsearch/bin/elasticsearch, -d, -p, /run/elasticsearch/elasticsearch.pid]
    environment:
      ES_PATH_CONF: /etc/elasticsearch
    pid_file: /run/elasticsearch/elasticsearch.pid
    identity: org.elasticsearch
    user: elasticsearch

- name: Stop Elasticsearch
  raylogs.efk.host_daemon:
    name: Elasticsearch
    state: stopped
    pid_file: /run/elasticsearch/elasticsearch.pid
    identity: org.elasticsearch
"""

RETURN = r"""
pid:
  description: The process id of the running program.
  returned: when it runs
  type: int
  sample: 4711
stale:
  description: Why the pid file that was found was not believed.
  returned: when it was not
  type: str
  sample: /run/elasticsearch/elasticsearch.pid names process 4711, which is gone
"""

import os
import pathlib
import pwd
import shutil
import signal
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.raylogs.efk.plugins.module_utils._process import PidFile, last_lines, read_pid_file

TIMED_OUT = 124


def start_command(params: dict[str, t.Any], *, root: bool, setpriv: str | None) -> list[str]:
    """Return the command that starts the program as its user and gives up after the timeout."""
    limit = ["timeout", str(params["timeout"])]
    if not root or params["user"] in (None, "root"):
        return [*limit, *params["argv"]]
    if setpriv is None:
        raise FileNotFoundError("The command setpriv is missing. Install the package util-linux.")
    identity = pwd.getpwnam(params["user"])
    drop = [setpriv, f"--reuid={identity.pw_uid}", f"--regid={identity.pw_gid}", "--init-groups", "--"]
    return [*limit, *drop, *params["argv"]]


def explain_start(params: dict[str, t.Any], code: int, output: str) -> str:
    """Say why the program did not start."""
    name = params["name"]
    cause = f"was not ready after {params['timeout']} seconds" if code == TIMED_OUT else f"ended with status {code}"
    log = last_lines(pathlib.Path(params["log_file"])) if params["log_file"] else []
    parts = [f"Cannot start {name}: {' '.join(params['argv'])} {cause}.", output.strip()]
    if log:
        parts += [f"The last lines of {params['log_file']}:", *log]
    return "\n".join(part for part in parts if part)


def stop(pid: int, seconds: int, is_alive: t.Callable[[], bool]) -> bool:
    """Ask a process to end and say whether it did in time."""
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while is_alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def stop_program(module: AnsibleModule, found: PidFile) -> None:
    """Stop the running program, or fail with what to do."""
    params = module.params
    pid_file = pathlib.Path(params["pid_file"])
    try:
        ended = stop(
            t.cast("int", found.pid),
            params["timeout"],
            lambda: read_pid_file(pid_file, params["identity"]).state == "running",
        )
    except PermissionError:
        module.fail_json(
            msg=f"Cannot stop {params['name']}: process {found.pid} belongs to another user. "
            "Run this as root or as that user."
        )
    if not ended:
        module.fail_json(
            msg=f"Cannot stop {params['name']}: process {found.pid} still runs {params['timeout']} seconds after it "
            f"was asked to end. Look at its log, or end it with: kill -9 {found.pid}"
        )
    pid_file.unlink(missing_ok=True)


def start_program(module: AnsibleModule) -> int | None:
    """Start the program and return its process id."""
    params = module.params
    pathlib.Path(params["pid_file"]).unlink(missing_ok=True)
    command = start_command(params, root=os.geteuid() == 0, setpriv=shutil.which("setpriv"))
    code, output, error = module.run_command(
        command, cwd=params["chdir"], environ_update=params["environment"], handle_exceptions=False
    )
    if code:
        module.fail_json(msg=explain_start(params, code, error or output), rc=code)
    found = read_pid_file(pathlib.Path(params["pid_file"]), params["identity"])
    if found.state != "running":
        module.fail_json(msg=explain_start(params, code, f"It is not in the background: {found.reason}."))
    return found.pid


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["started", "stopped", "restarted"], "default": "started"},
            "argv": {"type": "list", "elements": "str"},
            "environment": {"type": "dict", "default": {}},
            "pid_file": {"type": "path", "required": True},
            "identity": {"type": "str", "required": True},
            "user": {"type": "str"},
            "chdir": {"type": "path"},
            "log_file": {"type": "path"},
            "timeout": {"type": "int", "default": 180},
        },
        required_if=[("state", "started", ["argv"]), ("state", "restarted", ["argv"])],
        supports_check_mode=True,
    )
    params = module.params
    found = read_pid_file(pathlib.Path(params["pid_file"]), params["identity"])
    running = found.state == "running"
    result: dict[str, t.Any] = {"stale": found.reason} if found.state == "stale" else {}
    result["changed"] = {"started": not running, "stopped": running, "restarted": True}[params["state"]]
    if running:
        result["pid"] = found.pid
    if module.check_mode or not result["changed"]:
        module.exit_json(**result)
    try:
        if running:
            stop_program(module, found)
            del result["pid"]
        if params["state"] != "stopped":
            result["pid"] = start_program(module)
    except KeyError:
        module.fail_json(
            msg=f"Cannot start {params['name']}: there is no user {params['user']}. Create that user first."
        )
    except OSError as error:
        module.fail_json(msg=f"Cannot bring {params['name']} to the state {params['state']}: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
