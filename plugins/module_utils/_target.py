# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where events go: data streams or daily indices, and whether they are ready to take them."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils._api import ApiError, OptionError, Request
from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import call
from ansible_collections.raylogs.efk.plugins.module_utils._stored import KEY

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._api import Body
    from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import Connection

DATA_STREAM, DAILY = "data_stream", "daily"
CLASSES = ("app", "event", "system")
PREFIX = re.compile(r"[a-z0-9][a-z0-9_]*(-[a-z0-9_]+)*")
TENANT = re.compile(r"[a-z0-9_]+")
LONGEST_NAME = 64
DATE_LENGTH = len("2026-11-23")
# From here on a bulk request can say that it means a data stream.
REQUIRES_DATA_STREAM = (8, 13)
WHAT = "Cannot import the logs"


class Target(t.NamedTuple):
    """The names of the streams."""

    prefix: str
    tenant: str
    layout: str

    def stream(self, class_: str) -> str:
        """Name the stream of a class."""
        return f"{self.prefix}-{class_}-{self.tenant}"

    @property
    def names(self) -> str:
        """Name everything that is searched."""
        return ",".join(self.stream(class_) + ("-*" if self.layout == DAILY else "") for class_ in CLASSES)

    def action(self, class_: str, day: str) -> bytes:
        """Return the beginning of the line that has one event created, up to its id. day: its time, YYYY-MM-DD."""
        index = self.stream(class_) + (f"-{day.replace('-', '.')}" if self.layout == DAILY else "")
        return f'{{"create":{{"_index":"{index}","_id":"'.encode()


def check_names(prefix: str, tenant: str) -> None:
    """Refuse names that the streams cannot have.

    :raises OptionError: with the fix.
    """
    if not PREFIX.fullmatch(prefix) or len(prefix) > LONGEST_NAME:
        raise OptionError(
            f"prefix {prefix!r} cannot begin the name of a stream. Write words of a-z, 0-9 and underscores joined by "
            f"hyphens, at most {LONGEST_NAME} characters, such as ray-logs."
        )
    if not TENANT.fullmatch(tenant) or len(tenant) > LONGEST_NAME:
        raise OptionError(
            f"tenant {tenant!r} cannot be part of the name of a stream. Write one word of a-z, 0-9 and underscores, "
            f"at most {LONGEST_NAME} characters, such as default."
        )


def existing(connection: Connection, target: Target) -> list[str]:
    """Return the data streams or daily indices that are there.

    :raises ApiError: when an index has the name of a data stream.
    """
    pattern = f"{target.prefix}-*-{target.tenant}" + ("-*" if target.layout == DAILY else "")
    answer = call(connection, Request(WHAT, "GET", f"/_resolve/index/{pattern}?expand_wildcards=all"))
    streams = tuple(target.stream(class_) for class_ in CLASSES)
    if target.layout == DAILY:
        beginnings = tuple(f"{stream}-" for stream in streams)
        return [item["name"] for item in answer["indices"] if item["name"].startswith(beginnings)]
    for item in (*answer["indices"], *answer["aliases"]):
        if item["name"] in streams:
            raise ApiError(
                WHAT,
                connection.url,
                f"has an index or alias {item['name']}, where a data stream of this name is needed",
                "Reindex it under another name and delete it, or choose another prefix or tenant.",
            )
    return [item["name"] for item in answer["data_streams"] if item["name"] in streams]


def check_templates(connection: Connection, target: Target, there: t.Container[str]) -> None:
    """Make sure that streams which are not there yet will be made as they must be.

    :raises ApiError: when no template would make them so.
    """
    for stream in map(target.stream, CLASSES):
        name = f"{stream}-2026.01.01" if target.layout == DAILY else stream
        if name in there:
            continue
        request = Request(WHAT, "POST", f"/_index_template/_simulate_index/{name}", repeatable=True)
        mappings = (call(connection, request) or {}).get("template", {}).get("mappings", {})
        if dict(_types(mappings)).get(KEY) != "keyword":
            raise ApiError(
                WHAT,
                connection.url,
                f"has no index template that makes {name} with the fields of Ray's logs",
                "Apply role raylogs.efk.ray_log_content with the same prefix, tenant and layout first.",
            )


def bulk_options(connection: Connection, target: Target, timeout: int) -> str:
    """Return the parameters of bulk requests.

    The server says what it waits for before the client gives up after its timeout, and makes data streams only, where
    it knows such a parameter.
    """
    options = f"&timeout={max(timeout * 2 // 3, 1)}s"
    if target.layout == DATA_STREAM and connection.version and connection.version >= REQUIRES_DATA_STREAM:
        options += "&require_data_stream=true"
    return options


def _types(mappings: Body, prefix: str = "") -> t.Iterator[tuple[str, str]]:
    """Yield the dotted names of fields with their types."""
    for name, field in mappings.get("properties", {}).items():
        yield prefix + name, field.get("type", "object")
        yield from _types(field, f"{prefix}{name}.")
