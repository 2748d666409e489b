# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that hold one secret each: nobody else may read them, and they are whole or not there."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, OptionError

OTHERS = 0o077
OTHERS_WRITE = 0o022
FOLDER = 0o700
# In seconds: longer than a server takes to answer all that is asked under the lock.
PATIENCE = 60
PAUSE = 0.1


def read_secret(path: str) -> str | None:
    """Read the secret; None where there is no file.

    :raises OptionError: when others may read it, or it is no file.
    """
    file = Path(path)
    try:
        found = file.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OptionError(f"Cannot look at {path}: {error.strerror}. Mend the folder, or give another path.") from error
    if not stat.S_ISREG(found.st_mode):
        raise OptionError(f"{path} is no file. Give the path of a file as path.")
    mode = stat.S_IMODE(found.st_mode)
    if mode & OTHERS:
        raise OptionError(
            f"Others may use {path} (its mode is {mode:04o}), so that its secret may be known. Delete the file to have "
            f"another made, or, where surely nobody read it, run: chmod 600 {path}"
        )
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise OptionError(f"Cannot read {path}: {error}. Run this as the user whose file it is.") from error


def check_place(path: str) -> None:
    """Make sure that the file can be written, and by nobody else, before there is a secret to write.

    :raises OptionError: with the fix.
    """
    if not Path(path).is_absolute():
        raise OptionError(f"path {path} is not absolute. Write it as one that begins with '/'.")
    folder = next(each for each in Path(path).parents if os.path.lexists(each))
    if not folder.is_dir():
        raise OptionError(f"{folder} is no folder, so that {path} cannot be written. Give another path.")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise OptionError(f"Cannot read and write {folder}. Run this as a user who may, or give another path.")
    mode = folder.stat().st_mode
    if mode & OTHERS_WRITE and not mode & stat.S_ISVTX:
        raise OptionError(f"Others may write into {folder} and could replace {path}. Run: chmod go-w {folder}")


def under_lock(path: str | None, work: t.Callable[[bool], Body], *, makes: bool, dry: bool) -> Body:
    """Do work that reads and writes a file: without writing at first, and where it changes, anew under the lock.

    :raises OptionError: when the lock cannot be had.
    """
    foretold = work(True)
    if dry or not foretold["changed"]:
        return foretold
    with locked(path) if path and (makes or Path(path).parent.is_dir()) else contextlib.nullcontext():
        return work(False)


@contextlib.contextmanager
def locked(path: str) -> t.Iterator[None]:
    """Keep all other runs out of the folder of a file, which is made where it is missing, and remove old drafts.

    The folder itself is what is locked, so that nothing has to be left behind. One that is made here and stays empty
    is removed.

    :raises OptionError: when it cannot be made or locked, or when another run holds it for too long.
    """
    file = Path(path)
    made: list[Path] = []
    try:
        handle = lock_folder(file.parent, made)
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        remove_drafts(file)
        yield
    finally:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        os.close(handle)


def lock_folder(folder: Path, made: list[Path]) -> int:
    """Open a folder that no other run has locked; note the folders that are made for it, and make them as a whole.

    :raises OptionError: when another run holds it for too long.
    """
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        # Another run may hold it, or remove it again before it is locked here.
        with contextlib.suppress(BlockingIOError, FileNotFoundError), contextlib.ExitStack() as stack:
            made[:0] = make_folder(folder)
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), folder.stat()):
                stack.pop_all()
                return handle
        time.sleep(PAUSE)
    raise OptionError(
        f"Another run has kept {folder} locked for {PATIENCE} seconds, to write a secret there. Nothing was changed. "
        "Wait until it has ended, or end it (lslocks tells its process id), and run this again."
    )


def remove_drafts(file: Path) -> None:
    """Remove what runs that were killed have left of this file; call it under the lock.

    :raises OptionError: when that cannot be done.
    """
    try:
        for draft in file.parent.iterdir():
            if draft.name.startswith(draft_prefix(file)) and draft.lstat().st_uid == os.geteuid():
                draft.unlink()
    except OSError as error:
        raise unwritable(str(file), error) from error


def draft_prefix(file: Path) -> str:
    """Name what a file is before it is whole, up to what makes the name its own."""
    return f".{file.name}.draft-"


@contextlib.contextmanager
def draft_of(path: str) -> t.Iterator[t.Callable[[str], None]]:
    """Open a file that only this user may read, and give what writes a secret to it and puts it into its place.

    :raises OptionError: when it cannot be written.
    """
    file = Path(path)
    try:
        handle, draft = tempfile.mkstemp(prefix=draft_prefix(file), dir=file.parent)
    except OSError as error:
        raise unwritable(path, error) from error

    def keep(secret: str) -> None:
        try:
            with os.fdopen(handle, "w", encoding="utf-8", closefd=False) as spool:
                spool.write(f"{secret}\n")
            os.fsync(handle)
            Path(draft).replace(file)
        except OSError as error:
            raise unwritable(path, error) from error

    try:
        yield keep
    finally:
        os.close(handle)
        Path(draft).unlink(missing_ok=True)


def unwritable(path: str, error: OSError) -> OptionError:
    """Build the error of a file that cannot be written."""
    return OptionError(f"Cannot write {path}: {error.strerror}. Mend that, or give another path.")


def is_private(folder: Path) -> bool:
    """Say whether a folder is there and its owner's alone."""
    return folder.is_dir() and not folder.stat().st_mode & OTHERS


def make_folder(folder: Path) -> list[Path]:
    """Make the folders that are missing, for this user alone, and give them from the inside to the outside."""
    missing = [each for each in (folder, *folder.parents) if not each.is_dir()]
    for each in reversed(missing):
        each.mkdir(FOLDER, exist_ok=True)
    return missing


def remove_secret(path: str) -> None:
    """Remove the file, if there is one.

    :raises OptionError: when it cannot be removed.
    """
    try:
        Path(path).unlink(missing_ok=True)
    except OSError as error:
        raise OptionError(f"Cannot remove {path}: {error.strerror}. Remove it by hand.") from error
