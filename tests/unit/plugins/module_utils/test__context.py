# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of each file before its first line is read."""

from __future__ import annotations

import collections
import ctypes
import datetime as dt
import os
import pathlib
import re
import shutil
import typing as t
import zoneinfo

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _clock, _context, _facts, _session

from tests import corpus

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils import _event

SESSION = "session_2026-11-23_08-00-00_000000_1"
WORKER_ID, NODE_ID, ACTOR_ID = "ab" * 28, "cd" * 28, "ef" * 16
WORKER = f"worker-{WORKER_ID}-01000000-7.out"
NEW_YORK = "2.60.0/serve-env-tz-newyork"
PYTHON = "2026-11-23 08:00:00,000\tINFO a.py:1 -- "
JSON_LINE = '{"asctime": "2026-11-23 03:00:00,000", "timestamp_ns": 1795420800000000000, "message": "m"}\n'
COPY = "\x1b[36m(f pid=7%s)\x1b[0m a line\n"


def write(tmp_path: pathlib.Path, files: dict[str, str], node: str = "head") -> None:
    """Write the logs of a node."""
    for name, text in {"raylet.err": "", **files}.items():
        path = tmp_path / node / SESSION / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def view(tmp_path: pathlib.Path, **said: t.Any) -> tuple[_context.SessionView, list[_session.NodeLogs]]:
    """Return the only session below a folder."""
    ((found, nodes),) = corpus.views(tmp_path, corpus.settings()._replace(**said))
    return found, nodes


def file_of(node: _session.NodeLogs, name: str) -> _session.LogFile:
    """Return a file of a node by its name."""
    return next(file for file in node.files if file.name == name)


def base(tmp_path: pathlib.Path, name: str) -> _event.Event:
    """Return what is known of all lines of a file of the first node."""
    found, nodes = view(tmp_path)
    return found.file_context(nodes[0], file_of(nodes[0], name), ("k",)).base


def events(tmp_path: pathlib.Path, **said: t.Any) -> dict[str, list[_event.Event]]:
    """Parse all files and return their events by node and name."""
    parsed = corpus.parse(tmp_path, corpus.settings()._replace(**said))
    return {f"{file.node.node}/{file.file.name}": file.events for file in parsed}


def test_a_worker_knows_its_job_and_its_actor(tmp_path: pathlib.Path) -> None:
    idle = f"worker-{WORKER_ID}-ffffffff-7.out"
    write(
        tmp_path,
        {
            "raylet.out": f"Setting node ID node_id={NODE_ID}\n",
            idle: ":job_id:02000000\nx\n",
            f"python-core-worker-{WORKER_ID}_7.log": f"Creating actor actor_id={ACTOR_ID}\n",
            "export_events/event_EXPORT_ACTOR.log": (
                '{"event_data": {"actor_id": "' + ACTOR_ID + '", "name": "counter", "class_name": "C"}}\n'
            ),
        },
    )
    known = {
        "ray.job_id": "02000000",
        "ray.actor_id": ACTOR_ID,
        "ray.actor_name": "counter",
        "ray.actor_class": "C",
    }
    found = base(tmp_path, idle)
    assert known.items() <= found.items()
    assert (found["ray.worker_id"], found["ray.node_id"], found["process.pid"]) == (WORKER_ID, NODE_ID, 7)


def test_an_idle_worker_has_no_job(tmp_path: pathlib.Path) -> None:
    name = f"worker-{WORKER_ID}-ffffffff-7.out"
    write(tmp_path, {name: "x\n"})
    assert "ray.job_id" not in base(tmp_path, name)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        pytest.param(WORKER, {"ray.job_id": "01000000", "ray.component": "worker"}, id="a worker"),
        pytest.param(
            f"python-core-driver-01000000{'f' * 48}_7.log", {"ray.job_id": "01000000", "process.pid": 7}, id="a driver"
        ),
        pytest.param("job-driver-raysubmit_1.log", {"ray.submission_id": "raysubmit_1"}, id="a submitted job"),
        pytest.param(
            "serve/replica_my_app_D_ab12cd34.log",
            {"ray.serve.deployment": "my_app_D", "ray.serve.application": "my_app", "ray.serve.replica": "ab12cd34"},
            id="a replica",
        ),
        pytest.param("serve/replica_D_ab12cd34.log", {"ray.serve.application": "D"}, id="a replica of no application"),
        pytest.param("raylet.out", {"ray.component": "raylet", "event.dataset": "ray.raylet"}, id="the raylet"),
    ],
)
def test_what_a_name_says(name: str, fields: dict[str, t.Any], tmp_path: pathlib.Path) -> None:
    write(tmp_path, {name: "x\n"})
    assert fields.items() <= base(tmp_path, name).items()


def test_job_of_a_submitted_job(tmp_path: pathlib.Path) -> None:
    record = '{"event_data": {"job_id": "AgAAAA==", "config": {"metadata": {"job_submission_id": "raysubmit_1"}}}}\n'
    write(tmp_path, {"job-driver-raysubmit_1.log": "x\n", "export_events/event_EXPORT_DRIVER_JOB.log": record})
    assert base(tmp_path, "job-driver-raysubmit_1.log")["ray.job_id"] == "02000000"


@pytest.mark.parametrize(
    ("node", "files", "expected"),
    [
        pytest.param("head", {"events/event_RAYLET.log": '{"host_name":"vm"}\n'}, "vm", id="as its events say"),
        pytest.param("head", {}, "head", id="as its folder is called"),
        pytest.param("", {}, "localhost", id="as this host is called"),
    ],
)
def test_host_name(node: str, files: dict[str, str], expected: str, tmp_path: pathlib.Path) -> None:
    write(tmp_path, files, node)
    found, nodes = view(tmp_path)
    assert found.host_name(nodes[0]) == expected
    assert found.node_id(nodes[0]) == node


def test_constant_fields(tmp_path: pathlib.Path) -> None:
    write(tmp_path, {WORKER: "x\n"})
    write(tmp_path, {"gcs_server.out": "ray_version=2.60.0\n"}, "node2")
    found, nodes = view(tmp_path)
    fields = found.constant(nodes[0], file_of(nodes[0], WORKER), "key", "7.1")
    assert fields == {
        "ecs.version": fields["ecs.version"],
        "ray.schema_version": 1,
        "event.kind": "event",
        "event.created": corpus.CREATED.text,
        "ray.cluster": "corpus",
        "ray.session": SESSION,
        "ray.class": "app",
        "log.file.path": f"{SESSION}/logs/{WORKER}",
        "log.file.fingerprint": "key",
        "log.file.inode": "7.1",
        "agent.type": "importer",
        "ray.version": "2.60.0",
        "ray.stream": "out",
    }
    fields = found.constant(nodes[0], file_of(nodes[0], "raylet.err"), "key")
    assert not {"log.file.inode"} & fields.keys()


def test_version_where_nobody_says_it(tmp_path: pathlib.Path) -> None:
    write(tmp_path, {"dashboard.log": "x\n"})
    found, nodes = view(tmp_path)
    fields = found.constant(nodes[0], file_of(nodes[0], "dashboard.log"), "key")
    assert not {"ray.version", "ray.stream"} & fields.keys()


@pytest.mark.parametrize(
    ("original", "ip", "left_out"),
    [
        pytest.param(("head", WORKER), "", True, id="on the same node"),
        pytest.param(("head", WORKER.replace("-7.out", "-8.out")), "", False, id="of another process"),
        pytest.param(("node2", WORKER), ", ip=10.0.0.2", True, id="on another node"),
        pytest.param(("node2", WORKER), "", False, id="on another node, but the line is of this one"),
        pytest.param(("head", WORKER), ", ip=10.0.0.2", False, id="on this node, but the line is of another one"),
        pytest.param(("head", f"old/{WORKER}"), "", True, id="moved"),
        pytest.param(("head", f"{WORKER}.1"), "", True, id="rotated"),
    ],
)
def test_copies_in_a_driver(original: tuple[str, str], ip: str, left_out: bool, tmp_path: pathlib.Path) -> None:
    write(tmp_path, {"job-driver-raysubmit_1.log": COPY % ip})
    write(tmp_path, {original[1]: "a line\n"}, original[0])
    found = events(tmp_path)["head/job-driver-raysubmit_1.log"]
    assert [event["ray.copy_of"] for event in found] == ([] if left_out else ["driver_copy"])
    kept = events(tmp_path, keep_copies=True)["head/job-driver-raysubmit_1.log"]
    assert [event["ray.copy_of"] for event in kept] == ["driver_copy"]


@pytest.mark.parametrize(
    ("line", "left_out"),
    [
        pytest.param(f'{{"asctime": "", "message": "m", "worker_id": "{WORKER_ID}"}}', True, id="JSON"),
        pytest.param(f'{{"asctime": "", "message": "m", "worker_id": "{"12" * 28}"}}', False, id="JSON of another"),
        pytest.param('{"asctime": "2026-11-23 08:00:00,000", "message": "m"}', False, id="JSON of the driver"),
        pytest.param(f"{PYTHON}m job_id=01000000 worker_id={WORKER_ID}", True, id="text"),
        pytest.param(f"{PYTHON}m job_id=01000000 worker_id={'12' * 28}", False, id="text of another worker"),
        pytest.param(f"{PYTHON}m", False, id="text of the driver"),
    ],
)
def test_copies_without_a_prefix(line: str, left_out: bool, tmp_path: pathlib.Path) -> None:
    write(tmp_path, {"job-driver-raysubmit_1.log": line + "\n"})
    write(tmp_path, {WORKER: "x\n"}, "node2")
    found = events(tmp_path)["head/job-driver-raysubmit_1.log"]
    assert [event.get("ray.copy_of") for event in found] == ([] if left_out else [None])


@pytest.mark.parametrize(
    ("line", "original"),
    [
        pytest.param("controller 7", "serve/controller_7.log", id="the controller"),
        pytest.param("app_D ab12cd34", "serve/replica_app_D_ab12cd34.log", id="a replica"),
    ],
)
def test_copies_of_serve(line: str, original: str, tmp_path: pathlib.Path) -> None:
    name = WORKER.replace(".out", ".err")
    text = f"INFO 2026-11-23 08:00:00,000 {line} -- m\n"
    write(tmp_path, {name: text})
    assert [event["ray.copy_of"] for event in events(tmp_path)[f"head/{name}"]] == ["serve_replica_stderr"]
    write(tmp_path, {original: text})
    found = events(tmp_path)
    assert (found[f"head/{name}"], len(found[f"head/{original}"])) == ([], 1)


def test_copies_of_whole_files(tmp_path: pathlib.Path) -> None:
    name = "ray-data/ray-data-dataset_1.log"
    write(tmp_path, {name: f"{PYTHON}m\n"})
    (event,) = events(tmp_path)[f"head/{name}"]
    assert (event["ray.copy_of"], event["tags"]) == ("ray_data_dataset", ["copy", "zone_assumed"])
    write(tmp_path, {"ray-data/ray-data.log": f"{PYTHON}m\n"})
    assert f"head/{name}" not in events(tmp_path)
    assert len(events(tmp_path, keep_copies=True)[f"head/{name}"]) == 1


def test_copies_of_train(tmp_path: pathlib.Path) -> None:
    record = '{"asctime": "2026-11-23 08:00:00,000", "levelname": "INFO", "message": "%s", "filename": "a"}\n'
    app, system = (f"train/ray-train-{part}-worker-{WORKER_ID}.log" for part in ("app", "sys"))
    write(tmp_path, {app: record % "both" + record % "own", system: record % "both" + "no record\n"})
    assert [event["message"] for event in events(tmp_path)[f"head/{app}"]] == ["own"]
    found, nodes = view(tmp_path)
    file = file_of(nodes[0], app)
    pathlib.Path(file_of(nodes[0], system).pieces[0].path).unlink()
    items = found.file_context(nodes[0], file, ("k",)).copies
    assert [rule.id for rule, is_there in items if is_there({"message": "both"})] == []


@pytest.mark.parametrize(
    ("stated", "offsets", "zone", "assumed", "contradictions"),
    [
        pytest.param("", [], "UTC", True, 0, id="nothing known"),
        pytest.param("", [-300], "-05:00", False, 0, id="shown by a file"),
        pytest.param("", [-300, -300, 330], "-05:00", False, 1, id="shown by most files"),
        pytest.param("Asia/Kolkata", [], "Asia/Kolkata", False, 0, id="stated"),
        pytest.param("Asia/Kolkata", [330], "Asia/Kolkata", False, 0, id="stated and shown"),
        pytest.param("America/New_York", [-300, -240], "America/New_York", False, 0, id="in winter and in summer"),
        pytest.param("UTC", [0, 330, -300], "UTC", False, 2, id="contradicted"),
    ],
)
def test_choose_zone(stated: str, offsets: list[int], zone: str, assumed: bool, contradictions: int) -> None:
    shown = {("/logs", f"file{number}"): offset for number, offset in enumerate(offsets)}
    found = _context.choose_zone(stated, _facts.SessionFacts({}, {}, {}, {}, {}, shown))
    assert (found.clock.zone, found.assumed, len(found.contradictions)) == (zone, assumed, contradictions)


def test_a_contradiction_names_the_file() -> None:
    facts = _facts.SessionFacts({}, {}, {}, {}, {}, {("/logs", "a.err"): 0, ("/logs", "b.err"): -300})
    assert _context.choose_zone("Asia/Kolkata", facts).contradictions == (
        *("/logs/a.err shows UTC+00:00", "/logs/b.err shows UTC-05:00"),
    )


def test_an_unknown_zone_is_refused(tmp_path: pathlib.Path) -> None:
    write(tmp_path, {})
    with pytest.raises(_clock.ClockError, match="Time zone 'Amerika/New_York' is not known here"):
        view(tmp_path, zone="Amerika/New_York")


def test_a_file_that_shows_another_zone_keeps_it(tmp_path: pathlib.Path) -> None:
    """A job can have its own TZ; a zone that the user states is that of all files."""
    text = f"{PYTHON}m\n"
    names = [WORKER.replace("-7.out", f"-{number}.err") for number in range(3)]
    in_india = JSON_LINE.replace(" 03:00", " 13:30")
    write(tmp_path, {names[0]: JSON_LINE + text, names[1]: JSON_LINE, names[2]: in_india + text, "dashboard.log": text})
    found = events(tmp_path)
    times = {name: found[f"head/{name}"][-1]["@timestamp"][11:16] for name in (names[0], names[2], "dashboard.log")}
    assert list(times.values()) == ["13:00", "02:30", "13:00"]
    assert not any("zone_assumed" in event.get("tags", ()) for file in found.values() for event in file)
    assert len(view(tmp_path)[0].zone.contradictions) == 1
    stated = events(tmp_path, zone="UTC")
    assert {stated[f"head/{name}"][-1]["@timestamp"][11:16] for name in (names[0], names[2])} == {"08:00"}


def test_an_assumed_zone_is_tagged(tmp_path: pathlib.Path) -> None:
    write(tmp_path, {"dashboard.log": f"{PYTHON}m\n"})
    assert events(tmp_path)["head/dashboard.log"][0]["tags"] == ["zone_assumed"]
    assert "tags" not in events(tmp_path, zone="UTC")["head/dashboard.log"][0]


def test_new_york_is_found_by_the_times_of_files(tmp_path: pathlib.Path) -> None:
    """Give files of a session in New York the times at which Ray last wrote them, and find the zone."""
    logs = tmp_path / "new_york"
    shutil.copytree(corpus.folder() / NEW_YORK, logs, copy_function=shutil.copyfile, symlinks=True)
    zone = zoneinfo.ZoneInfo("America/New_York")
    for path in logs.rglob("*.*"):
        times = re.findall(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}", path.read_bytes()) if path.is_file() else []
        if times:
            last = dt.datetime.strptime(times[-1].decode(), "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=zone)
            os.utime(path, (last.timestamp(), last.timestamp()))
    ((found, _nodes),) = corpus.views(logs, corpus.settings())
    assert (found.zone.clock.zone, found.zone.assumed, found.zone.contradictions) == ("-05:00", False, ())
    hours = collections.Counter(
        event["@timestamp"][:13]
        for file in corpus.parse(logs)
        for event in file.events
        if event["ray.time_source"] == "line"
    )
    assert set(hours) <= {"2026-11-23T08", "2026-11-23T09"}


def test_inode_and_birth(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a"
    path.touch()
    moved = path.rename(tmp_path / "b")
    number, _point, born = _context.inode_and_birth(str(moved)).partition(".")
    assert int(number) == moved.stat().st_ino
    assert abs(int(born) - moved.stat().st_mtime_ns) < 10**10
    assert _context.inode_and_birth(str(tmp_path / "missing")) == ""


def test_inode_where_the_system_does_not_tell(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_words: t.Any, **_more: t.Any) -> t.NoReturn:
        raise OSError

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    assert _context.inode_and_birth(str(tmp_path)) == ""


@pytest.mark.parametrize(
    ("name", "head", "repeatable"),
    [
        pytest.param(WORKER, b"a print", True, id="a print"),
        pytest.param(WORKER, b"", True, id="nothing"),
        pytest.param(WORKER, b":job_id:01000000", False, id="the first line of a job"),
        pytest.param(WORKER, b":task_name:f", True, id="another magic line"),
        pytest.param(WORKER, b"INFO:root:m", True, id="a format without a time"),
        pytest.param(WORKER, PYTHON.encode(), False, id="a time"),
        pytest.param(WORKER, b'{"message": "m"}', True, id="JSON without a time"),
        pytest.param(WORKER, JSON_LINE.encode(), False, id="JSON with a time"),
        pytest.param("events/event_RAYLET.log", b"{}", False, id="a record"),
    ],
)
def test_is_repeatable(name: str, head: bytes, repeatable: bool) -> None:
    file = _session.LogFile(corpus.CATALOGUE.classify(name), ())
    assert _context.is_repeatable(head, file, corpus.CATALOGUE) is repeatable


@pytest.mark.parametrize(
    ("name", "depends_on_node"),
    [pytest.param(WORKER, False, id="unique"), pytest.param("raylet.out", True, id="not unique")],
)
def test_piece_identity(name: str, depends_on_node: bool, tmp_path: pathlib.Path) -> None:
    write(tmp_path, {name: "a print\n"})
    _found, nodes = view(tmp_path)
    file = file_of(nodes[0], name)
    piece = file.pieces[0]
    first, other = (
        _context.piece_identity(piece, file, (SESSION, node), corpus.CATALOGUE, with_inode=True) for node in ("a", "b")
    )
    assert (first.base != other.base) is depends_on_node
    assert first.inode == _context.inode_and_birth(piece.path)
    assert (first.number, first.mtime_ns, first.repeatable) == (0, piece.mtime_ns, True)


def ids(tmp_path: pathlib.Path) -> set[str]:
    """Return the ids of all events below a folder."""
    return {event["event.id"] for found in events(tmp_path).values() for event in found}


def test_ids_are_the_same_after_a_copy_a_move_and_a_rotation(tmp_path: pathlib.Path) -> None:
    logs = tmp_path / "a" / "head" / SESSION / "logs"
    write(
        tmp_path / "a",
        {"raylet.out": f"Setting node ID node_id={NODE_ID}\n{PYTHON}m\n", WORKER: ":job_id:01000000\nx\ny\n"},
    )
    before = ids(tmp_path / "a")
    assert len(before) == 3
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b" / "head").rename(tmp_path / "b" / "other")
    assert ids(tmp_path / "b") == before
    (logs / "old").mkdir()
    (logs / WORKER).rename(logs / "old" / f"{WORKER}.1")
    assert ids(tmp_path / "a") == before
    (logs / WORKER).write_text("later\n")
    assert before < ids(tmp_path / "a")
