# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install pip into an environment of ansible-test from the package index, not with a script from a download host.

ansible-test runs this file, under the name that its cache expects, with the arguments for get-pip; tools/run_sanity.py
sets its HOME to a folder below .cache.
"""

from __future__ import annotations

import subprocess
import sys

ARGUMENTS = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]

# The pip that comes with this Python knows this Python; the one of .venv may be too old for it.
subprocess.check_call([sys.executable, "-m", "ensurepip"], stdout=subprocess.DEVNULL)
sys.exit(subprocess.call([sys.executable, "-m", "pip", "--quiet", "install", *ARGUMENTS]))
