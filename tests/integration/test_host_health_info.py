# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for services that answer well, badly, late, or never."""

from __future__ import annotations

import base64
import contextlib
import http.server
import os
import socketserver
import ssl
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.raylogs.efk.plugins.modules import host_health_info

from tests.certificates import Pair, make_pair

if t.TYPE_CHECKING:
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


@contextlib.contextmanager
def serving_users(folder: Path, pair: Pair, *answers: int) -> t.Iterator[Service]:
    """Run a service with TLS that refuses whoever is not elastic, and answers a user with these in turn."""
    (folder / "server.pem").write_bytes(pair.pem + pair.key_pem())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = service.answer()
            known = self.headers["Authorization"] == "Basic " + base64.b64encode(b"elastic:b\xc3\xa4r:1").decode()
            self.send_response(status if known else 401)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_words: t.Any) -> None:
            """Say nothing."""

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_words: t.Any) -> None:
            """Say nothing of clients that go away."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        found = [(status, GOOD[1]) for status in answers]
        service = Service(f"https://127.0.0.1:{server.server_address[1]}/health", found)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield service
        server.shutdown()


CA = make_pair("CA", authority=True)
USER: dict[str, t.Any] = {"username": "elastic", "password": "bär:1"}


@pytest.fixture
def ca_path(tmp_path: Path) -> str:
    """Write the CA that is trusted."""
    (tmp_path / "ca.crt").write_bytes(CA.pem)
    return str(tmp_path / "ca.crt")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every server for one that was started long ago, and wait shortly for new certificates."""
    monkeypatch.setattr(host_health_info, "YOUNG", 0)
    monkeypatch.setattr(host_health_info, "GRACE", 0.5)


def test_a_server_that_does_not_know_its_users_yet_is_waited_for(tmp_path: Path, run: Run, ca_path: str) -> None:
    with serving_users(tmp_path, make_pair("es1", issuer=CA), 401, 401, 200) as service:
        result = run("host_health_info", **HEALTHY, **USER, url=service.url, ca_path=ca_path)
        assert result["answer"] == {"status": "green"}
        assert service.asked == 3


@pytest.mark.parametrize(
    ("user", "status", "words"),
    [
        pytest.param({**USER, "password": "another"}, 200, "it refuses this user (401)", id="a wrong password"),
        pytest.param({}, 200, "it refuses this user (401)", id="nobody"),
        pytest.param(USER, 403, "it refuses this user (403)", id="too few rights"),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_a_user_who_is_refused_later_ends_the_wait_with_the_way_out(
    run: Run, ca_path: str, user: dict[str, t.Any], status: int, words: str
) -> None:
    tmp_path = Path(ca_path).parent
    (tmp_path / "pid").write_text(str(os.getpid()))
    remedies = {r"it refuses this user \((\d+)\)": r"Look at \1."}
    with serving_users(tmp_path, make_pair("es1", issuer=CA), status) as service:
        options = {**HEALTHY, **user, "url": service.url, "ca_path": ca_path, "pid_file": str(tmp_path / "pid")}
        result = run("host_health_info", **options, remedies=remedies)
        assert words in result["msg"]
        assert "Look at 40" in result["msg"]
        assert "another" not in result["msg"]
        assert service.asked <= 2


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        pytest.param(
            make_pair("es1", issuer=make_pair("CA", authority=True)), "certificate is not trusted", id="foreign"
        ),
        pytest.param(make_pair("es1", issuer=CA, days=(-9, -1)), "certificate has expired", id="expired"),
        pytest.param(
            make_pair("es1", issuer=CA, authority=None), "certificate is not valid for '127.0.0.1'", id="another name"
        ),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_a_certificate_that_is_not_trusted_ends_the_wait(run: Run, ca_path: str, pair: Pair, words: str) -> None:
    with serving_users(Path(ca_path).parent, pair, 200) as service:
        result = run("host_health_info", **HEALTHY, **USER, url=service.url, ca_path=ca_path)
        assert words in result["msg"]
        assert service.asked == 0


def test_authorities_that_are_not_there_are_named(run: Run) -> None:
    result = run("host_health_info", **HEALTHY, url="https://127.0.0.1:1", ca_path="/nowhere/ca.crt")
    assert "Cannot read the authorities in /nowhere/ca.crt" in result["msg"]


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
