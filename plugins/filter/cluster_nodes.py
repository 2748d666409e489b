# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say which nodes make up a cluster, from the variables of its hosts."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible.errors import AnsibleFilterError

Variables = t.Mapping[str, t.Any]
SHARED = "__elasticsearch_node"
"""The fact in which a host of this play tells the others its variables, defaults of the role included."""


def parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address, or nothing for a name."""
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None


def is_loopback(address: str) -> bool:
    """Say whether only programs of the same host reach an address."""
    parsed = parse_address(address)
    return parsed.is_loopback if parsed else address in {"localhost", "_local_"}


def is_one_address(bound: str) -> bool:
    """Say whether others can use an address as it stands: neither empty, nor any address, nor a name like _site_."""
    parsed = parse_address(bound)
    return bool(bound) and not bound.startswith("_") and not (parsed and parsed.is_unspecified)


def address_of(host: str, variables: Variables) -> str:
    """Return the address at which the other nodes reach a host."""
    if variables.get("elasticsearch_publish_host"):
        return str(variables["elasticsearch_publish_host"])
    bound = str(variables.get("elasticsearch_transport_host") or variables.get("elasticsearch_host") or "")
    if is_one_address(bound):
        return bound
    return "127.0.0.1" if is_loopback(bound) else str(variables.get("ansible_host") or host)


def cluster_nodes(hosts: t.Sequence[str], hostvars: t.Mapping[str, Variables], port: int) -> list[dict[str, t.Any]]:
    """Return the nodes of a cluster.

    :raises AnsibleFilterError: when a port is no number.
    """
    nodes = []
    for host in hosts:
        known = hostvars[host]
        variables = {**{name: known.get(name) for name in NAMES}, **(known.get(SHARED) or {})}
        roles = variables.get("elasticsearch_node_roles") or []
        address = address_of(host, variables)
        try:
            transport_port = int(variables.get("elasticsearch_transport_port") or port)
        except ValueError as error:
            raise AnsibleFilterError(f"elasticsearch_transport_port of {host} must be a number: {error}") from error
        nodes.append(
            {
                "host": host,
                "name": str(variables.get("elasticsearch_node_name") or host),
                "address": address,
                "seed": f"{f'[{address}]' if ':' in address else address}:{transport_port}",
                "loopback": is_loopback(address),
                "master": not roles or "master" in roles,
                "known": bool(known.get(SHARED)),
                "formed": bool(variables.get("formed")),
            }
        )
    return nodes


NAMES = (
    "ansible_host",
    "elasticsearch_host",
    "elasticsearch_node_name",
    "elasticsearch_node_roles",
    "elasticsearch_publish_host",
    "elasticsearch_transport_host",
    "elasticsearch_transport_port",
)


class FilterModule:
    """Name the filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"cluster_nodes": cluster_nodes, "is_loopback": is_loopback}
