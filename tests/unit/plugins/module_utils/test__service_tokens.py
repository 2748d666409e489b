# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the names of tokens."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils._api import OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._service_tokens import name_of_token, read_token_file

if t.TYPE_CHECKING:
    from pathlib import Path

# Of the form that 7.17.9, 8.19.0 and 9.2.0 give: elastic/kibana/t1.
HELD = "AAEAAWVsYXN0aWMva2liYW5hL3QxOmFiY2Q"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param(HELD, "elastic/kibana/t1", id="a token"),
        pytest.param("aWQ6a2V5", "", id="an API key"),
        pytest.param("not a token", "", id="words"),
        pytest.param("", "", id="an empty file"),
    ],
)
def test_name(text: str, name: str) -> None:
    assert name_of_token(text) == name


def test_file_of_a_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    assert read_token_file("Cannot", None, "elastic/kibana/t1") is None
    assert read_token_file("Cannot", str(file), "elastic/kibana/t1") is None
    file.touch(0o600)
    file.write_text(f"{HELD}\n")
    assert read_token_file("Cannot", str(file), "elastic/kibana/t1") == HELD
    with pytest.raises(OptionError, match=r"holds the token elastic/kibana/t1\. Move it away"):
        read_token_file("Cannot", str(file), "elastic/kibana/t2")
    file.write_text("something else")
    with pytest.raises(OptionError, match="holds something that is no token") as refusal:
        read_token_file("Cannot", str(file), "elastic/kibana/t1")
    assert "something else" not in str(refusal.value)
