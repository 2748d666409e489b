# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that every module of a product repeats; their texts are in the doc fragments."""

from __future__ import annotations

import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from ansible.module_utils.common.parameters import env_fallback
from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, OptionError, Options, Params

STATE: Options = {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}


def connection_options(product: str, url: str) -> Options:
    """Declare the connection options of a product, each with its environment variable."""

    def option(name: str, **declared: t.Any) -> dict[str, t.Any]:
        return {"type": "str", "fallback": (env_fallback, [f"{product}_{name}".upper()]), **declared}

    return {
        "url": option("url", type="list", elements="str", default=[url]),
        "username": option("username"),
        "password": option("password", no_log=True),
        "api_key": option("api_key", no_log=True),
        "bearer_token": option("bearer_token", no_log=True),
        "ca_path": option("ca_path", type="path"),
        "validate_certs": option("validate_certs", type="bool", default=True),
        "client_cert": option("client_cert", type="path"),
        "client_key": option("client_key", type="path", no_log=False),
        "timeout": option("timeout", type="int", default=30),
        "retries": option("retries", type="int", default=4),
    }


CONNECTION_RULES: Body = {
    "mutually_exclusive": [("username", "api_key", "bearer_token")],
    "required_together": [("username", "password")],
    "required_by": {"client_key": "client_cert"},
}


def check_connection(params: Params) -> None:
    """Refuse what cannot work before anything is sent.

    :raises OptionError: with the fix.
    """
    if not params["url"]:
        raise OptionError("url is empty. Give at least one, such as https://es1.example.com:9200.")
    for url in params["url"]:
        check_url(url)
    for option in ("ca_path", "client_cert", "client_key"):
        if params[option] and not Path(params[option]).is_file():
            raise OptionError(
                f"{option} {params[option]} is no file on the host that runs this module. "
                "Give a path there, or run the task on the host that has the file (delegate_to).",
            )
    for option in ("api_key", "bearer_token"):
        check_header(option, params[option] or "")
    if params["timeout"] < 1 or params["retries"] < 0:
        raise OptionError("timeout is at least 1 and retries at least 0.")


def check_header(option: str, value: str) -> None:
    """Refuse what cannot stand in a header; the value is not repeated.

    :raises OptionError: with the fix.
    """
    if not all("!" <= sign <= "~" for sign in value):
        raise OptionError(
            f"{option} holds a blank, a line break or another character that cannot be sent. "
            "A value read from a file may end with a line break: strip it.",
        )


def check_url(url: str) -> None:
    """Refuse a URL without scheme, host and port, or with a password in it.

    :raises OptionError: with the fix; a password in the URL is not repeated.
    """
    try:
        parts = urlsplit(url)
        complete = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port is not None
    except ValueError:
        raise OptionError("url has a port that is no number. Write it as https://es1.example.com:9200.") from None
    if parts.username is not None or parts.password is not None:
        raise OptionError(
            f"url of {parts.hostname} holds a user name or password, which would be logged. "
            "Give them as username and password.",
        )
    if not complete or parts.query or parts.fragment:
        raise OptionError(
            f"url {url} is not of the form http(s)://host:port. Write it as https://es1.example.com:9200."
        )


def check_name(kind: str, name: str) -> None:
    """Refuse a name that the server would refuse or take for several.

    :raises OptionError: with the fix.
    """
    if not name or name != name.lower() or name[0] in "_-+." or set(name) & set('*?,#/\\"<>|: \t\n'):
        raise OptionError(
            f"{kind.capitalize()} cannot be named {name!r}. Use lower-case letters, digits, '-', '_', '.' and '@', "
            "and begin with a letter or digit.",
        )
