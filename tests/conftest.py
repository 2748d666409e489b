# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures that every test may use."""

from __future__ import annotations

import typing as t

import pytest

from tests.elasticsearch_server import running_elasticsearch, url_for_tests


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
