#!/usr/bin/env python3
"""The page of `holdfast sweep --page`: what it says, and how it looks and works in a browser. Without chromium (Debian package
chromium) the parts that need it are skipped.

    sweep_page_test.py HOLDFAST SOURCE_ROOT
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
import holdfast_command  # noqa: E402
from browser import CHROMIUM, Browser  # noqa: E402
from holdfast_command import HEALTHY, CommandTest  # noqa: E402

# In each run all shops are hit at a time that is drawn; those of long outages are lost.
SHOP = """\
name = "shop <b> & co"
duration = "2h"
[supervisor]
backoff = { base = "1s", max = "1min", breaker = { max_failures = 5, window = "2min" } }
[[fleet]]
name = "web"
count = 10
[[chaos]]
at = "10min"
outage = { of = "web", for = { exponential = "20s" }, fails_after = "100ms" }
[expect]
circuit_open = 0
"""


class Written(CommandTest):
    def page(self, scenario: str, seeds: str, *more: str) -> str:
        out = self.folder / "page.html"
        self.run_it("sweep", self.file(scenario), "--seeds", seeds, "--page", str(out), *more)
        return out.read_text()

    def test_the_page_says_what_the_text_says(self):
        out = self.folder / "page.html"
        done = self.expect(1, "sweep", self.file(SHOP), "--seeds", "1..200", "--page", str(out))
        page = out.read_text()
        self.assertNotIn("<b> &", page)
        verdict = re.search(r"violated: (\d+ of 200 seeds did not hold)", done.stdout).group(1)
        self.assertIn(f'<span class="verdict bad">violated</span> {verdict}', page)
        smallest = re.search(r"^    seed (\d+): ", done.stdout, re.MULTILINE).group(1)
        for command in ("run", "explain"):
            self.assertIn(f"<code>holdfast {command} {self.folder}/scenario.toml --seed {smallest}</code>", page)
        best, median, ninety, _, worst = re.search(r"^  services lost +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)", done.stdout,
                                                   re.MULTILINE).groups()
        of_lost = page[page.index("<h3>services lost</h3>"):]
        cells = re.findall(r'<td class="n">([^<]*)</td>', of_lost)[:5]
        self.assertEqual((*cells[:3], cells[4]), (best, median, ninety, worst))
        self.assertIn(f"<title>90 % of the seeds: not worse than {ninety}</title>", of_lost)
        self.assertIn(re.search(r"digest [0-9a-f]{32}", done.stdout).group(0), page)

    def test_a_curve_is_drawn_where_it_was_computed(self):
        # Of one service and two seeds, of which one loses it: half of the seeds are not worse than 0, the other half has 1.
        losses = {}
        for seed in range(1, 60):
            report = self.run_it("run", self.file(SHOP.replace("count = 10", "count = 1")), "--seed", str(seed), "--json").stdout
            losses.setdefault('"circuit_open":1' in report, []).append(seed)
            if len(losses) == 2 and abs(losses[True][-1] - losses[False][-1]) == 1:
                break
        first = min(losses[True][-1], losses[False][-1])
        page = self.page(SHOP.replace("count = 10", "count = 1"), f"{first}..{first + 1}")
        of_lost = page[page.index("<h3>services lost</h3>"):]
        # The picture is 266 wide and 104 high: half of it at the bottom, half at the top.
        edge = re.search(r'class="edge" d="([^"]*)"', of_lost).group(1)
        self.assertTrue(edge.startswith("M74 108V108H76"), edge)
        self.assertIn("V108H207V4H209", edge)
        self.assertTrue(edge.endswith("V4H340"), edge)

    def test_what_is_alike_in_all_seeds_has_no_curve_and_one_run_no_distribution(self):
        page = self.page('name = "x"\nduration = "1h"\n[[fleet]]\nname = "a"\n', "1..5")
        self.assertIn("<h3>services lost</h3>\n<p>0 in all of them</p>", page)
        self.assertIn('<span class="verdict good">held</span> all 5 seeds; with 95 % confidence at most 60 % of all seeds fail (3/n)', page)
        self.assertNotIn("Over the seeds", self.page(HEALTHY, "1..1"))

    def test_the_same_seeds_give_the_same_bytes_by_any_number_of_jobs_and_from_a_ledger(self):
        one = self.page(SHOP, "1..100", "--jobs", "1")
        self.assertEqual(self.page(SHOP, "1..100", "--jobs", "3", "--ledger", str(self.folder / "l")), one)
        merged = self.folder / "merged.html"
        self.expect(1, "merge", str(self.folder / "l"), "--page", str(merged))
        self.assertEqual(merged.read_text(), one)

    def test_several_scenarios_have_a_section_each(self):
        out = self.folder / "page.html"
        self.expect(1, "sweep", self.file(SHOP, "a.toml"), self.file(HEALTHY, "b.toml"), "--seeds", "1..20", "--page", str(out))
        page = out.read_text()
        self.assertEqual(page.count("<section>"), 2)
        self.assertIn("<h1>2 sweeps</h1>", page)
        self.assertIn("<h2>shop &lt;b&gt; &amp; co</h2>", page)

    def test_what_cannot_be_written_is_said(self):
        file = self.file(HEALTHY)
        self.assertIn("would overwrite", self.expect(2, "sweep", file, "--seeds", "1..2", "--page", file).stderr)
        self.assertIn("No such file or directory", self.expect(2, "sweep", file, "--seeds", "1..2", "--page", "/nowhere/p").stderr)
        both = str(self.folder / "both")
        self.assertIn("would overwrite", self.expect(2, "sweep", file, "--seeds", "1..2", "--page", both, "--junit", both).stderr)


@unittest.skipUnless(CHROMIUM, "chromium is not installed (Debian package chromium)")
class Shown(CommandTest):
    @classmethod
    def setUpClass(cls) -> None:
        cls.place = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.place, True)
        (cls.place / "shop.toml").write_text(SHOP)
        subprocess.run([holdfast_command.HOLDFAST, "sweep", cls.place / "shop.toml", "--seeds", "1..200", "--page",
                        cls.place / "page.html"], timeout=300, stdout=subprocess.DEVNULL)
        cls.browser = Browser(cls.place)
        cls.addClassCleanup(cls.browser.close)

    def setUp(self) -> None:
        super().setUp()
        self.browser.said.clear()

    def tearDown(self) -> None:
        self.assertEqual(self.browser.complaints(), [])

    def test_both_themes_narrow_and_wide_fit(self):
        for theme in ("light", "dark"):
            for width in (390, 1280):
                with self.subTest(theme=theme, width=width):
                    self.browser.show(self.place / "page.html", width, 1100, theme)
                    self.assertEqual(self.browser.value("document.documentElement.classList.contains('dark')"), theme == "dark")
                    self.assertLessEqual(self.browser.value("document.documentElement.scrollWidth"), width)
                    self.assertGreater(len(self.browser.picture()), 15_000)
                    self.assertGreater(self.browser.value("document.querySelector('svg').getBoundingClientRect().width"), 250)

    def test_a_command_is_copied_or_selected_and_the_theme_changes_by_hand(self):
        self.browser.show(self.place / "page.html", 1280, 1000, "light")
        self.browser.value("document.querySelector('button.copy').click()")
        self.assertIn("holdfast run", self.browser.value("getSelection().toString()"))
        self.browser.value("document.getElementById('theme').click()")
        self.assertTrue(self.browser.value("document.documentElement.classList.contains('dark')"))
        self.assertEqual(self.browser.value("document.getElementById('theme').textContent"), "Light")


if __name__ == "__main__":
    holdfast_command.main()
