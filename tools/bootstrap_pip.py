# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install pip into an environment of ansible-test with the pip of .venv, instead of a script from a download host.

ansible-test runs this file, under the name that its cache expects, with the arguments for get-pip; tools/run_sanity.py
sets its HOME to a folder below .cache.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PIP = Path.home().parent.parent / ".venv" / "bin" / "pip"
ARGUMENTS = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]

sys.exit(subprocess.call([str(PIP), "--quiet", "--python", sys.executable, "install", *ARGUMENTS]))
