# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one file knows of others, gathered before events are made: nodes, actors, jobs, tasks, the time zone."""

from __future__ import annotations

import collections
import contextlib
import functools
import os
import pathlib
import re
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils import _clock, _convert, _event, _frame

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._catalogue import Catalogue, Format
    from ansible_collections.raylogs.efk.plugins.module_utils._session import LogFile, NodeLogs

_CHUNK = 1 << 22
_OVERLAP = 1 << 14
_HEAD = 1 << 20
_JOB = re.compile(rb"(?:\A|\n):job_id:([0-9a-f]{8})\r?\n")
_JOB_HEAD = 1 << 16
NO_JOB = "ffffffff"
_QUARTER = 15
_SECONDS_PER_MINUTE = 60
_TAIL = 1 << 13
_TIMED = ("cpp", "python")
_MIN_ENDS = 3
_MIN_SHARE = 0.6
_MAX_DELAY_MS = 3_000
_MAX_OFFSET = 14 * 60
_UTC = _clock.Clock("UTC")
_OUTPUT = {"out": "stdout", "err": "stderr"}
_FIRST_ONLY = frozenset({"node_id", "ray_version", "host_name"})


class NodeFacts(t.NamedTuple):
    """What a node's own files say: single values by name, the actor and the job of each worker."""

    values: dict[str, str]
    actors: dict[str, str]
    jobs: dict[str, str]


class Attempt(t.NamedTuple):
    """Where an attempt of a task wrote, as its worker recorded it."""

    task_id: str
    attempt: int
    name: str
    job_id: str
    began_ms: int | None
    pid: int
    ranges: dict[str, tuple[int | None, int]]


class SessionFacts(t.NamedTuple):
    """What only the whole session says."""

    actors: dict[str, str]
    actor_names: dict[str, str]
    actor_classes: dict[str, str]
    jobs_of_submissions: dict[str, str]
    attempts: dict[tuple[str, int], list[Attempt]]
    offsets: dict[tuple[str, str], int]

    def zone_offsets(self) -> collections.Counter[int]:
        """Count the minutes east of UTC that the files of the session show."""
        return collections.Counter(self.offsets.values())


class Facts(t.NamedTuple):
    """Everything gathered: by the root of each node's logs, and of each session."""

    nodes: dict[str, NodeFacts]
    sessions: dict[str, SessionFacts]


def gather(nodes: t.Sequence[NodeLogs], catalogue: Catalogue) -> Facts:
    """Read what files say of others. A file that cannot be read says nothing here; reading it for events reports it."""
    facts = Facts({}, {})
    for node in nodes:
        session = facts.sessions.setdefault(node.session, SessionFacts({}, {}, {}, {}, {}, {}))
        facts.nodes[node.root] = _node_facts(node, session, catalogue)
    for node in nodes:
        session = facts.sessions[node.session]
        if not session.offsets:
            session.offsets.update(_ends(node, catalogue))
    return facts


def agreed_offset(ends: t.Sequence[tuple[int, int]]) -> int | None:
    """Return the minutes east of UTC that the ends of files show; None where they do not agree.

    ends: of each file the local time of its last line, read as if it were UTC, and the time at which it was last
    changed, both in milliseconds. A copy that lost the times of the files shows no two differences alike, or changed
    them all at once: only times far apart prove anything.
    """
    quarter = _clock.MS_PER_MINUTE * _QUARTER
    agreeing: dict[int, list[int]] = collections.defaultdict(list)
    for local, changed in ends:
        quarters = round((local - changed) / quarter)
        if abs(local - changed - quarter * quarters) <= _MAX_DELAY_MS:
            agreeing[quarters].append(changed)
    if not agreeing:
        return None
    best, times = max(agreeing.items(), key=lambda item: len(item[1]))
    far_apart = len({changed // (2 * _MAX_DELAY_MS) for changed in times}) >= _MIN_ENDS
    return (
        best * _QUARTER
        if far_apart and len(times) >= _MIN_SHARE * len(ends) and abs(best * _QUARTER) <= _MAX_OFFSET
        else None
    )


def local_offset(local: str, epoch_ms: int) -> int | None:
    """Return the minutes, in quarters of an hour, that a local time is ahead of the same moment in UTC.

    None when it is no time.
    """
    moment = _UTC.local(local)
    return None if moment is None else _QUARTER * round((moment.ms - epoch_ms) / (_clock.MS_PER_MINUTE * _QUARTER))


def spans(file: LogFile, attempts: t.Iterable[Attempt]) -> tuple[_event.Span, ...]:
    """Return which bytes of a worker's output belong to which attempt; none when rotation moved the bytes."""
    stream = _OUTPUT.get(file.classified.parts.get("stream", ""), "")
    if len(file.pieces) > 1 or not stream:
        return ()
    written: list[_event.Span] = []
    last_stop = 0
    for attempt in attempts:
        if stream in attempt.ranges:
            start, stop = attempt.ranges[stream]
            written.append(
                _event.Span(last_stop if start is None else start, stop, _attempt_fields(attempt), attempt.began_ms)
            )
            last_stop = max(last_stop, stop)
    return _exclusive(written)


def _exclusive(written: list[_event.Span]) -> tuple[_event.Span, ...]:
    """Keep of each span the bytes that no other one claims: what tasks wrote side by side is nobody's for certain."""
    edges = sorted({edge for span in written for edge in (span.start, span.stop)})
    starting = collections.defaultdict(list)
    for number, span in enumerate(written):
        if span.start < span.stop:
            starting[span.start].append(number)
    active: set[int] = set()
    found = []
    for start, stop in zip(edges, edges[1:]):
        active = {number for number in active if written[number].stop > start} | set(starting[start])
        if len(active) == 1:
            found.append(written[next(iter(active))]._replace(start=start, stop=stop))
    return tuple(found)


def _ends(node: NodeLogs, catalogue: Catalogue) -> dict[tuple[str, str], int]:
    """Find the zone from the last lines of Ray's own files and the times at which these were changed."""
    ends: dict[tuple[str, str], tuple[int, int]] = {}
    for file in node.files:
        timed = [catalogue.formats[name] for name in file.classified.kind.formats if name in _TIMED]
        local = (
            _last_time(file.pieces[-1].path, timed, _UTC) if timed and file.classified.kind.class_ == "system" else None
        )
        if local:
            ends[node.root, file.name] = (local.ms, file.pieces[-1].mtime_ns // _clock.NS_PER_MS)
    offset = agreed_offset(list(ends.values()))
    return {} if offset is None else dict.fromkeys(ends, offset)


def _last_time(path: str, formats: list[Format], clock: _clock.Clock) -> _clock.Moment | None:
    """Return the time of the last line of a file when that line has one."""
    with contextlib.suppress(OSError), pathlib.Path(path).open("rb") as handle:
        handle.seek(max(handle.seek(0, os.SEEK_END) - _TAIL, 0))
        lines = handle.read().splitlines()
        for form in formats if lines else ():
            match = form.match(lines[-1])
            if match:
                return clock.local(match[form.groups["time"]].decode("ascii"))
    return None


def _attempt_fields(attempt: Attempt) -> dict[str, t.Any]:
    fields = {"ray.task_id": attempt.task_id, "ray.attempt": attempt.attempt, "ray.job_id": attempt.job_id}
    if attempt.name:
        fields["ray.task_name"] = attempt.name
    return fields


def _node_facts(node: NodeLogs, session: SessionFacts, catalogue: Catalogue) -> NodeFacts:
    facts = NodeFacts({}, {}, {})
    for file in node.files:
        kind = file.classified.kind
        for rule in catalogue.data["facts"]:
            if kind.id in rule["kinds"] and not (rule["id"] in _FIRST_ONLY and rule["id"] in facts.values):
                _apply(rule, file, node, facts, session)
        if file.classified.parts.get("job_id") == NO_JOB:
            job = _first_job(file)
            if job:
                facts.jobs.setdefault(file.classified.parts["worker_id"], job)
        if kind.record == "export_task":
            _read_tasks(_records(file, catalogue.event_bytes), file, node, session)
        elif kind.record in {"export_actor", "export_driver_job"}:
            _read_records(_records(file, catalogue.event_bytes), session)
    return facts


def _apply(rule: dict[str, t.Any], file: LogFile, node: NodeLogs, facts: NodeFacts, session: SessionFacts) -> None:
    """Search a file for one fact and note it where it belongs."""
    for words in _found(rule, file):
        if rule["scope"] == "file":
            offset = _anchor(words)
            if offset is None:
                continue
            session.offsets[node.root, file.name] = offset
        elif rule["id"] == "actor_of_worker":
            facts.actors[file.classified.parts["worker_id"]] = words["actor_id"]
        elif rule["id"] == "actor_created":
            session.actors[words["worker_id"]] = words["actor_id"]
        else:
            facts.values[rule["id"]] = next(iter(words.values()))
        if rule["scope"] != "session":
            return


def _found(rule: dict[str, t.Any], file: LogFile) -> t.Iterator[dict[str, str]]:
    """Yield the words that a fact's pattern finds in a file."""
    limit = _HEAD if rule["scope"] == "file" else None
    for match in _matches(file, re.compile(rule["pattern"].encode()), limit):
        yield dict(zip(rule["groups"], (group.decode("utf-8", "replace") for group in match.groups())))


def _anchor(words: dict[str, str]) -> int | None:
    """Return the minutes east of UTC that an anchor shows; None when no place on earth has that time."""
    minutes = _shown_minutes(words)
    return minutes if minutes is not None and abs(minutes) <= _MAX_OFFSET else None


def _shown_minutes(words: dict[str, str]) -> int | None:
    if "offset" in words:
        sign = -1 if words["offset"][0] == "-" else 1
        return sign * (int(words["offset"][1:3]) * _SECONDS_PER_MINUTE + int(words["offset"][3:]))
    if "epoch_ns" in words:
        return local_offset(words["local"], int(words["epoch_ns"]) // _clock.NS_PER_MS)
    return local_offset(words["local"], int(words["epoch_s"]) * _clock.MS_PER_SECOND)


def _matches(file: LogFile, pattern: re.Pattern[bytes], limit: int | None) -> t.Iterator[re.Match[bytes]]:
    """Search the pieces of a file in chunks that overlap; with a limit only the first bytes of the oldest piece."""
    for piece in file.pieces[: 1 if limit else None]:
        with contextlib.suppress(OSError), pathlib.Path(piece.path).open("rb") as handle:
            if limit:
                yield from pattern.finditer(handle.read(limit))
                continue
            rest = b""
            for chunk in iter(functools.partial(handle.read, _CHUNK), b""):
                text = rest + chunk
                yield from pattern.finditer(text)
                rest = text[-_OVERLAP:]


def _first_job(file: LogFile) -> str:
    """Return the job that an idle worker was given: its first magic line says it."""
    try:
        with pathlib.Path(file.pieces[0].path).open("rb") as handle:
            match = _JOB.search(handle.read(_JOB_HEAD))
    except OSError:
        return ""
    return match[1].decode() if match else ""


def _records(file: LogFile, limit: int) -> t.Iterator[dict[str, t.Any]]:
    for piece in file.pieces:
        with contextlib.suppress(OSError), pathlib.Path(piece.path).open("rb") as handle:
            for line in _frame.read_lines(handle, limit):
                record = _frame.parse_record(line)
                data = record.get("event_data") if record else None
                if isinstance(data, dict):
                    yield data


def _read_records(records: t.Iterable[dict[str, t.Any]], session: SessionFacts) -> None:
    for data in records:
        submission = _convert.at_path(data, ("config", "metadata", "job_submission_id"))
        job = _convert.hex_id(data.get("job_id"))
        if submission and job:
            session.jobs_of_submissions[str(submission)] = job
        actor = _convert.hex_id(data.get("actor_id"))
        if not actor:
            continue
        worker = _convert.hex_id(_convert.at_path(data, ("address", "worker_id")))
        if worker:
            session.actors[worker] = actor
        if data.get("name"):
            session.actor_names[actor] = str(data["name"])
        if data.get("class_name"):
            session.actor_classes[actor] = str(data["class_name"])


def _read_tasks(records: t.Iterable[dict[str, t.Any]], file: LogFile, node: NodeLogs, session: SessionFacts) -> None:
    """Join the records of each attempt in one file of its worker: where it wrote, when it began, what it is called."""
    pid = _convert.whole(file.classified.parts["pid"])
    joined: dict[tuple[str, int], dict[str, t.Any]] = {}
    for data in records:
        task = _convert.hex_id(data.get("task_id"))
        if not task:
            continue
        key = (task, _convert.whole(data.get("attempt_number")))
        # In the order of their last records: a task that ran after another one wrote after it.
        known = joined.pop(key, {"job_id": _convert.hex_id(data.get("job_id")) or ""})
        joined[key] = known
        _join_attempt(known, data)
    for (task, attempt), known in joined.items():
        ranges = {
            stream: (known.get(f"{stream}_start"), known[f"{stream}_end"])
            for stream in _OUTPUT.values()
            if known.get(f"{stream}_end", 0) > known.get(f"{stream}_start", 0)
        }
        if ranges:
            session.attempts.setdefault((node.root, pid), []).append(
                Attempt(task, attempt, known.get("name", ""), known["job_id"], known.get("began_ms"), pid, ranges)
            )


def _join_attempt(known: dict[str, t.Any], data: dict[str, t.Any]) -> None:
    updates = data.get("state_updates")
    updates = updates if isinstance(updates, dict) else {}
    log = updates.get("task_log_info")
    if isinstance(log, dict):
        for stream in _OUTPUT.values():
            # Records of begin and end are merged; a start of 0 without a file's name means that it is not known.
            if log.get(f"{stream}_start") or log.get(f"{stream}_file"):
                known[f"{stream}_start"] = _convert.whole(log.get(f"{stream}_start"))
            known[f"{stream}_end"] = max(_convert.whole(log.get(f"{stream}_end")), known.get(f"{stream}_end", 0))
    began = _convert.at_path(updates, ("state_ts_ns", "8"))
    if began:
        known["began_ms"] = _convert.whole(began) // _clock.NS_PER_MS
    events = _convert.at_path(data, ("profile_events", "events"))
    for event in events if isinstance(events, list) else ():
        name = str(event.get("event_name", "")) if isinstance(event, dict) else ""
        if name.startswith("task::"):
            known["name"] = name[len("task::") :]
