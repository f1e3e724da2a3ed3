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
        for place in ("LICENSE", "README.md", "CHANGELOG.md", "lib/docs/semantics.md", "lib/docs/guide/linking.md",
                      "lib/docs/reference/scenario_format.md", "scenarios/README.md", "scenarios/data/README.md",
                      "tests/examples/feed.cpp", "tests/examples/gateway/README.md"):
            self.assertTrue((PREFIX / "share/doc/holdfast" / place).exists(), place)
        self.assertIn(f"[libholdfast.so.{compatible}]", call("readelf", "-d", libdir() / "libholdfast.so"))

    def test_the_command_finds_the_installed_scenarios_wherever_the_tree_was_moved(self):
        listed = subprocess.run([PREFIX / "bin/holdfast", "list"], cwd=WORK, capture_output=True, text=True)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        path = next(line for line in listed.stdout.splitlines() if line.endswith("/clean_exits.toml"))
        self.assertEqual(Path(path), PREFIX.resolve() / "share/doc/holdfast/scenarios/clean_exits.toml")
        call(PREFIX / "bin/holdfast", "run", "--quiet", path)

    def test_no_file_knows_where_it_was_built_or_installed(self):
        for file in [*PREFIX.rglob("*.pc"), *PREFIX.rglob("*.cmake"), *PREFIX.rglob("*.hpp")]:
            for place in (str(ROOT), str(BUILD), "/usr/local"):
                self.assertNotIn(place, file.read_text(), file)


class Loader(unittest.TestCase):
    """tools/package/after_install, with a stand-in for ldconfig that searches one folder."""

    def said(self, libdir: Path, searched: Path, user: int) -> tuple[str, bool]:
        folder = Path(tempfile.mkdtemp(dir=WORK))
        renewed = folder / "renewed"
        for name, script in (("ldconfig", f'[ $# -gt 0 ] || {{ touch {renewed}; exit; }}\necho "{searched}: (from a test)"'),
                             ("id", f"echo {user}")):
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        said = call(ROOT / "tools/package/after_install", libdir, env={"PATH": f"{folder}:{os.environ['PATH']}"})
        return said, renewed.exists()

    def test_root_renews_the_cache_and_the_user_needs_to_do_nothing(self):
        real, link = Path(tempfile.mkdtemp(dir=WORK)), WORK / "link_to_libdir"
        link.symlink_to(real)
        self.addCleanup(link.unlink)
        for searched in (real, link):
            self.assertEqual(self.said(real, searched, user=0), ("", True))

    def test_other_users_are_asked_to_let_root_renew_it(self):
        said, renewed = self.said(PREFIX, PREFIX, user=1000)
        self.assertFalse(renewed)
        self.assertIn("Run ldconfig as root", said)

    def test_a_folder_that_the_loader_does_not_search_comes_with_three_ways_out(self):
        for user in (0, 1000):
            said, renewed = self.said(PREFIX, WORK, user)
            self.assertFalse(renewed)
            for way in (f"does not search {PREFIX}", "/etc/ld.so.conf.d/", f"LD_LIBRARY_PATH={PREFIX}", "--static"):
                self.assertIn(way, said)


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

    def test_a_program_that_forgets_that_asio_is_compiled_in_is_refused(self):
        with self.assertRaises(AssertionError) as refused:
            call(COMPILER, "-std=c++20", "-fsyntax-only", f"-I{PREFIX / 'include'}", "-include", "holdfast/asio/runtime.hpp",
                 "-x", "c++", "/dev/null")
        self.assertIn("define BOOST_ASIO_SEPARATE_COMPILATION for the whole program", str(refused.exception))


def other_compiler() -> str:
    return "g++" if "clang" in COMPILER else "clang++"


class CompilerTalk(unittest.TestCase):
    """What a compiler says about programs that include holdfast, without any flag of holdfast's own build."""

    def said(self, compiler: str, text: str, *options: str) -> str:
        file = Path(tempfile.mkdtemp(dir=WORK)) / "program.cpp"
        file.write_text(text)
        return self.said_about(compiler, file, *options)

    @staticmethod
    def said_about(compiler: str, file: Path, *options: str) -> str:
        return subprocess.run([compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", f"-I{PREFIX / 'include'}",
                               "-DBOOST_ASIO_SEPARATE_COMPILATION", *options, file], capture_output=True, text=True).stderr

    def test_nothing_about_the_programs_that_a_newcomer_copies(self):
        programs = [*(ROOT / "tests/examples").glob("*.cpp"), *(ROOT / "tests/consumer").glob("*.cpp")]
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
        file = WORK / "other_asio.cpp"
        file.write_text("#include <boost/asio/version.hpp>\n#undef BOOST_ASIO_VERSION\n#define BOOST_ASIO_VERSION 102800\n"
                        "#include <holdfast/asio/context.hpp>\nint main() {}\n")
        with self.assertRaises(AssertionError) as refused:
            call(COMPILER, "-std=c++20", *self.flags("--cflags", "holdfast-asio"), file, "-o", WORK / "other_asio",
                 *self.flags("--libs", "holdfast-asio"))
        self.assertIn("AsioOfVersion<102800>", str(refused.exception))

    def test_a_program_of_the_other_compiler_does_not_link_to_what_stands_on_asio(self):
        file = WORK / "other_compiler.cpp"
        for header, package in (("holdfast/asio/executor_scheduler", "holdfast-asio"), ("holdfast/asio/runtime", "holdfast-asio"),
                                ("holdfast_sim/asio/asio_simulation", "holdfast-sim-asio")):
            file.write_text(f"#include <{header}.hpp>\nint main() {{}}\n")
            for compiler in (COMPILER, other_compiler()):
                with self.subTest(header=header, compiler=compiler):
                    command = [compiler, "-std=c++20", *self.flags("--cflags", package), file, "-o", WORK / "other_compiler",
                               *self.flags("--libs", package)]
                    if compiler == COMPILER:
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


# From a clean folder, as far as the packages of Debian allow.
class Recipes(unittest.TestCase):
    @staticmethod
    def clone() -> Path:
        """The tree as it is, committed to a repository of its own."""
        folder = Path(tempfile.mkdtemp(dir=WORK)) / "clone"
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns("build*", ".git", "*.digest", "data", "corpus"))
        for command in (("init", "--quiet", "--initial-branch=main"), ("add", "--all"),
                        ("-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "--message=All of it")):
            call("git", "-C", folder, *command)
        return folder

    def test_a_cmake_project_fetches_the_core_and_the_part_on_asio(self):
        source, build = Path(tempfile.mkdtemp(dir=WORK)), Path(tempfile.mkdtemp(dir=WORK))
        (source / "CMakeLists.txt").write_text(f"""
            cmake_minimum_required(VERSION 3.18)
            project(fetches CXX)
            include(FetchContent)
            FetchContent_Declare(holdfast GIT_REPOSITORY {self.clone()} GIT_TAG main SOURCE_SUBDIR tools/package)
            FetchContent_MakeAvailable(holdfast)
            foreach(program core asio)
              add_executable(${{program}} {ROOT}/tests/consumer/${{program}}.cpp)
            endforeach()
            target_link_libraries(core PRIVATE holdfast::holdfast)
            target_link_libraries(asio PRIVATE holdfast::asio)
            target_compile_options(core PRIVATE -Wall -Wextra -Werror)
            """)
        call("cmake", "-G", "Ninja", "-S", source, "-B", build, f"-DCMAKE_CXX_COMPILER={COMPILER}", "-DCMAKE_UNITY_BUILD=ON",
             "-DCMAKE_UNITY_BUILD_BATCH_SIZE=12")
        call("cmake", "--build", build)
        for program in ("core", "asio"):
            run(build / program)

    def test_a_cmake_project_without_random123_or_boost_is_refused_with_the_package_to_install(self):
        for options, says in (
            (("-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF", "-DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF"),
             "holdfast needs Random123/philox.h (Debian: librandom123-dev)"),
            (("-DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON",), "Boost"),
        ):
            with self.subTest(says=says), self.assertRaises(AssertionError) as refused:
                call("cmake", "-G", "Ninja", "-S", ROOT / "tools/package", "-B", tempfile.mkdtemp(dir=WORK), *options,
                     f"-DCMAKE_MAKE_PROGRAM={shutil.which('ninja')}", f"-DCMAKE_CXX_COMPILER={shutil.which(COMPILER)}")
            self.assertIn(says, re.sub(r"\s+", " ", str(refused.exception)))

    def test_a_meson_project_with_the_wrap_finds_all_components(self):
        project = WORK / "with_wrap"
        shutil.copytree(ROOT / "tests/consumer", project)
        (project / "subprojects").mkdir()
        wrap = (ROOT / "tools/package/holdfast.wrap").read_text()
        (project / "subprojects/holdfast.wrap").write_text(wrap.replace("URL_OF_THE_REPOSITORY", f"file://{self.clone()}"))
        # The wrap alone says where holdfast comes from.
        build = (project / "meson.build").read_text()
        (project / "meson.build").write_text(build.replace(", fallback: 'holdfast'", ""))
        call("meson", "setup", project / "build", project, "-Doptimization=0", "-Ddebug=false", "-Dunity=subprojects",
             env={"CXX": COMPILER, "PKG_CONFIG_PATH": ""})
        call("ninja", "-C", project / "build", "core")
        run(project / "build/core")

    @staticmethod
    def production_half(*options: str, **env: str) -> tuple[set[str], set[str]]:
        """Which libraries -Dsimulation=false builds, and which dependencies it finds."""
        build = Path(tempfile.mkdtemp(dir=WORK))
        call("meson", "setup", build, ROOT, "-Dsimulation=false", "-Ddefault_library=static", *options, env={"CXX": COMPILER} | env)
        targets = json.loads(call("meson", "introspect", "--targets", build))
        found = json.loads(call("meson", "introspect", "--dependencies", build))
        return {target["name"] for target in targets}, {dependency["name"] for dependency in found}

    def test_without_the_simulation_only_the_production_half_is_built_and_needs_less(self):
        # What finds packages is hidden, so that the machine has none of them: pkg-config, and CMake, which Meson asks next.
        absent = {"PKG_CONFIG_LIBDIR": "/nowhere", "CMAKE": "/nowhere/cmake"}
        boost_and_zlib = {"boost", "threads", "zlib"}
        for options, env, built, needs in (
            ([], {}, {"holdfast", "holdfast-asio", "holdfast-file"}, boost_and_zlib | {"tomlplusplus"}),
            ([], absent, {"holdfast", "holdfast-asio"}, boost_and_zlib),
            (["-Dfile=disabled"], {}, {"holdfast", "holdfast-asio"}, boost_and_zlib),
        ):
            with self.subTest(options=options, env=env):
                libraries, found = self.production_half(*options, **env)
                self.assertEqual(libraries, built)
                self.assertEqual(found, needs)
        with self.assertRaisesRegex(AssertionError, "tomlplusplus.*not found"):
            self.production_half("-Dfile=enabled", **absent)
        with self.assertRaisesRegex(AssertionError, "the simulator reads its scenarios with holdfast-file"):
            self.production_half("-Dfile=disabled", "-Dsimulation=true")

    # Neither vcpkg nor Conan is a package of Debian: their functions have stand-ins that do what the real ones are documented
    # to do. Everything else is the recipe's.
    def program_links_to(self, tree: Path) -> None:
        pkgconfig = next(tree.rglob("holdfast-asio.pc")).parent
        flags = call("pkg-config", "--static", "--cflags", "--libs", "holdfast-asio",
                     env={"PKG_CONFIG_PATH": str(pkgconfig)}).split()
        call(COMPILER, "-std=c++20", ROOT / "tests/consumer/asio.cpp", "-o", tree / "asio", *flags)
        run(tree / "asio")

    def test_the_recipe_of_vcpkg_installs_what_a_program_links_to(self):
        packages, script = Path(tempfile.mkdtemp(dir=WORK)), WORK / "vcpkg.cmake"
        script.write_text(f"""
            cmake_minimum_required(VERSION 3.18)
            set(CURRENT_PACKAGES_DIR {packages})
            set(BUILD {WORK}/vcpkg_build)
            function(vcpkg_configure_meson)
              cmake_parse_arguments(arg "" "SOURCE_PATH" "OPTIONS" ${{ARGN}})
              execute_process(COMMAND meson setup ${{BUILD}} ${{arg_SOURCE_PATH}} --prefix=${{CURRENT_PACKAGES_DIR}} --libdir=lib
                -Ddefault_library=static -Doptimization=0 -Ddebug=false -Dunity=on ${{arg_OPTIONS}} COMMAND_ERROR_IS_FATAL ANY)
            endfunction()
            function(vcpkg_install_meson)
              execute_process(COMMAND ninja -C ${{BUILD}} install COMMAND_ERROR_IS_FATAL ANY)
            endfunction()
            function(vcpkg_cmake_config_fixup)
              cmake_parse_arguments(arg "" "CONFIG_PATH" "" ${{ARGN}})
              if(NOT EXISTS ${{CURRENT_PACKAGES_DIR}}/${{arg_CONFIG_PATH}}/holdfast-config.cmake)
                message(FATAL_ERROR "no CMake package in ${{arg_CONFIG_PATH}}")
              endif()
            endfunction()
            function(vcpkg_fixup_pkgconfig)
            endfunction()
            function(vcpkg_install_copyright)
              cmake_parse_arguments(arg "" "" "FILE_LIST" ${{ARGN}})
              file(COPY ${{arg_FILE_LIST}} DESTINATION ${{CURRENT_PACKAGES_DIR}}/share/holdfast)
            endfunction()
            include({ROOT}/tools/package/vcpkg/portfile.cmake)
            """)
        call("cmake", "-P", script, env={"CXX": COMPILER})
        self.assertTrue((packages / "share/holdfast/LICENSE").exists())
        # The production half, from which no header of what it does not need was included.
        headers = call("ninja", "-C", WORK / "vcpkg_build", "-t", "deps")
        self.assertIn("/boost/asio/", headers)
        self.assertNotRegex(headers, r"toml\+\+|/fmt/|xxhash|/CLI/|/spdlog/")
        self.program_links_to(packages)
        described = json.loads((ROOT / "tools/package/vcpkg/vcpkg.json").read_text())
        self.assertIn("boost-asio", described["dependencies"])

    def test_the_recipe_of_conan_asks_for_what_the_build_needs(self):
        recipe = self.conan_recipe()
        recipe.export_sources()
        self.assertTrue({"meson.build", "lib/*", "tools/*", "LICENSE"} <= set(recipe.copied))
        for simulation, file, component in ((False, False, "holdfast-asio"), (False, True, "holdfast-file"),
                                            (True, False, "holdfast-sim-asio")):
            with self.subTest(simulation=simulation, file=file):
                recipe = self.conan_recipe()
                recipe.options.simulation, recipe.options.file = simulation, file
                recipe.set_version()
                recipe.requirements()
                recipe.generate()
                recipe.package_info()
                self.assertIn(f"\n  version: '{recipe.version}'", (ROOT / "meson.build").read_text())
                self.assertEqual(any(name.startswith("fmt/") for name in recipe.required), simulation)
                self.assertEqual(any(name.startswith("tomlplusplus/") for name in recipe.required), simulation or file)
                self.assertEqual(recipe.project_options["simulation"], simulation)
                self.assertEqual(recipe.project_options["file"], "enabled" if simulation or file else "disabled")
                self.assertIn(component, recipe.cpp_info.components)
                self.assertEqual("holdfast-file" in recipe.cpp_info.components, simulation or file)
                # Options that there are: Meson refuses others.
                options = (ROOT / "meson_options.txt").read_text()
                for option in recipe.project_options.keys() - {"default_library"}:
                    self.assertIn(f"option('{option}'", options)

    @staticmethod
    def conan_recipe():
        """An object of the recipe's class, on stand-ins for the modules of Conan."""
        import collections
        import importlib.util
        import types
        made = types.SimpleNamespace(project_options={}, copied=[], required=[])

        class ConanFile:
            def __init__(self):
                self.options = types.SimpleNamespace(**self.default_options)
                self.cpp_info = types.SimpleNamespace(components=collections.defaultdict(
                    lambda: types.SimpleNamespace(set_property=lambda *_: None)))
                self.export_sources_folder = self.source_folder = self.package_folder = WORK
                self.project_options, self.copied, self.required = made.project_options, made.copied, made.required

            def requires(self, package, **_):
                made.required.append(package)

        modules = {
            "conan": {"ConanFile": ConanFile},
            "conan.tools.files": {"copy": lambda _, pattern, *__: made.copied.append(pattern)},
            "conan.tools.layout": {"basic_layout": None},
            "conan.tools.meson": {"Meson": None, "MesonToolchain": lambda _: types.SimpleNamespace(
                project_options=made.project_options, generate=lambda: None)},
            "conan.tools.system.package_manager": {"Apt": None},
        }
        for name, values in modules.items():
            module = types.ModuleType(name)
            vars(module).update(values)
            sys.modules[name] = module
        spec = importlib.util.spec_from_file_location("conanfile", ROOT / "tools/package/conan/conanfile.py")
        loaded_recipe = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded_recipe)
        return loaded_recipe.Holdfast()


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
    ROOT, BUILD, COMPILER = Path(sys.argv[1]).resolve(), Path(sys.argv[2]), sys.argv[3]
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
