#!/usr/bin/env python3
"""What operators see of a program, seen with their own tools: promtool finds nothing to complain about in its metrics, a
Prometheus server scrapes them and answers a query, and its log can be read back.

    operated_test.py PROGRAM PROMTOOL PROMETHEUS
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

PROGRAM, PROMTOOL, PROMETHEUS = sys.argv[1:]
PATIENCE = 120  # seconds; turns a hang into a failure
ODD = 'feed "EU" \\ é'

# Nobody stands between two programs of this machine, whatever the environment says.
OPENER = build_opener(ProxyHandler({}))


def fetch(url: str) -> tuple[int, str]:
    try:
        with OPENER.open(url, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        return refused.code, refused.read().decode()


def wait_for(what: str, look: Callable[[], object]) -> object:
    """What `look` finds, as soon as it finds something."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        if found := look():
            return found
        time.sleep(0.05)  # between two looks
    raise AssertionError(f"{what} did not happen within {PATIENCE} s")


class Child:
    """A program that is running, and all that it has written to its standard error so far."""

    def __init__(self, *command: object) -> None:
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        self.log: list[str] = []
        self.reader = threading.Thread(target=lambda: self.log.extend(iter(self.process.stderr.readline, "")))
        self.reader.start()

    def end(self, how: signal.Signals = signal.SIGKILL) -> int:
        self.process.send_signal(how)
        status = self.process.wait(PATIENCE)
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return status


def read_logfmt(line: str) -> dict[str, str]:
    pairs = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|[^\s"=]+)(?: |$)', line)
    if " ".join(f"{key}={value}" for key, value in pairs) != line:
        raise AssertionError(f"no logfmt: {line}")
    return {key: json.loads(value) if value.startswith('"') else value for key, value in pairs}


class Operators(unittest.TestCase):
    def setUp(self) -> None:
        self.program = Child(PROGRAM)
        self.addCleanup(lambda: self.program.process.poll() is None and self.program.end())
        self.port = int(self.program.process.stdout.readline())

    def page(self, path: str) -> tuple[int, str]:
        return fetch(f"http://127.0.0.1:{self.port}{path}")

    def wait_until_it_has_given_up(self) -> None:
        wait_for("the trip of the breaker", lambda: "holdfast_circuit_breaker_trips_total 1\n" in self.page("/metrics")[1])

    def test_promtool_has_nothing_to_say_about_the_metrics(self) -> None:
        self.wait_until_it_has_given_up()
        _, metrics = self.page("/metrics")
        checked = subprocess.run([PROMTOOL, "check", "metrics"], input=metrics, capture_output=True, text=True)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))
        self.assertIn('holdfast_uptime_seconds_count{service="loader"} 1\n', metrics)
        wrong = subprocess.run([PROMTOOL, "check", "metrics"], input="# TYPE a counter\na 1\n", capture_output=True, text=True)
        self.assertNotEqual(wrong.returncode, 0, "promtool would find nothing")

    def test_prometheus_scrapes_it_and_answers_queries(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "prometheus.yml"
            config.write_text("global: {scrape_interval: 200ms, scrape_timeout: 200ms}\n"
                              "scrape_configs:\n"
                              "  - job_name: example\n"
                              f"    static_configs: [{{targets: ['127.0.0.1:{self.port}']}}]\n")
            prometheus = Child(PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
                               "--web.listen-address=127.0.0.1:0")
            try:
                self.ask_about_the_program(self.address_of(prometheus))
            finally:
                prometheus.end(signal.SIGTERM)

    @staticmethod
    def address_of(prometheus: Child) -> str:
        def listening() -> str | None:
            if prometheus.process.poll() is not None:
                raise AssertionError("prometheus ended:\n" + "".join(prometheus.log))
            found = re.search(r'msg="Listening on" address=(\S+)', "".join(prometheus.log))
            return found and found[1]

        return wait_for("Prometheus listening", listening)

    def ask_about_the_program(self, address: str) -> None:
        def query(text: str) -> list[tuple[dict[str, str], str]]:
            status, answer = fetch(f"http://{address}/api/v1/query?{urlencode({'query': text})}")
            if status == 503:  # it is still starting
                return []
            self.assertEqual(status, 200, answer)
            result = json.loads(answer)["data"]["result"]
            return [(one["metric"], one["value"][1]) for one in result]

        def values(text: str, *labels: str) -> Callable[[], list[object]]:
            return lambda: sorted((*(metric[label] for label in labels), value) for metric, value in query(text))

        wait_for("a scrape", lambda: values('up{job="example"}')() == [("1",)])
        phases = [("engine", "running", "1"), (ODD, "terminated", "1"), ("loader", "terminated", "1")]
        wait_for("every phase", lambda: values('holdfast_service_phase{service!="feed"} == 1', "service", "phase")() == phases)
        breakers = [("engine", "off", "1"), ("feed", "off", "1"), (ODD, "open", "1"), ("loader", "off", "1")]
        self.assertEqual(values("holdfast_service_breaker == 1", "service", "breaker")(), breakers)
        reasons = [(ODD, "circuit_open", "1"), ("loader", "completed", "1")]
        self.assertEqual(values("holdfast_service_termination", "service", "reason")(), reasons)
        self.assertEqual(values("sum(holdfast_service_phase == 1)")(), [("4",)])
        self.assertEqual(values("holdfast_uptime_seconds_count", "service")(), [(ODD, "1"), ("loader", "1")])
        # What is a counter to Prometheus: it rises, and Prometheus knows its type.
        wait_for("restarts", values('rate(holdfast_service_failures_total{service="feed"}[1m]) > 0', "service"))
        _, metadata = fetch(f"http://{address}/api/v1/metadata")
        types = {name: about[0]["type"] for name, about in json.loads(metadata)["data"].items()}
        self.assertEqual(types["holdfast_service_failures_total"], "counter")
        self.assertEqual(types["holdfast_uptime_seconds"], "histogram")
        self.assertEqual(types["holdfast_service_phase"], "gauge")

    def test_health_readiness_and_services_tell_the_same_story(self) -> None:
        self.wait_until_it_has_given_up()
        self.assertEqual(self.page("/healthz"), (200, "alive\n"))
        status, text = self.page("/readyz")
        self.assertEqual(status, 503)
        self.assertIn(f"{ODD}: terminated, circuit_open\n", text)
        status, text = self.page("/services")
        self.assertEqual(status, 200)
        fleet = json.loads(text)
        services = {service["name"]: service for service in fleet["services"]}
        self.assertEqual(list(services), ["engine", "loader", "feed", ODD])
        self.assertEqual(services[ODD]["last_error"], 'connection refused by "exchange"')
        self.assertEqual(services[ODD]["termination_text"], "circuit breaker open (3/3 failures)")
        self.assertEqual(services["engine"]["phase"], "running")
        self.assertEqual(fleet["counters"]["spawned"], 4)
        self.assertFalse(fleet["ready"])

    def test_every_line_of_the_log_reads_back_and_has_its_level(self) -> None:
        self.wait_until_it_has_given_up()
        self.assertEqual(self.program.end(signal.SIGTERM), 1)  # one service had given up
        lines = [read_logfmt(line.rstrip("\n")) for line in self.program.log]
        levels = {line["event"]: line["level"] for line in lines if line.get("service", ODD) == ODD}
        self.assertEqual(levels["ended"], "warning")
        self.assertEqual(levels["breaker_tripped"], "error")
        self.assertEqual(levels["terminated"], "error")
        self.assertEqual(levels["shutdown_requested"], "info")
        self.assertNotIn("started", levels)  # debug, which spdlog leaves out
        errors = {line["error"] for line in lines if line["event"] == "ended" and "error" in line}
        self.assertEqual(errors, {'connection refused by "exchange"'})
        numbers = [int(line["n"]) for line in lines if line.get("service") == ODD]
        self.assertEqual(numbers, sorted(set(numbers)))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
