# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds that are declared many at once."""

from __future__ import annotations

from ansible_collections.raylogs.efk.plugins.module_utils._kinds import KINDS


def test_kinds_stand_in_the_order_in_which_one_may_need_another() -> None:
    assert list(KINDS) == [
        "cluster_settings",
        "role",
        "ilm_policy",
        "ingest_pipeline",
        "component_template",
        "index_template",
        "data_stream",
    ]
