# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema on a real server: what it takes, what it finds, what it refuses."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from elasticsearch import Elasticsearch

ROOT = Path(__file__).resolve().parents[2]
ROLE = ROOT / "roles" / "ray_log_content"
SCHEMA = yaml.safe_load((ROOT / "catalogue" / "fields.yml").read_text())
TYPES = yaml.safe_load((ROLE / "vars" / "main" / "field_types.yml").read_text())["__ray_log_content_field_types"]
FIELDS = {field["name"]: field["type"] for field in SCHEMA["fields"]}
ALIASES = {field["name"]: field["path"] for field in SCHEMA["fields"] if field["type"] == "alias"}
TIME = "2026-11-23T10:00:00.000Z"
HOSTILE: dict[str, t.Any] = {
    "64 KB without a space": "x" * 65536,
    "64 KB of words": "word " * 13107,
    "64 KB outside the basic plane": "\U0001f600" * 16384,
    "NUL": "a\0b",
    "half of a pair": "\ud800",
    "nothing": "",
    "null": None,
    "true": True,
    "negative": -1,
    "fraction": 1.5,
    "more than 64 bits": 2**63,
    "more than a double": "1e400",
    "no number": "NaN",
    "infinity": "Infinity",
    "no date": "2026-13-45T99:99:99Z",
    "before 1677": "1492-01-01T00:00:00Z",
    "after 9999": "99999-01-01T00:00:00Z",
    "address with a zone": "fe80::1%eth0",
    "list of mixed types": [1, "a", None, True],
    "list in a list": [[1, [2]]],
    "many values": list(range(5000)),
}


def levels(depth: int) -> dict[str, t.Any]:
    """Nest objects, the innermost with a value."""
    nested: dict[str, t.Any] = {"k": "v"}
    for _ in range(depth - 1):
        nested = {"k": nested}
    return nested


LABELS_AT_THE_LIMITS = {
    "depth": levels(SCHEMA["label_depth"]),
    "length of keys": {"k" * SCHEMA["label_key_length"]: "v" * SCHEMA["label_length"]},
    "deep and long": {"k" * 256: {"l" * 256: {"m" * 256: "\U0001f600" * SCHEMA["label_length"]}}},
    "number of keys": {f"key{number}": number for number in range(SCHEMA["label_count"])},
    "too long a value": {"k": "v" * 65536},
    "odd keys": {"": 1, " ": 2, ".": 3, "a..b": 4, "level": 5, "*": 6, "\u2028": 7},
    "a value and an object": {"a": 1, "a.b": 2},
    "every JSON type": {"a": [True, None, 1.5, "x", {"b": [[]]}]},
}
REFUSED: dict[str, dict[str, t.Any]] = {
    **{f"object in {kind}": {name: {"a": 1}} for name, kind in FIELDS.items() if kind not in ("flattened", "alias")},
    "list of objects": {"message": [{"a": 1}]},
    "no time": {"@timestamp": None},
    "time that is no date": {"@timestamp": "yesterday"},
    "labels that are no object": {"labels": "text"},
    "labels of 21 levels": {"labels": levels(21)},
    "label with a NUL in its key": {"labels": {"a\0b": 1}},
    "label longer than a term": {"labels": {"k" * 32000: "v" * 1000}},
    **{f"alias {name}": {name: "x"} for name in ALIASES},
    "empty key": {"": 1},
    "blank key": {" ": 1},
    "empty part of a key": {"a..b": 1},
}
# What an application logs as level, actor_id and so on stands here under the schema's names.
RENAMED = {
    "@timestamp": TIME,
    "message": "call of the payment service ended: timeout after 30 s",
    "log.level": "ERROR",
    "ray.actor_id": "a0",
    "ray.task_id": "7a5c",
    "ray.job_id": "01000000",
    "ray.worker_id": "beef",
    "ray.node_id": "cafe",
    "ray.actor_name": "cashier",
    "ray.task_name": "pay",
    "event.dataset": "ray.output",
}


@pytest.fixture(scope="module", params=["settings", "settings_logsdb"])
def index(request: pytest.FixtureRequest, elasticsearch: str) -> t.Iterator[tuple[Elasticsearch, str]]:
    """Make an index of the role's components, one for each way to store events."""
    client, name = Elasticsearch(elasticsearch), f"schema-{request.param}"
    parts = {
        part: yaml.safe_load((ROLE / "files" / "component_templates" / f"{part}.yml").read_text())[part]["template"]
        for part in ("mappings", request.param)
    }
    mappings = parts["mappings"]["mappings"]
    mappings["properties"].update({f"app.{kind}": mapping for kind, mapping in TYPES.items()})
    client.options(ignore_status=404).indices.delete(index=name)
    client.indices.create(index=name, mappings=mappings, settings=parts[request.param]["settings"])
    yield client, name
    client.indices.delete(index=name)


def send(client: Elasticsearch, name: str, events: list[dict[str, t.Any]]) -> list[str]:
    """Send events and return why each was refused, empty when it was not."""
    operations: list[dict[str, t.Any]] = []
    for event in events:
        operations += ({"create": {}}, {"@timestamp": TIME, **event})
    answer = client.bulk(index=name, operations=operations, refresh=True)
    return [item["create"].get("error", {}).get("reason", "") for item in answer["items"]]


def test_no_value_of_any_field_is_refused(index: tuple[Elasticsearch, str]) -> None:
    client, name = index
    fields = [field for field, kind in FIELDS.items() if kind not in ("flattened", "alias") and field != "@timestamp"]
    fields += [f"app.{kind}" for kind in TYPES]
    cases = [(field, case) for field in fields for case in HOSTILE]
    reasons: list[str] = []
    for start in range(0, len(cases), 400):
        reasons += send(client, name, [{field: HOSTILE[case]} for field, case in cases[start : start + 400]])
    refused = {case: reason for case, reason in zip(cases, reasons, strict=True) if reason}
    assert refused == {}
    assert client.count(index=name)["count"] >= len(cases)


def test_labels_at_the_limits_of_the_reader_are_taken(index: tuple[Elasticsearch, str]) -> None:
    client, name = index
    reasons = send(client, name, [{"labels": labels} for labels in LABELS_AT_THE_LIMITS.values()])
    assert dict(zip(LABELS_AT_THE_LIMITS, reasons, strict=True)) == dict.fromkeys(LABELS_AT_THE_LIMITS, "")


def test_what_the_server_refuses_is_what_the_page_of_fields_says(index: tuple[Elasticsearch, str]) -> None:
    client, name = index
    reasons = send(client, name, list(REFUSED.values()))
    taken = {case for case, reason in zip(REFUSED, reasons, strict=True) if not reason}
    assert taken == ({"no time"} if name == "schema-settings" else set())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("level:ERROR AND message:timeout", True, id="the search of every reader"),
        pytest.param("level:error", True, id="level in small letters"),
        pytest.param("level:Error", True, id="level in mixed letters"),
        pytest.param("level:err*", True, id="beginning of the level"),
        pytest.param("log.level:ERROR", True, id="name of the schema"),
        pytest.param("level:WARNING", False, id="another level"),
        pytest.param('message:"timeout after 30"', True, id="phrase"),
        pytest.param("timeout", True, id="word without a field"),
        pytest.param("actor_id:a0", True, id="actor id"),
        pytest.param("task_id:7a5c", True, id="task id"),
        pytest.param("job_id:01000000", True, id="job id"),
        pytest.param("worker_id:beef", True, id="worker id"),
        pytest.param("node_id:cafe", True, id="node id"),
        pytest.param("actor_name:cashier", True, id="actor name"),
        pytest.param("task_name:pay", True, id="task name"),
        pytest.param("@log_name:ray.output", True, id="log name"),
        pytest.param(f'timestamp:"{TIME}"', True, id="time"),
    ],
)
def test_queries(index: tuple[Elasticsearch, str], query: str, found: bool) -> None:
    client, name = index
    client.index(index=name, id="renamed", document=RENAMED, refresh=True)
    condition = {"bool": {"must": {"query_string": {"query": query}}, "filter": {"ids": {"values": ["renamed"]}}}}
    assert client.count(index=name, query=condition)["count"] == found


@pytest.mark.parametrize("alias", ALIASES)
def test_aliases_are_queried_and_aggregated(index: tuple[Elasticsearch, str], alias: str) -> None:
    client, name = index
    client.index(index=name, id="renamed", document=RENAMED, refresh=True)
    answer = client.search(
        index=name,
        size=1,
        query={"bool": {"must": {"exists": {"field": alias}}, "filter": {"ids": {"values": ["renamed"]}}}},
        aggs={"values": {"terms": {"field": alias}}},
    )
    assert [hit["_source"] for hit in answer["hits"]["hits"]] == [RENAMED]
    assert len(answer["aggregations"]["values"]["buckets"]) == 1


def test_labels_are_found_by_key(index: tuple[Elasticsearch, str]) -> None:
    client, name = index
    assert send(client, name, [{"labels": {"order": {"id": "4711"}}}]) == [""]
    assert client.count(index=name, q="labels.order.id:4711")["count"] == 1
    assert client.count(index=name, q="labels:4711")["count"] == 1
