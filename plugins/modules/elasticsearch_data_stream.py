#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage data streams of Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_data_stream
short_description: Manage data streams of Elasticsearch
description:
  - Creates data streams, sets how long they keep their documents, and deletes them.
  - The index template of a stream must exist before it. See M(raylogs.efk.elasticsearch_index_template).
  - Needs a server with the API of data streams; a reduced distribution has none.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes
  - raylogs.efk._connection
options:
  name:
    description: Name of the data stream.
    type: str
    required: true
  state:
    description: Whether the data stream exists. V(absent) deletes it B(with all its documents).
    type: str
    choices: [present, absent]
    default: present
  lifecycle:
    description:
      - The lifecycle of the stream, with V({}) the default one. Needs Elasticsearch 8.14.
      - Without this option, whatever lifecycle the stream has is left alone.
    type: dict
    suboptions:
      data_retention:
        description: How long documents are kept at least, such as V(30d); for ever without it.
        type: str
      enabled:
        description: Whether the lifecycle is carried out.
        type: bool
      downsampling:
        description: Rounds of downsampling, for time series.
        type: list
        elements: dict
seealso:
  - module: raylogs.efk.elasticsearch_data_stream_info
  - name: Data streams
    description: What Elastic says about them.
    link: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-indices-create-data-stream
"""

EXAMPLES = r"""
- name: Let a data stream keep its documents for a week
  raylogs.efk.elasticsearch_data_stream:
    name: app
    lifecycle:
      data_retention: 7d
  delegate_to: localhost

- name: Delete the data stream and its documents
  raylogs.efk.elasticsearch_data_stream:
    name: app
    state: absent
"""

RETURN = r"""
data_stream:
  description: The data stream as the server describes it, in check mode as it is declared; null when absent.
  returned: success
  type: dict
  sample:
    name: app
    generation: 1
    template: app
    lifecycle:
      enabled: true
      data_retention: 7d
"""

from ansible_collections.raylogs.efk.plugins.module_utils._module import run
from ansible_collections.raylogs.efk.plugins.module_utils._objects import DATA_STREAM


def main() -> None:
    """Manage one data stream."""
    run(DATA_STREAM)


if __name__ == "__main__":
    main()
