# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives: what is unpacked, what is refused, what is left afterwards."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import shutil
import sys
import tarfile
import tempfile
import typing as t
from pathlib import Path

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _spool

LOGS = "session_1/logs"
FILES = {f"{LOGS}/raylet.out": b"one\n" * 1000, f"{LOGS}/worker.out": b"two\n", f"{LOGS}/old/empty.err": b""}
SECOND = 1_000_000_000
NOBODY = 65534


def tar(files: t.Mapping[str, bytes]) -> bytes:
    """Make an archive of files."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), 1_795_000_000
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


def unpacked(path: Path, limit: int = 0) -> dict[str, bytes]:
    """Unpack an archive and read what is there; nothing may be left afterwards."""
    parent = path.parent / "parent"
    parent.mkdir(exist_ok=True)
    try:
        with _spool.spool(str(path), str(parent), limit) as spooled:
            root = Path(spooled.folder)
            return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}
    finally:
        assert list(parent.iterdir()) == []


@pytest.mark.parametrize(
    "pack",
    [
        pytest.param(bytes, id="plain"),
        pytest.param(gzip.compress, id="gzip"),
        pytest.param(lzma.compress, id="xz"),
        pytest.param(bz2.compress, id="bzip2"),
    ],
)
def test_all_files_are_unpacked(pack: t.Callable[[bytes], bytes], tmp_path: Path) -> None:
    archive = tmp_path / "logs.tar"
    archive.write_bytes(pack(tar(FILES)))
    assert unpacked(archive) == FILES


@pytest.mark.parametrize(
    "pack",
    [pytest.param(bytes, id="plain"), pytest.param(gzip.compress, id="gzip"), pytest.param(lzma.compress, id="xz")],
)
def test_every_truncation_is_noticed(pack: t.Callable[[bytes], bytes], tmp_path: Path) -> None:
    whole = pack(tar(FILES))
    needed = len(whole) if whole != tar(FILES) else whole.rindex(b"empty.err")
    archive = tmp_path / "logs.tar"
    for length in range(0, needed, max(needed // 40, 1)):
        archive.write_bytes(whole[:length])
        with pytest.raises(_spool.SpoolError, match=r"truncated or damaged|it is empty|it is no tar archive"):
            unpacked(archive)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "it is empty", id="nothing"),
        pytest.param(b"[2026-11-23 10:00:00,000 I 1 1] line\n" * 99, "it is no tar archive", id="a log"),
        pytest.param(gzip.compress(b"line\n" * 999), "it is no tar archive", id="a compressed log"),
        pytest.param(b"PK\3\4" + b"\0" * 999, "it is no tar archive", id="a zip"),
        pytest.param(b"short\n", "it is no tar archive", id="a short text"),
        pytest.param(tar(FILES)[:500], "it is truncated or damaged", id="less than a block of a tar"),
        pytest.param(gzip.compress(b"x")[:2], "it is truncated or damaged", id="two bytes of a gzip"),
        pytest.param(b"BZh9" + b"garbage" * 99, "it is truncated or damaged", id="a damaged bzip2"),
        pytest.param(gzip.compress(tar(FILES))[:-9] + b"\0" * 9, "it is truncated or damaged", id="a wrong checksum"),
    ],
)
def test_what_a_file_is_stands_in_one_message(content: bytes, words: str, tmp_path: Path) -> None:
    archive = tmp_path / "logs.tar"
    archive.write_bytes(content)
    with pytest.raises(_spool.SpoolError) as refusal:
        unpacked(archive)
    assert str(refusal.value).startswith(
        f"Cannot read {'the archive ' if 'damaged' in words else ''}{archive}: {words}"
    )
    assert "Nothing was imported." in str(refusal.value)
    assert "spool_dir" not in str(refusal.value)


def test_an_archive_of_nothing_holds_nothing(tmp_path: Path) -> None:
    archive = tmp_path / "logs.tar"
    archive.write_bytes(tar({}))
    assert unpacked(archive) == {}


def test_an_archive_without_mark_is_one_by_its_sum(tmp_path: Path) -> None:
    member = tarfile.TarInfo("raylet.out")
    header = bytearray(member.tobuf(tarfile.USTAR_FORMAT))
    header[257:265], header[148:156] = bytes(8), b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    archive = tmp_path / "logs.tar"
    archive.write_bytes(bytes(header) + tarfile.NUL * 1024)
    assert unpacked(archive) == {"raylet.out": b""}


@pytest.fixture
def open_folder() -> t.Iterator[Path]:
    """Give a folder that everybody can enter, and be a user without rights over it."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextlib.contextmanager
def without_rights() -> t.Iterator[None]:
    """Be a user who is not root."""
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)


def test_an_archive_that_may_not_be_read_is_named(open_folder: Path) -> None:
    archive = open_folder / "logs.tar"
    archive.write_bytes(tar(FILES))
    archive.chmod(0)
    with (
        without_rights(),
        pytest.raises(_spool.SpoolError) as refusal,
        _spool.spool(str(archive), str(open_folder), 0),
    ):
        pytest.fail("it was unpacked")
    assert str(refusal.value) == (
        f"Cannot read the archive {archive}: Permission denied. Nothing was imported. Run as a user who may read it."
    )


def test_a_folder_that_may_not_be_written_is_named(open_folder: Path) -> None:
    archive, parent = open_folder / "logs.tar", open_folder / "parent"
    archive.write_bytes(tar(FILES))
    parent.mkdir(mode=0o555)
    with (
        without_rights(),
        pytest.raises(_spool.SpoolError) as refusal,
        _spool.spool(str(archive), str(parent), 0),
    ):
        pytest.fail("it was unpacked")
    assert f"Cannot unpack the archive {archive} into {parent}: Permission denied." in str(refusal.value)
    assert "Name another folder as spool_dir" in str(refusal.value)


def test_what_may_not_be_looked_at_is_no_archive(open_folder: Path) -> None:
    hidden = open_folder / "hidden"
    hidden.mkdir(mode=0o700)
    with without_rights(), _spool.spool(str(hidden / "logs.tar"), str(open_folder), 0) as spooled:
        assert spooled.source == ""


def test_a_member_that_ends_at_a_block_but_has_no_end_mark_is_noticed(tmp_path: Path) -> None:
    archive = tmp_path / "logs.tar"
    archive.write_bytes(tar({f"{LOGS}/a.log": b"x" * 512})[: 2 * 512])
    with pytest.raises(_spool.SpoolError, match=r"ends before its end mark"):
        unpacked(archive)


def test_damage_within_an_archive_is_noticed(tmp_path: Path) -> None:
    content = bytearray(tar(FILES))
    content[content.index(b"worker.out")] = 0xFF
    archive = tmp_path / "logs.tar"
    archive.write_bytes(bytes(content))
    with pytest.raises(_spool.SpoolError, match="damaged"):
        unpacked(archive)


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", f"{LOGS}/../../../x", "..", "a/.."])
def test_members_that_lead_out_are_refused(name: str, tmp_path: Path) -> None:
    archive = tmp_path / "logs.tar"
    archive.write_bytes(tar({**FILES, name: b"evil"}))
    with pytest.raises(_spool.SpoolError, match="leads out of the folder"):
        unpacked(archive)
    assert not (tmp_path / "x").exists()


def test_links_and_devices_are_counted_and_not_made(tmp_path: Path) -> None:
    archive = tmp_path / "logs.tar"
    with tarfile.open(archive, "w") as file:
        for number, kind in enumerate(
            (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)
        ):
            member = tarfile.TarInfo(f"{LOGS}/special{number}")
            member.type, member.linkname = kind, "/etc/passwd"
            file.addfile(member)
    with _spool.spool(str(archive), str(tmp_path), 0) as spooled:
        assert spooled.skipped == {"link": 2, "device": 2}
        assert not any(path.is_file() or path.is_symlink() for path in Path(spooled.folder).rglob("*"))


def test_what_lies_beside_the_logs_is_not_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "logs.tar"
    archive.write_bytes(tar({**FILES, "session_1/runtime_resources/pip/x.py": b"x", "session_1/sockets.log": b"x"}))
    assert unpacked(archive) == FILES


def test_a_later_member_replaces_an_earlier_one_of_its_name(tmp_path: Path) -> None:
    archive = tmp_path / "logs.tar"
    archive.write_bytes(tar(FILES))
    with tarfile.open(archive, "a") as file:
        member = tarfile.TarInfo(f"{LOGS}/worker.out")
        member.size = 4
        file.addfile(member, io.BytesIO(b"new\n"))
    assert unpacked(archive)[f"{LOGS}/worker.out"] == b"new\n"


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    archive = tmp_path / "logs.tar"
    archive.write_bytes(tar({"a": b"x", "a/b": b"x"}))
    with pytest.raises(_spool.SpoolError, match="Cannot unpack"):
        unpacked(archive)


def test_logs_at_the_root_belong_to_a_session_named_as_the_archive(tmp_path: Path) -> None:
    archive = tmp_path / "cluster.tar.gz"
    archive.write_bytes(gzip.compress(tar({"raylet.out": b"x"})))
    with _spool.spool(str(archive), str(tmp_path), 0) as spooled:
        assert Path(spooled.folder).name == "cluster"
        assert spooled.source == _spool.archive_source(str(archive))


def test_times_are_kept_to_the_nanosecond(tmp_path: Path) -> None:
    archive = tmp_path / "logs.tar"
    with tarfile.open(archive, "w") as file:
        for name, stated in (("a.log", "1795000000.999999999"), ("b.log", "nonsense"), ("c.log", None)):
            member = tarfile.TarInfo(name)
            member.mtime = 1_795_000_000
            if stated:
                member.pax_headers = {"mtime": stated}
            file.addfile(member)
    with _spool.spool(str(archive), str(tmp_path), 0) as spooled:
        times = [(Path(spooled.folder) / name).stat().st_mtime_ns for name in ("a.log", "b.log", "c.log")]
    assert [stamp // SECOND for stamp in times] == [1_795_000_000, 0, 1_795_000_000]
    assert times[0] % SECOND == 999_999_999


@pytest.mark.parametrize("stated", ["nan", "inf", "1e30", "-5"])
def test_a_time_that_no_file_has_stops_nothing(stated: str, tmp_path: Path) -> None:
    archive = tmp_path / "logs.tar"
    with tarfile.open(archive, "w") as file:
        member = tarfile.TarInfo("a.log")
        member.pax_headers = {"mtime": stated}
        file.addfile(member)
    with _spool.spool(str(archive), str(tmp_path), 0) as spooled:
        assert (Path(spooled.folder) / "a.log").stat().st_mtime_ns == 0


def test_more_than_is_allowed_is_not_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "logs.tar.xz"
    archive.write_bytes(lzma.compress(tar({f"{LOGS}/raylet.out": b"0" * (2 << 20)})))
    with pytest.raises(
        _spool.SpoolError, match=r"more than the 1 MiB that max_spool_bytes allows\..*Raise max_spool_bytes"
    ):
        unpacked(archive, limit=1 << 20)
    with pytest.raises(_spool.SpoolError, match="more than the 1000 bytes that max_spool_bytes allows"):
        unpacked(archive, limit=1000)
    assert len(unpacked(archive, limit=3 << 20)) == 1
    archive.write_bytes(gzip.compress(tar({f"{LOGS}/raylet.out": b"0" * (2 << 20)})))
    with pytest.raises(
        _spool.SpoolError, match=r"more than the 1 MiB that max_spool_bytes allows\..*Raise max_spool_bytes"
    ):
        unpacked(archive, limit=1 << 20)


def test_more_than_the_disk_has_room_for_is_not_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "logs.tar"
    archive.write_bytes(tar(FILES))
    os.truncate(archive, shutil.disk_usage(tmp_path).total * 2)
    with pytest.raises(
        _spool.SpoolError, match=r"that may be filled .* are free, 256 MiB stay so\)\. .* another disk as spool_dir"
    ):
        unpacked(archive)


def test_a_directory_is_read_where_it_is(tmp_path: Path) -> None:
    with _spool.spool(str(tmp_path), "/nowhere", 0) as spooled:
        assert spooled == _spool.Spool(str(tmp_path), "", {})


def test_zstd_needs_a_python_that_reads_it(tmp_path: Path) -> None:
    archive = tmp_path / "logs.tar.zst"
    archive.write_bytes(_spool.ZSTD_MAGIC + b"no frame of zstd at all")
    fix = "Python reads zstd" if sys.version_info < (3, 14) else "truncated or damaged"
    with pytest.raises(_spool.SpoolError, match=fix):
        unpacked(archive)
