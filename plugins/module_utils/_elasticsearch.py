# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Speak to Elasticsearch through its official client: `connect` once, then `call` as often as needed."""

from __future__ import annotations

import base64
import re
import ssl
import time
import traceback
import typing as t
import warnings
from http import HTTPStatus
from urllib.parse import urlsplit

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.raylogs.efk.plugins.module_utils._api import (
    Api,
    ApiError,
    Body,
    OptionError,
    Options,
    Params,
    Request,
)
from ansible_collections.raylogs.efk.plugins.module_utils._args import (
    CONNECTION_RULES,
    check_connection,
    connection_options,
)
from ansible_collections.raylogs.efk.plugins.module_utils._cluster import WORDS, features

try:
    import elastic_transport
    import elasticsearch
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
    CLIENT_VERSION: tuple[int, ...] = ()
else:
    IMPORT_ERROR = ""
    CLIENT_VERSION = elasticsearch.__version__

OPTIONS: Options = connection_options("elasticsearch", "http://localhost:9200")
OLDEST_SERVER = (7, 17)
OLDEST_CLIENT = (8, 19)
TOO_NEW_CLIENT = (9,)
PASSING_TROUBLE = (429, 502, 503, 504)
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 16.0
LONGEST_QUOTE = 300
NODES = "/_nodes/_local?filter_path=nodes.*.version,nodes.*.build_flavor,nodes.*.modules.name,nodes.*.plugins.name"


class Connection(t.NamedTuple):
    """An open connection; `version` is None and `modules`, plugins too, are unknown when the user may not read them."""

    client: elasticsearch.Elasticsearch
    url: str
    retries: int
    version: tuple[int, ...] | None = None
    modules: frozenset[str] = frozenset()


class Outcome(t.NamedTuple):
    """What an attempt gave: the answer, or the seconds to wait before the next."""

    answer: t.Any
    pause: float | None = None


class Hint(t.NamedTuple):
    """How to mend what a server refused with this status (None: any) and words."""

    status: int | None
    words: str
    fix: str


HINTS = (
    Hint(
        None,
        r"flood.stage|read_only_allow_delete|read-only-allow-delete",
        "The disk of a data node is fuller than the flood-stage watermark. Free space or add a node; Elasticsearch "
        "then lifts the block by itself (7.4 and later).",
    ),
    Hint(
        None,
        r"FORBIDDEN/(6|13)/|cluster read-only",
        "The cluster is read-only. Reset the cluster settings cluster.blocks.read_only and "
        "cluster.blocks.read_only_allow_delete to null.",
    ),
    Hint(
        None,
        r"FORBIDDEN/\d+/index|index write \(api\)|index read-only",
        "The index is blocked on purpose. Set index.blocks.write and index.blocks.read_only of that index to null.",
    ),
    Hint(
        None,
        r"primary shard is not active",
        "No data node takes this shard, most often because their disks are fuller than the low watermark: free space "
        "or add a node. GET /_cluster/allocation/explain says why.",
    ),
    Hint(
        401,
        r"",
        "Check username and password, api_key or bearer_token (an API key may also be expired or invalidated), "
        "or set ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD.",
    ),
    Hint(
        403,
        r"action \[cluster:admin/xpack/security/api_key/",
        "Give this user a role with the cluster privilege manage_own_api_key, or connect as another one.",
    ),
    Hint(403, r"action \[", "Give this user or API key a role with the privilege that is named."),
    Hint(403, r"licen[cs]e", "The licence of this cluster does not cover this feature."),
    Hint(403, r"", "Give this user or API key a role that may do this, or look for a proxy that forbids it."),
    Hint(
        407, r"", "A proxy between here and Elasticsearch asks for a login. Give the address of Elasticsearch itself."
    ),
    Hint(413, r"", "The request is too large: raise http.max_content_length, or the limit of a proxy in between."),
    Hint(429, r"", "The cluster is overloaded. Send less at once, give it more memory, or raise retries."),
    Hint(
        None,
        r"master_not_discovered|no_master_block|no master|state not recovered",
        "The cluster has no elected master node. Start its nodes and look at their logs, then run this again.",
    ),
    Hint(
        None,
        r"as only \[true\] or \[false\] are allowed|property isn't a boolean",
        "Write true or false without quotes; in Jinja, end the expression with `| bool`.",
    ),
    Hint(
        None,
        r"ailed to parse (setting )?\[.*(with value|as a time value|as a size in bytes|fractional time)",
        "Write the value as a whole number with its unit, such as 30s or 512mb.",
    ),
    Hint(None, r"For input string|Failed to parse value \[", "Write the number without quotes; in Jinja, use `| int`."),
    Hint(
        None,
        r"component templates? \[.*\] (that|which)? ?(do|does) not exist",
        "Create the component template first, or name it in ignore_missing_component_templates.",
    ),
    Hint(
        None,
        r"would cause index templates|same priority|multiple index templates may not match",
        "Give this template another priority or narrower index_patterns.",
    ),
    Hint(
        None,
        r"cannot be removed as they are still in use|still in use by",
        "Take it out of the index templates that are named, or remove those first.",
    ),
    Hint(
        None,
        r"unable to remove (composable|index) templates|in use by a? ?data streams?",
        "Delete the data streams that use it first, or let another template match them.",
    ),
    Hint(
        None, r"unknown setting \[|\], not recognized", "Correct the name of the setting; this server does not know it."
    ),
    Hint(
        None,
        r"not dynamically updateable|final \w* ?setting|Can't update non dynamic settings",
        "Nothing changes this setting at run time: set it in elasticsearch.yml and restart the node, or, of an index, "
        "when the index is made.",
    ),
    Hint(
        None,
        r"No processor type exists with name",
        "Correct the name of the processor, or use a distribution that has it; elasticsearch_info lists those of this "
        "server.",
    ),
    Hint(None, r"cannot have an empty on_failure", "Leave on_failure out, or give it a processor."),
    Hint(None, r"required property is missing", "Give the processor the option that is named."),
    Hint(
        None,
        r"No handler for type \[|mapper type \[.*does not exist",
        "Correct the type of the field, or use a distribution of Elasticsearch that has it.",
    ),
    Hint(
        None,
        r"only be used in combination with a data stream",
        "Give the index template data_stream, which may be {}.",
    ),
    Hint(
        None,
        r"no matching index template found for data stream",
        "Create an index template with data_stream whose index_patterns match this name first.",
    ),
    Hint(
        None,
        r"Cannot delete policy",
        "Take it out of the setting index.lifecycle.name of the indices that are named, or remove them first.",
    ),
    Hint(
        None,
        r"invalid action \[",
        "Move the action to a phase that may have it; elastic.co lists them under Index lifecycle actions.",
    ),
    Hint(
        None, r"rollover condition must be set", "Give rollover a condition such as max_age or max_primary_shard_size."
    ),
    Hint(
        None,
        r"unknown (field|parameter|key) \[|unexpected field \[|one or more provided configuration parameters"
        r"|[Uu]nsupported parameters",
        "Correct the name, or leave it out: this server does not know it, which may be because it is too old.",
    ),
    Hint(
        None,
        r"for uri \[/_security|Invalid index name \[_security",
        "Users are switched off on this server, or it is too old. Set xpack.security.enabled to true in "
        "elasticsearch.yml of every node, with TLS, and restart them.",
    ),
    Hint(
        None,
        r"api keys are not enabled",
        "Set xpack.security.authc.api_key.enabled to true in elasticsearch.yml of every node and restart them; 7.17 "
        "wants TLS for it.",
    ),
    Hint(
        None,
        r"Native (user|role) management is not enabled",
        "Take xpack.security.authc.native_users.enabled and native_roles.enabled out of elasticsearch.yml of every "
        "node and restart them.",
    ),
    Hint(
        None,
        r"\[(pattern_capture|uax_url_email|unique)\]",
        "This is a reduced distribution, which can hold neither users nor roles nor keys of its own. Use a full "
        "distribution of Elasticsearch, or leave this out.",
    ),
    Hint(
        None,
        r"[Nn]o handler found for uri|no handler found|Incorrect HTTP method",
        "This server does not have this API: it is too old for it or a reduced distribution.",
    ),
    Hint(502, r"", "A proxy cannot reach Elasticsearch. Check that Elasticsearch runs behind it."),
    Hint(503, r"", "Elasticsearch is not ready. Wait until its health is yellow or green, then run this again."),
    Hint(504, r"", "A proxy did not wait long enough for Elasticsearch. Raise its time limit."),
)
SILENCE = (
    Hint(
        None,
        r"self.signed certificate|unable to get local issuer|unable to get issuer",
        "Give the certificate of the authority that signed the server's certificate as ca_path.",
    ),
    Hint(
        None,
        r"[Hh]ostname mismatch|IP address mismatch|doesn't match|not valid for",
        "Use the host name that stands in the server's certificate, or have a certificate made for this one.",
    ),
    Hint(None, r"certificate has expired", "Renew the server's certificate."),
    Hint(None, r"not yet valid", "Set the clocks: the server's certificate becomes valid later than now."),
    Hint(
        None, r"WRONG_VERSION_NUMBER|record layer|UNKNOWN_PROTOCOL", "The port does not speak TLS: use http:// there."
    ),
    Hint(
        None,
        r"CERTIFICATE_REQUIRED|bad certificate|handshake failure|HANDSHAKE_FAILURE",
        "The server asks for a certificate of the client. Give client_cert and client_key.",
    ),
    Hint(None, r"[Rr]efused", "Start Elasticsearch there, or correct host and port in url."),
    Hint(
        None,
        r"[Ff]ailed to resolve|Name or service not known|Temporary failure in name resolution|nodename nor",
        "Correct the host name in url, or add it to DNS or /etc/hosts.",
    ),
    Hint(
        None,
        r"timed out during request",
        "The server took the request, but did not answer in time: it is overloaded, or waits for a shard that no node "
        "takes, most often because their disks are full (GET /_cluster/allocation/explain says why). Mend that, "
        "or raise timeout.",
    ),
    Hint(
        None,
        r"[Tt]imed out|unreachable|No route",
        "Check that the host is up and that no firewall is in between, or raise timeout.",
    ),
    Hint(
        None,
        r"RemoteDisconnected|closed connection|reset by peer|BadStatusLine|Connection aborted",
        "If the server speaks TLS, begin url with https://; otherwise look at the server's log.",
    ),
    Hint(None, r"", "Check url and the server's log."),
)


def check_client() -> str:
    """Say why the Python client cannot be used, or nothing when it can."""
    if IMPORT_ERROR:
        return f"{missing_required_lib('elasticsearch')} Install it with: pip install 'elasticsearch>=8.19,<9'"
    if not OLDEST_CLIENT <= CLIENT_VERSION < TOO_NEW_CLIENT:
        found = ".".join(map(str, CLIENT_VERSION))
        return (
            f"The Python package elasticsearch is version {found}, but only 8.19 speaks to servers 7.17, 8 and 9. "
            "Install it with: pip install 'elasticsearch>=8.19,<9'"
        )
    return ""


def connect(params: Params) -> Connection:
    """Open a connection with the connection options of a module and find out the server's version.

    :raises OptionError: when an option cannot work; nothing was sent then.
    :raises ApiError: when there is no usable Elasticsearch.
    """
    check_connection(params)
    warnings.simplefilter("ignore", elasticsearch.ElasticsearchWarning)
    client = elasticsearch.Elasticsearch(
        [node_config(url, params) for url in params["url"]],
        headers=authorization(params),
        request_timeout=params["timeout"],
        max_retries=0,
    )
    connection = Connection(client, ", ".join(params["url"]), params["retries"])
    node = read_node(connection, authorization(params))
    if node is None:
        return connection
    return connection._replace(version=parse_version(node["version"]), modules=module_names(node))


def module_names(node: Body) -> frozenset[str]:
    """Name the modules and plugins of a node."""
    return frozenset(module["name"] for module in node.get("modules", []) + node.get("plugins", []))


def authorization(params: Params) -> dict[str, str]:
    """Build the header that carries the credentials."""
    if params["username"]:
        pair = f"{params['username']}:{params['password']}"
        return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    if params["api_key"]:
        key = params["api_key"]
        return {"authorization": f"ApiKey {base64.b64encode(key.encode()).decode() if ':' in key else key}"}
    if params["bearer_token"]:
        return {"authorization": f"Bearer {params['bearer_token']}"}
    return {}


def node_config(url: str, params: Params) -> elastic_transport.NodeConfig:
    """Describe one node to the client.

    :raises OptionError: when a file is no certificate or key.
    """
    parts = urlsplit(url)
    tls = tls_options(params) if parts.scheme == "https" else {}
    host, port = str(parts.hostname), int(parts.port or 0)
    return elastic_transport.NodeConfig(parts.scheme, host, port, parts.path.rstrip("/"), **tls)


def tls_options(params: Params) -> dict[str, t.Any]:
    """Trust the authorities of ca_path alone, else those of the system, or anybody where the user says so.

    :raises OptionError: when a file is no certificate or key.
    """
    ca_path, certificate, key = params["ca_path"], params["client_cert"], params["client_key"]
    try:
        context = ssl.create_default_context(cafile=ca_path)
        if certificate:
            context.load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError) as error:
        raise OptionError(
            f"ca_path, client_cert or client_key cannot be used: {error}. Each is a readable PEM file, the key "
            "without a passphrase, and client_key belongs to client_cert.",
        ) from error
    if not params["validate_certs"]:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return {"ssl_context": context, "verify_certs": False, "ssl_show_warn": False}
    if ca_path:
        # The client adds the authorities of certifi to a context of ours, but not to a file.
        return {"ca_certs": ca_path, "client_cert": certificate, "client_key": key}
    return {"ssl_context": context}


def read_node(connection: Connection, headers: dict[str, str]) -> Body | None:
    """Ask the node for its version and modules, without `GET /`, which reduced distributions do not have.

    :raises ApiError: when it is no Elasticsearch or one that is too old.
    """
    what = "Cannot use Elasticsearch"
    try:
        answer = call(connection, Request(what, "GET", NODES))
    except ApiError as error:
        if error.status == HTTPStatus.FORBIDDEN and "security_exception" in error.said:
            return None
        if error.status in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_ACCEPTABLE}:
            check_origin(connection, headers, what)
        raise
    node: Body = next(iter(answer["nodes"].values()))
    check_age(parse_version(node["version"]), connection.url, what)
    return node


def check_origin(connection: Connection, headers: dict[str, str], what: str) -> None:
    """Ask once more in the plain dialect of servers that do not know this client.

    :raises ApiError: when the answer says what the server is.
    """
    meta, body = connection.client.transport.perform_request(
        "GET", NODES, headers={"accept": "application/json", **headers}
    )
    if meta.status != HTTPStatus.OK or not isinstance(body, dict) or not body.get("nodes"):
        return
    node = next(iter(body["nodes"].values()))
    if "build_flavor" in node:
        check_age(parse_version(node["version"]), connection.url, what)
    raise ApiError(
        what,
        connection.url,
        f"is not Elasticsearch (it may be OpenSearch {node['version']})",
        "Give the address of an Elasticsearch 7.17 or later as url.",
    )


def check_age(version: tuple[int, ...], url: str, what: str) -> None:
    """Refuse a server that is too old.

    :raises ApiError: with the fix.
    """
    if version < OLDEST_SERVER:
        found = ".".join(map(str, version))
        raise ApiError(what, url, f"is Elasticsearch {found}", "Upgrade it to 7.17 or later.")


def parse_version(version: str) -> tuple[int, ...]:
    """Turn 8.19.0 or 9.2.0-SNAPSHOT into numbers."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def call(connection: Connection, request: Request) -> t.Any:
    """Send a request and give its JSON answer; repeat it, with growing pauses, while the trouble may pass.

    :raises ApiError: when there is no answer, or none that can be used.
    """
    repeatable = request.method != "POST" if request.repeatable is None else request.repeatable
    attempts = connection.retries + 1 if repeatable else 1
    outcome = attempt(connection, request, 1, attempts)
    for number in range(2, attempts + 1):
        if outcome.pause is None:
            break
        time.sleep(outcome.pause)
        outcome = attempt(connection, request, number, attempts)
    return outcome.answer


def attempt(connection: Connection, request: Request, number: int, attempts: int) -> Outcome:
    """Try a request once; say how long to wait when it is worth another attempt and one is left.

    :raises ApiError: when it is not.
    """
    try:
        return Outcome(send(connection, request))
    except elasticsearch.ApiError as error:
        if request.absent_is_none and is_absent(error):
            return Outcome(None)
        if number == attempts or not may_pass(error):
            raise refused(error, request, number) from error
        return Outcome(None, pause(number, error.meta.headers.get("retry-after") or ""))
    except elastic_transport.TransportError as error:
        if number == attempts or not may_pass(error):
            raise silent(error, request, connection.url, number) from error
        return Outcome(None, pause(number, ""))


def send(connection: Connection, request: Request) -> t.Any:
    """Send a request once."""
    headers = {"accept": "application/json"}
    if request.body is not None:
        headers["content-type"] = "application/x-ndjson" if isinstance(request.body, bytes) else "application/json"
    return connection.client.perform_request(request.method, request.path, headers=headers, body=request.body).body


def is_absent(error: elasticsearch.ApiError) -> bool:
    """Tell Elasticsearch's own 404 from that of a proxy."""
    return error.meta.status == HTTPStatus.NOT_FOUND and error.meta.headers.get("x-elastic-product") == "Elasticsearch"


def may_pass(error: Exception) -> bool:
    """Say whether the same request may succeed a little later."""
    if isinstance(error, elasticsearch.ApiError):
        return error.meta.status in PASSING_TROUBLE and "cluster_block_exception" not in str(error.body)
    return not isinstance(error, (elastic_transport.TlsError, elastic_transport.SerializationError))


def pause(attempt: int, retry_after: str) -> float:
    """Compute the seconds to wait after an attempt: what the server asks for, else twice as long each time."""
    asked = float(retry_after) if retry_after.isdigit() else FIRST_PAUSE * 2.0 ** (attempt - 1)
    return min(asked, LONGEST_PAUSE)


def refused(error: elasticsearch.ApiError, request: Request, attempts: int) -> ApiError:
    """Turn an answer that is none of ours or a refusal into the error that modules report."""
    node, status = error.meta.node, error.meta.status
    where = (
        f"{request.method} {node.scheme}://{node.host}:{node.port}{node.path_prefix}{request.path.partition('?')[0]}"
    )
    answered = f"answered {status}" + tried(attempts)
    if not isinstance(error.body, (dict, list)):
        fix = "This is a proxy or another web server. Correct url, or let the proxy pass the answers of Elasticsearch. "
        said = f"{answered} with {page(str(error.body))} instead of JSON"
        return ApiError(request.what, where, said, (fix + explain(status, "")).strip(), status)
    if isinstance(error, elasticsearch.UnsupportedProductError):
        return ApiError(
            request.what,
            where,
            f"{answered}, but without the mark of Elasticsearch (header X-Elastic-Product)",
            "Give the address of an Elasticsearch 7.17 or later as url, or let the proxy pass this header.",
            status,
        )
    said = reason(error.body)
    return ApiError(request.what, where, f"{answered}: {said}", explain(status, said), status)


def silent(error: elastic_transport.TransportError, request: Request, url: str, attempts: int) -> ApiError:
    """Turn a missing or unreadable answer into the error that modules report."""
    message, where = str(error.message), f"{request.method} {url}{request.path.partition('?')[0]}"
    if isinstance(error, elastic_transport.SerializationError):
        fix = "This is a proxy or another server. Correct url, or let the proxy pass the answers of Elasticsearch."
        return ApiError(request.what, where, "answered with something that is not JSON", fix)
    if isinstance(error, elastic_transport.TlsError):
        said = "failed in TLS: " + tidy(message)
    else:
        said = "did not answer" + tried(attempts) + ": " + tidy(message)
    return ApiError(request.what, where, said, first_fix(SILENCE, None, message))


def tried(attempts: int) -> str:
    """Say how often, when it was more than once."""
    return f" (after {attempts} attempts)" if attempts > 1 else ""


def tidy(message: str) -> str:
    """Take the addresses and line numbers of Python out of the words of a network error."""
    without_objects = re.sub(r"<?[\w.]*HTTPS?Connection(Pool)?\([^)]*\)(: | object at \w+>: )?|<[^>]*>: ", "", message)
    return re.sub(r" \(_ssl\.c:\d+\)|\[SSL: \w+\] ", "", without_objects)[:LONGEST_QUOTE]


def page(body: str) -> str:
    """Name a web page by its title, other text by its beginning."""
    title = re.search(r"<title[^>]*>\s*(.*?)\s*</title>", body, re.IGNORECASE | re.DOTALL)
    if title or "<html" in body.lower():
        return f"an HTML page ({title.group(1)[:80]!r})" if title else "an HTML page"
    return f"the text {body[:80]!r}" if body else "nothing"


def reason(body: t.Any) -> str:
    """Put an error body of Elasticsearch into words: its type, its reason and the deepest cause."""
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return str(error)[:LONGEST_QUOTE]
    cause = error
    while isinstance(cause.get("caused_by"), dict):
        cause = cause["caused_by"]
    words = [f"{error.get('type', 'error')}: {error.get('reason', error)}"]
    if cause is not error and str(cause.get("reason")) not in words[0]:
        words.append(f"caused by {cause.get('type')}: {cause.get('reason')}")
    return ", ".join(words)[: 3 * LONGEST_QUOTE]


def explain(status: int | None, said: str) -> str:
    """Say how to mend a refusal, of a whole request or of one item of a bulk request; nothing when it is not known."""
    return first_fix(HINTS, status, said)


def first_fix(hints: t.Sequence[Hint], status: int | None, said: str) -> str:
    """Find the first hint that fits."""
    return next((hint.fix for hint in hints if hint.status in {None, status} and re.search(hint.words, said)), "")


def lack(connection: Connection, feature: str) -> str:
    """Say that a server lacks a feature, as far as is known, and what to do about it."""
    if connection.version is None or features(connection.version, connection.modules)[feature]:
        return ""
    version = ".".join(map(str, connection.version))
    return (
        f"{connection.url} is Elasticsearch {version} without {WORDS[feature]}: it is too old or a reduced "
        "distribution. Use a full distribution of Elasticsearch, or leave this out."
    )


ELASTICSEARCH = Api(OPTIONS, CONNECTION_RULES, check_client, connect, call, lack)
