# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All benchmarks, one after the other: `make bench`, or `python -m benchmarks FOLDER` for your own sessions."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from ansible_collections.raylogs.efk.plugins.module_utils import _spool

BUNDLED = Path(__file__).parent.parent / "demo" / "session.tar.xz"
BENCHMARKS = ("parser_speed", "collector_parser", "import_speed", "storage")
WITHOUT_LOGS = ("content_pass",)


def main() -> int:
    """Run them; return 1 when one misses its goal."""
    source = sys.argv[1] if len(sys.argv) > 1 else str(BUNDLED)
    missed = []
    with tempfile.TemporaryDirectory() as place, _spool.spool(source, place, 0) as spooled:
        for name in BENCHMARKS:
            print(f"== {name} ==", flush=True)
            ended = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", spooled.folder], check=False)
            missed += [name] if ended.returncode else []
    for name in WITHOUT_LOGS:
        print(f"== {name} ==", flush=True)
        missed += [name] if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode else []
    if missed:
        print(f"Goals missed: {', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
