# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import end to end against the same bulk bodies prepared beforehand, on the same warm server, in turns.

`python -m benchmarks.import_speed FOLDER` starts a server of its own unless ELASTICSEARCH_URL names one. The logs are
copied several times, under other names of sessions, so that there is something to measure. The time of an import is
that of the module's whole process, from the start of Python to its end. Memory is the most that this process takes,
less what it takes when it finds nothing to read.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.raylogs.efk.plugins.module_utils import (
    _bulk,
    _elasticsearch,
    _facts,
    _import,
    _session,
    _target,
)
from ansible_collections.raylogs.efk.plugins.module_utils._api import Request
from ansible_collections.raylogs.efk.plugins.module_utils._report import Report

from tests.elasticsearch_server import url_for_tests
from tests.ray_streams import declare_streams

COLLECTIONS = Path(__file__).resolve().parent.parent / ".cache" / "collections"
MODULE = "ansible_collections.raylogs.efk.plugins.modules.ray_session_import"
# The module, then the greatest memory of its process in KiB (getrusage would count what the parent had).
PROGRAM = f"""
import runpy
try:
    runpy.run_module({MODULE!r}, run_name="__main__")
finally:
    print(*(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
PREFIX = f"import-speed-{os.getpid()}"
GOAL = 1.6
GOAL_MEMORY = 100 << 20
CONNECTION = {
    **dict.fromkeys(("username", "password", "api_key", "bearer_token", "ca_path", "client_cert", "client_key")),
    "validate_certs": True,
    "timeout": 120,
    "retries": 4,
}


class Prepared:
    """Stands where the sender stands and keeps the bulk bodies instead of sending them."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.bodies: list[bytes] = []
        self.events = 0
        self._lines: list[bytes] = []
        self._size = 0
        self._limit = _bulk.FIRST_BODY_BYTES

    def add(self, document: _bulk.Document) -> None:
        """Take one event."""
        self._lines.append(document.lines)
        self._size += len(document.lines)
        self.events += 1
        if self._size >= self._limit:
            self.finish()

    def finish(self) -> None:
        """End a body."""
        self.bodies.append(b"".join(self._lines))
        self._lines, self._size = [], 0
        self._limit = min(2 * self._limit, _bulk.BODY_BYTES)


def main() -> None:
    """Measure and print; fail when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a session, or several")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side is measured")
    parser.add_argument("--copies", type=int, default=4, help="how many copies of the logs make one import")
    options = parser.parse_args()
    with url_for_tests() as url, tempfile.TemporaryDirectory() as place:
        folder = copy_sessions(options.folder, Path(place), options.copies)
        declare_streams(url, PREFIX)
        connection = _elasticsearch.connect({**CONNECTION, "url": [url]})
        import_folder(url, folder, "warm")
        rounds = [measure(connection, url, folder, number) for number in range(options.rounds)]
    ratio = statistics.median(imported / sent for sent, imported, _memory in rounds)
    memory = max(memory for _sent, _imported, memory in rounds)
    print(f"import / prepared bodies: {ratio:.2f} (goal: at most {GOAL})")
    print(f"memory above the interpreter: {memory >> 20} MiB (goal: below {GOAL_MEMORY >> 20})")
    if ratio > GOAL or memory > GOAL_MEMORY:
        sys.exit("A goal is missed.")


def copy_sessions(folder: Path, place: Path, copies: int) -> Path:
    """Copy logs several times, each time as other sessions."""
    for number in range(copies):
        for node in _session.discover(str(folder), _import.read_settings(options_of(folder, "any")).catalogue):
            root = Path(node.root)
            shutil.copytree(root, place / node.node / f"session_{node.session}_{number}" / "logs")
    return place


def measure(connection: _elasticsearch.Connection, url: str, folder: Path, number: int) -> tuple[float, float, int]:
    """Measure both sides once."""
    prepared = prepare(folder, f"sent{number}")
    if number % 2:
        sent = send(connection, prepared.bodies)
    imported, memory, answer = import_folder(url, folder, f"read{number}")
    if not number % 2:
        sent = send(connection, prepared.bodies)
    idle = import_folder(url, folder, f"idle{number}", nothing=True)[1]
    if answer["totals"]["stored"] != prepared.events:
        sys.exit(f"The import stored {answer['totals']['stored']} events, prepared were {prepared.events}.")
    size = sum(map(len, prepared.bodies))
    print(
        f"{prepared.events} events, {answer['totals']['bytes'] >> 20} MiB of logs, {size >> 20} MiB of bodies: "
        f"sent in {sent:.2f} s, imported in {imported:.2f} s ({imported / sent:.2f}), {(memory - idle) >> 20} MiB",
        flush=True,
    )
    return sent, imported, memory - idle


def send(connection: _elasticsearch.Connection, bodies: list[bytes]) -> float:
    """Send the prepared bodies one after the other."""
    path = f"/_bulk?{_bulk.SHAPE}&require_data_stream=true"
    began = time.perf_counter()
    for body in bodies:
        answer = _elasticsearch.call(connection, Request("Cannot measure", "POST", path, body))
        if answer["errors"]:
            sys.exit(f"The server refused events: {json.dumps(answer)[:1000]}")
    return time.perf_counter() - began


def prepare(folder: Path, tenant: str) -> Prepared:
    """Make the bulk bodies of an import."""
    prepared = Prepared()
    settings = _import.read_settings(options_of(folder, tenant))
    target = _target.Target(PREFIX, tenant, _target.DATA_STREAM)
    nodes = _session.discover(str(folder), settings.catalogue)
    run = _import.Import(settings, target, None, False, t.cast("_bulk.Sender", prepared), "", Report(""))
    _import.import_sessions(run, nodes, _facts.gather(nodes, settings.catalogue))
    prepared.finish()
    return prepared


def options_of(folder: Path, tenant: str) -> dict[str, t.Any]:
    """Give the options of an import, the defaults among them."""
    return {
        "path": str(folder),
        "prefix": PREFIX,
        "tenant": tenant,
        "layout": _target.DATA_STREAM,
        "cluster": "default",
        "profile": "standard",
        "zone": "",
        "keep_copies": False,
        "catalogue_extra": {},
        "fields_extra": [],
        "spool_dir": None,
        "max_spool_bytes": 0,
        "dead_letter_path": None,
        "host_name": "benchmark",
    }


def import_folder(url: str, folder: Path, tenant: str, *, nothing: bool = False) -> tuple[float, int, t.Any]:
    """Run the module in a process of its own; return its seconds, its greatest memory and its answer."""
    arguments = {**options_of(folder, tenant), "url": [url], "timeout": 120}
    if nothing:
        arguments["path"] = "/nothing"
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "arguments.json"
        file.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(file)],
            cwd=place,
            env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
            stdout=subprocess.PIPE,
            check=False,
            text=True,
        )
        seconds = time.perf_counter() - began
    *_, told, memory = done.stdout.splitlines()
    answer = json.loads(told)
    if not nothing and "totals" not in answer:
        sys.exit(f"The import failed: {answer['msg']}")
    return seconds, int(memory) << 10, answer


if __name__ == "__main__":
    main()
