#!/usr/bin/env python3
"""What the holdfast command prints on a terminal and elsewhere, and to readers that go away.

    terminal_test.py HOLDFAST SOURCE_ROOT
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import unittest

sys.dont_write_bytecode = True
import holdfast_command  # noqa: E402
from holdfast_command import BUSY, HEALTHY, CommandTest  # noqa: E402


class Terminal(CommandTest):
    def on_terminal(self, *arguments: str, columns: int = 80) -> tuple[int, str, str]:
        """Standard output on one terminal, standard error on another."""
        out, out_inside = pty.openpty()
        error, error_inside = pty.openpty()
        fcntl.ioctl(out_inside, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm"}
        process = subprocess.Popen([holdfast_command.HOLDFAST, *arguments], stdin=subprocess.DEVNULL, stdout=out_inside,
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
        process = subprocess.Popen([holdfast_command.HOLDFAST, "run", self.file(HEALTHY)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        process.stdout.close()
        self.assertEqual(process.stderr.read(), "")
        process.stderr.close()
        self.assertEqual(process.wait(), 0)

    def test_a_closed_standard_output_is_an_error_and_never_mixed_with_the_trace(self):
        trace = self.folder / "t.ndjson"
        done = self.run_it("run", self.file(HEALTHY), "--trace", str(trace), preexec_fn=lambda: os.close(1))
        self.assertEqual((done.returncode, done.stderr), (2, "holdfast: cannot write to standard output: Bad file descriptor\n"))
        for line in trace.read_text().splitlines():
            json.loads(line)

    @unittest.skipUnless(os.path.exists("/dev/full"), "the system has no /dev/full")
    def test_a_summary_that_cannot_be_written_is_reported(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([holdfast_command.HOLDFAST, "run", self.file(HEALTHY)], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("No space left on device", done.stderr)


if __name__ == "__main__":
    holdfast_command.main()
