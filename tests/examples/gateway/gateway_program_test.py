#!/usr/bin/env python3
"""The gateway in the real world, with two venues that misbehave in every way they can.

    gateway_program_test.py GATEWAY FEED_SERVER
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import unittest

PATIENCE = 60  # seconds; turns a hang into a failure
GATEWAY, FEED_SERVER = sys.argv[1:3]


class Child:
    """A program. The test waits for its lines."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self.too_late = threading.Timer(PATIENCE, self.process.kill)
        self.too_late.start()

    def say(self, command: str) -> None:
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def line(self, pattern: str = "") -> str:
        """The next line that the pattern matches as a whole, or any."""
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if not pattern or re.fullmatch(pattern, self.lines[-1]):
                return self.lines[-1]
        raise AssertionError(f"ended without a line like {pattern!r}:\n" + "\n".join(self.lines))

    def end(self) -> int:
        """Its status, once it has ended by itself."""
        self.lines += self.process.stdout.read().splitlines()
        return self.process.wait()

    def kill(self) -> None:
        self.too_late.cancel()
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Gateway(unittest.TestCase):
    def setUp(self) -> None:
        self.a, self.b = self.venue(), self.venue()
        self.a_port, self.b_port = self.a.line(), self.b.line()
        self.gateway = self.child(GATEWAY, self.a_port, self.b_port)
        for venue in (self.a, self.b):
            venue.line("connected")
            venue.say("100 110")
        self.gateway.line(r"alive, [1-9]\d* quotes, 0 orders")

    def child(self, *command: str) -> Child:
        child = Child(*command)
        self.addCleanup(child.kill)
        return child

    def venue(self, *port: str) -> Child:
        return self.child(sys.executable, FEED_SERVER, *port)

    def ends(self, status: int, summary: str) -> None:
        self.assertEqual(self.gateway.end(), status, self.gateway.lines)
        self.assertRegex(self.gateway.lines[-1], summary)

    def test_outlasts_the_death_of_a_venue_and_ends_when_asked(self) -> None:
        self.a.kill()
        self.gateway.line("feed-a ended hung up")
        self.gateway.line("feed-a ended .*Connection refused.*")
        self.a = self.venue(self.a_port)
        self.a.line()
        self.a.say("111 120")  # more than b asks
        self.gateway.line("order EURUSD from b to a")
        self.gateway.process.send_signal(signal.SIGTERM)
        self.ends(0, r"^drained, [1-9]\d* restarts$")
        for name in ("risk", "engine", "feed-a", "feed-b", "heartbeat"):
            self.assertIn(f"{name} terminated", self.gateway.lines)
        self.assertEqual(self.gateway.lines.count("feed-b started"), 1)

    def test_gives_up_a_line_that_misbehaves_and_dials_again(self) -> None:
        for command, error in (("garbage", "no quote: mind the gap"), ("gap", r"quote \d+ instead of \d+"),
                               ("hang_up", "hung up"), ("silence", "silence"), ("120 110", "bid above ask: .*")):
            self.b.say(command)
            self.gateway.line(f"feed-b ended {error}")
            self.b.line("connected")
        self.gateway.process.send_signal(signal.SIGINT)
        self.ends(0, r"^drained, [5-9]\d* restarts$")
        self.assertEqual(self.gateway.lines.count("feed-a started"), 1)

    def test_a_risk_gate_at_its_limit_is_not_started_again_and_takes_the_gateway_with_it(self) -> None:
        for bid in range(111, 121):
            self.a.say(f"{bid} 130")
            self.gateway.line("order EURUSD from b to a")
        self.a.say("121 130")
        self.gateway.line("risk ended exposure limit")
        self.ends(1, "^drained, 0 restarts, failed: risk$")
        self.assertEqual(self.gateway.lines.count("risk started"), 1)
        self.assertEqual(self.gateway.lines.count("order EURUSD from b to a"), 10)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
