#!/usr/bin/env python3
"""Every mutant of tests/mutants fits the tree, and the format that they are written in refuses what it should.

    mutants_test.py SOURCE_ROOT
"""

from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path()

STORY = "# The limit is left out.\n# noticed by: time_test\n"
GOOD = STORY + "\n@@ lib\n- if (a < limit) grow();\n+ grow();\n"


class MutantsTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def write(self, name: str, text: str) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def applied(self, text: str) -> dict[str, str]:
        changed = mutant_files.parse("m", text).applied_to(self.root)
        return {file.relative_to(self.root).as_posix(): content for file, content in changed.items()}

    def refusal(self, text: str) -> str:
        with self.assertRaises(mutant_files.BadMutant) as refused:
            self.applied(text)
        return str(refused.exception)

    def test_every_mutant_fits_the_tree_and_names_tests_that_there_are(self):
        mutants = mutant_files.read_all(ROOT)
        self.assertGreater(len(mutants), 0)
        self.assertEqual(mutant_files.problems(mutants, ROOT), [])

    def test_the_old_text_is_found_in_whatever_file_of_the_folder_it_stands_however_it_is_broken_into_lines(self):
        self.write("lib/a.cpp", "int a;\n")
        self.write("lib/deep/b.hpp", "void f() {\n    if (a <\n        limit) grow( );\n}\n")
        self.assertEqual(self.applied(GOOD), {"lib/deep/b.hpp": "void f() {\n     grow();\n}\n"})

    def test_lines_that_stay_find_the_place_and_are_kept(self):
        self.write("lib/a.cpp", "one();\ntwo();\nother();\ntwo();\n")
        edited = self.applied(STORY + "@@ lib\n  other();\n- two();\n+ three();\n")
        self.assertEqual(edited["lib/a.cpp"].split(), ["one();", "two();", "other();", "three();"])

    def test_edits_of_one_file_add_up(self):
        self.write("lib/a.cpp", "one();\ntwo();\n")
        self.assertEqual(self.applied(STORY + "@@ lib\n-one();\n@@ lib\n-two();\n+three();\n"), {"lib/a.cpp": "\nthree();\n"})

    def test_a_part_of_a_word_is_not_the_word(self):
        self.write("lib/a.cpp", "outgrow();\n")
        self.assertIn("exactly once, and does not", self.refusal(STORY + "@@ lib\n- grow();\n+ shrink();\n"))

    def test_a_missing_old_text_is_reported(self):
        self.write("lib/a.cpp", "grow();\n")
        refusal = self.refusal(GOOD)
        self.assertIn("m.mutant: its old text must stand in lib exactly once, and does not", refusal)
        self.assertIn("- if (a < limit) grow();", refusal)

    def test_an_old_text_that_stands_twice_is_reported_with_both_places(self):
        self.write("lib/a.cpp", "\nif (a < limit) grow();\n")
        self.write("lib/b.cpp", "if (a < limit) grow();\n")
        refusal = self.refusal(GOOD)
        self.assertIn("does 2 times", refusal)
        self.assertIn("lib/a.cpp:2", refusal)
        self.assertIn("lib/b.cpp:1", refusal)

    def test_a_missing_part_of_a_mutant_is_reported(self):
        self.assertIn("has no story", self.refusal("# noticed by: time_test\n@@ lib\n-a\n"))
        self.assertIn("names no test", self.refusal("# Story.\n@@ lib\n-a\n"))
        self.assertIn("has no edit", self.refusal(STORY))
        self.assertIn("changes nothing", self.refusal(STORY + "@@ lib\n a\n"))
        self.assertIn("no old text", self.refusal(STORY + "@@ lib\n+a\n"))
        self.assertIn('m.mutant:3: is "--- a/file"', self.refusal(STORY + "--- a/file\n"))

    def test_a_mutant_that_names_a_missing_test_is_reported(self):
        self.write("lib/a.cpp", "if (a < limit) grow();\n")
        self.write("tests/meson.build", "tests = ['other_test']\n")
        problems = mutant_files.problems([mutant_files.parse("m", GOOD)], self.root)
        self.assertEqual(problems, ["tests/mutants/m.mutant: is noticed by time_test, which stands in no meson.build of tests"])

    # -- What a test program says ------------------------------------------------------------------------------------

    def test_a_failed_assertion_a_failed_property_and_an_exception_are_failures_of_their_test_case(self):
        began = ['<TestCase name="first">\n', '<Expression success="true" type="CHECK">\n', "</Expression>\n", "</TestCase>\n",
                 '<TestCase name="a &lt; b">\n']
        failed = (' in "a < b"', "a < b")
        expression = ['<Expression success="false" type="CHECK">\n', "<Original>\n", "</Expression>\n"]
        self.assertEqual(mutant_trials.first_failure(began + expression), failed)
        self.assertEqual(mutant_trials.first_failure(began + ['<Failure filename="a">\n']), failed)
        self.assertEqual(mutant_trials.first_failure(began + ['<Exception filename="a">\n']), failed)
        self.assertEqual(mutant_trials.first_failure(began), (' in "a < b"', ""))
        self.assertEqual(mutant_trials.first_failure([]), ("", ""))

    def test_the_death_of_a_program_is_no_failure_of_a_test_case(self):
        dies = ['<TestCase name="a">\n', '<Expression success="false" type="REQUIRE">\n', "<Original>\n",
                '<FatalErrorCondition filename="a">\n', "</FatalErrorCondition>\n", "</Expression>\n"]
        self.assertEqual(mutant_trials.first_failure(dies), (' in "a"', ""))

    def test_a_failed_case_of_a_python_test_is_named_in_words_or_else_by_the_first_line_printed(self):
        self.assertEqual(mutant_trials.failed_case("", "...\nFAIL: test_a_b (x)\n---\n"), "a b")
        self.assertEqual(mutant_trials.failed_case("a.cpp:1: is wrong\n1 broken rules\n", ""), "a.cpp:1: is wrong")

    def test_a_run_that_was_interrupted_knows_what_was_killed_and_tries_the_rest_again(self):
        mutants = mutant_files.read_all(ROOT)[:3]
        file = self.root / "killed" / "state.ndjson"
        results = mutant_results.Results(file)
        results.keep(mutant_trials.Result(mutants[0], True, "time_test: a limit", 1.5, 0.25))
        results.keep(mutant_trials.Result(mutants[1], False, "SURVIVED: no test noticed it", 1, 2))
        file.write_text(file.read_text() + '{"mutant": "' + mutants[2].name)  # and was killed in the middle of a line
        again = mutant_results.Results(file)
        self.assertEqual(again.of(mutants[0]), mutant_trials.Result(mutants[0], True, "time_test: a limit", 1.5, 0.25))
        self.assertEqual([again.of(mutant) for mutant in mutants[1:]], [None, None])
        file.write_text(file.read_text().replace('"text": "', '"text": "another'))
        self.assertIsNone(mutant_results.Results(file).of(mutants[0]))
        mutant_results.Results(None).keep(mutant_trials.Result(mutants[0], True, "", 0, 0))  # keeps nothing

    def test_programs_that_fail_crash_or_pass_are_distinguished(self):
        def run(script: str) -> mutant_trials.Verdict:
            return mutant_trials.run(mutant_trials.Test("x", [sys.executable, "-c", script], []), self.root)

        self.assertTrue(run("pass").passed)
        self.assertEqual(run("print('why'); exit(1)").failed, "x: why")
        self.assertEqual(run("import os; os.abort()").broke, "x died of SIGABRT")

    def test_a_program_that_has_failed_is_over_whatever_it_has_started(self):
        # A child in a group of its own that has the output open and does not end, and a parent that goes on.
        program = self.root / "x_test"
        program.write_text(f"#!{sys.executable}\n"
                           "import os, time\n"
                           "if os.fork() == 0:\n"
                           "    os.setpgid(0, 0)\n"
                           "    while True: time.sleep(1)\n"
                           "time.sleep(0.2)\n"
                           "print('<TestCase name=\"a\">\\n<Failure filename=\"a\">', flush=True)\n"
                           "while True: time.sleep(1)\n")
        program.chmod(0o755)
        verdict = mutant_trials.run(mutant_trials.Test("x_test", [str(program)], []), self.root)
        self.assertEqual(verdict.failed, "x_test: a")


if __name__ == "__main__":
    ROOT = Path(sys.argv[1])
    sys.path.insert(0, str(ROOT / "tools"))
    import mutant_files
    import mutant_results
    import mutant_trials

    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
