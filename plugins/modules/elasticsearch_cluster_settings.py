#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage the settings of an Elasticsearch cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_cluster_settings
short_description: Manage the settings of an Elasticsearch cluster
description:
  - Changes and resets those settings of a cluster that are named, and leaves all others alone.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes
  - raylogs.efk._connection
options:
  persistent:
    description:
      - Settings that outlive a restart, nested or dotted. V(null) resets one, a name that ends with C(*) resets all
        that begin so.
      - V("True") and V("False") are written in small letters, and numbers such as V(1.0) without the fraction.
    type: dict
  transient:
    description: The same, until the cluster is restarted. Elastic advises against it.
    type: dict
seealso:
  - module: raylogs.efk.elasticsearch_cluster_settings_info
  - name: Cluster settings
    description: What Elastic says about them.
    link: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-cluster-put-settings
"""

EXAMPLES = r"""
- name: Stop earlier when the disk gets full
  raylogs.efk.elasticsearch_cluster_settings:
    persistent:
      cluster.routing.allocation.disk.watermark.low: 80%
  delegate_to: localhost

- name: Reset it
  raylogs.efk.elasticsearch_cluster_settings:
    persistent:
      cluster.routing.allocation.disk.watermark.low: null
"""

RETURN = r"""
cluster_settings:
  description: All settings of the cluster that are not default, in check mode what would be written.
  returned: success
  type: dict
  sample:
    persistent:
      cluster.routing.allocation.disk.watermark.low: 80%
    transient: {}
"""

from ansible_collections.raylogs.efk.plugins.module_utils._module import run
from ansible_collections.raylogs.efk.plugins.module_utils._objects import CLUSTER_SETTINGS


def main() -> None:
    """Manage the settings of one cluster."""
    run(CLUSTER_SETTINGS)


if __name__ == "__main__":
    main()
