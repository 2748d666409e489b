#!/usr/bin/python
# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpack a program's archive into its folder: all of it or nothing."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_archive
short_description: Unpack a program's archive into its folder, all of it or nothing
description:
  - Verifies the checksum of an archive (C(tar), C(tar.gz) or C(zip)) and unpacks it into a new folder, which appears
    under its final name only when it is complete.
  - An archive with one folder at its top is unpacked without that folder.
  - Needs neither C(tar) nor C(unzip), keeps the executable bits, and refuses members that lead out of the folder.
  - A folder that is there already is left alone.
author: [Contributors to the raylogs.efk project (@raylogs)]
extends_documentation_fragment:
  - raylogs.efk._host
options:
  src:
    description: Path of the archive on this host.
    type: path
    required: true
  dest:
    description: The folder to make. Its parent must exist.
    type: path
    required: true
  checksum:
    description: What the archive's checksum must be, as V(algorithm:hexadecimal).
    type: str
  origin:
    description: Where the archive came from, in words; kept in the folder and returned.
    type: str
    default: ""
attributes:
  check_mode:
    description: Says whether it would unpack, without reading the archive.
"""

EXAMPLES = r"""
- name: Unpack Elasticsearch
  raylogs.efk.host_archive:
    src: /var/cache/elasticsearch/elasticsearch-8.19.0-linux-x86_64.tar.gz
    dest: /opt/elasticsearch/elasticsearch-8.19.0
    checksum: "sha512:{{ elasticsearch_sum }}"
"""

RETURN = r"""
origin:
  description: Where the archive in the folder came from.
  returned: success
  type: str
  sample: Elastic's own archive
"""

import functools
import hashlib
import os
import pathlib
import shutil
import stat
import tarfile
import tempfile
import typing as t
import zipfile
import zlib

from ansible.module_utils.basic import AnsibleModule

ORIGIN = ".origin"
ZIP_BEGINS = b"PK\x03\x04"
CHUNK = 1 << 20
FILE = 0o644
PROGRAM = 0o755


class ArchiveError(Exception):
    """The archive cannot be used; the text says why and what to do."""


class Member(t.NamedTuple):
    """One member of an archive."""

    name: str
    kind: str
    """file, folder or link."""
    executable: bool
    target: str
    open: t.Callable[[], t.IO[bytes]]


def verify_checksum(path: pathlib.Path, checksum: str) -> None:
    """Compare the archive with its checksum.

    :raises ArchiveError: when they differ or the algorithm is unknown.
    """
    algorithm, _separator, wanted = checksum.partition(":")
    if algorithm not in hashlib.algorithms_guaranteed or not wanted:
        raise ArchiveError(f"The checksum {checksum} is not of the form algorithm:hexadecimal, like sha512:0123abcd.")
    digest = hashlib.new(algorithm)
    with path.open("rb") as archive:
        while block := archive.read(CHUNK):
            digest.update(block)
    if digest.hexdigest() != wanted.strip().lower():
        raise ArchiveError(
            f"The archive {path} is not what it should be: its {algorithm} is {digest.hexdigest()}, wanted {wanted}. "
            f"It is damaged or was replaced. Remove it (rm {path}) and run again, or correct the checksum."
        )


def _zip_members(archive: zipfile.ZipFile) -> t.Iterator[Member]:
    for info in archive.infolist():
        mode = info.external_attr >> 16
        kind = "folder" if info.is_dir() else "link" if stat.S_ISLNK(mode) else "file"
        target = archive.read(info).decode() if kind == "link" else ""
        yield Member(info.filename, kind, bool(mode & stat.S_IXUSR), target, functools.partial(archive.open, info))


def _tar_members(archive: tarfile.TarFile) -> t.Iterator[Member]:
    for info in archive:
        kind = "folder" if info.isdir() else "link" if info.issym() else "file" if info.isreg() else "other"
        yield Member(
            info.name,
            kind,
            bool(info.mode & stat.S_IXUSR),
            info.linkname,
            t.cast("t.Callable[[], t.IO[bytes]]", functools.partial(archive.extractfile, info)),
        )


def check_member(member: Member) -> pathlib.PurePosixPath:
    """Return the place of a member below the folder.

    :raises ArchiveError: when it leads out of the folder or is neither file, folder nor link.
    """
    path = pathlib.PurePosixPath(member.name)
    target = pathlib.PurePosixPath(os.path.normpath(path.parent / member.target))
    inside = not path.is_absolute() and ".." not in path.parts
    target_inside = member.kind != "link" or not (target.is_absolute() or ".." in target.parts)
    if member.kind == "other" or not inside or not target_inside:
        raise leads_out(member)
    return path


def leads_out(member: Member) -> ArchiveError:
    """Say that an archive is not used because of one member."""
    return ArchiveError(
        f"The archive holds {member.name}, which leads out of its folder or is no file. It is not used."
    )


def write_member(member: Member, folder: pathlib.Path) -> None:
    """Write one member to its place below a folder.

    :raises ArchiveError: when it leads out of the folder, by itself or through links that are there already.
    """
    place = folder / check_member(member)
    leads_to = place.parent / member.target if member.kind == "link" else place.parent
    if folder.resolve() not in (leads_to.resolve(), *leads_to.resolve().parents):
        raise leads_out(member)
    if member.kind == "folder":
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    if member.kind == "link":
        place.symlink_to(member.target)
        return
    with member.open() as source, place.open("xb") as copy:
        shutil.copyfileobj(source, copy, CHUNK)
    place.chmod(PROGRAM if member.executable else FILE)


def is_zip(path: pathlib.Path) -> bool:
    """Say whether a file begins like a zip; zipfile.is_zipfile takes a tar that ends in a jar for one."""
    with path.open("rb") as archive:
        return archive.read(len(ZIP_BEGINS)) == ZIP_BEGINS


def unpack(source: pathlib.Path, folder: pathlib.Path) -> None:
    """Unpack all members below a folder.

    :raises ArchiveError: when the archive is cut off, damaged, encrypted or dangerous.
    """
    try:
        if is_zip(source):
            with zipfile.ZipFile(source) as archive:
                for member in _zip_members(archive):
                    write_member(member, folder)
        else:
            with tarfile.open(source) as archive:
                for member in _tar_members(archive):
                    write_member(member, folder)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, RuntimeError) as error:
        raise ArchiveError(
            f"The archive {source} is cut off or damaged, or of a kind that cannot be read here ({error}). "
            f"Remove it (rm {source}) and run again."
        ) from error


def install(source: pathlib.Path, dest: pathlib.Path, origin: str) -> None:
    """Unpack beside the destination, then give it its name."""
    with tempfile.TemporaryDirectory(prefix=f".{dest.name}.", dir=dest.parent) as spool:
        folder = pathlib.Path(spool, "unpacked")
        folder.mkdir()
        unpack(source, folder)
        entries = list(folder.iterdir())
        top = entries[0] if len(entries) == 1 and entries[0].is_dir() else folder
        (top / ORIGIN).write_text(origin + "\n", encoding="utf-8")
        for parent, _folders, _files in os.walk(top):
            pathlib.Path(parent).chmod(PROGRAM)
        try:
            top.rename(dest)
        except OSError:
            # Where several nodes share a machine, another one may have been faster.
            if not dest.exists():
                raise


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "src": {"type": "path", "required": True},
            "dest": {"type": "path", "required": True},
            "checksum": {"type": "str"},
            "origin": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    source, dest = pathlib.Path(module.params["src"]), pathlib.Path(module.params["dest"])
    try:
        if dest.exists():
            marker = dest / ORIGIN
            module.exit_json(
                changed=False, origin=marker.read_text(encoding="utf-8").strip() if marker.exists() else ""
            )
        if not module.check_mode:
            if module.params["checksum"]:
                verify_checksum(source, module.params["checksum"])
            install(source, dest, module.params["origin"])
    except (ArchiveError, OSError) as error:
        module.fail_json(msg=f"Cannot unpack {source} into {dest}: {error}")
    module.exit_json(changed=True, origin=module.params["origin"])


if __name__ == "__main__":
    main()
