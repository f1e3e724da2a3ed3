#!/usr/bin/env python3
"""Traces that the holdfast command writes: files that cannot be written, files that it must not overwrite, and long times.

    trace_command_test.py HOLDFAST SOURCE_ROOT
"""

from __future__ import annotations

import csv
import importlib.util
import io
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


class CompactTraces(CommandTest):
    SCENARIOS = ("mixed_fleet", "failure_storm", "hung_workers", "exit_rules", "database_comes_back", "dead_connection", "flapping")

    def test_the_lines_of_shipped_scenarios_come_back_to_the_byte_in_at_most_16_bytes_an_event(self):
        compact, lines = self.folder / "t.hft", self.folder / "t.ndjson"
        events = size = 0
        for name in self.SCENARIOS:
            with self.subTest(scenario=name):
                scenario = str(holdfast_command.ROOT / f"scenarios/{name}.toml")
                self.run_it("run", scenario, "--quiet", "--trace", str(compact))
                self.run_it("run", scenario, "--quiet", "--trace", str(lines))
                self.expect(0, "trace", str(compact), "-o", str(self.folder / "again.ndjson"))
                self.assertEqual((self.folder / "again.ndjson").read_bytes(), lines.read_bytes())
                size += compact.stat().st_size
                events += lines.read_bytes().count(b"\n") - 2
        self.assertLessEqual(size / events, 16)

    def test_through_pipes(self):
        file = self.file(HEALTHY)
        compact, lines = self.folder / "t.hft", self.folder / "t.ndjson"
        self.expect(0, "run", file, "--trace", str(compact))
        self.expect(0, "run", file, "--trace", str(lines))
        done = subprocess.run([holdfast_command.HOLDFAST, "trace", "-"], input=compact.read_bytes(), capture_output=True, check=True)
        self.assertEqual(done.stdout, lines.read_bytes())

    def test_a_table_has_the_cells_of_the_lines(self):
        file = self.file(BUSY.replace('"1h"', '"1s"') + "[[chaos]]\nat = \"500ms\"\nstorm = { of = \"feed\" }\n")
        compact, lines = self.folder / "t.hft", self.folder / "t.ndjson"
        self.expect(0, "run", file, "--trace", str(compact))
        self.expect(0, "run", file, "--trace", str(lines))
        table = self.expect(0, "trace", str(compact), "--format", "csv").stdout
        self.assertEqual(self.expect(0, "trace", str(lines), "--format", "csv").stdout, table)
        rows = list(csv.DictReader(io.StringIO(table)))
        events = [json.loads(line) for line in lines.read_text().splitlines()[1:-1]]
        self.assertEqual(len(rows), len(events))
        page = (holdfast_command.ROOT / "lib/docs/guide/analysing.md").read_text()
        self.assertIn("\n".join(table.splitlines()[:1]), page.replace(", ", ",").replace("\n", "").replace("`", ""))
        for row, event in zip(rows, events, strict=True):
            cells = {key: text for key, text in row.items() if text}
            if event.get("kind") == "added":
                event = {key: event[key] for key in ("t_ns", "service", "n", "run", "kind", "runs_before")}  # not the policy
            self.assertEqual(cells, {key: str(value).replace("True", "true") for key, value in event.items() if value != ""})

    def test_other_commands_read_it_or_refuse_it(self):
        compact, lines = self.folder / "t.hft", self.folder / "t.ndjson"
        for trace in (compact, lines):
            self.expect(0, "run", self.file(HEALTHY), "--trace", str(trace))
        found = [json.loads(self.expect(0, "find", str(trace), "ended", "--json").stdout)["examples"] for trace in (compact, lines)]
        self.assertEqual(found[0], found[1])
        self.assertGreater(len(found[0]), 0)
        self.assertIn("writes lines of JSON", self.expect(2, "replay", str(lines), "--trace", str(compact)).stderr)

    def test_a_damaged_file_is_2_and_names_the_byte(self):
        compact = self.folder / "t.hft"
        self.expect(0, "run", self.file(HEALTHY), "--trace", str(compact))
        whole = compact.read_bytes()
        compact.write_bytes(whole[:-1])
        self.assertIn(f"t.hft: byte {len(whole) - 1}: the trace is cut short", self.expect(2, "trace", str(compact)).stderr)
        compact.write_bytes(whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
        self.assertIn("t.hft: byte 8: the block that begins here is damaged", self.expect(2, "trace", str(compact)).stderr)
        lines = self.folder / "t.ndjson"
        self.expect(0, "run", self.file(HEALTHY), "--trace", str(lines))
        self.assertIn("is a trace of lines already", self.expect(2, "trace", str(lines)).stderr)
        self.assertIn('"parquet" is no format; there are: ndjson, csv, perfetto', self.expect(2, "trace", str(lines), "--format", "parquet").stderr)
        self.assertIn("would overwrite", self.expect(2, "trace", str(lines), "--format", "csv", "-o", str(lines)).stderr)

    @unittest.skipUnless(shutil.which("jq"), "jq is not installed")
    def test_the_page_shows_what_jq_says(self):
        page = (holdfast_command.ROOT / "lib/docs/guide/analysing.md").read_text()
        self.expect(0, "run", str(holdfast_command.ROOT / "scenarios/mixed_fleet.toml"), "--trace", str(self.folder / "run.ndjson"))
        found = re.findall(r"^\$ (jq [^\n]*)\n(.*?)(?=^\$|^```)", page, re.MULTILINE | re.DOTALL)
        self.assertGreaterEqual(len(found), 3)
        for command, output in found:
            done = subprocess.run(command, shell=True, cwd=self.folder, capture_output=True, text=True, check=True)
            self.assertEqual(done.stdout, output, command)


if __name__ == "__main__":
    holdfast_command.main()
