#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep an API key of Elasticsearch in a file."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_api_key
short_description: Keep an API key of Elasticsearch in a file
description:
  - Makes an API key with the rights that are given and writes it to a file, and makes a new one before it ends.
  - A key that the file holds and that still serves is kept.
  - The secret is returned nowhere and shown nowhere; it stands in the file alone.
  - The keys of a name belong to the user who makes them. Each user sees and invalidates only its own.
  - What a key may do is changed in place from Elasticsearch 8.4 on; on older servers a new key is made.
  - Needs a connection with O(username) and O(password) or with O(bearer_token), because a key cannot give rights to
    another key, the cluster privilege C(manage_own_api_key), and a full distribution of Elasticsearch.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes
  - raylogs.efk._connection
options:
  name:
    description: Name of the key. There may be several of a name; all but the one in the file are those before it.
    type: str
    required: true
  path:
    description:
      - File on the host that runs this module, with an absolute path.
      - It holds the key in the form C(encoded) and a line end, nothing else.
      - Made with mode 0600, in folders that are made with mode 0700 where they are missing.
      - Refused when others may read it, when it holds something else, or when it cannot be written.
      - Runs on one folder at the same time wait for each other. A disk of another host (NFS) may not let them.
      - Required when O(state=present). With O(state=absent) the file is removed.
    type: path
  role_descriptors:
    description:
      - What the key may do, roles by names of your own with the options of M(raylogs.efk.elasticsearch_role).
      - The key never may do more than its owner. Required when O(state=present), and not empty.
    type: dict
  expiration:
    description:
      - How long a key is valid, such as V(90d); for ever without it.
      - A key that was made for another time is renewed.
    type: str
  renew_before:
    description: How long before its end a key is renewed, such as V(30d). Without it, only when it has ended.
    type: str
  renew:
    description:
      - When a valid key is renewed. V(due) goes by O(expiration) and O(renew_before).
      - V(always) makes a new key with every run, for rotations. V(never) ends a rotation with O(invalidate_others).
    type: str
    choices: [due, always, never]
    default: due
  metadata:
    description:
      - Notes of your own, kept with the key. Names that begin with C(_) are reserved.
      - The module adds C(role_descriptors_sha256), a hash, because some servers do not tell what a key may do.
    type: dict
  invalidate_others:
    description:
      - Whether all other valid keys of this name and owner are invalidated.
      - Without it they stay valid until they end, so that what still uses them goes on.
    type: bool
    default: false
  state:
    description:
      - V(present) keeps a valid key in the file.
      - V(absent) invalidates all of this name and owner, and removes the file.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: raylogs.efk.elasticsearch_api_key_info
  - module: raylogs.efk.elasticsearch_role
  - name: API keys
    description: What Elastic says about them.
    link: https://www.elastic.co/docs/deploy-manage/api-keys/elasticsearch-api-keys
"""

EXAMPLES = r"""
- name: Keep a key that may add events to one stream, and renew it a month before it ends
  raylogs.efk.elasticsearch_api_key:
    name: app-writer
    path: /etc/raylogs/secrets/app-writer
    role_descriptors:
      writer:
        cluster: [monitor]
        indices:
          - names: [app]
            privileges: [create_doc]
    expiration: 90d
    renew_before: 30d
  delegate_to: localhost

- name: Invalidate the former keys, once everything reads the new one
  raylogs.efk.elasticsearch_api_key:
    name: app-writer
    path: /etc/raylogs/secrets/app-writer
    role_descriptors:
      writer:
        cluster: [monitor]
        indices:
          - names: [app]
            privileges: [create_doc]
    expiration: 90d
    renew_before: 30d
    invalidate_others: true

- name: Invalidate all and remove the file
  raylogs.efk.elasticsearch_api_key:
    name: app-writer
    path: /etc/raylogs/secrets/app-writer
    state: absent
"""

RETURN = r"""
api_key:
  description:
    - The key of the file, without its secret; times in milliseconds. Null when absent.
    - In check mode that which there was before.
  returned: success
  type: dict
  sample:
    name: app-writer
    id: 78iKCaIBtwcuw0s3cQ0g
    path: /etc/raylogs/secrets/app-writer
    creation: 1795456397614
    expiration: 1803232397614
    days_left: 89
    metadata: {}
    role_descriptors:
      writer:
        cluster: [monitor]
        indices:
          - names: [app]
            privileges: [create_doc]
            allow_restricted_indices: false
        applications: []
        run_as: []
        metadata: {}
        transient_metadata:
          enabled: true
reason:
  description: Why a new key is made; empty when none is.
  returned: success
  type: str
  sample: the key of the file ends soon
invalidated:
  description: The ids of the keys that are invalidated.
  returned: success
  type: list
  elements: str
  sample: [RqOLCaIBO6U8ma80I2Yv]
"""

from ansible_collections.raylogs.efk.plugins.module_utils._api_keys import run_api_key


def main() -> None:
    """Keep one API key in a file."""
    run_api_key()


if __name__ == "__main__":
    main()
