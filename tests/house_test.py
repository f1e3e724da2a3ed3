#!/usr/bin/env python3
"""The rules of the house: who may include whom, what the deterministic rooms may not touch, and where things stand.

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
    "lib/holdfast": [r"holdfast/(?!asio/)"],
    "sim/holdfast_sim": [r"holdfast/(?!asio/)", r"holdfast_sim/(?!asio/)", r"toml\+\+/", r"boost/json", r"fmt/", r"xxhash\.h$"],
    "lib/holdfast/asio": [r"holdfast/", r"boost/", r"(fcntl|poll|unistd)\.h$",
                         r"sys/(eventfd|prctl|resource|syscall|types|wait)\.h$"],
    "sim/holdfast_sim/asio": [r"holdfast/", r"holdfast_sim/", r"boost/"],
    "bench": [r"holdfast/", r"holdfast_sim/", r"benchmark/", r"boost/asio", r"malloc\.h$"],
}
# Rooms that may use clocks and threads.
REAL_TIME_ROOMS = {"lib/holdfast/asio"}
EXCEPTIONS = {("lib/holdfast/random.cpp", "Random123/philox.h"), ("lib/holdfast/asio/spdlog_sink.hpp", "spdlog/logger.h"),
              ("sim/holdfast_sim/detail/huge_pages.hpp", "sys/mman.h")}

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

# What judges a run sees its events alone: a saved trace must be checkable again. And it decides nothing as the supervisor
# does: a bug must not agree with itself.
JUDGES = re.compile(r"sim/holdfast_sim/(detail/)?(check|expectation|configuration_check|digest|event_log|fleet_|report|"
                    r"storm_tracker|trace)\w*\.[ch]pp$")
OUT_OF_REACH = re.compile(r"holdfast_sim/(simulation|simulated_service|virtual_scheduler|chaos_timetable)\.hpp|"
                          r"holdfast/(supervisor|backoff|timer_queue|scheduler|service)\.hpp")

TOP = {"meson.build", "meson_options.txt", "lib", "sim", "scenarios", "tests", "bench", "tools", "README.md",
       "LICENSE", "CHANGELOG.md"}

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


def check_judges(root: Path) -> None:
    for file in sources(root / "sim"):
        path = file.relative_to(root).as_posix()
        if not JUDGES.search(path):
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if found := re.match(r"\s*#\s*include\s*<([^>]+)", line):
                if OUT_OF_REACH.match(found.group(1)):
                    complain(f"{path}:{number}", f"what judges a run may not include {found.group(1)}")


def check_words(root: Path) -> None:
    for room in ("lib/holdfast", "sim/holdfast_sim", "sim/holdfast_sim/asio"):
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
    """A test or a source file that nobody builds is a mistake."""
    for folder, pattern in (("tests", "*_test.*"), ("tests/fuzz", "*_fuzz.cpp"), ("bench", "*_bench.cpp"),
                            ("lib/holdfast", "*.cpp"),
                            ("lib/holdfast/asio", "*.cpp"), ("sim/holdfast_sim", "*.cpp"),
                            ("sim/holdfast_sim/asio", "*.cpp"), ("tools", "*.cpp")):
        build = (root / folder / "meson.build").read_text()
        for file in sorted((root / folder).glob(pattern)):
            if f"'{file.name}'" not in build and f"'{file.stem}'" not in build:
                complain(file.relative_to(root), f"does not stand in {folder}/meson.build")


def check_threads(root: Path) -> None:
    """What starts threads runs under ThreadSanitizer, too."""
    listed = re.search(r"threaded_tests = \[(.*?)\]", (root / "tests/meson.build").read_text(), re.DOTALL)[1]
    for file in sorted((root / "tests").glob("*_test.cpp")):
        if re.search(r"std::(j?thread|async)\b(?!::)|\bthread_pool\b", file.read_text()) and f"'{file.stem}'" not in listed:
            complain(file.relative_to(root), "starts threads, but does not stand in threaded_tests of tests/meson.build")


def check_places(root: Path) -> None:
    try:
        known = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True).stdout
    except FileNotFoundError:  # no git, so no clone: nothing here tells what belongs to the project
        known = ""
    names = {line.split("/")[0] for line in known.splitlines()}
    for name in sorted(names - TOP):
        if not name.startswith("."):
            complain(name, "does not belong at the top of the project")
    for room in ("lib/holdfast", "lib/holdfast/asio", "sim/holdfast_sim", "sim/holdfast_sim/asio", "scenarios", "scenarios/data",
                 "tests", "tests/fuzz", "tests/gateway", "tests/soak", "bench", "tools", "tools/package"):
        if not (root / room / "README.md").exists():
            complain(room, "has no README.md")


def check_version(root: Path) -> None:
    """One version: meson.build's. version.hpp says it too, and the changelog opens with it."""
    version = re.search(r"\n  version: '([0-9.]+)'", (root / "meson.build").read_text())[1]
    header = (root / "lib/holdfast/version.hpp").read_text()
    found = re.findall(r"#define HOLDFAST_VERSION_(?:MAJOR|MINOR|PATCH|TEXT) (\S+)", header)
    if found != [*version.split("."), f'"{version}"']:
        complain("lib/holdfast/version.hpp", f"says {' '.join(found)}, but meson.build says {version}")
    latest = re.search(r"^## (\d\S+?),? ", (root / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    if latest != version:
        complain("CHANGELOG.md", f"opens with {latest}, but meson.build says {version}")


def check_public_headers(root: Path) -> None:
    """What is outside of detail/ is installed, and visible in a shared library."""
    for room in ("lib/holdfast", "lib/holdfast/asio", "sim/holdfast_sim", "sim/holdfast_sim/asio"):
        build = (root / room / "meson.build").read_text()
        for file in sorted((root / room).glob("*.hpp")):
            text = file.read_text()
            if f"'{file.name}'" not in build:
                complain(file.relative_to(root), f"is public, but does not stand in {room}/meson.build to be installed")
            if "\n#pragma GCC visibility push(default)\n" not in text or not text.endswith("\n#pragma GCC visibility pop\n"):
                complain(file.relative_to(root), "is public, but its names are not between visibility push(default) and pop")


def check_readme(root: Path) -> None:
    """What the README shows is what there is."""
    readme = (root / "README.md").read_text()
    for shown, begins, ends in (("tests/example_test.cpp", "#include <catch2", ""),
                                ("tests/program_example.cpp", "#include <iostream>", ""),
                                ("tests/gateway/gateway.cpp", "// What goes wrong", "// Each run begins"),
                                ("tests/gateway/gateway.hpp", "// `World` is", "}  // namespace"),
                                ("scenarios/failure_storm.toml", "", "")):
        text = (root / shown).read_text()
        if text[text.index(begins):text.index(ends) if ends else len(text)].rstrip() not in readme:
            complain("README.md", f"does not show {shown} as it is")
    digest = (root / "scenarios/real_cluster.digest").read_text().strip()
    if digest not in readme:
        complain("README.md", "does not show the digest of real_cluster")


def main() -> int:
    root = Path(sys.argv[1])
    check_includes(root)
    check_judges(root)
    check_words(root)
    check_symbols(sys.argv[2:])
    check_registered(root)
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
