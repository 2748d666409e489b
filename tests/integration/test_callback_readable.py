# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees of a run."""

from __future__ import annotations

import re
import typing as t

import pytest

from tests.integration.conftest import run_playbook

if t.TYPE_CHECKING:
    from pathlib import Path

PLAY = """
- name: Tell all
  hosts: all
  gather_facts: false
  tasks:
    - name: Say a table
      ansible.builtin.debug: {msg: "Name  Count\\n----  -----"}
    - name: Say lines
      ansible.builtin.debug: {msg: [one, two]}
    - name: Say data
      ansible.builtin.debug: {msg: {key: [1, text]}}
    - name: Say a variable
      ansible.builtin.debug: {var: inventory_hostname}
    - name: Say each
      ansible.builtin.debug: {msg: "item {{ item }}"}
      loop: [1, 2]
    - name: Be quiet about it
      ansible.builtin.debug: {msg: "{{ 'hun' }}ter2"}
      no_log: true
    - name: Say nothing yet
      ansible.builtin.debug: {msg: too much}
      when: false
    - name: Write a file
      ansible.builtin.copy: {content: "{{ 'of the' }} file\\n", dest: "{{ folder }}/file", mode: "0600"}
    - name: Find all well
      ansible.builtin.command: {argv: ["true"]}
      changed_when: false
    - name: Take long
      ansible.builtin.command: {argv: [sleep, "5.5"]}
      when: slow is defined
    - name: Fail twice
      ansible.builtin.fail: {msg: "no {{ item }}"}
      loop: [1, 2, 2]
      ignore_errors: true
    - name: Fail in secret
      ansible.builtin.fail: {msg: "{{ 'hun' }}ter2"}
      no_log: true
      ignore_errors: true
    - name: Fail for good
      ansible.builtin.command: {argv: [ls, /nowhere/at/all]}
"""
CENSORED = "the output has been hidden due to the fact that 'no_log: true' was specified for this result"


@pytest.fixture
def watch(tmp_path: Path) -> t.Callable[..., str]:
    """Run the play and give what is on the screen, with the seconds masked."""

    def run(play: str, *arguments: str) -> str:
        (tmp_path / "play.yml").write_text(play)
        variables = ["--extra-vars", f"folder={tmp_path}"]
        shown = run_playbook(*variables, *arguments, "play.yml", callback="raylogs.efk.readable", cwd=tmp_path)
        return re.sub(r"\(\d+ s\)", "(… s)", shown)

    return run


def test_a_run_is_few_lines(watch: t.Callable[..., str]) -> None:
    shown = watch(PLAY, "--extra-vars", "slow=1").splitlines()
    assert [line for line in shown if line] == [
        "Tell all",
        "  Name  Count",
        "  ----  -----",
        "  one",
        "  two",
        "  msg:",
        "      key:",
        "      - 1",
        "      - text",
        "  inventory_hostname: localhost",
        "  item 1",
        "  item 2",
        f"  {CENSORED}",
        "  ✓ Write a file",
        "  … Take long",
        "  ✓ Take long (… s)",
        "  ✗ Fail twice",
        "  no 1",
        "  no 2",
        "  ✗ Fail in secret",
        f"  {CENSORED}",
        "  ✗ Fail for good",
        "  non-zero return code",
        "  ls: cannot access '/nowhere/at/all': No such file or directory",
        "localhost: ok=11 changed=2 unreachable=0 failed=1 (… s)",
    ]


def test_what_was_fine_and_what_would_change_is_shown_on_request(watch: t.Callable[..., str]) -> None:
    shown = watch(PLAY, "--check", "--diff", "-vv")
    assert "Tell all (check mode: nothing is changed)" in shown
    assert "  · Find all well\n" not in shown, "check mode does not run commands"
    assert "\n  +of the file\n" in shown
    assert "\n  ✓ Write a file\n" in shown
    assert "\n      changed: true\n" in shown, "the whole result"
    assert "hunter2" not in shown
    assert "\n  · Find all well\n" in watch(PLAY, "-v")


def test_a_play_without_hosts_is_not_passed_over(watch: t.Callable[..., str]) -> None:
    shown = watch(PLAY.replace("hosts: all", "hosts: nobody"))
    assert shown.strip().splitlines() == ["Tell all", "  The inventory has no host for this play."]


def test_a_host_that_cannot_be_reached(watch: t.Callable[..., str]) -> None:
    play = "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: Knock\n      ansible.builtin.ping:\n"
    shown = watch(play, "--inventory", "nowhere.invalid,", "--limit", "nowhere.invalid", "--connection", "ssh")
    assert "  ✗ [nowhere.invalid] Knock\n" in shown
    assert "nowhere.invalid" in shown.split("Knock")[1]
    assert "nowhere.invalid: ok=0 changed=0 unreachable=1 failed=0" in shown
