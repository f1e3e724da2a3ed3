#!/usr/bin/env python3
"""holdfast up with commands before each start and after each end, with lines that say that a service is ready, and below systemd.

    up_errand_test.py HOLDFAST SOURCE_ROOT [TEST...]

Nothing here waits for a length of time: each test waits for a line, for an answer or for an end.
"""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import holdfast_command as command
from up_test import PATIENCE, UpTest

RETRIES = '''
[supervisor]
backoff = { base = "1ms", max = "1ms", breaker = "off" }
'''


def is_alive(pid: int) -> bool:
    """A zombie is not: its parent was the process that ended with it, and process 1 reaps it when it likes."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


class BeforeStart(UpTest):
    def test_it_runs_before_each_start_as_the_service_does_and_its_lines_are_the_services(self) -> None:
        up = self.up(RETRIES + """
[[fleet]]
name = "web"
count = 1
environment = { A = "a" }
folder = "/tmp"
command = ["sh", "-c", "echo main $$ $A $NOTIFY_SOCKET; exit 3"]
before_start = ["sh", "-c", "echo before ${NAME} $A $NOTIFY_SOCKET in $(pwd); echo trouble >&2"]
""")
        up.wait_for(r"web-0 out before web-0 a in /tmp$", 2)
        up.wait_for(r"web-0 err trouble$", 2)
        up.wait_for(r"web-0 out main \d+ a$", 2)
        up.wait_for("event=ended service=web-0 .*outcome=failed .*exit status 3", 2)
        said = [line for line in up.lines if " web-0 out " in line]
        self.assertRegex(said[0], "before")
        self.assertRegex(said[1], "main")
        self.assertEqual(up.end(), 0)

    def test_its_failure_is_a_failed_start_with_its_reason(self) -> None:
        for words, status, says in (('["sh", "-c", "exit 5"]', 5, r"before_start \(sh -c exit 5\): exit status 5"),
                                    ('["sh", "-c", "kill -9 $$"]', 137, r"before_start .*: killed by signal 9"),
                                    ('["no-such-program"]', 127, r"before_start .*: exit status 127"),
                                    ('{ exec = ["sleep", "1000"], timeout = "50ms" }', 124, "took longer than 50ms, and was killed")):
            up = self.up(f"""
[[fleet]]
name = "web"
restart = "never"
command = ["sh", "-c", "echo main"]
before_start = {words}
""")
            up.wait_for(rf'event=ended service=web .*outcome=failed .*error="exit status {status}; its status: .*{says}')
            up.wait_for("event=terminated service=web")
            self.assertEqual(up.end(), 1)
            self.assertFalse([line for line in up.lines if "out main" in line or "event=running" in line])

    def test_a_program_that_is_not_there_ends_the_run_as_it_does_without(self) -> None:
        up = self.up("""
[[fleet]]
name = "web"
restart = "never"
exit_rules = { fatal = [127] }
command = ["no-such-program"]
before_start = ["true"]
""")
        up.wait_for("event=ended service=web .*outcome=fatal .*exit status 127.*cannot execute 'no-such-program'")
        self.assertEqual(up.end(), 1)

    def test_the_service_is_starting_and_those_after_it_wait_until_it_has_ended(self) -> None:
        up = self.up("""
[[fleet]]
name = "db"
command = ["sleep", "1000"]
before_start = ["sh", "-c", "echo preparing; until [ -e go ]; do sleep 0.01; done"]
[[fleet]]
name = "web"
command = ["sleep", "1000"]
after = ["db"]
""")
        up.wait_for("db out preparing")
        db = self.service("db")
        self.assertEqual(db["phase"], "starting")
        self.assertNotEqual(self.service("web")["phase"], "running")
        (self.folder / "go").touch()
        up.wait_for("event=ready service=db|event=running service=db")
        up.wait_for("event=running service=web")
        self.assertEqual(self.service("db")["pid"], db["pid"])  # it has become the program
        self.assertEqual(up.end(), 0)

    def test_a_stop_while_it_runs_stops_it_and_the_service(self) -> None:
        for more in ("", 'stop_to = "process"\n', 'stop_signal = "WINCH"\n'):
            up = self.up(f"""
[[fleet]]
name = "web"
command = ["sh", "-c", "echo main"]
{more}before_start = ["sh", "-c", "echo $$; sleep 1000"]
""")
            errand = int(up.wait_for(r"web out \d+$").split()[-1])
            self.assertEqual(up.end(), 0)
            self.assertFalse(is_alive(errand))
            self.assertFalse([line for line in up.lines if "killed" in line or "abandoned" in line], up.lines)

    def test_a_descriptor_or_a_socket_that_says_ready_is_the_programs_alone(self) -> None:
        up = self.up("""
[[fleet]]
name = "fd"
ready = { fd = 3 }
command = ["sh", "-c", "echo main; echo >&3; exec sleep 1000"]
before_start = ["sh", "-c", "(echo >&3) 2>/dev/null || echo none"]
[[fleet]]
name = "socket"
ready = "notified"
command = ["sh", "-c", "[ -n \\"$NOTIFY_SOCKET\\" ] && echo has it"]
before_start = ["sh", "-c", "[ -z \\"$NOTIFY_SOCKET\\" ] && echo none"]
""")
        up.wait_for("fd out none$")
        up.wait_for("event=running service=fd|event=ready service=fd")
        up.wait_for("socket out none$")
        up.wait_for("socket out has it$")
        self.assertEqual(up.end(), 0)


class AfterStop(UpTest):
    def test_it_learns_how_each_run_has_ended_before_the_next_start(self) -> None:
        tell = '["sh", "-c", "echo after $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS $HOLDFAST_REASON"]'
        for script, says in (("exit 3", "exit-code exited 3 exit status 3"), ("kill -9 $$", "signal killed KILL killed by signal 9"),
                             ("exit 0", "success exited 0")):
            up = self.up(RETRIES + f"""
[[fleet]]
name = "web"
restart = "always"
backoff = {{ clean_restart_delay = "1ms", base = "1ms", max = "1ms", breaker = "off" }}
command = ["sh", "-c", "echo main; {script}"]
after_stop = {tell}
""")
            up.wait_for(f"web out after {says}", 2)
            said = [line.split(" web out ")[1].split()[0] for line in up.lines if " web out " in line]
            self.assertEqual(said[:4], ["main", "after", "main", "after"])
            self.assertEqual(up.end(), 0)

    def test_a_stop_waits_for_it_and_its_failure_is_only_said(self) -> None:
        up = self.up("""
[[fleet]]
name = "web"
command = ["sh", "-c", "echo up; exec sleep 1000"]
after_stop = ["sh", "-c", "echo cleaned $SERVICE_RESULT $EXIT_STATUS; exit 7"]
[[fleet]]
name = "none"
command = ["sh", "-c", "echo up; exec sleep 1000"]
after_stop = ["no-such-program"]
[[fleet]]
name = "slow"
command = ["sh", "-c", "echo up; exec sleep 1000"]
after_stop = { exec = ["sleep", "1000"], timeout = "50ms" }
""")
        for name in ("web", "none", "slow"):
            up.wait_for(f"{name} out up")
        self.assertEqual(up.end(), 0)
        up.wait_for("web out cleaned success TERM")
        up.wait_for('event=warned service=web .*after_stop: exit status 7')
        up.wait_for("event=warned service=none .*after_stop: cannot execute 'no-such-program'")
        up.wait_for("event=warned service=slow .*after_stop: took longer than 50ms, and was killed")

    def test_a_grace_that_is_over_ends_it_too_and_nothing_of_it_stays(self) -> None:
        up = self.up("""
[[fleet]]
name = "web"
stop_grace = "200ms"
command = ["sh", "-c", "echo up; exec sleep 1000"]
after_stop = ["sh", "-c", "echo $$; sleep 1000"]
""")
        up.wait_for("web out up")
        up.process.send_signal(signal.SIGTERM)
        errand = int(up.wait_for(r"web out \d+$").split()[-1])
        up.wait_for("event=warned service=web .*after_stop: killed by signal 9")
        self.assertIn(up.end(None), (0, 1))
        self.assertFalse(is_alive(errand))

    def test_a_reload_that_changes_them_replaces_the_service(self) -> None:
        text = '[[fleet]]\nname = "web"\ncommand = ["sh", "-c", "echo up; exec sleep 1000"]\n'
        up = self.up(text)
        up.wait_for("web out up")
        self.file('name = "shop"\n' + text + 'before_start = ["echo", "before"]\nafter_stop = ["echo", "after"]\n', "fleet.toml")
        done = self.run_it("reload")
        self.assertIn("~ web: restarted as a new service, because these cannot change in place: ready, before_start, after_stop", done.stdout)
        up.wait_for("web out before$")
        up.wait_for("web out up$", 2)
        self.assertEqual(up.end(), 0)
        up.wait_for("web out after$")

    def test_check_looks_for_their_programs(self) -> None:
        file = self.file('name = "x"\n[[fleet]]\nname = "web"\ncommand = ["sleep", "1"]\nbefore_start = ["no-such-a"]\n'
                         'after_stop = { exec = ["no-such-b"] }\n')
        done = self.run_it("check", file)
        self.assertEqual(done.returncode, 1)
        self.assertIn('scenario.toml:5:16: fleet[0].before_start: "no-such-a" is in no folder of PATH', done.stdout)
        self.assertIn('fleet[0].after_stop: "no-such-b" is in no folder of PATH', done.stdout)
        self.expect(0, "validate", file)


class ReadyLine(UpTest):
    def test_a_run_that_ends_right_after_its_line_was_ready(self) -> None:
        up = self.up("""
[[fleet]]
name = "job"
count = 20
restart = "never"
ready = { line = "done" }
command = ["sh", "-c", "seq 2000; printf 'all done\\n'"]
[[fleet]]
name = "silent"
restart = "never"
ready = { line = "done" }
command = ["sh", "-c", "echo nothing"]
""")
        for index in range(20):
            up.wait_for(f"event=ended service=job-{index} ")
        up.wait_for("event=ended service=silent ")
        up.end()
        for index in range(20):
            line = next(line for line in up.lines if f"event=ended service=job-{index} " in line)
            self.assertIn("outcome=clean", line)
            self.assertTrue([line for line in up.lines if f"event=running service=job-{index} " in line])
        self.assertFalse([line for line in up.lines if "event=running service=silent " in line])


class BelowSystemd(UpTest):
    def listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(str(self.folder / "notify"))
        listener.settimeout(PATIENCE)
        self.addCleanup(listener.close)
        return listener

    def hears(self, listener: socket.socket, text: str) -> None:
        while text not in listener.recv(4096).decode().splitlines():
            pass

    def test_it_says_when_the_fleet_is_up_and_that_it_lives_and_that_it_goes_down(self) -> None:
        listener = self.listen()
        self.environment |= {"NOTIFY_SOCKET": str(self.folder / "notify"), "WATCHDOG_USEC": "20000"}
        up = self.up('[[fleet]]\nname = "web"\ncommand = ["sleep", "1000"]\n')
        self.hears(listener, "READY=1")
        for _ in range(3):
            self.hears(listener, "WATCHDOG=1")
        self.assertTrue(self.run_it("status").stdout)
        up.process.send_signal(signal.SIGTERM)
        self.hears(listener, "STOPPING=1")
        self.assertEqual(up.end(None), 0)

    def test_a_watchdog_of_another_process_is_none_of_its_business(self) -> None:
        listener = self.listen()
        self.environment |= {"NOTIFY_SOCKET": str(self.folder / "notify"), "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}
        up = self.up('[[fleet]]\nname = "web"\ncommand = ["sleep", "1000"]\n')
        self.hears(listener, "READY=1")
        up.wait_for("event=running")
        up.process.send_signal(signal.SIGTERM)
        said = listener.recv(4096).decode()
        self.assertEqual(said, "STOPPING=1")
        up.end(None)

    def test_what_the_service_manager_gave_it_is_not_handed_on(self) -> None:
        ours = {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1", "LISTEN_FDS": "1", "LISTEN_PID": "1",
                "LISTEN_FDNAMES": "x", "MAINPID": "1"}
        self.environment |= ours
        tell = "env | grep -E '^(NOTIFY|WATCHDOG|LISTEN|MAINPID)' | sort | tr '\\n' ' '; echo end"
        up = self.up(f"""
[[fleet]]
name = "plain"
command = ["sh", "-c", '''{tell}; exec sleep 1000''']
before_start = ["sh", "-c", '''echo before; {tell}''']
[[fleet]]
name = "asks"
ready = "notified"
watchdog = "1min"
command = ["sh", "-c", '''{tell}; exec sleep 1000''']
[[fleet]]
name = "says"
environment = {{ LISTEN_FDS = "7" }}
command = ["sh", "-c", '''{tell}; exec sleep 1000''']
""")
        up.wait_for("plain out end$", 2)
        up.wait_for("asks out NOTIFY_SOCKET=@.* WATCHDOG_USEC=60000000 end$")
        up.wait_for("says out LISTEN_FDS=7 end$")
        self.assertEqual(up.end(), 0)


if __name__ == "__main__":
    command.main()
