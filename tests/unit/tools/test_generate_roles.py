# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of variables in the README of a role."""

from __future__ import annotations

import typing as t

import pytest

from tools.generate_roles import default_of, describe, table


@pytest.mark.parametrize(
    ("option", "default"),
    [
        pytest.param({"default": "8.19.0"}, "`8.19.0`", id="a text"),
        pytest.param({"default": ""}, '`""`', id="an empty text"),
        pytest.param({"default": True}, "`true`", id="a boolean"),
        pytest.param({"default": {}}, "`{}`", id="an empty dictionary"),
        pytest.param({"default": {"a": 1}}, "[see there](defaults/main.yml)", id="a dictionary"),
        pytest.param({"required": True}, "required", id="none"),
    ],
)
def test_default_of(option: dict[str, t.Any], default: str) -> None:
    assert default_of(option) == default


def test_describe() -> None:
    option = {"description": ["With O(x_port=1) or V(a|b).", "And C(c)."], "choices": ["a", "b"]}
    assert describe(option) == "With `x_port=1` or `a\\|b`. And `c`. One of `a`, `b`."


def test_table() -> None:
    assert (
        table({"x_port": {"default": 1, "description": "A port."}}).splitlines()[-1] == "| `x_port` | `1` | A port. |"
    )
