# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of Ray's event files."""

from __future__ import annotations

import json
import typing as t

import pytest

from tests.parsing import CREATED, TASKS, events, items

ACTORS = "export_events/event_EXPORT_ACTOR.log"
RAYLET = "events/event_RAYLET.log"
SUBMISSIONS = "export_events/event_EXPORT_SUBMISSION_JOB.log"
SECONDS = 1795420800
BEGAN, ENDED = str(SECONDS * 10**9), str(SECONDS * 10**9 + 1_500_000_000)


def lines(*records: t.Any) -> bytes:
    """Write records as Ray does."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def task(attempt: int = 0, **data: t.Any) -> dict[str, t.Any]:
    """Make a record of a task."""
    known = {"task_id": "BwAAAA==", "job_id": "AQAAAA==", "attempt_number": attempt}
    return {"event_id": "e", "source_type": "EXPORT_TASK", "timestamp": SECONDS, "event_data": {**known, **data}}


def states(*numbers: int, **more: t.Any) -> dict[str, t.Any]:
    """Make an update of a task's states."""
    return {"state_updates": {"state_ts_ns": {str(number): ENDED for number in numbers}, **more}}


def profile(name: str = "task::f", began: t.Any = BEGAN, ended: t.Any = ENDED) -> dict[str, t.Any]:
    """Make the profile of a run."""
    return {"profile_events": {"events": [{"event_name": name, "start_time": began, "end_time": ended}]}}


def test_a_failed_attempt() -> None:
    first = task(task_info={"name": "f", "func_or_class_name": "m.f", "actor_id": "CwAAAA=="})
    last = task(**states(12, error_info={"error_type": "WORKER_DIED", "error_message": "\x1b[31mgone\x1b[0m"}))
    folded, failed = items(lines(first, last), name=TASKS, profile="standard")
    assert (folded.what, folded.event) == ("task_record", None)
    assert failed.event
    expected = {
        "event.dataset": "ray.task",
        "message": "Task f failed: WORKER_DIED: gone",
        "log.level": "ERROR",
        "ray.task_id": "07000000",
        "ray.job_id": "01000000",
        "ray.actor_id": "0b000000",
        "ray.attempt": 0,
        "ray.task_name": "f",
        "ray.task_state": "FAILED",
        "event.outcome": "failure",
        "error.type": "WORKER_DIED",
        "error.message": "gone",
        "ray.time_source": "line",
        "@timestamp": "2026-11-23T08:00:01.500Z",
        "ray.timestamp": "2026-11-23T08:00:01.500000000Z",
    }
    assert {field: failed.event.get(field) for field in expected} == expected


@pytest.mark.parametrize(
    ("data", "dataset", "message", "duration"),
    [
        pytest.param(states(11), "ray.task", "Task 07000000 finished", None, id="finished, name unknown"),
        pytest.param(
            {**states(11), **profile()}, "ray.task", "Task 07000000 finished", 1_500_000_000, id="with its run"
        ),
        pytest.param(profile(), "ray.task_profile", "Task f ran 1.500 s", 1_500_000_000, id="a run"),
        pytest.param(
            profile(began=ENDED, ended=BEGAN), "ray.task_profile", "Task f ran 0.000 s", 0, id="a clock set back"
        ),
        pytest.param(profile("store"), "ray.task_record", "Task record: profile", None, id="another profile"),
        pytest.param(states(8, 77), "ray.task_record", "Task record: RUNNING, 77", None, id="states"),
    ],
)
def test_task(data: dict[str, t.Any], dataset: str, message: str, duration: int | None) -> None:
    (event,) = events(lines(task(**data)), name=TASKS)
    assert (event["event.dataset"], event["message"], event.get("event.duration")) == (dataset, message, duration)


def test_names_of_too_many_tasks_are_forgotten() -> None:
    records = [
        {**task(task_info={"name": f"f{number}"}), "event_data": {"task_id": f"t{number}", "task_info": {"name": "f"}}}
        for number in range(20_001)
    ]
    ended = [{"timestamp": SECONDS, "event_data": {"task_id": name, **states(11)}} for name in ("t0", "t20000")]
    found = events(lines(*records, *ended), name=TASKS, profile="standard")
    assert [event.get("ray.task_name") for event in found] == [None, "f"]


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"event_data": [1]}, id="data that is a list"),
        pytest.param(task(attempt_number="x", task_id=7, job_id=None), id="ids that are none"),
        pytest.param(task(state_updates=[1]), id="updates that are a list"),
        pytest.param(task(state_updates={"state_ts_ns": [12]}), id="states that are a list"),
        pytest.param(task(state_updates={"state_ts_ns": {"12": "soon"}, "error_info": "x"}), id="no time"),
        pytest.param(task(profile_events={"events": ["task::f", {"event_name": 7}]}), id="profiles that are none"),
        pytest.param(task(**profile(began="²", ended="9" * 5000)), id="numbers that are none"),
        pytest.param(task(task_info="x"), id="information that is text"),
        pytest.param({**task(), "timestamp": {"a": 1}}, id="a time that is an object"),
    ],
)
@pytest.mark.parametrize("name", [TASKS, ACTORS, RAYLET, SUBMISSIONS, "export_events/event_EXPORT_X.log"])
def test_records_that_are_not_as_ray_writes_them(record: dict[str, t.Any], name: str) -> None:
    text = lines(record)
    found = items(text, name=name)
    assert sum(item.size for item in found) == len(text)
    assert all(item.event and json.dumps(item.event, allow_nan=False) for item in found)


def test_lines_that_are_no_records() -> None:
    found = items(lines(task(**states(11))) + b'\n{"cut": \n[1]\n', name=TASKS)
    assert [item.what for item in found] == ["event", "blank", "event", "event"]
    last = found[-1].event
    assert last
    assert (last["message"], last["tags"], last["ray.time_source"]) == ("[1]", ["unparsed"], "previous")
    assert last["@timestamp"] == "2026-11-23T08:00:01.500Z"


def test_time_where_no_record_has_one() -> None:
    (event,) = events(b"x\n", name=TASKS)
    assert (event["@timestamp"], event["ray.time_source"]) == (CREATED.text, "read")
    (event,) = events(b"x\n", name=TASKS, file_time=CREATED)
    assert event["ray.time_source"] == "file"


def test_death_of_an_actor() -> None:
    cause = {"actor_died_error_context": {"error_message": "killed"}}
    data = {"actor_id": "BwAAAA==", "class_name": "A", "state": "DEAD", "death_cause": cause, "is_detached": True}
    (event,) = events(lines({"timestamp": SECONDS, "event_data": data}), name=ACTORS)
    assert (event["message"], event["error.type"], event["error.message"]) == (
        *("Actor A is DEAD", "actor_died_error_context", "killed"),
    )
    assert event["labels"]["is_detached"] is True


def test_death_without_a_message() -> None:
    data = {"class_name": "A", "state": "DEAD", "death_cause": {"other_context": {}}}
    (event,) = events(lines({"timestamp": SECONDS, "event_data": data}), name=ACTORS)
    assert (event["error.type"], event.get("error.message")) == ("other_context", None)


@pytest.mark.parametrize(
    ("label", "dataset"),
    [
        pytest.param("RAY_WORKER_FAILURE", "ray.worker_death", id="death of a worker"),
        pytest.param("Out of Memory", "ray.oom_kill", id="OOM kill"),
        pytest.param("", "ray.event", id="another one"),
    ],
)
def test_event_of_the_raylet(label: str, dataset: str) -> None:
    record = {"timestamp": SECONDS, "severity": "ERROR", "label": label, "message": "a\\nb", "custom_fields": {"x": 1}}
    (event,) = events(lines(record), name=RAYLET)
    assert (event["event.dataset"], event["log.level"], event["message"]) == (dataset, "ERROR", "a\nb")
    assert event["labels"] == {"x": 1}


@pytest.mark.parametrize(
    ("times", "duration"),
    [
        pytest.param({"start_time": "1795420800000", "end_time": "1795420801500"}, 1_500_000_000, id="an end"),
        pytest.param({"start_time": "1795420800000", "end_time": "0"}, None, id="no end"),
        pytest.param({"start_time": "1795420801500", "end_time": "1795420800000"}, None, id="a clock set back"),
    ],
)
def test_duration_of_a_job(times: dict[str, str], duration: int | None) -> None:
    data = {"submission_job_id": "s", "status": "SUCCEEDED", "message": "done", **times}
    (event,) = events(lines({"timestamp": SECONDS, "event_data": data}), name=SUBMISSIONS)
    assert (event["message"], event.get("event.duration")) == ("Job s is SUCCEEDED: done", duration)
