# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service needs to know of this host."""

from __future__ import annotations

import os
import socket
import time
import typing as t

import pytest

if t.TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Run

A_WHILE = 60


@pytest.mark.parametrize("check", [False, True])
def test_the_host_is_described(tmp_path: Path, run: Run, *, check: bool) -> None:
    pid_file, missing = tmp_path / "pid", tmp_path / "not/there/yet"
    pid_file.write_text(str(os.getpid()))
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        options = {"pid_file": str(pid_file), "ports": [port], "paths": [str(missing), "/proc"], "names": ["localhost"]}
        found = run("host_preflight_info", check=check, **options)
    assert not found["changed"]
    assert {name: found["process"][name] for name in ("state", "pid", "reason")} == {
        "state": "running",
        "pid": os.getpid(),
        "reason": "",
    }
    assert "python" in found["process"]["command"]
    assert found["process"]["memory"] > 0
    assert found["unresolved"] == {}
    assert abs(found["time"] - time.time()) < A_WHILE
    assert set(found["limits"]) == set(found["service_limits"]) == {"nofile", "nproc", "memlock"}
    assert [(one["port"], one["address"], one["pid"]) for one in found["listeners"]] == [
        (port, "127.0.0.1", os.getpid())
    ]
    assert found["free_bytes"][str(missing)] > 0
    assert found["free_bytes"]["/proc"] == 0
    assert 0 < found["available_memory"] <= found["total_memory"]
    assert not missing.parent.exists()


def test_a_stale_pid_file_and_none(tmp_path: Path, run: Run) -> None:
    pid_file = tmp_path / "pid"
    pid_file.write_text(str(os.getpid()))
    stale = run("host_preflight_info", pid_file=str(pid_file), identity="org.elasticsearch")["process"]
    assert (stale["state"], stale["pid"]) == ("stale", os.getpid())
    assert run("host_preflight_info")["process"]["state"] == "absent"


def test_what_cannot_be_read_is_named(tmp_path: Path, run: Run) -> None:
    assert f"Is a directory: '{tmp_path}'" in run("host_preflight_info", pid_file=str(tmp_path))["msg"]
