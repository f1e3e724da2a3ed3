#!/usr/bin/env python3
"""The dashboard and the alerts of tools/operators: promtool accepts every query, the alerts fire on what they should and on
nothing else, and every metric and label is one that a program serves.

    operators_test.py SOURCE_ROOT PROMTOOL
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT, PROMTOOL = Path(), ""
# What Grafana puts in the place of its variables.
VARIABLES = {"$__rate_interval": "2m", "$__interval": "1m", "$job": ".*", "$instance": ".*", "$service": ".*"}


def folder() -> Path:
    return ROOT / "tools/operators"


def dashboard() -> dict:
    return json.loads((folder() / "grafana_dashboard.json").read_text())


def queries() -> list[str]:
    """Of every panel and annotation, as Prometheus gets them."""
    board = dashboard()
    found = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    found += [annotation["expr"] for annotation in board["annotations"]["list"]]
    for name, value in VARIABLES.items():
        found = [query.replace(name, value) for query in found]
    return found


def promtool(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([PROMTOOL, *words], capture_output=True, text=True, timeout=120)


def check_rules(expressions: list[str]) -> subprocess.CompletedProcess:
    """promtool checks queries as rules: JSON is YAML."""
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(expressions)]
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary, "rules.yml")
        file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
        return promtool("check", "rules", str(file))


class Operators(unittest.TestCase):
    def test_promtool_accepts_the_alerts_and_every_query_of_the_dashboard(self):
        done = promtool("check", "rules", str(folder() / "prometheus_alerts.yml"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater(len(queries()), 12)
        done = check_rules(queries())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotEqual(check_rules(["sum(("]).returncode, 0, "promtool would accept anything")

    def test_the_alerts_fire_on_what_they_should_and_on_nothing_else(self):
        done = promtool("test", "rules", str(folder() / "prometheus_alerts_test.yml"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_alert_has_a_test(self):
        named = re.findall(r"alert: (\w+)", (folder() / "prometheus_alerts.yml").read_text())
        tests = (folder() / "prometheus_alerts_test.yml").read_text()
        for alert in named:
            self.assertIn(f"alertname: {alert}", tests)
            self.assertRegex(tests, rf"alertname: {alert}\n +exp_alerts:\n +- exp_labels", "is never seen to fire")

    def test_every_metric_and_label_is_one_that_a_program_serves(self):
        page = (ROOT / "lib/docs/reference/metrics.md").read_text()
        served = {name: set(filter(None, (labels or "").split(",")))
                  for name, labels in re.findall(r"^\| `(holdfast_\w+)(?:\{([\w,]+)\})?`", page, re.MULTILINE)}
        texts = queries() + re.findall(r"expr: (.*)", (folder() / "prometheus_alerts.yml").read_text())
        texts += [variable["query"]["query"] for variable in dashboard()["templating"]["list"] if variable["type"] == "query"]
        for text in texts:
            for name, selector in re.findall(r"(holdfast_\w+)(?:\{([^}]*)\})?", text):
                self.assertIn(name, served, text)
                labels = set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)', selector)) - {"job", "instance"}
                self.assertLessEqual(labels, served[name], text)

    def test_panels_stand_beside_each_other_and_have_names_of_their_own(self):
        taken = set()
        titles = [panel["title"] for panel in dashboard()["panels"]]
        self.assertEqual(len(titles), len(set(titles)))
        for panel in dashboard()["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells


if __name__ == "__main__":
    ROOT, PROMTOOL = Path(sys.argv[1]), sys.argv[2]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
