"""A program that a test has started: its lines, its signals, its end."""

from __future__ import annotations

import signal
import subprocess

PATIENCE = 60  # seconds; turns a hang into a failure


class Started:
    """Use it in a `with` statement: a program that is still running at its end is killed."""

    def __init__(self, *command: object) -> None:
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Started:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def line_with(self, *words: str) -> str:
        """Reads on to the first line that has all of these words in it."""
        for line in self.process.stdout:
            if all(word in line for word in words):
                return line
        raise AssertionError(f"the program ended before it printed a line with {' '.join(words)}")

    def terminate(self) -> int:
        """SIGTERM; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        self.process.stdout.read()
        return self.process.wait(PATIENCE)
