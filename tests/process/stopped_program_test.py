"""A program that is stopped as a whole (SIGSTOP, as a paused machine) while its deadlines pass.

What ended or arrived before a deadline is in time, whenever the program gets to it: processes that obey their stop, and
descriptors that are ready, with two and with 300 of each (Asio takes 128 at a time from the system).

    stopped_program_test.py PROGRAM
"""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve()
ATTEMPTS = 6  # a machine may be too slow for the test to do its part in time: each attempt has twice as much time


def children_of(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_dead(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"


class StoppedProgramTest(unittest.TestCase):
    def attempt(self, count, grace, then, afterwards):
        """What the program says in the end, with deadlines after so many seconds; None if the machine was too slow."""
        with tempfile.TemporaryDirectory() as folder:
            stay = pathlib.Path(folder, "stay")
            stay.touch()
            program = subprocess.Popen([PROGRAM, str(count), str(grace)], cwd=folder, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
            try:
                until = int(program.stdout.readline().removeprefix("time until "))
                os.waitid(os.P_PID, program.pid, os.WSTOPPED | os.WNOWAIT)
                then(program, stay)
                in_time = time.monotonic_ns() < until
                while time.monotonic_ns() < until + 1_000_000_000:
                    time.sleep(0.01)
                program.send_signal(signal.SIGCONT)
                continued = time.monotonic()
                afterwards(stay)
                said = program.stdout.readline()
                soon = time.monotonic() - continued < grace / 2
                self.assertEqual(program.wait(timeout=60), 0)
                return said if in_time and soon else None
            finally:
                program.send_signal(signal.SIGCONT)
                program.kill()
                program.communicate()

    def outcome(self, count, then, afterwards=lambda stay: None):
        for doublings in range(ATTEMPTS):
            if (said := self.attempt(count, 2 << doublings, then, afterwards)) is not None:
                return said
        self.fail("this machine never does it in time")

    def end_and_write(self, program, stay):
        """All processes end, and there is something to read."""
        stay.unlink()
        program.stdin.write("x")
        program.stdin.flush()
        while not all(is_dead(child) for child in children_of(program.pid)):
            time.sleep(0.01)

    def test_what_ended_and_arrived_in_time_is_in_time(self):
        for count in 2, 300:
            with self.subTest(count=count):
                self.assertEqual(self.outcome(count, self.end_and_write),
                                 f"killed 0, abandoned 0, in time {count}, too late 0\n")

    def test_what_has_not_ended_gets_as_much_time_more_and_what_has_not_arrived_is_too_late(self):
        self.assertEqual(self.outcome(2, lambda program, stay: None, lambda stay: stay.unlink()),
                         "killed 0, abandoned 0, in time 0, too late 2\n")


if __name__ == "__main__":
    unittest.main()
