# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send events in bulk from threads of their own, while the first one goes on reading."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import queue
import re
import stat
import tempfile
import threading
import time
import typing as t
from http import HTTPStatus

from ansible_collections.raylogs.efk.plugins.module_utils._api import ApiError, Request
from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import call, explain, pause

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._api import Body
    from ansible_collections.raylogs.efk.plugins.module_utils._elasticsearch import Connection

# The first bodies are small, so that the server has work at once.
FIRST_BODY_BYTES, BODY_BYTES = 1 << 18, 4 << 20
# The server is slower now and then; until then the reader goes on.
WAITING_BODIES = 3
# A server indexes one body on one core.
SENDERS = 2
WHAT = "Cannot store events"
SHAPE = "filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason"
# What concerns the server at this moment, not the event.
PASSING = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
# What concerns every event alike: rights, and a target that is not there.
FATAL = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
BLOCK = "cluster_block_exception"
MOST_REASONS = 50
REASON_LENGTH = 300
_PLACE = re.compile(r"^\[\d+:\d+\] ")
_DOCUMENT = re.compile(r" in document with id '[^']*'|\. Preview of field's value: .*", re.DOTALL)
_QUOTED = re.compile(r'"[^"]*"', re.DOTALL)


class Document(t.NamedTuple):
    """The two lines of one event in a bulk request, and the kind of its file."""

    kind: str
    lines: bytes


class Counts:
    """What became of the events that were sent, by the kind of their file."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.stored: collections.Counter[str] = collections.Counter()
        self.already_present: collections.Counter[str] = collections.Counter()
        self.rejected: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)


class DeadLetters:
    """The file of rejected events; made when the first one comes, for its owner's eyes only."""

    def __init__(self, path: str) -> None:
        """Take the path; empty is a new file in the temp dir."""
        self.path = ""
        self._wanted = path
        self._file: t.BinaryIO | None = None

    def add(self, document: Document, status: int, reason: str) -> None:
        """Write one rejected event with the reason.

        :raises ApiError: when it cannot be written.
        """
        action, event = document.lines.splitlines()
        target = json.loads(action)["create"]
        letter = {"reason": reason, "status": status, "index": target["_index"], "id": target["_id"]}
        try:
            if self._file is None:
                self._file = self._open()
            self._file.write(json.dumps(letter).encode()[:-1] + b', "event": ' + event + b"}\n")
            self._file.flush()
        except OSError as error:
            raise ApiError(
                "Cannot keep a rejected event",
                self._wanted or tempfile.gettempdir(),
                f"cannot be written: {error.strerror}",
                "Free space there, or name another file as dead_letter_path.",
            ) from error

    def close(self) -> None:
        """Close the file, when there is one."""
        if self._file is not None:
            # What could not be written was said when it came.
            with contextlib.suppress(OSError):
                self._file.close()

    def _open(self) -> t.BinaryIO:
        owner = stat.S_IRUSR | stat.S_IWUSR
        if self._wanted:
            self.path = self._wanted
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, owner)
            os.fchmod(descriptor, owner)
        else:
            descriptor, self.path = tempfile.mkstemp(prefix="ray_session_import_", suffix=".ndjson")
        return os.fdopen(descriptor, "wb")


class Sender:
    """Takes events one by one and sends them in bulk: bodies are sent while the next one is filled."""

    def __init__(self, connection: Connection, options: str, dead_letters: DeadLetters) -> None:
        """Start the threads that send. options: further parameters of the bulk requests."""
        self.counts = Counts()
        self.dead_letters = dead_letters
        self._connection = connection
        self._path = f"/_bulk?{SHAPE}{options}"
        self._documents: list[Document] = []
        self._size = 0
        self._limit = FIRST_BODY_BYTES
        self._queue: queue.Queue[list[Document] | None] = queue.Queue(maxsize=WAITING_BODIES)
        self._failure: Exception | None = None
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, name="bulk", daemon=True) for _number in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def add(self, document: Document) -> None:
        """Take one event.

        :raises ApiError: when the server refuses everything or is gone.
        """
        self._documents.append(document)
        self._size += len(document.lines)
        if self._size >= self._limit:
            self._hand_over()

    def finish(self) -> None:
        """Send what is left and wait until all is answered.

        :raises ApiError: when the server refuses everything or is gone.
        """
        try:
            if self._documents:
                self._hand_over()
        finally:
            self.stop()
        self._check()

    def stop(self) -> None:
        """End the threads after what they were given already; may be called twice."""
        ending, self._threads = self._threads, []
        for _thread in ending:
            self._queue.put(None)
        for thread in ending:
            thread.join()
        self.dead_letters.close()

    def _hand_over(self) -> None:
        self._check()
        self._queue.put(self._documents)
        self._documents, self._size = [], 0
        self._limit = min(2 * self._limit, BODY_BYTES)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        """Send body after body; after a failure take them without sending, so that nobody waits for ever."""
        while (documents := self._queue.get()) is not None:
            if self._failure is None:
                try:
                    self._send(documents)
                except ApiError as error:
                    self._failure = error
                except (LookupError, TypeError, ValueError, AttributeError) as error:
                    # A thread that ended by it would lose its events in silence.
                    self._failure = self._no_answer(error)

    def _no_answer(self, error: Exception) -> ApiError:
        where = f"POST {self._connection.url}/_bulk"
        said = f"gave an answer that Elasticsearch does not give ({type(error).__name__}: {error})"
        return ApiError(WHAT, where, said, "Give the address of Elasticsearch itself, not of a proxy.")

    def _send(self, documents: list[Document]) -> None:
        """Send events until each of them is stored, known or rejected."""
        attempts = 0
        while documents:
            request = Request(WHAT, "POST", self._path, b"".join(lines for _kind, lines in documents), repeatable=True)
            answer = call(self._connection, request)
            if not answer["errors"]:
                with self._lock:
                    self.counts.stored.update(kind for kind, _lines in documents)
                return
            with self._lock:
                waiting, status, said = self._sort_out(documents, answer["items"])
            attempts = 1 if len(waiting) < len(documents) else attempts + 1
            documents = waiting
            if documents:
                if attempts > self._connection.retries:
                    raise self._refusal(status, said)
                time.sleep(pause(attempts, ""))

    def _sort_out(self, documents: list[Document], items: list[Body]) -> tuple[list[Document], int, str]:
        """Count what became of each event; return those that the server could not take now, its status and words.

        :raises ApiError: when the reason concerns all events.
        :raises ValueError: when the answer is about fewer or more events.
        """
        if len(items) != len(documents):
            raise ValueError(f"{len(items)} items for {len(documents)} events")
        waiting: list[Document] = []
        refused, said = 0, ""
        for document, item in zip(documents, items):
            result = item["create"]
            status = result["status"]
            if "error" not in result:
                self.counts.stored[document.kind] += 1
            elif status == HTTPStatus.CONFLICT:
                self.counts.already_present[document.kind] += 1
            else:
                reason = describe(result["error"])
                if status in FATAL or BLOCK in reason:
                    raise self._refusal(status, reason)
                if status in PASSING:
                    waiting.append(document)
                    refused, said = status, reason
                else:
                    self._reject(document, status, reason)
        return waiting, refused, said

    def _reject(self, document: Document, status: int, reason: str) -> None:
        reasons = self.counts.rejected[document.kind]
        reasons[reason if reason in reasons or len(reasons) < MOST_REASONS else "other reasons"] += 1
        self.dead_letters.add(document, status, reason)

    def _refusal(self, status: int, said: str) -> ApiError:
        where = f"POST {self._connection.url}/_bulk"
        return ApiError(WHAT, where, f"answered {status} for events: {said}", explain(status, said), status)


def describe(error: Body) -> str:
    """Put the error of one event into words that are the same for all events with the same fault."""
    reason = _DOCUMENT.sub("", _PLACE.sub("", str(error.get("reason"))))
    cause = error.get("caused_by", {}).get("reason")
    words = f"{error.get('type')}: {reason}" + (f" ({cause})" if cause else "")
    return _QUOTED.sub('"…"', words)[:REASON_LENGTH]
