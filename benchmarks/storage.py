# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes per stored event, merged to one segment: the dynamic mapping of a logstash index against ours.

`python -m benchmarks.storage SOURCE…` reads sessions of Ray, or files with one event a line, starts a server of its own
unless ELASTICSEARCH_URL names one, and prints a table. Every variant takes the same events in the same order: file by
file, as an import sends them, or with --by-time as collectors do.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import typing as t
from http import HTTPStatus
from pathlib import Path

import yaml
from elasticsearch import Elasticsearch

from benchmarks import import_speed
from tests.elasticsearch_server import url_for_tests

COMPONENTS = Path(__file__).resolve().parent.parent / "roles" / "ray_log_content" / "files" / "component_templates"
BULK_EVENTS = 2000
FINGERPRINT_ORDER = (["log.file.fingerprint", "log.offset"], ["asc", "asc"])
TIME_ORDER = (["@timestamp"], ["desc"])
HOST_ORDER = (["host.name", "@timestamp"], ["asc", "desc"])
GOAL = 0.6

Json = dict[str, t.Any]
Event = dict[str, t.Any]


class Variant(t.NamedTuple):
    """A way to store events."""

    name: str
    settings: Json
    mappings: Json
    own_ids: bool = True


class Measured(t.NamedTuple):
    """What one variant took."""

    name: str
    stored: int
    refused: int
    size: int
    seconds: float
    newest: float
    by_field: Json


def main() -> None:
    """Measure and print; fail when the product's own settings miss the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", type=Path, nargs="+", help="folders of sessions, or files with one event a line")
    parser.add_argument("--by-time", action="store_true", help="send the events in the order of their time")
    parser.add_argument("--fields", action="store_true", help="also print which fields take the bytes")
    parser.add_argument("--only", help="measure only the variants whose name holds this, besides the first")
    options = parser.parse_args()
    events = [event for source in options.sources for event in read_events(source)]
    if options.by_time:
        events.sort(key=lambda event: str(event["@timestamp"]))
    with url_for_tests() as url:
        client = Elasticsearch(url, request_timeout=300)
        every = [one for one in variants() if not options.only or options.only in one.name or not one.own_ids]
        measured = [measure(client, one, events) for one in every]
    report(measured, fields=options.fields)
    ratio = min(per_event(one) for one in measured if one.name.startswith("role:")) / per_event(measured[0])
    if ratio > GOAL:
        sys.exit(f"The best of the role's own settings takes {ratio:.2f} of the dynamic mapping; the goal is {GOAL}.")


def variants() -> list[Variant]:
    """List what is compared, the dynamic mapping first."""
    mappings = component("mappings")["mappings"]
    single = {"index.number_of_shards": 1, "index.number_of_replicas": 0, "index.refresh_interval": "-1"}
    best = {**single, "index.codec": "best_compression"}
    logsdb = {**single, "index.mode": "logsdb", "index.mapping.source.mode": "stored"}
    return [
        Variant("dynamic mapping", {**single, "index.mapping.total_fields.limit": 10000}, {}, own_ids=False),
        Variant("role: settings", {**component("settings")["settings"], **single}, mappings),
        Variant("role: settings_logsdb", {**component("settings_logsdb")["settings"], **single}, mappings),
        Variant("typed, default codec", single, mappings),
        Variant("typed, best_compression", best, mappings),
        Variant("typed, best_compression, by time", {**best, **order(TIME_ORDER)}, mappings),
        Variant("typed, best_compression, by file", {**best, **order(FINGERPRINT_ORDER)}, mappings),
        Variant("logsdb, by host and time", {**logsdb, **order(HOST_ORDER)}, mappings),
        Variant("logsdb, by time", {**logsdb, **order(TIME_ORDER)}, mappings),
        Variant("logsdb, by file", {**logsdb, **order(FINGERPRINT_ORDER)}, mappings),
    ]


def component(name: str) -> Json:
    """Read the body of a component template of the role."""
    content: Json = yaml.safe_load((COMPONENTS / f"{name}.yml").read_text(encoding="utf-8"))
    body: Json = content[name]["template"]
    return body


def order(fields_and_directions: tuple[list[str], list[str]]) -> Json:
    """Build the settings that sort an index."""
    fields, directions = fields_and_directions
    return {"index.sort.field": fields, "index.sort.order": directions}


def measure(client: Elasticsearch, variant: Variant, events: list[Event]) -> Measured:
    """Index all events, merge to one segment, weigh, ask for the newest errors, remove the index."""
    name = "benchmark-storage"
    client.options(ignore_status=404).indices.delete(index=name)
    client.indices.create(index=name, settings=variant.settings, mappings=variant.mappings)
    began = time.perf_counter()
    refused = sum(send(client, name, batch, own_ids=variant.own_ids) for batch in batches(events))
    seconds = time.perf_counter() - began
    client.indices.refresh(index=name)
    client.indices.forcemerge(index=name, max_num_segments=1)
    weighed = client.indices.disk_usage(index=name, run_expensive_tasks=True)[name]
    stored = client.count(index=name)["count"]
    newest = newest_errors(client, name)
    client.indices.delete(index=name)
    return Measured(variant.name, stored, refused, weighed["store_size_in_bytes"], seconds, newest, weighed["fields"])


def read_events(source: Path) -> list[Event]:
    """Read the events of a folder of sessions as the importer does, or those of a file."""
    if source.is_dir():
        bodies = import_speed.prepare(source, "storage").bodies
        return [json.loads(line) for body in bodies for line in body.splitlines()[1::2]]
    with source.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def batches(events: list[Event]) -> t.Iterator[list[Event]]:
    """Cut the events into bulks."""
    for start in range(0, len(events), BULK_EVENTS):
        yield events[start : start + BULK_EVENTS]


def send(client: Elasticsearch, index: str, batch: list[Event], *, own_ids: bool) -> int:
    """Send one bulk, return how many events were refused."""
    operations: list[Json] = []
    for event in batch:
        operations += ({"create": {"_id": event["event.id"]} if own_ids else {}}, event)
    answer = client.bulk(index=index, operations=operations)
    return sum(item["create"]["status"] != HTTPStatus.CREATED for item in answer["items"])


def newest_errors(client: Elasticsearch, index: str) -> float:
    """Return the median milliseconds of the search for the newest 50 errors."""
    taken = []
    for _ in range(15):
        began = time.perf_counter()
        client.search(
            index=index,
            query={"query_string": {"query": "log.level:ERROR AND message:failed"}},
            sort=[{"@timestamp": "desc"}, {"log.offset": "desc"}],
            size=50,
            request_cache=False,
        )
        taken.append((time.perf_counter() - began) * 1000)
    return sorted(taken)[len(taken) // 2]


def per_event(measured: Measured) -> float:
    """Compute the bytes of one stored event."""
    return measured.size / measured.stored


def report(measured: list[Measured], *, fields: bool) -> None:
    """Print a Markdown table."""
    first = per_event(measured[0])
    rows = [
        "| storage | events | refused | bytes per event | ratio | events/s | newest errors ms |",
        "|" + " --- |" * 7,
    ]
    for one in measured:
        speed = (one.stored + one.refused) / one.seconds
        cells = (one.name, one.stored, one.refused, f"{per_event(one):.1f}", f"{per_event(one) / first:.2f}")
        rows.append("| " + " | ".join(str(cell) for cell in (*cells, f"{speed:.0f}", f"{one.newest:.1f}")) + " |")
    if fields:
        for one in measured:
            rows += ["", f"{one.name}:"]
            weights = sorted(((use["total_in_bytes"], name) for name, use in one.by_field.items()), reverse=True)
            rows += [f"  {weight / one.stored:8.2f} {name}" for weight, name in weights[:25]]
    sys.stdout.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
