# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare recorded answers of Elasticsearch with what was written."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _normalise as normalise
from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._reconcile import first_difference, reconcile

from tests.rewrite_cases import POLICIES_ALIKE

ANSWERS = Path(__file__).parents[2] / "fixtures" / "elasticsearch"


class Recorded(t.NamedTuple):
    """A body that was written, and what a version of Elasticsearch answered when it was read."""

    wanted: Body
    answer: Body


def recorded(api: str) -> list[t.Any]:
    """Make a test parameter of each recorded answer."""
    cases = json.loads((ANSWERS / f"{api}.json").read_text())
    return [
        pytest.param(Recorded(case["put"], answer), id=f"{name} on {version}")
        for name, case in cases.items()
        for version, answer in case["get"].items()
    ]


def holds(wanted: Body, current: Body, rule: t.Callable[[Body], Body]) -> bool:
    """Say whether nothing is to be done."""
    return reconcile(wanted, current, rule).verb == "none"


@pytest.mark.parametrize("case", recorded("index_template"))
def test_index_template_is_unchanged(case: Recorded) -> None:
    current = case.answer["index_templates"][0]["index_template"]
    assert holds(case.wanted, current, normalise.normalise_index_template)


@pytest.mark.parametrize("case", recorded("component_template"))
def test_component_template_is_unchanged(case: Recorded) -> None:
    current = case.answer["component_templates"][0]["component_template"]
    assert holds(case.wanted, current, normalise.normalise_component_template)


@pytest.mark.parametrize("case", recorded("template"))
def test_legacy_template_is_unchanged(case: Recorded) -> None:
    assert holds(case.wanted, case.answer["recorded"], normalise.normalise_legacy_template)


@pytest.mark.parametrize("case", recorded("ingest_pipeline"))
def test_pipeline_is_unchanged(case: Recorded) -> None:
    assert holds(case.wanted, case.answer["recorded"], normalise.normalise_pipeline)


@pytest.mark.parametrize("case", recorded("index"))
def test_index_has_the_mapping(case: Recorded) -> None:
    wanted = normalise.normalise_mapping(case.wanted.get("mappings", {}))
    found = normalise.normalise_mapping(case.answer["recorded"]["mappings"])
    assert first_difference(wanted, found) == ""


@pytest.mark.parametrize("case", recorded("ilm_policy"))
def test_ilm_policy_is_unchanged(case: Recorded) -> None:
    wanted = {**case.wanted, "phases": normalise.correct_phases(case.wanted["phases"])}
    assert holds(wanted, case.answer, normalise.normalise_ilm_policy)


ALIKE = {"only patterns", "empty template", "empty parts"}


@pytest.mark.parametrize(
    ("api", "entries", "entry", "rule"),
    [
        pytest.param(*names, rule, id=names[0].replace("_", " "))
        for names, rule in (
            (("index_template", "index_templates", "index_template"), normalise.normalise_index_template),
            (
                ("component_template", "component_templates", "component_template"),
                normalise.normalise_component_template,
            ),
        )
    ],
)
def test_other_templates_are_told_apart(api: str, entries: str, entry: str, rule: t.Callable[[Body], Body]) -> None:
    cases = json.loads((ANSWERS / f"{api}.json").read_text())
    same = {
        frozenset({one, other})
        for one, wanted in cases.items()
        for other, found in cases.items()
        for answer in found["get"].values()
        if one != other and holds(wanted["put"], answer[entries][0][entry], rule)
    }
    assert {pair for pair in same if not pair <= ALIKE} == set()


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        pytest.param(
            normalise.flatten_settings,
            {"number_of_shards": 1, "index.hidden": True, "index": {"a": {"b": 1.5}}},
            {"index.number_of_shards": "1", "index.hidden": "true", "index.a.b": "1.5"},
            id="nested, dotted and unprefixed settings become flat text",
        ),
        pytest.param(normalise.drop_server_dates, {"created_date_millis": 1, "a": 2}, {"a": 2}, id="server dates go"),
        pytest.param(normalise.drop_nulls, {"a": None, "b": {}, "c": []}, {"b": {}, "c": []}, id="null is absent"),
        pytest.param(
            normalise.list_patterns,
            {"index_patterns": "a-*"},
            {"index_patterns": ["a-*"], "composed_of": []},
            id="a pattern becomes a list, no component an empty one",
        ),
        pytest.param(normalise.number_versions, {"priority": "1"}, {"priority": 1}, id="a priority becomes a number"),
        pytest.param(
            normalise.drop_data_stream_defaults,
            {"data_stream": {"hidden": False, "timestamp_field": {"name": "@timestamp"}}},
            {"data_stream": {}},
            id="defaults of data_stream go, its presence stays",
        ),
        pytest.param(normalise.drop_data_stream_defaults, {"data_stream": None}, {}, id="data_stream null is absent"),
        pytest.param(normalise.unwrap_mapping_type, {"_doc": {"a": 1}}, {"a": 1}, id="mappings leave their type"),
        pytest.param(normalise.unwrap_mapping_type, {"_doc": {}, "a": 1}, {"_doc": {}, "a": 1}, id="not a type"),
        pytest.param(
            normalise.split_routing,
            {"routing": "1", "search_routing": "2"},
            {"index_routing": "1", "search_routing": "2"},
            id="routing fills the half that is missing",
        ),
        pytest.param(normalise.split_routing, {}, {}, id="no routing stays none"),
        pytest.param(normalise.enable_lifecycle, {}, {"enabled": True}, id="a lifecycle is enabled"),
        pytest.param(
            normalise.enable_lifecycle, {"enabled": "false"}, {"enabled": False}, id="unless it says otherwise"
        ),
        pytest.param(
            normalise.enable_lifecycle,
            {"data_retention": " 07D", "enabled": True},
            {"data_retention": "7d", "enabled": True},
            id="the time of a lifecycle is tidied",
        ),
        pytest.param(
            normalise.enable_lifecycle,
            {"enabled": False, "downsampling": [{"after": "24H", "fixed_interval": "60m"}]},
            {"enabled": False, "downsampling": [{"after": "1d", "fixed_interval": "60m"}]},
            id="the times of downsampling are tidied, intervals stay",
        ),
        pytest.param(
            normalise.enable_failure_store,
            {"failure_store": {"enabled": "false", "lifecycle": {"data_retention": "7D"}}},
            {"failure_store": {"enabled": False, "lifecycle": {"enabled": True, "data_retention": "7d"}}},
            id="the lifecycle of a failure store is like any other",
        ),
        pytest.param(
            normalise.enable_failure_store,
            {"failure_store": {"enabled": True}},
            {"failure_store": {"enabled": True}},
            id="a failure store without a lifecycle",
        ),
        pytest.param(normalise.enable_failure_store, {"failure_store": None}, {"failure_store": None}, id="none"),
        pytest.param(
            normalise.correct_template,
            {"data_stream_options": {"failure_store": {"enabled": "True"}}},
            {"data_stream_options": {"failure_store": {"enabled": True}}},
            id="what Jinja made of a failure store is corrected",
        ),
        pytest.param(
            normalise.drop_empty_parts, {"mappings": {}, "lifecycle": {}}, {"lifecycle": {}}, id="empty parts go"
        ),
        pytest.param(
            normalise.name_patterns, {"template": "a"}, {"order": 0, "index_patterns": "a"}, id="a template of old"
        ),
        pytest.param(normalise.drop_composed_of, {"composed_of": [], "a": 1}, {"a": 1}, id="legacy has no components"),
        pytest.param(normalise.text_of_dynamic, {"dynamic": True}, {"dynamic": "true"}, id="dynamic becomes text"),
        pytest.param(normalise.list_copy_to, {"copy_to": "b"}, {"copy_to": ["b"]}, id="copy_to becomes a list"),
        pytest.param(normalise.drop_enabled, {"enabled": "true", "_source": {"enabled": True}}, {}, id="enabled goes"),
        pytest.param(normalise.drop_enabled, {"enabled": False}, {"enabled": False}, id="not enabled stays"),
        pytest.param(
            normalise.type_parameters,
            {"index": "false", "ignore_above": "256", "store": True},
            {"index": False, "ignore_above": 256, "store": True},
            id="parameters get their types",
        ),
        pytest.param(
            normalise.drop_object_type,
            {"type": "object", "properties": {"a": {}}},
            {"properties": {"a": {}}},
            id="object",
        ),
        pytest.param(
            normalise.drop_object_type, {"type": "object"}, {"type": "object"}, id="a bare object keeps its type"
        ),
        pytest.param(normalise.drop_empty_properties, {"properties": {}}, {"type": "object"}, id="an empty object"),
        pytest.param(
            normalise.drop_parameter_defaults,
            {"type": "keyword", "index": True, "norms": False, "store": False},
            {"type": "keyword"},
            id="defaults of a keyword go",
        ),
        pytest.param(
            normalise.drop_parameter_defaults,
            {"type": "text", "norms": False},
            {"type": "text", "norms": False},
            id="what is no default of text stays",
        ),
        pytest.param(
            normalise.drop_default_date_format,
            {"type": "date", "format": "strict_date_optional_time||epoch_millis"},
            {"type": "date"},
            id="the default format of a date goes",
        ),
        pytest.param(
            normalise.normalise_mapping,
            {
                "properties": {
                    "a.b": {"type": "ip"},
                    "a": {"properties": {"c": {"type": "long"}}},
                    "a.d.e": {"type": "ip"},
                    "a.d.f": {"type": "ip"},
                }
            },
            {
                "properties": {
                    "a": {
                        "properties": {
                            "b": {"type": "ip"},
                            "c": {"type": "long"},
                            "d": {"properties": {"e": {"type": "ip"}, "f": {"type": "ip"}}},
                        }
                    }
                }
            },
            id="dotted names become objects",
        ),
        pytest.param(
            normalise.correct_mapping,
            {
                "dynamic": "False",
                "_source": {"enabled": "True"},
                "_meta": {"index": "True"},
                "properties": {
                    "index": {"type": "keyword", "index": "False", "ignore_above": 256.0, "null_value": "True"}
                },
                "dynamic_templates": [{"all": {"match": "*", "mapping": {"store": "True"}}}, {"rest": {}}, "broken"],
                "runtime": {"a": "broken"},
            },
            {
                "dynamic": False,
                "_source": {"enabled": True},
                "_meta": {"index": "True"},
                "properties": {"index": {"type": "keyword", "index": False, "ignore_above": 256, "null_value": "True"}},
                "dynamic_templates": [{"all": {"match": "*", "mapping": {"store": True}}}, {"rest": {}}, "broken"],
                "runtime": {"a": "broken"},
            },
            id="what Jinja made of the parameters of a mapping is corrected, values of the user stay",
        ),
        pytest.param(
            normalise.correct_template,
            {
                "settings": {
                    "index.hidden": "True",
                    "index": {"number_of_shards": 1.0, "analysis": {"filter": {"a": {"stopwords": "True"}}}},
                    "index.query.default_field": ["True"],
                },
                "mappings": None,
                "lifecycle": {"enabled": "False"},
            },
            {
                "settings": {
                    "index.hidden": "true",
                    "index": {"number_of_shards": 1, "analysis": {"filter": {"a": {"stopwords": "True"}}}},
                    "index.query.default_field": ["True"],
                },
                "lifecycle": {"enabled": False},
            },
            id="what Jinja made of settings and lifecycle is corrected, lists and analysis stay",
        ),
        pytest.param(
            normalise.normalise_ilm_policy,
            {
                "_meta": {"a": 1},
                "deprecated": None,
                "phases": {
                    "hot": {"actions": {"rollover": {"max_size": "50GB", "max_docs": "100", "max_age": "24h"}}},
                    "warm": {"min_age": "0", "actions": {"allocate": {"number_of_replicas": "1"}, "shrink": None}},
                    "cold": {"min_age": "0s", "actions": {"set_priority": {"priority": 0}}},
                    "delete": {"min_age": "1440M", "actions": {"delete": {"delete_searchable_snapshot": "false"}}},
                    "frozen": None,
                },
            },
            {
                "_meta": {"a": 1},
                "phases": {
                    "hot": {
                        "min_age": "0ms",
                        "actions": {"rollover": {"max_size": "50gb", "max_docs": 100, "max_age": "1d"}},
                    },
                    "warm": {
                        "min_age": "0ms",
                        "actions": {
                            "allocate": {"include": {}, "exclude": {}, "require": {}, "number_of_replicas": 1},
                            "shrink": {"allow_write_after_shrink": False},
                        },
                    },
                    "cold": {"min_age": "0ms", "actions": {"set_priority": {"priority": 0}}},
                    "delete": {"min_age": "1d", "actions": {"delete": {"delete_searchable_snapshot": False}}},
                    "frozen": {"min_age": "0ms", "actions": {}},
                },
            },
            id="ILM defaults are added, sizes and numbers typed",
        ),
        pytest.param(
            normalise.correct_template,
            {"settings": {}, "lifecycle": "30d"},
            {"settings": {}, "lifecycle": "30d"},
            id="a lifecycle of another form is left to the server",
        ),
        pytest.param(
            normalise.correct_phases,
            {
                "hot": {"actions": {"rollover": {"max_docs": 100.0}, "readonly": None}},
                "warm": {"actions": {"allocate": {"require": {"fast": "True"}}}},
                "delete": {"min_age": "1d", "actions": {"delete": {"delete_searchable_snapshot": "False"}}},
                "cold": None,
                "frozen": {"actions": None},
            },
            {
                "hot": {"actions": {"rollover": {"max_docs": 100}, "readonly": {}}},
                "warm": {"actions": {"allocate": {"require": {"fast": "True"}}}},
                "delete": {"min_age": "1d", "actions": {"delete": {"delete_searchable_snapshot": False}}},
                "cold": {"actions": {}},
                "frozen": {"actions": {}},
            },
            id="what Jinja made of the options of actions is corrected, attributes of nodes stay",
        ),
        pytest.param(
            normalise.normalise_cluster_settings,
            {
                "persistent": {"a": {"b": True}, "a.c": None},
                "transient": {"d": 1, "e": ["f", 2]},
            },
            {"persistent": {"a.b": "true"}, "transient": {"d": "1", "e": ["f", "2"]}},
            id="settings of a cluster become flat text, without what is reset",
        ),
        pytest.param(normalise.normalise_data_stream, {"name": "a"}, {}, id="a data stream without a lifecycle"),
        pytest.param(normalise.normalise_data_stream, {"lifecycle": None}, {}, id="a lifecycle null is none"),
        pytest.param(
            normalise.normalise_data_stream,
            {
                "lifecycle": {
                    "enabled": "true",
                    "data_retention": "7d",
                    "downsampling": None,
                    "effective_retention": "7d",
                    "retention_determined_by": "data_stream_configuration",
                    "rollover": {"max_age": "auto"},
                }
            },
            {"lifecycle": {"enabled": True, "data_retention": "7d"}},
            id="what a server works out about a lifecycle goes",
        ),
    ],
)
def test_rule(rule: t.Callable[[Body], Body], before: Body, after: Body) -> None:
    assert rule(before) == after


def test_other_policies_are_told_apart() -> None:
    cases = json.loads((ANSWERS / "ilm_policy.json").read_text())
    rule = normalise.normalise_ilm_policy
    same = {
        (one, other)
        for one, wanted in cases.items()
        for other, found in cases.items()
        for version in wanted["get"].keys() & found["get"].keys()
        if holds(wanted["put"], found["get"][version], rule) and wanted["get"][version] != found["get"][version]
    }
    assert {pair for pair in same if not any(set(pair) <= group for group in POLICIES_ALIKE)} == set()


def test_setting_given_twice_is_refused() -> None:
    with pytest.raises(OptionError, match=r"index\.number_of_shards is given twice, as 1 and as 2"):
        normalise.correct_template({"settings": {"number_of_shards": 1, "index": {"number_of_shards": 2}}})


@pytest.mark.parametrize(
    ("phases", "words"),
    [
        pytest.param({"hott": {}}, "phase 'hott' is unknown. Valid phases are hot, warm, cold", id="misspelt"),
        pytest.param({"hot": "1d"}, "phase hot is not of the form", id="no phase at all"),
        pytest.param({"hot": {"actions": ["delete"]}}, "phase hot is not of the form", id="a list of actions"),
        pytest.param({"hot": {"actions": {"delete": "now"}}}, "phase hot is not of the form", id="no action at all"),
    ],
)
def test_impossible_phase_is_refused(phases: Body, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        normalise.correct_phases(phases)


@pytest.mark.parametrize(
    ("declared", "kept"),
    [
        pytest.param({"a.b": "1"}, {"a.b": "2"}, id="one"),
        pytest.param({"a": {"b": "1"}}, {"a.b": "2"}, id="nested"),
        pytest.param({"a.*": None}, {"a.b": "2", "a.c.d": "3"}, id="all that begin so"),
        pytest.param({"e": "1"}, {}, id="none"),
    ],
)
def test_declared_settings_are_compared(declared: Body, kept: Body) -> None:
    current = {"persistent": {"a.b": "2", "a.c.d": "3", "f": "4"}, "transient": {"a.b": "5"}}
    assert normalise.keep_declared_settings({"persistent": declared}, current) == {"persistent": kept}


@pytest.mark.parametrize(
    ("size", "tidy"),
    [("50GB", "50gb"), ("50 g", "50gb"), ("1024mb", "1gb"), ("1.5kb", "1536b"), ("0", "0b"), ("many", "many")],
)
def test_tidy_size(size: str, tidy: str) -> None:
    assert normalise.tidy_size(size) == tidy


@pytest.mark.parametrize(
    ("time", "tidy"),
    [
        (" 090 D ", "90d"),
        ("168h", "7d"),
        ("90s", "90s"),
        ("1500ms", "1500ms"),
        ("000", "0ms"),
        ("0s", "0ms"),
        ("1.5d", "1.5d"),
        ("5", "5"),
        ("7micros", "7micros"),
    ],
)
def test_tidy_time(time: str, tidy: str) -> None:
    assert normalise.tidy_time(time) == tidy


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(None, None, id="null stays"),
        pytest.param(True, "true", id="boolean"),
        pytest.param("01", "01", id="text stays"),
        pytest.param(["a", 1, False], ["a", "1", "false"], id="list item by item"),
        pytest.param(-1, "-1", id="number"),
    ],
)
def test_text_of_setting(value: t.Any, text: t.Any) -> None:
    assert normalise.text_of_setting(value) == text
