# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collector's parser on one core: lines of files in, events out, with everything stored (profile full).

`python -m benchmarks.collector_parser [FOLDER]` parses the logs below a folder (the corpus of the tests) several times
in one process of Ruby, in turns with the least that any shipper does with a line: reading it.
"""

from __future__ import annotations

import argparse
import pathlib
import statistics
import sys

from tests import corpus, ruby_parser

SCRIPT = corpus.ROOT / "benchmarks" / "collector_parser.rb"
GOAL_MICROSECONDS = 8
MICROSECONDS = 1_000_000


def main() -> int:
    """Measure and print; return the exit status: 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=corpus.folder())
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if ruby_parser.RUBY is None:
        print("ruby is not installed here, so that the collector's parser was not measured")
        return 0
    files = list(map(question, read(options.folder)))
    asked = {"catalogue": str(ruby_parser.CATALOGUE_JSON), "rounds": options.rounds, "files": files}
    rounds = list(ruby_parser.run_ruby(SCRIPT, asked))
    lines = rounds[0]["lines"]
    # The run that was least disturbed.
    ours, plain = (min(found[name] for found in rounds) / lines * MICROSECONDS for name in ("ours", "plain"))
    ratio = statistics.median(found["ours"] / found["plain"] for found in rounds)
    print(f"{len(files)} files, {lines:,} lines to {rounds[0]['events']:,} events:")
    print(f"  the collector's parser: {ours:.1f} us of one core for a line, {ratio:.0f} times the time of reading it")
    print(f"  reading it: {plain:.2f} us")
    return int(ours > GOAL_MICROSECONDS)


def read(folder: pathlib.Path) -> list[ruby_parser.Task]:
    """Find the files, and what is known of them: no part of the measured time."""
    scenarios = [path for path in sorted(folder.glob("[0-9]*/*")) if path.is_dir()] or [folder]
    return [task for path in scenarios for task in ruby_parser.tasks(path, corpus.settings("full", keep_copies=True))]


def question(task: ruby_parser.Task) -> dict[str, object]:
    """Say to Ruby what it has to parse; whether a line is a copy is not asked."""
    asked = ruby_parser.Asked(task.context)
    return {**ruby_parser.question(task, asked, 0), "copies": []}


if __name__ == "__main__":
    sys.exit(main())
