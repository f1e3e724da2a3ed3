#!/usr/bin/env python3
"""holdfast replay: runs that are decided as recorded or not, bad recordings, and incidents as scenarios.

    replay_command_test.py HOLDFAST SOURCE_ROOT
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import holdfast_command  # noqa: E402
from holdfast_command import HEALTHY, CommandTest  # noqa: E402


class Replay(CommandTest):
    def recording(self) -> Path:
        """A real run on Boost.Asio: crashes, commands, a shutdown that abandons a service."""
        return holdfast_command.ROOT / "tests" / "fuzz" / "corpus" / "recording_fuzz" / "real_run.ndjson"

    def changed(self, change, name: str = "changed.ndjson") -> str:
        lines = self.recording().read_text().splitlines(keepends=True)
        return self.file("".join(change(lines)), name)

    def test_a_real_run_is_decided_again_as_it_was_and_is_0(self):
        text = self.expect(0, "replay", str(self.recording())).stdout
        events = self.recording().read_text().count('"kind":')
        self.assertIn(f"  {events} events, all as recorded\n", text)
        self.assertRegex(text, r"the latest timer fired \S+ after its time, at ")
        self.assertRegex(text, r"\ndigest [0-9a-f]{32}\nas recorded\n$")
        for part in ("recorded by holdfast 0.1.0", "feed ", "risk", "down, worst", "availability", "recoveries", "storms"):
            self.assertIn(part, text)
        lines = [line for line in text.splitlines() if "at once, at most" not in line]  # the picture's legend is longer
        self.assertEqual([line for line in lines if len(line) > 100 or line != line.rstrip()], [])

    def test_another_decision_is_1_and_both_are_shown_with_the_line(self):
        at = next(i for i, line in enumerate(self.recording().read_text().splitlines()) if '"kind":"backing_off"' in line)

        def another_delay(lines):
            lines[at] = re.sub(r'"delay_ns":\d+', '"delay_ns":7', lines[at])
            return lines

        file = self.changed(another_delay)
        text = self.expect(1, "replay", file).stdout
        self.assertRegex(text, re.escape(f"differs {file}:{at + 1}: delay_ns: recorded 7, replayed ") + r"\d+\n"
                               r'    recorded \{"t_ns":.*"delay_ns":7\}\n    replayed \{"t_ns":.*"delay_ns":\d+\}\n')
        self.assertTrue(text.endswith("\nnot as recorded\n"))
        found = json.loads(self.expect(1, "replay", file, "--json").stdout)
        self.assertEqual((found["verdict"], found["difference"]["line"]), ("not as recorded", at + 1))

    def test_a_recording_that_was_cut_short_is_replayed_up_to_there_with_a_warning(self):
        file = self.changed(lambda lines: lines[:20] + [lines[20][:30]])
        text = self.expect(0, "replay", file).stdout
        self.assertIn(f"{file}:21: the recording is cut short here", text)
        self.assertTrue(json.loads(self.expect(0, "replay", file, "--json").stdout)["cut_short"])

    def test_a_bad_recording_is_reported_with_its_line_and_returns_2(self):
        file = self.changed(lambda lines: lines[:5] + ["what?\n"] + lines[5:])
        done = self.expect(2, "replay", file)
        self.assertTrue(done.stderr.startswith(f"{file}:6: is not a JSON object; "), done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertIn(": does not exist", self.expect(2, "replay", "nowhere.ndjson").stderr)
        self.assertIn(": is a folder; allowed is a file", self.expect(2, "replay", str(self.folder)).stderr)
        self.assertIn("holdfast_recording", self.expect(2, "replay", self.file(HEALTHY)).stderr)
        self.expect(2, "replay")

    def test_a_recording_may_come_through_a_pipe(self):
        done = self.run_it("replay", "/dev/stdin", input=self.recording().read_text())
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_json_summary_and_the_trace_agree_with_the_recording(self):
        trace = self.folder / "t.ndjson"
        done = self.expect(0, "replay", str(self.recording()), "--json", "--trace", str(trace))
        summary = json.loads(done.stdout)
        events = [line for line in self.recording().read_text().splitlines() if '"kind":' in line]
        self.assertEqual(summary["events"], len(events))
        self.assertEqual(summary["verdict"], "as recorded")
        self.assertIsNone(summary["difference"])
        lines = trace.read_text().splitlines()
        self.assertEqual([json.loads(line) for line in lines[1:-1]], [json.loads(line) for line in events])
        self.assertEqual(json.loads(lines[-1])["digest"], summary["digest"])

    def test_a_recording_becomes_a_scenario_with_its_failures_beside_it(self):
        out = self.folder / "incident.toml"
        self.expect(0, "replay", str(self.recording()), "--scenario", str(out))
        text, rows = out.read_text(), (self.folder / "incident.csv").read_text()
        self.assertTrue(text.startswith("# What failed in the run that "))
        self.assertRegex(text, r"# Left out: \d+ commands from outside: stop, restart or remove\.\n")
        self.assertRegex(text, r'name = "feed"\ncount = 3\n')
        self.assertRegex(rows, r'^entity,from,until,cause\nfeed-\d,\S+,\S+,connection "lost"\n')
        self.expect(0, "validate", str(out))
        done = json.loads(self.expect(0, "run", str(out), "--json").stdout)
        self.assertEqual(done["fleet"]["services"], 6)
        self.assertGreater(done["fleet"]["failures"], 5)

    def test_outages_of_a_scenario_are_mended_early_or_late(self):
        out = self.folder / "incident.toml"
        lengths = {}
        for mended in ("early", "late"):
            self.expect(0, "replay", str(self.recording()), "--scenario", str(out), "--mended", mended)
            self.assertIn(f"# An outage ends with the {'last' if mended == 'early' else 'first'} start", out.read_text())
            lengths[mended] = (self.folder / "incident.csv").read_text()
        self.expect(0, "replay", str(self.recording()), "--scenario", str(out))
        self.assertEqual((self.folder / "incident.csv").read_text(), lengths["early"])
        self.assertNotEqual(lengths["early"], lengths["late"])
        self.assertEqual([row.split(",")[:2] for row in lengths["early"].splitlines()],
                         [row.split(",")[:2] for row in lengths["late"].splitlines()])
        self.assertIn('--mended: is "soon"; allowed is early or late',
                      self.expect(2, "replay", str(self.recording()), "--scenario", str(out), "--mended", "soon").stderr)
        self.assertIn("--mended: says when outages of a scenario end; add --scenario OUT",
                      self.expect(2, "replay", str(self.recording()), "--mended", "late").stderr)

    def test_a_recording_that_was_changed_is_refused_with_its_line(self):
        lines = self.recording().read_text().splitlines(keepends=True)
        at = next(i for i, line in enumerate(lines) if '"input":"end"' in line)
        other = lines[at].replace('"service":"', '"service":"x')
        done = self.expect(1, "replay", self.file("".join(lines[:at] + [other] + lines[at + 1:]), "run.ndjson"))
        self.assertIn(f':{at + 1}: service: recorded "x', done.stdout)
        twice = lines[0].replace('"seed":', '"seed":1,"seed":', 1)
        done = self.expect(2, "replay", self.file("".join([twice] + lines[1:]), "run.ndjson"))
        self.assertIn("run.ndjson:1: seed: stands twice in this line; allowed is once", done.stderr)
        long = lines[0][:1] + " " * 2**20 + lines[0][1:]
        done = self.expect(2, "replay", self.file("".join([long] + lines[1:]), "run.ndjson"))
        self.assertIn("run.ndjson:1: is longer than 1048576 bytes", done.stderr)

    def test_a_scenario_that_cannot_be_written_or_would_overwrite_its_recording_is_2(self):
        file = self.changed(lambda lines: lines, "run.csv")
        before = Path(file).read_text()
        for out in (file, str(self.folder / "run.toml")):
            self.assertIn("would overwrite", self.expect(2, "replay", file, "--scenario", out).stderr)
        self.assertEqual(Path(file).read_text(), before)
        done = self.expect(2, "replay", file, "--scenario", str(self.folder / "no" / "x.toml"))
        self.assertIn("cannot write the scenario", done.stderr)

    def test_of_several_outputs_none_overwrites_another(self):
        recording = str(self.recording())
        for scenario, trace, says in (("a.csv", "", "name the scenario"), ("a.toml", "a.toml", "a file of --scenario"),
                                      ("a.toml", "a.csv", "a file of --scenario"), ("a.toml", "./b/../a.csv", "of --scenario")):
            with self.subTest(scenario=scenario, trace=trace):
                options = ["--scenario", str(self.folder / scenario)] + (["--trace", str(self.folder / trace)] if trace else [])
                self.assertIn(says, self.expect(2, "replay", recording, *options).stderr)
                self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_recording_of_a_program_of_today_becomes_a_scenario_that_runs(self):
        # Each has a kill_wait; a scenario that kept it could not be written.
        file = self.changed(lambda lines: [re.sub(r'("when_all_terminated":"\w+",)', r'\1"kill_wait_ns":1000000000,', lines[0]),
                                           *lines[1:]])
        out = str(self.folder / "incident.toml")
        done = self.run_it("replay", file, "--scenario", out)
        self.assertNotIn("reads back", done.stderr)
        self.assertIn(done.returncode, (0, 1))
        self.expect(0, "run", out)

    def test_a_trace_does_not_overwrite_its_recording(self):
        file = self.changed(lambda lines: lines)
        self.assertIn("would overwrite", self.expect(2, "replay", file, "--trace", file).stderr)
        self.assertEqual(Path(file).read_text(), self.recording().read_text())
        self.assertIn("No such file", self.expect(2, "replay", file, "--trace", str(self.folder / "no" / "t")).stderr)


if __name__ == "__main__":
    holdfast_command.main()
