# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an import reports: numbers by kind of file, sessions, nodes, and what could not be read."""

from __future__ import annotations

import collections
import errno
import os
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils._api import OptionError

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._api import Body
    from ansible_collections.raylogs.efk.plugins.module_utils._bulk import Counts
    from ansible_collections.raylogs.efk.plugins.module_utils._catalogue import Catalogue
    from ansible_collections.raylogs.efk.plugins.module_utils._context import SessionView
    from ansible_collections.raylogs.efk.plugins.module_utils._session import NodeLogs

TOTALS = ("bytes", "events", "stored", "already_present", "left_out", "unparsed", "rejected")
MOST_NAMED = 3
NEVER_STORED = "never stored"
VANISHED = os.strerror(errno.ENOENT)


class KindReport:
    """The numbers of one kind of file."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.files = 0
        self.bytes = 0
        self.events = 0
        self.stored = 0
        self.unparsed = 0
        self.already_present = 0
        self.left_out: collections.Counter[str] = collections.Counter()
        self.rejected: collections.Counter[str] = collections.Counter()

    def answer(self, kind: str) -> Body:
        """Return the numbers as the module does."""
        return {
            "kind": kind,
            "files": self.files,
            "bytes": self.bytes,
            "events": self.events,
            "stored": self.stored,
            "unparsed": self.unparsed,
            "left_out": sum(self.left_out.values()),
            "left_out_by": dict(self.left_out.most_common()),
            "already_present": self.already_present,
            "rejected": sum(self.rejected.values()),
            "rejected_reasons": dict(self.rejected.most_common()),
        }


class Report:
    """Everything that an import reports. root: where an archive was unpacked, which paths do not show."""

    def __init__(self, root: str) -> None:
        """Begin with nothing."""
        self._root = root
        self._kinds: dict[str, KindReport] = {}
        self._never: dict[tuple[str, str], list[int]] = {}
        self._unreadable: list[dict[str, str]] = []
        self._sessions: list[Body] = []
        self._nodes: list[Body] = []
        self._dead_letter_path = ""

    def kind(self, kind: str) -> KindReport:
        """Return the numbers of a kind."""
        return self._kinds.setdefault(kind, KindReport())

    def reason(self, catalogue: Catalogue, kind: str) -> str:
        """Say why files of a kind are not read: they are no logs, or a user does not want them."""
        kinds = (entry for entry in catalogue.data["kinds"] if entry["id"] == kind)
        return next((str(entry.get("reason", NEVER_STORED)) for entry in kinds), "no log")

    def never(self, kind: str, reason: str, files: int, size: int) -> None:
        """Count files that are not read."""
        counts = self._never.setdefault((kind, reason), [0, 0])
        counts[0] += files
        counts[1] += size

    def skipped_members(self, skipped: dict[str, int]) -> None:
        """Count members of an archive that are no files."""
        for what, count in skipped.items():
            self.never("", f"{what} in the archive", count, 0)

    def unreadable(self, path: str | bytes, error: OSError) -> None:
        """Note a file that cannot be read."""
        self._unreadable.append({"path": self._shown(os.fsdecode(path)), "reason": str(error.strerror or error)})

    def add_session(self, view: SessionView) -> None:
        """Note a session."""
        zone = view.zone
        self._sessions.append(
            {
                "name": view.session,
                "zone": zone.clock.zone,
                "zone_assumed": zone.assumed,
                "contradictions": list(zone.contradictions),
            }
        )

    def add_node(self, view: SessionView, node: NodeLogs) -> None:
        """Note a node, and what of it could not even be listed."""
        self._nodes.append(
            {
                "session": view.session,
                "host_name": view.host_name(node),
                "node_id": view.node_id(node),
                "path": self._shown(node.root),
                "files": len(node.files),
            }
        )
        for entry in node.unreadable:
            path, _separator, reason = entry.rpartition(": ")
            self._unreadable.append({"path": self._shown(path), "reason": reason})

    def sent(self, counts: Counts, dead_letter_path: str) -> None:
        """Take over what became of the events that were sent."""
        for kind, number in counts.stored.items():
            self.kind(kind).stored += number
        for kind, number in counts.already_present.items():
            self.kind(kind).already_present += number
        for kind, reasons in counts.rejected.items():
            self.kind(kind).rejected.update(reasons)
        self._dead_letter_path = dead_letter_path

    def warnings(self) -> t.Iterator[str]:
        """Say what the user should know.

        :raises OptionError: when nothing could be read at all.
        """
        if self._unreadable:
            named = ", ".join(f"{entry['path']} ({entry['reason']})" for entry in self._unreadable[:MOST_NAMED])
            number = len(self._unreadable)
            text = f"{number} {'file' if number == 1 else 'files'} could not be read, such as {named}."
            gone = all(entry["reason"] == VANISHED for entry in self._unreadable)
            cause = "Ray rotated or removed them meanwhile. " if gone else ""
            who = "" if gone else " as a user who may read them"
            fix = f"{cause}Run the import again{who}: it adds what is missing."
            if not any(counts.bytes for counts in self._kinds.values()):
                raise OptionError(f"Nothing was imported: {text} {fix}")
            yield f"{text} {fix}"
        for session in self._sessions:
            if session["contradictions"]:
                shown = session["contradictions"][0]
                yield f"Not all times of {session['name']} are of zone {session['zone']}: {shown}."
        rejected = sum(sum(counts.rejected.values()) for counts in self._kinds.values())
        if rejected:
            yield f"Elasticsearch rejected {rejected} events; they are in {self._dead_letter_path} with the reasons."

    def answer(self, duration: float) -> Body:
        """Return what the module returns."""
        kinds = [counts.answer(kind) for kind, counts in self._kinds.items() if counts.files]
        kinds.sort(key=lambda kind: (-kind["bytes"], kind["kind"]))
        totals = {name: sum(kind[name] for kind in kinds) for name in TOTALS}
        return {
            "changed": totals["stored"] > 0,
            "totals": totals,
            "kinds": kinds,
            "never_logs": [
                {"kind": kind, "reason": reason, "files": files, "bytes": size}
                for (kind, reason), (files, size) in sorted(self._never.items())
            ],
            "unreadable": self._unreadable,
            "zone": {
                "name": ", ".join(sorted({session["zone"] for session in self._sessions})),
                "assumed": any(session["zone_assumed"] for session in self._sessions),
                "contradictions": [text for session in self._sessions for text in session["contradictions"]],
            },
            "sessions": self._sessions,
            "nodes": self._nodes,
            "dead_letter_path": self._dead_letter_path,
            "duration": duration,
            "diff": {
                "before_header": "events in Elasticsearch by kind of file",
                "before": {kind["kind"]: kind["already_present"] for kind in kinds},
                "after_header": "events in Elasticsearch by kind of file",
                "after": {kind["kind"]: kind["already_present"] + kind["stored"] for kind in kinds},
            },
        }

    def _shown(self, path: str) -> str:
        prefix = f"{self._root}/"
        return path[len(prefix) :] if self._root and path.startswith(prefix) else path
