#!/usr/bin/env python3
"""holdfast up with services that are asked whether they are ready and well.

    up_probe_test.py HOLDFAST SOURCE_ROOT [TEST...]

Nothing here waits for a length of time: each test waits for a line, for an answer or for an end.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import holdfast_command as command
from up_test import PATIENCE, UpTest

RETRIES = '''
[supervisor]
backoff = { base = "1ms", max = "1ms", breaker = "off" }
'''
# Waits for the file "go", and answers at its port then; it says on request whether it is well, by the file "sick".
SERVER = """["python3", "-c", '''
import http.server, os, sys, time
while not os.path.exists("go"): time.sleep(0.01)
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if os.path.exists("sick") else 200)
        self.end_headers()
    def log_message(self, *a): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()''', "%s"]"""


def free_ports(count: int) -> list[int]:
    """Neighbours on which nobody listens; the first ends with a 0."""
    for first in range(20000 + os.getpid() % 1000 * 10, 32000, 10):
        try:
            for port in range(first, first + count):
                with socket.socket() as one:
                    one.bind(("127.0.0.1", port))
        except OSError:
            continue
        return list(range(first, first + count))
    raise AssertionError("there are no free ports")


def is_alive(process: int) -> bool:
    """An orphan that has ended may wait to be reaped, by a process 1 that takes its time."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


class Ready(UpTest):
    def go(self, name: str = "go") -> None:
        (self.folder / name).touch()

    def test_each_way_to_be_ready(self) -> None:
        (port,) = free_ports(1)
        sleeper = 'command = ["sh", "-c", "while ! test -e go; do sleep 0.01; done; %s; exec sleep 1000"]'
        up = self.up(f"""
[[fleet]]
name = "by_tcp"
command = {SERVER % port}
ready = {{ tcp = {port}, every = "10ms" }}
[[fleet]]
name = "by_http"
command = ["sleep", "1000"]
ready = {{ http = "http://localhost:{port}/", every = "10ms" }}
[[fleet]]
name = "by_exec"
{sleeper % "touch made"}
ready = {{ exec = ["test", "-e", "made"], every = "10ms" }}
[[fleet]]
name = "by_line"
{sleeper % "echo it is listening on 8080"}
ready = {{ line = "listening on" }}
[[fleet]]
name = "by_error_line"
{sleeper % "echo listening >&2"}
ready = {{ line = "listening" }}
[[fleet]]
name = "by_fd"
{sleeper % "echo >&4"}
ready = {{ fd = 4 }}
""")
        up.wait_for("event=added", 6)
        names = ["by_tcp", "by_http", "by_exec", "by_line", "by_error_line", "by_fd"]
        for name in names:
            self.assertEqual(self.service(name)["phase"], "starting", name)
        self.go()
        for name in names:
            up.wait_for(f"event=running service={name} run=1 ")
        self.assertEqual(up.end(), 0)

    def test_status_and_the_error_say_why_it_is_not_ready(self) -> None:
        (port,) = free_ports(1)
        service = f"""
[[fleet]]
name = "%s"
command = ["sleep", "1000"]
restart = "never"
ready = {{ tcp = {port}, every = "10ms" }}
"""
        up = self.up(service % "patient" + service % "db" + 'start_timeout = "1s"\n')
        why = f"its readiness probe failed: tcp 127.0.0.1:{port}: Connection refused"
        up.wait_for(f'event=ended service=db .*error="not ready within 1s: {why}"')
        until = time.monotonic() + PATIENCE
        while self.status()["probes"] != {"patient": why}:
            self.assertLess(time.monotonic(), until)
        self.assertRegex(self.run_it("status").stdout, f"patient +starting .*{why}")
        up.end()

    def test_services_of_a_group_are_asked_at_their_own_ports(self) -> None:
        ports = free_ports(3)
        up = self.up(f"""
[[fleet]]
name = "web"
count = 3
command = {SERVER % (str(ports[0] // 10) + "${INDEX}")}
ready = {{ http = "http://127.0.0.1:{ports[0] // 10}${{INDEX}}/${{NAME}}", every = "10ms" }}
""")
        self.go()
        for index in range(3):
            up.wait_for(f"event=running service=web-{index} ")
        self.assertEqual(up.end(), 0)

    def test_what_an_earlier_run_wrote_makes_nobody_ready(self) -> None:
        # The first run leaves a line in the pipe that holdfast reads while the second one has started.
        up = self.up(RETRIES + """
[[fleet]]
name = "db"
command = ["sh", "-c", "if ! test -e went; then touch went; echo listening; exit 1; fi; echo second; exec sleep 1000"]
ready = { line = "listening" }
""")
        up.wait_for("db out second")
        self.assertEqual(self.service("db")["phase"], "starting")
        self.assertEqual(self.service("db")["run"], 2)
        self.assertEqual(up.end(), 0)

    def test_a_process_that_ends_while_it_is_asked_leaves_nothing_behind(self) -> None:
        up = self.up(RETRIES + """
[[fleet]]
name = "db"
command = ["sh", "-c", "while ! test -e asked; do sleep 0.01; done; rm asked; exit 1"]
ready = { exec = ["sh", "-c", "sleep 1000 & echo $! >> children; touch asked; wait"], every = "1ms", timeout = "1h" }
""")
        up.wait_for("event=ended service=db", 5)
        self.assertEqual(up.end(), 0)
        for child in (self.folder / "children").read_text().split():
            self.assertFalse(is_alive(int(child)))


class Well(UpTest):
    def test_a_service_that_is_sick_or_stopped_is_replaced(self) -> None:
        (port,) = free_ports(1)
        up = self.up(RETRIES + f"""
[[fleet]]
name = "web"
command = {SERVER % port}
start_timeout = "1min"
ready = {{ tcp = {port}, every = "10ms" }}
health = {{ http = "http://127.0.0.1:{port}/healthz", every = "20ms", timeout = "500ms", failures = 2 }}
""")
        (self.folder / "go").touch()
        up.wait_for("event=running service=web run=1 ")
        (self.folder / "sick").touch()
        up.wait_for(f"health probe failed .1 of 2 in a row.: http 127.0.0.1:{port}/healthz: status 503")
        up.wait_for("event=stopping service=web run=1 cause=watchdog")
        up.wait_for(r'event=ended service=web run=1 .*error="no good health probe for 1s500ms: 2 health probes in a row failed: http .*: status 503"')
        (self.folder / "sick").unlink()
        up.wait_for(r"event=running service=web run=\d+ ", 2)
        run = self.service("web")["run"]
        os.kill(self.service("web")["pid"], signal.SIGSTOP)
        up.wait_for(rf'event=ended service=web run={run} .*error="no good health probe for 1s500ms: 2 health probes in a row failed: http .*: no answer within 500ms')
        self.assertEqual(up.end(), 0)

    def test_a_reload_changes_how_a_service_is_asked(self) -> None:
        text = 'name = "shop"\n' + RETRIES + '[[fleet]]\nname = "web"\ncommand = ["sh", "-c", "sleep 1000"]\n'
        up = self.up(text.removeprefix('name = "shop"\n') + 'ready = { exec = ["false"], every = "10ms" }\n')
        up.wait_for("event=added service=web")
        self.file(text + 'ready = { exec = ["true"], every = "10ms" }\n', "fleet.toml")
        self.assertIn("~ web: restarted: ready changed", self.expect(0, "reload").stdout)
        up.wait_for("event=running service=web")
        self.file(text + 'health = { exec = ["false"], every = "10ms", failures = 1, timeout = "100ms" }\n', "fleet.toml")
        plan = self.expect(0, "reload").stdout
        self.assertIn("~ web: restarted as a new service, because these cannot change in place: ready, watchdog, watchdog_needs; also changed: health", plan)
        up.wait_for("no good health probe for 200ms: its last health probe failed: exec false: exit status 1")
        self.assertEqual(up.end(), 0)

    def test_a_recording_of_services_that_are_asked_replays(self) -> None:
        up = self.up("""
[supervisor]
recording = { folder = "rec" }
backoff = { base = "1ms", max = "1ms", breaker = "off" }
[[fleet]]
name = "web"
command = ["sh", "-c", "echo up; exec sleep 1000"]
ready = { line = "up" }
health = { exec = ["sh", "-c", "echo x >> asked; test $(wc -l < asked) -lt 5"], every = "10ms", timeout = "300ms", failures = 2 }
""")
        up.wait_for("event=ended service=web .*no good health probe", 2)
        self.assertEqual(up.end(), 0)
        (recording,) = (self.folder / "rec").iterdir()
        text = recording.read_text()
        self.assertIn('"watchdog_needs":"health"', text)
        self.assertIn("as recorded", self.expect(0, "replay", str(recording)).stdout)

    def test_check_finds_the_program_of_a_probe(self) -> None:
        file = self.file('''name = "shop"
[[fleet]]
name = "db"
command = ["sleep", "1000"]
ready = { exec = ["pg_is_redy"] }
health = { exec = ["./ask"] }
''', "fleet.toml")
        done = self.run_it("check", file)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout + done.stderr, r'fleet.toml:5:\d+: fleet\[0\].ready.exec: "pg_is_redy" is in no folder of PATH')
        self.assertRegex(done.stdout + done.stderr, r'fleet.toml:6:\d+: fleet\[0\].health.exec: ')

    def test_the_same_file_rehearses(self) -> None:
        text = '''name = "shop"
seed = 1
duration = "1d"
[[fleet]]
name = "web"
command = ["web"]
start_timeout = "30s"
ready = {}
ready_after = { log_normal = { median = "4s", sigma = 0.5 } }
runs_for = { exponential = "1h" }
then = { fail = 1, hang = 1 }
watchdog = "33s"
watchdog_needs = "health"
'''
        asked = text.replace("ready = {}", "ready = { tcp = 5433 }").replace('watchdog = "33s"\nwatchdog_needs = "health"', "health = { tcp = 5433 }")
        told = text.replace("ready = {}", 'ready = "notified"').replace('command = ["web"]\n', 'on_kill = "obey"\nstop_grace = "10s"\nbackoff = { breaker = { half_open = {} } }\n')
        traces = []
        for words in (asked, told):
            trace = self.folder / "trace"
            self.expect(0, "run", self.file(words, "fleet.toml"), "--quiet", "--trace", str(trace))
            traces.append([line for line in trace.read_text().splitlines() if '"kind":"' in line])
        self.assertIn("no good health probe for 33s", "".join(traces[0]))
        self.assertEqual(traces[0], traces[1])


if __name__ == "__main__":
    command.main()
