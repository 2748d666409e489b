# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for services that answer well, badly, late, or never."""

from __future__ import annotations

import contextlib
import http.server
import os
import socketserver
import threading
import typing as t

import pytest

if t.TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Run

GOOD = (200, '{"status": "green"}')
HEALTHY: dict[str, t.Any] = {"name": "Service", "field": "status", "values": ["yellow", "green"]}


class Service:
    """A service that gives these answers in turn, the last one for ever."""

    def __init__(self, url: str, answers: list[tuple[int, str]]) -> None:
        """Nobody has asked yet."""
        self.url = url
        self.answers = answers
        self.asked = 0

    def answer(self) -> tuple[int, str]:
        """Give the next answer."""
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


@contextlib.contextmanager
def serving(*answers: tuple[int, str]) -> t.Iterator[Service]:
    """Run a service."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = service.answer()
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_words: t.Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service = Service(f"http://127.0.0.1:{server.server_address[1]}/health", list(answers))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield service
        server.shutdown()


@pytest.mark.parametrize(
    ("answers", "options", "asked"),
    [
        pytest.param([GOOD], HEALTHY, 1, id="healthy at once"),
        pytest.param([(503, "{}"), (200, '{"status": "red"}'), GOOD], HEALTHY, 3, id="healthy in the end"),
        pytest.param([(500, "<html>"), (200, "<html>")], {"name": "Service"}, 2, id="any good answer will do"),
    ],
)
def test_it_waits_until_the_answer_is_good(
    run: Run, answers: list[tuple[int, str]], options: dict[str, t.Any], asked: int
) -> None:
    with serving(*answers) as service:
        result = run("host_health_info", url=service.url, **options, timeout=30)
    assert not result["changed"]
    assert result["answer"] == ({"status": "green"} if answers[-1] is GOOD else "<html>")
    assert service.asked == asked


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param((200, '{"status": "red"}'), "status is red, wanted yellow or green", id="another value"),
        pytest.param((200, '["green"]'), "status is None, wanted", id="no object"),
        pytest.param((200, "<html>"), "status is None, wanted", id="a web page"),
        pytest.param((503, "not yet"), "it answers 503: not yet", id="a refusal"),
    ],
)
def test_it_says_what_was_wrong_in_the_end(tmp_path: Path, run: Run, answer: tuple[int, str], words: str) -> None:
    log = tmp_path / "log"
    log.write_text("a line of the log\n")
    with serving(answer) as service:
        result = run("host_health_info", url=service.url, **HEALTHY, timeout=0, log_file=str(log))
    assert f"Service is not ready at {service.url}: after 0 seconds {words}" in result["msg"]
    assert result["msg"].endswith("a line of the log")


@pytest.mark.parametrize("said", [b"", b"\x15\x03\x01\x00\x02\x02\x46", b"-ERR unknown command\r\n"])
def test_what_does_not_speak_http_is_no_answer(run: Run, said: bytes) -> None:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(said)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        result = run("host_health_info", **HEALTHY, url=f"http://127.0.0.1:{server.server_address[1]}", timeout=0)
        server.shutdown()
    assert "it does not answer: " in result["msg"]


def test_a_process_that_is_gone_ends_the_wait(tmp_path: Path, run: Run) -> None:
    pid_file = tmp_path / "pid"
    pid_file.write_text(str(os.getpid()))
    options = {**HEALTHY, "pid_file": str(pid_file), "timeout": 300}
    with serving((503, "starting"), GOOD) as service:
        assert run("host_health_info", **options, url=service.url)["answer"] == {"status": "green"}
        service.asked = 0
        result = run("host_health_info", **options, url=service.url, identity="org.elasticsearch")
        assert "its process is gone" in result["msg"]
        assert service.asked == 1
        pid_file.unlink()
        pid_file.mkdir()
        service.asked = 0
        assert "its pid file cannot be read" in run("host_health_info", **options, url=service.url)["msg"]


def test_check_mode_asks_nothing(run: Run) -> None:
    with serving(GOOD) as service:
        result = run("host_health_info", check=True, **HEALTHY, url=service.url)
        assert "answer" not in result
        assert service.asked == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"url": "ftp://127.0.0.1"}, "must begin with http:// or https://", id="another protocol"),
        pytest.param({"url": "http://127.0.0.1:1", "field": "status"}, "values", id="a field without values"),
    ],
)
def test_options_that_cannot_work(run: Run, options: dict[str, t.Any], words: str) -> None:
    assert words in run("host_health_info", name="Service", timeout=0, **options)["msg"]
