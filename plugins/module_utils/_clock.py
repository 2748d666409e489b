# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times: what Ray writes in local time, as epoch numbers or as ISO text, turned into UTC."""

from __future__ import annotations

import datetime as dt
import re
import typing as t
import zoneinfo

NS_PER_MS = 1_000_000
NS_PER_SECOND = 1_000_000_000
MS_PER_SECOND = 1_000
MS_PER_MINUTE = 60_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
_OFFSET = re.compile(r"(?:UTC)?([+-])(\d{1,2}):?(\d\d)", re.ASCII)
_ISO = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)\d* ?(Z|UTC|[+-]\d\d:?\d\d)?", re.ASCII)
# Where the parts of `2026-11-23 08:33:54,012` begin and end.
_MINUTE_END = 16
_SECOND = slice(17, 19)
_SECOND_DIGITS = 2
_FRACTION = slice(20, 29)
_LAST_SECOND = 59
_MINUTES_PER_DAY = 24 * 60
_MS_DIGITS = 3
_NS_DIGITS = 9
_CACHED_MINUTES = 4096
# What date_nanos can hold; a time outside is no time of a log line.
_LAST_NS = 9_223_372_036_854_775_807
# The number of digits tells seconds, milliseconds, microseconds and nanoseconds apart from 2001 to 2286.
_NS_PER_UNIT = {10: NS_PER_SECOND, 13: NS_PER_MS, 16: 1_000, 19: 1}


class ClockError(ValueError):
    """A time zone that nobody knows."""


class Moment(t.NamedTuple):
    """A moment: UTC to the millisecond as text, milliseconds since 1970, and nanoseconds since 1970 where known."""

    text: str
    ms: int
    ns: int | None = None


class Clock:
    """Turns the local times of one zone into moments; remembers the minutes that it has seen."""

    def __init__(self, zone: str) -> None:
        """Take the zone's name (Asia/Kolkata) or offset (+05:30).

        :raises ClockError: when the zone is not known.
        """
        self.zone = zone
        self._tz = find_zone(zone)
        self._minutes: dict[str, tuple[str, int] | None] = {}

    def local(self, text: str) -> Moment | None:
        """Read `2026-11-23 08:33:54,012`; comma or point, any fraction or none. None when it is no time."""
        if not text.isascii():
            return None
        minute = text[:_MINUTE_END]
        if minute not in self._minutes:
            self._remember(minute)
        known = self._minutes[minute]
        second = text[_SECOND]
        if known is None or len(second) != _SECOND_DIGITS or not second.isdigit() or int(second) > _LAST_SECOND:
            return None
        fraction = text[_FRACTION]
        prefix, ms = known
        if len(fraction) == _MS_DIGITS and fraction.isdigit():
            return Moment(f"{prefix}:{second}.{fraction}Z", ms + int(second) * MS_PER_SECOND + int(fraction))
        if fraction and not fraction.isdigit():
            return None
        digits = fraction.ljust(_NS_DIGITS, "0")
        ms += int(second) * MS_PER_SECOND + int(digits[:_MS_DIGITS])
        ns = ms * NS_PER_MS + int(digits[_MS_DIGITS:]) if len(fraction) > _MS_DIGITS else None
        return Moment(f"{prefix}:{second}.{digits[:_MS_DIGITS]}Z", ms, ns)

    def read(self, value: t.Any) -> Moment | None:
        """Read a time of an application's JSON: an ISO text with or without a zone, or an epoch number of any unit."""
        if isinstance(value, bool) or value is None:
            return None
        if isinstance(value, (int, float)):
            return from_number(value)
        match = _ISO.match(str(value))
        if not match:
            return None
        if not match[2]:
            return self.local(match[1])
        try:
            return _clock_of(match[2]).local(match[1])
        except ClockError:
            return None

    def _remember(self, minute: str) -> None:
        if len(self._minutes) >= _CACHED_MINUTES:
            self._minutes.clear()
        try:
            local = dt.datetime.strptime(minute.replace("T", " "), "%Y-%m-%d %H:%M").replace(tzinfo=self._tz)
            ms = (local - _EPOCH) // dt.timedelta(milliseconds=1)
        except (ValueError, OverflowError):
            self._minutes[minute] = None
            return
        if not 0 <= ms * NS_PER_MS <= _LAST_NS:
            self._minutes[minute] = None
            return
        self._minutes[minute] = (local.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M"), ms)


def find_zone(zone: str) -> dt.tzinfo:
    """Find a time zone by its name or offset.

    :raises ClockError: when it is neither.
    """
    offset = _OFFSET.fullmatch(zone)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3])
        if minutes < _MINUTES_PER_DAY:
            return dt.timezone(dt.timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    if zone in {"UTC", "Z"}:
        return dt.timezone.utc
    try:
        return zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ClockError(
            f"Time zone {zone!r} is not known here: {error}. Give a name of the tz database such as Europe/Berlin "
            "(it comes with the package tzdata), or an offset such as +05:30."
        ) from error


def offset_name(minutes: int) -> str:
    """Name the zone that is `minutes` east of UTC."""
    return "UTC" if not minutes else f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def from_ms(ms: int) -> Moment:
    """Make a moment of milliseconds since 1970."""
    seconds, rest = divmod(ms, MS_PER_SECOND)
    text = (_EPOCH + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return Moment(f"{text}.{rest:03}Z", ms)


def from_ns(ns: int) -> Moment | None:
    """Make a moment of nanoseconds since 1970; None when no field could hold it."""
    if not 0 < ns <= _LAST_NS:
        return None
    return from_ms(ns // NS_PER_MS)._replace(ns=ns)


def from_number(value: float) -> Moment | None:
    """Make a moment of an epoch number in seconds, milli-, micro- or nanoseconds; None when it is none of these."""
    try:
        digits = len(str(int(value)))
    except (ValueError, OverflowError):
        return None
    unit = _NS_PER_UNIT.get(digits)
    if unit is None or value < 0:
        return None
    moment = from_ns(value * unit if isinstance(value, int) else round(value * unit / NS_PER_MS) * NS_PER_MS)
    exact = unit < NS_PER_MS
    return moment if exact or moment is None else moment._replace(ns=None)


def nanos_text(moment: Moment) -> str | None:
    """Write a moment to the nanosecond; None where the nanoseconds are not known."""
    if moment.ns is None:
        return None
    return f"{moment.text[:-1]}{moment.ns % NS_PER_MS:06}Z"


_CLOCKS: dict[str, Clock] = {}


def _clock_of(zone: str) -> Clock:
    """Return the clock of an offset that a line states itself."""
    name = "UTC" if zone in {"Z", "UTC"} else zone
    if name not in _CLOCKS:
        _CLOCKS[name] = Clock(name)
    return _CLOCKS[name]
