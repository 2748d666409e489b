# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start and stop programs that put themselves in the background."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.raylogs.efk.plugins.modules import host_daemon

if t.TYPE_CHECKING:
    from tests.integration.conftest import Run

# Tells its journal when it begins and ends. Like Elasticsearch, it removes its pid file before it has ended.
PROGRAM = """
import os, pathlib, signal, sys, time
folder, manner = pathlib.Path(sys.argv[1]), sys.argv[2]
pid_file, journal = folder / "pid", (folder / "journal").open("a")
print("the configuration is", manner, flush=True)
if manner == "bad":
    sys.exit(3)
if manner == "slow":
    time.sleep(60)
if manner == "forgetful" or os.fork():
    while manner != "forgetful" and not pid_file.exists():
        time.sleep(0.01)
    os._exit(0)
os.setsid()
for stream in (0, 1, 2):
    os.dup2(os.open(os.devnull, os.O_RDWR), stream)
def end(number, frame):
    pid_file.unlink()
    time.sleep(0.5)
    print("ended", file=journal, flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if manner == "stubborn" else end)
print("began", os.getpid(), os.environ.get("COLOUR"), os.getcwd(), file=journal, flush=True)
(folder / "new").write_text(str(os.getpid()))
(folder / "new").rename(pid_file)
while True:
    time.sleep(1)
"""


class Program(t.NamedTuple):
    """The program of a test: its folder and the options of the module."""

    folder: Path
    options: dict[str, t.Any]

    def manner(self, name: str) -> dict[str, t.Any]:
        """Give the options for a program that behaves in this manner."""
        return {**self.options, "argv": [*self.options["argv"][:-1], name]}

    @property
    def journal(self) -> list[str]:
        """Read what it did, in words of one line each."""
        return [line.split()[0] for line in (self.folder / "journal").read_text().splitlines()]


@pytest.fixture
def program(tmp_path: Path) -> t.Iterator[Program]:
    """Give a program, and kill what is left of it."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    argv = [sys.executable, str(script), str(tmp_path), "good"]
    options = {"name": "Program", "argv": argv, "pid_file": str(tmp_path / "pid"), "identity": str(script)}
    yield Program(tmp_path, {**options, "timeout": 20})
    for line in (tmp_path / "journal").read_text().splitlines():
        if line.startswith("began") and str(script) in command_line(pid := int(line.split()[1])):
            os.kill(pid, signal.SIGKILL)


def command_line(pid: int) -> str:
    """Read what a process was started with."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def test_each_state_is_foretold_and_reached_once(program: Program, run: Run) -> None:
    options = {**program.options, "environment": {"COLOUR": "red"}, "chdir": "/usr"}
    assert run("host_daemon", check=True, **options)["changed"]
    assert not (program.folder / "pid").exists()
    started = run("host_daemon", **options)
    assert started["changed"]
    assert "program.py" in command_line(started["pid"])
    assert (program.folder / "journal").read_text() == f"began {started['pid']} red /usr\n"
    assert run("host_daemon", **options) == {**started, "changed": False}

    assert run("host_daemon", check=True, **options, state="stopped")["changed"]
    assert command_line(started["pid"])
    stopped = run("host_daemon", **options, state="stopped")
    assert stopped["changed"]
    assert "pid" not in stopped
    assert command_line(started["pid"]) == ""
    assert not run("host_daemon", **options, state="stopped")["changed"]


def test_a_restart_waits_until_the_old_process_has_ended(program: Program, run: Run) -> None:
    first = run("host_daemon", **program.options)
    second = run("host_daemon", **program.options, state="restarted")
    assert second["changed"]
    assert second["pid"] != first["pid"]
    assert program.journal == ["began", "ended", "began"]


def test_a_stale_pid_file_is_replaced_and_its_process_left_alone(program: Program, run: Run) -> None:
    (program.folder / "pid").write_text(str(os.getpid()))
    assert not run("host_daemon", **program.options, state="stopped")["changed"]
    started = run("host_daemon", **program.options)
    assert "which is another program" in started["stale"]
    assert started["pid"] != os.getpid()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(
            {"manner": "bad"}, ["ended with status 3", "the configuration is bad", "a line of the log"], id="ends"
        ),
        pytest.param({"manner": "slow", "timeout": 1}, ["was not ready after 1 seconds"], id="takes too long"),
        pytest.param({"manner": "forgetful"}, ["It is not in the background", "pid does not exist"], id="no pid file"),
        pytest.param({"argv": ["/no/such/program"]}, ["No such file", "a line of the log"], id="no program"),
        pytest.param({"chdir": "/no/such/folder"}, ["/no/such/folder"], id="no folder"),
        pytest.param({"user": "no-such-user"}, ["there is no user no-such-user. Create that user"], id="no user"),
    ],
)
def test_a_start_that_fails_says_why(program: Program, run: Run, options: dict[str, t.Any], words: list[str]) -> None:
    (program.folder / "journal").touch()
    (program.folder / "log").write_text("a line of the log\n")
    changed = {key: value for key, value in options.items() if key != "manner"}
    known = {**program.manner(options.get("manner", "good")), "log_file": str(program.folder / "log")}
    answer = run("host_daemon", **{**known, **changed})
    assert [word for word in words if word not in answer["msg"]] == [], answer["msg"]
    assert "began" not in program.journal


def test_what_cannot_be_started_again_is_not_stopped(program: Program, run: Run) -> None:
    started = run("host_daemon", **program.options)
    answer = run("host_daemon", **program.options, state="restarted", user="no-such-user")
    assert "there is no user no-such-user" in answer["msg"]
    assert command_line(started["pid"])


def test_a_process_that_does_not_end_is_named(program: Program, run: Run) -> None:
    started = run("host_daemon", **program.manner("stubborn"))
    began = time.monotonic()
    answer = run("host_daemon", **{**program.options, "state": "stopped", "timeout": 1})
    assert f"end it with: kill -9 {started['pid']}" in answer["msg"]
    assert time.monotonic() - began >= 1
    assert (program.folder / "pid").exists()


def test_a_pid_file_that_cannot_be_read(program: Program, run: Run) -> None:
    (program.folder / "journal").touch()
    (program.folder / "pid").mkdir()
    assert "Is a directory" in run("host_daemon", **program.options)["msg"]


def test_only_root_starts_a_program_as_another_user() -> None:
    params = {"timeout": 5, "argv": ["x"], "user": "root"}
    with pytest.raises(host_daemon.StartError, match="only root may start it as root"):
        host_daemon.start_command(params, uid=1234, setpriv="/bin/setpriv")
    assert host_daemon.start_command(params, uid=0, setpriv=None) == ["timeout", "5", "x"]
    other = {**params, "user": "nobody"}
    with pytest.raises(host_daemon.StartError, match="setpriv is missing"):
        host_daemon.start_command(other, uid=0, setpriv=None)
    command = host_daemon.start_command(other, uid=0, setpriv="/bin/setpriv")
    assert command[:3] == ["timeout", "5", "/bin/setpriv"]
    assert command[-2:] == ["--", "x"]
