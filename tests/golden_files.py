# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Golden files: lines that Ray wrote (tests/golden/<kind>/<case>.log), and what becomes of them (<case>.expected.json).

Older pieces of a rotated file are <case>.log.1, .2 …. After a change of the parser, or for a new case, write what is
expected with `pytest tests/unit/test_golden.py --update-golden` and read the difference before it is committed.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import typing as t

from tests import corpus

GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
SESSION = "session_2026-11-23_08-00-00_000000_1"
CHANGED_NS = 1_795_430_000_000_000_000
NAME_PARTS = {
    "worker_id": "ab" * 28,
    "job_id": "01000000",
    "pid": "12345",
    "stream": "err",
    "component": "JobHead",
    "submission_id": "raysubmit_1",
    "node_ip": "10.0.0.1",
    "serve_name": "app_Deployment",
    "serve_replica": "abcd1234",
    "dataset_id": "dataset_1",
    "event_source": "GCS",
    "rest": "some.thing",
}
# What tells the id of the node.
RAYLET = b"[2026-11-23 08:00:00,000 I 1 1] (raylet) main.cc:1: Setting node ID node_id=%s\n" % (b"cd" * 28)


def file_name(path: str) -> str:
    """Fill the parts of a kind's path: the name of a file of this kind."""
    return re.sub(r"\{([a-z_]+)\}", lambda part: NAME_PARTS[part[1]], path)


def cases() -> list[pathlib.Path]:
    """Return the newest piece of every case."""
    return sorted(GOLDEN.glob("*/*.log"))


def expected_path(case: pathlib.Path) -> pathlib.Path:
    """Return the file that holds what is expected of a case."""
    return case.with_suffix(".expected.json")


def parse_case(case: pathlib.Path, folder: pathlib.Path) -> list[dict[str, t.Any]]:
    """Lay a case into a session of its own and return what becomes of its bytes."""
    kind = next(kind for kind in corpus.CATALOGUE.kinds if kind.id == case.parent.name)
    name = file_name(kind.path)
    logs = folder / SESSION / "logs"
    (logs / name).parent.mkdir(parents=True, exist_ok=True)
    if kind.id != "raylet":
        (logs / "raylet.out").write_bytes(RAYLET)
    for piece in case.parent.glob(f"{case.name}*"):
        copy = logs / (name + piece.name[len(case.name) :])
        shutil.copyfile(piece, copy)
        os.utime(copy, ns=(CHANGED_NS, CHANGED_NS))
    chosen = corpus.settings("standard", keep_copies=True)
    parsed = next(parsed for parsed in corpus.parse(folder, chosen) if parsed.file.name == name)
    return [item._asdict() for item in parsed.items]


def render(items: list[dict[str, t.Any]]) -> str:
    """Write items as they are kept in a golden file."""
    return json.dumps(items, indent=1, ensure_ascii=False) + "\n"
