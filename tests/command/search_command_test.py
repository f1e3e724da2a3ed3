#!/usr/bin/env python3
"""holdfast sweep with a ledger, merge and shrink, as their users see them.

    search_command_test.py HOLDFAST SOURCE_ROOT
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

sys.dont_write_bytecode = True
import holdfast_command  # noqa: E402
from holdfast_command import CommandTest, HEALTHY, VIOLATED  # noqa: E402

# Some seeds are missed, most are not.
MIXED = HEALTHY + "[expect]\nrestarts = { min = 0, max = 130 }\n"
SEEDS = "1..400"


class Ledger(CommandTest):
    def undisturbed(self, file: str, *more: str) -> str:
        return self.expect(1, "sweep", file, "--seeds", SEEDS, *more).stdout

    def test_a_sweep_that_is_killed_again_and_again_goes_on_and_prints_what_an_undisturbed_one_does(self):
        file, ledger = self.file(MIXED), self.folder / "x.ledger"
        expected = self.undisturbed(file, "--failed")
        command = [holdfast_command.HOLDFAST, "sweep", file, "--seeds", SEEDS, "--failed", "--ledger", str(ledger)]
        kills = 0
        for jobs in ("1", "2", "5", "3", "1"):
            before = ledger.stat().st_size if ledger.exists() else 0
            process = subprocess.Popen([*command, "--jobs", jobs], stdout=subprocess.DEVNULL)
            while process.poll() is None and (not ledger.exists() or ledger.stat().st_size < before + 3000):
                os.sched_yield()
            process.kill()
            kills += process.wait() == -9
            self.assertGreater(ledger.stat().st_size, before)
        self.assertGreater(kills, 0)
        self.assertEqual(self.expect(1, *command[1:]).stdout, expected)
        # It is finished, and nothing is run any more.
        whole = ledger.read_bytes()
        self.assertEqual(self.expect(1, *command[1:]).stdout, expected)
        self.assertEqual(ledger.read_bytes(), whole)
        self.assertEqual(len(whole.splitlines()), 1 + 400)

    def test_half_a_line_at_the_end_is_run_again(self):
        file, ledger = self.file(MIXED), self.folder / "x.ledger"
        expected = self.undisturbed(file, "--ledger", str(ledger))
        lines = ledger.read_bytes().splitlines(keepends=True)
        for kept in (b"", lines[0][:20], b"".join(lines[:1]), b"".join(lines[:7]), b"".join(lines[:200]) + lines[200][:-1]):
            ledger.write_bytes(kept)
            self.assertEqual(self.undisturbed(file, "--ledger", str(ledger)), expected)
            self.assertEqual(sorted(ledger.read_bytes().splitlines(keepends=True)[1:]), sorted(lines[1:]))

    def test_a_ledger_of_something_else_is_refused_and_left_as_it_is(self):
        file, ledger = self.file(MIXED), self.folder / "x.ledger"
        self.undisturbed(file, "--ledger", str(ledger))
        whole = ledger.read_bytes()
        for says, arguments in (("is of the seeds 1..400, shard 1/1", ["--seeds", "1..401"]),
                                ("is of the seeds 1..400, shard 1/1", ["--seeds", SEEDS, "--shard", "1/2"]),
                                ("of another scenario", ["--seeds", SEEDS, "--set", "fleet.feed.count=2"])):
            done = self.expect(2, "sweep", file, "--ledger", str(ledger), *arguments)
            self.assertIn(says, done.stderr)
            self.assertIn("name another ledger, or remove it", done.stderr)
        self.assertEqual(ledger.read_bytes(), whole)
        self.assertIn("is not a ledger", self.expect(2, "sweep", file, "--seeds", "1", "--ledger", file).stderr)
        self.assertIn("a ledger is of one scenario",
                      self.expect(2, "sweep", file, file, "--seeds", "1", "--ledger", str(ledger)).stderr)

    def test_a_broken_line_is_reported_with_its_number(self):
        file, ledger = self.file(MIXED), self.folder / "x.ledger"
        self.undisturbed(file, "--ledger", str(ledger))
        lines = ledger.read_text().splitlines(keepends=True)
        ledger.write_text("".join([*lines[:3], "5 h\n", *lines[3:]]))
        self.assertIn("x.ledger: line 4 has a digest of another length",
                      self.expect(2, "sweep", file, "--seeds", SEEDS, "--ledger", str(ledger)).stderr)

    def test_a_ledger_of_a_build_that_decides_otherwise_is_not_gone_on_with(self):
        file, ledger = self.file(MIXED), self.folder / "x.ledger"
        self.undisturbed(file, "--ledger", str(ledger))
        lines = ledger.read_text().splitlines(keepends=True)
        seed, verdict, digest, rest = lines[9].split(" ", 3)
        ledger.write_text("".join(lines[:9]) + " ".join([seed, verdict, "0" * 32, rest]))
        self.assertIn("another build wrote the ledger", self.expect(2, "sweep", file, "--seeds", SEEDS, "--ledger", str(ledger)).stderr)

    def test_two_sweeps_do_not_share_a_ledger(self):
        file, ledger = self.file(MIXED), self.folder / "x.ledger"
        with ledger.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            self.assertIn("another sweep is writing it", self.expect(2, "sweep", file, "--seeds", "1", "--ledger", str(ledger)).stderr)


class Folder(CommandTest):
    """Ledgers of many processes in one folder."""

    def test_shards_of_any_size_know_each_other_and_come_to_what_one_sweep_does(self):
        file, folder = self.file(MIXED), str(self.folder / "all") + "/"
        expected = self.expect(1, "sweep", file, "--seeds", SEEDS).stdout
        for shard in ("2/3", "1/4"):
            self.expect(0, "sweep", file, "--seeds", SEEDS, "--shard", shard, "--ledger", folder, "--quiet")
        self.assertEqual(self.expect(1, "sweep", file, "--seeds", SEEDS, "--ledger", folder).stdout, expected)
        ledgers = sorted(path.name.split(".")[0] for path in Path(folder).iterdir())
        self.assertEqual(ledgers, ["shard-1-of-1", "shard-1-of-4", "shard-2-of-3"])
        self.assertEqual(self.expect(1, "merge", folder).stdout, expected)
        # Everything is there: nothing is run, and no ledger is begun.
        self.assertEqual(self.expect(1, "sweep", file, "--seeds", SEEDS, "--ledger", folder).stdout, expected)
        self.assertEqual(len(list(Path(folder).iterdir())), 3)

    def test_a_ledger_that_is_only_begun_does_no_harm(self):
        file, folder = self.file(MIXED), self.folder / "all"
        folder.mkdir()
        for name, text in (("empty.ledger", ""), ("half.ledger", '{"kind":"led'), ("notes.txt", "no ledger")):
            (folder / name).write_text(text)
        expected = self.expect(1, "sweep", file, "--seeds", SEEDS).stdout
        self.assertEqual(self.expect(1, "sweep", file, "--seeds", SEEDS, "--ledger", str(folder)).stdout, expected)
        self.assertEqual(self.expect(1, "merge", str(folder)).stdout, expected)

    def test_a_ledger_of_something_else_is_refused(self):
        file, folder = self.file(MIXED), str(self.folder / "all") + "/"
        self.assertIn("has no ledger", self.expect(2, "merge", str(self.folder)).stderr)
        self.expect(0, "sweep", file, "--seeds", SEEDS, "--ledger", folder, "--quiet")
        done = self.expect(2, "sweep", file, "--seeds", "1..401", "--ledger", folder)
        self.assertIn("is of the seeds 1..400", done.stderr)
        self.assertIn("name another folder, or remove it", done.stderr)

    def test_quiet_prints_nothing_and_does_not_end_as_the_seeds_did(self):
        file, folder = self.file(VIOLATED), str(self.folder / "all") + "/"
        done = self.expect(0, "sweep", file, "--seeds", "1..20", "--ledger", folder, "--quiet")
        self.assertEqual(done.stdout + done.stderr, "")
        self.expect(1, "merge", folder)
        self.assertIn("add --ledger", self.expect(2, "sweep", file, "--seeds", "1..20", "--quiet").stderr)


class EngineOptions(CommandTest):
    def test_options_that_contradict_each_other_are_refused(self):
        file = self.file(MIXED)
        (self.folder / "x.ledger").write_text("")
        for says, options in (("--shard: cannot be together with --on: the engine has shards of its own", ["--shard", "1/2"]),
                              ("--stop-at-first: cannot be together with --on", ["--stop-at-first"]),
                              ("--quiet: cannot be together with --on", ["--quiet"]),
                              ("it has to be a folder", ["--ledger", str(self.folder / "x.ledger")]),
                              ("--sshlogin: cannot be together with --on: it is for --on parallel", ["--sshlogin", "one"])):
            self.assertIn(says, self.expect(2, "sweep", file, "--seeds", SEEDS, "--on", "slurm", *options).stderr)
        self.assertIn("tasks have no standard input", self.expect(2, "sweep", "-", "--seeds", SEEDS, "--on", "parallel").stderr)
        self.assertIn("add --on slurm or --on parallel", self.expect(2, "sweep", file, "--seeds", SEEDS, "--tasks", "3").stderr)
        self.assertIn("add --on parallel", self.expect(2, "sweep", file, "--seeds", SEEDS, "--sshlogin", "one").stderr)
        self.assertIn("kubernetes", self.expect(2, "sweep", file, "--seeds", SEEDS, "--on", "kubernetes").stderr)


class Merge(CommandTest):
    def shards(self, file: str, count: int) -> list[str]:
        ledgers = [str(self.folder / f"{i}.ledger") for i in range(1, count + 1)]
        for i, ledger in enumerate(ledgers, 1):
            self.assertIn(self.run_it("sweep", file, "--seeds", SEEDS, "--shard", f"{i}/{count}", "--ledger", ledger,
                                      "--jobs", str(i)).returncode, (0, 1))
        return ledgers

    def test_shards_in_any_order_come_to_what_one_sweep_does_to_the_byte(self):
        file = self.file(MIXED)
        ledgers = self.shards(file, 3)
        for options in ([], ["--json", "--lines"], ["--failed"]):
            expected = self.expect(1, "sweep", file, "--seeds", SEEDS, *options).stdout
            for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0, 1]):  # one is given twice
                self.assertEqual(self.expect(1, "merge", *(ledgers[i] for i in order), *options).stdout, expected)
        # The head of a ledger says which shard it is. A whole ledger overlaps with all of them.
        whole = str(self.folder / "whole.ledger")
        expected = self.expect(1, "sweep", file, "--seeds", SEEDS, "--ledger", whole).stdout
        self.assertEqual(self.expect(1, "merge", whole, *ledgers).stdout, expected)

    def test_a_missing_seed_is_reported_and_nothing_is_printed(self):
        ledgers = self.shards(self.file(MIXED), 4)
        done = self.expect(2, "merge", ledgers[0], ledgers[2], ledgers[3])
        self.assertIn("no ledger has the seeds 101 to 200", done.stderr)
        self.assertEqual(done.stdout, "")
        lines = Path(ledgers[3]).read_text().splitlines(keepends=True)
        Path(ledgers[3]).write_text("".join(line for line in lines if not line.startswith("400 ")))
        self.assertIn("no ledger has seed 400", self.expect(2, "merge", *ledgers).stderr)

    def test_one_seed_with_two_outcomes_has_a_status_of_its_own(self):
        file = self.file(MIXED)
        ledgers = self.shards(file, 2)
        lines = Path(ledgers[1]).read_text().splitlines(keepends=True)
        seed, verdict, digest, rest = lines[5].split(" ", 3)
        other = self.folder / "other.ledger"
        other.write_text("".join([*lines[:5], " ".join([seed, verdict, "f" * 32, rest]), *lines[6:]]))
        done = self.expect(4, "merge", *ledgers, str(other))
        self.assertIn(f"seed {seed} has two outcomes", done.stderr)

    def test_ledgers_of_different_sweeps_are_refused(self):
        one = self.shards(self.file(MIXED), 1)[0]
        other = str(self.folder / "other.ledger")
        self.run_it("sweep", self.file(VIOLATED), "--seeds", SEEDS, "--ledger", other)
        self.assertIn("is of another scenario", self.expect(2, "merge", one, other).stderr)
        self.assertIn("No such file", self.expect(2, "merge", one, str(self.folder / "no")).stderr)
        self.assertIn("is not a ledger", self.expect(2, "merge", self.file(MIXED)).stderr)

    def test_an_impossible_shard_is_refused(self):
        file = self.file(MIXED)
        for shard in ("0/2", "3/2", "1", "a/b", "", "1/0", "1/4294967296", "4294967296/4294967297"):
            self.assertIn("write 1/4 for the first of four", self.expect(2, "sweep", file, "--seeds", SEEDS, "--shard", shard).stderr)
        self.assertIn("there is no seed for 1/3", self.expect(2, "sweep", file, "--seeds", "1..2", "--shard", "1/3").stderr)


class Twice(CommandTest):
    def test_seeds_that_run_twice_have_the_same_result_and_change_no_output(self):
        file = self.file(MIXED)
        expected = self.expect(1, "sweep", file, "--seeds", SEEDS, "--recheck", "0").stdout
        self.assertEqual(self.expect(1, "sweep", file, "--seeds", SEEDS, "--recheck", "1").stdout, expected)
        self.assertEqual(self.expect(1, "sweep", file, "--seeds", SEEDS).stdout, expected)


class OwnSeeds(CommandTest):
    def test_without_seeds_each_file_runs_with_its_own(self):
        file = self.file(MIXED.replace("seed = 3", "seed = 77"))
        done = self.run_it("sweep", file, "--lines")
        self.assertRegex(done.stdout, r"^77 (held|violated) ")
        self.assertEqual(done.stdout, self.run_it("sweep", file, "--lines", "--seeds", "77").stdout)
        self.assertIn("--shard: one seed cannot be shared out", self.expect(2, "sweep", file, "--shard", "1/2").stderr)
        self.assertIn("--on: one seed cannot be shared out", self.expect(2, "sweep", file, "--on", "parallel").stderr)


class Corpus(CommandTest):
    """Failing seeds that are kept."""

    def setUp(self):
        super().setUp()
        self.corpus = self.folder / "failures"

    def sweep(self, status: int, file: str, seeds: str = SEEDS, *more: str) -> str:
        return self.expect(status, "sweep", file, "--seeds", seeds, "--corpus", str(self.corpus), *more).stdout

    def files(self) -> list[Path]:
        return sorted(self.corpus.glob("*.toml"))

    def counted(self) -> list[int]:
        lines = [json.loads(line) for line in (self.corpus / "index.ndjson").read_text().splitlines()]
        return [line["runs"] for line in lines if line["kind"] == "reason"]

    def test_failing_seeds_become_small_files_that_are_run_with_every_sweep(self):
        file = self.file(MIXED)
        failing = int(re.search(r"violated +(\d+)", self.expect(1, "sweep", file, "--seeds", SEEDS).stdout)[1])
        self.assertGreater(failing, 3)
        first = self.sweep(1, file)
        kept = self.files()
        self.assertTrue(0 < len(kept) <= 3, kept)
        for path in kept:
            self.assertRegex(path.name, r"^small\.expectation-restarts-too-many\.seed-\d+\.toml$")
            self.assertIn(f"    {path}\n", first)
            self.assertIn("restarts: ", self.expect(1, "run", str(path)).stdout)
        self.assertEqual(self.counted(), [failing])
        self.assertIn(f"{failing} runs in all sweeps, {len(kept)} kept: expectation restarts: too many", first)
        # The same seeds again: they still fail, count once, and no file is new.
        again = self.sweep(1, file)
        self.assertIn("  still fails\n", again)
        self.assertNotIn("  new\n", again)
        self.assertEqual(self.counted(), [failing])
        self.assertEqual(self.files(), kept)

    def test_a_kept_failure_decides_although_every_seed_holds(self):
        file = self.file(VIOLATED)
        self.sweep(1, file, "1")
        held = self.file(HEALTHY, "held.toml")
        done = self.sweep(1, held, "1..3")
        self.assertIn("held: 3 seeds", done)
        self.assertIn("violated: 1 of 1 file in the corpus fails", done)
        # A service that is never started again has no restarts.
        fixed = self.file(HEALTHY.replace("count = 20", 'count = 20\nrestart = "never"'), "fixed.toml")
        done = self.sweep(0, fixed, "1..3")
        self.assertIn("  fixed\n", done)
        # What is no longer possible proves nothing, and is said.
        kept = self.files()[0]
        kept.write_text(re.sub("then = .*\n", "", re.sub("runs_for = .*\n", "", kept.read_text())))
        self.assertIn("  no longer reaches its precondition\n", self.sweep(0, fixed, "1..3"))

    def test_a_file_that_is_taken_away_is_forgotten_and_its_runs_stay_counted(self):
        file = self.file(VIOLATED)
        self.sweep(1, file, "1")
        for path in self.files():
            path.unlink()
        self.assertNotIn("still fails", self.sweep(1, file, "1"))
        self.assertEqual(self.counted(), [1])
        self.assertEqual(len(self.files()), 1)

    def test_programs_get_the_same(self):
        file, junit = self.file(VIOLATED), self.folder / "x.xml"
        self.sweep(1, file, "1")
        corpus = json.loads(self.sweep(1, file, "1", "--json", "--junit", str(junit)))["corpus"]
        self.assertEqual([entry["status"] for entry in corpus["files"]], ["still fails"])
        self.assertEqual(corpus["reasons"][0]["runs"], 1)
        cases = [case for case in xml.etree.ElementTree.parse(junit).iter("testcase") if case.get("name").startswith("corpus ")]
        self.assertEqual([case.find("failure").get("message") for case in cases], ["still fails"])

    def test_what_is_wrong_with_a_corpus_is_reported_and_nothing_is_overwritten(self):
        file = self.file(VIOLATED)
        self.sweep(1, file, "1..2")
        index = self.corpus / "index.ndjson"
        whole = index.read_text()
        index.write_text(whole + "x\n")
        done = self.expect(2, "sweep", file, "--seeds", "1..2", "--corpus", str(self.corpus))
        self.assertIn("index.ndjson: line 4 is not what", done.stderr)
        self.assertEqual(index.read_text(), whole + "x\n")
        index.write_text(whole)
        kept = self.files()[0]
        kept.write_text(kept.read_text().replace("[[fleet]]", "[[flet]]"))
        self.assertIn('did you mean "fleet"', self.expect(2, "sweep", file, "--seeds", "1..2", "--corpus", str(self.corpus)).stderr)
        self.assertIn("cannot be together with --quiet", self.expect(
            2, "sweep", file, "--seeds", "1..2", "--corpus", str(self.corpus), "--quiet", "--ledger", "x").stderr)
        self.assertIn("name a file", self.expect(2, "sweep", "-", "--seeds", "1..2", "--corpus", str(self.corpus)).stderr)
        in_the_way = self.file("", "in_the_way")
        self.assertIn("in_the_way", self.expect(2, "sweep", file, "--seeds", "1", "--corpus", in_the_way).stderr)
        held = os.open(self.corpus, os.O_RDONLY)
        self.addCleanup(os.close, held)
        fcntl.flock(held, fcntl.LOCK_EX)
        self.assertIn("another sweep uses this corpus",
                      self.expect(2, "sweep", file, "--seeds", "1", "--corpus", str(self.corpus)).stderr)


class Shrink(CommandTest):
    def test_the_file_fails_for_the_same_reason_and_says_why(self):
        file = self.file(VIOLATED + "spawned = { min = 0, max = 30 }\n")
        done = self.expect(0, "shrink", file, "--seed", "3")
        out = self.folder / "scenario.seed-3.toml"
        self.assertRegex(done.stdout, rf"^wrote {out}: expectation restarts: too many \(expected 0, found \d+\)\n")
        text = out.read_text()
        self.assertTrue(text.startswith(f'# Shrunk from {file} with seed 3 by "holdfast shrink".\n#\n# expectation restarts: too many\n'), text)
        self.assertNotIn("spawned", text)
        self.assertNotIn("count", text)
        self.assertIn("violated: 1 of 2 expectations", self.expect(1, "run", str(out)).stdout)
        again = self.run_it("shrink", str(out), "--seed", "3", "--out", "-").stdout
        self.assertEqual(again.split("\n\n", 1)[1], text.split("\n\n", 1)[1])

    def test_the_guide_shows_what_becomes_of_its_scenario(self):
        page = (holdfast_command.ROOT / "lib/docs/guide/shrinking.md").read_text()
        before, after = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
        self.file(before, "cluster.toml")
        done = subprocess.run([holdfast_command.HOLDFAST, "shrink", "cluster.toml", "--seed", "1"], cwd=self.folder, capture_output=True,
                              text=True)
        self.assertIn("".join(f"    {line}\n" for line in done.stdout.splitlines()), page)
        self.assertEqual((self.folder / "cluster.seed-1.toml").read_text(), after)

    def test_a_file_that_is_there_is_left_alone(self):
        file = self.file(VIOLATED)
        precious = self.file("precious", "scenario.seed-3.toml")
        self.assertIn("exists already", self.expect(2, "shrink", file, "--seed", "3").stderr)
        self.assertEqual(Path(precious).read_text(), "precious")

    def test_standard_input_and_output_and_settings(self):
        done = self.run_it("shrink", "-", "--seed", "3", "--set", "expect.restarts=0", input=HEALTHY)
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stdout.startswith("# Shrunk from <stdin> with seed 3"))

    def test_a_seed_that_holds_is_refused(self):
        self.assertIn("seed 3 holds: there is nothing to shrink", self.expect(2, "shrink", self.file(HEALTHY), "--seed", "3").stderr)
        self.expect(2, "shrink", self.file(HEALTHY))

    def test_a_recorded_trace_stays_beside_its_scenario(self):
        (self.folder / "a.csv").write_text("entity,from,until,cause\n0,1min,2min,power\n")
        file = self.file('name = "r"\nduration = "1h"\n[[fleet]]\nname = "feed"\ncount = 2\nrestart = "never"\n'
                         '[[chaos]]\nat = "0s"\nrecorded = { file = "a.csv", of = "feed" }\n[expect]\nfailed = 0\n')
        (self.folder / "elsewhere").mkdir()
        done = self.expect(2, "shrink", file, "--seed", "1", "--out", str(self.folder / "elsewhere/x.toml"))
        self.assertIn("would not find its recorded traces", done.stderr)
        self.expect(0, "shrink", file, "--seed", "1")
        self.expect(1, "run", str(self.folder / "scenario.seed-1.toml"))


if __name__ == "__main__":
    holdfast_command.main()
