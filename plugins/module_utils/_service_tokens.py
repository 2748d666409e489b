# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of service accounts, such as Kibana's, each kept in a file."""

from __future__ import annotations

import base64
import binascii
import difflib
import typing as t
from urllib.parse import quote

from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, OptionError, Options, Params, Request
from ansible_collections.raylogs.efk.plugins.module_utils._args import STATE
from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import Connection, call
from ansible_collections.raylogs.efk.plugins.module_utils._module import Task, execute
from ansible_collections.raylogs.efk.plugins.module_utils._secret_file import (
    check_place,
    draft_of,
    read_secret,
    remove_secret,
    under_lock,
)
from ansible_collections.raylogs.efk.plugins.module_utils._security import SECURITY, identify
from ansible_collections.raylogs.efk.plugins.module_utils._security_names import check_security_name

ACCOUNT: Options = {
    "namespace": {"type": "str", "default": "elastic"},
    "service": {"type": "str", "default": "kibana"},
}
OPTIONS: Options = {"name": {"type": "str", "required": True}, "path": {"type": "path"}, **ACCOUNT, **STATE}
REQUIRED_IF = (("state", "present", ["path"]),)
SERVICES = "/_security/service"
PREFIX = b"\x00\x01\x00\x01"


def run_service_token() -> None:
    """Be the module that manages the token of one file."""
    execute(SECURITY, OPTIONS, manage_service_token, required_if=REQUIRED_IF)


def manage_service_token(task: Task) -> Body:
    """Bring the token of one file to the state that is asked for."""
    params = task.params
    account = f"{params['namespace']}/{params['service']}"
    what = f"Cannot manage token '{params['name']}' of the service account {account}"
    check_security_name("token", params["name"])
    is_wanted = params["state"] == "present"
    read_token_file(what, params["path"], f"{account}/{params['name']}")
    if is_wanted:
        check_place(params["path"])
    connection = SECURITY.connect(params)
    check_account(connection, what, account)

    def work(dry: bool) -> Body:
        return bring_about(connection, what, params, dry=dry)

    return under_lock(params["path"], work, makes=is_wanted, dry=task.check_mode)


def bring_about(connection: Connection, what: str, params: Params, *, dry: bool) -> Body:
    """Keep the token in its file, or delete both."""
    account, is_wanted = f"{params['namespace']}/{params['service']}", params["state"] == "present"
    token = read_token_file(what, params["path"], f"{account}/{params['name']}")
    exists = params["name"] in read_tokens(connection, what, account)
    if is_wanted and exists:
        check_token(connection, what, params["path"], token)
    is_changed = not exists if is_wanted else exists or token is not None
    if is_changed and not dry:
        path = f"{SERVICES}/{account}/credential/token/{quote(params['name'], safe='')}"
        if is_wanted:
            make_token(connection, what, params["path"], path)
        else:
            call(connection, Request(what, "DELETE", path, absent_is_none=True))
            if token is not None:
                remove_secret(params["path"])
    header, shown = f"token '{params['name']}' of {account}", {"name": params["name"], "path": params["path"]}
    there = shown if exists or (token is not None and not is_wanted) else {}
    return {
        "changed": is_changed,
        "diff": {
            "before_header": header,
            "before": there,
            "after_header": header,
            "after": shown if is_wanted else {},
        },
        "service_token": {**shown, "namespace": params["namespace"], "service": params["service"]}
        if is_wanted
        else None,
    }


def read_token_file(what: str, path: str | None, full_name: str) -> str | None:
    """Read the token that a file holds; None where there is no file.

    :raises OptionError: when it holds something else.
    """
    token = None if path is None else read_secret(path)
    if token is None or name_of_token(token) == full_name:
        return token
    named = name_of_token(token)
    holds = f"the token {named}" if named else "something that is no token of a service account"
    raise OptionError(f"{what}: {path} holds {holds}. Move it away, or give another path.")


def name_of_token(token: str) -> str:
    """Read the full name that stands in a token; nothing when it is none."""
    try:
        decoded = base64.b64decode(token + "=" * (-len(token) % 4), validate=True)
    except (binascii.Error, ValueError):
        return ""
    name, colon, _secret = decoded[len(PREFIX) :].partition(b":")
    return name.decode(errors="replace") if decoded.startswith(PREFIX) and colon else ""


def check_account(connection: Connection, what: str, account: str) -> None:
    """Refuse a service account that the server does not have.

    :raises OptionError: with those that it has.
    """
    accounts = sorted(call(connection, Request(what, "GET", SERVICES)))
    if account not in accounts:
        nearest = difflib.get_close_matches(account, accounts, 1)
        fix = f"Did you mean {nearest[0]}?" if nearest else f"There are {', '.join(accounts)}."
        raise OptionError(f"{what}: this server has no such service account. {fix}")


def read_tokens(connection: Connection, what: str, account: str) -> dict[str, t.Any]:
    """Read the tokens of a service account by name."""
    tokens: dict[str, t.Any] = call(connection, Request(what, "GET", f"{SERVICES}/{account}/credential"))["tokens"]
    return tokens


def check_token(connection: Connection, what: str, path: str, token: str | None) -> None:
    """Refuse to replace a token that exists and may be in use, but that the file does not hold.

    :raises OptionError: with the way out.
    """
    if token is not None and identify(connection, f"Bearer {token}"):
        return
    trouble = f"{path} does not hold it" if token is None else f"{path} holds a former one, which is not valid"
    raise OptionError(
        f"{what}: it exists, but {trouble}, and nobody can read it again. Put the file back, choose another name, "
        "or delete the token with state absent and run this again: what used it then needs the new one."
    )


def make_token(connection: Connection, what: str, path: str, to: str) -> None:
    """Make a token and write it to its file; one that cannot be written is deleted.

    :raises OptionError: when the file cannot be written.
    """
    with draft_of(path) as keep:
        answer = call(connection, Request(what, "POST", to))
        try:
            keep(answer["token"]["value"])
        except OptionError:
            call(connection, Request(what, "DELETE", to, absent_is_none=True))
            raise


def list_service_tokens(connection: Connection, params: Params) -> Body:
    """List the tokens of a service account; those in files of nodes as such."""
    account = f"{params['namespace']}/{params['service']}"
    what = f"Cannot read the tokens of the service account {account}"
    check_account(connection, what, account)
    answer = call(connection, Request(what, "GET", f"{SERVICES}/{account}/credential"))
    files = answer.get("nodes_credentials", {}).get("file_tokens", {})
    held = [{"name": name, "nodes": []} for name in answer["tokens"]]
    held += [{"name": name, "nodes": sorted(token.get("nodes", []))} for name, token in files.items()]
    return {"service_tokens": sorted(held, key=lambda token: token["name"])}
