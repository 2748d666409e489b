# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one error that clients raise and modules report."""

from __future__ import annotations


class ApiError(Exception):
    """Say in four parts what failed, where, what the server said and how to mend it."""

    def __init__(self, what: str, where: str, said: str, fix: str, status: int | None = None) -> None:
        """Keep the parts; `status` is the HTTP status, when there was an answer."""
        super().__init__(" ".join(sentence for sentence in (f"{what}: {where} {said.rstrip('.')}.", fix) if sentence))
        self.what = what
        self.where = where
        self.said = said
        self.fix = fix
        self.status = status
