#!/usr/bin/env python3
"""`holdfast trace --format perfetto`: what protoc reads in it, of a run that is computed by hand.

    perfetto_test.py HOLDFAST SOURCE_ROOT
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import unittest
from collections.abc import Iterator
from dataclasses import dataclass, field

sys.dont_write_bytecode = True
import holdfast_command  # noqa: E402
from holdfast_command import HEALTHY, CommandTest  # noqa: E402

# The database fails at 10 s and, as the outage lasts until 15 s, again at 13 s. The shop fails at 12 s by itself and waits from
# 14 s for the database. A till takes the other one down with it at 30 s. Restarts take 2 s.
SHOP = """\
name = "shop"
duration = "60s"
[supervisor]
backoff = { base = "2s", growth = "fixed", jitter = "none", breaker = "off" }
[[group]]
path = "/tills"
strategy = "one_for_all"
[[fleet]]
name = "db"
runs_for = "1h"
then = "fail"
[[fleet]]
name = "shop"
runs_for = "1h"
then = "fail"
after = ["db"]
on_dependency = "wait"
wake_jitter = "0s"
[[fleet]]
name = "till"
runs_for = "1h"
then = "fail"
count = 2
in = "/tills"
[[chaos]]
at = "10s"
outage = { of = "db", for = "5s", fails_after = "1s" }
[[chaos]]
at = "12s"
storm = { of = "shop" }
[[chaos]]
at = "30s"
storm = { of = "till-1" }
"""


@dataclass
class Drawn:
    """A trace as the viewer sees it: slices, instants, arrows and counters, times in seconds."""

    parents: dict[str, str] = field(default_factory=dict)
    slices: list[tuple[str, str, float, float]] = field(default_factory=list)  # track, name, from, until
    instants: list[tuple[str, str, float]] = field(default_factory=list)
    arrows: list[tuple[str, str]] = field(default_factory=list)                # "track name at", twice
    counters: list[tuple[str, float, int]] = field(default_factory=list)
    details: dict[str, dict[str, str]] = field(default_factory=dict)           # by "track name at"


def fields(lines: Iterator[str]) -> list[tuple[str, object]]:
    """A message in the text form of Protocol Buffers."""
    found: list[tuple[str, object]] = []
    for line in map(str.strip, lines):
        if line == "}":
            break
        if line.endswith("{"):
            found.append((line[:-1].strip(), fields(lines)))
        elif line:
            key, value = line.split(": ", 1)
            found.append((key, value.strip('"')))
    return found


def all_of(message: list, key: str) -> list:
    return [value for name, value in message if name == key]


def first_of(message: list, key: str, otherwise=None):
    return next(iter(all_of(message, key)), otherwise)


def drawn(trace: bytes) -> Drawn:
    text = subprocess.run(["protoc", "--decode=Trace", "-I", holdfast_command.ROOT / "tests/command", "perfetto.proto"], input=trace,
                          capture_output=True, check=True).stdout.decode()
    of, tracks, words, begun, flows = Drawn(), {}, {}, {}, {}
    for _, packet in fields(iter(text.splitlines())):
        if described := first_of(packet, "track_descriptor"):
            tracks[first_of(described, "uuid")] = name = first_of(described, "name")
            of.parents[name] = tracks.get(first_of(described, "parent_uuid"), "")
        for kind, entries in first_of(packet, "interned_data", []):
            words[kind, first_of(entries, "iid")] = first_of(entries, "name")
        if not (event := first_of(packet, "track_event")):
            continue
        at = int(first_of(packet, "timestamp", "0")) / 1e9
        track, name = tracks[first_of(event, "track_uuid")], words.get(("event_names", first_of(event, "name_iid")))
        here = f"{track} {name} {at:g}"
        of.details[here] = {words["debug_annotation_names", first_of(note, "name_iid")]: words.get(
            ("debug_annotation_string_values", first_of(note, "string_value_iid"))) or note[-1][1]
            for note in all_of(event, "debug_annotations")}
        kind = first_of(event, "type")
        if kind == "TYPE_SLICE_BEGIN":
            begun.setdefault(track, []).append((name, at))
        elif kind == "TYPE_SLICE_END":
            name, since = begun[track].pop()
            of.slices.append((track, name, since, at))
        elif kind == "TYPE_INSTANT":
            of.instants.append((track, name, at))
        else:
            of.counters.append((track, at, int(first_of(event, "counter_value"))))
        flows |= {flow: here for flow in all_of(event, "flow_ids")}
        of.arrows += [(flows.pop(flow), here) for flow in all_of(event, "terminating_flow_ids")]
    assert not any(begun.values()), f"slices without an end: {begun}"
    return of


@unittest.skipUnless(shutil.which("protoc"), "protoc is not installed")
class Perfetto(CommandTest):
    def converted(self, scenario: str) -> bytes:
        lines, compact = self.folder / "t.ndjson", self.folder / "t.hft"
        for trace in (lines, compact):
            self.run_it("run", scenario, "--quiet", "--trace", str(trace))
        out = self.folder / "t.pftrace"
        self.expect(0, "trace", str(lines), "--format", "perfetto", "-o", str(out))
        of_lines = out.read_bytes()
        self.expect(0, "trace", str(compact), "--format", "perfetto", "-o", str(out))
        self.assertEqual(out.read_bytes(), of_lines)
        return of_lines

    def test_phases_are_slices_and_the_rest_are_instants(self):
        seen = drawn(self.converted(self.file(SHOP)))
        self.assertEqual(seen.parents, {"fleet": "", "running": "fleet", "backing_off": "fleet", "/tills": "fleet", "db": "fleet",
                                        "shop": "fleet", "till-0": "/tills", "till-1": "/tills", "chaos": "db"})
        self.assertEqual(sorted(one for one in seen.slices if one[3] > one[2]), [
            ("chaos", "outage", 10, 15),
            ("db", "backing_off", 10, 12), ("db", "backing_off", 13, 15), ("db", "running", 0, 10), ("db", "running", 12, 13),
            ("db", "running", 15, 60),
            ("shop", "backing_off", 12, 15), ("shop", "running", 0, 12), ("shop", "running", 15, 60), ("shop", "waiting", 14, 15),
            ("till-0", "backing_off", 30, 32), ("till-0", "running", 0, 30), ("till-0", "running", 32, 60),
            ("till-0", "waiting", 30, 32),
            ("till-1", "backing_off", 30, 32), ("till-1", "running", 0, 30), ("till-1", "running", 32, 60)])
        self.assertEqual([one for one in seen.slices if one[3] == one[2]], [("till-0", "stopping", 30, 30)])  # an arrow leads to it
        self.assertEqual(sorted(one for one in seen.instants if one[1] != "leads to"), [
            ("/tills", "group_added", 0), ("db", "ended", 10), ("db", "ended", 13), ("shop", "ended", 12), ("shop", "storm", 12),
            ("till-0", "ended", 30), ("till-1", "ended", 30), ("till-1", "storm", 30)])
        self.assertEqual(seen.details["db backing_off 13"], {"n": "9", "run": "2", "cause": "failure", "attempt": "2",
                                                            "ceiling_ns": "2000000000", "delay_ns": "2000000000"})
        self.assertEqual(seen.details["db ended 13"], {"n": "8", "run": "2", "outcome": "failed", "lasted_ns": "1000000000",
                                                      "error": "outage"})

    def test_arrows_lead_from_causes_to_effects(self):
        seen = drawn(self.converted(self.file(SHOP)))
        self.assertEqual(seen.arrows, [
            ("chaos outage 10", "db ended 10"), ("shop storm 12", "shop ended 12"), ("db leads to 13", "shop waiting 14"),
            ("till-1 storm 30", "till-1 ended 30"), ("till-1 leads to 30", "till-0 stopping 30")])
        self.assertEqual(seen.details["db leads to 13"], {"service": "shop"})

    def test_counters_count_who_runs_and_who_waits_for_the_next_run(self):
        seen = drawn(self.converted(self.file(SHOP)))
        self.assertEqual(seen.counters, [
            ("running", 0, 4), ("backing_off", 0, 0), ("running", 10, 3), ("backing_off", 10, 1), ("running", 13, 2),
            ("backing_off", 13, 2), ("running", 15, 4), ("backing_off", 15, 0), ("running", 30, 2), ("backing_off", 30, 2),
            ("running", 32, 4), ("backing_off", 32, 0)])

    def test_a_lost_group_and_what_ends_the_fleet_have_arrows(self):
        scenario = SHOP.replace('"one_for_all"', '"one_for_all"\nintensity = { max_restarts = 1, within = "1min" }').replace(
            'in = "/tills"', 'in = "/tills"\nends_fleet = "when_lost"') + '[[chaos]]\nat = "40s"\nstorm = { of = "till-0" }\n'
        seen = drawn(self.converted(self.file(scenario)))
        self.assertIn(("till-0 leads to 40", "/tills group_lost 40"), seen.arrows)
        self.assertIn(("/tills leads to 40", "till-1 stopping 40"), seen.arrows)
        self.assertIn("fleet shutting_down 40", [effect for _, effect in seen.arrows])

    def test_chaos_that_overlaps_has_tracks_of_its_own(self):
        more = '[[chaos]]\nat = "12s"\nslow = { of = "db", for = "10s", ready_after = "1s" }\n'
        seen = drawn(self.converted(self.file(SHOP + more)))
        self.assertEqual(sorted(one for one in seen.slices if one[0].startswith("chaos")),
                         [("chaos", "outage", 10, 15), ("chaos 2", "slow", 12, 22)])
        self.assertEqual(seen.parents["chaos 2"], "db")

    def test_shipped_scenarios_close_all_slices_and_lose_no_arrow(self):
        for name in ("dead_connection", "hung_workers", "failure_storm_default_policy", "database_comes_back"):
            with self.subTest(scenario=name):
                seen = drawn(self.converted(str(holdfast_command.ROOT / f"scenarios/{name}.toml")))
                self.assertTrue(all(until >= since for _, _, since, until in seen.slices))
                self.assertGreater(len(seen.arrows), 0)

    def test_a_trace_that_is_damaged_is_refused(self):
        lines = self.folder / "t.ndjson"
        self.expect(0, "run", self.file(HEALTHY), "--trace", str(lines))
        lines.write_bytes(lines.read_bytes()[:-30])
        self.assertEqual(self.expect(2, "trace", str(lines), "--format", "perfetto", "-o", str(self.folder / "t")).stdout, "")


if __name__ == "__main__":
    holdfast_command.main()
