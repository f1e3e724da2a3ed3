#!/usr/bin/env python3
"""lib/docs/reference/json.md names every key that a program can see, and no other.

    json_test.py HOLDFAST SOURCE_ROOT
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HOLDFAST, ROOT = "", Path()

# Everything that a report may have: a warning, an outage, a loss, a kill, what never recovered.
SCENARIO = """\
name = "everything"
duration = "1h"
[supervisor.backoff]
breaker = { max_failures = 3, window = "1min" }
[[fleet]]
name = "feed"
count = 3
runs_for = { exponential = "5min" }
then = "fail"
[[fleet]]
name = "hopeless"
runs_for = "1ms"
then = "fail"
[[chaos]]
at = "30min"
outage = { of = "feed", for = "1min" }
[expect]
restarts = 0
"""
STALLED = 'name = "stalled"\n[[fleet]]\nname = "sleeper"\n'


def keys_of(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in keys_of(inner)}
    if isinstance(value, list):
        return {key for inner in value for key in keys_of(inner)}
    return set()


def objects(*arguments: str, text: str = "") -> list[dict]:
    done = subprocess.run([HOLDFAST, *arguments, "--json"], input=text, cwd=ROOT, capture_output=True, text=True, timeout=300)
    if not done.stdout:
        raise AssertionError(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


class Json(unittest.TestCase):
    def outputs(self) -> list[dict]:
        recording = ROOT / "tests/fuzz/corpus/recording_fuzz/real_run.ndjson"
        changed = re.sub(r'"delay_ns":\d+', '"delay_ns":7', recording.read_text())
        return [*objects("run", "-", text=SCENARIO), *objects("run", "-", text=STALLED),
                *objects("run", "scenarios/real_cluster.toml"), *objects("replay", str(recording)),
                *objects("replay", "-", text=changed), *objects("sweep", "-", "--seeds", "1..2", "--lines", text=SCENARIO),
                *objects("sweep", "-", "--seeds", "1", "--set", "expect.restarts=0", text=SCENARIO),
                *self.sweep_with_a_corpus(),
                *objects("predict", "-", text=SCENARIO),
                *objects("diff", "scenarios/mixed_fleet.toml@1", "scenarios/mixed_fleet.toml@2"),
                *objects("explain", "-", text=SCENARIO), *objects("explain", "-", "--event", "feed-1 started", text=SCENARIO),
                *objects("find", "-", "ended", "--seeds", "1..2", text=SCENARIO),
                *objects("compare", "-", "scenarios/policies/patient.toml", "--seeds", "1..12", text=SCENARIO)]

    def sweep_with_a_corpus(self) -> list[dict]:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "x.toml"
            file.write_text(SCENARIO)
            sweep = ("sweep", str(file), "--seeds", "1", "--set", "expect.restarts=0", "--corpus", f"{folder}/failures")
            return [*objects(*sweep), *objects(*sweep)]

    def test_the_page_names_every_key_and_no_other(self):
        page = (ROOT / "lib/docs/reference/json.md").read_text()
        named = set(re.findall(r"`(\w+)`", page))
        seen = set().union(*(keys_of(output) for output in self.outputs()))
        self.assertGreater(len(seen), 100)
        self.assertEqual(seen - named, set(), "json.md does not name these")
        rows = "\n".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `"))
        self.assertEqual(set(re.findall(r"`(\w+)`", rows)) - seen, set(), "json.md names what there is not")

    def test_every_object_says_what_it_is_and_in_which_version(self):
        outputs = self.outputs()
        self.assertEqual({output["version"] for output in outputs}, {1})
        self.assertEqual([output["kind"] for output in outputs],
                         ["report"] * 3 + ["replay"] * 2 + ["run"] * 2 + ["sweep"] * 4 + ["prediction", "diff"] + ["explanation"] * 2 + ["search", "comparison"])
        for output in outputs:
            self.assertEqual(list(output)[:2], ["kind", "version"])

    def test_times_are_whole_numbers(self):
        def walk(value: object, key: str = "") -> None:
            if isinstance(value, dict):
                for name, inner in value.items():
                    walk(inner, name)
            elif isinstance(value, list):
                for inner in value:
                    walk(inner, key)
            elif key.endswith(("_ns", "_ms", "ppm")):
                self.assertTrue(value is None or type(value) is int, f"{key}: {value}")
        for output in self.outputs():
            walk(output)


if __name__ == "__main__":
    HOLDFAST, ROOT = sys.argv[1], Path(sys.argv[2])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
