# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles of Elasticsearch, alone or as the rights of a key: what is declared, compared and refused."""

from __future__ import annotations

import difflib
import json
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, OptionError, Options, Params, Request
from ansible_collections.raylogs.efk.plugins.module_utils._normalise import Rule, apply_rules, without_none
from ansible_collections.raylogs.efk.plugins.module_utils._resource import Resource
from ansible_collections.raylogs.efk.plugins.module_utils._security import SECURITY, ask_if_allowed
from ansible_collections.raylogs.efk.plugins.module_utils._security_names import (
    check_form,
    check_notes,
    check_security_name,
)

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import Connection

NAMES: Body = {"type": "list", "elements": "str"}
ROLE_OPTIONS: Options = {
    "cluster": NAMES,
    "indices": {
        "type": "list",
        "elements": "dict",
        "options": {
            "names": {**NAMES, "required": True},
            "privileges": {**NAMES, "required": True},
            "query": {"type": "raw"},
            "field_security": {"type": "dict", "options": {"grant": NAMES, "except": NAMES}},
            "allow_restricted_indices": {"type": "bool"},
        },
    },
    "applications": {
        "type": "list",
        "elements": "dict",
        "options": {
            "application": {"type": "str", "required": True},
            "privileges": {**NAMES, "required": True},
            "resources": {**NAMES, "required": True},
        },
    },
    "run_as": NAMES,
    "metadata": {"type": "dict"},
    "description": {"type": "str"},
}
# Besides the privileges that have names there are those of single actions.
ACTIONS = {
    "cluster": ("cluster:", "indices:admin/template/", "indices:admin/index_template/"),
    "index": ("indices:", "internal:"),
}


NEVER_EMPTY = {"indices": ("names", "privileges"), "applications": ("application", "privileges", "resources")}
LONGEST_DESCRIPTION = 1000


# What is declared


def desired_role(params: Params) -> Body:
    """Build the body Elasticsearch should hold.

    :raises OptionError: when the server would refuse it.
    """
    role = build_role(params)
    check_parts(f"Cannot write role '{params['name']}'", role)
    return role


def build_role(params: Params) -> Body:
    """Build a role out of options."""
    parts = {key: params[key] for key in ROLE_OPTIONS}
    if parts["indices"] is not None:
        parts["indices"] = [desired_rights(each) for each in parts["indices"]]
    return without_none(parts)


def desired_rights(entry: Body) -> Body:
    """Build the rights on some indices."""
    fields = entry.get("field_security")
    return without_none({**entry, "field_security": None if fields is None else without_none(fields)})


def desired_descriptors(what: str, declared: Body) -> dict[str, Body]:
    """Build the rights of a key, role by role, out of what could be options of the module of roles.

    :raises OptionError: when one is none.
    """
    if not declared:
        raise OptionError(
            f"{what}: role_descriptors is empty, which would give the key all rights of its owner. "
            "Name what it may do, such as {writer: {indices: [{names: [app], privileges: [create_doc]}]}}."
        )
    for name in declared:
        check_form(f"{what}: a role of role_descriptors cannot be named", "role", str(name))
    return {name: desired_descriptor(what, name, entry) for name, entry in declared.items()}


def desired_descriptor(what: str, name: str, declared: t.Any) -> Body:
    """Build the rights that one role gives to a key.

    :raises OptionError: when it is no role.
    """
    if not isinstance(declared, dict):
        raise OptionError(f"{what}: role_descriptors.{name} is no role, but {declared!r}. Write it as a dictionary.")
    options = {**ROLE_OPTIONS, "indices": {**ROLE_OPTIONS["indices"], "aliases": ["index"]}}
    result = ArgumentSpecValidator(options).validate(declared)
    if result.error_messages:
        raise OptionError(f"{what}: role_descriptors.{name}: {'; '.join(result.error_messages)}.")
    role = build_role(result.validated_parameters)
    check_parts(f"{what}: role_descriptors.{name}", role)
    return role


def check_parts(what: str, role: Body) -> None:
    """Refuse parts that the server refuses, or takes although they give nothing.

    :raises OptionError: with the fix.
    """
    check_notes(what, role.get("metadata"))
    if len(role.get("description", "")) > LONGEST_DESCRIPTION:
        raise OptionError(f"{what}: description is longer than {LONGEST_DESCRIPTION} characters. Shorten it.")
    for part, keys in NEVER_EMPTY.items():
        for number, entry in enumerate(role.get(part, [])):
            if empty := [key for key in keys if not entry[key] or "" in as_list(entry[key])]:
                raise OptionError(
                    f"{what}: {part}[{number}].{empty[0]} is empty or holds an empty text, which gives no rights. "
                    "Correct it, or leave this entry out."
                )
            if entry.get("field_security") == {}:
                raise OptionError(
                    f"{what}: {part}[{number}].field_security names no fields. Give grant, or leave field_security out."
                )


# What the server makes of it


def normalise_role(role: Body) -> Body:
    """Normalise a role."""
    return apply_rules(role, RULES)


def normalise_descriptors(descriptors: Body) -> Body:
    """Normalise the rights of a key."""
    return {name: normalise_role(role) for name, role in descriptors.items()}


def drop_transient(role: Body) -> Body:
    """Forget what the server says of the moment: whether the licence covers the role."""
    return {key: value for key, value in role.items() if key != "transient_metadata"}


def sort_names(role: Body) -> Body:
    """Write lists that are sets in one order."""
    return {**role, **{key: as_set(role[key]) for key in ("cluster", "run_as") if role.get(key)}}


def sort_indices(role: Body) -> Body:
    """Write the rights on indices in one order; each gives its rights whatever the others give."""
    return {**role, "indices": as_set([normalise_rights(entry) for entry in role.get("indices") or []])}


def sort_applications(role: Body) -> Body:
    """Write the rights on applications in one order."""
    entries = role.get("applications") or []
    sets = ("privileges", "resources")
    sorted_entries = [{**entry, **{key: as_set(entry[key]) for key in sets}} for entry in entries]
    return {**role, "applications": as_set(sorted_entries)}


def normalise_rights(entry: Body) -> Body:
    """Normalise the rights on some indices."""
    return apply_rules(entry, RIGHTS_RULES)


def sort_rights(entry: Body) -> Body:
    """Write names and privileges, which may be given as one, as sets; privileges know no capitals."""
    names, privileges = as_list(entry["names"]), as_list(entry["privileges"])
    return {**entry, "names": as_set(names), "privileges": as_set([each.lower() for each in privileges])}


def parse_query(entry: Body) -> Body:
    """Read a query out of the text that the server makes of it."""
    query = entry.get("query")
    if not isinstance(query, str):
        return entry
    try:
        return {**entry, "query": json.loads(query)}
    except ValueError:
        return entry


def sort_fields(entry: Body) -> Body:
    """Write the fields that are granted, and those that are not, as sets."""
    fields = entry.get("field_security") or {}
    return {**entry, "field_security": {key: as_set(names) for key, names in fields.items() if names}}


def drop_right_defaults(entry: Body) -> Body:
    """Forget that there are no restrictions, and that restricted indices are not covered."""
    defaults = {"field_security": {}, "query": "", "allow_restricted_indices": False}
    return {
        key: value
        for key, value in entry.items()
        if value is not None and not (key in defaults and value == defaults[key])
    }


def drop_empty(role: Body) -> Body:
    """Forget what is empty."""
    return {key: value for key, value in role.items() if value not in (None, "", [], {})}


def lower_cluster(role: Body) -> Body:
    """Write the privileges on the cluster in small letters: the server knows no capitals."""
    return {**role, "cluster": [each.lower() for each in role.get("cluster") or []]}


def as_list(value: t.Any) -> list[t.Any]:
    """Write one value as a list."""
    return value if isinstance(value, list) else [value]


def as_set(values: t.Sequence[t.Any]) -> list[t.Any]:
    """Write values in one order, each once."""
    by_text = {json.dumps(value, sort_keys=True): value for value in values}
    return [by_text[text] for text in sorted(by_text)]


RIGHTS_RULES: tuple[Rule, ...] = (sort_rights, parse_query, sort_fields, drop_right_defaults)
RULES: tuple[Rule, ...] = (drop_transient, lower_cluster, sort_names, sort_indices, sort_applications, drop_empty)


# What is refused


def is_reserved(current: Body | None) -> bool:
    """Say whether an object is built into the server."""
    return bool(current and (current.get("metadata") or {}).get("_reserved"))


def check_role(connection: Connection, name: str, desired: Body | None, current: Body | None) -> None:
    """Refuse what the server would refuse, and privileges that it does not know.

    :raises OptionError: with the fix.
    """
    if is_reserved(current):
        raise OptionError(
            f"Role '{name}' is built into Elasticsearch, which lets nobody change or delete it. "
            "Choose another name, and copy what you need of this role."
        )
    if desired is not None:
        check_privileges(connection, f"Cannot write role '{name}'", [desired])


def check_privileges(connection: Connection, what: str, roles: t.Iterable[Body]) -> None:
    """Refuse a privilege that the server does not know: some versions take it from a key and give it nothing.

    :raises OptionError: with the nearest one that it knows.
    """
    request = Request(what, "GET", "/_security/privilege/_builtin")
    known = ask_if_allowed(connection, request)
    if known is None:
        return
    for role in roles:
        wanted = [("cluster", each) for each in role.get("cluster") or []]
        wanted += [("index", each) for entry in role.get("indices") or [] for each in entry["privileges"]]
        for kind, privilege in wanted:
            if privilege.lower() not in known[kind] and not privilege.lower().startswith(ACTIONS[kind]):
                raise OptionError(f"{what}: {unknown_privilege(kind, privilege, known)}")


def unknown_privilege(kind: str, privilege: str, known: Body) -> str:
    """Say that a privilege is unknown and which is meant."""
    nearest = difflib.get_close_matches(privilege.lower(), known[kind], 1)
    words = {"cluster": "on the cluster", "index": "on indices"}
    other = "index" if kind == "cluster" else "cluster"
    if privilege.lower() in known[other]:
        fix = f"It is one {words[other]}: name it under {'indices' if other == 'index' else other}."
    elif nearest:
        fix = f"Did you mean {nearest[0]!r}?"
    else:
        fix = f"Valid ones are {', '.join(known[kind])}."
    return f"this server knows no privilege {privilege!r} {words[kind]}. {fix}"


ROLE = Resource(
    kind="role",
    api=SECURITY,
    path="/_security/role/{name}",
    options=ROLE_OPTIONS,
    desired=desired_role,
    entries=lambda answer: answer,
    normalise=normalise_role,
    server_owned=frozenset({"transient_metadata"}),
    check_name=check_security_name,
    check=check_role,
    feature="native_users",
    needs=lambda desired: "role_descriptions" if "description" in desired else "",
)
