# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The streams of Ray's logs on a test server with logsdb: for all tenants at once what the role declares for one."""

from __future__ import annotations

import typing as t
from pathlib import Path

import requests
import yaml

COMPONENTS = Path(__file__).resolve().parent.parent / "roles" / "ray_log_content" / "files" / "component_templates"
CLASSES = ("app", "event", "system")


def declare_streams(
    url: str, prefix: str, *, daily: bool = False, mappings: t.Mapping[str, t.Any] | None = None
) -> None:
    """Write the templates of a prefix; `mappings` are laid over those of the role, and then no wrong value is taken.

    :raises HTTPError: when the server refuses them.
    """
    for name, file in (("mappings", "mappings"), ("settings", "settings_logsdb")):
        component = yaml.safe_load((COMPONENTS / f"{file}.yml").read_text(encoding="utf-8"))[file]
        requests.put(f"{url}/_component_template/{prefix}-{name}", json=component, timeout=60).raise_for_status()
    template: dict[str, t.Any] = {
        "index_patterns": [f"{prefix}-{class_}-*" for class_ in CLASSES],
        "composed_of": [f"{prefix}-mappings", f"{prefix}-settings"],
        "priority": 500,
        "template": {
            "mappings": dict(mappings or {}),
            # What logsdb takes by itself.
            "settings": {"index.mapping.ignore_malformed": False} if mappings else {},
        },
    }
    if not daily:
        template["data_stream"] = {}
    requests.put(f"{url}/_index_template/{prefix}", json=template, timeout=60).raise_for_status()
