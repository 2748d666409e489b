# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan what a list of objects needs on a server that holds these and others: pure, all of it.

What can be known to fail is refused here, before anything is written: a component that nobody has, priorities that
collide, a deletion of what is in use, a field that would change its type.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, OptionError, Options
from ansible_collections.raylogs.efk.plugins.module_utils._args import STATE
from ansible_collections.raylogs.efk.plugins.module_utils._conflicts import is_ours, matches, overlap
from ansible_collections.raylogs.efk.plugins.module_utils._kinds import KINDS
from ansible_collections.raylogs.efk.plugins.module_utils._normalise import normalise_mapping, normalise_template
from ansible_collections.raylogs.efk.plugins.module_utils._objects import (
    COMPONENT_TEMPLATE,
    DATA_STREAM,
    ILM_POLICY,
    INDEX_TEMPLATE,
    INGEST_PIPELINE,
)
from ansible_collections.raylogs.efk.plugins.module_utils._reconcile import Change, first_difference
from ansible_collections.raylogs.efk.plugins.module_utils._resource import (
    Resource,
    build,
    compare,
    label,
    without_owned,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MARKED = (ILM_POLICY, INGEST_PIPELINE, COMPONENT_TEMPLATE, INDEX_TEMPLATE)
USES = {
    ILM_POLICY.key: ("index.lifecycle.name",),
    INGEST_PIPELINE.key: ("index.default_pipeline", "index.final_pipeline"),
}
Found = dict[str, dict[str, Body]]


class Declared(t.NamedTuple):
    """An object as it is declared; the body is None when it is to be absent."""

    resource: Resource
    name: str
    body: Body | None


class Step(t.NamedTuple):
    """What is to be done about one object."""

    resource: Resource
    name: str
    change: Change
    desired: Body | None
    current: Body | None


class Stream(t.NamedTuple):
    """A data stream, the index that it writes to with its mapping, and the mappings of the indices before it.

    Of a mapping there is `_meta` alone where no more was asked for.
    """

    name: str
    write_index: str
    mapping: Body
    former: tuple[Body, ...] = ()
    kind: str = "data stream"


def declare(entries: list[Body], mark: Body) -> list[Declared]:
    """Check the list and build the bodies, in the order in which they can be written.

    :raises OptionError: for the first entry that cannot work.
    """
    declared = [declare_one(number, entry, mark) for number, entry in enumerate(entries)]
    seen: set[tuple[str, str]] = set()
    for each in declared:
        if (each.resource.key, each.name) in seen:
            raise OptionError(f"The {label(each.resource, each.name)} is declared twice. Leave one of them out.")
        seen.add((each.resource.key, each.name))
    order = list(KINDS)
    return sorted(declared, key=lambda each: order.index(each.resource.key))


def declare_one(number: int, entry: Body, mark: Body) -> Declared:
    """Check one entry of the list by the options of the module of its kind.

    :raises OptionError: when it cannot work.
    """
    resource = KINDS.get(str(entry.get("kind")))
    if resource is None:
        kinds = ", ".join(KINDS)
        raise OptionError(f"objects[{number}] has the kind {entry.get('kind')!r}. Valid kinds are {kinds}.")
    named: Options = {"name": {"type": "str", "required": True}, **STATE} if resource.named else {}
    rules = [list(rule) for rule in resource.required_if]
    validator = ArgumentSpecValidator({**named, **resource.options}, required_if=rules)
    result = validator.validate({key: value for key, value in entry.items() if key != "kind"})
    name = str(entry.get("name", ""))
    if result.error_messages:
        raise OptionError(f"objects[{number}], {label(resource, name)}: {'; '.join(result.error_messages)}.")
    params = result.validated_parameters
    if resource.named:
        resource.check_name(resource.kind, name)
    if params.get("state") == "absent":
        return Declared(resource, name, None)
    if resource in MARKED and mark:
        params["meta"] = {**mark, **(params["meta"] or {})}
    return Declared(resource, name, build(resource, params))


def prune(declared: list[Declared], found: Found, mark: Body) -> list[Declared]:
    """Declare absent what carries the mark and is not declared, dependants first."""
    names = {(each.resource.key, each.name) for each in declared}
    return [
        Declared(resource, name, None)
        for resource in MARKED
        for name, body in sorted(found.get(resource.key, {}).items())
        if is_ours(body.get("_meta"), mark) and (resource.key, name) not in names
    ]


def plan(declared: list[Declared], found: Found) -> list[Step]:
    """Compare everything: what is written comes in the order given, then what is deleted, dependants first."""
    steps = []
    for each in declared:
        held = found[each.resource.key].get(each.name)
        current = None if held is None else without_owned(each.resource, held)
        steps.append(Step(each.resource, each.name, compare(each.resource, each.body, current), each.body, current))
    deleted = [step for step in steps if step.change.verb == "delete"]
    return [step for step in steps if step.change.verb != "delete"] + deleted[::-1]


def after(steps: list[Step], found: Found, resource: Resource) -> dict[str, Body]:
    """Say which objects of a kind there are once all steps are taken."""
    mine = [step for step in steps if step.resource is resource]
    gone = {step.name for step in mine if step.desired is None}
    kept = {name: body for name, body in found.get(resource.key, {}).items() if name not in gone}
    return {**kept, **{step.name: step.desired for step in mine if step.desired is not None}}


def check(steps: list[Step], found: Found) -> None:
    """Refuse what the server would refuse, or do only half of.

    :raises OptionError: with the fix.
    """
    for step in steps:
        if step.change.verb in {"create", "update"} and step.resource is INDEX_TEMPLATE:
            check_components(step, after(steps, found, COMPONENT_TEMPLATE))
            check_priority(step, after(steps, found, INDEX_TEMPLATE), "")
            check_priority(step, found[INDEX_TEMPLATE.key], ", which this run would change or delete only afterwards")
        if step.change.verb == "delete":
            check_unused(step, steps, found)


def check_components(step: Step, components: Mapping[str, Body]) -> None:
    """Refuse an index template of components that neither exist nor are declared.

    :raises OptionError: with the fix.
    """
    template = step.desired or {}
    optional = template.get("ignore_missing_component_templates") or []
    missing = [name for name in template.get("composed_of") or [] if name not in components and name not in optional]
    if missing:
        raise OptionError(
            f"Index template '{step.name}' is composed of {', '.join(missing)}, which neither exists nor is declared. "
            "Declare the component template, correct its name, or list it in ignore_missing_component_templates."
        )


def check_priority(step: Step, templates: Mapping[str, Body], when: str) -> None:
    """Refuse an index template that matches what another of the same priority matches; the server never has both.

    :raises OptionError: with the fix.
    """
    template = step.desired or {}
    for name, other in templates.items():
        same = (other.get("priority") or 0) == (template.get("priority") or 0)
        if name != step.name and same and common_pattern(template, other):
            raise OptionError(
                f"Index template '{step.name}' has the same priority as '{name}' ({template.get('priority') or 0}) and "
                f"{common_pattern(template, other)}{when}. Give it another priority or narrower index_patterns."
            )


def common_pattern(one: Body, other: Body) -> str:
    """Say which patterns of two templates may match the same name; nothing when none do."""
    pairs = ((mine, theirs) for mine in patterns(one) for theirs in patterns(other) if overlap(mine, theirs))
    return next((f"both match {mine}" if mine == theirs else f"{mine} meets {theirs}" for mine, theirs in pairs), "")


def patterns(template: Body) -> list[str]:
    """Take the patterns of an index template."""
    found = template["index_patterns"]
    return [found] if isinstance(found, str) else found


def check_unused(step: Step, steps: list[Step], found: Found) -> None:
    """Refuse to delete what something that stays needs.

    :raises OptionError: with the fix.
    """
    users = sorted(find_users(step, steps, found))
    if users:
        raise OptionError(
            f"Cannot delete {label(step.resource, step.name)}, which is still needed by {', '.join(users)}. "
            "Declare it, or delete those first."
        )


def find_users(step: Step, steps: list[Step], found: Found) -> Iterable[str]:
    """Name what stays and needs an object that is to be deleted."""
    templates, components = after(steps, found, INDEX_TEMPLATE), after(steps, found, COMPONENT_TEMPLATE)
    for name, template in templates.items():
        optional = template.get("ignore_missing_component_templates") or []
        if step.resource is COMPONENT_TEMPLATE:
            uses = step.name in (template.get("composed_of") or []) and step.name not in optional
        else:
            settings = merged_template(template, components).get("settings", {})
            uses = step.name in {settings.get(key) for key in USES.get(step.resource.key, ())}
        if uses:
            yield f"index template '{name}'"
    if step.resource is INGEST_PIPELINE:
        for name, pipeline in after(steps, found, INGEST_PIPELINE).items():
            if step.name in called_pipelines(pipeline):
                yield f"ingest pipeline '{name}'"
    gone = deleted_streams(steps)
    users = found[step.resource.key][step.name].get("in_use_by") or {}
    indices = (name for name in users.get("indices") or [] if not is_index_of(name, gone))
    yield from (f"index '{name}'" for name in indices)
    yield from (f"data stream '{name}'" for name in users.get("data_streams") or [] if name not in gone)


def called_pipelines(part: t.Any) -> set[str]:
    """Name the pipelines that the processors of a pipeline call, at any depth."""
    if isinstance(part, list):
        return set().union(*(called_pipelines(item) for item in part))
    if not isinstance(part, dict):
        return set()
    call = part.get("pipeline")
    mine = {call["name"]} if isinstance(call, dict) and isinstance(call.get("name"), str) else set()
    return mine.union(*(called_pipelines(value) for value in part.values()))


def deleted_streams(steps: list[Step]) -> set[str]:
    """Name the data streams that this run deletes, with their indices."""
    return {step.name for step in steps if step.resource is DATA_STREAM and step.change.verb == "delete"}


def is_index_of(index: str, streams: Iterable[str]) -> bool:
    """Say whether an index is one of a data stream's own."""
    return any(index.startswith(f".ds-{stream}-") for stream in streams)


def merged_template(template: Body, components: Mapping[str, Body]) -> Body:
    """Merge what an index gets from a template and its components."""
    parts = [components[name] for name in template.get("composed_of") or [] if name in components]
    merged: Body = {}
    for part in (*parts, template):
        merged = merge(merged, normalise_template(part.get("template")))
    return merged


def merge(one: Body, other: Body, *, join: bool = False) -> Body:
    """Merge two bodies as the server does: the second wins, but lists in notes are joined."""
    merged = {**one, **other}
    for key in one.keys() & other.keys():
        mine, theirs = one[key], other[key]
        if isinstance(mine, dict) and isinstance(theirs, dict):
            merged[key] = merge(mine, theirs, join=join or key == "_meta")
        elif join and isinstance(mine, list) and isinstance(theirs, list):
            merged[key] = theirs + [item for item in mine if item not in theirs]
    return merged


def streams_without_template(streams: Iterable[str], steps: list[Step], found: Found) -> list[str]:
    """Name the data streams that would be left without a template by the deletions."""
    gone = [found[INDEX_TEMPLATE.key][step.name] for step in steps if deletes_template(step)]
    left = [template for template in after(steps, found, INDEX_TEMPLATE).values() if "data_stream" in template]
    return [
        name
        for name in streams
        if name not in deleted_streams(steps)
        and any(matches(name, patterns(template)) for template in gone)
        and not any(matches(name, patterns(template)) for template in left)
    ]


def deletes_template(step: Step) -> bool:
    """Say whether a step deletes an index template."""
    return step.resource is INDEX_TEMPLATE and step.change.verb == "delete"


# Rollover


def expected_mapping(stream: str, steps: list[Step], found: Found) -> Body:
    """Merge the mappings that the next index of a data stream gets from its template and its components."""
    templates = after(steps, found, INDEX_TEMPLATE).values()
    mine = [template for template in templates if matches(stream, patterns(template))]
    if not mine:
        return {}
    template = max(mine, key=lambda each: each.get("priority") or 0)
    mappings: Body = merged_template(template, after(steps, found, COMPONENT_TEMPLATE)).get("mappings", {})
    return mappings


def needs_rollover(stream: Stream, expected: Body) -> bool:
    """Say whether the index that a stream writes to was made from other templates, as `_meta` of its mapping tells."""
    return bool(first_difference(expected.get("_meta", {}), stream.mapping.get("_meta", {})))


def check_types(stream: Stream, expected: Body) -> None:
    """Refuse to give a field another type than the stream's events have.

    :raises OptionError: with the fix.
    """
    have: dict[str, str] = {}
    for mapping in (*stream.former, stream.mapping):
        have.update(field_types(mapping))
    want = field_types(expected)
    for name, kind in want.items():
        if have.get(name, kind) != kind:
            raise OptionError(
                f"Field {name} of {stream.kind} '{stream.name}' has the type {have[name]}, the templates would make it "
                f"{kind}. A field is added, never retyped: give it another name, or delete the {stream.kind} first."
            )


def field_types(mapping: Body) -> dict[str, str]:
    """Say the type of each field of a mapping by its dotted name."""

    def walk(properties: Body, prefix: str) -> t.Iterator[tuple[str, str]]:
        for name, field in properties.items():
            yield prefix + name, field.get("type", "object")
            yield from walk(field.get("properties", {}), f"{prefix}{name}.")

    return dict(walk(normalise_mapping(mapping).get("properties", {}), ""))


def find_streams(answer: Body) -> list[Stream]:
    """Take data streams and the mappings of their write indices out of the state of a cluster."""
    metadata = answer.get("metadata", {})
    indices = metadata.get("indices", {})
    found = metadata.get("data_stream", {}).get("data_stream", {})
    streams = []
    for name, stream in sorted(found.items()):
        names = [index["index_name"] for index in stream["indices"]]
        *former, mapping = (indices.get(index, {}).get("mappings", {}).get("_doc", {}) for index in names)
        streams.append(Stream(name, names[-1], mapping, tuple(former)))
    return streams


def changes_templates(steps: list[Step]) -> bool:
    """Say whether a step changes what the next index of a data stream is made from."""
    return any(step.change.verb != "none" and step.resource in (COMPONENT_TEMPLATE, INDEX_TEMPLATE) for step in steps)
