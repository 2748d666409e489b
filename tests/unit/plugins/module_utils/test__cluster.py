# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what a cluster says of itself."""

from __future__ import annotations

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils._cluster import (
    blocks,
    bytes_of,
    disk_state,
    features,
)

GIB = 1 << 30


@pytest.mark.parametrize(
    ("version", "modules", "there"),
    [
        pytest.param((7, 17, 9), [], set(), id="a reduced 7.17"),
        pytest.param(
            (7, 17, 9),
            ["x-pack-data-streams", "x-pack-ilm"],
            {"data_stream_api", "data_stream_templates", "ilm", "slm"},
            id="a full 7.17",
        ),
        pytest.param(
            (8, 19, 0),
            ["x-pack-core"],
            {"data_stream_lifecycle", "data_stream_templates", "logsdb", "role_descriptions"},
            id="a reduced 8.19",
        ),
    ],
)
def test_features(version: tuple[int, ...], modules: list[str], there: set[str]) -> None:
    assert {name for name, has in features(version, modules).items() if has} == there


@pytest.mark.parametrize(
    ("limits", "available", "passed"),
    [
        pytest.param({"low": "85%", "high": "90%", "flood_stage": "95%"}, 20, "none", id="enough"),
        pytest.param({"low": "85%", "high": "90%", "flood_stage": "95%"}, 14, "low", id="low, by per cent"),
        pytest.param({"low": "0.85", "high": "0.9", "flood_stage": "0.95"}, 9, "high", id="high, by ratio"),
        pytest.param(
            {"low": "3gb", "high": "2gb", "flood_stage": "1.5GB"}, 1, "flood_stage", id="flood stage, by bytes"
        ),
        pytest.param({"low": "85%", "low.max_headroom": "5gb"}, 6, "none", id="a headroom caps the per cent"),
        pytest.param({"low": "85%", "low.max_headroom": "-1"}, 6, "low", id="no headroom"),
        pytest.param({}, 1, "none", id="no watermark known"),
    ],
)
def test_disk_state(limits: dict[str, str], available: int, passed: str) -> None:
    disk = {"cluster": {"routing": {"allocation": {"disk": {"watermark": limits}}}}}
    stats = {"name": "es1", "fs": {"total": {"total_in_bytes": 100 * GIB, "available_in_bytes": available * GIB}}}
    state = disk_state({"defaults": disk}, {"nodes": {"x": stats}})
    assert state["nodes"] == [
        {"name": "es1", "total": 100 * GIB, "available": available * GIB, "watermark": passed},
    ]
    assert state["threshold_enabled"]


def test_transient_settings_come_before_defaults() -> None:
    def level(value: str) -> dict[str, object]:
        return {"cluster": {"routing": {"allocation": {"disk": {"threshold_enabled": value}}}}}

    assert not disk_state({"transient": level("false"), "defaults": level("true")}, {})["threshold_enabled"]


def test_size_without_unit_is_nothing() -> None:
    assert bytes_of("-1") == 0


def test_blocks_are_listed_in_the_words_of_the_server() -> None:
    write = {"8": {"description": "index write (api)", "levels": ["write"]}}
    cluster = {"6": {"description": "cluster read-only (api)"}}
    assert blocks({"blocks": {"global": cluster, "indices": {"a": write}}}) == {
        "cluster": ["cluster read-only (api)"],
        "indices": {"a": ["index write (api)"]},
    }
    assert blocks({}) == {"cluster": [], "indices": {}}
