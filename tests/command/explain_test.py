#!/usr/bin/env python3
"""The commands that explain and choose, as a person types them, and what their pages show of them.

    explain_test.py HOLDFAST SOURCE_ROOT
    explain_test.py HOLDFAST SOURCE_ROOT --record      writes what the command prints into the pages
"""

from __future__ import annotations

import json
import os
import re
import shlex
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
PAGES = tuple(f"lib/docs/guide/{name}.md" for name in ("predicting", "diffing", "comparing", "explaining", "finding"))
BLOCK = re.compile(r"^```\n\$ holdfast ([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> dict[str, str]:
    """What a page shows of commands: the command, and its output."""
    return dict(BLOCK.findall((holdfast_command.ROOT / page).read_text()))


def printed(command: str) -> str:
    """By a command of a page, as wide as the page."""
    return subprocess.run([holdfast_command.HOLDFAST, *shlex.split(command)], cwd=holdfast_command.ROOT, capture_output=True, text=True,
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

    def test_the_page_of_explain_shows_what_it_prints(self):
        self.shown("lib/docs/guide/explaining.md")

    def test_the_page_of_find_shows_what_it_prints_and_the_mistake(self):
        self.shown("lib/docs/guide/finding.md")
        mistake = self.expect(2, "find", "scenarios/mixed_fleet.toml", "ended outcom=failed", cwd=holdfast_command.ROOT).stderr
        self.assertIn("    " + mistake, (holdfast_command.ROOT / "lib/docs/guide/finding.md").read_text())

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
        self.assertIn('--fails-after: "5" is not a length of time; write 5s',
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


def mixed_fleet() -> str:
    return str(holdfast_command.ROOT / "scenarios" / "mixed_fleet.toml")


class Find(CommandTest):
    TRIPS = "breaker_tripped not preceded by outage within 5min"

    def test_what_it_prints_does_not_depend_on_the_jobs(self):
        for query in ("ended outcome=failed", "eventually flaky-cns: failures at least 3 within 5s"):
            find = ("find", mixed_fleet(), query, "--seeds", "1..300")
            self.assertEqual(self.expect(0, *find, "--jobs", "1").stdout,
                             self.expect(0, *find, "--jobs", "3").stdout)

    def test_its_counts_are_those_of_the_report(self):
        found = json.loads(self.expect(0, "find", mixed_fleet(), "breaker_tripped", "--seeds", "1..20", "--json").stdout)
        trips = [json.loads(self.run_it("run", mixed_fleet(), "--seed", str(seed), "--json").stdout)
                 ["fleet"]["circuit_breaker_trips"] for seed in range(1, 21)]
        self.assertEqual(found["events"], sum(trips))
        self.assertEqual(found["seeds"], [seed for seed, count in enumerate(trips, 1) if count])

    def test_the_command_beside_an_example_explains_that_event(self):
        file = self.file(FRAGILE.replace("LENGTH", "1min"))
        [example, *_] = json.loads(self.expect(0, "find", file, "trip", "--set", "duration=2h", "--json").stdout)["examples"]
        explained = json.loads(self.expect(0, *shlex.split(example["command"])[1:], "--json").stdout)["explanations"][0]
        self.assertEqual((explained["chain"][-1]["event"], explained["service"]), ("breaker_tripped", example["service"]))

    def test_a_trace_is_one_run(self):
        file = self.file(FRAGILE.replace("LENGTH", "1min"))
        trace = str(self.folder / "run.ndjson")
        self.expect(0, "run", file, "--trace", trace)
        of_trace = json.loads(self.expect(0, "find", trace, "trip preceded by outage", "--json").stdout)
        of_run = json.loads(self.expect(0, "find", file, "trip preceded by outage", "--json").stdout)
        self.assertEqual((of_trace["events"], of_trace["seeds"]), (of_run["events"], of_run["seeds"]))
        self.assertGreater(of_run["events"], 0)
        self.assertIn("a property needs the scenario", self.expect(2, "find", trace, "eventually running 0").stderr)
        self.assertIn("--seeds: a trace is one run", self.expect(2, "find", trace, "killed", "--seeds", "1..2").stderr)

    def test_a_budget_that_cuts_runs_off_is_said(self):
        done = self.expect(3, "find", self.file(FRAGILE.replace("LENGTH", "1s")), "ended", "--set", "budget.events=3")
        self.assertIn("a budget cut off 1 run", done.stdout)


class Diff(CommandTest):
    def test_a_trace_is_the_same_as_its_run_and_another_seed_is_not(self):
        file = self.file(FRAGILE.replace("LENGTH", "1s"))
        self.expect(0, "run", file, "--trace", str(self.folder / "a.ndjson"))
        self.assertIn("The same: ", self.expect(0, "diff", str(self.folder / "a.ndjson"), file).stdout)
        done = self.expect(1, "diff", file, file + "@99")
        self.assertIn("is the first that differs", done.stdout)
        self.assertIn(", seed 99", done.stdout)

    def test_the_first_difference_has_its_causes_on_the_side_of_a_scenario(self):
        file = self.file(FRAGILE.replace("LENGTH", "1s"))
        both = self.expect(1, "diff", file, file + "@99").stdout
        self.assertEqual(both.count("chaos[0] (line 8): an outage begins"), 2)
        self.assertIn("why, left:", both)
        self.expect(0, "run", file, "--trace", str(self.folder / "a.ndjson"))
        found = json.loads(self.expect(1, "diff", str(self.folder / "a.ndjson"), file + "@99", "--json").stdout)
        self.assertEqual(found["left_causes"], [])
        self.assertEqual(found["right_causes"][-1]["number"], found["first_difference"]["event"])

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


class Explain(CommandTest):
    LOST = FRAGILE.replace("LENGTH", "1min") + "[expect]\ncircuit_open = 0\n"

    def test_a_missed_expectation_is_explained_from_the_line_of_its_first_cause_on(self):
        lines = self.expect(0, "explain", self.file(self.LOST)).stdout.splitlines()
        self.assertEqual(lines[3], "circuit_open: expected 0, found 4 (feed-0, feed-1, feed-2, feed-3)")
        self.assertEqual(lines[6].split(maxsplit=1), ["10min", "chaos[0] (line 8): an outage begins; until 11min each start fails "
                                                               "after 100ms"])
        self.assertIn("it is given up: circuit breaker open (3/3 failures)", lines[-2])
        self.assertRegex(lines[-1], "^  What made it fail was over at 11min, 5[0-9][.0-9]*s later.$")

    def test_a_run_that_fails_ends_with_the_chain_in_few_lines_and_the_command(self):
        file = self.file(self.LOST)
        lines = self.expect(1, "run", file, "--seed", "7").stdout.splitlines()
        self.assertEqual(lines[-1], f"why: holdfast explain {file} --seed 7")
        begin = next(i for i, line in enumerate(lines) if line.startswith("circuit_open ("))
        self.assertLessEqual(len(lines) - 2 - begin, 6)
        self.assertIn("chaos[0] (line 8): an outage begins", lines[begin + 1])
        self.expect(0, *shlex.split(lines[-1])[2:])
        for arguments in (("--quiet",), ("--json",)):
            self.assertNotIn("why: holdfast", self.expect(1, "run", file, *arguments).stdout)
        self.assertNotIn("why: ", self.expect(0, "run", file, "--set", "expect.circuit_open=4").stdout)

    def test_a_setting_holds_and_stands_in_the_commands(self):
        file = self.file(self.LOST)
        done = self.expect(1, "run", file, "--set", "expect.circuit_open=1")
        self.assertEqual(done.stdout.splitlines()[-1], f"why: holdfast explain {file} --seed 0 --set expect.circuit_open=1")
        self.assertIn("circuit_open: expected 1, found 4", self.expect(0, *shlex.split(done.stdout.splitlines()[-1])[2:]).stdout)

    def test_the_number_of_an_event_is_that_of_its_line_in_the_trace(self):
        file = self.file(self.LOST)
        self.run_it("run", file, "--trace", str(self.folder / "a.ndjson"))
        lines = (self.folder / "a.ndjson").read_text().splitlines()
        number = next(i for i, line in enumerate(lines) if '"kind":"terminated"' in line)
        explained = json.loads(self.expect(0, "explain", file, "--event", str(number), "--json").stdout)
        [explanation] = explained["explanations"]
        last = explanation["chain"][-1]
        event = json.loads(lines[number])
        self.assertEqual((last["event"], last["service"], last["at_ns"]), ("terminated", event["service"], event["t_ns"]))
        for link in explanation["chain"]:
            event = json.loads(lines[link["number"]])
            self.assertEqual((link["event"], link["service"]), (event.get("kind") or event["chaos"], event["service"]))
            self.assertEqual(link["until_ns"], event["t_ns"])

    def test_the_digest_is_that_of_the_run_and_the_text_is_the_same_each_time(self):
        file = self.file(self.LOST)
        first, second = (self.expect(0, "explain", file, "--json").stdout for _ in range(2))
        self.assertEqual(first, second)
        self.assertEqual(json.loads(first)["digest"], json.loads(self.run_it("run", file, "--json").stdout)["digest"])

    def test_an_event_that_never_came_is_answered_with_what_there_is(self):
        file = self.file(self.LOST)
        for event, says in (("fed-1", 'did you mean "feed-1"?'), ("feed-1 killed", "the events of feed-1 are added (1)"),
                            ("feed-1 startd", 'did you mean "started"?'), ("", "write SERVICE KIND"),
                            ("0", "they count from 1")):
            with self.subTest(event=event):
                done = self.expect(2, "explain", file, "--event", event)
                self.assertIn(says, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)

    def test_a_stall_and_a_run_in_which_nothing_happened_are_explained(self):
        stalled = self.expect(0, "explain", self.file(holdfast_command.STALLED)).stdout
        self.assertIn("nothing is left to happen", stalled)
        self.assertIn("run 1 is running", stalled)
        calm = self.file('name = "calm"\nduration = "1h"\n[[fleet]]\nname = "feed"\n')
        self.assertIn("no service was down at any time", self.expect(0, "explain", calm).stdout)

    def test_text_fits_into_sixty_columns(self):
        text = self.run_it("explain", self.file(self.LOST), env=os.environ | {"COLUMNS": "60", "LC_ALL": "C.UTF-8"}).stdout
        self.assertLessEqual(max(map(len, text.splitlines())), 60)


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
