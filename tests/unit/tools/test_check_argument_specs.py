# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the comparison of argument specs with defaults."""

from __future__ import annotations

import typing as t

import pytest

from tools.check_argument_specs import find_faults

WHERE = "Role x, entry point main, option x_port"


@pytest.mark.parametrize(
    ("option", "defaults", "faults"),
    [
        pytest.param({"default": 9200}, {"x_port": 9200}, [], id="equal"),
        pytest.param({"required": True}, {}, [], id="required"),
        pytest.param({}, {}, [], id="optional without default"),
        pytest.param(
            {"default": 9200},
            {"x_port": "9200"},
            [f"{WHERE}: default 9200, in defaults/main.yml '9200'"],
            id="a text is no number",
        ),
        pytest.param({"default": 1}, {}, [f"{WHERE}: its default is missing in defaults/main.yml"], id="missing"),
        pytest.param(
            {"required": True},
            {"x_port": 1},
            [f"{WHERE}: is required and has a default in defaults/main.yml"],
            id="required with default",
        ),
        pytest.param(
            {}, {"x_host": "a"}, ["Role x: x_host of defaults/main.yml is described nowhere"], id="not described"
        ),
    ],
)
def test_find_faults(option: dict[str, t.Any], defaults: dict[str, t.Any], faults: list[str]) -> None:
    specification = {"options": {"x_port": {"type": "int", "description": "The port.", **option}}}
    assert find_faults("x", {"main": specification}, defaults) == faults


def test_undescribed_option() -> None:
    assert find_faults("x", {"main": {"options": {"x_port": {"type": "int"}}}}, {}) == [
        f"{WHERE}: has no type or no description"
    ]
