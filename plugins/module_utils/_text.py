# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text: raw bytes to messages, messages to patterns, whatever an application logs to labels."""

from __future__ import annotations

import hashlib
import json
import math
import re
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._catalogue import Catalogue

INVALID_UTF8 = "invalid_utf8"
_REPLACEMENT = "\ufffd"
_CACHED_PATTERNS = 8192
_PATTERN_ID_LENGTH = 16
_SURROGATE = re.compile("[\ud800-\udfff]")
_FINITE_JSON_DIGITS = 18


class Cleaner:
    """Turns raw bytes into messages."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Take the catalogue's rules for escapes and progress bars."""
        self._escapes = catalogue.escapes
        self._progress = catalogue.progress

    def clean(self, raw: bytes) -> str:
        """Return the message of raw bytes: UTF-8, without colours, no newlines around, a progress bar's last frame."""
        if b"\x1b" in raw:
            raw = self._escapes.sub(b"", raw)
        if b"\r" in raw:
            raw = self._last_frames(raw)
        return raw.decode("utf-8", "replace").strip("\n")

    def _last_frames(self, raw: bytes) -> bytes:
        return b"\n".join(self._last_frame(line) for line in raw.split(b"\n"))

    def _last_frame(self, line: bytes) -> bytes:
        frames = [frame for frame in line.split(b"\r") if frame.strip()]
        if len(frames) > 1 and self._progress.search(line):
            return frames[-1]
        return b"\n".join(frames)


class Masker:
    """Turns messages into patterns: numbers, ids, paths, addresses and quoted text masked."""

    def __init__(self, catalogue: Catalogue, length: int) -> None:
        """Take the catalogue's mask and the length at which a pattern is cut."""
        self._sub = catalogue.mask.sub
        self._replacement: str = catalogue.data["pattern"]["replacement"]
        self._head: int = catalogue.data["pattern"]["head"]
        self._length = length
        self._known: dict[str, tuple[str, str]] = {}

    def mask(self, message: str) -> tuple[str, str]:
        """Return the pattern of a message's first line and the pattern's hash (16 digits of its SHA-256)."""
        head = message[: self._head].partition("\n")[0]
        if len(head) == self._head < len(message):
            # What the cut left of an id or a number would not be masked.
            head = head.rpartition(" ")[0] or head
        known = self._known.get(head)
        if known is None:
            pattern = self._sub(self._replacement, head)[: self._length]
            digest = hashlib.sha256(pattern.encode("utf-8", "replace")).hexdigest()
            known = (pattern, digest[:_PATTERN_ID_LENGTH])
            if len(self._known) >= _CACHED_PATTERNS:
                self._known.clear()
            self._known[head] = known
        return known


_MASKERS: dict[tuple[int, int], Masker] = {}


def masker(catalogue: Catalogue, length: int) -> Masker:
    """Return the masker of a catalogue; all files share it and what it knows."""
    key = (id(catalogue), length)
    if key not in _MASKERS:
        _MASKERS.clear()
        _MASKERS[key] = Masker(catalogue, length)
    return _MASKERS[key]


class LabelLimits(t.NamedTuple):
    """How much of an application's own fields is kept."""

    depth: int
    keys: int
    key_length: int
    value_length: int
    secret_keys: frozenset[str] = frozenset()


def labels(value: t.Mapping[str, t.Any], limits: LabelLimits, skip: t.Container[str] = ()) -> dict[str, t.Any]:
    """Return what of an application's fields a flattened field takes: depth, count, keys and values cut."""
    budget = [limits.keys]
    return dict(_label_items(value, limits, limits.depth, budget, skip))


def valid_text(text: str) -> str:
    """Replace what no UTF-8 can hold (halves of surrogate pairs in JSON escapes)."""
    return _SURROGATE.sub(_REPLACEMENT, text)


def as_text(value: t.Any) -> str:
    """Write any JSON value as text."""
    if isinstance(value, str):
        return valid_text(value)
    return valid_text(json.dumps(value, ensure_ascii=False, default=str))


def _label_items(
    value: t.Mapping[str, t.Any], limits: LabelLimits, depth: int, budget: list[int], skip: t.Container[str] = ()
) -> t.Iterator[tuple[str, t.Any]]:
    for key, item in value.items():
        if key in skip or key in limits.secret_keys or item is None or item == "":
            continue
        if budget[0] <= 0:
            return
        budget[0] -= 1
        kept = _label(item, limits, depth - 1, budget)
        if kept not in ({}, []):
            yield valid_text(str(key)).replace("\0", _REPLACEMENT)[: limits.key_length].strip(". ") or "_", kept


def _label(value: t.Any, limits: LabelLimits, depth: int, budget: list[int]) -> t.Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and len(str(value)) <= _FINITE_JSON_DIGITS:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, dict) and depth > 0:
        return dict(_label_items(value, limits, depth, budget))
    if isinstance(value, list) and depth > 0 and len(value) <= budget[0]:
        budget[0] -= len(value)
        return [_label(item, limits, depth - 1, budget) for item in value if item is not None]
    return as_text(value)[: limits.value_length]
