#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what an Elasticsearch cluster is and how it is."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_info
short_description: Read version, health, features, licence and disk state of Elasticsearch
description:
  - Reads what a cluster is and how it is, with requests that reduced distributions answer too.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes.info
  - raylogs.efk._connection
options:
  assume_version:
    description:
      - Answer what a full distribution of this version would that holds nothing, without a request.
      - For check mode, in a play that would install the server. Refused otherwise.
    type: str
"""

EXAMPLES = r"""
- name: Ask Elasticsearch on this machine
  raylogs.efk.elasticsearch_info:
  register: elasticsearch

- name: Stop where the cluster is not healthy
  ansible.builtin.assert:
    that: elasticsearch.health.status == 'green'
    fail_msg: "The cluster is {{ elasticsearch.health.status }}. Look at its unassigned shards."
    quiet: true
"""

RETURN = r"""
version:
  description: Version of the node that answered.
  returned: success
  type: str
  sample: 8.19.0
cluster_name:
  description: Name of the cluster.
  returned: success
  type: str
  sample: logs
cluster_uuid:
  description: What tells this cluster from all others.
  returned: success
  type: str
  sample: U8hAkqNtS-2zquekKEOTeg
health:
  description: Health of the cluster, as C(_cluster/health) gives it.
  returned: success
  type: dict
  sample: {"status": "green", "number_of_nodes": 1, "unassigned_shards": 0}
features:
  description: Which features the node that answered has, by its version and its modules.
  returned: success
  type: dict
  contains:
    data_stream_api: {description: Data streams can be listed and deleted., type: bool, returned: success}
    data_stream_lifecycle: {description: Templates may hold a lifecycle., type: bool, returned: success}
    data_stream_templates: {description: Templates may make data streams., type: bool, returned: success}
    esql: {description: ES|QL., type: bool, returned: success}
    ilm: {description: ILM policies., type: bool, returned: success}
    logsdb: {description: The index mode logsdb., type: bool, returned: success}
    native_users: {description: "Users, roles and API keys of its own.", type: bool, returned: success}
    painless: {description: Scripts in Painless., type: bool, returned: success}
    reindex: {description: "Reindexing, update and deletion by query.", type: bool, returned: success}
    role_descriptions: {description: Descriptions of roles., type: bool, returned: success}
    slm: {description: SLM policies., type: bool, returned: success}
  sample: {"ilm": true, "logsdb": true}
ingest_processors:
  description: Types of processors that ingest pipelines may use.
  returned: success
  type: list
  elements: str
  sample: [date, grok, set]
license:
  description: Type and status of the licence; null where the server does not say.
  returned: success
  type: dict
  sample: {"type": "basic", "status": "active"}
disk:
  description: The watermarks and, for each node, which of them its disk has passed.
  returned: success
  type: dict
  contains:
    threshold_enabled: {description: Whether watermarks count at all., type: bool, returned: success}
    watermarks: {description: The three watermarks as they are set., type: dict, returned: success}
    nodes:
      description: Name, total and available bytes, and V(none), V(low), V(high) or V(flood_stage) as C(watermark).
      type: list
      elements: dict
      returned: success
  sample:
    threshold_enabled: true
    watermarks: {"low": "85%", "high": "90%", "flood_stage": "95%"}
    nodes: [{"name": "es1", "total": 270553174016, "available": 80764731392, "watermark": "none"}]
blocks:
  description: What the whole cluster (C(cluster)) and single indices (C(indices), by name) are blocked for.
  returned: success
  type: dict
  sample: {"cluster": [], "indices": {"app-1": ["index write (api)"]}}
"""

import typing as t
from http import HTTPStatus

from ansible_collections.raylogs.efk.plugins.module_utils._api import ApiError, OptionError, Request
from ansible_collections.raylogs.efk.plugins.module_utils._cluster import all_modules, blocks, disk_state, features
from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import (
    ELASTICSEARCH,
    Connection,
    call,
    connect,
    module_names,
    parse_version,
)
from ansible_collections.raylogs.efk.plugins.module_utils._module import execute

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._api import Body
    from ansible_collections.raylogs.efk.plugins.module_utils._module import Task

PARTS = ("version", "modules.name", "plugins.name", "ingest")
NODE = f"/_nodes/_local?filter_path=cluster_name,{','.join(f'nodes.*.{part}' for part in PARTS)}"
DISK_SETTINGS = "/_cluster/settings?include_defaults=true&filter_path=*.cluster.routing.allocation.disk"
# A reduced server does not know the API, or this user may not use it.
NO_LICENSE = (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
DISK_STATS = "/_nodes/data:true/stats/fs?filter_path=nodes.*.name,nodes.*.fs.total"


def ask(connection: Connection, path: str) -> t.Any:
    """Send one reading request."""
    return call(connection, Request("Cannot read about the cluster", "GET", path))


def read_license(connection: Connection) -> Body | None:
    """Read the licence, where the server has that API and the user may use it."""
    try:
        answer = ask(connection, "/_license")["license"]
    except ApiError as error:
        if error.status not in NO_LICENSE:
            raise
        return None
    return {"type": answer["type"], "status": answer["status"]}


def read_cluster(connection: Connection) -> Body:
    """Gather all that the module returns."""
    local = ask(connection, NODE)
    node = next(iter(local["nodes"].values()))
    state = ask(connection, "/_cluster/state/blocks")
    return {
        "version": node["version"],
        "cluster_name": local["cluster_name"],
        "cluster_uuid": state["cluster_uuid"],
        "health": ask(connection, "/_cluster/health"),
        "features": features(parse_version(node["version"]), module_names(node)),
        "ingest_processors": sorted(processor["type"] for processor in node["ingest"]["processors"]),
        "license": read_license(connection),
        "disk": disk_state(ask(connection, DISK_SETTINGS), ask(connection, DISK_STATS)),
        "blocks": blocks(state),
    }


def assume_cluster(version: str) -> Body:
    """Say what a full distribution of this version that holds nothing would return."""
    return {
        "version": version,
        "cluster_name": "",
        "cluster_uuid": "",
        "health": {},
        "features": features(parse_version(version), all_modules()),
        "ingest_processors": [],
        "license": None,
        "disk": {"threshold_enabled": True, "watermarks": {}, "nodes": []},
        "blocks": {"cluster": [], "indices": {}},
    }


def inform(task: Task) -> Body:
    """Read about a cluster, or assume one.

    :raises OptionError: when something is to be assumed outside of check mode.
    """
    version = task.params["assume_version"]
    if version and not task.check_mode:
        raise OptionError("assume_version is for check mode: what is there can be read.")
    if version and not parse_version(version):
        raise OptionError(f"assume_version {version!r} is no version. Write it as 8.19.0.")
    return {"changed": False, **(assume_cluster(version) if version else read_cluster(connect(task.params)))}


def main() -> None:
    """Read about one cluster."""
    execute(ELASTICSEARCH, {"assume_version": {"type": "str"}}, inform)


if __name__ == "__main__":
    main()
