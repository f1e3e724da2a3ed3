"""What came out of planted bugs, kept while a run of all goes on, so that one that was interrupted does not begin anew."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

from mutant_files import ROOT, Mutant
from mutant_trials import Result

# What no mutant is planted in and no test of one reads. A mutant counts by its own text.
NOT_THE_TREE = [":!*.md", ":!tests/mutants", ":!.ci", ":!.github"]


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def text_of(mutant: Mutant) -> str:
    return hashlib.sha256((ROOT / "tests" / "mutants" / f"{mutant.name}.mutant").read_bytes()).hexdigest()


class Results:
    """Of one state of the tree: a file with a line for each mutant that was killed, appended as it is. Several processes may
    append, a line at a time."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.known: dict[tuple[str, str], dict] = {}
        if file and file.exists():
            for line in file.read_text().splitlines():
                try:
                    kept = json.loads(line)
                    self.known[kept["mutant"], kept["text"]] = kept
                except (ValueError, KeyError):
                    pass  # the run was interrupted in the middle of the line

    @classmethod
    def of_the_tree(cls) -> Results:
        """Of the tree as it is committed; with changes nothing is kept."""
        if git("status", "--porcelain", "--", ".", *NOT_THE_TREE):
            return cls(None)
        state = hashlib.sha256(git("ls-files", "--stage", "--", ".", *NOT_THE_TREE).encode()).hexdigest()
        return cls(ROOT / "build" / "mutants_killed" / f"{state[:16]}.ndjson")

    def of(self, mutant: Mutant) -> Result | None:
        kept = self.known.get((mutant.name, text_of(mutant)))
        return kept and Result(mutant, True, kept["says"], kept["building"], kept["testing"])

    def keep(self, result: Result) -> None:
        if not self.file or not result.killed:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"mutant": result.mutant.name, "text": text_of(result.mutant), "says": result.says,
                           "building": result.building, "testing": result.testing})
        with self.file.open("a") as file:
            file.write(line + "\n")
