#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read ingest pipelines of Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_ingest_pipeline_info
short_description: Read ingest pipelines of Elasticsearch
description:
  - Lists ingest pipelines as the server holds them.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes.info
  - raylogs.efk._connection
  - raylogs.efk._names
seealso:
  - module: raylogs.efk.elasticsearch_ingest_pipeline
"""

EXAMPLES = r"""
- name: Read all whose names begin with app
  raylogs.efk.elasticsearch_ingest_pipeline_info:
    name: [app*]
  register: found
  delegate_to: localhost
"""

RETURN = r"""
ingest_pipelines:
  description: The ingest pipelines that match, by name.
  returned: success
  type: list
  elements: dict
  sample:
    - name: note-sender
      processors:
        - set_security_user:
            field: sent_by
"""

from ansible_collections.raylogs.efk.plugins.module_utils._module import inform_of
from ansible_collections.raylogs.efk.plugins.module_utils._objects import INGEST_PIPELINE


def main() -> None:
    """List ingest pipelines."""
    inform_of(INGEST_PIPELINE)


if __name__ == "__main__":
    main()
