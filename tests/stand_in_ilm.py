# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rewrite ILM policies as the parsers of Elasticsearch 7.17, 8.19 and 9.2 do."""

from __future__ import annotations

import re
import typing as t

Body = dict[str, t.Any]

OPTIONS: dict[str, dict[str, str]] = {
    "allocate": {
        **dict.fromkeys(("number_of_replicas", "total_shards_per_node"), "number"),
        **dict.fromkeys(("include", "exclude", "require"), "as it is"),
    },
    "delete": {"delete_searchable_snapshot": "flag"},
    "downsample": {"fixed_interval": "as it is", "wait_timeout": "time"},
    "forcemerge": {"max_num_segments": "number", "index_codec": "as it is"},
    "freeze": {},
    "migrate": {"enabled": "flag"},
    "readonly": {},
    "rollover": {
        f"{bound}_{what}": form
        for bound in ("max", "min")
        for what, form in {"age": "time", "docs": "number", "size": "size"}.items()
    }
    | {
        f"{bound}_primary_shard_{what}": form
        for bound in ("max", "min")
        for what, form in {"docs": "number", "size": "size"}.items()
    },
    "searchable_snapshot": {
        "snapshot_repository": "as it is",
        "force_merge_index": "flag",
        "total_shards_per_node": "number",
        "replicate_for": "time",
    },
    "set_priority": {"priority": "number"},
    "shrink": {"number_of_shards": "number", "max_primary_shard_size": "size", "allow_write_after_shrink": "flag"},
    "unfollow": {},
    "wait_for_snapshot": {"policy": "as it is"},
}
DEFAULTS: dict[str, Body] = {
    "allocate": {"include": {}, "exclude": {}, "require": {}},
    "delete": {"delete_searchable_snapshot": True},
    "downsample": {"wait_timeout": "1d"},
    "migrate": {"enabled": True},
    "searchable_snapshot": {"force_merge_index": True},
    "shrink": {"allow_write_after_shrink": False},
}
SINCE_8 = (
    r"downsample.*|shrink\.allow_write_after_shrink|searchable_snapshot\.(replicate_for|total_shards_per_node)"
    r"|rollover\.(min_.*|max_primary_shard_docs)"
)
PHASES = {
    "hot": "set_priority unfollow rollover readonly downsample shrink forcemerge searchable_snapshot",
    "warm": "set_priority unfollow readonly downsample allocate migrate shrink forcemerge",
    "cold": "set_priority unfollow readonly downsample searchable_snapshot allocate migrate freeze",
    "frozen": "unfollow searchable_snapshot",
    "delete": "wait_for_snapshot delete",
}
UNITS = {"k": 10, "m": 20, "g": 30, "t": 40, "p": 50}


class RefusalError(Exception):
    """Refuse a request with this status, type and reason; what a parser refuses is the cause of something else."""

    def __init__(
        self, reason: str, kind: str = "illegal_argument_exception", status: int = 400, outer: str = ""
    ) -> None:
        """Build the body as Elasticsearch does."""
        super().__init__(reason)
        error: Body = {"type": kind, "reason": reason}
        if outer:
            error = {"type": "x_content_parse_exception", "reason": f"[1:1] {outer}", "caused_by": error}
        self.status = status
        self.body = {"error": {"root_cause": [{"type": kind, "reason": reason}], **error}, "status": status}


def value_of(form: str, value: t.Any, name: str) -> t.Any:
    """Read one value as Elasticsearch parses it and write it again."""
    text = str(value).strip().lower()
    if form == "as it is" or value is None:
        return value
    if form == "flag":
        if value not in (True, False, "true", "false"):
            raise refuse_policy(f"Failed to parse value [{value}] as only [true] or [false] are allowed.")
        return text == "true"
    number, unit = re.fullmatch(r"([-\d.]+)\s*([a-z]*)", text).groups()  # type: ignore[union-attr]
    if form == "number":
        return int(float(number))
    if form == "size":
        unit = unit.rstrip("b")
        return f"{int(float(number) * 2 ** UNITS[unit])}b" if "." in number else f"{int(number)}{unit}b"
    if "." in number or (not unit and number.strip("0")):
        raise refuse_policy(f"failed to parse setting [{name}] with value [{value}] as a time value")
    return f"{int(number)}{unit}" if unit else "0ms"


def refuse_policy(reason: str, kind: str = "illegal_argument_exception") -> RefusalError:
    """Refuse a policy that cannot be parsed."""
    return RefusalError(reason, kind, outer="[put_lifecycle_request] failed to parse field [policy]")


def knows(version: str, name: str) -> bool:
    """Say whether this version has an action or one of its options."""
    return not (version.startswith("7.") and re.fullmatch(SINCE_8, name))


def read_policy(version: str, policy: Body) -> Body:
    """Read a policy as Elasticsearch parses it and write it again."""
    for key in policy:
        if key not in {"phases", "_meta", "deprecated"} or (key == "deprecated" and version.startswith("7.")):
            raise refuse_policy(f"[1:1] [lifecycle_policy] unknown field [{key}]", "x_content_parse_exception")
    phases = {name: read_phase(version, phase) for name, phase in policy["phases"].items()}
    for name, phase in phases.items():
        if name not in PHASES:
            raise RefusalError(f"Timeseries lifecycle does not support phase [{name}]")
        for action in phase["actions"]:
            if action not in PHASES[name].split():
                raise RefusalError(f"invalid action [{action}] defined in phase [{name}]")
    return {**policy, "phases": phases}


def read_phase(version: str, phase: Body | None) -> Body:
    """Read a phase and its actions, and add what is default."""
    if "actions" not in (phase or {}):
        raise refuse_policy("Required [actions]")
    read: Body = {"min_age": value_of("time", phase.get("min_age", "0"), "min_age"), "actions": {}}  # type: ignore[union-attr]
    for action, options in phase["actions"].items():  # type: ignore[index]
        if action not in OPTIONS or not knows(version, action):
            raise refuse_policy(f"[1:1] unknown field [{action}]", "named_object_not_found_exception")
        for option in options:
            if option not in OPTIONS[action] or not knows(version, f"{action}.{option}"):
                raise refuse_policy(f"[1:1] [{action}] unknown field [{option}]", "x_content_parse_exception")
        if action == "rollover" and not any(option.startswith("max_") for option in options):
            raise refuse_policy("At least one max_* rollover condition must be set.")
        default = {key: value for key, value in DEFAULTS.get(action, {}).items() if knows(version, f"{action}.{key}")}
        given = {key: value_of(OPTIONS[action][key], value, key) for key, value in options.items()}
        read["actions"][action] = {**default, **given}
    return read
