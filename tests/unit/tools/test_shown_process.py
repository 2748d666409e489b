# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process is shown and read."""

from __future__ import annotations

import sys
import typing as t

from shown_process import run_shown

if t.TYPE_CHECKING:
    from pathlib import Path

    import pytest

SPEAK = "import os, sys; print('one', os.environ['WORD']); print(os.getcwd(), file=sys.stderr); sys.exit(3)"


def test_run_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output, code = run_shown([sys.executable, "-c", SPEAK], tmp_path, {"WORD": "two"})
    assert code == 3
    assert set(output.splitlines()) == {"one two", str(tmp_path)}
    assert capsys.readouterr().out == output
