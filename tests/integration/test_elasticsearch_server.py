# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers that tests start leave nothing behind."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
SLEEPER = "#!/bin/sh\nexec sleep 600\n"
PROGRAM = """
import sys, time
from pathlib import Path
from tests.elasticsearch_server import start
folder = Path(sys.argv[1])
print(start(folder, folder, "/none").pid, flush=True)
time.sleep(600)
"""


def test_a_server_ends_with_the_tests_that_were_killed() -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        program = folder / "bin" / "elasticsearch"
        program.parent.mkdir()
        program.write_text(SLEEPER)
        program.chmod(0o755)
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as tests:
            assert tests.stdout
            server = Path("/proc", tests.stdout.readline().strip())
            deadline = time.monotonic() + 30
            while b"sleep" not in (server / "cmdline").read_bytes():
                assert time.monotonic() < deadline
                time.sleep(0.01)
            tests.kill()
        while server.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
