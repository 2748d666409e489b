# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring many objects to one server in one pass: read each kind once, plan, check, write what differs, read back."""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from ansible_collections.raylogs.efk.plugins.module_utils._api import ApiError, Body, OptionError, Request
from ansible_collections.raylogs.efk.plugins.module_utils._content import (
    MARKED,
    Declared,
    Found,
    Step,
    Stream,
    changes_templates,
    check,
    check_types,
    declare,
    deleted_streams,
    deletes_template,
    expected_mapping,
    find_streams,
    is_index_of,
    needs_rollover,
    plan,
    prune,
    streams_without_template,
)
from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import Connection, call, connect
from ansible_collections.raylogs.efk.plugins.module_utils._folder import read_folder
from ansible_collections.raylogs.efk.plugins.module_utils._kinds import KINDS
from ansible_collections.raylogs.efk.plugins.module_utils._objects import (
    COMPONENT_TEMPLATE,
    INDEX_TEMPLATE,
    INGEST_PIPELINE,
)
from ansible_collections.raylogs.efk.plugins.module_utils._resource import (
    describe_change,
    find_lack,
    label,
    read_all,
    unkept,
    without_owned,
    write,
)

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._module import Task

STATE = (
    "/_cluster/state/metadata/{streams}?ignore_unavailable=true&allow_no_indices=true&expand_wildcards=all&filter_path="
)
PIPELINES_OF_INDICES = (
    "/_all/_settings/index.default_pipeline,index.final_pipeline?flat_settings=true&expand_wildcards=all"
)
STREAMS = "metadata.data_stream.data_stream.*.indices.index_name"


class Plan(t.NamedTuple):
    """What is to be done: about objects, and data streams to roll over, each with the `_meta` it will get."""

    steps: list[Step]
    rollovers: list[tuple[Stream, Body]]
    unsupported: list[Body]


def apply(task: Task) -> Body:
    """Be the module `elasticsearch_content`.

    :raises OptionError: when something declared cannot work; nothing was written then.
    :raises ApiError: when the server refuses something.
    """
    params = task.params
    if params["assume_empty"] and not task.check_mode:
        raise OptionError("assume_empty is for check mode: nothing can be written to a server that is not there.")
    if any(not name or name == "_all" or set(name) & set("*?,") for name in params["roll_over"]):
        raise OptionError("roll_over names all data streams or several at once. Name each by its full name.")
    if params["prune"] and not params["mark"]:
        raise OptionError("prune needs mark, which tells our objects from those of others.")
    folder = read_folder(params["path"], {each.plural: key for key, each in KINDS.items()}) if params["path"] else []
    declared = declare(params["objects"] + folder, params["mark"])
    if params["assume_empty"]:
        steps = plan(declared, {key: {} for key in KINDS})
        return report(Plan(steps, [], []))
    connection = connect(params)
    made = make_plan(connection, declared, task)
    if not task.check_mode:
        carry_out(connection, made, task.warn)
    return report(made)


def make_plan(connection: Connection, declared: list[Declared], task: Task) -> Plan:
    """Read what is there, each kind by one request, and plan.

    :raises OptionError: when something declared cannot work.
    """
    supported, unsupported = split(connection, declared, skip=task.params["unsupported"] == "skip")
    found = read_kinds(connection, supported, task)
    if task.params["prune"]:
        supported += prune(supported, found, task.params["mark"])
    steps = plan(supported, found)
    check(steps, found)
    check_template_users(connection, steps, found)
    check_pipeline_users(connection, steps)
    check_pipelines(connection, steps)
    check_each(connection, steps)
    check_index_types(connection, task.params["keep_types"], steps, found)
    return Plan(steps, find_rollovers(connection, task.params["roll_over"], steps, found), unsupported)


def split(connection: Connection, declared: list[Declared], *, skip: bool) -> tuple[list[Declared], list[Body]]:
    """Part what the server can hold from what it cannot.

    :raises OptionError: for the first that it cannot, unless those are to be skipped.
    """
    lacks = [find_lack(each.resource, connection, each.body) for each in declared]
    supported = [each for each, lack in zip(declared, lacks) if not lack]
    unsupported = [
        {"kind": each.resource.key, "name": each.name, "reason": lack} for each, lack in zip(declared, lacks) if lack
    ]
    if unsupported and not skip:
        raise OptionError(unsupported[0]["reason"])
    return supported, unsupported


def read_kinds(connection: Connection, declared: list[Declared], task: Task) -> Found:
    """Read every kind that is declared or that a decision depends on."""
    wanted = {each.resource.key for each in declared}
    if task.params["prune"] or any(each.body is None for each in declared):
        wanted |= {each.key for each in MARKED if not find_lack(each, connection)}
    if task.params["roll_over"] or INDEX_TEMPLATE.key in wanted:
        wanted |= {INDEX_TEMPLATE.key, COMPONENT_TEMPLATE.key}
    return {key: read_all(each, connection) for key, each in KINDS.items() if key in wanted}


def check_template_users(connection: Connection, steps: list[Step], found: Found) -> None:
    """Refuse to delete the only index template of a data stream.

    :raises OptionError: with the fix.
    """
    if not any(deletes_template(step) for step in steps):
        return
    request = Request("Cannot read the data streams", "GET", "/_resolve/index/*?expand_wildcards=all")
    names = [stream["name"] for stream in call(connection, request).get("data_streams", [])]
    if left := streams_without_template(names, steps, found):
        raise OptionError(
            f"Cannot delete the index templates of the data streams {', '.join(left)}: a data stream needs one. "
            "Delete these streams and their data first, or declare another index template that matches them."
        )


def check_pipeline_users(connection: Connection, steps: list[Step]) -> None:
    """Refuse to delete an ingest pipeline that every document of an index goes through.

    :raises OptionError: with the fix.
    """
    deleted = {step.name for step in steps if step.resource is INGEST_PIPELINE and step.change.verb == "delete"}
    if not deleted:
        return
    request = Request("Cannot read the settings of indices", "GET", PIPELINES_OF_INDICES)
    users = sorted(
        f"{value} by {index}"
        for index, found in call(connection, request).items()
        for value in found["settings"].values()
        if value in deleted and not is_index_of(index, deleted_streams(steps))
    )
    if users:
        raise OptionError(
            f"Cannot delete ingest pipelines that indices use: {', '.join(users)}. Set index.default_pipeline and "
            "index.final_pipeline of these indices to _none first."
        )


def check_pipelines(connection: Connection, steps: list[Step]) -> None:
    """Let the server try each pipeline that would be written on an empty document, so that it refuses it beforehand.

    :raises ApiError: when it does.
    """
    for step in steps:
        if step.resource is INGEST_PIPELINE and step.change.verb in {"create", "update"}:
            body: Body = {"pipeline": step.desired, "docs": [{"_source": {}}]}
            what = f"Cannot write {label(step.resource, step.name)}"
            call(connection, Request(what, "POST", "/_ingest/pipeline/_simulate", body, repeatable=True))


def check_each(connection: Connection, steps: list[Step]) -> None:
    """Refuse what the module of one kind would refuse.

    :raises OptionError: with the fix.
    """
    for step in steps:
        if step.change.verb != "none":
            step.resource.check(connection, step.name, step.desired, step.current)


def find_rollovers(
    connection: Connection, names: list[str], steps: list[Step], found: Found
) -> list[tuple[Stream, Body]]:
    """Find the data streams that write to an index made from other templates.

    :raises OptionError: when a field would change its type.
    """
    kept = [name for name in names if name not in deleted_streams(steps)]
    rollovers = []
    for stream in read_streams(connection, kept, "mappings._doc._meta"):
        expected = expected_mapping(stream.name, steps, found)
        if needs_rollover(stream, expected):
            rollovers.append((stream, expected.get("_meta", {})))
    checked = kept if changes_templates(steps) else [stream.name for stream, _meta in rollovers]
    for stream in read_streams(connection, checked, "mappings._doc"):
        check_types(stream, expected_mapping(stream.name, steps, found))
    return rollovers


def check_index_types(connection: Connection, indices: list[str], steps: list[Step], found: Found) -> None:
    """Refuse templates that would give later indices fields of another type than these have.

    :raises OptionError: with the fix.
    """
    if not indices or not changes_templates(steps):
        return
    path = STATE.format(streams=quote(",".join(indices), safe=",*")) + "metadata.indices.*.mappings._doc"
    answer = call(connection, Request("Cannot read the indices", "GET", path, absent_is_none=True)) or {}
    for name, index in sorted(answer.get("metadata", {}).get("indices", {}).items()):
        mapping = index["mappings"].get("_doc", {})
        check_types(Stream(name, name, mapping, kind="index"), expected_mapping(name, steps, found))


def read_streams(connection: Connection, names: list[str], part: str) -> list[Stream]:
    """Read this part of the mappings of these data streams; those that do not exist are left out."""
    if not names:
        return []
    path = STATE.format(streams=quote(",".join(names), safe=",")) + f"{STREAMS},metadata.indices.*.{part}"
    answer = call(connection, Request("Cannot read the data streams", "GET", path, absent_is_none=True))
    return find_streams(answer or {})


def carry_out(connection: Connection, made: Plan, warn: t.Callable[[str], None]) -> None:
    """Write what differs and look whether it was kept.

    :raises ApiError: when the server refuses something; what was written before stays.
    """
    changed = [step for step in made.steps if step.change.verb != "none"]
    done = 0
    try:
        for step in changed:
            write(step.resource, connection, step.name, step.desired, step.current)
            done += 1
        for stream, _meta in made.rollovers:
            roll_over(connection, stream)
            done += 1
    except ApiError as error:
        total = len(changed) + len(made.rollovers)
        fix = f"{error.fix} {done} of {total} changes were made before; the next run makes the others.".strip()
        raise ApiError(error.what, error.where, error.said, fix, error.status) from error
    for key in {step.resource.key: None for step in changed}:
        found = read_all(KINDS[key], connection)
        for step in changed:
            if step.resource.key == key:
                now = found.get(step.name)
                kept = None if now is None else without_owned(step.resource, now)
                if lost := unkept(step.resource, step.change, kept):
                    warn(f"The server does not keep {lost} of {label(step.resource, step.name)} as it was written.")


def roll_over(connection: Connection, stream: Stream) -> None:
    """Give a data stream a new index, unless another run just did."""
    now = read_streams(connection, [stream.name], "mappings._doc._meta")
    if [each.write_index for each in now] == [stream.write_index]:
        what = f"Cannot roll over data stream '{stream.name}'"
        call(connection, Request(what, "POST", f"/{quote(stream.name, safe='')}/_rollover"))


def report(made: Plan) -> Body:
    """Build what the module returns."""
    changed = [step for step in made.steps if step.change.verb != "none"]
    differences = [describe_change(step.resource, step.name, step.change) for step in changed]
    for stream, meta in made.rollovers:
        header = f"data stream '{stream.name}', _meta of the index it writes to"
        before = {"write_index": stream.write_index, "_meta": stream.mapping.get("_meta", {})}
        after = {"write_index": "a new one", "_meta": meta}
        differences.append({"before_header": header, "before": before, "after_header": header, "after": after})
    done = [{"kind": step.resource.key, "name": step.name, "verb": step.change.verb} for step in made.steps]
    rolled = [{"kind": "data_stream", "name": stream.name, "verb": "roll over"} for stream, _meta in made.rollovers]
    return {
        "changed": bool(changed or made.rollovers),
        "diff": differences,
        "objects": done + rolled,
        "unsupported": made.unsupported,
    }
