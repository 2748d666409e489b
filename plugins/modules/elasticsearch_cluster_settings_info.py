#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the settings of an Elasticsearch cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_cluster_settings_info
short_description: Read the settings of an Elasticsearch cluster
description:
  - Reads the settings that were changed by requests, and if wanted all others with their defaults or as the
    configuration files say.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes.info
  - raylogs.efk._connection
options:
  include_defaults:
    description: Whether to read those settings, too, that nobody changed by a request.
    type: bool
    default: false
seealso:
  - module: raylogs.efk.elasticsearch_cluster_settings
"""

EXAMPLES = r"""
- name: Read what was changed
  raylogs.efk.elasticsearch_cluster_settings_info:
  register: settings
  delegate_to: localhost
"""

RETURN = r"""
persistent:
  description: Settings that outlive a restart, by their full names.
  returned: success
  type: dict
  sample: {"cluster.routing.allocation.disk.watermark.low": "80%"}
transient:
  description: Settings until the next restart.
  returned: success
  type: dict
  sample: {}
defaults:
  description: All other settings.
  returned: with O(include_defaults=true)
  type: dict
  sample: {"cluster.max_shards_per_node": "1000"}
"""

import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils._api import Request
from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import ELASTICSEARCH, Connection, call
from ansible_collections.raylogs.efk.plugins.module_utils._module import inform

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, Params


def read_settings(connection: Connection, params: Params) -> Body:
    """Read the settings, each by its full name."""
    path = f"/_cluster/settings?flat_settings=true&include_defaults={str(params['include_defaults']).lower()}"
    answer: Body = call(connection, Request("Cannot read the cluster settings", "GET", path))
    return answer


def main() -> None:
    """Read the settings of one cluster."""
    inform(ELASTICSEARCH, {"include_defaults": {"type": "bool", "default": False}}, read_settings)


if __name__ == "__main__":
    main()
