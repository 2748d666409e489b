# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Speak to servers that are absent, strange, untrusted, overloaded: over real sockets."""

from __future__ import annotations

import base64
import datetime as dt
import json
import socket
import ssl
import threading
import time
import typing as t

import pytest
import trustme
from ansible_collections.raylogs.efk.plugins.module_utils import _elasticsearch as elasticsearch
from ansible_collections.raylogs.efk.plugins.module_utils._api import ApiError, OptionError, Params, Request
from ansible_collections.raylogs.efk.plugins.module_utils._args import connection_options

from tests.stranger import Answer, Asked, stranger

if t.TYPE_CHECKING:
    from pathlib import Path

DEFAULTS: Params = {
    **{name: option.get("default") for name, option in connection_options("x", "http://localhost:9200").items()},
    "retries": 0,
    "timeout": 30,
}
MARK = {"X-Elastic-Product": "Elasticsearch", "Content-Type": "application/json"}
JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}
VERSION = json.dumps({"nodes": {"x": {"version": "8.19.0", "build_flavor": "default"}}})
BLOCKED = "index [a] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark];"


def error(code: int, kind: str, reason: str, **more: t.Any) -> Answer:
    """Build an error as Elasticsearch answers it."""
    return Answer(code, MARK, json.dumps({"error": {"type": kind, "reason": reason, **more}, "status": code}))


def refusal(url: str, **options: t.Any) -> str:
    """Connect and give the message of the error."""
    with pytest.raises((ApiError, OptionError)) as caught:
        elasticsearch.connect({**DEFAULTS, "url": [url], **options})
    return str(caught.value)


def free_port() -> int:
    """Find a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


OK = Answer(200, MARK, VERSION)


def test_no_server() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    message = refusal(url)
    assert f"Cannot use Elasticsearch: GET {url}/_nodes/_local did not answer: " in message
    assert "Connection refused. Start Elasticsearch there, or correct host and port in url." in message


def test_unknown_host() -> None:
    assert "Correct the host name in url, or add it to DNS or /etc/hosts." in refusal("http://es1.invalid:9200")


def test_server_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        message = refusal(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=1)
    assert "did not answer: Connection timed out during request. The server took the request, but" in message
    assert "or raise timeout." in message


def test_server_that_hangs_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as rude:

        def hang_up() -> None:
            peer, _ = rude.accept()
            peer.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        message = refusal(f"http://127.0.0.1:{rude.getsockname()[1]}")
        thread.join()
    assert "If the server speaks TLS, begin url with https://" in message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(
            error(401, "security_exception", "unable to authenticate user [elastic] for REST request [/]"),
            ["answered 401: security_exception: unable to authenticate", "Check username and password"],
            id="wrong password",
        ),
        pytest.param(
            Answer(200, HTML, "<html><head><title> Log in </title></head></html>"),
            ["answered 200 with an HTML page ('Log in') instead of JSON", "This is a proxy or another web server."],
            id="a page of a proxy",
        ),
        pytest.param(
            Answer(502, HTML, "<html><h1>Bad gateway</h1></html>"),
            ["answered 502 with an HTML page instead of JSON", "A proxy cannot reach Elasticsearch."],
            id="a proxy without server",
        ),
        pytest.param(
            Answer(403, {"Content-Type": "text/plain"}, "Forbidden by policy"),
            ["answered 403 with the text 'Forbidden by policy' instead of JSON", "look for a proxy that forbids it"],
            id="a proxy that forbids",
        ),
        pytest.param(Answer(404, {"Content-Type": "text/plain"}, ""), ["404 with nothing instead"], id="an empty page"),
        pytest.param(Answer(200, JSON, "{not json"), ["something that is not JSON", "a proxy"], id="broken JSON"),
        pytest.param(
            Answer(200, JSON, '{"nodes": {}}'),
            ["without the mark of Elasticsearch", "let the proxy pass this header"],
            id="JSON of something else",
        ),
        pytest.param(
            Answer(200, JSON, '{"nodes": {"x": {"version": "3.3.0"}}}'),
            ["is not Elasticsearch (it may be OpenSearch 3.3.0)", "Elasticsearch 7.17 or later"],
            id="OpenSearch",
        ),
        pytest.param(
            Answer(406, JSON, '{"error": "Content-Type header is not supported"}'),
            ["answered 406: Content-Type header is not supported"],
            id="a server that does not know the client, nor the plain dialect",
        ),
        pytest.param(
            Answer(200, JSON, '{"nodes": {"x": {"version": "7.10.2", "build_flavor": "oss"}}}'),
            ["is Elasticsearch 7.10.2. Upgrade it to 7.17 or later."],
            id="an old Elasticsearch without mark",
        ),
        pytest.param(
            Answer(200, MARK, '{"nodes": {"x": {"version": "7.16.3"}}}'),
            ["is Elasticsearch 7.16.3. Upgrade it to 7.17 or later."],
            id="an old Elasticsearch",
        ),
        pytest.param(
            error(403, "cluster_block_exception", "no privilege"),
            ["answered 403: cluster_block_exception"],
            id="forbidden, but not for lack of a privilege",
        ),
        pytest.param(
            Answer(503, MARK, '{"error": {"type": "x", "reason": "master_not_discovered_exception"}}'),
            ["The cluster has no elected master node."],
            id="no master",
        ),
    ],
)
def test_server_that_cannot_be_used(answer: Answer, words: list[str]) -> None:
    with stranger(answer) as server:
        message = refusal(server.url)
    assert [word for word in words if word not in message] == [], message


def test_version_is_unknown_to_a_user_who_may_not_ask() -> None:
    with stranger(error(403, "security_exception", "action [cluster:monitor/nodes/info] is unauthorized")) as server:
        assert elasticsearch.connect({**DEFAULTS, "url": [server.url]}).version is None


def test_path_of_a_proxy_is_kept() -> None:
    with stranger(OK) as server:
        assert elasticsearch.connect({**DEFAULTS, "url": [f"{server.url}/es/"]}).version == (8, 19, 0)
    assert server.asked[0].path.startswith("/es/_nodes/_local?")


@pytest.mark.parametrize(
    ("options", "header"),
    [
        pytest.param({}, None, id="nobody"),
        pytest.param({"username": "u", "password": "p"}, "Basic " + base64.b64encode(b"u:p").decode(), id="password"),
        pytest.param({"api_key": "ZW5j"}, "ApiKey ZW5j", id="encoded API key"),
        pytest.param({"api_key": "i:k"}, "ApiKey " + base64.b64encode(b"i:k").decode(), id="API key in two parts"),
        pytest.param({"bearer_token": "AAEA"}, "Bearer AAEA", id="token"),
    ],
)
def test_credentials_are_sent_with_every_request(options: Params, header: str | None) -> None:
    with stranger(OK) as server:
        connection = elasticsearch.connect({**DEFAULTS, "url": [server.url], **options})
        elasticsearch.call(connection, Request("Cannot write", "PUT", "/x", body={"a": 1}))
    assert [asked.headers.get("authorization") for asked in server.asked] == [header, header]


def test_secrets_are_in_no_message() -> None:
    with stranger(error(401, "security_exception", "no")) as server:
        for options in ({"username": "u", "password": "s3cret"}, {"api_key": "s3cret"}, {"bearer_token": "s3cret"}):
            assert "s3cret" not in refusal(server.url, **options)


def ask(answers: t.Sequence[Answer], request: Request, retries: int = 2) -> tuple[t.Any, list[Asked]]:
    """Connect, send a request, give the answer and what the server was asked after the connection."""
    with stranger(OK, *answers) as server:
        connection = elasticsearch.connect({**DEFAULTS, "url": [server.url], "retries": retries})
        return elasticsearch.call(connection, request), server.asked[1:]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_trouble_that_may_pass_is_waited_for(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elasticsearch, "FIRST_PAUSE", 0.05)
    started = time.monotonic()
    answer, asked = ask([error(status, "x", "busy"), Answer(200, MARK, '{"a": 1}')], Request("Cannot", "GET", "/x"))
    assert answer == {"a": 1}
    assert len(asked) == 2
    assert time.monotonic() - started >= 0.05


def test_trouble_that_stays_is_reported_with_its_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elasticsearch, "FIRST_PAUSE", 0.01)
    with pytest.raises(ApiError, match=r"answered 429 \(after 3 attempts\): x: busy\. The cluster is overloaded"):
        ask([error(429, "x", "busy")], Request("Cannot", "GET", "/x"))


def test_server_that_is_gone_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elasticsearch, "FIRST_PAUSE", 0.01)
    assert "did not answer (after 3 attempts): " in refusal(f"http://127.0.0.1:{free_port()}", retries=2)


def test_the_next_node_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elasticsearch, "FIRST_PAUSE", 0.01)
    with stranger(OK) as server:
        urls = [f"http://127.0.0.1:{free_port()}", server.url]
        assert elasticsearch.connect({**DEFAULTS, "url": urls, "retries": 1}).version == (8, 19, 0)


@pytest.mark.parametrize(("repeatable", "times"), [(None, 1), (True, 3)])
def test_post_is_repeated_only_when_it_may_be(
    repeatable: bool | None, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elasticsearch, "FIRST_PAUSE", 0.01)
    with stranger(OK, error(503, "x", "not yet")) as server:
        connection = elasticsearch.connect({**DEFAULTS, "url": [server.url], "retries": 2})
        with pytest.raises(ApiError):
            elasticsearch.call(connection, Request("Cannot", "POST", "/x", repeatable=repeatable))
    assert len(server.asked) == 1 + times


def test_full_disk_is_not_waited_for() -> None:
    with pytest.raises(ApiError, match=r"answered 429: cluster_block_exception.*Free space or add a node"):
        ask([error(429, "cluster_block_exception", BLOCKED)], Request("Cannot", "PUT", "/x"))


@pytest.mark.parametrize(
    ("attempt", "retry_after", "seconds"),
    [
        pytest.param(1, "", 0.5, id="first"),
        pytest.param(3, "", 2.0, id="third"),
        pytest.param(9, "", 16.0, id="never longer than this"),
        pytest.param(1, "3", 3.0, id="as the server asks"),
        pytest.param(1, "600", 16.0, id="not as long as the server asks"),
        pytest.param(1, "Wed, 21 Oct 2026 07:28:00 GMT", 0.5, id="a date is not read"),
    ],
)
def test_pause(attempt: int, retry_after: str, seconds: float) -> None:
    assert elasticsearch.pause(attempt, retry_after) == seconds


def test_absent_is_none_only_when_elasticsearch_says_so() -> None:
    request = Request("Cannot read", "GET", "/x", absent_is_none=True)
    assert ask([error(404, "resource_not_found_exception", "no")], request)[0] is None
    with pytest.raises(ApiError, match="an HTML page"):
        ask([Answer(404, HTML, "<html></html>")], request)


def test_lines_of_json_are_sent_as_they_are() -> None:
    body = b'{"create":{}}\n{"a":1}\n'
    _, asked = ask([Answer(200, MARK, "{}")], Request("Cannot send", "POST", "/_bulk", body, repeatable=True))
    assert asked[0].body == body.decode()
    assert "x-ndjson" in asked[0].headers["content-type"]


@pytest.mark.parametrize(
    ("status", "said", "fix"),
    [
        pytest.param(429, BLOCKED, "Free space", id="flood stage"),
        pytest.param(
            403, "blocked by: [FORBIDDEN/12/index read-only / allow delete (api)];", "Set index.blocks", id="8"
        ),
        pytest.param(
            403, "index [a] blocked by: [FORBIDDEN/8/index write (api)];", "Set index.blocks", id="write block"
        ),
        pytest.param(
            403, "blocked by: [FORBIDDEN/6/cluster read-only (api)];", "The cluster is read-only", id="cluster"
        ),
        pytest.param(403, "action [indices:admin/x] is unauthorized", "a role with the privilege", id="privilege"),
        pytest.param(403, "current license is non-compliant", "licence", id="licence"),
        pytest.param(
            400, "Failed to parse value [True] as only [true] or [false] are allowed.", "| bool", id="boolean"
        ),
        pytest.param(400, "Failed to parse value [1.5] for setting", "| int", id="number"),
        pytest.param(
            400, "specifies component templates [a] that do not exist", "Create the component", id="component"
        ),
        pytest.param(400, "multiple index templates may not match during", "another priority", id="priority"),
        pytest.param(400, "cannot be removed as they are still in use by index templates", "Take it out", id="in use"),
        pytest.param(400, "unknown setting [index.lifecycle.name]", "does not know it", id="setting"),
        pytest.param(400, "no handler found for uri [/_ilm/policy]", "does not have this API", id="API"),
        pytest.param(
            400, "[ignore_failure] property isn't a boolean, but of type", "| bool", id="boolean of a processor"
        ),
        pytest.param(400, "failed to parse setting [a] with value [5 fast]", "with its unit", id="size or time"),
        pytest.param(400, "transient setting [a.b], not recognized", "does not know it", id="setting of a cluster"),
        pytest.param(400, "setting [http.port], not dynamically updateable", "elasticsearch.yml", id="static setting"),
        pytest.param(400, "No processor type exists with name [a].", "elasticsearch_info lists", id="processor"),
        pytest.param(400, "pipeline [a] cannot have an empty on_failure option", "Leave on_failure out", id="empty"),
        pytest.param(400, "[field] required property is missing", "the option that is named", id="missing option"),
        pytest.param(
            400, "doesn't support one or more provided configuration parameters [a]", "leave it out", id="option"
        ),
        pytest.param(400, "[1:5] [index_template] unknown field [deprecated]", "leave it out", id="field"),
        pytest.param(400, "No handler for type [wildcard] declared", "Correct the type", id="type on 7.17"),
        pytest.param(400, "The mapper type [a] declared on field [b] does not exist.", "Correct the type", id="type"),
        pytest.param(
            400,
            "specifies lifecycle configuration that can only be used in combination with a data stream",
            "data_stream",
            id="lifecycle",
        ),
        pytest.param(
            400, "no matching index template found for data stream [a]", "Create an index template", id="stream"
        ),
        pytest.param(400, "Cannot delete policy [a]. It is in use by", "index.lifecycle.name", id="policy in use"),
        pytest.param(400, "invalid action [rollover] defined in phase [warm]", "Move the action", id="action"),
        pytest.param(400, "At least one max_* rollover condition must be set.", "max_age", id="rollover of nothing"),
        pytest.param(503, "[x][0] primary shard is not active Timeout: [20s]", "low watermark", id="no shard"),
        pytest.param(413, "", "http.max_content_length", id="too large"),
        pytest.param(400, "whatever", "", id="nothing is known"),
    ],
)
def test_explain(status: int, said: str, fix: str) -> None:
    assert fix in elasticsearch.explain(status, said)
    assert bool(fix) == bool(elasticsearch.explain(status, said))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param({"error": "no handler"}, "no handler", id="text"),
        pytest.param(["a"], "['a']", id="a list"),
        pytest.param({"error": {"type": "a", "reason": "b"}}, "a: b", id="type and reason"),
        pytest.param(
            {"error": {"type": "a", "reason": "b", "caused_by": {"caused_by": {"type": "c", "reason": "d"}}}},
            "a: b, caused by c: d",
            id="the deepest cause",
        ),
        pytest.param(
            {"error": {"type": "a", "reason": "b d", "caused_by": {"type": "c", "reason": "d"}}},
            "a: b d",
            id="said once",
        ),
    ],
)
def test_reason(body: t.Any, words: str) -> None:
    assert elasticsearch.reason(body) == words


# TLS


class Authority(t.NamedTuple):
    """An authority, and the file with its certificate."""

    signer: trustme.CA
    path: str


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Make an authority of our own."""
    signer, path = trustme.CA(), tmp_path_factory.mktemp("tls") / "ca.pem"
    signer.cert_pem.write_to_path(str(path))
    return Authority(signer, str(path))


def server_side(authority: Authority, name: str = "127.0.0.1", days: int = 1) -> ssl.SSLContext:
    """Make a server's side of TLS with a certificate for this name, valid for so many days."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    now = dt.datetime.now(tz=dt.timezone.utc)
    since, until = now - dt.timedelta(days=9), now + dt.timedelta(days=days)
    authority.signer.issue_cert(name, not_before=since, not_after=until).configure_cert(context)
    return context


def test_trusted_certificate(authority: Authority) -> None:
    with stranger(OK, tls=server_side(authority)) as server:
        options = {**DEFAULTS, "url": [server.url], "ca_path": authority.path}
        assert elasticsearch.connect(options).version == (8, 19, 0)


def test_untrusted_certificate(authority: Authority) -> None:
    with stranger(OK, tls=server_side(authority)) as server:
        message = refusal(server.url)
    assert "failed in TLS: certificate verify failed" in message
    assert "as ca_path." in message


def test_certificate_for_another_name(authority: Authority) -> None:
    with stranger(OK, tls=server_side(authority, "es1.example.com")) as server:
        assert "Use the host name that stands in the server's certificate" in refusal(
            server.url, ca_path=authority.path
        )


def test_expired_certificate(authority: Authority) -> None:
    with stranger(OK, tls=server_side(authority, days=-1)) as server:
        assert "Renew the server's certificate." in refusal(server.url, ca_path=authority.path)


def test_certificate_that_need_not_be_valid(authority: Authority) -> None:
    with stranger(OK, tls=server_side(authority, "es1.example.com", days=-1)) as server:
        options = {**DEFAULTS, "url": [server.url], "validate_certs": False}
        assert elasticsearch.connect(options).version == (8, 19, 0)


def test_tls_to_a_server_without() -> None:
    with stranger(OK) as server:
        assert "The port does not speak TLS: use http:// there." in refusal(server.url.replace("http", "https"))


def test_certificate_of_the_client(authority: Authority, tmp_path: Path) -> None:
    tls = server_side(authority)
    tls.verify_mode = ssl.CERT_REQUIRED
    authority.signer.configure_trust(tls)
    certificate = authority.signer.issue_cert("client@example.com")
    both = tmp_path / "both.pem"
    certificate.private_key_and_cert_chain_pem.write_to_path(str(both))
    with stranger(OK, tls=tls) as server:
        options = {**DEFAULTS, "url": [server.url], "ca_path": authority.path, "client_cert": str(both)}
        assert elasticsearch.connect(options).version == (8, 19, 0)


def test_only_the_given_authority_is_trusted(authority: Authority, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with stranger(OK, tls=server_side(authority)) as server:
        assert "as ca_path." in refusal(server.url, ca_path=str(other))


def test_file_that_is_no_certificate(tmp_path: Path) -> None:
    wrong = tmp_path / "ca.pem"
    wrong.write_text("not a certificate")
    assert "ca_path, client_cert or client_key cannot be used" in refusal("https://127.0.0.1:1", ca_path=str(wrong))


def test_client_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert elasticsearch.check_client() == ""
    monkeypatch.setattr(elasticsearch, "CLIENT_VERSION", (9, 0, 0))
    assert "is version 9.0.0, but only 8.19 speaks to servers" in elasticsearch.check_client()
    monkeypatch.setattr(elasticsearch, "IMPORT_ERROR", "Traceback")
    assert "pip install 'elasticsearch>=8.19,<9'" in elasticsearch.check_client()
