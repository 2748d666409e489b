# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of declared objects."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _folder
from ansible_collections.raylogs.efk.plugins.module_utils._api import OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._folder import read_folder

if t.TYPE_CHECKING:
    from pathlib import Path

KINDS = {"index_templates": "index_template", "data_streams": "data_stream"}


def fill(root: Path, **files: str) -> str:
    """Write files by their path, whose slashes are double underscores and whose dot is the last underscore."""
    for name, text in files.items():
        folder, _, file = name.partition("__")
        (root / folder).mkdir(exist_ok=True)
        (root / folder / ".".join(file.rsplit("_", 1))).write_text(text)
    return str(root)


def test_each_file_is_an_object(tmp_path: Path) -> None:
    folder = fill(
        tmp_path,
        index_templates__app_yml="index_patterns: [app-*]",
        index_templates__b_json='{"name": "other", "index_patterns": ["b"]}',
        data_streams__app_yaml="{}",
    )
    (tmp_path / ".git").mkdir()
    (tmp_path / "data_streams" / ".app.yml.swp").touch()
    assert read_folder(folder, KINDS) == [
        {"kind": "data_stream", "name": "app"},
        {"kind": "index_template", "name": "app", "index_patterns": ["app-*"]},
        {"kind": "index_template", "name": "other", "index_patterns": ["b"]},
    ]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        pytest.param(
            {"templates__a_yml": "{}"}, "templates is none of the folders index_templates, data_streams.", id="folder"
        ),
        pytest.param(
            {"data_streams__a_txt": ""},
            "a.txt is neither YAML nor JSON by its name. Name it a.yml or a.json.",
            id="name",
        ),
        pytest.param({"data_streams__a_yml": "a: [b"}, "a.yml is no YAML: ", id="broken YAML"),
        pytest.param({"data_streams__a_json": "{"}, "Cannot read ", id="broken JSON"),
        pytest.param({"data_streams__a_yml": "- b"}, "a.yml does not hold the options of an object", id="list"),
        pytest.param({"data_streams__a_yml": "a: \x00"}, "a.yml is no YAML: ", id="a character YAML does not have"),
    ],
)
def test_what_is_no_object_is_refused(files: dict[str, str], words: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=re.escape(words)):
        read_folder(fill(tmp_path, **files), KINDS)


def test_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="is no folder on the host that runs this module"):
        read_folder(str(tmp_path / "none"), KINDS)


def test_without_pyyaml_json_is_still_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_folder, "YAML_ERROR", "ImportError")
    assert read_folder(fill(tmp_path, data_streams__a_json="{}"), KINDS) == [{"kind": "data_stream", "name": "a"}]
    with pytest.raises(OptionError, match="PyYAML"):
        read_folder(fill(tmp_path, data_streams__b_yml="{}"), KINDS)
