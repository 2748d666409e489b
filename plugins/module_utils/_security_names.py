# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names Elasticsearch takes for roles, users, keys and tokens, and in notes about them."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._objects import check_printable


class Form(t.NamedTuple):
    """What a name consists of, for machines and in words, and how long it may be."""

    pattern: str
    words: str
    longest: int


ASCII = Form(r"[!-~]([ -~]*[!-~])?", "letters without accents, digits and signs of ASCII, no blank at an end", 507)
# As 7.17.9, 8.19.0 and 9.2.0 refuse them.
FORMS = {
    "role": ASCII,
    "user": ASCII,
    "API key": Form(r"\S(.*\S)?", "characters, no blank at an end", 256),
    "token": Form("[A-Za-z0-9-][A-Za-z0-9_-]*", "letters without accents, digits, '-' and '_'", 256),
}
SHOWN = 60


def check_security_name(kind: str, name: str) -> None:
    """Refuse a name that the server would refuse or take for several.

    :raises OptionError: with the fix.
    """
    check_printable(kind, name)
    check_form(f"{kind[0].upper()}{kind[1:]} cannot be named", kind, name)


def check_form(begin: str, kind: str, name: str) -> None:
    """Refuse a name that the server would refuse; `begin` is how the error begins.

    :raises OptionError: with the fix.
    """
    form = FORMS[kind]
    if len(name) > form.longest or not re.fullmatch(form.pattern, name):
        shown = name if len(name) <= SHOWN else f"{name[:SHOWN]}…"
        raise OptionError(
            f"{begin} {shown!r}: Elasticsearch takes 1 to {form.longest} {form.words}. Choose another name."
        )


def check_notes(what: str, notes: Body | None, reserved: t.Collection[str] = ()) -> None:
    """Refuse notes by names that are reserved, to the server or to us.

    :raises OptionError: with the fix.
    """
    for name in map(str, notes or {}):
        if not name or name.startswith("_") or name in reserved:
            raise OptionError(f"{what}: metadata cannot hold {name!r}, which is reserved. Choose another name.")
