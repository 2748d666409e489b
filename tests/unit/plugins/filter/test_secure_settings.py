# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused of settings and passwords, and which names a certificate can hold."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.filter.secure_settings import (
    FilterModule,
    certificate_names,
    password_weakness,
    unsafe_settings,
)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param({"xpack.security.enabled": True}, [], id="what is so anyway"),
        pytest.param({"xpack.security.enabled": False}, ["xpack.security.enabled: false"], id="users off"),
        pytest.param(
            {"xpack": {"security.enabled": "False"}}, ["xpack.security.enabled: false"], id="nested, a string"
        ),
        pytest.param(
            {"xpack.security.enabled": "${USERS}"}, ["xpack.security.enabled: ${users}"], id="decided elsewhere"
        ),
        pytest.param(
            {"xpack.security": {"http": {"ssl": {"enabled": 0, "verification_mode": "none"}}}},
            ["xpack.security.http.ssl.enabled: 0", "xpack.security.http.ssl.verification_mode: none"],
            id="TLS off",
        ),
        pytest.param({"xpack.security.transport.ssl.verification_mode": "certificate"}, [], id="names unchecked"),
        pytest.param(
            {"xpack.security.transport.ssl.client_authentication": "none"},
            ["xpack.security.transport.ssl.client_authentication: none"],
            id="any node may join",
        ),
        pytest.param(
            {"xpack.security.authc.realms": {"native.n1": {"order": 0, "enabled": False}}},
            ["xpack.security.authc.realms.native.n1.enabled: false"],
            id="the realm of our users",
        ),
        pytest.param(
            {"xpack.security.authc.reserved_realm.enabled": False},
            ["xpack.security.authc.reserved_realm.enabled: false"],
            id="the realm of elastic",
        ),
        pytest.param({"xpack.security.authc.realms.ldap.l1.enabled": False}, [], id="a realm of others"),
    ],
)
def test_unsafe_settings(settings: dict[str, t.Any], found: list[str]) -> None:
    assert unsafe_settings(settings) == found


def test_users_that_come_back_by_a_setting() -> None:
    assert unsafe_settings({"xpack.security.enabled": True}, secured=False) == ["xpack.security.enabled: true"]
    assert unsafe_settings({"xpack.security.enabled": False}, secured=False) == []


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        pytest.param("", "it is empty", id="empty"),
        pytest.param(" \n", "it is empty", id="blank"),
        pytest.param("Xk3!vRq9#pL", "it has fewer than 12 characters", id="short"),
        pytest.param("an-Elastic-band", "it contains the name of the user", id="the user"),
        pytest.param("Password12345", "it is one of those that are tried first", id="notorious"),
        pytest.param("two-long\nlines-of-it", "it holds a line break", id="two lines"),
        pytest.param("correct horse battery", "", id="words"),
    ],
)
def test_password_weakness(password: str, reason: str) -> None:
    assert password_weakness(password, "elastic") == reason


def test_certificate_names() -> None:
    names = ["es1", "es1", "*.example.com", "192.0.2.1", "[2001:DB8::0:1]", "a b", "", "_ok", "-no", "x" * 300]
    assert certificate_names(names) == ["DNS:*.example.com", "DNS:_ok", "DNS:es1", "IP:192.0.2.1", "IP:2001:db8::1"]


def test_filters_have_names() -> None:
    assert set(FilterModule().filters()) == {"certificate_names", "password_weakness", "unsafe_settings"}
