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
extends_documentation_fragment:
  - raylogs.efk._host
  - raylogs.efk._host.process
  - raylogs.efk._host.service
options:
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
    required: true
  identity:
    required: true
  user:
    description: The user who runs the program. Only root may name another user than itself.
    type: str
  chdir:
    description: The folder in which the program is started.
    type: path
  timeout:
    description: Seconds within which the program is in the background, or has ended.
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

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.raylogs.efk.plugins.module_utils._process import (
    PidFile,
    find_remedy,
    is_running,
    last_lines,
    read_pid_file,
    runs_somewhere,
)

TIMED_OUT = 124
PAUSE = 0.1
GRACE = 2
"""Seconds in which a program that was put into the background may not be seen yet."""


class StartError(Exception):
    """The program cannot be started; the text says why and what to do."""


def start_command(params: dict[str, t.Any], *, uid: int, setpriv: str | None) -> list[str]:
    """Return the command that starts the program as its user and gives up after the timeout.

    uid: the user who runs this.

    :raises StartError: when the program cannot be started as that user.
    """
    limit = ["timeout", str(params["timeout"])]
    if params["user"] is None:
        return [*limit, *params["argv"]]
    try:
        identity = pwd.getpwnam(params["user"])
    except KeyError:
        raise StartError(f"there is no user {params['user']}. Create that user first.") from None
    if identity.pw_uid == uid:
        return [*limit, *params["argv"]]
    if uid != 0:
        raise StartError(f"only root may start it as {params['user']}. Run this as root or as that user.")
    if setpriv is None:
        raise StartError("the command setpriv is missing. Install the package util-linux.")
    drop = [setpriv, f"--reuid={identity.pw_uid}", f"--regid={identity.pw_gid}", "--init-groups", "--"]
    return [*limit, *drop, *params["argv"]]


def explain_start(params: dict[str, t.Any], code: int, output: str) -> str:
    """Say why the program did not start."""
    name = params["name"]
    cause = f"was not ready after {params['timeout']} seconds" if code == TIMED_OUT else f"ended with status {code}"
    log = last_lines(pathlib.Path(params["log_file"])) if params["log_file"] else []
    remedy = find_remedy("\n".join([*log, output]), params["remedies"])
    head = [f"Cannot start {name}: {remedy}"] if remedy else []
    parts = [*head, f"{'' if head else f'Cannot start {name}: '}{' '.join(params['argv'])} {cause}.", output.strip()]
    if log:
        parts += [f"The last lines of {params['log_file']}:", *log]
    return "\n".join(part for part in parts if part)


def stop(pid: int, seconds: int, is_alive: t.Callable[[], bool]) -> bool:
    """Ask a process to end and say whether it did in time."""
    with contextlib.suppress(ProcessLookupError):
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
    pid = t.cast("int", found.pid)
    try:
        # A server removes its pid file when it begins to end, not when it has ended.
        ended = stop(pid, params["timeout"], lambda: is_running(pid, params["identity"]))
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


def wait_for_pid_file(pid_file: pathlib.Path, identity: str, seconds: int) -> PidFile:
    """Return what the pid file says, which some programs write only after the command that starts them returned."""
    deadline = time.monotonic() + seconds
    grace = time.monotonic() + GRACE
    while True:
        found = read_pid_file(pid_file, identity)
        now = time.monotonic()
        if found.state == "running" or now > deadline or (now > grace and not runs_somewhere(identity)):
            return found
        time.sleep(PAUSE)


def start_program(module: AnsibleModule, command: list[str]) -> int | None:
    """Start the program and return its process id."""
    params = module.params
    pathlib.Path(params["pid_file"]).unlink(missing_ok=True)
    code, output, error = module.run_command(
        command,
        cwd=params["chdir"],
        environ_update=params["environment"],
        handle_exceptions=False,
        ignore_invalid_cwd=False,
    )
    if code:
        module.fail_json(msg=explain_start(params, code, error or output), rc=code)
    found = wait_for_pid_file(pathlib.Path(params["pid_file"]), params["identity"], params["timeout"])
    if found.state != "running":
        module.fail_json(msg=explain_start(params, code, f"It is not in the background: {found.reason}."))
    return found.pid


def bring_to_state(module: AnsibleModule) -> dict[str, t.Any]:
    """Start or stop the program where it must be, and return what the module returns.

    :raises StartError: when it cannot be started; then a running one was left alone.
    :raises OSError: when a file or a process cannot be touched.
    """
    params = module.params
    found = read_pid_file(pathlib.Path(params["pid_file"]), params["identity"])
    running = found.state == "running"
    result: dict[str, t.Any] = {"stale": found.reason} if found.state == "stale" else {}
    result["changed"] = {"started": not running, "stopped": running, "restarted": True}[params["state"]]
    if running:
        result["pid"] = found.pid
    if module.check_mode or not result["changed"]:
        return result
    starts = params["state"] != "stopped"
    command = start_command(params, uid=os.geteuid(), setpriv=shutil.which("setpriv")) if starts else []
    if running:
        stop_program(module, found)
        del result["pid"]
    if starts:
        result["pid"] = start_program(module, command)
    return result


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
            "remedies": {"type": "dict", "default": {}},
            "timeout": {"type": "int", "default": 180},
        },
        required_if=[("state", "started", ["argv"]), ("state", "restarted", ["argv"])],
        supports_check_mode=True,
    )
    try:
        module.exit_json(**bring_to_state(module))
    except StartError as error:
        module.fail_json(msg=f"Cannot start {module.params['name']}: {error}")
    except OSError as error:
        module.fail_json(
            msg=f"Cannot bring {module.params['name']} to the state {module.params['state']}: {error}. "
            "Run as a user who may do that."
        )


if __name__ == "__main__":
    main()
