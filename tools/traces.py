"""What the tools that compare runs share: run a scenario, get its digest, and find the first event that differs."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCENARIOS = ROOT / "scenarios"


@dataclass
class Command:
    """A holdfast command, what is put before it, and what its environment has in addition."""

    holdfast: Path
    before: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)


def scenarios() -> list[Path]:
    return sorted(SCENARIOS.glob("*.toml"))


def digest_file(scenario: Path) -> Path:
    return scenario.with_suffix(".digest")


def recorded_digest(scenario: Path) -> str:
    file = digest_file(scenario)
    return file.read_text().strip() if file.exists() else ""


def run(command: Command, scenario: Path, *options: str) -> dict:
    """The result of `holdfast run --json`; a run that violates something still has a digest."""
    ended = subprocess.run([*command.before, command.holdfast, "run", scenario, "--json", *options],
                           env=os.environ | command.environment, capture_output=True, text=True)
    if ended.returncode not in (0, 1):
        raise SystemExit(f"{command.holdfast} run {scenario} ended with status {ended.returncode}:\n{ended.stderr}")
    return json.loads(ended.stdout)


def first_difference(command_a: Command, scenario_a: Path, command_b: Command, scenario_b: Path) -> str:
    """Where the traces of two runs part, as `holdfast diff` of the second command says it."""
    with tempfile.TemporaryDirectory() as folder:
        a, b = Path(folder, "a.ndjson"), Path(folder, "b.ndjson")
        run(command_a, scenario_a, "--trace", str(a))
        run(command_b, scenario_b, "--trace", str(b))
        ended = subprocess.run([*command_b.before, command_b.holdfast, "diff", a, b], env=os.environ | command_b.environment,
                               capture_output=True, text=True)
        if ended.returncode not in (0, 1):
            raise SystemExit(f"{command_b.holdfast} diff ended with status {ended.returncode}:\n{ended.stderr}")
        text = ended.stdout.replace(str(a), "- ").replace(str(b), "+ ")
        return "".join(f"  {line}\n" for line in text.splitlines()).rstrip("\n")
