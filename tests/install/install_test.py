#!/usr/bin/env python3
"""What meson install installs: files in their places, headers that compile alone, and what compilers say about them.

    install_test.py SOURCE_ROOT BUILD_ROOT COMPILER [CLASS...]

COMPILER is the one that the build was made with. A CLASS is one of those below; without any, all are run.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import unittest
from multiprocessing.pool import ThreadPool
from pathlib import Path

sys.dont_write_bytecode = True
import installed  # noqa: E402
from installed import ONLY_STATIC, PROGRAMS, call, libdir  # noqa: E402

setUpModule, tearDownModule = installed.setUpModule, installed.tearDownModule


class Installed(unittest.TestCase):
    def test_a_packager_finds_everything_in_its_place(self):
        version = call(installed.PREFIX / "bin/holdfast", "--version").split()[1]
        compatible = ".".join(version.split(".")[:2 if version.startswith("0.") else 1])
        shared = [f"lib{name}{end}" for name in PROGRAMS.values() for end in (".so", f".so.{compatible}", f".so.{version}")
                  if name not in ONLY_STATIC]
        for place in [*shared, "cmake/holdfast/holdfast-config.cmake", "cmake/holdfast/holdfast-config-version.cmake",
                      *(place for name in PROGRAMS.values() for place in (f"lib{name}.a", f"pkgconfig/{name}.pc"))]:
            self.assertTrue((libdir() / place).exists(), place)
        for name in ONLY_STATIC:
            self.assertFalse((libdir() / f"lib{name}.so").exists(), name)
        for place in ("LICENSE", "README.md", "CHANGELOG.md", "lib/docs/semantics.md", "lib/docs/guide/linking.md",
                      "lib/docs/reference/scenario_format.md", "scenarios/README.md", "scenarios/data/README.md",
                      "tests/examples/feed.cpp", "tests/examples/gateway/README.md"):
            self.assertTrue((installed.PREFIX / "share/doc/holdfast" / place).exists(), place)
        self.assertIn(f"[libholdfast.so.{compatible}]", call("readelf", "-d", libdir() / "libholdfast.so"))

    def test_the_command_finds_the_installed_scenarios_wherever_the_tree_was_moved(self):
        listed = subprocess.run([installed.PREFIX / "bin/holdfast", "list"], cwd=installed.WORK, capture_output=True, text=True)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        path = next(line for line in listed.stdout.splitlines() if line.endswith("/clean_exits.toml"))
        self.assertEqual(Path(path), installed.PREFIX.resolve() / "share/doc/holdfast/scenarios/clean_exits.toml")
        call(installed.PREFIX / "bin/holdfast", "run", "--quiet", path)

    def test_no_file_knows_where_it_was_built_or_installed(self):
        for file in [*installed.PREFIX.rglob("*.pc"), *installed.PREFIX.rglob("*.cmake"), *installed.PREFIX.rglob("*.hpp")]:
            for place in (str(installed.ROOT), str(installed.BUILD), "/usr/local"):
                self.assertNotIn(place, file.read_text(), file)


class Loader(unittest.TestCase):
    """tools/package/after_install, with a stand-in for ldconfig that searches one folder."""

    def said(self, libdir: Path, searched: Path, user: int) -> tuple[str, bool]:
        folder = Path(tempfile.mkdtemp(dir=installed.WORK))
        renewed = folder / "renewed"
        for name, script in (("ldconfig", f'[ $# -gt 0 ] || {{ touch {renewed}; exit; }}\necho "{searched}: (from a test)"'),
                             ("id", f"echo {user}")):
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        said = call(installed.ROOT / "tools/package/after_install", libdir, env={"PATH": f"{folder}:{os.environ['PATH']}"})
        return said, renewed.exists()

    def test_root_renews_the_cache_and_the_user_needs_to_do_nothing(self):
        real, link = Path(tempfile.mkdtemp(dir=installed.WORK)), installed.WORK / "link_to_libdir"
        link.symlink_to(real)
        self.addCleanup(link.unlink)
        for searched in (real, link):
            self.assertEqual(self.said(real, searched, user=0), ("", True))

    def test_other_users_are_asked_to_let_root_renew_it(self):
        said, renewed = self.said(installed.PREFIX, installed.PREFIX, user=1000)
        self.assertFalse(renewed)
        self.assertIn("Run ldconfig as root", said)

    def test_a_folder_that_the_loader_does_not_search_comes_with_three_ways_out(self):
        for user in (0, 1000):
            said, renewed = self.said(installed.PREFIX, installed.WORK, user)
            self.assertFalse(renewed)
            for way in (f"does not search {installed.PREFIX}", "/etc/ld.so.conf.d/", f"LD_LIBRARY_PATH={installed.PREFIX}", "--static"):
                self.assertIn(way, said)


class Headers(unittest.TestCase):
    def test_of_detail_only_what_a_public_header_includes_is_installed(self):
        include = installed.PREFIX / "include"
        headers = {file.relative_to(include).as_posix(): set(re.findall(r"#include <(holdfast[^>]*)>", file.read_text()))
                   for file in include.rglob("*.hpp")}
        self.assertGreater(len(headers), 40)
        self.assertEqual(set().union(*headers.values()) - headers.keys(), set(), "included, and not installed")
        self.assertEqual({header for header in headers if "/detail/" in header} - set().union(*headers.values()), set())

    # Which includes are missing is the same for every compiler of one standard library, so the slower one gets them all
    # in one file. Nobody includes a header of detail first.
    def test_each_compiles_on_its_own(self):
        headers = sorted((installed.PREFIX / "include").rglob("*.hpp"))
        with ThreadPool(os.cpu_count()) as pool:
            pool.starmap(self.compile, [("g++", headers)] + [("clang++", [header]) for header in self.sample(headers)])

    @staticmethod
    def sample(headers: list[Path]) -> list[Path]:
        """A third of the public ones, drawn by the commit that is checked out; without git all of them."""
        public = [header for header in headers if "detail" not in header.parts]
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=installed.ROOT, capture_output=True).stdout
        drawn = [header for header in public if hashlib.sha256(commit + header.name.encode()).digest()[0] % 3 == 0]
        return drawn if commit else public

    @staticmethod
    def compile(compiler: str, headers: list[Path]) -> None:
        call(compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", f"-I{installed.PREFIX / 'include'}",
             "-DBOOST_ASIO_SEPARATE_COMPILATION", *(f"-include{header}" for header in headers), "-x", "c++", "/dev/null")

    def test_a_program_that_forgets_that_asio_is_compiled_in_is_refused(self):
        with self.assertRaises(AssertionError) as refused:
            call(installed.COMPILER, "-std=c++20", "-fsyntax-only", f"-I{installed.PREFIX / 'include'}", "-include",
                 "holdfast/asio/runtime.hpp", "-x", "c++", "/dev/null")
        self.assertIn("define BOOST_ASIO_SEPARATE_COMPILATION for the whole program", str(refused.exception))


class CompilerTalk(unittest.TestCase):
    """What a compiler says about programs that include holdfast, without any flag of holdfast's own build."""

    def said(self, compiler: str, text: str, *options: str) -> str:
        file = Path(tempfile.mkdtemp(dir=installed.WORK)) / "program.cpp"
        file.write_text(text)
        return self.said_about(compiler, file, *options)

    @staticmethod
    def said_about(compiler: str, file: Path, *options: str) -> str:
        return subprocess.run([compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", f"-I{installed.PREFIX / 'include'}",
                               "-DBOOST_ASIO_SEPARATE_COMPILATION", *options, file], capture_output=True, text=True).stderr

    def test_nothing_about_the_programs_that_a_newcomer_copies(self):
        programs = [*(installed.ROOT / "tests/examples").glob("*.cpp"), *(installed.ROOT / "tests/consumer").glob("*.cpp")]
        self.assertGreater(len(programs), 8)
        jobs = [(compiler, program) for compiler in ("g++", "clang++") for program in programs]
        with ThreadPool(os.cpu_count()) as pool:
            for job, said in zip(jobs, pool.starmap(self.said_about, jobs)):
                self.assertEqual(said, "", job)

    def test_one_sentence_about_a_service_of_a_wrong_type(self):
        for header, world in (("holdfast/asio/runtime.hpp", "holdfast::Runtime world;"),
                              ("holdfast_sim/asio/asio_simulation.hpp", "holdfast::sim::AsioSimulation world{{}};")):
            for service in ("42", "[](int) {}", "[](holdfast::Context&) { return 7; }", "std::string{}"):
                with self.subTest(header=header, service=service):
                    said = self.said("g++", f"#include <{header}>\nint main() {{\n  {world}\n"
                                     f'  (void)world.add({{.name = "feed"}}, {service});\n}}\n')
                    self.assertEqual(len(re.findall(r"error: ", said)), 1, said)
                    self.assertIn("add() takes as a service: a copyable function awaitable<void>(Context&)", said)
                    self.assertLess(len(said.splitlines()), 12, said)

    def test_what_is_missing_when_a_compiler_cannot_do_what_is_asked_of_it(self):
        for compiler in ("g++", "clang++"):
            for option, expected in (("-fno-exceptions", "holdfast needs exceptions"), ("-std=c++17", "holdfast needs C++20")):
                for header in ("supervisor", "version", "log_line"):
                    with self.subTest(compiler=compiler, option=option, header=header):
                        self.assertIn(expected, self.said(compiler, f"#include <holdfast/{header}.hpp>\nint main() {{}}\n",
                                                          option))


if __name__ == "__main__":
    installed.main()
