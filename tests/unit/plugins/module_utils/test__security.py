# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Speak about users to servers that answer this or that, over real sockets."""

from __future__ import annotations

import json
import time
import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils._api import ApiError, OptionError, Params
from ansible_collections.raylogs.efk.plugins.module_utils._api_keys import read_clock
from ansible_collections.raylogs.efk.plugins.module_utils._args import connection_options
from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import connect
from ansible_collections.raylogs.efk.plugins.module_utils._roles import check_privileges
from ansible_collections.raylogs.efk.plugins.module_utils._security import (
    basic,
    check_realm,
    connect_to_users,
    disabled_realm,
    identify,
)

from tests.stranger import Answer, stranger

DEFAULTS: Params = {
    **{name: option.get("default") for name, option in connection_options("x", "http://localhost:9200").items()},
    "retries": 0,
}
MARK = {"X-Elastic-Product": "Elasticsearch", "Content-Type": "application/json"}
OK = Answer(200, MARK, json.dumps({"nodes": {"x": {"version": "8.19.0", "build_flavor": "default"}}}))
FORBIDDEN = Answer(403, MARK, '{"error": {"type": "security_exception", "reason": "action [x] is unauthorized"}}')
UNKNOWN = Answer(401, MARK, '{"error": {"type": "security_exception", "reason": "unable to authenticate"}}')
BROKEN = Answer(500, MARK, '{"error": {"type": "x", "reason": "broken"}}')


def nodes(authc: t.Any) -> Answer:
    """Build the settings of a node as Elasticsearch answers them."""
    return Answer(200, MARK, json.dumps({"nodes": {"x": {"settings": {"xpack": {"security": {"authc": authc}}}}}}))


@pytest.mark.parametrize(
    ("answer", "whom"),
    [
        pytest.param(Answer(200, MARK, '{"username": "ada"}'), {"username": "ada"}, id="somebody"),
        pytest.param(UNKNOWN, None, id="nobody"),
    ],
)
def test_credentials(answer: Answer, whom: t.Any) -> None:
    with stranger(OK, answer) as server:
        connection = connect({**DEFAULTS, "url": [server.url], "username": "elastic", "password": "p"})
        assert identify(connection, basic("ada", "x")) == whom
    sent = [asked.headers.get("authorization") for asked in server.asked]
    assert sent == [basic("elastic", "p"), basic("ada", "x")]


def test_trouble_is_not_taken_for_wrong_credentials() -> None:
    with stranger(OK, BROKEN) as server, pytest.raises(ApiError, match="broken"):
        identify(connect({**DEFAULTS, "url": [server.url]}), basic("ada", "x"))


@pytest.mark.parametrize(
    "said",
    [
        "no handler found for uri [/_security/_authenticate] and method [GET]",
        "Incorrect HTTP method for uri [/_security/_authenticate] and method [GET], allowed: [POST]",
    ],
)
def test_server_without_users_is_refused(said: str) -> None:
    words = "Users are switched off on this server, or it is too old"
    with stranger(OK, Answer(400, MARK, json.dumps({"error": said}))) as server, pytest.raises(ApiError, match=words):
        connect_to_users({**DEFAULTS, "url": [server.url]})


@pytest.mark.parametrize(
    ("authc", "reserved", "setting"),
    [
        pytest.param({}, False, "", id="nothing is set"),
        pytest.param({"realms": {"file": {"f": {"enabled": "false"}}}}, False, "", id="another realm"),
        pytest.param({"realms": {"native": {"n": {"order": "0"}}}}, False, "", id="only its order is set"),
        pytest.param(
            {"realms": {"native": {"n": {"enabled": "false"}}}},
            False,
            "xpack.security.authc.realms.native.n.enabled",
            id="the realm is disabled",
        ),
        pytest.param({"realms": {"native": {"n": {"enabled": "false"}}}}, True, "", id="built-in users do without"),
        pytest.param(
            {"reserved_realm": {"enabled": "false"}},
            True,
            "xpack.security.authc.reserved_realm.enabled",
            id="that of built-in users is disabled",
        ),
    ],
)
def test_realm(authc: t.Any, reserved: bool, setting: str) -> None:
    assert disabled_realm(authc, reserved=reserved) == setting
    with stranger(OK, nodes(authc)) as server:
        connection = connect({**DEFAULTS, "url": [server.url]})
        if setting:
            with pytest.raises(OptionError, match=f"Cannot write: {setting} is false on this server"):
                check_realm(connection, "Cannot write", reserved=reserved)
        else:
            check_realm(connection, "Cannot write", reserved=reserved)


def test_what_a_user_may_not_know_is_not_checked() -> None:
    with stranger(OK, FORBIDDEN, FORBIDDEN) as server:
        connection = connect({**DEFAULTS, "url": [server.url]})
        check_realm(connection, "Cannot write", reserved=False)
        check_privileges(connection, "Cannot write", [{"cluster": ["xyzzy"]}])


def test_time_is_that_of_the_server_where_it_may_be_asked() -> None:
    hour = 3_600_000
    ahead = Answer(200, MARK, json.dumps({"nodes": {"x": {"timestamp": int(time.time() * 1000) + 48 * hour}}}))
    with stranger(OK, ahead, FORBIDDEN) as server:
        connection = connect({**DEFAULTS, "url": [server.url]})
        apart = [read_clock(connection) - time.time() * 1000 for _ in range(2)]
    assert [round(each / hour) for each in apart] == [48, 0]


def test_trouble_is_no_permission() -> None:
    with stranger(OK, BROKEN) as server, pytest.raises(ApiError, match="broken"):
        check_realm(connect({**DEFAULTS, "url": [server.url]}), "Cannot write", reserved=False)


def test_privileges_of_single_actions_are_left_to_the_server() -> None:
    known = Answer(200, MARK, '{"cluster": ["monitor"], "index": ["read"]}')
    rights = {"names": ["a"], "privileges": ["READ", "indices:data/read/get"]}
    with stranger(OK, known) as server:
        connection = connect({**DEFAULTS, "url": [server.url]})
        check_privileges(connection, "Cannot", [{"cluster": ["cluster:monitor/main", "Monitor"], "indices": [rights]}])
