# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create, modify and delete templates on a real Elasticsearch; check mode before each step, each step twice."""

from __future__ import annotations

import typing as t

import pytest
import requests

if t.TYPE_CHECKING:
    from tests.integration.conftest import Play, Run

Options = dict[str, t.Any]


class Step(t.NamedTuple):
    """Options, and the object before and after as the diff shows it."""

    options: Options
    before: Options
    after: Options


class Kind(t.NamedTuple):
    """A module, the address of its objects, and the steps to take."""

    module: str
    returns: str
    api: str
    steps: list[Step]


PART: Options = {
    "template": {
        "settings": {"number_of_shards": 1.0, "index.refresh_interval": "60s", "index": {"hidden": "True"}},
        "mappings": {"properties": {"level": {"type": "keyword", "index": "True", "ignore_above": 256}}},
        "aliases": {"raylogs-test-alias": {"routing": "1"}},
        "lifecycle": {"data_retention": "7d"},
    },
    "version": "1",
    "meta": {"by": "tests", "one": 1, "yes": True},
}
PART_SHOWN = {
    "template": {
        "settings": {"index.number_of_shards": "1", "index.refresh_interval": "60s", "index.hidden": "true"},
        "mappings": {"properties": {"level": {"type": "keyword", "index": True, "ignore_above": 256}}},
        "aliases": {"raylogs-test-alias": {"index_routing": "1", "search_routing": "1"}},
        "lifecycle": {"data_retention": "7d", "enabled": True},
    },
    "version": 1,
    "_meta": {"by": "tests", "one": 1, "yes": True},
}
WHOLE: Options = {
    "index_patterns": "raylogs-test-*",
    "data_stream": {},
    "priority": "500",
    "template": {"settings": {"number_of_replicas": 0}},
    "ignore_missing_component_templates": ["raylogs-test-missing"],
    "composed_of": ["raylogs-test-missing"],
}
WHOLE_SHOWN = {
    "index_patterns": ["raylogs-test-*"],
    "data_stream": {},
    "priority": 500,
    "template": {"settings": {"index.number_of_replicas": "0"}},
    "ignore_missing_component_templates": ["raylogs-test-missing"],
    "composed_of": ["raylogs-test-missing"],
}
OTHER_SHOWN = {"index_patterns": ["raylogs-test-*"], "composed_of": [], "template": {}}
KINDS = [
    Kind(
        "elasticsearch_component_template",
        "component_template",
        "/_component_template/raylogs-test",
        [
            Step(PART, {}, PART_SHOWN),
            Step(
                {"template": {"mappings": {"dynamic": False}}},
                PART_SHOWN,
                {"template": {"mappings": {"dynamic": False}}},
            ),
            Step({"state": "absent"}, {"template": {"mappings": {"dynamic": False}}}, {}),
        ],
    ),
    Kind(
        "elasticsearch_index_template",
        "index_template",
        "/_index_template/raylogs-test",
        [
            Step(WHOLE, {}, WHOLE_SHOWN),
            Step({"index_patterns": ["raylogs-test-*"]}, WHOLE_SHOWN, OTHER_SHOWN),
            Step({"state": "absent"}, OTHER_SHOWN, {}),
        ],
    ),
]


def stored(url: str) -> object:
    """Read an object from the server, or None when it is absent."""
    answer = requests.get(url, timeout=10)
    return None if answer.status_code == requests.codes.not_found else answer.json()


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.module) for kind in KINDS])
def test_life_of_a_template(kind: Kind, elasticsearch: str, run: Run) -> None:
    for options, before, after in kind.steps:
        asked = {"name": "raylogs-test", "url": [elasticsearch], **options}
        found = stored(elasticsearch + kind.api)

        foretold = run(kind.module, check=True, **asked)
        assert stored(elasticsearch + kind.api) == found
        done = run(kind.module, **asked)
        again = run(kind.module, **asked)
        checked = run(kind.module, check=True, **asked)

        header = f"{kind.returns.replace('_', ' ')} 'raylogs-test'"
        difference = {"before_header": header, "after_header": header, "before": before, "after": after}
        assert (foretold["changed"], foretold["diff"]) == (True, difference)
        assert (done["changed"], done["diff"]) == (True, difference)
        assert (again["changed"], again["diff"]["before"]) == (False, after)
        assert not checked["changed"]
        assert "warnings" not in done
        assert done[kind.returns] == again[kind.returns] == checked[kind.returns]
        assert (done[kind.returns] is None) == (not after) == (stored(elasticsearch + kind.api) is None)


def test_template_holds_what_was_written(elasticsearch: str, run: Run) -> None:
    options: Options = {"name": "raylogs-test", "url": [elasticsearch]}
    result = run("elasticsearch_component_template", **options, **PART)
    entry = requests.get(f"{elasticsearch}/_component_template/raylogs-test", timeout=10).json()
    assert result["component_template"] == {
        "name": "raylogs-test",
        **entry["component_templates"][0]["component_template"],
    }
    run("elasticsearch_component_template", **options, state="absent")


@pytest.mark.parametrize(
    ("module", "options", "words"),
    [
        pytest.param(
            "elasticsearch_index_template",
            {"index_patterns": ["raylogs-test-*"], "composed_of": ["raylogs-test-missing"]},
            [
                "Cannot write index template 'raylogs-test': PUT http",
                "answered 400",
                "Create the component template first",
            ],
            id="a component that is missing",
        ),
        pytest.param(
            "elasticsearch_component_template",
            {"template": {"settings": {"index.refresh_intervall": "1s"}}},
            ["unknown setting [index.refresh_intervall]", "Correct the name of the setting"],
            id="a setting that does not exist",
        ),
        pytest.param(
            "elasticsearch_component_template",
            {"template": {"settings": {"number_of_shards": "many"}}},
            ["Write the number without quotes"],
            id="a word for a number",
        ),
        pytest.param(
            "elasticsearch_component_template",
            {"template": {"settings": {"index.number_of_shards": 1, "number_of_shards": 2}}},
            ["given twice, as 1 and as 2"],
            id="a setting given twice",
        ),
        pytest.param(
            "elasticsearch_component_template", {"template": {}, "name": "*"}, ["cannot be named '*'"], id="a wildcard"
        ),
        pytest.param("elasticsearch_index_template", {}, ["index_patterns"], id="no pattern"),
        pytest.param(
            "elasticsearch_index_template",
            {"index_patterns": ["a"], "template": {"no_such_setting": {}}},
            ["no_such_setting", "Supported parameters include"],
            id="a misspelt part",
        ),
    ],
)
def test_refusal_changes_nothing(module: str, options: Options, words: list[str], elasticsearch: str, run: Run) -> None:
    result = run(module, **{"name": "raylogs-test", "url": [elasticsearch], **options})
    assert result["failed"]
    assert [word for word in words if word not in result["msg"]] == [], result["msg"]
    assert stored(f"{elasticsearch}/_{module.removeprefix('elasticsearch_')}/raylogs-test") is None


def test_component_in_use_is_not_deleted(elasticsearch: str, run: Run) -> None:
    options: Options = {"name": "raylogs-test", "url": [elasticsearch]}
    run("elasticsearch_component_template", **options, template={})
    run("elasticsearch_index_template", **options, index_patterns=["raylogs-test-*"], composed_of=["raylogs-test"])
    result = run("elasticsearch_component_template", **options, state="absent")
    assert "Take it out of the index templates that are named, or remove those first." in result["msg"]
    for module in ("elasticsearch_index_template", "elasticsearch_component_template"):
        assert run(module, **options, state="absent")["changed"]


def test_templates_of_one_priority_do_not_overlap(elasticsearch: str, run: Run) -> None:
    options: Options = {"url": [elasticsearch], "index_patterns": ["raylogs-test-*"], "priority": 500}
    run("elasticsearch_index_template", **options, name="raylogs-test")
    result = run("elasticsearch_index_template", **options, name="raylogs-test-too")
    assert "Give this template another priority or narrower index_patterns." in result["msg"]
    run("elasticsearch_index_template", name="raylogs-test", url=[elasticsearch], state="absent")


def test_read_only_cluster_is_named(elasticsearch: str, run: Run) -> None:
    settings = f"{elasticsearch}/_cluster/settings"
    requests.put(settings, json={"persistent": {"cluster.blocks.read_only": True}}, timeout=10).raise_for_status()
    try:
        result = run("elasticsearch_component_template", name="raylogs-test", url=[elasticsearch], template={})
        blocks = run("elasticsearch_info", url=[elasticsearch])["blocks"]
    finally:
        requests.put(settings, json={"persistent": {"cluster.blocks.read_only": None}}, timeout=10).raise_for_status()
    assert "The cluster is read-only. Reset the cluster settings cluster.blocks.read_only" in result["msg"]
    assert blocks["cluster"] == ["cluster read-only (api)"]


def test_ansible_runs_the_modules(elasticsearch: str, play: Play) -> None:
    template = {"name": "raylogs-test", "index_patterns": ["raylogs-test-*"], "priority": "{{ 500 }}"}
    module = "raylogs.efk.elasticsearch_index_template"
    defaults = {"module_defaults": {"group/raylogs.efk.elasticsearch": {"url": [elasticsearch]}}}
    tasks: list[Options] = [
        {"name": "foretell", module: template, "check_mode": True, **defaults},
        {"name": "create", module: template, **defaults},
        {"name": "repeat", module: template, **defaults},
        {"name": "ask", "raylogs.efk.elasticsearch_info": {}, **defaults},
        {"name": "delete", module: {"name": "raylogs-test", "state": "absent"}, **defaults},
    ]
    results = play(tasks, "--diff")
    changed = {name: result["changed"] for name, result in results.items()}
    assert changed == {"foretell": True, "create": True, "repeat": False, "ask": False, "delete": True}
    assert results["ask"]["version"].startswith("8.")
    assert results["create"]["diff"]["after"]["priority"] == 500
