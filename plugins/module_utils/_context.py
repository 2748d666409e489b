# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of each file before its first line is read: fields, clock, identity, copies, tasks."""

from __future__ import annotations

import ctypes
import os
import pathlib
import re
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils import (
    _catalogue,
    _clock,
    _convert,
    _event,
    _facts,
    _frame,
    _identity,
    _text,
)
from ansible_collections.raylogs.efk.plugins.module_utils._catalogue_data import FIELDS

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._session import LogFile, NodeLogs, Piece

Test = t.Callable[["dict[str, str]"], bool]
_JOB_MAGIC = b":job_id:"
_PART = re.compile(r"\{([a-z_]+)\}")
_WORKER_PARTS = {"worker_id": "ray.worker_id", "submission_id": "ray.submission_id"}
_AT_FDCWD = -100
_AT_SYMLINK_NOFOLLOW = 0x100
_STATX_BTIME = 0x800
_STATX_SIZE = 256
_STATX_MASK = slice(0, 4)
_STATX_BTIME_SECONDS = slice(80, 88)
_STATX_BTIME_NANOS = slice(88, 92)


class Settings(t.NamedTuple):
    """What the user says about an import."""

    catalogue: _catalogue.Catalogue
    cluster: str
    profile: str
    zone: str
    created: _clock.Moment
    reader: dict[str, t.Any]
    host_name: str
    keep_copies: bool = False
    extra_fields: tuple[tuple[str, str, tuple[str, ...]], ...] = ()


class Zone(t.NamedTuple):
    """The time zone of a session: its clock, whether it is a guess, and what contradicts it."""

    clock: _clock.Clock
    assumed: bool
    contradictions: tuple[str, ...]


class SessionView:
    """All nodes of one session, and what is asked of them for each file."""

    def __init__(self, nodes: t.Sequence[NodeLogs], facts: _facts.Facts, settings: Settings) -> None:
        """Take the nodes of one session."""
        self._nodes = nodes
        self._facts = facts
        self._settings = settings
        self.session = nodes[0].session
        self._session_facts = facts.sessions[self.session]
        self._names = {node.root: frozenset(file.name for file in node.files) for node in nodes}
        self._found: dict[tuple[str, str], bool] = {}
        self.zone = choose_zone(settings.zone, self._session_facts)
        self._clocks: dict[int, _clock.Clock] = {}

    def host_name(self, node: NodeLogs) -> str:
        """Return the node's name: as its own events say, else its folder's, else this host's."""
        return self._facts.nodes[node.root].values.get("host_name") or node.node or self._settings.host_name

    def node_id(self, node: NodeLogs) -> str:
        """Return the id that Ray gave the node; the name of its folder where its raylet says none."""
        return self._facts.nodes[node.root].values.get("node_id", "") or node.node

    def constant(self, node: NodeLogs, file: LogFile, key: str, inode: str = "") -> _event.Event:
        """Return the fields that are the same for all events of a piece and that no line overrides."""
        kind = file.classified.kind
        values = self._facts.nodes[node.root].values
        version = values.get("ray_version") or self._any_version()
        fields: _event.Event = {
            "ecs.version": FIELDS["ecs_version"],
            "ray.schema_version": FIELDS["version"],
            "event.kind": "event",
            "event.created": self._settings.created.text,
            "ray.cluster": self._settings.cluster,
            "ray.session": self.session,
            "ray.class": kind.class_,
            "log.file.path": f"{self.session}/logs/{file.name}",
            "log.file.fingerprint": key,
            **self._settings.reader,
        }
        if version:
            fields["ray.version"] = version
        if "stream" in file.classified.parts:
            fields["ray.stream"] = file.classified.parts["stream"]
        if inode:
            fields["log.file.inode"] = inode
        return fields

    def file_context(self, node: NodeLogs, file: LogFile, keys: tuple[str, ...]) -> _event.FileContext:
        """Return what is known of a file."""
        settings = self._settings
        kind = file.classified.kind
        attempts = self._session_facts.attempts.get((node.root, _convert.whole(file.classified.parts.get("pid"))), ())
        spans = _facts.spans(file, attempts) if kind.magic else ()
        base = self._base(node, file)
        if self.is_copy(file):
            base["ray.copy_of"] = self.is_copy(file)
            base["tags"] = [_event.COPY]
        return _event.FileContext(
            catalogue=settings.catalogue,
            classified=file.classified,
            clock=self._clock(node, file),
            created=settings.created,
            base=base,
            keys=keys,
            omissions=tuple(settings.catalogue.omissions(kind, settings.profile)),
            copies=self._copy_tests(node, file),
            spans=spans,
            file_time=_clock.from_ms(file.pieces[-1].mtime_ns // _clock.NS_PER_MS),
            zone_assumed=self.zone.assumed and (node.root, file.name) not in self._session_facts.offsets,
            extra_fields=settings.extra_fields,
            keep_copies=settings.keep_copies,
        )

    def is_copy(self, file: LogFile) -> str:
        """Return the rule by which a whole file is a copy of others; empty when it is none."""
        for rule in self._settings.catalogue.copies:
            if file.classified.kind.id in rule.kinds and not rule.format and not rule.same_line:
                return rule.id
        return ""

    def left_out_copy(self, node: NodeLogs, file: LogFile) -> str:
        """Return the rule by which a whole file is left out: its original is there."""
        rule_id = self.is_copy(file)
        rule = next((rule for rule in self._settings.catalogue.copies if rule.id == rule_id), None)
        there = rule is not None and self._is_there(node.root, rule.original, dict(file.classified.parts))
        return rule_id if there and not self._settings.keep_copies else ""

    def _base(self, node: NodeLogs, file: LogFile) -> _event.Event:
        kind, parts = file.classified.kind, file.classified.parts
        node_facts = self._facts.nodes[node.root]
        base: _event.Event = {
            "event.dataset": kind.dataset,
            "ray.component": kind.component,
            "host.name": self.host_name(node),
            **{field: parts[part] for part, field in _WORKER_PARTS.items() if part in parts},
        }
        if node_facts.values.get("node_id"):
            base["ray.node_id"] = node_facts.values["node_id"]
        if kind.magic or kind.identity == "name":
            base.update(self._worker_fields(node_facts, parts))
        if "pid" in parts:
            base["process.pid"] = _convert.whole(parts["pid"])
        if kind.id == "serve_replica":
            name = parts["serve_name"]
            base.update({"ray.serve.deployment": name, "ray.serve.replica": parts["serve_replica"]})
            base["ray.serve.application"] = name.rpartition("_")[0] or name
        return base

    def _worker_fields(self, node_facts: _facts.NodeFacts, parts: dict[str, str]) -> _event.Event:
        """Return the job and the actor of a worker, of a driver or of a submitted job."""
        fields: _event.Event = {}
        worker = parts.get("worker_id", "")
        job = node_facts.jobs.get(worker) or parts.get("job_id", "")
        if worker.endswith(_facts.NO_JOB * 6):
            job = worker[: len(_facts.NO_JOB)]
        if "submission_id" in parts:
            job = self._session_facts.jobs_of_submissions.get(parts["submission_id"], "")
        if job and job != _facts.NO_JOB:
            fields["ray.job_id"] = job
        actor = node_facts.actors.get(worker) or self._session_facts.actors.get(worker, "")
        if actor:
            fields["ray.actor_id"] = actor
            name = self._session_facts.actor_names.get(actor)
            if name:
                fields["ray.actor_name"] = name
            if actor in self._session_facts.actor_classes:
                fields["ray.actor_class"] = self._session_facts.actor_classes[actor]
        return fields

    def _clock(self, node: NodeLogs, file: LogFile) -> _clock.Clock:
        """Return the clock of a file: of the zone that its own lines show where the user names none."""
        offset = self._session_facts.offsets.get((node.root, file.name))
        if self._settings.zone or offset is None:
            return self.zone.clock
        if offset not in self._clocks:
            self._clocks[offset] = _clock.Clock(_clock.offset_name(offset))
        return self._clocks[offset]

    def _any_version(self) -> str:
        versions = (self._facts.nodes[node.root].values.get("ray_version", "") for node in self._nodes)
        return next((version for version in versions if version), "")

    def _copy_tests(self, node: NodeLogs, file: LogFile) -> tuple[tuple[_catalogue.Copy, Test], ...]:
        tests: list[tuple[_catalogue.Copy, Test]] = []
        for rule in self._settings.catalogue.copies:
            if rule.kinds and file.classified.kind.id not in rule.kinds:
                continue
            if rule.same_line:
                tests.append((rule, self._same_line_test(node, file, rule)))
            elif rule.format:
                tests.append((rule, self._line_test(node, rule)))
        return tuple(tests)

    def _line_test(self, node: NodeLogs, rule: _catalogue.Copy) -> Test:
        """Return a test that tells whether the original of a line may hold it."""
        original = rule.original

        def is_there(words: dict[str, str]) -> bool:
            if not rule.marked and "{worker_id}" in original and not words.get("worker_id"):
                return False
            if words.get("copy_ip"):
                return any(
                    self._is_there(other.root, original, words) for other in self._nodes if other.root != node.root
                )
            if "worker_id" in words and "{worker_id}" in original:
                return any(self._is_there(other.root, original, words) for other in self._nodes)
            return self._is_there(node.root, original, words)

        return is_there

    def _is_there(self, root: str, original: str, words: dict[str, str]) -> bool:
        """Tell whether a node holds a file named `original` with the words filled in; other parts may be any."""
        filled = "".join(
            re.escape(text) if not number % 2 else re.escape(words[text]) if words.get(text) else "[^/]+"
            for number, text in enumerate(_PART.split(original))
        )
        key = (root, filled)
        if key not in self._found:
            matches = re.compile(filled).fullmatch
            self._found[key] = any(matches(name) for name in self._names[root])
        return self._found[key]

    def _same_line_test(self, node: NodeLogs, file: LogFile, rule: _catalogue.Copy) -> Test:
        """Return a test that tells whether the original holds a line with the same values."""
        name = _PART.sub(lambda place: file.classified.parts.get(place[1], ""), rule.original)
        known: set[int] = set()
        for original in node.files:
            if original.name == name:
                for piece in original.pieces:
                    known.update(_line_hashes(piece, rule.same_line, self._settings.catalogue.event_bytes))
        return lambda words: _hash(words, rule.same_line) in known


def choose_zone(stated: str, facts: _facts.SessionFacts) -> Zone:
    """Choose the zone of a session's local times: as stated, else as most files show it, else UTC as a guess.

    :raises ClockError: when the stated zone is not known.
    """
    offsets = facts.zone_offsets()
    if stated:
        clock = _clock.Clock(stated)
        return Zone(clock, assumed=False, contradictions=tuple(_contradictions(clock, facts)))
    if not offsets:
        return Zone(_clock.Clock("UTC"), assumed=True, contradictions=())
    clock = _clock.Clock(_clock.offset_name(offsets.most_common(1)[0][0]))
    return Zone(clock, assumed=False, contradictions=tuple(_contradictions(clock, facts)))


def inode_and_birth(path: str) -> str:
    """Return `<inode>.<birth in nanoseconds>` of a file; empty where the kernel or the file system does not tell."""
    try:
        statx = ctypes.CDLL(None, use_errno=True).statx
    except (OSError, AttributeError):
        return ""
    buffer = ctypes.create_string_buffer(_STATX_SIZE)
    failed = statx(_AT_FDCWD, os.fsencode(path), _AT_SYMLINK_NOFOLLOW, _STATX_BTIME, buffer)
    if failed or not int.from_bytes(buffer.raw[_STATX_MASK], "little") & _STATX_BTIME:
        return ""
    seconds = int.from_bytes(buffer.raw[_STATX_BTIME_SECONDS], "little")
    nanos = int.from_bytes(buffer.raw[_STATX_BTIME_NANOS], "little")
    return f"{pathlib.Path(path).lstat().st_ino}.{seconds * _identity.NS_PER_SECOND + nanos}"


def piece_identity(
    piece: Piece, file: LogFile, owner: tuple[str, str], catalogue: _catalogue.Catalogue, *, with_inode: bool
) -> _identity.PieceIdentity:
    """Read the first line of a piece of a file and make its identity. owner: the session and the node's id.

    :raises OSError: when it cannot be read.
    """
    with pathlib.Path(piece.path).open("rb") as handle:
        head = handle.readline(catalogue.head_bytes).rstrip(b"\n")
    session, node_id = owner
    base = _identity.base_key(session, node_id if file.classified.kind.identity == "node" else "", file.name, head)
    repeatable = is_repeatable(head, file, catalogue)
    inode = inode_and_birth(piece.path) if with_inode and repeatable else ""
    return _identity.PieceIdentity(base, repeatable, piece.number, piece.mtime_ns, inode)


def is_repeatable(head: bytes, file: LogFile, catalogue: _catalogue.Catalogue) -> bool:
    """Tell whether another piece of the file can begin with the same line; a line with a time of its own cannot."""
    if head.startswith(_JOB_MAGIC) or file.classified.kind.framing == "record":
        return False
    for name in file.classified.kind.formats:
        if name == _frame.JSON:
            record = _frame.parse_record(head) or {}
            table = catalogue.data["json"]
            if any(key in record for key in (*table["time_ns"], *table["time_local"], *table["time"])):
                return False
        else:
            form = catalogue.formats[name]
            if "time" in form.groups and form.match(head):
                return False
    return True


def _contradictions(clock: _clock.Clock, facts: _facts.SessionFacts) -> t.Iterator[str]:
    """Say which files show another offset than the zone had at their time."""
    for (root, name), offset in sorted(facts.offsets.items()):
        expected = clock.local("2026-01-01 00:00:00,000")
        shown = _clock.Clock(_clock.offset_name(offset)).local("2026-01-01 00:00:00,000")
        if expected and shown and expected.ms != shown.ms and not _is_other_season(clock, offset):
            yield f"{root}/{name} shows UTC{_clock.offset_name(offset).replace('UTC', '+00:00')}"


def _is_other_season(clock: _clock.Clock, offset: int) -> bool:
    summer = clock.local("2026-07-01 00:00:00,000")
    shown = _clock.Clock(_clock.offset_name(offset)).local("2026-07-01 00:00:00,000")
    return bool(summer and shown and summer.ms == shown.ms)


def _line_hashes(piece: Piece, names: tuple[str, ...], limit: int) -> t.Iterator[int]:
    try:
        with pathlib.Path(piece.path).open("rb") as handle:
            for line in _frame.read_lines(handle, limit):
                record = _frame.parse_record(line)
                if record:
                    yield _hash({name: _text.as_text(record.get(name)) for name in names}, names)
    except OSError:
        return


def _hash(words: dict[str, str], names: tuple[str, ...]) -> int:
    return hash(tuple(words.get(name, "") for name in names))
