# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an earlier Elasticsearch left."""

from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    from tests.integration.conftest import Run

STATE = Path(__file__).parents[1] / "unit/fixtures/host_installation_info/node-9.2.0.st"


def test_data_and_units_are_described(tmp_path: Path, run: Run) -> None:
    (tmp_path / "_state").mkdir()
    shutil.copy(STATE, tmp_path / "_state/node-4.st")
    found = run("host_installation_info", data_dir=str(tmp_path), unit="no-such.service", mark="ours")
    assert found["data"] == {"state": "elasticsearch", "version": "9.2.0", "entries": ["_state"]}
    assert (found["changed"], found["units"]) == (False, [])


def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path, run: Run) -> None:
    wrong = tmp_path / "data"
    wrong.touch()
    assert f"Cannot look at {wrong}: " in run("host_installation_info", data_dir=str(wrong), unit="x", mark="y")["msg"]
