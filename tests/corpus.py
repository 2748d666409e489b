# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that Ray wrote, and how they are parsed as an import does it.

The whole corpus lies beside the checkout (../shared/ray-logs/corpus); where it is missing, tests take the subset in
tests/fixtures/corpus: whole files. Layout: <version of Ray>/<scenario>/<node>/session_X/logs/….
"""

from __future__ import annotations

import itertools
import pathlib
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils import (
    _catalogue,
    _clock,
    _context,
    _event,
    _facts,
    _identity,
    _parse,
    _session,
)

ROOT = pathlib.Path(__file__).resolve().parent.parent
WHOLE = ROOT.parent / "shared" / "ray-logs" / "corpus"
BUNDLED = ROOT / "tests" / "fixtures" / "corpus"
CATALOGUE = _catalogue.load()
CREATED = _clock.from_ms(1_795_000_000_000)
NEVER_A_LOG = "none"


class ParsedFile(t.NamedTuple):
    """One file of a session and what became of its bytes."""

    view: _context.SessionView
    node: _session.NodeLogs
    file: _session.LogFile
    pieces: tuple[_session.Piece, ...]
    context: _event.FileContext
    items: list[_event.Item]

    @property
    def events(self) -> list[_event.Event]:
        """Return the events, without the fields that are the same for the whole file."""
        return [item.event for item in self.items if item.event is not None]

    def read(self) -> bytes:
        """Return the bytes of all pieces, oldest first."""
        return b"".join(pathlib.Path(piece.path).read_bytes() for piece in self.pieces)


def folder() -> pathlib.Path:
    """Return the corpus: the whole one where it is, else the bundled subset."""
    return WHOLE if WHOLE.is_dir() else BUNDLED


def scenarios() -> list[str]:
    """Name the scenarios of the corpus: <version>/<scenario>."""
    return sorted(path.relative_to(folder()).as_posix() for path in folder().glob("[0-9]*/*") if path.is_dir())


def settings(profile: str = "standard", zone: str = "", *, keep_copies: bool = False) -> _context.Settings:
    """Return what a user would say about an import."""
    return _context.Settings(
        catalogue=CATALOGUE,
        cluster="corpus",
        profile=profile,
        zone=zone,
        created=CREATED,
        reader={"agent.type": "importer"},
        host_name="localhost",
        keep_copies=keep_copies,
    )


def views(
    path: pathlib.Path, chosen: _context.Settings
) -> t.Iterator[tuple[_context.SessionView, list[_session.NodeLogs]]]:
    """Yield the sessions below a folder, each with its nodes."""
    found = _session.discover(str(path), chosen.catalogue)
    facts = _facts.gather(found, chosen.catalogue)
    for _name, nodes in itertools.groupby(sorted(found, key=_session_name), key=_session_name):
        of_session = list(nodes)
        yield _context.SessionView(of_session, facts, chosen), of_session


def logs(
    path: pathlib.Path, chosen: _context.Settings
) -> t.Iterator[tuple[_context.SessionView, _session.NodeLogs, _session.LogFile, tuple[_session.Piece, ...]]]:
    """Yield the files below a folder that are logs and not empty, with their pieces that are not."""
    for view, nodes in views(path, chosen):
        for node in nodes:
            for file in node.files:
                pieces = tuple(piece for piece in file.pieces if piece.size)
                if pieces and file.classified.kind.framing != NEVER_A_LOG:
                    yield view, node, file, pieces


def context_of(
    view: _context.SessionView, node: _session.NodeLogs, file: _session.LogFile, pieces: t.Sequence[_session.Piece]
) -> _event.FileContext:
    """Return what is known of a file before it is parsed, with the identities of its pieces."""
    owner = (view.session, view.node_id(node))
    chain = [_context.piece_identity(piece, file, owner, CATALOGUE, with_inode=False) for piece in pieces]
    return view.file_context(node, file, _identity.resolve(chain))


def parse(path: pathlib.Path, chosen: _context.Settings | None = None) -> t.Iterator[ParsedFile]:
    """Parse every log below a folder but those that are left out as copies."""
    chosen = chosen or settings()
    for view, node, file, pieces in logs(path, chosen):
        if not view.left_out_copy(node, file):
            context = context_of(view, node, file, pieces)
            items = list(parse_pieces(context, pieces, chosen.profile))
            yield ParsedFile(view, node, file, pieces, context, items)


def parse_pieces(
    context: _event.FileContext, pieces: t.Iterable[_session.Piece], profile: str
) -> t.Iterator[_event.Item]:
    """Yield the items of one file."""
    return _parse.parse_file(context, openers(pieces), profile)


def openers(pieces: t.Iterable[_session.Piece]) -> list[_parse.Open]:
    """Return what opens each piece."""
    return [_parse.opener(piece.path) for piece in pieces]


def _session_name(node: _session.NodeLogs) -> str:
    return node.session
