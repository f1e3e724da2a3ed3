#!/usr/bin/env python3
"""Installs holdfast into a folder, moves it, and links the programs of tests/consumer to it in every way there is.

    install_test.py SOURCE_ROOT BUILD_ROOT COMPILER [CLASS...]

COMPILER is the one that the build was made with. A CLASS is one of those below; without any, all are run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from multiprocessing.pool import ThreadPool
from pathlib import Path

ROOT, BUILD, COMPILER = Path(), Path(), "c++"
WORK = Path()    # removed at the end
PREFIX = Path()  # where everything was moved to
# Of tests/consumer, and the package of each.
PROGRAMS = {"core": "holdfast", "sim": "holdfast-sim", "asio": "holdfast-asio", "sim_asio": "holdfast-sim-asio"}
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


class Installed(unittest.TestCase):
    def test_a_packager_finds_everything_in_its_place(self):
        version = call(PREFIX / "bin/holdfast", "--version").split()[1]
        compatible = ".".join(version.split(".")[:2 if version.startswith("0.") else 1])
        shared = [f"lib{name}{end}" for name in PROGRAMS.values() for end in (".so", f".so.{compatible}", f".so.{version}")
                  if name not in ONLY_STATIC]
        for place in [*shared, "cmake/holdfast/holdfast-config.cmake", "cmake/holdfast/holdfast-config-version.cmake",
                      *(place for name in PROGRAMS.values() for place in (f"lib{name}.a", f"pkgconfig/{name}.pc"))]:
            self.assertTrue((libdir() / place).exists(), place)
        for name in ONLY_STATIC:
            self.assertFalse((libdir() / f"lib{name}.so").exists(), name)
        for place in ("LICENSE", "README.md", "CHANGELOG.md", "scenarios/README.md", "scenarios/data/README.md"):
            self.assertTrue((PREFIX / "share/doc/holdfast" / place).exists(), place)
        self.assertIn(f"[libholdfast.so.{compatible}]", call("readelf", "-d", libdir() / "libholdfast.so"))

    def test_the_command_rehearses_an_installed_scenario(self):
        call(PREFIX / "bin/holdfast", "run", "--quiet", PREFIX / "share/doc/holdfast/scenarios/clean_exits.toml")

    def test_no_file_knows_where_it_was_built_or_installed(self):
        for file in [*PREFIX.rglob("*.pc"), *PREFIX.rglob("*.cmake"), *PREFIX.rglob("*.hpp")]:
            for place in (str(ROOT), str(BUILD), "/usr/local"):
                self.assertNotIn(place, file.read_text(), file)


class Headers(unittest.TestCase):
    def test_of_detail_only_what_a_public_header_includes_is_installed(self):
        include = PREFIX / "include"
        headers = {file.relative_to(include).as_posix(): set(re.findall(r"#include <(holdfast[^>]*)>", file.read_text()))
                   for file in include.rglob("*.hpp")}
        self.assertGreater(len(headers), 40)
        self.assertEqual(set().union(*headers.values()) - headers.keys(), set(), "included, and not installed")
        self.assertEqual({header for header in headers if "/detail/" in header} - set().union(*headers.values()), set())

    # Which includes are missing is the same for every compiler of one standard library, so the slower one gets them all
    # in one file.
    def test_each_compiles_on_its_own(self):
        headers = sorted((PREFIX / "include").rglob("*.hpp"))
        with ThreadPool(os.cpu_count()) as pool:
            pool.starmap(self.compile, [("g++", headers)] + [("clang++", [header]) for header in headers])

    @staticmethod
    def compile(compiler: str, headers: list[Path]) -> None:
        call(compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", f"-I{PREFIX / 'include'}",
             "-DBOOST_ASIO_SEPARATE_COMPILATION", *(f"-include{header}" for header in headers), "-x", "c++", "/dev/null")

    def test_who_forgets_that_asio_is_compiled_in_is_told(self):
        with self.assertRaises(AssertionError) as refused:
            call(COMPILER, "-std=c++20", "-fsyntax-only", f"-I{PREFIX / 'include'}", "-include", "holdfast/asio/runtime.hpp",
                 "-x", "c++", "/dev/null")
        self.assertIn("define BOOST_ASIO_SEPARATE_COMPILATION for the whole program", str(refused.exception))


def other_compiler() -> str:
    return "g++" if "clang" in COMPILER else "clang++"


class PkgConfig(unittest.TestCase):
    @staticmethod
    def flags(*arguments: str) -> list[str]:
        return call("pkg-config", *arguments, env={"PKG_CONFIG_PATH": str(libdir() / "pkgconfig")}).split()

    def compile(self, compiler: str, programs: set[str], *options: str) -> dict[str, Path]:
        folder = Path(tempfile.mkdtemp(dir=WORK))
        with ThreadPool(os.cpu_count()) as pool:
            pool.starmap(call, [(compiler, "-std=c++20", *options, *self.flags("--cflags", package), "-c",
                                 ROOT / f"tests/consumer/{program}.cpp", "-o", folder / f"{program}.o")
                                for program, package in PROGRAMS.items() if program in programs])
        return {program: folder / f"{program}.o" for program in programs}

    def link(self, compiler: str, objects: dict[str, Path], *options: str) -> list[Path]:
        for program, file in objects.items():
            flags = self.flags("--libs", *options, PROGRAMS[program])
            if options:  # by name rather than with -static: not every distribution has a static fmt
                flags = [re.sub(r"^-l(holdfast.*)", r"-l:lib\1.a", flag) for flag in flags]
            call(compiler, file, "-o", file.with_suffix(""), *flags)
        return [file.with_suffix("") for file in objects.values()]

    # But for Asio, some of whose functions have other names in g++ than in clang++.
    def test_programs_of_either_compiler_link_to_the_shared_and_to_the_static_libraries(self):
        on_asio = {program for program, package in PROGRAMS.items() if package in ONLY_STATIC}
        for compiler, programs, options in ((COMPILER, PROGRAMS.keys(), []), (COMPILER, on_asio, HIDDEN),
                                            (other_compiler(), PROGRAMS.keys() - on_asio, HIDDEN)):
            objects = self.compile(compiler, programs, *options)
            for program in self.link(compiler, objects):
                run(program, LD_LIBRARY_PATH=str(libdir()))
            for program in self.link(compiler, objects, "--static"):
                self.assertEqual({library for library in loaded(program) if "holdfast" in library}, set())
                run(program)

    def test_who_links_to_the_shared_libraries_is_told_of_no_others(self):
        libraries = {flag for flag in self.flags("--libs", "holdfast-sim") if flag.startswith("-l")}
        self.assertEqual(libraries, {"-lholdfast-sim", "-lholdfast"})

    def test_the_rooms_of_asio_stand_beside_the_shared_libraries(self):
        flags = self.flags("--libs", "holdfast-sim-asio")
        self.assertEqual({flag for flag in flags if flag.startswith("-l")},
                         {"-lholdfast-sim-asio", "-lholdfast-asio", "-lholdfast-sim", "-lholdfast"})
        self.assertIn("-pthread", flags)
        self.assertIn("-DBOOST_ASIO_SEPARATE_COMPILATION", self.flags("--cflags", "holdfast-sim-asio"))

    # As if the library had been built with another version of Boost.
    def test_asio_in_another_version_than_the_library_has_does_not_link(self):
        file = WORK / "other_asio.cpp"
        file.write_text("#include <boost/asio/version.hpp>\n#undef BOOST_ASIO_VERSION\n#define BOOST_ASIO_VERSION 102800\n"
                        "#include <holdfast/asio/context.hpp>\nint main() {}\n")
        with self.assertRaises(AssertionError) as refused:
            call(COMPILER, "-std=c++20", *self.flags("--cflags", "holdfast-asio"), file, "-o", WORK / "other_asio",
                 *self.flags("--libs", "holdfast-asio"))
        self.assertIn("AsioOfVersion<102800>", str(refused.exception))

    def test_the_core_needs_nothing(self):
        libraries = {flag for flag in self.flags("--libs", "--static", "holdfast") if flag.startswith("-l")}
        self.assertEqual(libraries, {"-lholdfast"})


class CMake(unittest.TestCase):
    def configure(self, *options: str, text: str = "") -> Path:
        """The project of tests/consumer, or one whose CMakeLists.txt goes on with `text`."""
        source, build = ROOT / "tests/consumer", Path(tempfile.mkdtemp(dir=WORK))
        if text:
            source = Path(tempfile.mkdtemp(dir=WORK))
            (source / "CMakeLists.txt").write_text(f"cmake_minimum_required(VERSION 3.16)\nproject(p NONE)\n{text}\n")
        call("cmake", "-G", "Ninja", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={PREFIX}", f"-DCMAKE_LIBRARY_ARCHITECTURE="
             f"{libdir().name}", f"-DCMAKE_CXX_COMPILER={COMPILER}", *options)
        return build

    def refusal(self, text: str, *options: str) -> str:
        with self.assertRaises(AssertionError) as refused:
            self.configure(*options, text=text)
        return re.sub(r"\s+", " ", str(refused.exception))

    def test_programs_link_to_the_shared_libraries_unless_told_otherwise(self):
        build = self.configure()
        call("cmake", "--build", build)
        for program in ("sim", "sim_asio"):
            self.assertTrue(any(name.startswith("libholdfast-sim.so.") for name in loaded(build / program)))
        for program in PROGRAMS:
            run(build / program)

    def test_programs_link_to_the_static_libraries_where_they_want_to(self):
        build = self.configure("-DBUILD_SHARED_LIBS=OFF")
        call("cmake", "--build", build)
        for program in PROGRAMS:
            self.assertFalse(any("holdfast" in name for name in loaded(build / program)))
            run(build / program)

    def test_a_version_that_may_differ_is_refused(self):
        self.configure(text="find_package(holdfast 0.1.0 EXACT REQUIRED)")
        self.configure(text="find_package(holdfast 0.0...<0.2 REQUIRED)")
        for other in ("0.0", "0.1.1", "0.2", "1.0", "0.0...<0.1"):
            self.assertIn("0.1.0", self.refusal(f"find_package(holdfast {other} REQUIRED)"))

    def test_a_component_that_is_not_there_is_refused_and_an_optional_one_left_out(self):
        said = self.refusal("find_package(holdfast 0.1 REQUIRED COMPONENTS smi)")
        self.assertIn('holdfast has no component "smi" here', said)
        self.configure(text="""
          find_package(holdfast 0.1 REQUIRED OPTIONAL_COMPONENTS smi sim)
          if(holdfast_smi_FOUND OR NOT holdfast_sim_FOUND OR NOT TARGET holdfast::sim)
            message(FATAL_ERROR "${holdfast_smi_FOUND} ${holdfast_sim_FOUND}")
          endif()""")

    def test_boost_in_another_version_is_not_found(self):
        other = WORK / "boost"
        other.mkdir()
        (other / "BoostConfig.cmake").write_text("set(Boost_VERSION 1.74.0)\n")
        (other / "BoostConfigVersion.cmake").write_text("set(PACKAGE_VERSION 1.74.0)\n")
        said = self.refusal("enable_language(CXX)\nfind_package(holdfast REQUIRED COMPONENTS asio)", f"-DBoost_DIR={other}",
                            "-DBoost_NO_SYSTEM_PATHS=ON", f"-DBOOST_ROOT={other}")
        self.assertRegex(said, r"holdfast::asio needs Boost [0-9.]+ EXACT, which is not found; Boost_ROOT or")

    def test_a_kind_of_library_that_is_not_installed_is_refused(self):
        library = next(libdir().glob("libholdfast-sim.so.*.*.*"))
        aside = library.rename(WORK / "aside")
        self.addCleanup(aside.rename, library)
        said = self.refusal("find_package(holdfast REQUIRED COMPONENTS sim)", "-Dholdfast_SHARED_LIBS=ON")
        self.assertIn("holdfast::sim is wanted as a SHARED library", said)
        self.assertIn(f"{library} is not installed", said)

    def test_a_library_that_a_static_one_needs_is_asked_for(self):
        said = self.refusal("find_package(holdfast REQUIRED COMPONENTS sim)", "-Dholdfast_SHARED_LIBS=OFF",
                            "-Dholdfast_fmt_LIBRARY=NOTFOUND", "-DCMAKE_FIND_LIBRARY_PREFIXES=no")
        self.assertIn("holdfast::sim, linked statically, needs the library fmt, which is not found", said)


class Subproject(unittest.TestCase):
    def test_a_meson_project_builds_it_as_a_part_of_itself(self):
        project, build = WORK / "project", WORK / "project/build"
        shutil.copytree(ROOT / "tests/consumer", project)
        shutil.copytree(ROOT, project / "subprojects/holdfast", ignore=shutil.ignore_patterns("build", ".git"))
        # Large pieces: compiling is most of the work here.
        call("meson", "setup", build, project, "-Doptimization=0", "-Ddebug=false", "-Dunity=subprojects", "-Dunity_size=30",
             env={"CXX": COMPILER})
        commands = json.loads((build / "compile_commands.json").read_text())
        self.assert_only_the_libraries_are_built(commands)
        self.assert_no_argument_is_passed_on(commands)
        # The whole simulator takes long; that its headers are found there is enough.
        call("ninja", "-C", build, "core", "asio", "sim.p/sim.cpp.o", "sim_asio.p/sim_asio.cpp.o")
        for program in ("core", "asio"):
            run(build / program)

    def assert_only_the_libraries_are_built(self, commands: list[dict[str, str]]) -> None:
        files = [entry["file"] for entry in commands if "subprojects/holdfast" in entry["file"]]
        self.assertTrue(files)
        self.assertEqual([file for file in files if not re.search(r"subprojects/holdfast/(lib|sim)/", file)], [])

    def assert_no_argument_is_passed_on(self, commands: list[dict[str, str]]) -> None:
        of_core = next(entry["command"] for entry in commands if entry["output"].endswith("core.cpp.o"))
        self.assertNotIn("-fvisibility", of_core)
        self.assertNotIn("-Wold-style-cast", of_core)


if __name__ == "__main__":
    ROOT, BUILD, COMPILER = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
