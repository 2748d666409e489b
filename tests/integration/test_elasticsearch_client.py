# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Speak to a real Elasticsearch that refuses to write."""

from __future__ import annotations

import pytest
import requests
from ansible_collections.raylogs.efk.plugins.module_utils._api import ApiError, Params, Request
from ansible_collections.raylogs.efk.plugins.module_utils._args import connection_options
from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import call, connect

DEFAULTS: Params = {
    name: option.get("default") for name, option in connection_options("x", "http://localhost:9200").items()
}


@pytest.mark.parametrize(
    ("block", "fix"),
    [
        pytest.param(
            "read_only_allow_delete", "The disk of a data node is fuller than the flood-stage", id="full disk"
        ),
        pytest.param(
            "read_only", "Set index.blocks.write and index.blocks.read_only of that index to null", id="read-only"
        ),
        pytest.param(
            "write", "Set index.blocks.write and index.blocks.read_only of that index to null", id="no writes"
        ),
    ],
)
def test_block_of_an_index_is_explained(block: str, fix: str, elasticsearch: str) -> None:
    index = f"{elasticsearch}/raylogs-test-blocked"
    requests.put(index, json={"settings": {"number_of_replicas": 0}}, timeout=10).raise_for_status()
    try:
        requests.put(f"{index}/_settings", json={f"index.blocks.{block}": True}, timeout=10).raise_for_status()
        connection = connect({**DEFAULTS, "url": [elasticsearch]})
        with pytest.raises(ApiError) as refusal:
            call(connection, Request("Cannot write an event", "PUT", "/raylogs-test-blocked/_doc/1", {"a": 1}))
    finally:
        requests.put(f"{index}/_settings", json={f"index.blocks.{block}": None}, timeout=10).raise_for_status()
        requests.delete(index, timeout=10).raise_for_status()
    assert fix in refusal.value.fix
    assert refusal.value.said.startswith(
        f"answered {refusal.value.status}: cluster_block_exception: index [raylogs-test"
    )


def test_lines_of_json_are_understood(elasticsearch: str) -> None:
    connection = connect({**DEFAULTS, "url": [elasticsearch]})
    action = b'{"%s":{"_index":"raylogs-test-bulk","_id":"1"}}\n{"a":1}\n'
    body = action % b"index" + action % b"create"
    answer = call(connection, Request("Cannot send events", "POST", "/_bulk?refresh=true", body, repeatable=True))
    assert [next(iter(item.values()))["status"] for item in answer["items"]] == [201, 409]
    found = call(
        connection, Request("Cannot search", "POST", "/raylogs-test-bulk/_search", {"query": {"match_all": {}}})
    )
    assert found["hits"]["total"]["value"] == 1
    call(connection, Request("Cannot delete", "DELETE", "/raylogs-test-bulk"))
    assert call(connection, Request("Cannot read", "GET", "/raylogs-test-bulk", absent_is_none=True)) is None


def test_api_that_the_server_does_not_have_is_named(elasticsearch: str) -> None:
    connection = connect({**DEFAULTS, "url": [elasticsearch]})
    with pytest.raises(ApiError, match="This server does not have this API"):
        call(connection, Request("Cannot read", "GET", "/_raylogs/nothing/of/the/kind"))
