# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures that every test may use."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
import requests

from tests.elasticsearch_server import (
    MissingJavaError,
    Secured,
    running_elasticsearch,
    running_secured_elasticsearch,
    url_for_tests,
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let golden files be written anew."""
    parser.addoption("--update-golden", action="store_true", help="write what the golden files expect; read the diff")


@pytest.fixture(scope="session")
def elasticsearch() -> t.Iterator[str]:
    """Give the URL of one real Elasticsearch, shared by the whole run: leave nothing behind, make no data stream."""
    with url_for_tests() as url:
        yield url


@pytest.fixture(scope="module")
def own_elasticsearch() -> t.Iterator[str]:
    """Give the URL of an empty Elasticsearch for one file of tests: for data streams, which a zip cannot delete."""
    with running_elasticsearch() as url:
        yield url


class Server(t.NamedTuple):
    """A real Elasticsearch of one of the versions that are supported."""

    url: str
    version: tuple[int, ...]


@pytest.fixture(scope="session", params=["8.19.0", "7.17.9", "9.2.0"])
def any_elasticsearch(request: pytest.FixtureRequest) -> t.Iterator[Server]:
    """Give a server of each version in turn, one at a time: leave nothing behind, make no data stream."""
    if request.param == "8.19.0":
        yield describe(request.getfixturevalue("elasticsearch"))
    else:
        with contextlib.ExitStack() as stack:
            try:
                url = stack.enter_context(running_elasticsearch(request.param))
            except MissingJavaError as error:
                pytest.skip(str(error))
            yield describe(url)


@pytest.fixture(scope="session")
def secured() -> t.Iterator[Secured]:
    """Give one real Elasticsearch with TLS, users, roles and keys, shared by the whole run: leave nothing behind."""
    with secured_or_skipped("8.19.0") as server:
        yield server


@pytest.fixture(scope="session", params=["8.19.0", "7.17.9", "9.2.0"])
def any_secured(request: pytest.FixtureRequest) -> t.Iterator[Secured]:
    """Give a secured server of each version in turn: leave nothing behind."""
    if request.param == "8.19.0":
        yield request.getfixturevalue("secured")
    else:
        with secured_or_skipped(request.param) as server:
            yield server


@contextlib.contextmanager
def secured_or_skipped(version: str) -> t.Iterator[Secured]:
    """Run a secured server, or skip and name the package with the Java or javac that is missing."""
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(running_secured_elasticsearch(version))
        except MissingJavaError as error:
            pytest.skip(str(error))
        yield server


def describe(url: str) -> Server:
    """Ask a server for its version."""
    answer = requests.get(f"{url}/_nodes/_local?filter_path=nodes.*.version", timeout=30).json()
    version = next(iter(answer["nodes"].values()))["version"]
    return Server(url, tuple(map(int, version.partition("-")[0].split("."))))
