#!/usr/bin/env python3
"""What claims to be proved is proved: every test that behaviours.md names exists, and every rule of the checks has a bad
history of its own.

    behaviours_test.py SOURCE_ROOT
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

NOT_THERE_YET = "not there yet: "
BEFORE, ROWS, EDGES = "What came before", "What is right here and was wrong there", "Edges"
ROWS_NOT_THERE_YET = ["14"]  # of section 4; it is the business of section 6

complaints: list[str] = []


def complain(where: object, says: str) -> None:
    complaints.append(f"{where}: {says}")


def test_cases(file: Path) -> dict[str, str]:
    """The bodies of a file's test cases, by name."""
    text = re.sub(r'"\s*\n\s*"', "", file.read_text())  # a name that clang-format broke
    pieces = re.split(r'^TEST_CASE(?:_METHOD)?\((?:\w+,)?\s*"((?:[^"\\]|\\.)*)"[,)]', text, flags=re.M)
    return {name.replace('\\"', '"'): body for name, body in zip(pieces[1::2], pieces[2::2])}


def tables(page: Path) -> dict[str, list[tuple[int, list[str]]]]:
    """The rows of each table, by heading, with their line numbers."""
    found: dict[str, list[tuple[int, list[str]]]] = {}
    heading = ""
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.startswith("## "):
            heading = line[3:]
        elif line.startswith("|"):
            found.setdefault(heading, []).append((number, [cell.strip() for cell in line.strip("|").split(" | ")]))
    return {heading: rows[2:] for heading, rows in found.items()}


def check_named(tests: Path, where: str, cell: str) -> None:
    named = re.findall(r"`([^`]*)`", cell)
    if not named:
        complain(where, "names no test")
    for reference in named:
        file, _, name = reference.partition(": ")
        program = next(tests.rglob(f"{file}_test.py"), None)
        source = next(tests.rglob(f"{file}_test.cpp"), None)
        if program:
            if f"def test_{name.replace(' ', '_')}(self" not in program.read_text():
                complain(where, f'{program.name} has no test "{name}"')
        elif not source:
            complain(where, f"there is no {file}_test.cpp")
        elif name not in test_cases(source):
            complain(where, f'{source.name} has no test "{name}"')


def check_behaviours(tests: Path) -> None:
    page = tests / "behaviours.md"
    found = tables(page)
    for heading, count in ((BEFORE, 18), (ROWS, 26)):
        numbers = [cells[0] for _, cells in found.get(heading, [])]
        if numbers != [str(number) for number in range(1, count + 1)]:
            complain(page.name, f'the rows of "{heading}" are not 1 to {count}: {", ".join(numbers)}')
    for heading, rows in found.items():
        for line, cells in rows:
            where = f"{page.name}:{line}"
            if not cells[-1].startswith(NOT_THERE_YET):
                check_named(tests, where, cells[-1])
            elif heading == BEFORE or (heading == ROWS and cells[0] not in ROWS_NOT_THERE_YET):
                complain(where, "is there, so a test must pin it")
    if len(found.get(EDGES, [])) < 18:
        complain(page.name, f'"{EDGES}" has lost rows')


def check_rules_can_fire(root: Path) -> None:
    """For each rule a test of its name, in which a bad history breaks this rule and no other."""
    rules = re.findall(r'^    \{"([a-z_]+)",', (root / "sim/holdfast_sim/checks/detail/check_rules.cpp").read_text(), re.M)
    count = re.search(r"kRuleCount = (\d+)", (root / "sim/holdfast_sim/checks/checks.hpp").read_text())
    if not count or len(rules) != int(count[1]):
        complain("check_rules.cpp", f"{len(rules)} rules were found, which is not kRuleCount")
    bodies = {name: body for file in (root / "tests/sim").glob("checks*_test.cpp") for name, body in test_cases(file).items()}
    for rule in rules:
        if not re.search(rf"check_only\(\s*\w+(\.\w+\([^;]*\))?,\s*Rule::{rule},", bodies.get(rule, "")):
            complain("checks*_test.cpp", f'has no test "{rule}" with a bad history for which check_only shows that the rule fires')


def main() -> int:
    root = Path(sys.argv[1])
    check_behaviours(root / "tests")
    check_rules_can_fire(root)
    for complaint in complaints:
        print(complaint)
    print(f"{len(complaints)} claims without a proof")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
