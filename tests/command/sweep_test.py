#!/usr/bin/env python3
"""holdfast sweep: what many seeds print, its JSON and JUnit, and its exit status.

    sweep_test.py HOLDFAST SOURCE_ROOT
"""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree

sys.dont_write_bytecode = True
import holdfast_command  # noqa: E402
from holdfast_command import HEALTHY, VIOLATED, CommandTest  # noqa: E402


class SweepTest(CommandTest):
    def summary(self, status: int, *arguments: str) -> dict:
        return json.loads(self.expect(status, "sweep", *arguments, "--json").stdout.splitlines()[-1])

    def test_each_seed_comes_to_what_run_says_in_the_order_of_the_seeds_whatever_the_jobs(self) -> None:
        file = self.file(HEALTHY)
        alone = self.expect(0, "sweep", file, "--seeds", "5..16", "--lines", "--jobs", "1").stdout
        together = self.expect(0, "sweep", file, "--seeds", "5..16", "--lines", "--jobs", "5").stdout
        self.assertEqual(alone, together)
        lines = alone.split("\n\n")[0].splitlines()
        self.assertEqual([line.split()[0] for line in lines], [str(seed) for seed in range(5, 17)])
        for line in lines[:2]:
            seed, verdict, digest = line.split()
            self.assertEqual((verdict, digest), ("held", self.digest(file, "--seed", seed)))
        self.assertTrue(alone.endswith("held: all 12 seeds; with 95 % confidence at most 25 % of all seeds fail (3/n)\n"))

    def test_without_asking_there_is_no_line_for_each_seed(self) -> None:
        text = self.expect(0, "sweep", self.file(HEALTHY), "--seeds", "1..30").stdout
        self.assertTrue(text.startswith("small\nseeds 1 to 30 · 30 runs\n"), text)
        self.assertLess(len(text.splitlines()), 20)

    def test_failures_are_grouped_by_reason_with_a_command_that_repeats_them_and_make_the_status_1(self) -> None:
        file = self.file(HEALTHY + "[expect]\nrestarts = 0\nspawned = 7\n")
        done = self.expect(1, "sweep", file, "--seeds", "3..5", "--failed")
        lines = done.stdout.splitlines()
        self.assertRegex(lines[0], r"^3 violated [0-9a-f]{32}  spawned: expected 7, found 20; restarts: expected 0, found \d+$")
        self.assertIn("  3 seeds  expectation restarts: too many\n    seed 3: expected 0, found ", done.stdout)
        self.assertIn("  3 seeds  expectation spawned: too many\n", done.stdout)
        self.assertTrue(done.stdout.endswith("violated: 3 of 3 seeds did not hold\n"))
        repeats = [line.split() for line in lines if line.startswith("    holdfast run ")]
        self.assertEqual(len(repeats), 2)
        self.expect(1, *repeats[0][1:])

    def test_the_first_seed_that_fails_ends_a_sweep_that_asks_for_no_more_whatever_the_jobs(self) -> None:
        # Some seeds restart more often than others.
        file = self.file(HEALTHY + "[expect]\nrestarts = { min = 0, max = 125 }\n")
        whole = self.summary(1, file, "--seeds", "1..200")
        self.assertGreater(whole["held"], 0)
        for jobs in ("1", "4"):
            first = self.summary(1, file, "--seeds", "1..200", "--stop-at-first", "--jobs", jobs)
            self.assertEqual((first["violated"], first["first_violated"], first["stopped_at_first"]),
                             (1, whole["first_violated"], True))
            self.assertEqual(first["runs"], whole["first_violated"])

    def test_a_sweep_that_ends_at_the_first_seed_that_does_not_hold_leaves_out_the_files_behind_it(self) -> None:
        out_of_budget = HEALTHY + "[budget]\nevents = 10\n"
        for text, status in ((VIOLATED, 1), (out_of_budget, 3)):
            first, second = self.file(text, "a.toml"), self.file(HEALTHY, "b.toml")
            lines = self.expect(status, "sweep", first, second, "--seeds", "1..5", "--stop-at-first", "--json").stdout.splitlines()
            self.assertEqual([(json.loads(line)["file"], json.loads(line)["runs"]) for line in lines], [(first, 1)])

    def test_values_are_set_from_outside_and_the_command_that_repeats_has_them(self) -> None:
        file = self.file(HEALTHY)
        summary = self.summary(1, file, "--seeds", "1..2", "--set", "fleet.feed.count=3", "--set", "expect.spawned=4")
        failure = summary["failures"][0]
        self.assertEqual((failure["what"], failure["cause"], failure["says"]), ("spawned", "too few", "expected 4, found 3"))
        self.assertIn("expected 4", self.expect(1, *failure["repeat"].split()[1:]).stdout)
        done = self.expect(2, "sweep", file, "--seeds", "1", "--set", "fleet.fed.count=3")
        self.assertIn('holdfast: --set: "fleet.fed.count=3": no table has the name "fed": did you mean "feed"?', done.stderr)
        self.assertIn("unknown key", self.expect(2, "run", file, "--set", "dration=3s").stderr)

    def test_several_files_have_a_summary_each_and_the_worst_decides(self) -> None:
        good, bad = self.file(HEALTHY, "a.toml"), self.file(VIOLATED, "b.toml")
        lines = [json.loads(line) for line in self.expect(1, "sweep", good, bad, "--seeds", "1..3", "--json").stdout.splitlines()]
        self.assertEqual([(line["file"], line["held"], line["violated"]) for line in lines], [(good, 3, 0), (bad, 0, 3)])
        self.assertIn("\n\nsmall\nseeds 1 to 3", self.expect(1, "sweep", good, bad, "--seeds", "1..3").stdout)
        self.assertEqual(self.expect(2, "sweep", good, self.file("x", "c.toml"), "--seeds", "1").stdout, "")

    def test_a_budget_that_runs_out_makes_the_status_3(self) -> None:
        file = self.file(HEALTHY + "[budget]\nevents = 10\n")
        text = self.expect(3, "sweep", file, "--seeds", "1..2", "--lines").stdout
        self.assertIn("1 out_of_budget", text)
        self.assertIn("2 seeds  budget events_budget\n", text)
        self.assertTrue(text.endswith("out of budget: 2 of 2 seeds did not come to an end\n"))

    def test_the_worst_run_makes_the_status_and_each_says_why(self) -> None:
        expected = HEALTHY + "[expect]\nspawned = 20\nrestarts = { min = 10000 }\n"
        events = sorted(json.loads(self.run_it("run", self.file(expected), "--seed", str(seed), "--json").stdout)["timers_fired"]
                        for seed in range(1, 8))
        file = self.file(expected + f"[budget]\nevents = {events[3]}\n")
        text = self.expect(1, "sweep", file, "--seeds", "1..7", "--lines").stdout
        lines = text.split("\n\n")[0].splitlines()
        verdicts = [line.split()[1] for line in lines]
        self.assertEqual({"violated", "out_of_budget"}, set(verdicts))
        for line in lines:
            why = r"restarts: expected at least 10000, found \d+" if " violated " in line else r"events_budget: at .*, after \d+ timers"
            self.assertRegex(line, rf"^\d \w+ [0-9a-f]{{32}}  {why}$")
        self.assertTrue(text.endswith("violated: 7 of 7 seeds did not hold\n"))
        summary = self.summary(1, file, "--seeds", "1..7")
        self.assertEqual((summary["held"], summary["violated"], summary["out_of_budget"]),
                         (0, verdicts.count("violated"), verdicts.count("out_of_budget")))
        self.assertEqual(summary["first_violated"], 1 + verdicts.index("violated"))

    def test_json_is_an_object_a_line_and_a_summary(self) -> None:
        file = self.file(VIOLATED)
        lines = [json.loads(line) for line in
                 self.expect(1, "sweep", file, "--seeds", "18446744073709551614..18446744073709551615", "--json", "--lines")
                 .stdout.splitlines()]
        self.assertEqual([line["seed"] for line in lines[:-1]], [18446744073709551614, 18446744073709551615])
        last = lines[-1]
        self.assertEqual((last["kind"], last["version"], last["scenario"], last["file"]), ("sweep", 1, "small", file))
        self.assertEqual((last["held"], last["violated"], last["out_of_budget"]), (0, 2, 0))
        self.assertEqual((last["first_violated"], last["first_seed"], last["last_seed"]),
                         (18446744073709551614, 18446744073709551614, 18446744073709551615))
        restarts = [line["restarts"] for line in lines[:-1]]
        self.assertEqual((last["figures"]["restarts"]["best"], last["figures"]["restarts"]["worst"]), (min(restarts), max(restarts)))
        self.assertIsNone(last["figures"]["drain_ns"])

    def test_junit_is_well_formed_xml(self) -> None:
        out = self.folder / "results.xml"
        self.expect(1, "sweep", self.file(HEALTHY, "a.toml"), self.file(VIOLATED, "b.toml"), "--seeds", "1..3", "--junit", str(out))
        suites = xml.etree.ElementTree.parse(out).getroot()
        self.assertEqual([suite.get("failures") for suite in suites], ["0", "1"])
        failed = [case.get("name") for case in suites.iter("testcase") if case.find("failure") is not None]
        self.assertEqual(failed, ["expectation restarts"])
        file = self.file(HEALTHY)
        self.assertIn("which is being read", self.expect(2, "sweep", file, "--seeds", "1", "--junit", file).stderr)
        self.assertIn("No such file", self.expect(2, "sweep", file, "--seeds", "1", "--junit", str(self.folder / "no/x")).stderr)

    def test_an_impossible_range_of_seeds_or_number_of_jobs_is_refused(self) -> None:
        file = self.file(HEALTHY)
        for seeds in ("", "3..", "..3", "4..3", "1...3", "a..b", "-1..3", "0..18446744073709551615"):
            with self.subTest(seeds=seeds):
                self.assertIn("is not a range of seeds", self.expect(2, "sweep", file, "--seeds", seeds).stderr)
        self.expect(2, "sweep", file, "--seeds", "1..2", "--jobs", "0")
        self.assertIn("unknown key", self.expect(2, "sweep", self.file(HEALTHY + "x = 1\n"), "--seeds", "1..2").stderr)


if __name__ == "__main__":
    holdfast_command.main()
