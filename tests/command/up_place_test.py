#!/usr/bin/env python3
"""holdfast up where others put it: as process 1, below timeout and setsid, in a terminal that closes, as root with users.

    up_place_test.py HOLDFAST SOURCE_ROOT [TEST...]

What a machine forbids is skipped, with what it said. Nothing here waits for a length of time.
"""

from __future__ import annotations

import grp
import os
import pty
import pwd
import signal
import subprocess
import time
import unittest
from pathlib import Path

import holdfast_command as command
from up_test import PATIENCE, SLEEPER, Up, UpTest

NAMESPACE = ["unshare", "-pf", "--mount-proc"]


def refusal_of(*words: str) -> str:
    """Why this machine does not run a command; empty: it does."""
    try:
        done = subprocess.run([*words, "true"], capture_output=True, text=True, timeout=PATIENCE)
    except OSError as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr.strip() or f"exit status {done.returncode}"


def namespace() -> list[str]:
    """How a namespace of processes is made here."""
    why = ""
    for words in (NAMESPACE, [*NAMESPACE, "-r"]):
        why = refusal_of(*words)
        if not why:
            return words
    raise unittest.SkipTest(f"{' '.join(NAMESPACE)}: {why}")


class Below(UpTest):
    """`up` as the child of another program."""

    def below(self, words: list[str], text: str, **options) -> Up:
        file = self.file('name = "shop"\n' + text, "fleet.toml")
        started = Up(file, environment=self.environment, before=words, **options)
        self.addCleanup(started.kill)
        return started

    def test_a_quiet_fleet_waits_for_no_time_and_gives_back_what_only_its_start_needed(self) -> None:
        up = self.below([], SLEEPER.format("web") + SLEEPER.format("db"), process_group=0)
        up.wait_for("web out up")
        up.wait_for("db out up")
        process = Path(f"/proc/{up.process.pid}")

        def mapped() -> int:
            """What of the program's files is in its memory, in kB."""
            return next(int(line.split()[1]) for line in (process / "status").read_text().splitlines() if line.startswith("RssFile:"))

        def rings() -> bool:
            """Whether a timer is armed for the next minute."""
            lines = [line for file in (process / "fdinfo").iterdir() for line in file.read_text().splitlines()]
            left = [line.split("(")[1] for line in lines if line.startswith("it_value:") and not line.endswith("(0, 0)")]
            return any(int(text.split(",")[0]) < 60 for text in left)

        before = mapped()
        until = time.monotonic() + PATIENCE
        while rings() or mapped() > before * 2 // 3:
            self.assertLess(time.monotonic(), until, f"mapped: {mapped()} kB of {before} kB; a timer is armed: {rings()}")
            time.sleep(0.1)
        self.assertEqual(self.service("web")["phase"], "running")
        self.assertEqual(up.end(), 0)

    def test_as_process_1_it_reaps_orphans_and_drains(self) -> None:
        up = self.below(namespace(), """
[[fleet]]
name = "web"
command = ["sh", "-c", "(setsid sh -c 'sleep 0.01; exit 3' &); (setsid sleep 0.02 &); echo started; exec sleep 1000"]
[[fleet]]
name = "looks"
restart = "on_failure"
backoff = { base = "20ms", max = "20ms", breaker = "off" }
command = ["sh", "-c", "grep -l '^State:.Z' /proc/[0-9]*/status; test $(ls -d /proc/[0-9]* | wc -l) -lt 9 && ! grep -q '^State:.Z' /proc/[0-9]*/status && echo clean"]
""")
        self.assertRegex(up.wait_for("holdfast info up: "), "process 1, ")
        up.wait_for("web out started")
        up.wait_for("looks out clean")
        one = self.child_of(up.process.pid)
        os.kill(one, signal.SIGTERM)
        self.assertEqual(up.end(None), 0)
        self.assertRegex(up.lines[-1], "down, exit status 0")

    def test_it_warns_of_a_program_that_goes_into_the_background_and_lets_go_of_everything(self) -> None:
        away = self.folder / "away"
        up = self.below([], f"""
[supervisor]
when_all_terminated = "return"
[[fleet]]
name = "daemon"
restart = "on_failure"
command = ["sh", "-c", "setsid sh -c 'touch {away}; exec sleep 60' </dev/null >/dev/null 2>&1 & while ! [ -e {away} ]; do :; done"]
""")
        line = up.wait_for("began in that time")
        self.assertRegex(line, r"daemon.* process \d+ \((sh|sleep|touch)\), which began in that time, lives on without a supervisor")
        self.assertIn("have it stay in the foreground", line)
        pid = int(line.split("process ")[1].split()[0])
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        self.assertEqual(up.end(None), 0)

    def child_of(self, pid: int) -> int:
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def test_as_process_1_its_end_is_the_end_of_everything_and_its_exit_status_the_containers(self) -> None:
        up = self.below(namespace(), """
[supervisor]
when_all_terminated = "return"
[[fleet]]
name = "web"
restart = "never"
command = ["sh", "-c", "(setsid sleep 1000 &); exit 4"]
""")
        self.assertEqual(up.end(None), 1)

    def test_below_timeout_it_drains_when_the_time_is_over(self) -> None:
        up = self.below(["timeout", "1"], SLEEPER.format("web"))
        up.wait_for("web out up")
        self.assertEqual(up.end(None), 124)
        self.assertRegex(up.lines[-1], "down, exit status 0")

    def test_below_setsid_it_has_no_terminal_and_a_hangup_reloads(self) -> None:
        up = self.below(["setsid", "--wait"], SLEEPER.format("web"))
        up.wait_for("web out up")
        pid = int(up.lines[0].split("process ")[1].split(",")[0])
        os.kill(pid, signal.SIGHUP)
        up.wait_for("reload: 1 service goes on as it is")
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(up.end(None), 0)

    def test_without_standard_streams_it_runs_and_no_file_takes_their_place(self) -> None:
        log = self.folder / "web.log"
        file = self.file(f'name = "shop"\n[[fleet]]\nname = "web"\ncommand = ["sh", "-c", "ls -l /proc/$PPID/fd/0; echo up; exec sleep 1000"]\n'
                         f'log = {{ path = "{log}" }}\n', "fleet.toml")
        process = subprocess.Popen(["sh", "-c", 'exec "$0" up "$1" <&- >&- 2>&-', command.HOLDFAST, file], env=self.environment)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        until = time.monotonic() + PATIENCE
        while not log.exists() or " web out up\n" not in log.read_text():
            self.assertLess(time.monotonic(), until, "it has not started its service")
            time.sleep(0.01)
        self.run_it("down")
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertIn("/dev/null", log.read_text())

    def test_a_terminal_that_closes_drains(self) -> None:
        file = self.file('name = "shop"\n' + SLEEPER.format("web"), "fleet.toml")
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(command.HOLDFAST, [command.HOLDFAST, "up", file], self.environment)
        seen = b""
        while b"up\r\n" not in seen:
            seen += os.read(terminal, 4096)
        service = self.service("web")["pid"]
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)
        self.assertFalse(os.path.exists(f"/proc/{service}"))


@unittest.skipUnless(os.geteuid() == 0, "only root may run processes as another user")
class Users(UpTest):
    TELL = 'command = ["sh", "-c", "id -u; id -g; id -G; grep -E ^CapEff /proc/self/status; exec sleep 1000"]\n'

    def setUp(self) -> None:
        super().setUp()
        self.folder.chmod(0o755)

    def test_a_service_has_its_user_with_the_users_groups_and_nothing_of_roots(self) -> None:
        nobody = pwd.getpwnam("nobody")
        groups = sorted(os.getgrouplist("nobody", nobody.pw_gid))
        up = self.up(f'[[fleet]]\nname = "web"\nuser = "nobody"\n{self.TELL}')
        up.wait_for("CapEff:.*0000000000000000")
        said = [line.split(" web out ")[1] for line in up.lines if " web out " in line]
        self.assertEqual(said[:2], [str(nobody.pw_uid), str(nobody.pw_gid)])
        self.assertEqual(sorted(map(int, said[2].split())), groups)
        self.assertEqual(up.end(), 0)

    def test_a_group_alone_and_numbers_do(self) -> None:
        up = self.up(f'[[fleet]]\nname = "web"\ngroup = "daemon"\n{self.TELL}[[fleet]]\nname = "num"\nuser = "65533"\ngroup = "65532"\n{self.TELL}')
        up.wait_for("CapEff", 2)
        daemon = str(grp.getgrnam("daemon").gr_gid)
        self.assertEqual([line.split(" out ")[1] for line in up.lines if " web out " in line][:3], ["0", daemon, daemon])
        self.assertEqual([line.split(" out ")[1] for line in up.lines if " num out " in line][:3], ["65533", "65532", "65532"])
        self.assertEqual(up.end(), 0)

    def test_what_runs_before_and_after_has_the_user_too(self) -> None:
        up = self.up("""
[[fleet]]
name = "web"
user = "nobody"
restart = "never"
command = ["sh", "-c", "echo main $(id -un)"]
before_start = ["sh", "-c", "echo before $(id -un)"]
after_stop = ["sh", "-c", "echo after $(id -un)"]
""")
        for word in ("before", "main", "after"):
            up.wait_for(f"web out {word} nobody$")
        up.end()

    def test_it_obeys_a_stop_and_is_killed_after_its_grace_all_the_same(self) -> None:
        up = self.up("""
[[fleet]]
name = "deaf"
user = "nobody"
stop_grace = "50ms"
command = ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"]
""")
        up.wait_for("deaf out deaf")
        pid = self.service("deaf")["pid"]
        self.assertEqual(os.stat(f"/proc/{pid}").st_uid, 65534)
        up.end()
        self.assertFalse(os.path.exists(f"/proc/{pid}"))

    def test_its_files_have_its_user_and_its_umask_and_the_log_is_the_supervisors(self) -> None:
        (self.folder / "spool").mkdir()
        os.chown(self.folder / "spool", 65534, 65534)
        up = self.up("""
[[fleet]]
name = "web"
user = "nobody"
umask = "077"
folder = "spool"
log = { path = "web.log" }
restart = "never"
command = ["sh", "-c", "echo hi > file; echo done"]
""")
        up.wait_for("event=ended service=web .*outcome=clean")
        up.end()
        made = (self.folder / "spool" / "file").stat()
        self.assertEqual((made.st_uid, made.st_mode & 0o777), (65534, 0o600))
        self.assertEqual((self.folder / "web.log").stat().st_uid, 0)

    def test_a_user_that_is_not_there_is_said_before_anything_starts(self) -> None:
        file = self.file('name = "x"\n[[fleet]]\nname = "web"\nuser = "no-such-user"\ncommand = ["true"]\n')
        self.assertIn("no-such-user", self.expect(2, "up", file).stderr)


if __name__ == "__main__":
    command.main()
