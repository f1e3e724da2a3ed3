"""What the tests of an installation share: holdfast, installed into a folder that was moved, and calls of other programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT, BUILD, COMPILER = Path(), Path(), "c++"
WORK = Path()    # removed at the end
PREFIX = Path()  # where everything was moved to
# Of tests/consumer, and the package of each.
PROGRAMS = {"core": "holdfast", "file": "holdfast-file", "sim": "holdfast-sim", "asio": "holdfast-asio", "sim_asio": "holdfast-sim-asio"}
ONLY_STATIC = {"holdfast-asio", "holdfast-sim-asio"}
# A program may hide what is its own; what holdfast throws must be caught all the same.
HIDDEN = ["-fvisibility=hidden", "-fvisibility-inlines-hidden"]


def call(*command: object, env: dict[str, str] | None = None) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=os.environ | (env or {}))
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def setUpModule() -> None:
    global WORK, PREFIX
    WORK = Path(tempfile.mkdtemp(prefix="holdfast-install-"))
    call("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", WORK / "staged")
    installed = next((WORK / "staged").rglob("bin/holdfast")).parent.parent
    PREFIX = installed.rename(WORK / "elsewhere")


def tearDownModule() -> None:
    shutil.rmtree(WORK)


def libdir() -> Path:
    return next(PREFIX.rglob("libholdfast.a")).parent


def run(program: Path, **env: str) -> None:
    """Each program says by its status whether holdfast did what it should."""
    call(program, env=env)


def loaded(program: Path) -> set[str]:
    """What the program wants to be there at run time."""
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", call("readelf", "-d", program)))


def other_compiler() -> str:
    return "g++" if "clang" in COMPILER else "clang++"


def main() -> None:
    """Of a test program: PROGRAM SOURCE_ROOT BUILD_ROOT COMPILER [CLASS...]"""
    global ROOT, BUILD, COMPILER
    ROOT, BUILD, COMPILER = Path(sys.argv[1]).resolve(), Path(sys.argv[2]), sys.argv[3]
    unittest.main(module="__main__", argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
