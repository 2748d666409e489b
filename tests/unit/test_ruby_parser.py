# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collector's parser in Ruby makes the events that the importer's makes, field for field."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from tests import corpus, golden_files, odd_lines, parsing, ruby_parser

if t.TYPE_CHECKING:
    import pathlib

PROFILES = ("lean", "standard", "full")
MUTATED_LINES = 6_000
RANDOM_RECORDS = 3_000
pytestmark = pytest.mark.skipif(ruby_parser.RUBY is None, reason=ruby_parser.NO_RUBY)


def tasks_of(
    folder: pathlib.Path, profile: str, mode: str, *, zone: str = "", keep_copies: bool = False
) -> list[ruby_parser.Task]:
    """Return the files below a folder."""
    chosen = corpus.settings(profile, zone, keep_copies=keep_copies)
    return [task._replace(mode=mode) for task in ruby_parser.tasks(folder, chosen)]


def task_of(
    *pieces: bytes, name: str = parsing.WORKER, profile: str = "full", mode: str = "whole", **known: t.Any
) -> ruby_parser.Task:
    """Return bytes as the pieces of one file."""
    context = parsing.context(name, len(pieces), **known)
    omissions = tuple(corpus.CATALOGUE.omissions(context.classified.kind, profile))
    context = context._replace(omissions=omissions)
    constants = [
        {"event.created": context.created.text, "log.file.fingerprint": key, "ray.schema_version": 1}
        for key in context.keys
    ]
    return ruby_parser.Task(context, constants, list(pieces), profile, mode)


def contents(tasks: t.Iterable[ruby_parser.Task]) -> t.Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each piece."""
    for task in tasks:
        for piece in task.pieces:
            yield task.context.classified.name, piece if isinstance(piece, bytes) else piece.read_bytes()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("mode", ["whole", "batches"])
def test_every_golden_case_is_parsed_alike(profile: str, mode: str, tmp_path: pathlib.Path) -> None:
    tasks = []
    for number, case in enumerate(golden_files.cases()):
        folder = tmp_path / str(number)
        golden_files.parse_case(case, folder)
        tasks += tasks_of(folder, profile, mode, keep_copies=True)
    assert len(tasks) > len(golden_files.cases())
    assert ruby_parser.differences(tasks) == []


@pytest.mark.parametrize("scenario", corpus.scenarios())
@pytest.mark.parametrize("profile", PROFILES)
def test_every_file_of_the_corpus_is_parsed_alike(scenario: str, profile: str) -> None:
    tasks = tasks_of(corpus.folder() / scenario, profile, "whole", keep_copies=profile == "full")
    assert ruby_parser.differences(tasks) == []


@pytest.mark.parametrize("scenario", corpus.scenarios())
@pytest.mark.parametrize("mode", ["batches", "undone", "quiet"])
def test_feeding_in_pieces_changes_nothing(scenario: str, mode: str) -> None:
    """In batches, with batches that are taken back, and with events that a quiet second ends (cuts for Python)."""
    assert ruby_parser.differences(tasks_of(corpus.folder() / scenario, "standard", mode)) == []


@pytest.mark.parametrize("scenario", corpus.scenarios())
def test_cuts_fall_alike(scenario: str) -> None:
    chance = odd_lines.Chance(scenario)
    tasks = []
    for task in tasks_of(corpus.folder() / scenario, "full", "batches", keep_copies=True):
        sizes = [len(content) for _name, content in contents([task])]
        cuts = {
            piece: sorted({chance.below(size + 1) for _number in range(chance.below(9))})
            for piece, size in enumerate(sizes[:-1] if len(sizes) > 1 else sizes)
        }
        # A cut at the very end of a piece says the same as one at the beginning of the next one.
        cuts = {piece: [cut for cut in found if cut < sizes[piece]] for piece, found in cuts.items()}
        tasks.append(task._replace(cuts=cuts))
    assert ruby_parser.differences(tasks) == []


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe", "+05:45", "Europe/Dublin"])
def test_zones_are_read_alike(zone: str) -> None:
    """Hours that a zone skips or repeats, years far away, and times that are none."""
    lines = []
    for year, month, day, hour, minute in itertools.product(
        (1970, 1971, 1999, 2026, 2037, 2038, 2120, 2261, 2263),
        range(0, 14, 1),
        (0, 1, 7, 25, 31),
        (0, 1, 2, 3, 24),
        (0, 30, 59, 60),
    ):
        lines.append(b"%04d-%02d-%02d %02d:%02d:59,5 INFO x\n" % (year, month, day, hour, minute))
    for day, hour, minute in itertools.product(range(1, 32), (0, 1, 2, 3), (0, 29, 30, 59)):
        for month in (3, 4, 10, 11):
            lines.append(b"2026-%02d-%02d %02d:%02d:07.123456 INFO x\n" % (month, day, hour, minute))
            lines.append(b"2046-%02d-%02dT%02d:%02d:07 INFO x\n" % (month, day, hour, minute))
    task = task_of(b"".join(lines), clock=parsing.context().clock.__class__(zone), zone_assumed=True)
    assert ruby_parser.differences([task]) == []


def test_lines_that_are_longer_than_an_event_are_split_alike() -> None:
    limit = corpus.CATALOGUE.event_bytes
    header = b"[2026-11-23 08:33:54,012 I 9 9] (raylet) a.cc:1: "
    texts = [
        header + b"x" * (2 * limit) + b"\n" + header + b"y\n",
        b"x" * limit + b"\n" + b" " * limit + b"\n",
        header + b"x" * (limit - len(header) - 1) + b"\n" + b"more\n" * 3,
        header + b"\n" + (b"  line\n" * (limit // 5)) + header + b"z",
        b'{"levelname": "INFO", "message": "' + b"m" * limit + b'"}\n',
    ]
    names = (parsing.WORKER, "raylet.out", parsing.TASKS)
    cuts = {0: [10, limit - 1, limit, limit + 1, 2 * limit + 20]}
    tasks = [task_of(text, name=name) for text in texts for name in names]
    assert ruby_parser.differences([*tasks, *(task._replace(cuts=cuts) for task in tasks)]) == []


def test_what_a_record_remembers_of_tasks_is_taken_back_alike() -> None:
    """More tasks than are remembered, in batches that are taken back."""
    remembered = corpus.CATALOGUE.data["records"]["export_task"]["remembered_tasks"]
    first = b'{"timestamp": "1764000000", "event_data": {"task_id": "%056x", "task_info": {"name": "f%d"}}}\n'
    ended = b'{"state_ts_ns": {"11": "1"}}'
    last = b'{"timestamp": "1764000001", "event_data": {"task_id": "%056x", "state_updates": ' + ended + b"}}\n"
    numbers = range(remembered + 200)
    text = b"".join(first % (number, number) for number in numbers) + b"".join(last % number for number in numbers)
    task = task_of(text, name=parsing.TASKS, mode="undone")
    assert ruby_parser.differences([task]) == []


def test_mutated_lines_are_parsed_alike() -> None:
    tasks = [task for scenario in corpus.scenarios() for task in tasks_of(corpus.folder() / scenario, "full", "whole")]
    texts = list(contents(tasks))
    modes = itertools.cycle(("whole", "batches", "undone", "quiet"))
    chance = odd_lines.Chance("modes")
    changed = [
        task_of(text, name=name, mode=mode, profile=chance.of(PROFILES))
        for (name, text), mode in zip(odd_lines.mutated(texts, MUTATED_LINES, 1), modes)
    ]
    assert ruby_parser.differences(changed) == []


@pytest.mark.parametrize("name", [parsing.WORKER, "raylet.out", "export_events/event_EXPORT_ACTOR.log", parsing.TASKS])
def test_records_are_read_alike(name: str) -> None:
    chance = odd_lines.Chance(name)
    lines = []
    for _number in range(RANDOM_RECORDS):
        if name.startswith("export"):
            data = odd_lines.random_object(chance, 3, odd_lines.EXPORT_KEYS)
            line = f'{{"timestamp": {chance.of(odd_lines.SCALARS)}, "event_id": "e", "event_data": {data}}}\n'
        else:
            line = odd_lines.random_object(chance, 4, odd_lines.JSON_KEYS) + "\n"
        lines.append(line.encode())
    assert ruby_parser.differences([task_of(b"".join(lines), name=name, profile="full")]) == []


@pytest.mark.parametrize("name", [parsing.WORKER, "raylet.out", "export_events/event_EXPORT_ACTOR.log"])
def test_odd_records_are_read_alike(name: str) -> None:
    """Each stands before a line of its own file: whether it was a record shows there too."""
    tasks = [task_of(record + b"\n", name=name) for record in odd_lines.ODD_RECORDS]
    assert ruby_parser.differences(tasks) == []


def test_text_that_is_no_utf8_is_repaired_alike() -> None:
    """Every pair of bytes, and the beginnings of longer characters."""
    pairs = [bytes(pair) for pair in itertools.product(range(256), repeat=2) if not {10, 13, 27}.intersection(pair)]
    heads = (*range(0xE0, 0xF6), 0xFF)
    longer = [
        bytes((head, *rest)) for head in heads for rest in itertools.product((0x41, 0x80, 0x9F, 0xA0, 0xBF), repeat=3)
    ]
    text = b"".join(b"INFO:a:" + b"x".join(chunk) + b"\n" for chunk in batched([*pairs, *longer], 64))
    assert ruby_parser.differences([task_of(text)]) == []


def batched(items: t.Sequence[bytes], size: int) -> t.Iterator[t.Sequence[bytes]]:
    """Yield the items in groups."""
    return (items[begin : begin + size] for begin in range(0, len(items), size))


def test_fields_of_a_users_own_are_converted_alike() -> None:
    values = [
        *("1", "1.5", " 7 ", "1_000", "x", "", "1e3", ".5", "5.", "inf", "nan", "0x1f", "+5", "--5", "٣", "1__0"),
        *("10.0.0.1", "010.0.0.1", "::1", "1::", "2001:db8:0:0:1:0:0:1", "fe80::1%eth0", "1.2.3", "300.1.1.1", ":::"),
        *("2026-11-23", "2026-11-23T08:33:54Z", "2026-11-23T08:33:54.123456789+01:00", "2026-11-23 08:33:54,5 UTC"),
        *("4GB", "1.5GiB", "OK", "ERROR", "true", "\n 2 a\n b\n (none)", ": 4+ pending, : 5 x"),
        *("YWJj", "YWI=", "YQ==", "YQ=", "=", "YR==", "a b=", "ab" * 16, "Ab" * 16),
    ]
    texts = [ruby_json(value) for value in values]
    texts += [
        "1",
        "0",
        "-1",
        "1.0",
        "1.5",
        "2.5e-6",
        "0.0000005",
        "1e17",
        "1e18",
        "1e300",
        "NaN",
        "true",
        "false",
        "null",
    ]
    texts += [
        "999999999999999999",
        "1000000000000000000",
        "9223372036.854775",
        "1764000000.0005",
        "1764000000000",
        "[]",
    ]
    texts += ['["a"]', '{"a": 1.0}', '"\\ud800"', "123456789012345678901234567890"]
    kinds = ["keyword", "long", "double", "text", "date", "date_nanos", "ip", "boolean", "milliseconds", "bytes"]
    kinds += ["entries", "demands", "outcome", "base64_id"]
    fields = tuple((f"app.{kind}", kind, ("v", "w")) for kind in kinds)
    lines = [f'{{"message": "m", "v": {{"w": {text}}}, "v.w": {text}}}\n'.encode() for text in texts]
    assert ruby_parser.differences([task_of(*[line], extra_fields=fields) for line in lines], limit=20) == []


def ruby_json(value: str) -> str:
    """Write a string of JSON."""
    return '"' + value.replace("\n", "\\n") + '"'
