"""A private Slurm for tests: a controller and nodes that all are this machine, on loopback, with everything in one folder.
No systemd, no control groups, no database, nothing of /etc/slurm; as root or as any user.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "sinfo")
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
AuthInfo=cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/ctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/ctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
KillWait=2
ReturnToService=2
SlurmdTimeout=5
MailProg=/bin/true
SlurmdParameters=config_overrides
"""


def missing_programs() -> list[str]:
    return [program for program in PROGRAMS if not shutil.which(program, path=PATH)]


def free_ports(count: int) -> list[int]:
    """Below those that the kernel hands out, so that no client takes one meanwhile."""
    first = 20000 + os.getpid() * 13 % 11000
    ports = []
    for port in range(first, first + 1000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
        if len(ports) == count:
            return ports
    raise RuntimeError("no free port")


class Cluster:
    """Sockets are in `folder`, so its path must be short."""

    def __init__(self, folder: Path, nodes: int = 1) -> None:
        self.folder = folder
        self.daemons: dict[str, subprocess.Popen] = {}
        for name in ("state", "spool"):
            (folder / name).mkdir(parents=True)
        host = socket.gethostname().split(".")[0]
        port, *ports = free_ports(1 + nodes)
        text = CONFIGURATION.format(host=host, port=port, user=getpass.getuser(), folder=folder)
        self.nodes = [f"n{i}" for i in range(1, nodes + 1)]
        for node, its_port in zip(self.nodes, ports):
            (folder / "spool" / node).mkdir()
            text += f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={its_port} CPUs=2 RealMemory=1000 State=UNKNOWN\n"
        text += "PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
        (folder / "slurm.conf").write_text(text)
        self.environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": PATH}

    def start(self) -> None:
        self.start_controller()
        for node in self.nodes:
            self.start_node(node)
        self.wait_until(lambda: len(self.ask("sinfo", "--noheader", "--states=idle", "--Node", "--format=%N").split()) == len(self.nodes))

    def start_controller(self) -> None:
        # Without -c: what it knew before it was killed, it knows again.
        self.start_daemon("controller", "slurmctld", "-D", "-f", str(self.folder / "slurm.conf"))

    def start_node(self, node: str) -> None:
        self.start_daemon(node, "slurmd", "-D", "-N", node, "-f", str(self.folder / "slurm.conf"))

    def start_daemon(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.out").open("ab") as out:
            self.daemons[name] = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                                  start_new_session=True)

    def kill(self, name: str) -> None:
        self.daemons[name].kill()
        self.daemons.pop(name).wait()

    def ask(self, *command: str) -> str:
        """What it prints; nothing if it fails."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        return done.stdout if done.returncode == 0 else ""

    def wait_until(self, condition) -> None:
        """Of what the cluster does by itself. The test's own time limit ends a wait that never ends."""
        while not condition():
            for name, daemon in self.daemons.items():
                if daemon.poll() is not None:
                    raise AssertionError(f"{name} has ended:\n{(self.folder / f'{name}.out').read_text()}")
            time.sleep(0.05)

    def tasks(self, *states: str) -> list[tuple[str, str, str]]:
        """Index, state and node of each task."""
        listed = self.ask("squeue", "--noheader", "--array", f"--states={','.join(states) or 'all'}",
                          "--Format=ArrayTaskID:12,State:16,NodeList:12")
        return [(*line.split(), "")[:3] for line in listed.splitlines()]

    def processes(self) -> list[int]:
        """Daemons, slurmstepd and tasks: whatever has our configuration in its environment."""
        mark = f"SLURM_CONF={self.folder / 'slurm.conf'}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def stop(self) -> None:
        for name in list(self.daemons):
            self.kill(name)
        while left := self.processes():
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.05)
