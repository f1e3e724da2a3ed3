#!/usr/bin/env python3
"""The holdfast command as its users see it: exit statuses, messages, and what run, validate and list print.

    cli_test.py HOLDFAST SOURCE_ROOT
"""

from __future__ import annotations

import json
import re
import sys

sys.dont_write_bytecode = True
import holdfast_command  # noqa: E402
from holdfast_command import HEALTHY, STALLED, VIOLATED, CommandTest, listed  # noqa: E402


class ExitStatus(CommandTest):
    def test_a_run_that_meets_everything_returns_0(self):
        done = self.expect(0, "run", self.file(HEALTHY))
        self.assertTrue(done.stdout.endswith("held\n"))
        self.assertEqual(done.stderr, "")

    def test_a_missed_expectation_is_reported_and_returns_1(self):
        done = self.expect(1, "run", self.file(VIOLATED))
        self.assertRegex(done.stdout, r"violated\s+restarts\s+expected 0\s+found \d+")
        self.assertIn("\nviolated: 1 of 2 expectations\n", done.stdout)

    def test_a_stall_returns_1_and_names_the_services_that_wait(self):
        done = self.expect(1, "run", self.file(STALLED))
        self.assertIn("stalled at 0s: nothing is left to happen, and services still wait:", done.stdout)
        self.assertIn("sleeper-0 (running since 0s), sleeper-1 (running since 0s),", done.stdout)
        self.assertIn("sleeper-9 (running since 0s), and 2 more\n", done.stdout)

    def test_bad_input_is_2(self):
        for name, text in (("not TOML", "name ="), ("an unknown key", HEALTHY + "cuont = 3\n")):
            with self.subTest(name):
                bad = self.file(text, "bad.toml")
                done = self.expect(2, "run", bad)
                self.assertTrue(done.stderr.startswith(bad + ":"), done.stderr)
                self.assertEqual(done.stdout, "")
        self.assertIn("nowhere.toml", self.expect(2, "run", "nowhere.toml").stderr)
        self.assertIn(str(self.folder), self.expect(2, "run", str(self.folder)).stderr)

    def test_a_bad_command_line_is_2(self):
        good = self.file(HEALTHY)
        for arguments in ([], ["run"], ["rnu", good], ["run", good, "--sead", "1"], ["run", good, good],
                          ["run", good, "--seed"], ["run", good, "--seed", "-1"], ["run", good, "--seed", "0x10"],
                          ["run", good, "--seed", "18446744073709551616"], ["run", good, "--seed", ""],
                          ["run", good, "--json", "--quiet"], ["validate"]):
            with self.subTest(arguments=arguments):
                done = self.expect(2, *arguments)
                self.assertNotEqual(done.stderr, "")
                self.assertEqual(done.stdout, "")

    def test_a_budget_that_runs_out_is_3_and_says_what_to_do(self):
        events = self.expect(3, "run", self.file(HEALTHY + "[budget]\nevents = 50\n"))
        self.assertRegex(events.stdout, r"out of budget: the budget of 50 events is used up \(.*of virtual time.*\); "
                                        r"the key budget\.events of the scenario raises it\n$")
        time = self.expect(3, "run", self.file(HEALTHY + '[budget]\nvirtual_time = "10min"\n'))
        self.assertIn("the budget of 10min of virtual time is used up", time.stdout)
        self.assertIn("the key budget.virtual_time", time.stdout)

    def test_help_and_version_are_0(self):
        self.assertRegex(self.expect(0, "--version").stdout, r"^holdfast \d+\.\d+\.\d+\n$")
        text = self.expect(0, "--help").stdout
        for word in ("run", "validate", "list", "replay", "Examples:", "Exit status:"):
            self.assertIn(word, text)
        self.assertIn("--trace", self.expect(0, "run", "--help").stdout)


class Run(CommandTest):
    def test_another_seed_gives_another_digest_and_the_scenarios_own_seed_the_same(self):
        file = self.file(HEALTHY)
        self.assertEqual(self.digest(file), self.digest(file))
        self.assertEqual(self.digest(file), self.digest(file, "--seed", "3"))
        self.assertEqual(self.digest(file, "--seed", "010"), self.digest(file, "--seed", "10"))
        self.assertEqual(len({self.digest(file, "--seed", str(seed)) for seed in (0, 1, 2, 2**64 - 1)}), 4)

    def test_two_traces_are_identical_to_the_byte(self):
        file = self.file(HEALTHY)
        traces = [self.folder / name for name in ("a.ndjson", "b.ndjson")]
        digests = [self.digest(file, "--trace", str(trace)) for trace in traces]
        self.assertEqual(traces[0].read_bytes(), traces[1].read_bytes())
        lines = traces[0].read_text().splitlines()
        for line in lines:
            json.loads(line)
        self.assertEqual(json.loads(lines[-1])["digest"], digests[0])
        self.assertEqual(digests[0], digests[1])

    def test_the_json_summary_is_valid_and_agrees_with_the_trace(self):
        file, trace = self.file(HEALTHY), self.folder / "trace.ndjson"
        text = self.expect(0, "run", file, "--json", "--trace", str(trace)).stdout
        summary = json.loads(text)
        end = json.loads(trace.read_text().splitlines()[-1])
        self.assertEqual(summary["digest"], end["digest"])
        self.assertEqual(summary["digest"], self.digest(file))
        self.assertEqual(summary["virtual_time_ns"], 3600 * 10**9)
        self.assertEqual(summary["timers_fired"], end["timers_fired"])
        for key in ("starts", "restarts", "failures", "clean_exits", "circuit_breaker_trips"):
            self.assertEqual(summary["fleet"][key], end["counters"][key])
        self.assertEqual(summary["fleet"]["services"], 20)
        self.assertEqual(summary["verdict"], "held")
        self.assertGreater(summary["wall_time_ns"], 0)
        running = sum(bucket["average_thousandths"]["running"] for bucket in summary["history"]["buckets"])
        self.assertAlmostEqual(running / len(summary["history"]["buckets"]) / 20_000, 1, delta=0.01)

    def test_json_says_why_a_run_did_not_hold(self):
        summary = json.loads(self.expect(1, "run", self.file(STALLED), "--json").stdout)
        self.assertEqual(summary["verdict"], "violated")
        self.assertEqual(len(summary["waiting"]), 10)
        self.assertEqual(summary["more_waiting"], 2)
        summary = json.loads(self.expect(3, "run", self.file(HEALTHY + "[budget]\nevents = 50\n"), "--json").stdout)
        self.assertEqual(summary["end"], "events_budget")
        self.assertIn("budget.events", summary["why"])

    def test_quiet_is_one_line_whatever_happens(self):
        for status, text, verdict in ((0, HEALTHY, "held"), (1, VIOLATED, "violated"), (1, STALLED, "violated"),
                                      (3, HEALTHY + "[budget]\nevents = 50\n", "out_of_budget")):
            done = self.expect(status, "run", "--quiet", self.file(text))
            self.assertRegex(done.stdout, f"^{verdict} [0-9a-f]{{32}}\n$")
            self.assertEqual(done.stderr, "")

    def test_the_summary_fits_a_hundred_columns_and_has_no_escape_sequences_in_a_pipe(self):
        text = self.expect(0, "run", str(holdfast_command.ROOT / "scenarios" / "failure_storm.toml")).stdout
        self.assertNotIn("\x1b", text)
        self.assertEqual([line for line in text.splitlines() if len(line) > 100 or line != line.rstrip()], [])
        for part in ("down, worst", "availability", "with the supervisor's waiting", "recoveries", "the slowest", "lost",
                     "the worst 60 s: 1 000 services", "the busiest second", "checks", "held", "never tested",
                     "expectations", "of virtual time in", "a second", "digest"):
            self.assertIn(part, text)

    def test_odd_rows_of_recorded_input_are_reported(self):
        self.file("entity,from,until,cause\nx,1min,2min,disk\nx,1min,2min,disk\nx,90s,3min,disk\ny,5min,5min,net\n", "t.csv")
        file = self.file('name = "r"\nduration = "10min"\n[[chaos]]\nat = "0s"\nrecorded = { file = "t.csv" }\n')
        text = self.expect(0, "run", file).stdout
        self.assertIn("t.csv: 4 rows of 2 entities", text)
        self.assertIn("1 of zero length, 1 exact duplicates, 2 that overlap an earlier one", text)
        self.assertIn("recorded", text)

    def test_a_warning_of_the_file_is_shown_with_its_place(self):
        text = HEALTHY.replace('{ breaker = "off" }', '{ breaker = { max_failures = 3, window = "1min" } }')
        file = self.file(text)
        shown = " ".join(self.run_it("run", file).stdout.split())
        self.assertIn(f"{file}:6:", shown)


class Validate(CommandTest):
    def test_good_files_are_ok_and_bad_ones_are_reported_with_every_mistake(self):
        good, bad = self.file(HEALTHY, "good.toml"), self.file(HEALTHY + "cuont = 3\ncolour = 1\n", "bad.toml")
        done = self.expect(0, "validate", good)
        self.assertEqual(done.stdout, f"ok {good}: 20 services, 1h\n")
        done = self.expect(2, "validate", bad, good, str(self.folder / "none.toml"))
        self.assertEqual(done.stdout, f"ok {good}: 20 services, 1h\n")
        self.assertIn("cuont", done.stderr)
        self.assertIn("colour", done.stderr)
        self.assertIn("none.toml", done.stderr)

    def test_every_broken_scenario_is_2_with_its_whole_message_for_run_and_for_validate(self):
        broken = sorted((holdfast_command.ROOT / "tests" / "bad_scenarios").glob("*.toml"))
        self.assertGreater(len(broken), 200)
        schema = json.loads(self.expect(0, "schema").stdout)
        tables = {"scenario": schema, **schema["$defs"]}
        keys = {name: listed(list(table["properties"])) for name, table in tables.items()}
        choices = {name: listed([each["required"][0] for each in table.get("oneOf", [])]) for name, table in tables.items()}
        for file in broken:
            expected = re.sub(r"<keys of (\w+)>", lambda place: keys[place[1]], file.with_suffix(".expected").read_text())
            expected = re.sub(r"<choice of (\w+)>", lambda place: choices[place[1]], expected)
            for command in ("run", "validate"):
                with self.subTest(command=command, file=file.name):
                    done = self.run_it(command, str(file.relative_to(holdfast_command.ROOT)), cwd=holdfast_command.ROOT)
                    self.assertEqual((done.returncode, done.stderr.rstrip()), (2, expected.rstrip()))

    def test_warnings_do_not_make_a_file_bad(self):
        text = HEALTHY.replace('{ breaker = "off" }', '{ breaker = { max_failures = 3, window = "1min" } }')
        done = self.expect(0, "validate", self.file(text))
        self.assertIn("warning: ", done.stdout)

    def test_services_that_only_look_like_a_group_s_are_counted_as_validate_run_and_report_do(self):
        self.file("entity,from,until,cause\nfeed-77,1s,2s,x\nfeed-1,1s,2s,x\nfeed-x,1s,2s,x\n", "trace.csv")
        file = self.file(
            'name = "strangers"\nduration = "1h"\n[[fleet]]\nname = "feed"\ncount = 2\nrestart = "always"\n'
            '[[chaos]]\nrecorded = { file = "trace.csv" }\n[[expect.fleet]]\nname = "feed"\nspawned = 2\n')
        self.assertIn(f"ok {file}: 4 services, 1h\n", self.expect(0, "validate", file).stdout)
        report = json.loads(self.expect(0, "run", "--json", file).stdout)
        self.assertEqual({group["name"]: group["services"] for group in report["groups"]}, {"feed": 2, "recorded": 2})

    def test_every_shipped_scenario_is_valid(self):
        files = sorted(str(file) for file in (holdfast_command.ROOT / "scenarios").glob("*.toml"))
        self.assertGreater(len(files), 8)
        self.assertEqual(self.expect(0, "validate", *files).stdout.count("ok "), len(files))


class List(CommandTest):
    def test_it_shows_name_services_duration_and_the_first_comment_line(self):
        file = self.file(HEALTHY)
        self.assertEqual(self.expect(0, "list", str(self.folder)).stdout,
                         f"{file}\n  small: 20 services, 1h\n  A service that fails now and then, and is started again.\n")

    def test_the_shipped_scenarios_are_the_default(self):
        done = self.run_it("list", cwd=holdfast_command.ROOT)
        self.assertEqual(done.returncode, 0)
        self.assertIn("scenarios/real_cluster.toml\n  real cluster: 1 024 services, ", done.stdout)

    def test_a_bad_scenario_is_listed_and_is_2(self):
        self.file("name =", "bad.toml")
        self.file(HEALTHY, "good.toml")
        done = self.expect(2, "list", str(self.folder))
        self.assertIn("cannot be run: 1 complaint", done.stdout)
        self.assertIn("small: 20 services", done.stdout)

    def test_a_folder_without_scenarios_is_2(self):
        self.assertIn("holds no scenario", self.expect(2, "list", str(self.folder)).stderr)
        self.assertIn("No such file", self.expect(2, "list", str(self.folder / "none")).stderr)


if __name__ == "__main__":
    holdfast_command.main()
