# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that answer what a test wants: a proxy's page, a refusal, another product."""

from __future__ import annotations

import contextlib
import http.server
import threading
import typing as t

if t.TYPE_CHECKING:
    import ssl


class Answer(t.NamedTuple):
    """What the server answers, and the header lines with it."""

    status: int
    headers: dict[str, str]
    body: str


class Asked(t.NamedTuple):
    """What the server was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


class Stranger(t.NamedTuple):
    """A server that gives these answers in turn, the last one for ever."""

    url: str
    asked: list[Asked]


@contextlib.contextmanager
def stranger(*answers: Answer, tls: ssl.SSLContext | None = None) -> t.Iterator[Stranger]:
    """Run a server on loopback that gives these answers."""
    asked: list[Asked] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked.append(Asked(self.command, self.path, headers, self.rfile.read(length).decode()))
            status, header, body = answers[min(len(asked), len(answers)) - 1]
            self.send_response(status)
            for name, value in {**header, "Content-Length": str(len(body.encode()))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: t.Any) -> None:
            """Keep quiet."""

    for method in ("GET", "PUT", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Stranger(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}", asked)
        finally:
            server.shutdown()
            thread.join()
