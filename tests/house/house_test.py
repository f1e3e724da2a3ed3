#!/usr/bin/env python3
"""The rules of the house: which room may include which, what the deterministic rooms may not touch, and where things stand.

    house_test.py SOURCE_ROOT LIBRARY...      the libraries are the static ones of lib/holdfast and sim/holdfast_sim
                                              (compiled Asio has threads and clocks; its rooms are read, not their symbols)
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

STANDARD = re.compile(r"^[a-z_]+$")  # <vector>, <cstdint>
# Standard headers with clocks, threads, generators or floating-point functions in them.
BANNED_STANDARD = {"thread", "mutex", "shared_mutex", "condition_variable", "future", "atomic", "random", "ctime", "cmath",
                   "semaphore", "barrier", "latch", "stop_token", "complex", "valarray"}

# room: what it may include besides the standard library
ROOMS = {
    "lib/holdfast": [r"holdfast/(?!asio/|file/|up/)"],
    "lib/holdfast/file": [r"holdfast/(?!asio/|up/)", r"toml\+\+/"],
    "sim/holdfast_sim": [r"holdfast/(?!asio/|up/)", r"holdfast_sim/(?!asio/)", r"boost/json", r"fmt/", r"xxhash\.h$"],
    "lib/holdfast/asio": [r"holdfast/(?!file/|up/)", r"boost/", r"(dirent|fcntl|grp|poll|pwd|sched|unistd|zlib)\.h$",
                         r"(arpa/inet|netinet/in|linux/(inet_diag|netlink|sock_diag))\.h$",
                         r"sys/(eventfd|mman|prctl|resource|socket|syscall|timerfd|types|un|wait)\.h$"],
    "lib/holdfast/up": [r"holdfast/", r"boost/", r"(fcntl|glob|grp|malloc|poll|unistd|yaml)\.h$",
                       r"sys/(epoll|eventfd|file|fsuid|ioctl|mman|prctl|resource|socket|stat|syscall|types|un|wait)\.h$"],
    "sim/holdfast_sim/asio": [r"holdfast/", r"holdfast_sim/", r"boost/"],
    "bench": [r"holdfast/", r"holdfast_sim/", r"benchmark/", r"boost/asio", r"(fcntl|malloc|poll|unistd)\.h$",
              r"netinet/in\.h$", r"sys/(prctl|socket|wait)\.h$"],
}
# Rooms that may use clocks and threads.
REAL_TIME_ROOMS = {"lib/holdfast/asio", "lib/holdfast/up"}
EXCEPTIONS = {("lib/holdfast/detail/random123.hpp", "Random123/philox.h"), ("lib/holdfast/asio/spdlog_sink.hpp", "spdlog/logger.h"),
              ("sim/holdfast_sim/checks/detail/huge_pages.hpp", "sys/mman.h")}

# In the text of the deterministic rooms.
BANNED_WORDS = re.compile(
    r"random_device|system_clock|steady_clock|high_resolution_clock|std::(uniform_|normal_|exponential_|weibull_|"
    r"lognormal_|poisson_|bernoulli_)|std::shuffle|gettimeofday|clock_gettime|getenv|std::hash<|\blong double\b")

# In what the compiled libraries ask the system for.
BANNED_SYMBOLS = re.compile(
    r"^(clock|clock_gettime|clock_getres|time|times|timespec_get|gettimeofday|ftime|getrusage|localtime(_r)?|gmtime(_r)?|"
    r"nanosleep|clock_nanosleep|usleep|sleep|alarm|setitimer|timer_create|timerfd_create|"
    r"s?rand|rand_r|s?random(_r)?|[deljmn]rand48(_r)?|srand48|arc4random\w*|getrandom|getentropy|"
    r"pthread_create|thrd_create|fork|vfork|clone|"
    r"(exp|exp2|exp10|expm1|log|log2|log10|log1p|logb|pow|sqrt|cbrt|hypot|fma|fmod|remainder|modf|ldexp|frexp|scalbl?n|"
    r"a?(sin|cos|tan)h?|atan2|sincos|erfc?|[lt]gamma|j[01n]|y[01n]|floor|ceil|trunc|l?l?round|l?l?rint|nearbyint|"
    r"nextafter|fdim)[fl]?)$|"
    r"random_device|system_clock|steady_clock|high_resolution_clock|std::thread|std::jthread|_State_baseV2")

# Doors: which folders of the simulator the files of each folder may include, besides their own. "." is what stands in no
# folder. There is no circle among them.
DOORS = {
    "text": set(),
    "scenario": {"observe", "text"},
    "observe": {"text"},
    "format": {"scenario", "text"},
    "stage": {"scenario", "observe"},
    "checks": {"scenario", "observe"},
    "report": {"scenario", "observe", "text"},
    "replay": {"scenario", "observe", "report", "text"},
    ".": {"scenario", "observe", "stage", "checks", "report"},
    "predict": {"scenario", "observe", "stage"},
    "diff": {"scenario", "observe", "stage"},
    "compare": {"scenario", "report", "text", "."},
    "picture": {"scenario", "observe", "stage"},
    "explain": {"scenario", "observe", "stage", "checks", "report", "text", "."},
    "search": {"scenario", "format", "checks", "report", "diff", "text", "."},
    "find": {"scenario", "observe", "stage", "checks", "search"},
    "present": {"scenario", "report", "replay", "predict", "diff", "compare", "explain", "find", "picture", "search", "text",
                "."},
    "asio": {"scenario", "observe", "stage"},
}
# What judges a run sees its events alone: a saved trace must be checkable again. And it decides nothing as the supervisor
# does: a bug must not agree with itself. (The doors keep the judges out of stage/.)
JUDGES = ("observe", "checks", "report", "present")
OUT_OF_REACH = re.compile(r"holdfast/(supervisor|backoff|timer_queue|scheduler|service)\.hpp")

# Folders of tests that tests/meson.build builds or runs. Those with a meson.build of their own, and data, stand beside them.
TEST_GROUPS = ("core", "supervisor", "sim", "files", "up", "asio", "process", "command", "house", "install", "soak")
TOP = {"meson.build", "meson_options.txt", "lib", "sim", "scenarios", "tests", "bench", "tools", "README.md",
       "LICENSE", "CHANGELOG.md"}

README_LINES_MAX = 220

UNITY_SIZES = (9, 30)  # of tools/test and the other tools

complaints: list[str] = []


def complain(where: object, says: str) -> None:
    complaints.append(f"{where}: {says}")


def sources(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix in (".hpp", ".cpp"))


def sources_of_room(root: Path, room: str) -> list[Path]:
    """Without those of a room inside the room."""
    inner = [root / other for other in ROOMS if other.startswith(room + "/")]
    return [file for file in sources(root / room) if not any(file.is_relative_to(other) for other in inner)]


def code_of(line: str) -> str:
    return re.sub(r"//.*", "", line)


def check_includes(root: Path) -> None:
    for room, allowed in ROOMS.items():
        for file in sources_of_room(root, room):
            path = file.relative_to(root).as_posix()
            for number, line in enumerate(file.read_text().splitlines(), 1):
                found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
                if not found:
                    continue
                bracket, header = found.groups()
                if (path, header) in EXCEPTIONS or any(re.match(rule, header) for rule in allowed):
                    continue
                if room == "bench" and (STANDARD.match(header) or (bracket == '"' and "/" not in header)):
                    continue
                if STANDARD.match(header) and (header not in BANNED_STANDARD or room in REAL_TIME_ROOMS):
                    continue
                complain(f"{path}:{number}", f"{room} may not include {header}")


def folder_of(path: str) -> str:
    """Of a file of the simulator, by its path below sim/holdfast_sim or in an include."""
    folder = path.split("/")[0] if "/" in path else "."
    return "." if folder == "detail" else folder  # of what stands in no folder


def check_doors(root: Path) -> None:
    simulator = root / "sim/holdfast_sim"
    for file in sources(simulator):
        folder = folder_of(file.relative_to(simulator).as_posix())
        path = file.relative_to(root).as_posix()
        if folder not in DOORS:
            complain(path, f"stands in a folder that has no row in DOORS: {folder}")
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if not (found := re.match(r"\s*#\s*include\s*<([^>]+)", line)):
                continue
            header = found.group(1)
            if header.startswith("holdfast_sim/"):
                target = folder_of(header.removeprefix("holdfast_sim/"))
                if target not in DOORS[folder] | {folder}:
                    complain(f"{path}:{number}", f"{folder} may not include {target}: {header}")
            elif folder in JUDGES and OUT_OF_REACH.match(header):
                complain(f"{path}:{number}", f"what judges a run may not include {header}")


def row_of_doors(folder: str) -> str:
    """As lib/docs/architecture.md has it."""
    def name(of: str) -> str:
        return "the files in no folder" if of == "." else f"`{of}`"
    return f"| {name(folder)} | {', '.join(name(other) for other in sorted(DOORS[folder])) or 'no other folder'} |"


def check_architecture(root: Path) -> None:
    """The page shows the doors as they are."""
    page = "lib/docs/architecture.md"
    text = (root / page).read_text()
    shown = text[text.index("| folder | may include |\n"):].splitlines()[2:]
    for folder in DOORS:
        if row_of_doors(folder) not in shown:
            complain(page, f"does not show the doors of house_test: {row_of_doors(folder)}")
    if len([row for row in shown if row.startswith("|")]) > len(DOORS):
        complain(page, "shows a folder that house_test does not know")


def check_words(root: Path) -> None:
    for room in ("lib/holdfast", "lib/holdfast/file", "sim/holdfast_sim", "sim/holdfast_sim/asio"):
        for file in sources_of_room(root, room):
            path = file.relative_to(root).as_posix()
            for number, line in enumerate(file.read_text().splitlines(), 1):
                if found := BANNED_WORDS.search(code_of(line)):
                    complain(f"{path}:{number}", f"{found.group()} has no place in a deterministic room")
    for file in sources(root / "lib") + sources(root / "sim"):
        if file.suffix == ".hpp" and "#pragma once" not in file.read_text():
            complain(file.relative_to(root), "a header without #pragma once")


def check_symbols(libraries: list[str]) -> None:
    for library in libraries:
        listed = subprocess.run(["nm", "--undefined-only", "--demangle", library], capture_output=True, text=True, check=True)
        symbols = {line.split()[-1] if " U " not in line else line.split(" U ", 1)[1].strip()
                   for line in listed.stdout.splitlines() if " U " in line}
        if not symbols:
            complain(library, "has no undefined symbols: was it read?")
        for symbol in sorted(symbols):
            if BANNED_SYMBOLS.search(symbol.split("@")[0].split("(")[0]):
                complain(library, f"references {symbol}")


def check_registered(root: Path) -> None:
    """A test or a source file that no build compiles is a mistake."""
    for folder, pattern in (*((f"tests/{group}", "*_test.*") for group in TEST_GROUPS), ("tests/examples", "*.cpp"), ("tests/fuzz", "*_fuzz.cpp"),
                            ("bench", "*_bench.cpp"), ("lib/holdfast", "*.cpp"),
                            ("lib/holdfast/asio", "*.cpp"), ("lib/holdfast/file", "*.cpp"), ("lib/holdfast/up", "*.cpp"),
                            ("sim/holdfast_sim", "*.cpp"),
                            ("sim/holdfast_sim/asio", "*.cpp"), ("tools", "*.cpp")):
        of_tests = folder.startswith("tests/") and folder.removeprefix("tests/") in TEST_GROUPS
        builder = "tests" if of_tests else folder
        build = (root / builder / "meson.build").read_text()
        files = (root / folder).glob(pattern) if folder not in ROOMS else \
            [file for file in sources_of_room(root, folder) if file.match(pattern)]
        for file in sorted(files):
            listed = file.relative_to(root / builder)
            # meson.build lists the C++ tests of a folder by their names alone.
            names = {str(listed), str(listed.with_suffix(""))} | ({listed.stem} if of_tests else set())
            if not any(f"'{name}'" in build for name in names):
                complain(file.relative_to(root), f"does not stand in {builder}/meson.build")


def check_pieces(root: Path) -> None:
    """Meson 1.0 does not link a shared library of a unity build whose last piece is full."""
    for room in ("lib/holdfast", "lib/holdfast/asio", "lib/holdfast/file", "sim/holdfast_sim", "sim/holdfast_sim/asio"):
        library = re.search(r"static_library\((.*?)\n\)", (root / room / "meson.build").read_text(), re.DOTALL)[1]
        count = len(re.findall(r"\.cpp'", library))
        for size in UNITY_SIZES:
            if count % size == 0:
                complain(f"{room}/meson.build", f"lists {count} sources, which fill the pieces of {size} exactly: join or split one")


def check_threads(root: Path) -> None:
    """What starts threads runs under ThreadSanitizer, too."""
    listed = re.search(r"threaded_tests = \[(.*?)\]", (root / "tests/meson.build").read_text(), re.DOTALL)[1]
    for file in sorted((root / "tests").rglob("*_test.cpp")):
        if re.search(r"std::(j?thread|async)\b(?!::)|\bthread_pool\b", file.read_text()) and f"'{file.stem}'" not in listed:
            complain(file.relative_to(root), "starts threads, but does not stand in threaded_tests of tests/meson.build")


def check_places(root: Path) -> None:
    try:
        known = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True).stdout
    except FileNotFoundError:  # no git, so no clone: nothing here says what belongs to the project
        known = ""
    names = {line.split("/")[0] for line in known.splitlines()}
    for name in sorted(names - TOP):
        if not name.startswith("."):
            complain(name, "does not belong at the top of the project")
    for room in ("lib/holdfast", "lib/holdfast/asio", "lib/holdfast/file", "lib/holdfast/up", "sim/holdfast_sim",
                 *(f"sim/holdfast_sim/{folder}" for folder in DOORS if folder != "."), "scenarios", "scenarios/data", "tests",
                 "tests/examples", "tests/examples/gateway", "tests/fuzz", "tests/soak", "bench", "tools", "tools/holdfast",
                 "tools/package"):
        if not (root / room / "README.md").exists():
            complain(room, "has no README.md")


def check_version(root: Path) -> None:
    """One version: meson.build's. version.hpp and the vcpkg recipe say it too, and the changelog opens with it."""
    version = re.search(r"\n  version: '([0-9.]+)'", (root / "meson.build").read_text())[1]
    header = (root / "lib/holdfast/version.hpp").read_text()
    found = re.findall(r"#define HOLDFAST_VERSION_(?:MAJOR|MINOR|PATCH|TEXT) (\S+)", header)
    if found != [*version.split("."), f'"{version}"']:
        complain("lib/holdfast/version.hpp", f"says {' '.join(found)}, but meson.build says {version}")
    recipe = "tools/package/vcpkg/vcpkg.json"
    if f'"version": "{version}"' not in (root / recipe).read_text():
        complain(recipe, f"has another version than meson.build, which says {version}")
    latest = re.search(r"^## (\d\S+?),? ", (root / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    if latest != version:
        complain("CHANGELOG.md", f"opens with {latest}, but meson.build says {version}")


def check_public_headers(root: Path) -> None:
    """What is outside of detail/ is installed, and visible in a shared library."""
    for room in ("lib/holdfast", "lib/holdfast/asio", "lib/holdfast/file", "sim/holdfast_sim", "sim/holdfast_sim/asio"):
        build = (root / room / "meson.build").read_text()
        for file in sources_of_room(root, room):
            listed = file.relative_to(root / room)
            if file.suffix != ".hpp" or "detail" in listed.parts:
                continue
            text = file.read_text()
            if f"'{listed}'" not in build and f"install_subdir('{listed.parent}'" not in build:
                complain(file.relative_to(root), f"is public, but does not stand in {room}/meson.build to be installed")
            if "\n#pragma GCC visibility push(default)\n" not in text or not text.endswith("\n#pragma GCC visibility pop\n"):
                complain(file.relative_to(root), "is public, but its names are not between visibility push(default) and pop")


def check_readme(root: Path) -> None:
    """What the README shows is what there is."""
    readme = (root / "README.md").read_text()
    for shown, begins in (("tests/examples/feed.cpp", "#include <iostream>"), ("scenarios/failure_storm.toml", "")):
        text = (root / shown).read_text()
        if text[text.index(begins):].rstrip() not in readme:
            complain("README.md", f"does not show {shown} as it is")
    examples = root / "tests/examples"
    for example in [*examples.glob("*.cpp"), *examples.glob("*/README.md")]:
        if f"]({example.relative_to(root).as_posix()})" not in readme:
            complain("README.md", f"does not link to {example.relative_to(root)}")
    if (length := readme.count("\n")) > README_LINES_MAX:
        complain("README.md", f"has {length} lines; a reader has 90 seconds, which is {README_LINES_MAX}")
    digest = (root / "scenarios/real_cluster.digest").read_text().strip()
    if digest not in readme:
        complain("README.md", "does not show the digest of real_cluster")


def main() -> int:
    root = Path(sys.argv[1])
    check_includes(root)
    check_doors(root)
    check_architecture(root)
    check_words(root)
    check_symbols(sys.argv[2:])
    check_registered(root)
    check_pieces(root)
    check_threads(root)
    check_places(root)
    check_version(root)
    check_public_headers(root)
    check_readme(root)
    for complaint in complaints:
        print(complaint)
    print(f"{len(complaints)} broken rules")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
