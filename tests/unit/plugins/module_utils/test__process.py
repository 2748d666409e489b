# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What /proc says, on the real host and in folders that look like it."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import time
import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _process

if t.TYPE_CHECKING:
    from pathlib import Path

OTHER_INODE, NOBODY_KNOWN = "4711", 4_000_000_000


@pytest.fixture
def sleeper() -> t.Iterator[subprocess.Popen[bytes]]:
    """Give a process that does nothing; for a moment after its start the kernel knows no command line of it."""
    with subprocess.Popen(["/usr/bin/sleep", "300"]) as process:
        while not _process.command_line(process.pid):
            time.sleep(0.01)
        yield process
        process.kill()


def test_a_pid_file_of_the_program_is_running(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    pid_file = tmp_path / "pid"
    pid_file.write_text(f"{sleeper.pid}\n")
    found = _process.read_pid_file(pid_file, "sleep 300")
    assert found._replace(memory=0, started=0.0) == _process.PidFile("running", sleeper.pid, "", "/usr/bin/sleep 300")
    assert found.memory > 0
    assert abs(found.started - time.time()) < 60


def test_a_process_started_after_what_was_written_before_it(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    started = _process.start_time(sleeper.pid)
    assert started - 5 < _process.start_time(sleeper.pid) < started + 5
    assert _process.start_time(os.getpid()) < started + 0.05
    written = tmp_path / "written"
    written.touch()
    assert _process.modification_time(written) > started - 1
    assert _process.modification_time(tmp_path / "absent") == 0


def test_start_time_of_a_name_with_blanks_and_brackets(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "uptime").write_text("1000.00 900.00\n")
    ticks = os.sysconf("SC_CLK_TCK")
    (tmp_path / "7/stat").write_text(f"7 (a) b (c)) S {' '.join(['0'] * 18)} {400 * ticks} 0 0\n")
    assert _process.start_time(7, tmp_path) == pytest.approx(time.time() - 600, abs=5)
    assert _process.start_time(8, tmp_path) == 0


def test_is_running(sleeper: subprocess.Popen[bytes]) -> None:
    assert _process.is_running(sleeper.pid, "sleep 300")
    assert not _process.is_running(sleeper.pid, "org.elasticsearch")
    sleeper.kill()
    sleeper.wait()
    assert not _process.is_running(sleeper.pid, "")


def test_runs_somewhere(sleeper: subprocess.Popen[bytes]) -> None:
    assert _process.runs_somewhere(_process.command_line(sleeper.pid))
    assert not _process.runs_somewhere("no such program, and this is not on any command line either")


def test_a_pid_file_of_another_program_is_stale(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    pid_file = tmp_path / "pid"
    pid_file.write_text(str(sleeper.pid))
    found = _process.read_pid_file(pid_file, "org.elasticsearch")
    assert (found.state, found.pid) == ("stale", sleeper.pid)
    assert found.reason.endswith("which is another program: /usr/bin/sleep 300")


def test_a_pid_file_of_a_dead_process_is_stale(tmp_path: Path) -> None:
    process = subprocess.Popen(["/usr/bin/true"])
    pid_file = tmp_path / "pid"
    pid_file.write_text(str(process.pid))
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert _process.read_pid_file(pid_file, "true").state == "stale", "a zombie"
    process.wait()
    found = _process.read_pid_file(pid_file, "true")
    assert found == _process.PidFile("stale", process.pid, f"{pid_file} names process {process.pid}, which is gone")


@pytest.mark.parametrize("text", ["", "none", "-1", "12 13", "²"])
def test_a_pid_file_without_a_number_is_stale(tmp_path: Path, text: str) -> None:
    pid_file = tmp_path / "pid"
    pid_file.write_text(text)
    assert _process.read_pid_file(pid_file, "x") == _process.PidFile("stale", None, f"{pid_file} holds no process id")


def test_no_pid_file_is_absent(tmp_path: Path) -> None:
    assert _process.read_pid_file(tmp_path / "pid", "x").state == "absent"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("0100007F", "127.0.0.1", id="loopback"),
        pytest.param("00000000", "all addresses", id="all"),
        pytest.param("0" * 32, "all addresses", id="all of IPv6"),
        pytest.param("00000000000000000000000001000000", "::1", id="loopback of IPv6"),
        pytest.param("0000000000000000FFFF00000100007F", "127.0.0.1", id="IPv4 within IPv6"),
        pytest.param("B80D0120000000000000000001000000", "2001:db8::1", id="IPv6"),
    ],
)
def test_decode_address(text: str, address: str) -> None:
    assert _process.decode_address(text) == address


def test_a_listener_is_found_with_its_process() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        found = _process.find_listeners([port])
    assert [(entry.port, entry.address, entry.pid) for entry in found] == [(port, "127.0.0.1", os.getpid())]
    assert found[0].process
    assert found[0].user


def test_a_port_without_listener_has_none() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        assert _process.find_listeners([server.getsockname()[1]]) == []


def test_a_listener_of_a_hidden_process_and_a_nameless_user(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    line = (
        f" 0: 00000000:23F0 00000000:0000 0A 00000000:00000000 00:00000000 00000000 {NOBODY_KNOWN} 0 {OTHER_INODE} 1\n"
    )
    (tmp_path / "net/tcp").write_text(head + line)
    (tmp_path / "12").mkdir()
    (tmp_path / "self").mkdir()
    found = _process.find_listeners([9200], tmp_path)
    assert found == [_process.Listener(9200, "all addresses", None, None, str(NOBODY_KNOWN))]


@pytest.mark.parametrize(("text", "port"), [("80\n", 80), ("", 1024)], ids=["what the kernel says", "the usual"])
def test_lowest_port(tmp_path: Path, text: str, port: int) -> None:
    folder = tmp_path / "sys/net/ipv4"
    folder.mkdir(parents=True)
    (folder / "ip_unprivileged_port_start").write_text(text)
    assert _process.lowest_port(tmp_path) == port


def test_free_bytes_of_what_does_not_exist_are_those_of_its_parent(tmp_path: Path) -> None:
    status = os.statvfs(tmp_path)
    assert _process.free_bytes(tmp_path / "a/b/c") == pytest.approx(status.f_bavail * status.f_frsize, rel=0.1)


@pytest.mark.parametrize(
    ("files", "available"),
    [
        pytest.param({}, 4096 * 1024, id="no container"),
        pytest.param({"memory.max": "max\n"}, 4096 * 1024, id="a container without limit"),
        pytest.param({"memory.max": "2097152", "memory.current": "1048576"}, 1048576, id="a limit of cgroup v2"),
        pytest.param({"memory.max": "1048576", "memory.current": "2097152"}, 0, id="a container that is full"),
        pytest.param({"memory/memory.limit_in_bytes": str((1 << 63) - 4096)}, 4096 * 1024, id="no limit of cgroup v1"),
        pytest.param({"memory/memory.limit_in_bytes": "1048576"}, 1048576, id="a limit of cgroup v1"),
    ],
)
def test_available_memory(tmp_path: Path, files: dict[str, str], available: int) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  8192 kB\nMemAvailable:  4096 kB\n")
    (tmp_path / "memory").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert _process.available_memory(tmp_path, tmp_path) == available


def test_memory_of_this_host() -> None:
    assert 0 < _process.available_memory() <= _process.total_memory()


def test_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert _process.last_lines(log) == []
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    assert _process.last_lines(log, 2) == ["line 98", "line 99"]
    assert _process.last_lines(log, 5, most_bytes=10) == ["8", "line 99"]


@pytest.mark.parametrize(
    ("limit", "total"),
    [
        pytest.param({}, 4096 << 10, id="no container"),
        pytest.param({"memory.max": "1048576"}, 1 << 20, id="the limit of the container"),
        pytest.param({"memory.max": "max"}, 4096 << 10, id="a container without a limit"),
    ],
)
def test_total_memory(tmp_path: Path, limit: dict[str, str], total: int) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 4096 kB\n")
    for name, text in limit.items():
        (tmp_path / name).write_text(text)
    assert _process.total_memory(tmp_path, tmp_path) == total


LIMITS = """Limit                     Soft Limit           Hard Limit           Units
Max processes             unlimited            unlimited            processes
Max open files            1024                 20000                files
Max locked memory         8388608              65536                bytes
"""


@pytest.mark.parametrize(
    ("capabilities", "limits"),
    [
        pytest.param("00000000a82425fb", {"nofile": 20000, "nproc": -1, "memlock": 65536}, id="a container"),
        pytest.param("000001ffffffffff", {"nofile": -1, "nproc": -1, "memlock": -1}, id="a machine"),
    ],
)
def test_service_limits(tmp_path: Path, capabilities: str, limits: dict[str, int]) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1/limits").write_text(LIMITS)
    (tmp_path / "1/status").write_text(f"Name:\tsystemd\nCapEff:\t{capabilities}\n")
    assert _process.service_limits(tmp_path) == limits


def test_own_limits() -> None:
    assert _process.own_limits()["nofile"] == resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def test_kernel_number(tmp_path: Path) -> None:
    assert (_process.kernel_number("vm.max_map_count") or 0) > 0
    assert _process.kernel_number("vm.max_map_count", tmp_path) is None


def test_unresolved() -> None:
    assert list(_process.unresolved(["127.0.0.1", "localhost", "no-such-host.invalid"])) == ["no-such-host.invalid"]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("unknown setting [a.b] did you mean", "Remove a.b."),
        ("all is well", ""),
    ],
)
def test_find_remedy(text: str, remedy: str) -> None:
    assert _process.find_remedy(text, {r"unknown setting \[([^]]+)\]": r"Remove \1."}) == remedy
