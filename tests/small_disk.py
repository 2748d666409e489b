# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small disks, each seen by one command alone: mounted in namespaces of its own, for which nobody needs to be root."""

from __future__ import annotations

import subprocess
import typing as t

import pytest

if t.TYPE_CHECKING:
    from pathlib import Path

MOUNT = 'mount -t tmpfs -o "size=$0m" tmpfs "$1" && shift && exec "$@"'


def on_small_disk(folder: Path, mebibytes: int, command: t.Sequence[str]) -> list[str]:
    """Return the command that runs another one with a small disk in the place of an empty folder."""
    namespaces = ["unshare", "--map-root-user", "--mount"]
    return [*namespaces, "sh", "-c", MOUNT, str(mebibytes), str(folder), *command]


def demand_small_disks(folder: Path) -> None:
    """Skip the test, with the reason, where the kernel lets this user mount nothing."""
    answer = subprocess.run(on_small_disk(folder, 1, ["true"]), check=False, capture_output=True, text=True)
    if answer.returncode:
        pytest.skip(f"this user may mount no small disk here: {answer.stderr.strip()}")
