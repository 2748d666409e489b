# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge a password before it is sent anywhere: pure, and the password is in no message."""

from __future__ import annotations

import re

from ansible_collections.raylogs.efk.plugins.module_utils._api import OptionError

SHORTEST = 12
FEWEST_SIGNS = 5
SHORTEST_TELLING_NAME = 4
NOTORIOUS = frozenset(
    {
        "admin",
        "adminadmin",
        "administrator",
        "changeit",
        "changeme",
        "elastic",
        "elasticsearch",
        "kibana",
        "letmein",
        "pass",
        "passwort",
        "password",
        "passwordpassword",
        "pleasechangeme",
        "qwerty",
        "qwertyuiop",
        "secret",
        "test",
        "welcome",
    }
)
LETTERS_OF_SIGNS = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "@": "a", "$": "s", "!": "i"})
ROWS = ("1234567890" * 9, "0987654321" * 9, "abcdefghijklmnopqrstuvwxyz" * 3, "qwertyuiopasdfghjklzxcvbnm" * 3)


def check_password(name: str, password: str) -> None:
    """Refuse a password that is easily guessed.

    :raises OptionError: with the reason and how to make a good one.
    """
    if weakness := find_weakness(name, password):
        raise OptionError(
            f"The password of user '{name}' {weakness}. Make one, for instance with "
            "`openssl rand -base64 24`, and keep it in a vault."
        )


def find_weakness(name: str, password: str) -> str:
    """Say why a password is easily guessed; nothing when it is not."""
    lower = password.lower()
    if not password:
        return "is empty"
    if len(password) < SHORTEST:
        return f"has fewer than {SHORTEST} characters"
    if lower == name.lower() or (len(name) >= SHORTEST_TELLING_NAME and name.lower() in lower):
        return "contains the name of the user"
    if len(set(lower)) < FEWEST_SIGNS:
        return f"has fewer than {FEWEST_SIGNS} different characters"
    if any(lower in row for row in ROWS) or is_notorious(lower):
        return "is one of those that are tried first"
    return ""


def is_notorious(lower: str) -> bool:
    """Tell a notorious word with digits or signs around or in it."""
    letters = re.sub(r"[^a-z]", "", lower)
    trimmed = re.sub(r"^[^a-z]+|[^a-z]+$", "", re.sub(r"[0-9!#?.*_-]+$", "", lower).translate(LETTERS_OF_SIGNS))
    return letters in NOTORIOUS or trimmed in NOTORIOUS
