#!/usr/bin/env python3
"""The JSON Schema of scenarios: a good file passes, a file that is wrong by a type or a limit does not, and the reference is
written from the same description.

    schema_test.py HOLDFAST SOURCE_ROOT
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
import tomllib
import unittest
from importlib.machinery import SourceFileLoader
from pathlib import Path

from jsonschema import Draft202012Validator  # Debian: python3-jsonschema

HOLDFAST = sys.argv[1]
ROOT = Path(sys.argv[2])

# What is wrong with the value of one key, or with the keys of one table.
RULES = {"type", "unknown_key", "missing", "alone", "none", "two", "word", "form", "range", "empty", "blank", "control_character", "too_long",
         "item", "items", "no_items", "false"}
# What a schema cannot say, or says in another way.
BEYOND_A_SCHEMA = {
    "chaos.at--missing": "only recorded chaos begins at 0s by itself: a rule between keys",
    "chaos.outage.share--range": "nan is neither below nor above a limit; JSON has none",
    "seed--type": "to JSON 1.0 is the whole number 1",
}


def printed(*arguments: str) -> str:
    return subprocess.run([HOLDFAST, *arguments], capture_output=True, text=True, check=True).stdout


def is_too_long(path: Path) -> bool:
    """A length of time above 36500d: the schema knows how it is spelt, not how long it is."""
    return "allowed is " in path.with_suffix(".expected").read_text() and "to 36500d" in path.with_suffix(".expected").read_text()


class SchemaTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls) -> None:
        cls.schema = json.loads(printed("schema"))
        cls.validator = Draft202012Validator(cls.schema)

    def errors(self, path: Path) -> list[str]:
        return [error.message for error in self.validator.iter_errors(tomllib.loads(path.read_text()))]

    def test_it_is_a_schema(self) -> None:
        Draft202012Validator.check_schema(self.schema)
        self.assertEqual(self.schema["$schema"], "https://json-schema.org/draft/2020-12/schema")

    def test_every_shipped_scenario_and_the_one_with_every_key_pass(self) -> None:
        files = [*sorted((ROOT / "scenarios").glob("*.toml")), ROOT / "tests/files/every_key.toml"]
        self.assertGreater(len(files), 12)
        for file in files:
            with self.subTest(file.name):
                self.assertEqual(self.errors(file), [])

    def test_every_broken_scenario_that_is_wrong_by_a_key_of_its_own_is_refused(self) -> None:
        refused = 0
        for file in sorted((ROOT / "tests/bad_scenarios").glob("*.toml")):
            key, _, rule = file.stem.partition("--")
            if rule not in RULES or key in ("toml", "recorded_trace") or file.stem in BEYOND_A_SCHEMA:
                continue
            if rule == "range" and is_too_long(file) and not self.errors(file):
                continue
            with self.subTest(file.name):
                self.assertNotEqual(self.errors(file), [])
                refused += 1
        self.assertGreater(refused, 200)

    def test_each_exception_is_one(self) -> None:
        for stem in BEYOND_A_SCHEMA:
            with self.subTest(stem):
                self.assertEqual(self.errors(ROOT / "tests/bad_scenarios" / f"{stem}.toml"), [])

    def test_a_key_says_what_it_means_and_what_holds_without_it(self) -> None:
        base = self.schema["$defs"]["backoff"]["properties"]["base"]
        self.assertEqual(base["default"], "100ms")
        self.assertIn("what the first delay grows from", base["description"])
        for name, table in {"": self.schema, **self.schema["$defs"]}.items():
            for key, says in table["properties"].items():
                with self.subTest(f"{name}.{key}"):
                    self.assertTrue(says["description"])

    def test_the_fuzzer_of_scenarios_knows_every_key_and_every_word(self) -> None:
        loader = SourceFileLoader("fuzz", str(ROOT / "tools/fuzz"))
        fuzz = importlib.util.module_from_spec(importlib.util.spec_from_loader("fuzz", loader))
        sys.dont_write_bytecode = True
        loader.exec_module(fuzz)
        with tempfile.TemporaryDirectory() as folder:
            entries = set(fuzz.dictionary("scenario_fuzz", Path(HOLDFAST), Path(folder)).read_text().splitlines())
        for word in ('"fails_after"', '"virtual_time"', '"\\"on_failure\\""', '"\\"ignore\\""', '"feed-999"'):
            self.assertIn(word, entries)
        for table in (self.schema, *self.schema["$defs"].values()):
            self.assertLessEqual({f'"{key}"' for key in table["properties"]}, entries)

    def test_the_reference_has_the_tables_of_the_description(self) -> None:
        checked = subprocess.run([ROOT / "tools/record_reference", "--check", HOLDFAST], capture_output=True, text=True)
        self.assertEqual((checked.stdout, checked.returncode), ("", 0))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
