# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of Ray's event files: tasks that ended, actors, nodes, jobs, deaths of workers, OOM kills."""

from __future__ import annotations

import collections
import json
import re
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils import _clock, _convert, _event, _frame, _text
from ansible_collections.raylogs.efk.plugins.module_utils._catalogue_data import FIELDS

_PLACE = re.compile(r"\{([^}]+)\}")


class RecordBuilder:
    """Makes the items of one event file, in its order: a task's first record holds the name for the later ones."""

    def __init__(self, context: _event.FileContext, profile: str) -> None:
        """Take what is known of the file and the profile that says whether folded records are stored."""
        catalogue = context.catalogue
        self._context = context
        self._rule: dict[str, t.Any] = catalogue.data["records"][context.classified.kind.record]
        self._folded = profile in self._rule.get("folded", {}).get("profiles", ())
        self._levels = catalogue.levels
        self._cleaner = _text.Cleaner(catalogue)
        self._masker = _text.masker(catalogue, FIELDS["pattern_length"])
        self._limits = _event.label_limits(catalogue)
        self._fields = [
            (tuple(entry["from"].split(".")), entry["field"], entry["type"]) for entry in self._rule["fields"]
        ]
        # What became a field of its own is no label too.
        self._not_labels = frozenset(
            path[-1] for path, _field, _kind in self._fields if ".".join(path[:-1]) == self._rule.get("labels_from")
        )
        self._tasks: collections.OrderedDict[tuple[str, int], dict[str, t.Any]] = collections.OrderedDict()
        self._previous: _clock.Moment | None = None

    def build(self, frame: _frame.Frame) -> _event.Item:
        """Make the item of one frame."""
        what: str = _frame.BLANK
        event: _event.Event | None = None
        if frame.note == _frame.UNPARSED:
            what, event = _event.EVENT, self._unparsed(frame)
        elif frame.head is not None and frame.head.record is not None:
            what, event = self._record(frame, frame.head.record)
        return _event.Item(frame.piece, frame.offset, len(frame.raw), what, event)

    def _unparsed(self, frame: _frame.Frame) -> _event.Event:
        event = self._context.base.copy()
        event["tags"] = [_frame.UNPARSED]
        return self._finish(frame, event, self._cleaner.clean(frame.raw), None)

    def _record(self, frame: _frame.Frame, record: dict[str, t.Any]) -> tuple[str, _event.Event | None]:
        event = self._context.base.copy()
        event["event.dataset"] = self._rule["dataset"]
        for path, field, kind in self._fields:
            converted = _convert.value(_convert.at_path(record, path), kind)
            if converted is not None:
                event[field] = converted
        moment = self._context.clock.read(_number(record.get(self._rule["time"])))
        if "states" in self._rule:
            return self._task(frame, event, record, moment)
        level = _convert.read_level(record.get(self._rule.get("level", "")), self._levels)
        if level:
            event["log.level"] = level
        event["event.dataset"] = self._rule.get("by_label", {}).get(
            event.get("ray.event.label"), event["event.dataset"]
        )
        self._add_error(event, record)
        self._add_duration(event, record)
        self._add_labels(event, record)
        return _event.EVENT, self._finish(frame, event, self._message(event, record), moment)

    def _message(self, event: _event.Event, record: dict[str, t.Any]) -> str:
        template = self._rule["message"]
        if "{" not in template:
            shown = _text.as_text(record.get(template, ""))
            return self._cleaner.clean(shown.replace("\\n", "\n").encode("utf-8", "replace"))
        filled = _PLACE.sub(lambda place: _shown(event, record, place[1]), template)
        return self._cleaner.clean(filled.encode("utf-8", "replace"))

    def _add_error(self, event: _event.Event, record: dict[str, t.Any]) -> None:
        rule: dict[str, t.Any] = self._rule.get("error", {})
        cause = _convert.at_path(record, rule["from"].split(".")) if rule else None
        if not isinstance(cause, dict) or not cause:
            return
        event["error.type"] = _text.as_text(cause.get(rule.get("type"), next(iter(cause))))
        for path in rule["message"]:
            said = _convert.at_path(cause, path.split("."))
            if said:
                event["error.message"] = self._cleaner.clean(_text.as_text(said).encode("utf-8", "replace"))
                break

    def _add_duration(self, event: _event.Event, record: dict[str, t.Any]) -> None:
        if "started" not in self._rule:
            return
        started = self._context.clock.read(_number(_convert.at_path(record, self._rule["started"].split("."))))
        ended = self._context.clock.read(_number(_convert.at_path(record, self._rule["ended"].split("."))))
        if started and ended and ended.ms >= started.ms:
            event["event.duration"] = (ended.ms - started.ms) * _clock.NS_PER_MS

    def _add_labels(self, event: _event.Event, record: dict[str, t.Any]) -> None:
        rest = _convert.at_path(record, self._rule["labels_from"].split("."))
        if isinstance(rest, dict):
            kept = _text.labels(rest, self._limits, self._not_labels)
            if kept:
                event["labels"] = kept

    def _task(
        self, frame: _frame.Frame, event: _event.Event, record: dict[str, t.Any], moment: _clock.Moment | None
    ) -> tuple[str, _event.Event | None]:
        """Make the event of an attempt that ended, or of the run that its worker profiled; fold all else."""
        data = record.get("event_data")
        data = data if isinstance(data, dict) else {}
        known = self._know(event, data)
        states = _convert.at_path(data, ("state_updates", "state_ts_ns"))
        states = states if isinstance(states, dict) else {}
        for number, outcome in self._rule["ended"].items():
            if number in states:
                event.update(known)
                event["ray.task_state"] = self._rule["states"][number]
                event["event.outcome"] = outcome
                return _event.EVENT, self._ended(
                    frame, event, data, _clock.from_ns(_convert.whole(states[number])) or moment
                )
        run = self._run(data)
        if run:
            event["event.dataset"] = self._rule["profile_dataset"]
            event.update(known)
            event["ray.task_name"] = run["event_name"][len(self._rule["profile_prefix"]) :]
            began, ended = _convert.whole(run.get("start_time")), _convert.whole(run.get("end_time"))
            event["event.duration"] = max(ended - began, 0)
            message = f"Task {event['ray.task_name']} ran {event['event.duration'] / _clock.NS_PER_SECOND:.3f} s"
            return _event.EVENT, self._finish(frame, event, message, _clock.from_ns(ended) or moment)
        if self._folded:
            return self._rule["folded"]["id"], None
        event["event.dataset"] = self._rule["record_dataset"]
        event.update(known)
        reached = ", ".join(self._rule["states"].get(number, number) for number in states) or "profile"
        return _event.EVENT, self._finish(frame, event, f"Task record: {reached}", moment)

    def _know(self, event: _event.Event, data: dict[str, t.Any]) -> dict[str, t.Any]:
        """Remember what only the first record of an attempt's owner says; return it for the later ones."""
        key = (str(event.get("ray.task_id")), int(event.get("ray.attempt", 0)))
        info = data.get("task_info")
        if isinstance(info, dict):
            name = info.get("name") or info.get("func_or_class_name")
            actor = _convert.hex_id(info.get("actor_id"))
            self._tasks[key] = {
                **({"ray.task_name": _text.as_text(name)} if name else {}),
                **({"ray.actor_id": actor} if actor else {}),
            }
            if len(self._tasks) > self._rule["remembered_tasks"]:
                self._tasks.popitem(last=False)
        return self._tasks.get(key, {})

    def _ended(
        self, frame: _frame.Frame, event: _event.Event, data: dict[str, t.Any], moment: _clock.Moment | None
    ) -> _event.Event:
        name = event.get("ray.task_name", event.get("ray.task_id"))
        message = f"Task {name} {event['ray.task_state'].lower()}"
        error = _convert.at_path(data, ("state_updates", "error_info"))
        if isinstance(error, dict):
            event["log.level"] = "ERROR"
            event["error.type"] = _text.as_text(error.get("error_type", "UNKNOWN"))
            said = self._cleaner.clean(_text.as_text(error.get("error_message", "")).encode("utf-8", "replace"))
            event["error.message"] = said
            message += f": {event['error.type']}: {said}"
        run = self._run(data)
        if run:
            event["event.duration"] = max(
                _convert.whole(run.get("end_time")) - _convert.whole(run.get("start_time")), 0
            )
        return self._finish(frame, event, message, moment)

    def _run(self, data: dict[str, t.Any]) -> dict[str, str] | None:
        """Return the profile event of a whole run, `task::<name>`."""
        events = _convert.at_path(data, ("profile_events", "events"))
        for event in events if isinstance(events, list) else ():
            if isinstance(event, dict) and str(event.get("event_name", "")).startswith(self._rule["profile_prefix"]):
                return t.cast("dict[str, str]", event)
        return None

    def _finish(
        self, frame: _frame.Frame, event: _event.Event, message: str, moment: _clock.Moment | None
    ) -> _event.Event:
        chosen = moment or self._previous or self._context.file_time or self._context.created
        event["ray.time_source"] = (
            "line" if moment else "previous" if self._previous else "file" if self._context.file_time else "read"
        )
        if moment:
            self._previous = moment
            event["ray.lag_ms"] = self._context.created.ms - moment.ms
            nanos = _clock.nanos_text(moment)
            if nanos:
                event["ray.timestamp"] = nanos
        event["@timestamp"] = chosen.text
        event["message"] = message
        event["log.offset"] = frame.offset
        event["event.id"] = f"{self._context.keys[frame.piece]}:{frame.offset}"
        event["ray.bytes"] = len(frame.raw)
        event["ray.pattern"], event["ray.pattern_id"] = self._masker.mask(message)
        return event


def _number(raw: t.Any) -> t.Any:
    """Return a number that Ray writes as text as a number."""
    return _convert.whole(raw, -1) if isinstance(raw, str) and raw.isdigit() else raw


def _shown(event: _event.Event, record: dict[str, t.Any], place: str) -> str:
    value = event.get(place, _convert.at_path(record, place.split(".")))
    return json.dumps(value) if isinstance(value, bool) else _text.as_text("?" if value is None else value)
