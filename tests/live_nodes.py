# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions of the corpus, written anew second after second as they once were and read meanwhile by the collector.

What the collector knows of a file is what its own node's files say by then. The importer knows whole sessions.
"""

from __future__ import annotations

import collections
import json
import os
import pathlib
import shutil
import typing as t
import zlib

from ansible_collections.raylogs.efk.plugins.module_utils import _clock

from tests import corpus, ruby_parser

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils import _context, _event, _session

DRIVER = corpus.ROOT / "tests" / "ruby" / "live_nodes.rb"
STEP_MS = 1000
ID_LENGTH = 56
BEGINNING = 1 << 14
RAYLET = b"[2026-11-23 00:00:00,000 I 1 1] (raylet) main.cc:1: Setting node ID node_id=%s\n"
# What says when and by whom a line was read.
READER = frozenset({"event.created", "ray.lag_ms", "agent.type", "log.file.inode"})
UTC = _clock.Clock("UTC")
Event = dict[str, t.Any]
Place = tuple[str, int, int]


class Step(t.NamedTuple):
    """Bytes that were written within one step of time."""

    step: int
    begin: int
    stop: int


class Growth(t.NamedTuple):
    """One file: what the importer makes of it, and how its pieces grew, oldest first."""

    file: _session.LogFile
    keys: tuple[str, ...]
    items: list[_event.Item]
    pieces: dict[str, list[Step]]


class Node(t.NamedTuple):
    """One node: the events that the importer makes of it, and what is asked of the collector."""

    name: str
    imported: dict[Place, Event]
    asked: dict[str, t.Any]


class Comparison(t.NamedTuple):
    """What became of the same lines: events of both, of one alone, and how often each field differs."""

    pairs: list[tuple[Event, Event]]
    imported_alone: list[Event]
    live_alone: list[Event]
    fields: collections.Counter[str]


def nodes(folder: pathlib.Path, place: pathlib.Path) -> t.Iterator[Node]:
    """Yield the nodes below a folder, copied to a place where all is as it was when a session ended.

    There the raylet of each node says who it is, and files are as old as their last lines, which copies no longer are.
    """
    chosen = corpus.settings("standard")
    shutil.copytree(folder, place)
    for view, found in corpus.views(place, chosen):
        for node in found:
            introduce(node, view.node_id(node))
    for view, found in corpus.views(place, chosen):
        for node in found:
            for growth in grown(view, node, chosen):
                for path, steps in growth.pieces.items():
                    os.utime(path, ns=(0, steps[-1].step * STEP_MS * _clock.NS_PER_MS))
    for view, found in corpus.views(place, chosen):
        for node in found:
            yield of_node(view, node, chosen)


def introduce(node: _session.NodeLogs, node_id: str) -> None:
    """Let the raylet say its id first, where the beginning of what it wrote was not kept."""
    pieces = [file.pieces for file in node.files if file.name == "raylet.out"]
    oldest = pathlib.Path(pieces[0][0].path if pieces else f"{node.root}/raylet.out")
    kept = oldest.read_bytes() if oldest.exists() else b""
    if b"Setting node ID" not in kept[:BEGINNING]:
        known = node_id.encode() if len(node_id) == ID_LENGTH else b"%056x" % zlib.crc32(node.root.encode())
        oldest.write_bytes(RAYLET % known + kept)


def of_node(view: _context.SessionView, node: _session.NodeLogs, chosen: _context.Settings) -> Node:
    """Import a node, and tell when each of its bytes was written."""
    imported: dict[Place, Event] = {}
    steps: dict[int, list[tuple[str, int, str, int, int]]] = collections.defaultdict(list)
    for growth in grown(view, node, chosen):
        if not view.left_out_copy(node, growth.file):
            constants = [view.constant(node, growth.file, key) for key in growth.keys]
            imported.update(
                {
                    place_of(i.piece, doc): doc
                    for i in growth.items
                    if (doc := {**constants[i.piece], **(i.event or {})}) and i.event
                }
            )
        for number, (path, its_steps) in enumerate(growth.pieces.items()):
            for step, begin, stop in its_steps:
                steps[step].append((growth.file.name, number, path, begin, stop))
    settings = {
        "cluster": chosen.cluster,
        "profile": chosen.profile,
        "local_zone": view.zone.clock.zone,
        "host_name": view.host_name(node),
        "reader": chosen.reader,
        "fact_wait": 0,
    }
    in_order = [(step * STEP_MS, sorted(appended)) for step, appended in sorted(steps.items())]
    return Node(node.root, imported, {"session": view.session, "settings": settings, "steps": in_order})


def grown(view: _context.SessionView, node: _session.NodeLogs, chosen: _context.Settings) -> t.Iterator[Growth]:
    """Yield the files of a node that are logs, and how their pieces grew."""
    parsed = []
    for file in node.files:
        pieces = tuple(piece for piece in file.pieces if piece.size)
        if pieces and file.classified.kind.framing != corpus.NEVER_A_LOG:
            context = corpus.context_of(view, node, file, pieces)
            items = list(corpus.parse_pieces(context, pieces, chosen.profile))
            parsed.append((file, pieces, context, items))
    # Applications print times of any year; none of their lines is older than their node.
    own = [(file.classified.kind, item) for file, _pieces, _context, items in parsed for item in items]
    moments = [moment for kind, item in own if kind.class_ == "system" and (moment := moment_of(item)) is not None]
    began = min(moment for kind, item in own if kind.id == "raylet" and (moment := moment_of(item)) is not None)
    for file, pieces, context, items in parsed:
        steps: dict[str, list[Step]] = {}
        last = max(moments)
        first = began if file.classified.kind.class_ == "app" else min(moments)
        for number, piece in reversed([*enumerate(pieces)]):
            of_piece = written([item for item in items if item.piece == number], piece, (first, last))
            steps = {piece.path: of_piece, **steps}
            last = min(last, of_piece[0].step * STEP_MS)
        yield Growth(file, context.keys, items, steps)


def written(items: t.Sequence[_event.Item], piece: _session.Piece, limits: tuple[int, int]) -> list[Step]:
    """Say which bytes of a piece were written in which step: lines without a time came with the next that has one."""
    last = limits[1]
    steps = []
    for item in reversed(items):
        moment = moment_of(item)
        last = min(last, max(moment, limits[0])) if moment is not None else last
        steps.append(last // STEP_MS)
    steps.reverse()
    if not items:
        # What the piece holds goes on from the one before.
        return [Step(last // STEP_MS, 0, piece.size)]
    ends = [*(item.offset for item in items[1:]), piece.size]
    found: list[Step] = []
    for step, end in zip(steps, ends, strict=True):
        if found and found[-1].step == step:
            found[-1] = found[-1]._replace(stop=end)
        else:
            found.append(Step(step, found[-1].stop if found else 0, end))
    return found


def moment_of(item: _event.Item) -> int | None:
    """Return the time that a line states."""
    if item.event is None or item.event["ray.time_source"] != "line":
        return None
    moment = UTC.read(item.event["@timestamp"])
    return moment.ms if moment else None


def live(found: t.Sequence[Node], folder: pathlib.Path) -> t.Iterator[dict[str, t.Any]]:
    """Let the nodes' files grow in a folder; yield what the collector makes of each node."""
    asked = {
        "catalogue": str(ruby_parser.CATALOGUE_JSON),
        "folder": str(folder),
        "nodes": [node.asked for node in found],
    }
    return t.cast("t.Iterator[dict[str, t.Any]]", ruby_parser.run_ruby(DRIVER, asked))


def place_of(piece: int, event: Event) -> Place:
    """Say which bytes of which piece an event is made of."""
    return event["log.file.path"], piece, event["log.offset"]


def compare(node: Node, answer: dict[str, t.Any]) -> Comparison:
    """Compare the events of one node."""
    live = {place_of(piece, event): event for piece, event in answer["events"]}
    assert len(live) == len(answer["events"])
    pairs = [(event, live[place]) for place, event in node.imported.items() if place in live]
    fields = collections.Counter(field for pair in pairs for field in differing(*pair))
    return Comparison(
        pairs=pairs,
        imported_alone=[event for place, event in node.imported.items() if place not in live],
        live_alone=[event for place, event in live.items() if place not in node.imported],
        fields=fields,
    )


def differing(imported: Event, live: Event) -> list[str]:
    """Name the fields that differ, in their types too."""
    return [
        field
        for field in sorted((imported.keys() | live.keys()) - READER)
        if json.dumps(imported.get(field), sort_keys=True) != json.dumps(live.get(field), sort_keys=True)
    ]
