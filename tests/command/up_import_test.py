#!/usr/bin/env python3
"""holdfast import: the command around it, and that what comes out of it can be checked, rehearsed and run.

    up_import_test.py HOLDFAST SOURCE_ROOT [TEST...]
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import holdfast_command as command
from up_test import PATIENCE, UpTest

CONF = """\
[unix_http_server]
file=/run/supervisor.sock
[supervisord]
logfile=/var/log/supervisord.log ; a comment
nodaemon=true
[program:db]
command=sh -c "echo db is up; exec sleep 1000"
priority=1
stopwaitsecs=5
[program:web]
command=sh -c 'echo web %(process_num)d in %(ENV_PLACE)s; exec sleep 1000'
process_name=%(program_name)s_%(process_num)02d
numprocs=2
autorestart=true
stopasgroup=true
stdout_logfile=%(here)s/web.log
nonsense=1
"""


class Imports(UpTest):
    def imported(self, status: int, *arguments: str, **options) -> subprocess.CompletedProcess:
        self.environment["PLACE"] = "here"
        done = self.run_it("import", *arguments, **options)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def test_a_file_of_supervisord_becomes_one_that_is_checked_rehearsed_and_up(self) -> None:
        conf = self.file(CONF, "supervisord.conf")
        fleet = self.folder / "fleet.toml"
        done = self.imported(0, conf, "-o", str(fleet))
        self.assertEqual(done.stdout, "")
        for says in (f"{conf}:1: [unix_http_server]: left out: ", f"{conf}:4: supervisord.logfile: left out: ",
                     f"{conf}:17: program:web.nonsense: left out: "):
            self.assertIn(says, done.stderr)
        for line in done.stderr.splitlines():
            self.assertIn(line.split(": left out: ")[-1].split(", ")[0][:20], fleet.read_text().replace("\n#   ", " "))
        self.assertIn("ok ", self.expect(0, "validate", str(fleet)).stdout)
        checked = self.run_it("check", str(fleet))
        self.assertEqual(checked.returncode, 0, checked.stdout)
        (self.folder / "web.log.0").touch()
        up = self.up(fleet.read_text().replace('name = "' + self.folder.name + '"\n', "", 1))
        up.wait_for("db out db is up")
        for index in "01":
            written, says = self.folder / f"web.log.{index}", f"web-{index} out web {index} in here"
            late = time.monotonic() + PATIENCE
            while says not in (written.read_text() if written.exists() else "") and time.monotonic() < late:
                time.sleep(0.01)
            self.assertIn(says, written.read_text())
        self.assertEqual(up.end(), 0)

    def test_a_procfile_comes_from_standard_input_and_goes_to_standard_output(self) -> None:
        (self.folder / "Procfile").write_text("web: echo $PORT\n")
        named = self.imported(0, "Procfile", cwd=self.folder)
        read = self.imported(0, "--from", "procfile", "-", input="web: echo $PORT\n", cwd=self.folder)
        self.assertEqual(named.stdout.replace("Procfile", "<stdin>").split("\n", 1)[1], read.stdout.split("\n", 1)[1])
        self.assertIn('command = ["sh", "-c", "exec echo $PORT"]', named.stdout)
        self.assertIn("Procfile:1: web: has the PORT that foreman would give it", named.stderr)

    def test_a_compose_file_becomes_one_that_is_checked_rehearsed_and_up(self) -> None:
        (self.folder / ".env").write_text("WORD=hello\n")
        compose = self.file("""
services:
  db:
    image: sleeper
    entrypoint: sh -c
    command: ["echo db is up; exec sleep 1000"]
    healthcheck: { test: [CMD, "true"], start_interval: 20ms }
  web:
    image: sleeper
    command: [sh, -c, "echo ${WORD} from $$PLACE; exec sleep 1000"]
    environment: [PLACE]
    restart: always
    depends_on: { db: { condition: service_healthy } }
""", "compose.yaml")
        fleet = self.folder / "fleet.toml"
        done = self.imported(0, compose, "-o", str(fleet))
        self.assertIn(f"{compose}:4: db.image: left out: ", done.stderr)
        self.assertIn("${WORD} has the value that it had when this was imported", done.stderr)
        self.assertIn("ok ", self.expect(0, "validate", str(fleet)).stdout)
        checked = self.run_it("check", str(fleet))
        self.assertEqual(checked.returncode, 0, checked.stdout)
        up = self.up(fleet.read_text().replace('name = "' + self.folder.name + '"\n', "", 1))
        up.wait_for("db out db is up")
        up.wait_for("web out hello from here")
        self.assertEqual(up.end(), 0)

    def test_what_exists_is_not_overwritten(self) -> None:
        procfile = self.file("web: a\n", "Procfile")
        kept = Path(self.file("mine", "fleet.toml"))
        done = self.imported(2, procfile, "-o", str(kept))
        self.assertIn("fleet.toml: exists already, and is left as it is", done.stderr)
        self.assertEqual(kept.read_text(), "mine")
        self.assertIn("cannot be written: No such file", self.imported(2, procfile, "-o", str(self.folder / "no" / "x")).stderr)

    def test_what_cannot_be_imported_is_said_in_a_line(self) -> None:
        for arguments, says in ((("no.conf",), "no.conf: does not exist"), ((self.file("x", "x.y"),), "say --from with one of supervisord, procfile"),
                                ((self.file("web: a\n", "Procfile"), "--from", "systemd"), '--from is "systemd"; allowed are supervisord, procfile'),
                                ((self.file("[program:a]\ncommand=\"\n", "a.conf"),), "a.conf:2: program:a.command: has a quote that is not closed")):
            done = self.imported(2, *arguments)
            self.assertEqual(done.stdout, "")
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertIn(says, done.stderr)

    def test_a_file_in_which_nothing_would_start_says_so(self) -> None:
        done = self.imported(1, self.file("[program:a]\ncommand=a\nautostart=false\n", "a.conf"))
        self.assertIn("#command = ", done.stdout)
        self.assertIn("every service stands as a comment", done.stderr)


if __name__ == "__main__":
    command.main()
