#!/usr/bin/env python3
"""The commands that explain and choose, as a person types them, and what their pages show of them.

    explain_test.py HOLDFAST SOURCE_ROOT
    explain_test.py HOLDFAST SOURCE_ROOT --record      writes what the command prints into the pages
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

import holdfast_command  # noqa: E402
from holdfast_command import CommandTest  # noqa: E402

# The breaker opens after two waits of 1 s and 2 s at most, and one run between them.
FRAGILE = """\
name = "fragile"
duration = "1h"
[supervisor]
backoff = { base = "1s", max = "1min", cooldown = "30s", breaker = { max_failures = 3, window = "1min" } }
[[fleet]]
name = "feed"
count = 4
[[chaos]]
at = "10min"
outage = { of = "feed", for = "LENGTH", fails_after = "100ms" }
"""
PAGES = tuple(f"lib/docs/guide/{name}.md" for name in ("predicting", "diffing", "comparing"))
BLOCK = re.compile(r"^```\n\$ holdfast ([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> dict[str, str]:
    """What a page shows of commands: the command, and its output."""
    return dict(BLOCK.findall((holdfast_command.ROOT / page).read_text()))


def printed(command: str) -> str:
    """By a command of a page, as wide as the page."""
    return subprocess.run([holdfast_command.HOLDFAST, *command.split()], cwd=holdfast_command.ROOT, capture_output=True, text=True,
                          timeout=300, env=os.environ | {"COLUMNS": "100", "LC_ALL": "C.UTF-8"}).stdout


def record() -> None:
    for page in PAGES:
        file = holdfast_command.ROOT / page
        file.write_text(BLOCK.sub(lambda found: f"```\n$ holdfast {found[1]}\n{printed(found[1])}```", file.read_text()))


class Pages(CommandTest):
    def shown(self, page: str) -> None:
        found = blocks(page)
        self.assertGreater(len(found), 0, page)
        for command, output in found.items():
            with self.subTest(command=command):
                self.assertEqual(printed(command), output)

    def test_the_page_of_predict_shows_what_it_prints(self):
        self.shown("lib/docs/guide/predicting.md")

    def test_the_page_of_diff_shows_what_it_prints(self):
        self.shown("lib/docs/guide/diffing.md")

    def test_the_page_of_compare_shows_what_it_prints_and_its_policy(self):
        self.shown("lib/docs/guide/comparing.md")
        policy = (holdfast_command.ROOT / "scenarios/policies/patient.toml").read_text()
        self.assertIn(policy[policy.index("[supervisor]"):], (holdfast_command.ROOT / "lib/docs/guide/comparing.md").read_text())


class Predict(CommandTest):
    def test_validate_warns_of_an_outage_that_loses_a_group_for_certain(self):
        file = self.file(FRAGILE.replace("LENGTH", "3101ms"))
        text = self.expect(0, "validate", file).stdout
        self.assertIn('chaos[0].outage: lasts 3s101ms and loses every service of "feed"', text)
        self.assertIn("is open after 3s100ms of failed starts", text)
        self.assertNotIn("loses", self.expect(0, "validate", self.file(FRAGILE.replace("LENGTH", "3100ms"))).stdout)

    def test_it_is_what_happens(self):
        for length, lost in (("3101ms", 4), ("100ms", 0)):
            file = self.file(FRAGILE.replace("LENGTH", length))
            report = json.loads(self.run_it("run", file, "--json").stdout)
            self.assertEqual(report["fleet"]["terminated"]["circuit_open"], lost, length)
            [group] = json.loads(self.expect(0, "predict", file, "--json").stdout)["groups"]
            self.assertEqual(group["outages"][0]["lost_ppm"], 1_000_000 if lost else 0)

    def test_a_bad_length_of_time_is_named_with_a_good_one(self):
        file = self.file(FRAGILE.replace("LENGTH", "1s"))
        self.assertIn('--fails-after: "5" is not a length of time; write a number and a unit, like 20ms',
                      self.expect(2, "predict", file, "--fails-after", "5").stderr)

    def test_without_a_simulation_there_are_computed_figures_only(self):
        file = self.file(FRAGILE.replace("LENGTH", "1s"))
        [group] = json.loads(self.expect(0, "predict", file, "--json", "--services", "0").stdout)["groups"]
        self.assertEqual({time["simulated"] for time in group["given_up_after"]}, {None})
        self.assertIsNotNone(group["given_up_after"][0]["computed_ns"])

    def test_text_fits_into_forty_columns(self):
        file = self.file(FRAGILE.replace("LENGTH", "1s"))
        text = self.run_it("predict", file, env=os.environ | {"COLUMNS": "40"}).stdout
        self.assertLessEqual(max(map(len, text.splitlines())), 40)


class Diff(CommandTest):
    def test_a_trace_is_the_same_as_its_run_and_another_seed_is_not(self):
        file = self.file(FRAGILE.replace("LENGTH", "1s"))
        self.expect(0, "run", file, "--trace", str(self.folder / "a.ndjson"))
        self.assertIn("The same: ", self.expect(0, "diff", str(self.folder / "a.ndjson"), file).stdout)
        done = self.expect(1, "diff", file, file + "@99")
        self.assertIn("is the first that differs", done.stdout)
        self.assertIn(", seed 99", done.stdout)

    def test_standard_input_is_one_of_the_runs(self):
        file = self.file(FRAGILE.replace("LENGTH", "1s"))
        self.expect(0, "run", file, "--trace", str(self.folder / "a.ndjson"))
        done = self.run_it("diff", "-", file, input=(self.folder / "a.ndjson").read_text())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("standard input can be one of the two", self.expect(2, "diff", "-", "-").stderr)

    def test_what_cannot_be_read_is_named(self):
        file = self.file(FRAGILE.replace("LENGTH", "1s"))
        for other, says in (("none.ndjson", "none.ndjson: does not exist"), (str(self.folder), "is a folder"),
                            (file + "@x", 'names no seed behind its last "@"'),
                            (self.file("hello\n", "hello.txt"), "hello.txt:1: is neither a trace nor a recording")):
            with self.subTest(other=other):
                self.assertIn(says, self.expect(2, "diff", file, other).stderr)

    def test_a_replay_names_its_difference_in_the_same_words(self):
        recording = (holdfast_command.ROOT / "tests/fuzz/corpus/recording_fuzz/real_run.ndjson").read_text()
        changed = self.file(re.sub(r'"delay_ns":\d+', '"delay_ns":7', recording), "changed.ndjson")
        original = self.file(recording, "original.ndjson")
        found = json.loads(self.run_it("diff", changed, original, "--json").stdout)["first_difference"]["says"]
        replayed = json.loads(self.run_it("replay", changed, "--json").stdout)["difference"]["says"]
        self.assertEqual(found.replace("left", "recorded").replace("right", "replayed"), replayed)


class Compare(CommandTest):
    PATIENT = '[supervisor]\nbackoff = { breaker = "off" }\n'

    def policies(self, *texts: str) -> list[str]:
        return [self.file(text, f"policy_{number}.toml") for number, text in enumerate(texts)]

    def test_a_policy_that_never_gives_up_is_better_where_the_other_loses_everybody(self):
        file = self.file(FRAGILE.replace("LENGTH", "1min"))
        done = self.expect(0, "compare", file, *self.policies(self.PATIENT), "--seeds", "1..12")
        self.assertIn("B is better: ", done.stdout)
        self.assertIn("; and it loses 4.00 fewer services, 4.00 to 4.00.", " ".join(done.stdout.split()))

    def test_the_same_policy_does_the_same_and_the_output_does_not_depend_on_threads(self):
        file = self.file(FRAGILE.replace("LENGTH", "2s"))
        own = FRAGILE[FRAGILE.index("[supervisor]"):FRAGILE.index("[[fleet]]")]
        policies = self.policies(own, self.PATIENT)
        one = self.expect(0, "compare", file, *policies, "--seeds", "1..12", "--jobs", "1").stdout
        self.assertIn("B does the same as A on every seed.", one)
        self.assertEqual(one, self.expect(0, "compare", file, *policies, "--seeds", "1..12", "--jobs", "3").stdout)

    def test_the_name_of_a_preset_is_its_policy_for_every_service(self):
        file = self.file(FRAGILE.replace("LENGTH", "1min"))
        named = self.expect(0, "compare", file, "systemd", "--seeds", "1..12").stdout
        own = FRAGILE[FRAGILE.index("[supervisor]"):FRAGILE.index("[[fleet]]")].split("backoff")[0]
        written = self.expect(0, "compare", file, *self.policies(own + 'backoff = "systemd"\n'), "--seeds", "1..12").stdout
        self.assertIn("B is systemd\n", named)
        self.assertEqual(named, re.sub(r"B is \S+\n", "B is systemd\n", written))
        self.expect(2, "compare", file, "systemv", "--seeds", "1..12")

    def test_few_seeds_conclude_nothing(self):
        file = self.file(FRAGILE.replace("LENGTH", "1min"))
        done = self.expect(0, "compare", file, *self.policies(self.PATIENT), "--seeds", "1..9")
        self.assertIn("9 seeds are too few to conclude anything: 10 are needed at least.", done.stdout)

    def test_a_mistake_in_a_policy_is_reported_with_its_place(self):
        file = self.file(FRAGILE.replace("LENGTH", "1min"))
        done = self.expect(2, "compare", file, *self.policies('[[fleet]]\nname = "fed"\n'), "--seeds", "1..9")
        self.assertIn('policy_0.toml:2:8: fleet[0].name: is "fed"', done.stderr)

    def test_a_run_that_is_cut_off_is_reported(self):
        file = self.file(FRAGILE.replace("LENGTH", "1min") + "[budget]\nevents = 3\n")
        done = self.expect(3, "compare", file, *self.policies(self.PATIENT), "--seeds", "1..2")
        self.assertIn("cut off by a budget", done.stderr)


if __name__ == "__main__":
    holdfast_command.HOLDFAST, holdfast_command.ROOT = sys.argv[1], Path(sys.argv[2])
    if sys.argv[3:] == ["--record"]:
        sys.exit(record())
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
