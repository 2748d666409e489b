# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse bytes as the content of one file."""

from __future__ import annotations

import functools
import io
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils import _catalogue, _clock, _event, _parse

CATALOGUE = _catalogue.load()
CREATED = _clock.from_ms(1_795_430_000_000)
WORKER = f"worker-{'ab' * 28}-01000000-7.err"
TASKS = "export_events/event_EXPORT_TASK_7.log"


def context(
    name: str = WORKER, pieces: int = 1, catalogue: _catalogue.Catalogue = CATALOGUE, **known: t.Any
) -> _event.FileContext:
    """Return what is known of a file of this name."""
    classified = catalogue.classify(name)
    chosen = _event.FileContext(
        catalogue=catalogue,
        classified=classified,
        clock=_clock.Clock("UTC"),
        created=CREATED,
        base={"event.dataset": classified.kind.dataset, "ray.component": classified.kind.component},
        keys=tuple(f"key{number}" for number in range(pieces)),
    )
    return chosen._replace(**known)


def items(
    *texts: bytes,
    name: str = WORKER,
    profile: str = "full",
    cuts: dict[int, t.Iterator[int]] | None = None,
    **known: t.Any,
) -> list[_event.Item]:
    """Parse the pieces of a file, oldest first."""
    opened = [functools.partial(io.BytesIO, text) for text in texts]
    return list(_parse.parse_file(context(name, len(texts), **known), opened, profile, cuts))


def events(*texts: bytes, **known: t.Any) -> list[_event.Event]:
    """Return the events of a file."""
    return [item.event for item in items(*texts, **known) if item.event is not None]


def messages(*texts: bytes, **known: t.Any) -> list[str]:
    """Return the messages of a file."""
    return [event["message"] for event in events(*texts, **known)]
