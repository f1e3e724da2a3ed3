#!/usr/bin/env python3
"""The holdfast command as its users see it: exit statuses, messages, output, and what happens when things go wrong.

    cli_test.py HOLDFAST SOURCE_ROOT
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import pty
import re
import resource
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import unittest
import xml.etree.ElementTree
from pathlib import Path

HOLDFAST, ROOT = "", Path()
# A job in the background of a shell ignores it, and so would the commands that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def listed(words: list[str]) -> str:
    """As messages list keys."""
    return ", ".join(words[:20]) + (f" and {len(words) - 20} more" if len(words) > 20 else "")


HEALTHY = """\
# A service that fails now and then, and is started again.
name = "small"
seed = 3
duration = "1h"
[supervisor]
backoff = { breaker = "off" }
[[fleet]]
name = "feed"
count = 20
runs_for = { exponential = "10min" }
then = "fail"
"""
# Longer than doubles count nanoseconds, with few events.
LONG = HEALTHY.replace("10min", "9d").replace('"1h"', '"200d1ns"').replace("seed = 3", "seed = 9223372036854775807")
VIOLATED = HEALTHY + "[expect]\nrestarts = 0\n"
# Fails at once, a few million times.
BUSY = """\
name = "busy"
duration = "1h"
[supervisor]
backoff = { base = "0s", max = "0s", breaker = "off" }
[[fleet]]
name = "feed"
count = 10
runs_for = "6ms"
then = "fail"
"""
STALLED = 'name = "stalled"\n[[fleet]]\nname = "sleeper"\ncount = 12\n'

DIGEST = re.compile(r"^[0-9a-f]{32}$")


class CommandTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def file(self, text: str, name: str = "scenario.toml") -> str:
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def run_it(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        return subprocess.run([HOLDFAST, *arguments], capture_output=True, text=True, timeout=300, **options)

    def expect(self, status: int, *arguments: str) -> subprocess.CompletedProcess:
        done = self.run_it(*arguments)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def digest(self, *arguments: str) -> str:
        verdict, digest = self.expect(0, "run", "--quiet", *arguments).stdout.split()
        self.assertEqual(verdict, "held")
        self.assertRegex(digest, DIGEST)
        return digest


class ExitStatus(CommandTest):
    def test_a_run_that_meets_everything_returns_0(self):
        done = self.expect(0, "run", self.file(HEALTHY))
        self.assertTrue(done.stdout.endswith("held\n"))
        self.assertEqual(done.stderr, "")

    def test_a_missed_expectation_is_reported_and_returns_1(self):
        done = self.expect(1, "run", self.file(VIOLATED))
        self.assertRegex(done.stdout, r"violated\s+restarts\s+expected 0\s+found \d+")
        self.assertTrue(done.stdout.endswith("violated: 1 of 2 expectations\n"))

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
        text = self.expect(0, "run", str(ROOT / "scenarios" / "failure_storm.toml")).stdout
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


class Trace(CommandTest):
    def test_a_trace_that_cannot_be_opened_is_2_and_says_why(self):
        done = self.expect(2, "run", self.file(HEALTHY), "--trace", str(self.folder / "missing" / "t.ndjson"))
        self.assertIn("cannot write the trace", done.stderr)
        self.assertIn("No such file or directory", done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertIn("Is a directory", self.expect(2, "run", self.file(HEALTHY), "--trace", str(self.folder)).stderr)

    @unittest.skipUnless(os.path.exists("/dev/full"), "the system has no /dev/full")
    def test_a_full_disk_is_2_and_says_so(self):
        for text in (HEALTHY, BUSY):
            done = self.expect(2, "run", self.file(text), "--trace", "/dev/full")
            self.assertIn("cannot write the trace /dev/full: No space left on device", done.stderr)
            self.assertEqual(done.stdout, "")

    def test_a_trace_that_grows_too_large_is_2_and_says_so(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        done = self.run_it("run", self.file(BUSY), "--trace", str(self.folder / "t.ndjson"), preexec_fn=limit)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("File too large", done.stderr)

    def test_a_trace_does_not_overwrite_its_scenario(self):
        file = self.file(HEALTHY)
        self.assertIn("would overwrite", self.expect(2, "run", file, "--trace", file).stderr)
        self.assertEqual(Path(file).read_text(), HEALTHY)

    def test_a_trace_does_not_overwrite_recorded_input(self):
        record = self.file("entity,from,until,cause\na,1s,2s,disk\n", "record.csv")
        scenario = self.file('name = "x"\nduration = "5s"\n\n[[chaos]]\nrecorded = { file = "record.csv" }\n')
        done = self.expect(2, "run", scenario, "--trace", record)
        self.assertIn("would overwrite", done.stderr)
        self.assertTrue(Path(record).read_text().startswith("entity,"))

    def test_a_bad_scenario_leaves_an_old_trace_alone(self):
        trace = self.file("precious", "t.ndjson")
        self.expect(2, "run", self.file("name ="), "--trace", trace)
        self.assertEqual(Path(trace).read_text(), "precious")


class TimesBeyondDoubles(CommandTest):
    def test_the_documented_way_to_texts_keeps_every_nanosecond(self):
        text = (ROOT / "lib" / "docs" / "reference" / "json.md").read_text()
        command = re.search(r"`(sed -E '[^`]+')`", text).group(1)
        trace = self.folder / "trace.ndjson"
        report = self.expect(0, "run", "--json", self.file(LONG), "--trace", str(trace)).stdout
        for exact in (report, trace.read_text()):
            texts = subprocess.run(command, shell=True, input=exact, capture_output=True, text=True, check=True).stdout
            for before, after in zip(exact.splitlines(), texts.splitlines(), strict=True):
                self.assertEqual(self.with_texts(json.loads(before)), json.loads(after, parse_int=float))
        self.assertIn(str(200 * 86400 * 10**9 + 1), texts)

    def test_the_recipes_for_jq_and_pandas_give_what_stands_in_the_trace(self):
        page = (ROOT / "lib" / "docs" / "reference" / "trace_format.md").read_text()
        sed = re.search(r"`(sed -E '[^`]+')`", (ROOT / "lib" / "docs" / "reference" / "json.md").read_text()).group(1)
        trace = self.folder / "trace.ndjson"
        self.expect(0, "run", self.file(LONG), "--trace", str(trace))
        lines = [json.loads(line) for line in trace.read_text().splitlines()]
        events = [line for line in lines if "kind" in line]
        self.assertEqual(["holdfast_trace" in lines[0], "end" in lines[-1]], [True, True])
        self.assertEqual(len(events) + sum("chaos" in line for line in lines) + 2, len(lines))
        if shutil.which("jq"):
            recipes = re.findall(r"^\$ jq .*trace\.ndjson", page, re.MULTILINE)
            self.assertEqual(len(recipes), 3)
            outputs = [subprocess.run(f"{sed} trace.ndjson | " + recipe[2:].replace(" trace.ndjson", ""), shell=True,
                                      cwd=self.folder, capture_output=True, text=True, check=True).stdout.splitlines()
                       for recipe in recipes]
            self.assertEqual([json.loads(line) for line in outputs[0]],
                             [[line["service"], str(line["lasted_ns"])] for line in events if line["kind"] == "ended"])
            self.assertEqual([json.loads(line) for line in outputs[1]], [line.get("service") for line in events])
            self.assertEqual([json.loads(line) for line in outputs[2]], [lines[-1]["counters"]["restarts"]])
        if importlib.util.find_spec("pandas"):
            code = re.search(r"```python\n(.*?)```", page, re.DOTALL).group(1)
            check = "print(json.dumps([list(map(int, events.t_ns)), list(map(int, ended.lasted_ns)), str(ended.t_ns.dtype)]))"
            done = subprocess.run([sys.executable, "-c", f"import json, pandas\n{code}\n{check}"], cwd=self.folder,
                                  capture_output=True, text=True, check=True)
            self.assertEqual(json.loads(done.stdout),
                             [[line["t_ns"] for line in events],
                              [line["lasted_ns"] for line in events if line["kind"] == "ended"], "int64"])

    def with_texts(self, value):
        if isinstance(value, dict):
            return {key: str(each) if (key.endswith("_ns") or key == "seed") and isinstance(each, int) else self.with_texts(each)
                    for key, each in value.items()}
        if isinstance(value, list):
            return [self.with_texts(each) for each in value]
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


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
        broken = sorted((ROOT / "tests" / "bad_scenarios").glob("*.toml"))
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
                    done = self.run_it(command, str(file.relative_to(ROOT)), cwd=ROOT)
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
        files = sorted(str(file) for file in (ROOT / "scenarios").glob("*.toml"))
        self.assertGreater(len(files), 8)
        self.assertEqual(self.expect(0, "validate", *files).stdout.count("ok "), len(files))


class List(CommandTest):
    def test_it_shows_name_services_duration_and_the_first_comment_line(self):
        file = self.file(HEALTHY)
        self.assertEqual(self.expect(0, "list", str(self.folder)).stdout,
                         f"{file}\n  small: 20 services, 1h\n  A service that fails now and then, and is started again.\n")

    def test_the_shipped_scenarios_are_the_default(self):
        done = self.run_it("list", cwd=ROOT)
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


class Terminal(CommandTest):
    def on_terminal(self, *arguments: str, columns: int = 80) -> tuple[int, str, str]:
        """Standard output on one terminal, standard error on another."""
        out, out_inside = pty.openpty()
        error, error_inside = pty.openpty()
        fcntl.ioctl(out_inside, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm"}
        process = subprocess.Popen([HOLDFAST, *arguments], stdin=subprocess.DEVNULL, stdout=out_inside,
                                   stderr=error_inside, env=environment)
        os.close(out_inside)
        os.close(error_inside)
        texts = {out: b"", error: b""}
        waiting = set(texts)
        while waiting:
            for ready in select.select(list(waiting), [], [], 300)[0]:
                try:
                    part = os.read(ready, 65536)
                except OSError:
                    part = b""
                texts[ready] += part
                if not part:
                    waiting.remove(ready)
                    os.close(ready)
        return process.wait(), texts[out].decode(), texts[error].decode()

    def test_progress_is_shown_on_a_terminal_after_a_second_and_erased(self):
        status, _, shown = self.on_terminal("run", self.file(self.long_run()))
        self.assertEqual(status, 0)
        self.assertRegex(shown, r"\r\x1b\[K +\d+ %  \S+ of virtual time, [\d ]+ timers in \S+")
        self.assertTrue(shown.endswith("\r\x1b[K"), repr(shown[-80:]))

    def test_progress_is_not_shown_elsewhere(self):
        self.assertEqual(self.expect(0, "run", self.file(self.long_run())).stderr, "")
        self.assertEqual(self.on_terminal("run", self.file(HEALTHY))[2], "")
        self.assertEqual(self.on_terminal("run", "--quiet", self.file(self.long_run()))[2], "")

    def long_run(self) -> str:
        """A scenario that takes some seconds here, whatever machine and build type this is."""
        for duration in ("1min", "10min", "1h", "6h"):
            text = BUSY.replace('"1h"', f'"{duration}"')
            done = json.loads(self.expect(0, "run", self.file(text), "--json").stdout)
            if done["wall_time_ns"] > 300 * 10**6:
                factor = 2_500 * 10**6 / done["wall_time_ns"]
                seconds = max(int(done["virtual_time_ns"] / 10**9 * factor), 1)
                return BUSY.replace('"1h"', f'"{seconds}s"')
        self.skipTest("the machine is too fast to be watched")

    def test_colours_are_used_on_a_terminal_only_and_its_width_is_kept(self):
        status, text, _ = self.on_terminal("run", self.file(HEALTHY), columns=70)
        self.assertEqual(status, 0)
        self.assertIn("\x1b[32m", text)
        picture = [line for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines() if "│" in line]
        self.assertTrue(picture)
        self.assertLessEqual(max(len(line) for line in picture), 70)


class Streams(CommandTest):
    def test_a_reader_that_goes_away_is_no_error(self):
        process = subprocess.Popen([HOLDFAST, "run", self.file(HEALTHY)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        process.stdout.close()
        self.assertEqual(process.stderr.read(), "")
        process.stderr.close()
        self.assertEqual(process.wait(), 0)

    def test_a_closed_standard_output_is_no_error_and_never_mixed_with_the_trace(self):
        trace = self.folder / "t.ndjson"
        done = self.run_it("run", self.file(HEALTHY), "--trace", str(trace), preexec_fn=lambda: os.close(1))
        self.assertEqual(done.returncode, 0, done.stderr)
        for line in trace.read_text().splitlines():
            json.loads(line)

    @unittest.skipUnless(os.path.exists("/dev/full"), "the system has no /dev/full")
    def test_a_summary_that_cannot_be_written_is_reported(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([HOLDFAST, "run", self.file(HEALTHY)], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("No space left on device", done.stderr)


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


class Replay(CommandTest):
    def recording(self) -> Path:
        """A real run on Boost.Asio: crashes, commands, a shutdown that abandons a service."""
        return ROOT / "tests" / "fuzz" / "corpus" / "recording_fuzz" / "real_run.ndjson"

    def changed(self, change, name: str = "changed.ndjson") -> str:
        lines = self.recording().read_text().splitlines(keepends=True)
        return self.file("".join(change(lines)), name)

    def test_a_real_run_is_decided_again_as_it_was_and_is_0(self):
        text = self.expect(0, "replay", str(self.recording())).stdout
        events = self.recording().read_text().count('"kind":')
        self.assertIn(f"  {events} events, all as recorded\n", text)
        self.assertRegex(text, r"the latest timer fired \S+ after its time, at ")
        self.assertRegex(text, r"\ndigest [0-9a-f]{32}\nas recorded\n$")
        for part in ("recorded by holdfast 0.1.0", "feed ", "risk", "down, worst", "availability", "recoveries", "storms"):
            self.assertIn(part, text)
        lines = [line for line in text.splitlines() if "at once, at most" not in line]  # the picture's legend is longer
        self.assertEqual([line for line in lines if len(line) > 100 or line != line.rstrip()], [])

    def test_another_decision_is_1_and_both_are_shown_with_the_line(self):
        at = next(i for i, line in enumerate(self.recording().read_text().splitlines()) if '"kind":"backing_off"' in line)

        def another_delay(lines):
            lines[at] = re.sub(r'"delay_ns":\d+', '"delay_ns":7', lines[at])
            return lines

        file = self.changed(another_delay)
        text = self.expect(1, "replay", file).stdout
        self.assertRegex(text, re.escape(f"differs {file}:{at + 1}: delay_ns: recorded 7, replayed ") + r"\d+\n"
                               r'    recorded \{"t_ns":.*"delay_ns":7\}\n    replayed \{"t_ns":.*"delay_ns":\d+\}\n')
        self.assertTrue(text.endswith("\nnot as recorded\n"))
        found = json.loads(self.expect(1, "replay", file, "--json").stdout)
        self.assertEqual((found["verdict"], found["difference"]["line"]), ("not as recorded", at + 1))

    def test_a_recording_that_was_cut_short_is_replayed_up_to_there_with_a_warning(self):
        file = self.changed(lambda lines: lines[:20] + [lines[20][:30]])
        text = self.expect(0, "replay", file).stdout
        self.assertIn(f"{file}:21: the recording is cut short here", text)
        self.assertTrue(json.loads(self.expect(0, "replay", file, "--json").stdout)["cut_short"])

    def test_a_bad_recording_is_reported_with_its_line_and_returns_2(self):
        file = self.changed(lambda lines: lines[:5] + ["what?\n"] + lines[5:])
        done = self.expect(2, "replay", file)
        self.assertTrue(done.stderr.startswith(f"{file}:6: is not a JSON object; "), done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertIn(": does not exist", self.expect(2, "replay", "nowhere.ndjson").stderr)
        self.assertIn(": is a folder; allowed is a file", self.expect(2, "replay", str(self.folder)).stderr)
        self.assertIn("holdfast_recording", self.expect(2, "replay", self.file(HEALTHY)).stderr)
        self.expect(2, "replay")

    def test_a_recording_may_come_through_a_pipe(self):
        done = self.run_it("replay", "/dev/stdin", input=self.recording().read_text())
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_json_summary_and_the_trace_agree_with_the_recording(self):
        trace = self.folder / "t.ndjson"
        done = self.expect(0, "replay", str(self.recording()), "--json", "--trace", str(trace))
        summary = json.loads(done.stdout)
        events = [line for line in self.recording().read_text().splitlines() if '"kind":' in line]
        self.assertEqual(summary["events"], len(events))
        self.assertEqual(summary["verdict"], "as recorded")
        self.assertIsNone(summary["difference"])
        lines = trace.read_text().splitlines()
        self.assertEqual([json.loads(line) for line in lines[1:-1]], [json.loads(line) for line in events])
        self.assertEqual(json.loads(lines[-1])["digest"], summary["digest"])

    def test_a_recording_becomes_a_scenario_with_its_failures_beside_it(self):
        out = self.folder / "incident.toml"
        self.expect(0, "replay", str(self.recording()), "--scenario", str(out))
        text, rows = out.read_text(), (self.folder / "incident.csv").read_text()
        self.assertTrue(text.startswith("# What failed in the run that "))
        self.assertRegex(text, r"# Left out: \d+ commands from outside: stop, restart or remove\.\n")
        self.assertRegex(text, r'name = "feed"\ncount = 3\n')
        self.assertRegex(rows, r'^entity,from,until,cause\nfeed-\d,\S+,\S+,connection "lost"\n')
        self.expect(0, "validate", str(out))
        done = json.loads(self.expect(0, "run", str(out), "--json").stdout)
        self.assertEqual(done["fleet"]["services"], 6)
        self.assertGreater(done["fleet"]["failures"], 5)

    def test_outages_of_a_scenario_are_mended_early_or_late(self):
        out = self.folder / "incident.toml"
        lengths = {}
        for mended in ("early", "late"):
            self.expect(0, "replay", str(self.recording()), "--scenario", str(out), "--mended", mended)
            self.assertIn(f"# An outage ends with the {'last' if mended == 'early' else 'first'} start", out.read_text())
            lengths[mended] = (self.folder / "incident.csv").read_text()
        self.expect(0, "replay", str(self.recording()), "--scenario", str(out))
        self.assertEqual((self.folder / "incident.csv").read_text(), lengths["early"])
        self.assertNotEqual(lengths["early"], lengths["late"])
        self.assertEqual([row.split(",")[:2] for row in lengths["early"].splitlines()],
                         [row.split(",")[:2] for row in lengths["late"].splitlines()])
        self.assertIn('--mended: is "soon"; allowed is early or late',
                      self.expect(2, "replay", str(self.recording()), "--scenario", str(out), "--mended", "soon").stderr)
        self.assertIn("--mended: says when outages of a scenario end; add --scenario OUT",
                      self.expect(2, "replay", str(self.recording()), "--mended", "late").stderr)

    def test_a_recording_that_was_changed_is_refused_with_its_line(self):
        lines = self.recording().read_text().splitlines(keepends=True)
        at = next(i for i, line in enumerate(lines) if '"input":"end"' in line)
        other = lines[at].replace('"service":"', '"service":"x')
        done = self.expect(1, "replay", self.file("".join(lines[:at] + [other] + lines[at + 1:]), "run.ndjson"))
        self.assertIn(f':{at + 1}: service: recorded "x', done.stdout)
        twice = lines[0].replace('"seed":', '"seed":1,"seed":', 1)
        done = self.expect(2, "replay", self.file("".join([twice] + lines[1:]), "run.ndjson"))
        self.assertIn("run.ndjson:1: seed: stands twice in this line; allowed is once", done.stderr)
        long = lines[0][:1] + " " * 2**20 + lines[0][1:]
        done = self.expect(2, "replay", self.file("".join([long] + lines[1:]), "run.ndjson"))
        self.assertIn("run.ndjson:1: is longer than 1048576 bytes", done.stderr)

    def test_a_scenario_that_cannot_be_written_or_would_overwrite_its_recording_is_2(self):
        file = self.changed(lambda lines: lines, "run.csv")
        before = Path(file).read_text()
        for out in (file, str(self.folder / "run.toml")):
            self.assertIn("would overwrite", self.expect(2, "replay", file, "--scenario", out).stderr)
        self.assertEqual(Path(file).read_text(), before)
        done = self.expect(2, "replay", file, "--scenario", str(self.folder / "no" / "x.toml"))
        self.assertIn("cannot write the scenario", done.stderr)

    def test_a_trace_does_not_overwrite_its_recording(self):
        file = self.changed(lambda lines: lines)
        self.assertIn("would overwrite", self.expect(2, "replay", file, "--trace", file).stderr)
        self.assertEqual(Path(file).read_text(), self.recording().read_text())
        self.assertIn("No such file", self.expect(2, "replay", file, "--trace", str(self.folder / "no" / "t")).stderr)


if __name__ == "__main__":
    HOLDFAST, ROOT = sys.argv[1], Path(sys.argv[2])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
