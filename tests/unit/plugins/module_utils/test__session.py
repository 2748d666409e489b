# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the logs are: sessions, nodes, files and pieces."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _session

from tests.parsing import CATALOGUE

if t.TYPE_CHECKING:
    from collections.abc import Iterable

SESSION = "session_2026-11-23_08-00-00_000000_1"
WORKER = f"worker-{'ab' * 28}-01000000-7.out"


def lay_out(root: pathlib.Path, names: Iterable[str]) -> pathlib.Path:
    """Make files."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return root


def found(path: pathlib.Path) -> list[tuple[str, str, list[str]]]:
    """Return node, session and files of each folder of logs."""
    nodes = _session.discover(str(path), CATALOGUE)
    return [(node.node, node.session, [file.name for file in node.files]) for node in nodes]


@pytest.mark.parametrize(
    ("names", "start", "expected"),
    [
        pytest.param(
            [f"{SESSION}/logs/raylet.out"], "", [("", SESSION, ["raylet.out"])], id="a temp dir with one session"
        ),
        pytest.param([f"{SESSION}/logs/raylet.out"], SESSION, [("", SESSION, ["raylet.out"])], id="a session"),
        pytest.param(
            [f"{SESSION}/logs/raylet.out"],
            f"{SESSION}/logs",
            [("", SESSION, ["raylet.out"])],
            id="its logs",
        ),
        pytest.param(
            [f"{SESSION}/logs/raylet.out", "session_2/logs/raylet.out"],
            "",
            [("", "session_2", ["raylet.out"]), ("", SESSION, ["raylet.out"])],
            id="two sessions",
        ),
        pytest.param(
            [f"head/{SESSION}/logs/raylet.out", f"node2/{SESSION}/logs/raylet.out"],
            "",
            [("head", SESSION, ["raylet.out"]), ("node2", SESSION, ["raylet.out"])],
            id="two nodes",
        ),
        pytest.param(["saved/raylet.err"], "saved", [("", "saved", ["raylet.err"])], id="a folder with another name"),
        pytest.param(
            [f"{SESSION}/logs/events/event_GCS.log"], "", [("", SESSION, ["events/event_GCS.log"])], id="only events"
        ),
    ],
)
def test_discover(
    names: list[str], start: str, expected: list[tuple[str, str, list[str]]], tmp_path: pathlib.Path
) -> None:
    assert found(lay_out(tmp_path, names) / start) == expected


def test_links_are_never_followed(tmp_path: pathlib.Path) -> None:
    lay_out(tmp_path, [f"{SESSION}/logs/raylet.out", "elsewhere/raylet.out"])
    (tmp_path / "session_latest").symlink_to(SESSION)
    (tmp_path / SESSION / "logs" / "gcs_server.out").symlink_to(tmp_path / "elsewhere" / "raylet.out")
    (tmp_path / SESSION / "logs" / "serve").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / SESSION / "logs" / "dashboard.log")
    assert [node for node in found(tmp_path) if node[1] == SESSION] == [("", SESSION, ["raylet.out"])]


def test_pieces_are_in_the_order_in_which_they_were_written(tmp_path: pathlib.Path) -> None:
    lay_out(tmp_path / SESSION / "logs", [WORKER, f"{WORKER}.1", f"{WORKER}.2", f"{WORKER}.10", f"old/{WORKER}.1"])
    (node,) = _session.discover(str(tmp_path), CATALOGUE)
    (file,) = node.files
    assert [(piece.number, piece.old) for piece in file.pieces] == [
        *((10, False), (2, False), (1, True), (1, False), (0, False)),
    ]
    assert file.name == WORKER
    assert file.pieces[-1].size == len(WORKER)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("missing", r"does not exist\. Give a session directory", id="missing"),
        pytest.param("file", r"is not a directory\.", id="a file"),
        pytest.param("empty", r"No logs of Ray in .*empty: no folder there holds files such as", id="empty"),
        pytest.param("deep", r"No logs of Ray", id="too deep"),
    ],
)
def test_no_logs(name: str, message: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    lay_out(tmp_path, ["deep/1/2/3/4/5/6/7/8/raylet.out"])
    with pytest.raises(_session.SessionError, match=message):
        _session.discover(str(tmp_path / name), CATALOGUE)


def test_a_folder_that_cannot_be_read_is_named(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root can read everything, so the operating system's answer is given here."""
    lay_out(tmp_path, [f"{SESSION}/logs/raylet.out", f"{SESSION}/logs/serve/controller_1.log"])
    scan = os.scandir

    def refuse(path: t.Any) -> t.Any:
        if str(path).endswith(refused):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    refused = "serve"
    (node,) = _session.discover(str(tmp_path), CATALOGUE)
    assert node.unreadable == (f"{tmp_path}/{SESSION}/logs/serve: Permission denied",)
    refused = SESSION
    with pytest.raises(_session.SessionError, match=r"Permission denied, /.*\. Run as a user who can read"):
        _session.discover(str(tmp_path), CATALOGUE)


def test_a_folder_below_one_that_cannot_be_entered_is_named(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root can enter everything, so the operating system's answer is given here."""

    def refuse(path: t.Any, **_options: t.Any) -> os.stat_result:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(pathlib.Path, "stat", refuse)
    with pytest.raises(_session.SessionError, match=r"Permission denied, /.*\. Run as a user who can read"):
        _session.discover(str(tmp_path / "logs"), CATALOGUE)


def test_a_folder_that_vanishes_meanwhile_is_no_matter(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path, [f"{SESSION}/logs/raylet.out", f"{SESSION}/a/b"])
    scan = os.scandir

    def vanish(path: t.Any) -> t.Any:
        if str(path).endswith("/a"):
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", vanish)
    assert [node.session for node in _session.discover(str(tmp_path), CATALOGUE)] == [SESSION]


def test_an_archive_without_logs_is_named_by_its_own_path(tmp_path: pathlib.Path) -> None:
    with pytest.raises(_session.SessionError, match=r"No logs of Ray in /srv/incident\.tar: "):
        _session.discover(str(tmp_path), CATALOGUE, "/srv/incident.tar")


def test_a_file_that_vanishes_is_named(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path, [f"{SESSION}/logs/raylet.out", f"{SESSION}/logs/gcs_server.out"])
    status = pathlib.Path.lstat

    def vanish(path: pathlib.Path) -> os.stat_result:
        if path.name == "gcs_server.out":
            raise FileNotFoundError(2, "No such file or directory")
        return status(path)

    monkeypatch.setattr(pathlib.Path, "lstat", vanish)
    (node,) = _session.discover(str(tmp_path), CATALOGUE)
    assert [file.name for file in node.files] == ["raylet.out"]
    assert node.unreadable == (f"{tmp_path}/{SESSION}/logs/gcs_server.out: No such file or directory",)
