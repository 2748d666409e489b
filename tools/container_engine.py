# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find a Docker engine that answers, or run one of our own, which keeps all it has below .cache/test_hosts."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import time
import typing as t
from pathlib import Path

STATE = Path(__file__).resolve().parent.parent / ".cache" / "test_hosts"
# Sockets have short names: a checkout may lie too deep for them.
RUN = Path("/run", f"raylogs-{hashlib.sha256(str(STATE).encode()).hexdigest()[:8]}")
DATA = STATE / "engine"
LOG = STATE / "engine.log"
PID_FILE = RUN / "docker.pid"
ADDRESS = f"unix://{RUN}/docker.sock"
REMEDY = "Or set DOCKER_HOST to an engine that answers."
START_SECONDS = 60
STOP_SECONDS = 60


class EngineError(Exception):
    """What failed, where, what was said, and what mends it."""


class Engine(t.NamedTuple):
    """Where an engine listens, and whether it is of our making."""

    address: str
    own: bool

    def docker(self, *arguments: str, stream: t.Any = None) -> subprocess.CompletedProcess[str]:
        """Run the client."""
        environment = {**os.environ, "DOCKER_HOST": self.address}
        command = ["docker", *arguments]
        return subprocess.run(command, env=environment, stdin=stream, capture_output=True, text=True, check=False)

    def answers(self) -> bool:
        """Ask whether it is there."""
        if not shutil.which("docker"):
            return False
        return self.docker("version", "--format", "{{.Server.Version}}").returncode == 0


OWN = Engine(ADDRESS, own=True)


def command_line(data: Path, run: Path) -> list[str]:
    """Build the command that runs our own engine; without the bridge that any other engine would share with it."""
    return [
        *["dockerd", "--data-root", str(data), "--exec-root", str(run / "exec"), "--pidfile", str(run / "docker.pid")],
        *["--host", f"unix://{run}/docker.sock", "--bridge", "none"],
    ]


def last_error(log: str) -> str:
    """Find in the log of dockerd what it died of: the last line that is no mere progress."""
    lines = [line for line in log.splitlines() if line.strip() and "level=info" not in line]
    return lines[-1] if lines else "nothing"


def running_pid(pid_file: Path, proc: Path = Path("/proc")) -> int | None:
    """Return the process of our own engine: one that runs, and on our data."""
    try:
        pid = int(pid_file.read_text())
        arguments = (proc / str(pid) / "cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if str(pid_file).encode() in arguments else None


def find(environment: t.Mapping[str, str]) -> Engine | None:
    """Return the engine that DOCKER_HOST names, else our own where it runs, else that of the host, else nothing.

    :raises EngineError: when the one that DOCKER_HOST names does not answer.
    """
    if named := environment.get("DOCKER_HOST"):
        engine = Engine(named, own=named == ADDRESS)
        if engine.answers():
            return engine
        if not engine.own:
            said = engine.docker("version").stderr.strip() if shutil.which("docker") else "there is no docker client"
            raise EngineError(f"Cannot reach the container engine: DOCKER_HOST={named}: {said} Start it or unset that.")
    for engine in (OWN, Engine("unix:///var/run/docker.sock", own=False)):
        if engine.answers():
            return engine
    return None


def start(say: t.Callable[[str], None]) -> Engine:
    """Return an engine that answers, starting our own when there is none.

    :raises EngineError: when it cannot be started.
    """
    if engine := find(os.environ):
        say(f"The container engine at {engine.address} answers.")
        return engine
    if os.geteuid() != 0:
        raise EngineError(
            f"Cannot start a container engine: no engine answers, and dockerd needs root. Run this as root. {REMEDY}"
        )
    install({"dockerd": "docker.io", "docker": "docker-cli"}, say)
    say("Starting a container engine of our own …")
    for folder in (STATE, RUN):
        folder.mkdir(parents=True, exist_ok=True)
    with LOG.open("w") as log:
        process = subprocess.Popen(command_line(DATA, RUN), stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + START_SECONDS
    while not OWN.answers():
        if process.poll() is not None or time.monotonic() > deadline:
            state = "does not answer" if process.poll() is None else f"ended with {process.poll()}"
            stop(say)
            raise EngineError(
                f"Cannot start a container engine: dockerd {state} (log: {LOG}): {last_error(LOG.read_text())}. "
                "It needs root, the capability SYS_ADMIN, control groups and a file system that overlayfs accepts. "
                f"{REMEDY}"
            )
        time.sleep(0.2)
    say(f"The container engine runs at {ADDRESS} (stop it: make molecule-stop).")
    return OWN


def install(packages: t.Mapping[str, str], say: t.Callable[[str], None]) -> None:
    """Install from the distribution the programs that are missing.

    :raises EngineError: when that fails.
    """
    for program, package in packages.items():
        if shutil.which(program):
            continue
        say(f"Installing {package} …")
        command = ["apt-get", "install", "--yes", "--no-install-recommends", package]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for attempt in (["apt-get", "update"], command):
            answer = subprocess.run(attempt, env=environment, capture_output=True, text=True, check=False)
        if answer.returncode:
            raise EngineError(
                f"Cannot install {package}: '{' '.join(command)}' answered {answer.returncode}: "
                f"{answer.stderr.strip()} Install {program} by hand. {REMEDY}"
            )


def mounts_below(folder: Path, table: str) -> list[str]:
    """Find what is mounted below a folder, the deepest first."""
    points = [line.split()[1] for line in table.splitlines()]
    return sorted((point for point in points if Path(point).is_relative_to(folder)), key=len, reverse=True)


def stop(say: t.Callable[[str], None]) -> None:
    """Stop our own engine with its containers, and leave nothing of it but its images and its log.

    :raises EngineError: when it does not end.
    """
    if pid := running_pid(PID_FILE):
        say("Stopping the container engine …")
        containers = OWN.docker("ps", "--all", "--quiet").stdout.split()
        if containers:
            OWN.docker("rm", "--force", "--volumes", *containers)
        OWN.docker("network", "prune", "--force")
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while running_pid(PID_FILE) == pid:
            if time.monotonic() > deadline:
                raise EngineError(f"Cannot stop the container engine: process {pid} ignores SIGTERM (log: {LOG}).")
            time.sleep(0.1)
    for folder in (RUN, STATE):
        for point in mounts_below(folder, Path("/proc/mounts").read_text()):
            subprocess.run(["umount", "--lazy", point], check=False, capture_output=True)
    for folder in (RUN, *STATE.glob("build-*")):
        shutil.rmtree(folder, ignore_errors=True)
