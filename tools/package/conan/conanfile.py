"""The Conan recipe: conan create tools/package/conan, from a clone of the repository."""

import re
from pathlib import Path

from conan import ConanFile
from conan.tools.files import copy
from conan.tools.layout import basic_layout
from conan.tools.meson import Meson, MesonToolchain
from conan.tools.system.package_manager import Apt

ROOT = Path(__file__).resolve().parents[3]


class Holdfast(ConanFile):
    name = "holdfast"
    license = "Apache-2.0"
    description = "A service supervisor that can be rehearsed"
    settings = "os", "arch", "compiler", "build_type"
    options = {"simulation": [True, False], "file": [True, False], "fPIC": [True, False]}
    default_options = {"simulation": False, "file": False, "fPIC": True}
    generators = "PkgConfigDeps"

    def set_version(self):
        self.version = re.search(r"\n  version: '([0-9.]+)'", (ROOT / "meson.build").read_text())[1]

    def export_sources(self):
        for pattern in ("meson.build", "meson_options.txt", "lib/*", "sim/*", "tools/*", "scenarios/*", "*.md", "LICENSE"):
            copy(self, pattern, ROOT, self.export_sources_folder)

    def requirements(self):
        self.requires("boost/[>=1.81]", transitive_headers=True)
        self.requires("zlib/[>=1.2.11]")
        if self.reads_files():
            self.requires("tomlplusplus/[>=3.3]")
        if self.options.simulation:
            for package in ("cli11/[>=2.1]", "fmt/[>=9]", "xxhash/[>=0.8]"):
                self.requires(package)

    # The simulator reads its scenarios with it.
    def reads_files(self):
        return bool(self.options.simulation or self.options.file)

    # Random123 is header-only, compiled in, and has no recipe in ConanCenter.
    def system_requirements(self):
        Apt(self).install(["librandom123-dev"])

    def layout(self):
        basic_layout(self)

    def generate(self):
        toolchain = MesonToolchain(self)
        toolchain.project_options.update({"tests": False, "benchmarks": False, "default_library": "static",
                                          "simulation": bool(self.options.simulation),
                                          "file": "enabled" if self.reads_files() else "disabled"})
        toolchain.generate()

    def build(self):
        meson = Meson(self)
        meson.configure()
        meson.build()

    def package(self):
        Meson(self).install()
        copy(self, "LICENSE", self.source_folder, Path(self.package_folder) / "licenses")

    def package_info(self):
        names = ["holdfast", "holdfast-asio"] + (["holdfast-file"] if self.reads_files() else [])
        names += ["holdfast-sim", "holdfast-sim-asio"] if self.options.simulation else []
        needs = {"holdfast": [], "holdfast-asio": ["holdfast", "boost::headers", "zlib::zlib"],
                 "holdfast-file": ["holdfast"],
                 "holdfast-sim": ["holdfast-file", "fmt::fmt", "xxhash::xxhash"],
                 "holdfast-sim-asio": ["holdfast-asio", "holdfast-sim"]}
        for name in names:
            component = self.cpp_info.components[name]
            component.libs = [name]
            component.requires = needs[name]
            component.set_property("pkg_config_name", name)
            component.set_property("cmake_target_name", "holdfast::" + (name.removeprefix("holdfast-")))
        self.cpp_info.components["holdfast-asio"].defines = ["BOOST_ASIO_SEPARATE_COMPILATION"]
        self.cpp_info.components["holdfast-asio"].system_libs = ["pthread"]
