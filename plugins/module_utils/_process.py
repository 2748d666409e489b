# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read from /proc what runs on this host, who listens, and what is free."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import pathlib
import pwd
import re
import resource
import socket
import time
import typing as t

PROC = pathlib.Path("/proc")
CGROUP = pathlib.Path("/sys/fs/cgroup")
LISTEN = "0A"
FIRST_OPEN_PORT = 1024
HIGHEST_MEMORY_LIMIT = 1 << 60
"""cgroup v1 says "no limit" with a number near 2**63."""
START_FIELD = 19
"""Where /proc/<pid>/stat says when the process started, counted after its name."""
UNLIMITED = -1
SYS_RESOURCE = 1 << 24
"""The capability to raise hard limits."""
LIMITS = {"nofile": "Max open files", "nproc": "Max processes", "memlock": "Max locked memory"}


class PidFile(t.NamedTuple):
    """What a pid file says, and whether it is true."""

    state: str
    """absent, running or stale."""
    pid: int | None
    reason: str
    command: str = ""
    """The command line of the running process."""
    memory: int = 0
    """Bytes of memory that it holds."""
    started: float = 0.0
    """When it started, in seconds since 1970."""


class Listener(t.NamedTuple):
    """A program that listens on a TCP port."""

    port: int
    address: str
    pid: int | None
    process: str | None
    user: str | None


def read_text(path: pathlib.Path) -> str:
    """Return the text of a small file, or nothing when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def command_line(pid: int, proc: pathlib.Path = PROC) -> str:
    """Return the command line of a process; a dead one and a zombie have none."""
    return read_text(proc / str(pid) / "cmdline").replace("\0", " ").strip()


def is_running(pid: int, identity: str, proc: pathlib.Path = PROC) -> bool:
    """Say whether a process is alive and carries the identity in its command line."""
    command = command_line(pid, proc)
    return bool(command) and identity in command


def runs_somewhere(identity: str, proc: pathlib.Path = PROC) -> bool:
    """Say whether any process carries the identity in its command line."""
    pids = [int(process.name) for process in proc.iterdir() if process.name.isdigit()]
    return any(is_running(pid, identity, proc) for pid in pids)


def read_pid_file(path: pathlib.Path, identity: str, proc: pathlib.Path = PROC) -> PidFile:
    """Say whether the process that a pid file names is alive and carries the identity in its command line.

    :raises OSError: when the file is there but cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return PidFile("absent", None, f"{path} does not exist")
    if not text.isdecimal():
        return PidFile("stale", None, f"{path} holds no process id")
    pid = int(text)
    command = command_line(pid, proc)
    if not command:
        return PidFile("stale", pid, f"{path} names process {pid}, which is gone")
    if identity not in command:
        return PidFile("stale", pid, f"{path} names process {pid}, which is another program: {command[:120]}")
    return PidFile("running", pid, "", command, resident_memory(pid, proc), start_time(pid, proc))


def resident_memory(pid: int, proc: pathlib.Path = PROC) -> int:
    """Return the bytes of memory that a process holds."""
    found = re.search(r"^VmRSS:\s+(\d+) kB", read_text(proc / str(pid) / "status"), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def start_time(pid: int, proc: pathlib.Path = PROC) -> float:
    """Return when a process started, in seconds since 1970; nothing tells it of one that is gone."""
    fields = read_text(proc / str(pid) / "stat").rpartition(")")[2].split()
    uptime = read_text(proc / "uptime").split()
    if len(fields) <= START_FIELD or not uptime:
        return 0.0
    return time.time() - float(uptime[0]) + int(fields[START_FIELD]) / os.sysconf("SC_CLK_TCK")


def modification_time(path: pathlib.Path) -> float:
    """Return when a file was written, in seconds since 1970, and zero where there is none."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def decode_address(text: str) -> str:
    """Turn the hexadecimal address of /proc/net/tcp, which the kernel writes word by word, into the usual form."""
    words = bytes.fromhex(text)
    octets = b"".join(words[start : start + 4][::-1] for start in range(0, len(words), 4))
    address = ipaddress.ip_address(octets)
    address = getattr(address, "ipv4_mapped", None) or address
    return "all addresses" if address.is_unspecified else str(address)


def _listening_sockets(ports: t.Collection[int], proc: pathlib.Path) -> dict[str, tuple[int, str, str]]:
    """Return inode -> (port, address, user) of every socket that listens on one of the ports."""
    sockets = {}
    for table in ("tcp", "tcp6"):
        for line in read_text(proc / "net" / table).splitlines()[1:]:
            fields = line.split()
            address, _separator, port = fields[1].partition(":")
            if fields[3] == LISTEN and int(port, 16) in ports:
                sockets[fields[9]] = (int(port, 16), decode_address(address), _user_name(int(fields[7])))
    return sockets


def _user_name(uid: int) -> str:
    """Return the name of a user, or the number of one without a name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _open_files(folder: pathlib.Path) -> list[str]:
    """Return what a process has open, as far as this user may see it and while it is open."""
    links = []
    with contextlib.suppress(OSError):
        for entry in folder.iterdir():
            with contextlib.suppress(OSError):
                links.append(str(entry.readlink()))
    return links


def _socket_owners(inodes: t.Collection[str], proc: pathlib.Path) -> dict[str, int]:
    """Return inode -> process id for the sockets whose process this user may look at."""
    owners: dict[str, int] = {}
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    for process in proc.iterdir():
        if not process.name.isdigit():
            continue
        links = _open_files(process / "fd")
        owners.update({wanted[link]: int(process.name) for link in links if link in wanted})
    return owners


def find_listeners(ports: t.Collection[int], proc: pathlib.Path = PROC) -> list[Listener]:
    """Return who listens on the ports, each port and address once."""
    sockets = _listening_sockets(ports, proc)
    owners = _socket_owners(sockets, proc)
    listeners = []
    for inode, (port, address, user) in sockets.items():
        pid = owners.get(inode)
        name = read_text(proc / str(pid) / "comm").strip() if pid is not None else None
        listeners.append(Listener(port, address, pid, name or None, user))
    return sorted(listeners, key=lambda listener: (listener.port, listener.address))


def lowest_port(proc: pathlib.Path = PROC) -> int:
    """Return the lowest port on which a program without root's rights may listen."""
    text = read_text(proc / "sys/net/ipv4/ip_unprivileged_port_start").strip()
    return int(text) if text.isdigit() else FIRST_OPEN_PORT


def free_bytes(path: pathlib.Path) -> int:
    """Return the bytes an ordinary user may still write at a path, or where its nearest existing parent is."""
    while not path.exists():
        path = path.parent
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def total_memory(proc: pathlib.Path = PROC, cgroup: pathlib.Path = CGROUP) -> int:
    """Return the bytes of memory of this host, or the limit of the container where that is less."""
    return min([memory_fields(proc)["MemTotal"], *(limit for limit, _used in memory_limits(cgroup))])


def memory_fields(proc: pathlib.Path) -> dict[str, int]:
    """Return what /proc/meminfo says, in bytes."""
    fields = dict(line.split(":", 1) for line in read_text(proc / "meminfo").splitlines() if ":" in line)
    return {name: int(value.split()[0]) * 1024 for name, value in fields.items()}


def memory_limits(cgroup: pathlib.Path) -> list[tuple[int, int]]:
    """Return the limits of memory of the container, and how much of each is used."""
    limits = []
    for limit, used in (
        (cgroup / "memory.max", cgroup / "memory.current"),
        (cgroup / "memory/memory.limit_in_bytes", cgroup / "memory/memory.usage_in_bytes"),
    ):
        limit_text = read_text(limit).strip()
        if limit_text.isdigit() and int(limit_text) < HIGHEST_MEMORY_LIMIT:
            limits.append((int(limit_text), int(read_text(used).strip() or "0")))
    return limits


def available_memory(proc: pathlib.Path = PROC, cgroup: pathlib.Path = CGROUP) -> int:
    """Return the bytes a new process may take: what the kernel calls available, within the limit of the container."""
    free = [max(0, limit - used) for limit, used in memory_limits(cgroup)]
    return min([memory_fields(proc)["MemAvailable"], *free])


def own_limits() -> dict[str, int]:
    """Return the hard limits of what is started from here, -1 for none."""
    kinds = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC, "memlock": resource.RLIMIT_MEMLOCK}
    return {name: resource.getrlimit(kind)[1] for name, kind in kinds.items()}


def service_limits(proc: pathlib.Path = PROC) -> dict[str, int]:
    """Return how high the first process, which starts the services, may set the limits of a service, -1 for any."""
    capable = re.search(r"^CapEff:\s+([0-9a-f]+)$", read_text(proc / "1/status"), re.MULTILINE)
    if capable and int(capable[1], 16) & SYS_RESOURCE:
        return dict.fromkeys(LIMITS, UNLIMITED)
    text = read_text(proc / "1/limits")
    found = {name: re.search(rf"^{words}\s+\S+\s+(\d+)", text, re.MULTILINE) for name, words in LIMITS.items()}
    return {name: int(match[1]) if match else UNLIMITED for name, match in found.items()}


def kernel_number(name: str, proc: pathlib.Path = PROC) -> int | None:
    """Return a kernel setting such as vm.max_map_count, or nothing where it cannot be read."""
    text = read_text(proc / "sys" / name.replace(".", "/")).strip()
    return int(text) if text.isdigit() else None


def why_unresolved(name: str) -> str:
    """Return why this host cannot turn a name into an address, or nothing when it can."""
    try:
        socket.getaddrinfo(name, None)
    except OSError as error:
        return str(error.strerror or error)
    return ""


def unresolved(names: t.Iterable[str]) -> dict[str, str]:
    """Return the names that this host cannot turn into an address, with the reason."""
    reasons = {name: why_unresolved(name) for name in names}
    return {name: reason for name, reason in reasons.items() if reason}


def find_remedy(text: str, remedies: t.Mapping[str, str]) -> str:
    """Return what to do about the first known cause that a text names; remedies are sentences by regular expression."""
    for pattern, remedy in remedies.items():
        if found := re.search(pattern, text):
            return found.expand(remedy)
    return ""


def last_lines(path: pathlib.Path, count: int = 15, most_bytes: int = 65536) -> list[str]:
    """Return the last lines of a log, or nothing when there is none."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - most_bytes))
            return log.read().decode("utf-8", errors="replace").splitlines()[-count:]
    except OSError:
        return []
