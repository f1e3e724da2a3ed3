#!/usr/bin/env python3
"""Traces that the holdfast command writes: files that cannot be written, files that it must not overwrite, and long times.

    trace_command_test.py HOLDFAST SOURCE_ROOT
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
import holdfast_command  # noqa: E402
from holdfast_command import BUSY, HEALTHY, LONG, CommandTest  # noqa: E402


class Trace(CommandTest):
    def test_a_trace_that_cannot_be_opened_is_2_and_says_why(self):
        done = self.expect(2, "run", self.file(HEALTHY), "--trace", str(self.folder / "missing" / "t.ndjson"))
        self.assertIn("cannot write the trace", done.stderr)
        self.assertIn("No such file or directory", done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertIn("Is a directory", self.expect(2, "run", self.file(HEALTHY), "--trace", str(self.folder)).stderr)

    @unittest.skipUnless(os.path.exists("/dev/full"), "the system has no /dev/full")
    def test_a_full_disk_is_2_and_says_so(self):
        for text in (HEALTHY, BUSY):
            done = self.expect(2, "run", self.file(text), "--trace", "/dev/full")
            self.assertIn("cannot write the trace /dev/full: No space left on device", done.stderr)
            self.assertEqual(done.stdout, "")

    def test_a_trace_that_grows_too_large_is_2_and_says_so(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        done = self.run_it("run", self.file(BUSY), "--trace", str(self.folder / "t.ndjson"), preexec_fn=limit)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("File too large", done.stderr)

    def test_a_trace_does_not_overwrite_its_scenario(self):
        file = self.file(HEALTHY)
        self.assertIn("would overwrite", self.expect(2, "run", file, "--trace", file).stderr)
        self.assertEqual(Path(file).read_text(), HEALTHY)

    def test_no_other_output_overwrites_recorded_input_or_a_ledger(self):
        trace = self.file("entity,from,until,cause\nfeed-1,1min,2min,disk\n", "t.csv")
        file = self.file(HEALTHY + '[[chaos]]\nrecorded = { file = "t.csv" }\n')
        before = Path(trace).read_text()
        self.assertIn("would overwrite", self.expect(2, "report", file, "-o", trace).stderr)
        self.assertIn("would overwrite", self.expect(2, "sweep", file, "--seeds", "1..2", "--junit", trace).stderr)
        self.assertEqual(Path(trace).read_text(), before)
        both = str(self.folder / "ledger")
        self.assertIn("is the file of --ledger as well",
                      self.expect(2, "sweep", file, "--seeds", "1..2", "--junit", both, "--ledger", both).stderr)

    def test_a_trace_does_not_overwrite_recorded_input(self):
        record = self.file("entity,from,until,cause\na,1s,2s,disk\n", "record.csv")
        scenario = self.file('name = "x"\nduration = "5s"\n\n[[chaos]]\nrecorded = { file = "record.csv" }\n')
        done = self.expect(2, "run", scenario, "--trace", record)
        self.assertIn("would overwrite", done.stderr)
        self.assertTrue(Path(record).read_text().startswith("entity,"))

    def test_a_bad_scenario_leaves_an_old_trace_alone(self):
        trace = self.file("precious", "t.ndjson")
        self.expect(2, "run", self.file("name ="), "--trace", trace)
        self.assertEqual(Path(trace).read_text(), "precious")


class TimesBeyondDoubles(CommandTest):
    def test_the_documented_way_to_texts_keeps_every_nanosecond(self):
        text = (holdfast_command.ROOT / "lib" / "docs" / "reference" / "json.md").read_text()
        command = re.search(r"`(sed -E '[^`]+')`", text).group(1)
        trace = self.folder / "trace.ndjson"
        report = self.expect(0, "run", "--json", self.file(LONG), "--trace", str(trace)).stdout
        for exact in (report, trace.read_text()):
            texts = subprocess.run(command, shell=True, input=exact, capture_output=True, text=True, check=True).stdout
            for before, after in zip(exact.splitlines(), texts.splitlines(), strict=True):
                self.assertEqual(self.with_texts(json.loads(before)), json.loads(after, parse_int=float))
        self.assertIn(str(200 * 86400 * 10**9 + 1), texts)

    def test_the_recipes_for_jq_and_pandas_give_what_stands_in_the_trace(self):
        page = (holdfast_command.ROOT / "lib" / "docs" / "reference" / "trace_format.md").read_text()
        sed = re.search(r"`(sed -E '[^`]+')`", (holdfast_command.ROOT / "lib" / "docs" / "reference" / "json.md").read_text()).group(1)
        trace = self.folder / "trace.ndjson"
        self.expect(0, "run", self.file(LONG), "--trace", str(trace))
        lines = [json.loads(line) for line in trace.read_text().splitlines()]
        events = [line for line in lines if "kind" in line]
        self.assertEqual(["holdfast_trace" in lines[0], "end" in lines[-1]], [True, True])
        self.assertEqual(len(events) + sum("chaos" in line for line in lines) + 2, len(lines))
        if shutil.which("jq"):
            recipes = re.findall(r"^\$ jq .*trace\.ndjson", page, re.MULTILINE)
            self.assertEqual(len(recipes), 3)
            outputs = [subprocess.run(f"{sed} trace.ndjson | " + recipe[2:].replace(" trace.ndjson", ""), shell=True,
                                      cwd=self.folder, capture_output=True, text=True, check=True).stdout.splitlines()
                       for recipe in recipes]
            self.assertEqual([json.loads(line) for line in outputs[0]],
                             [[line["service"], str(line["lasted_ns"])] for line in events if line["kind"] == "ended"])
            self.assertEqual([json.loads(line) for line in outputs[1]], [line.get("service") for line in events])
            self.assertEqual([json.loads(line) for line in outputs[2]], [lines[-1]["counters"]["restarts"]])
        if importlib.util.find_spec("pandas"):
            code = re.search(r"```python\n(.*?)```", page, re.DOTALL).group(1)
            check = "print(json.dumps([list(map(int, events.t_ns)), list(map(int, ended.lasted_ns)), str(ended.t_ns.dtype)]))"
            done = subprocess.run([sys.executable, "-c", f"import json, pandas\n{code}\n{check}"], cwd=self.folder,
                                  capture_output=True, text=True, check=True)
            self.assertEqual(json.loads(done.stdout),
                             [[line["t_ns"] for line in events],
                              [line["lasted_ns"] for line in events if line["kind"] == "ended"], "int64"])

    def with_texts(self, value):
        if isinstance(value, dict):
            return {key: str(each) if (key.endswith("_ns") or key == "seed") and isinstance(each, int) else self.with_texts(each)
                    for key, each in value.items()}
        if isinstance(value, list):
            return [self.with_texts(each) for each in value]
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


if __name__ == "__main__":
    holdfast_command.main()
