# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create, modify and delete objects of all kinds; check mode before each step, each step twice, on three versions."""

from __future__ import annotations

import os
import typing as t

import pytest
import requests

from tests.conftest import Server, describe
from tests.stand_in import stand_in
from tests.steps import Kind, Options, Step, take

if t.TYPE_CHECKING:
    from tests.integration.conftest import Play, Run

NAME = "raylogs-test"
FULL = ["given"] if os.environ.get("ELASTICSEARCH_URL") else ["8.19.0", "7.17.9", "9.2.0"]


class Life(t.NamedTuple):
    """A module, what it and its reader return, and the steps to take."""

    module: str
    returns: str
    lists: str
    steps: list[Step]


PART: Options = {
    "template": {
        "settings": {"number_of_shards": 1.0, "index.refresh_interval": "60s", "index": {"hidden": "True"}},
        "mappings": {"properties": {"level": {"type": "keyword", "index": "True", "ignore_above": 256}}},
        "aliases": {"raylogs-test-alias": {"routing": "1"}},
    },
    "version": "1",
    "meta": {"by": "tests", "one": 1, "yes": True},
}
PART_SHOWN: Options = {
    "template": {
        "settings": {"index.number_of_shards": "1", "index.refresh_interval": "60s", "index.hidden": "true"},
        "mappings": {"properties": {"level": {"type": "keyword", "index": True, "ignore_above": 256}}},
        "aliases": {"raylogs-test-alias": {"index_routing": "1", "search_routing": "1"}},
    },
    "version": 1,
    "_meta": {"by": "tests", "one": 1, "yes": True},
}
OTHER_PART: Options = {"template": {"mappings": {"dynamic": False}}}
WHOLE: Options = {
    "index_patterns": "raylogs-test-*",
    "priority": "500",
    "template": {"settings": {"number_of_replicas": 0}},
}
WHOLE_SHOWN: Options = {
    "index_patterns": ["raylogs-test-*"],
    "composed_of": [],
    "priority": 500,
    "template": {"settings": {"index.number_of_replicas": "0"}},
}
WHOLE_SINCE_8: Options = {
    "data_stream": {},
    "ignore_missing_component_templates": ["raylogs-test-missing"],
    "composed_of": ["raylogs-test-missing"],
}
LIFECYCLE: Options = {"data_retention": "7d"}
OTHER_SHOWN: Options = {"index_patterns": ["raylogs-test-*"], "composed_of": [], "template": {}}
USER: Options = {"set_security_user": {"field": "user", "properties": ["username"], "ignore_failure": "True"}}
USER_SHOWN: Options = {"set_security_user": {"field": "user", "properties": ["username"], "ignore_failure": True}}
PIPELINE: Options = {"description": "d", "processors": [USER], "version": 2, "meta": {"a": 1.5}}
PIPELINE_SHOWN: Options = {"description": "d", "processors": [USER_SHOWN], "version": 2, "_meta": {"a": 1.5}}
OTHER_PIPELINE: Options = {"processors": [], "on_failure": [{"set_security_user": {"field": "user"}}]}
PHASES: Options = {
    "hot": {"actions": {"rollover": {"max_age": "1d", "max_primary_shard_size": "30GB", "max_docs": "100"}}},
    "delete": {"min_age": "30d", "actions": {"delete": {"delete_searchable_snapshot": "False"}}},
}
PHASES_SHOWN: Options = {
    "hot": {
        "min_age": "0ms",
        "actions": {"rollover": {"max_age": "1d", "max_primary_shard_size": "30gb", "max_docs": 100}},
    },
    "delete": {"min_age": "30d", "actions": {"delete": {"delete_searchable_snapshot": False}}},
}
OTHER_PHASES: Options = {"warm": {"min_age": "1d", "actions": {"shrink": {"number_of_shards": 1.0}}}}
OTHER_PHASES_SHOWN: Options = {
    "warm": {
        "min_age": "1d",
        "actions": {"shrink": {"number_of_shards": 1, "allow_write_after_shrink": False}},
    }
}


def kinds(version: tuple[int, ...]) -> list[Life]:
    """Describe the kinds of objects that reduced distributions of this version hold, each with all it may have."""
    part, part_shown, whole, whole_shown = PART, PART_SHOWN, WHOLE, WHOLE_SHOWN
    notes: Options = {}
    if version >= (8,):
        part = {**PART, "template": {**PART["template"], "lifecycle": LIFECYCLE}}
        shown = {**PART_SHOWN["template"], "lifecycle": {**LIFECYCLE, "enabled": True}}
        part_shown = {**PART_SHOWN, "template": shown}
        whole, whole_shown = {**WHOLE, **WHOLE_SINCE_8}, {**WHOLE_SHOWN, **WHOLE_SINCE_8}
        notes = {"deprecated": True}
    other_part, other_pipeline = {**OTHER_PART, **notes}, {**OTHER_PIPELINE, **notes}
    other = {**OTHER_SHOWN, **notes}
    return [
        Life(
            "elasticsearch_component_template",
            "component_template",
            "component_templates",
            [
                Step(part, {}, part_shown),
                Step(other_part, part_shown, other_part),
                Step({"state": "absent"}, other_part, {}),
            ],
        ),
        Life(
            "elasticsearch_index_template",
            "index_template",
            "index_templates",
            [
                Step(whole, {}, whole_shown),
                Step({"index_patterns": ["raylogs-test-*"], **notes}, whole_shown, other),
                Step({"state": "absent"}, other, {}),
            ],
        ),
        Life(
            "elasticsearch_ingest_pipeline",
            "ingest_pipeline",
            "ingest_pipelines",
            [
                Step(PIPELINE, {}, PIPELINE_SHOWN),
                Step(other_pipeline, PIPELINE_SHOWN, other_pipeline),
                Step({"state": "absent"}, other_pipeline, {}),
            ],
        ),
    ]


def full_kinds(version: tuple[int, ...]) -> list[Life]:
    """Describe the kinds of objects that only full distributions hold."""
    notes: Options = {"deprecated": True} if version >= (8, 14) else {}
    shown, other = {"phases": PHASES_SHOWN, "_meta": {"a": 1}}, {"phases": OTHER_PHASES_SHOWN, **notes}
    streams = [Step({}, {}, {}), Step({"state": "absent"}, {}, {})]
    if version >= (8, 14):
        first, second = {"lifecycle": {**LIFECYCLE, "enabled": True}}, {"lifecycle": {"enabled": False}}
        streams = [
            Step({"lifecycle": LIFECYCLE}, {}, first),
            Step({"lifecycle": {"enabled": False}}, first, second),
            Step({"state": "absent"}, second, {}),
        ]
    return [
        Life(
            "elasticsearch_ilm_policy",
            "ilm_policy",
            "ilm_policies",
            [
                Step({"phases": PHASES, "meta": {"a": 1}}, {}, shown),
                Step({"phases": OTHER_PHASES, **notes}, shown, other),
                Step({"state": "absent"}, other, {}),
            ],
        ),
        Life("elasticsearch_data_stream", "data_stream", "data_streams", streams),
    ]


@pytest.fixture(params=FULL)
def full_elasticsearch(request: pytest.FixtureRequest) -> t.Iterator[Server]:
    """Give the server that ELASTICSEARCH_URL names when it is a full one, else a stand-in of each version."""
    url = os.environ.get("ELASTICSEARCH_URL", "").rstrip("/")
    if url and "x-pack-ilm" in requests.get(f"{url}/_nodes/_local/plugins", timeout=30).text:
        yield describe(url)
    else:
        with stand_in("8.19.0" if url else request.param) as held:
            yield describe(held.url)


def live(life: Life, url: str, run: Run) -> list[Options]:
    """Take all steps, look at each, and give what the reader said after each."""

    def listed() -> list[Options]:
        found: list[Options] = run(f"{life.module}_info", url=[url], name=[NAME, "raylogs-none*"])[life.lists]
        return found

    header = f"{life.returns.replace('_', ' ').replace('ilm', 'ILM')} '{NAME}'"
    kind = Kind(life.module, life.returns, header, {"name": NAME, "url": [url]})
    told = []
    for step in life.steps:
        taken = take(kind, step, run, listed)
        assert taken.again["diff"]["before"] == step.after
        now = listed()
        assert len(now) == (step.options.get("state") != "absent")
        if now:
            assert {**now[0], **taken.done[life.returns]} == now[0]
        else:
            assert taken.done[life.returns] is None
        told += now
    return told


def test_life_of_objects(any_elasticsearch: Server, run: Run) -> None:
    for life in kinds(any_elasticsearch.version):
        told = live(life, any_elasticsearch.url, run)
        dates = {key for found in told for key in found if key.endswith("date_millis")}
        assert bool(dates) == (any_elasticsearch.version >= (9, 2)), life.module


def test_life_of_objects_of_full_servers_or_stand_in(full_elasticsearch: Server, run: Run) -> None:
    template = f"{full_elasticsearch.url}/_index_template/raylogs-test"
    body = {"index_patterns": [NAME], "data_stream": {}, "priority": 500}
    requests.put(template, json=body, timeout=30).raise_for_status()
    try:
        told = [
            found
            for life in full_kinds(full_elasticsearch.version)
            for found in live(life, full_elasticsearch.url, run)
        ]
    finally:
        requests.delete(template, timeout=30).raise_for_status()
    assert (told[0]["version"], told[1]["version"]) == (1, 2)
    assert told[0]["in_use_by"] == {"indices": [], "data_streams": [], "composable_templates": []}
    assert (told[-1]["generation"], told[-1]["template"]) == (1, NAME)


def test_settings_of_a_cluster(any_elasticsearch: Server, run: Run) -> None:
    url = any_elasticsearch.url
    shards, named = "cluster.max_shards_per_node", "action.destructive_requires_name"
    others = "cluster.routing.allocation.node_concurrent"
    steps: list[tuple[Options, Options, Options]] = [
        ({shards: 2000.0, named: "True"}, {}, {shards: "2000", named: "true"}),
        ({shards: "3000"}, {shards: "2000"}, {shards: "3000"}),
        ({shards: None}, {shards: "3000"}, {}),
        (
            {f"{others}_recoveries": 3, "cluster": {"routing.allocation.node_initial_primaries_recoveries": 5}},
            {},
            {f"{others}_recoveries": "3", "cluster.routing.allocation.node_initial_primaries_recoveries": "5"},
        ),
        ({f"{others}*": None, named: None}, {f"{others}_recoveries": "3", named: "true"}, {}),
        (
            {"cluster.routing.*": None},
            {"cluster.routing.allocation.node_initial_primaries_recoveries": "5"},
            {},
        ),
    ]

    def settings() -> Options:
        found = run("elasticsearch_cluster_settings_info", url=[url])
        return {level: found[level] for level in ("persistent", "transient")}

    clean = settings()
    for options, before, after in steps:
        asked: Options = {"url": [url], "persistent": options}
        found = settings()
        foretold = run("elasticsearch_cluster_settings", check=True, **asked)
        assert settings() == found
        done = run("elasticsearch_cluster_settings", **asked)
        again = run("elasticsearch_cluster_settings", **asked)
        checked = run("elasticsearch_cluster_settings", check=True, **asked)
        shown = {
            **dict.fromkeys(("before_header", "after_header"), "cluster settings"),
            "before": {"persistent": before},
            "after": {"persistent": after},
        }
        assert (foretold["changed"], foretold["diff"], done["diff"]) == (True, shown, shown), options
        assert (done["changed"], again["changed"], checked["changed"]) == (True, False, False), options
        assert done["cluster_settings"] == again["cluster_settings"] == settings()
        assert "warnings" not in done
    assert settings() == clean


def test_settings_of_both_levels_and_defaults(elasticsearch: str, run: Run) -> None:
    change: Options = {
        "persistent": {"cluster.max_shards_per_node": 1500},
        "transient": {"cluster.max_shards_per_node": 1600},
    }
    assert run("elasticsearch_cluster_settings", url=[elasticsearch], **change)["changed"]
    found = run("elasticsearch_cluster_settings_info", url=[elasticsearch], include_defaults=True)
    levels = [found[level]["cluster.max_shards_per_node"] for level in ("persistent", "transient")]
    assert levels == ["1500", "1600"]
    assert found["defaults"]["action.destructive_requires_name"] == "true"
    reset: Options = {level: {"cluster.max_shards_per_node": None} for level in change}
    assert run("elasticsearch_cluster_settings", url=[elasticsearch], **reset)["diff"]["before"] == {
        "persistent": {"cluster.max_shards_per_node": "1500"},
        "transient": {"cluster.max_shards_per_node": "1600"},
    }


@pytest.mark.parametrize("kind", ["ilm_policy", "data_stream"])
def test_server_without_a_feature_says_so(kind: str, any_elasticsearch: Server, run: Run) -> None:
    options: Options = {"url": [any_elasticsearch.url]}
    needed: Options = {"phases": PHASES} if kind == "ilm_policy" else {}
    version = ".".join(map(str, any_elasticsearch.version))
    lacks = {"ilm_policy": "ILM", "data_stream": "the API of data streams"}[kind]
    for result in (
        run(f"elasticsearch_{kind}", **options, name=NAME, **needed),
        run(f"elasticsearch_{kind}", **options, name=NAME, state="absent"),
        run(f"elasticsearch_{kind}", **options, name=NAME, check=True, **needed),
        run(f"elasticsearch_{kind}_info", **options),
    ):
        assert result["failed"]
        assert f"is Elasticsearch {version} without {lacks}" in result["msg"]
        assert result["msg"].endswith("Use a full distribution of Elasticsearch, or leave this out.")


class Asked(t.NamedTuple):
    """A module with options, and the words with which 7.17 and later versions refuse them; without, they are taken."""

    module: str
    options: Options
    old: list[str]
    later: list[str]


OLD = "this server does not know it, which may be because it is too old"
PATTERNS: Options = {"index_patterns": ["raylogs-test-*"]}
WILDCARD = ["type [wildcard]", "Correct the type of the field"]
ASKED = {
    "template of data streams": Asked(
        "index_template", {**PATTERNS, "data_stream": {}}, ["unknown field [data_stream]", OLD], []
    ),
    "lifecycle of an index": Asked(
        "index_template",
        {**PATTERNS, "template": {"lifecycle": {}}},
        ["unknown field [lifecycle]", OLD],
        ["Give the index template data_stream"],
    ),
    "deprecated template": Asked(
        "index_template", {**PATTERNS, "deprecated": True}, ["unknown field [deprecated]", OLD], []
    ),
    "lifecycle of a component": Asked(
        "component_template", {"template": {"lifecycle": LIFECYCLE}}, ["unknown field [lifecycle]", OLD], []
    ),
    "deprecated pipeline": Asked(
        "ingest_pipeline", {"processors": [], "deprecated": True}, ["configuration parameters [deprecated]", OLD], []
    ),
    "type that reduced distributions lack": Asked(
        "component_template",
        {"template": {"mappings": {"properties": {"a": {"type": "wildcard"}}}}},
        WILDCARD,
        WILDCARD,
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in ASKED.items()])
def test_what_only_later_versions_know(case: Asked, any_elasticsearch: Server, run: Run) -> None:
    asked: Options = {"name": NAME, "url": [any_elasticsearch.url]}
    result = run(f"elasticsearch_{case.module}", **asked, **case.options)
    words = case.later if any_elasticsearch.version >= (8,) else case.old
    assert bool(result.get("failed")) == bool(words)
    assert [word for word in words if word not in result["msg"]] == [], result
    assert run(f"elasticsearch_{case.module}", **asked, state="absent")["changed"] == (not words)


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
        pytest.param(
            "elasticsearch_ingest_pipeline",
            {"processors": [{"grok": {"field": "message"}}]},
            ["No processor type exists with name [grok]", "Correct the name of the processor", "elasticsearch_info"],
            id="a processor that the server does not have",
        ),
        pytest.param(
            "elasticsearch_ingest_pipeline",
            {"processors": [{"set_security_user": {"fild": "user"}}]},
            ["[field] required property is missing. Give the processor the option that is named."],
            id="an option of a processor that is missing",
        ),
        pytest.param(
            "elasticsearch_ingest_pipeline",
            {"processors": [{"set_security_user": {"field": "user", "ignore_failure": "yes"}}]},
            ["[ignore_failure] property isn't a boolean", "| bool"],
            id="a word for a boolean",
        ),
        pytest.param(
            "elasticsearch_ingest_pipeline",
            {"processors": [], "on_failure": []},
            ["empty on_failure", "Leave on_failure out"],
            id="an empty list of processors for failures",
        ),
        pytest.param(
            "elasticsearch_ingest_pipeline",
            {"processors": [], "name": "a,b"},
            ["cannot be named 'a,b'"],
            id="two names",
        ),
    ],
)
def test_refusal_changes_nothing(module: str, options: Options, words: list[str], elasticsearch: str, run: Run) -> None:
    result = run(module, **{"name": "raylogs-test", "url": [elasticsearch], **options})
    assert result["failed"]
    assert [word for word in words if word not in result["msg"]] == [], result["msg"]
    lists = f"{module.removeprefix('elasticsearch_')}s"
    assert run(f"{module}_info", url=[elasticsearch], name=["raylogs-test"])[lists] == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param(
            {"persistent": {"cluster.max_shards_per_nod": 1}},
            [
                "Cannot write cluster settings: PUT http",
                "[cluster.max_shards_per_nod], not recognized",
                "Correct the name",
            ],
            id="a setting that does not exist",
        ),
        pytest.param(
            {"transient": {"cluster.max_shards_per_node": "many"}}, ["Write the number without quotes"], id="a word"
        ),
        pytest.param(
            {"persistent": {"indices.recovery.max_bytes_per_sec": "5 fast"}}, ["with its unit, such as"], id="a unit"
        ),
        pytest.param({"persistent": {"http.port": 9200}}, ["set it in elasticsearch.yml"], id="a static setting"),
        pytest.param({"persistent": {}}, ["Neither persistent nor transient names a setting"], id="no setting"),
    ],
)
def test_refused_setting_changes_nothing(settings: Options, words: list[str], elasticsearch: str, run: Run) -> None:
    before = run("elasticsearch_cluster_settings_info", url=[elasticsearch])
    result = run("elasticsearch_cluster_settings", url=[elasticsearch], **settings)
    assert result["failed"]
    assert [word for word in words if word not in result["msg"]] == [], result["msg"]
    assert run("elasticsearch_cluster_settings_info", url=[elasticsearch]) == before


@pytest.mark.parametrize(
    ("phases", "words"),
    [
        pytest.param(
            {"hott": {"actions": {}}},
            ["Cannot write ILM policy 'raylogs-test': phase 'hott' is unknown. Valid phases are hot, warm, cold"],
            id="a misspelt phase",
        ),
        pytest.param(
            {"hot": {"actions": {"rolover": {"max_age": "1d"}}}},
            ["/_ilm/policy/raylogs-test answered 400", "unknown field [rolover]", "Correct the name"],
            id="an action that does not exist",
        ),
        pytest.param(
            {"warm": {"actions": {"rollover": {"max_age": "1d"}}}},
            ["invalid action [rollover] defined in phase [warm]", "Move the action"],
            id="an action of another phase",
        ),
        pytest.param({"hot": {"actions": {"rollover": {}}}}, ["Give rollover a condition"], id="rollover of nothing"),
        pytest.param({"warm": {"min_age": "1.5d"}}, ["as a whole number with its unit"], id="a fraction of a day"),
    ],
)
def test_policy_refused_by_full_servers_or_stand_in(
    phases: Options, words: list[str], full_elasticsearch: Server, run: Run
) -> None:
    options: Options = {"name": NAME, "url": [full_elasticsearch.url]}
    result = run("elasticsearch_ilm_policy", **options, phases=phases)
    assert result["failed"]
    assert [word for word in words if word not in result["msg"]] == [], result["msg"]
    assert not run("elasticsearch_ilm_policy", **options, state="absent")["changed"]


def test_policy_in_use_is_not_deleted_by_full_servers_or_stand_in(full_elasticsearch: Server, run: Run) -> None:
    options: Options = {"name": NAME, "url": [full_elasticsearch.url]}
    run("elasticsearch_ilm_policy", **options, phases=PHASES)
    index = f"{full_elasticsearch.url}/raylogs-test-used"
    requests.put(index, json={"settings": {"index.lifecycle.name": NAME}}, timeout=30).raise_for_status()
    result = run("elasticsearch_ilm_policy", **options, state="absent")
    requests.delete(index, timeout=30).raise_for_status()
    assert "It is in use by one or more indices: [raylogs-test-used]. Take it out of the setting" in result["msg"]
    assert run("elasticsearch_ilm_policy", **options, state="absent")["changed"]


def test_data_stream_without_template_on_full_servers_or_stand_in(full_elasticsearch: Server, run: Run) -> None:
    result = run("elasticsearch_data_stream", name=NAME, url=[full_elasticsearch.url])
    assert "Cannot write data stream 'raylogs-test': PUT http" in result["msg"]
    assert "no matching index template found for data stream [raylogs-test]. Create an index template" in result["msg"]
    assert run("elasticsearch_data_stream_info", url=[full_elasticsearch.url], name=[NAME])["data_streams"] == []


def test_lifecycle_that_is_not_declared_is_left_alone_by_full_servers_or_stand_in(
    full_elasticsearch: Server, run: Run
) -> None:
    options: Options = {"name": NAME, "url": [full_elasticsearch.url]}
    template = f"{full_elasticsearch.url}/_index_template/raylogs-test"
    body = {"index_patterns": [NAME], "data_stream": {}, "priority": 500}
    requests.put(template, json=body, timeout=30).raise_for_status()
    try:
        first = run("elasticsearch_data_stream", **options, lifecycle=LIFECYCLE)
        left = run("elasticsearch_data_stream", **options)
        streams = run("elasticsearch_data_stream_info", url=options["url"], name=[NAME])["data_streams"]
        run("elasticsearch_data_stream", **options, state="absent")
    finally:
        requests.delete(template, timeout=30).raise_for_status()
    if full_elasticsearch.version < (8, 14):
        assert "without the lifecycle of data streams" in first["msg"]
        assert (left["changed"], "lifecycle" in streams[0]) == (True, False)
    else:
        assert (left["changed"], streams[0]["lifecycle"]["data_retention"]) == (False, "7d")


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


@pytest.mark.parametrize("kind", ["api_key", "role", "service_token", "user"])
def test_users_that_are_switched_off(kind: str, any_elasticsearch: Server, run: Run) -> None:
    for check in (True, False):
        result = run(f"elasticsearch_{kind}", check=check, name=NAME, url=[any_elasticsearch.url], state="absent")
        assert "Users are switched off on this server, or it is too old. Set xpack.security.enabled" in result["msg"]


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
