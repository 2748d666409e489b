# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check roles/*: argument_specs.yml and defaults/main.yml hold the same options with the same values."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent

EntryPoints = t.Mapping[str, t.Mapping[str, t.Any]]


def find_faults(role: str, entry_points: EntryPoints, defaults: t.Mapping[str, t.Any]) -> list[str]:
    """List what is wrong, one sentence each."""
    faults, described = [], set()
    for entry_point, specification in entry_points.items():
        for name, option in (specification.get("options") or {}).items():
            where = f"Role {role}, entry point {entry_point}, option {name}"
            described.add(name)
            if not option.get("description") or "type" not in option:
                faults.append(f"{where}: has no type or no description")
            if option.get("required") and name in defaults:
                faults.append(f"{where}: is required and has a default in defaults/main.yml")
            if "default" in option and name not in defaults:
                faults.append(f"{where}: its default is missing in defaults/main.yml")
            if name in defaults and not option.get("required") and option.get("default") != defaults[name]:
                faults.append(f"{where}: default {option.get('default')!r}, in defaults/main.yml {defaults[name]!r}")
    faults += [
        f"Role {role}: {name} of defaults/main.yml is described nowhere" for name in defaults if name not in described
    ]
    return faults


def check_role(folder: Path) -> list[str]:
    """Check one role."""
    specification = folder / "meta" / "argument_specs.yml"
    if not specification.exists():
        return [f"Role {folder.name}: has no meta/argument_specs.yml"]
    entry_points = yaml.safe_load(specification.read_text())["argument_specs"]
    missing = [name for name in entry_points if not (folder / "tasks" / f"{name}.yml").exists()]
    defaults = folder / "defaults" / "main.yml"
    values = yaml.safe_load(defaults.read_text()) if defaults.exists() else {}
    faults = [f"Role {folder.name}: entry point {name} has no tasks/{name}.yml" for name in missing]
    return faults + find_faults(folder.name, entry_points, values or {})


def main() -> None:
    """Print the faults and fail when there are any."""
    folders = sorted(path for path in (ROOT / "roles").glob("*") if (path / "tasks").is_dir())
    faults = [fault for folder in folders for fault in check_role(folder)]
    print(*faults, sep="\n")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
