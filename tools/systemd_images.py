# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build images in which systemd runs, from the packages of the distribution: no image registry is needed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from container_engine import STATE, Engine, EngineError, install

RELEASES = {"debian12": "bookworm", "debian13": "trixie"}
# With python3-apt, without which Ansible installs it first.
PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3", "python3-apt", "ca-certificates", "iproute2", "procps")
# What belongs to a machine and not to a container.
MASKED = (
    *("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "fstrim.timer", "getty.target"),
    *("console-getty.service", "getty@.service", "systemd-logind.service", "systemd-modules-load.service"),
    *("systemd-remount-fs.service", "systemd-resolved.service", "systemd-timesyncd.service"),
    *("systemd-udevd.service", "systemd-udev-trigger.service"),
)
FILES = {
    # A container is thrown away: nothing has to survive a loss of power.
    "etc/dpkg/dpkg.cfg.d/test_hosts": "force-unsafe-io\npath-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\n",
    "etc/apt/apt.conf.d/test_hosts": 'APT::Install-Recommends "false";\nAcquire::Languages "none";\n',
    "etc/machine-id": "",
}
SETTINGS = ('CMD ["/lib/systemd/systemd"]', "ENV container=docker")
CERTIFICATES = Path("/usr/local/share/ca-certificates")
LABEL = "raylogs.recipe"
DISTRIBUTION = "$(LABEL)|$(COMPONENT)|$(REPO_URI)"


class Recipe(t.NamedTuple):
    """All that decides what an image holds."""

    release: str
    mirror: str
    certificates: dict[str, str]
    packages: tuple[str, ...] = PACKAGES
    masked: tuple[str, ...] = MASKED
    files: dict[str, str] = FILES
    settings: tuple[str, ...] = SETTINGS

    def digest(self) -> str:
        """Tell this recipe from any other."""
        return hashlib.sha256(json.dumps(self._asdict(), sort_keys=True).encode()).hexdigest()


def find_mirror(targets: str) -> str:
    """Find the mirror of Debian among what apt reads; empty, which is debootstrap's own, when there is none."""
    rows = [line.split("|") for line in targets.splitlines()]
    return next((uri.rstrip("/") for label, component, uri in rows if (label, component) == ("Debian", "main")), "")


def read_certificates(folder: Path = CERTIFICATES) -> dict[str, str]:
    """Read the authorities that this host trusts besides those of its distribution."""
    return {path.name: path.read_text() for path in sorted(folder.rglob("*.crt"))}


def image_name(host: str) -> str:
    """Name the image of a kind of host."""
    return f"raylogs/{host}:systemd"


def build_missing(engine: Engine, hosts: t.Iterable[str], say: t.Callable[[str], None]) -> None:
    """Build the images that are not there or not up to date, side by side.

    :raises EngineError: when one cannot be built.
    """
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", DISTRIBUTION, "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    recipes = {host: Recipe(RELEASES[host], find_mirror(targets), read_certificates()) for host in hosts}
    missing = {host: recipe for host, recipe in recipes.items() if built(engine, host) != recipe.digest()}
    for host in recipes.keys() - missing.keys():
        say(f"The image {image_name(host)} is up to date.")
    if not missing:
        return
    if os.geteuid() != 0:
        raise EngineError(
            f"Cannot build {', '.join(map(image_name, missing))}: debootstrap needs root. Run it as root."
        )
    install({"debootstrap": "debootstrap"}, say)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda host: build(engine, host, missing[host], say), missing))


def built(engine: Engine, host: str) -> str:
    """Read by which recipe the image was built."""
    template = f'{{{{index .Config.Labels "{LABEL}"}}}}'
    return engine.docker("image", "inspect", "--format", template, image_name(host)).stdout.strip()


def build(engine: Engine, host: str, recipe: Recipe, say: t.Callable[[str], None]) -> None:
    """Build one image.

    :raises EngineError: when a step fails.
    """
    say(f"Building {image_name(host)} from the packages of Debian {recipe.release} (about a minute) …")
    STATE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=STATE, prefix="build-") as folder:
        # In memory it takes half the time; where that cannot be mounted the disk does.
        options = ["-t", "tmpfs", "-o", "size=2g,mode=755", "raylogs"]
        mounted = subprocess.run(["mount", *options, folder], capture_output=True, check=False).returncode == 0
        try:
            root = Path(folder, "root")
            bootstrap(host, recipe, root)
            furnish(recipe, root)
            run_step(host, ["chroot", str(root), "update-ca-certificates"])
            empty_package_lists(root)
            import_image(engine, host, recipe, root)
        finally:
            if mounted:
                subprocess.run(["umount", "--lazy", folder], check=False)
    say(f"The image {image_name(host)} is built.")


def bootstrap(host: str, recipe: Recipe, root: Path) -> None:
    """Unpack and configure the packages."""
    options = ["--variant=minbase", f"--include={','.join(recipe.packages)}"]
    mirror = [recipe.mirror] if recipe.mirror else []
    run_step(host, ["debootstrap", *options, recipe.release, str(root), *mirror])


def furnish(recipe: Recipe, root: Path) -> None:
    """Make of a system of packages one that starts in a container."""
    for name, text in recipe.files.items():
        (root / name).write_text(text)
    for unit in recipe.masked:
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    for name, text in recipe.certificates.items():
        (root / "usr/local/share/ca-certificates" / name).write_text(text)


def empty_package_lists(root: Path) -> None:
    """Leave no list of packages, so old that apt fetches one before it installs."""
    shutil.rmtree(root / "var/cache/apt/archives")
    (root / "var/cache/apt/archives/partial").mkdir(parents=True)
    lists = root / "var/lib/apt/lists"
    shutil.rmtree(lists)
    (lists / "partial").mkdir(parents=True)
    os.utime(lists, (0, 0))


def import_image(engine: Engine, host: str, recipe: Recipe, root: Path) -> None:
    """Hand the files to the engine.

    :raises EngineError: when it refuses them.
    """
    changes = [f"--change={change}" for change in (*recipe.settings, f"LABEL {LABEL}={recipe.digest()}")]
    with subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE) as archive:
        answer = engine.docker("import", *changes, "-", image_name(host), stream=archive.stdout)
    if answer.returncode:
        raise EngineError(f"Cannot build {image_name(host)}: docker import answered: {answer.stderr.strip()}")


def run_step(host: str, command: list[str]) -> None:
    """Run a command that belongs to a build.

    :raises EngineError: when it fails.
    """
    answer = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if answer.returncode:
        said = "\n".join(answer.stdout.splitlines()[-5:])
        raise EngineError(
            f"Cannot build {image_name(host)}: '{' '.join(command)}' answered {answer.returncode}: {said}\n"
            "Check that this host reaches the mirror of Debian that its apt names."
        )
