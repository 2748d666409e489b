# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the table of variables into the README of each role, from its argument_specs.yml."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- Variables, generated from meta/argument_specs.yml -->", "<!-- End of the variables -->"
MARKUP = re.compile(r"\b[OVC]\(([^)]*)\)")

Options = t.Mapping[str, t.Mapping[str, t.Any]]


def describe(option: t.Mapping[str, t.Any]) -> str:
    """Return what an option means, on one line of a table."""
    sentences = option["description"]
    text = " ".join([sentences] if isinstance(sentences, str) else sentences)
    choices = f" One of {', '.join(f'`{choice}`' for choice in option['choices'])}." if "choices" in option else ""
    return MARKUP.sub(r"`\1`", text + choices).replace("|", "\\|")


def default_of(option: t.Mapping[str, t.Any]) -> str:
    """Return the default of an option as it would be written in YAML."""
    if option.get("required"):
        return "required"
    if "default" not in option:
        return ""
    value = option["default"]
    if isinstance(value, dict) and value:
        return "[see there](defaults/main.yml)"
    text = value if isinstance(value, str) and value else json.dumps(value)
    return f"`{text}`".replace("|", "\\|")


def table(options: Options) -> str:
    """Return the table of the options of one entry point."""
    rows = [f"| `{name}` | {default_of(option)} | {describe(option)} |" for name, option in options.items()]
    return "\n".join(["| Variable | Default | Meaning |", "| --- | --- | --- |", *rows])


def render(readme: Path) -> str:
    """Return a README with a new table between its marks."""
    specification = yaml.safe_load((readme.parent / "meta/argument_specs.yml").read_text(encoding="utf-8"))
    before, _begin, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _table, _end, after = rest.partition(END)
    options = specification["argument_specs"]["main"]["options"]
    return f"{before}{BEGIN}\n\n{table(options)}\n\n{END}{after}"


def generated_files() -> dict[str, str]:
    """Return the READMEs of all roles that have a table, by their path in the checkout."""
    readmes = [path for path in sorted(ROOT.glob("roles/*/README.md")) if BEGIN in path.read_text(encoding="utf-8")]
    return {str(path.relative_to(ROOT)): render(path) for path in readmes}
