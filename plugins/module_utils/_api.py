# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the client of a product offers to the modules: requests, answers, and the errors that modules report."""

from __future__ import annotations

import typing as t
from urllib.parse import quote

Body = dict[str, t.Any]
Options = dict[str, dict[str, t.Any]]
Params = dict[str, t.Any]


class OptionError(Exception):
    """Say that an option cannot work and how to mend it; nothing was sent."""


class ApiError(Exception):
    """Say in four parts what failed, where, what the server said and how to mend it."""

    def __init__(self, what: str, where: str, said: str, fix: str, status: int | None = None) -> None:
        """Keep the parts; `status` is the HTTP status, when there was an answer."""
        super().__init__(" ".join(sentence for sentence in (f"{what}: {where} {said.rstrip('.')}.", fix) if sentence))
        self.what = what
        self.where = where
        self.said = said
        self.fix = fix
        self.status = status


class Request(t.NamedTuple):
    """One request; `what` opens the message of an error: "Cannot write index template 'x'".

    A body of bytes is sent as lines of JSON, as `_bulk` and `_msearch` want them. The server's own 404 gives None where
    `absent_is_none`. POST is repeated after trouble only where the caller says that it is `repeatable`.
    """

    what: str
    method: str
    path: str
    body: t.Any = None
    absent_is_none: bool = False
    repeatable: bool | None = None


class Api(t.NamedTuple):
    """A product: its connection options, why its client cannot be used (empty: it can), and how to speak to it.

    `lack` says that a server lacks a feature and what to do about it, or nothing when it has it, as far as is known.
    """

    options: Options
    rules: Body
    check_client: t.Callable[[], str]
    connect: t.Callable[[Params], t.Any]
    call: t.Callable[[t.Any, Request], t.Any]
    lack: t.Callable[[t.Any, str], str] = lambda _connection, _feature: ""


def path_to(template: str, name: str) -> str:
    """Fill the name into a path, quoted."""
    return template.format(name=quote(name, safe=""))
