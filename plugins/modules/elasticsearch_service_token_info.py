#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read about tokens of a service account of Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_service_token_info
short_description: Read about tokens of a service account of Elasticsearch
description:
  - Lists the tokens of a service account by name. Nothing that is secret is in it.
  - Needs the cluster privilege C(manage_service_account), or from 8.3 on C(read_security).
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes.info
  - raylogs.efk._connection
options:
  namespace:
    description: Namespace of the service account.
    type: str
    default: elastic
  service:
    description: Name of the service account.
    type: str
    default: kibana
seealso:
  - module: raylogs.efk.elasticsearch_service_token
"""

EXAMPLES = r"""
- name: Read which tokens Kibana has
  raylogs.efk.elasticsearch_service_token_info:
  register: found
  delegate_to: localhost
"""

RETURN = r"""
service_tokens:
  description: The tokens, by name; C(nodes) names the nodes that have it in a file, and is empty for others.
  returned: success
  type: list
  elements: dict
  sample:
    - name: kibana1
      nodes: []
"""

from ansible_collections.raylogs.efk.plugins.module_utils._module import inform
from ansible_collections.raylogs.efk.plugins.module_utils._security import SECURITY
from ansible_collections.raylogs.efk.plugins.module_utils._service_tokens import ACCOUNT, list_service_tokens


def main() -> None:
    """List tokens."""
    inform(SECURITY, ACCOUNT, list_service_tokens)


if __name__ == "__main__":
    main()
