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
  - Of several runs at the same time one makes the password, and the others wait for it.
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

import pathlib
import secrets
import string
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.raylogs.efk.plugins.module_utils._api import OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._secret_file import (
    FOLDER,
    draft_of,
    is_private,
    locked,
    make_folder,
    read_secret,
)

SIGNS = string.ascii_letters + string.digits
SHORTEST = 24
IGNORED = "*"


def bring_about(params: dict[str, t.Any], *, dry: bool) -> bool:
    """Make what is missing, and say whether anything was.

    :raises OptionError: when something is in the way.
    :raises OSError: when something cannot be written.
    """
    folder = pathlib.Path(params["folder"])
    path = place_of(folder, params["name"]) if params["name"] else None
    if params["length"] < SHORTEST:
        raise OptionError(f"A password of {params['length']} signs is too short. Set length to {SHORTEST} or more.")
    is_missing = path is not None and not is_present(path)
    ignore = folder / ".gitignore"
    changed = not is_private(folder) or not ignore.exists()
    if changed and not dry:
        make_folder(folder)
        folder.chmod(FOLDER)
        write_once(ignore, IGNORED)
    if path is not None and is_missing and not dry:
        is_missing = write_once(path, "".join(secrets.choice(SIGNS) for _sign in range(params["length"])))
    return changed or is_missing


def place_of(folder: pathlib.Path, name: str) -> pathlib.Path:
    """Return the path of a secret.

    :raises OptionError: when it would be outside of the folder.
    """
    path = folder / name
    if pathlib.PurePath(name).is_absolute() or ".." in path.parts or path == folder:
        raise OptionError(f"{name} is no path inside of {folder}. Give one such as passwords/elastic.")
    return path


def is_present(path: pathlib.Path) -> bool:
    """Say whether there is a secret.

    :raises OptionError: when others may read it, or when it is empty.
    """
    secret = read_secret(str(path))
    if not secret and secret is not None:
        raise OptionError(f"{path} is empty. Restore it from a copy, or remove it to have a new one made.")
    return secret is not None


def write_once(path: pathlib.Path, text: str) -> bool:
    """Write a file that is not there, and say whether it was not: another run may have written it."""
    with locked(str(path)):
        if path.exists():
            return False
        with draft_of(str(path)) as keep:
            keep(text)
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
