#!/usr/bin/env python3
"""The example that keeps a process running: it restarts one that fails, reports what it printed, and stops it at SIGTERM.

    process_test.py PROGRAM
"""

from __future__ import annotations

import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
from started import Started  # noqa: E402

SCRIPT = 'test -e "$0" || { echo no configuration; exit 3; }; touch "$0.ready"; exec sleep 600'


class Process(unittest.TestCase):
    def test_restarts_a_process_that_fails_and_stops_it_when_asked(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            configuration = Path(folder) / "configuration"
            with Started(sys.argv[1], "sh", "-c", SCRIPT, configuration) as program:
                program.line_with("event=ended service=process run=2", 'error="exit status 3; its output: no configuration')
                configuration.touch()
                while not configuration.with_name("configuration.ready").exists():
                    time.sleep(0.01)  # between two looks
                self.assertEqual(program.terminate(), 0)

    def test_says_what_is_wrong_with_a_command(self) -> None:
        for command in ([], [""]):
            with self.subTest(command=command), Started(sys.argv[1], *command) as program:
                self.assertEqual(program.process.wait(), 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
