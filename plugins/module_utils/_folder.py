# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read declared objects from a folder: a folder for each kind, a file for each object."""

from __future__ import annotations

import json
import traceback
import typing as t
from pathlib import Path

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, OptionError

try:
    import yaml
except ImportError:
    YAML_ERROR = traceback.format_exc()
else:
    YAML_ERROR = ""

YAML_NAMES = (".yml", ".yaml")


def read_folder(folder: str, kinds: t.Mapping[str, str]) -> list[Body]:
    """Read all objects of a folder; `kinds` gives the kind of each folder in it.

    :raises OptionError: when a folder or file is none of these, or cannot be read.
    """
    root = Path(folder)
    if not root.is_dir():
        raise OptionError(f"path {folder} is no folder on the host that runs this module. Correct it.")
    entries = []
    for inner in sorted(root.iterdir()):
        if inner.name.startswith("."):
            continue
        if inner.name not in kinds or not inner.is_dir():
            raise OptionError(f"{inner} is none of the folders {', '.join(kinds)}. Rename or move it.")
        files = (file for file in sorted(inner.iterdir()) if not file.name.startswith("."))
        entries += [{"name": file.stem, **read_file(file), "kind": kinds[inner.name]} for file in files]
    return entries


def read_file(file: Path) -> Body:
    """Read the options of one object.

    :raises OptionError: when the file cannot be read or understood.
    """
    if file.suffix not in (*YAML_NAMES, ".json"):
        raise OptionError(f"{file} is neither YAML nor JSON by its name. Name it {file.stem}.yml or {file.stem}.json.")
    if file.suffix in YAML_NAMES and YAML_ERROR:
        raise OptionError(f"{missing_required_lib('PyYAML')} Or write {file} as JSON.")
    try:
        text = file.read_text(encoding="utf-8")
        found = json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, RecursionError) as error:
        raise OptionError(f"Cannot read {file}: {error}. Correct it.") from error
    except yaml.YAMLError as error:
        raise OptionError(f"{file} is no YAML: {' '.join(str(error).split())}. Correct it.") from error
    if not isinstance(found, dict):
        raise OptionError(f"{file} does not hold the options of an object, such as template: {{…}}. Correct it.")
    return found
