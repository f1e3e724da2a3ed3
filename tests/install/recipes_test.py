#!/usr/bin/env python3
"""Holdfast in projects that build it themselves: FetchContent, a wrap, vcpkg, Conan, a subproject.

    recipes_test.py SOURCE_ROOT BUILD_ROOT COMPILER [CLASS...]

COMPILER is the one that the build was made with. A CLASS is one of those below; without any, all are run.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
import installed  # noqa: E402
from installed import call, run  # noqa: E402

setUpModule, tearDownModule = installed.setUpModule, installed.tearDownModule


class Recipes(unittest.TestCase):
    @staticmethod
    def clone() -> Path:
        """The tree as it is, committed to a repository of its own."""
        folder = Path(tempfile.mkdtemp(dir=installed.WORK)) / "clone"
        shutil.copytree(installed.ROOT, folder, ignore=shutil.ignore_patterns("build*", ".git", "*.digest", "data", "corpus"))
        for command in (("init", "--quiet", "--initial-branch=main"), ("add", "--all"),
                        ("-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "--message=All of it")):
            call("git", "-C", folder, *command)
        return folder

    def test_a_cmake_project_fetches_the_core_and_the_part_on_asio(self):
        source, build = Path(tempfile.mkdtemp(dir=installed.WORK)), Path(tempfile.mkdtemp(dir=installed.WORK))
        (source / "CMakeLists.txt").write_text(f"""
            cmake_minimum_required(VERSION 3.18)
            project(fetches CXX)
            include(FetchContent)
            FetchContent_Declare(holdfast GIT_REPOSITORY {self.clone()} GIT_TAG main SOURCE_SUBDIR tools/package)
            FetchContent_MakeAvailable(holdfast)
            foreach(program core asio)
              add_executable(${{program}} {installed.ROOT}/tests/consumer/${{program}}.cpp)
            endforeach()
            target_link_libraries(core PRIVATE holdfast::holdfast)
            target_link_libraries(asio PRIVATE holdfast::asio)
            target_compile_options(core PRIVATE -Wall -Wextra -Werror)
            """)
        call("cmake", "-G", "Ninja", "-S", source, "-B", build, f"-DCMAKE_CXX_COMPILER={installed.COMPILER}", "-DCMAKE_UNITY_BUILD=ON",
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
                call("cmake", "-G", "Ninja", "-S", installed.ROOT / "tools/package", "-B", tempfile.mkdtemp(dir=installed.WORK), *options,
                     f"-DCMAKE_MAKE_PROGRAM={shutil.which('ninja')}", f"-DCMAKE_CXX_COMPILER={shutil.which(installed.COMPILER)}")
            self.assertIn(says, re.sub(r"\s+", " ", str(refused.exception)))

    def test_a_meson_project_with_the_wrap_finds_all_components(self):
        project = installed.WORK / "with_wrap"
        shutil.copytree(installed.ROOT / "tests/consumer", project)
        (project / "subprojects").mkdir()
        wrap = (installed.ROOT / "tools/package/holdfast.wrap").read_text()
        (project / "subprojects/holdfast.wrap").write_text(wrap.replace("URL_OF_THE_REPOSITORY", f"file://{self.clone()}"))
        # The wrap alone says where holdfast comes from.
        build = (project / "meson.build").read_text()
        (project / "meson.build").write_text(build.replace(", fallback: 'holdfast'", ""))
        call("meson", "setup", project / "build", project, "-Doptimization=0", "-Ddebug=false", "-Dunity=subprojects",
             env={"CXX": installed.COMPILER, "PKG_CONFIG_PATH": ""})
        call("ninja", "-C", project / "build", "core")
        run(project / "build/core")

    @staticmethod
    def production_half(*options: str, **env: str) -> tuple[set[str], set[str]]:
        """Which libraries -Dsimulation=false builds, and which dependencies it finds."""
        build = Path(tempfile.mkdtemp(dir=installed.WORK))
        call("meson", "setup", build, installed.ROOT, "-Dsimulation=false", "-Ddefault_library=static", *options,
             env={"CXX": installed.COMPILER} | env)
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
        call(installed.COMPILER, "-std=c++20", installed.ROOT / "tests/consumer/asio.cpp", "-o", tree / "asio", *flags)
        run(tree / "asio")

    def test_the_recipe_of_vcpkg_installs_what_a_program_links_to(self):
        packages, script = Path(tempfile.mkdtemp(dir=installed.WORK)), installed.WORK / "vcpkg.cmake"
        script.write_text(f"""
            cmake_minimum_required(VERSION 3.18)
            set(CURRENT_PACKAGES_DIR {packages})
            set(BUILD {installed.WORK}/vcpkg_build)
            function(vcpkg_configure_meson)
              cmake_parse_arguments(arg "" "SOURCE_PATH" "OPTIONS" ${{ARGN}})
              execute_process(COMMAND meson setup ${{BUILD}} ${{arg_SOURCE_PATH}} --prefix=${{CURRENT_PACKAGES_DIR}} --libdir=lib
                -Ddefault_library=static -Doptimization=0 -Ddebug=false -Dunity=on -Dunity_size=30
                ${{arg_OPTIONS}} COMMAND_ERROR_IS_FATAL ANY)
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
            include({installed.ROOT}/tools/package/vcpkg/portfile.cmake)
            """)
        call("cmake", "-P", script, env={"CXX": installed.COMPILER})
        self.assertTrue((packages / "share/holdfast/LICENSE").exists())
        # The production half, from which no header of what it does not need was included.
        headers = call("ninja", "-C", installed.WORK / "vcpkg_build", "-t", "deps")
        self.assertIn("/boost/asio/", headers)
        self.assertNotRegex(headers, r"toml\+\+|/fmt/|xxhash|/CLI/|/spdlog/")
        self.program_links_to(packages)
        described = json.loads((installed.ROOT / "tools/package/vcpkg/vcpkg.json").read_text())
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
                self.assertIn(f"\n  version: '{recipe.version}'", (installed.ROOT / "meson.build").read_text())
                self.assertEqual(any(name.startswith("fmt/") for name in recipe.required), simulation)
                self.assertEqual(any(name.startswith("tomlplusplus/") for name in recipe.required), simulation or file)
                self.assertEqual(recipe.project_options["simulation"], simulation)
                self.assertEqual(recipe.project_options["file"], "enabled" if simulation or file else "disabled")
                self.assertIn(component, recipe.cpp_info.components)
                self.assertEqual("holdfast-file" in recipe.cpp_info.components, simulation or file)
                # Options that there are: Meson refuses others.
                options = (installed.ROOT / "meson_options.txt").read_text()
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
                self.export_sources_folder = self.source_folder = self.package_folder = installed.WORK
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
        spec = importlib.util.spec_from_file_location("conanfile", installed.ROOT / "tools/package/conan/conanfile.py")
        loaded_recipe = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded_recipe)
        return loaded_recipe.Holdfast()


class Subproject(unittest.TestCase):
    def test_a_meson_project_builds_it_as_a_part_of_itself(self):
        project, build = installed.WORK / "project", installed.WORK / "project/build"
        shutil.copytree(installed.ROOT / "tests/consumer", project)
        shutil.copytree(installed.ROOT, project / "subprojects/holdfast", ignore=shutil.ignore_patterns("build", ".git"))
        # Large pieces: compiling is most of the work here.
        call("meson", "setup", build, project, "-Doptimization=0", "-Ddebug=false", "-Dunity=subprojects", "-Dunity_size=30",
             env={"CXX": installed.COMPILER})
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
    installed.main()
