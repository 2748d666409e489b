# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file to items: reads the pieces of one file in order and makes an item of every byte."""

from __future__ import annotations

import heapq
import pathlib
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils import _event, _frame, _records

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._catalogue import Classified

Open = t.Callable[[], t.ContextManager[t.BinaryIO]]


def parse_file(
    context: _event.FileContext,
    pieces: t.Sequence[Open],
    profile: str,
    cuts: t.Mapping[int, t.Iterator[int]] | None = None,
) -> t.Iterator[_event.Item]:
    """Yield the items of one file: its pieces oldest first, each a function that opens it.

    cuts: for pieces that were stored before, where the stored events end (ascending offsets).

    :raises OSError: when a piece cannot be read.
    """
    build = item_builder(context, profile)
    framer = _frame.Framer(context.catalogue, context.classified.kind)
    limit = context.catalogue.event_bytes
    beyond: list[int] = []
    for number, opened in enumerate(pieces):
        with opened() as handle:
            ends = (cuts or {}).get(number)
            if beyond:
                ends, beyond = heapq.merge(beyond, ends or ()), []
            lines = _frame.read_lines(handle, limit, ends, beyond)
            for frame in framer.feed(number, lines, orphan_note(context.classified, number)):
                yield build(frame)
    for frame in framer.close():
        yield build(frame)


def item_builder(context: _event.FileContext, profile: str) -> t.Callable[[_frame.Frame], _event.Item]:
    """Return what makes the items of a file of this kind."""
    if context.classified.kind.framing == "record":
        return _records.RecordBuilder(context, profile).build
    return _event.Builder(context).build


def orphan_note(classified: Classified, number: int) -> str:
    """Say what lines at a file's beginning are that no header precedes: what rotation cut off, or not understood."""
    return _frame.FRAGMENT if classified.number > 0 or number > 0 else _frame.UNPARSED


def opener(path: str) -> Open:
    """Return a function that opens a file for reading its bytes."""
    return lambda: pathlib.Path(path).open("rb")
