# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge settings, passwords and names before a server gets them."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils._password import find_weakness

DNS_NAME = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*", re.IGNORECASE)
LONGEST_NAME = 253
# What each setting may be; anything else would take away TLS, users, or the user by whom the role asks.
BOUND: tuple[tuple[str, frozenset[str]], ...] = (
    (r"xpack\.security\.enabled", frozenset({"true"})),
    (r"xpack\.security\.(http|transport)\.ssl\.enabled", frozenset({"true"})),
    (r"xpack\.security\.(http|transport)\.ssl\.verification_mode", frozenset({"full", "certificate"})),
    (r"xpack\.security\.transport\.ssl\.client_authentication", frozenset({"required"})),
    (r"xpack\.security\.authc\.reserved_realm\.enabled", frozenset({"true"})),
    (r"xpack\.security\.authc\.realms\.native\.[^.]+\.enabled", frozenset({"true"})),
)
UNBOUND = ((r"xpack\.security\.enabled", frozenset({"false"})),)


def dotted(settings: t.Mapping[str, t.Any], prefix: str = "") -> dict[str, t.Any]:
    """Return nested settings by their full names."""
    flat: dict[str, t.Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat.update(dotted(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def unsafe_settings(settings: t.Mapping[str, t.Any], *, secured: bool = True) -> list[str]:
    """Return the settings, as name: value, that contradict what was decided about TLS and users."""
    rules = BOUND if secured else UNBOUND
    return [
        f"{name}: {str(value).lower()}"
        for name, value in sorted(dotted(settings).items())
        for pattern, allowed in rules
        if re.fullmatch(pattern, name) and str(value).lower() not in allowed
    ]


def password_weakness(password: str, user: str) -> str:
    """Return why a password is too weak, or cannot be given to a server; nothing when it is good enough."""
    if weakness := find_weakness(user, str(password).strip()):
        return f"it {weakness}"
    return "it holds a line break" if {"\n", "\r"} & set(str(password)) else ""


def certificate_name(name: str) -> str:
    """Return a name or address as it stands in a certificate, or nothing when none can hold it."""
    try:
        return f"IP:{ipaddress.ip_address(name.strip('[]'))}"
    except ValueError:
        return f"DNS:{name}" if len(name) <= LONGEST_NAME and DNS_NAME.fullmatch(name) else ""


def certificate_names(names: t.Iterable[str]) -> list[str]:
    """Return names and addresses as they stand in a certificate, each once and in order."""
    return sorted({found for name in names if (found := certificate_name(str(name)))})


class FilterModule:
    """Name the filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {
            "certificate_names": certificate_names,
            "password_weakness": password_weakness,
            "unsafe_settings": unsafe_settings,
        }
