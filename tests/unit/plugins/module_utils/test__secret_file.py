# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep secrets in files, one run at a time, whenever a run ends."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _secret_file
from ansible_collections.raylogs.efk.plugins.module_utils._api import Body, OptionError
from ansible_collections.raylogs.efk.plugins.module_utils._secret_file import (
    check_place,
    draft_of,
    is_private,
    locked,
    make_folder,
    read_secret,
    remove_secret,
    under_lock,
)

if t.TYPE_CHECKING:
    from pathlib import Path


def mode(path: Path) -> int:
    """Give the permissions of a file or folder."""
    return stat.S_IMODE(path.stat().st_mode)


def test_life_of_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "secret"
    check_place(str(file))
    assert read_secret(str(file)) is None
    for secret in ("first", "second"):
        with locked(str(file)), draft_of(str(file)) as keep:
            keep(secret)
        assert (read_secret(str(file)), file.read_text()) == (secret, f"{secret}\n")
    assert [mode(path) for path in (file, file.parent, tmp_path / "a")] == [0o600, 0o700, 0o700]
    assert list(file.parent.iterdir()) == [file]
    remove_secret(str(file))
    remove_secret(str(file))
    assert list(file.parent.iterdir()) == []


def test_secret_that_is_not_kept_leaves_the_former(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("former")
    file.chmod(0o600)
    with pytest.raises(KeyError), draft_of(str(file)):
        raise KeyError
    assert read_secret(str(file)) == "former"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("permissions", [0o640, 0o604, 0o620, 0o660, 0o610])
def test_secret_that_others_may_use_is_refused(permissions: int, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret")
    file.chmod(permissions)
    with pytest.raises(OptionError, match=f"its mode is 0{permissions:o}.*chmod 600") as refusal:
        read_secret(str(file))
    assert "s3cret" not in str(refusal.value)


def test_what_is_no_secret_is_refused(tmp_path: Path) -> None:
    file, link = tmp_path / "secret", tmp_path / "link"
    link.symlink_to(file)
    for path in (tmp_path, link):
        with pytest.raises(OptionError, match="is no file"):
            read_secret(str(path))
    file.write_bytes(b"\xff\xfe")
    file.chmod(0o600)
    with pytest.raises(OptionError, match="Cannot read"):
        read_secret(str(file))
    with pytest.raises(OptionError, match="Cannot look at"):
        read_secret(str(file / "secret"))


def test_place_that_cannot_hold_a_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match="is not absolute"):
        check_place("secret")
    with pytest.raises(OptionError, match="is no folder"):
        check_place(str(tmp_path / "file" / "folder" / "secret"))
    tmp_path.chmod(0o720)
    with pytest.raises(OptionError, match="Run: chmod go-w"):
        check_place(str(tmp_path / "secret"))
    tmp_path.chmod(0o1777)
    check_place(str(tmp_path / "secret"))


def test_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match="Cannot write"), draft_of(str(tmp_path / "file" / "secret")):
        pass
    file = tmp_path / "folder"
    with draft_of(str(file)) as keep:
        file.mkdir()
        with pytest.raises(OptionError, match="Is a directory"):
            keep("s3cret")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
    with pytest.raises(OptionError, match="Cannot remove"):
        remove_secret(str(file))


def test_folder_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert not is_private(folder)
    assert make_folder(folder) == [folder, folder.parent]
    assert (is_private(folder), make_folder(folder)) == (True, [])
    folder.chmod(0o750)
    assert not is_private(folder)


def run_child(code: str, file: Path) -> subprocess.Popen[str]:
    """Start another process, which works on a file by the name `file`."""
    begin = "import sys, time\nfrom ansible_collections.raylogs.efk.plugins.module_utils._secret_file import *\n"
    program = f"{begin}file = sys.argv[1]\n{textwrap.dedent(code)}"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program, str(file)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def kill(child: subprocess.Popen[str]) -> None:
    """End another process as the kernel does when memory is short."""
    child.kill()
    assert child.wait() == -signal.SIGKILL
    assert child.stdout
    child.stdout.close()


def first_line(child: subprocess.Popen[str]) -> str:
    """Wait for what another process says first."""
    assert child.stdout
    return child.stdout.readline().strip()


WRITE_IN_PART = """
    with locked(file), draft_of(file) as keep:
        [draft] = Path(file).parent.glob(".secret.draft-*")
        draft.write_text("half of a s3cr")
        print("writing", flush=True)
        time.sleep(600)
"""


@pytest.mark.parametrize("former", [None, "former"])
def test_run_that_is_killed_leaves_what_was_there_and_frees_the_lock(former: str | None, tmp_path: Path) -> None:
    file, others = tmp_path / "keys" / "secret", tmp_path / "keys" / ".another.draft-x"
    file.parent.mkdir(0o700)
    others.touch(0o600)
    if former:
        file.touch(0o600)
        file.write_text(former)
    child = run_child(WRITE_IN_PART, file)
    assert first_line(child) == "writing"
    kill(child)
    assert read_secret(str(file)) == former
    drafts = [path for path in file.parent.iterdir() if path not in (file, others)]
    assert [(path.name.startswith(".secret.draft-"), mode(path)) for path in drafts] == [(True, 0o600)]
    with locked(str(file)):
        assert set(file.parent.iterdir()) == {others, *([file] if former else [])}


WRITE_FOR_EVER = """
    while True:
        for sign in "ab":
            with locked(file), draft_of(file) as keep:
                keep(sign * 1_000_000)
            print("written", flush=True)
"""


def test_secret_is_whole_whenever_a_run_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    for number in range(8):
        child = run_child(WRITE_FOR_EVER, file)
        assert first_line(child) == "written"
        time.sleep(number / 300)
        kill(child)
        assert read_secret(str(file)) in {"a" * 1_000_000, "b" * 1_000_000}
    with locked(str(file)):
        assert list(tmp_path.iterdir()) == [file]


HOLD = """
    with locked(file):
        print("held", flush=True)
        time.sleep(600)
"""


def test_lock_that_another_run_holds_is_waited_for_but_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys" / "secret"
    child = run_child(HOLD, file)
    assert first_line(child) == "held"
    monkeypatch.setattr(_secret_file, "PATIENCE", 0.3)
    with pytest.raises(OptionError, match=r"keys locked for 0\.3 seconds.*lslocks tells.*run this again\."):
        locked(str(file)).__enter__()
    monkeypatch.setattr(_secret_file, "PATIENCE", 60)
    threading.Timer(0.3, child.kill).start()
    with locked(str(file)):
        assert child.wait() == -signal.SIGKILL
    assert child.stdout
    child.stdout.close()


def test_folders_are_made_for_a_lock_and_go_when_nothing_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "secret"
    with locked(str(file)):
        assert [mode(folder) for folder in (file.parent, file.parent.parent)] == [0o700, 0o700]
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a").mkdir()
    with pytest.raises(KeyError), locked(str(file)):
        raise KeyError
    assert list((tmp_path / "a").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match="Cannot write"), locked(str(tmp_path / "file" / "secret")):
        pass


def test_folder_that_goes_while_its_lock_is_waited_for_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir(0o700)
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)

    def go() -> None:
        folder.rmdir()
        os.close(handle)

    threading.Timer(0.3, go).start()
    with locked(str(folder / "secret")):
        assert is_private(folder)
    assert not folder.exists()


def test_draft_that_cannot_be_removed_is_told(tmp_path: Path) -> None:
    (tmp_path / ".secret.draft-x").mkdir()
    with pytest.raises(OptionError, match=r"Cannot write .*secret: "), locked(str(tmp_path / "secret")):
        pass
    (tmp_path / ".secret.draft-x").rmdir()
    with locked(str(tmp_path / "secret")):
        pass


def keep_one(file: Path, made: list[str]) -> t.Callable[[bool], Body]:
    """Build the work of a run that makes a secret where there is none, slowly."""

    def work(dry: bool) -> Body:
        is_missing = read_secret(str(file)) is None
        if is_missing and not dry:
            with draft_of(str(file)) as keep:
                made.append(threading.current_thread().name)
                time.sleep(0.2)
                keep(made[-1])
        return {"changed": is_missing}

    return work


def test_runs_at_once_make_one_secret(tmp_path: Path) -> None:
    file, made, answers = tmp_path / "a" / "b" / "secret", list[str](), list[Body]()

    def run() -> None:
        answers.append(under_lock(str(file), keep_one(file, made), makes=True, dry=False))

    runs = [threading.Thread(target=run) for _number in range(4)]
    for each in runs:
        each.start()
    for each in runs:
        each.join()
    assert sorted(answer["changed"] for answer in answers) == [False, False, False, True]
    assert made == [read_secret(str(file))]
    assert list(file.parent.iterdir()) == [file]


def test_nothing_is_made_or_locked_where_nothing_is_to_be_written(tmp_path: Path) -> None:
    file, asked = tmp_path / "keys" / "secret", list[bool]()

    def work(dry: bool) -> Body:
        asked.append(dry)
        assert not file.parent.exists()
        return {"changed": is_changed}

    is_changed = True
    assert under_lock(str(file), work, makes=True, dry=True) == {"changed": True}
    # What removes a file needs no folder for it.
    under_lock(str(file), work, makes=False, dry=False)
    under_lock(None, work, makes=False, dry=False)
    is_changed = False
    under_lock(str(file), work, makes=True, dry=False)
    assert asked == [True, *[True, False] * 2, True]
    file.parent.mkdir(0o700)
    with locked(str(file)):
        assert under_lock(str(file), lambda _dry: {"changed": True}, makes=True, dry=True)["changed"]
