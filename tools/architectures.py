"""Builds of the holdfast command for other processors, by Debian's cross compilers, and what runs them: qemu's user emulation.

There are no libraries of Debian for them on this machine. What the simulator needs is in headers, which are the same for
every processor: a folder of links names them, so that none of this machine's own come with them.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

INCLUDE = Path("/usr/include")
HEADERS = ["boost", "CLI", "fmt", "Random123", "toml++", "xxh3.h", "xxhash.h", "zconf.h", "zlib.h"]
# Which of them meson asks pkg-config for, and with what they are compiled in rather than linked.
PACKAGES = {"CLI11": "", "fmt": "-DFMT_HEADER_ONLY", "libxxhash": "", "tomlplusplus": "", "zlib": ""}


@dataclass
class Architecture:
    triplet: str
    emulator: str  # qemu-EMULATOR-static
    family: str    # as meson calls it
    endian: str = "little"

    @property
    def before(self) -> list[str]:
        return [f"qemu-{self.emulator}-static"]


ARCHITECTURES = {
    "aarch64": Architecture("aarch64-linux-gnu", "aarch64", "aarch64"),
    "armhf": Architecture("arm-linux-gnueabihf", "arm", "arm"),
    "i686": Architecture("i686-linux-gnu", "i386", "x86"),
    "powerpc64": Architecture("powerpc64-linux-gnu", "ppc64", "ppc64", "big"),
    "riscv64": Architecture("riscv64-linux-gnu", "riscv64", "riscv64"),
    "s390x": Architecture("s390x-linux-gnu", "s390x", "s390x", "big"),
}


def cross_file(name: str, folder: Path) -> Path:
    """What tells meson about it, with all that it names, in `folder`."""
    of = ARCHITECTURES[name]
    headers, packages = folder / "include", folder / "pkgconfig"
    for made in (headers, packages, folder / "lib"):
        made.mkdir(parents=True, exist_ok=True)
    for header in HEADERS:
        if not (headers / header).is_symlink():
            (headers / header).symlink_to(INCLUDE / header)
    for package, arguments in PACKAGES.items():
        (packages / f"{package}.pc").write_text(f"Name: {package}\nDescription: headers alone\nVersion: {version_of(package)}\n"
                                                f"Cflags: {arguments}\n")
    file = folder / "cross.ini"
    file.write_text(f"""[binaries]
cpp = ['ccache', '{of.triplet}-g++']
ar = '{of.triplet}-ar'
strip = '{of.triplet}-strip'
pkgconfig = 'pkg-config'
exe_wrapper = '{of.before[0]}'
[properties]
boost_root = '{folder}'
pkg_config_libdir = '{packages}'
[built-in options]
cpp_args = ['-isystem', '{headers}', '-w', '-Wno-psabi']  # warnings are the work of other builds
cpp_link_args = ['-static']
[host_machine]
system = 'linux'
cpu_family = '{of.family}'
cpu = '{of.family}'
endian = '{of.endian}'
""")
    return file


def version_of(package: str) -> str:
    return subprocess.run(["pkg-config", "--modversion", package], check=True, capture_output=True, text=True).stdout.strip()
