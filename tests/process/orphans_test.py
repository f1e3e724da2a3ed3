"""A program that inherits the children of others, as process 1 of a PID namespace or as a subreaper, and reaps them.

    orphans_test.py PROGRAM
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
PATIENCE = 60.0  # seconds

# Writes down its new parent, and ends: orphan NAME PARENT
ORPHAN = """
parent_now() { sed -n 's/^PPid:[[:space:]]*//p' /proc/$$/status; }
while [ "$(parent_now)" = "$2" ]; do :; done
parent_now > "$1.$$"
mv "$1.$$" "$1"  # others may be writing, too
"""
# Leaves two of them behind, in the session of the service and in one of its own, while it is alive itself.
LEAVE = """
sh -c 'sh orphan same $$ &'
sh -c 'setsid sh orphan other $$ &'
exec sleep 1000
"""
NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


def children_of(pid):
    """Their states, by number."""
    found = {}
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            found[int(child)] = pathlib.Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):  # it was reaped before its file was opened, or before it was read
            pass
    return found


def rings_within(pid, seconds):
    """Whether a timer of the process is armed for that time."""
    left = [line.split("(")[1].split(",")[0] for file in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir()
            for line in file.read_text().splitlines() if line.startswith("it_value:") and "(0, 0)" not in line]
    return any(int(second) < seconds for second in left)


class OrphansTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)
        (self.path / "orphan").write_text(ORPHAN)
        (self.path / "leave").write_text(LEAVE)

    def start(self, *options, around=(), ignored=(), blocked=()):
        def set_up():
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        program = subprocess.Popen([*around, PROGRAM, *options], cwd=self.path, stdout=subprocess.PIPE, text=True, preexec_fn=set_up)
        self.addCleanup(program.communicate)
        self.addCleanup(program.kill)
        return program

    def read_until(self, program, words):
        while line := program.stdout.readline():
            if words in line:
                return line
        self.fail(f"the program has ended without \"{words}\"")

    def wait_until(self, holds, what):
        until = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), until, what)
            time.sleep(0.02)

    def heir_of(self, name):
        """The process that inherits the orphan. The orphan then ends."""
        file = self.path / name
        self.wait_until(lambda: file.exists() and file.read_text().endswith("\n"), f"the orphan {name} says nothing")
        return int(file.read_text())

    def wait_for_zombies(self, pid, count):
        self.wait_until(lambda: list(children_of(pid).values()).count("Z") == count,
                        f"it should have {count} zombies")

    def test_process_1_reaps_what_it_inherits(self):
        if subprocess.run([*NAMESPACE, "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
            self.skipTest("this machine does not allow a PID namespace here")
        program = self.start("--shells", "3", "sh leave", around=NAMESPACE)
        self.read_until(program, "ready")
        supervisor = next(iter(children_of(program.pid)))
        self.assertEqual({self.heir_of("same"), self.heir_of("other")}, {1})
        self.wait_for_zombies(supervisor, 0)
        self.wait_until(lambda: len(children_of(supervisor)) == 3, "the processes themselves live on")

    def test_a_subreaper_inherits_and_reaps(self):
        program = self.start("--adopt", "--shells", "3", "sh leave")
        self.read_until(program, "ready")
        self.assertEqual({self.heir_of("same"), self.heir_of("other")}, {program.pid})
        self.wait_for_zombies(program.pid, 0)
        self.wait_until(lambda: len(children_of(program.pid)) == 3, "the processes themselves live on")

    def test_with_sigchld_it_looks_when_a_child_has_ended_and_never_otherwise(self):
        for way in {}, {"ignored": [signal.SIGCHLD]}, {"blocked": [signal.SIGCHLD]}:
            program = self.start("--adopt", "--sigchld", "--shells", "3", "sh leave", **way)
            self.read_until(program, "ready")
            self.assertEqual({self.heir_of("same"), self.heir_of("other")}, {program.pid})
            self.wait_for_zombies(program.pid, 0)
            self.wait_until(lambda: len(children_of(program.pid)) == 3, "the processes themselves live on")
            self.wait_until(lambda: not rings_within(program.pid, 60), "it should wait for no time")
            (self.path / "same").unlink()
            (self.path / "other").unlink()
            os.kill(next(iter(children_of(program.pid))), signal.SIGKILL)  # its child is adopted, and looked for
            self.wait_for_zombies(program.pid, 0)
            self.wait_until(lambda: not rings_within(program.pid, 60), "it should wait for no time again")
            program.kill()
            program.wait()
        polls = self.start("--adopt")
        self.read_until(polls, "ready")
        self.assertTrue(rings_within(polls.pid, 60))

    def test_nothing_is_inherited_otherwise(self):
        program = self.start("--shells", "1", "sh leave")
        self.read_until(program, "ready")
        self.assertNotIn(program.pid, {self.heir_of("same"), self.heir_of("other")})

    def test_a_program_that_says_so_keeps_its_children_and_only_what_its_processes_leave_is_reaped(self):
        program = self.start("--adopt", "--own-child", "4000", "--shells", "1", "sh leave")
        self.read_until(program, "ready")
        self.assertEqual({self.heir_of("same"), self.heir_of("other")}, {program.pid})
        self.wait_for_zombies(program.pid, 2)  # its child, and the orphan with a session of its own
        self.assertEqual(self.read_until(program, "own child"), "own child 7\n")
        self.wait_for_zombies(program.pid, 1)

    def test_a_program_that_waits_at_once_needs_to_say_nothing(self):
        program = self.start("--adopt", "--own-child", "0", "--shells", "1", "sh leave")
        self.assertEqual(self.read_until(program, "own child"), "own child 7\n")

    def test_statuses_of_processes_are_their_services(self):
        program = self.start("--adopt", "--shells", "20", "sleep 0.0$(($$ % 10)); exit 3")
        for _ in range(20):
            self.assertIn('error="exit status 3"', self.read_until(program, "event=ended"))


if __name__ == "__main__":
    unittest.main()
