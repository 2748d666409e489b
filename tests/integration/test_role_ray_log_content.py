# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role ray_log_content against a real server of its own."""

from __future__ import annotations

import typing as t

import pytest
from elasticsearch import Elasticsearch

if t.TYPE_CHECKING:
    from tests.integration.conftest import Play

ROLE = {"ansible.builtin.include_role": {"name": "raylogs.efk.ray_log_content"}}
STREAMS = ["ray-logs-app-default", "ray-logs-event-default", "ray-logs-system-default"]
ALL_CREATED = {
    "component_template ray-logs-mappings": "create",
    "component_template ray-logs-settings": "create",
    **{f"index_template {stream}": "create" for stream in STREAMS},
}
EVENT = {"@timestamp": "2026-11-23T10:00:00.000Z", "message": "hello", "log.level": "INFO"}
IMPOSSIBLE: dict[str, tuple[dict[str, t.Any], str]] = {
    "capital letter in the prefix": ({"raylogs_prefix": "Ray"}, "raylogs_prefix 'Ray'"),
    "prefix that ends with a hyphen": ({"raylogs_prefix": "ray-"}, "raylogs_prefix 'ray-'"),
    "star as prefix": ({"raylogs_prefix": "*"}, "raylogs_prefix '*'"),
    "hyphen in the tenant": ({"raylogs_tenant": "a-b"}, "raylogs_tenant 'a-b'"),
    "line break after the tenant": ({"raylogs_tenant": "a\n"}, "cannot be part of a name"),
    "unknown layout": ({"raylogs_layout": "hourly"}, "hourly"),
    "field outside app": (
        {"raylogs_fields_extra": [{"name": "level", "type": "keyword", "path": "l"}]},
        "raylogs_fields_extra names the fields level",
    ),
    "field twice": (
        {"raylogs_fields_extra": [{"name": "app.a", "type": "long", "path": "a"}] * 2},
        "Each name must stand once",
    ),
    "unknown type": ({"raylogs_fields_extra": [{"name": "app.a", "type": "nested", "path": "a"}]}, "nested"),
    "retention without unit": (
        {"ray_log_content_retention": {"app": "30", "system": "1d", "event": "1d"}},
        "Write a number and a unit for each class",
    ),
    "class forgotten": ({"ray_log_content_retention": {"app": "3d"}}, "missing required arguments: event, system"),
}


class Applied(t.NamedTuple):
    """How a run of the role ended: tasks that changed something, message of the task that failed, all results."""

    changed: int
    failed: str
    results: dict[str, dict[str, t.Any]]

    @property
    def content(self) -> dict[str, t.Any]:
        """Give what the module returned that wrote everything."""
        return self.results["raylogs.efk.ray_log_content : Declare the templates, policies and data streams"]

    @property
    def verbs(self) -> dict[str, str]:
        """Say what was done about each object that was not left alone."""
        done = {f"{each['kind']} {each['name']}": each["verb"] for each in self.content["objects"]}
        return {name: verb for name, verb in done.items() if verb != "none"}

    def diff(self, header: str) -> tuple[t.Any, t.Any]:
        """Give an object before and after."""
        shown = next(shown for shown in self.content["diff"] if shown["after_header"] == header)
        return shown["before"], shown["after"]


class Apply(t.Protocol):
    """Run the role with these variables."""

    def __call__(self, *arguments: str, **variables: t.Any) -> Applied:
        """Run it."""


@pytest.fixture(scope="module")
def client(own_elasticsearch: str) -> Elasticsearch:
    """Connect to the server of this file."""
    return Elasticsearch(own_elasticsearch)


@pytest.fixture
def apply(play: Play, own_elasticsearch: str, monkeypatch: pytest.MonkeyPatch) -> Apply:
    """Apply the role to the server of this file."""
    monkeypatch.setenv("ELASTICSEARCH_URL", own_elasticsearch)

    def run(*arguments: str, **variables: t.Any) -> Applied:
        results = play([{"name": "Apply the role", **ROLE, "vars": variables}], "--diff", *arguments)
        failed = [result["msg"] for result in results.values() if result.get("failed")]
        return Applied(sum(result["changed"] for result in results.values()), "".join(failed), results)

    return run


def templates(client: Elasticsearch, prefix: str) -> dict[str, t.Any]:
    """Read the index templates with a prefix by name."""
    answer = client.options(ignore_status=404).indices.get_index_template(name=f"{prefix}-*")
    return {entry["name"]: entry["index_template"] for entry in answer.get("index_templates", [])}


def test_first_run_second_run_and_streams(client: Elasticsearch, apply: Apply) -> None:
    predicted = apply("--check")
    assert (predicted.changed, predicted.failed) == (1, "")
    assert predicted.verbs == ALL_CREATED
    before, after = predicted.diff("index template 'ray-logs-event-default'")
    assert before == {}
    assert after["template"]["lifecycle"]["data_retention"] == "90d"
    assert templates(client, "ray-logs") == {}

    first = apply()
    assert (first.changed, first.failed, first.verbs) == (1, "", ALL_CREATED)
    assert [(left["kind"], left["name"]) for left in first.content["unsupported"]] == [
        ("data_stream", stream)
        for stream in ("ray-logs-app-default", "ray-logs-event-default", "ray-logs-system-default")
    ]
    written = templates(client, "ray-logs")
    assert sorted(written) == STREAMS
    assert written["ray-logs-system-default"]["template"]["lifecycle"]["data_retention"] == "14d"

    for stream in STREAMS:
        client.index(index=stream, op_type="create", document=EVENT, refresh="wait_for")
    resolved = client.indices.resolve_index(name="ray-logs-*")
    assert sorted(stream["name"] for stream in resolved["data_streams"]) == STREAMS
    settings = next(iter(client.indices.get_settings(index=STREAMS[0]).values()))["settings"]["index"]
    assert settings["mode"] == "logsdb"
    assert settings["auto_expand_replicas"] == "0-1"
    assert settings["sort"] == {"field": ["host.name", "@timestamp"], "order": ["asc", "desc"]}
    assert client.count(index="ray-logs-*", q="level:info")["count"] == len(STREAMS)

    second = apply()
    assert (second.changed, second.failed) == (0, "")


def test_changed_variables_are_predicted_shown_and_written_once(client: Elasticsearch, apply: Apply) -> None:
    variables = {
        "raylogs_prefix": "changed",
        "ray_log_content_retention": {"app": "3d", "system": "14d", "event": "90d"},
        "ray_log_content_settings_extra": {"index.refresh_interval": "1s"},
        "raylogs_fields_extra": [{"name": "app.order_id", "type": "keyword", "path": "order.id"}],
    }
    assert apply(raylogs_prefix="changed").changed == 1
    client.index(index="changed-app-default", op_type="create", document=EVENT, refresh="wait_for")
    for arguments in (["--check"], []):
        applied = apply(*arguments, **variables)
        assert (applied.changed, applied.failed) == (1, "")
        assert applied.verbs == {
            "index_template changed-app-default": "update",
            "index_template changed-event-default": "update",
            "index_template changed-system-default": "update",
            "data_stream changed-app-default": "roll over",
        }
        before, after = applied.diff("index template 'changed-app-default'")
        assert before["template"]["lifecycle"]["data_retention"] == "30d"
        assert after["template"]["lifecycle"]["data_retention"] == "3d"
        assert after["template"]["mappings"]["properties"]["app.order_id"]["ignore_above"] == 1024
    template = templates(client, "changed")["changed-app-default"]["template"]
    assert template["mappings"]["properties"]["app.order_id"]["type"] == "keyword"
    assert template["settings"]["index"]["refresh_interval"] == "1s"
    resolved = client.indices.resolve_index(name="changed-*")["data_streams"]
    assert [(stream["name"], len(stream["backing_indices"])) for stream in resolved] == [("changed-app-default", 2)]
    second_tenant = apply(**variables, raylogs_tenant="team_b")
    assert (second_tenant.changed, second_tenant.failed) == (1, "")
    assert apply(**variables).changed == 0
    variables["raylogs_fields_extra"] = [{"name": "app.order_id", "type": "long", "path": "order.id"}]
    assert "Field app.order_id of data stream 'changed-app-default' has the type keyword" in apply(**variables).failed


def test_daily_layout(client: Elasticsearch, apply: Apply) -> None:
    variables: dict[str, t.Any] = {"raylogs_prefix": "days", "raylogs_layout": "daily"}
    variables["raylogs_fields_extra"] = [{"name": "app.a", "type": "keyword", "path": "a"}]
    applied = apply(**variables)
    assert (applied.changed, applied.failed) == (1, "")
    warning = applied.results["raylogs.efk.ray_log_content : Say that nothing deletes old events"]["msg"]
    assert warning.startswith("Nothing deletes old events of days-* with tenant default")
    client.index(index="days-app-default-2026.11.23", op_type="create", document=EVENT, refresh="wait_for")
    resolved = client.indices.resolve_index(name="days-*")
    assert [index["name"] for index in resolved["indices"]] == ["days-app-default-2026.11.23"]
    assert resolved["data_streams"] == []
    assert client.count(index="days-*", q="level:Info")["count"] == 1
    variables["raylogs_fields_extra"] = [{"name": "app.a", "type": "long", "path": "a"}]
    retyped = apply(**variables)
    assert retyped.changed == 0
    assert "Field app.a of index 'days-app-default-2026.11.23' has the type keyword" in retyped.failed


def test_another_layout_is_refused_while_the_streams_exist(client: Elasticsearch, apply: Apply) -> None:
    ours = {"_meta": {"managed_by": "raylogs.efk"}}
    client.indices.put_index_template(
        name="both-app-default",
        index_patterns=["both-app-default"],
        priority=500,
        data_stream={},
        template={"mappings": ours},
        meta=ours["_meta"],
    )
    client.index(index="both-app-default", op_type="create", document=EVENT)
    before = templates(client, "both")
    applied = apply(raylogs_prefix="both", raylogs_layout="daily")
    assert applied.changed == 0
    assert "raylogs_layout is daily, but both-app-default exist as data streams" in applied.failed
    assert templates(client, "both") == before


def test_template_of_others_stops_the_run(client: Elasticsearch, apply: Apply) -> None:
    client.indices.put_index_template(name="theirs", index_patterns=["foreign-*"], priority=600)
    client.indices.put_index_template(name="everything", index_patterns=["*"], priority=0)
    applied = apply(raylogs_prefix="foreign")
    client.indices.delete_index_template(name="theirs,everything")
    assert applied.changed == 0
    assert (
        "The index template 'theirs' matches our names by foreign-* with priority 600, ours has 500" in applied.failed
    )
    assert "everything" not in applied.failed
    assert templates(client, "foreign") == {}


def test_objects_with_our_names_stop_the_run(client: Elasticsearch, apply: Apply) -> None:
    client.cluster.put_component_template(name="taken-mappings", template={"settings": {}})
    client.indices.create(index="taken-app-default")
    client.indices.create(index="elsewhere", aliases={"taken-event-default": {}})
    applied = apply(raylogs_prefix="taken", ray_log_content_tolerated=["*"])
    assert applied.changed == 0
    assert "The component template 'taken-mappings' has a name that is to be ours" in applied.failed
    assert "The index 'taken-app-default' has a name that is to be ours" in applied.failed
    assert "The alias 'taken-event-default' has a name that is to be ours" in applied.failed
    assert templates(client, "taken") == {}


def test_index_of_others_beside_ours_stops_the_run_unless_tolerated(client: Elasticsearch, apply: Apply) -> None:
    client.indices.create(index="beside-2026.11.20")
    applied = apply(raylogs_prefix="beside")
    assert applied.changed == 0
    assert "The index 'beside-2026.11.20' would be searched with ours by beside-*" in applied.failed
    assert "ray_log_content_tolerated" in applied.failed
    assert templates(client, "beside") == {}
    tolerant = apply("--check", raylogs_prefix="beside", ray_log_content_tolerated=["beside-2026.*"])
    assert (tolerant.changed, tolerant.failed) == (1, "")


def test_ilm_policy_on_a_server_without_ilm_stops_the_run(client: Elasticsearch, apply: Apply) -> None:
    applied = apply(raylogs_prefix="ilm", ray_log_content_ilm_policies={"app": "keep"})
    assert applied.changed == 0
    assert "has no ILM. Leave the variable empty." in applied.failed
    assert templates(client, "ilm") == {}


def test_everything_is_foretold_where_the_play_would_install_the_server(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", "http://127.0.0.1:9")
    tasks = [{"name": "Apply the role", **ROLE, "vars": {"ray_log_content_pending_version": "8.19.0"}}]
    results = play(tasks, "--check", "--diff")
    applied = Applied(1, "", results)
    assert applied.verbs == {**ALL_CREATED, **{f"data_stream {stream}": "create" for stream in STREAMS}}
    before, after = applied.diff("index template 'ray-logs-app-default'")
    assert (before, after["template"]["lifecycle"]["data_retention"]) == ({}, "30d")


def test_policies_are_declared_where_only_ilm_deletes(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", "http://127.0.0.1:9")
    variables = {"ray_log_content_pending_version": "8.10.0", "ray_log_content_ilm_policies": {"app": "theirs"}}
    applied = Applied(1, "", play([{"name": "Apply the role", **ROLE, "vars": variables}], "--check", "--diff"))
    policies = [name for name in applied.verbs if name.startswith("ilm_policy")]
    assert sorted(policies) == ["ilm_policy ray-logs-event-default", "ilm_policy ray-logs-system-default"]
    _before, after = applied.diff("ILM policy 'ray-logs-event-default'")
    assert after["phases"]["delete"]["min_age"] == "90d"
    assert after["phases"]["hot"]["actions"]["rollover"] == {"max_age": "7d", "max_primary_shard_size": "30gb"}
    for stream, policy in (("app", "theirs"), ("event", "ray-logs-event-default")):
        _before, after = applied.diff(f"index template 'ray-logs-{stream}-default'")
        assert after["template"]["settings"]["index.lifecycle.name"] == policy
        assert "lifecycle" not in after["template"]
    daily = {**variables, "raylogs_layout": "daily", "ray_log_content_pending_version": "7.17.9"}
    applied = Applied(1, "", play([{"name": "Apply the role", **ROLE, "vars": daily}], "--check", "--diff"))
    _before, after = applied.diff("ILM policy 'ray-logs-event-default'")
    assert after["phases"]["hot"]["actions"] == {}


def test_impossible_options_are_refused_before_the_first_request(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", "http://127.0.0.1:9")
    tasks = [
        {
            "name": f"Apply with {case}",
            "block": [{"name": f"Run the role with {case}", **ROLE, "vars": variables}],
            "rescue": [{"name": case, "ansible.builtin.debug": {"msg": "{{ ansible_failed_result.msg }}"}}],
        }
        for case, (variables, _message) in IMPOSSIBLE.items()
    ]
    results = play(tasks)
    wrong = {
        case: results[case]["msg"] for case, (_, message) in IMPOSSIBLE.items() if message not in results[case]["msg"]
    }
    assert wrong == {}
