# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep secrets in files."""

from __future__ import annotations

import stat
import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils._api import OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._secret_file import (
    check_place,
    draft_of,
    read_secret,
    remove_secret,
)

if t.TYPE_CHECKING:
    from pathlib import Path


def mode(path: Path) -> int:
    """Give the permissions of a file or folder."""
    return stat.S_IMODE(path.stat().st_mode)


def test_life_of_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "secret"
    check_place(str(file))
    assert read_secret(str(file)) is None
    for secret in ("first", "second"):
        with draft_of(str(file)) as keep:
            keep(secret)
        assert (read_secret(str(file)), file.read_text()) == (secret, f"{secret}\n")
    assert [mode(path) for path in (file, file.parent, tmp_path / "a")] == [0o600, 0o700, 0o700]
    assert list(file.parent.iterdir()) == [file]
    remove_secret(str(file))
    remove_secret(str(file))
    assert list(file.parent.iterdir()) == []


def test_secret_that_is_not_kept_leaves_the_former(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("former")
    file.chmod(0o600)
    with pytest.raises(KeyError), draft_of(str(file)):
        raise KeyError
    assert read_secret(str(file)) == "former"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("permissions", [0o640, 0o604, 0o620, 0o660, 0o610])
def test_secret_that_others_may_use_is_refused(permissions: int, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret")
    file.chmod(permissions)
    with pytest.raises(OptionError, match=f"its mode is 0{permissions:o}.*chmod 600") as refusal:
        read_secret(str(file))
    assert "s3cret" not in str(refusal.value)


def test_what_is_no_secret_is_refused(tmp_path: Path) -> None:
    file, link = tmp_path / "secret", tmp_path / "link"
    link.symlink_to(file)
    for path in (tmp_path, link):
        with pytest.raises(OptionError, match="is no file"):
            read_secret(str(path))
    file.write_bytes(b"\xff\xfe")
    file.chmod(0o600)
    with pytest.raises(OptionError, match="Cannot read"):
        read_secret(str(file))
    with pytest.raises(OptionError, match="Cannot look at"):
        read_secret(str(file / "secret"))


def test_place_that_cannot_hold_a_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match="is not absolute"):
        check_place("secret")
    with pytest.raises(OptionError, match="is no folder"):
        check_place(str(tmp_path / "file" / "folder" / "secret"))
    tmp_path.chmod(0o720)
    with pytest.raises(OptionError, match="Run: chmod go-w"):
        check_place(str(tmp_path / "secret"))
    tmp_path.chmod(0o1777)
    check_place(str(tmp_path / "secret"))


def test_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match="Cannot write"), draft_of(str(tmp_path / "file" / "secret")):
        pass
    file = tmp_path / "folder"
    with draft_of(str(file)) as keep:
        file.mkdir()
        with pytest.raises(OptionError, match="Is a directory"):
            keep("s3cret")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
    with pytest.raises(OptionError, match="Cannot remove"):
        remove_secret(str(file))
