# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse options before anything is sent."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils._api import OptionError, path_to
from ansible_collections.raylogs.efk.plugins.module_utils._args import check_connection, check_name, connection_options

if t.TYPE_CHECKING:
    from pathlib import Path

DEFAULTS = {name: option.get("default") for name, option in connection_options("x", "http://localhost:9200").items()}


def test_defaults_pass() -> None:
    check_connection(DEFAULTS)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        pytest.param("url", [], "url is empty", id="no url"),
        pytest.param("url", ["es1:9200"], "not of the form http", id="no scheme"),
        pytest.param("url", ["https://es1"], "not of the form http", id="no port"),
        pytest.param("url", ["ftp://es1:21"], "not of the form http", id="another scheme"),
        pytest.param("url", ["http://es1:9200/?pretty"], "not of the form http", id="a query"),
        pytest.param("url", ["http://es1:x"], "port that is no number", id="a port that is no number"),
        pytest.param("url", ["http://es1:9200", "http://:1"], "not of the form http", id="the second url is wrong"),
        pytest.param("ca_path", "/nonexistent/ca.pem", "ca_path /nonexistent/ca.pem is no file", id="no CA file"),
        pytest.param("client_cert", "/nonexistent", "client_cert /nonexistent is no file", id="no certificate"),
        pytest.param("timeout", 0, "timeout is at least 1", id="no time"),
        pytest.param("retries", -1, "retries at least 0", id="fewer than no retries"),
    ],
)
def test_impossible_option_is_refused(option: str, value: t.Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        check_connection({**DEFAULTS, option: value})


@pytest.mark.parametrize("value", ["TOPSECRET\n", "TOP SECRET", "TOPSECRET☃", "\x00TOPSECRET"])
@pytest.mark.parametrize("option", ["api_key", "bearer_token"])
def test_secret_that_cannot_be_sent_is_refused_and_not_repeated(option: str, value: str) -> None:
    with pytest.raises(OptionError, match=f"^{option} holds a blank, a line break") as refusal:
        check_connection({**DEFAULTS, option: value})
    assert "TOP" not in str(refusal.value)


def test_password_in_url_is_not_repeated() -> None:
    with pytest.raises(OptionError, match="Give them as username and password") as refusal:
        check_connection({**DEFAULTS, "url": ["https://elastic:s3cret@es1:9200"]})
    assert "s3cret" not in str(refusal.value)


def test_existing_file_passes(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    check_connection({**DEFAULTS, "ca_path": str(tmp_path / "ca.pem")})


def test_each_option_has_its_environment_variable() -> None:
    assert connection_options("kibana", "x")["api_key"]["fallback"][1] == ["KIBANA_API_KEY"]


@pytest.mark.parametrize("name", ["a", "ray-logs@mappings", "1.x_y"])
def test_name_passes(name: str) -> None:
    check_name("index template", name)


@pytest.mark.parametrize("name", ["", "A", "a*", "a,b", "_all", "a b", "a/b", "a#b", ".", "-a"])
def test_name_that_means_something_else_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match="Index template cannot be named"):
        check_name("index template", name)


def test_name_is_quoted_in_a_path() -> None:
    assert path_to("/_index_template/{name}", "a%b@c") == "/_index_template/a%25b%40c"
