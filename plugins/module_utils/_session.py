# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the logs are: sessions and nodes below a directory, their files and their pieces. Follows no link."""

from __future__ import annotations

import contextlib
import os
import pathlib
import stat
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils._catalogue import Catalogue, Classified

SESSION_PREFIX = "session_"
_LOGS = "logs"
_MAX_DEPTH = 6
# A folder is a logs folder of Ray when one of these is in it.
_MARKS = (
    "raylet.out",
    "raylet.err",
    "gcs_server.out",
    "log_monitor.log",
    "dashboard_agent.log",
    "runtime_env_agent.log",
)
_MARK_PREFIXES = ("worker-", "python-core-", "raylet.out.", "job-driver-")


class SessionError(ValueError):
    """What was given holds no logs of Ray."""


class Piece(t.NamedTuple):
    """One file on disk: the whole of a log file, or what rotation made of it. number 0 is the one that is written."""

    path: str
    size: int
    mtime_ns: int
    number: int
    old: bool


class LogFile(t.NamedTuple):
    """One log file of Ray under its canonical name, with its pieces oldest first."""

    classified: Classified
    pieces: tuple[Piece, ...]

    @property
    def name(self) -> str:
        """Return the path relative to `logs/`, without what rotation and `old/` do to it."""
        return self.classified.name


class NodeLogs(t.NamedTuple):
    """The logs folder of one node in one session. node is the folder that names the node, or empty."""

    node: str
    session: str
    root: str
    files: tuple[LogFile, ...]
    unreadable: tuple[str, ...]


def discover(path: str, catalogue: Catalogue, archive: str = "") -> list[NodeLogs]:
    """Find the logs below a directory: a session, a temp dir with several, the folders of several nodes.

    archive: what was unpacked there, for messages.

    :raises SessionError: when there are none, or the directory cannot be read.
    """
    root = pathlib.Path(path)
    try:
        if not stat.S_ISDIR(root.stat().st_mode):
            raise _not_a_directory(path, "is not a directory")
        folders = list(_logs_folders(root.resolve(), 0))
    except FileNotFoundError:
        raise _not_a_directory(path, "does not exist") from None
    except OSError as error:
        raise SessionError(
            f"Cannot read Ray's logs in {path}: {error.strerror}, {error.filename}. "
            "Run as a user who can read the directory."
        ) from error
    if not folders:
        raise SessionError(
            f"No logs of Ray in {archive or path}: no folder there holds files such as {', '.join(_MARKS[:3])}. "
            "Give a session directory (session_*), Ray's temp dir (/tmp/ray), or a folder with one such folder a node."
        )
    return [_node_logs(root.resolve(), folder, catalogue) for folder in folders]


def _not_a_directory(path: str, what: str) -> SessionError:
    return SessionError(
        f"Cannot read Ray's logs: {path} {what}. Give a session directory, Ray's temp dir, or an archive of one."
    )


def _logs_folders(folder: pathlib.Path, depth: int) -> t.Iterator[pathlib.Path]:
    """Yield the logs folders at or below a folder, each session once."""
    with os.scandir(folder) as scan:
        entries = sorted(scan, key=lambda entry: entry.name)
    if any(_is_mark(entry) for entry in entries):
        yield folder
        return
    if folder.name == _LOGS and folder.parent.name.startswith(SESSION_PREFIX):
        yield folder
        return
    if depth < _MAX_DEPTH:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                # What a living cluster removes meanwhile is no matter.
                with contextlib.suppress(FileNotFoundError):
                    yield from _logs_folders(folder / entry.name, depth + 1)


def _is_mark(entry: os.DirEntry[str]) -> bool:
    named = entry.name in _MARKS or entry.name.startswith(_MARK_PREFIXES)
    return named and entry.is_file(follow_symlinks=False)


def _node_logs(root: pathlib.Path, folder: pathlib.Path, catalogue: Catalogue) -> NodeLogs:
    above = [root.name, *folder.relative_to(root).parts]
    sessions = [part for part in (*root.parts[:-1], *above) if part.startswith(SESSION_PREFIX)]
    names = [part for part in folder.relative_to(root).parts if not part.startswith(SESSION_PREFIX) and part != _LOGS]
    chains: dict[str, list[tuple[Piece, Classified]]] = {}
    unreadable: list[str] = []
    for path in _files(folder, unreadable):
        try:
            status = path.lstat()
        except OSError as error:
            unreadable.append(f"{path}: {error.strerror}")
            continue
        if stat.S_ISREG(status.st_mode):
            classified = catalogue.classify(path.relative_to(folder).as_posix())
            piece = Piece(str(path), status.st_size, status.st_mtime_ns, classified.number, classified.old)
            chains.setdefault(classified.name, []).append((piece, classified))
    return NodeLogs(
        node="/".join(names),
        session=sessions[-1] if sessions else above[-1],
        root=str(folder),
        files=tuple(_log_file(chain) for _name, chain in sorted(chains.items())),
        unreadable=tuple(unreadable),
    )


def _files(folder: pathlib.Path, unreadable: list[str]) -> t.Iterator[pathlib.Path]:
    def note(error: OSError) -> None:
        unreadable.append(f"{error.filename}: {error.strerror}")

    for parent, _folders, names in os.walk(folder, onerror=note):
        for name in sorted(names):
            yield pathlib.Path(parent, name)


def _log_file(chain: list[tuple[Piece, Classified]]) -> LogFile:
    """Put the pieces of a file in the order in which they were written."""
    chain.sort(key=lambda link: (-link[0].number, not link[0].old))
    return LogFile(chain[0][1], tuple(piece for piece, _classified in chain))
