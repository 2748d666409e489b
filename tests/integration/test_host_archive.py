# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpack archives: all of one or nothing."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import typing as t
import zipfile
from pathlib import Path

import pytest

if t.TYPE_CHECKING:
    from tests.integration.conftest import Run

LINK = 0o120777


def make_zip(path: Path, members: t.Mapping[str, bytes], modes: t.Mapping[str, int] | None = None) -> Path:
    """Write a zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (modes or {}).get(name, 0o100600) << 16
            archive.writestr(info, content)
    return path


def make_tar(path: Path, members: t.Iterable[tuple[str, bytes, str, int]]) -> Path:
    """Write a tar.gz of (name, type, content, mode)."""
    with tarfile.open(path, "w:gz") as archive:
        for name, kind, content, mode in members:
            info = tarfile.TarInfo(name)
            info.type, info.mode = kind, mode
            if kind == tarfile.SYMTYPE:
                info.linkname = content
            info.size = len(content) if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(content.encode()))
    return path


def test_a_zip_with_one_folder_at_its_top(tmp_path: Path, run: Run) -> None:
    members = {"app-1/bin/run": b"#!/bin/sh", "app-1/config": b"x", "app-1/latest": b"bin/run"}
    source = make_zip(tmp_path / "app.zip", members, {"app-1/bin/run": 0o100700, "app-1/latest": LINK})
    options: dict[str, t.Any] = {"src": str(source), "dest": str(tmp_path / "app"), "origin": "a test"}
    assert run("host_archive", check=True, **options)["changed"]
    assert not (tmp_path / "app").exists()
    checksum = "sha256:" + hashlib.sha256(source.read_bytes()).hexdigest()
    assert run("host_archive", **options, checksum=checksum)["changed"]
    assert (tmp_path / "app/bin/run").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "app/config").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "app/latest").readlink() == Path("bin/run")
    source.unlink()
    again = run("host_archive", **options)
    assert (again["changed"], again["origin"]) == (False, "a test")


def test_a_tar_without_a_folder_at_its_top(tmp_path: Path, run: Run) -> None:
    members = [("bin", tarfile.DIRTYPE, "", 0o700), ("bin/run", tarfile.REGTYPE, "x", 0o700)]
    source = make_tar(tmp_path / "app.tar.gz", [*members, ("now", tarfile.SYMTYPE, "bin/run", 0o777)])
    assert run("host_archive", src=str(source), dest=str(tmp_path / "app"))["changed"]
    assert os.access(tmp_path / "app/bin/run", os.X_OK)
    assert (tmp_path / "app/now").read_text() == "x"


def test_a_tar_that_ends_in_a_zip_is_a_tar(tmp_path: Path, run: Run) -> None:
    source, inner = tmp_path / "app.tar", make_zip(tmp_path / "inner.jar", {"x": b"y"})
    with tarfile.open(source, "w") as archive:
        archive.add(inner, "app/inner.jar")
    assert zipfile.is_zipfile(source)
    assert run("host_archive", src=str(source), dest=str(tmp_path / "app"))["changed"]
    assert (tmp_path / "app/inner.jar").read_bytes() == inner.read_bytes()


@pytest.mark.parametrize(
    ("name", "kind", "content"),
    [
        pytest.param("../outside", tarfile.REGTYPE, "x", id="a file above the folder"),
        pytest.param("/outside", tarfile.REGTYPE, "x", id="an absolute file"),
        pytest.param("link", tarfile.SYMTYPE, "/etc/passwd", id="an absolute link"),
        pytest.param("a/link", tarfile.SYMTYPE, "../../x", id="a link above the folder"),
        pytest.param("pipe", tarfile.FIFOTYPE, "", id="a pipe"),
    ],
)
def test_what_leads_out_is_refused(tmp_path: Path, run: Run, name: str, kind: bytes, content: str) -> None:
    (tmp_path / "here").mkdir()
    source = make_tar(tmp_path / "bad.tar.gz", [(name, kind, content, 0o644)])
    answer = run("host_archive", src=str(source), dest=str(tmp_path / "here/app"))
    assert f"holds {name}, which leads out of its folder or is no file" in answer["msg"]
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("last", ["through/evil", "through"])
def test_links_that_lead_out_together_are_refused(tmp_path: Path, run: Run, last: str) -> None:
    """Each link alone stays within the folder: `through` goes up by way of `a/up`."""
    links = [("through", "a/up/.."), ("a/up", "..")]
    members = [(name, tarfile.SYMTYPE, target, 0o777) for name, target in (links if "/" in last else links[::-1])]
    source = make_tar(tmp_path / "bad.tar.gz", [*members, ("through/evil", tarfile.REGTYPE, "x", 0o644)])
    answer = run("host_archive", src=str(source), dest=str(tmp_path / "app"))
    assert f"holds {last}, which leads out of its folder" in answer["msg"]
    assert list(tmp_path.iterdir()) == [source]


def test_an_encrypted_zip_is_refused(tmp_path: Path, run: Run) -> None:
    source = make_zip(tmp_path / "app.zip", {"a/b": b"x"})
    content = bytearray(source.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    content[6] |= 1
    source.write_bytes(content)
    answer = run("host_archive", src=str(source), dest=str(tmp_path / "app"))
    assert "encrypted" in answer["msg"]
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_cut_archive_leaves_nothing(tmp_path: Path, run: Run, kind: str, share: float) -> None:
    content = os.urandom(100_000)
    source = tmp_path / f"app.{kind}"
    if kind == "zip":
        make_zip(source, {"a/one": content, "a/two": content})
    else:
        make_tar(source, [("a/one", tarfile.REGTYPE, content.hex(), 0o644)])
    whole = source.read_bytes()
    source.write_bytes(whole[: int(len(whole) * share)])
    answer = run("host_archive", src=str(source), dest=str(tmp_path / "app"))
    assert "is cut off or damaged" in answer["msg"]
    assert f"Remove it (rm {source})" in answer["msg"]
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize(
    ("checksum", "words"),
    [
        pytest.param("sha512:" + "0" * 128, "is not what it should be", id="another archive"),
        pytest.param("0123", "is not of the form algorithm:hexadecimal", id="no algorithm"),
        pytest.param("shoe:0123", "is not of the form algorithm:hexadecimal", id="an unknown algorithm"),
    ],
)
def test_a_checksum_that_differs(tmp_path: Path, run: Run, checksum: str, words: str) -> None:
    source = make_zip(tmp_path / "app.zip", {"a/b": b"x"})
    answer = run("host_archive", src=str(source), dest=str(tmp_path / "app"), checksum=checksum)
    assert words in answer["msg"]
    assert list(tmp_path.iterdir()) == [source]


def test_an_absent_archive(tmp_path: Path, run: Run) -> None:
    answer = run("host_archive", src=str(tmp_path / "no.zip"), dest=str(tmp_path / "app"))
    assert "No such file" in answer["msg"]
