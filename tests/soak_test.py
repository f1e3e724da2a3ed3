#!/usr/bin/env python3
"""A fleet of a thousand is soaked for two short rounds, in which every event and every service is accounted for.

    soak_test.py SOAK

The rounds that take longer are tools/soak's.
"""

from __future__ import annotations

import subprocess
import sys
import unittest
from pathlib import Path

SOAK = Path(sys.argv[1])
DRIVER = Path(__file__).resolve().parent.parent / "tools" / "soak"


class SoakTest(unittest.TestCase):
    def soak(self, program: Path, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([DRIVER, "--minutes", "0", "--program", program, *options], capture_output=True, text=True)

    def test_a_fleet_is_drained_by_sigterm_and_everything_agrees(self) -> None:
        done = self.soak(SOAK, "--rounds", "2", "--seed", "1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 2)
        for line in done.stdout.splitlines():
            self.assertRegex(line, r"ok: 1\d\d\d services, \d+ runs, .* [1-9]\d* abandoned, [1-9]\d* late ends")

    def test_a_fleet_that_ends_by_itself_or_with_a_status_is_noticed(self) -> None:
        done = self.soak(Path("/bin/true"), "--rounds", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("ended before it was asked to, with status 0", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
