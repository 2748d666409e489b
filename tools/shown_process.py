# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process whose words are shown as it speaks, and kept to be read."""

from __future__ import annotations

import subprocess
import sys
import typing as t

if t.TYPE_CHECKING:
    from pathlib import Path


def run_shown(command: t.Sequence[str | Path], cwd: Path, env: t.Mapping[str, str]) -> tuple[str, int]:
    """Run a command, show what it says, and return that and its exit code."""
    process = subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = []
    for line in process.stdout or []:
        lines.append(line)
        sys.stdout.write(line)
        sys.stdout.flush()
    return "".join(lines), process.wait()
