# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of an object in steps, each foretold in check mode, taken, repeated, and foretold again."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from tests.integration.conftest import Result, Run

Options = dict[str, t.Any]


class Step(t.NamedTuple):
    """Options, and the object before and after as the diff shows it."""

    options: Options
    before: Options
    after: Options


class Kind(t.NamedTuple):
    """A module, what it returns, how its difference is headed, and what it is always given."""

    module: str
    returns: str
    header: str
    always: Options


class Taken(t.NamedTuple):
    """What the module returned when it foretold a step, took it, repeated it, and foretold it again."""

    foretold: Result
    done: Result
    again: Result
    checked: Result


def take(kind: Kind, step: Step, run: Run, look: t.Callable[[], t.Any]) -> Taken:
    """Take a step: it alone changes what there is to look at, once, and as it was foretold."""
    asked = {**kind.always, **step.options}
    found = look()
    foretold = run(kind.module, check=True, **asked)
    assert look() == found, step
    done = run(kind.module, **asked)
    now = look()
    assert now != found, step
    again = run(kind.module, **asked)
    checked = run(kind.module, check=True, **asked)
    assert look() == now, step

    assert [each["changed"] for each in (foretold, done, again, checked)] == [True, True, False, False], done
    difference = {"before_header": kind.header, "after_header": kind.header, "before": step.before, "after": step.after}
    assert foretold["diff"] == done["diff"] == difference
    assert done[kind.returns] == again[kind.returns] == checked[kind.returns]
    assert "warnings" not in done
    return Taken(foretold, done, again, checked)
