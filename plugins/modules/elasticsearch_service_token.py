#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a token of a service account of Elasticsearch in a file."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_service_token
short_description: Keep a token of a service account of Elasticsearch in a file
description:
  - Makes a token of a service account, such as that of Kibana, and writes it to a file.
  - A token that exists while the file does not hold it is never replaced, because something may use it.
  - The secret is returned nowhere and shown nowhere; it stands in the file alone.
  - Needs the cluster privilege C(manage_service_account), and a full distribution of Elasticsearch.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes
  - raylogs.efk._connection
options:
  name:
    description: Name of the token, at most 256 letters without accents, digits, C(-) and C(_).
    type: str
    required: true
  path:
    description:
      - File on the host that runs this module, with an absolute path.
      - It holds the token and a line end, nothing else.
      - Made with mode 0600, in folders that are made with mode 0700 where they are missing.
      - Refused when others may read it, when it holds something else, or when it cannot be written.
      - Runs on one folder at the same time wait for each other. A disk of another host (NFS) may not let them.
      - Required when O(state=present). With O(state=absent) the file is removed.
    type: path
  namespace:
    description: Namespace of the service account.
    type: str
    default: elastic
  service:
    description: Name of the service account.
    type: str
    default: kibana
  state:
    description: V(present) keeps the token in the file. V(absent) deletes it and removes the file.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: raylogs.efk.elasticsearch_service_token_info
  - name: Service accounts
    description: What Elastic says about them.
    link: https://www.elastic.co/docs/deploy-manage/users-roles/cluster-or-deployment-auth/service-accounts
"""

EXAMPLES = r"""
- name: Keep a token for Kibana
  raylogs.efk.elasticsearch_service_token:
    name: kibana1
    path: /etc/raylogs/secrets/kibana1
  delegate_to: localhost

- name: Delete it and remove the file
  raylogs.efk.elasticsearch_service_token:
    name: kibana1
    path: /etc/raylogs/secrets/kibana1
    state: absent
"""

RETURN = r"""
service_token:
  description: The token without its secret; null when absent.
  returned: success
  type: dict
  sample:
    name: kibana1
    namespace: elastic
    service: kibana
    path: /etc/raylogs/secrets/kibana1
"""

from ansible_collections.raylogs.efk.plugins.module_utils._service_tokens import run_service_token


def main() -> None:
    """Keep one token in a file."""
    run_service_token()


if __name__ == "__main__":
    main()
