# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Search a real Elasticsearch."""

from __future__ import annotations

import json
import typing as t

import pytest
import requests

if t.TYPE_CHECKING:
    from tests.integration.conftest import Run

INDEX = "raylogs-test-search"
LINES = [
    {"message": "request timeout after 3 s", "log": {"level": "ERROR"}, "n": 1, "tags": ["a", "b"]},
    {"message": "request done", "log": {"level": "INFO"}, "n": 2},
    {"message": "timeout of the archive", "log": {"level": "WARNING"}, "n": 3},
]
MAPPINGS = {
    "properties": {
        "message": {"type": "text"},
        "log": {"properties": {"level": {"type": "keyword"}}},
        "level": {"type": "alias", "path": "log.level"},
        "n": {"type": "long"},
        "tags": {"type": "keyword"},
    }
}


@pytest.fixture
def lines(elasticsearch: str) -> t.Iterator[dict[str, t.Any]]:
    """Store three lines and give the options that reach them."""
    url = f"{elasticsearch}/{INDEX}"
    body = {"settings": {"number_of_replicas": 0}, "mappings": MAPPINGS}
    requests.put(url, json=body, timeout=30).raise_for_status()
    try:
        bulk = "".join(f'{{"index":{{"_id":"{line["n"]}"}}}}\n{json.dumps(line)}\n' for line in LINES)
        headers = {"content-type": "application/x-ndjson"}
        requests.post(f"{url}/_bulk?refresh=true", data=bulk, headers=headers, timeout=30).raise_for_status()
        yield {"url": [elasticsearch], "index": [INDEX]}
    finally:
        requests.delete(url, timeout=30).raise_for_status()


def test_words_find_lines(lines: dict[str, t.Any], run: Run) -> None:
    found = run("elasticsearch_search_info", **lines, query_string="level:ERROR AND message:timeout")
    assert (found["changed"], found["total"]) == (False, 1)
    assert found["hits"] == [{"index": INDEX, "id": "1", "source": LINES[0]}]


def test_all_words_must_occur(lines: dict[str, t.Any], run: Run) -> None:
    assert run("elasticsearch_search_info", **lines, query_string="request timeout")["total"] == 1
    assert run("elasticsearch_search_info", **lines, query_string="request OR timeout")["total"] == 3


def test_fields_order_and_size(lines: dict[str, t.Any], run: Run) -> None:
    found = run("elasticsearch_search_info", **lines, sort=["n:desc"], fields=["level", "n", "tags"], size=2)
    assert found["total"] == 3
    assert [hit["fields"] for hit in found["hits"]] == [{"level": "WARNING", "n": 3}, {"level": "INFO", "n": 2}]
    first = run("elasticsearch_search_info", **lines, sort=["n"], fields=["tags"], size=1)
    assert first["hits"][0]["fields"] == {"tags": ["a", "b"]}


def test_a_query_of_the_language_and_aggregations(lines: dict[str, t.Any], run: Run) -> None:
    found = run(
        "elasticsearch_search_info",
        **lines,
        query={"range": {"n": {"gte": 2}}},
        size=0,
        aggregations={"levels": {"terms": {"field": "level"}}},
    )
    assert (found["total"], found["hits"]) == (2, [])
    assert {bucket["key"] for bucket in found["aggregations"]["levels"]["buckets"]} == {"INFO", "WARNING"}


def test_half_of_the_hits_are_a_failure(elasticsearch: str, lines: dict[str, t.Any], run: Run) -> None:
    url = f"{elasticsearch}/{INDEX}-lost"
    lost = {"number_of_replicas": 0, "routing.allocation.require._name": "nowhere"}
    requests.put(f"{url}?wait_for_active_shards=0", json={"settings": lost}, timeout=30).raise_for_status()
    try:
        result = run("elasticsearch_search_info", **{**lines, "index": [f"{INDEX}*"], "retries": 0})
    finally:
        requests.delete(url, timeout=30).raise_for_status()
    assert "answered 503" in result["msg"]


def test_no_index_is_no_failure(elasticsearch: str, run: Run) -> None:
    found = run("elasticsearch_search_info", url=[elasticsearch], index=["raylogs-test-absent-*"], query_string="x")
    assert (found["total"], found["hits"]) == (0, [])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(
            {"query_string": "level:("}, "does not understand the query: Cannot parse 'level:('", id="a bracket"
        ),
        pytest.param({"query_string": "x", "query": {"match_all": {}}}, "Give one of them", id="two queries"),
        pytest.param({"size": 10001}, "Give 0 to 10000", id="too many documents"),
        pytest.param(
            {"sort": ["no_such_field"]}, "Check the fields that sort and aggregations name", id="an unknown field"
        ),
    ],
)
def test_what_cannot_be_searched_is_explained(
    lines: dict[str, t.Any], run: Run, options: dict[str, t.Any], words: str
) -> None:
    assert words in run("elasticsearch_search_info", **lines, **options)["msg"]
