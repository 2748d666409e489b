# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look for secrets wherever others may look while Ansible runs: output, logs, process list, files."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import typing as t
from pathlib import Path

from tests.integration.conftest import run_playbook
from tests.secrets_of_servers import reach

if t.TYPE_CHECKING:
    import pytest

    from tests.elasticsearch_server import Secured

NAME = "raylogs-test"
FIRST, SECOND = "correct-horse-battery-1", "Staple+9-horse-correct"
SECONDS_BETWEEN_LOOKS = 0.02


class Watch:
    """Collect the command lines of all processes while a block runs."""

    def __init__(self) -> None:
        """Begin with none."""
        self.seen: set[bytes] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> t.Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop looking."""
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        """Look at all processes again and again."""
        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    self.seen.add(process.read_bytes())


def plays(folder: Path) -> list[dict[str, t.Any]]:
    """Write a play that makes, changes, repeats and fails, and registers what it may."""
    module = "raylogs.efk.elasticsearch_"
    user = {"name": NAME, "roles": ["viewer"], "user_password": "{{ first }}"}
    rights = {"a": {"cluster": ["monitor"]}}
    key = {"name": NAME, "path": str(folder / "keys" / "key"), "role_descriptors": rights}
    token = {"name": NAME, "path": str(folder / "keys" / "token")}
    changed = {**user, "user_password": "{{ second }}", "update_password": "always"}
    tasks: list[dict[str, t.Any]] = [
        {"name": "foretell the user", f"{module}user": user, "check_mode": True},
        {"name": "make the user", f"{module}user": user, "register": "user"},
        {"name": "change the password", f"{module}user": changed},
        {"name": "make the key", f"{module}api_key": key, "register": "key"},
        {"name": "make another key", f"{module}api_key": {**key, "expiration": "9d", "invalidate_others": True}},
        {"name": "make the token", f"{module}service_token": token, "register": "token"},
        {"name": "repeat the token", f"{module}service_token": token},
        {"name": "show", "ansible.builtin.debug": {"msg": "{{ user }} {{ key }} {{ token }}"}},
        {"name": "fail", f"{module}user": {**user, "user_password": f"{NAME}-first"}, "ignore_errors": True},
        {"name": "list users", f"{module}user_info": {}},
        {"name": "list keys", f"{module}api_key_info": {"active_only": False}},
    ]
    defaults = {"group/raylogs.efk.elasticsearch": "{{ connection }}"}
    start = {"hosts": "localhost", "gather_facts": False, "vars_files": [str(folder / "vault.json")]}
    return [{**start, "module_defaults": defaults, "tasks": tasks}]


def removal() -> list[dict[str, t.Any]]:
    """Write the tasks that remove everything."""
    return [
        {"name": f"remove the {kind}", f"raylogs.efk.elasticsearch_{kind}": {"name": NAME, "state": "absent"}}
        for kind in ("user", "api_key", "service_token")
    ]


def test_no_secret_is_seen_by_others(secured: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault, log, playbook = tmp_path / "vault.json", tmp_path / "ansible.log", tmp_path / "play.yml"
    vault.touch(0o600)
    vault.write_text(json.dumps({"connection": reach(secured), "first": FIRST, "second": SECOND}))
    written = plays(tmp_path)
    playbook.write_text(json.dumps(written))
    monkeypatch.setenv("ANSIBLE_LOG_PATH", str(log))
    remote = tmp_path / "remote"
    monkeypatch.setenv("ANSIBLE_REMOTE_TEMP", str(remote))
    # Modules go through files, with a command line for each, rather than through a pipe.
    monkeypatch.setenv("ANSIBLE_PIPELINING", "false")
    with Watch() as watch:
        printed = run_playbook("-vvv", "--diff", str(playbook), callback="ansible.builtin.default")
    key, token = ((tmp_path / "keys" / name).read_text().strip() for name in ("key", "token"))
    (tmp_path / "end.yml").write_text(json.dumps([{**written[0], "tasks": removal()}]))
    ended = run_playbook("-vvv", "--diff", str(tmp_path / "end.yml"), callback="ansible.builtin.default")

    plain_key = base64.b64decode(key).decode().partition(":")[2]
    basic = base64.b64encode(f"elastic:{secured.password}".encode()).decode()
    secrets = [secured.password, basic, FIRST, SECOND, key, plain_key, token]
    assert "failed=0 " in printed, printed
    assert printed.count("set by this run") >= 3
    assert ended.count("changed: [localhost]") == 3
    commands = b"\n".join(watch.seen).decode(errors="replace")
    assert "AnsiballZ_elasticsearch_api_key" in commands
    places = {"output": printed + ended, "log": log.read_text(), "process list": commands}
    places |= {str(file): file.read_text(errors="replace") for file in remote.rglob("*") if file.is_file()}
    assert [(place, secret) for place, text in places.items() for secret in secrets if secret in text] == []
    files = {file: oct(file.stat().st_mode & 0o777) for file in (tmp_path / "keys").rglob("*")}
    assert {file.name: mode for file, mode in files.items()} == {"key": "0o600", "token": "0o600"}
    assert oct((tmp_path / "keys").stat().st_mode & 0o777) == "0o700"
