# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parser on one core: bytes of files in, lines of bulk requests out, with everything stored (profile full).

`python -m benchmarks.parser_speed [FOLDER]` parses the logs below a folder (the corpus of the tests) several times, in
turns with the least that any shipper does: `json.dumps({"message": line})` for each line. Memory is the most that a
process of its own takes for a file of 300 MB, which repeats the largest log of a raylet.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils import _import, _parse, _session, _target

from tests import corpus

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils import _context

COLLECTIONS = corpus.ROOT / ".cache" / "collections"
TARGET = _target.Target("ray-logs", "default", "data_stream")
SESSION = "session_2026-11-23_08-00-00_000000_1"
BIG_FILE_BYTES = 300_000_000
GOAL_LINES = 100_000
GOAL_MEMORY = 100_000_000
# Parses a folder, then prints the greatest memory of its process in KiB (getrusage would count what the parent had).
PROGRAM = """
import pathlib, sys
from benchmarks import parser_speed
parser_speed.parse(parser_speed.read(pathlib.Path(sys.argv[1])))
print(*(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""

File = tuple["_context.SessionView", _session.NodeLogs, _session.LogFile, tuple[_session.Piece, ...]]


class Parsed(t.NamedTuple):
    """What was made of files, and the seconds of one core that it took."""

    lines: int
    size: int
    seconds: float


def main() -> int:
    """Measure and print; return the exit status: 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=corpus.folder())
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    files = read(options.folder)
    found = [(baseline(files), parse(files)) for _round in range(options.rounds)]
    plain, ours = (best(runs) for runs in zip(*found, strict=True))
    ratio = statistics.median(parsed.seconds / base.seconds for base, parsed in found)
    memory = peak_memory(files)
    print(f"{len(files)} files, {ours.lines:,} lines to {ours.size / 1e6:.1f} MB of bulk bodies:")
    print(f"  the parser: {ours.lines / ours.seconds:,.0f} lines/s, {ratio:.1f} times the time of json.dumps")
    print(f"  json.dumps of each line: {plain.lines / plain.seconds:,.0f} lines/s")
    print(f"{BIG_FILE_BYTES / 1e6:.0f} MB in one file: {memory / 1e6:.0f} MB of memory at most")
    return int(ours.lines / ours.seconds < GOAL_LINES or memory > GOAL_MEMORY)


def best(runs: t.Sequence[Parsed]) -> Parsed:
    """Return the run that was least disturbed."""
    return min(runs, key=lambda run: run.seconds)


def read(folder: pathlib.Path) -> list[File]:
    """Find the files, and what is known of them: no part of the measured time."""
    scenarios = [path for path in sorted(folder.glob("[0-9]*/*")) if path.is_dir()] or [folder]
    return [file for path in scenarios for file in corpus.logs(path, corpus.settings("full", keep_copies=True))]


def parse(files: t.Iterable[File]) -> Parsed:
    """Make the lines of bulk requests of files."""
    lines = size = 0
    begin = time.process_time()
    for view, node, file, pieces in files:
        context = corpus.context_of(view, node, file, pieces)
        class_ = file.classified.kind.class_
        writers = [_import.document_writer(TARGET, class_, view.constant(node, file, key)) for key in context.keys]
        for item in _parse.parse_file(context, corpus.openers(pieces), "full"):
            size += len(writers[item.piece](item.event)) if item.event else 0
    seconds = time.process_time() - begin
    for *_known, pieces in files:
        lines += sum(count_lines(piece.path) for piece in pieces)
    return Parsed(lines, size, seconds)


def baseline(files: t.Iterable[File]) -> Parsed:
    """Do the least that can be done with each line."""
    lines = size = 0
    begin = time.process_time()
    for *_known, pieces in files:
        for piece in pieces:
            with pathlib.Path(piece.path).open("rb") as handle:
                for line in handle:
                    lines += 1
                    size += len(json.dumps({"message": line.decode("utf-8", "replace")}).encode())
    return Parsed(lines, size, time.process_time() - begin)


def count_lines(path: str) -> int:
    """Count the lines of a file."""
    with pathlib.Path(path).open("rb") as handle:
        return sum(1 for _line in handle)


def peak_memory(files: t.Iterable[File]) -> int:
    """Return the most bytes that parsing one large file takes."""
    raylets = [piece for *_known, file, pieces in files if file.classified.kind.id == "raylet" for piece in pieces]
    lines = pathlib.Path(max(raylets, key=lambda piece: piece.size).path).read_bytes()
    with tempfile.TemporaryDirectory(prefix="parser-speed-") as folder:
        logs = pathlib.Path(folder, SESSION, "logs")
        logs.mkdir(parents=True)
        with (logs / "raylet.out").open("wb") as handle:
            for _time in range(BIG_FILE_BYTES // len(lines) + 1):
                handle.write(lines)
        command = [sys.executable, "-c", PROGRAM, folder]
        environment = {"PYTHONPATH": f"{COLLECTIONS}:{corpus.ROOT}"}
        done = subprocess.run(command, env=environment, cwd=corpus.ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout) * 1024


if __name__ == "__main__":
    sys.exit(main())
