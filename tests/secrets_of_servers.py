# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask secured servers, past the modules, as whoever holds a password, a key or a token."""

from __future__ import annotations

import typing as t

import requests

if t.TYPE_CHECKING:
    from tests.elasticsearch_server import Secured

Ask = t.Callable[..., requests.Response]


class Asking(t.NamedTuple):
    """A server, to be asked as somebody."""

    server: Secured

    def as_user(self, name: str, password: str) -> Ask:
        """Ask as a user."""
        return self._with(auth=(name, password))

    def as_key(self, encoded: str) -> Ask:
        """Ask by an API key."""
        return self._with(headers={"Authorization": f"ApiKey {encoded}"})

    def as_bearer(self, token: str) -> Ask:
        """Ask by a token."""
        return self._with(headers={"Authorization": f"Bearer {token}"})

    def _with(self, headers: dict[str, str] | None = None, **credentials: t.Any) -> Ask:
        """Ask with these credentials; a body of text is sent as lines of JSON."""
        session = requests.Session()

        def ask(method: str, path: str, body: t.Any = None) -> requests.Response:
            lines = isinstance(body, str)
            return session.request(
                method,
                self.server.url + path,
                data=body if lines else None,
                json=None if lines else body,
                headers={**(headers or {}), **({"Content-Type": "application/x-ndjson"} if lines else {})},
                verify=self.server.ca_path,
                timeout=60,
                **credentials,
            )

        return ask


def administrator(server: Secured) -> Ask:
    """Ask as the user elastic."""
    return Asking(server).as_user("elastic", server.password)


def reach(server: Secured) -> dict[str, t.Any]:
    """Build the connection options of modules for the user elastic."""
    return {"url": [server.url], "ca_path": server.ca_path, "username": "elastic", "password": server.password}


def fingerprint(server: Secured) -> list[t.Any]:
    """Read everything that modules of users, roles, keys and tokens may change; passwords by when they were set."""
    ask = administrator(server)
    paths = ("user", "role", "api_key?owner=false", "service/elastic/kibana/credential")
    ask("POST", "/.security-7/_refresh")
    found = [ask("GET", f"/_security/{path}").json() for path in paths]
    # The server lists keys in any order.
    found[2]["api_keys"].sort(key=lambda key: key["id"])
    return [*found, passwords(ask)]


def passwords(ask: Ask) -> list[tuple[str, str]]:
    """Read the hashes of passwords out of the server's own index."""
    query = {"query": {"terms": {"type": ["user", "reserved-user"]}}, "_source": ["password"], "size": 1000}
    hits = ask("POST", "/.security-7/_search", query).json()["hits"]["hits"]
    return sorted((hit["_id"], hit["_source"]["password"]) for hit in hits)
