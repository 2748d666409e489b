# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventories that users copy."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

FLEET = Path(__file__).resolve().parents[2] / "inventories" / "fleet"


def read_inventory(folder: Path, *arguments: str) -> str:
    """Let Ansible read an inventory; give all that it says."""
    command = [sys.executable, "-m", "ansible.cli.inventory", "--inventory", str(folder), *arguments]
    answer = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return answer.stdout + answer.stderr


def variables_of(folder: Path, host: str) -> dict[str, t.Any]:
    """Read the variables of a host, as they are written."""
    found: dict[str, t.Any] = json.loads(read_inventory(folder, "--host", host))
    return found


def test_secrets_beside_an_inventory_are_no_part_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    shutil.copytree(FLEET, folder)
    named = variables_of(folder, "es1.example.com")["raylogs_secrets_dir"]
    place = Path(named.replace("{{ inventory_dir }}", str(folder))) / "raylogs"
    assert place.is_relative_to(folder)
    place.mkdir(parents=True)
    password = secrets.token_urlsafe(24)
    for name in ("elastic", "hosts.yml", "ca.key"):
        (place / name).write_text(f"{password}\n")
    assert password not in read_inventory(folder, "--list")
    assert password not in read_inventory(folder, "--graph", "--vars")
