# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read about a real cluster."""

from __future__ import annotations

import typing as t

import pytest
import requests

from tests.integration.proxy import Answer, Passing, proxy

if t.TYPE_CHECKING:
    from tests.integration.conftest import Run


def test_a_cluster_tells_of_itself(elasticsearch: str, run: Run) -> None:
    result = run("elasticsearch_info", url=[elasticsearch])
    health = requests.get(f"{elasticsearch}/_cluster/health", timeout=10).json()
    assert not result["changed"]
    assert result["version"].count(".") == 2
    assert result["cluster_name"] == health["cluster_name"]
    assert result["health"]["status"] in {"green", "yellow"}
    assert result["features"]["data_stream_templates"]
    assert result["license"]["status"] == "active"
    assert [node["watermark"] for node in result["disk"]["nodes"]] == ["none"] * health["number_of_data_nodes"]
    assert set(result["disk"]["watermarks"]) == {"low", "high", "flood_stage"}
    assert result["disk"]["threshold_enabled"]


@pytest.mark.parametrize(
    ("status", "failed"),
    [
        pytest.param(403, False, id="a user without the right"),
        pytest.param(405, False, id="a server without the API"),
        pytest.param(500, True, id="a server in trouble"),
    ],
)
def test_no_license_is_told_from_trouble(elasticsearch: str, run: Run, status: int, *, failed: bool) -> None:
    def decide(passing: Passing) -> Answer | None:
        return Answer(status, {"error": "no"}) if passing.path == "/_license" else None

    with proxy(elasticsearch, decide) as url:
        result = run("elasticsearch_info", url=[url], retries=0)
    assert result.get("failed", False) == failed
    assert result.get("license") is None


def test_blocked_index_is_listed(elasticsearch: str, run: Run) -> None:
    index = f"{elasticsearch}/raylogs-test-blocked"
    requests.put(index, json={"settings": {"number_of_replicas": 0}}, timeout=10).raise_for_status()
    try:
        requests.put(f"{index}/_settings", json={"index.blocks.write": True}, timeout=10).raise_for_status()
        assert run("elasticsearch_info", url=[elasticsearch])["blocks"]["indices"] == {
            "raylogs-test-blocked": ["index write (api)"],
        }
    finally:
        requests.delete(index, timeout=10).raise_for_status()


def test_absent_server_is_named(run: Run) -> None:
    result = run("elasticsearch_info", url=["http://127.0.0.1:1"], retries=0)
    assert "Cannot use Elasticsearch: GET http://127.0.0.1:1/_nodes/_local did not answer" in result["msg"]
