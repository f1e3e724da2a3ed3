#!/usr/bin/env python3
"""The references of lib/docs name everything that there is: kinds of events and their fields, words, metrics, options of
the command, lines of a recording.

    reference_test.py SOURCE_ROOT HOLDFAST
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(sys.argv[1])
COMMAND = sys.argv[2]
REFERENCE = ROOT / "lib/docs/reference"


def source(path: str) -> str:
    return (ROOT / path).read_text()


def words_of(text: str, enumeration: str) -> list[str]:
    """The enumerators, in the text form that files have: without the underscore that a keyword needs."""
    body = re.search(rf"enum class {enumeration}\b[^{{]*{{(.*?)}};", text, re.DOTALL)[1]
    return [word.strip("_") for word in re.findall(r"\b([a-z_]+)\b", re.sub(r"//[^\n]*", "", body))]


class Reference(unittest.TestCase):
    def assert_names(self, page: str, names: list[str]) -> None:
        self.assertGreater(len(names), 1)
        named = set(re.findall(r"[a-z_0-9-]+", " ".join(re.findall(r"`[^`\n]+`", (REFERENCE / page).read_text()))))
        self.assertEqual([name for name in names if name not in named], [], f"{page} does not name these")

    def test_events_and_their_fields(self) -> None:
        kinds = re.findall(r'kKind = "([a-z_]+)"', source("lib/holdfast/event.hpp"))
        self.assert_names("events.md", kinds)
        self.assert_names("trace_format.md", kinds)
        for described in ("lib/holdfast/event_fields.hpp", "sim/holdfast_sim/observe/detail/chaos_fields.hpp"):
            self.assert_names("trace_format.md", re.findall(r'\bfield(?:\(|, )"([a-z_]+)"', source(described)))

    def test_words_in_events(self) -> None:
        event, lifecycle = source("lib/holdfast/event.hpp"), source("lib/holdfast/lifecycle.hpp")
        chaos = source("sim/holdfast_sim/observe/chaos_event.hpp")
        for text, enumerations in ((event, ("Command", "BackoffCause", "ShutdownCause", "DrainOutcome")),
                                   (lifecycle, ("Outcome", "StopCause")), (chaos, ("Kind",))):
            for enumeration in enumerations:
                with self.subTest(enumeration=enumeration):
                    self.assert_names("trace_format.md", words_of(text, enumeration))

    def test_metrics(self) -> None:
        text = source("lib/holdfast/prometheus.cpp")
        names = re.findall(r'"((?:[a-z]+_)*(?:total|services|attempt|phase|breaker|termination|uptime_seconds))"', text)
        self.assertGreater(len(names), 12)
        self.assert_names("metrics.md", [f"holdfast_{name}" for name in names if "_" in name])

    def test_commands_and_options(self) -> None:
        def help_of(*command: str) -> str:
            return subprocess.run([COMMAND, *command, "--help"], capture_output=True, text=True, check=True).stdout
        commands = re.findall(r"^  ([a-z]+) ", help_of().split("Subcommands:")[1].split("\n\n")[0], re.MULTILINE)
        self.assert_names("command.md", commands)
        for command in commands:
            with self.subTest(command=command):
                options = set(re.findall(r"^  .*?(--[a-z-]+)", help_of(command), re.MULTILINE)) - {"--help"}
                named = (REFERENCE / "command.md").read_text()
                self.assertEqual([option for option in sorted(options) if f"`{option}" not in named
                                  and f" {option} " not in named], [], f"command.md does not name these of {command}")

    def test_inputs_of_a_recording(self) -> None:
        text = source("sim/holdfast_sim/replay/detail/recording_reader.cpp")
        inputs = re.findall(r'case InputKind::[a-z_]+: return "([a-z_]+)"', text)
        self.assertGreater(len(inputs), 8)
        self.assert_names("recording_format.md", inputs)

    def test_scenarios_of_the_guide_are_scenarios(self) -> None:
        found = re.findall(r"```toml\n(.*?)```", (ROOT / "lib/docs/guide/rehearsing.md").read_text(), re.DOTALL)
        self.assertEqual(len(found), 1)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "mine.toml"
            file.write_text(found[0])
            run = subprocess.run([COMMAND, "run", file], capture_output=True, text=True)
            self.assertEqual(run.returncode, 1, run.stderr)  # as the guide says
            self.assertRegex(run.stdout, r"violated +circuit_open")
            file.write_text(found[0].replace('breaker = { max_failures = 20, window = "5min" }', 'breaker = "off"'))
            self.assertEqual(subprocess.run([COMMAND, "run", "--quiet", file], capture_output=True).returncode, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
