# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide what to do about an object: a pure comparison of what is wanted and what is there."""

from __future__ import annotations

import json
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._api import Body


class Change(t.NamedTuple):
    """What to do (create, update, delete, none) and the normalised object before and after; None is absence."""

    verb: str
    before: Body | None
    after: Body | None


def reconcile(desired: Body | None, current: Body | None, normalise: t.Callable[[Body], Body]) -> Change:
    """Compare two objects as the server sees them."""
    before = None if current is None else normalise(current)
    after = None if desired is None else normalise(desired)
    if equal(before, after):
        return Change("none", before, after)
    if before is None:
        return Change("create", before, after)
    return Change("delete" if after is None else "update", before, after)


def equal(one: t.Any, other: t.Any) -> bool:
    """Compare as JSON does: to Python, 1, 1.0 and True are the same."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def first_difference(wanted: t.Any, found: t.Any, path: str = "") -> str:
    """Name the place where what was found lacks what was wanted; nothing when it holds all of it."""
    if not (isinstance(wanted, dict) and isinstance(found, dict)):
        return "" if equal(wanted, found) else path or "/"
    for key, value in wanted.items():
        if key not in found:
            if value is not None:
                return f"{path}/{key}"
        elif difference := first_difference(value, found[key], f"{path}/{key}"):
            return difference
    return ""
