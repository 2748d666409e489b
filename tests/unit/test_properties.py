# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every byte of the corpus."""

from __future__ import annotations

import collections
import datetime as dt
import functools
import io
import itertools
import json
import math
import re
import typing as t
import zlib
import zoneinfo

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _event, _frame, _parse
from ansible_collections.raylogs.efk.plugins.module_utils._catalogue_data import FIELDS

from tests import corpus

SCENARIOS = corpus.scenarios()
FIELD_TYPES = {field["name"]: field["type"] for field in FIELDS["fields"]}
MAX_LONG = 2**63
TORN_NOTES = {_frame.FRAGMENT, _frame.SPLIT}
# Lines as Ray formats them, written down here a second time: group 1 is the local time, group 2 the level.
RAY_LINES = (
    re.compile(rb"\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) ([DIWEF]) \d+ \d+\] "),
    re.compile(rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3})\t(DEBUG|INFO|WARNING|ERROR|CRITICAL) \S+:\d+ --"),
    re.compile(rb"(?=(?:DEBUG|INFO|WARNING|ERROR) (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) \S+ \S+ )([A-Z]+)"),
)
RAY_JSON = re.compile(rb'\{[^\n]*"asctime": ?"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3})", ?"levelname": ?"([A-Z]+)"')
CREATING = re.compile(rb'Creating actor(?: actor_id=|","[^}\n]*"actor_id":")([0-9a-f]{32})')
CREATED = re.compile(
    rb"Actor creation task succeeded[^\n]*?actor_id\W{1,3}([0-9a-f]{32})[^\n]*?worker_id\W{1,3}([0-9a-f]{56})"
)
LETTERS = {"D": "DEBUG", "I": "INFO", "W": "WARNING", "E": "ERROR", "F": "CRITICAL"}
NEW_YORK = "2.60.0/serve-env-tz-newyork"
EXPORTED = "2.60.0/export-api"
ACTORS_OF_THE_WHOLE_CORPUS = 116


@functools.cache
def parsed(scenario: str) -> tuple[corpus.ParsedFile, ...]:
    """Parse a scenario with everything stored."""
    return tuple(corpus.parse(corpus.folder() / scenario, corpus.settings("full", keep_copies=True)))


def starts(file: corpus.ParsedFile) -> list[int]:
    """Return where each piece begins among the bytes of the whole file, and where the last one ends."""
    return list(itertools.accumulate((piece.size for piece in file.pieces), initial=0))


def numbers(name: str, count: int, limit: int) -> list[int]:
    """Return numbers below a limit that look random and are the same in every run."""
    return sorted({zlib.crc32(f"{name} {number}".encode()) % limit for number in range(count)})


def memory(*texts: bytes) -> list[_parse.Open]:
    """Return what opens pieces that lie in memory."""
    return [functools.partial(io.BytesIO, text) for text in texts]


def parse_bytes(
    file: corpus.ParsedFile, texts: t.Sequence[bytes], cuts: t.Mapping[int, t.Iterator[int]] | None = None
) -> list[_event.Item]:
    """Parse other bytes as the pieces of a file of the corpus."""
    context = file.context._replace(keys=tuple(f"piece{number}" for number in range(len(texts))), spans=())
    return list(_parse.parse_file(context, memory(*texts), "full", cuts))


def texts_of(file: corpus.ParsedFile) -> list[bytes]:
    """Return the bytes of each piece."""
    whole, edges = file.read(), starts(file)
    return [whole[begin:end] for begin, end in zip(edges, edges[1:], strict=False)]


def ends_by_piece(items: t.Iterable[_event.Item]) -> dict[int, t.Iterator[int]]:
    """Return what a target that holds the events says of their ends."""
    ends: dict[int, list[int]] = collections.defaultdict(list)
    for item in items:
        if item.event:
            ends[item.piece].append(item.event["log.offset"] + item.event["ray.bytes"])
    return {piece: iter(sorted(values)) for piece, values in ends.items()}


def shown(items: t.Iterable[_event.Item]) -> list[tuple[t.Any, ...]]:
    """Return what of the events does not depend on where they lie."""
    of_the_place = {"event.id", "log.offset", "tags"}
    return [
        tuple(sorted((key, repr(value)) for key, value in item.event.items() if key not in of_the_place))
        for item in items
        if item.event
    ]


def test_the_corpus_is_there() -> None:
    assert len(SCENARIOS) > 10
    assert sum(len(parsed(scenario)) for scenario in SCENARIOS) > 100


def test_bundled_subset_has_every_kind_of_the_corpus() -> None:
    def kinds(folder: t.Any) -> set[str]:
        return {
            file.classified.kind.id
            for scenario in folder.glob("[0-9]*/*")
            for _view, nodes in corpus.views(scenario, corpus.settings())
            for node in nodes
            for file in node.files
        }

    assert kinds(corpus.BUNDLED) == kinds(corpus.folder())


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("profile", ["lean", "standard", "full"])
def test_every_byte_is_accounted_for_once(scenario: str, profile: str) -> None:
    for file in corpus.parse(corpus.folder() / scenario, corpus.settings(profile)):
        edges = starts(file)
        position = 0
        for item in file.items:
            assert edges[item.piece] + item.offset == position, (file.file.name, item)
            assert item.size > 0
            assert (item.event is None) == (item.what != _event.EVENT)
            if item.event:
                assert (item.event["log.offset"], item.event["ray.bytes"]) == (item.offset, item.size)
            position += item.size
        assert position == edges[-1], file.file.name


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_is_no_event_is_blank_or_magic(scenario: str) -> None:
    for file in parsed(scenario):
        whole, edges = file.read(), starts(file)
        for item in file.items:
            raw = whole[edges[item.piece] + item.offset :][: item.size]
            if item.what == _frame.BLANK:
                assert not raw.strip(), file.file.name
            elif item.what == _frame.MAGIC:
                assert re.fullmatch(rb":(job_id|task_name|actor_name):[^\n]*\n?", raw), file.file.name
            else:
                assert item.what == _event.EVENT, (file.file.name, item.what)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_line_of_a_known_format_has_its_own_time_and_level(scenario: str) -> None:
    """Compare with lines found by expressions of the test's own, and times converted by the tz database."""
    name = "America/New_York" if scenario == NEW_YORK else "UTC"
    zone = zoneinfo.ZoneInfo(name)
    for file in corpus.parse(corpus.folder() / scenario, corpus.settings("full", name, keep_copies=True)):
        if file.file.classified.kind.framing == "record":
            continue
        whole, edges = file.read(), starts(file)
        for item in file.items:
            begin = edges[item.piece] + item.offset
            head = whole[begin : begin + 400]
            match = next((match for match in (form.match(head) for form in (*RAY_LINES, RAY_JSON)) if match), None)
            if not match or not item.event:
                continue
            event = item.event
            local = dt.datetime.strptime(match[1].decode(), "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=zone)
            stored = dt.datetime.fromisoformat(event["@timestamp"].replace("Z", "+00:00"))
            assert event["ray.time_source"] == "line", (file.file.name, item)
            # timestamp_ns is not taken at the same moment as asctime.
            tolerance = dt.timedelta(milliseconds=1000 if b"timestamp_ns" in whole[begin : begin + item.size] else 0)
            assert abs(local - stored) <= tolerance, (file.file.name, item)
            level = match[2].decode()
            assert event["log.level"] == LETTERS.get(level, level), (file.file.name, item)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_line_that_looks_like_a_header_begins_an_event(scenario: str) -> None:
    """No header of Ray's own is swallowed by the event before it."""
    forms = re.compile(rb"(?m)^(?:" + rb"|".join(form.pattern for form in RAY_LINES[:2]) + rb")")
    for file in parsed(scenario):
        if file.file.classified.kind.framing == "record" or "ray-data" in file.file.name:
            continue
        edges = starts(file)
        begins = {edges[item.piece] + item.offset for item in file.items}
        for match in forms.finditer(file.read()):
            assert match.start() in begins, (file.file.name, match)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_event_of_a_header_format_has_a_time_of_its_own(scenario: str) -> None:
    for file in parsed(scenario):
        if file.file.classified.kind.framing != "output":
            for event in file.events:
                torn = TORN_NOTES.intersection(event.get("tags", ()))
                assert torn or event["ray.time_source"] == "line", (file.file.name, event)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_is_unparsed(scenario: str) -> None:
    for file in parsed(scenario):
        for item in file.items:
            tags = set(item.event.get("tags", ())) if item.event else set()
            assert _frame.UNPARSED not in tags, (file.file.name, item)
            assert _frame.SPLIT not in tags, (file.file.name, item)
            if _frame.FRAGMENT in tags:
                assert (item.piece, item.offset) == (0, 0), (file.file.name, item)
                assert file.pieces[0].number > 0, file.file.name


def fits(value: t.Any, kind: str) -> bool:
    """Tell whether a value is what a field of this type takes."""
    if kind in {"keyword", "text", "ip"}:
        return isinstance(value, str) and value.encode("utf-8").decode("utf-8") == value
    if kind == "long":
        return isinstance(value, int) and not isinstance(value, bool) and -MAX_LONG <= value < MAX_LONG
    if kind == "double":
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if kind == "date":
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value))
    if kind == "date_nanos":
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", value))
    return kind == "flattened" and isinstance(value, dict)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_field_is_in_the_schema_and_of_its_type(scenario: str) -> None:
    for file in parsed(scenario):
        constant = file.view.constant(file.node, file.file, file.context.keys[0], "1.2")
        for event in file.events:
            for field, value in {**constant, **event}.items():
                kind = FIELD_TYPES.get(field)
                assert kind not in {None, "alias"}, (field, file.file.name)
                for single in value if isinstance(value, list) else [value]:
                    assert fits(single, t.cast("str", kind)), (field, value, file.file.name)
            json.dumps(event, allow_nan=False).encode("ascii")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_every_event_has(scenario: str) -> None:
    always = {"@timestamp", "message", "event.id", "event.dataset", "host.name", "log.offset", "ray.bytes"}
    for file in parsed(scenario):
        for event in file.events:
            assert always <= event.keys(), (file.file.name, event)
            assert "\x1b[" not in event["message"], (file.file.name, event)
            assert not event["message"].endswith("\n"), (file.file.name, event)
            assert event.get("log.level") in {None, "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}
            assert ("ray.lag_ms" in event) == (event["ray.time_source"] == "line")
            assert len(event.get("tags", ())) == len(set(event.get("tags", ())))
            assert len(event.get("ray.pattern", "")) <= FIELDS["pattern_length"]


def test_ids_are_unique_in_the_corpus() -> None:
    ids = collections.Counter(event["event.id"] for name in SCENARIOS for file in parsed(name) for event in file.events)
    assert [event_id for event_id, count in ids.items() if count > 1] == []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_parsing_is_deterministic(scenario: str) -> None:
    again = corpus.parse(corpus.folder() / scenario, corpus.settings("full", keep_copies=True))
    for first, second in zip(parsed(scenario), again, strict=True):
        assert first.items == second.items, first.file.name


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_cuts_at_all_stored_ends_change_nothing(scenario: str) -> None:
    for file in parsed(scenario):
        again = _parse.parse_file(file.context, corpus.openers(file.pieces), "full", ends_by_piece(file.items))
        assert list(again) == file.items, file.file.name


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_file_that_grew_keeps_the_ids_of_its_stored_events(scenario: str) -> None:
    """Whatever the byte at which a first import stopped, a second one adds what is missing and nothing else."""
    for file in parsed(scenario):
        texts = texts_of(file)
        for length in numbers(file.file.name, 4, len(texts[-1])):
            before = parse_bytes(file, [*texts[:-1], texts[-1][:length]])
            after = parse_bytes(file, texts, ends_by_piece(before))
            assert sum(item.size for item in after) == sum(map(len, texts)), file.file.name
            stored = {item.event["event.id"]: item.size for item in before if item.event}
            again = {item.event["event.id"]: item.size for item in after if item.event}
            assert stored.items() <= again.items(), (file.file.name, length)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_rotation_at_any_line_changes_no_event(scenario: str) -> None:
    for file in parsed(scenario):
        whole = file.read()
        lines = re.findall(rb"[^\n]*\n|[^\n]+\Z", whole)
        if len(lines) < 2:
            continue
        places = [0, *(place + 1 for place in numbers(file.file.name, 3, len(lines) - 1)), len(lines)]
        texts = [b"".join(lines[begin:end]) for begin, end in zip(places, places[1:], strict=False)]
        assert shown(parse_bytes(file, texts)) == shown(parse_bytes(file, [whole])), (file.file.name, places)


def actors_of_gcs(scenario: str) -> dict[str, str]:
    """Return the actor of each worker as the GCS logged it."""
    found: dict[str, str] = {}
    for path in (corpus.folder() / scenario).rglob("gcs_server.out*"):
        found.update({worker.decode(): actor.decode() for actor, worker in CREATED.findall(path.read_bytes())})
    return found


def actors_of_workers(scenario: str) -> dict[str, str]:
    """Return the actor of each worker as its own core log says."""
    found: dict[str, str] = {}
    for path in (corpus.folder() / scenario).rglob("python-core-worker-*"):
        match = CREATING.search(path.read_bytes())
        if match:
            found[path.name.split("-")[3].split("_")[0]] = match[1].decode()
    return found


def test_the_actor_in_a_workers_core_log_is_that_of_the_gcs() -> None:
    """Compare two sources, and what the parser joins from them, for every worker of which both speak."""
    compared = 0
    for scenario in SCENARIOS:
        gcs, own = actors_of_gcs(scenario), actors_of_workers(scenario)
        both = gcs.keys() & own.keys()
        compared += len(both)
        assert {worker: gcs[worker] for worker in both} == {worker: own[worker] for worker in both}
        for file in parsed(scenario):
            worker = file.file.classified.parts.get("worker_id", "")
            if file.file.classified.kind.id == "worker" and worker in own:
                texts = [event for event in file.events if "labels" not in event]
                assert {event["ray.actor_id"] for event in texts} <= {own[worker]}, file.file.name
    if corpus.folder() == corpus.WHOLE:
        assert compared >= ACTORS_OF_THE_WHOLE_CORPUS
    assert compared > 0


def test_tasks_by_byte_offsets_agree_with_magic_lines() -> None:
    compared = 0
    for file in parsed(EXPORTED):
        if file.file.classified.kind.id != "worker":
            continue
        whole = file.read()
        for event in file.events:
            if "ray.task_id" not in event:
                continue
            names = re.findall(rb"(?m)^:task_name:([^\n]*)$", whole[: event["log.offset"]])
            if names and b":actor_name:" not in whole[: event["log.offset"]]:
                compared += 1
                assert event["ray.task_name"] == names[-1].decode(), (file.file.name, event)
    assert compared > 0
