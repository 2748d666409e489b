# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import with servers and disks that are not as they should be: one message, nothing half-way, nothing lost."""

from __future__ import annotations

import contextlib
import io
import json
import lzma
import os
import ssl
import subprocess
import sys
import tarfile
import time
import typing as t
from pathlib import Path

import pytest
import requests
import trustme

from tests.elasticsearch_server import running_elasticsearch
from tests.ray_streams import CLASSES, declare_streams
from tests.small_disk import demand_small_disks, on_small_disk
from tests.stranger import Answer, Stranger, stranger

if t.TYPE_CHECKING:
    from tests.integration.conftest import Result, Run

ROOT = Path(__file__).resolve().parents[2]
MODULE = "ansible_collections.raylogs.efk.plugins.modules.ray_session_import"
PREFIX = "ray-logs"
SESSION = "session_2026-11-23_10-00-00_000001_1"
MARK = {"X-Elastic-Product": "Elasticsearch", "Content-Type": "application/json"}
SECONDS_TO_NOTICE = 60
BEYOND_ANY_DISK = "9000tb"


def make_session(folder: Path, lines: int) -> Path:
    """Write a session with so many lines in one file."""
    logs = folder / SESSION / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    text = "".join(f"2026-11-23 10:00:{line:02},000\tINFO app.py:1 -- step {line}\n" for line in range(lines))
    (logs / f"worker-{'ab' * 28}-01000000-4711.out").write_text(text)
    return folder


def security(reason: str) -> Answer:
    """Answer as Elasticsearch does to those whom it does not know."""
    return Answer(401, MARK, json.dumps({"error": {"type": "security_exception", "reason": reason}, "status": 401}))


@contextlib.contextmanager
def untrusted() -> t.Iterator[Stranger]:
    """Run a server whose certificate nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with stranger(Answer(200, MARK, "{}"), tls=context) as server:
        yield server


@contextlib.contextmanager
def stopped() -> t.Iterator[Stranger]:
    """Give the address of a server that has ended."""
    with stranger(Answer(200, MARK, "{}")) as server:
        pass
    yield server


def of_version(version: str) -> Answer:
    """Answer like a node of a version."""
    return Answer(200, MARK, json.dumps({"nodes": {"x": {"version": version, "build_flavor": "default"}}}))


@pytest.mark.parametrize(
    ("server", "said", "fix"),
    [
        pytest.param(stopped(), "did not answer: ", "Start Elasticsearch there, or correct host and port", id="none"),
        pytest.param(
            stranger(security("unable to authenticate user [elastic]")),
            "answered 401: security_exception: unable to authenticate user [elastic]. ",
            "Check username and password, api_key or bearer_token",
            id="a wrong password",
        ),
        pytest.param(
            stranger(Answer(200, {"Content-Type": "text/html"}, "<html><title>Log in</title></html>")),
            "answered 200 with an HTML page ('Log in') instead of JSON. ",
            "Correct url, or let the proxy pass",
            id="the page of a proxy",
        ),
        pytest.param(untrusted(), "failed in TLS: certificate verify failed", "as ca_path.", id="unknown to TLS"),
        pytest.param(
            stranger(of_version("7.16.3")), "is Elasticsearch 7.16.3. ", "Upgrade it to 7.17 or later.", id="too old"
        ),
    ],
)
def test_a_server_that_cannot_be_used_is_asked_nothing_more(
    server: contextlib.AbstractContextManager[Stranger], said: str, fix: str, run: Run, tmp_path: Path
) -> None:
    with server as found:
        answer = run("ray_session_import", path=str(make_session(tmp_path, 3)), url=[found.url], retries=0)
    message = answer["msg"]
    assert message.startswith("Cannot use Elasticsearch: ")
    assert found.url in message
    assert said in message
    assert fix in message
    assert "\n" not in message
    assert {asked.method for asked in found.asked} <= {"GET"}


@pytest.fixture(scope="module")
def server() -> t.Iterator[str]:
    """Give a server that looks at its disk as often as it can."""
    with running_elasticsearch(settings={"cluster.info.update.interval": "10s"}) as url:
        declare_streams(url, PREFIX)
        yield url


def set_watermarks(server: str, free: str | None) -> None:
    """Say how much must be free on the disks of the nodes; None is what the server was started with."""
    names = ("low", "high", "flood_stage")
    settings = {f"cluster.routing.allocation.disk.watermark.{name}": free for name in names}
    requests.put(f"{server}/_cluster/settings", json={"persistent": settings}, timeout=60).raise_for_status()


def wait_for_block(server: str, tenant: str, *, blocked: bool) -> None:
    """Wait until the server has noticed how full its disk is."""
    deadline = time.monotonic() + SECONDS_TO_NOTICE
    url = f"{server}/{PREFIX}-app-{tenant}/_settings/index.blocks.*?flat_settings"
    while ("read_only_allow_delete" in requests.get(url, timeout=60).text) is not blocked:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def stored(server: str, tenant: str) -> int:
    """Count the events of a tenant."""
    names = ",".join(f"{PREFIX}-{class_}-{tenant}*" for class_ in CLASSES)
    requests.post(f"{server}/{names}/_refresh", timeout=60).raise_for_status()
    return int(requests.get(f"{server}/{names}/_count", timeout=60).json()["count"])


def test_a_node_whose_disk_is_full_loses_nothing(server: str, run: Run, tmp_path: Path) -> None:
    def load(tenant: str, lines: int, **options: t.Any) -> Result:
        chosen = {"url": [server], "tenant": tenant, "retries": 0, **options}
        return run("ray_session_import", path=str(make_session(tmp_path, lines)), **chosen)

    assert load("before", 5)["totals"]["stored"] == 5
    set_watermarks(server, BEYOND_ANY_DISK)
    try:
        wait_for_block(server, "before", blocked=True)
        refused = load("before", 9)["msg"]
        assert "disk usage exceeded flood-stage watermark" in refused
        assert "Free space or add a node; Elasticsearch then lifts the block by itself" in refused
        assert "0 events were stored before; run the import again" in refused
        without_shard = load("later", 9, timeout=3, retries=1)["msg"]
        assert "answered 503 for events: unavailable_shards_exception: " in without_shard
        assert "primary shard is not active" in without_shard
        assert "their disks are fuller than the low watermark: free space or add a node" in without_shard
        assert "run the import again" in without_shard
        again = load("later", 9, timeout=3)["msg"]
        assert again.startswith("Cannot look up what is stored already: ")
        assert "waits for a shard that no node takes, most often because their disks are full" in again
    finally:
        set_watermarks(server, None)
    wait_for_block(server, "before", blocked=False)
    assert load("before", 9)["totals"]["stored"] == 4
    assert stored(server, "before") == 9
    load("later", 9)
    assert stored(server, "later") == 9


def test_an_archive_for_which_the_disk_has_no_room_leaves_nothing(server: str, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    demand_small_disks(disk)
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as file:
        for name, size in (("raylet.err", 9), ("raylet.out", 60 << 20)):
            member = tarfile.TarInfo(f"{SESSION}/logs/{name}")
            member.size = size
            file.addfile(member, io.BytesIO(bytes(size)))
    archive = tmp_path / "session.tar.xz"
    archive.write_bytes(lzma.compress(content.getvalue(), preset=0))
    arguments = tmp_path / "arguments.json"
    options = {"path": str(archive), "spool_dir": str(disk), "url": [server], "tenant": "no_room"}
    arguments.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": options}))
    script = '"$@"; ls -A "$0"'
    command = ["sh", "-c", script, str(disk), sys.executable, "-m", MODULE, str(arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / ".cache" / "collections")}
    answer = subprocess.run(
        on_small_disk(disk, 300, command), env=environment, cwd=ROOT, check=True, capture_output=True, text=True
    )
    (said,) = answer.stdout.split("\n")[1:-1]
    message = json.loads(said)["msg"]
    assert message.startswith(f"Cannot unpack the archive {archive} into {disk}: it holds more than the 4")
    assert "MiB that may be filled" in message
    assert message.endswith("Nothing was imported. Free space there, or name a folder on another disk as spool_dir.")
    assert stored(server, "no_room") == 0
