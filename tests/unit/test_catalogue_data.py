# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue and the schema of events as they are shipped: sound, and read alike by Python and Ruby."""

from __future__ import annotations

import base64
import functools
import json
import re
import shutil
import subprocess
import typing as t

import pytest
import yaml
from ansible_collections.raylogs.efk.plugins.module_utils import _catalogue
from ansible_collections.raylogs.efk.plugins.module_utils._catalogue_data import CATALOGUE, FIELDS

from tests import corpus, golden_files

REGEXES = list(_catalogue.regexes(CATALOGUE))
FIELD_TYPES = {field["name"]: field["type"] for field in FIELDS["fields"]}
EVERY_SERVER_HAS = {
    *("keyword", "text", "date", "date_nanos", "long", "double", "boolean", "ip", "flattened", "alias"),
}
CONVERTED = {
    **{name: {name} for name in ("long", "double")},
    "keyword": {"keyword", "text", "ip"},
    "milliseconds": {"long"},
    "bytes": {"double"},
    "entries": {"long"},
    "demands": {"long"},
    "outcome": {"keyword"},
    "base64_id": {"keyword"},
}
# Expressions that are tried on whole messages; all others only ever see one line.
OF_MESSAGES = ("details[", "omissions[", "datasets[", "facts[", "pattern.", "pairs.", "escapes", "progress")
NUMBERS = re.compile(rb"[0-9a-f]{6,}|\d+")
RUBY = shutil.which("ruby")
STRANGE_LINES = [
    *(b"", b"\n", b"\r\n", b"\x00\xff\xfe", "٣٤ Zeit \u00a0\u2003\u2028".encode(), b"\x0b\x0c\x1c\x1d\x1e\x1f\x85"),
    b"[2026-11-23 08:33:54,012 I 9 9] (raylet) a.cc:1: text\n[2026-11-23 08:33:54,012 I 9 9] (raylet) a.cc:1: text",
    b":job_id:01000000\r\n",
    b":task_name:a\n:job_id:02000000\n",
    "\xe9CALL x OK 1ms".encode(),
    b"CALL __call__ OK 10.1ms\nmore",
    b"more\nCALL __call__ OK 10.1ms",
    b"GET /a 200 4.5ms\nGET /b 500 1ms\n",
    b"Traceback (most recent call last):\r\n",
    b"ValueError: a\nKeyError",
    b"2026-11-23 08:33:54,012\tINFO a.py:1 -- x\x00y",
    b"INFO:name:text\nERROR:name:text",
    b"*** SIGSEGV received at time=1 on cpu 0 ***\n\n  @ 0x1",
    b"\x1b[36m(f pid=1, ip=10.0.0.1)\x1b[0m text\x1b]0;title\x07\x1b(B",
    b"\n======== Autoscaler status\n 1.0/4.0 CPU\n 0B/2.1GiB memory\nPending:\n (no pending nodes)\n",
    "a=1 actor_id=é,job_id=01 \"quoted\" 'single' 0xAF /a/b C:/x 10.5 -1".encode(),
]


@functools.cache
def distinct_first_lines() -> list[bytes]:
    """Return the first lines of all events of the corpus, one of those that differ in numbers and ids alone."""
    lines: dict[bytes, bytes] = {}
    for scenario in corpus.scenarios():
        for file in corpus.parse(corpus.folder() / scenario, corpus.settings("full")):
            whole, begin = file.read(), 0
            for item in file.items:
                line = whole[begin : begin + item.size].split(b"\n", 1)[0][:4096] + b"\n"
                lines.setdefault(NUMBERS.sub(b"0", line), line)
                begin += item.size
    return sorted(lines.values())


def matches_of_python(patterns: t.Sequence[str], lines: t.Sequence[bytes]) -> dict[tuple[int, int], t.Any]:
    """Return what Python's re finds on bytes: the groups of each match by pattern and line."""
    found: dict[tuple[int, int], t.Any] = {}
    for number, pattern in enumerate(patterns):
        compiled = re.compile(pattern.encode())
        for place, line in enumerate(lines):
            matches = [[match.group(), *match.groups()] for match in compiled.finditer(line)]
            if matches:
                found[number, place] = matches
    return found


def matches_of_ruby(patterns: t.Sequence[str], lines: t.Sequence[bytes]) -> dict[tuple[int, int], t.Any]:
    """Return what Ruby's Regexp finds on binary strings."""
    asked = json.dumps({"patterns": patterns, "lines": [base64.b64encode(line).decode() for line in lines]})
    command = [RUBY or "", str(corpus.ROOT / "tests" / "match_lines.rb")]
    answer = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    found: dict[tuple[int, int], t.Any] = {}
    for line in answer.stdout.splitlines():
        number, place, matches = json.loads(line)
        found[number, place] = [
            [None if group is None else base64.b64decode(group) for group in groups] for groups in matches
        ]
    return found


def test_the_catalogue_fits_its_own_checks() -> None:
    _catalogue.check(CATALOGUE)


def test_yaml_and_generated_json_say_the_same() -> None:
    generated = json.loads((corpus.ROOT / "catalogue" / "ray_logs.json").read_text(encoding="utf-8"))
    read = {
        "catalogue": yaml.safe_load((corpus.ROOT / "catalogue" / "ray_logs.yml").read_text(encoding="utf-8")),
        "fields": yaml.safe_load((corpus.ROOT / "catalogue" / "fields.yml").read_text(encoding="utf-8")),
    }
    assert generated == read == {"catalogue": CATALOGUE, "fields": FIELDS}


def test_regexes_are_found_everywhere() -> None:
    places = {place for place, _pattern in REGEXES}
    assert {"magic.pattern", "formats.cpp.pattern", "traceback.last_line", "blocks.crash.begin"} <= places
    assert {"name_parts.pid", "details[serve_call].pattern", "omissions[event_stats].message"} <= places
    assert {
        "datasets[0].message",
        "escapes",
        "progress",
        "pattern.mask",
        "pairs.pattern",
        "facts[node_id].pattern",
    } <= places


def test_python_and_ruby_match_alike_with_ruby() -> None:
    if RUBY is None:
        pytest.skip("ruby is not installed here, so that Ruby's reading of the catalogue was not compared")
    patterns = [pattern for _place, pattern in REGEXES]
    lines = [*STRANGE_LINES, *distinct_first_lines()]
    python, ruby = matches_of_python(patterns, lines), matches_of_ruby(patterns, lines)
    different = [
        (REGEXES[number][0], lines[place])
        for number, place in sorted(python.keys() | ruby.keys())
        if python.get((number, place)) != ruby.get((number, place))
        and (REGEXES[number][0].startswith(OF_MESSAGES) or b"\n" not in lines[place].rstrip(b"\n"))
    ]
    assert different[:10] == []
    assert len(python) > len(lines)


@pytest.mark.parametrize("kind", CATALOGUE["kinds"], ids=lambda kind: kind["id"])
def test_a_kind_knows_its_own_files(kind: dict[str, t.Any]) -> None:
    """The order of the kinds lets none hide another one."""
    name = golden_files.file_name(kind["path"])
    assert corpus.CATALOGUE.classify(name).kind.id == kind["id"]
    assert corpus.CATALOGUE.classify(f"old/{name}").kind.id == kind["id"]
    for rotation in kind.get("rotation", ()):
        stem, _dot, suffix = name.rpartition(".")
        rotated = f"{name}.2" if rotation == "suffix" else f"{stem}.2.{suffix}"
        classified = corpus.CATALOGUE.classify(rotated)
        assert (classified.kind.id, classified.name, classified.number) == (kind["id"], name, 2)


def test_every_part_of_a_name_has_a_sample() -> None:
    assert golden_files.NAME_PARTS.keys() == CATALOGUE["name_parts"].keys()


def test_ids_are_unique() -> None:
    for name in ("kinds", "omissions", "copies", "facts", "details"):
        ids = [entry["id"] for entry in CATALOGUE[name]]
        assert len(ids) == len(set(ids)), name


def test_rules_name_kinds_and_formats_that_exist() -> None:
    kinds = {kind["id"] for kind in CATALOGUE["kinds"]}
    for name in ("omissions", "copies", "facts", "datasets"):
        for rule in CATALOGUE[name]:
            assert set(rule.get("kinds", ())) <= kinds, rule
            assert rule.get("format", "json") in {"json", *CATALOGUE["formats"]}, rule
    datasets = {kind.get("dataset") for kind in CATALOGUE["kinds"]} | {
        rule["dataset"] for rule in CATALOGUE["datasets"]
    }
    for rule in CATALOGUE["details"]:
        assert set(rule["datasets"]) <= datasets, rule


def test_everything_that_is_filled_is_in_the_schema_with_a_fitting_type() -> None:
    entries = [*CATALOGUE["json"]["keys"]]
    entries += [group for rule in CATALOGUE["details"] for group in rule["groups"]]
    entries += [field for record in CATALOGUE["records"].values() for field in record["fields"]]
    for entry in entries:
        assert FIELD_TYPES[entry["field"]] in CONVERTED[entry["type"]], entry
    for field in CATALOGUE["pairs"]["fields"].values():
        assert FIELD_TYPES[field] == "keyword", field


def test_fields_are_of_types_that_every_server_has() -> None:
    assert set(FIELD_TYPES.values()) <= EVERY_SERVER_HAS
    assert len(FIELD_TYPES) == len(FIELDS["fields"])


def test_aliases_are_the_short_names_and_lead_to_fields() -> None:
    aliases = {field["name"]: field["path"] for field in FIELDS["fields"] if field["type"] == "alias"}
    assert {
        "level",
        "actor_id",
        "task_id",
        "job_id",
        "worker_id",
        "node_id",
        "actor_name",
        "task_name",
    } <= aliases.keys()
    assert aliases["timestamp"] == "@timestamp"
    assert aliases["@log_name"] == "event.dataset"
    assert all(FIELD_TYPES[path] != "alias" for path in aliases.values())


@pytest.mark.parametrize("form", CATALOGUE["formats"])
def test_groups_of_a_format_are_those_of_its_expression(form: str) -> None:
    rule = CATALOGUE["formats"][form]
    assert re.compile(rule["pattern"]).groups == len(rule["groups"])


@pytest.mark.parametrize("rule", [*CATALOGUE["facts"], *CATALOGUE["details"]], ids=lambda rule: rule["id"])
def test_groups_of_a_rule_are_those_of_its_expression(rule: dict[str, t.Any]) -> None:
    assert re.compile(rule["pattern"]).groups == len(rule["groups"])


@pytest.mark.parametrize("form", CATALOGUE["formats"])
def test_first_bytes_hide_no_line_of_the_format(form: str) -> None:
    """The bytes with which lines of a format can begin are all those that its expression allows."""
    rule = CATALOGUE["formats"][form]
    match = re.compile(rule["pattern"].encode()).match
    for line in distinct_first_lines():
        assert not match(line) or line[:1] in rule["first"].encode(), line
