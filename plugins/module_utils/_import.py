# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import a session: read its files one after the other, and store what the target does not hold yet."""

from __future__ import annotations

import itertools
import json
import pathlib
import re
import time
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils import (
    _bulk,
    _catalogue,
    _clock,
    _context,
    _facts,
    _frame,
    _identity,
    _parse,
    _session,
    _spool,
    _stored,
    _target,
)
from ansible_collections.raylogs.efk.plugins.module_utils._api import ApiError, OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import connect
from ansible_collections.raylogs.efk.plugins.module_utils._report import KindReport, Report
from ansible_collections.raylogs.efk.plugins.module_utils._version import VERSION

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, Params
    from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import Connection
    from ansible_collections.raylogs.efk.plugins.module_utils._module import Task

# Files whose keys are looked up in one request.
FILES_AT_ONCE = 200
CHUNK = 1 << 20
DATE = slice(0, 10)
EXTRA_FIELD = re.compile(r"app\.[a-z0-9_]{1,128}")
NO_LOG, EMPTY = "no log", "empty"

# The bytes of an event; what no line may hold by its keys does not end a line of JSON either.
encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


class Reading(t.NamedTuple):
    """One file that is read for events: its pieces that hold anything, and the identity of each."""

    node: _session.NodeLogs
    file: _session.LogFile
    chain: list[_identity.PieceIdentity]


class Import(t.NamedTuple):
    """One run: what is read how, where it goes, what came of it. Without a sender nothing is stored."""

    settings: _context.Settings
    target: _target.Target
    connection: Connection | None
    looks_up: bool
    sender: _bulk.Sender | None
    source: str
    report: Report


def import_session(task: Task) -> Body:
    """Import what lies below a path.

    :raises OptionError: when an option or the path cannot work; nothing was sent then.
    :raises ApiError: when the server refuses everything or is gone; running it again completes the import.
    """
    began = time.monotonic()
    params = task.params
    try:
        settings = read_settings(params)
        target = _target.Target(params["prefix"], params["tenant"], params["layout"])
        with _spool.spool(params["path"], params["spool_dir"] or task.tmpdir(), params["max_spool_bytes"]) as spooled:
            nodes = _session.discover(spooled.folder, settings.catalogue, params["path"])
            run = start(task, settings, target, spooled)
            import_nodes(run, nodes)
    except (
        _catalogue.CatalogueError,
        _clock.ClockError,
        _session.SessionError,
        _spool.SpoolError,
        OSError,
    ) as error:
        raise OptionError(str(error)) from error
    for warning in run.report.warnings():
        task.warn(warning)
    return run.report.answer(round(time.monotonic() - began, 3))


def read_settings(params: Params) -> _context.Settings:
    """Check all options and make the settings of the parser.

    :raises OptionError: when one cannot work.
    :raises ClockError: when the time zone is not known.
    :raises CatalogueError: when the additions to the catalogue do not fit.
    """
    _target.check_names(params["prefix"], params["tenant"])
    for option in ("spool_dir", "dead_letter_path"):
        folder = pathlib.Path(params[option] or "/")
        if not (folder if option == "spool_dir" else folder.parent).is_dir():
            raise OptionError(f"{option} {folder}: there is no such folder on this host. Make it, or name another one.")
    if params["max_spool_bytes"] < 0:
        raise OptionError("max_spool_bytes is at least 0, which stands for as much as the disk has room for.")
    for field in params["fields_extra"]:
        if not EXTRA_FIELD.fullmatch(field["name"]):
            raise OptionError(
                f"fields_extra names the field {field['name']!r}. Write app. and one word of a-z, 0-9 and underscores, "
                "such as app.order_id."
            )
    if params["zone"]:
        _clock.find_zone(params["zone"])
    return _context.Settings(
        catalogue=_catalogue.load(params["catalogue_extra"]),
        cluster=params["cluster"],
        profile=params["profile"],
        zone=params["zone"],
        created=_clock.from_ms(time.time_ns() // _clock.NS_PER_MS),
        reader={"agent.type": "importer", "agent.name": params["host_name"], "agent.version": VERSION},
        host_name=params["host_name"],
        keep_copies=params["keep_copies"],
        extra_fields=tuple(
            (field["name"], field["type"], tuple(field["path"].split("."))) for field in params["fields_extra"]
        ),
    )


def start(task: Task, settings: _context.Settings, target: _target.Target, spooled: _spool.Spool) -> Import:
    """Connect and make sure that the streams are ready.

    :raises ApiError: when the server cannot be used.
    """
    report = Report(spooled.folder if spooled.source else "")
    report.skipped_members(spooled.skipped)
    connection = open_connection(task)
    there = _target.existing(connection, target) if connection else []
    sender = None
    if connection and not task.check_mode:
        _target.check_templates(connection, target, there)
        letters = _bulk.DeadLetters(task.params["dead_letter_path"])
        sender = _bulk.Sender(connection, _target.bulk_options(connection, target, task.params["timeout"]), letters)
    if connection and there:
        _stored.refresh(connection, target.names)
    return Import(settings, target, connection, bool(there), sender, spooled.source, report)


def import_nodes(run: Import, nodes: t.Sequence[_session.NodeLogs]) -> None:
    """Import the sessions one after the other; say how far it came when the server fails.

    :raises ApiError: when the server refuses everything or is gone.
    """
    facts = _facts.gather(nodes, run.settings.catalogue)
    sender = run.sender
    try:
        import_sessions(run, nodes, facts)
        if sender:
            sender.finish()
    except ApiError as error:
        if sender:
            # What another thread still sends counts too.
            sender.stop()
        raise unfinished(error, sender) from error
    finally:
        if sender:
            sender.stop()
    if sender and run.connection and sender.counts.stored:
        _stored.refresh(run.connection, run.target.names)
    if sender:
        run.report.sent(sender.counts, sender.dead_letters.path)


def open_connection(task: Task) -> Connection | None:
    """Connect; in check mode a server that does not answer is no obstacle.

    :raises ApiError: when the server cannot be used.
    """
    try:
        return connect(task.params)
    except ApiError as error:
        if not task.check_mode or error.status is not None:
            raise
        task.warn(f"Everything counts as new, because what is stored could not be looked up. {error}")
        return None


def unfinished(error: ApiError, sender: _bulk.Sender | None) -> ApiError:
    """Add to an error how far the import came."""
    stored = sum(sender.counts.stored.values()) if sender else 0
    fix = f"{error.fix} {stored} events were stored before; run the import again, it adds the rest and nothing twice."
    return ApiError(error.what, error.where, error.said, fix.strip(), error.status)


def import_sessions(run: Import, nodes: t.Sequence[_session.NodeLogs], facts: _facts.Facts) -> None:
    """Import all sessions, each with its nodes."""
    by_session = sorted(nodes, key=lambda node: node.session)
    for _name, group in itertools.groupby(by_session, key=lambda node: node.session):
        its_nodes = list(group)
        view = _context.SessionView(its_nodes, facts, run.settings)
        run.report.add_session(view)
        for node in its_nodes:
            run.report.add_node(view, node)
            readings = (reading for file in node.files if (reading := choose(run, view, node, file)))
            while batch := list(itertools.islice(readings, FILES_AT_ONCE)):
                import_batch(run, view, batch)


def choose(run: Import, view: _context.SessionView, node: _session.NodeLogs, file: _session.LogFile) -> Reading | None:
    """Decide whether a file is read for events; count it when it is not."""
    kind = file.classified.kind
    counts = run.report.kind(kind.id)
    size = sum(piece.size for piece in file.pieces)
    if kind.framing == "none" or kind.store == _catalogue.NEVER:
        run.report.never(kind.id, run.report.reason(run.settings.catalogue, kind.id), len(file.pieces), size)
        return None
    if not size:
        run.report.never(kind.id, EMPTY, len(file.pieces), 0)
        return None
    counts.files += len(file.pieces)
    left_out = view.left_out_copy(node, file)
    if not left_out and not run.settings.catalogue.stored(kind, run.settings.profile):
        left_out = f"profile_{run.settings.profile}"
    if left_out:
        leave_out(run, counts, left_out, file)
        return None
    return identify(run, view, node, file)


def leave_out(run: Import, counts: KindReport, rule: str, file: _session.LogFile) -> None:
    """Count the lines of a file that is left out as a whole."""
    for piece in file.pieces:
        counts.left_out[rule] += count_lines(run, piece.path)
        counts.bytes += piece.size


def count_lines(run: Import, path: str) -> int:
    """Count the lines of a file; 0 when it cannot be read."""
    try:
        with pathlib.Path(path).open("rb") as handle:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: handle.read(CHUNK), b""))
    except OSError as error:
        run.report.unreadable(path, error)
        return 0


def identify(
    run: Import, view: _context.SessionView, node: _session.NodeLogs, file: _session.LogFile
) -> Reading | None:
    """Read the first line of each piece; a piece that cannot be read is left out."""
    chain: list[_identity.PieceIdentity] = []
    pieces: list[_session.Piece] = []
    for piece in file.pieces:
        identity = identify_piece(run, view, node, file, piece) if piece.size else None
        if identity:
            chain.append(identity)
            pieces.append(piece)
    return Reading(node, file._replace(pieces=tuple(pieces)), chain) if pieces else None


def identify_piece(
    run: Import, view: _context.SessionView, node: _session.NodeLogs, file: _session.LogFile, piece: _session.Piece
) -> _identity.PieceIdentity | None:
    """Read the first line of a piece; note it when it cannot be read."""
    owner = (view.session, view.node_id(node))
    try:
        return _context.piece_identity(piece, file, owner, run.settings.catalogue, with_inode=not run.source)
    except OSError as error:
        run.report.unreadable(piece.path, error)
        return None


def import_batch(run: Import, view: _context.SessionView, batch: list[Reading]) -> None:
    """Look up what is stored of some files, then import them one after the other."""
    members: dict[str, list[_stored.Found]] = {}
    bases = set().union(*(_identity.needs_stored(reading.chain) for reading in batch))
    if bases and run.connection and run.looks_up:
        members = _stored.find_members(run.connection, run.target.names, bases)
    keys = [choose_keys(run, reading, members) for reading in batch]
    present: dict[str, t.Iterator[_stored.Interval]] = {}
    if run.connection and run.looks_up:
        counts = _stored.count_events(run.connection, run.target.names, list(itertools.chain(*keys)))
        present = _stored.find_present(run.connection, run.target.names, counts)
    for reading, its_keys in zip(batch, keys):
        known = {number: _stored.Present(present[key]) for number, key in enumerate(its_keys) if key in present}
        import_file(run, view, reading, its_keys, known)


def choose_keys(run: Import, reading: Reading, members: dict[str, list[_stored.Found]]) -> tuple[str, ...]:
    """Choose the key of each piece; a stored key whose events lie in the very bytes of a piece is that piece's own."""
    chain = list(reading.chain)
    stored: dict[str, list[_identity.Member]] = {}
    for number, (identity, piece) in enumerate(zip(reading.chain, reading.file.pieces)):
        for found in members.get(identity.base, ()):
            inode = found.inode
            if not (inode and inode == identity.inode) and is_of(run, found, piece):
                inode = f"same:{found.key}"
                chain[number] = identity._replace(inode=inode)
            stored.setdefault(identity.base, []).append(_identity.Member(found.key, inode))
    return _identity.resolve(chain, stored, run.source)


def is_of(run: Import, found: _stored.Found, piece: _session.Piece) -> bool:
    """Tell whether a stored key is that of a piece."""
    try:
        return found.is_of(piece.path)
    except OSError as error:
        run.report.unreadable(piece.path, error)
        return False


def import_file(
    run: Import,
    view: _context.SessionView,
    reading: Reading,
    keys: tuple[str, ...],
    known: dict[int, _stored.Present],
) -> None:
    """Make the events of one file and store those that are not stored yet."""
    node, file, chain = reading
    kind = file.classified.kind
    counts = run.report.kind(kind.id)
    constants = [view.constant(node, file, key, piece.inode) for key, piece in zip(keys, chain)]
    writers = [document_writer(run.target, kind.class_, constant) for constant in constants]
    context = view.file_context(node, file, keys)
    openers = [_parse.opener(piece.path) for piece in file.pieces]
    cuts = {number: present.cuts for number, present in known.items()}
    sender = run.sender
    try:
        for piece, offset, size, what, event in _parse.parse_file(context, openers, run.settings.profile, cuts):
            counts.bytes += size
            if event is None:
                if what not in {_frame.MAGIC, _frame.BLANK}:
                    counts.left_out[what] += 1
                continue
            counts.events += 1
            if _frame.UNPARSED in event.get("tags", ()):
                counts.unparsed += 1
            if piece in known and known[piece].covers(offset):
                counts.already_present += 1
            elif sender is None:
                counts.stored += 1
            else:
                sender.add(_bulk.Document(kind.id, writers[piece](event)))
    except OSError as error:
        # Some other piece or the archive's disk would not say which file it is.
        run.report.unreadable(error.filename or file.pieces[-1].path, error)


def document_writer(target: _target.Target, class_: str, constant: dict[str, t.Any]) -> t.Callable[[Body], bytes]:
    """Return what writes the two lines of an event; the fields that a piece's events share are written once."""
    shared = encode(constant)[:-1].encode("utf-8", "replace")
    names = constant.keys()
    actions: dict[str, bytes] = {}

    def write(event: Body) -> bytes:
        day = event["@timestamp"][DATE]
        action = actions.get(day)
        if action is None:
            action = actions[day] = target.action(class_, day)
        if names.isdisjoint(event):
            body = b"%b,%b" % (shared, encode(event)[1:].encode("utf-8", "replace"))
        else:
            body = encode({**constant, **event}).encode("utf-8", "replace")
        return b'%b%b"}}\n%b\n' % (action, event["event.id"].encode(), body)

    return write
