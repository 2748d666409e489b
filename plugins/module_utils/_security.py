# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Speak to Elasticsearch about its users, roles and keys."""

from __future__ import annotations

import base64
import typing as t
from http import HTTPStatus

from ansible_collections.raylogs.efk.plugins.module_utils._api import ApiError, Body, OptionError, Params, Request
from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import (
    ELASTICSEARCH,
    Connection,
    call,
    connect,
)

WHOAMI = "/_security/_authenticate"
REALMS = "/_nodes/settings?filter_path=nodes.*.settings.xpack.security.authc"


def connect_to_users(params: Params) -> Connection:
    """Open a connection and make sure that the server has users at all.

    :raises OptionError: when an option cannot work; nothing was sent then.
    :raises ApiError: when there is no usable Elasticsearch, or one without users.
    """
    connection = connect(params)
    call(connection, Request("Cannot manage users, roles and keys", "GET", WHOAMI))
    return connection


SECURITY = ELASTICSEARCH._replace(connect=connect_to_users)


def basic(name: str, password: str) -> str:
    """Build the header of a user."""
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def speak_as(connection: Connection, authorization: str) -> Connection:
    """Go on with other credentials."""
    return connection._replace(client=connection.client.options(headers={"authorization": authorization}))


def identify(connection: Connection, authorization: str) -> Body | None:
    """Ask whom the server takes the owner of these credentials for; None when it does not know them."""
    try:
        answer: Body = call(speak_as(connection, authorization), Request("Cannot check the credentials", "GET", WHOAMI))
    except ApiError as error:
        if error.status == HTTPStatus.UNAUTHORIZED:
            return None
        raise
    return answer


def ask_if_allowed(connection: Connection, request: Request) -> t.Any:
    """Ask for something that this user may not be allowed to know; None when it is so.

    :raises ApiError: when it is refused for another reason.
    """
    try:
        return call(connection, request)
    except ApiError as error:
        if error.status == HTTPStatus.FORBIDDEN:
            return None
        raise


def check_realm(connection: Connection, what: str, *, reserved: bool) -> None:
    """Refuse to make or change a user whom no node would let in.

    :raises OptionError: when the realm is disabled on a node.
    """
    answer = ask_if_allowed(connection, Request(what, "GET", REALMS)) or {}
    for node in answer.get("nodes", {}).values():
        if name := disabled_realm(node["settings"]["xpack"]["security"]["authc"], reserved=reserved):
            raise OptionError(
                f"{what}: {name} is false on this server, so that such users cannot sign in. "
                "Take it out of elasticsearch.yml of every node and restart them."
            )


def disabled_realm(settings: Body, *, reserved: bool) -> str:
    """Name the setting that disables the realm of users of its own, or that of the built-in ones; else nothing."""
    prefix = "xpack.security.authc"
    if reserved:
        realm = settings.get("reserved_realm") or {}
        return f"{prefix}.reserved_realm.enabled" if realm.get("enabled") == "false" else ""
    realms = (settings.get("realms") or {}).get("native") or {}
    disabled = [name for name, realm in realms.items() if realm.get("enabled") == "false"]
    return f"{prefix}.realms.native.{disabled[0]}.enabled" if disabled else ""
