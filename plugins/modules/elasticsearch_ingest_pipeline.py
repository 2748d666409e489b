#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage ingest pipelines of Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_ingest_pipeline
short_description: Manage ingest pipelines of Elasticsearch
description:
  - Creates, replaces and deletes ingest pipelines, which change documents before they are indexed.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes
  - raylogs.efk._connection
  - raylogs.efk._state
  - raylogs.efk._notes
options:
  description:
    description: What the pipeline does.
    type: str
  processors:
    description:
      - The processors, in the order in which they run. Required when O(state=present).
      - V("True") and V("False") for options such as C(ignore_failure) are written as booleans.
    type: list
    elements: dict
  on_failure:
    description: Processors that run when one of O(processors) failed.
    type: list
    elements: dict
seealso:
  - module: raylogs.efk.elasticsearch_info
    description: Lists the types of processors that a server has.
  - module: raylogs.efk.elasticsearch_ingest_pipeline_info
  - name: Ingest pipelines
    description: What Elastic says about them.
    link: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ingest-put-pipeline
"""

EXAMPLES = r"""
- name: Note who sent each document
  raylogs.efk.elasticsearch_ingest_pipeline:
    name: note-sender
    description: Note the user who sent the document.
    processors:
      - set_security_user:
          field: sent_by
          properties: [username]
          ignore_failure: true
  delegate_to: localhost

- name: Remove the pipeline
  raylogs.efk.elasticsearch_ingest_pipeline:
    name: note-sender
    state: absent
"""

RETURN = r"""
ingest_pipeline:
  description: The pipeline as the server holds it, in check mode as it would be written; null when absent.
  returned: success
  type: dict
  sample:
    name: note-sender
    processors:
      - set_security_user:
          field: sent_by
"""

from ansible_collections.raylogs.efk.plugins.module_utils._module import run
from ansible_collections.raylogs.efk.plugins.module_utils._objects import INGEST_PIPELINE


def main() -> None:
    """Manage one ingest pipeline."""
    run(INGEST_PIPELINE)


if __name__ == "__main__":
    main()
