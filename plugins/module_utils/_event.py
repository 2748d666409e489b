# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames to events: the fields of the schema from the lines of one file and from what is known of the file."""

from __future__ import annotations

import bisect
import re
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils import _clock, _convert, _frame, _text
from ansible_collections.raylogs.efk.plugins.module_utils._catalogue_data import FIELDS

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._catalogue import (
        Catalogue,
        Classified,
        Copy,
        Detail,
        Omission,
    )

Event = dict[str, t.Any]
EVENT = "event"
ZONE_ASSUMED = "zone_assumed"
COPY = "copy"
_TRACEBACK = "Traceback (most recent call last):"
_GROUP = "+ Exception Group"
_LONG_DIGITS = 18


def _long(raw: bytes) -> int | None:
    return int(raw) if len(raw) <= _LONG_DIGITS else None


_GROUP_FIELDS: dict[str, tuple[str, t.Callable[[bytes], t.Any]]] = {
    "pid": ("process.pid", _long),
    "thread_id": ("process.thread.id", _long),
    "line": ("log.origin.file.line", _long),
    "file": ("log.origin.file.name", _convert.text),
    "component": ("ray.component", _convert.text),
    "logger": ("log.logger", _convert.text),
    "request_id": ("ray.serve.request_id", _convert.text),
}
_SUBJECTS = frozenset({"ray.actor_id", "ray.task_id", "ray.job_id"})
_REPR = re.compile(r"([\w.:<>-]+)\(")


class Span(t.NamedTuple):
    """Bytes of a worker's output that belong to one attempt of a task, and when that began."""

    start: int
    stop: int
    fields: dict[str, t.Any]
    began_ms: int | None


class FileContext(t.NamedTuple):
    """What is known of a file before its first line is read.

    base: fields of every event that a line may override. keys: identity of each piece. copies: rules that apply to
    lines of this file, each with a test that tells from the words of a line whether the original is there.
    """

    catalogue: Catalogue
    classified: Classified
    clock: _clock.Clock
    created: _clock.Moment
    base: Event
    keys: tuple[str, ...]
    omissions: tuple[Omission, ...] = ()
    copies: tuple[tuple[Copy, t.Callable[[dict[str, str]], bool]], ...] = ()
    spans: tuple[Span, ...] = ()
    file_time: _clock.Moment | None = None
    zone_assumed: bool = False
    extra_fields: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    keep_copies: bool = False


class Item(t.NamedTuple):
    """What became of the bytes of a frame: an event, or the name of why there is none."""

    piece: int
    offset: int
    size: int
    what: str
    event: Event | None


class Builder:
    """Makes the items of one file, in the file's order: earlier lines give later ones their time and their context."""

    def __init__(self, context: FileContext) -> None:
        """Take what is known of the file."""
        catalogue = context.catalogue
        kind = context.classified.kind
        self._context = context
        self._kind = kind
        self._base = dict(context.base)
        self._cleaner = _text.Cleaner(catalogue)
        self._masker = _text.masker(catalogue, FIELDS["pattern_length"])
        self._limits = label_limits(catalogue)
        self._groups = {name: _group_fields(form.groups) for name, form in catalogue.formats.items()}
        self._levels = catalogue.levels
        self._details: dict[str, list[Detail]] = {}
        self._datasets = _dataset_rules(catalogue, kind.id)
        self._pairs = re.compile(catalogue.data["pairs"]["pattern"], re.ASCII).finditer
        self._pair_fields: dict[str, str] = catalogue.data["pairs"]["fields"]
        self._last_line = re.compile(catalogue.data["traceback"]["last_line"], re.ASCII).match
        self._crash = re.compile(catalogue.data["blocks"]["crash"]["begin"], re.ASCII).match
        self._begins_traceback = re.compile(catalogue.data["traceback"]["begin"], re.ASCII).match
        self._json = _convert.JsonKeys(catalogue.data["json"])
        self._previous: _clock.Moment | None = None
        self._previous_is_local = False
        self._span_starts = [span.start for span in context.spans]

    def build(self, frame: _frame.Frame) -> Item:
        """Make the item of one frame."""
        size = len(frame.raw)
        if frame.note == _frame.MAGIC:
            self._remember(t.cast("_frame.Head", frame.head))
            return Item(frame.piece, frame.offset, size, _frame.MAGIC, None)
        if frame.note == _frame.BLANK:
            return Item(frame.piece, frame.offset, size, _frame.BLANK, None)
        if frame.head is None:
            what, event = self._plain(frame)
        elif frame.head.record is not None:
            what, event = self._from_json(frame, frame.head.record)
        else:
            what, event = self._from_text(frame, frame.head)
        return Item(frame.piece, frame.offset, size, what, event)

    def _remember(self, head: _frame.Head) -> None:
        match = t.cast("re.Match[bytes]", head.match)
        name, value = match[1].decode(), self._cleaner.clean(match[2])
        if name == "job_id":
            self._base["ray.job_id"] = value
        elif name == "task_name":
            self._base["ray.task_name"] = value
        else:
            shown = _REPR.match(value)
            self._base["ray.actor_class"] = shown[1] if shown else value

    def _plain(self, frame: _frame.Frame) -> tuple[str, Event | None]:
        message = self._cleaner.clean(frame.raw)
        event = self._base.copy()
        if frame.note:
            event["tags"] = [frame.note]
        crash = self._crash(message) if message.startswith(("***", "Fatal")) else None
        if crash:
            event["log.level"] = "CRITICAL"
            event["error.type"] = crash[1] or crash[3]
            moment = _clock.from_ns(int(crash[2]) * _clock.NS_PER_SECOND) if crash[2] else None
            return self._finish(frame, event, message, moment and _clock.from_ms(moment.ms))
        if self._begins_traceback(message):
            event["log.level"] = "ERROR"
        return self._finish(frame, event, message, None)

    def _from_text(self, frame: _frame.Frame, head: _frame.Head) -> tuple[str, Event | None]:
        match = t.cast("re.Match[bytes]", head.match)
        groups = self._context.catalogue.formats[head.format].groups
        event = self._base.copy()
        moment = self._time(match, groups)
        level = self._levels.get(match[groups["level"]].decode("ascii", "replace")) if "level" in groups else None
        message = self._cleaner.clean(frame.raw[match.end() :])
        omitted = self._omitted(level, message)
        if omitted:
            self._pass(moment, local=True)
            return omitted, None
        if level:
            event["log.level"] = level
        for number, field, convert in self._groups[head.format]:
            value = match[number]
            converted = convert(value) if value else None
            if converted is not None:
                event[field] = converted
        if head.format == "serve":
            self._serve(event, match, groups)
        if self._kind.framing == "output":
            event["event.dataset"] = "ray.log"
        if "_id=" in message and (self._kind.class_ != "app" or head.format == "python"):
            exact, message = self._add_pairs(event, message, own=head.format == "python")
            moment = exact or moment
        copied = self._copied(head, match, groups, event)
        if copied:
            self._pass(moment, local=True)
            return copied, None
        return self._finish(frame, event, message, moment, local="zone" not in groups or not match[groups["zone"]])

    def _from_json(self, frame: _frame.Frame, record: dict[str, t.Any]) -> tuple[str, Event | None]:
        read = self._json.read(record, self._base, self._levels)
        moment, local = self._json_time(read)
        message = read.message
        if message is None:
            message = self._cleaner.clean(frame.raw)
        elif "\x1b" in message or "\r" in message:
            message = self._cleaner.clean(message.encode("utf-8", "replace"))
        else:
            message = message.strip("\n")
        omitted = self._omitted(read.level, message)
        if omitted:
            self._pass(moment, local=local)
            return omitted, None
        event = self._base.copy()
        event.update(read.fields)
        if self._kind.framing == "output":
            event["event.dataset"] = "ray.log"
        if read.level:
            event["log.level"] = read.level
        if read.stack_trace:
            message = self._add_stack(event, message, self._cleaner.clean(read.stack_trace.encode("utf-8", "replace")))
        self._promote(event, record)
        rest = _text.labels(record, self._limits, read.consumed)
        if rest:
            event["labels"] = rest
        copied = self._copied_record(record, event)
        if copied:
            self._pass(moment, local=local)
            return copied, None
        return self._finish(frame, event, message, moment, local=local)

    def _json_time(self, read: _convert.JsonEvent) -> tuple[_clock.Moment | None, bool]:
        exact = _clock.from_ns(_convert.whole(read.time_ns))
        if exact:
            return exact, False
        if isinstance(read.time_local, str):
            return self._context.clock.local(read.time_local), True
        moment = self._context.clock.read(read.time)
        return moment, isinstance(read.time, str) and not _convert.states_zone(read.time)

    def _time(self, match: re.Match[bytes], groups: dict[str, int]) -> _clock.Moment | None:
        if "time" not in groups:
            return None
        text = match[groups["time"]].decode("ascii")
        zone = match[groups["zone"]] if "zone" in groups else None
        if zone:
            return self._context.clock.read(text + zone.decode("ascii"))
        return self._context.clock.local(text)

    def _omitted(self, level: str | None, message: str) -> str | None:
        for omission in self._context.omissions:
            if omission.covers(level, message):
                return omission.id
        return None

    def _serve(self, event: Event, match: re.Match[bytes], groups: dict[str, int]) -> None:
        """Name the Serve component: `controller 2830`, `proxy 127.0.0.1` or `<app>_<Deployment> <replica>`."""
        component = match[groups["serve_component"]].decode("utf-8", "replace")
        identity = match[groups["serve_id"]].decode("utf-8", "replace")
        if component in {"controller", "proxy"}:
            event["ray.serve.component"] = component
            event["ray.serve.id"] = identity
        else:
            event["ray.serve.component"] = "replica"
            event["ray.serve.deployment"] = component
            event["ray.serve.replica"] = identity
            event["ray.serve.application"] = component.rpartition("_")[0] or component

    def _add_pairs(self, event: Event, message: str, *, own: bool) -> tuple[_clock.Moment | None, str]:
        """Take the key=value pairs that Ray appends; return the exact time among them and the message without them.

        Ray's Python formatter appends those of the writer to the last line, and they are no part of the message. C++
        appends those of the line's subject to the first line, as part of the sentence.
        """
        exact = None
        before, newline, line = message.rpartition("\n") if own else ("", "", message.partition("\n")[0])
        cut = self._own_pairs(line) if own else None
        for pair in self._pairs(line) if cut is None else self._pairs(line, cut):
            field = self._pair_fields.get(pair[1])
            if pair[1] == "timestamp_ns":
                exact = _clock.from_ns(_convert.whole(pair[2]))
            elif field and (own or field not in event or field in _SUBJECTS):
                event[field] = pair[2]
            elif own:
                event["labels"] = {**event.get("labels", {}), pair[1]: pair[2]}
        return exact, message if cut is None else f"{before}{newline}{line[:cut]}"

    def _own_pairs(self, line: str) -> int:
        """Return where the pairs begin that Ray's Python formatter appended; the line's end when it did not."""
        start = len(line)
        for pair in reversed(list(self._pairs(line))):
            if pair.end() != start or line[pair.start() : pair.start(1)] not in {" ", ""}:
                break
            start = pair.start()
        return start if "_id=" in line[start:] else len(line)

    def _copied(self, head: _frame.Head, match: re.Match[bytes], groups: dict[str, int], event: Event) -> str | None:
        """Return the rule by which the line is a copy that is left out; mark a copy that is kept."""
        rules = [(rule, is_there) for rule, is_there in self._context.copies if rule.format == head.format]
        if not rules:
            return None
        words = {name: (match[number] or b"").decode("utf-8", "replace") for name, number in groups.items()}
        if "worker_id" not in words and "ray.worker_id" in event:
            words["worker_id"] = event["ray.worker_id"]
        there = next((rule.id for rule, is_there in rules if is_there(words)), None)
        if there and not self._context.keep_copies:
            return there
        if there or rules[0][0].marked:
            _mark_copy(event, there or rules[0][0].id)
        return None

    def _copied_record(self, record: dict[str, t.Any], event: Event) -> str | None:
        """Return the rule by which a JSON line is a copy that is left out; mark a copy that is kept."""
        for rule, is_there in self._context.copies:
            names = rule.same_line or ("worker_id",)
            if (rule.same_line or rule.format == _frame.JSON) and is_there(
                {name: _text.as_text(record.get(name)) for name in names}
            ):
                if not self._context.keep_copies:
                    return rule.id
                _mark_copy(event, rule.id)
        return None

    def _promote(self, event: Event, record: dict[str, t.Any]) -> None:
        for field, kind, path in self._context.extra_fields:
            value = _convert.at_path(record, path)
            converted = _convert.value(value, kind) if value is not None else None
            if converted is not None:
                event[field] = converted

    def _add_stack(self, event: Event, message: str, stack: str) -> str:
        """Set the error.* fields from a traceback; return the message with the exception's own line."""
        group = message.endswith(_GROUP)
        lines = [line for line in stack.split("\n") if line.strip()]
        for line in lines[1:] if group else reversed(lines):
            last = self._last_line(line)
            if last and line.startswith("  | ") == group and (group or not line.startswith((" ", "\t"))):
                event["error.type"] = last[1]
                text = line[last.end() :].strip()
                if text:
                    event["error.message"] = text
                message = message[: -len(_GROUP)].rstrip() if group else message
                shown = line.lstrip(" |").strip()
                message = f"{message}\n{shown}" if message and shown not in message else message or shown
                break
        event["error.stack_trace"] = stack
        # A traceback whose last line is not there yet says at least where it was.
        return message or (lines[-1].strip() if lines else "")

    def _pass(self, moment: _clock.Moment | None, *, local: bool) -> None:
        if moment:
            self._previous, self._previous_is_local = moment, local

    def _finish(
        self, frame: _frame.Frame, event: Event, message: str, moment: _clock.Moment | None, *, local: bool = False
    ) -> tuple[str, Event | None]:
        """Add what every event has: time, identity, message, pattern, details."""
        if moment is None and frame.head is None:
            omitted = self._omitted(event.get("log.level"), message) if self._kind.framing == "header" else None
            if omitted:
                return omitted, None
        begin = message.find(_TRACEBACK)
        if begin >= 0 and "error.stack_trace" not in event:
            message = self._add_stack(event, message[:begin].rstrip(), message[begin:])
        self._attribute(event, frame.offset)
        self._pass(moment, local=local)
        self._add_time(event, moment, frame.offset)
        dataset = self._dataset(event, message)
        event["message"] = message
        event["log.offset"] = frame.offset
        event["event.id"] = f"{self._context.keys[frame.piece]}:{frame.offset}"
        event["ray.bytes"] = len(frame.raw)
        if message:
            event["ray.pattern"], event["ray.pattern_id"] = self._masker.mask(message)
        if "\ufffd" in message:
            event["tags"] = [*event.get("tags", ()), _text.INVALID_UTF8]
        for detail in self._details_of(dataset):
            found = detail.search(message)
            if found:
                for (field, kind), value in zip(detail.groups, found.groups()):
                    converted = _convert.value(value, kind)
                    if converted is not None:
                        event[field] = converted
        return EVENT, event

    def _attribute(self, event: Event, offset: int) -> None:
        """Name the task whose output the bytes at the offset are."""
        if self._span_starts:
            span = self._context.spans[max(bisect.bisect_right(self._span_starts, offset) - 1, 0)]
            if span.start <= offset < span.stop:
                for field, value in span.fields.items():
                    event.setdefault(field, value)
                if "ray.task_name" in span.fields:
                    event["ray.task_name"] = span.fields["ray.task_name"]

    def _add_time(self, event: Event, moment: _clock.Moment | None, offset: int) -> None:
        if moment is not None:
            source, chosen = "line", moment
            event["ray.lag_ms"] = self._context.created.ms - moment.ms
            nanos = _clock.nanos_text(moment)
            if nanos:
                event["ray.timestamp"] = nanos
        elif self._previous is not None:
            source, chosen = "previous", self._previous
        else:
            source, chosen = self._fallback(offset)
        event["@timestamp"] = chosen.text
        event["ray.time_source"] = source
        if self._context.zone_assumed and self._previous_is_local and source in {"line", "previous"}:
            event["tags"] = [*event.get("tags", ()), ZONE_ASSUMED]

    def _fallback(self, offset: int) -> tuple[str, _clock.Moment]:
        for span in self._context.spans:
            if span.start <= offset < span.stop and span.began_ms is not None:
                return "task", _clock.from_ms(span.began_ms)
        if self._context.file_time is not None:
            return "file", self._context.file_time
        return "read", self._context.created

    def _dataset(self, event: Event, message: str) -> str:
        for dataset, matches in self._datasets:
            if matches(message):
                event["event.dataset"] = dataset
        return str(event["event.dataset"])

    def _details_of(self, dataset: str) -> list[Detail]:
        if dataset not in self._details:
            self._details[dataset] = self._context.catalogue.details(dataset)
        return self._details[dataset]


def _mark_copy(event: Event, rule: str) -> None:
    event["ray.copy_of"] = rule
    event["tags"] = [*event.get("tags", ()), COPY]


def label_limits(catalogue: Catalogue) -> _text.LabelLimits:
    """Return the schema's limits of labels, and the keys that never become one."""
    return _text.LabelLimits(
        depth=FIELDS["label_depth"],
        keys=FIELDS["label_count"],
        key_length=FIELDS["label_key_length"],
        value_length=FIELDS["label_length"],
        secret_keys=frozenset(catalogue.data.get("secret_keys", ())),
    )


def _group_fields(groups: dict[str, int]) -> list[tuple[int, str, t.Callable[[bytes], t.Any]]]:
    return [(number, *_GROUP_FIELDS[name]) for name, number in groups.items() if name in _GROUP_FIELDS]


def _dataset_rules(catalogue: Catalogue, kind: str) -> list[tuple[str, t.Callable[[str], object]]]:
    return [
        (rule["dataset"], re.compile(rule["message"], re.ASCII).match)
        for rule in catalogue.data.get("datasets", ())
        if kind in rule["kinds"]
    ]
