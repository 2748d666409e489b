# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide what to do."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils._reconcile import equal, first_difference, reconcile

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._api import Body


def lower_keys(body: Body) -> Body:
    """Stand for what a server rewrites."""
    return {key.lower(): value for key, value in body.items()}


@pytest.mark.parametrize(
    ("desired", "current", "verb"),
    [
        pytest.param({"a": 1}, None, "create", id="absent is created"),
        pytest.param({"A": 1}, {"a": 1}, "none", id="equal after normalising is left alone"),
        pytest.param({"a": 1}, {"a": 1, "b": 2}, "update", id="an extra key is removed by a replacing write"),
        pytest.param({"a": True}, {"a": 1}, "update", id="true is not one"),
        pytest.param(None, {"a": 1}, "delete", id="present is deleted"),
        pytest.param(None, None, "none", id="absent stays absent"),
    ],
)
def test_reconcile(desired: Body | None, current: Body | None, verb: str) -> None:
    change = reconcile(desired, current, lower_keys)
    assert change.verb == verb
    assert change.before == (None if current is None else lower_keys(current))
    assert change.after == (None if desired is None else lower_keys(desired))


def test_equal_ignores_the_order_of_keys_only() -> None:
    assert equal({"a": [1, 2], "b": None}, {"b": None, "a": [1, 2]})
    assert not equal([1, 2], [2, 1])
    assert not equal({"a": 1}, {"a": 1.5})


@pytest.mark.parametrize(
    ("wanted", "found", "place"),
    [
        pytest.param({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": 3}, "", id="more is fine"),
        pytest.param({"a": {"b": 1}}, {"a": {"b": 2}}, "/a/b", id="another value"),
        pytest.param({"a": {"b": 1}}, {"a": {}}, "/a/b", id="a missing value"),
        pytest.param({"a": None}, {}, "", id="null may be missing"),
        pytest.param({"a": {}}, {"a": []}, "/a", id="another type"),
        pytest.param(None, {"a": 1}, "/", id="all of it"),
    ],
)
def test_first_difference(wanted: t.Any, found: t.Any, place: str) -> None:
    assert first_difference(wanted, found) == place
