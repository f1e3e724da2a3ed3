#!/usr/bin/env python3
"""holdfast up with real processes, and the commands that control it.

    up_test.py HOLDFAST SOURCE_ROOT [TEST...]

Nothing here waits for a length of time: each test waits for a line, for an answer or for an end.
"""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import threading
import time
from pathlib import Path

import holdfast_command as command
from holdfast_command import CommandTest

PATIENCE = 120.0  # seconds, on a machine that does much else
LINE = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\S+) (out\+?|err\+?|info|warning|error) (.*)$")


class Up:
    """A `holdfast up` that runs, and the lines that it has written so far."""

    def __init__(self, *arguments: str, environment: dict[str, str], before: list[str] | None = None, **options) -> None:
        self.process = subprocess.Popen([*(before or []), command.HOLDFAST, "up", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        errors="replace", env=environment, **options)
        self.lines: list[str] = []
        self.news = threading.Condition()
        self.over = False
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self.news:
                self.lines.append(line.rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.over = True
            self.news.notify_all()

    def wait_for(self, pattern: str, count: int = 1) -> str:
        """The line in which the pattern is found for that many times."""
        def found() -> list[str]:
            return [line for line in self.lines if re.search(pattern, line)]
        with self.news:
            self.news.wait_for(lambda: len(found()) >= count or self.over, PATIENCE)
            if len(found()) < count:
                raise AssertionError(f"{pattern!r} was not there {count} times:\n" + "\n".join(self.lines[-60:]))
            return found()[count - 1]

    def end(self, sent: int | None = signal.SIGTERM) -> int:
        if sent is not None:
            self.process.send_signal(sent)
        try:
            status = self.process.wait(PATIENCE)
        finally:
            self.kill()
        return status

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join(PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


class UpTest(CommandTest):
    def setUp(self) -> None:
        super().setUp()
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(self.folder)}

    def run_it(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        return super().run_it(*arguments, env=self.environment, **options)

    def up(self, text: str, *arguments: str, **options) -> Up:
        started = Up(self.file('name = "shop"\n' + text, "fleet.toml"), *arguments, environment=self.environment, **options)
        self.addCleanup(started.kill)
        return started

    def status(self) -> dict:
        done = self.run_it("status", "--json")
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def service(self, name: str) -> dict:
        return next(service for service in self.status()["fleet"]["services"] if service["name"] == name)

    def phase_becomes(self, name: str, phase: str) -> None:
        until = time.monotonic() + PATIENCE
        while self.service(name)["phase"] != phase:
            self.assertLess(time.monotonic(), until, f"{name} did not become {phase}")


# Says READY=1 once there is a file "go".
NOTIFIER = """
[[fleet]]
name = "{}"
ready = "notified"
command = ["python3", "-c", '''
import os, socket, time
while not os.path.exists("go"): time.sleep(0.01)
address = os.environ["NOTIFY_SOCKET"]
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", "\\0" + address[1:] if address[0] == "@" else address)
time.sleep(1000)''']
"""
SLEEPER = '[[fleet]]\nname = "{}"\ncommand = ["sh", "-c", "echo up; exec sleep 1000"]\n'


class Runs(UpTest):
    def test_a_service_that_crashes_is_started_again_and_the_log_says_why(self) -> None:
        up = self.up("""
[supervisor]
backoff = { base = "1ms", max = "1ms", breaker = "off" }
[[fleet]]
name = "web"
command = ["sh", "-c", "echo run; echo trouble >&2; exit 3"]
""")
        up.wait_for(r"web out run$", 3)
        up.wait_for(r"web err trouble$", 3)
        up.wait_for(r"holdfast warning event=ended service=web .*exit status 3")
        self.assertEqual(up.end(), 0)
        self.assertRegex(up.lines[0], r"holdfast info up: 1 service of .*fleet\.toml, process \d+, control ")
        for line in up.lines:
            self.assertRegex(line, LINE)
        self.assertRegex(up.lines[-1], r"holdfast info down, exit status 0$")

    def test_what_a_run_wrote_stands_above_the_line_about_its_end(self) -> None:
        up = self.up("""
[supervisor]
backoff = { base = "1ms", max = "1ms", breaker = "off" }
[[fleet]]
name = "web"
restart = "never"
command = ["sh", "-c", "seq 2000; printf last; exit 1"]
""")
        up.wait_for("event=ended service=web")
        up.wait_for("event=terminated service=web")
        said = [line for line in up.lines if " web out " in line or "event=ended" in line]
        self.assertEqual([LINE.match(line)[4] for line in said[:-1]], [str(i) for i in range(1, 2001)] + ["last"])
        self.assertEqual(up.end(), 1)  # it had failed for good

    def test_placeholders_folder_environment_and_files_of_variables(self) -> None:
        (self.folder / "sub").mkdir()
        (self.folder / "web.env").write_text("# comment\nexport A=one\nB='two words'\n\nC=three\n")
        up = self.up("""
[[fleet]]
name = "web"
count = 2
command = ["sh", "-c", "echo $0 $1 $A $B $C $${D}; pwd; umask; ulimit -n; exec sleep 1000", "${NAME}", "80${INDEX}"]
environment = { C = "four", D = "d${INDEX}" }
environment_files = ["web.env", "-absent.env"]
folder = "sub"
umask = "027"
limits = { open_files = 99 }
""")
        up.wait_for(r"web-0 out web-0 800 one two words four d0$")
        up.wait_for(r"web-1 out web-1 801 one two words four d1$")
        up.wait_for(rf"web-1 out {re.escape(str((self.folder / 'sub').resolve()))}$")
        up.wait_for(r"web-1 out 0?027$")
        up.wait_for(r"web-1 out 99$")
        self.assertEqual(up.end(), 0)

    def test_services_that_are_named_run_alone(self) -> None:
        up = self.up(SLEEPER.format("web") + "count = 3\n" + SLEEPER.format("db"), "web-1", "db")
        up.wait_for("web-1 out up")
        up.wait_for("db out up")
        self.assertEqual([service["name"] for service in self.status()["fleet"]["services"]], ["web-1", "db"])
        self.assertEqual(up.end(), 0)
        done = self.run_it("up", str(self.folder / "fleet.toml"), "dbb")
        self.assertEqual(done.returncode, 2)
        self.assertIn('there is no service "dbb"; did you mean "db"?', done.stderr)

    def test_the_programs_have_neither_the_descriptors_nor_the_limit_of_holdfast(self) -> None:
        soft = subprocess.run(["sh", "-c", "ulimit -n"], capture_output=True, text=True, check=True).stdout.strip()
        up = self.up('[[fleet]]\nname = "web"\ncommand = ["sh", "-c", "cd /proc/$$/fd; echo *; ulimit -n; exec sleep 1000"]\n')
        # And the one by which the shell reads the folder. A program that it starts for that would see its pipes.
        self.assertRegex(up.wait_for("web out 0"), r"out 0 1 2( \d+)?$")
        up.wait_for(rf"web out {soft}$")
        self.assertEqual(up.end(), 0)

    def test_standard_input_may_be_closed(self) -> None:
        up = self.up(SLEEPER.format("web"), preexec_fn=lambda: os.close(0))
        up.wait_for("web out up")
        self.assertEqual(up.end(), 0)


class Stops(UpTest):
    def test_obeying_services_stop_and_deaf_ones_are_killed_after_their_grace(self) -> None:
        up = self.up("""
[[fleet]]
name = "good"
command = ["sh", "-c", "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done"]
[[fleet]]
name = "deaf"
stop_grace = "100ms"
command = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done"]
""")
        up.wait_for("good out ready")
        up.wait_for("deaf out ready")
        self.assertEqual(up.end(), 0)
        up.wait_for("good out bye")
        up.wait_for("warning event=killed service=deaf")

    def test_another_stop_signal_reaches_the_program(self) -> None:
        up = self.up("""
[[fleet]]
name = "web"
stop_signal = "QUIT"
command = ["sh", "-c", "trap 'echo quit; exit 0' QUIT; echo ready; while :; do sleep 0.01; done"]
""")
        up.wait_for("web out ready")
        self.assertEqual(up.end(signal.SIGINT), 0)
        up.wait_for("web out quit")

    def test_a_second_signal_ends_the_drain(self) -> None:
        up = self.up("""
[[fleet]]
name = "deaf"
stop_grace = "1h"
command = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done"]
[supervisor]
shutdown_timeout = "1h"
""")
        up.wait_for("deaf out ready")
        pid = self.service("deaf")["pid"]
        up.process.terminate()
        up.wait_for("event=shutdown_requested")
        # One within a second is the same stop; each of these says that it was heard, or ends it.
        until = time.monotonic() + PATIENCE
        while up.process.poll() is None and time.monotonic() < until:
            up.process.terminate()
            time.sleep(0.05)
        self.assertEqual(up.process.poll(), 1)
        self.assertFalse(Path(f"/proc/{pid}").exists())

    def test_exit_statuses_that_are_a_success_or_final(self) -> None:
        up = self.up("""
[supervisor]
when_all_terminated = "return"
[[fleet]]
name = "done"
command = ["sh", "-c", "exit 5"]
exit_rules = { clean = [0, 5] }
""")
        self.assertEqual(up.end(None), 0)
        up = self.up("""
[supervisor]
when_all_terminated = "return"
[[fleet]]
name = "wrong"
command = ["sh", "-c", "exit 78"]
exit_rules = { fatal = [78] }
""")
        self.assertEqual(up.end(None), 1)

    def test_a_hangup_without_a_terminal_ends_nothing(self) -> None:
        up = self.up(SLEEPER.format("web"), stdin=subprocess.DEVNULL)
        up.wait_for("web out up")
        up.process.send_signal(signal.SIGHUP)
        self.assertEqual(self.service("web")["phase"], "running")
        self.assertEqual(up.end(), 0)

    def test_a_program_that_is_not_found_is_not_given_up_on(self) -> None:
        up = self.up('[supervisor]\nbackoff = { base = "1ms", max = "1ms" }\n'
                     '[[fleet]]\nname = "web"\ncommand = ["no-such-program"]\n')
        up.wait_for("cannot execute 'no-such-program'")
        up.wait_for("event=breaker_tripped")
        self.assertEqual(self.service("web")["breaker"], "open")
        self.assertEqual(self.service("web")["phase"], "backing_off")
        self.assertEqual(up.end(), 0)


class Logs(UpTest):
    def test_long_lines_are_split_and_marked_and_nothing_is_lost_or_torn(self) -> None:
        up = self.up("""
[[fleet]]
name = "web"
count = 4
command = ["sh", "-c", "i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo $i-${NAME}-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done; exec sleep 1000"]
[[fleet]]
name = "long"
command = ["python3", "-c", "import time; print('x' * 16383 + 'é' * 10000 + 'end', flush=True); time.sleep(1000)"]
""")
        for number in range(4):
            up.wait_for(rf"web-{number} out 300-web-{number}-x{{50}}$")
        last = up.wait_for(r"long out ")
        said = [LINE.match(line) for line in up.lines]
        for number in range(4):
            lines = [line[4] for line in said if line[2] == f"web-{number}"]
            self.assertEqual(lines, [f"{i}-web-{number}-" + "x" * 50 for i in range(1, 301)])
        pieces = [line for line in said if line[2] == "long"]
        self.assertEqual([piece[3] for piece in pieces], ["out+"] * (len(pieces) - 1) + ["out"])
        self.assertGreater(len(pieces), 1)
        self.assertEqual("".join(piece[4] for piece in pieces), "x" * 16383 + "é" * 10000 + "end")
        self.assertTrue(last.endswith("end"))
        self.assertEqual(up.end(), 0)

    def test_json_has_an_object_for_each_line_whatever_bytes_it_has(self) -> None:
        up = self.up("""
[[fleet]]
name = "web"
command = ["sh", "-c", "printf 'a\\\\377\\"b\\\\033[1m\\\\n'; echo x >&2; exec sleep 1000"]
""", "--log-format", "json")
        up.wait_for('"stream":"err"')
        up.wait_for('"stream":"out"')
        self.assertEqual(up.end(), 0)
        lines = [json.loads(line) for line in up.lines]
        said = next(line for line in lines if line["stream"] == "out")
        self.assertEqual(said["service"], "web")
        self.assertRegex(said["line"], r'^a.+"b.+\[1m$')
        own = [line for line in lines if line["stream"] == "holdfast"]
        self.assertIn({"web"}, [{line.get("service")} for line in own])
        self.assertTrue(all(line["level"] in ("info", "warning", "error") for line in own))

    def test_a_log_of_its_own_is_renamed_when_it_is_full_and_keeps_whole_lines(self) -> None:
        up = self.up("""
[[fleet]]
name = "web"
command = ["sh", "-c", "seq 1000 1999; echo done >&2; exec sleep 1000"]
log = { path = "log/${NAME}.log", max_bytes = "4KiB", keep = 3 }
[[fleet]]
name = "mute"
command = ["sh", "-c", "echo nothing; echo $$ > mute; exec sleep 1000"]
log = { to = "nothing" }
""")
        log = self.folder / "log" / "web.log"
        until = time.monotonic() + PATIENCE

        def written() -> bool:
            try:
                return log.read_text().endswith("web err done\n")
            except FileNotFoundError:  # it has not been made yet, or is just being renamed
                return False
        while not written() or not (self.folder / "mute").exists():
            self.assertLess(time.monotonic(), until)
        self.assertEqual(up.end(), 0)
        self.assertEqual(sorted(path.name for path in log.parent.iterdir()), ["web.log", "web.log.1", "web.log.2", "web.log.3"])
        text = "".join((log.parent / name).read_text() for name in ("web.log.3", "web.log.2", "web.log.1", "web.log"))
        said = [LINE.match(line) for line in text.splitlines()]
        numbers = [int(line[4]) for line in said[:-1]]
        self.assertEqual(numbers, list(range(numbers[0], 2000)))
        for path in log.parent.iterdir():
            self.assertLessEqual(path.stat().st_size, 4096)
            self.assertEqual(path.stat().st_mode & 0o022, 0)
        self.assertFalse([line for line in up.lines if " web out " in line or "nothing" in line.split("control")[0]])

    def test_a_reader_that_stands_still_slows_the_programs_and_not_the_supervisor(self) -> None:
        file = self.file("""
name = "shop"
[[fleet]]
name = "flood"
command = ["sh", "-c", "yes 'a line of a flood'"]
[[fleet]]
name = "web"
command = ["sh", "-c", "exec sleep 1000"]
""", "fleet.toml")
        up = subprocess.Popen([command.HOLDFAST, "up", file], stdout=subprocess.PIPE, env=self.environment)
        self.addCleanup(up.kill)
        try:
            until = time.monotonic() + PATIENCE
            while not (self.folder / "holdfast" / "shop.sock").exists():
                self.assertLess(time.monotonic(), until)
            self.phase_becomes("web", "running")
            first = self.service("web")["pid"]
            self.assertEqual(self.run_it("restart", "web").returncode, 0)
            while self.service("web")["pid"] in (first, None):
                self.assertLess(time.monotonic(), until)
            up.send_signal(signal.SIGTERM)
            assert up.stdout
            text = up.stdout.read().decode()
            self.assertEqual(up.wait(PATIENCE), 0)
            self.assertTrue(text.endswith("down, exit status 0\n"))
            for line in text.splitlines():
                self.assertRegex(line, LINE)
        finally:
            up.stdout.close()

    def test_what_cannot_be_written_is_counted(self) -> None:
        with open("/dev/full", "w") as full:
            file = self.file('name = "shop"\n[supervisor]\nwhen_all_terminated = "return"\n'
                             '[[fleet]]\nname = "web"\ncommand = ["sh", "-c", "seq 10"]\n', "fleet.toml")
            done = subprocess.run([command.HOLDFAST, "up", file], stdout=full, stderr=subprocess.PIPE, text=True, env=self.environment,
                                  timeout=PATIENCE)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"holdfast: \d\d lines were lost: cannot write to standard output: No space left on device")


class Control(UpTest):
    def test_status_shows_who_runs_and_what_happens_next(self) -> None:
        up = self.up(SLEEPER.format("web") + """
[[fleet]]
name = "ill"
command = ["sh", "-c", "exit 7"]
backoff = { base = "1h", max = "1h" }
""")
        up.wait_for("web out up")
        up.wait_for("event=backing_off service=ill")
        done = self.run_it("status")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stdout, r"^shop: process \d+, .*/fleet\.toml\nservice +phase +pid +for +restarts +failures\n"
                                      r"web +running +\d+ +\S+ +0 +0\nill +backing_off +- +\S+ +0 +1 +next start in \S+; last: exit status 7\n$")
        status = self.status()
        self.assertEqual(status["pid"], up.process.pid)
        self.assertEqual(status["file"], str(self.folder / "fleet.toml"))
        self.assertEqual(self.run_it("status", str(self.folder / "fleet.toml")).stdout.splitlines()[0], done.stdout.splitlines()[0])
        self.assertEqual(up.end(), 0)

    def test_status_fits_into_a_narrow_terminal(self) -> None:
        name = "a-service-whose-name-is-longer-than-most"
        up = self.up(SLEEPER.format(name) + '[[fleet]]\nname = "ill"\ncommand = ["sh", "-c", "exit 7"]\nbackoff = { base = "1h", max = "1h" }\n')
        up.wait_for("out up")
        up.wait_for("event=backing_off service=ill")
        for columns in ("40", "60"):
            done = subprocess.run([command.HOLDFAST, "status"], capture_output=True, text=True, env=self.environment | {"COLUMNS": columns})
            lines = done.stdout.splitlines()
            # A word may be longer: the path of the file is there to be copied.
            self.assertEqual([line for line in lines if len(line) > int(columns) and len(line.split()) > 1], [], done.stdout)
            self.assertIn(name, lines)
            stacked = re.sub(r"\s+", " ", done.stdout)
            self.assertRegex(stacked, r"phase running, pid \d+, for \S+ restarts 0, failures 0 ill phase backing_off, pid -, ")
            self.assertIn("last: exit status 7", stacked)
        self.assertEqual(up.end(), 0)

    def test_services_are_stopped_started_restarted_and_reset(self) -> None:
        up = self.up(SLEEPER.format("web") + "count = 2\n" + SLEEPER.format("db"))
        for name in ("web-0", "web-1", "db"):
            up.wait_for(f"{name} out up")
        self.assertEqual(self.expect(0, "stop", "web").stdout, "stop: web-0 web-1\n")
        self.phase_becomes("web-0", "terminated")
        self.phase_becomes("web-1", "terminated")
        self.assertEqual(self.expect(0, "stop", "web-0").stdout, "stopped before: web-0\n")
        self.assertEqual(self.expect(0, "start", "web-0", "db").stdout, "start: web-0\nstarted before: db\n")
        up.wait_for("web-0 out up", 2)
        self.assertEqual(self.service("web-1")["phase"], "terminated")
        before = self.service("db")["pid"]
        self.assertEqual(self.expect(0, "restart", "db", "--file", str(self.folder / "fleet.toml")).stdout, "restart: db\n")
        up.wait_for("db out up", 2)
        self.assertNotEqual(self.service("db")["pid"], before)
        self.assertEqual(self.expect(0, "reset", "db").stdout, "reset: db\n")
        refused = self.run_it("restart", "dbb")
        self.assertEqual((refused.returncode, refused.stderr), (1, 'holdfast: there is no service "dbb"; there are: web, db\n'))
        self.assertEqual(up.end(), 0)

    def test_down_returns_when_everything_has_stopped(self) -> None:
        up = self.up(SLEEPER.format("web"))
        up.wait_for("web out up")
        pid = self.service("web")["pid"]
        self.expect(0, "down")
        self.assertFalse(Path(f"/proc/{pid}").exists())
        self.assertEqual(up.end(None), 0)
        gone = self.run_it("status")
        self.assertEqual((gone.returncode, gone.stdout), (2, ""))
        self.assertIn("no fleet of this user is up", gone.stderr)

    def test_a_second_up_of_a_fleet_is_refused_and_a_leftover_is_recovered(self) -> None:
        up = self.up(SLEEPER.format("web"))
        up.wait_for("web out up")
        socket = self.folder / "holdfast" / "shop.sock"
        self.assertEqual(stat.S_IMODE(socket.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(socket.parent.stat().st_mode), 0o700)
        second = self.run_it("up", str(self.folder / "fleet.toml"))
        self.assertEqual((second.returncode, second.stdout), (2, ""))
        self.assertIn(f"this fleet is up already: process {up.process.pid} has {socket}", second.stderr)
        up.end(signal.SIGKILL)
        self.assertTrue(socket.exists())
        third = self.up(SLEEPER.format("web"))
        third.wait_for("web out up")
        self.assertEqual(self.status()["pid"], third.process.pid)
        self.assertEqual(third.end(), 0)
        self.assertFalse(socket.exists())

    def test_the_socket_is_where_the_file_says_and_refuses_what_is_no_request(self) -> None:
        import socket
        up = self.up('[supervisor]\ncontrol = "my.sock"\n' + SLEEPER.format("web"))
        up.wait_for("web out up")
        self.assertEqual(self.run_it("status", str(self.folder / "fleet.toml")).returncode, 0)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.folder / "my.sock"))
            answers = client.makefile()
            for line, says in (("nonsense", "is no request"), ('{"do":"dance"}', 'there is no command \\"dance\\"'),
                               ('{"do":"stop"}', "needs names"), ('{"do":"status","verbose":"x"}', 'has the key \\"verbose\\"'),
                               ('{"do":"stop","names":["\\ud800"]}', "is no request")):
                client.sendall(line.encode() + b"\n")
                answer = answers.readline()
                self.assertIn(says.replace('\\"', '"'), json.loads(answer)["error"])
                self.assertFalse(json.loads(answer)["ok"])
            client.sendall(b"x" * 70000)
            self.assertIn("up to 65536 bytes", answers.readline())
            with self.assertRaises((EOFError, ConnectionResetError)):  # it was closed with bytes that nobody had read
                if not answers.readline():
                    raise EOFError
        self.assertEqual(up.end(), 0)


class Waits(UpTest):
    """--wait of start, restart and stop."""

    def test_a_restart_returns_when_the_new_run_is_ready_and_not_before(self) -> None:
        self.up(NOTIFIER.format("web") + SLEEPER.format("db")).wait_for("db out up")
        waiting = self.run_it("restart", "web", "--wait", "--timeout", "1ms")
        self.assertEqual((waiting.returncode, waiting.stderr), (3, "holdfast: not ready within 1ms: web\n"))
        restart = subprocess.Popen([command.HOLDFAST, "restart", "web", "--wait"], stdout=subprocess.PIPE, text=True, env=self.environment)
        try:
            assert restart.stdout
            self.assertEqual(restart.stdout.readline(), "restart: web\n")
            self.assertEqual(self.service("web")["termination"], None)
            self.assertIsNone(restart.poll())
            (self.folder / "go").touch()
            self.assertEqual(restart.stdout.readline(), "ready: web\n")
            self.assertEqual(restart.wait(PATIENCE), 0)
        finally:
            restart.kill()
            restart.wait()
            restart.stdout.close()
        self.assertEqual(self.service("web")["phase"], "running")
        self.assertEqual(self.expect(0, "start", "web", "--wait").stdout, "started before: web\nready: web\n")

    def test_a_service_that_terminates_or_whose_breaker_opens_is_lost(self) -> None:
        up = self.up("""
[[fleet]]
name = "once"
restart = "never"
command = ["sh", "-c", "exit 7"]
[[fleet]]
name = "ill"
command = ["sh", "-c", "exit 8"]
backoff = { base = "1ms", max = "1ms", breaker = { max_failures = 3, half_open = { open_for = "1h", open_for_max = "1h" } } }
""")
        up.wait_for("event=terminated service=once")
        up.wait_for("event=breaker_tripped service=ill")
        done = self.run_it("start", "once", "--wait")
        self.assertEqual((done.returncode, done.stdout), (1, "start: once\n"))
        self.assertEqual(done.stderr, "holdfast: once is lost: failed: exit status 7\n")
        done = self.run_it("restart", "ill", "--wait", "--timeout", "1h")
        self.assertEqual((done.returncode, done.stdout), (1, "restart: ill\n"))
        self.assertEqual(done.stderr, "holdfast: ill is lost: its breaker has opened (3/3 failures): exit status 8\n")

    def test_a_stop_returns_when_the_service_has_ended(self) -> None:
        up = self.up("""
[[fleet]]
name = "deaf"
stop_grace = "100ms"
command = ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done"]
""")
        up.wait_for("deaf out ready")
        pid = self.service("deaf")["pid"]
        self.assertEqual(self.expect(0, "stop", "deaf", "--wait").stdout, "stop: deaf\nstopped: deaf\n")
        self.assertFalse(Path(f"/proc/{pid}").exists())
        self.assertEqual(self.expect(0, "stop", "deaf", "--wait").stdout, "stopped before: deaf\nstopped: deaf\n")

    def test_clients_that_went_away_while_they_waited_take_no_place(self) -> None:
        import socket
        self.up(NOTIFIER.format("web")).wait_for("event=added service=web")
        self.phase_becomes("web", "starting")
        for _ in range(40):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(20)
                client.connect(str(self.folder / "holdfast" / "shop.sock"))
                client.sendall(b'{"do":"start","names":["web"],"wait":true}\n')
                self.assertIn(b'"unchanged":["web"]', client.recv(65536))
        self.assertEqual(self.service("web")["phase"], "starting")

    def test_a_timeout_says_what_it_takes(self) -> None:
        done = self.run_it("restart", "web", "--wait", "--timeout", "30")
        self.assertEqual(done.returncode, 2)
        self.assertIn('--timeout: "30" is not a length of time', done.stderr)
        self.assertIn("write both", self.run_it("restart", "web", "--timeout", "30s").stderr)


class Signals(UpTest):
    def test_a_signal_reaches_the_process_and_is_no_stop(self) -> None:
        up = self.up("""
[[fleet]]
name = "web"
count = 2
command = ["sh", "-c", "trap 'echo again' USR1; echo up; while :; do sleep 0.01; done"]
""")
        up.wait_for("web-0 out up")
        up.wait_for("web-1 out up")
        self.assertEqual(self.expect(0, "signal", "web", "usr1").stdout, "signal: web-0 web-1\n")
        up.wait_for("web-0 out again")
        up.wait_for("web-1 out again")
        self.expect(0, "signal", "web-0", "SIGUSR1")
        up.wait_for("web-0 out again", 2)
        self.expect(0, "signal", "web-1", "9")
        up.wait_for("event=ended service=web-1 .*killed by signal 9")
        up.wait_for("web-1 out up", 2)
        self.expect(0, "stop", "web-1", "--wait")
        self.assertEqual(self.expect(0, "signal", "web", "USR1").stdout, "signal: web-0\nnot running: web-1\n")
        self.assertEqual(self.expect(1, "signal", "web-1", "USR1").stdout, "not running: web-1\n")
        self.assertIn('there is no signal "USR3"; did you mean "USR1"?', self.expect(2, "signal", "web", "USR3").stderr)


class Watching(UpTest):
    def test_a_watched_status_comes_again_until_its_reader_goes_away(self) -> None:
        up = self.up(SLEEPER.format("web"))
        up.wait_for("web out up")
        watch = subprocess.Popen([command.HOLDFAST, "status", "--watch", "--json"], stdout=subprocess.PIPE, text=True, env=self.environment)
        try:
            assert watch.stdout
            for _ in range(2):
                self.assertEqual(json.loads(watch.stdout.readline())["fleet"]["services"][0]["phase"], "running")
            watch.stdout.close()
            self.assertEqual(watch.wait(PATIENCE), 0)
        finally:
            watch.kill()
            watch.wait()


class Follows(UpTest):
    """logs and events."""

    def follow(self, *arguments: str) -> subprocess.Popen:
        started = subprocess.Popen([command.HOLDFAST, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=self.environment)

        def end() -> None:
            started.kill()
            started.wait()
            for stream in (started.stdout, started.stderr):
                if stream:
                    stream.close()
        self.addCleanup(end)
        return started

    def test_the_last_lines_come_first_and_then_those_that_are_written(self) -> None:
        up = self.up("""
[[fleet]]
name = "web"
command = ["sh", "-c", "trap 'echo again >&2' USR1; seq 20; while :; do sleep 0.01; done"]
[[fleet]]
name = "mute"
command = ["sh", "-c", "echo nothing; exec sleep 1000"]
log = { to = "nothing" }
""" + SLEEPER.format("db"))
        up.wait_for("web out 20$")
        up.wait_for("db out up$")
        written = [line for line in up.lines if " web out " in line]
        self.assertEqual(self.expect(0, "logs", "web").stdout.splitlines(), written)
        self.assertEqual(self.expect(0, "logs", "web", "-n", "2").stdout.splitlines(), written[-2:])
        self.assertEqual(len(self.expect(0, "logs").stdout.splitlines()), 21)
        done = self.expect(0, "logs", "mute")
        self.assertEqual((done.stdout, done.stderr), ("", 'holdfast: log.to is "nothing" in the file, so there are no lines of mute\n'))
        self.assertIn('there is no service "dbb"', self.expect(1, "logs", "dbb").stderr)
        follower = self.follow("logs", "-f", "-n", "1", "--json", "web")
        assert follower.stdout
        self.assertEqual(json.loads(follower.stdout.readline())["line"], "20")
        self.expect(0, "signal", "web", "USR1")
        said = json.loads(follower.stdout.readline())
        self.assertEqual((said["service"], said["stream"], said["line"]), ("web", "err", "again"))
        self.assertEqual(up.end(), 0)
        self.assertEqual(follower.wait(PATIENCE), 0)

    def test_events_come_as_they_happen_until_the_reader_goes_away(self) -> None:
        up = self.up(SLEEPER.format("web") + SLEEPER.format("db"))
        up.wait_for("web out up")
        up.wait_for("event=running service=db")
        follower = self.follow("events", "-f", "web")
        assert follower.stdout
        self.assertRegex(follower.stdout.readline(), r"holdfast info event=added service=web ")
        self.assertRegex(follower.stdout.readline(), r"holdfast info event=running service=web ")
        self.expect(0, "restart", "db", "web")
        self.assertRegex(follower.stdout.readline(), r"holdfast info event=commanded service=web ")
        follower.stdout.close()
        self.assertEqual(follower.wait(PATIENCE), 0)
        self.assertRegex(self.expect(0, "events", "-n", "1", "db").stdout, r"^\S+ holdfast info event=\S+ service=db .*\n$")

    def test_who_reads_too_slowly_is_told_how_much_is_missing_and_holds_nobody_up(self) -> None:
        import socket
        up = self.up("""
[[fleet]]
name = "flood"
restart = "never"
command = ["sh", "-c", "while [ ! -e go ]; do sleep 0.01; done; seq 100000"]
log = { path = "flood.log", keep = 0 }
""")
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            up.wait_for("event=running service=flood")
            client.connect(str(self.folder / "holdfast" / "shop.sock"))
            client.sendall(b'{"do":"logs","follow":true}\n')
            with client.makefile() as answers:
                self.assertTrue(json.loads(answers.readline())["ok"])
                (self.folder / "go").touch()
                up.wait_for("event=terminated service=flood")
                seen, lost = 0, 0
                while seen + lost < 100000:
                    line = json.loads(answers.readline())
                    lost += line.get("lost", 0)
                    if "line" in line:
                        seen += 1
                        self.assertEqual(int(line["line"]), seen + lost)
                self.assertGreater(lost, 0)
                self.assertEqual(seen + lost, 100000)


class Checks(UpTest):
    """holdfast check: nothing is up here."""

    GOOD = 'name = "x"\n[[fleet]]\nname = "web"\ncommand = ["sh", "-c", "touch started"]\n'

    def finds(self, text: str, *says: str, status: int = 1) -> str:
        done = self.run_it("check", self.file(text, "fleet.toml"))
        self.assertEqual((done.returncode, done.stderr), (status, ""), done.stdout)
        for one in says:
            self.assertIn(one, done.stdout)
        return done.stdout

    def test_a_file_that_can_be_up_is_ok_and_nothing_is_started(self) -> None:
        self.assertRegex(self.finds(self.GOOD + 'log = { path = "logs/web.log" }\n', status=0), r"^ok \S+fleet\.toml: 1 service\n$")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["fleet.toml"])

    def test_a_program_that_cannot_run_is_named_with_its_line(self) -> None:
        def command(word: str) -> str:
            return f'name = "x"\n[[fleet]]\nname = "web"\ncount = 5\ncommand = ["{word}"]\n'
        self.assertIn('fleet.toml:5:11: fleet[0].command: "no-such-program" is in no folder of PATH',
                      self.finds(command("no-such-program"), "(services web-0, web-1, web-2 and 2 more)", "1 error, 5 services"))
        (self.folder / "plain").write_text("x")
        self.finds(command("./plain"), f'"{self.folder}/plain" may not be executed by this user')
        self.finds(command("./absent"), f'"{self.folder}/absent" does not exist; required is a program')
        script = self.folder / "script"
        script.write_text("#!/usr/bin/no-such-shell -e\n")
        script.chmod(0o755)
        self.finds(command("./script"), 'begins with "#!/usr/bin/no-such-shell", which cannot be executed')
        script.write_text("#!/usr/bin/env no-such-shell\n")
        self.finds(command("./script"), 'and "no-such-shell", which is in no folder of PATH')
        self.finds(command("shh") + 'environment = { PATH = "/bin:/usr/bin" }\n', 'which is "/bin:/usr/bin"; did you mean "')

    def test_folders_files_users_and_places_are_looked_at(self) -> None:
        (self.folder / "file").touch()
        for more, says in (('folder = "absent"', ':5:10: fleet[0].folder: "'), ('folder = "file"', "is no folder; required is one"),
                           ('user = "no-such-user"', ":5:8: fleet[0].user: "), ('group = "no-such-group"', ":5:9: fleet[0].group: "),
                           ('environment_files = ["absent.env"]', "absent.env: does not exist"),
                           ('log = { path = "file/web.log" }', "fleet[0].log.path: \""),
                           ('[supervisor]\ncontrol = "file/up.sock"', "6:11: supervisor.control: the control socket is"),
                           ('[supervisor]\nrecording = { folder = "file/rec" }', "supervisor.recording.folder: "),
                           ('[supervisor]\nendpoint = "192.0.2.1:80"', "supervisor.endpoint: cannot listen on 192.0.2.1:80: ")):
            self.assertIn("error: ", self.finds(self.GOOD + more + "\n", says))

    def test_a_grace_that_a_shutdown_cuts_short_is_a_warning(self) -> None:
        said = self.finds(self.GOOD + 'stop_grace = "1min"\n', "fleet[0].stop_grace: is 1min, longer than shutdown_timeout, which is 30s", status=0)
        self.assertTrue(said.startswith("warning: "))

    def test_the_outage_that_loses_a_group_is_told_and_json_has_it_all(self) -> None:
        file = self.file(self.GOOD.replace('"sh"', '"no-such-program"') + "backoff = { breaker = { max_failures = 3 } }\n")
        found = json.loads(self.expect(1, "check", file, "--json").stdout)
        self.assertEqual((found["ok"], found["services"], found["name"]), (False, 1, "x"))
        (finding,) = [finding for finding in found["findings"] if finding["severity"] == "error"]
        self.assertEqual((finding["line"], finding["key"], finding["services"]), (4, "fleet[0].command", ["web"]))
        self.assertRegex(found["certain_loss"], r'^an outage of more than \S+ loses "web" for good')

    def test_a_file_that_is_none_ends_with_2(self) -> None:
        done = self.run_it("check", self.file(self.GOOD + "restrat = 3\n"))
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn('did you mean "restart"?', done.stderr)


class Reloads(UpTest):
    """A file that has changed while it was up."""

    def write(self, text: str) -> None:
        self.file('name = "shop"\n' + text, "fleet.toml")

    def echo(self, name: str, word: str, more: str = "") -> str:
        return f'[[fleet]]\nname = "{name}"\ncommand = ["sh", "-c", "echo {word}; exec sleep 1000"]\n{more}'

    def test_only_what_has_changed_is_touched_after_a_plan(self) -> None:
        recording = '[supervisor]\nrecording = { folder = "rec" }\n'
        up = self.up(recording + self.echo("keep", "k1") + self.echo("other", "o1") + self.echo("patient", "p1") + self.echo("gone", "g1"))
        for line in ("keep out k1", "other out o1", "patient out p1", "gone out g1"):
            up.wait_for(line)
        before = {service["name"]: service["pid"] for service in self.status()["fleet"]["services"]}
        self.assertEqual(self.expect(0, "reload", "--dry-run").stdout, "4 services go on as they are\n")
        self.write(recording.replace('"rec" }', '"rec", keep = 3 }') + self.echo("keep", "k1") + self.echo("other", "o2")
                   + self.echo("patient", "p2", 'stop_grace = "20s"\nlog = { path = "patient.log" }\n') + self.echo("new", "n1"))
        plan = ("~ other: restarted: command changed\n"
                "~ patient: restarted as a new service, because these cannot change in place: log; also changed: stop_grace, command\n"
                "+ new: started\n- gone: stopped and forgotten\n"
                '! [supervisor] takes effect with the next "holdfast up": recording\n'
                "1 service goes on as it is\n")
        self.assertEqual(self.expect(0, "reload", "--dry-run").stdout, plan)
        self.assertEqual({service["name"]: service["pid"] for service in self.status()["fleet"]["services"]}, before)
        self.assertEqual(self.expect(0, "reload").stdout, plan)
        up.wait_for("other out o2")
        up.wait_for("new out n1")
        up.wait_for("event=removed service=gone")
        up.wait_for("event=running service=patient", 2)
        self.assertEqual(self.expect(0, "restart", "patient", "--wait").stdout, "restart: patient\nready: patient\n")
        after = {service["name"]: service["pid"] for service in self.status()["fleet"]["services"]}
        self.assertEqual(sorted(after), ["keep", "new", "other", "patient"])
        self.assertEqual(after["keep"], before["keep"])
        self.assertFalse(Path(f"/proc/{before['gone']}").exists())
        self.assertIn("patient out p2", (self.folder / "patient.log").read_text())
        self.assertEqual(self.run_it("logs", "gone").returncode, 1)
        self.assertEqual(up.end(), 0)
        (recorded,) = (self.folder / "rec").iterdir()
        self.assertIn("as recorded", self.expect(0, "replay", str(recorded)).stdout)

    def test_services_of_a_group_start_again_together_and_a_reload_adds_groups(self) -> None:
        head = '[supervisor]\nrecording = { folder = "rec" }\n'
        pair = '[[group]]\npath = "/pair"\nstrategy = "one_for_all"\n'
        both = self.echo("first", "f1", 'in = "/pair"\n') + self.echo("second", "s1", 'in = "/pair"\n')
        up = self.up(head + pair + both)
        for line in ("first out f1", "second out s1"):
            up.wait_for(line)
        before = {service["name"]: service["pid"] for service in self.status()["fleet"]["services"]}
        os.kill(before["first"], signal.SIGKILL)
        for line in ("first out f1", "second out s1"):
            up.wait_for(line, 2)
        up.wait_for("event=stopping service=second")
        self.assertNotEqual(self.service("second")["pid"], before["second"])
        self.assertEqual(self.service("second")["group"], "/pair")
        self.write(head + pair.replace("one_for_all", "rest_for_one") + '[[group]]\npath = "/more"\n' + both
                   + self.echo("third", "t1", 'in = "/more"\n'))
        self.assertEqual(self.expect(0, "reload").stdout,
                         '+ third: started\n! [[group]] takes effect with the next "holdfast up": /pair\n2 services go on as they are\n')
        up.wait_for("third out t1")
        self.assertEqual(up.end(), 0)
        (recorded,) = (self.folder / "rec").iterdir()
        self.assertIn("as recorded", self.expect(0, "replay", str(recorded)).stdout)

    def test_a_policy_that_changes_is_that_of_the_running_process_and_one_that_has_ended_begins_anew(self) -> None:
        head = '[supervisor]\nrecording = { folder = "rec" }\n'
        job = '[[fleet]]\nname = "job"\ncommand = ["sh", "-c", "echo done; exit 5"]\nrestart = "never"\n'
        up = self.up(head + self.echo("web", "w1") + job)
        up.wait_for("web out w1")
        up.wait_for("event=terminated service=job")
        before = self.service("web")
        self.write(head + self.echo("web", "w1", 'stop_grace = "1s"\nexit_rules = { fatal = [7] }\nbackoff = { base = "1ms", max = "1ms" }\n')
                   + job + "exit_rules = { clean = [5] }\n")
        plan = ("~ web: goes on under another policy: backoff, stop_grace, exit_rules changed\n"
                "~ job: started as a new service, because it has terminated: exit_rules changed\n"
                "0 services go on as they are\n")
        self.assertEqual(self.expect(0, "reload", "--dry-run").stdout, plan)
        self.assertEqual(self.expect(0, "reload").stdout, plan)
        up.wait_for("event=reconfigured service=web")
        up.wait_for("event=terminated service=job .*reason=completed")
        after = self.service("web")
        self.assertEqual((after["pid"], after["starts"]), (before["pid"], 1))
        # And with another program, which is restarted under a third one.
        self.write(head + self.echo("web", "w2", 'restart = "always"\n') + job + "exit_rules = { clean = [5] }\n")
        self.assertEqual(self.expect(0, "reload").stdout.splitlines()[0],
                         "~ web: restarted: restart, backoff, stop_grace, exit_rules, command changed")
        up.wait_for("web out w2")
        self.assertEqual(self.service("web")["restart"], "always")
        self.assertEqual(up.end(), 0)
        (recorded,) = (self.folder / "rec").iterdir()
        self.assertIn("as recorded", self.expect(0, "replay", str(recorded)).stdout)

    def test_a_job_that_is_forgotten_leaves_nothing_and_may_come_again(self) -> None:
        job = self.echo("job", "j", "forget_when_done = true\n").replace("exec sleep 1000", "exit 0")
        up = self.up(self.echo("web", "w1") + job)
        up.wait_for("event=removed service=job")
        self.assertEqual([service["name"] for service in self.status()["fleet"]["services"]], ["web"])
        self.write(self.echo("web", "w1"))
        self.expect(0, "reload")
        self.write(self.echo("web", "w1") + job)
        self.assertEqual(self.expect(0, "reload").stdout, "+ job: started\n1 service goes on as it is\n")
        up.wait_for("event=removed service=job", 2)
        self.assertEqual(up.end(), 0)

    def test_a_wrong_file_changes_nothing_and_says_why(self) -> None:
        up = self.up(self.echo("web", "w1"))
        up.wait_for("web out w1")
        for text, says in ((self.echo("web", "w2", "restrat = 3\n"), "fleet.toml:5:1: fleet[0].restrat: unknown key"),
                           (self.echo("web", "w2", 'user = "no-such-user"\n'), "fleet.toml:5:8: fleet[0].user: "),
                           (self.echo("web", "w2") + self.echo("new", "n1", 'log = { path = "fleet.toml/x" }\n'), "cannot write the log"),
                           (self.echo("web", "w2", 'log = { path = "fleet.toml/x" }\n'), "cannot write the log")):
            self.write(text)
            done = self.run_it("reload")
            self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
            self.assertTrue(done.stderr.startswith("holdfast: nothing has changed\n"))
            self.assertIn(says, done.stderr)
        (self.folder / "fleet.toml").write_text('name = "market"\n' + self.echo("web", "w1"))
        up.process.send_signal(signal.SIGHUP)
        up.wait_for('holdfast error reload: nothing has changed: .*fleet.toml:1:8: name: is "market", and was "shop"; a fleet that is up keeps')
        self.assertEqual([service["starts"] for service in self.status()["fleet"]["services"]], [1])
        self.assertEqual(up.end(), 0)

    def test_a_hangup_reloads_and_who_was_stopped_stays_so(self) -> None:
        up = self.up(self.echo("web", "w1") + self.echo("db", "d1"), stdin=subprocess.DEVNULL)
        up.wait_for("web out w1")
        self.expect(0, "stop", "web", "--wait")
        self.write(self.echo("web", "w2") + self.echo("db", "d1"))
        up.process.send_signal(signal.SIGHUP)
        up.wait_for("holdfast info reload: ~ web: restarted: command changed")
        up.wait_for("holdfast info reload: 1 service goes on as it is")
        self.assertEqual(self.service("web")["phase"], "terminated")
        self.expect(0, "start", "web")
        up.wait_for("web out w2")
        self.assertEqual(self.service("db")["starts"], 1)
        self.assertEqual(up.end(), 0)


class Files(UpTest):
    def test_a_file_without_a_command_is_refused_with_what_to_write(self) -> None:
        done = self.run_it("up", self.file('name = "x"\n[[fleet]]\nname = "web"\n'))
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn('no group has a command, so there is nothing to run; write command = ["program", "argument"]', done.stderr)

    def test_what_is_wrong_is_said_before_anything_starts(self) -> None:
        good = 'name = "x"\n[[fleet]]\nname = "web"\ncommand = ["sh", "-c", "touch started"]\n'
        for more, says in (('user = "no-such-user"\n', "no-such-user"), ('environment_files = ["absent.env"]\n', "absent.env: does not exist"),
                           ('log = { path = "/proc/no/web.log" }\n', "cannot write the log /proc/no/web.log"),
                           ('exit_rules = { clean = [3], fatal = [3] }\n', "which is in exit_rules.clean as well")):
            done = self.run_it("up", self.file(good + more))
            self.assertEqual((done.returncode, done.stdout), (2, ""), more)
            self.assertIn(says, done.stderr)
        (self.folder / "bad.env").write_text("A=1\nnonsense\n")
        done = self.run_it("up", self.file(good + 'environment_files = ["bad.env"]\n'))
        self.assertIn('line 2 of ', done.stderr)
        self.assertFalse((self.folder / "started").exists())

    def test_the_same_file_is_rehearsed(self) -> None:
        file = self.file('name = "x"\nduration = "1h"\n[[fleet]]\nname = "web"\ncommand = ["web"]\nstop_grace = "1s"\n'
                         'runs_for = "10s"\nthen = "hang"\n[[chaos]]\nat = "30min"\nshutdown = true\n')
        self.assertIn("held", self.expect(0, "run", file).stdout)
        trace = self.expect(0, "run", file, "--quiet", "--trace", "-").stdout
        self.assertIn('"killed"', trace)

    def test_a_recording_of_it_replays(self) -> None:
        up = self.up("""
[supervisor]
recording = { folder = "rec", keep = 2 }
backoff = { base = "1ms", max = "2ms", breaker = "off" }
[[fleet]]
name = "web"
command = ["sh", "-c", "echo run; exit 1"]
""")
        up.wait_for("web out run", 4)
        self.assertEqual(up.end(), 0)
        (recording,) = (self.folder / "rec").iterdir()
        self.assertIn("as recorded", self.expect(0, "replay", str(recording)).stdout)


if __name__ == "__main__":
    command.main()
