#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the certificate of a host, its key and its CA in one go."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_certificate_info
short_description: Read the certificate of a host, its key and its CA in one go
description:
  - Says whom a certificate is for and how long it is valid, and what is wrong with it, that is whether its key fits,
    whether its CA issued it, and who may read the key.
  - Files that are not there are no failure. It never changes anything, and never returns anything of the key.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._host
options:
  certificate_path:
    description: The certificate in PEM form, followed by those between it and its CA.
    type: path
    required: true
  key_path:
    description: The key of the certificate, in PEM form.
    type: path
  key_passphrase:
    description: The passphrase of the key.
    type: str
  ca_path:
    description: The certificates of the CA, in PEM form.
    type: path
  ca_content:
    description: The certificates of the CA that the host should have, in PEM form.
    type: str
requirements:
  - cryptography (the Python library; without it only RV(exists) and the texts of the files are returned)
attributes:
  check_mode:
    description: Reads and never changes anything, so check mode makes no difference.
seealso:
  - module: community.crypto.x509_certificate_info
"""

EXAMPLES = r"""
- name: Look at the certificate of Elasticsearch
  raylogs.efk.host_certificate_info:
    certificate_path: /etc/elasticsearch/certs/node.crt
    key_path: /etc/elasticsearch/certs/node.key
    ca_path: /etc/elasticsearch/certs/ca.crt
  register: elasticsearch_certificate

- name: Check that nothing is wrong with it
  ansible.builtin.assert:
    that: elasticsearch_certificate.troubles | length == 0
"""

RETURN = r"""
library:
  description: Whether the Python library is there.
  returned: success
  type: bool
  sample: true
exists:
  description: Which of the files V(certificate), V(key) and V(ca) are there.
  returned: success
  type: dict
  sample: {certificate: true, key: true, ca: true}
content:
  description: The text of the certificate's file.
  returned: success
  type: str
  sample: "-----BEGIN CERTIFICATE----- …"
ca_content:
  description: The text of the CA's file.
  returned: success
  type: str
  sample: "-----BEGIN CERTIFICATE----- …"
certificate:
  description: What the certificate says.
  returned: success
  type: dict
  sample:
    subject: CN=es1
    issuer: CN=CA of raylogs.efk
    names: ["DNS:es1", "IP:192.0.2.1"]
    begins: "2026-11-22T10:00:00+00:00"
    ends: "2028-11-22T10:00:00+00:00"
    days_left: 729
    authority: false
    fingerprint: 3f1ab6c2
ca:
  description: What the first certificate of the CA says, in the same form.
  returned: success
  type: dict
  sample: {subject: CN=CA of raylogs.efk, days_left: 3649, authority: true}
ca_current:
  description: Whether the file of the CA holds the certificates of O(ca_content).
  returned: success
  type: bool
  sample: true
troubles:
  description:
    - What is wrong, in words by kind.
    - V(certificate), V(key), V(ca) and V(ca_content) for what cannot be read, V(mismatch) for a key that does not fit,
      V(foreign) for a certificate that its CA did not issue, V(shared) for a key that others may read, V(expired) and
      V(early) for a certificate that is not valid now.
  returned: success
  type: dict
  sample: {mismatch: it was made for another key than the one beside it}
"""

import datetime as dt

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.raylogs.efk.plugins.module_utils._certificate import inspect


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "certificate_path": {"type": "path", "required": True},
            "key_path": {"type": "path", "no_log": False},
            "key_passphrase": {"type": "str", "no_log": True},
            "ca_path": {"type": "path"},
            "ca_content": {"type": "str"},
        },
        supports_check_mode=True,
    )
    try:
        answer = inspect(module.params, dt.datetime.now(dt.timezone.utc))
    except OSError as error:
        module.fail_json(msg=f"Cannot look at the certificate: {error}. Run as a user who may read that file.")
    module.exit_json(changed=False, **answer)


if __name__ == "__main__":
    main()
