# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for lists of objects: what is refused, what is done and in which order."""

from __future__ import annotations

import datetime as dt
import re
import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils._api import OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._content import (
    Stream,
    check,
    check_types,
    declare,
    expected_mapping,
    find_streams,
    needs_rollover,
    plan,
    prune,
    streams_without_template,
)
from ansible_collections.raylogs.efk.plugins.module_utils._kinds import KINDS

Body = dict[str, t.Any]
Found = dict[str, dict[str, Body]]

POLICY: Body = {"kind": "ilm_policy", "name": "keep", "phases": {"delete": {"min_age": "7d"}}}
PIPELINE: Body = {"kind": "ingest_pipeline", "name": "note", "processors": []}
COMPONENT: Body = {"kind": "component_template", "name": "fields", "template": {}}
TEMPLATE: Body = {"kind": "index_template", "name": "app", "index_patterns": ["app-*"], "composed_of": ["fields"]}
SETTINGS: Body = {"kind": "cluster_settings", "persistent": {"a.b": 1}}
MARK = {"managed_by": "tests"}


def holding(**found: dict[str, Body]) -> Found:
    """Give a server that holds these objects."""
    return {**{key: {} for key in KINDS}, **found}


def mapped(**properties: str) -> Body:
    """Build a template with fields of these types, and notes that tell."""
    fields = {name: {"type": kind} for name, kind in properties.items()}
    return {"template": {"mappings": {"_meta": {"version": len(properties)}, "properties": fields}}}


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        pytest.param([{"name": "x"}], "objects[0] has the kind None. Valid kinds are cluster_settings, ", id="no kind"),
        pytest.param([COMPONENT, {"kind": "pipeline"}], "objects[1] has the kind 'pipeline'", id="unknown kind"),
        pytest.param(
            [{"kind": "component_template", "template": {}}],
            "objects[0], component template '': missing required arguments: name.",
            id="no name",
        ),
        pytest.param(
            [{**COMPONENT, "settings": {}}],
            "objects[0], component template 'fields': settings. Supported parameters include",
            id="unknown option",
        ),
        pytest.param(
            [{**TEMPLATE, "priority": "high"}],
            "objects[0], index template 'app': argument 'priority' is of type str and we were unable to convert to int",
            id="wrong type",
        ),
        pytest.param(
            [{**POLICY, "phases": {"hott": {}}}],
            "ILM policy 'keep': phase 'hott' is unknown. Valid phases are hot, warm, cold, frozen, delete.",
            id="misspelt phase",
        ),
        pytest.param([{**COMPONENT, "name": "*"}], "Component template cannot be named '*'", id="impossible name"),
        pytest.param([COMPONENT, COMPONENT], "The component template 'fields' is declared twice.", id="twice"),
        pytest.param([SETTINGS, SETTINGS], "The cluster settings is declared twice.", id="settings twice"),
    ],
)
def test_entry_that_cannot_work_is_refused(entries: list[Body], words: str) -> None:
    with pytest.raises(OptionError, match=re.escape(words)):
        declare(entries, {})


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"template": {"aliases": {"a": "b"}}}, id="an alias without options"),
        pytest.param({"template": {"mappings": {"properties": {"a": "text"}}}}, id="a field without parameters"),
        pytest.param({"template": {"mappings": {"properties": {"a": {"ignore_above": "much"}}}}}, id="a word"),
        pytest.param({"template": {}, "meta": {"since": dt.date(2026, 11, 23)}}, id="a date"),
        pytest.param({"template": {}, "meta": {"rate": float("nan")}}, id="no number"),
        pytest.param({"template": {}, "meta": {"text": "\ud800"}}, id="half a character"),
    ],
)
def test_value_of_an_impossible_form_is_refused(options: Body) -> None:
    words = "A value of component template 'fields' has a form that it cannot have: "
    with pytest.raises(OptionError, match=re.escape(words)):
        declare([{**COMPONENT, **options}], {})


def test_notes_in_lists_are_joined_as_the_server_does() -> None:
    component = {"template": {"mappings": {"_meta": {"owners": ["a", "c"], "v": 1}}}}
    template = {**TEMPLATE, "template": {"mappings": {"_meta": {"owners": ["b", "c"]}}}}
    found = holding(component_template={"fields": component})
    steps = plan(declare([template], {}), found)
    assert expected_mapping("app-1", steps, found)["_meta"] == {"owners": ["b", "c", "a"], "v": 1}


def test_objects_are_written_in_the_order_in_which_one_needs_another() -> None:
    stream = {"kind": "data_stream", "name": "app-1"}
    role = {"kind": "role", "name": "reader"}
    declared = declare([stream, TEMPLATE, COMPONENT, PIPELINE, POLICY, role, SETTINGS], {})
    assert [each.resource.key for each in declared] == list(KINDS)


def test_dependants_are_deleted_first_and_last_of_all() -> None:
    gone = [{"kind": entry["kind"], "name": entry["name"], "state": "absent"} for entry in (COMPONENT, TEMPLATE)]
    found = holding(component_template={"fields": {}}, index_template={"app": {"index_patterns": ["app-*"]}})
    steps = plan(declare([*gone, PIPELINE], {}), found)
    assert [(step.resource.key, step.change.verb) for step in steps] == [
        ("ingest_pipeline", "create"),
        ("index_template", "delete"),
        ("component_template", "delete"),
    ]


def test_mark_is_added_and_own_notes_win() -> None:
    noted = {**PIPELINE, "meta": {"managed_by": "me", "why": "because"}}
    bodies = [each.body for each in declare([noted, COMPONENT, SETTINGS], MARK)]
    assert [body and body.get("_meta") for body in bodies] == [None, {"managed_by": "me", "why": "because"}, MARK]


def test_only_what_carries_the_mark_and_is_not_declared_is_pruned() -> None:
    found = holding(
        component_template={"fields": {"_meta": MARK}, "old": {"_meta": {**MARK, "more": 1}}, "theirs": {}},
        ingest_pipeline={"other": {"_meta": {"managed_by": "others"}}},
        ilm_policy={"forgotten": {"phases": {}, "_meta": MARK, "in_use_by": {}}},
    )
    pruned = prune(declare([COMPONENT], MARK), found, MARK)
    assert [(each.resource.key, each.name) for each in pruned] == [
        ("ilm_policy", "forgotten"),
        ("component_template", "old"),
    ]


@pytest.mark.parametrize(
    ("entries", "found", "words"),
    [
        pytest.param(
            [TEMPLATE],
            holding(),
            "Index template 'app' is composed of fields, which neither exists nor is declared.",
            id="component that nobody has",
        ),
        pytest.param(
            [TEMPLATE, {"kind": "component_template", "name": "fields", "state": "absent"}],
            holding(component_template={"fields": {}}),
            "Index template 'app' is composed of fields, which neither exists nor is declared.",
            id="component that this run deletes",
        ),
        pytest.param(
            [{**TEMPLATE, "composed_of": [], "priority": 5}],
            holding(index_template={"theirs": {"index_patterns": "app-1*", "priority": 5}}),
            "Index template 'app' has the same priority as 'theirs' (5) and app-* meets app-1*.",
            id="priority of another",
        ),
        pytest.param(
            [{**TEMPLATE, "composed_of": []}, {**TEMPLATE, "name": "twin", "composed_of": []}],
            holding(),
            "has the same priority as 'twin' (0) and both match app-*.",
            id="priority of one beside it",
        ),
        pytest.param(
            [{**TEMPLATE, "composed_of": []}, {"kind": "index_template", "name": "old", "state": "absent"}],
            holding(index_template={"old": {"index_patterns": ["app-*"]}}),
            "and both match app-*, which this run would change or delete only afterwards.",
            id="priority of a template that is replaced under another name",
        ),
        pytest.param(
            [
                {**TEMPLATE, "composed_of": [], "priority": 2},
                {**TEMPLATE, "name": "b", "composed_of": [], "priority": 1},
            ],
            holding(
                index_template={
                    "app": {"index_patterns": ["app-*"], "priority": 1},
                    "b": {"index_patterns": ["app-*"], "priority": 2},
                }
            ),
            "has the same priority as 'b' (2) and both match app-*, which this run would change",
            id="priorities that are swapped",
        ),
        pytest.param(
            [{"kind": "ingest_pipeline", "name": "note", "state": "absent"}],
            holding(
                ingest_pipeline={
                    "note": {"processors": []},
                    "theirs": {"processors": [{"foreach": {"processor": {"pipeline": {"name": "note"}}}}]},
                }
            ),
            "Cannot delete ingest pipeline 'note', which is still needed by ingest pipeline 'theirs'.",
            id="pipeline that another calls",
        ),
        pytest.param(
            [{"kind": "component_template", "name": "fields", "state": "absent"}],
            holding(
                component_template={"fields": {}},
                index_template={"theirs": {"index_patterns": ["x"], "composed_of": ["fields"]}},
            ),
            "Cannot delete component template 'fields', which is still needed by index template 'theirs'.",
            id="component in use",
        ),
        pytest.param(
            [{"kind": "ingest_pipeline", "name": "note", "state": "absent"}],
            holding(
                ingest_pipeline={"note": {"processors": []}},
                component_template={"parts": {"template": {"settings": {"index": {"default_pipeline": "note"}}}}},
                index_template={"theirs": {"index_patterns": ["x"], "composed_of": ["parts"]}},
            ),
            "Cannot delete ingest pipeline 'note', which is still needed by index template 'theirs'.",
            id="pipeline in use",
        ),
        pytest.param(
            [{"kind": "ilm_policy", "name": "keep", "state": "absent"}],
            holding(
                ilm_policy={"keep": {"phases": {}, "in_use_by": {"indices": ["i"], "data_streams": ["d"]}}},
                index_template={
                    "theirs": {"index_patterns": ["x"], "template": {"settings": {"index.lifecycle.name": "keep"}}}
                },
            ),
            "which is still needed by data stream 'd', index 'i', index template 'theirs'.",
            id="policy in use",
        ),
    ],
)
def test_what_the_server_would_refuse_is_refused_before(entries: list[Body], found: Found, words: str) -> None:
    with pytest.raises(OptionError, match=re.escape(words)):
        check(plan(declare(entries, {}), found), found)


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        pytest.param([TEMPLATE, COMPONENT], holding(), id="component declared beside it"),
        pytest.param([TEMPLATE], holding(component_template={"fields": {}}), id="component that is there"),
        pytest.param(
            [{**TEMPLATE, "ignore_missing_component_templates": ["fields"]}], holding(), id="component that need not be"
        ),
        pytest.param(
            [{**TEMPLATE, "composed_of": []}],
            holding(index_template={"app": {"index_patterns": ["app-*"]}}),
            id="its own former self",
        ),
        pytest.param(
            [
                {"kind": "component_template", "name": "fields", "state": "absent"},
                {"kind": "index_template", "name": "app", "state": "absent"},
            ],
            holding(
                component_template={"fields": {}},
                index_template={"app": {"index_patterns": ["app-*"], "composed_of": ["fields"]}},
            ),
            id="both deleted",
        ),
        pytest.param(
            [
                {"kind": "data_stream", "name": "app", "state": "absent"},
                {"kind": "ilm_policy", "name": "keep", "state": "absent"},
            ],
            holding(
                data_stream={"app": {}},
                ilm_policy={"keep": {"phases": {}, "in_use_by": {"data_streams": ["app"], "indices": [".ds-app-1"]}}},
            ),
            id="a policy with the stream that used it",
        ),
    ],
)
def test_what_the_server_would_take_is_not_refused(entries: list[Body], found: Found) -> None:
    steps = plan(declare(entries, {}), found)
    check(steps, found)
    assert steps


def test_data_stream_keeps_a_template() -> None:
    held = {
        "one": {"index_patterns": ["app-*"], "data_stream": {}, "priority": 1},
        "two": {"index_patterns": ["app-2*"], "data_stream": {}, "priority": 2},
        "plain": {"index_patterns": ["app-1"], "priority": 3},
    }
    found = holding(index_template=held)
    steps = plan(declare([{"kind": "index_template", "name": "one", "state": "absent"}], {}), found)
    assert streams_without_template(["app-1", "app-2", "other"], steps, found) == ["app-1"]


def test_mapping_of_the_next_index_is_merged_from_template_and_components() -> None:
    found = holding(
        component_template={"fields": mapped(a="keyword", b="long")},
        index_template={"everything": {"index_patterns": ["*"], "priority": 0}},
    )
    template = {**TEMPLATE, "priority": 9, "composed_of": ["fields", "none"], **mapped(b="date")}
    steps = plan(declare([template], {}), found)
    assert expected_mapping("app-1", steps, found) == {
        "_meta": {"version": 1},
        "properties": {"a": {"type": "keyword"}, "b": {"type": "date"}},
    }
    assert expected_mapping("other", steps, found) == {}
    assert expected_mapping("other", [], holding()) == {}


@pytest.mark.parametrize(
    ("expected", "held", "answer"),
    [
        pytest.param({}, {"_meta": {"version": 1}}, False, id="templates without notes"),
        pytest.param({"_meta": {"version": 1}}, {"_meta": {"version": 1, "more": 2}}, False, id="same notes and more"),
        pytest.param({"_meta": {"version": 2}}, {"_meta": {"version": 1}}, True, id="another version"),
        pytest.param({"_meta": {"version": 1}}, {}, True, id="an index from before there were notes"),
    ],
)
def test_stream_rolls_over_when_its_notes_differ(expected: Body, held: Body, *, answer: bool) -> None:
    assert needs_rollover(Stream("app", "app-1", held), expected) == answer


def test_field_is_added_but_never_retyped() -> None:
    held = {"properties": {"a": {"properties": {"b": {"type": "keyword"}}}, "c": {"type": "long"}}}
    stream = Stream("app", "app-1", held)
    check_types(stream, {"properties": {"a.b": {"type": "keyword"}, "d": {"type": "date"}}})
    with pytest.raises(OptionError, match=r"Field a\.b of data stream 'app' has the type keyword, .* make it text\."):
        check_types(stream, {"properties": {"a.b": {"type": "text"}}})
    with pytest.raises(OptionError, match=r"Field c of data stream 'app' has the type long, .* make it object\."):
        check_types(stream, {"properties": {"c": {"properties": {"d": {"type": "long"}}}}})
    former = stream._replace(former=({"properties": {"gone": {"type": "long"}}},))
    with pytest.raises(OptionError, match=r"Field gone of data stream 'app' has the type long, .* make it keyword\."):
        check_types(former, {"properties": {"gone": {"type": "keyword"}}})


def test_streams_and_the_indices_they_write_to_are_found_in_the_state_of_a_cluster() -> None:
    answer = {
        "metadata": {
            "indices": {"app-2": {"mappings": {"_doc": {"_meta": {"version": 2}}}}, "app-1": {}},
            "data_stream": {"data_stream": {"app": {"indices": [{"index_name": "app-1"}, {"index_name": "app-2"}]}}},
        }
    }
    assert find_streams(answer) == [Stream("app", "app-2", {"_meta": {"version": 2}}, ({},))]
    assert find_streams({}) == []
