# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell what others have under names that are to be ours. All of it is pure."""

from __future__ import annotations

import fnmatch
import functools
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._api import Body


class Claim(t.NamedTuple):
    """What is to be ours: names of templates, names or patterns of indices, and all that begins with the prefix."""

    prefix: str
    index_patterns: list[str]
    index_templates: list[str]
    component_templates: list[str]
    priority: int
    mark: Body
    tolerated: list[str]


class Conflict(t.NamedTuple):
    """An object of others that is in the way, and how it may get out of it."""

    kind: str
    name: str
    reason: str
    fix: str


@functools.cache
def overlap(one: str, other: str) -> bool:
    """Say whether a name may match both patterns; `*` stands for any characters, also for none."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*":
        return overlap(one[1:], other) or overlap(one, other[1:])
    if other[0] == "*":
        return overlap(one=other, other=one)
    return one[0] == other[0] and overlap(one[1:], other[1:])


def matches(name: str, patterns: t.Iterable[str]) -> bool:
    """Say whether a name matches one of the patterns; only `*` is special."""
    return any(fnmatch.fnmatchcase(name, pattern.replace("[", "[[]").replace("?", "[?]")) for pattern in patterns)


def is_ours(meta: t.Any, mark: Body) -> bool:
    """Say whether the `_meta` of an object carries our mark."""
    return isinstance(meta, dict) and all(meta.get(key) == value for key, value in mark.items())


def component_template_conflicts(answer: Body, claim: Claim) -> list[Conflict]:
    """List the component templates of others that have our names."""
    return [
        Conflict(
            "component template",
            entry["name"],
            "has a name that is to be ours, without our mark",
            "Delete or rename it, or choose another prefix.",
        )
        for entry in answer["component_templates"]
        if entry["name"] in claim.component_templates
        and not is_ours(entry["component_template"].get("_meta"), claim.mark)
    ]


def index_template_conflicts(answer: Body, claim: Claim) -> list[Conflict]:
    """List the index templates of others that have our names, or that would apply to our indices or are meant for them.

    A template for everything, of lower priority, is none: ours wins.
    """
    conflicts = []
    for entry in answer["index_templates"]:
        name, body = entry["name"], entry["index_template"]
        if is_ours(body.get("_meta"), claim.mark):
            continue
        if reason := template_reason(name, body, claim):
            fix = "Delete it, narrow its index_patterns or lower its priority, or choose another prefix."
            conflicts.append(Conflict("index template", name, reason, fix))
    return conflicts


def template_reason(name: str, body: Body, claim: Claim) -> str:
    """Say why an index template of others is in the way; nothing when it is not."""
    if name in claim.index_templates:
        return "has a name that is to be ours, without our mark"
    priority = body.get("priority") or 0
    for pattern in body["index_patterns"]:
        if any(overlap(pattern, own) for own in claim.index_patterns):
            if priority >= claim.priority:
                return f"matches our names by {pattern} with priority {priority}, ours has {claim.priority}"
            if pattern.startswith(claim.prefix):
                return f"is meant for our names by {pattern}"
    return ""


def index_conflicts(resolved: Body, mappings: Body, claim: Claim) -> list[Conflict]:
    """List the indices, data streams and aliases under the prefix that our templates did not make.

    `resolved` is the answer of `_resolve/index`, `mappings` that of `_mapping`.
    """
    marked = {name for name, index in mappings.items() if is_ours(index["mappings"].get("_meta"), claim.mark)}
    streams = [
        foreign("data stream", stream["name"], claim)
        for stream in resolved["data_streams"]
        if not marked.issuperset(stream["backing_indices"])
    ]
    indices = [
        foreign("index", index["name"], claim)
        for index in resolved["indices"]
        if "data_stream" not in index and (index["name"] not in marked or index["name"] in claim.index_patterns)
    ]
    aliases = [
        Conflict("alias", alias["name"], "has a name that is to be ours", "Remove the alias, or choose another prefix.")
        for alias in resolved["aliases"]
        if matches(alias["name"], claim.index_patterns)
    ]
    return [found for found in (*streams, *indices, *aliases) if found]


def foreign(kind: str, name: str, claim: Claim) -> Conflict | None:
    """Judge an index or data stream that our templates did not make."""
    if matches(name, claim.index_patterns):
        fix = "Reindex it under another name and delete it, or choose another prefix."
        return Conflict(kind, name, "has a name that is to be ours, but our templates did not make it", fix)
    if matches(name, claim.tolerated):
        return None
    fix = "Delete it, reindex it under another name, list it as tolerated, or choose another prefix."
    return Conflict(kind, name, f"would be searched with ours by {claim.prefix}*", fix)
