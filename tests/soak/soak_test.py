#!/usr/bin/env python3
"""Fleets of a thousand are soaked for some short rounds, in which every event, service and process is accounted for; and
what a soak looks for is noticed when it is there.

    soak_test.py SOAK HOLDFAST

The rounds that take longer are tools/soak's.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
from importlib.machinery import SourceFileLoader
from pathlib import Path

SOAK, HOLDFAST = (Path(argument) for argument in sys.argv[1:3])
DRIVER = Path(__file__).resolve().parent.parent.parent / "tools" / "soak"
soak = SourceFileLoader("soak", str(DRIVER)).load_module()
# A round that is recorded and that nothing disturbs from outside.
QUIET = next(seed for seed in range(10_000) if (plan := soak.Plan.of_round(seed)).beginning == "plain" and not plan.outside
             and plan.ending == "SIGTERM" and plan.seconds < 1)
FAKE = """#!/bin/sh
# soak SEED --recording FILE ...
seed=$1 recording=$3
trap 'exit 0' TERM INT USR1
echo "endpoint 1"
echo ready
{does}
echo '7 services, 8 runs'
while :; do sleep 0.02; done
"""


class SoakTest(unittest.TestCase):
    def soak(self, program: Path, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([DRIVER, "--program", program, "--holdfast", HOLDFAST, *options], capture_output=True, text=True)

    def fake(self, does: str) -> str:
        """What is said of a fleet that does only this."""
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder, "soak")
            program.write_text(FAKE.replace("{does}", does))
            program.chmod(0o755)
            done = subprocess.run([DRIVER, "--program", program, "--holdfast", HOLDFAST, "--round", str(QUIET)],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(f"again: tools/soak --round {QUIET} --program {program}", done.stdout)
            return done.stdout

    def test_fleets_are_disturbed_and_drained_and_everything_agrees(self) -> None:
        done = self.soak(SOAK, "--minutes", "0", "--rounds", "3", "--seed", "1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 5)
        for line in done.stdout.splitlines()[:3]:
            self.assertRegex(line, r"ok: \d+ services, \d+ runs, .* [1-9]\d* abandoned, [1-9]\d* late ends")
        self.assertRegex(done.stdout, r"\nin all: 3 fleets; .* runs \d")
        self.assertRegex(done.stdout, r"\ndisturbed: .*processes \d")

    def test_a_fleet_that_ends_by_itself_is_noticed(self) -> None:
        self.assertIn("ended before it was asked to, with status 7", self.fake("exit 7"))

    def test_a_process_that_is_left_behind_is_noticed(self) -> None:
        said = self.fake('sleep 45 <&- >&- 2>&- &')
        self.assertRegex(said, r"an orphan is alive: \d+, sleep 45")

    def test_a_recording_that_does_not_replay_is_noticed(self) -> None:
        self.assertIn("the replay differs from", self.fake('echo "no recording" >"$recording"'))

    def test_two_rounds_of_one_seed_are_disturbed_alike(self) -> None:
        lines = [self.fake("exit 7").splitlines()[0].split(", 0 s")[0] for _ in range(2)]
        self.assertEqual(lines[0], lines[1])

    def test_without_time_and_rounds_there_is_nothing_to_do(self) -> None:
        done = self.soak(SOAK, "--minutes", "0")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--minutes 0 needs --rounds", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
