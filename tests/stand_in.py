# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small stateful stand-in of a full Elasticsearch, for what no reduced distribution answers: ILM and data streams."""

from __future__ import annotations

import contextlib
import fnmatch
import http.server
import json
import threading
import typing as t

from tests.stand_in_ilm import Body, RefusalError, read_policy


class Held(t.NamedTuple):
    """What a stand-in of a version holds; templates and indices only as far as policies and data streams need them."""

    version: str
    url: str
    policies: dict[str, Body]
    streams: dict[str, Body]
    templates: dict[str, Body]
    indices: dict[str, Body]


def answer_policy(held: Held, method: str, name: str, body: Body) -> Body:
    """Answer what concerns ILM policies."""
    if method == "PUT":
        version = held.policies[name]["version"] + 1 if name in held.policies else 1
        envelope = {"version": version, "modified_date": "2026-11-23T12:00:00.000Z"}
        held.policies[name] = {**envelope, "policy": read_policy(held.version, body["policy"])}
    elif name and name not in held.policies:
        raise RefusalError(f"Lifecycle policy not found: {name}", "resource_not_found_exception", 404)
    users = {one: [i for i, body in held.indices.items() if one in body["settings"].values()] for one in held.policies}
    if method == "DELETE":
        if users[name]:
            indices = ", ".join(users[name])
            raise RefusalError(f"Cannot delete policy [{name}]. It is in use by one or more indices: [{indices}]")
        del held.policies[name]
    if method != "GET":
        return {"acknowledged": True}
    return {
        one: {**found, "in_use_by": {"indices": users[one], "data_streams": [], "composable_templates": []}}
        for one, found in held.policies.items()
        if name in {"", one}
    }


def answer_stream(held: Held, method: str, path: str, body: Body) -> Body:
    """Answer what concerns data streams."""
    name, _, part = path.partition("/")
    if method == "PUT" and not part:
        if name in held.streams:
            raise RefusalError(f"data_stream [{name}] already exists", "resource_already_exists_exception")
        held.streams[name] = new_stream(held, name)
    elif name and name not in held.streams:
        raise RefusalError(f"no such index [{name}]", "index_not_found_exception", 404)
    elif method == "PUT":
        kept = {"enabled": True, **body}
        worked_out = {
            "effective_retention": body.get("data_retention"),
            "retention_determined_by": "data_stream_configuration",
        }
        held.streams[name]["lifecycle"] = {**kept, **(worked_out if "data_retention" in body else {})}
    elif method == "DELETE":
        del held.streams[name]
    if method != "GET":
        return {"acknowledged": True}
    return {"data_streams": [found for one, found in held.streams.items() if name in {"", one}]}


def new_stream(held: Held, name: str) -> Body:
    """Make a data stream out of its template."""
    for template, body in held.templates.items():
        if "data_stream" in body and any(fnmatch.fnmatch(name, pattern) for pattern in body["index_patterns"]):
            indices = [{"index_name": f".ds-{name}-2026.11.23-000001", "index_uuid": "xCEhwsp8Tey0-FLNFYVwSg"}]
            stream = {"name": name, "timestamp_field": {"name": "@timestamp"}, "indices": indices, "generation": 1}
            flags = dict.fromkeys(("hidden", "system", "allow_custom_routing", "replicated"), False)
            return {**stream, "status": "GREEN", "template": template, **flags}
    raise RefusalError(f"no matching index template found for data stream [{name}]")


def answer(held: Held, method: str, path: str, body: Body) -> Body:
    """Answer a request."""
    if path == "/_nodes/_local":
        modules = [{"name": name} for name in ("x-pack-ilm", "data-streams")]
        return {"nodes": {"stand-in": {"version": held.version, "build_flavor": "default", "modules": modules}}}
    first, _, rest = path[1:].partition("/")
    if first == "_ilm":
        return answer_policy(held, method, rest.removeprefix("policy").strip("/"), body)
    if first == "_data_stream" and not (rest.endswith("/_lifecycle") and held.version.startswith("7.")):
        return answer_stream(held, method, rest, body)
    store, name = (held.templates, rest) if first == "_index_template" else (held.indices, first)
    if name.startswith("_") or "/" in name or method not in {"PUT", "DELETE"}:
        raise RefusalError(f"no handler found for uri [{path}] and method [{method}]")
    store.pop(name, None) if method == "DELETE" else store.update({name: body})
    return {"acknowledged": True}


@contextlib.contextmanager
def stand_in(version: str = "8.19.0") -> t.Iterator[Held]:
    """Run a stand-in of this version on loopback."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def handle_request(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length) or "{}")
            try:
                status, said = 200, answer(held, self.command, self.path.partition("?")[0], body)
            except RefusalError as refusal:
                status, said = refusal.status, refusal.body
            text = json.dumps(said).encode()
            self.send_response(status)
            for name, value in {"X-Elastic-Product": "Elasticsearch", "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: t.Any) -> None:
            """Keep quiet."""

    for method in ("GET", "PUT", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.handle_request)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        held = Held(version, f"http://127.0.0.1:{server.server_port}", {}, {}, {}, {})
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield held
        finally:
            server.shutdown()
            thread.join()
