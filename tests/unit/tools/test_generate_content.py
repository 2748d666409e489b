# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Derive mappings and documentation from the schema of an event."""

from __future__ import annotations

import typing as t

import pytest
import yaml

from tools.generate_content import ROOT, SOURCE, fields_page, generated_files, mapping, mappings

SCHEMA = {"version": 3, "ecs_version": "8.17.0", "keyword_length": 100, "label_length": 50}


def schema_with(*fields: dict[str, t.Any]) -> dict[str, t.Any]:
    """Build a schema of these fields."""
    return {**SCHEMA, "fields": [{"description": "A field.", **field} for field in fields]}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param({"type": "keyword"}, {"type": "keyword", "ignore_above": 100}, id="keyword"),
        pytest.param(
            {"type": "keyword", "normalizer": "lowercase"},
            {"type": "keyword", "ignore_above": 100, "normalizer": "lowercase"},
            id="keyword in any case",
        ),
        pytest.param(
            {"type": "keyword", "search": False},
            {"type": "keyword", "ignore_above": 100, "index": False},
            id="keyword that is not searched",
        ),
        pytest.param(
            {"type": "long", "search": False, "doc_values": False},
            {"type": "long", "ignore_malformed": True, "index": False, "doc_values": False},
            id="long that is only stored",
        ),
        pytest.param({"type": "text"}, {"type": "text", "norms": False}, id="text"),
        pytest.param({"type": "date"}, {"type": "date", "ignore_malformed": True}, id="date"),
        pytest.param({"type": "date", "name": "@timestamp"}, {"type": "date"}, id="the time of the stream"),
        pytest.param({"type": "ip"}, {"type": "ip", "ignore_malformed": True}, id="address"),
        pytest.param(
            {"type": "flattened"}, {"type": "flattened", "ignore_above": 50, "depth_limit": 20}, id="flattened"
        ),
        pytest.param({"type": "alias", "path": "a.b"}, {"type": "alias", "path": "a.b"}, id="alias"),
    ],
)
def test_mapping(field: dict[str, t.Any], expected: dict[str, t.Any]) -> None:
    assert mapping({"name": "x", **field}, SCHEMA) == expected


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["a.b", "a.b"], id="twice"),
        pytest.param(["a", "a-b", "a.c"], id="an object and a value"),
    ],
)
def test_names_that_contradict_each_other_are_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match=f"the field {names[0]} stands twice"):
        mappings(schema_with(*({"name": name, "type": "long"} for name in names)))


def test_mappings_carry_version_and_mark() -> None:
    built = mappings(schema_with({"name": "a", "type": "long"}))
    assert built["version"] == 3
    assert built["template"]["mappings"]["dynamic"] == "false"
    for meta in (built["_meta"], built["template"]["mappings"]["_meta"]):
        assert meta["managed_by"] == "raylogs.efk"
        assert meta["schema_version"] == 3


def test_the_page_has_a_row_for_each_field_and_names_aliases() -> None:
    page = fields_page(
        schema_with(
            {"name": "ray.x", "type": "keyword", "importer": True, "description": "One | two."},
            {"name": "x", "type": "alias", "path": "ray.x"},
            {"name": "message", "type": "text", "ecs": True, "search": False, "doc_values": False},
        )
    )
    assert "| `ray.x` | keyword | us | `x` | importer | One \\| two. |" in page
    assert "| `message` | text, stored only | ECS |  | importer, collector | A field. |" in page
    assert "\n| `x` |" not in page


def test_every_field_of_the_catalogue_is_mapped_and_documented() -> None:
    files = generated_files()
    names = [field["name"] for field in yaml.safe_load((ROOT / SOURCE).read_text())["fields"]]
    built = yaml.safe_load(files["roles/ray_log_content/files/component_templates/mappings.yml"])
    assert list(built["mappings"]["template"]["mappings"]["properties"]) == names
    assert all(f"`{name}`" in files["docs/fields.md"] for name in names)


def test_every_template_of_the_role_carries_the_mark() -> None:
    role = ROOT / "roles" / "ray_log_content"
    mark = yaml.safe_load((role / "vars" / "main" / "field_types.yml").read_text())["__ray_log_content_mark"]
    bodies = [
        body for path in role.glob("files/*_templates/*.yml") for body in yaml.safe_load(path.read_text()).values()
    ]
    assert len(bodies) == 6
    assert all(mark.items() <= body["_meta"].items() for body in bodies)
