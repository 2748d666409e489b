# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many objects in one pass on a real Elasticsearch: check mode first, each step twice, requests counted."""

from __future__ import annotations

import json
import typing as t

import pytest
import requests

from tests.integration.proxy import Answer, Passing, proxy

if t.TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Result, Run

Body = dict[str, t.Any]
MODULE = "elasticsearch_content"
MARK = {"managed_by": "raylogs-test"}


def fields(version: int, **types: str) -> Body:
    """Declare a component template with fields of these types."""
    properties = {name: {"type": kind} for name, kind in types.items()}
    mappings = {"_meta": {"schema_version": version}, "properties": properties}
    return {
        "kind": "component_template",
        "name": "content-fields",
        "version": version,
        "template": {"mappings": mappings},
    }


def template(**options: t.Any) -> Body:
    """Declare the index template of a data stream."""
    declared = {
        "index_patterns": ["content-app"],
        "composed_of": ["content-fields"],
        "priority": 500,
        "data_stream": {},
    }
    return {"kind": "index_template", "name": "content-app", **declared, **options}


PIPELINE: Body = {
    "kind": "ingest_pipeline",
    "name": "content-note",
    "processors": [{"set_security_user": {"field": "user", "ignore_failure": "True"}}],
}
SETTINGS: Body = {"kind": "cluster_settings", "persistent": {"cluster.max_shards_per_node": 1500.0}}
OBJECTS = [template(), fields(1, a="keyword"), PIPELINE, SETTINGS]


def verbs(result: Result) -> dict[str, str]:
    """Say what was done about each object."""
    return {f"{done['kind']} {done['name']}".strip(): done["verb"] for done in result["objects"]}


def diffs(result: Result) -> dict[str, tuple[Body, Body]]:
    """Give each object that changed before and after."""
    return {shown["after_header"]: (shown["before"], shown["after"]) for shown in result["diff"]}


def held(url: str) -> Body:
    """Read all that the tests may have written."""
    paths = ("_component_template/content-*", "_index_template/content-*", "_ingest/pipeline/content-*")
    answers = {path: requests.get(f"{url}/{path}", timeout=10).json() for path in paths}
    answers["settings"] = requests.get(f"{url}/_cluster/settings?flat_settings=true", timeout=10).json()
    return answers


def write_indices(url: str) -> int:
    """Count the indices of the data stream."""
    answer = requests.get(f"{url}/_resolve/index/content-app", timeout=10).json()
    return len(answer["data_streams"][0]["backing_indices"])


def test_life_of_a_set_of_objects(own_elasticsearch: str, run: Run) -> None:
    asked: Body = {"url": [own_elasticsearch], "mark": MARK}
    before = held(own_elasticsearch)

    foretold = run(MODULE, check=True, objects=OBJECTS, **asked)
    assert held(own_elasticsearch) == before
    done = run(MODULE, objects=OBJECTS, **asked)
    assert foretold["changed"]
    assert (foretold["objects"], foretold["diff"]) == (done["objects"], done["diff"])
    assert verbs(done) == {
        "cluster_settings": "update",
        "ingest_pipeline content-note": "create",
        "component_template content-fields": "create",
        "index_template content-app": "create",
    }
    assert "warnings" not in done
    assert diffs(done)["cluster settings"] == (
        {"persistent": {}},
        {"persistent": {"cluster.max_shards_per_node": "1500"}},
    )

    again = run(MODULE, objects=OBJECTS[::-1], **asked)
    assert (again["changed"], again["diff"], set(verbs(again).values())) == (False, [], {"none"})

    changed = [template(priority=501), *OBJECTS[1:]]
    foretold, done = run(MODULE, check=True, objects=changed, **asked), run(MODULE, objects=changed, **asked)
    assert foretold["diff"] == done["diff"]
    assert [name for name, verb in verbs(done).items() if verb != "none"] == ["index_template content-app"]
    shown = diffs(done)["index template 'content-app'"]
    assert (shown[0]["priority"], shown[1]["priority"]) == (500, 501)

    reset: Body = {"kind": "cluster_settings", "persistent": {"cluster.max_shards_per_node": None}}
    for repeated in (False, True):
        result = run(MODULE, objects=[reset], prune=True, check=not repeated, **asked)
        assert verbs(result) == {
            "cluster_settings": "update",
            "index_template content-app": "delete",
            "component_template content-fields": "delete",
            "ingest_pipeline content-note": "delete",
        }
    assert held(own_elasticsearch) == before
    assert not run(MODULE, objects=[reset], prune=True, **asked)["changed"]


def test_stream_rolls_over_once_when_its_mapping_changes(own_elasticsearch: str, run: Run) -> None:
    asked: Body = {"url": [own_elasticsearch], "roll_over": ["content-app", "content-none"]}
    run(MODULE, objects=[template(), fields(1, a="keyword")], **asked)
    event = {"@timestamp": "2026-11-23T00:00:00Z", "a": "one"}
    requests.post(f"{own_elasticsearch}/content-app/_doc", json=event, timeout=10).raise_for_status()
    assert not run(MODULE, objects=[template(), fields(1, a="keyword")], **asked)["changed"]

    objects = [template(), fields(2, a="keyword", b="long")]
    foretold = run(MODULE, check=True, objects=objects, **asked)
    assert write_indices(own_elasticsearch) == 1
    done = run(MODULE, objects=objects, **asked)
    assert write_indices(own_elasticsearch) == 2
    assert (foretold["objects"], foretold["diff"]) == (done["objects"], done["diff"])
    assert verbs(done)["data_stream content-app"] == "roll over"
    before, after = diffs(done)["data stream 'content-app', _meta of the index it writes to"]
    assert (before["_meta"], after["_meta"]) == ({"schema_version": 1}, {"schema_version": 2})
    shown = diffs(done)["component template 'content-fields'"]
    assert (shown[0]["version"], shown[1]["version"]) == (1, 2)

    assert not run(MODULE, objects=objects, **asked)["changed"]
    assert write_indices(own_elasticsearch) == 2

    silently = run(MODULE, objects=[template(), fields(2, a="long", b="long")], **asked)
    assert "Field a of data stream 'content-app' has the type keyword" in silently["msg"]
    requests.put(f"{own_elasticsearch}/_component_template/content-fields", json={"template": {}}, timeout=10)
    retyped = run(MODULE, objects=[template(), fields(3, a="long")], **asked)
    assert (
        "Field a of data stream 'content-app' has the type keyword, the templates would make it long." in retyped["msg"]
    )
    body = requests.get(f"{own_elasticsearch}/_component_template/content-fields", timeout=10).json()
    assert body["component_templates"][0]["component_template"] == {"template": {}}


def test_a_rollover_that_was_missed_is_made_up_for(own_elasticsearch: str, run: Run) -> None:
    asked: Body = {"url": [own_elasticsearch], "roll_over": ["content-app"]}
    objects = [template(), fields(5, a="keyword", b="long", c="date")]

    def cut_off(passing: Passing) -> Answer | None:
        return Answer(503, {"error": {"type": "gone", "reason": "gone"}}) if "_rollover" in passing.path else None

    with proxy(own_elasticsearch, cut_off) as url:
        broken = run(MODULE, objects=objects, **{**asked, "url": [url]})
    assert "Cannot roll over data stream 'content-app'" in broken["msg"]
    assert "1 of 2 changes were made before; the next run makes the others." in broken["msg"]
    assert verbs(run(MODULE, objects=objects, **asked)) == {
        "component_template content-fields": "none",
        "index_template content-app": "none",
        "data_stream content-app": "roll over",
    }
    assert not run(MODULE, objects=objects, **asked)["changed"]


def test_the_template_of_a_stream_is_not_pruned(own_elasticsearch: str, run: Run) -> None:
    asked: Body = {"url": [own_elasticsearch], "mark": MARK}
    objects = [template(), fields(5, a="keyword", b="long", c="date")]
    run(MODULE, objects=objects, **asked)
    before = held(own_elasticsearch)
    result = run(MODULE, objects=[PIPELINE], prune=True, **asked)
    assert (
        "Cannot delete the index templates of the data streams content-app: a data stream needs one." in result["msg"]
    )
    assert held(own_elasticsearch) == before


def test_pass_without_a_change_reads_each_kind_once(own_elasticsearch: str, run: Run) -> None:
    objects = [template(), fields(5, a="keyword", b="long", c="date"), PIPELINE, SETTINGS]
    twins = [{**fields(1, a="keyword"), "name": f"content-{number}"} for number in range(5)]
    asked: Body = {"objects": [*objects, *twins], "roll_over": ["content-app"]}
    run(MODULE, url=[own_elasticsearch], **asked)
    seen: list[str] = []

    def note(passing: Passing) -> None:
        seen.append(f"{passing.method} {passing.path.partition('?')[0]}")

    with proxy(own_elasticsearch, note) as url:
        assert not run(MODULE, url=[url], **asked)["changed"]
    assert seen == [
        "GET /_nodes/_local",
        "GET /_cluster/settings",
        "GET /_ingest/pipeline",
        "GET /_component_template",
        "GET /_index_template",
        "GET /_cluster/state/metadata/content-app",
    ]


def test_objects_of_a_folder_are_applied(own_elasticsearch: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "ingest_pipelines").mkdir()
    (tmp_path / "ingest_pipelines" / "content-folder.yml").write_text("processors: []\n")
    (tmp_path / "component_templates").mkdir()
    (tmp_path / "component_templates" / "content-folder.json").write_text(json.dumps({"template": {}}))
    asked: Body = {"url": [own_elasticsearch], "path": str(tmp_path)}
    assert verbs(run(MODULE, **asked)) == {
        "ingest_pipeline content-folder": "create",
        "component_template content-folder": "create",
    }
    assert not run(MODULE, **asked)["changed"]


def test_what_a_server_lacks_is_named_or_left_out(own_elasticsearch: str, run: Run) -> None:
    policy = {"kind": "ilm_policy", "name": "content", "phases": {}}
    stream = {"kind": "data_stream", "name": "content-stream"}
    asked: Body = {"url": [own_elasticsearch], "objects": [policy, stream, PIPELINE]}
    before = held(own_elasticsearch)
    refused = run(MODULE, **asked)
    assert "Cannot manage objects of the kind ILM policy: http" in refused["msg"]
    assert held(own_elasticsearch) == before
    result = run(MODULE, unsupported="skip", **asked)
    assert [(left["kind"], left["name"]) for left in result["unsupported"]] == [
        ("ilm_policy", "content"),
        ("data_stream", "content-stream"),
    ]
    assert list(verbs(result)) == ["ingest_pipeline content-note"]


def test_server_that_is_not_there_is_taken_for_empty_in_check_mode_alone(run: Run) -> None:
    asked: Body = {"url": ["http://127.0.0.1:9"], "objects": OBJECTS, "assume_empty": True}
    assert set(verbs(run(MODULE, check=True, **asked)).values()) == {"create"}
    assert "assume_empty is for check mode" in run(MODULE, **asked)["msg"]


REFUSED: dict[str, tuple[Body, list[str]]] = {
    "a pipeline that the server refuses": (
        {"objects": [fields(9), {**PIPELINE, "name": "content-bad", "processors": [{"no_such": {}}]}]},
        ["Cannot write ingest pipeline 'content-bad'", "No processor type exists with name [no_such]"],
    ),
    "a component that nobody has": (
        {"objects": [fields(9), template(composed_of=["content-missing"])]},
        ["is composed of content-missing, which neither exists nor is declared"],
    ),
    "priorities that collide": (
        {"objects": [fields(9), template(), template(name="content-twin")]},
        ["has the same priority as", "Give it another priority or narrower index_patterns."],
    ),
    "a misspelt phase": (
        {"objects": [{"kind": "ilm_policy", "name": "content", "phases": {"hott": {}}}], "unsupported": "skip"},
        ["phase 'hott' is unknown. Valid phases are hot, warm, cold, frozen, delete."],
    ),
    "all data streams to roll over": ({"objects": [fields(9)], "roll_over": ["_all"]}, ["Name each by its full name."]),
    "a pipeline that an index uses": (
        {"objects": [fields(9), {"kind": "ingest_pipeline", "name": "content-default", "state": "absent"}]},
        ["Cannot delete ingest pipelines that indices use: content-default by content-index."],
    ),
    "a template under another name": (
        {
            "objects": [
                fields(9),
                {"kind": "index_template", "name": "content-renamed", "index_patterns": ["content-other"]},
                {"kind": "index_template", "name": "content-other", "state": "absent"},
            ]
        },
        ["which this run would change or delete only afterwards"],
    ),
    "prune without a mark": ({"objects": [], "prune": True}, ["prune needs mark"]),
    "prune of what is in use": (
        {"objects": [PIPELINE], "prune": True, "mark": {"owner": "raylogs-test"}},
        ["Cannot delete component template 'content-used', which is still needed by index template 'content-other'"],
    ),
    "a folder that is not there": ({"path": "/nonexistent"}, ["path /nonexistent is no folder"]),
}


@pytest.mark.parametrize("case", [pytest.param(name, id=name) for name in REFUSED])
def test_refusal_changes_nothing(case: str, own_elasticsearch: str, run: Run) -> None:
    component = {"template": {}, "_meta": {"owner": "raylogs-test"}}
    requests.put(f"{own_elasticsearch}/_component_template/content-used", json=component, timeout=10)
    other = {"index_patterns": ["content-other"], "composed_of": ["content-used"]}
    requests.put(f"{own_elasticsearch}/_index_template/content-other", json=other, timeout=10)
    requests.put(f"{own_elasticsearch}/_ingest/pipeline/content-default", json={"processors": []}, timeout=10)
    index = {"settings": {"index.default_pipeline": "content-default"}}
    requests.put(f"{own_elasticsearch}/content-index", json=index, timeout=10)
    before = held(own_elasticsearch)
    options, words = REFUSED[case]
    result = run(MODULE, **options, url=[own_elasticsearch])
    assert result["failed"]
    assert [word for word in words if word not in result["msg"]] == [], result["msg"]
    assert held(own_elasticsearch) == before


def test_run_that_stops_midway_is_completed_by_the_next(own_elasticsearch: str, run: Run) -> None:
    bad = {"kind": "component_template", "name": "content-z", "template": {"settings": {"index.nonsense": 1}}}
    good = {"kind": "component_template", "name": "content-a", "template": {"settings": {"index.codec": "default"}}}
    broken = run(MODULE, url=[own_elasticsearch], objects=[good, bad])
    assert "Cannot write component template 'content-z'" in broken["msg"]
    assert "unknown setting [index.nonsense]" in broken["msg"]
    assert "Correct the name of the setting" in broken["msg"]
    assert "1 of 2 changes were made before; the next run makes the others." in broken["msg"]
    bad["template"] = {"settings": {"index.codec": "best_compression"}}
    assert verbs(run(MODULE, url=[own_elasticsearch], objects=[good, bad])) == {
        "component_template content-a": "none",
        "component_template content-z": "create",
    }
