#!/usr/bin/env python3
"""Every rule of house_test.py is broken once, in a tree made for it, and has to be noticed; what is allowed has not.

    house_rules_test.py COMPILER...      makes object files
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
import house_test  # noqa: E402

COMPILER = sys.argv[1:]


def complaints(check, *arguments) -> list[str]:
    house_test.complaints.clear()
    check(*arguments)
    return list(house_test.complaints)


class Rules(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def plant(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def test_a_room_includes_what_its_row_of_the_table_says_and_nothing_else(self) -> None:
        for path, allowed, banned in (
            ("lib/holdfast/planted.cpp", ["vector", "holdfast/time.hpp"],
             ["holdfast_sim/scenario/scenario.hpp", "boost/json.hpp", "fmt/format.h", "Random123/philox.h", "holdfast/asio/x.hpp",
              "boost/asio.hpp", "toml++/toml.h", "spdlog/spdlog.h", "unistd.h", "holdfast/file/keys.hpp"]),
            ("lib/holdfast/file/planted.cpp", ["holdfast/policy.hpp", "holdfast/file/keys.hpp", "toml++/toml.h"],
             ["holdfast/asio/x.hpp", "holdfast_sim/scenario/scenario.hpp", "boost/json.hpp", "fmt/core.h", "thread"]),
            ("lib/holdfast/detail/random123.hpp", ["Random123/philox.h"], ["Random123/threefry.h"]),
            ("lib/holdfast/asio/planted.cpp", ["boost/beast/http.hpp", "holdfast/asio/x.hpp", "thread"],
             ["spdlog/logger.h", "holdfast_sim/asio/x.hpp", "fmt/core.h"]),
            ("lib/holdfast/asio/spdlog_sink.hpp", ["spdlog/logger.h"], ["spdlog/spdlog.h"]),
            ("sim/holdfast_sim/planted.hpp",
             ["string", "holdfast/event.hpp", "holdfast_sim/observe/trace.hpp", "holdfast/file/keys.hpp", "boost/json.hpp", "fmt/core.h",
              "xxhash.h"],
             ["boost/asio.hpp", "toml++/toml.h", "Random123/philox.h", "CLI/CLI.hpp", "catch2/catch.hpp",
              "holdfast/asio/x.hpp", "holdfast_sim/asio/x.hpp"]),
            ("bench/planted_bench.cpp", ["holdfast/time.hpp", "benchmark/benchmark.h", "chrono"], ["boost/json.hpp"]),
        ):
            for header in allowed + banned:
                with self.subTest(path=path, header=header):
                    self.plant(path, f"#pragma once\n#include <{header}>\n")
                    self.assertEqual(len(complaints(house_test.check_includes, self.root)), int(header in banned))
            (self.root / path).unlink()

    def test_standard_headers_with_clocks_threads_generators_or_floating_point_functions_are_banned(self) -> None:
        for room in ("lib/holdfast", "sim/holdfast_sim"):
            for header in sorted(house_test.BANNED_STANDARD):
                with self.subTest(room=room, header=header):
                    self.plant(f"{room}/planted.cpp", f"#include <{header}>\n")
                    self.assertEqual(len(complaints(house_test.check_includes, self.root)), 1)
            (self.root / room / "planted.cpp").unlink()

    def test_a_folder_of_the_simulator_includes_those_of_its_row_and_no_other(self) -> None:
        folders = [folder for folder in house_test.DOORS if folder != "."]
        for folder in house_test.DOORS:
            for target in house_test.DOORS:
                with self.subTest(folder=folder, target=target):
                    header = "holdfast_sim/planted.hpp" if target == "." else f"holdfast_sim/{target}/detail/planted.hpp"
                    place = f"sim/holdfast_sim/{folder}/planted.cpp"
                    self.plant(place, f"#include <vector>\n#include <{header}>\n")
                    self.assertEqual(len(complaints(house_test.check_doors, self.root)),
                                     int(target != folder and target not in house_test.DOORS[folder]))
                    (self.root / place).unlink()
        self.assertIn("checks", folders)
        self.plant("sim/holdfast_sim/present/planted.cpp", "#include <holdfast_sim/detail/planted.hpp>\n")
        self.assertEqual(complaints(house_test.check_doors, self.root), [])
        self.plant("sim/holdfast_sim/report/planted.cpp", "#include <holdfast_sim/detail/planted.hpp>\n")
        self.assertEqual(len(complaints(house_test.check_doors, self.root)), 1)
        (self.root / "sim/holdfast_sim/report/planted.cpp").unlink()
        self.plant("sim/holdfast_sim/new_folder/planted.cpp", "")
        self.assertEqual(len(complaints(house_test.check_doors, self.root)), 1)

    def test_no_row_of_the_doors_leads_back_to_its_folder_and_no_judge_gets_to_the_stage(self) -> None:
        def reach(folder: str) -> set[str]:
            below = house_test.DOORS[folder]
            return below.union(*map(reach, below))  # a circle never ends: RecursionError
        for folder in house_test.DOORS:
            self.assertNotIn(folder, reach(folder))
        for judge in ("observe", "checks", "report"):
            self.assertNotIn("stage", reach(judge))
        self.assertNotIn("stage", house_test.DOORS["present"])

    def test_what_judges_a_run_does_not_include_what_the_supervisor_decides_with(self) -> None:
        for folder in house_test.JUDGES:
            for header in ("supervisor", "backoff", "timer_queue", "scheduler", "service"):
                with self.subTest(folder=folder, header=header):
                    self.plant(f"sim/holdfast_sim/{folder}/detail/planted.hpp",
                               f"#include <holdfast/{header}.hpp>\n#include <holdfast/event.hpp>\n")
                    self.assertEqual(len(complaints(house_test.check_doors, self.root)), 1)
            (self.root / f"sim/holdfast_sim/{folder}/detail/planted.hpp").unlink()
        self.plant("sim/holdfast_sim/replay/planted.cpp", "#include <holdfast/supervisor.hpp>\n")
        self.assertEqual(complaints(house_test.check_doors, self.root), [])

    def test_a_page_that_shows_other_doors_is_noticed(self) -> None:
        rows = [house_test.row_of_doors(folder) for folder in house_test.DOORS]
        head = ["# Architecture", "| folder | may include |", "| --- | --- |"]
        for shown, count in ((rows, 0), (rows[1:], 1), ([*rows, "| `attic` | `text` |"], 1),
                             ([*rows[1:], "| `text` | `stage` |"], 1)):
            with self.subTest(shown=shown):
                self.plant("lib/docs/architecture.md", "\n".join(head + shown) + "\n")
                self.assertEqual(len(complaints(house_test.check_architecture, self.root)), count)

    def test_words_that_mean_a_clock_a_generator_or_the_environment_are_banned_in_code_but_not_in_comments(self) -> None:
        for word in ("std::random_device device;", "std::chrono::system_clock::now();", "std::chrono::steady_clock::now();",
                     "std::chrono::high_resolution_clock::now();", "std::uniform_int_distribution<int> d;",
                     "std::normal_distribution<> d;", "std::exponential_distribution<> d;", "std::weibull_distribution<> d;",
                     "std::lognormal_distribution<> d;", "std::shuffle(a, b, c);", "gettimeofday(&a, 0);",
                     "clock_gettime(0, &a);", "getenv(name);", "std::hash<Key>{}(key);", "long double x;"):
            for room in ("lib/holdfast", "sim/holdfast_sim"):
                with self.subTest(word=word, room=room):
                    self.plant(f"{room}/planted.cpp", f"void planted() {{ {word} }}\n// {word}\n")
                    self.assertEqual(len(complaints(house_test.check_words, self.root)), 1)
                (self.root / room / "planted.cpp").unlink()

    def test_a_header_without_pragma_once_is_noticed(self) -> None:
        self.plant("lib/holdfast/planted.hpp", "struct Planted {};\n")
        self.assertEqual(len(complaints(house_test.check_words, self.root)), 1)

    def test_a_library_that_asks_for_a_clock_a_generator_libm_or_a_thread_is_noticed(self) -> None:
        functions = """clock clock_gettime time gettimeofday timespec_get localtime nanosleep usleep sleep rand srand rand_r
            random drand48 lrand48 getrandom getentropy arc4random pthread_create thrd_create fork exp exp2 exp2f expl log log2
            log10 log1p pow powf sqrt cbrt sin cosf tan asin acosh atan2 erf erfc lgamma tgamma fma hypot fmod ldexp frexp floor
            ceil trunc round lround llrint nearbyint""".split()
        calls = "".join(f'extern "C" void {function}(...);' for function in functions)
        body = "".join(f"{function}();" for function in functions)
        found = self.complaints_of_library(f"{calls} void planted() {{ {body} }}", "-fno-builtin", "-w")
        self.assertEqual(sorted(complaint.split()[-1] for complaint in found), sorted(functions))

    def test_a_library_that_asks_the_standard_library_for_a_clock_a_generator_or_a_thread_is_noticed(self) -> None:
        for header, code, asked in (("chrono", "std::chrono::system_clock::now();", "system_clock"),
                                    ("chrono", "std::chrono::steady_clock::now();", "steady_clock"),
                                    ("random", "std::random_device{}();", "random_device"),
                                    ("thread", "std::thread{[] {}}.detach();", "std::thread")):
            with self.subTest(code=code):
                found = self.complaints_of_library(f"#include <{header}>\nvoid planted() {{ {code} }}")
                self.assertTrue(any(asked in complaint for complaint in found), found)

    def test_a_library_that_asks_for_memory_and_text_only_is_not_complained_about(self) -> None:
        self.assertEqual(self.complaints_of_library('#include <string>\nstd::string planted() { return std::string(99, 0); }'),
                         [])

    def test_a_library_that_could_not_be_read_is_noticed(self) -> None:
        self.assertEqual(len(self.complaints_of_library("int planted;")), 1)

    def complaints_of_library(self, code: str, *options: str) -> list[str]:
        self.plant("planted.cpp", code)
        planted = self.root / "planted.o"
        subprocess.run([*COMPILER, "-c", "-std=c++20", *options, "-o", planted, self.root / "planted.cpp"], check=True)
        return complaints(house_test.check_symbols, [str(planted)])

    def test_a_file_that_no_build_compiles_is_noticed(self) -> None:
        for folder, name in (("tests", "core/planted_test.cpp"), ("tests", "house/planted_test.py"),
                             ("tests/examples", "planted.cpp"), ("tests/fuzz", "planted_fuzz.cpp"),
                             ("bench", "planted_bench.cpp"), ("lib/holdfast", "planted.cpp"),
                             ("lib/holdfast/asio", "planted.cpp"), ("lib/holdfast/file", "planted.cpp"), ("lib/holdfast/up", "planted.cpp"),
                             ("sim/holdfast_sim", "planted.cpp"),
                             ("sim/holdfast_sim", "checks/detail/planted.cpp"),
                             ("sim/holdfast_sim/asio", "planted.cpp"), ("tools", "planted.cpp")):
            with self.subTest(folder=folder, name=name):
                for path in (line for line in self.folders()):
                    self.plant(f"{path}/meson.build", "'other.cpp'\n")
                self.plant(f"{folder}/{name}", "")
                self.assertEqual(len(complaints(house_test.check_registered, self.root)), 1)
                self.plant(f"{folder}/meson.build", f"'{name}'\n")
                self.assertEqual(complaints(house_test.check_registered, self.root), [])
                (self.root / folder / name).unlink()

    def test_a_library_whose_last_piece_is_full_is_noticed(self) -> None:
        for count, is_wrong in ((8, False), (9, True), (10, False), (29, False), (30, True), (60, True), (99, True)):
            with self.subTest(count=count):
                sources = "".join(f"  '{i}.cpp',\n" for i in range(count))
                for room in ("lib/holdfast", "lib/holdfast/asio", "lib/holdfast/file", "sim/holdfast_sim", "sim/holdfast_sim/asio"):
                    listed = sources if room == "sim/holdfast_sim" else "  'one.cpp',\n"
                    self.plant(f"{room}/meson.build", f"lib = static_library('x',\n{listed}  pic: true,\n)\ninstall_headers('y.hpp')\n")
                self.assertEqual(len(complaints(house_test.check_pieces, self.root)), int(is_wrong))

    def test_a_room_without_a_readme_and_a_stranger_at_the_top_are_noticed(self) -> None:
        simulator = [f"sim/holdfast_sim/{folder}" for folder in house_test.DOORS if folder != "."]
        for path in (*self.folders(), *simulator, "scenarios", "scenarios/data"):
            self.plant(f"{path}/README.md", "")
        self.plant("stranger.txt", "")
        self.plant(".hidden", "")
        subprocess.run(["git", "init", "--quiet"], cwd=self.root, check=True)
        subprocess.run(["git", "add", "--all"], cwd=self.root, check=True)
        self.assertEqual(complaints(house_test.check_places, self.root),
                         ["stranger.txt: does not belong at the top of the project"])
        (self.root / "bench/README.md").unlink()
        self.assertIn("bench: has no README.md", complaints(house_test.check_places, self.root))

    def test_a_readme_with_outdated_output_is_noticed(self) -> None:
        self.plant("tests/examples/feed.cpp", "// words\n#include <iostream>\nprogram\n")
        self.plant("tests/examples/other.cpp", "other\n")
        self.plant("tests/examples/large/README.md", "# A large one\n")
        self.plant("scenarios/failure_storm.toml", "# storm\n")
        self.plant("scenarios/real_cluster.digest", "0123\n")
        shown = ("#include <iostream>\nprogram\n# storm\n0123\n[feed](tests/examples/feed.cpp) [o](tests/examples/other.cpp)\n"
                 "[large](tests/examples/large/README.md)\n")
        self.plant("README.md", shown)
        self.assertEqual(complaints(house_test.check_readme, self.root), [])
        for line in ("program", "# storm", "0123", "tests/examples/other.cpp", "large/README.md"):
            with self.subTest(line=line):
                self.plant("README.md", shown.replace(line, "wrong"))
                self.assertEqual(len(complaints(house_test.check_readme, self.root)), 1)
        self.plant("README.md", shown + "\n" * house_test.README_LINES_MAX)
        self.assertEqual(len(complaints(house_test.check_readme, self.root)), 1)

    def test_a_version_that_is_not_the_same_everywhere_is_noticed(self) -> None:
        places = {"meson.build": "project('x',\n  version: '0.1.2')\n", "CHANGELOG.md": "## 0.1.2, not released\n",
                  "tools/package/vcpkg/vcpkg.json": '{"version": "0.1.2"}\n',
                  "lib/holdfast/version.hpp": "#define HOLDFAST_VERSION_MAJOR 0\n#define HOLDFAST_VERSION_MINOR 1\n"
                                              '#define HOLDFAST_VERSION_PATCH 2\n#define HOLDFAST_VERSION_TEXT "0.1.2"\n'}
        for path, text in places.items():
            self.plant(path, text)
        self.assertEqual(complaints(house_test.check_version, self.root), [])
        for path in list(places)[1:]:
            with self.subTest(path=path):
                self.plant(path, places[path].replace("2", "3"))
                self.assertEqual(len(complaints(house_test.check_version, self.root)), 1)
                self.plant(path, places[path])

    def test_a_test_that_starts_threads_and_is_not_listed_is_noticed(self) -> None:
        self.plant("tests/meson.build", "threaded_tests = ['listed_test',\n  'other_test']\n")
        for code, noticed in (("std::thread other{work};", True), ("std::jthread other;", True), ("std::async(work);", True),
                              ("net::thread_pool pool;", True), ("std::this_thread::yield(); std::thread::id id;", False)):
            with self.subTest(code=code):
                self.plant("tests/asio/listed_test.cpp", f"{code}\n")
                self.assertEqual(complaints(house_test.check_threads, self.root), [])
                self.plant("tests/core/planted_test.cpp", f"{code}\n")
                self.assertEqual(len(complaints(house_test.check_threads, self.root)), int(noticed))
                (self.root / "tests/core/planted_test.cpp").unlink()

    def test_a_public_header_that_is_not_installed_or_not_visible_is_noticed(self) -> None:
        rooms = ("lib/holdfast", "lib/holdfast/asio", "lib/holdfast/file", "sim/holdfast_sim", "sim/holdfast_sim/asio")
        for room in rooms:
            self.plant(f"{room}/meson.build", "'header.hpp'\n")
        visible = "#pragma once\n#pragma GCC visibility push(default)\nclass C;\n#pragma GCC visibility pop\n"
        for room in rooms:
            with self.subTest(room=room):
                self.plant(f"{room}/header.hpp", visible)
                self.plant(f"{room}/detail/inner.hpp", "#pragma once\n")
                self.assertEqual(complaints(house_test.check_public_headers, self.root), [])
                self.plant(f"{room}/header.hpp", "#pragma once\nclass C;\n")
                self.assertEqual(len(complaints(house_test.check_public_headers, self.root)), 1)
                self.plant(f"{room}/header.hpp", visible)
                self.plant(f"{room}/other.hpp", visible)
                self.assertEqual(len(complaints(house_test.check_public_headers, self.root)), 1)
                (self.root / room / "other.hpp").unlink()

    def test_a_public_header_of_a_folder_that_is_installed_whole_needs_no_line(self) -> None:
        room = "sim/holdfast_sim"
        visible = "#pragma once\n\n#pragma GCC visibility push(default)\nclass C;\n#pragma GCC visibility pop\n"
        for folder in self.folders():
            self.plant(f"{folder}/meson.build", "")
        self.plant(f"{room}/scenario/chaos/storm.hpp", visible)
        self.assertEqual(len(complaints(house_test.check_public_headers, self.root)), 1)
        self.plant(f"{room}/meson.build", "install_subdir('scenario/chaos',\n")
        self.assertEqual(complaints(house_test.check_public_headers, self.root), [])

    @staticmethod
    def folders() -> list[str]:
        return ["lib/holdfast", "lib/holdfast/asio", "lib/holdfast/file", "lib/holdfast/up",
                "sim/holdfast_sim", "sim/holdfast_sim/asio", "tests", "tests/fuzz", "bench",
                "tests/examples", "tests/examples/gateway", "tests/soak", "tools", "tools/holdfast",
                "tools/package"]


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
