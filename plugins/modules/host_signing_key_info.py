#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until a service on this host answers as it should."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_signing_key_info
short_description: Read whose a signing key is
description:
  - Returns the fingerprints of the OpenPGP keys in a file, armoured or not, without C(gpg), which a small host lacks.
  - It never changes anything.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._host
options:
  path:
    description: The key file on this host.
    type: path
    required: true
attributes:
  check_mode:
    description: Reads and never changes anything, so check mode makes no difference.
"""

EXAMPLES = r"""
- name: Read whose key was downloaded
  raylogs.efk.host_signing_key_info:
    path: /etc/apt/keyrings/example.asc
  register: example_key

- name: Check that it is the right one
  ansible.builtin.assert:
    that: example_key.fingerprints == ['46095ACC8548582C1A2699A9D27D666CD88E42B4']
"""

RETURN = r"""
fingerprints:
  description: The fingerprints of the primary keys in the file; none where there is no file.
  returned: success
  type: list
  elements: str
  sample: [46095ACC8548582C1A2699A9D27D666CD88E42B4]
"""

import pathlib

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.raylogs.efk.plugins.module_utils._installation import SigningKeyError, key_fingerprints


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={"path": {"type": "path", "required": True}}, supports_check_mode=True)
    path = pathlib.Path(module.params["path"])
    try:
        fingerprints = key_fingerprints(path.read_bytes())
    except FileNotFoundError:
        fingerprints = []
    except (OSError, SigningKeyError) as error:
        module.fail_json(msg=f"Cannot read the signing key {path}: {error}. Fetch it again: rm {path}")
    module.exit_json(changed=False, fingerprints=fingerprints)


if __name__ == "__main__":
    main()
