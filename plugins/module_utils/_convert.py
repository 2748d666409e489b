# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of records to values of fields."""

from __future__ import annotations

import base64
import ipaddress
import math
import re
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils import _clock, _text

_KEYWORD_LENGTH = 8191
_LONG_DIGITS = 18
_NS_PER_MS = 1_000_000
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_DECIMAL_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BYTES = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)(i?)B", re.ASCII)
# No more digits than a whole number has.
_DEMAND = re.compile(r": (\d{1,15})\+? ", re.ASCII)
_INTEGER = re.compile(r"-?[0-9]+")
_LAST_WHOLE = 2**63 - 1
_WHOLE = re.compile(rb"-?[0-9]{1,19}")
# Versions of Python differ in what padding they take.
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_HEX = re.compile(r"[0-9a-f]+")
# Digits of the ids of jobs, actors, tasks, and of nodes and workers.
_HEX_LENGTHS = frozenset({8, 32, 48, 56})
_ENTRY = re.compile(r"\n (\d{1,15}(?!\d))? ?", re.ASCII)
_STATED_ZONE = re.compile(r"(?:Z|UTC|[+-]\d\d:?\d\d)\s*$", re.ASCII)
_UTC = _clock.Clock("UTC")
# Python's numbers of levels; applications that log numbers at all log these.
_LEVEL_NUMBERS = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}


class JsonEvent(t.NamedTuple):
    """What a JSON record says in terms of the schema; `consumed` are the keys that need not be kept as labels."""

    fields: dict[str, t.Any]
    level: str | None
    message: str | None
    stack_trace: str
    time_ns: t.Any
    time_local: t.Any
    time: t.Any
    consumed: frozenset[str]


class JsonKeys:
    """The catalogue's table of the keys of JSON records."""

    def __init__(self, table: dict[str, t.Any]) -> None:
        """Take the table."""
        self._table = table
        self._fields = [(entry["key"], entry["field"], entry["type"]) for entry in table["keys"]]

    def read(self, record: dict[str, t.Any], base: dict[str, t.Any], levels: dict[str, str]) -> JsonEvent:
        """Read a record; a value that does not fit its field stays a label."""
        consumed: set[str] = set()
        fields: dict[str, t.Any] = {}
        for key, field, kind in self._fields:
            if key in record and field not in fields:
                converted = value(record[key], kind)
                if converted is not None:
                    fields[field] = converted
                    consumed.add(key)
        if "component" in record and record["component"] == base.get("ray.component"):
            consumed.add("component")
        found = {name: self._first(record, name, consumed) for name in ("time_ns", "time_local", "time", "message")}
        message = found["message"]
        return JsonEvent(
            fields=fields,
            level=self._level(record, levels, consumed),
            message=None if message is None else _text.as_text(message),
            stack_trace=self._stack(record, consumed),
            time_ns=found["time_ns"],
            time_local=found["time_local"],
            time=found["time"],
            consumed=frozenset(consumed),
        )

    def _first(self, record: dict[str, t.Any], name: str, consumed: set[str]) -> t.Any:
        for key in self._table[name]:
            if record.get(key) is not None:
                consumed.add(key)
                return record[key]
        return None

    def _level(self, record: dict[str, t.Any], levels: dict[str, str], consumed: set[str]) -> str | None:
        for key in self._table["level"]:
            level = read_level(record.get(key), levels)
            if level:
                consumed.add(key)
                return level
        return None

    def _stack(self, record: dict[str, t.Any], consumed: set[str]) -> str:
        for key in self._table["stack_trace"]:
            if record.get(key):
                consumed.add(key)
                return _text.as_text(record[key])
        return ""


def text(raw: bytes) -> str:
    """Decode bytes of a line."""
    return raw.decode("utf-8", "replace")


def read_level(raw: t.Any, levels: dict[str, str]) -> str | None:
    """Return the level that a value names; None when it names none."""
    if isinstance(raw, str):
        return levels.get(raw.strip().upper())
    return _LEVEL_NUMBERS.get(raw) if isinstance(raw, int) and not isinstance(raw, bool) else None


def states_zone(stated: str) -> bool:
    """Tell whether an ISO time says its zone."""
    return bool(_STATED_ZONE.search(stated))


def at_path(record: t.Any, path: t.Sequence[str]) -> t.Any:
    """Return what stands in a record at a path, also where keys hold dots; None when nothing does."""
    if not path:
        return record
    if not isinstance(record, dict):
        return None
    for length in range(len(path), 0, -1):
        key = ".".join(path[:length])
        if key in record:
            return at_path(record[key], path[length:])
    return None


def value(raw: t.Any, kind: str) -> t.Any:
    """Convert a value to a type of the catalogue; None when it is none of that type."""
    return _CONVERTERS[kind](raw)


def whole(raw: t.Any, default: int = 0) -> int:
    """Return a whole number that fits 64 bits, also where it is written as text; else the default."""
    if isinstance(raw, bool) or not isinstance(raw, (int, str, bytes)):
        return default
    if isinstance(raw, int):
        return raw if abs(raw) <= _LAST_WHOLE else default
    text = raw if isinstance(raw, bytes) else raw.encode("utf-8", "replace")
    return int(text) if _WHOLE.fullmatch(text) and abs(int(text)) <= _LAST_WHOLE else default


def hex_id(raw: t.Any) -> str | None:
    """Turn Ray's base64 ids into the hexadecimal ids of all other files; what is hexadecimal already stays."""
    if not isinstance(raw, str) or not raw:
        return None
    if len(raw) in _HEX_LENGTHS and _HEX.fullmatch(raw):
        return raw
    return base64.b64decode(raw).hex() if _BASE64.fullmatch(raw) else _keyword(raw)


def _keyword(raw: t.Any) -> str | None:
    if isinstance(raw, (dict, list)) or raw is None or raw == "":
        return None
    return _text.as_text(raw)[:_KEYWORD_LENGTH]


def _whole_text(raw: t.Any) -> str | None:
    return None if raw is None or raw == "" else _text.as_text(raw)


def _long(raw: t.Any) -> int | None:
    if isinstance(raw, bool) or not isinstance(raw, (int, str, float)):
        return None
    if isinstance(raw, float):
        return int(raw) if raw.is_integer() and abs(raw) < 10**_LONG_DIGITS else None
    digits = str(raw).strip()
    return int(digits) if _INTEGER.fullmatch(digits) and len(digits) <= _LONG_DIGITS else None


def _double(raw: t.Any) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, (int, str, float)) or (isinstance(raw, str) and not raw.isascii()):
        return None
    try:
        number = float(raw)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _date(raw: t.Any) -> str | None:
    moment = _UTC.read(raw)
    return moment and moment.text


def _date_nanos(raw: t.Any) -> str | None:
    moment = _UTC.read(raw)
    return moment and (_clock.nanos_text(moment) or moment.text)


def _ip(raw: t.Any) -> str | None:
    try:
        return str(ipaddress.ip_address(raw)) if isinstance(raw, str) else None
    except ValueError:
        return None


def _milliseconds(raw: t.Any) -> int | None:
    number = _double(raw)
    return None if number is None or abs(number) > _LAST_WHOLE / _NS_PER_MS else round(number * _NS_PER_MS)


def _bytes(raw: t.Any) -> float | None:
    match = _BYTES.fullmatch(str(raw))
    if not match:
        return None
    return _double(float(match[1]) * (_UNITS if match[3] else _DECIMAL_UNITS)[match[2]])


def _entries(raw: t.Any) -> int:
    """Count the lines of a list in the autoscaler's report; ` 2 name` counts twice, ` (no …)` not at all."""
    return sum(int(entry[1] or 1) for entry in _ENTRY.finditer(str(raw)) if not str(raw)[entry.end() :].startswith("("))


def _demands(raw: t.Any) -> int:
    """Add up the pending demands: ` {'CPU': 1.0}: 4+ pending tasks/actors`."""
    return sum(int(number) for number in _DEMAND.findall(str(raw)))


def _outcome(raw: t.Any) -> str:
    return "success" if raw == "OK" else "failure"


_CONVERTERS: dict[str, t.Callable[[t.Any], t.Any]] = {
    "keyword": _keyword,
    "long": _long,
    "double": _double,
    "text": _whole_text,
    "date": _date,
    "date_nanos": _date_nanos,
    "ip": _ip,
    "boolean": lambda raw: raw if isinstance(raw, bool) else None,
    "milliseconds": _milliseconds,
    "bytes": _bytes,
    "entries": _entries,
    "demands": _demands,
    "outcome": _outcome,
    "base64_id": hex_id,
}
