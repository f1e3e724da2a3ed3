"""What the tests of the holdfast command share: its path, some scenarios, and how a test runs it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HOLDFAST, ROOT = "", Path()
IS_SLOW = os.environ.get("HOLDFAST_SLOW_BUILD") == "1"  # a test goes through less where there is much
# A job in the background of a shell ignores the one, and one under nohup the other; so would the commands that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


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

    def expect(self, status: int, *arguments: str, **options) -> subprocess.CompletedProcess:
        done = self.run_it(*arguments, **options)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def digest(self, *arguments: str) -> str:
        verdict, digest = self.expect(0, "run", "--quiet", *arguments).stdout.split()
        self.assertEqual(verdict, "held")
        self.assertRegex(digest, DIGEST)
        return digest


def main() -> None:
    """Of a test program: PROGRAM HOLDFAST SOURCE_ROOT [TEST...]"""
    global HOLDFAST, ROOT
    HOLDFAST, ROOT = sys.argv[1], Path(sys.argv[2])
    unittest.main(module="__main__", argv=[sys.argv[0], *sys.argv[3:]])
