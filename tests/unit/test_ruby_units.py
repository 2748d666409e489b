# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collector's plain Ruby: its own tests, with the encodings under which Fluentd runs Ruby."""

from __future__ import annotations

import json
import pathlib
import subprocess
import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _identity

from tests import odd_lines, ruby_parser

FOLDER = pathlib.Path(__file__).parents[1] / "ruby"
FLUENTD_ENCODINGS = "-Eascii-8bit:ascii-8bit"
CASES = 5_000
SECOND = 1_000_000_000
pytestmark = pytest.mark.skipif(ruby_parser.RUBY is None, reason=ruby_parser.NO_RUBY)


def run_ruby(*arguments: str, given: str = "") -> str:
    """Run Ruby and return what it printed."""
    run = subprocess.run(
        [str(ruby_parser.RUBY), "-w", FLUENTD_ENCODINGS, *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.mark.parametrize("path", sorted(FOLDER.glob("test_*.rb")), ids=lambda path: path.stem)
def test_units_with_ruby(path: pathlib.Path) -> None:
    shown = run_ruby(str(path))
    assert "0 failures, 0 errors, 0 skips" in shown
    assert " 0 runs" not in shown


def chain_of(chosen: odd_lines.Chance) -> list[list[t.Any]]:
    """Make up the pieces of a file, oldest first: base, repeatable, number, last change in nanoseconds, inode."""
    count, rotated, ended = 1 + chosen.below(4), chosen.below(2), (5 + chosen.below(5)) * SECOND
    chain: list[list[t.Any]] = []
    for number in range(count - 1 + rotated, rotated - 1, -1):
        ended += chosen.of([0, 1, SECOND // 2, SECOND, 2 * SECOND])
        chain.append([chosen.of("AAB"), chosen.below(5) > 0, number, ended, inode_of(chosen)])
    return chain


def inode_of(chosen: odd_lines.Chance) -> str:
    """Make up what tells an original from a copy: nothing, or an inode with its birth."""
    return chosen.of(["", f"{1 + chosen.below(4)}.{chosen.below(15) * SECOND}"])


def members_of(chosen: odd_lines.Chance) -> dict[str, list[list[str]]]:
    """Make up the keys of other files, by base."""
    members = {}
    for base in "AB":
        keys = [base, *(f"{base}~b{second}{more}" for second in range(5, 14) for more in ("", ".0", ".1"))]
        keys += [f"{base}~e{second}" for second in range(5, 14)]
        members[base] = [[chosen.of(keys), inode_of(chosen)] for _member in range(chosen.below(5))]
    return members


def test_pieces_get_the_keys_that_the_importer_gives_them_with_ruby() -> None:
    chosen = odd_lines.Chance("pieces")
    cases = [(chain_of(chosen), members_of(chosen)) for _case in range(CASES)]
    importer = [
        list(
            _identity.resolve(
                [_identity.PieceIdentity(*piece) for piece in chain],
                {base: [_identity.Member(*member) for member in found] for base, found in members.items()},
            )
        )
        for chain, members in cases
    ]
    shown = run_ruby(str(FOLDER / "resolve_keys.rb"), given="\n".join(json.dumps(case) for case in cases))
    assert [json.loads(line) for line in shown.splitlines()] == importer
    assert len({tuple(keys) for keys in importer}) > CASES // 10
