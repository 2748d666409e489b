# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a signing key is."""

from __future__ import annotations

import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    from tests.integration.conftest import Run

KEY = Path(__file__).parents[1] / "unit/fixtures/host_signing_key_info/mirror.asc"


def test_a_key_is_read(run: Run) -> None:
    found = run("host_signing_key_info", path=str(KEY))
    assert (found["changed"], found["fingerprints"]) == (False, ["CD1B982F91D42D997B6FBAD91207A7A652A37B11"])


def test_a_key_that_is_none_is_named_with_what_to_do(tmp_path: Path, run: Run) -> None:
    page = tmp_path / "key.asc"
    page.write_text("<html>")
    assert run("host_signing_key_info", path=str(page))["msg"] == (
        f"Cannot read the signing key {page}: it holds no OpenPGP key. Fetch it again: rm {page}"
    )
    assert run("host_signing_key_info", path=str(tmp_path / "none"))["fingerprints"] == []
    assert "Is a directory" in run("host_signing_key_info", path=str(tmp_path))["msg"]
