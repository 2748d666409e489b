#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a folder of secrets, and make a password in it once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_secret
short_description: Keep a folder of secrets, and make a password in it once
description:
  - Makes a folder that its owner alone may enter, and that git never commits, and in it a file with a random password
    where there is none.
  - A password that is there is left alone. It is never returned, logged or shown.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._host
options:
  folder:
    description: The folder of the secrets. Missing parents are made as well.
    type: path
    required: true
  name:
    description: Path of the password in O(folder), such as V(passwords/elastic); without it only the folder is made.
    type: str
  length:
    description: How many letters and digits the password has.
    type: int
    default: 32
"""

EXAMPLES = r"""
- name: Make a password once
  raylogs.efk.host_secret:
    folder: /srv/secrets/raylogs
    name: passwords/elastic
  delegate_to: localhost
"""

RETURN = r"""
path:
  description: Where the password is.
  returned: with O(name)
  type: str
  sample: /srv/secrets/raylogs/passwords/elastic
"""

import os
import pathlib
import secrets
import stat
import string
import tempfile
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.raylogs.efk.plugins.module_utils._api import OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._secret_file import read_secret

SIGNS = string.ascii_letters + string.digits
FOLDER, FILE = 0o700, 0o600
SHORTEST = 24
OTHERS = stat.S_IRWXG | stat.S_IRWXO
IGNORED = "*\n"


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


def bring_about(params: dict[str, t.Any], *, dry: bool) -> bool:
    """Make what is missing, and say whether anything was.

    :raises OptionError: when something is in the way.
    :raises OSError: when something cannot be written.
    """
    folder = pathlib.Path(params["folder"])
    path = place_of(folder, params["name"]) if params["name"] else None
    if params["length"] < SHORTEST:
        raise OptionError(f"A password of {params['length']} signs is too short. Set length to {SHORTEST} or more.")
    ignore = folder / ".gitignore"
    changed = not is_private(folder) or not ignore.exists()
    if changed and not dry:
        make_private(folder)
        write_once(ignore, IGNORED)
    if path is None:
        return changed
    if path.exists():
        check_present(path)
        return changed
    if not dry:
        make_private(path.parent)
        write_once(path, "".join(secrets.choice(SIGNS) for _sign in range(params["length"])) + "\n")
    return True


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "folder": {"type": "path", "required": True},
            "name": {"type": "str"},
            "length": {"type": "int", "default": 32},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        changed = bring_about(params, dry=module.check_mode)
    except OptionError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(
            msg=f"Cannot keep secrets in {params['folder']}: {error}. Name a folder that this user may write."
        )
    module.exit_json(
        changed=changed, **({"path": str(pathlib.Path(params["folder"], params["name"]))} if params["name"] else {})
    )


if __name__ == "__main__":
    main()
