# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a service on this host how it is, with nothing but Python's own library."""

from __future__ import annotations

import http.client
import json
import ssl
import typing as t
import urllib.error
import urllib.request

CLIENT_WAITS = 10
REFUSALS = (http.client.UNAUTHORIZED, http.client.FORBIDDEN)


class Answer(t.NamedTuple):
    """What the service said."""

    good: bool
    body: t.Any
    words: str
    refused: str = ""
    """user or certificate, where asking again can hardly help."""


def judge(status: int, text: str, field: str | None, values: t.Sequence[str]) -> Answer:
    """Say whether an answer is good enough."""
    try:
        body = json.loads(text)
    except ValueError:
        body = text
    if status in REFUSALS:
        return Answer(good=False, body=body, words=f"it refuses this user ({status}): {text[:200]}", refused="user")
    if status != http.client.OK:
        return Answer(good=False, body=body, words=f"it answers {status}: {text[:200]}")
    if field is None:
        return Answer(good=True, body=body, words="")
    value = body.get(field) if isinstance(body, dict) else None
    return Answer(good=str(value) in values, body=body, words=f"{field} is {value}, wanted {' or '.join(values)}")


def build_opener(params: dict[str, t.Any]) -> urllib.request.OpenerDirector:
    """Return what asks without proxies, with verified TLS, and with user and password at this address alone.

    :raises OSError: when the authorities cannot be read.
    """
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=params["ca_path"])))
    if params["username"] is not None:
        users = urllib.request.HTTPPasswordMgrWithPriorAuth()
        users.add_password(None, params["url"], params["username"], params["password"], is_authenticated=True)
        handlers.append(urllib.request.HTTPBasicAuthHandler(users))
    return urllib.request.build_opener(*handlers)


def ask(opener: urllib.request.OpenerDirector, params: dict[str, t.Any]) -> Answer:
    """Ask the service once."""
    field, values = params["field"], params["values"] or ()
    try:
        with opener.open(params["url"], timeout=CLIENT_WAITS) as response:
            return judge(response.status, response.read().decode("utf-8", "replace"), field, values)
    except urllib.error.HTTPError as error:
        return judge(error.code, error.read().decode("utf-8", "replace"), field, values)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            words = f"its certificate is not trusted: {reason.verify_message}"
            return Answer(good=False, body=None, words=words, refused="certificate")
        return Answer(good=False, body=None, words=f"it does not answer: {error or type(error).__name__}")
