#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read data streams of Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_data_stream_info
short_description: Read data streams of Elasticsearch
description:
  - Lists data streams as the server holds them.
  - Needs a server that has them; a reduced distribution does not.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes.info
  - raylogs.efk._connection
  - raylogs.efk._names
seealso:
  - module: raylogs.efk.elasticsearch_data_stream
"""

EXAMPLES = r"""
- name: Read all whose names begin with app
  raylogs.efk.elasticsearch_data_stream_info:
    name: [app*]
  register: found
  delegate_to: localhost
"""

RETURN = r"""
data_streams:
  description: The data streams that match, by name. Hidden ones are among them.
  returned: success
  type: list
  elements: dict
  sample:
    - name: app
      generation: 1
      template: app
      lifecycle:
        enabled: true
        data_retention: 7d
"""

from ansible_collections.raylogs.efk.plugins.module_utils._module import inform_of
from ansible_collections.raylogs.efk.plugins.module_utils._objects import DATA_STREAM


def main() -> None:
    """List data streams."""
    inform_of(DATA_STREAM)


if __name__ == "__main__":
    main()
