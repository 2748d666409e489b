# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue: which kind a file is, what a profile leaves out, what users may add."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _catalogue
from ansible_collections.raylogs.efk.plugins.module_utils._catalogue_data import CATALOGUE

from tests.parsing import events

SHIPPED = _catalogue.load()
ID = "ab" * 28
DUMPS = ["event_stats", "state_dump", "gcs_debug_state", "plasma_dump"]
OWN_KIND: dict[str, t.Any] = {
    "id": "own_metrics",
    "path": "own/{rest}.log",
    "class": "app",
    "dataset": "own.metrics",
    "component": "metrics",
    "framing": "output",
    "formats": ["own", "json"],
    "identity": "name",
}
OWN_FORMAT: dict[str, t.Any] = {"first": "<", "pattern": r"\A<(\w+)> ", "groups": ["level"]}


@pytest.mark.parametrize(
    ("name", "kind", "canonical", "number", "old"),
    [
        pytest.param(f"worker-{ID}-01000000-7.out", "worker", None, 0, False, id="a worker"),
        pytest.param(f"worker-{ID}-01000000-7.out.12", "worker", f"worker-{ID}-01000000-7.out", 12, False, id="old"),
        pytest.param(f"old/worker-{ID}-01000000-7.err", "worker", f"worker-{ID}-01000000-7.err", 0, True, id="moved"),
        pytest.param(
            f"old/worker-{ID}-01000000-7.err.1",
            "worker",
            f"worker-{ID}-01000000-7.err",
            1,
            True,
            id="moved, rotated",
        ),
        pytest.param(
            f"python-core-worker-{ID}_7.2.log",
            "core_worker",
            f"python-core-worker-{ID}_7.log",
            2,
            False,
            id="of 2.40",
        ),
        pytest.param("raylet.out", "raylet", None, 0, False, id="the raylet"),
        pytest.param("dashboard.log", "dashboard", None, 0, False, id="the dashboard"),
        pytest.param("dashboard_JobHead.log", "dashboard_module", None, 0, False, id="a module of the dashboard"),
        pytest.param("dashboard_agent.log", "dashboard_agent", None, 0, False, id="the agent is no module"),
        pytest.param("ray-data/ray-data.log", "ray_data", None, 0, False, id="Ray Data"),
        pytest.param("debug_state.txt", "debug_state", None, 0, False, id="never a log"),
        pytest.param("worker-short-01000000-7.out", "other", None, 0, False, id="a name that only looks alike"),
        pytest.param("my.log", "other", None, 0, False, id="an unknown file"),
        pytest.param("my.log.1", "other", "my.log", 1, False, id="an unknown rotated file"),
        pytest.param("my.1.log", "other", None, 0, False, id="unknown files have one way of rotation"),
        pytest.param("my.log.20261123", "other", None, 0, False, id="a date is no number of a piece"),
        pytest.param("a\nb", "other", None, 0, False, id="a newline in the name"),
    ],
)
def test_classify(name: str, kind: str, canonical: str | None, number: int, old: bool) -> None:
    found = SHIPPED.classify(name)
    assert (found.kind.id, found.name, found.number, found.old) == (kind, canonical or name, number, old)


def test_parts_of_a_name() -> None:
    assert SHIPPED.classify(f"worker-{ID}-01000000-7.out").parts == {
        "worker_id": ID,
        "job_id": "01000000",
        "pid": "7",
        "stream": "out",
    }


@pytest.mark.parametrize(
    ("kind", "globs"),
    [
        pytest.param("raylet", ["raylet.out"], id="a name"),
        pytest.param("worker", ["worker-*-*-*.out", "worker-*-*-*.err"], id="two streams"),
        pytest.param("events", ["events/event_*.log"], id="a folder"),
    ],
)
def test_globs(kind: str, globs: list[str]) -> None:
    assert next(known for known in SHIPPED.kinds if known.id == kind).globs() == globs


@pytest.mark.parametrize(
    ("name", "profile", "omissions"),
    [
        pytest.param("raylet.out", "full", [], id="full leaves out nothing"),
        pytest.param("raylet.out", "standard", DUMPS, id="standard"),
        pytest.param("my.log", "lean", [*DUMPS, "system_debug"], id="lean"),
        pytest.param(f"worker-{ID}-01000000-7.out", "lean", [], id="never from applications"),
    ],
)
def test_omissions(name: str, profile: str, omissions: list[str]) -> None:
    assert [rule.id for rule in SHIPPED.omissions(SHIPPED.classify(name).kind, profile)] == omissions


@pytest.mark.parametrize(
    ("store", "stored"),
    [
        pytest.param("lean", [True, True, True], id="always"),
        pytest.param("standard", [False, True, True], id="from standard on"),
        pytest.param("full", [False, False, True], id="in full"),
        pytest.param("never", [False, False, False], id="never"),
    ],
)
def test_stored(store: str, stored: list[bool]) -> None:
    catalogue = _catalogue.load({"kinds": [{"id": "raylet", "store": store}]})
    kind = catalogue.classify("raylet.out").kind
    assert [catalogue.stored(kind, profile) for profile in _catalogue.PROFILES] == stored


def test_details_of_a_dataset() -> None:
    assert len(SHIPPED.details("ray.serve")) == 2
    assert SHIPPED.details("ray.raylet") == []


def test_nothing_added_is_the_catalogue_as_shipped() -> None:
    assert _catalogue.load().data is CATALOGUE
    assert _catalogue.load({}).data is CATALOGUE


def test_a_kind_and_a_format_are_added() -> None:
    catalogue = _catalogue.load({"kinds": [OWN_KIND], "formats": {"own": OWN_FORMAT}})
    assert catalogue.classify("own/a.log").kind.dataset == "own.metrics"
    assert SHIPPED.classify("own/a.log").kind.id == "other"
    (event,) = events(b"<ERROR> it failed\n", name="own/a.log", catalogue=catalogue)
    assert (event["log.level"], event["message"], event["event.dataset"]) == ("ERROR", "it failed", "ray.log")


def test_a_kind_is_overridden() -> None:
    catalogue = _catalogue.load({"kinds": [{"id": "raylet", "component": "mine"}]})
    kind = catalogue.classify("raylet.out").kind
    assert (kind.component, kind.dataset, kind.class_) == ("mine", "ray.raylet", "system")
    assert len(catalogue.kinds) == len(SHIPPED.kinds)


def test_rules_and_tables_are_merged() -> None:
    rule = {"id": "heartbeats", "profiles": ["standard"], "kinds": ["worker"], "message": r"\Aheartbeat"}
    catalogue = _catalogue.load({"omissions": [rule], "levels": {"PANIC": "CRITICAL"}, "secret_keys": ["password"]})
    worker = catalogue.classify(f"worker-{ID}-01000000-7.out").kind
    assert [omission.id for omission in catalogue.omissions(worker, "standard")] == ["heartbeats"]
    assert (catalogue.levels["PANIC"], catalogue.levels["I"]) == ("CRITICAL", "INFO")
    assert catalogue.data["secret_keys"] == ["password"]
    assert "PANIC" not in CATALOGUE["levels"]


@pytest.mark.parametrize(
    ("base", "extra", "merged"),
    [
        pytest.param({"a": 1}, {"b": 2}, {"a": 1, "b": 2}, id="a new key"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}, id="a table"),
        pytest.param({"a": [1, 2]}, {"a": [3]}, {"a": [3]}, id="a list is replaced"),
        pytest.param({"a": [{"id": 1, "b": 1}]}, {"a": [{"id": 1, "b": 2}]}, {"a": [{"id": 1, "b": 2}]}, id="same id"),
        pytest.param({"a": [{"id": 1}]}, {"a": [{"id": 2}]}, {"a": [{"id": 2}, {"id": 1}]}, id="new ids come first"),
        pytest.param(
            {"a": [{"b": 1}]}, {"a": [{"id": 2}]}, {"a": [{"id": 2}, {"b": 1}]}, id="rules without an id stay"
        ),
        pytest.param({"a": {"b": 1}}, {"a": 2}, {"a": 2}, id="another type"),
    ],
)
def test_merge(base: dict[str, t.Any], extra: dict[str, t.Any], merged: dict[str, t.Any]) -> None:
    before = repr((base, extra))
    assert _catalogue.merge(base, extra) == merged
    assert repr((base, extra)) == before


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        pytest.param({"kinds": [{"id": "mine", "path": "x"}]}, r"wrong at kinds\[0\]: 'class' is a req", id="no class"),
        pytest.param({"kinds": "all"}, r"wrong at kinds: 'all' is not of type 'array'", id="no list"),
        pytest.param({"colour": 1}, r"'colour' was unexpected", id="an unknown key"),
        pytest.param({"levels": {"X": "LOUD"}}, r"wrong at levels.X: 'LOUD' is not one of", id="an unknown level"),
        pytest.param(
            {"kinds": [{"id": "raylet", "framing": "magic"}]}, r"wrong at kinds\[\d+\].framing", id="an unknown framing"
        ),
        pytest.param(
            {"kinds": [{"id": "raylet", "formats": ["nope"]}]},
            r"Kind raylet of the catalogue names what the catalogue does not hold: nope\.",
            id="an unknown format",
        ),
        pytest.param(
            {"kinds": [{"id": "raylet", "path": "raylet-{nope}"}]},
            r"does not hold: nope\.",
            id="an unknown part",
        ),
        pytest.param(
            {"kinds": [{"id": "events", "record": "nope"}]},
            r"Kind events .* does not hold: nope\.",
            id="no such record",
        ),
        pytest.param({"formats": {"own": {**OWN_FORMAT, "pattern": "<"}}}, r"wrong at formats.own.pat", id="no \\A"),
        pytest.param(
            {"formats": {"own": {**OWN_FORMAT, "pattern": r"\A<("}}},
            r"The regular expression at formats.own.pattern does not compile: missing \)",
            id="no regular expression",
        ),
        pytest.param({"name_parts": {"pid": "[0-9"}}, r"at name_parts.pid does not compile", id="no part of a name"),
    ],
)
def test_additions_that_are_refused(extra: dict[str, t.Any], message: str) -> None:
    with pytest.raises(_catalogue.CatalogueError, match=message):
        _catalogue.load(extra)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        pytest.param(r"(?P<name>a)", "(?P", id="a named group of Python"),
        pytest.param(r"(?<name>a)", "(?<", id="a named group of Ruby"),
        pytest.param(r"(?i)a", "(?i", id="flags"),
        pytest.param(r"a(?!b)", "(?!", id="looking ahead for what is not there"),
        pytest.param(r"\h+", r"\h", id="a hexadecimal digit of Ruby"),
        pytest.param(r"a\Z", r"\Z", id="the end, which is another one in Ruby"),
        pytest.param(r"a\z", r"\z", id="the end of Ruby"),
        pytest.param(r"\p{Alpha}", r"\p", id="a property"),
        pytest.param(r"a++", "++", id="a possessive quantifier"),
        pytest.param(r"a{2}+", "}+", id="a possessive quantifier after a number"),
        pytest.param(r"[[:alpha:]]", "[[", id="a class of POSIX"),
        pytest.param(r"[a[b]]", "[a[", id="a class in a class"),
        pytest.param(r"[a-z&&b]", "&&", id="an intersection of classes"),
        pytest.param(r"a|^b", "^", id="the beginning of any line in Ruby"),
    ],
)
def test_expressions_that_are_read_otherwise(pattern: str, found: str) -> None:
    with pytest.raises(_catalogue.CatalogueError, match="which Python and Ruby do not read alike") as raised:
        _catalogue.load({"formats": {"own": {**OWN_FORMAT, "pattern": rf"\A{pattern}"}}})
    assert f"'{found}'" in str(raised.value)


@pytest.mark.parametrize(
    "pattern",
    [r"\\h", r"\[\[a", r"\++", r"[^\]a]b", r"[()][A-Z]", r"a(?=b)", r"(?:a|b){2,3}", r"[\^]", r"\(\?a", r"a\}+"],
)
def test_expressions_that_are_read_alike(pattern: str) -> None:
    _catalogue.load({"formats": {"own": {**OWN_FORMAT, "pattern": rf"\A{pattern}"}}})


def test_without_jsonschema_nothing_is_added_unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_catalogue, "HAS_JSONSCHEMA", False)
    _catalogue.load()
    with pytest.raises(_catalogue.CatalogueError, match="Install it with `pip install jsonschema`"):
        _catalogue.load({"levels": {"X": "INFO"}})
