# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file to items: its pieces in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _event, _parse, _records

from tests.parsing import CATALOGUE, TASKS, WORKER, context

if TYPE_CHECKING:
    from pathlib import Path


def test_pieces_are_read_in_order_and_closed(tmp_path: Path) -> None:
    pieces = [tmp_path / "a", tmp_path / "b"]
    for piece in pieces:
        piece.write_text(piece.name + "\n")
    items = list(_parse.parse_file(context(pieces=2), [_parse.opener(str(piece)) for piece in pieces], "full"))
    assert [(item.piece, item.event and item.event["message"]) for item in items] == [(0, "a"), (1, "b")]


def test_a_piece_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(_parse.parse_file(context(), [_parse.opener(str(tmp_path / "missing"))], "full"))


def test_no_pieces_are_no_items() -> None:
    assert list(_parse.parse_file(context(), [], "full")) == []


@pytest.mark.parametrize(
    ("name", "builder"),
    [pytest.param(WORKER, _event.Builder, id="lines"), pytest.param(TASKS, _records.RecordBuilder, id="records")],
)
def test_item_builder(name: str, builder: type) -> None:
    build = _parse.item_builder(context(name), "full")
    assert isinstance(getattr(build, "__self__", None), builder)


@pytest.mark.parametrize(
    ("name", "number", "note"),
    [
        pytest.param("raylet.out", 0, "unparsed", id="the beginning of a file"),
        pytest.param("raylet.out", 1, "fragment", id="the beginning of a later piece"),
        pytest.param("raylet.out.2", 0, "fragment", id="the beginning of the oldest rotated piece"),
    ],
)
def test_orphan_note(name: str, number: int, note: str) -> None:
    assert _parse.orphan_note(CATALOGUE.classify(name), number) == note
