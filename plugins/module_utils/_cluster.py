# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read Elasticsearch's own account of itself: features, disk watermarks, blocks. All of it is pure."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils._normalise import leaves

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._api import Body

WATERMARKS = ("flood_stage", "high", "low")
UNITS = {"b": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40, "pb": 1 << 50}
PERCENT = 100


class Feature(t.NamedTuple):
    """A feature is there from a version on, or where one of these modules is loaded."""

    modules: frozenset[str] = frozenset()
    since: tuple[int, int] | None = None


FEATURES = {
    "data_stream_api": Feature(frozenset({"data-streams", "x-pack-data-streams"})),
    "data_stream_lifecycle": Feature(since=(8, 14)),
    "data_stream_templates": Feature(frozenset({"x-pack-data-streams"}), since=(8, 0)),
    "esql": Feature(frozenset({"x-pack-esql"})),
    "ilm": Feature(frozenset({"x-pack-ilm"})),
    "logsdb": Feature(since=(8, 17)),
    "native_users": Feature(frozenset({"analysis-common"})),
    "painless": Feature(frozenset({"lang-painless"})),
    "reindex": Feature(frozenset({"reindex"})),
    "role_descriptions": Feature(since=(8, 15)),
    "slm": Feature(frozenset({"x-pack-slm", "x-pack-ilm"})),
}

WORDS = {
    "data_stream_api": "the API of data streams",
    "data_stream_lifecycle": "the lifecycle of data streams",
    "ilm": "ILM",
    "native_users": "users, roles and API keys of its own",
    "role_descriptions": "descriptions of roles",
}


def features(version: tuple[int, ...], modules: t.Collection[str]) -> dict[str, bool]:
    """Say which features a server of this version with these modules has."""
    return {
        name: bool(feature.modules.intersection(modules)) or (feature.since is not None and version >= feature.since)
        for name, feature in FEATURES.items()
    }


def all_modules() -> frozenset[str]:
    """Name the modules that a full distribution has, as far as features hang on them."""
    return frozenset().union(*(feature.modules for feature in FEATURES.values()))


def disk_state(settings: Body, stats: Body) -> Body:
    """Say for each data node which watermark its disk has passed, and how much of it is free."""
    limits = disk_settings(settings)
    nodes = []
    for node in stats.get("nodes", {}).values():
        total, available = node["fs"]["total"]["total_in_bytes"], node["fs"]["total"]["available_in_bytes"]
        passed = next((mark for mark in WATERMARKS if available < needed(limits, mark, total)), "none")
        nodes.append({"name": node["name"], "total": total, "available": available, "watermark": passed})
    return {
        "threshold_enabled": limits.get("threshold_enabled", "true") == "true",
        "watermarks": {mark: limits[f"watermark.{mark}"] for mark in WATERMARKS if f"watermark.{mark}" in limits},
        "nodes": sorted(nodes, key=lambda node: node["name"]),
    }


def disk_settings(settings: Body) -> Body:
    """Merge the settings under cluster.routing.allocation.disk: transient over persistent over default."""
    merged: Body = {}
    for level in ("defaults", "persistent", "transient"):
        prefix = "cluster.routing.allocation.disk."
        merged.update({key[len(prefix) :]: value for key, value in leaves(settings.get(level, {}))})
    return merged


def needed(limits: Body, mark: str, total: int) -> float:
    """Compute the bytes that must be free for a disk of this size to stay below a watermark."""
    limit = limits.get(f"watermark.{mark}", "")
    if limit.endswith("%"):
        free = total * (1 - float(limit[:-1]) / PERCENT)
    elif re.fullmatch(r"[01]?\.\d+|1", limit):
        free = total * (1 - float(limit))
    else:
        return bytes_of(limit)
    headroom = bytes_of(limits.get(f"watermark.{mark}.max_headroom", "-1"))
    return min(free, headroom) if headroom > 0 else free


def bytes_of(size: str) -> float:
    """Turn 200GB into bytes; -1 and what is no size into 0."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgtp]?b)", size, re.IGNORECASE)
    return float(match.group(1)) * UNITS[match.group(2).lower()] if match else 0


def blocks(state: Body) -> Body:
    """List what the cluster and which of its indices are blocked for, in the server's words."""
    found = state.get("blocks", {})
    return {
        "cluster": descriptions(found.get("global", {})),
        "indices": {name: descriptions(block) for name, block in sorted(found.get("indices", {}).items())},
    }


def descriptions(found: Body) -> list[str]:
    """List the descriptions of blocks."""
    return sorted(block["description"] for block in found.values())
