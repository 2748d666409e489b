# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn a declared resource into a module: read, reconcile, write, read back, report."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.raylogs.efk.plugins.module_utils._api import (
    Api,
    ApiError,
    Body,
    OptionError,
    Options,
    Params,
    Request,
    path_to,
)
from ansible_collections.raylogs.efk.plugins.module_utils._args import STATE, check_name
from ansible_collections.raylogs.efk.plugins.module_utils._reconcile import Change, first_difference, reconcile


class Resource(t.NamedTuple):
    """A kind of object that a server holds by name and replaces as a whole."""

    kind: str
    api: Api
    path: str
    options: Options
    desired: t.Callable[[Params], Body]
    current: t.Callable[[Body, str], Body | None]
    normalise: t.Callable[[Body], Body]
    server_owned: frozenset[str] = frozenset()
    required_if: tuple[tuple[str, str, list[str]], ...] = ()

    @property
    def key(self) -> str:
        """Name the return value that holds the object."""
        return self.kind.lower().replace(" ", "_")


class Task(t.NamedTuple):
    """What a module was asked to do; tmpdir makes a folder that is removed when the module ends."""

    params: Params
    check_mode: bool
    warn: t.Callable[[str], None]
    tmpdir: t.Callable[[], str]


def run(resource: Resource) -> None:
    """Be the module that manages one object of this kind."""
    options = {"name": {"type": "str", "required": True}, **STATE, **resource.options}
    execute(resource.api, options, lambda task: manage(resource, task), required_if=resource.required_if)


def inform(api: Api, options: Options, read: t.Callable[[t.Any, Params], Body]) -> None:
    """Be a module that only reads."""
    execute(api, options, lambda task: {"changed": False, **read(api.connect(task.params), task.params)})


def execute(api: Api, options: Options, work: t.Callable[[Task], Body], **rules: t.Any) -> None:
    """Be a module that does this work, and report what it returns or why it failed."""
    module = AnsibleModule(argument_spec={**api.options, **options}, supports_check_mode=True, **api.rules, **rules)
    if trouble := api.check_client():
        module.fail_json(msg=trouble)
    try:
        answer = work(Task(module.params, module.check_mode, module.warn, lambda: str(module.tmpdir)))
    except (ApiError, OptionError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**answer)


def manage(resource: Resource, task: Task) -> Body:
    """Bring one object to the state that is asked for."""
    name = task.params["name"]
    check_name(resource.kind, name)
    desired = resource.desired(task.params) if task.params["state"] == "present" else None
    connection = resource.api.connect(task.params)
    current = read(resource, connection, name)
    change = reconcile(desired, current, resource.normalise)
    found = current if change.verb == "none" else desired
    if change.verb != "none" and not task.check_mode:
        write(resource, connection, name, desired)
        found = read(resource, connection, name)
        if lost := unkept(resource, change, found):
            task.warn(f"The server does not keep {lost} of {resource.kind} '{name}' as it was written.")
    return report(resource, name, change, found)


def read(resource: Resource, connection: t.Any, name: str) -> Body | None:
    """Read an object, without what the server alone decides."""
    what = f"Cannot read {resource.kind} '{name}'"
    answer = resource.api.call(connection, Request(what, "GET", path_to(resource.path, name), absent_is_none=True))
    return pick(resource, answer, name)


def pick(resource: Resource, answer: Body | None, name: str) -> Body | None:
    """Take one object out of an answer that may hold many."""
    current = None if answer is None else resource.current(answer, name)
    if current is None:
        return None
    return {key: value for key, value in current.items() if key not in resource.server_owned}


def write(resource: Resource, connection: t.Any, name: str, desired: Body | None) -> None:
    """Replace an object, or delete it."""
    verb, method = ("write", "PUT") if desired is not None else ("delete", "DELETE")
    what = f"Cannot {verb} {resource.kind} '{name}'"
    path = path_to(resource.path, name)
    resource.api.call(connection, Request(what, method, path, desired, absent_is_none=desired is None))


def unkept(resource: Resource, change: Change, found: Body | None) -> str:
    """Name what the server holds otherwise than it was written; nothing when all is well."""
    kept = None if found is None else resource.normalise(found)
    return first_difference(change.after, kept) or first_difference(kept, change.after)


def report(resource: Resource, name: str, change: Change, found: Body | None) -> Body:
    """Build what the module returns."""
    header = f"{resource.kind} '{name}'"
    return {
        "changed": change.verb != "none",
        "diff": {
            "before_header": header,
            "before": change.before or {},
            "after_header": header,
            "after": change.after or {},
        },
        resource.key: None if found is None else {"name": name, **found},
    }
