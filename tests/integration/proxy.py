# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy before a real Elasticsearch that fails when it is told to."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import typing as t

import requests

HEADERS = ("content-type", "accept")


class Answer(t.NamedTuple):
    """What the proxy answers itself."""

    status: int
    body: t.Any


# Decides about one request: None passes it on, an answer is given in its place, an exception closes the connection.
Decide = t.Callable[["Passing"], t.Optional[Answer]]


class Passing(t.NamedTuple):
    """A request on its way."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str]
    server: str

    @property
    def is_bulk(self) -> bool:
        """Tell whether it carries events."""
        return self.path.startswith("/_bulk")

    @property
    def ids(self) -> list[str]:
        """Return the ids of the events that it carries."""
        return [json.loads(line)["create"]["_id"] for line in self.body.splitlines()[::2]]

    def forward(self, body: bytes | None = None) -> requests.Response:
        """Send it, or another body in its place, to the server."""
        data = self.body if body is None else body
        return requests.request(self.method, self.server + self.path, data=data, headers=self.headers, timeout=60)


@contextlib.contextmanager
def proxy(server: str, decide: Decide) -> t.Iterator[str]:
    """Run a proxy before a server and give its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name: self.headers[name] for name in HEADERS if name in self.headers}
            passing = Passing(self.command, self.path, body, headers, server)
            try:
                told = decide(passing)
            except ConnectionError:
                self.close_connection = True
                return
            if told is None:
                answer = passing.forward()
                status, content = answer.status_code, answer.content
            else:
                status, content = told.status, json.dumps(told.body).encode()
            self.send_response(status)
            self.send_header("x-elastic-product", "Elasticsearch")
            self.send_header("content-type", "application/vnd.elasticsearch+json;compatible-with=8")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    for method in ("GET", "PUT", "POST", "DELETE", "HEAD"):
        setattr(Handler, f"do_{method}", Handler.handle_any)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}"
        finally:
            listening.shutdown()
