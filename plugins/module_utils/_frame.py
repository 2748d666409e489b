# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines to frames: which lines of a file make one event. Nothing here knows what an event looks like."""

from __future__ import annotations

import functools
import json
import re
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._catalogue import Catalogue, Format, Kind

JSON = "json"
MAGIC = "magic"
BLANK = "blank"
UNPARSED = "unparsed"
FRAGMENT = "fragment"
SPLIT = "split"
COPY_FORMAT = "driver_copy"
CUT = b""
_COLON = ord(":")
_DEEPEST = 400
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
# An escape; group 1 is half of a surrogate pair, which no UTF-8 can hold.
_JSON_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_INDENT = (b" ", b"\t")
# What may follow the lines of an open event in free text.
_PLAIN, _SINGLE, _FRAMES, _LAST_LINE, _GAP, _CHAINED, _GROUP, _CRASH = range(8)
_QUIET = frozenset({"DEBUG", "INFO"})
_REMOTE = b"ray::"
_STACK = b"  File "
_TRACEBACK = b"Traceback (most recent call last):"


class Head(t.NamedTuple):
    """What the first line of an event shows: its format, the match of a text line, the record of a JSON line."""

    format: str
    match: re.Match[bytes] | None = None
    record: dict[str, t.Any] | None = None


class Frame(t.NamedTuple):
    """The bytes of one event, magic line or blank line, and where they begin."""

    piece: int
    offset: int
    raw: bytes
    head: Head | None
    note: str


def read_lines(
    handle: t.BinaryIO, limit: int, cuts: t.Iterator[int] | None = None, beyond: list[int] | None = None
) -> t.Iterator[bytes]:
    """Return a file's lines with their newlines; a longer line in pieces of `limit` bytes.

    Where an event must end (ascending offsets in `cuts`: what was stored earlier ended there), a line is cut too and
    CUT is yielded. What lies beyond the file's end is added to `beyond`, counted from there: an event of this piece
    ended in the next one.
    """
    lines = iter(functools.partial(handle.readline, limit), b"")
    return lines if cuts is None else _cut_lines(lines, cuts, beyond)


def _cut_lines(lines: t.Iterator[bytes], cuts: t.Iterator[int], beyond: list[int] | None) -> t.Iterator[bytes]:
    offset = 0
    cut = next(cuts, None)
    for whole in lines:
        line = whole
        while cut is not None and cut <= offset + len(line):
            if cut > offset:
                yield line[: cut - offset]
                line = line[cut - offset :]
                offset = cut
            yield CUT
            cut = next(cuts, None)
        if line:
            yield line
            offset += len(line)
    if beyond is not None and cut is not None:
        beyond.extend(later - offset for later in (cut, *cuts) if later > offset)


def parse_record(line: bytes) -> dict[str, t.Any] | None:
    """Read a line as a JSON object, with raw control bytes and what is no UTF-8 in its strings; None when it is none.

    What is nested so deeply that writing it again would exhaust Python's stack is none either.
    """
    text = line.decode("utf-8", "replace")
    if _SURROGATE.search(line):
        text = _JSON_ESCAPE.sub(_whole_escape, text)
    try:
        record = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or (line.count(b"{") + line.count(b"[") > _DEEPEST and _is_too_deep(record)):
        return None
    return record


def _whole_escape(escape: re.Match[str]) -> str:
    return "\\ufffd" if escape[1] else escape[0]


def _is_too_deep(record: dict[str, t.Any]) -> bool:
    level: list[t.Any] = [record]
    for _depth in range(_DEEPEST):
        inner = (value for item in level for value in (item.values() if isinstance(item, dict) else item))
        level = [value for value in inner if isinstance(value, (dict, list))]
        if not level:
            return False
    return True


class Framer:
    """Frames the pieces of one file, fed one after the other; an event goes on from one piece into the next."""

    def __init__(self, catalogue: Catalogue, kind: Kind) -> None:
        """Take the kind's formats and framing."""
        self._limit = catalogue.event_bytes
        self._firsts = _formats_by_first_byte(catalogue, kind)
        self._json_everywhere = kind.framing == "output"
        self._level_keys = frozenset(catalogue.data["json"]["level"])
        self._message_keys = frozenset(catalogue.data["json"]["message"])
        self._magic = re.compile(catalogue.data["magic"]["pattern"].encode()).match if kind.magic else None
        self._levels = catalogue.levels
        self._level_groups = {
            name: form.groups["level"] for name, form in catalogue.formats.items() if "level" in form.groups
        }
        self._begins_traceback = re.compile(catalogue.data["traceback"]["begin"].encode()).match
        self._chains_traceback = re.compile(catalogue.data["traceback"]["chained"].encode()).match
        self._begins_crash = re.compile(catalogue.data["blocks"]["crash"]["begin"].encode()).match
        self._goes_on_crash = re.compile(catalogue.data["blocks"]["crash"]["go_on"].encode()).match
        self._feed = self._feed_records if kind.framing == "record" else self._feed_lines
        self._goes_on_and_turn = (
            (self._goes_on, self._turn_output) if kind.framing == "output" else (_always, self._turn)
        )
        self._parts: list[bytes] = []
        self._size = 0
        self._start = (0, 0)
        self._head: Head | None = None
        self._note = ""
        self._mode = _PLAIN
        self._orphan = UNPARSED
        self._cut_end = b""

    def feed(self, piece: int, lines: t.Iterable[bytes], orphan: str = UNPARSED) -> t.Iterator[Frame]:
        """Frame the lines of a piece. `orphan` is the note of lines whose beginning is not there."""
        self._orphan = orphan
        return self._feed(piece, lines)

    def close(self) -> t.Iterator[Frame]:
        """Yield the event that is still open."""
        if self._parts:
            yield Frame(self._start[0], self._start[1], b"".join(self._parts), self._head, self._note)
            self._parts = []

    def _feed_lines(self, piece: int, lines: t.Iterable[bytes]) -> t.Iterator[Frame]:
        offset = 0
        firsts, limit, magic = self._firsts, self._limit, self._magic
        goes_on, turn = self._goes_on_and_turn
        for line in lines:
            if not line:
                yield from self._cut()
                continue
            formats = firsts.get(line[0])
            head = self._match(formats, line) if formats else None
            spoken = magic(line) if magic and line[0] == _COLON else None
            if spoken:
                yield from self.close()
                yield Frame(piece, offset, line, Head(MAGIC, spoken), MAGIC)
            elif head is None and self._parts and self._size + len(line) <= limit and goes_on(line):
                self._parts.append(line)
                self._size += len(line)
            else:
                yield from turn(piece, offset, line, head)
            offset += len(line)

    def _feed_records(self, piece: int, lines: t.Iterable[bytes]) -> t.Iterator[Frame]:
        offset = 0
        for line in lines:
            if line.strip():
                record = parse_record(line)
                yield Frame(
                    piece, offset, line, Head(JSON, None, record) if record else None, "" if record else UNPARSED
                )
            elif line:
                yield Frame(piece, offset, line, None, BLANK)
            offset += len(line)

    def _match(self, formats: tuple[Format | None, ...], line: bytes) -> Head | None:
        for form in formats:
            if form is None:
                record = parse_record(line)
                if record and (self._json_everywhere or self._is_log_record(record)):
                    return Head(JSON, None, record)
            else:
                match = form.match(line)
                if match:
                    return Head(form.name, match)
        return None

    def _is_log_record(self, record: dict[str, t.Any]) -> bool:
        return not self._level_keys.isdisjoint(record) and not self._message_keys.isdisjoint(record)

    def _turn(self, piece: int, offset: int, line: bytes, head: Head | None) -> t.Iterator[Frame]:
        """End the open event and begin the next one with this line."""
        too_long = head is None and bool(self._parts)
        yield from self.close()
        if head is None and not too_long and not line.strip():
            yield Frame(piece, offset, line, None, BLANK)
        elif head is not None and head.format == JSON:
            self._orphan = UNPARSED
            yield Frame(piece, offset, line, head, "")
        else:
            note = "" if head else SPLIT if too_long else self._orphan
            self._open(piece, offset, line, head, note)

    def _turn_output(self, piece: int, offset: int, line: bytes, head: Head | None) -> t.Iterator[Frame]:
        torn = head is None and bool(self._parts) and not self._parts[-1].endswith(b"\n")
        too_long = head is None and bool(self._parts) and self._size + len(line) > self._limit and self._goes_on(line)
        note = SPLIT if torn or too_long else FRAGMENT if head is None and self._is_cut_off(line) else ""
        yield from self.close()
        if head is None and not line.strip():
            yield Frame(piece, offset, line, None, BLANK)
        elif head is not None and head.format == JSON:
            yield Frame(piece, offset, line, head, "")
        else:
            self._open(piece, offset, line, head, note)
            self._mode = self._first_mode(line, head)

    def _open(self, piece: int, offset: int, line: bytes, head: Head | None, note: str) -> None:
        self._parts = [line]
        self._size = len(line)
        self._start = (piece, offset)
        self._head = head
        self._note = note
        self._orphan = UNPARSED

    def _cut(self) -> t.Iterator[Frame]:
        self._cut_end = self._parts[-1] if self._parts else b""
        yield from self.close()
        self._orphan = FRAGMENT

    def _is_cut_off(self, line: bytes) -> bool:
        """Tell whether a line would have gone on with the event that was ended where a stored one ends."""
        end, self._cut_end = self._cut_end, b""
        return bool(end) and not self._parts and (not end.endswith(b"\n") or self._goes_on(line))

    def _first_mode(self, line: bytes, head: Head | None) -> int:
        if head is not None:
            return _SINGLE if head.format == COPY_FORMAT else _PLAIN
        if self._begins_traceback(line):
            return _traceback_mode(line)
        return _CRASH if self._begins_crash(line) else _PLAIN

    def _goes_on(self, line: bytes) -> bool:
        """Tell whether a line without a header belongs to the open event of free text, and what may follow it."""
        mode = self._mode
        if mode in {_PLAIN, _SINGLE}:
            return mode == _PLAIN and self._goes_on_plain(line)
        if mode == _CRASH:
            return bool(self._goes_on_crash(line.rstrip(b"\n")))
        if mode == _GROUP:
            return line.startswith(_INDENT) and line.lstrip()[:1] in {b"|", b"+"}
        return self._goes_on_traceback(line)

    def _goes_on_plain(self, line: bytes) -> bool:
        if self._begins_traceback(line):
            if self._head is None or self._is_quiet(self._head):
                return False
            self._mode = _traceback_mode(line)
            return True
        return line.startswith(_INDENT) and bool(line.strip())

    def _is_quiet(self, head: Head) -> bool:
        """Tell whether a line is none that an exception is logged with: the traceback after it is of its own."""
        number = self._level_groups.get(head.format)
        return bool(number and head.match and self._levels.get(head.match[number].decode("ascii", "replace")) in _QUIET)

    def _goes_on_traceback(self, line: bytes) -> bool:
        mode = self._mode
        blank = not line.strip()
        if mode == _FRAMES:
            if not blank and not line.startswith(_INDENT) and not line.rstrip().endswith(_TRACEBACK):
                self._mode = _LAST_LINE
            return True
        if mode == _LAST_LINE:
            return self._goes_on_after_last_line(line, blank=blank)
        if mode == _GAP:
            self._mode = _CHAINED
            return bool(self._chains_traceback(line))
        if self._begins_traceback(line) or line.startswith(_REMOTE):
            self._mode = _FRAMES
            return True
        return blank

    def _goes_on_after_last_line(self, line: bytes, *, blank: bool) -> bool:
        """Ray's errors show the task's stack behind the line of the exception, or a whole traceback as its text."""
        if line.startswith(_STACK) or line.rstrip().endswith(b": " + _TRACEBACK):
            self._mode = _FRAMES
            return True
        if blank:
            self._mode = _GAP
        return blank or line.startswith(_INDENT)


def _always(_line: bytes) -> bool:
    """Under a header every line without one goes on with the event before."""
    return True


def _traceback_mode(line: bytes) -> int:
    return _GROUP if line.startswith(_INDENT) else _FRAMES


def _formats_by_first_byte(catalogue: Catalogue, kind: Kind) -> dict[int, tuple[Format | None, ...]]:
    """List the formats that a line beginning with a byte can have; None stands for JSON."""
    firsts: dict[int, tuple[Format | None, ...]] = {}
    for name in kind.formats:
        form = None if name == JSON else catalogue.formats[name]
        for byte in b"{" if name == JSON else catalogue.data["formats"][name]["first"].encode():
            firsts[byte] = (*firsts.get(byte, ()), form)
    return firsts
