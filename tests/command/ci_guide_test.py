#!/usr/bin/env python3
"""lib/docs/guide/ci.md as a reader follows it: each file and command of the page, in a repository that is not ours.

    ci_guide_test.py HOLDFAST SOURCE_ROOT

The Job for Kubernetes is checked against the fields of batch/v1 that it may have, and its command is run as its pods
would run it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree

sys.dont_write_bytecode = True
import holdfast_command  # noqa: E402
import yaml  # noqa: E402  # Debian: python3-yaml
from holdfast_command import CommandTest  # noqa: E402
from jsonschema import Draft202012Validator  # noqa: E402  # Debian: python3-jsonschema


def table(required: list[str], **fields: object) -> dict:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": fields}


def list_of(item: dict) -> dict:
    return {"type": "array", "minItems": 1, "items": item}


TEXT, COUNT, FLAG = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}, {"type": "boolean"}
NAME = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"}  # RFC 1123, as Kubernetes asks for
AMOUNTS = {"type": "object", "additionalProperties": {"type": "string", "pattern": r"^[0-9.]+(m|[KMGT]i?)?$"}}
# The fields of batch/v1 Job and its pods that a Job of ours may have, as the API reference of Kubernetes 1.24 and later has them.
POD = table(
    ["containers", "restartPolicy"],
    restartPolicy={"enum": ["Never", "OnFailure"]},  # a Job refuses Always
    containers=list_of(table(
        ["name", "image"], name=NAME, image=TEXT, command=list_of(TEXT), args=list_of(TEXT),
        resources=table([], requests=AMOUNTS, limits=AMOUNTS),
        volumeMounts=list_of(table(["name", "mountPath"], name=NAME, mountPath={"type": "string", "pattern": "^/"}, readOnly=FLAG)))),
    volumes=list_of({"oneOf": [
        table(["name", "configMap"], name=NAME, configMap=table(["name"], name=NAME)),
        table(["name", "persistentVolumeClaim"], name=NAME, persistentVolumeClaim=table(["claimName"], claimName=NAME))]}))
JOB = table(
    ["apiVersion", "kind", "metadata", "spec"],
    apiVersion={"const": "batch/v1"}, kind={"const": "Job"}, metadata=table(["name"], name=NAME),
    spec=table(["template", "completions", "completionMode"],  # an indexed Job needs completions
               completionMode={"const": "Indexed"}, completions=COUNT, parallelism=COUNT, backoffLimit=COUNT,
               template=table(["spec"], spec=POD)))


def page() -> str:
    return (holdfast_command.ROOT / "lib/docs/guide/ci.md").read_text()


def block(kind: str) -> str:
    return re.search(rf"```{kind}\n(.*?)```", page(), re.DOTALL)[1]


class Guide(CommandTest):
    def setUp(self):
        super().setUp()
        (self.folder / "fleet").mkdir()
        self.scenario = self.folder / "fleet/exchange.toml"
        self.scenario.write_text(block("toml"))
        self.small = "fleet/failures/exchange.expectation-circuit-open-too-many.seed-1.toml"

    def shell(self, status: int, line: str) -> str:
        """A line of the page, in the repository, with our holdfast."""
        self.assertIn(line, page())
        words = line.replace("holdfast ", f"{holdfast_command.HOLDFAST} ", 1)
        done = subprocess.run(words, shell=True, cwd=self.folder, capture_output=True, text=True, env=os.environ | {"COLUMNS": "100"})
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def sweep(self, status: int) -> str:
        return self.shell(status, "holdfast sweep fleet/*.toml --seeds 1..200 --corpus fleet/failures --junit results.xml")

    def shown(self, output: str, *parts: str):
        """What the page shows is what came out."""
        for part in parts:
            self.assertIn(part, output)
            self.assertIn(part, page())

    def test_a_failing_seed_becomes_a_small_file_that_is_a_test_from_then_on(self):
        self.shell(0, "holdfast validate fleet/*.toml")
        self.shown(self.sweep(1), "  196 seeds  expectation circuit_open: too many\n", "    seed 1: expected 0, found 5\n", f"{self.small}\n")
        self.assertIn("too many", self.shell(1, f"holdfast run {self.small}") + (self.folder / self.small).read_text())
        self.assertIn('[[fleet]]\nname = "feed-', (self.folder / self.small).read_text())
        self.assertNotIn("count", (self.folder / self.small).read_text().split("\n\n", 1)[1].split("[expect]")[0])
        before = self.scenario.read_text()
        mended = re.search(r'backoff = \{.*half_open.*\}', page())[0]
        self.scenario.write_text(re.sub(r"backoff = .*", mended, before))
        self.shown(self.sweep(0), "  fixed\n", f"    {self.small}\n")
        self.scenario.write_text(before)
        self.assertIn("still fails", self.sweep(1))
        names = {case.get("name") for case in xml.etree.ElementTree.parse(self.folder / "results.xml").iter("testcase")
                 if case.find("failure") is not None}
        self.assertEqual(names, {"expectation circuit_open"} | {f"corpus {self.small.replace('seed-1', f'seed-{n}')}" for n in (1, 2, 3)})


class Kubernetes(CommandTest):
    def setUp(self):
        super().setUp()
        self.job = yaml.safe_load((holdfast_command.ROOT / "tools/operators/sweep_job.yaml").read_text())

    def test_the_job_has_fields_that_there_are_and_mounts_what_it_names(self):
        self.assertEqual([error.message for error in Draft202012Validator(JOB).iter_errors(self.job)], [])
        pod = self.job["spec"]["template"]["spec"]
        self.assertEqual({mount["name"] for mount in pod["containers"][0]["volumeMounts"]}, {volume["name"] for volume in pod["volumes"]})
        for path in (("spec", "completionMode"), ("spec", "template", "spec", "restartPolicy")):
            broken = yaml.safe_load(yaml.safe_dump(self.job))
            inner = broken
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1] + "x"] = inner.pop(path[-1])
            self.assertTrue(list(Draft202012Validator(JOB).iter_errors(broken)), path)

    def test_its_pods_together_do_what_one_sweep_does(self):
        shards = self.job["spec"]["completions"]
        container = self.job["spec"]["template"]["spec"]["containers"][0]
        file, ledgers = self.file(block("toml"), "exchange.toml"), f"{self.folder}/ledgers/"
        line = container["args"][0].replace("/scenarios/exchange.toml", file).replace("/ledgers/", ledgers)
        self.assertIn(f"/{shards}\"", line)
        line = line.replace("1..1000000", "1..48").replace("exec holdfast", f"exec {holdfast_command.HOLDFAST}")
        for index in [*range(shards), 3]:  # one pod is started twice
            subprocess.run([*container["command"], line], check=True, env=os.environ | {"JOB_COMPLETION_INDEX": str(index)})
        self.assertEqual(self.expect(1, "merge", ledgers).stdout, self.expect(1, "sweep", file, "--seeds", "1..48").stdout)


if __name__ == "__main__":
    holdfast_command.main()
