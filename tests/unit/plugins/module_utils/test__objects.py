# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the bodies of all kinds of objects and read the answers with them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._kinds import KINDS
from ansible_collections.raylogs.efk.plugins.module_utils._objects import check_printable

NOTES: Body = {"version": None, "meta": None, "deprecated": None}


@pytest.mark.parametrize(
    ("kind", "params", "body"),
    [
        pytest.param(
            "cluster_settings",
            {"persistent": {"a": "True", "b": {"c": 2.0}, "d": None}, "transient": None},
            {"persistent": {"a": "true", "b": {"c": 2}, "d": None}},
            id="one level of settings, null stays",
        ),
        pytest.param(
            "ilm_policy",
            {"name": "a", "phases": {"delete": {"actions": {"delete": None}}}, "meta": {}, "deprecated": False},
            {"phases": {"delete": {"actions": {"delete": {}}}}, "_meta": {}, "deprecated": False},
            id="policy with empty notes",
        ),
        pytest.param(
            "ingest_pipeline",
            {
                "description": None,
                "processors": [
                    {"set": {"field": "ignore_failure", "value": "True", "ignore_failure": "True"}},
                    {"foreach": {"field": "a", "processor": {"trim": {"ignore_missing": "False"}}}},
                ],
                "on_failure": [],
                **NOTES,
                "version": 1,
            },
            {
                "processors": [
                    {"set": {"field": "ignore_failure", "value": "True", "ignore_failure": True}},
                    {"foreach": {"field": "a", "processor": {"trim": {"ignore_missing": False}}}},
                ],
                "on_failure": [],
                "version": 1,
            },
            id="flags of processors are corrected, values stay",
        ),
        pytest.param(
            "component_template",
            {"template": {"settings": {"number_of_shards": 1.0}, "mappings": None}, **NOTES, "deprecated": True},
            {"template": {"settings": {"number_of_shards": 1}}, "deprecated": True},
            id="component",
        ),
        pytest.param(
            "index_template",
            {
                "index_patterns": ["a"],
                "composed_of": [],
                "ignore_missing_component_templates": None,
                "priority": 1,
                "allow_auto_create": None,
                "data_stream": {"hidden": None, "allow_custom_routing": None},
                "template": None,
                **NOTES,
            },
            {"index_patterns": ["a"], "composed_of": [], "priority": 1, "data_stream": {}},
            id="index template of data streams",
        ),
        pytest.param("data_stream", {"lifecycle": None}, {}, id="stream whose lifecycle is left alone"),
        pytest.param(
            "data_stream",
            {"lifecycle": {"data_retention": None, "enabled": None, "downsampling": None}},
            {"lifecycle": {}},
            id="stream with the default lifecycle",
        ),
    ],
)
def test_body(kind: str, params: Body, body: Body) -> None:
    assert KINDS[kind].desired(params) == body


def test_settings_of_no_level_are_refused() -> None:
    with pytest.raises(OptionError, match="Neither persistent nor transient names a setting"):
        KINDS["cluster_settings"].desired({"persistent": {}, "transient": None})


def test_misspelt_phase_is_refused_by_the_name_of_the_policy() -> None:
    with pytest.raises(OptionError, match="Cannot write ILM policy 'a': phase 'hott' is unknown"):
        KINDS["ilm_policy"].desired({"name": "a", "phases": {"hott": {}}})


@pytest.mark.parametrize("name", ["", "_all", "a*", "a,b", "a b", "a/b"])
def test_name_of_several_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match="Ingest pipeline cannot be named"):
        check_printable("ingest pipeline", name)
    check_printable("ingest pipeline", "Logs@custom.2-a")


@pytest.mark.parametrize(
    ("kind", "answer", "objects"),
    [
        pytest.param("cluster_settings", {"persistent": {}}, {"": {"persistent": {}}}, id="settings have no name"),
        pytest.param(
            "ilm_policy",
            {"a": {"version": 2, "modified_date": "now", "policy": {"phases": {}}, "in_use_by": {"indices": []}}},
            {"a": {"phases": {}, "version": 2, "modified_date": "now", "in_use_by": {"indices": []}}},
            id="policy leaves its envelope",
        ),
        pytest.param("ingest_pipeline", {"a": {"processors": []}}, {"a": {"processors": []}}, id="pipeline"),
        pytest.param(
            "component_template",
            {"component_templates": [{"name": "a", "component_template": {"template": {}}}]},
            {"a": {"template": {}}},
            id="component",
        ),
        pytest.param(
            "index_template",
            {"index_templates": [{"name": "a", "index_template": {"index_patterns": ["a"]}}]},
            {"a": {"index_patterns": ["a"]}},
            id="index template",
        ),
        pytest.param(
            "data_stream",
            {"data_streams": [{"name": "a", "generation": 1}]},
            {"a": {"name": "a", "generation": 1}},
            id="data stream",
        ),
    ],
)
def test_objects_are_taken_out_of_an_answer(kind: str, answer: Body, objects: dict[str, Body]) -> None:
    assert KINDS[kind].entries(answer) == objects


@pytest.mark.parametrize(
    ("kind", "desired", "current", "writes"),
    [
        pytest.param("ilm_policy", {"phases": {}}, None, [("PUT", "/x", {"policy": {"phases": {}}})], id="policy"),
        pytest.param("data_stream", {}, None, [("PUT", "/x", None)], id="stream that is absent"),
        pytest.param(
            "data_stream",
            {"lifecycle": {"data_retention": "1d"}},
            None,
            [("PUT", "/x", None), ("PUT", "/x/_lifecycle", {"data_retention": "1d"})],
            id="stream that is absent and its lifecycle",
        ),
        pytest.param(
            "data_stream", {"lifecycle": {}}, {"name": "a"}, [("PUT", "/x/_lifecycle", {})], id="lifecycle alone"
        ),
        pytest.param(
            "cluster_settings",
            {"persistent": {"a": None}},
            {"persistent": {"a": "1"}},
            [("PUT", "/x", {"persistent": {"a": None}})],
            id="settings",
        ),
    ],
)
def test_requests_that_write(
    kind: str, desired: Body, current: Body | None, writes: list[tuple[str, str, t.Any]]
) -> None:
    assert KINDS[kind].writes("/x", desired, current) == writes
