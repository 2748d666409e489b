# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the check of action groups."""

from __future__ import annotations

import pytest

from tools.check_action_groups import find_faults


@pytest.mark.parametrize(
    ("groups", "modules", "faults"),
    [
        pytest.param({"elasticsearch": ["elasticsearch_info"]}, ["elasticsearch_info"], [], id="complete"),
        pytest.param({"elasticsearch": []}, ["host_archive"], [], id="a module about the host is in no group"),
        pytest.param(
            {"elasticsearch": ["ray_x", "elasticsearch_x"]},
            ["elasticsearch_x", "ray_x"],
            ["Action group 'elasticsearch' is not in alphabetical order"],
            id="not sorted",
        ),
        pytest.param(
            {"elasticsearch": ["elasticsearch_x"]},
            [],
            ["Action group 'elasticsearch' names 'elasticsearch_x', which is no module"],
            id="no module",
        ),
        pytest.param(
            {"elasticsearch": []},
            ["elasticsearch_x"],
            ["Module 'elasticsearch_x' is in the action groups [], and belongs into ['elasticsearch']"],
            id="in no group",
        ),
        pytest.param(
            {"elasticsearch": [], "kibana": []},
            ["other"],
            ["Module 'other' begins with none of elasticsearch_, kibana_, ray_, host_"],
            id="unknown prefix",
        ),
    ],
)
def test_find_faults(groups: dict[str, list[str]], modules: list[str], faults: list[str]) -> None:
    assert find_faults(groups, modules) == faults
