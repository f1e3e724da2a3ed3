#!/usr/bin/env python3
"""The parts that judge a run cannot overlook a new kind of event. The test adds one to a copy of event.hpp. The checks, the
expectations and the report must not compile until they handle it, unless it only informs. The same for a meaning of what chaos
does, added to a copy of chaos_event.hpp: then the picture of the fleet must handle it, too. A kind of what chaos does must
not compile until its row says what it means.

    new_event_test.py SOURCE_ROOT COMPILER...
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest
from multiprocessing.pool import ThreadPool
from pathlib import Path

ROOT = Path(sys.argv[1]).resolve()
COMPILER = sys.argv[2:]
JUDGES = ["checks/checks.cpp", "checks/expectations.cpp", "report/detail/reporter.cpp"]
# These take a new kind from its description, whatever it is.
OTHERS = ["observe/digest.cpp", "observe/event_log.cpp", "observe/trace.cpp"]


class NewEvent(unittest.TestCase):
    def compile(self, members: str, sources: list[Path]) -> dict[str, str]:
        """What the compiler says about each source if there is one kind of event more."""
        header = (ROOT / "lib/holdfast/event.hpp").read_text()
        kind = f'struct Planted {{\n  static constexpr std::string_view kKind = "planted";\n{members}}};\n'
        header = header.replace("namespace event {\n", f"namespace event {{\n{kind}", 1)
        header = header.replace("std::variant<event::Added", "std::variant<event::Added, event::Planted", 1)
        self.assertEqual(header.count("Planted"), 2)
        return self.compile_with("holdfast/event.hpp", header, sources)

    def compile_with(self, path: str, header: str, sources: list[Path]) -> dict[str, str]:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        planted = Path(folder.name) / path
        planted.parent.mkdir(parents=True)
        planted.write_text(header)

        def said(source: Path) -> str:
            return subprocess.run([*COMPILER, "-std=c++20", "-fsyntax-only", "-Werror=switch", f"-I{folder.name}", f"-I{ROOT / 'lib'}",
                                   f"-I{ROOT / 'sim'}", source], capture_output=True, text=True).stderr
        with ThreadPool(os.cpu_count()) as pool:
            return dict(zip((source.name for source in sources), pool.map(said, sources)))

    def sources(self, names: list[str]) -> list[Path]:
        return [ROOT / "sim/holdfast_sim" / name for name in names]

    def test_the_judges_of_a_run_do_not_compile_with_an_unknown_kind(self) -> None:
        level = "  static constexpr LogLevel kLevel = LogLevel::info;\n"
        for name, said in self.compile(level, self.sources(JUDGES)).items():
            with self.subTest(source=name):
                self.assertIn("Planted", said)
        for name, said in self.compile(level, [*self.sources(OTHERS), ROOT / "lib/holdfast/log_line.cpp"]).items():
            with self.subTest(source=name):
                self.assertNotIn("error", said)

    def test_the_judges_may_pass_over_a_kind_that_only_informs(self) -> None:
        members = "  static constexpr LogLevel kLevel = LogLevel::info;\n  static constexpr bool kOnlyInforms = true;\n"
        for name, said in self.compile(members, self.sources(JUDGES)).items():
            with self.subTest(source=name):
                self.assertNotIn("error", said)

    def plant_in_chaos_event(self, after: str, planted: str, sources: list[Path]) -> dict[str, str]:
        path = "holdfast_sim/observe/chaos_event.hpp"
        header = (ROOT / "sim" / path).read_text()
        self.assertEqual(header.count(after), 1)
        return self.compile_with(path, header.replace(after, after + planted), sources)

    def test_no_judge_and_no_picture_compiles_with_an_unknown_meaning_of_chaos(self) -> None:
        sources = self.sources([*JUDGES, "picture/fleet_map.cpp"])
        for name, said in self.plant_in_chaos_event("enum class ChaosMeaning : std::uint8_t {\n", "  planted,\n", sources).items():
            with self.subTest(source=name):
                self.assertIn("planted", said)

    def test_a_kind_of_chaos_without_a_word_and_a_meaning_does_not_compile(self) -> None:
        said = self.plant_in_chaos_event("enum class Kind : std::uint8_t {\n", "    planted,\n", self.sources(["observe/observer.cpp"]))
        self.assertIn("planted", said["observer.cpp"])

    def test_a_kind_without_a_level_does_not_compile(self) -> None:
        said = self.compile("  static constexpr bool kOnlyInforms = true;\n", [ROOT / "lib/holdfast/log_line.cpp"])["log_line.cpp"]
        self.assertIn("Planted", said)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
