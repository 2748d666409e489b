# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one file knows of others."""

from __future__ import annotations

import base64
import json
import os
import tracemalloc
import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _catalogue, _event, _facts, _session

if t.TYPE_CHECKING:
    import pathlib

CATALOGUE = _catalogue.load()
SESSION = "session_2026-11-23_08-00-00_000000_1"
WORKER_ID, NODE_ID, ACTOR_ID = "ab" * 28, "cd" * 28, "ef" * 16
HOUR = 3_600_000
BEGAN = 1_795_420_800_000_000_000


def base64_id(hexadecimal: str) -> str:
    """Write an id as Ray's event files do."""
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()


def lines(*records: t.Any) -> str:
    """Write records as Ray does."""
    return "".join(json.dumps({"timestamp": 1, "event_data": record}) + "\n" for record in records)


def write(tmp_path: pathlib.Path, files: dict[str, str], node: str = "head") -> pathlib.Path:
    """Write the logs of a node."""
    for name, text in {"raylet.err": "", **files}.items():
        path = tmp_path / node / SESSION / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def gather(path: pathlib.Path) -> tuple[_session.NodeLogs, _facts.NodeFacts, _facts.SessionFacts]:
    """Gather the facts of the only session, and of its first node."""
    nodes = _session.discover(str(path), CATALOGUE)
    facts = _facts.gather(nodes, CATALOGUE)
    return nodes[0], facts.nodes[nodes[0].root], facts.sessions[SESSION]


@pytest.mark.parametrize(
    ("name", "text", "fact", "value"),
    [
        pytest.param("raylet.out", f"x Setting node ID node_id={NODE_ID}\n", "node_id", NODE_ID, id="node, text"),
        pytest.param(
            "raylet.out",
            f'{{"message":"Setting node ID","a":"b","node_id":"{NODE_ID}"}}\n',
            "node_id",
            NODE_ID,
            id="node, JSON",
        ),
        pytest.param("raylet.out", f"[state-dump] Node ID: {NODE_ID}\n", "node_id", NODE_ID, id="node, state dump"),
        pytest.param("monitor.log", "x Ray version: 2.60.0\n", "ray_version", "2.60.0", id="version"),
        pytest.param("events/event_RAYLET.log", '{"host_name":"vm"}\n', "host_name", "vm", id="host"),
    ],
)
def test_facts_of_a_node(name: str, text: str, fact: str, value: str, tmp_path: pathlib.Path) -> None:
    _node, facts, _of_session = gather(write(tmp_path, {name: text}))
    assert facts.values[fact] == value


def test_the_first_file_that_tells_is_believed(tmp_path: pathlib.Path) -> None:
    files = {"gcs_server.out": "ray_version=2.60.0\n", "raylet.out": "ray_version=2.53.0\n"}
    assert gather(write(tmp_path, files))[1].values["ray_version"] == "2.60.0"


def test_a_fact_across_two_chunks_is_found(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_facts, "_CHUNK", 1000)
    text = "x" * 970 + f"Setting node ID node_id={NODE_ID}\n" + "y" * 5000
    assert gather(write(tmp_path, {"raylet.out": text}))[1].values["node_id"] == NODE_ID


def test_actors_of_workers(tmp_path: pathlib.Path) -> None:
    other = "12" * 28
    files = {
        f"python-core-worker-{WORKER_ID}_7.log": f"x Creating actor actor_id={ACTOR_ID}\n",
        "gcs_server.out": f"Actor creation task succeeded. actor_id={'34' * 16} worker_id={other} job_id=01000000\n",
        "export_events/event_EXPORT_ACTOR.log": lines(
            {
                "actor_id": base64_id(ACTOR_ID),
                "name": "counter",
                "class_name": "Counter",
                "address": {"worker_id": base64_id("56" * 28)},
            },
            {"actor_id": base64_id("78" * 16)},
        ),
    }
    _node, facts, session = gather(write(tmp_path, files))
    assert facts.actors == {WORKER_ID: ACTOR_ID}
    assert session.actors == {other: "34" * 16, "56" * 28: ACTOR_ID}
    assert (session.actor_names, session.actor_classes) == ({ACTOR_ID: "counter"}, {ACTOR_ID: "Counter"})


def test_jobs(tmp_path: pathlib.Path) -> None:
    driver = {"job_id": base64_id("02000000"), "config": {"metadata": {"job_submission_id": "raysubmit_1"}}}
    files = {
        f"worker-{WORKER_ID}-ffffffff-7.out": "x\n:job_id:02000000\n:job_id:03000000\n",
        f"worker-{'12' * 28}-ffffffff-8.out": "no job\n",
        f"worker-{'34' * 28}-01000000-9.out": ":job_id:09000000\n",
        "export_events/event_EXPORT_DRIVER_JOB.log": lines(driver, {"job_id": base64_id("03000000")}, "x"),
    }
    _node, facts, session = gather(write(tmp_path, files))
    assert facts.jobs == {WORKER_ID: "02000000"}
    assert session.jobs_of_submissions == {"raysubmit_1": "02000000"}


def test_files_that_vanish_say_nothing(tmp_path: pathlib.Path) -> None:
    files = {
        f"worker-{WORKER_ID}-ffffffff-7.out": ":job_id:02000000\n",
        "raylet.out": f"Setting node ID node_id={NODE_ID}\n",
        "export_events/event_EXPORT_TASK_7.log": lines({"task_id": "BwAAAA=="}),
    }
    nodes = _session.discover(str(write(tmp_path, files)), CATALOGUE)
    for name in files:
        (tmp_path / "head" / SESSION / "logs" / name).unlink()
    facts = _facts.gather(nodes, CATALOGUE)
    assert facts.nodes[nodes[0].root] == _facts.NodeFacts({}, {}, {})


def task(number: int, attempt: t.Any = 0, **data: t.Any) -> dict[str, t.Any]:
    """Make a record of a task."""
    return {"task_id": base64_id(f"0{number}"), "job_id": base64_id("01000000"), "attempt_number": attempt, **data}


def wrote(**offsets: t.Any) -> dict[str, t.Any]:
    """Make the part of a record that says where a task wrote."""
    return {"state_updates": {"task_log_info": offsets, "state_ts_ns": {"8": str(BEGAN)}}}


def attempts(tmp_path: pathlib.Path, *records: t.Any) -> list[_facts.Attempt]:
    """Gather the attempts of one worker."""
    node, _facts_of_node, session = gather(write(tmp_path, {"export_events/event_EXPORT_TASK_7.log": lines(*records)}))
    return session.attempts.get((node.root, 7), [])


def test_a_line_without_end_takes_no_memory(tmp_path: pathlib.Path) -> None:
    torn = b"x" * (48 << 20)
    path = write(tmp_path, {"export_events/event_EXPORT_TASK_7.log": lines(task(1, **wrote(stdout_end=5)))})
    with next(path.rglob("event_EXPORT_TASK_7.log")).open("ab") as file:
        file.write(torn)
    del torn
    tracemalloc.start()
    node, _facts_of_node, session = gather(path)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [attempt.ranges for attempt in session.attempts[node.root, 7]] == [{"stdout": (None, 5)}]
    assert peak < 16 << 20


def test_attempts_are_joined(tmp_path: pathlib.Path) -> None:
    profile = {"profile_events": {"events": [{"event_name": "cpu"}, {"event_name": "task::f"}]}}
    records = [
        task(1, **wrote(stdout_file="a.out", stdout_start=17, stderr_file="a.err", stderr_start=5)),
        task(1, **{**profile, **wrote(stdout_end=40, stderr_end=5)}),
        task(2, 1, **wrote(stdout_start=0, stdout_end=60)),
        task(3, **wrote(stdout_file="a.out", stdout_start=60)),
    ]
    first, second = attempts(tmp_path, *records)
    assert (first.task_id, first.attempt, first.name, first.job_id, first.began_ms) == (
        *("01", 0, "f", "01000000", BEGAN // 10**6),
    )
    assert first.ranges == {"stdout": (17, 40)}
    assert (second.task_id, second.attempt, second.ranges) == ("02", 1, {"stdout": (None, 60)})


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({"task_id": ""}, id="no id"),
        pytest.param(task(1, "x"), id="an attempt that is no number"),
        pytest.param(task(1, state_updates=[]), id="updates that are a list"),
        pytest.param(task(1, **wrote(stdout_start="²", stdout_end="9" * 5000, stdout_file="a")), id="no offsets"),
        pytest.param(task(1, state_updates={"task_log_info": "x", "state_ts_ns": {"8": "soon"}}), id="text"),
        pytest.param(task(1, profile_events={"events": [1, {"event_name": None}]}), id="profiles that are none"),
        pytest.param(task(1, profile_events={"events": 7}), id="a number of profiles"),
    ],
)
def test_records_that_say_nothing(record: dict[str, t.Any], tmp_path: pathlib.Path) -> None:
    assert attempts(tmp_path, record) == []


def spans(ranges: list[tuple[int | None, int]], *, stream: str = "out", pieces: int = 1) -> list[tuple[int, int, str]]:
    """Return whose the bytes of a worker's output are."""
    name = f"worker-{WORKER_ID}-01000000-7.{stream}"
    written = [
        _facts.Attempt(str(number), 0, "", "", None, 7, {"stdout": limits}) for number, limits in enumerate(ranges)
    ]
    piece = _session.Piece("", 1, 1, 0, False)
    file = _session.LogFile(CATALOGUE.classify(name), (piece,) * pieces)
    return [(span.start, span.stop, span.fields["ray.task_id"]) for span in _facts.spans(file, written)]


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        pytest.param([(0, 5), (7, 9)], [(0, 5, "0"), (7, 9, "1")], id="one after the other"),
        pytest.param([(0, 5), (None, 9)], [(0, 5, "0"), (5, 9, "1")], id="a beginning that is not known"),
        pytest.param([(0, 6), (4, 9)], [(0, 4, "0"), (6, 9, "1")], id="side by side: nobody's"),
        pytest.param([(0, 9), (2, 4)], [(0, 2, "0"), (4, 9, "0")], id="one within the other"),
        pytest.param([(3, 3)], [], id="nothing written"),
        pytest.param([], [], id="no task"),
    ],
)
def test_spans(ranges: list[tuple[int | None, int]], expected: list[tuple[int, int, str]]) -> None:
    assert spans(ranges) == expected


def test_spans_are_those_of_their_stream() -> None:
    assert spans([(0, 5)], stream="err") == []


def test_rotation_moves_the_bytes() -> None:
    assert spans([(0, 5)], pieces=2) == []


def test_names_of_tasks_are_kept_where_known() -> None:
    file = _session.LogFile(
        CATALOGUE.classify(f"worker-{WORKER_ID}-01000000-7.out"), (_session.Piece("", 1, 1, 0, False),)
    )
    attempt = _facts.Attempt("t", 1, "f", "01000000", 5, 7, {"stdout": (0, 5)})
    fields = {"ray.task_id": "t", "ray.attempt": 1, "ray.job_id": "01000000", "ray.task_name": "f"}
    assert _facts.spans(file, [attempt]) == (_event.Span(0, 5, fields, 5),)


@pytest.mark.parametrize(
    ("name", "text", "minutes"),
    [
        pytest.param(
            f"worker-{WORKER_ID}-01000000-7.err",
            '{"asctime": "2026-11-23 03:00:00,000", "timestamp_ns": 1795420800000000000}\n',
            -300,
            id="JSON",
        ),
        pytest.param(
            f"worker-{WORKER_ID}-01000000-7.err",
            "2026-11-23 13:30:00,000\tINFO a.py:1 -- m timestamp_ns=1795420800000000000\n",
            330,
            id="text",
        ),
        pytest.param(
            f"worker-{WORKER_ID}-01000000-7.err",
            "x\n[2026-11-23 08:00:00,000 E 1 1] logging.cc:1: *** SIGSEGV received at time=1795420800 on\n",
            0,
            id="a native crash",
        ),
        pytest.param("dashboard.log", "127.0.0.1 [23/Nov/2026:03:00:00 -0500]\n", -300, id="an access line"),
        pytest.param(
            "dashboard.log", "[23/Nov/2026:03:00:00 +9900]\n[23/Nov/2026:03:00:00 +0530]\n", 330, id="no zone"
        ),
        pytest.param(
            f"worker-{WORKER_ID}-01000000-7.err",
            '{"asctime": "2026-99-99 03:00:00,000", "timestamp_ns": 1795420800000000000}\n',
            None,
            id="no such day",
        ),
        pytest.param(
            f"worker-{WORKER_ID}-01000000-7.err",
            '{"asctime": "2026-11-23 03:00:00,000", "timestamp_ns": 1111111111111111111}\n',
            None,
            id="times that are years apart",
        ),
        pytest.param("raylet.out", "x\n", None, id="none"),
    ],
)
def test_offsets(name: str, text: str, minutes: int | None, tmp_path: pathlib.Path) -> None:
    session = gather(write(tmp_path, {name: text}))[2]
    assert list(session.offsets.values()) == ([] if minutes is None else [minutes])
    assert sum(session.zone_offsets().values()) == len(session.offsets)


@pytest.mark.parametrize(
    ("local", "epoch_ms", "minutes"),
    [
        pytest.param("2026-11-23 08:00:00,000", 1795420800000, 0, id="UTC"),
        pytest.param("2026-11-23 13:45:00,100", 1795420800000, 345, id="Nepal"),
        pytest.param("never", 0, None, id="no time"),
    ],
)
def test_local_offset(local: str, epoch_ms: int, minutes: int | None) -> None:
    assert _facts.local_offset(local, epoch_ms) == minutes


@pytest.mark.parametrize(
    ("ends", "minutes"),
    [
        pytest.param([(HOUR, 0), (HOUR + 60_000, 60_000), (HOUR + 120_500, 121_000)], 60, id="three agree"),
        pytest.param([(HOUR, 0), (HOUR + 60_000, 60_000)], None, id="two are too few"),
        pytest.param([(HOUR, 0), (HOUR + 1000, 1000), (HOUR + 2000, 2000)], None, id="all at once, as by a copy"),
        pytest.param([(HOUR, 0), (HOUR, 60_000), (HOUR, 120_000)], None, id="differences that are no zone's"),
        pytest.param(
            [(HOUR, 0), (HOUR + 60_000, 60_000), (HOUR + 120_000, 120_000), (0, 200_000), (1, 400_000), (2, 500_000)],
            None,
            id="half disagree",
        ),
        pytest.param([(20 * HOUR + n * 60_000, n * 60_000) for n in range(4)], None, id="farther than any zone"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_agreed_offset(ends: list[tuple[int, int]], minutes: int | None) -> None:
    assert _facts.agreed_offset(ends) == minutes


def test_zone_by_the_times_of_files(tmp_path: pathlib.Path) -> None:
    """The last lines of Ray's own files were written when the files were last changed."""
    files = {
        f"dashboard_{name}Head.log": f"2026-11-23 13:3{number}:00,000\tINFO a.py:1 -- m\n"
        for number, name in enumerate(("Job", "Node", "State"))
    }
    files["gcs_server.out"] = "[2026-11-23 13:33:00,000 I 1 1] (gcs_server) a.cc:1: Event stats:\nx\n"
    write(tmp_path, files)
    for number, name in enumerate(files):
        changed = (1795420800 + number * 60) * 10**9
        os.utime(tmp_path / "head" / SESSION / "logs" / name, ns=(changed, changed))
    session = gather(tmp_path)[2]
    assert set(session.offsets.values()) == {330}
    assert len(session.offsets) == 3
