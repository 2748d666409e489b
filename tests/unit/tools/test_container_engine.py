# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of how a container engine is found, started and cleared away."""

from __future__ import annotations

from pathlib import Path

import container_engine
import pytest
from container_engine import Engine, EngineError, command_line, find, last_error, mounts_below, running_pid, start

LOG = """\
time="2026-11-23T14:27:40Z" level=info msg="Starting up"
failed to start daemon: Devices cgroup isn't mounted

time="2026-11-23T14:27:41Z" level=info msg="stopped"
"""


def program(path: Path, *lines: str) -> None:
    """Write a shell script."""
    path.write_text("\n".join(["#!/bin/sh", *lines]))
    path.chmod(0o755)


@pytest.fixture(name="lame")
def engine_that_cannot_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put first in PATH a dockerd that dies and a client that reaches nobody; keep all state in a folder."""
    for name in ("state", "run"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(container_engine, name.upper(), tmp_path / name)
    monkeypatch.setattr(container_engine, "LOG", tmp_path / "state" / "engine.log")
    monkeypatch.setattr(container_engine, "PID_FILE", tmp_path / "run" / "docker.pid")
    program(tmp_path / "dockerd", f"cat <<'END'\n{LOG}END", "exit 3")
    program(tmp_path / "docker", "exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    return tmp_path


def test_all_of_our_engine_is_in_its_two_folders() -> None:
    paths = [word.removeprefix("unix://") for word in command_line(Path("/data"), Path("/run/x")) if "/" in word]
    assert paths == ["/data", "/run/x/exec", "/run/x/docker.pid", "/run/x/docker.sock"]


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        pytest.param(LOG, "failed to start daemon: Devices cgroup isn't mounted", id="progress is no error"),
        pytest.param("", "nothing", id="empty log"),
    ],
)
def test_last_error(log: str, expected: str) -> None:
    assert last_error(log) == expected


@pytest.mark.parametrize(
    ("text", "command", "expected"),
    [
        pytest.param("7", "dockerd\0--pidfile\0{pid_file}\0", 7, id="our engine"),
        pytest.param("7", "dockerd\0--pidfile\0/var/run/docker.pid\0", None, id="another engine has the number now"),
        pytest.param("8", "dockerd\0--pidfile\0{pid_file}\0", None, id="no such process"),
        pytest.param("", "dockerd\0--pidfile\0{pid_file}\0", None, id="empty pid file"),
    ],
)
def test_running_pid(tmp_path: Path, text: str, command: str, expected: int | None) -> None:
    pid_file = tmp_path / "docker.pid"
    pid_file.write_text(text)
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "cmdline").write_text(command.format(pid_file=pid_file))
    assert running_pid(pid_file, tmp_path) == expected


def test_mounts_are_undone_from_the_deepest_up() -> None:
    table = "tmpfs /run tmpfs rw 0 0\nx /run/a/b x rw 0 0\nx /run/a/b/c x rw 0 0\nx /run/ab x rw 0 0\n"
    assert mounts_below(Path("/run/a"), table) == ["/run/a/b/c", "/run/a/b"]


def test_named_engine_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/none.sock"
    with pytest.raises(EngineError, match=rf"^Cannot reach the container engine: DOCKER_HOST={address}: .+ unset that"):
        find({"DOCKER_HOST": address})


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param({"DOCKER_HOST": "tcp://engine:2376"}, Engine("tcp://engine:2376", own=False), id="named"),
        pytest.param({"DOCKER_HOST": container_engine.ADDRESS}, container_engine.OWN, id="our own, named"),
        pytest.param({}, container_engine.OWN, id="our own before that of the host"),
    ],
)
def test_engine_that_answers_is_used(lame: Path, environment: dict[str, str], expected: Engine) -> None:
    program(lame / "docker", "exit 0")
    assert find(environment) == expected


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        pytest.param(
            0,
            "Cannot start a container engine: dockerd ended with 3 (log: {lame}/state/engine.log): failed to start "
            "daemon: Devices cgroup isn't mounted. It needs root, the capability SYS_ADMIN, control groups and a file "
            "system that overlayfs accepts. Or set DOCKER_HOST to an engine that answers.",
            id="dockerd dies",
        ),
        pytest.param(
            1000,
            "Cannot start a container engine: no engine answers, and dockerd needs root. Run this as root. "
            "Or set DOCKER_HOST to an engine that answers.",
            id="not root",
        ),
    ],
)
def test_engine_that_cannot_start_fails_with_one_message(
    lame: Path, monkeypatch: pytest.MonkeyPatch, user: int, expected: str
) -> None:
    said: list[str] = []
    monkeypatch.setattr("os.geteuid", lambda: user)
    with pytest.raises(EngineError) as error:
        start(said.append)
    assert str(error.value) == expected.format(lame=lame)
    assert not any("runs at" in line for line in said)
