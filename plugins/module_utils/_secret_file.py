# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that hold one secret each: nobody else may read them, and they are whole or not there."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.raylogs.efk.plugins.module_utils._api import OptionError

OTHERS = 0o077
OTHERS_WRITE = 0o022
FOLDER = 0o700


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
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OptionError(f"Cannot write into {folder}. Run this as a user who may, or give another path.")
    mode = folder.stat().st_mode
    if mode & OTHERS_WRITE and not mode & stat.S_ISVTX:
        raise OptionError(f"Others may write into {folder} and could replace {path}. Run: chmod go-w {folder}")


@contextlib.contextmanager
def draft_of(path: str) -> t.Iterator[t.Callable[[str], None]]:
    """Open a file that only this user may read, and give what writes a secret to it and puts it into its place.

    :raises OptionError: when it cannot be written.
    """
    file = Path(path)
    try:
        make_folder(file.parent)
        handle, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    except OSError as error:
        raise unwritable(path, error) from error

    def keep(secret: str) -> None:
        try:
            os.write(handle, f"{secret}\n".encode())
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


def make_folder(folder: Path) -> None:
    """Make the folders that are missing, for this user alone."""
    for each in [*reversed(folder.parents), folder]:
        if not each.is_dir():
            each.mkdir(FOLDER)


def remove_secret(path: str) -> None:
    """Remove the file, if there is one.

    :raises OptionError: when it cannot be removed.
    """
    try:
        Path(path).unlink(missing_ok=True)
    except OSError as error:
        raise OptionError(f"Cannot remove {path}: {error.strerror}. Remove it by hand.") from error
