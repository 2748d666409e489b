# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of objects that can be declared many at once, in the order in which one may need another."""

from __future__ import annotations

from ansible_collections.raylogs.efk.plugins.module_utils._objects import (
    CLUSTER_SETTINGS,
    COMPONENT_TEMPLATE,
    DATA_STREAM,
    ILM_POLICY,
    INDEX_TEMPLATE,
    INGEST_PIPELINE,
)
from ansible_collections.raylogs.efk.plugins.module_utils._roles import ROLE

KINDS = {
    resource.key: resource
    for resource in (
        CLUSTER_SETTINGS,
        ROLE,
        ILM_POLICY,
        INGEST_PIPELINE,
        COMPONENT_TEMPLATE,
        INDEX_TEMPLATE,
        DATA_STREAM,
    )
}
