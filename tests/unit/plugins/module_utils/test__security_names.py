# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse names that Elasticsearch refuses."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils._api import OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._security_names import (
    check_form,
    check_notes,
    check_security_name,
)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        pytest.param("role", ["r", "Ray-logs.writer@a+b", "~!", "a" * 507], id="roles"),
        pytest.param("user", ["u", "1", "ada@example.com", "a" * 507], id="users"),
        pytest.param("API key", ["k", "clé", "日本", "a:b", "a" * 256], id="keys"),
        pytest.param("token", ["t", "-A_9", "a" * 256], id="tokens"),
    ],
)
def test_names_that_are_taken(kind: str, names: list[str]) -> None:
    for name in names:
        check_security_name(kind, name)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        pytest.param("role", ["", "rôle", "é", "日本", "a\x01", "a\x7f", "_a", "a b", "a*", "a" * 508], id="roles"),
        pytest.param("user", ["", "é", "u\u00a0", "a,b", "a" * 508], id="users"),
        pytest.param("API key", ["", "_k", "k\u2003", "a" * 257], id="keys"),
        pytest.param("token", ["", "_t", ".t", "a.b", "é", "a@b", "a" * 257], id="tokens"),
    ],
)
def test_names_that_are_refused(kind: str, names: list[str]) -> None:
    for name in names:
        with pytest.raises(OptionError, match=f"(?i)^{kind} cannot be named ") as refusal:
            check_security_name(kind, name)
        assert len(str(refusal.value)) < 250


def test_blanks_within_a_name_of_others_are_taken() -> None:
    check_form("User 'ada' cannot have role", "role", "made by Kibana, with * and ?")
    for name in (" r", "r ", "\nr", "r\t"):
        with pytest.raises(OptionError, match=r"^User 'ada' cannot have role .*no blank at an end"):
            check_form("User 'ada' cannot have role", "role", name)


@pytest.mark.parametrize("notes", [None, {}, {"a": 1}, {"a": {"_b": 1}}, {"a_": 1}, {1: 2}])
def test_notes_that_are_taken(notes: dict[t.Any, t.Any] | None) -> None:
    check_notes("Cannot", notes, {"ours"})


@pytest.mark.parametrize("name", ["_a", "", "_", "ours"])
def test_notes_that_are_reserved(name: str) -> None:
    with pytest.raises(OptionError, match=f"^Cannot: metadata cannot hold '{name}', which is reserved"):
        check_notes("Cannot", {"a": 1, name: 1}, {"ours"})
