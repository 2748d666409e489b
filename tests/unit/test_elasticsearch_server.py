# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose the Java that runs a server for tests."""

from __future__ import annotations

import typing as t

import pytest

from tests.elasticsearch_server import MissingJavaError, java_home

if t.TYPE_CHECKING:
    from pathlib import Path

VECTOR = "java.base jdk.incubator.vector"
JAVAS = {
    "8": 'JAVA_VERSION="1.8.0_392"\n',
    "17": 'JAVA_VERSION="17.0.15"\nMODULES="java.base"\n',
    "21-reduced": 'JAVA_VERSION="21.0.7"\nMODULES="java.base"\n',
    "21": f'JAVA_VERSION="21.0.7"\nMODULES="{VECTOR}"\n',
    "25": f'IMPLEMENTOR="Somebody"\nJAVA_VERSION="25.0.3"\nMODULES="{VECTOR}"\n',
}


@pytest.fixture
def javas(tmp_path: Path) -> Path:
    """Lay out Javas, one of them without its program, and a folder that is none."""
    for name, release in {**JAVAS, "gone": JAVAS["17"]}.items():
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "release").write_text(release)
        if name != "gone":
            (tmp_path / name / "bin" / "java").touch()
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("version", "candidates", "chosen"),
    [
        pytest.param("7.17.9", ["gone", "empty", "8", "25", "17", "21"], "17", id="neither too old nor too new"),
        pytest.param("7.17.9", ["25", "21"], "21", id="the newest that 7.17 takes"),
        pytest.param("8.19.0", ["8", "25", "17"], "25", id="the first that fits"),
        pytest.param("8.19.0", ["21-reduced", "17"], "17", id="not one without the vector module"),
        pytest.param("9.2.0", ["17", "21-reduced", "25"], "25", id="later than 17"),
    ],
)
def test_java_fits_the_server(version: str, candidates: list[str], chosen: str, javas: Path) -> None:
    assert java_home(version, [javas / name for name in candidates]) == str(javas / chosen)


def test_missing_java_names_the_package(javas: Path) -> None:
    with pytest.raises(
        MissingJavaError, match=r"9\.2\.0 needs Java 21 or later, .*apt-get install openjdk-21-jre-head"
    ):
        java_home("9.2.0", [javas / "17", javas / "21-reduced"])
    with pytest.raises(MissingJavaError, match=r"7\.17\.9 needs Java 17 to 21"):
        java_home("7.17.9", [javas / "25", javas / "gone"])


def test_plugin_is_built_by_a_java_with_a_compiler(javas: Path) -> None:
    (javas / "21" / "bin" / "javac").touch()
    (javas / "21-reduced" / "bin" / "javac").touch()
    found = [javas / name for name in ("25", "8", "21-reduced", "21")]
    # To build does not need what to run needs.
    assert java_home("8.19.0", found, development=True) == str(javas / "21-reduced")
    with pytest.raises(MissingJavaError, match=r"the javac of Java 21 or later: apt-get install openjdk-21-jdk-head"):
        java_home("9.2.0", [javas / "17", javas / "25"], development=True)
