# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the target holds of a file already: keys, their members, and the bytes of every stored event."""

from __future__ import annotations

import collections
import heapq
import itertools
import pathlib
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils._api import ApiError, Request
from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import call

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._api import Body
    from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import Connection

KEY, OFFSET, SIZE, INODE = "log.file.fingerprint", "log.offset", "ray.bytes", "log.file.inode"
TIME = "@timestamp"
PAGE = 10_000
# Keys whose events are read in one request, when they are not more than half a page together.
TOGETHER = PAGE // 2
PREFIXES_AT_ONCE = 100
MOST_MEMBERS = 10_000
SNAPSHOT = "10m"
LENIENT = "ignore_unavailable=true&allow_no_indices=true"
# Half an answer would have stored events taken for new ones.
WHOLE = f"{LENIENT}&allow_partial_search_results=false"
WHAT = "Cannot look up what is stored already"

# How many timed events tell that a stored key is that of a piece, and how many must be there at least.
SAMPLES, FEWEST_SAMPLES = 3, 2
LINE_TIME = slice(16, 23)

Interval = tuple[int, int]


class Sample(t.NamedTuple):
    """A stored event with a time of its own: where it lies, and its time from the seconds on (`:41.777`)."""

    offset: int
    size: int
    time: bytes


class Found(t.NamedTuple):
    """A stored key, the inode under which its first event was read, and some of its last timed events."""

    key: str
    inode: str
    samples: tuple[Sample, ...] = ()

    def is_of(self, path: str) -> bool:
        """Tell for certain that the events were read from these bytes, whatever the file is called now.

        :raises OSError: when the file cannot be read.
        """
        with pathlib.Path(path).open("rb") as handle:
            return len(self.samples) >= FEWEST_SAMPLES and all(_is_at(handle, sample) for sample in self.samples)


class Present:
    """Which bytes of a piece are stored; asked for offsets in ascending order, beside the cuts."""

    def __init__(self, intervals: t.Iterator[Interval]) -> None:
        """Take the offsets and sizes of the stored events, ascending."""
        self._intervals, for_cuts = itertools.tee(intervals)
        self.cuts = cuts(for_cuts)
        self._following = next(self._intervals, None)
        self._last = -1
        self._end = 0

    def covers(self, offset: int) -> bool:
        """Tell whether the event at the offset is stored, by itself or as a part of another one."""
        while self._following and self._following[0] <= offset:
            self._last = self._following[0]
            self._end = max(self._end, sum(self._following))
            self._following = next(self._intervals, None)
        return offset < self._end or offset == self._last


def cuts(intervals: t.Iterator[Interval]) -> t.Iterator[int]:
    """Yield where stored events begin and end, ascending, each place once."""
    last = 0
    ends: list[int] = []
    for start, size in intervals:
        while ends and ends[0] <= start:
            end = heapq.heappop(ends)
            if end > last:
                last = end
                yield end
        if start > last:
            last = start
            yield start
        heapq.heappush(ends, start + size)
    for end in sorted(ends):
        if end > last:
            last = end
            yield end


def refresh(connection: Connection, names: str) -> None:
    """Make everything findable that was written before.

    :raises ApiError: when the server cannot do it for all shards.
    """
    answer = call(connection, Request(WHAT, "POST", f"/{names}/_refresh?{LENIENT}&filter_path=_shards.failed"))
    failed = answer["_shards"]["failed"]
    if failed:
        where = f"POST {connection.url}/{names}/_refresh"
        fix = "See GET /_cluster/allocation/explain; run the import again when the streams are green or yellow."
        raise ApiError(WHAT, where, f"answered that {failed} shards are not there", fix)


def find_members(connection: Connection, names: str, bases: t.Iterable[str]) -> dict[str, list[Found]]:
    """Find the keys that begin with each base."""
    found: dict[str, list[Found]] = collections.defaultdict(list)
    last = {"top_hits": {"size": SAMPLES, "_source": [OFFSET, SIZE, TIME], "sort": [{OFFSET: "desc"}]}}
    wanted = sorted(bases)
    for begin in range(0, len(wanted), PREFIXES_AT_ONCE):
        some = wanted[begin : begin + PREFIXES_AT_ONCE]
        body = {
            "size": 0,
            "query": {"bool": {"should": [{"prefix": {KEY: base}} for base in some]}},
            "aggs": {
                "keys": {
                    "terms": {"field": KEY, "size": MOST_MEMBERS},
                    "aggs": {
                        "first": {"top_hits": {"size": 1, "_source": [INODE], "sort": [{OFFSET: "asc"}]}},
                        "timed": {"filter": {"term": {"ray.time_source": "line"}}, "aggs": {"last": last}},
                    },
                }
            },
        }
        for bucket in _search(connection, names, body)["aggregations"]["keys"]["buckets"]:
            key = bucket["key"]
            first = bucket["first"]["hits"]["hits"][0]["_source"]
            timed = [hit["_source"] for hit in bucket["timed"]["last"]["hits"]["hits"]]
            samples = [
                Sample(_at(one, OFFSET), _at(one, SIZE), str(_at(one, TIME))[LINE_TIME].encode()) for one in timed
            ]
            base = next(base for base in some if key.startswith(base))
            found[base].append(Found(key, str(_at(first, INODE) or ""), tuple(samples)))
    return found


def count_events(connection: Connection, names: str, keys: t.Sequence[str]) -> dict[str, int]:
    """Count the stored events of each key that has any."""
    if not keys:
        return {}
    body = {
        "size": 0,
        "query": {"terms": {KEY: keys}},
        "aggs": {"keys": {"terms": {"field": KEY, "size": len(keys)}}},
    }
    buckets = _search(connection, names, body)["aggregations"]["keys"]["buckets"]
    return {bucket["key"]: bucket["doc_count"] for bucket in buckets}


def find_present(connection: Connection, names: str, counts: t.Mapping[str, int]) -> dict[str, t.Iterator[Interval]]:
    """Return the offsets and sizes of the stored events of each key, ascending: large files are read in pages."""
    present: dict[str, t.Iterator[Interval]] = {}
    group: list[str] = []
    total = 0
    for key, count in counts.items():
        if count > TOGETHER:
            present[key] = _pages(connection, names, key)
            continue
        if total + count > TOGETHER:
            present.update(_together(connection, names, group))
            group, total = [], 0
        group.append(key)
        total += count
    present.update(_together(connection, names, group))
    return present


def _together(connection: Connection, names: str, keys: list[str]) -> dict[str, t.Iterator[Interval]]:
    if not keys:
        return {}
    found: dict[str, list[Interval]] = {key: [] for key in keys}
    answer = _search(connection, names, _listing({"terms": {KEY: keys}}))
    for hit in answer["hits"]["hits"]:
        found[hit["fields"][KEY][0]].append(_interval(hit))
    return {key: iter(intervals) for key, intervals in found.items()}


def _pages(connection: Connection, names: str, key: str) -> t.Iterator[Interval]:
    """Read the events of one key from a snapshot: what is written meanwhile does not appear."""
    shape = "filter_path=_scroll_id,hits.hits.fields"
    path = f"/{names}/_search?{WHOLE}&scroll={SNAPSHOT}&{shape}"
    answer = call(connection, Request(WHAT, "POST", path, _listing({"term": {KEY: key}}), repeatable=True))
    cursor = answer["_scroll_id"]
    try:
        while hits := answer.get("hits", {}).get("hits"):
            yield from map(_interval, hits)
            body = {"scroll": SNAPSHOT, "scroll_id": cursor}
            # Not repeatable: the page of an answer that was lost would be skipped.
            answer = call(connection, Request(WHAT, "POST", f"/_search/scroll?{shape}", body))
            cursor = answer["_scroll_id"]
    finally:
        call(connection, Request(WHAT, "DELETE", "/_search/scroll", {"scroll_id": cursor}, absent_is_none=True))


def _listing(query: Body) -> Body:
    return {
        "size": PAGE,
        "query": query,
        "sort": [{OFFSET: "asc"}],
        "docvalue_fields": [KEY, OFFSET, SIZE],
        "_source": False,
    }


def _search(connection: Connection, names: str, body: Body) -> Body:
    return t.cast("Body", call(connection, Request(WHAT, "POST", f"/{names}/_search?{WHOLE}", body, repeatable=True)))


def _interval(hit: Body) -> Interval:
    fields = hit["fields"]
    return fields[OFFSET][0], fields.get(SIZE, (0,))[0]


def _at(source: Body, field: str) -> t.Any:
    """Read a field of a document that was sent with dotted names, or as objects by another writer."""
    value: t.Any = source.get(field, source)
    for part in field.split("."):
        value = value.get(part) if isinstance(value, dict) else value
    return value


def _is_at(handle: t.BinaryIO, sample: Sample) -> bool:
    """Tell whether a file holds the event of a sample: a whole line with its time at its place."""
    before = min(sample.offset, 1)
    handle.seek(sample.offset - before)
    raw = handle.read(before + sample.size)
    if len(raw) != before + sample.size or raw[:before] not in {b"", b"\n"}:
        return False
    return sample.time in raw or sample.time.replace(b".", b",") in raw
