"""A copy of the tree with a build of its own, in which mutants are planted, and on which the tests run."""

from __future__ import annotations

import html
import json
import os
import re
import resource
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mutant_files import ROOT, Mutant

# Set by use_copy() in a process that has a copy of its own.
SOURCE = ROOT / "build" / "mutants"
BUILD = SOURCE / "build" / "test"
# As tools/test builds, and in a folder that lies likewise: what it has compiled comes out of the compiler's cache.
# Warnings are none of its business.
OPTIONS = ["--buildtype=debugoptimized", "-Doptimization=3", "-Ddebug=false", "-Dcpp_args=-g1", "--unity=on",
           "-Dunity_size=9", "-Dbenchmarks=false"]
SECONDS_MAX = 300  # of one test program; the slowest takes less than a tenth of that, unless the machine is busy
MEMORY_MAX = 4 << 30
# The one test that looks at the mutants themselves, which do not fit a tree that one was planted in.
NOT_RUN = {"mutants_test"}
# Kills do not depend on luck: RapidCheck draws the same every time.
ENVIRONMENT = os.environ | {"RC_PARAMS": "seed=1"}
# As tools/prepare has it.
CACHED = os.environ | {"CCACHE_NOHASHDIR": "1", "CCACHE_BASEDIR": str(SOURCE), "CCACHE_IGNOREOPTIONS": "-Werror",
                       "CXX_LD": "mold"}


def use_copy(number: int) -> None:
    """From now on this process plants in the copy of this number, beside other processes that plant in theirs."""
    global SOURCE, BUILD
    SOURCE = ROOT / "build" / ("mutants" if number == 0 else f"mutants-{number}")
    BUILD = SOURCE / "build" / "test"
    CACHED["CCACHE_BASEDIR"] = str(SOURCE)


# ---------------------------------------------------------------------------------------------------------------------
# The copy
# ---------------------------------------------------------------------------------------------------------------------

def copy_tree() -> None:
    """Makes the copy equal to the tree, and leaves files alone that are: only what differs is built again."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout.split("\0")
    wanted = {name for name in listed if name and (ROOT / name).is_file()}
    for name in wanted:
        write_if_different(SOURCE / name, (ROOT / name).read_bytes())
        (SOURCE / name).chmod((ROOT / name).stat().st_mode)
    for file in SOURCE.rglob("*"):
        name = file.relative_to(SOURCE).as_posix()
        if file.is_file() and not name.startswith("build/") and name not in wanted:
            file.unlink()


def write_if_different(file: Path, content: bytes) -> None:
    if file.exists() and file.read_bytes() == content:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def configure() -> None:
    if not (BUILD / "build.ninja").exists():
        subprocess.run(["meson", "setup", BUILD, *OPTIONS], cwd=SOURCE, env=CACHED, check=True, stdout=subprocess.DEVNULL)
    else:
        build(["build.ninja"])  # again, if a meson.build has changed


def build(targets: list[str]) -> str:
    """What the build says if it fails, else nothing."""
    done = subprocess.run(["ninja", "--quiet", f"-j{os.cpu_count()}", "-C", BUILD, *targets], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", env=CACHED)
    return done.stdout if done.returncode else ""


# ---------------------------------------------------------------------------------------------------------------------
# Tests
# ---------------------------------------------------------------------------------------------------------------------

@dataclass
class Test:
    name: str
    command: list[str]
    needs: list[str]  # targets of the build

    @property
    def is_catch2(self) -> bool:
        return self.command[1:2] in ([], ["--filenames-as-tags"]) and self.name.endswith("_test")


@dataclass
class Verdict:
    passed: bool = False
    failed: str = ""  # what reported the failure
    broke: str = ""   # how the program died without reporting one


def tests_of_the_build() -> dict[str, Test]:
    def introspect(what: str) -> list[dict]:
        return json.loads(subprocess.run(["meson", "introspect", what, BUILD], capture_output=True, check=True).stdout)

    outputs = {target["id"]: [os.path.relpath(file, BUILD) for file in target["filename"]] for target in introspect("--targets")}
    return {test["name"]: Test(test["name"], test["cmd"], [file for id in test["depends"] for file in outputs[id]])
            for test in introspect("--tests") if test["name"] not in NOT_RUN}


def limit_resources() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(test: Test, folder: Path | None = None) -> Verdict:
    """Until the test has passed, or has reported its first failure: what it runs into after that is no matter."""
    command = test.command + (["--reporter", "xml"] if test.is_catch2 else [])
    with (tempfile.TemporaryFile("w+", errors="replace") as errors,
          subprocess.Popen(command, cwd=folder or BUILD, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=errors, text=True, errors="replace", start_new_session=True,
                           preexec_fn=limit_resources) as process):
        too_late = threading.Timer(SECONDS_MAX, end_session, [process])
        too_late.start()
        case, failure = first_failure(process.stdout) if test.is_catch2 else ("", "")
        if failure:
            end_session(process)
        out = process.stdout.read()
        status = process.wait()
        in_time = too_late.is_alive()
        too_late.cancel()
        errors.seek(0)
        err = errors.read()
    if failure:
        return Verdict(failed=f"{test.name}: {failure}")
    if not in_time:
        return Verdict(broke=f"{test.name} did not end within {SECONDS_MAX} s{case}")
    return verdict_of_a_program(test, status, case, out, err)


def end_session(process: subprocess.Popen) -> None:
    """Kills the program and what it has started, also in groups of their own: as long as one of them has its output open,
    the output does not end. A program that forks meanwhile is met a second time."""
    for _ in range(2):
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                pid, rest = int(stat.parent.name), stat.read_text(errors="replace").rpartition(")")[2].split()
                if int(rest[3]) == process.pid:
                    os.kill(pid, signal.SIGKILL)
            except OSError:
                pass  # it has just ended by itself


def verdict_of_a_program(test: Test, status: int, case: str, out: str, err: str) -> Verdict:
    if status == 0:
        return Verdict(passed=True)
    if status > 0 and not test.is_catch2:
        return Verdict(failed=f"{test.name}: {failed_case(out, err)}")
    how = signal.Signals(-status).name if status < 0 else f"status {status}"
    return Verdict(broke=f"{test.name} died of {how}{case} {(err.strip().splitlines() or [''])[-1]}".strip())


def first_failure(lines: Iterable[str]) -> tuple[str, str]:
    """Reads what Catch2 writes as it goes, up to the first failure that is not the death of the program: in which test
    case the reading ended, and the same once more if it failed."""
    case = ""
    in_failed_expression = False
    for line in lines:
        if started := re.search(r'<TestCase name="([^"]*)"', line):
            case = html.unescape(started.group(1))
        in_failed_expression = in_failed_expression or '<Expression success="false"' in line
        if "<FatalErrorCondition" in line:
            break
        if "<Failure" in line or "<Exception" in line or in_failed_expression and "</Expression>" in line:
            return f' in "{case}"', case
    return f' in "{case}"' if case else "", ""


def failed_case(out: str, err: str) -> str:
    """Of a Python test: the name of the case that failed, or the first line that was printed."""
    if found := re.search(r"^(?:FAIL|ERROR): test_(\w+)", err, re.MULTILINE):
        return found.group(1).replace("_", " ")
    return (out.strip().splitlines() or [""])[0]


# ---------------------------------------------------------------------------------------------------------------------
# Mutants
# ---------------------------------------------------------------------------------------------------------------------

@dataclass
class Result:
    mutant: Mutant
    killed: bool
    says: str
    building: float
    testing: float

    def line(self) -> str:
        how = "killed" if self.killed else "NOT KILLED"
        return f"{how} {self.mutant.name}: {self.says} (built in {self.building:.1f} s, tested in {self.testing:.1f} s)"


class Trial:
    """One mutant, planted in the copy, against the tests."""

    def __init__(self, mutant: Mutant, tests: dict[str, Test]) -> None:
        self.mutant = mutant
        self.tests = tests
        self.building = self.testing = 0.0

    def result(self) -> Result:
        changed = self.mutant.applied_to(SOURCE)
        originals = {file: file.read_bytes() for file in changed}
        try:
            for file, text in changed.items():
                file.write_text(text)
            killed, says = self.judge()
        finally:
            for file, content in originals.items():
                file.write_bytes(content)
        return Result(self.mutant, killed, says, self.building, self.testing)

    def judge(self) -> tuple[bool, str]:
        named = [self.tests[name] for name in self.mutant.noticed_by]
        for test in named:
            killed, says = self.against(test)
            if says:
                return killed, says
        for test in self.tests.values():
            if test in named:
                continue
            killed, says = self.against(test)
            if says:
                return False, f"it names {', '.join(self.mutant.noticed_by)}, but was noticed by {says}"
        return False, "SURVIVED: no test noticed it"

    def against(self, test: Test) -> tuple[bool, str]:
        began = time.monotonic()
        problem = build(test.needs)
        self.building += time.monotonic() - began
        if problem:
            return False, f"it does not compile:\n{problem}"
        began = time.monotonic()
        verdict = run(test)
        self.testing += time.monotonic() - began
        if verdict.broke:
            return False, verdict.broke
        return not verdict.passed, verdict.failed
