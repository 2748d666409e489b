# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpack a tar archive of logs in one pass, trusting nothing in it: paths, links, sizes."""

from __future__ import annotations

import bz2
import collections
import contextlib
import decimal
import gzip
import hashlib
import importlib
import lzma
import os
import pathlib
import re
import shutil
import stat
import tarfile
import tempfile
import typing as t
import zlib

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
GZIP_MAGIC = b"\x1f\x8b"
OPENERS: tuple[tuple[bytes, t.Callable[..., t.Any]], ...] = (
    (GZIP_MAGIC, gzip.open),
    (b"\xfd7zXZ\x00", lzma.open),
    (b"BZh", bz2.open),
)
MAGIC_BYTES = 6
# A gzip file of nothing; a shorter one is cut off before the size at its end.
SHORTEST_GZIP = 20
# What stands where in the first block of a tar archive.
TAR_MARK, TAR_MARK_AT = b"ustar", 257
ARCHIVE_ENDING = re.compile(r"(?<=.)\.(tar(\.\w+)?|t(gz|xz|bz2?|zst))$")
CHUNK = 1 << 20
# What is left free on the disk for everybody else.
RESERVE = 256 << 20
SOURCE_LENGTH = 12
NS_PER_SECOND = 1_000_000_000
LAST_NS = 2**63 - 1
# The parts of a path that hold the logs of a session; the rest of a session directory is not unpacked.
SESSION_PREFIX, LOGS = "session_", "logs"


class SpoolError(ValueError):
    """An archive that cannot be unpacked, and how to mend it."""


class Spool(t.NamedTuple):
    """Where the logs lie; for an archive also what tells it from others, and which members were left in it."""

    folder: str
    source: str
    skipped: dict[str, int]


class _Reader:
    """A file that remembers what was read last: the end of an archive is known by its last block alone."""

    def __init__(self, handle: t.BinaryIO) -> None:
        """Take an open file."""
        self._handle = handle
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        """Read bytes."""
        self.last = self._handle.read(size)
        return self.last

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to an offset."""
        return self._handle.seek(offset, whence)

    def tell(self) -> int:
        """Return the offset."""
        return self._handle.tell()


@contextlib.contextmanager
def spool(path: str, parent: str, limit: int) -> t.Iterator[Spool]:
    """Give the folder of the logs: the path itself, or what an archive holds, unpacked and removed afterwards.

    parent: where to unpack. limit: the most bytes to unpack; 0 is as much as the disk has room for.

    :raises SpoolError: when the archive is damaged, unsafe or too large; nothing of it is left.
    """
    if not _is_file(path):
        yield Spool(path, "", {})
        return
    _check_readable(path)
    folder = _make_folder(path, parent)
    # Logs at the root of an archive are of a session that is named as the archive.
    root = folder / ARCHIVE_ENDING.sub("", pathlib.Path(path).name)
    try:
        root.mkdir(stat.S_IRWXU)
        yield Spool(str(root), archive_source(path), unpack(path, root, limit))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def archive_source(path: str) -> str:
    """Name an archive by its size and time: the same archive read again has the same name."""
    status = pathlib.Path(path).stat()
    return hashlib.sha256(f"{status.st_size} {status.st_mtime_ns}".encode()).hexdigest()[:SOURCE_LENGTH]


def _is_file(path: str) -> bool:
    """Tell a file from all else, also from what cannot be looked at."""
    try:
        return stat.S_ISREG(pathlib.Path(path).stat().st_mode)
    except OSError:
        return False


def _check_readable(path: str) -> None:
    """Open an archive once, so that later errors are those of the folder that it is unpacked into.

    :raises SpoolError: when it cannot be opened.
    """
    try:
        with pathlib.Path(path).open("rb"):
            pass
    except OSError as error:
        raise SpoolError(
            f"Cannot read the archive {path}: {error.strerror}. Nothing was imported. Run as a user who may read it."
        ) from error


def _make_folder(path: str, parent: str) -> pathlib.Path:
    """Make the folder that an archive is unpacked into.

    :raises SpoolError: when it cannot be made.
    """
    try:
        return pathlib.Path(tempfile.mkdtemp(prefix="ray_session_", dir=parent))
    except OSError as error:
        raise _unwritable(path, parent, error) from error


def _unwritable(path: str, parent: str | pathlib.Path, error: OSError) -> SpoolError:
    return SpoolError(
        f"Cannot unpack the archive {path} into {parent}: {error.strerror or error}. Nothing was imported. "
        "Name another folder as spool_dir, or unpack it yourself and give the directory."
    )


def _damaged(path: str, error: Exception) -> SpoolError:
    return SpoolError(
        f"Cannot read the archive {path}: it is truncated or damaged ({error}). "
        "Nothing was imported. Copy or make it again, or unpack what is left of it and give the directory."
    )


def _check_begin(path: str, handle: t.BinaryIO) -> None:
    """Tell a tar archive from all other files by its first block; old ones have no mark, but the sum of their header.

    :raises SpoolError: when it is none.
    """
    block = handle.read(tarfile.BLOCKSIZE)
    handle.seek(0)
    if block.startswith(TAR_MARK, TAR_MARK_AT):
        return
    try:
        tarfile.TarInfo.frombuf(block, tarfile.ENCODING, "surrogateescape")
    except tarfile.HeaderError as error:
        if block == tarfile.NUL * tarfile.BLOCKSIZE:  # An archive of nothing.
            return
        what = "it is no tar archive" if block else "it is empty"
        raise SpoolError(
            f"Cannot read {path}: {what}. Nothing was imported. Give a session directory (session_*), Ray's temp dir "
            "(/tmp/ray), or a tar archive of one; unpack archives of other kinds yourself."
        ) from error


def unpack(path: str, folder: pathlib.Path, limit: int) -> dict[str, int]:
    """Unpack the regular files of an archive; return how many other members were left in it, by what they are.

    :raises SpoolError: when it cannot be done safely and completely.
    """
    skipped: collections.Counter[str] = collections.Counter()
    room = _Room(path, folder, limit)
    try:
        room.take(_least_bytes(path))
        with _open(path) as handle:
            room.restart()
            _check_begin(path, handle)
            reader = _Reader(handle)
            with tarfile.open(fileobj=t.cast("t.BinaryIO", reader), mode="r:") as archive:
                while member := archive.next():
                    _unpack_member(archive, member, folder, room, skipped)
                    vars(archive)["members"].clear()  # Else tarfile keeps every member in memory.
            if reader.last != tarfile.NUL * tarfile.BLOCKSIZE:
                raise tarfile.ReadError("it ends before its end mark, or holds what is no member")
            while chunk := reader.read(CHUNK):  # The check sum of a compressed archive comes last.
                room.take(len(chunk))
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise _damaged(path, error) from error
    except OSError as error:
        # Those of the system have a number, those of gzip and bzip2 have none.
        raise (_unwritable(path, folder.parent.parent, error) if error.errno else _damaged(path, error)) from error
    return dict(skipped)


class _Room:
    """What may still be unpacked."""

    def __init__(self, path: str, folder: pathlib.Path, limit: int) -> None:
        """Ask the disk how much it has room for."""
        free = shutil.disk_usage(folder).free
        room = max(free - RESERVE, 0)
        parent = folder.parent.parent
        if 0 < limit < room:
            self._all, bound = limit, f"the {_size(limit)} that max_spool_bytes allows"
            fix = "Raise max_spool_bytes (0 is as much as the disk has room for)."
        else:
            self._all, bound = (
                room,
                f"the {_size(room)} that may be filled ({_size(free)} are free, {_size(RESERVE)} stay so)",
            )
            fix = "Free space there, or name a folder on another disk as spool_dir."
        self._left = self._all
        self.path = path
        self._refusal = (
            f"Cannot unpack the archive {path} into {parent}: it holds more than {bound}. Nothing was imported. {fix}"
        )

    def take(self, size: int) -> None:
        """Take room for some bytes.

        :raises SpoolError: when there is none.
        """
        self._left -= size
        if self._left < 0:
            raise SpoolError(self._refusal)

    def restart(self) -> None:
        """Forget what was taken."""
        self._left = self._all


def _size(number: int) -> str:
    """Write a number of bytes."""
    return f"{number >> 20} MiB" if number >= 1 << 20 else f"{number} bytes"


def _least_bytes(path: str) -> int:
    """Return a number of bytes that the archive holds at least: its own size, or what gzip notes at the end."""
    file = pathlib.Path(path)
    size = file.stat().st_size
    with file.open("rb") as handle:
        if size < SHORTEST_GZIP or handle.read(len(GZIP_MAGIC)) != GZIP_MAGIC:
            return size
        handle.seek(-4, os.SEEK_END)
        return max(size, int.from_bytes(handle.read(4), "little"))


def _open(path: str) -> t.BinaryIO:
    """Open an archive, compressed or not.

    :raises SpoolError: when this Python cannot read the compression.
    """
    with pathlib.Path(path).open("rb") as handle:
        magic = handle.read(MAGIC_BYTES)
    for begin, opener in OPENERS:
        if magic.startswith(begin):
            return t.cast("t.BinaryIO", opener(path, "rb"))
    if magic.startswith(ZSTD_MAGIC):
        try:
            zstd = importlib.import_module("compression.zstd")
        except ImportError:
            raise SpoolError(
                f"Cannot read the archive {path}: Python reads zstd from 3.14 on. "
                "Unpack it and give the directory, or compress it with gzip or xz."
            ) from None
        return t.cast("t.BinaryIO", zstd.open(path, "rb"))
    return pathlib.Path(path).open("rb")


def _unpack_member(
    archive: tarfile.TarFile,
    member: tarfile.TarInfo,
    folder: pathlib.Path,
    room: _Room,
    skipped: collections.Counter[str],
) -> None:
    """Write one regular file; folders come with their files, links and devices are never made."""
    parts = _parts(member, room.path)
    if member.issym() or member.islnk():
        skipped["link"] += 1
    elif not (member.isreg() or member.isdir()):
        skipped["device"] += 1
    elif member.isreg() and parts and _may_hold_logs(parts):
        room.take(member.size)
        target = folder.joinpath(*parts)
        target.parent.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # A later member of the same name replaces the earlier one.
        _write(t.cast("t.BinaryIO", archive.extractfile(member)), target, member)


def _parts(member: tarfile.TarInfo, archive: str) -> list[str]:
    """Split a member's name.

    :raises SpoolError: when it leads out of the folder.
    """
    parts = [part for part in member.name.split("/") if part not in {"", "."}]
    if member.name.startswith("/") or ".." in parts or "\0" in member.name:
        raise SpoolError(
            f"The archive {archive} holds {member.name!r}, which leads out of the folder that it is unpacked into. "
            "Nothing was imported. Do not trust where it came from; make it anew with relative paths "
            "(tar -C /tmp/ray -czf logs.tgz session_…)."
        )
    return parts


def _may_hold_logs(parts: list[str]) -> bool:
    """Tell whether a file can be a log: what else lies in a session directory (packages, metrics) is not unpacked."""
    for number, part in enumerate(parts[:-1]):
        if part.startswith(SESSION_PREFIX):
            return parts[number + 1] == LOGS
    return True


def _write(content: t.BinaryIO, target: pathlib.Path, member: tarfile.TarInfo) -> None:
    """Write a file with its time.

    :raises ReadError: when the archive ends within it.
    """
    written = 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(descriptor, "wb") as handle:
        for chunk in iter(lambda: content.read(CHUNK), b""):
            handle.write(chunk)
            written += len(chunk)
    if written != member.size:
        raise tarfile.ReadError(f"it ends within {member.name}")
    nanos = _mtime_ns(member)
    os.utime(target, ns=(nanos, nanos))


def _mtime_ns(member: tarfile.TarInfo) -> int:
    """Return a member's time; as a float it could come out in the next second. 0 when it is no time of a file."""
    stated = member.pax_headers.get("mtime")
    try:
        nanos = int(decimal.Decimal(stated or int(member.mtime)) * NS_PER_SECOND)
    except (decimal.InvalidOperation, ValueError, OverflowError):
        return 0
    return nanos if 0 <= nanos <= LAST_NS else 0
