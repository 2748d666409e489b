# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Derive the mappings and the table of fields from the schema of an event, catalogue/fields.yml."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
SOURCE = "catalogue/fields.yml"
# REUSE-IgnoreStart
LICENCE = (
    "SPDX-FileCopyrightText: Contributors to the raylogs.efk project",
    "GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)",
    "SPDX-License-Identifier: GPL-3.0-or-later",
    f"Generated from {SOURCE} by tools/generate.py: do not edit.",
)
# REUSE-IgnoreEnd
MARK = {"managed_by": "raylogs.efk"}
FLATTENED_DEPTH = 20
TYPES_WITH_MALFORMED = ("date", "date_nanos", "long", "double", "boolean", "ip")
TYPES_OF_USERS = ("keyword", "text", *TYPES_WITH_MALFORMED)

IMPORTER = (
    "## What an importer knows better",
    "",
    "An importer reads whole sessions, a collector what its node's files say by then. Their events have the same ids",
    "and the same fields but for these, in so many of the lines (measured with real sessions, written anew in time):",
    "",
    "| Field | Lines | Why |",
    "| --- | --- | --- |",
)
REFUSED = """\
## What the server refuses

Values of a wrong type, too long or out of range are stored, but neither found nor aggregated. These alone make
Elasticsearch refuse an event; the reader never sends them:

- an object, or a list with one, in any field but `labels`;
- no `@timestamp`, or one that is not a date;
- `labels` that is no object, is deeper than 20 levels, has a key with a NUL, or a key that is together with its value
  longer than 32,766 bytes;
- the name of an alias as a key;
- at the top, a key that is empty, blank or holds an empty part between dots.
""".splitlines()

Json = dict[str, t.Any]


def generated_files() -> dict[str, str]:
    """Return the text of every file derived here, by its path in the checkout."""
    schema = yaml.safe_load((ROOT / SOURCE).read_text(encoding="utf-8"))
    return {
        "docs/fields.md": fields_page(schema),
        "roles/ray_log_content/files/component_templates/mappings.yml": yaml_file({"mappings": mappings(schema)}),
        "roles/ray_log_content/vars/main/field_types.yml": yaml_file(
            {
                "__ray_log_content_field_types": field_types(schema),
                "__ray_log_content_mark": MARK,
                "__ray_log_content_schema_version": schema["version"],
            }
        ),
    }


def mappings(schema: Json) -> Json:
    """Build the component template with the mapping of every field.

    :raises ValueError: when a field stands twice or one's name is the beginning of another's.
    """
    names = sorted(field["name"] for field in schema["fields"])
    for name, following in zip(names, names[1:]):
        if name == following or any(other.startswith(f"{name}.") for other in names):
            raise ValueError(f"{SOURCE}: the field {name} stands twice or is an object at the same time.")
    mark = {**MARK, "schema_version": schema["version"]}
    return {
        "version": schema["version"],
        "_meta": {**mark, "description": "Every field of an event of Ray's logs."},
        "template": {
            "mappings": {
                "dynamic": "false",
                "_meta": mark,
                "properties": {field["name"]: mapping(field, schema) for field in schema["fields"]},
            }
        },
    }


def mapping(field: Json, schema: Json) -> Json:
    """Build the mapping of one field such that no value of it makes the server refuse the event, where it can."""
    kind = field["type"]
    if kind == "alias":
        return {"type": "alias", "path": field["path"]}
    built: Json = {"type": kind}
    if kind == "keyword":
        built["ignore_above"] = schema["keyword_length"]
    elif kind == "flattened":
        built.update(ignore_above=schema["label_length"], depth_limit=FLATTENED_DEPTH)
    elif kind == "text":
        built["norms"] = False
    elif field["name"] != "@timestamp":  # The time of a data stream must be a valid date.
        built["ignore_malformed"] = True
    if "normalizer" in field:
        built["normalizer"] = field["normalizer"]
    if not field.get("search", True):
        built["index"] = False
    if not field.get("doc_values", True):
        built["doc_values"] = False
    return built


def field_types(schema: Json) -> Json:
    """Build the mapping of each type that a user's own field may have."""
    return {kind: mapping({"name": kind, "type": kind}, schema) for kind in TYPES_OF_USERS}


def yaml_file(content: Json) -> str:
    """Write a YAML file with the licence above it."""
    header = "".join(f"# {line}\n" for line in LICENCE)
    return f"---\n{header}\n{yaml.safe_dump(content, sort_keys=False, width=150)}"


def fields_page(schema: Json) -> str:
    """Write the page with the table of all fields."""
    aliases = {field["path"]: field["name"] for field in schema["fields"] if field["type"] == "alias"}
    rows = [fields_row(field, aliases) for field in schema["fields"] if field["type"] != "alias"]
    better = [field for field in schema["fields"] if isinstance(field.get("importer"), dict)]
    lines = [
        "<!--",
        *LICENCE,
        "-->",
        "# Fields of an event",
        "",
        f"Schema version {schema['version']}, names of ECS {schema['ecs_version']} where ECS has one.",
        "An alias works in queries and aggregations like the field it stands for; no event carries it as a key.",
        f"Keywords longer than {schema['keyword_length']} characters are stored, but neither found nor aggregated.",
        "*Not searchable* fields are aggregated and displayed; *stored only* fields are displayed.",
        "Whatever else an application logs is below `labels`; `raylogs_fields_extra` makes typed `app.*` fields of it.",
        "",
        "| Field | Type | Named by | Alias | Known to | Description |",
        "| --- | --- | --- | --- | --- | --- |",
        *rows,
        "",
        *IMPORTER,
        *(f"| `{field['name']}` | {field['importer']['share']} % | {field['importer']['why']} |" for field in better),
        "",
        *REFUSED,
    ]
    return "\n".join(lines) + "\n"


def known_to(field: Json) -> str:
    """Say who knows a field, and in how many lines a collector does not."""
    better = field.get("importer")
    if isinstance(better, dict):
        return f"importer; collector but for {better['share']} %"
    return "importer" if better else "importer, collector"


def fields_row(field: Json, aliases: dict[str, str]) -> str:
    """Write the row of one field."""
    kind = field["type"]
    if not field.get("search", True):
        kind += ", not searchable" if field.get("doc_values", True) else ", stored only"
    cells = (
        f"`{field['name']}`",
        kind,
        "ECS" if field.get("ecs") else "us",
        f"`{aliases[field['name']]}`" if field["name"] in aliases else "",
        known_to(field),
        field["description"].replace("|", "\\|"),
    )
    return f"| {' | '.join(cells)} |"
