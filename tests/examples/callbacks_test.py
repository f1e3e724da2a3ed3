#!/usr/bin/env python3
"""The example without coroutines and without Asio: it waits for its file, notices when the file goes, and obeys SIGTERM.

    callbacks_test.py PROGRAM
"""

from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
from started import Started  # noqa: E402


class Callbacks(unittest.TestCase):
    def test_restarts_its_service_until_the_file_is_there_and_again_when_it_is_gone(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "file"
            with Started(sys.argv[1], file) as program:
                program.line_with("event=ended service=watch run=3", 'error="No such file or directory"')
                file.touch()
                program.line_with("0 bytes")
                file.write_text("four")
                program.line_with("4 bytes")
                file.unlink()
                program.line_with("event=ended service=watch", "outcome=failed")
                self.assertEqual(program.terminate(), 0)

    def test_says_how_it_is_used(self) -> None:
        with Started(sys.argv[1]) as program:
            self.assertEqual(program.process.wait(), 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
