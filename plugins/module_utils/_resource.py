# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kind of object that a server holds, and what is done to one or all of its objects: read, compare, write."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils._api import (
    Api,
    Body,
    OptionError,
    Options,
    Params,
    Request,
    path_to,
)
from ansible_collections.raylogs.efk.plugins.module_utils._args import check_name
from ansible_collections.raylogs.efk.plugins.module_utils._reconcile import Change, first_difference, reconcile

Write = tuple[str, str, t.Any]
Check = t.Callable[[t.Any, str, t.Optional[Body], t.Optional[Body]], None]


def keep_whole(_desired: Body, current: Body) -> Body:
    """Compare the whole object, as it is replaced as a whole."""
    return current


def keep_declared(desired: Body, current: Body) -> Body:
    """Compare only what is declared, as nothing else is written."""
    return {key: value for key, value in current.items() if key in desired}


def replace_whole(path: str, desired: Body, _current: Body | None) -> list[Write]:
    """Replace the whole object by one request."""
    return [("PUT", path, desired)]


class Resource(t.NamedTuple):
    """A kind of object that a server holds by name, or, without `named`, once.

    `desired` builds a body from the options of a module, `entries` takes bodies by name out of an answer with one or
    many, `scope` cuts the current body down to what a write would touch, and `writes` lists method, path and body of
    the requests that make it so. `query` makes the request for all objects complete; `feature` is what a server must
    have, and `needs` names what it must have besides for a body. `check` refuses, by the connection and the name, what
    must not be written over what there is.
    """

    kind: str
    api: Api
    path: str
    options: Options
    desired: t.Callable[[Params], Body]
    entries: t.Callable[[Body], dict[str, Body]]
    normalise: t.Callable[[Body], Body]
    server_owned: frozenset[str] = frozenset()
    required_if: tuple[tuple[str, str, list[str]], ...] = ()
    scope: t.Callable[[Body, Body], Body] = keep_whole
    writes: t.Callable[[str, Body, Body | None], list[Write]] = replace_whole
    check_name: t.Callable[[str, str], None] = check_name
    named: bool = True
    query: str = ""
    feature: str = ""
    needs: t.Callable[[Body], str] = lambda _desired: ""
    check: Check = lambda *_: None

    @property
    def key(self) -> str:
        """Name the return value that holds the object."""
        return self.kind.lower().replace(" ", "_")

    @property
    def plural(self) -> str:
        """Name the return value that holds all objects, and the folder of their files."""
        if self.key.endswith("s"):
            return self.key
        return f"{self.key[:-1]}ies" if self.key.endswith("y") else f"{self.key}s"


def label(resource: Resource, name: str) -> str:
    """Call an object by its kind and name."""
    return f"{resource.kind} '{name}'" if resource.named else resource.kind


def build(resource: Resource, params: Params) -> Body:
    """Build the body of an object and make sure that it can be compared and sent.

    :raises OptionError: when a value has a form that no such object has.
    """
    try:
        desired = resource.desired(params)
        resource.normalise(desired)
        json.dumps(desired, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, AttributeError, KeyError, RecursionError) as error:
        named = label(resource, params.get("name", ""))
        raise OptionError(
            f"A value of {named} has a form that it cannot have: {error}. Correct it; quote dates and keys in YAML."
        ) from error
    return desired


def find_lack(resource: Resource, connection: t.Any, desired: Body | None = None) -> str:
    """Say why a server cannot hold such objects at all, or this one; nothing when it can, as far as is known."""
    needed = [resource.feature, "" if desired is None else resource.needs(desired)]
    lack = next(filter(None, (resource.api.lack(connection, feature) for feature in needed if feature)), "")
    return f"Cannot manage objects of the kind {resource.kind}: {lack}" if lack else ""


def check_support(resource: Resource, connection: t.Any, desired: Body | None = None) -> None:
    """Refuse a server that cannot hold such objects, or this one.

    :raises OptionError: with the server's version.
    """
    if lack := find_lack(resource, connection, desired):
        raise OptionError(lack)


def read(resource: Resource, connection: t.Any, name: str) -> Body | None:
    """Read an object, without what the server alone decides."""
    what = f"Cannot read {label(resource, name)}"
    answer = resource.api.call(connection, Request(what, "GET", path_to(resource.path, name), absent_is_none=True))
    return pick(resource, answer, name)


def read_all(resource: Resource, connection: t.Any) -> dict[str, Body]:
    """Read all objects of a kind by one request, with what the server alone decides."""
    path = resource.path.replace("/{name}", "") + resource.query
    answer = resource.api.call(connection, Request(f"Cannot read {resource.kind}", "GET", path, absent_is_none=True))
    return {} if answer is None else resource.entries(answer)


def pick(resource: Resource, answer: Body | None, name: str) -> Body | None:
    """Take one object out of an answer that may hold many."""
    current = None if answer is None else resource.entries(answer).get(name)
    return None if current is None else without_owned(resource, current)


def without_owned(resource: Resource, current: Body) -> Body:
    """Leave out what the server alone decides."""
    return {key: value for key, value in current.items() if key not in resource.server_owned}


def compare(resource: Resource, desired: Body | None, current: Body | None) -> Change:
    """Compare what is wanted and what is there, as far as a write would change it."""
    scoped = current if desired is None or current is None else resource.scope(desired, current)
    return reconcile(desired, scoped, resource.normalise)


def write(resource: Resource, connection: t.Any, name: str, desired: Body | None, current: Body | None) -> None:
    """Make an object what is wanted, or delete it."""
    path = path_to(resource.path, name)
    if desired is None:
        what = f"Cannot delete {label(resource, name)}"
        resource.api.call(connection, Request(what, "DELETE", path, absent_is_none=True))
        return
    what = f"Cannot write {label(resource, name)}"
    for method, to, body in resource.writes(path, desired, current):
        resource.api.call(connection, Request(what, method, to, body))


def unkept(resource: Resource, change: Change, found: Body | None) -> str:
    """Name what the server holds otherwise than it was written; nothing when all is well."""
    scoped = found if found is None or change.after is None else resource.scope(change.after, found)
    kept = None if scoped is None else resource.normalise(scoped)
    return first_difference(change.after, kept) or first_difference(kept, change.after)


def describe_change(resource: Resource, name: str, change: Change) -> Body:
    """Build the difference that Ansible shows."""
    header = label(resource, name)
    return {
        "before_header": header,
        "before": change.before or {},
        "after_header": header,
        "after": change.after or {},
    }
