# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes make up a cluster."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.raylogs.efk.plugins.filter.cluster_nodes import (
    SHARED,
    FilterModule,
    cluster_nodes,
    is_loopback,
)

PORT = 9300


def node(variables: dict[str, t.Any]) -> dict[str, t.Any]:
    """Describe one host."""
    return cluster_nodes(["es1"], {"es1": variables}, PORT)[0]


@pytest.mark.parametrize(
    ("variables", "seed"),
    [
        pytest.param({}, "es1:9300", id="nothing is known"),
        pytest.param({"ansible_host": "192.0.2.1"}, "192.0.2.1:9300", id="the address of the inventory"),
        pytest.param({"elasticsearch_host": "::", "ansible_host": "192.0.2.1"}, "192.0.2.1:9300", id="any address"),
        pytest.param({"elasticsearch_host": "_site_"}, "es1:9300", id="a name of Elasticsearch"),
        pytest.param({"elasticsearch_host": "_local_"}, "127.0.0.1:9300", id="loopback by name"),
        pytest.param({"elasticsearch_host": "192.0.2.2", "ansible_host": "x"}, "192.0.2.2:9300", id="one address"),
        pytest.param({"elasticsearch_host": "2001:db8::1"}, "[2001:db8::1]:9300", id="version 6"),
        pytest.param(
            {"elasticsearch_host": "127.0.0.1", "elasticsearch_transport_host": "192.0.2.3"},
            "192.0.2.3:9300",
            id="an address for nodes alone",
        ),
        pytest.param(
            {"elasticsearch_host": "192.0.2.2", "elasticsearch_publish_host": "es1.example.com"},
            "es1.example.com:9300",
            id="the address that is published",
        ),
        pytest.param({"elasticsearch_transport_port": "9301"}, "es1:9301", id="another port"),
        pytest.param(
            {"elasticsearch_transport_port": 9301, SHARED: {"elasticsearch_transport_port": 9302}},
            "es1:9302",
            id="what the play knows wins",
        ),
    ],
)
def test_where_a_node_is_reached(variables: dict[str, t.Any], seed: str) -> None:
    assert node(variables)["seed"] == seed


def test_a_node_is_described() -> None:
    variables = {SHARED: {"elasticsearch_node_name": "a", "elasticsearch_node_roles": ["data"], "formed": True}}
    assert cluster_nodes(["es1", "es2"], {"es1": variables, "es2": {}}, PORT) == [
        {
            "host": "es1",
            "name": "a",
            "address": "es1",
            "seed": "es1:9300",
            "loopback": False,
            "master": False,
            "known": True,
            "formed": True,
        },
        {
            "host": "es2",
            "name": "es2",
            "address": "es2",
            "seed": "es2:9300",
            "loopback": False,
            "master": True,
            "known": False,
            "formed": False,
        },
    ]


def test_a_port_that_is_none() -> None:
    with pytest.raises(AnsibleFilterError, match="elasticsearch_transport_port of es1 must be a number"):
        node({"elasticsearch_transport_port": "many"})


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        *((address, True) for address in ("127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "_local_")),
        *((address, False) for address in ("::", "192.0.2.1", "es1", "")),
    ],
)
def test_is_loopback(address: str, *, loopback: bool) -> None:
    assert is_loopback(address) == loopback


def test_the_filters_have_names() -> None:
    assert set(FilterModule().filters()) == {"cluster_nodes", "is_loopback"}
