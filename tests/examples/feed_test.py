#!/usr/bin/env python3
"""The README's program in the real world: it survives the loss of its exchange, and ends at SIGTERM with status 0.

    feed_test.py PROGRAM
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import unittest

PATIENCE = 60  # seconds; turns a hang into a failure


class Program(unittest.TestCase):
    def test_outlasts_its_exchange_and_ends_when_asked(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as exchange:
            exchange.settimeout(PATIENCE)
            program = subprocess.Popen([sys.argv[1], str(exchange.getsockname()[1])], stdout=subprocess.PIPE, text=True)
            try:
                for quote in ("EURUSD 1.0842", "EURUSD 1.0843"):  # the second one after the loss of the first line
                    line, _ = exchange.accept()
                    with line:
                        line.sendall(quote.encode() + b"\n")
                        while (printed := program.stdout.readline()) == "alive\n":
                            pass
                        self.assertEqual(printed, quote + "\n")
                program.send_signal(signal.SIGTERM)
                program.stdout.read()
                self.assertEqual(program.wait(PATIENCE), 0)
            finally:
                program.kill()
                program.wait()
                program.stdout.close()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
