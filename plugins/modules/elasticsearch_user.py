#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage users of Elasticsearch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticsearch_user
short_description: Manage users of Elasticsearch
description:
  - Creates, replaces and deletes users of the native realm, and sets passwords.
  - No password is shown, not in a difference and not in a message. It is sent only where it is set, or compared.
  - Of users that are built in, such as V(elastic) and V(kibana_system), only the password and O(enabled) can be set.
  - A role that does not exist is a warning, because files of the nodes may define it.
  - Needs the cluster privilege C(manage_security), and a full distribution of Elasticsearch.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._attributes
  - raylogs.efk._connection
options:
  name:
    description: Name of the user, at most 507 letters without accents, digits and signs of ASCII.
    type: str
    required: true
  state:
    description:
      - V(present) makes the user equal to the options, but for the password and O(enabled).
      - What else is not given is removed. V(absent) deletes the user.
    type: str
    choices: [present, absent]
    default: present
  roles:
    description:
      - Names of the roles that the user has, V([]) for none. The order does not matter.
      - Required when O(state=present), but for a user that is built in.
    type: list
    elements: str
  full_name:
    description: Full name.
    type: str
  email:
    description: Address for mail.
    type: str
  metadata:
    description: Notes of your own, kept with the user. Names that begin with C(_) are reserved.
    type: dict
  enabled:
    description: Whether the user may sign in. Without this option a new user may, and another one is left as it is.
    type: bool
  user_password:
    description:
      - The password of this user; O(password) is that of the connection. Required for a user that does not exist yet.
      - Refused when it is empty, has fewer than 12 characters, contains the name of the user or is easily guessed.
    type: str
  update_password:
    description:
      - V(on_create) sets O(user_password) when the user is created and never again; of a user that is built in, never.
      - V(always) sets it, too, when the user cannot sign in with it.
      - The password of a user who stays disabled is left as it is.
    type: str
    choices: [on_create, always]
    default: on_create
seealso:
  - module: raylogs.efk.elasticsearch_user_info
  - module: raylogs.efk.elasticsearch_role
  - name: Users of Elasticsearch
    description: What Elastic says about them.
    link: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-security-put-user
"""

EXAMPLES = r"""
- name: Let a person read, with a first password out of a vault
  raylogs.efk.elasticsearch_user:
    name: ada
    full_name: Ada Lovelace
    roles: [app-reader]
    user_password: "{{ vault_ada_password }}"
  delegate_to: localhost

- name: Keep the password of a user that is built in at what the vault says
  raylogs.efk.elasticsearch_user:
    name: kibana_system
    user_password: "{{ vault_kibana_system_password }}"
    update_password: always

- name: Remove the user
  raylogs.efk.elasticsearch_user:
    name: ada
    state: absent
"""

RETURN = r"""
user:
  description: The user as the server describes it, in check mode as it would be written; null when absent.
  returned: success
  type: dict
  sample:
    name: ada
    roles: [app-reader]
    full_name: Ada Lovelace
    email: null
    metadata: {}
    enabled: true
"""

from ansible_collections.raylogs.efk.plugins.module_utils._users import run_user


def main() -> None:
    """Manage one user."""
    run_user()


if __name__ == "__main__":
    main()
