# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the stand-in to what real parsers of ILM policies answered, and to the shapes that Elastic documents."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import requests

from tests.stand_in import stand_in

RECORDED = json.loads((Path(__file__).parents[1] / "unit/fixtures/elasticsearch/ilm_policy.json").read_text())
VERSIONS = ("7.17.9", "8.19.0", "9.2.0")


def ask(method: str, url: str, body: t.Any = None) -> tuple[int, t.Any]:
    """Send a request and give status and answer."""
    answer = requests.request(method, url, json=body, timeout=10)
    assert answer.headers["X-Elastic-Product"] == "Elasticsearch"
    return answer.status_code, answer.json()


@pytest.mark.parametrize("version", VERSIONS)
def test_stand_in_rewrites_policies_as_the_real_parser(version: str) -> None:
    with stand_in(version) as held:
        wrong = {}
        for name, case in RECORDED.items():
            url = f"{held.url}/_ilm/policy/{name.replace(' ', '-')}"
            status, said = ask("PUT", url, {"policy": case["put"]})
            expected = case["get"].get(version)
            found = ask("GET", url)[1][name.replace(" ", "-")]["policy"] if status == 200 else None
            if found != expected or (status == 400) != (version in case.get("refused", {})):
                wrong[name] = (said, found, expected)
    assert wrong == {}


def test_stand_in_speaks_of_policies_in_the_documented_shapes() -> None:
    unused: dict[str, list[str]] = {"indices": [], "data_streams": [], "composable_templates": []}
    with stand_in() as held:
        url = f"{held.url}/_ilm/policy"
        assert ask("GET", url) == (200, {})
        status, said = ask("GET", f"{url}/a")
        assert (status, said["error"]["type"], said["status"]) == (404, "resource_not_found_exception", 404)
        for version in (1, 2):
            assert ask("PUT", f"{url}/a", {"policy": {"phases": {}}}) == (200, {"acknowledged": True})
            found = ask("GET", url)[1]["a"]
            assert (found["version"], found["policy"], found["in_use_by"]) == (version, {"phases": {}}, unused)
        ask("PUT", f"{held.url}/used", {"settings": {"index.lifecycle.name": "a"}})
        status, said = ask("DELETE", f"{url}/a")
        assert (status, said["error"]["root_cause"][0]["type"]) == (400, "illegal_argument_exception")
        assert said["error"]["reason"] == "Cannot delete policy [a]. It is in use by one or more indices: [used]"
        ask("DELETE", f"{held.url}/used")
        assert ask("DELETE", f"{url}/a") == (200, {"acknowledged": True})


def test_stand_in_speaks_of_data_streams_in_the_documented_shapes() -> None:
    with stand_in() as held:
        url = f"{held.url}/_data_stream"
        assert ask("GET", f"{url}?expand_wildcards=all") == (200, {"data_streams": []})
        status, said = ask("PUT", f"{url}/a")
        assert (status, said["error"]["reason"]) == (400, "no matching index template found for data stream [a]")
        ask("PUT", f"{held.url}/_index_template/a", {"index_patterns": ["a"], "data_stream": {}})
        assert ask("PUT", f"{url}/a") == (200, {"acknowledged": True})
        assert ask("PUT", f"{url}/a/_lifecycle", {"data_retention": "7d"}) == (200, {"acknowledged": True})
        stream = ask("GET", f"{url}/a")[1]["data_streams"][0]
        assert stream["lifecycle"] == {
            "enabled": True,
            "data_retention": "7d",
            "effective_retention": "7d",
            "retention_determined_by": "data_stream_configuration",
        }
        assert (stream["name"], stream["generation"], stream["template"], stream["status"]) == ("a", 1, "a", "GREEN")
        assert ask("DELETE", f"{url}/a") == (200, {"acknowledged": True})
        status, said = ask("GET", f"{url}/a")
        assert (status, said["error"]["type"]) == (404, "index_not_found_exception")
