# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that reach a server, the same in all modules of a product."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of the connection to Elasticsearch."""

    DOCUMENTATION = r"""
options:
  url:
    description:
      - Addresses of Elasticsearch, each with scheme, host and port; a path may follow.
      - With several, the next one is asked when one does not answer.
      - Falls back to E(ELASTICSEARCH_URL), where commas separate several addresses.
    type: list
    elements: str
    default: ["http://localhost:9200"]
  username:
    description: User name for basic authentication. Falls back to E(ELASTICSEARCH_USERNAME).
    type: str
  password:
    description: Password for basic authentication. Falls back to E(ELASTICSEARCH_PASSWORD).
    type: str
  api_key:
    description:
      - API key, either as Elasticsearch returns it in C(encoded) or as C(id:api_key).
      - Falls back to E(ELASTICSEARCH_API_KEY).
    type: str
  bearer_token:
    description: Token of a service account or of the token service. Falls back to E(ELASTICSEARCH_BEARER_TOKEN).
    type: str
  ca_path:
    description:
      - File with the certificates of the authorities to trust instead of those of the system.
      - Falls back to E(ELASTICSEARCH_CA_PATH).
    type: path
  validate_certs:
    description: Whether the server's certificate is verified. Falls back to E(ELASTICSEARCH_VALIDATE_CERTS).
    type: bool
    default: true
  client_cert:
    description:
      - File with the certificate that this client shows, and with its key unless O(client_key) is given.
      - Falls back to E(ELASTICSEARCH_CLIENT_CERT).
    type: path
  client_key:
    description: File with the key of O(client_cert), without a passphrase. Falls back to E(ELASTICSEARCH_CLIENT_KEY).
    type: path
  timeout:
    description: Seconds to wait for one answer. Falls back to E(ELASTICSEARCH_TIMEOUT).
    type: int
    default: 30
  retries:
    description:
      - How often a request is repeated when the server does not answer, or answers 429, 502, 503 or 504.
      - The pauses between grow from half a second to 16 seconds, or last as long as the server asks for.
      - Falls back to E(ELASTICSEARCH_RETRIES).
    type: int
    default: 4
requirements:
  - elasticsearch >= 8.19, < 9 (the Python client, for servers 7.17, 8 and 9)
notes:
  - Runs where the Python client is installed, usually on the control node (C(delegate_to=localhost), C(run_once)).
  - The check of the server's version needs the cluster privilege C(monitor); without it the check is left out.
seealso:
  - name: Elasticsearch client for Python
    description: Compatibility of the client with servers.
    link: https://www.elastic.co/docs/reference/elasticsearch/clients/python
attributes:
  action_group:
    description: Use C(module_defaults) for C(group/raylogs.efk.elasticsearch) to set the connection once.
    support: full
    membership: [raylogs.efk.elasticsearch]
"""
