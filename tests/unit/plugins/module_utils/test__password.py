# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge passwords."""

from __future__ import annotations

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils._api import OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._password import check_password, find_weakness


@pytest.mark.parametrize(
    ("name", "password", "weakness"),
    [
        pytest.param("ada", "", "is empty", id="none"),
        pytest.param("ada", "Xk3-vQ9.tRw", "has fewer than 12 characters", id="eleven characters"),
        pytest.param("ada", "Xk3-vQ9.tRwz", "", id="twelve characters"),
        pytest.param("lovelace", "9.LoveLace.7x", "contains the name of the user", id="the name, in capitals"),
        pytest.param("ada", "Canada-9.tRwz", "", id="a short name may occur"),
        pytest.param("ab-12-cd-34-ef", "AB-12-cd-34-ef", "contains the name of the user", id="the name alone"),
        pytest.param("ada", "aaaaBBBBcccc", "has fewer than 5 different characters", id="three characters"),
        pytest.param("ada", "123456789012", "is one of those that are tried first", id="digits in a row"),
        pytest.param("ada", "qwertyuiopas", "is one of those that are tried first", id="keys in a row"),
        pytest.param("ada", "ChangeMe-2026!", "is one of those that are tried first", id="a word with digits after"),
        pytest.param("ada", "2026-changeme", "is one of those that are tried first", id="a word with digits before"),
        pytest.param("ada", "P@ssw0rd1234", "is one of those that are tried first", id="signs for letters"),
        pytest.param("ada", "PleaseChangeMe", "is one of those that are tried first", id="a default of others"),
        pytest.param("ada", "correct horse battery", "", id="a sentence"),
        pytest.param("ada", "ключ-от-сарая-7", "", id="other letters"),
    ],
)
def test_weakness(name: str, password: str, weakness: str) -> None:
    assert find_weakness(name, password) == weakness


def test_refusal_says_how_to_make_a_good_one_and_not_the_password() -> None:
    with pytest.raises(
        OptionError, match=r"^The password of user 'ada' has fewer .*openssl rand -base64 24"
    ) as refusal:
        check_password("ada", "tOo-sh0rt")
    assert "tOo-sh0rt" not in str(refusal.value)
    check_password("ada", "Xk3-vQ9.tRwz")
