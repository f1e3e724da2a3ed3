#!/usr/bin/env python3
"""The page of `holdfast report`, opened in a browser: it draws, can be read and used by keyboard and mouse, in both themes, and
says nothing on the console. Without chromium (Debian package chromium) the parts that need it are skipped.

    report_page_test.py HOLDFAST SOURCE_ROOT
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

import holdfast_command  # noqa: E402
from browser import CHROMIUM, Browser  # noqa: E402
from holdfast_command import CommandTest  # noqa: E402

# A group that an outage loses, one that waits it out, and a service that hangs.
SCENARIO = """\
name = "seen <b>"
seed = 7
duration = "1h"
[supervisor]
backoff = { base = "1s", max = "1min", cooldown = "30s", breaker = { max_failures = 3, window = "1min" } }
[[fleet]]
name = "fragile"
count = 30
[[fleet]]
name = "patient"
count = 30
backoff = { base = "1s", max = "1min", cooldown = "30s", breaker = "off" }
[[fleet]]
name = "engine"
[[chaos]]
at = "10min"
outage = { of = ["fragile", "patient"], for = "5min", fails_after = "100ms" }
[[chaos]]
at = "30min"
hang = { of = "engine", for = "10min" }
[expect]
circuit_open = 0
"""
DAY = """\
name = "a day"
duration = "24h"
[supervisor]
backoff = { breaker = "off" }
[[fleet]]
name = "feed"
count = 1000
runs_for = { exponential = "1h" }
then = "fail"
"""


# How many pixels of the picture have the colour of a state.
PIXELS = """(() => {
  const colour = colours().cells[STATES.indexOf("WANTED")];
  const copy = document.createElement("canvas");
  Object.assign(copy, {width: map.width, height: map.height});
  const pen = copy.getContext("2d", {willReadFrequently: true});
  pen.drawImage(map, 0, 0);
  const pixels = pen.getImageData(0, 0, map.width, map.height).data;
  let count = 0;
  for (let i = 0; i < pixels.length; i += 4) count += colour.every((part, c) => pixels[i + c] === part) ? 1 : 0;
  return count;
})()"""


class Written(CommandTest):
    def test_the_page_is_written_to_a_file_and_to_standard_output_alike(self):
        file, page = self.file(SCENARIO), self.folder / "report.html"
        done = self.expect(0, "report", file, "-o", str(page))
        self.assertEqual(done.stdout + done.stderr, "")
        self.assertEqual(page.read_text(), self.expect(0, "report", file, "-o", "-").stdout)

    def test_a_violated_page_has_the_chain_of_what_went_wrong_and_another_none(self):
        file = self.file(SCENARIO)
        page = self.expect(0, "report", file, "-o", "-").stdout
        self.assertIn('"why":[{"what":"circuit_open"', page)
        self.assertIn("chaos[0] (line 15): an outage begins; until 15min each start fails after 100ms", page)
        held = self.file(SCENARIO[:SCENARIO.index("[expect]")])
        self.assertIn('"why":[],', self.expect(0, "report", held, "-o", "-").stdout)

    def test_what_cannot_be_written_or_drawn_is_said(self):
        file = self.file(SCENARIO)
        self.assertIn("No such file or directory", self.expect(2, "report", file, "-o", "/nowhere/report.html").stderr)
        self.assertIn("scenario.toml", self.expect(2, "report", file, "-o", file).stderr)
        self.assertEqual((self.folder / "scenario.toml").read_text(), SCENARIO)
        many = self.file(DAY.replace("1000", "50001").replace("24h", "1s"), "many.toml")
        self.assertIn("has 50001 services", self.expect(2, "report", many, "-o", "-").stderr)


@unittest.skipUnless(CHROMIUM, "chromium is not installed (Debian package chromium)")
class Shown(CommandTest):
    @classmethod
    def setUpClass(cls) -> None:
        cls.place = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.place, True)
        for name, text in (("small", SCENARIO), ("day", DAY)):
            (cls.place / f"{name}.toml").write_text(text)
            subprocess.run([holdfast_command.HOLDFAST, "report", cls.place / f"{name}.toml", "-o", cls.place / f"{name}.html"],
                           check=True, timeout=300)
        cls.browser = Browser(cls.place)
        cls.addClassCleanup(cls.browser.close)

    def setUp(self) -> None:
        super().setUp()
        self.browser.said.clear()

    def tearDown(self) -> None:
        self.assertEqual(self.browser.complaints(), [])

    def text(self, element: str) -> str:
        return self.browser.value(f"document.querySelector('{element}').textContent")

    def test_it_says_what_happened(self):
        self.browser.show(self.place / "small.html", 1280, 1000, "light")
        self.assertEqual(self.text("h1"), "seen <b>")
        self.assertEqual(self.text("#verdict"), "violated")
        self.assertIn("61 services, 1h of virtual time, seed 7", self.text("#facts"))
        self.assertIn("30services lost", self.text("#cards"))
        self.assertIn("circuit_open", self.text("#tables"))
        self.assertIn("Why circuit_open: fragile-", self.text("#tables"))
        self.assertGreater(self.browser.value("totals[4].reduce((a, b) => Math.max(a, b))"), 29)

    def test_both_themes_narrow_and_wide_draw_every_state_and_fit(self):
        for theme in ("light", "dark"):
            for width in (390, 1280):
                with self.subTest(theme=theme, width=width):
                    self.browser.show(self.place / "small.html", width, 1100, theme)
                    self.assertEqual(self.browser.value("document.documentElement.classList.contains('dark')"), theme == "dark")
                    self.assertLessEqual(self.browser.value("document.documentElement.scrollWidth"), width)
                    self.assertGreater(len(self.browser.picture()), 20_000)
                    for state in ("running", "lost"):
                        self.assertGreater(self.browser.value(PIXELS.replace("WANTED", state)), 3000, state)

    def test_it_is_used_by_keyboard(self):
        self.browser.show(self.place / "small.html", 1280, 1000, "light")
        self.browser.value("map.focus()")
        self.browser.key("ArrowRight")
        self.browser.key("ArrowDown")
        self.assertIn("fragile-1, 3s to 6s: running", self.text("#where"))
        self.browser.key("+")
        self.assertLess(self.browser.value("view.t1 - view.t0"), 1200)
        self.browser.key("0")
        self.assertEqual(self.browser.value("view.t1 - view.t0"), 1200)
        self.browser.key("s")
        self.assertEqual(self.browser.value("document.getElementById('sort').value"), "trouble")

    def test_it_is_used_by_mouse(self):
        self.browser.show(self.place / "small.html", 1280, 1000, "light")
        box = self.browser.value("(() => { const b = map.getBoundingClientRect(); return [b.left + plot.left, b.top + plot.top, "
                                 "plot.width, plot.height]; })()")
        x, y = box[0] + box[2] * 0.2, box[1] + box[3] * 0.1  # minute 12 of a fragile service: the outage has taken it
        self.browser.mouse("mouseMoved", x, y)
        self.assertIn("lost: given up, in a fault", self.text("#tip"))
        for kind in ("mousePressed", "mouseReleased"):
            self.browser.mouse(kind, x, y, button="left", buttons=1 if kind == "mousePressed" else 0, clickCount=1)
        self.assertIn("lost: given up, in a fault", self.text("#where"))
        self.browser.mouse("mouseWheel", x, y, deltaX=0, deltaY=-100, modifiers=2)
        self.assertLess(self.browser.value("view.t1 - view.t0"), 1200)

    def test_a_time_in_a_table_leads_to_its_moment_and_service(self):
        self.browser.show(self.place / "small.html", 1280, 1000, "light")
        service = self.browser.value("report.lost.first_services[0].service")
        self.browser.value("[...document.querySelectorAll('h2')].find(h => h.textContent === 'First services lost')"
                           ".nextElementSibling.querySelector('button').click()")
        self.assertTrue(self.text("#where").startswith(service + ", 10min"), self.text("#where"))
        self.assertEqual(self.browser.value("document.activeElement.id"), "map")

    def test_a_day_of_a_thousand_services_is_small_and_ready_soon(self):
        self.assertLess((self.place / "day.html").stat().st_size, 3_000_000)
        took = self.browser.show(self.place / "day.html", 1280, 1000, "light")
        # A second on a machine that has nothing else to do; tests run beside others.
        self.assertLess(took, 10)
        self.assertEqual(self.browser.value("rows"), 1000)


if __name__ == "__main__":
    holdfast_command.main()
