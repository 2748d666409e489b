# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of Elasticsearch: what is declared and compared, and their passwords, which cannot be read back."""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, OptionError, Options, Params, Request
from ansible_collections.raylogs.efk.plugins.module_utils._args import STATE
from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import Connection, call
from ansible_collections.raylogs.efk.plugins.module_utils._module import Task, execute
from ansible_collections.raylogs.efk.plugins.module_utils._normalise import without_none
from ansible_collections.raylogs.efk.plugins.module_utils._password import check_password
from ansible_collections.raylogs.efk.plugins.module_utils._reconcile import Change
from ansible_collections.raylogs.efk.plugins.module_utils._resource import (
    Resource,
    Write,
    build,
    compare,
    describe_change,
    label,
    read,
    unkept,
    write,
)
from ansible_collections.raylogs.efk.plugins.module_utils._roles import as_set, is_reserved
from ansible_collections.raylogs.efk.plugins.module_utils._security import (
    SECURITY,
    basic,
    check_realm,
    identify,
    speak_as,
)
from ansible_collections.raylogs.efk.plugins.module_utils._security_names import (
    check_form,
    check_notes,
    check_security_name,
)

DETAILS: Options = {
    "roles": {"type": "list", "elements": "str"},
    "full_name": {"type": "str"},
    "email": {"type": "str"},
    "metadata": {"type": "dict"},
}
ON_CREATE, ALWAYS = "on_create", "always"
PASSWORD: Options = {
    "user_password": {"type": "str", "no_log": True},
    "update_password": {"type": "str", "choices": [ON_CREATE, ALWAYS], "default": ON_CREATE, "no_log": False},
}
OPTIONS: Options = {
    "name": {"type": "str", "required": True},
    **STATE,
    **DETAILS,
    "enabled": {"type": "bool"},
    **PASSWORD,
}
# Built into the server, unless their realm is disabled.
BUILT_IN = frozenset(
    {
        "apm_system",
        "beats_system",
        "elastic",
        "kibana",
        "kibana_system",
        "logstash_system",
        "remote_monitoring_user",
    }
)
SET = "set by this run"


def desired_user(params: Params) -> Body:
    """Build the body Elasticsearch should hold, without a password.

    :raises OptionError: when the server would refuse it.
    """
    check_notes(f"Cannot write user '{params['name']}'", params["metadata"])
    for role in params["roles"] or []:
        check_form(f"User '{params['name']}' cannot have role", "role", role)
    return without_none({key: params[key] for key in (*DETAILS, "enabled")})


def normalise_user(user: Body) -> Body:
    """Normalise a user: what is not given is empty, and a user is enabled."""
    details = {key: user[key] for key in ("full_name", "email", "metadata") if user.get(key)}
    return {"roles": as_set(user.get("roles") or []), **details, "enabled": user.get("enabled", True)}


def write_user(path: str, desired: Body, current: Body | None) -> list[Write]:
    """Replace a user, or, of one that is built in, change what may be changed."""
    if not is_reserved(current):
        return [("PUT", path, desired)]
    writes: list[Write] = []
    if "password" in desired:
        writes.append(("PUT", f"{path}/_password", {"password": desired["password"]}))
    if current and desired["enabled"] != current["enabled"]:
        writes.append(("PUT", f"{path}/{'_enable' if desired['enabled'] else '_disable'}", None))
    return writes


USER = Resource(
    kind="user",
    api=SECURITY,
    path="/_security/user/{name}",
    options=DETAILS,
    desired=desired_user,
    entries=lambda answer: answer,
    normalise=normalise_user,
    server_owned=frozenset({"username", "profile_uid"}),
    writes=write_user,
    check_name=check_security_name,
)


def run_user() -> None:
    """Be the module that manages one user."""
    execute(SECURITY, OPTIONS, manage_user)


def manage_user(task: Task) -> Body:
    """Bring one user to the state that is asked for."""
    name, password = task.params["name"], task.params["user_password"]
    USER.check_name(USER.kind, name)
    is_wanted = task.params["state"] == "present"
    if is_wanted and password is not None:
        check_password(name, password)
    declared = build(USER, task.params) if is_wanted else None
    connection = SECURITY.connect(task.params)
    current = read(USER, connection, name)
    check_options(task.params, current)
    desired = None if declared is None else complete(declared, current)
    sets_password = desired is not None and needs_password(task, connection, desired, current)
    change = compare(USER, desired, current)
    is_changed = sets_password or change.verb != "none"
    if is_changed and desired is not None:
        check_realm(connection, f"Cannot write user '{name}'", reserved=is_reserved(current) or name in BUILT_IN)
    if desired is not None and not is_reserved(current):
        warn_of_roles(task, connection, desired["roles"])
    found = desired if is_changed else current
    if is_changed and not task.check_mode:
        body = {**desired, "password": password} if desired is not None and sets_password else desired
        write(USER, connection, name, body, current)
        if sets_password and task.params["username"] == name:
            connection = speak_as(connection, basic(name, password))
        found = read(USER, connection, name)
        if lost := unkept(USER, change, found):
            task.warn(f"The server does not keep {lost} of {label(USER, name)} as it was written.")
    return {
        "changed": is_changed,
        "diff": describe_change(USER, name, show_password(change) if sets_password else change),
        "user": None if found is None else {"name": name, **found},
    }


def show_password(change: Change) -> Change:
    """Say in a change that the password is set, not to what."""
    verb = "update" if change.verb == "none" else change.verb
    return Change(verb, change.before, {**(change.after or {}), "password": SET})


def check_options(params: Params, current: Body | None) -> None:
    """Refuse what cannot be made of this user.

    :raises OptionError: with the fix.
    """
    name = params["name"]
    if params["state"] == "absent":
        if is_reserved(current):
            raise OptionError(f"User '{name}' is built into Elasticsearch and cannot be deleted. Set enabled to false.")
        check_not_oneself(params, "delete")
        return
    if params["enabled"] is False:
        check_not_oneself(params, "disable")
    if is_reserved(current):
        if given := [option for option in DETAILS if params[option] is not None]:
            raise OptionError(
                f"User '{name}' is built into Elasticsearch: only user_password and enabled can be set. "
                f"Leave out {', '.join(given)}."
            )
    elif params["roles"] is None:
        raise OptionError(f"User '{name}' needs roles. Name those that it has, or write [] for none.")
    elif current is None and params["user_password"] is None:
        raise OptionError(f"User '{name}' does not exist yet. Give its first password as user_password.")


def check_not_oneself(params: Params, verb: str) -> None:
    """Refuse to lock out the user who is speaking.

    :raises OptionError: with the fix.
    """
    if params["username"] == params["name"]:
        raise OptionError(f"User '{params['name']}' would {verb} itself. Connect as another user.")


def complete(declared: Body, current: Body | None) -> Body:
    """Add what is left as it is: whether the user is enabled, and all that is built in."""
    if current is not None and is_reserved(current):
        return {**current, **declared}
    return {"enabled": True if current is None else current["enabled"], **declared}


def needs_password(task: Task, connection: Connection, desired: Body, current: Body | None) -> bool:
    """Say whether the password is to be set: it cannot be read, but a user can sign in with it."""
    name, password = task.params["name"], task.params["user_password"]
    if current is None:
        return True
    if password is None or task.params["update_password"] != ALWAYS:
        return False
    if current["enabled"]:
        return identify(connection, basic(name, password)) is None
    if not desired["enabled"]:
        task.warn(f"The password of user '{name}' is left as it is: a disabled user cannot sign in to compare it.")
    return bool(desired["enabled"])


def warn_of_roles(task: Task, connection: Connection, roles: t.Sequence[str]) -> None:
    """Warn of roles that the server does not know: it takes them, and they give nothing. Files may hold more."""
    if not roles:
        return
    name = task.params["name"]
    path = "/_security/role/" + quote(",".join(roles), safe=",")
    request = Request(f"Cannot read the roles of user '{name}'", "GET", path, absent_is_none=True)
    known = call(connection, request) or {}
    if missing := sorted(set(roles) - set(known)):
        task.warn(
            f"User '{name}' has roles that do not exist and give it nothing: {', '.join(missing)}. "
            "Create them with elasticsearch_role, correct the names, or leave it where roles.yml of the nodes has them."
        )
