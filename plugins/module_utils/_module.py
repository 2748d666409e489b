# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn a declared resource into a module: read, reconcile, write, read back, report."""

from __future__ import annotations

import fnmatch
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.raylogs.efk.plugins.module_utils._api import Api, ApiError, Body, OptionError, Options, Params
from ansible_collections.raylogs.efk.plugins.module_utils._args import STATE
from ansible_collections.raylogs.efk.plugins.module_utils._resource import (
    Resource,
    build,
    check_support,
    compare,
    describe_change,
    label,
    read,
    read_all,
    unkept,
    write,
)


class Task(t.NamedTuple):
    """What a module was asked to do; tmpdir makes a folder that is removed when the module ends."""

    params: Params
    check_mode: bool
    warn: t.Callable[[str], None]
    tmpdir: t.Callable[[], str]


def run(resource: Resource) -> None:
    """Be the module that manages one object of this kind."""
    named: Options = {"name": {"type": "str", "required": True}, **STATE} if resource.named else {}
    options = {**named, **resource.options}
    execute(resource.api, options, lambda task: manage(resource, task), required_if=resource.required_if)


def inform(api: Api, options: Options, read: t.Callable[[t.Any, Params], Body]) -> None:
    """Be a module that only reads."""
    execute(api, options, lambda task: {"changed": False, **read(api.connect(task.params), task.params)})


def inform_of(resource: Resource) -> None:
    """Be the module that lists the objects of this kind."""
    options: Options = {"name": {"type": "list", "elements": "str", "default": ["*"]}}
    inform(resource.api, options, lambda connection, params: list_objects(resource, connection, params))


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
    name = task.params["name"] if resource.named else ""
    if resource.named:
        resource.check_name(resource.kind, name)
    desired = build(resource, task.params) if task.params.get("state", "present") == "present" else None
    connection = resource.api.connect(task.params)
    check_support(resource, connection, desired)
    current = read(resource, connection, name)
    change = compare(resource, desired, current)
    found = current if change.verb == "none" else desired
    if change.verb != "none":
        resource.check(connection, name, desired, current)
    if change.verb != "none" and not task.check_mode:
        write(resource, connection, name, desired, current)
        found = read(resource, connection, name)
        if lost := unkept(resource, change, found):
            task.warn(f"The server does not keep {lost} of {label(resource, name)} as it was written.")
    return {
        "changed": change.verb != "none",
        "diff": describe_change(resource, name, change),
        resource.key: None if found is None else {**({"name": name} if resource.named else {}), **found},
    }


def list_objects(resource: Resource, connection: t.Any, params: Params) -> Body:
    """List the objects whose names match, with all that the server says of them."""
    check_support(resource, connection)
    found = read_all(resource, connection)
    return {
        resource.plural: [
            {"name": name, **body}
            for name, body in sorted(found.items())
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in params["name"])
        ]
    }
