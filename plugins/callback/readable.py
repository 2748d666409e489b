# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show a run as few lines that a person likes to read."""

from __future__ import annotations

DOCUMENTATION = r"""
name: readable
type: stdout
short_description: Show a run as few lines that a person likes to read
author: Contributors to the raylogs.efk project (@raylogs)
description:
  - Shows what changed, what failed, and what the tasks of M(ansible.builtin.debug) say; text as it is, so that a
    table looks like a table.
  - A task that takes long says so, and then every ten seconds how long it has been at work.
  - What was fine is shown from the first C(-v) on, whole results from the second.
requirements:
  - set as C(stdout_callback) in the configuration
extends_documentation_fragment:
  - default_callback
  - result_format_callback
"""

import re
import textwrap
import threading
import time
import typing as t

from ansible.constants import config
from ansible.plugins.callback import CallbackBase

if t.TYPE_CHECKING:
    from ansible.executor.stats import AggregateStats
    from ansible.executor.task_result import CallbackTaskResult
    from ansible.playbook.handler import Handler
    from ansible.playbook.play import Play
    from ansible.playbook.task import Task

FIRST_SIGN = 5.0
NEXT_SIGN = 10.0
SPEAKING = {"debug", "ansible.builtin.debug"}
STRUCTURAL = re.compile(r"(ansible\.builtin\.)?(include_|import_|meta)")


def color_of(kind: str) -> str:
    """Return the colour that the user's configuration has for a kind of line."""
    return str(config.get_config_value(f"COLOR_{kind}"))


def plain_name(task: Task) -> str:
    """Return the name of a task without its role's."""
    return str(task.get_name()).rpartition(" : ")[2]


def speech(result: t.Mapping[str, t.Any]) -> str | None:
    """Return what a debug task says, when it is text."""
    message = result.get("msg", result.get("censored"))
    lines = [message] if isinstance(message, str) else message
    return "\n".join(lines) if isinstance(lines, list) and all(isinstance(line, str) for line in lines) else None


def reason(result: t.Mapping[str, t.Any]) -> str:
    """Return why a task failed, of a loop the reasons of its items."""
    failed = [item for item in result.get("results", []) if item.get("failed") or item.get("unreachable")]
    reasons = [str(item.get("msg") or item.get("censored", "")) for item in failed or [result]]
    details = [str(result[key]).strip() for key in ("stderr", "module_stderr") if result.get(key)]
    return "\n".join(text for text in [*dict.fromkeys(reasons), *details] if text)


class CallbackModule(CallbackBase):
    """Print the run."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "raylogs.efk.readable"

    def __init__(self) -> None:
        """Start the clock."""
        super().__init__()
        self._began = self._task_began = time.monotonic()
        self._task_done = threading.Event()

    def _say(self, text: str, color: str | None = None) -> None:
        """Print lines, indented."""
        self._display.display("\n".join(f"  {line}".rstrip() for line in text.split("\n")), color=color)

    def _watch(self, name: str, done: threading.Event, began: float) -> None:
        """Give signs of life until the task is done."""
        if done.wait(FIRST_SIGN):
            return
        self._say(f"… {name}", color_of("VERBOSE"))
        while not done.wait(NEXT_SIGN):
            self._say(f"  … {time.monotonic() - began:.0f} s", color_of("VERBOSE"))

    def _start_task(self, task: Task) -> None:
        """Begin to watch a task."""
        self._task_done.set()
        self._task_began = time.monotonic()
        self._task_done = threading.Event()
        arguments = (plain_name(task), self._task_done, self._task_began)
        threading.Thread(target=self._watch, args=arguments, daemon=True).start()

    def _show(self, sign: str, result: CallbackTaskResult, color: str) -> None:
        """Print the line of a task, and its whole result where the user wants to see it."""
        self._task_done.set()
        seconds = time.monotonic() - self._task_began
        host = "" if result.host.get_name() == "localhost" else f"[{self.host_label(result)}] "
        took = f" ({seconds:.0f} s)" if seconds >= FIRST_SIGN else ""
        self._say(f"{sign} {host}{plain_name(result.task)}{took}", color)
        if self._display.verbosity > 1:
            self._say(self._dump_results(result.result), color)

    def _repeat(self, result: CallbackTaskResult) -> None:
        """Print what a debug task says, of a loop what it says for each item."""
        clean: t.Callable[..., None] = self._clean_results
        for item in result.result.get("results", [result.result]):
            said = speech(item)
            if said is None and not item.get("skipped"):
                data = dict(item)
                clean(data, result.task.action)
                said = textwrap.dedent(self._dump_results(data)).strip("\n")
            if said is not None:
                self._say(said)

    def v2_playbook_on_play_start(self, play: Play) -> None:
        """Print a heading."""
        marker = " (check mode: nothing is changed)" if play.check_mode else ""
        self._display.display(f"\n{play.get_name().strip()}{marker}", color=color_of("HIGHLIGHT"))

    def v2_playbook_on_no_hosts_matched(self) -> None:
        """Say that a play does nothing."""
        self._say("The inventory has no host for this play.", color_of("SKIP"))

    def v2_playbook_on_task_start(self, task: Task, is_conditional: bool) -> None:
        """Watch it."""
        del is_conditional
        self._start_task(task)

    def v2_playbook_on_handler_task_start(self, task: Handler) -> None:
        """Watch it."""
        self._start_task(task)

    def v2_runner_on_ok(self, result: CallbackTaskResult) -> None:
        """Print what changed and what is said."""
        self._task_done.set()
        self._handle_warnings(result.result)
        if result.task.action in SPEAKING:
            self._repeat(result)
        elif result.result.get("changed"):
            self._show("✓", result, color_of("CHANGED"))
        elif self._display.verbosity and not STRUCTURAL.match(result.task.action):
            self._show("·", result, color_of("OK"))

    def v2_runner_on_skipped(self, result: CallbackTaskResult) -> None:
        """Say nothing."""
        self._task_done.set()
        self._handle_warnings(result.result)

    def v2_runner_on_failed(self, result: CallbackTaskResult, ignore_errors: bool = False) -> None:
        """Print why it failed, with room around it."""
        self._handle_warnings(result.result)
        color = color_of("SKIP") if ignore_errors else color_of("ERROR")
        self._show("✗", result, color)
        self._say(f"\n{reason(result.result)}\n", color)

    def v2_runner_on_unreachable(self, result: CallbackTaskResult) -> None:
        """Print why the host cannot be reached."""
        self.v2_runner_on_failed(result)

    def v2_on_file_diff(self, result: CallbackTaskResult) -> None:
        """Print what changed in detail, where the user asked for it."""
        describe: t.Callable[..., str] = self._get_diff
        for changed in result.result.get("results", [result.result]):
            if changed.get("diff") and changed.get("changed"):
                self._say(describe(changed["diff"]).rstrip("\n"))

    def v2_playbook_on_stats(self, stats: AggregateStats) -> None:
        """Print one line for each host."""
        self._task_done.set()
        seconds = time.monotonic() - self._began
        self._display.display("")
        for host in sorted(stats.processed):
            counts = stats.summarize(host)
            bad = counts["failures"] or counts["unreachable"]
            self._display.display(
                f"{host}: ok={counts['ok']} changed={counts['changed']} unreachable={counts['unreachable']} "
                f"failed={counts['failures']} ({seconds:.0f} s)",
                color=color_of("ERROR") if bad else color_of("OK"),
            )
