#!/usr/bin/env python3
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch Elastic's reduced test distribution of Elasticsearch by its Maven coordinates into .cache/, once."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

CACHE = Path(__file__).resolve().parent.parent / ".cache"
SHA256 = {
    "7.17.9": "231f708f602b39359853a6d822525ba695233fe06c2dd5a960bc535bf66b6fc1",
    "8.19.0": "14833b2d86c30656901f92049f81fb5777a8e4545413c8656cd1a21b55173033",
    "9.2.0": "bf44938a0490ba2a303d39c9cb64b38963dd08c812ce93e10816e878585bcb6b",
}


def main() -> None:
    """Print the paths of the zips of the versions asked for, 8.19.0 unless said otherwise."""
    for version in sys.argv[1:] or ["8.19.0"]:
        sys.stdout.write(f"{fetch(version)}\n")


def fetch(version: str = "8.19.0") -> Path:
    """Return the path of the verified zip, downloading it when it is not there.

    :raises ValueError: when the version or what was downloaded is not what is known here.
    """
    if version not in SHA256:
        raise ValueError(f"Elasticsearch {version} has no known checksum. Known: {', '.join(sorted(SHA256))}.")
    archive = CACHE / f"elasticsearch-{version}.zip"
    if not (archive.is_file() and digest(archive) == SHA256[version]):
        part = archive.with_suffix(f".{os.getpid()}")
        download(version, part)
        found = digest(part)
        if found != SHA256[version]:
            part.unlink()
            raise ValueError(f"Elasticsearch {version}: the download has SHA-256 {found}, not {SHA256[version]}.")
        part.replace(archive)
    return archive


def digest(archive: Path) -> str:
    """Compute the SHA-256 of a file."""
    checksum = hashlib.sha256()
    with archive.open("rb") as stream:
        while block := stream.read(1 << 20):
            checksum.update(block)
    return checksum.hexdigest()


def download(version: str, target: Path) -> None:
    """Let community.general.maven_artifact fetch the zip; what it fetched is checked against the pinned SHA-256.

    :raises RuntimeError: when it fails.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    options = {
        "group_id": "org.elasticsearch.distribution.integ-test-zip",
        "artifact_id": "elasticsearch",
        "version": version,
        "extension": "zip",
        "verify_checksum": "never",
        "mode": "0644",
        "dest": str(target),
    }
    command = [sys.executable, "-m", "ansible", "adhoc", "localhost", "--inventory", "localhost,"]
    command += ["--connection", "local", "--extra-vars", f"ansible_python_interpreter={sys.executable}"]
    command += ["--module-name", "community.general.maven_artifact"]
    command += ["--args", " ".join(f"{key}={value}" for key, value in options.items())]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    if answer.returncode:
        raise RuntimeError(f"Cannot fetch Elasticsearch {version}: {answer.stdout}{answer.stderr}")


if __name__ == "__main__":
    main()
