#!/usr/bin/env python3
"""Links the programs of tests/consumer to an installed and moved holdfast, through pkg-config and CMake.

    linking_test.py SOURCE_ROOT BUILD_ROOT COMPILER [CLASS...]

COMPILER is the one that the build was made with. A CLASS is one of those below; without any, all are run.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import unittest
from itertools import product
from multiprocessing.pool import ThreadPool
from pathlib import Path

sys.dont_write_bytecode = True
import installed  # noqa: E402
from installed import HIDDEN, ONLY_STATIC, PROGRAMS, call, libdir, loaded, other_compiler, run  # noqa: E402

setUpModule, tearDownModule = installed.setUpModule, installed.tearDownModule


class PkgConfig(unittest.TestCase):
    @staticmethod
    def flags(*arguments: str) -> list[str]:
        return call("pkg-config", *arguments, env={"PKG_CONFIG_PATH": str(libdir() / "pkgconfig")}).split()

    def compile(self, compiler: str, programs: set[str], *options: str) -> dict[str, Path]:
        folder = Path(tempfile.mkdtemp(dir=installed.WORK))
        with ThreadPool(os.cpu_count()) as pool:
            pool.starmap(call, [(compiler, "-std=c++20", *options, *self.flags("--cflags", package), "-c",
                                 installed.ROOT / f"tests/consumer/{program}.cpp", "-o", folder / f"{program}.o")
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
        for compiler, programs, options in ((installed.COMPILER, PROGRAMS.keys(), []), (installed.COMPILER, on_asio, HIDDEN),
                                            (other_compiler(), PROGRAMS.keys() - on_asio, HIDDEN)):
            objects = self.compile(compiler, programs, *options)
            for program in self.link(compiler, objects):
                run(program, LD_LIBRARY_PATH=str(libdir()))
            for program in self.link(compiler, objects, "--static"):
                self.assertEqual({library for library in loaded(program) if "holdfast" in library}, set())
                run(program)

    def test_a_program_that_links_to_the_shared_libraries_learns_of_no_others(self):
        libraries = {flag for flag in self.flags("--libs", "holdfast-sim") if flag.startswith("-l")}
        self.assertEqual(libraries, {"-lholdfast-sim", "-lholdfast-file", "-lholdfast"})

    def test_the_rooms_of_asio_stand_beside_the_shared_libraries(self):
        flags = self.flags("--libs", "holdfast-sim-asio")
        self.assertEqual({flag for flag in flags if flag.startswith("-l")},
                         {"-lholdfast-sim-asio", "-lholdfast-asio", "-lholdfast-sim", "-lholdfast-file", "-lholdfast", "-lz"})
        self.assertIn("-pthread", flags)
        self.assertIn("-DBOOST_ASIO_SEPARATE_COMPILATION", self.flags("--cflags", "holdfast-sim-asio"))

    # As if the library had been built with another version of Boost.
    def test_asio_in_another_version_than_the_library_has_does_not_link(self):
        file = installed.WORK / "other_asio.cpp"
        file.write_text("#include <boost/asio/version.hpp>\n#undef BOOST_ASIO_VERSION\n#define BOOST_ASIO_VERSION 102800\n"
                        "#include <holdfast/asio/context.hpp>\nint main() {}\n")
        with self.assertRaises(AssertionError) as refused:
            call(installed.COMPILER, "-std=c++20", *self.flags("--cflags", "holdfast-asio"), file, "-o", installed.WORK / "other_asio",
                 *self.flags("--libs", "holdfast-asio"))
        self.assertIn("AsioOfVersion<102800>", str(refused.exception))

    def test_a_program_of_the_other_compiler_does_not_link_to_what_stands_on_asio(self):
        file = installed.WORK / "other_compiler.cpp"
        for header, package in (("holdfast/asio/executor_scheduler", "holdfast-asio"), ("holdfast/asio/runtime", "holdfast-asio"),
                                ("holdfast_sim/asio/asio_simulation", "holdfast-sim-asio")):
            file.write_text(f"#include <{header}.hpp>\nint main() {{}}\n")
            for compiler, options in product((installed.COMPILER, other_compiler()), ([], ["-O2", "-fdata-sections", "-Wl,--gc-sections"])):
                with self.subTest(header=header, compiler=compiler, options=options):
                    command = [compiler, "-std=c++20", *options, *self.flags("--cflags", package), file, "-o",
                               installed.WORK / "other_compiler", *self.flags("--libs", package)]
                    if compiler == installed.COMPILER:
                        call(*command)
                        continue
                    with self.assertRaises(AssertionError) as refused:
                        call(*command)
                    self.assertIn("CompiledBy<holdfast::detail::" + ("Gcc" if compiler == "g++" else "Clang"),
                                  str(refused.exception))

    def test_the_core_needs_nothing(self):
        libraries = {flag for flag in self.flags("--libs", "--static", "holdfast") if flag.startswith("-l")}
        self.assertEqual(libraries, {"-lholdfast"})


class CMake(unittest.TestCase):
    def configure(self, *options: str, text: str = "") -> Path:
        """The project of tests/consumer, or one whose CMakeLists.txt goes on with `text`."""
        source, build = installed.ROOT / "tests/consumer", Path(tempfile.mkdtemp(dir=installed.WORK))
        if text:
            source = Path(tempfile.mkdtemp(dir=installed.WORK))
            (source / "CMakeLists.txt").write_text(f"cmake_minimum_required(VERSION 3.16)\nproject(p NONE)\n{text}\n")
        call("cmake", "-G", "Ninja", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={installed.PREFIX}", f"-DCMAKE_LIBRARY_ARCHITECTURE="
             f"{libdir().name}", f"-DCMAKE_CXX_COMPILER={installed.COMPILER}", *options)
        return build

    def refusal(self, text: str, *options: str) -> str:
        with self.assertRaises(AssertionError) as refused:
            self.configure(*options, text=text)
        return re.sub(r"\s+", " ", str(refused.exception))

    def test_programs_link_to_the_shared_libraries_by_default(self):
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
        other = installed.WORK / "boost"
        other.mkdir()
        (other / "BoostConfig.cmake").write_text("set(Boost_VERSION 1.74.0)\n")
        (other / "BoostConfigVersion.cmake").write_text("set(PACKAGE_VERSION 1.74.0)\n")
        said = self.refusal("enable_language(CXX)\nfind_package(holdfast REQUIRED COMPONENTS asio)", f"-DBoost_DIR={other}",
                            "-DBoost_NO_SYSTEM_PATHS=ON", f"-DBOOST_ROOT={other}")
        self.assertRegex(said, r"holdfast::asio needs Boost [0-9.]+ EXACT, which is not found; Boost_ROOT or")

    def test_a_kind_of_library_that_is_not_installed_is_refused(self):
        library = next(libdir().glob("libholdfast-sim.so.*.*.*"))
        aside = library.rename(installed.WORK / "aside")
        self.addCleanup(aside.rename, library)
        said = self.refusal("find_package(holdfast REQUIRED COMPONENTS sim)", "-Dholdfast_SHARED_LIBS=ON")
        self.assertIn("holdfast::sim is wanted as a SHARED library", said)
        self.assertIn(f"{library} is not installed", said)

    def test_a_library_that_a_static_one_needs_is_asked_for(self):
        said = self.refusal("find_package(holdfast REQUIRED COMPONENTS sim)", "-Dholdfast_SHARED_LIBS=OFF",
                            "-Dholdfast_fmt_LIBRARY=NOTFOUND", "-DCMAKE_FIND_LIBRARY_PREFIXES=no")
        self.assertIn("holdfast::sim, linked statically, needs the library fmt, which is not found", said)


# From a clean folder, as far as the packages of Debian allow.


if __name__ == "__main__":
    installed.main()
