# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell objects of others from ours."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils._conflicts import (
    Claim,
    component_template_conflicts,
    index_conflicts,
    index_template_conflicts,
    matches,
    overlap,
)

MARK = {"managed_by": "us"}
CLAIM = Claim("logs-", ["logs-app-x", "logs-app-y-*"], ["logs-app-x"], ["logs-mappings"], 500, MARK, ["logs-old-*"])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param("a", "a", True, id="the same name"),
        pytest.param("a", "b", False, id="two names"),
        pytest.param("a", "ab", False, id="one name begins with the other"),
        pytest.param("*", "", True, id="a star matches nothing too"),
        pytest.param("a*", "a", True, id="a star at the end matches nothing too"),
        pytest.param("a-*", "a-b-*", True, id="a wider and a narrower pattern"),
        pytest.param("a-*", "b-*", False, id="patterns with different beginnings"),
        pytest.param("*-x", "a-*", True, id="a beginning and an end"),
        pytest.param("*-x", "a-*-y", False, id="different ends"),
        pytest.param("a*c*e", "abcde", True, id="two stars in one pattern"),
        pytest.param("a*c*e", "abde", False, id="a letter between two stars is missing"),
        pytest.param("logs-*-*", "logs-app-default", True, id="two stars against a name"),
    ],
)
def test_overlap(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        pytest.param("a-b", "a-*", True, id="a star"),
        pytest.param("a", "?", False, id="a question mark is itself"),
        pytest.param("a", "[a]", False, id="brackets are themselves"),
        pytest.param("A", "a", False, id="case counts"),
    ],
)
def test_matches(name: str, pattern: str, expected: bool) -> None:
    assert matches(name, [pattern]) is expected


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        pytest.param("logs-app-x", {"index_patterns": ["z"]}, "has a name", id="our name without our mark"),
        pytest.param("logs-app-x", {"index_patterns": ["z"], "_meta": MARK}, None, id="our own"),
        pytest.param("a", {"index_patterns": ["*"], "priority": 500}, "matches our names by *", id="equal priority"),
        pytest.param("a", {"index_patterns": ["*"], "priority": 499}, None, id="for everything, lower priority"),
        pytest.param("a", {"index_patterns": ["*"]}, None, id="for everything, without a priority"),
        pytest.param("a", {"index_patterns": ["z-*", "logs-*"]}, "is meant for our names by logs-*", id="under ours"),
        pytest.param("a", {"index_patterns": ["logs-web-*"], "priority": 900}, None, id="beside our names"),
        pytest.param(
            "a", {"index_patterns": ["log*"], "priority": 900, "_meta": {}}, "with priority 900", id="no mark"
        ),
    ],
)
def test_index_template_conflicts(name: str, body: dict[str, t.Any], reason: str | None) -> None:
    answer = {"index_templates": [{"name": name, "index_template": body}]}
    found = index_template_conflicts(answer, CLAIM)
    assert [conflict.name for conflict in found] == ([name] if reason else [])
    assert all(reason in conflict.reason and conflict.fix for conflict in found if reason)


@pytest.mark.parametrize(
    ("name", "meta", "expected"),
    [
        pytest.param("logs-mappings", None, ["logs-mappings"], id="our name, no mark"),
        pytest.param("logs-mappings", {"managed_by": "them"}, ["logs-mappings"], id="our name, the mark of others"),
        pytest.param("logs-mappings", {**MARK, "more": 1}, [], id="our own"),
        pytest.param("logs-other", None, [], id="another name"),
    ],
)
def test_component_template_conflicts(name: str, meta: dict[str, t.Any] | None, expected: list[str]) -> None:
    answer = {"component_templates": [{"name": name, "component_template": {"_meta": meta}}]}
    assert [conflict.name for conflict in component_template_conflicts(answer, CLAIM)] == expected


@pytest.mark.parametrize(
    ("resolved", "marked", "expected"),
    [
        pytest.param({"indices": [{"name": "logs-2026"}]}, [], [("index", "logs-2026")], id="an index beside ours"),
        pytest.param({"indices": [{"name": "logs-old-1"}]}, [], [], id="a tolerated index"),
        pytest.param({"indices": [{"name": "logs-app-y-1"}]}, [], [("index", "logs-app-y-1")], id="one of our indices"),
        pytest.param({"indices": [{"name": "logs-app-y-1"}]}, ["logs-app-y-1"], [], id="an index of ours"),
        pytest.param(
            {"indices": [{"name": "logs-app-x"}]},
            ["logs-app-x"],
            [("index", "logs-app-x")],
            id="an index where a data stream shall be",
        ),
        pytest.param({"indices": [{"name": ".ds-1", "data_stream": "logs-z"}]}, [], [], id="part of a data stream"),
        pytest.param(
            {"data_streams": [{"name": "logs-app-x", "backing_indices": [".ds-1", ".ds-2"]}]},
            [".ds-2"],
            [("data stream", "logs-app-x")],
            id="a data stream that is ours in part",
        ),
        pytest.param(
            {"data_streams": [{"name": "logs-app-x", "backing_indices": [".ds-1"]}]},
            [".ds-1"],
            [],
            id="a data stream of ours",
        ),
        pytest.param({"aliases": [{"name": "logs-app-x"}]}, [], [("alias", "logs-app-x")], id="an alias with our name"),
        pytest.param({"aliases": [{"name": "logs-all"}]}, [], [], id="an alias beside ours"),
    ],
)
def test_index_conflicts(resolved: dict[str, t.Any], marked: list[str], expected: list[tuple[str, str]]) -> None:
    mappings = {name: {"mappings": {"_meta": MARK}} for name in marked}
    answer = {"indices": [], "data_streams": [], "aliases": [], **resolved}
    assert [(found.kind, found.name) for found in index_conflicts(answer, mappings, CLAIM)] == expected


def test_tolerating_does_not_give_away_our_names() -> None:
    claim = CLAIM._replace(tolerated=["*"])
    answer = {"indices": [{"name": "logs-app-y-1"}, {"name": "logs-2026"}], "data_streams": [], "aliases": []}
    assert [found.name for found in index_conflicts(answer, {}, claim)] == ["logs-app-y-1"]
