# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what decides whether an image is built, and of what is put into it."""

from __future__ import annotations

from pathlib import Path

import pytest
from systemd_images import Recipe, empty_package_lists, find_mirror, furnish, read_certificates

RECIPE = Recipe("trixie", "http://mirror.example.com/debian", {"a.crt": "A"})


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        pytest.param("Debian|main|http://m.example.com/debian/\n", "http://m.example.com/debian", id="Debian"),
        pytest.param(
            "Debian-Security|main|http://s.example.com/\nDebian|contrib|http://c.example.com/\n"
            "Debian|main|http://m.example.com/\n",
            "http://m.example.com",
            id="neither the updates for security nor another component",
        ),
        pytest.param("Ubuntu|main|http://u.example.com/ubuntu/\n", "", id="another distribution"),
        pytest.param("", "", id="no apt"),
    ],
)
def test_find_mirror(targets: str, expected: str) -> None:
    assert find_mirror(targets) == expected


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(RECIPE._replace(release="bookworm"), id="release"),
        pytest.param(RECIPE._replace(mirror=""), id="mirror"),
        pytest.param(RECIPE._replace(certificates={"a.crt": "B"}), id="certificate"),
        pytest.param(RECIPE._replace(packages=()), id="packages"),
        pytest.param(RECIPE._replace(masked=()), id="masked units"),
        pytest.param(RECIPE._replace(files={}), id="files"),
        pytest.param(RECIPE._replace(settings=()), id="settings"),
    ],
)
def test_whatever_changes_is_built_again(changed: Recipe) -> None:
    assert changed.digest() != RECIPE.digest()


def test_the_same_recipe_is_not_built_again() -> None:
    assert RECIPE._replace(certificates=dict(RECIPE.certificates)).digest() == RECIPE.digest()


def test_certificates_of_the_host(tmp_path: Path) -> None:
    (tmp_path / "b.crt").write_text("B")
    (tmp_path / "a.pem").write_text("no")
    assert read_certificates(tmp_path) == {"b.crt": "B"}
    assert read_certificates(tmp_path / "none") == {}


def test_furnish(tmp_path: Path) -> None:
    for folder in ("etc/systemd/system", "usr/local/share/ca-certificates"):
        (tmp_path / folder).mkdir(parents=True)
    furnish(RECIPE._replace(masked=("getty.target",), files={"etc/machine-id": ""}), tmp_path)
    assert (tmp_path / "etc/systemd/system/getty.target").readlink() == Path("/dev/null")
    assert (tmp_path / "etc/machine-id").read_text() == ""
    assert (tmp_path / "usr/local/share/ca-certificates/a.crt").read_text() == "A"


def test_package_lists_are_empty_and_old(tmp_path: Path) -> None:
    for folder in ("var/lib/apt/lists", "var/cache/apt/archives"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").touch()
    empty_package_lists(tmp_path)
    assert [path.name for path in (tmp_path / "var/lib/apt/lists").iterdir()] == ["partial"]
    assert [path.name for path in (tmp_path / "var/cache/apt/archives").iterdir()] == ["partial"]
    assert (tmp_path / "var/lib/apt/lists").stat().st_mtime == 0
