#!/usr/bin/env python3
"""What a person types, and the streams and signals around the command.

    command_line_test.py HOLDFAST SOURCE_ROOT
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import unicodedata
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

import holdfast_command  # noqa: E402
from holdfast_command import BUSY, HEALTHY, IS_SLOW, VIOLATED, CommandTest  # noqa: E402

COMMANDS = ("init", "list", "run", "sweep", "merge", "shrink", "replay", "validate", "predict", "compare", "diff", "explain", "find", "trace", "report",
            "schema", "up", "check", "import", "status", "start", "stop", "restart", "reset", "signal", "logs", "events", "reload", "down")
# Their examples need a fleet that is up, or that could be: up_test has one.
OF_RUNNING_FLEETS = re.compile(r"holdfast (up|check|import|status|start|stop|restart|reset|signal|logs|events|reload|down)\b")
# Goes on for longer than anybody waits.
ENDLESS = BUSY.replace('"1h"', '"36500d"') + "[budget]\nevents = 1000000000000\n"


class ReaderTest(CommandTest):
    def end_of(self, process: subprocess.Popen) -> tuple[int, str]:
        """How a process ended by itself, and what it said; one that does not end is a failure, not a hang."""
        try:
            process.stdout = None  # closed
            _, says = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.fail("goes on although its reader has gone away")
        return process.returncode, says


class Words(CommandTest):
    """Each wrong word is named, with what would be right."""

    def says(self, *arguments: str) -> str:
        done = self.expect(2, *arguments)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("holdfast: "), done.stderr)
        return done.stderr

    def test_a_wrong_or_missing_command_is_named_with_the_right_ones(self):
        for word, says in (("foo", '"foo" is not a command.'), ("rnu", 'Did you mean "run"?'), ("Run", 'Did you mean "run"?'),
                           ("RUN", 'Did you mean "run"?'),
                           ("valdate", 'Did you mean "validate"?'), ("-x", '"-x" is not an option of holdfast itself'),
                           ("--seeds", "options stand behind a command"), ("", "a command is missing")):
            with self.subTest(word=word):
                text = self.says(word)
                self.assertIn(says, text)
                for command in COMMANDS:
                    self.assertIn(command, text)
        self.assertIn("a command is missing", self.says())
        for word in ("version", "-V", "-v"):
            self.assertIn("write: holdfast --version", self.says(word))

    def test_a_file_in_the_place_of_a_command_is_recognized(self):
        self.assertIn("did you mean: holdfast run fleet.toml", self.says("fleet.toml"))
        self.assertIn("did you mean: holdfast replay run.ndjson", self.says("run.ndjson"))
        file = self.file(HEALTHY, "without_an_ending")
        self.assertIn(f"did you mean: holdfast run {file}", self.says(file))

    def test_a_wrong_option_is_named_with_the_nearest_and_all(self):
        file = self.file(HEALTHY)
        for command, option, near in (("run", "--sead", "--seed"), ("run", "--seeed=1", "--seed"), ("run", "--jsno", "--json"), ("run", "--JSON", "--json"),
                                      ("sweep", "--seed", "--seeds"), ("sweep", "--job", "--jobs"),
                                      ("replay", "--scenaro", "--scenario")):
            with self.subTest(command=command, option=option):
                needed = ["--seeds", "1"] if command == "sweep" else []
                text = self.says(command, file, *needed, option)
                self.assertIn(f'is not an option of "holdfast {command}"', text)
                self.assertIn(f"Did you mean {near}?", text)
        self.assertIn('"-q" is not an option of "holdfast run". The options are --help', self.says("run", file, "-q"))

    def test_a_word_too_many_and_a_word_too_few_are_named(self):
        file = self.file(HEALTHY)
        self.assertIn('"b.toml" is one word too many', self.says("run", file, "b.toml"))
        for command in ("run", "sweep", "replay", "validate"):
            text = self.says(command)
            self.assertIn("required", text)
            self.assertIn(f'"holdfast help {command}" shows how it is used', text)
        self.assertIn("--seed lacks what stands behind it, N;", self.says("run", file, "--seed"))
        self.assertIn("--seed stands more than once;", self.says("run", file, "--seed", "1", "--seed", "2"))
        self.assertIn('a word of the command line is empty ("")', self.says("run", ""))
        for option in ("--trace", "--seed"):
            self.assertIn('""', self.says("run", file, option, ""))

    def test_no_number_is_negative_or_a_fraction_and_lengths_are_corrected(self):
        # "--recheck -1" was taken for a very large number, and nothing was run twice.
        file = self.file(HEALTHY)
        for number in ("-1", "-5", "1.5", "1e3"):
            self.assertIn("--recheck", self.says("sweep", file, "--recheck", number))
            self.assertIn("--services", self.says("predict", file, "--services", number))
            self.assertIn("--runs", self.says("shrink", file, "--seed", "1", "--runs", number))
        self.assertIn("write 5min", self.says("predict", file, "--fails-after", "5m"))

    def test_help_is_to_be_had_in_every_way_people_try(self):
        whole = self.expect(0, "help").stdout
        self.assertEqual(whole, self.expect(0, "--help").stdout)
        self.assertEqual(whole, self.expect(0, "-h").stdout)
        self.assertEqual(whole, self.expect(0, "help", "help").stdout)
        for command in COMMANDS:
            self.assertIn(f"  {command} ", whole)
            text = self.expect(0, "help", command).stdout
            self.assertEqual(text, self.expect(0, command, "--help").stdout)
            self.assertEqual(text, self.expect(0, command, "-h").stdout)
            for part in (f"Usage: holdfast {command} ", "Examples:\n", "Exit status", f"  holdfast {command} "):
                self.assertIn(part, text)
            self.assertLessEqual(max(len(line) for line in text.splitlines()), 120)
        self.assertIn('"foo" is not a command', self.says("help", "foo"))

    def test_every_exit_status_is_in_the_help_and_on_the_page_of_the_command(self):
        whole = self.expect(0, "help").stdout
        page = (holdfast_command.ROOT / "lib/docs/reference/command.md").read_text()
        for status in (0, 1, 2, 3, 4, 130):
            self.assertRegex(whole, rf"\n  {status} +\w")
            self.assertRegex(page, rf"\n\| {status} \| ")

    def test_the_examples_of_the_help_run(self):
        shutil.copytree(holdfast_command.ROOT / "scenarios", self.folder / "scenarios")
        self.file(HEALTHY, "FILE")
        self.file(HEALTHY, "fleet.toml")
        (self.folder / "my_scenarios").mkdir()
        shutil.copy(self.folder / "fleet.toml", self.folder / "my_scenarios")
        shutil.copy(holdfast_command.ROOT / "tests/fuzz/corpus/recording_fuzz/real_run.ndjson", self.folder / "recording.ndjson")
        for policy in ("patient.toml", "hasty.toml"):
            shutil.copy(holdfast_command.ROOT / "scenarios/policies/patient.toml", self.folder / policy)
        shutil.copy(self.folder / "FILE", self.folder / "FILE.toml")
        (self.folder / "failures").mkdir()
        shutil.copy(self.folder / "FILE", self.folder / "failures/one.toml")
        for trace in ("before.ndjson", "after.ndjson", "run.ndjson", "run.hft"):
            self.expect(0, "run", str(self.folder / "FILE"), "--trace", str(self.folder / trace))
        generate = self.folder / "generate"
        generate.write_text(f"#!/bin/sh\ncat {self.folder}/FILE\n")
        generate.chmod(0o755)
        path = f"{self.folder}:{Path(holdfast_command.HOLDFAST).parent}:{os.environ['PATH']}"
        for i, name in ((1, "one"), (2, "two")):  # to be merged
            done = self.run_it("sweep", "FILE", "--seeds", "1..20", "--shard", f"{i}/2", "--ledger", f"{name}.ledger",
                               cwd=self.folder)
            self.assertEqual(done.returncode, 0, done.stderr)
        examples = set()
        for command in ("", *COMMANDS):
            text = self.expect(0, "help", *([command] if command else [])).stdout
            block = text[text.index("Examples:\n"):text.index("Exit status")]
            examples |= {re.split(r" {3,}", line.strip())[0] for line in block.splitlines()[1:] if line.strip()}
        self.assertGreater(len(examples), 15)
        for example in sorted(examples):
            if OF_RUNNING_FLEETS.match(example):
                continue
            if any(tool in example and not shutil.which(tool) for tool in ("jq", "zcat")) or ".gz" in example or "--on " in example:
                continue
            with self.subTest(example=example):
                for made in ("scenario.toml", "my_fleet.toml", "FILE.seed-7.toml"):
                    (self.folder / made).unlink(missing_ok=True)
                if example.startswith("holdfast shrink"):  # of a seed that fails
                    example += " --set expect.restarts=0"
                example = re.sub(r"1\.\.1(000)+", "1..20", example).replace("1..200", "1..12")
                done = subprocess.run(["bash", "-c", example], cwd=self.folder, text=True,
                                      env=os.environ | {"PATH": path}, capture_output=True, timeout=300)
                self.assertIn(done.returncode, (0, 1) if "grep" in example else (0,), done.stderr)


class OneSeed(CommandTest):
    def test_a_single_seed_is_a_range_of_one(self):
        lines = self.expect(0, "sweep", self.file(HEALTHY), "--seeds", "10", "--lines").stdout.splitlines()
        self.assertEqual(lines[0].split()[0], "10")
        self.assertEqual(lines[-1], "held: 1 seed, which prove next to nothing")

    def test_what_people_write_for_a_range_is_answered_with_what_to_write(self):
        file = self.file(HEALTHY)
        for text in ("1-1000", "1:1000", "1...1000", "1..=1000", "1 1000", "1 to 1000"):
            self.assertIn("write 1..1000, or a single seed", self.expect(2, "sweep", file, "--seeds", text).stderr)
        self.assertIn("write 1..9", self.expect(2, "sweep", file, "--seeds", "9..1").stderr)
        for text in ("1,2,3", "all", ""):
            self.assertIn("like 1..1000", self.expect(2, "sweep", file, "--seeds", text).stderr)
        self.assertIn("holdfast sweep FILE --seeds 1..3", self.expect(2, "run", file, "--seed", "1..3").stderr)


class Dash(ReaderTest):
    """A dash is standard input, or standard output."""

    def test_a_scenario_comes_from_standard_input(self):
        file = self.file(HEALTHY)
        for arguments in (["run", "--quiet"], ["validate"], ["sweep", "--seeds", "1..2"]):
            from_file = self.expect(0, *arguments, file).stdout.replace(file, "<stdin>")
            done = self.run_it(*arguments, "-", input=HEALTHY)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, from_file, ""))
        done = self.run_it("run", "-", input=HEALTHY + "cuont = 1\n")
        self.assertEqual(done.returncode, 2)
        self.assertIn("<stdin>:12:1: fleet[0].cuont: unknown key", done.stderr)
        self.assertIn("<stdin>: is ", self.run_it("run", "-", input="#" * (1 << 20) + "\n").stderr)

    def test_recorded_input_of_a_scenario_from_standard_input_lies_in_the_current_folder(self):
        self.file("entity,from,until,cause\nx,1min,2min,disk\n", "t.csv")
        text = 'name = "r"\nduration = "10min"\n[[chaos]]\nrecorded = { file = "t.csv" }\n'
        self.assertEqual(self.run_it("run", "--quiet", "-", input=text, cwd=self.folder).returncode, 0)
        done = self.run_it("run", "-", "--trace", "t.csv", input=text, cwd=self.folder)
        self.assertIn("would overwrite t.csv", done.stderr)

    def test_a_trace_goes_to_standard_output_and_the_summary_to_standard_error(self):
        file, trace = self.file(HEALTHY), self.folder / "t.ndjson"
        self.expect(0, "run", file, "--trace", str(trace))
        done = self.expect(0, "run", file, "--trace", "-")
        self.assertEqual(done.stdout, trace.read_text())
        self.assertTrue(done.stderr.endswith("held\n"))
        done = self.expect(0, "run", file, "--trace", "-", "--json")
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["digest"], json.loads(done.stderr)["digest"])
        self.assertFalse((self.folder / "-").exists())
        self.assertFalse(Path("-").exists())

    def test_a_recording_comes_from_standard_input(self):
        recording = (holdfast_command.ROOT / "tests/fuzz/corpus/recording_fuzz/real_run.ndjson").read_text()
        done = self.run_it("replay", "-", "--trace", "-", input=recording)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stderr.endswith("as recorded\n"))
        self.assertIn("<stdin>", done.stdout.splitlines()[0])
        self.assertIn("two files", self.run_it("replay", "-", "--scenario", "-", input=recording).stderr)

    def test_a_file_called_dash_can_still_be_read(self):
        self.file(HEALTHY, "-")
        self.assertEqual(self.run_it("run", "--quiet", "./-", cwd=self.folder, input="").returncode, 0)

    def test_a_file_that_begins_with_a_dash_stands_behind_two_dashes(self):
        self.file(HEALTHY, "-x.toml")
        self.assertEqual(self.run_it("validate", "--", "-x.toml", cwd=self.folder).returncode, 0)
        self.assertEqual(self.run_it("run", "--quiet", "--", "-x.toml", cwd=self.folder).returncode, 0)
        for command, arguments in (("run", ["-x.toml"]), ("sweep", ["-x.toml", "--seeds", "1..2"]), ("validate", ["ok.toml", "-x.toml"]),
                                   ("run", ["--quiet", "-no_such.toml"]), ("replay", ["-no_such.ndjson"])):
            done = self.run_it(command, *arguments, cwd=self.folder)
            file = next(word for word in arguments if word.startswith("-") and "." in word)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertEqual(done.stderr, f'holdfast: "{file}" begins like an option; write: holdfast {command} -- {file} (or ./{file})\n')
        self.assertIn('"--" is not an option of holdfast itself', self.expect(2, "--").stderr)

    def test_a_reader_of_a_trace_who_goes_away_ends_the_run_without_a_word(self):
        process = subprocess.Popen([holdfast_command.HOLDFAST, "run", self.file(ENDLESS), "--trace", "-"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.assertIn("holdfast_trace", process.stdout.readline())
        process.stdout.close()
        self.assertEqual(self.end_of(process), (0, ""))

    @unittest.skipUnless(os.path.exists("/dev/full"), "the system has no /dev/full")
    def test_a_trace_that_does_not_fit_into_standard_output_is_reported(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([holdfast_command.HOLDFAST, "run", self.file(BUSY), "--trace", "-"], stdout=full,
                                  stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot write the trace to standard output: No space left on device", done.stderr)


class Unusable(CommandTest):
    """Streams that are closed or no files, and files without an end."""

    def closed(self, which: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        script = f'exec {which}; exec "$0" "$@"'
        return subprocess.run(["sh", "-c", script, holdfast_command.HOLDFAST, *arguments], capture_output=True, text=True,
                              timeout=60)

    def test_a_closed_standard_output_is_an_error(self):
        file = self.file(HEALTHY)
        for arguments in (("run", file), ("run", file, "--json"), ("validate", file), ("help",), ("--version",), ("schema",)):
            with self.subTest(arguments=arguments):
                done = self.closed(">&-", *arguments)
                self.assertEqual((done.returncode, done.stderr),
                                 (2, "holdfast: cannot write to standard output: Bad file descriptor\n"))

    def test_a_standard_input_that_cannot_be_read_is_no_empty_scenario(self):
        done = self.closed("<&-", "run", "-")
        self.assertEqual((done.returncode, done.stderr), (2, "<stdin>: cannot be read: Bad file descriptor\n"))
        with_folder = subprocess.run([holdfast_command.HOLDFAST, "run", "-"], stdin=os.open(self.folder, os.O_RDONLY),
                                     capture_output=True, text=True, timeout=60)
        self.assertEqual((with_folder.returncode, with_folder.stderr), (2, "<stdin>: cannot be read: Is a directory\n"))

    def test_standard_input_is_one_file_only(self):
        for command in (("validate", "-", "-"), ("sweep", "-", "-", "--seeds", "1")):
            done = self.run_it(*command, input=HEALTHY)
            self.assertEqual(done.returncode, 2)
            self.assertIn("holdfast: standard input (-) can be one file only", done.stderr)

    def test_a_ledger_is_a_file_with_an_end(self):
        # All of /dev/full and /dev/zero was read, which filled the memory.
        for device in ("/dev/full", "/dev/zero", "/dev/null"):
            text = self.expect(2, "sweep", self.file(HEALTHY), "--seeds", "1..3", "--ledger", device).stderr
            self.assertEqual(text, f"holdfast: {device}: is not a regular file, and cannot be gone on with\n")


class Init(CommandTest):
    def test_it_writes_a_scenario_that_holds_and_says_what_next(self):
        done = self.run_it("init", cwd=self.folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("holdfast run scenario.toml\n", done.stdout)
        for line in re.findall(r"^  holdfast (.*)$", done.stdout, re.MULTILINE):
            self.assertEqual(self.run_it(*line.split(), cwd=self.folder).returncode, 0, line)
        file = str(self.folder / "fleet.toml")
        self.expect(0, "init", file)
        self.assertEqual(Path(file).read_text(), (self.folder / "scenario.toml").read_text())
        self.assertEqual(self.run_it("init", "-").stdout, Path(file).read_text())
        self.assertNotIn("warning", self.expect(0, "validate", file).stdout)

    def test_it_never_overwrites(self):
        file = self.file("precious", "scenario.toml")
        self.assertIn("exists already", self.expect(2, "init", file).stderr)
        self.assertEqual(Path(file).read_text(), "precious")
        os.symlink(self.folder / "nowhere", self.folder / "link")
        self.assertIn("exists already", self.expect(2, "init", str(self.folder / "link")).stderr)
        self.assertIn("cannot be written: No such file", self.expect(2, "init", str(self.folder / "no" / "x.toml")).stderr)


class ListElsewhere(CommandTest):
    def test_without_scenarios_at_hand_it_says_how_to_get_a_first_one(self):
        done = self.run_it("list", cwd=self.folder)
        self.assertEqual(done.returncode, 2)
        self.assertIn('"holdfast init" writes a first one', done.stderr)

    def test_it_finds_what_was_installed_beside_it_wherever_that_lies(self):
        (self.folder / "usr/bin").mkdir(parents=True)
        shutil.copy(holdfast_command.HOLDFAST, self.folder / "usr/bin")
        (self.folder / "usr/share/doc/holdfast").mkdir(parents=True)
        shutil.copytree(holdfast_command.ROOT / "scenarios", self.folder / "usr/share/doc/holdfast/scenarios")
        os.symlink(self.folder / "usr/bin/holdfast", self.folder / "holdfast")
        done = subprocess.run([self.folder / "holdfast", "list"], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(str(self.folder.resolve() / "usr/share/doc/holdfast/scenarios/flapping.toml") + "\n", done.stdout)


class Readers(ReaderTest):
    def test_a_sweep_whose_reader_goes_away_ends_in_silence(self):
        process = subprocess.Popen([holdfast_command.HOLDFAST, "sweep", self.file(HEALTHY), "--seeds", "1..1000000000", "--lines"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertTrue(process.stdout.readline().startswith("1 held "))
        process.stdout.close()
        self.assertEqual(self.end_of(process), (0, ""))

    def test_the_status_is_that_of_the_seeds_that_were_run(self):
        process = subprocess.Popen([holdfast_command.HOLDFAST, "sweep", self.file(VIOLATED), "--seeds", "1..1000000000", "--lines"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertTrue(process.stdout.readline().startswith("1 violated "))
        process.stdout.close()
        self.end_of(process)
        self.assertEqual(process.returncode, 1)

    def test_it_ends_also_while_a_run_goes_on_and_nothing_is_to_be_printed(self):
        process = subprocess.Popen([holdfast_command.HOLDFAST, "sweep", self.file(ENDLESS), "--seeds", "1..3"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdout.close()
        self.assertEqual(self.end_of(process), (0, ""))


class Interruption(CommandTest):
    def interrupted(self, *arguments: str, by: int = signal.SIGINT, when: str = "timers") -> tuple[int, str, str]:
        """Ends the command when its progress has been shown on a terminal, or its first line in a pipe."""
        error, error_inside = os.openpty()
        process = subprocess.Popen([holdfast_command.HOLDFAST, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=error_inside, text=True)
        os.close(error_inside)
        first = ""
        if when == "timers":
            shown = b""
            while when.encode() not in shown and select.select([error], [], [], 300)[0]:
                shown += os.read(error, 65536)
        else:
            first = process.stdout.readline()
        process.send_signal(by)
        out = first + process.stdout.read()
        process.stdout.close()
        status = process.wait(300)
        os.close(error)
        return status, out, first

    def test_ctrl_c_shows_what_there_is_so_far_and_is_130(self):
        status, text, _ = self.interrupted("run", self.file(ENDLESS))
        self.assertEqual(status, 130)
        for part in ("availability", "digest", " · interrupted\n", "\ninterrupted: this is what there is so far"):
            self.assertIn(part, text)
        self.assertNotIn("\nheld\n", text)

    def test_ctrl_c_in_json_and_sigterm(self):
        status, text, _ = self.interrupted("run", "--json", self.file(ENDLESS), by=signal.SIGTERM)
        self.assertEqual(status, 143)
        summary = json.loads(text)
        self.assertEqual((summary["verdict"], summary["end"]), ("interrupted", "interrupted"))
        self.assertGreater(summary["timers_fired"], 1000)
        self.assertIn("so far", summary["why"])

    def test_ctrl_c_ends_a_sweep_with_the_summary_of_the_seeds_until_then(self):
        file = self.file(HEALTHY)
        status, text, first = self.interrupted("sweep", file, "--seeds", "1..1000000000", "--lines", when="line")
        self.assertEqual(status, 130)
        self.assertTrue(first.startswith("1 held "))
        lines, _, summary = text.partition("\n\n")
        count = len(lines.splitlines())
        self.assertIn(f"interrupted: this is what there is so far, {count:_} of 1_000_000_000 seeds\n".replace("_", " "), summary)
        self.assertRegex(summary, rf"  held +{f'{count:_}'.replace('_', ' ')}  \(100 %\)\n")

        status, text, _ = self.interrupted("sweep", file, "--seeds", "1..1000000000", "--json", "--lines", when="line")
        self.assertEqual(status, 130)
        summary = json.loads(text.splitlines()[-1])
        self.assertEqual((summary["held"], summary["interrupted"]), (len(text.splitlines()) - 1, True))

    def test_ctrl_c_ends_the_run_that_a_sweep_is_in_and_does_not_count_it(self):
        ledger = self.folder / "x.ledger"
        process = subprocess.Popen([holdfast_command.HOLDFAST, "sweep", self.file(ENDLESS), "--seeds", "1..3", "--ledger", str(ledger)],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while int(Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11]) < 20:  # ticks of CPU time
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        try:
            out, says = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.fail("goes on after Ctrl-C")
        self.assertEqual((process.returncode, says), (130, ""))
        self.assertIn("\n  held           0\n", out)
        self.assertTrue(out.endswith("\ninterrupted: this is what there is so far, 0 of 3 seeds\n"), out)
        self.assertEqual(len(ledger.read_bytes().splitlines()), 1)  # its head: no seed has come to anything

    def test_ctrl_c_ends_every_command_that_runs_a_scenario_and_it_says_so(self):
        # "holdfast shrink" went on to the end of its run.
        file = self.file(ENDLESS)
        policy = self.file('[supervisor]\nbackoff = { base = "1s", max = "1s", breaker = "off" }\n', "policy.toml")
        for arguments in (("shrink", file, "--seed", "1"), ("compare", file, policy, "--seeds", "1..4"),
                          ("report", file, "-o", str(self.folder / "page.html"))):
            with self.subTest(command=arguments[0]):
                process = subprocess.Popen([holdfast_command.HOLDFAST, *arguments], stdin=subprocess.DEVNULL,
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                while int(Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11]) < 20:
                    self.assertIsNone(process.poll())
                process.send_signal(signal.SIGINT)
                try:
                    out, says = process.communicate(timeout=60)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.communicate()
                    self.fail("goes on after Ctrl-C")
                self.assertEqual((process.returncode, out), (130, ""))
                self.assertTrue(says.startswith("holdfast: interrupted"), says)
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"scenario.toml", "policy.toml"})

    def test_a_signal_that_was_ignored_at_the_start_stays_ignored(self):
        # As behind nohup, or in the background of a script.
        code = ("import os, signal, subprocess, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
                "p = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True); p.stdout.readline(); "
                "p.send_signal(signal.SIGINT); p.stdout.read(); sys.exit(p.wait())")
        done = subprocess.run([sys.executable, "-c", code, holdfast_command.HOLDFAST, "sweep", self.file(HEALTHY), "--seeds", "1..300",
                               "--lines"], timeout=300)
        self.assertEqual(done.returncode, 0)

    def test_a_trace_of_an_interrupted_run_is_whole_as_far_as_it_goes(self):
        trace = self.folder / "t.ndjson"
        status, text, _ = self.interrupted("run", self.file(ENDLESS), "--trace", str(trace))
        self.assertEqual(status, 130)
        with trace.open("rb") as file:
            file.seek(-600, os.SEEK_END)
            end = json.loads(file.read().decode().splitlines()[-1])
        self.assertEqual(end["end"], "interrupted")
        self.assertIn(f"digest {end['digest']}\n", text)


class Width(CommandTest):
    """What is printed fits, uses what there is, and is ASCII where nothing else can be shown."""

    RECORDING = "tests/fuzz/corpus/recording_fuzz/real_run.ndjson"

    def shown(self, columns: int, *arguments: str, locale: str = "C.UTF-8") -> list[str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG"))}
        done = subprocess.run([holdfast_command.HOLDFAST, *arguments], cwd=holdfast_command.ROOT, capture_output=True, timeout=300,
                              env=environment | {"COLUMNS": str(columns), "LC_ALL": locale})
        return (done.stdout + done.stderr).decode().splitlines()

    LONG = ("real_cluster.toml", "real_storms.toml")  # seconds each, and a minute under a sanitizer

    def everything(self, long: bool) -> list[list[str]]:
        scenarios = sorted(str(file.relative_to(holdfast_command.ROOT)) for file in (holdfast_command.ROOT / "scenarios").glob("*.toml")
                           if long or file.name not in self.LONG)
        return [["run", file] for file in scenarios[::6 if IS_SLOW else 1]] + [["replay", self.RECORDING], ["list"], ["run", self.file(VIOLATED)],
                ["sweep", "scenarios/hangs.toml", "--seeds", "1..20"], ["sweep", self.file(VIOLATED), "--seeds", "1..20"],
                ["run", self.file(HEALTHY + "[budget]\nevents = 50\n", "b.toml")], ["run", self.file(holdfast_command.STALLED, "s.toml")],
                ["compare", "scenarios/hangs.toml", "systemd", "--seeds", "1..4"],
                ["diff", "scenarios/mixed_fleet.toml@1", "scenarios/mixed_fleet.toml@2"], ["run", self.file(self.LONG_NAMES, "long.toml")]]

    # Letters of two columns, and an expectation that no narrow table has room for.
    LONG_NAMES = ('name = "日本語のシナリオ"\nduration = "1h"\n[[fleet]]\nname = "日本語のサービス日本語"\ncount = 3000\n'
                  'runs_for = { exponential = "5min" }\nthen = "fail"\n[[fleet]]\nname = "web"\n[expect]\nrestarts = { min = 1 }\n'
                  '[[expect.property]]\nname = "a storm of restarts that a sweep has to have seen at least once"\n'
                  'sometimes = { of = "日本語のサービス日本語", restarts = { min = 30 }, window = "10s" }\n')

    @staticmethod
    def cells(line: str) -> int:
        """How many columns of a terminal it takes."""
        return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)

    def test_reports_fit_into_40_60_80_and_200_columns(self):
        for columns in (60,) if IS_SLOW else (40, 60, 80, 200):
            for arguments in self.everything(long=columns == 60 and not IS_SLOW):
                lines = self.shown(columns, *arguments)
                self.assertGreater(len(lines), 10)
                # A word may be longer, and a command: a path or a digest is there to be copied.
                commands = ("    holdfast run ", "    holdfast explain ", "why: holdfast explain ")
                long = [line for line in lines if self.cells(line) > columns and len(line.split()) > 1 and not line.startswith(commands)]
                # So are the events of a trace, and a number and its unit are one word.
                long = [line for line in long if not re.match(r" *[-+]? ?\{\"t_ns|[\d ]+ \S+$", line)]
                self.assertEqual(long, [], f"{columns} columns of {arguments}")
                torn = [(line, following) for line, following in zip(lines, lines[1:])
                        if re.search(r"(^|[^\d.])\d{1,3}$", line) and re.match(r" *(\d{3}( |$)|%)", following)]
                self.assertEqual(torn, [], f"{columns} columns of {arguments}")
                self.assertEqual([line for line in lines if line != line.rstrip()], [])

    def test_columns_of_a_table_stand_below_each_other_whatever_letters_are_in_them(self):
        lines = self.shown(120, "run", self.file(self.LONG_NAMES))
        start = next(i for i, line in enumerate(lines) if line.startswith("group "))
        self.assertEqual(len({self.cells(line[:line.rindex("%")]) for line in lines[start + 1:start + 4]}), 1, lines)

    def test_a_narrow_terminal_shows_the_whole_text_of_an_expectation(self):
        for columns in (40, 60):
            text = re.sub(r"\s+", " ", "\n".join(self.shown(columns, "run", self.file(self.LONG_NAMES))))
            name = "a storm of restarts that a sweep has to have seen at least once"
            self.assertEqual(text.count(name), 1, text)

    def test_lines_of_seeds_are_ascii_where_the_locale_is_not_utf_8(self):
        file = self.file(self.LONG_NAMES + "terminated = 5\n")
        for option in ("--lines", "--failed"):
            for locale in ("C", "C.UTF-8"):
                lines = self.shown(100, "sweep", file, "--seeds", "1..2", option, locale=locale)
                self.assertEqual("\n".join(lines).isascii(), locale == "C", lines)

    def test_a_wide_terminal_is_used(self):
        widest = max(len(line) for line in self.shown(200, "run", "scenarios/failure_storm.toml"))
        self.assertGreater(widest, 180)

    def test_a_narrow_terminal_is_taken_for_40_columns(self):
        self.assertEqual(*(self.without_the_clock(self.shown(columns, "run", "scenarios/hangs.toml")) for columns in (7, 40)))

    @staticmethod
    def without_the_clock(lines: list[str]) -> list[str]:
        return [line for line in lines if not re.search(r"virtual time in|times as fast|a second|^ +\S+( fired)?$", line)]

    def test_no_letter_is_beyond_ascii_where_the_locale_is_not_utf_8(self):
        self.file(HEALTHY.replace('"feed"', '"f\u00e9ed \u65e5\u672c"'), "x.toml")
        for locale in ("C",) if IS_SLOW else ("C", "POSIX"):
            for columns in (40,) if IS_SLOW else (40, 100):
                for arguments in [*self.everything(long=False), ["run", str(self.folder / "x.toml")], ["help"], ["help", "run"]]:
                    text = "\n".join(self.shown(columns, *arguments, locale=locale))
                    self.assertTrue(text.isascii(), text)
        self.assertTrue("".join(self.shown(100, "run", "\u201cx\u201d", locale="C")).isascii())
        # JSON is the same everywhere.
        file = self.folder / "x.toml"
        texts = [re.sub(r'"wall_time_ns":\d+', "", self.shown(100, "run", str(file), "--json", locale=locale)[0])
                 for locale in ("C", "C.UTF-8")]
        self.assertEqual(*texts)
        self.assertIn("f\u00e9ed", texts[0])


class Violated(ReaderTest):
    def test_a_violation_in_a_sweep_outweighs_a_reader_who_goes_away(self):
        process = subprocess.Popen([holdfast_command.HOLDFAST, "sweep", self.file(VIOLATED), "--seeds", "1..1000000000", "--lines"],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(self.end_of(process)[0], 1)


if __name__ == "__main__":
    holdfast_command.main()
