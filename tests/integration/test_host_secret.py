# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords are made once, and nobody but their owner sees them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t

import pytest

if t.TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Run


def mode(path: Path) -> str:
    """Read who may do what."""
    return oct(path.stat().st_mode & 0o777)


def test_a_password_is_foretold_made_once_and_never_shown(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "secrets/raylogs"
    options: dict[str, t.Any] = {"folder": str(folder), "name": "passwords/elastic"}
    assert run("host_secret", check=True, **options)["changed"]
    assert not (tmp_path / "secrets").exists()
    result = run("host_secret", **options)
    assert result["changed"]
    password = (folder / "passwords/elastic").read_text().strip()
    assert len(password) == 32
    assert password not in str(result)
    assert {mode(path) for path in (tmp_path / "secrets", folder, folder / "passwords")} == {"0o700"}
    assert mode(folder / "passwords/elastic") == "0o600"
    assert (folder / ".gitignore").read_text() == "*\n"
    assert not run("host_secret", **options)["changed"]
    assert (folder / "passwords/elastic").read_text().strip() == password
    assert {path.name for path in (folder / "passwords").iterdir()} == {"elastic"}


def test_a_folder_that_others_may_enter_is_closed(tmp_path: Path, run: Run) -> None:
    tmp_path.chmod(0o755)
    assert run("host_secret", folder=str(tmp_path))["changed"]
    assert mode(tmp_path) == "0o700"
    assert "path" not in run("host_secret", folder=str(tmp_path))


PROGRAM = """
import json, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.raylogs.efk.plugins.modules import host_secret
with patch_module_args(json.loads(sys.argv[1])):
    host_secret.main()
"""


def test_runs_at_once_make_one_password(tmp_path: Path, run: Run) -> None:
    run("host_secret", folder=str(tmp_path))
    command = [sys.executable, "-c", PROGRAM, json.dumps({"folder": str(tmp_path), "name": "passwords/elastic"})]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    runs = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _number in range(4)]
    answers = [json.loads(each.communicate()[0]) for each in runs]
    assert sorted(answer["changed"] for answer in answers) == [False, False, False, True]
    assert [path.name for path in (tmp_path / "passwords").iterdir()] == ["elastic"]


def test_folder_that_cannot_be_made_is_refused(tmp_path: Path, run: Run) -> None:
    (tmp_path / "file").touch()
    assert "Name a folder that this user may write." in run("host_secret", folder=str(tmp_path / "file" / "a"))["msg"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"name": "../elastic"}, "is no path inside of", id="outside"),
        pytest.param({"name": "/elastic"}, "is no path inside of", id="elsewhere"),
        pytest.param({"length": 8}, "A password of 8 signs is too short. Set length to 24 or more.", id="too short"),
        pytest.param(
            {"name": "shared"}, "(its mode is 0644), so that its secret may be known", id="others may read it"
        ),
        pytest.param({"name": "empty"}, "is empty. Restore it from a copy", id="empty"),
        pytest.param({"name": "shared/elastic"}, "Not a directory. Mend the folder", id="a file in the way"),
    ],
)
def test_what_cannot_be_kept_is_refused(tmp_path: Path, run: Run, options: dict[str, t.Any], words: str) -> None:
    (tmp_path / "shared").write_text("a-password")
    (tmp_path / "shared").chmod(0o644)
    (tmp_path / "empty").touch(mode=0o600)
    result = run("host_secret", folder=str(tmp_path), **{"name": "elastic", **options})
    assert words in result["msg"]
    assert "a-password" not in str(result)
