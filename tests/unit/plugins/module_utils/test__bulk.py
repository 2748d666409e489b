# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What bulk requests answer, in words, and the file of rejected events."""

from __future__ import annotations

import json
import resource
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _args, _bulk, _elasticsearch
from ansible_collections.raylogs.efk.plugins.module_utils._api import ApiError

from tests.stranger import Answer, stranger

PARSING = {
    "type": "document_parsing_exception",
    "reason": "[1:234] failed to parse field [n] of type [long] in document with id 'k:0'. "
    "Preview of field's value: 'x'",
    "caused_by": {"reason": 'For input string: "x"'},
}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(
            PARSING,
            'document_parsing_exception: failed to parse field [n] of type [long] (For input string: "…")',
            id="places, ids and values differ from event to event",
        ),
        pytest.param({"type": "a", "reason": None}, "a: None", id="no reason"),
        pytest.param({"type": "a", "reason": "b" * 1000}, ("a: " + "b" * 1000)[:300], id="long words"),
    ],
)
def test_reasons_are_the_same_for_the_same_fault(error: dict[str, t.Any], words: str) -> None:
    assert _bulk.describe(error) == words


@pytest.mark.parametrize("given", [True, False])
def test_dead_letters_are_made_when_needed_for_the_owner_alone(given: bool, tmp_path: Path) -> None:
    wanted = tmp_path / "letters"
    wanted.write_text("of an earlier run")
    wanted.chmod(0o644)
    letters = _bulk.DeadLetters(str(wanted) if given else "")
    assert letters.path == ""
    letters.close()
    document = _bulk.Document("worker", b'{"create":{"_index":"i","_id":"k:0"}}\n{"message":"\xc3\xa4"}\n')
    letters.add(document, 400, 'a "reason"')
    letters.add(document, 400, "another")
    letters.close()
    path = Path(letters.path)
    assert (path == wanted) is given
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first, second = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert first == {"reason": 'a "reason"', "status": 400, "index": "i", "id": "k:0", "event": {"message": "ä"}}
    assert second["reason"] == "another"
    path.unlink()


def test_dead_letters_follow_no_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "letters").symlink_to(victim)
    letters = _bulk.DeadLetters(str(tmp_path / "letters"))
    with pytest.raises(ApiError, match=r"letters cannot be written: Too many levels of symbolic links\. Free space"):
        letters.add(_bulk.Document("worker", b'{"create":{"_index":"i","_id":"k"}}\n{}\n'), 400, "reason")
    assert victim.read_text() == "precious"


def test_dead_letters_for_which_there_is_no_room_stop_the_import(tmp_path: Path) -> None:
    """No file may grow beyond a size here, which to the writer is the same as a full disk."""
    letters = _bulk.DeadLetters(str(tmp_path / "letters"))
    document = _bulk.Document("worker", b'{"create":{"_index":"i","_id":"k"}}\n{"message":"' + b"x" * 4096 + b'"}\n')
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    try:
        with pytest.raises(ApiError) as refusal:
            letters.add(document, 400, "reason")
        letters.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(refusal.value) == (
        f"Cannot keep a rejected event: {tmp_path}/letters cannot be written: File too large. "
        "Free space there, or name another file as dead_letter_path."
    )


@pytest.mark.parametrize("answer", ["{}", "[]", '{"errors": true}', '{"errors": true, "items": []}'])
def test_an_answer_that_is_none_is_a_failure(answer: str) -> None:
    """Else the thread that sends would end, and its events would be lost without a word."""
    mark = {"X-Elastic-Product": "Elasticsearch", "Content-Type": "application/json"}
    version = '{"nodes": {"x": {"version": "8.19.0", "build_flavor": "default"}}}'
    defaults = {name: option.get("default") for name, option in _args.connection_options("elasticsearch", "").items()}
    with stranger(Answer(200, mark, version), Answer(200, mark, answer)) as server:
        connection = _elasticsearch.connect({**defaults, "url": [server.url], "retries": 0})
        sender = _bulk.Sender(connection, "", _bulk.DeadLetters(""))
        sender.add(_bulk.Document("worker", b'{"create":{"_index":"a","_id":"b"}}\n{}\n'))
        with pytest.raises(ApiError, match="gave an answer that Elasticsearch does not give"):
            sender.finish()
