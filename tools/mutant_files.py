"""Mutants: small bugs planted on purpose, one in each tests/mutants/*.mutant. What the format is stands in the README there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "tests/mutants"
NOTICED_BY = "# noticed by: "


class BadMutant(Exception):
    """A mutant that cannot be read, or does not fit the tree."""


@dataclass
class Edit:
    folder: str
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)


@dataclass
class Mutant:
    name: str
    story: str
    noticed_by: list[str]
    edits: list[Edit]

    def applied_to(self, root: Path) -> dict[Path, str]:
        """The files that the mutant changes below `root`, with their new text. Changes nothing itself."""
        changed: dict[Path, str] = {}
        for edit in self.edits:
            place, found = self._only_place(edit, root, changed)
            text = changed.get(place) or place.read_text()
            changed[place] = text[:found.start()] + "\n".join(edit.new) + text[found.end():]
        return changed

    def _only_place(self, edit: Edit, root: Path, changed: dict[Path, str]) -> tuple[Path, re.Match]:
        pattern = pattern_of("\n".join(edit.old))
        rarest = max(re.findall(r"\w+|[^\w\s]", "\n".join(edit.old)), key=len)  # most files need no closer look
        texts = ((file, changed.get(file) or file.read_text()) for file in sources(root / edit.folder))
        places = [(file, match) for file, text in texts if rarest in text for match in pattern.finditer(text)]
        if len(places) == 1:
            return places[0]
        where = "".join(f"\n    {file.relative_to(root)}:{match.string[:match.start()].count(chr(10)) + 1}"
                        for file, match in places)
        old = "".join(f"\n  - {line.strip()}" for line in edit.old)
        raise BadMutant(f"{FOLDER}/{self.name}.mutant: its old text must stand in {edit.folder} exactly once, and does "
                        f"{'not' if not places else f'{len(places)} times:'}{where}{old}\n"
                        "  Where the code has changed, plant the same bug in the new code; tests/mutants/README.md says how.")


def sources(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix in (".hpp", ".cpp"))


def pattern_of(text: str) -> re.Pattern:
    """Finds the same tokens, however they are indented and broken into lines."""
    tokens = re.findall(r"\w+|[^\w\s]", text)
    pattern = re.escape(tokens[0])
    for before, token in zip(tokens, tokens[1:]):
        both_words = re.match(r"\w", before) and re.match(r"\w", token)
        pattern += (r"\s+" if both_words else r"\s*") + re.escape(token)
    begins, ends = (r"\b" if re.match(r"\w", token) else "" for token in (tokens[0], tokens[-1]))
    return re.compile(begins + pattern + ends)


def parse(name: str, text: str) -> Mutant:
    def bad(number: int, says: str) -> BadMutant:
        return BadMutant(f"{FOLDER}/{name}.mutant:{number}: {says}")

    story: list[str] = []
    noticed_by: list[str] = []
    edits: list[Edit] = []
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        if line.startswith(NOTICED_BY) and not edits:
            noticed_by = [test.strip() for test in line.removeprefix(NOTICED_BY).split(",")]
        elif line.startswith("# ") and not edits and not noticed_by:
            story.append(line[2:])
        elif line.startswith("@@ "):
            edits.append(Edit(line[3:].strip()))
        elif edits and line[:1] in ("-", "+", " "):
            if line[0] != "+":
                edits[-1].old.append(line[1:])
            if line[0] != "-":
                edits[-1].new.append(line[1:])
        else:
            raise bad(number, f'is "{line}"; allowed are the story ("# …"), then "{NOTICED_BY}TEST, …", then edits: '
                              '"@@ FOLDER" and lines that begin with "-", "+" or a space')
    if not story:
        raise bad(1, "has no story; its first line is a comment that says which rule the mutant breaks")
    if not noticed_by:
        raise bad(1, f'names no test that must notice it; required after the story is "{NOTICED_BY}TEST, …"')
    if not edits:
        raise bad(len(lines), 'has no edit; required is "@@ FOLDER" and the lines to change')
    for edit in edits:
        if edit.old == edit.new or not any(line.strip() for line in edit.old):
            raise bad(len(lines), f"an edit in {edit.folder} changes nothing, or has no old text to find its place by")
    return Mutant(name, " ".join(story), noticed_by, edits)


def read_all(root: Path = ROOT) -> list[Mutant]:
    return [parse(file.stem, file.read_text()) for file in sorted((root / FOLDER).glob("*.mutant"))]


def problems(mutants: list[Mutant], root: Path = ROOT) -> list[str]:
    """Of mutants that do not fit the tree: every one is named, with what is wrong."""
    registered = "".join(file.read_text() for file in (root / "tests").rglob("meson.build"))
    found = []
    for mutant in mutants:
        try:
            mutant.applied_to(root)
        except BadMutant as bad:
            found.append(str(bad))
        found += [f"{FOLDER}/{mutant.name}.mutant: is noticed by {test}, which stands in no meson.build of tests"
                  for test in mutant.noticed_by if f"'{test}'" not in registered]
    return found
