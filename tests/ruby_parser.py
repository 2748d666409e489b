# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collector's parser beside the importer's: what each makes of the same bytes, known of the same.

Ruby cannot ask Python whether the original of a copied line is there: it gets the answers to what Python asked, and
fails when it asks anything else.
"""

from __future__ import annotations

import base64
import io
import json
import pathlib
import shutil
import subprocess
import typing as t

from ansible_collections.raylogs.efk.plugins.module_utils import _event, _parse

from tests import corpus

if t.TYPE_CHECKING:
    from ansible_collections.raylogs.efk.plugins.module_utils import _context
    from ansible_collections.raylogs.efk.plugins.module_utils._catalogue import Copy

RUBY = shutil.which("ruby")
NO_RUBY = "ruby is not installed here, so that the collector's parser was not compared with the importer's"
PLUGIN = corpus.ROOT / "roles" / "fluentd" / "files" / "plugin"
DRIVER = corpus.ROOT / "tests" / "ruby" / "parse_files.rb"
# Under which Fluentd runs Ruby.
FLUENTD_ENCODINGS = "-Eascii-8bit:ascii-8bit"
CATALOGUE_JSON = corpus.ROOT / "catalogue" / "ray_logs.json"
Cuts = dict[int, list[int]]
# Piece, offset, size, what, and the document as text with sorted keys.
Shown = tuple[int, int, int, str, "str | None"]


class Task(t.NamedTuple):
    """One file and how it is parsed. constants: the fields that are the same for all events, of each piece."""

    context: _event.FileContext
    constants: list[dict[str, t.Any]]
    pieces: list[bytes | pathlib.Path]
    profile: str
    mode: str = "whole"
    cuts: Cuts | None = None

    def opened(self) -> list[_parse.Open]:
        """Return what opens each piece."""
        return [self._opener(piece) for piece in self.pieces]

    @staticmethod
    def _opener(piece: bytes | pathlib.Path) -> _parse.Open:
        return (lambda: io.BytesIO(piece)) if isinstance(piece, bytes) else (lambda: piece.open("rb"))


class Asked:
    """The tests of a file's copy rules, which remember what they were asked and what they answered."""

    def __init__(self, context: _event.FileContext) -> None:
        """Take the context whose rules they are."""
        self.answers: list[tuple[str, list[tuple[dict[str, str], bool]]]] = []
        self.copies = tuple((rule, self._test(rule, test)) for rule, test in context.copies)

    def _test(self, rule: Copy, test: t.Callable[[dict[str, str]], bool]) -> t.Callable[[dict[str, str]], bool]:
        answers: list[tuple[dict[str, str], bool]] = []
        self.answers.append((rule.id, answers))

        def ask(words: dict[str, str]) -> bool:
            answer = test(words)
            answers.append((dict(words), answer))
            return answer

        return ask


def tasks(folder: pathlib.Path, settings: _context.Settings) -> t.Iterator[Task]:
    """Yield the files below a folder."""
    for view, node, file, pieces in corpus.logs(folder, settings):
        context = corpus.context_of(view, node, file, pieces)
        constants = [view.constant(node, file, key) for key in context.keys]
        yield Task(context, constants, [pathlib.Path(piece.path) for piece in pieces], settings.profile)


def python_items(task: Task, cuts: Cuts | None = None) -> tuple[list[Shown], Asked]:
    """Parse as the importer does, without what the importer alone knows."""
    asked = Asked(task.context)
    context = task.context._replace(spans=(), file_time=None, copies=asked.copies)
    ends = {piece: iter(sorted(offsets)) for piece, offsets in (cuts or task.cuts or {}).items()}
    items = _parse.parse_file(context, task.opened(), task.profile, ends)
    return [shown(*item[:4], item.event and {**task.constants[item.piece], **item.event}) for item in items], asked


def shown(piece: int, offset: int, size: int, what: str, event: dict[str, t.Any] | None) -> Shown:
    """Write an item so that values of different types differ."""
    return piece, offset, size, what, None if event is None else json.dumps(event, sort_keys=True)


def question(task: Task, asked: Asked, seed: int) -> dict[str, t.Any]:
    """Say to Ruby what it has to parse and what is known of it."""
    context = task.context
    return {
        "name": context.classified.name,
        "number": context.classified.number,
        "profile": task.profile,
        "mode": task.mode,
        "seed": seed,
        "zone": context.clock.zone,
        "zone_assumed": context.zone_assumed,
        "base": {**task.constants[0], **context.base},
        "keys": context.keys,
        "created": context.created.ms,
        "copies": asked.answers,
        "keep_copies": context.keep_copies,
        "extra_fields": context.extra_fields,
        "cuts": task.cuts or {},
        "pieces": [
            {"base64": base64.b64encode(piece).decode()} if isinstance(piece, bytes) else {"path": str(piece)}
            for piece in task.pieces
        ],
    }


def run_ruby(script: pathlib.Path, asked: t.Any) -> t.Iterator[t.Any]:
    """Ask a script of tests/ruby; yield its answers."""
    command = [RUBY or "", FLUENTD_ENCODINGS, str(script)]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    # Not splitlines(): strings may hold whatever else ends a line.
    return (json.loads(line) for line in done.stdout.split("\n") if line)


def differences(tasks: t.Sequence[Task], limit: int = 3) -> list[tuple[str, t.Any, t.Any]]:
    """Return where Ruby's items are not Python's: the file, and both items."""
    by_python = [python_items(task) for task in tasks]
    files = [question(task, asked, seed) for seed, (task, (_items, asked)) in enumerate(zip(tasks, by_python))]
    answers = run_ruby(DRIVER, {"catalogue": str(CATALOGUE_JSON), "files": files})
    found: list[tuple[str, t.Any, t.Any]] = []
    for task, (items, _asked), answer in zip(tasks, by_python, answers, strict=True):
        expected = items
        if task.mode == "quiet":
            cuts: Cuts = {}
            for piece, offset in answer["closed"]:
                cuts.setdefault(piece, []).append(offset)
            expected, _again = python_items(task, cuts)
        by_ruby = [shown(*item) for item in answer["items"]]
        if by_ruby != expected:
            found.append((task.context.classified.name, *first_difference(expected, by_ruby)))
            if len(found) >= limit:
                break
    return found


def first_difference(expected: list[Shown], by_ruby: list[Shown]) -> tuple[t.Any, t.Any]:
    """Return the first two items that differ, of two events what differs in them."""
    for ours, theirs in zip(expected, by_ruby):
        if ours == theirs:
            continue
        if ours[:4] != theirs[:4] or ours[4] is None or theirs[4] is None:
            return ours, theirs
        left, right = json.loads(ours[4]), json.loads(theirs[4])
        names = sorted(
            name for name in left.keys() | right.keys() if json.dumps(left.get(name)) != json.dumps(right.get(name))
        )
        return {name: left.get(name) for name in names}, {name: right.get(name) for name in names}
    return len(expected), len(by_ruby)
