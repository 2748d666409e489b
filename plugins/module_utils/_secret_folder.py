# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of secrets that its owner alone may enter, and files in it that are written once."""

from __future__ import annotations

import os
import pathlib
import stat
import tempfile

from ansible_collections.raylogs.efk.plugins.module_utils._api import OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._secret_file import read_secret

FOLDER, FILE = 0o700, 0o600
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def mode_of(path: pathlib.Path) -> int:
    """Return who may do what with a file or folder."""
    return stat.S_IMODE(path.stat().st_mode)


def is_private(folder: pathlib.Path) -> bool:
    """Say whether a folder is there and its owner's alone."""
    return folder.is_dir() and not mode_of(folder) & OTHERS


def make_private(folder: pathlib.Path) -> None:
    """Make a folder, and those around it that are missing, its owner's alone."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=FOLDER, exist_ok=True)
    if not is_private(folder):
        folder.chmod(FOLDER)


def place_of(folder: pathlib.Path, name: str) -> pathlib.Path:
    """Return the path of a secret.

    :raises OptionError: when it would be outside of the folder.
    """
    path = folder / name
    if pathlib.PurePath(name).is_absolute() or ".." in path.parts or path == folder:
        raise OptionError(f"{name} is no path inside of {folder}. Give one such as passwords/elastic.")
    return path


def check_present(path: pathlib.Path) -> None:
    """Refuse a file that others may read, or that holds nothing.

    :raises OptionError: with what to do.
    """
    if not read_secret(str(path)):
        raise OptionError(f"{path} is empty. Restore it from a copy, or remove it to have a new one made.")


def write_once(path: pathlib.Path, text: str) -> bool:
    """Write a file that is there as a whole or not at all, and say whether it was not there before."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", encoding="utf-8") as spool:
        pathlib.Path(spool.name).chmod(FILE)
        spool.write(text)
        spool.flush()
        os.fsync(spool.fileno())
        try:
            # Unlike a new name, a link never replaces what another run has just written.
            os.link(spool.name, path)
        except FileExistsError:
            return False
    return True
