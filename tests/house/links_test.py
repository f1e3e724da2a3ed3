#!/usr/bin/env python3
"""Every link among the Markdown pages leads somewhere, every page can be reached from the README, and every path of this
repository that a page or a comment names exists.

    links_test.py SOURCE_ROOT
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(sys.argv[1]).resolve()

LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)>\s]+)>?\s*\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
# A path of this repository in a text: from one of its folders on, down to a file, or to a folder in backticks.
NAMED = re.compile(r"(?<![\w/.-])(?:lib|sim|tests|tools|bench|scenarios)/[\w./-]*[\w-]")
SOURCES = ("lib", "sim", "tools", "tests", "bench")


def pages(root: Path) -> list[Path]:
    """Those of the project: in a clone, what git knows or would add; in an unpacked tree, all."""
    try:
        known = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"], cwd=root,
                               capture_output=True, text=True).stdout
    except FileNotFoundError:
        known = ""
    found = [root / name for name in known.split("\0") if name] or \
        [file for file in root.rglob("*.md") if "build" not in file.relative_to(root).parts]
    return sorted(file for file in found if file.is_file())


def prose(page: Path) -> str:
    """Without blocks of code."""
    return FENCE.sub("", page.read_text())


def anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE):
        name, number = anchor(heading), 0
        while (name if not number else f"{name}-{number}") in found:
            number += 1
        found.add(name if not number else f"{name}-{number}")
    return found


def links(page: Path) -> list[str]:
    return [link for link in LINK.findall(prose(page)) if not re.match(r"[a-z]+:", link)]


def broken_links(root: Path) -> list[str]:
    found = []
    for page in pages(root):
        for link in links(page):
            path, _, fragment = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            where = f"{page.relative_to(root)}: {link}"
            if not target.is_relative_to(root):
                found.append(f"{where}: leads out of the repository")
            elif not target.exists():
                found.append(f"{where}: there is no such file")
            elif fragment and (target.suffix != ".md" or fragment not in anchors(target)):
                found.append(f"{where}: has no such heading")
    return found


def unreachable_pages(root: Path) -> list[str]:
    reached: set[Path] = set()
    waiting = [(root / "README.md").resolve()]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.is_file():
            continue
        reached.add(page)
        waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links(page)]
    return [str(page.relative_to(root)) for page in pages(root)
            if page.resolve() not in reached and not page.is_relative_to(root / "build")]


def comments(source: Path) -> str:
    """Lines of comments as one text, so that a path may not be cut by a line's end."""
    return "\n".join(line.strip() for line in source.read_text().splitlines() if line.strip().startswith("//"))


def stale_paths(root: Path) -> list[str]:
    texts = [(page, "\n".join(re.findall(r"`[^`\n]*`", prose(page)))) for page in pages(root) if page.name != "CHANGELOG.md"]
    texts += [(source, comments(source)) for folder in SOURCES for ending in ("*.hpp", "*.cpp")
              for source in sorted((root / folder).rglob(ending))]
    found = []
    for file, text in texts:
        # Not a pattern, and not the beginning of a longer name that goes on in another way.
        for named in re.finditer(NAMED.pattern + r"(?![\w*…<{-])", text):
            if not any((base / named[0]).exists() for base in (root, file.parent)):
                found.append(f"{file.relative_to(root)}: names {named[0]}, which does not exist")
    return found


def repeated_numbers(root: Path) -> list[str]:
    """Decisions that share their number with another one, or whose heading has another number."""
    found, first = [], {}
    for page in sorted((root / "lib/docs/decisions").glob("[0-9]*.md")):
        number = page.name[:4]
        if number in first:
            found.append(f"{page.name} has the number of {first[number]}")
        first[number] = page.name
        if not page.read_text().startswith(f"# {number}. "):
            found.append(f"{page.name} does not begin with its number")
    return found


class Repository(unittest.TestCase):
    def test_every_link_leads_somewhere(self) -> None:
        self.assertEqual(broken_links(ROOT), [])

    def test_every_page_can_be_reached_from_the_readme(self) -> None:
        self.assertEqual(unreachable_pages(ROOT), [])

    def test_every_path_that_a_page_or_a_comment_names_exists(self) -> None:
        self.assertEqual(stale_paths(ROOT), [])


    def test_every_decision_has_a_number_of_its_own(self) -> None:
        self.assertGreater(len(list((ROOT / "lib/docs/decisions").glob("[0-9]*.md"))), 80)
        self.assertEqual(repeated_numbers(ROOT), [])


class Noticed(unittest.TestCase):
    """Each of these breaks once, in a tree made for it."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()
        self.plant("README.md", "# Top\n\n[a](lib/a.md#second-part) and [itself](#top)\n\n```\n[code](nowhere)\n```\n")
        self.plant("lib/a.md", "# A\n\n## Second part!\n\nSee `lib/a.md` and `tools/test_*`.\n")
        self.plant("lib/a.hpp", "// lib/a.md says why.\nint a;  // as it is\n")

    def plant(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def test_a_good_tree_has_nothing_to_complain_about(self) -> None:
        self.assertEqual(broken_links(self.root) + unreachable_pages(self.root) + stale_paths(self.root), [])

    def test_links_to_nothing_to_no_heading_and_out_of_the_tree(self) -> None:
        for link in ("lib/b.md", "lib/a.md#third", "../other.md", "#nowhere", "lib/a.hpp#line"):
            with self.subTest(link=link):
                self.plant("README.md", f"# Top\n\n[a](lib/a.md) [wrapped\ntext]({link})\n")
                self.assertEqual(len(broken_links(self.root)), 1)

    def test_a_page_that_nothing_links_to(self) -> None:
        self.plant("lib/lonely.md", "# Lonely\n")
        self.assertEqual(unreachable_pages(self.root), ["lib/lonely.md"])

    def test_a_path_that_does_not_exist_in_a_page_and_in_a_comment(self) -> None:
        self.plant("lib/a.md", "# A\n\n## Second part!\n\n`lib/gone.hpp`\n")
        self.plant("lib/a.hpp", "// Its reference is lib/gone.md.\n")
        self.assertEqual(len(stale_paths(self.root)), 2)

    def test_a_number_that_two_decisions_have(self) -> None:
        self.plant("lib/docs/decisions/0001-a.md", "# 0001. A\n")
        self.plant("lib/docs/decisions/0001-b.md", "# 0001. B\n")
        self.plant("lib/docs/decisions/0002-c.md", "# 0001. C\n")
        self.assertEqual(repeated_numbers(self.root), ["0001-b.md has the number of 0001-a.md", "0002-c.md does not begin with its number"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
