# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API keys of Elasticsearch, each kept in a file: whether it still serves, and what is done when it does not."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import json
import re
import time
import typing as t
from urllib.parse import quote

from ansible_collections.raylogs.efk.plugins.module_utils._api import (
    ApiError,
    Body,
    OptionError,
    Options,
    Params,
    Request,
)
from ansible_collections.raylogs.efk.plugins.module_utils._args import STATE
from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import Connection, call
from ansible_collections.raylogs.efk.plugins.module_utils._module import Task, execute
from ansible_collections.raylogs.efk.plugins.module_utils._normalise import TIMES, tidy_time
from ansible_collections.raylogs.efk.plugins.module_utils._reconcile import equal
from ansible_collections.raylogs.efk.plugins.module_utils._roles import (
    check_privileges,
    desired_descriptors,
    normalise_descriptors,
)
from ansible_collections.raylogs.efk.plugins.module_utils._secret_file import (
    check_place,
    draft_of,
    read_secret,
    remove_secret,
    under_lock,
)
from ansible_collections.raylogs.efk.plugins.module_utils._security import SECURITY, ask_if_allowed, identify
from ansible_collections.raylogs.efk.plugins.module_utils._security_names import check_notes, check_security_name

OPTIONS: Options = {
    "name": {"type": "str", "required": True},
    "path": {"type": "path"},
    "role_descriptors": {"type": "dict"},
    "expiration": {"type": "str"},
    "renew_before": {"type": "str"},
    "renew": {"type": "str", "choices": ["due", "always", "never"], "default": "due"},
    "metadata": {"type": "dict"},
    "invalidate_others": {"type": "bool", "default": False},
    **STATE,
}
REQUIRED_IF = (("state", "present", ["path", "role_descriptors"]),)
KEYS = "/_security/api_key"
CLOCK = "/_nodes/_local/stats/process?filter_path=nodes.*.timestamp"
# A note of ours beside those of the user, for servers that do not say what a key may do.
HASH = "role_descriptors_sha256"
UPDATABLE_SINCE = (8, 4)
A_NEW_ONE = "a new one"
DAY = TIMES["d"]
# Between the two times that a server notes of a key.
TOLERANCE = 1000


class Secret(t.NamedTuple):
    """A key as its file holds it."""

    id: str
    encoded: str


class Job(t.NamedTuple):
    """What is worked on: the name and the file of a key, and how an error begins."""

    connection: Connection
    what: str
    name: str
    path: str


class Wish(t.NamedTuple):
    """What is declared of a key: its rights as they are sent, its notes, its times in milliseconds, its renewal."""

    descriptors: Body
    metadata: Body
    expiration: str | None
    lifetime: int | None
    margin: int
    renew: str


class Found(t.NamedTuple):
    """What there is: the key of the file, all active ones of the name by their ids, and the server's time."""

    secret: Secret | None
    held: Body | None
    active: dict[str, Body]
    now: int


class Plan(t.NamedTuple):
    """What is to be done: make a new key for a reason, or change the one there is; invalidate others."""

    reason: str
    is_updated: bool
    invalidated: tuple[str, ...]


def run_api_key() -> None:
    """Be the module that manages the key of one file."""
    execute(SECURITY, OPTIONS, manage_api_key, required_if=REQUIRED_IF)


def manage_api_key(task: Task) -> Body:
    """Bring the key of one file to the state that is asked for."""
    params = task.params
    what = f"Cannot manage API key '{params['name']}'"
    check_security_name("API key", params["name"])
    if params["api_key"]:
        raise OptionError(
            f"{what} by another API key: Elasticsearch gives what a key makes no rights. "
            "Connect with username and password or bearer_token."
        )
    wish = wish_for(what, params) if params["state"] == "present" else None
    read_key_file(what, params["path"])
    if wish is not None:
        check_place(params["path"])
    job = Job(SECURITY.connect(params), what, params["name"], params["path"] or "")

    def work(dry: bool) -> Body:
        return remove_keys(job, dry=dry) if wish is None else keep_key(task, job, wish, dry=dry)

    return under_lock(params["path"], work, makes=wish is not None, dry=task.check_mode)


def keep_key(task: Task, job: Job, wish: Wish, *, dry: bool) -> Body:
    """Keep a valid key in the file."""
    found = find_keys(job)
    warn_of_other_owner(task, job, found)
    plan = plan_key(job, wish, found, invalidate_others=task.params["invalidate_others"])
    if plan.reason or plan.is_updated:
        check_privileges(job.connection, job.what, wish.descriptors.values())
    current = found.held if dry else carry_out(job, wish, found, plan)
    before, after = before_of(wish, found), after_of(wish, found, plan)
    return {
        "changed": bool(plan.reason or plan.is_updated or plan.invalidated),
        "diff": difference(job.name, before, after),
        "api_key": {**describe_key(job.name, current or {}, found.now), "path": job.path},
        "reason": plan.reason,
        "invalidated": list(plan.invalidated),
    }


# What is declared


def wish_for(what: str, params: Params) -> Wish:
    """Read the options.

    :raises OptionError: when they cannot work.
    """
    lifetime = milliseconds(what, "expiration", params["expiration"])
    margin = milliseconds(what, "renew_before", params["renew_before"]) or 0
    if margin and lifetime is None:
        raise OptionError(f"{what}: renew_before needs expiration: a key that never ends is never renewed.")
    if lifetime is not None and margin >= lifetime:
        raise OptionError(
            f"{what}: renew_before {params['renew_before']} is not shorter than expiration {params['expiration']}, so "
            "that every run would make a new key. Shorten it, to a third for instance."
        )
    metadata = params["metadata"] or {}
    check_notes(what, metadata, {HASH})
    descriptors = desired_descriptors(what, params["role_descriptors"])
    return Wish(descriptors, metadata, params["expiration"], lifetime, margin, params["renew"])


def milliseconds(what: str, option: str, value: str | None) -> int | None:
    """Read a time such as 90d; None when there is none.

    :raises OptionError: when it is no time.
    """
    if value is None:
        return None
    match = re.fullmatch(r"([1-9]\d*)(ms|[smhd])", value)
    if not match:
        raise OptionError(f"{what}: {option} {value!r} is no time. Write a whole number with its unit, such as 90d.")
    return int(match.group(1)) * TIMES[match.group(2)]


def digest(descriptors: Body) -> str:
    """Compute a hash of what a key may do."""
    text = json.dumps(normalise_descriptors(descriptors), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


# What there is


def read_key_file(what: str, path: str | None) -> Secret | None:
    """Read the key that a file holds; None where there is no file.

    :raises OptionError: when it holds something else.
    """
    text = None if path is None else read_secret(path)
    if text is None:
        return None
    secret = parse_key(text)
    if secret is None:
        raise OptionError(f"{what}: {path} holds something that is no API key. Move it away, or give another path.")
    return secret


def parse_key(text: str) -> Secret | None:
    """Read an encoded key; None when it is none."""
    try:
        decoded = base64.b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    key_id, colon, rest = decoded.partition(":")
    return Secret(key_id, text) if key_id and colon and rest else None


def find_keys(job: Job) -> Found:
    """Find the key of the file and all others of this user that bear the name.

    :raises OptionError: when the key of the file bears another name.
    """
    secret = read_key_file(job.what, job.path or None)
    now = read_clock(job.connection)
    named = own_keys(job, f"name={quote(job.name, safe='')}")
    active = {key["id"]: key for key in named if is_active(key, now)}
    held = None if secret is None else next((key for key in named if key["id"] == secret.id), None)
    if secret is not None and held is None:
        other = own_keys(job, f"id={quote(secret.id, safe='')}")
        if other and is_active(other[0], now):
            raise OptionError(
                f"{job.what}: {job.path} holds the API key '{other[0]['name']}', which is still valid. "
                "Give each key a file of its own."
            )
    return Found(secret, held, active, now)


def warn_of_other_owner(task: Task, job: Job, found: Found) -> None:
    """Warn when the key of the file is valid and belongs to another user, whose keys this one does not see."""
    if found.secret and not found.held and (owner := identify(job.connection, f"ApiKey {found.secret.encoded}")):
        task.warn(
            f"The former API key of {job.path} (id {found.secret.id}) belongs to user '{owner['username']}' "
            "and stays valid. Invalidate it as that user, or let it end."
        )


def own_keys(job: Job, query: str) -> list[Body]:
    """List keys of this user."""
    answer = call(job.connection, Request(job.what, "GET", f"{KEYS}?owner=true&{query}", absent_is_none=True))
    keys: list[Body] = (answer or {}).get("api_keys", [])
    return keys


def read_clock(connection: Connection) -> int:
    """Tell the server's time, in milliseconds, for the clocks may be apart; ours where this user may not ask."""
    request = Request("Cannot read the server's time", "GET", CLOCK)
    nodes = (ask_if_allowed(connection, request) or {}).get("nodes", {})
    return next((int(node["timestamp"]) for node in nodes.values()), int(time.time() * 1000))


def is_active(key: Body, now: int) -> bool:
    """Say whether a key neither ended nor was invalidated."""
    return not key["invalidated"] and (key.get("expiration") is None or key["expiration"] > now)


def days_left(key: Body, now: int) -> int | None:
    """Count the whole days until a key ends; None when it does not."""
    return None if key.get("expiration") is None else (int(key["expiration"]) - now) // DAY


# What is to be done


def plan_key(job: Job, wish: Wish, found: Found, *, invalidate_others: bool) -> Plan:
    """Compare what is declared and what there is."""
    reason = find_reason(wish, found.held, found.now)
    if not reason and found.secret and identify(job.connection, f"ApiKey {found.secret.encoded}") is None:
        reason = "the key of the file is not valid"
    if reason and wish.renew == "never":
        raise OptionError(
            f"{job.what}: {reason}, and renew is never, which makes no key. Nothing was invalidated. Put the valid key "
            "back into its file, or run with renew set to due."
        )
    is_other = bool(found.held) and differs(wish, found.held or {})
    if not reason and is_other and not can_update(job.connection, found.held or {}):
        reason = "it may do something else, or has other notes, and this server changes no key"
    kept = found.held["id"] if found.held and not reason else ""
    invalidated = sorted(set(found.active) - {kept}) if invalidate_others else []
    return Plan(reason, is_other and not reason, tuple(invalidated))


def find_reason(wish: Wish, held: Body | None, now: int) -> str:
    """Say why a new key is needed, as far as the server's list tells; nothing when the old one serves."""
    if held is None:
        return "there is no key of this name in the file"
    if not is_active(held, now):
        return "the key of the file was invalidated" if held["invalidated"] else "the key of the file has ended"
    reasons = {"always": "a new one is asked for", "never": ""}
    return reasons[wish.renew] if wish.renew in reasons else find_time(wish, held, now)


def find_time(wish: Wish, held: Body, now: int) -> str:
    """Say why a valid key is due; nothing when it is not."""
    end, lifetime = held.get("expiration"), lifetime_of(held)
    if (lifetime is None) != (wish.lifetime is None) or abs((lifetime or 0) - (wish.lifetime or 0)) > TOLERANCE:
        return "the key of the file was made for another time"
    return "the key of the file ends soon" if end is not None and end - now < wish.margin else ""


def lifetime_of(held: Body) -> int | None:
    """Compute for how long a key was made, in milliseconds; None when for ever."""
    return None if held.get("expiration") is None else int(held["expiration"] - held["creation"])


def can_update(connection: Connection, held: Body) -> bool:
    """Say whether this server can change a key."""
    return "role_descriptors" in held or bool(connection.version and connection.version >= UPDATABLE_SINCE)


def differs(wish: Wish, held: Body) -> bool:
    """Say whether a key may do other things than is declared, or has other notes."""
    notes = held.get("metadata") or {}
    if "role_descriptors" in held:
        is_other = not equal(normalise_descriptors(wish.descriptors), normalise_descriptors(held["role_descriptors"]))
    else:
        is_other = notes.get(HASH) != digest(wish.descriptors)
    return is_other or not equal(wish.metadata, without_hash(notes))


def without_hash(notes: Body) -> Body:
    """Leave our note out of the user's."""
    return {key: value for key, value in notes.items() if key != HASH}


# What is done


def carry_out(job: Job, wish: Wish, found: Found, plan: Plan) -> Body | None:
    """Make or change the key, then invalidate others; give the key as the server has it now."""
    key_id = found.held["id"] if found.held else ""
    body = {"role_descriptors": wish.descriptors, "metadata": {**wish.metadata, HASH: digest(wish.descriptors)}}
    if plan.reason:
        times = {} if wish.expiration is None else {"expiration": wish.expiration}
        key_id = make_key(job, {"name": job.name, **body, **times})
    elif plan.is_updated:
        call(job.connection, Request(job.what, "PUT", f"{KEYS}/{quote(key_id, safe='')}", body))
    invalidate(job, plan.invalidated)
    if not (plan.reason or plan.is_updated):
        return found.held
    return next(iter(own_keys(job, f"id={quote(key_id, safe='')}")), None)


def make_key(job: Job, body: Body) -> str:
    """Make a key and write it to its file; one that cannot be written is invalidated.

    :raises OptionError: when the file cannot be written.
    """
    with draft_of(job.path) as keep:
        answer = call(job.connection, Request(job.what, "POST", KEYS, body))
        try:
            keep(base64.b64encode(f"{answer['id']}:{answer['api_key']}".encode()).decode())
        except OptionError:
            invalidate(job, (answer["id"],))
            raise
    return str(answer["id"])


def invalidate(job: Job, ids: t.Sequence[str]) -> None:
    """Invalidate keys of this user.

    :raises ApiError: when one could not be invalidated.
    """
    if not ids:
        return
    answer = call(job.connection, Request(job.what, "DELETE", KEYS, {"ids": list(ids), "owner": True}))
    if answer.get("error_count"):
        said = f"could not invalidate {answer['error_count']} of {len(ids)} keys"
        raise ApiError(
            job.what, f"DELETE {job.connection.url}{KEYS}", said, "Look at the server's log and run this again."
        )


def remove_keys(job: Job, *, dry: bool) -> Body:
    """Invalidate all active keys of the name and remove the file."""
    found = find_keys(job)
    ids = tuple(sorted(found.active))
    if not dry:
        invalidate(job, ids)
        if found.secret:
            remove_secret(job.path)
    before = {"active": list(ids), **({"file": "holds a key"} if found.secret else {})}
    return {
        "changed": bool(ids or found.secret),
        "diff": difference(job.name, before if ids or found.secret else {}, {}),
        "api_key": None,
        "reason": "",
        "invalidated": list(ids),
    }


# What is told


def difference(name: str, before: Body, after: Body) -> Body:
    """Build the difference that Ansible shows."""
    header = f"API key '{name}'"
    return {"before_header": header, "before": before, "after_header": header, "after": after}


def before_of(wish: Wish, found: Found) -> Body:
    """Describe what there is; the rights by their hash where the server does not say more."""
    active = {"active": sorted(found.active)} if found.active else {}
    if found.held is None:
        return active
    notes = found.held.get("metadata") or {}
    lifetime = lifetime_of(found.held)
    shown: Body = {"id": found.held["id"], "metadata": without_hash(notes), **active, **show_lifetime(lifetime)}
    if "role_descriptors" in found.held:
        shown["role_descriptors"] = normalise_descriptors(found.held["role_descriptors"])
    elif notes.get(HASH) == digest(wish.descriptors):
        shown["role_descriptors"] = normalise_descriptors(wish.descriptors)
    else:
        shown["role_descriptors"] = {"sha256": notes.get(HASH)}
    return shown


def after_of(wish: Wish, found: Found, plan: Plan) -> Body:
    """Describe what there will be."""
    key_id = A_NEW_ONE if plan.reason or not found.held else found.held["id"]
    active = sorted({*found.active, key_id} - set(plan.invalidated))
    descriptors = normalise_descriptors(wish.descriptors)
    shown = {"id": key_id, "metadata": wish.metadata, "active": active, "role_descriptors": descriptors}
    return {**shown, **show_lifetime(wish.lifetime)}


def show_lifetime(lifetime: int | None) -> Body:
    """Show for how long a key is made, when not for ever."""
    return {} if lifetime is None else {"expiration": tidy_time(f"{lifetime}ms")}


def describe_key(name: str, key: Body, now: int) -> Body:
    """Describe a key for people; nothing of it is secret."""
    shown: Body = {
        "name": name,
        "id": key.get("id"),
        "creation": key.get("creation"),
        "expiration": key.get("expiration"),
        "days_left": days_left(key, now),
        "metadata": without_hash(key.get("metadata") or {}),
    }
    return {**shown, **{part: key[part] for part in ("role_descriptors",) if part in key}}


def list_api_keys(connection: Connection, params: Params) -> Body:
    """List keys by name, those that end first before the others."""
    owner = str(params["owner"]).lower()
    answer = call(connection, Request("Cannot read API keys", "GET", f"{KEYS}?owner={owner}", absent_is_none=True))
    now = read_clock(connection)
    keys = [
        {
            **describe_key(key["name"], key, now),
            "username": key["username"],
            "realm": key["realm"],
            "invalidated": key["invalidated"],
            "active": is_active(key, now),
        }
        for key in (answer or {}).get("api_keys", [])
        if (is_active(key, now) or not params["active_only"])
        and any(fnmatch.fnmatchcase(key["name"], pattern) for pattern in params["name"])
    ]
    return {"api_keys": sorted(keys, key=lambda key: (key["expiration"] is None, key["expiration"] or 0, key["name"]))}
