# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import real files of Ray into a real Elasticsearch: again, grown, rotated, moved, copied, interrupted, refused."""

from __future__ import annotations

import collections
import contextlib
import io
import itertools
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import typing as t
from pathlib import Path

import pytest
import requests

from tests.integration.proxy import Answer, Passing, proxy
from tests.ray_streams import CLASSES, declare_streams

if t.TYPE_CHECKING:
    from tests.integration.conftest import Run

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "fixtures" / "corpus" / "2.60.0"
MODULE = "ansible_collections.raylogs.efk.plugins.modules.ray_session_import"
PREFIX = "ray-logs"
DAILY = "daily-logs"
STRICT = "strict-logs"
SESSION = "session_2026-11-23_10-00-00_000001_1"
WORKER = "worker-{}-01000000-{}".format("ab" * 28, 4711)
HEADER = "2026-11-23 10:00:{:02},{:03}\tINFO app.py:{} -- {}\n"
BEGUN = 1_795_000_000
NOBODY = 65534

Json = dict[str, t.Any]
Import = t.Callable[..., Json]
BLOCKS = {
    "index.blocks.write": "Set index.blocks.write",
    "index.blocks.read_only_allow_delete": "flood-stage watermark",
}
tenants = (f"tenant_{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def server(own_elasticsearch: str) -> str:
    """Give a server that has the templates."""
    declare_streams(own_elasticsearch, PREFIX)
    declare_streams(own_elasticsearch, DAILY, daily=True)
    declare_streams(own_elasticsearch, STRICT, mappings={"properties": {"message": {"type": "long"}}})
    return own_elasticsearch


@pytest.fixture
def tenant() -> str:
    """Name streams that no other test uses."""
    return next(tenants)


@pytest.fixture
def load(run: Run, server: str, tenant: str) -> Import:
    """Give a function that imports a path into the streams of this test."""

    def import_path(path: Path, **options: t.Any) -> Json:
        chosen = {"url": [server], "tenant": tenant, "retries": 0, **options}
        return run("ray_session_import", path=str(path), **chosen)

    return import_path


def copy_corpus(folder: Path, *scenarios: str) -> Path:
    """Copy scenarios of the corpus; the pieces of a rotated file get the times at which they ended."""
    for scenario in scenarios:
        shutil.copytree(CORPUS / scenario, folder, dirs_exist_ok=True)
    for number, file in enumerate(sorted((path for path in folder.rglob("*") if path.is_file()), reverse=True)):
        set_time(file, BEGUN + 10 * number)
    return folder


def set_time(file: Path, seconds: float) -> None:
    """Set the time at which a file was written last."""
    os.utime(file, (seconds, seconds))


def make_session(folder: Path, **files: str | bytes) -> Path:
    """Write a session with a worker's files: `out` and `err`, `out_1` for a rotated piece."""
    logs = folder / SESSION / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    (logs / "raylet.err").touch()
    for number, (name, content) in enumerate(reversed(files.items())):
        file = logs / f"{WORKER}.{name.replace('_', '.')}"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        set_time(file, BEGUN + 10 * number)
    return logs


def lines(first: int, last: int) -> str:
    """Write lines of an application's log."""
    return "".join(
        HEADER.format(number // 60, number % 60, number, f"step {number} is done") for number in range(first, last)
    )


def streams(tenant: str, prefix: str = PREFIX) -> str:
    """Name the streams of a tenant."""
    return ",".join(f"{prefix}-{class_}-{tenant}*" for class_ in CLASSES)


def documents(server: str, tenant: str, prefix: str = PREFIX) -> list[Json]:
    """Read all documents, after a look whether their ids are unique."""
    requests.post(f"{server}/{streams(tenant, prefix)}/_refresh", timeout=60).raise_for_status()
    answer = requests.post(
        f"{server}/{streams(tenant, prefix)}/_search",
        json={"size": 10_000, "track_total_hits": True, "seq_no_primary_term": False},
        timeout=60,
    ).json()
    hits: list[Json] = answer["hits"]["hits"]
    assert answer["hits"]["total"]["value"] == len(hits)
    assert len({hit["_id"] for hit in hits}) == len(hits)
    for hit in hits:
        assert hit["_id"] == hit["_source"]["event.id"]
    return hits


def intervals(found: list[Json]) -> dict[str, list[tuple[int, int]]]:
    """Return where the events of each key begin and end; no byte may be in two of them."""
    by_key = collections.defaultdict(list)
    for hit in found:
        source = hit["_source"]
        by_key[source["log.file.fingerprint"]].append(
            (source["log.offset"], source["log.offset"] + source["ray.bytes"])
        )
    for places in by_key.values():
        places.sort()
        assert all(before[1] <= after[0] for before, after in zip(places, places[1:]))
    return by_key


def covered(found: list[Json]) -> dict[str, set[int]]:
    """Return which bytes of each key are in an event."""
    return {key: set().union(*(range(*place) for place in places)) for key, places in intervals(found).items()}


def messages(found: list[Json]) -> collections.Counter[str]:
    """Count the lines of all messages."""
    return collections.Counter(line for hit in found for line in hit["_source"]["message"].split("\n"))


def roll_over(server: str, tenant: str) -> None:
    """Begin a new backing index in every stream that is there."""
    for class_ in CLASSES:
        name = f"{PREFIX}-{class_}-{tenant}"
        if requests.head(f"{server}/{name}", timeout=60).ok:
            requests.post(f"{server}/{name}/_rollover", timeout=60).raise_for_status()


def test_check_first_then_import_again_and_after_a_rollover(
    server: str, load: Import, run: Run, tenant: str, tmp_path: Path
) -> None:
    folder = copy_corpus(tmp_path, "rotation", "text-default", "oldmove", "export-api")
    predicted = run("ray_session_import", check=True, path=str(folder), url=[server], tenant=tenant)
    assert predicted["changed"]
    assert requests.get(f"{server}/_resolve/index/{PREFIX}-*-{tenant}", timeout=60).json()["data_streams"] == []

    first = load(folder)
    assert first["changed"]
    assert first["totals"] == predicted["totals"]
    assert first["totals"]["rejected"] == first["totals"]["unparsed"] == 0
    assert first["dead_letter_path"] == ""
    assert [kind["bytes"] for kind in first["kinds"]] == sorted(
        (kind["bytes"] for kind in first["kinds"]), reverse=True
    )
    found = documents(server, tenant)
    assert len(found) == first["totals"]["stored"] == first["totals"]["events"] > 500
    intervals(found)
    assert len(first["sessions"]) == 4
    assert {hit["_source"]["ray.session"] for hit in found} == {session["name"] for session in first["sessions"]}
    assert {"reason": "empty", "kind": "raylet_err", "files": 6, "bytes": 0} in first["never_logs"]

    for again in (load(folder), run("ray_session_import", check=True, path=str(folder), url=[server], tenant=tenant)):
        assert not again["changed"]
        assert again["totals"] == {**first["totals"], "stored": 0, "already_present": first["totals"]["stored"]}
    roll_over(server, tenant)
    assert load(folder)["totals"]["stored"] == 0
    assert len(documents(server, tenant)) == len(found)


def test_a_large_file_is_looked_up_in_pages(server: str, load: Import, tenant: str, tmp_path: Path) -> None:
    make_session(tmp_path, out="".join(f"line {number}\n" for number in range(12_000)))
    assert load(tmp_path)["totals"]["stored"] == 12_000
    roll_over(server, tenant)
    with (tmp_path / SESSION / "logs" / f"{WORKER}.out").open("a") as file:
        file.write("one more\n")
    again = load(tmp_path)["totals"]
    assert (again["already_present"], again["stored"]) == (12_000, 1)


def test_a_file_that_grew_adds_only_the_new_bytes(server: str, load: Import, tenant: str, tmp_path: Path) -> None:
    before = lines(0, 20) + "  first detail\n"
    after = "  second detail\n" + lines(20, 30)
    logs = make_session(tmp_path, err=before)
    assert load(tmp_path)["totals"]["stored"] == 20
    roll_over(server, tenant)
    with (logs / f"{WORKER}.err").open("a") as file:
        file.write(after)
    grown = load(tmp_path)["totals"]
    assert grown["already_present"] == 20
    found = documents(server, tenant)
    assert {key: len(places) for key, places in covered(found).items()} == {
        found[0]["_source"]["log.file.fingerprint"]: len(before + after)
    }
    assert messages(found)["  second detail"] == 1
    assert len(found) == 31
    assert load(tmp_path)["totals"]["stored"] == 0


def test_rotation_and_the_move_into_old_add_only_new_lines(
    load: Import, server: str, tenant: str, tmp_path: Path
) -> None:
    logs = make_session(tmp_path, out=lines(0, 40))
    assert load(tmp_path)["totals"]["stored"] == 40
    (logs / f"{WORKER}.out").rename(logs / f"{WORKER}.out.1")
    make_session(tmp_path, out=lines(40, 50))
    set_time(logs / f"{WORKER}.out", BEGUN + 100)
    roll_over(server, tenant)
    assert load(tmp_path)["totals"] | {"bytes": 0} == {
        "bytes": 0,
        "events": 50,
        "stored": 10,
        "already_present": 40,
        "left_out": 0,
        "unparsed": 0,
        "rejected": 0,
    }
    (logs / "old").mkdir()
    for name in (f"{WORKER}.out", f"{WORKER}.out.1"):
        (logs / name).rename(logs / "old" / name)
    roll_over(server, tenant)
    assert load(tmp_path)["totals"]["stored"] == 0
    assert len(documents(server, tenant)) == 50


@pytest.mark.parametrize("kind", ["tar", "gztar", "xztar", "bztar"])
def test_a_copy_and_an_archive_add_nothing(kind: str, server: str, load: Import, tenant: str, tmp_path: Path) -> None:
    folder = copy_corpus(tmp_path / "one", "rotation/head", "oldmove", "export-api")
    endless = "the same line for ever\n" * 9
    make_session(folder / "node3", out=endless[:69], out_1=endless, out_2=endless)
    stored = load(folder)["totals"]["stored"]
    copied = tmp_path / "two"
    shutil.copytree(folder, copied)
    archive = Path(shutil.make_archive(str(tmp_path / "three"), kind, folder))
    spool = tmp_path / "spool"
    spool.mkdir()
    roll_over(server, tenant)
    for path in (copied, archive):
        answer = load(path, spool_dir=str(spool))
        assert (answer["totals"]["stored"], answer["totals"]["already_present"]) == (0, stored)
    assert list(spool.iterdir()) == []


def test_of_pieces_that_begin_alike_no_line_is_lost(server: str, load: Import, tenant: str, tmp_path: Path) -> None:
    endless = "the same line for ever\n" * 400
    logs = make_session(tmp_path, out=endless[: len(endless) // 2], out_1=endless, out_2=endless)
    assert load(tmp_path)["totals"]["stored"] == 1000
    roll_over(server, tenant)
    assert load(tmp_path)["totals"]["stored"] == 0
    (logs / f"{WORKER}.out.2").rename(logs / f"{WORKER}.out.3")
    (logs / f"{WORKER}.out.1").rename(logs / f"{WORKER}.out.2")
    (logs / f"{WORKER}.out").rename(logs / f"{WORKER}.out.1")
    (logs / f"{WORKER}.out").write_text(endless[: 23 * 7])
    set_time(logs / f"{WORKER}.out", BEGUN + 100)
    assert load(tmp_path)["totals"]["stored"] == 7
    assert load(tmp_path)["totals"]["stored"] == 0
    assert messages(documents(server, tenant)) == {"the same line for ever": 1007}


def test_a_killed_import_is_completed_by_the_next(server: str, load: Import, tenant: str, tmp_path: Path) -> None:
    make_session(tmp_path, out="".join(f"line {number}\n" for number in range(9_000)))
    begun: list[str] = []
    stored: list[str] = []

    def hang_at_the_third(passing: Passing) -> Answer | None:
        if not passing.is_bulk:
            return None
        begun.append(passing.path)
        if len(begun) > 2:
            time.sleep(120)
        answer = passing.forward()
        stored.append(passing.path)
        return Answer(answer.status_code, answer.json())

    with proxy(server, hang_at_the_third) as url:
        arguments = tmp_path / "arguments.json"
        arguments.write_text(
            json.dumps({"ANSIBLE_MODULE_ARGS": {"path": str(tmp_path), "url": [url], "tenant": tenant}})
        )
        environment = {**os.environ, "PYTHONPATH": str(ROOT / ".cache" / "collections")}
        with subprocess.Popen([sys.executable, "-m", MODULE, str(arguments)], env=environment, cwd=ROOT) as process:
            deadline = time.monotonic() + 60
            while (len(begun) < 3 or len(stored) < 2) and time.monotonic() < deadline:
                time.sleep(0.05)
            process.send_signal(signal.SIGKILL)
    before = len(documents(server, tenant))
    assert 0 < before < 9_000
    roll_over(server, tenant)
    completed = load(tmp_path)["totals"]
    assert (completed["already_present"], completed["stored"]) == (before, 9_000 - before)
    assert messages(documents(server, tenant)) == dict.fromkeys((f"line {number}" for number in range(9_000)), 1)


def test_events_that_a_collector_cut_otherwise_are_not_stored_twice(
    server: str, load: Import, tenant: str, tmp_path: Path
) -> None:
    folder = copy_corpus(tmp_path, "rotation")
    load(folder)
    whole = documents(server, tenant)
    other = next(tenants)
    shipped = []
    for number, hit in enumerate(sorted(whole, key=lambda hit: hit["_id"])):
        source = hit["_source"]
        half = source["ray.bytes"] // 2
        if number % 3 == 0 and half:
            shipped += [moved(source, 0, half), moved(source, half, source["ray.bytes"])]
        elif number % 3 == 1 and half:
            shipped.append(moved(source, half, source["ray.bytes"]))
    body = "".join(
        json.dumps({"create": {"_index": f"{PREFIX}-{source['ray.class']}-{other}", "_id": source["event.id"]}})
        + f"\n{json.dumps(source)}\n"
        for source in shipped
    )
    answer = requests.post(
        f"{server}/_bulk", data=body.encode(), headers={"content-type": "application/x-ndjson"}, timeout=60
    )
    assert not answer.json()["errors"]
    roll_over(server, other)
    assert load(folder, tenant=other)["totals"]["stored"] > 0
    found = documents(server, other)
    assert covered(found) == covered(whole)
    assert {source["event.id"] for source in shipped} <= {hit["_id"] for hit in found}
    assert load(folder, tenant=other)["totals"]["stored"] == 0


def moved(source: Json, begin: int, end: int) -> Json:
    """Make the event of a part of another event's bytes."""
    offset = source["log.offset"] + begin
    key = source["log.file.fingerprint"]
    return {**source, "log.offset": offset, "ray.bytes": end - begin, "event.id": f"{key}:{offset}"}


def test_nodes_keep_their_names_and_links_are_not_followed(
    server: str, load: Import, tenant: str, tmp_path: Path
) -> None:
    folder = copy_corpus(tmp_path / "logs", "rotation")
    session = next((folder / "head").iterdir())
    (folder / "head" / "session_latest").symlink_to(session)
    answer = load(folder)
    assert [node["host_name"] for node in answer["nodes"]] == ["head", "node2"]
    found = documents(server, tenant)
    assert len(found) == answer["totals"]["events"]
    assert {hit["_source"]["host.name"] for hit in found} == {"head", "node2"}


def test_check_mode_counts_without_a_server(run: Run, tmp_path: Path) -> None:
    folder = copy_corpus(tmp_path, "rotation")
    answer = run("ray_session_import", check=True, path=str(folder), url=["http://127.0.0.1:9"], retries=0)
    assert answer["changed"]
    assert answer["totals"]["stored"] == answer["totals"]["events"] > 0
    assert "Everything counts as new" in str(answer["warnings"])


def test_daily_indices_by_the_time_of_the_event(server: str, load: Import, tenant: str, tmp_path: Path) -> None:
    text = lines(0, 5).replace("2026-11-23 10", "2026-11-22 23") + lines(5, 8)
    make_session(tmp_path, err=text)
    options = {"prefix": DAILY, "layout": "daily"}
    assert load(tmp_path, **options)["totals"]["stored"] == 8
    found = documents(server, tenant, DAILY)
    assert collections.Counter(hit["_index"] for hit in found) == {
        f"{DAILY}-app-{tenant}-2026.11.22": 5,
        f"{DAILY}-app-{tenant}-2026.11.23": 3,
    }
    assert load(tmp_path, **options)["totals"] | {"bytes": 0} == {
        "bytes": 0,
        "events": 8,
        "stored": 0,
        "already_present": 8,
        "left_out": 0,
        "unparsed": 0,
        "rejected": 0,
    }


def test_rejected_events_are_kept_for_their_owner(load: Import, tmp_path: Path) -> None:
    make_session(tmp_path, out="12\nno number\n13\nnor this\n")
    letters = tmp_path / "letters.ndjson"
    answer = load(tmp_path, prefix=STRICT, dead_letter_path=str(letters))
    assert (answer["totals"]["stored"], answer["totals"]["rejected"]) == (2, 2)
    assert answer["dead_letter_path"] == str(letters)
    assert "rejected 2 events" in str(answer["warnings"])
    assert stat.S_IMODE(letters.stat().st_mode) == 0o600
    told = [json.loads(line) for line in letters.read_text().splitlines()]
    assert [letter["event"]["message"] for letter in told] == ["no number", "nor this"]
    assert {(letter["status"], letter["index"]) for letter in told} == {(400, told[0]["index"])}
    (kind,) = answer["kinds"]
    assert list(kind["rejected_reasons"].values()) == [2]
    assert "message" in next(iter(kind["rejected_reasons"]))

    by_default = load(tmp_path, prefix=STRICT)
    path = Path(by_default["dead_letter_path"])
    assert (by_default["totals"]["stored"], by_default["totals"]["rejected"]) == (0, 2)
    assert len(path.read_text().splitlines()) == 2
    path.unlink()


def test_only_what_a_busy_server_put_off_is_sent_again(server: str, load: Import, tenant: str, tmp_path: Path) -> None:
    make_session(tmp_path, out="".join(f"line {number}\n" for number in range(100)))
    sent: list[list[str]] = []

    def put_off(passing: Passing) -> Answer | None:
        if not passing.is_bulk:
            return None
        sent.append(passing.ids)
        if len(sent) == 1:
            return Answer(429, {"error": {"type": "es_rejected_execution_exception", "reason": "busy"}, "status": 429})
        if len(sent) > 3:
            return None
        parts = passing.body.splitlines(keepends=True)
        half = len(parts) // 4 * 2
        items = passing.forward(b"".join(parts[:half])).json()["items"]
        busy = {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "queue is full"}}
        return Answer(200, {"errors": True, "items": [*items, *({"create": busy} for _line in parts[half::2])]})

    with proxy(server, put_off) as url:
        answer = load(tmp_path, url=[url], retries=3)
    assert answer["totals"]["stored"] == 100
    assert [len(ids) for ids in sent] == [100, 100, 50, 25]
    assert sent[2] == sent[1][50:]
    assert len(documents(server, tenant)) == 100

    def always(passing: Passing) -> Answer | None:
        busy = {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "queue is full"}}
        if passing.is_bulk:
            return Answer(200, {"errors": True, "items": [{"create": busy} for _id in passing.ids]})
        return None

    with proxy(server, always) as url:
        failed = load(tmp_path, url=[url], tenant=next(tenants), retries=1)
    assert failed["failed"]
    assert "429" in failed["msg"]
    assert "overloaded" in failed["msg"]


def test_a_server_that_vanishes_says_how_far_it_came(server: str, load: Import, tenant: str, tmp_path: Path) -> None:
    make_session(tmp_path, out="".join(f"line {number}\n" for number in range(9_000)))
    bulks: list[int] = []

    def vanish(passing: Passing) -> Answer | None:
        bulks.append(passing.is_bulk)
        if sum(bulks) > 2:
            raise ConnectionError
        return None

    with proxy(server, vanish) as url:
        failed = load(tmp_path, url=[url])
    stored = len(documents(server, tenant))
    assert f"{stored} events were stored before; run the import again" in failed["msg"]
    assert load(tmp_path)["totals"]["stored"] == 9_000 - stored


@pytest.mark.parametrize("setting", BLOCKS, ids=["an index blocked on purpose", "a full disk"])
def test_a_read_only_index_stops_the_import(
    setting: str, server: str, load: Import, tenant: str, tmp_path: Path
) -> None:
    make_session(tmp_path, out=lines(0, 5))
    load(tmp_path)
    name = f"{server}/{PREFIX}-app-{tenant}/_settings"
    requests.put(name, json={setting: True}, timeout=60).raise_for_status()
    make_session(tmp_path, out=lines(0, 9))
    failed = load(tmp_path, retries=3)
    assert BLOCKS[setting] in failed["msg"]
    assert "run the import again" in failed["msg"]
    requests.put(name, json={setting: None}, timeout=60).raise_for_status()
    assert load(tmp_path)["totals"]["stored"] == 4


@contextlib.contextmanager
def without_rights() -> t.Iterator[None]:
    """Be a user who is not root."""
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)


def test_files_that_may_not_be_read_are_named_and_come_later(server: str, load: Import, tenant: str) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        logs = make_session(folder, out=lines(0, 5), err=lines(5, 9))
        hidden = logs / f"{WORKER}.err"
        hidden.chmod(0)
        with without_rights():
            partial = load(folder)
        assert partial["unreadable"] == [{"path": str(hidden), "reason": "Permission denied"}]
        warning = str(partial["warnings"][-1])
        assert f"1 file could not be read, such as {hidden} (Permission denied). " in warning
        assert "Run the import again as a user who may read them: it adds what is missing." in warning
        assert partial["totals"]["stored"] == 5
        (logs / f"{WORKER}.out").unlink()
        with without_rights():
            nothing = load(folder)
        assert nothing["msg"].startswith(f"Nothing was imported: 1 file could not be read, such as {hidden}")
        hidden.chmod(0o644)
        assert load(folder)["totals"]["stored"] == 4
    assert len(documents(server, tenant)) == 9


def test_a_file_that_vanishes_while_the_import_runs_is_named(
    server: str, load: Import, tenant: str, tmp_path: Path
) -> None:
    logs = make_session(tmp_path, out=lines(0, 5), err=lines(5, 9))
    gone = logs / f"{WORKER}.err"

    def remove(_passing: Passing) -> None:
        gone.unlink(missing_ok=True)

    with proxy(server, remove) as url:
        answer = load(tmp_path, url=[url])
    assert answer["unreadable"] == [{"path": str(gone), "reason": "No such file or directory"}]
    assert "Ray rotated or removed them meanwhile. Run the import again" in str(answer["warnings"][-1])
    assert len(documents(server, tenant)) == answer["totals"]["stored"] == 5


def test_no_template_no_import(load: Import, server: str, tmp_path: Path) -> None:
    make_session(tmp_path, out=lines(0, 5))
    failed = load(tmp_path, prefix="unknown-logs")
    assert "raylogs.efk.ray_log_content" in failed["msg"]
    assert requests.get(f"{server}/_resolve/index/unknown-logs-*", timeout=60).json()["data_streams"] == []
    requests.put(f"{server}/plain-logs-app-default", timeout=60).raise_for_status()
    failed = load(tmp_path, prefix="plain-logs", tenant="default")
    assert "has an index or alias plain-logs-app-default, where a data stream" in failed["msg"]
    requests.delete(f"{server}/plain-logs-app-default", timeout=60).raise_for_status()


ALIASES = (
    "level",
    "actor_id",
    "task_id",
    "job_id",
    "worker_id",
    "node_id",
    "actor_name",
    "task_name",
    "timestamp",
    "@log_name",
)


def json_keys() -> list[str]:
    """Name every key of an application's JSON that the catalogue knows, and the names of all fields."""
    catalogue = json.loads((ROOT / "catalogue" / "ray_logs.json").read_text())
    catalogue = catalogue.get("catalogue", catalogue)
    known = catalogue["json"]
    keys = {entry["key"] for entry in known["keys"]}
    for name, value in known.items():
        if name != "keys" and isinstance(value, list):
            keys.update(key for key in value if isinstance(key, str))
    return sorted(keys | set(ALIASES))


def nested(depth: int) -> Json:
    """Make an object of many levels."""
    value: Json = {"end": 1}
    for _level in range(depth):
        value = {"down": value}
    return value


HOSTILE = {
    "64 KB of text": "x" * 65_536,
    "64 KB without a break": "ä" * 32_768,
    "a number": 10**30,
    "a fraction": 1.5e308,
    "no number": float("nan"),
    "endless": float("inf"),
    "yes": True,
    "nothing": None,
    "an empty text": "",
    "a list": [1, "two", None, {"three": 3}],
    "lists in lists": [[[[1]]]],
    "30 levels": nested(30),
    "a date": "2026-02-30T25:61:61Z",
    "a date far away": "+292278994-08-17T07:12:55.807Z",
    "an empty key": {"": 1, ".": 2, "..": 3, "a..b": 4, " ": 5},
    "a key of NUL": {"\0": "\0", "a\0b": "c\0d"},
    "a key of 40 KB": {"k" * 40_000: 1},
    "half a surrogate pair": "\ud800 \udfff",
    "300 keys": {f"key {number}": number for number in range(300)},
    "control bytes": "".join(map(chr, range(32))),
}


def test_an_application_may_log_the_names_of_all_aliases(
    server: str, load: Import, tenant: str, tmp_path: Path
) -> None:
    record = {name: f"value of {name}" for name in ALIASES} | {"level": "ERROR", "message": "order 7 timeout"}
    record["timestamp"] = "2026-11-23T10:00:00Z"
    make_session(tmp_path, err=json.dumps(record) + "\n" + json.dumps(dict.fromkeys(ALIASES, 7)) + "\n")
    assert load(tmp_path)["totals"] | {"bytes": 0} == {
        "bytes": 0,
        "events": 2,
        "stored": 2,
        "already_present": 0,
        "left_out": 0,
        "unparsed": 0,
        "rejected": 0,
    }
    found = documents(server, tenant)
    assert all(not set(ALIASES) & set(hit["_source"]) for hit in found)
    query = {"query": {"query_string": {"query": "level:ERROR AND message:timeout AND actor_id:*"}}}
    answer = requests.post(f"{server}/{streams(tenant)}/_search", json=query, timeout=60).json()
    assert answer["hits"]["total"]["value"] == 1


def test_nothing_that_an_application_logs_is_rejected(load: Import, tmp_path: Path) -> None:
    records = [{key: value} for key in json_keys() for value in HOSTILE.values()]
    records += [{name: value, "message": name, "level": "INFO"} for name, value in HOSTILE.items()]
    records += [dict.fromkeys(json_keys(), value) for value in HOSTILE.values()]
    make_session(tmp_path, err="".join(json.dumps(record) + "\n" for record in records))
    answer = load(tmp_path, timeout=120)
    assert [kind["rejected_reasons"] for kind in answer["kinds"]] == [{}]
    assert answer["totals"]["stored"] == answer["totals"]["events"] >= len(records)


def test_fields_of_the_user_become_typed(server: str, load: Import, tenant: str, tmp_path: Path) -> None:
    make_session(tmp_path, err='{"level": "INFO", "message": "paid", "order": {"id": "17"}}\n')
    load(tmp_path, fields_extra=[{"name": "app.order_id", "type": "long", "path": "order.id"}])
    (hit,) = documents(server, tenant)
    assert hit["_source"]["app.order_id"] == 17


def test_profiles_and_copies_are_counted(load: Import, tmp_path: Path) -> None:
    folder = copy_corpus(tmp_path, "text-default", "rotation")
    standard = load(folder, tenant=next(tenants))
    full = load(folder, tenant=next(tenants), profile="full", keep_copies=True)
    assert full["totals"]["left_out"] == 0
    assert full["totals"]["events"] > standard["totals"]["events"]
    assert standard["totals"]["left_out"] > 0
    for kind in standard["kinds"]:
        assert kind["left_out"] == sum(kind["left_out_by"].values())
    assert standard["totals"]["bytes"] == full["totals"]["bytes"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"zone": "Mars/Olympus"}, "Time zone 'Mars/Olympus' is not known", id="an unknown zone"),
        pytest.param({"tenant": "Team-A"}, "tenant 'Team-A' cannot be part", id="a wrong tenant"),
        pytest.param({"prefix": "Ray_Logs-"}, "prefix 'Ray_Logs-' cannot begin", id="a wrong prefix"),
        pytest.param({"spool_dir": "/does/not/exist"}, "there is no such folder", id="no spool folder"),
        pytest.param(
            {"dead_letter_path": "/does/not/exist"}, "there is no such folder", id="no folder for dead letters"
        ),
        pytest.param({"max_spool_bytes": -1}, "max_spool_bytes is at least 0", id="a negative size"),
        pytest.param(
            {"fields_extra": [{"name": "level", "type": "keyword", "path": "l"}]},
            "Write app. and one word",
            id="a wrong field",
        ),
        pytest.param({"catalogue_extra": {"kinds": [{"id": "x"}]}}, "The catalogue is wrong at", id="a wrong kind"),
        pytest.param({"path": "/does/not/exist"}, "does not exist", id="no such path"),
        pytest.param({"path": str(ROOT / "changelogs")}, "No logs of Ray in", id="a folder that is no session"),
        pytest.param({"path": str(ROOT / "LICENSE")}, "it is no tar archive", id="a file that is no archive"),
    ],
)
def test_options_are_checked_before_the_first_request(options: Json, message: str, run: Run, tmp_path: Path) -> None:
    make_session(tmp_path, out=lines(0, 5))
    answer = run(
        "ray_session_import", **{"path": str(tmp_path), "url": ["http://127.0.0.1:9"], "retries": 0, **options}
    )
    assert message in answer["msg"]
    assert "127.0.0.1:9" not in answer["msg"]


def archive_of(folder: Path, **members: bytes | str) -> Path:
    """Make an archive of a session and further members: bytes are a file, text is a link to it."""
    archive = folder / "session.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                member.size = len(content)
            else:
                member.type, member.linkname = tarfile.SYMTYPE, content
            file.addfile(member, io.BytesIO(content if isinstance(content, bytes) else b""))
    return archive


def test_an_archive_without_logs_is_named(load: Import, tmp_path: Path) -> None:
    archive = archive_of(tmp_path, **{"holiday/photo.jpg": b"no log\n"})
    assert load(archive)["msg"].startswith(f"No logs of Ray in {archive}: no folder there holds files such as raylet")


@pytest.mark.parametrize("name", ["../evil.log", "/etc/evil.log", f"{SESSION}/logs/../../../evil.log"])
def test_an_archive_that_leads_out_of_its_folder_is_refused(
    name: str, server: str, load: Import, tenant: str, tmp_path: Path
) -> None:
    good = {f"{SESSION}/logs/raylet.out": b"line\n", f"{SESSION}/logs/{WORKER}.out": b"line\n"}
    archive = archive_of(tmp_path, **good, **{name: b"evil\n"})
    failed = load(archive, spool_dir=str(tmp_path))
    assert "leads out of the folder" in failed["msg"]
    assert [path.name for path in tmp_path.iterdir()] == [archive.name]
    assert requests.get(f"{server}/_resolve/index/{PREFIX}-*-{tenant}", timeout=60).json()["data_streams"] == []


def test_links_and_devices_of_an_archive_are_not_made(load: Import, tmp_path: Path) -> None:
    logs = f"{SESSION}/logs"
    members: dict[str, bytes | str] = {
        f"{logs}/raylet.out": b"line\n",
        f"{logs}/raylet.err": "/etc/passwd",
        "session_latest": SESSION,
        f"{SESSION}/runtime_resources/package.log": b"no log\n",
    }
    archive = archive_of(tmp_path, **members)
    answer = load(archive)
    assert {"kind": "", "reason": "link in the archive", "files": 2, "bytes": 0} in answer["never_logs"]
    assert answer["totals"]["events"] == 1
    assert answer["nodes"][0]["path"] == logs


def test_a_truncated_archive_stores_nothing(server: str, load: Import, tenant: str, tmp_path: Path) -> None:
    folder = copy_corpus(tmp_path / "logs", "rotation")
    whole = tmp_path / "whole.tar.gz"
    with tarfile.open(whole, "w:gz") as file:
        file.add(folder, arcname=".")
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    failed = load(cut, spool_dir=str(tmp_path))
    assert "truncated or damaged" in failed["msg"]
    failed = load(whole, max_spool_bytes=1000)
    assert "the 1000 bytes that max_spool_bytes allows" in failed["msg"]
    assert requests.get(f"{server}/_resolve/index/{PREFIX}-*-{tenant}", timeout=60).json()["data_streams"] == []
