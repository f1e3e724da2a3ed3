#!/usr/bin/env python3
"""holdfast sweep --on parallel and --on slurm, on real ones: GNU parallel here and over ssh to this machine, and a Slurm
that the test starts. Whatever happens to tasks, the result is that of one undisturbed sweep, to the byte.

    engines_test.py HOLDFAST SOURCE_ROOT [CLASS...]
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
import holdfast_command  # noqa: E402
import slurm_cluster  # noqa: E402
from holdfast_command import CommandTest, HEALTHY  # noqa: E402

# A seed takes some milliseconds, so that a task is found in the middle. Some seeds are missed, most are not.
SLOW = HEALTHY.replace("count = 20", "count = 1000") + "[expect]\nrestarts = { min = 0, max = 6040 }\n"
SEEDS = "1..300"
TASKS = 4


class EngineTest(CommandTest):
    engine = ""
    whole = ""  # what an undisturbed sweep prints
    environment: dict[str, str] = {}

    def setUp(self) -> None:
        super().setUp()
        self.file(SLOW, "slow.toml")
        self.ledgers = self.folder / "all"
        self.status = 1
        if not EngineTest.whole:
            EngineTest.whole = self.expect(1, "sweep", "slow.toml", "--seeds", SEEDS).stdout

    def run_it(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        return super().run_it(*arguments, cwd=self.folder, env=os.environ | self.environment, **options)

    def words(self, *more: str) -> list[str]:
        return ["sweep", "slow.toml", "--seeds", SEEDS, "--on", self.engine, "--tasks", str(TASKS), "--ledger", str(self.ledgers), *more]

    def begin(self, *more: str) -> subprocess.Popen:
        process = subprocess.Popen([holdfast_command.HOLDFAST, *self.words(*more)], cwd=self.folder, env=os.environ | self.environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        return process

    def end(self, process: subprocess.Popen) -> str:
        """What it has said about tasks, of a sweep that came to the result."""
        out, err = process.communicate(timeout=300)
        self.assertEqual((process.returncode, out), (1, self.whole), err)
        return err

    def lines(self, shard: int) -> int:
        return max((text.count("\n") for text in self.texts(shard)), default=0)

    def texts(self, shard: int) -> list[str]:
        return [file.read_text() for file in self.ledgers.glob(f"shard-{shard}-of-*.ledger")]

    def wait_until(self, process: subprocess.Popen, condition) -> None:
        while not condition():
            self.assertIsNone(process.poll(), "it ended before the test could disturb it")
            time.sleep(0.01)

    def tasks(self) -> dict[int, int]:
        """The number of the process by shard."""
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().decode().split("\0") if entry.name.isdigit() else []
            except OSError:
                continue
            if words[:1] == [holdfast_command.HOLDFAST] and "--quiet" in words and f"{self.ledgers}/" in words:
                found[int(words[words.index("--shard") + 1].split("/")[0])] = int(entry.name)
        return found

    def kill_task(self, process: subprocess.Popen, shard: int) -> None:
        self.wait_until(process, lambda: self.lines(shard) > 5)
        os.kill(self.tasks()[shard], signal.SIGKILL)


class Common:
    """What both engines have to do."""

    def test_it_prints_what_one_sweep_prints_and_nothing_is_run_again(self):
        self.end(self.begin())
        before = sorted(self.ledgers.glob("*.ledger"))
        self.assertNotIn("task", self.end(self.begin()))
        self.assertEqual(sorted(self.ledgers.glob("*.ledger")), before)
        self.assertEqual(self.expect(1, "merge", str(self.ledgers)).stdout, self.whole)

    def test_a_task_that_is_killed_runs_again_from_where_it_was(self):
        process = self.begin()
        self.kill_task(process, 2)
        err = self.end(process)
        self.assertIn("signal 9", err)
        self.assertIn(f"1 of {TASKS} tasks run again", err)
        self.assertEqual(len(self.texts(2)), 2)
        self.assertEqual(len(self.texts(3)), 1)

    def test_ctrl_c_ends_the_tasks_and_prints_what_there_is_and_the_sweep_goes_on_later(self):
        process = self.begin()
        self.wait_until(process, lambda: self.lines(1) > 5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("interrupted: this is what there is so far", out)
        while self.tasks():
            time.sleep(0.01)
        self.end(self.begin())

    def test_a_sweep_that_was_killed_goes_on(self):
        process = self.begin()
        self.wait_until(process, lambda: self.lines(1) > 5)
        process.kill()
        process.wait()
        self.end(self.begin())

    def test_a_result_that_is_delivered_twice_counts_once_and_another_result_does_not_count(self):
        self.end(self.begin())
        ledger = next(self.ledgers.glob("shard-2-*"))
        copy = self.ledgers / "shard-2-of-4.copy.ledger"
        shutil.copy(ledger, copy)
        self.end(self.begin())
        lines = copy.read_text().splitlines(keepends=True)
        seed, verdict, digest, rest = lines[9].split(" ", 3)
        copy.write_text("".join([*lines[:9], " ".join([seed, verdict, "0" * len(digest), rest]), *lines[10:]]))
        self.assertIn(f"seed {seed} has two outcomes", self.expect(4, *self.words()).stderr)

    def test_a_folder_with_another_sweep_is_refused(self):
        self.end(self.begin())
        done = self.expect(2, *self.words("--set", "fleet.feed.count=3"))
        self.assertIn("is of another scenario", done.stderr)
        self.assertIn("name another folder, or remove it", done.stderr)


class Parallel(Common, EngineTest):
    engine = "parallel"

    @classmethod
    def setUpClass(cls) -> None:
        if not shutil.which("parallel"):
            raise unittest.SkipTest("GNU parallel is not installed")

    def setUp(self) -> None:
        super().setUp()
        # Its own files are not to be in anybody's home.
        EngineTest.environment = {"PARALLEL_HOME": str(self.folder / "home"), "HOME": str(self.folder)}
        (self.folder / "home").mkdir()

    def test_a_torn_log_of_parallel_says_nothing(self):
        self.ledgers.mkdir()
        (self.ledgers / "parallel.log").write_text("Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n1\t:\t17")
        self.end(self.begin())

    def test_a_program_that_only_has_its_name_is_refused(self):
        tools = self.folder / "tools"
        tools.mkdir()
        EngineTest.environment["PATH"] = str(tools)
        self.assertIn("install the Debian package parallel", self.expect(2, *self.words()).stderr)
        (tools / "parallel").write_text("#!/bin/sh\necho parallel of moreutils\n")
        (tools / "parallel").chmod(0o755)
        self.assertIn("is another program here", self.expect(2, *self.words()).stderr)

    def test_machines_over_ssh(self):
        if not Path("/usr/sbin/sshd").exists():
            self.skipTest("openssh-server is not installed")
        EngineTest.environment["PARALLEL_SSH"] = str(self.sshd())
        err = self.end(self.begin("--sshlogin", "one", "--sshlogin", "two", "--jobs", "1"))
        self.assertNotIn("ended with", err)
        hosts = {line.split("\t")[1] for line in (self.ledgers / "parallel.log").read_text().splitlines()[1:]}
        self.assertEqual(hosts, {"one", "two"})

    def sshd(self) -> Path:
        """A server of this machine for this user, with keys of its own. Returns the client that knows it."""
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
        port = slurm_cluster.free_ports(1)[0]
        (folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host\nPidFile none\nAuthorizedKeysFile {folder}/user.pub\nStrictModes no\n"
            f"UsePAM no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            f"AllowUsers {getpass.getuser()}\nMaxStartups 100\nMaxSessions 100\n")
        (folder / "ssh_config").write_text(
            f"Host *\nHostName 127.0.0.1\nPort {port}\nUser {getpass.getuser()}\nIdentityFile {folder}/user\nIdentitiesOnly yes\n"
            f"UserKnownHostsFile {folder}/known\nGlobalKnownHostsFile /dev/null\nStrictHostKeyChecking accept-new\nBatchMode yes\n"
            f"LogLevel ERROR\n")
        (folder / "ssh").write_text(f'#!/bin/sh\nexec ssh -F {folder}/ssh_config "$@"\n')
        (folder / "ssh").chmod(0o755)
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # compiled in
        server = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", folder / "sshd_config"], stdin=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True)

        def stop() -> None:
            server.kill()
            server.communicate()

        self.addCleanup(stop)
        for line in server.stderr:
            if "Server listening" in line:
                return folder / "ssh"
        self.fail("sshd has ended")


class OnSlurm(EngineTest):
    engine = "slurm"
    nodes = 1
    cluster: slurm_cluster.Cluster

    @classmethod
    def setUpClass(cls) -> None:
        if missing := slurm_cluster.missing_programs():
            raise unittest.SkipTest(f"not installed: {missing}")
        folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, folder, True)
        cls.cluster = slurm_cluster.Cluster(folder / "c", cls.nodes)
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()

    def setUp(self) -> None:
        super().setUp()
        EngineTest.environment = self.cluster.environment


class Slurm(Common, OnSlurm):
    def test_tasks_have_as_many_processors_as_they_have_jobs(self):
        self.end(self.begin("--jobs", "2"))
        listed = self.cluster.ask("squeue", "--noheader", "--states=all", "--Format=NumCPUs:8")
        self.assertIn("2", listed.split())

    def test_a_sweep_that_was_killed_finds_its_tasks(self):
        process = self.begin()
        self.wait_until(process, lambda: self.lines(1) > 5)
        process.kill()
        process.wait()
        before = len(self.cluster.tasks())
        self.end(self.begin())
        self.assertEqual(len(self.cluster.tasks()), before)
        self.assertEqual(len(self.texts(1)), 1)

    def test_tasks_that_somebody_cancels_are_not_submitted_again(self):
        process = self.begin()
        self.wait_until(process, lambda: self.lines(1) > 5)
        self.cluster.ask("scancel", "--me")
        out, err = process.communicate(timeout=300)
        self.assertEqual((process.returncode, out), (2, ""), err)
        self.assertIn("tasks were cancelled; the same command goes on", err)
        self.end(self.begin())

    def test_what_slurm_refuses_is_reported(self):
        EngineTest.environment = self.cluster.environment | {"SBATCH_PARTITION": "nowhere"}
        self.assertIn("sbatch: error: invalid partition specified: nowhere", self.expect(2, *self.words()).stderr)


class SlurmWithTwoNodes(OnSlurm):
    nodes = 2

    def node_of(self, shard: int) -> str:
        return next((node for index, state, node in self.cluster.tasks("RUNNING") if index == str(shard)), "")

    def test_a_node_that_is_drained_keeps_its_tasks_and_gets_no_others(self):
        process = self.begin("--jobs", "2")
        self.wait_until(process, lambda: self.lines(1) > 5)
        drained = self.node_of(1)
        self.cluster.ask("scontrol", "update", f"nodename={drained}", "state=drain", "reason=test")
        self.addCleanup(self.cluster.ask, "scontrol", "update", f"nodename={drained}", "state=resume")
        self.assertNotIn("ended as", self.end(process))

    def test_a_task_whose_node_is_lost_is_requeued_and_runs_twice_at_once(self):
        process = self.begin("--jobs", "2")
        self.wait_until(process, lambda: self.lines(1) > 5)
        lost = self.node_of(1)
        task = self.tasks()[1]
        os.kill(task, signal.SIGSTOP)  # so that it is not finished before the node counts as lost
        self.cluster.kill(lost)
        self.wait_until(process, lambda: len(self.texts(1)) == 2)
        os.kill(task, signal.SIGCONT)
        self.end(process)
        self.cluster.start_node(lost)
        self.cluster.wait_until(lambda: self.cluster.ask("sinfo", "--noheader", "--states=idle", "--Node", "--format=%N").split()
                                == self.cluster.nodes)


class SlurmController(OnSlurm):
    def test_a_controller_that_is_restarted(self):
        process = self.begin()
        self.wait_until(process, lambda: self.lines(1) > 5)
        self.cluster.kill("controller")
        said = self.said(process, "Slurm's controller does not answer")
        self.cluster.start_controller()
        # If it had not written down yet that tasks run, it starts them again, the node refuses, and both are held.
        while process.poll() is None:
            if "drain" in self.cluster.ask("sinfo", "--noheader", "--format=%T"):
                self.cluster.ask("scontrol", "update", "nodename=n1", "state=resume")
            time.sleep(0.1)
        self.assertIn("running", said + self.end(process))

    def test_a_controller_that_forgets_its_tasks(self):
        process = self.begin()
        self.said(process, "pending")
        self.cluster.kill("controller")
        for file in (self.cluster.folder / "state").glob("job*"):
            file.unlink()
        self.cluster.start_controller()
        self.end(process)

    def said(self, process: subprocess.Popen, what: str) -> str:
        text = ""
        for line in process.stderr:
            text += line
            if what in line:
                return text
        self.fail(text)


if __name__ == "__main__":
    holdfast_command.main()
