# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading without a server: documents, files that vanish, what is reported of them."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import (
    _bulk,
    _catalogue,
    _clock,
    _context,
    _facts,
    _import,
    _session,
    _target,
)
from ansible_collections.raylogs.efk.plugins.module_utils._api import OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._report import Report

SESSION = "session_1"
WORKER = f"worker-{'ab' * 28}-01000000-{{}}.out"
SETTINGS = _context.Settings(
    catalogue=_catalogue.load(),
    cluster="test",
    profile="standard",
    zone="UTC",
    created=_clock.from_ms(1_795_000_000_000),
    reader={},
    host_name="here",
)


def session(folder: Path, **files: str) -> list[_session.NodeLogs]:
    """Write and find the logs of a session."""
    logs = folder / SESSION / "logs"
    logs.mkdir(parents=True)
    for pid, content in files.items():
        (logs / WORKER.format(pid.strip("_"))).write_text(content)
    return _session.discover(str(folder), SETTINGS.catalogue)


def read(nodes: t.Sequence[_session.NodeLogs], settings: _context.Settings = SETTINGS) -> Report:
    """Read sessions without storing anything."""
    report = Report("")
    run = _import.Import(settings, _target.Target("p", "t", "data_stream"), None, False, None, "", report)
    _import.import_nodes(run, nodes)
    return report


@pytest.mark.parametrize(
    ("constant", "event", "expected"),
    [
        pytest.param({"a": 1}, {"b": 2}, {"a": 1, "b": 2}, id="different names"),
        pytest.param({"a": 1, "b": 0}, {"b": 2}, {"a": 1, "b": 2}, id="the event's own value wins, once"),
        pytest.param({"a": "ä"}, {"b": "\ud800ü\n\0"}, {"a": "ä", "b": "?ü\n\0"}, id="text of all kinds"),
    ],
)
def test_documents_are_two_lines_of_valid_json(
    constant: dict[str, t.Any], event: dict[str, t.Any], expected: dict[str, t.Any]
) -> None:
    write = _import.document_writer(_target.Target("p", "t", "daily"), "app", constant)
    event = {"@timestamp": "2026-11-23T10:00:00.000Z", "event.id": "key:7", **event}
    for _again in range(2):
        action, document, rest = write(event).split(b"\n")
        assert rest == b""
        assert json.loads(action) == {"create": {"_index": "p-app-t-2026.11.23", "_id": "key:7"}}
        pairs = json.loads(document, object_pairs_hook=list)
        assert len(pairs) == len(dict(pairs))
        assert dict(pairs) == {"@timestamp": event["@timestamp"], "event.id": "key:7", **expected}


def test_a_file_that_vanishes_is_reported_and_the_rest_is_read(tmp_path: Path) -> None:
    nodes = session(tmp_path, _1="one\n", _2="two\n")
    gone = Path(nodes[0].root) / WORKER.format(1)
    gone.unlink()
    report = read(nodes)
    answer = report.answer(1.0)
    assert answer["unreadable"] == [{"path": str(gone), "reason": "No such file or directory"}]
    assert answer["totals"]["events"] == 1
    warning = next(report.warnings())
    assert f"1 file could not be read, such as {gone} (No such file or directory)." in warning
    assert "Ray rotated or removed them meanwhile. Run the import again: it adds what is missing." in warning


def test_a_file_that_turns_into_something_else_is_reported(tmp_path: Path) -> None:
    nodes = session(tmp_path, _1="one\n", _2="two\n")
    broken = Path(nodes[0].root) / WORKER.format(1)
    broken.unlink()
    broken.mkdir()
    assert read(nodes).answer(1.0)["unreadable"] == [{"path": str(broken), "reason": "Is a directory"}]


def test_when_nothing_can_be_read_the_import_fails(tmp_path: Path) -> None:
    nodes = session(tmp_path, _1="one\n")
    (Path(nodes[0].root) / WORKER.format(1)).unlink()
    with pytest.raises(OptionError, match="Nothing was imported: 1 file could not be read"):
        list(read(nodes).warnings())


def test_a_piece_that_vanishes_after_its_first_line_was_read_is_reported(tmp_path: Path) -> None:
    nodes = session(tmp_path, _1="one\n", _2="two\n")
    report = Report("")
    run = _import.Import(SETTINGS, _target.Target("p", "t", "data_stream"), None, False, None, "", report)
    view = _context.SessionView(nodes, _facts.gather(nodes, SETTINGS.catalogue), SETTINGS)
    readings = [reading for file in nodes[0].files if (reading := _import.choose(run, view, nodes[0], file))]
    for reading in readings:
        Path(reading.file.pieces[0].path).unlink()
    _import.import_batch(run, view, readings)
    assert [entry["reason"] for entry in report.answer(1.0)["unreadable"]] == ["No such file or directory"] * 2


def test_a_kind_that_the_profile_does_not_store_is_counted_by_lines(tmp_path: Path) -> None:
    session(tmp_path, _1="one\ntwo\n")
    catalogue = _catalogue.load({"kinds": [{"id": "worker", "store": "full"}]})
    nodes = _session.discover(str(tmp_path), catalogue)
    (kind,) = read(nodes, SETTINGS._replace(catalogue=catalogue)).answer(1.0)["kinds"]
    assert (kind["bytes"], kind["events"], kind["left_out_by"]) == (8, 0, {"profile_standard": 2})


def test_what_was_sent_is_reported_by_kind() -> None:
    report = Report("/spool")
    report.kind("worker").files = 1
    counts = _bulk.Counts()
    counts.stored["worker"] = 5
    counts.already_present["worker"] = 2
    counts.rejected["worker"]["bad"] = 3
    report.sent(counts, "/srv/letters")
    report.unreadable("/spool/session_1/logs/x", PermissionError(13, "Permission denied"))
    report.kind("worker").bytes = 1
    answer = report.answer(1.0)
    assert answer["changed"]
    assert answer["kinds"][0]["rejected_reasons"] == {"bad": 3}
    assert answer["unreadable"] == [{"path": "session_1/logs/x", "reason": "Permission denied"}]
    assert answer["diff"]["before"] == {"worker": 2}
    assert answer["diff"]["after"] == {"worker": 7}
    assert any("rejected 3 events; they are in /srv/letters" in text for text in report.warnings())


def test_a_zone_that_the_files_contradict_is_a_warning(tmp_path: Path) -> None:
    logs = tmp_path / SESSION / "logs"
    logs.mkdir(parents=True)
    record = {
        "asctime": "2026-11-23 05:00:00,000",
        "levelname": "INFO",
        "message": "x",
        "timestamp_ns": 1_795_428_000_000_000_000,
    }
    (logs / WORKER.format(1)).with_suffix(".err").write_text((json.dumps(record) + "\n") * 3)
    nodes = _session.discover(str(tmp_path), SETTINGS.catalogue)
    report = read(nodes)
    assert report.answer(1.0)["zone"]["contradictions"]
    assert "Not all times of session_1 are of zone UTC" in next(report.warnings())
