# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virgin host for each test."""

from __future__ import annotations

import typing as t

import pytest

from tests.role_host import OWN_COMMAND, OWN_ENVIRONMENT, Host, host_of


@pytest.fixture
def host() -> t.Iterator[Host]:
    """Give a virgin host."""
    with host_of(OWN_COMMAND, OWN_ENVIRONMENT) as virgin:
        yield virgin
