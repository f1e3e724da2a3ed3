#!/usr/bin/env python3
"""What the shared libraries export: everything that is public, and nothing else.

    exports_test.py SOURCE_ROOT BUILD_ROOT LIBRARY...      the shared libraries, and those that are static only

Public is what stands in an installed header, and those are the ones that the project's own tests, tools and benchmarks
use: what these have been compiled to ask for must be there.
"""

from __future__ import annotations

import re
import subprocess
import sys
import unittest
from pathlib import Path

ROOT, BUILD, LIBRARIES, STATIC = Path(), Path(), [], []

# "vtable for holdfast::Task", "holdfast::sim::Checks::on_event(holdfast::Event const&)"
ABOUT = re.compile(r"^(vtable|typeinfo|typeinfo name|VTT|guard variable) for ")
OURS = re.compile(r"\bholdfast::")
DETAIL = re.compile(r"^holdfast::(\w+::)*detail::")


def symbols(*arguments: object) -> list[str]:
    """Names, without the letter of their kind."""
    listed = subprocess.run(["nm", "-C", *map(str, arguments)], capture_output=True, text=True, check=True).stdout
    return [found[1] for line in listed.splitlines() if (found := re.match(r"[0-9a-f ]* [A-Za-z] (.+)", line))]


def name_of(symbol: str) -> str:
    """The qualified name alone: no return type, no template arguments, no parameters."""
    symbol = ABOUT.sub("", symbol).replace("(anonymous namespace)", "anonymous_namespace").replace("[abi:cxx11]", "")
    while (plain := re.sub(r"<[^<>]*>", "", symbol)) != symbol:
        symbol = plain
    return re.sub(r"\boperator [^(]*", "operator", symbol).split("(")[0].split(" ")[-1]


def installed_headers() -> list[Path]:
    return [ROOT / room / header
            for room in ("lib/holdfast", "lib/holdfast/file", "sim/holdfast_sim", "lib/holdfast/asio", "sim/holdfast_sim/asio")
            if (ROOT / room / "meson.build").exists()
            for header in re.findall(r"'([\w/]+\.hpp)'", (ROOT / room / "meson.build").read_text())] + \
        sorted((ROOT / "sim/holdfast_sim/scenario/chaos").glob("*.hpp"))  # a folder that is installed whole


class Exports(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.exported = {library: symbols("-D", "--defined-only", library) for library in LIBRARIES}

    def test_every_name_that_is_exported_stands_in_an_installed_header(self):
        words = set(re.findall(r"\w+", "".join(header.read_text() for header in installed_headers())))
        for library, exported in self.exported.items():
            self.assertGreater(len(exported), 50, library)
            for symbol in exported:
                parts = re.findall(r"\w+", name_of(symbol))
                self.assertTrue(parts and parts[0] == "holdfast" and words.issuperset(parts), f"{library} exports {symbol}")

    def test_everything_public_that_the_tree_itself_uses_is_exported(self):
        exported = {symbol for found in self.exported.values() for symbol in found}
        objects = [file for folder in ("tests", "tools", "bench") for file in (BUILD / folder).glob("*.p/*.o")]
        wanted = {symbol for symbol in symbols("--undefined-only", *objects)
                  if name_of(symbol).startswith("holdfast::") and not DETAIL.match(name_of(symbol))
                  and not name_of(symbol).startswith(("holdfast::tools::", "holdfast::up::"))}  # of the command alone
        wanted -= set(symbols("--defined-only", *STATIC))
        # Tests reach into what no user can include.
        words = set(re.findall(r"\w+", "".join(header.read_text() for header in installed_headers())))
        inside = {name for room in ("lib", "sim") for header in (ROOT / room).rglob("detail/*.hpp")
                  for name in re.findall(r"^(?:class|struct)(?: alignas\(\d+\))? (\w+)", header.read_text(), re.MULTILINE)}
        wanted = {symbol for symbol in wanted
                  if words.issuperset(parts := re.findall(r"\w+", name_of(symbol))) and not inside.intersection(parts)}
        self.assertGreater(len(wanted), 10)
        self.assertEqual(sorted(wanted - exported), [])

    # Ordinarily the rooms of Asio are linked beside the shared libraries, whose inside they cannot reach.
    def test_the_static_only_part_needs_only_what_the_shared_libraries_export(self):
        there = {symbol for found in self.exported.values() for symbol in found} | set(symbols("--defined-only", *STATIC))
        wanted = {symbol for symbol in symbols("--undefined-only", *STATIC) if name_of(symbol).startswith("holdfast::")}
        self.assertEqual(len(STATIC), 2)
        self.assertGreater(len(wanted), 10)
        self.assertEqual(sorted(wanted - there), [])


if __name__ == "__main__":
    ROOT, BUILD = Path(sys.argv[1]), Path(sys.argv[2])
    for library in sys.argv[3:]:
        (STATIC if library.endswith(".a") else LIBRARIES).append(library)
    unittest.main(argv=sys.argv[:1], verbosity=2)
