# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check meta/runtime.yml: every module is in exactly its action group, every entry a module, in alphabetical order."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
PREFIXES = {"elasticsearch_": "elasticsearch", "kibana_": "kibana", "ray_": "elasticsearch"}
LOCAL_PREFIX = "host_"  # Modules about the host itself, which take no connection options.


def find_faults(groups: t.Mapping[str, t.Sequence[str]], modules: t.Collection[str]) -> list[str]:
    """List what is wrong, one sentence each."""
    faults = [
        f"Action group '{group}' is not in alphabetical order"
        for group, names in groups.items()
        if list(names) != sorted(set(names))
    ]
    faults += [
        f"Action group '{group}' names '{name}', which is no module"
        for group, names in groups.items()
        for name in names
        if name not in modules
    ]
    for module in sorted(modules):
        wanted = [group for prefix, group in PREFIXES.items() if module.startswith(prefix)]
        found = [group for group, names in groups.items() if module in names]
        if not wanted and not module.startswith(LOCAL_PREFIX):
            faults.append(f"Module '{module}' begins with none of {', '.join([*PREFIXES, LOCAL_PREFIX])}")
        elif wanted != found:
            faults.append(f"Module '{module}' is in the action groups {found}, and belongs into {wanted}")
    return faults


def main() -> None:
    """Print the faults and fail when there are any."""
    groups = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"]
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
    faults = find_faults(groups, modules)
    print(*faults, sep="\n")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
