// Every input in every phase: a table with all of its cells, in the language of supervisor_model_step.hpp. A cell says
// whether a command was accepted, and which events the input led to, without times. Each cell was compared with
// semantics.md, sections 2 and 5; where two phases have the same name, how the service came there makes the difference.

#include <map>
#include <set>

#include "supervisor_model_driver.hpp"

namespace holdfast::test::supervisor_inputs_test {

namespace {

// No delay is longer than 0 ns, and no run here lasts as long as the cooldown; policy 1 opens its breaker at once,
// and under policy 2 it tries again after 1 ns.
constexpr std::string_view kSettings =
    "shutdown_timeout 5ns; start_timeout 4ns; watchdog 4ns; policy base 0ns max 0ns cooldown 99ns clean_restart_delay "
    "0ns; "
    "policy base 0ns max 0ns cooldown 99ns clean_restart_delay 0ns breaker 1 in 9ns; "
    "policy base 0ns max 0ns cooldown 99ns clean_restart_delay 0ns breaker 1 in 9ns half_open 1ns max 8ns up 3ns; ";

// Whether the command was accepted, and which events followed; a cell that is not here: none.
using Cells = std::map<std::string, std::string>;

struct PhaseRow {
  std::string phase;
  std::string comes_there;  // where there has been a run, the first one has failed and is over
  Cells cells;
};

const std::vector<PhaseRow>& table() {
  static const std::vector<PhaseRow> kTable{
      {"starting",
       "add a on_failure policy 0 &",
       {{"add a always policy 0", "no: added on_failure, started 1, running 1"},
        {"stop a", "yes: added on_failure, commanded stop, terminated cancelled"},
        {"restart a", "yes: added on_failure, commanded restart, started 1, running 1"},
        {"reset a", "yes: added on_failure, commanded reset, started 1, running 1"},
        {"remove a", "yes: added on_failure, commanded remove, terminated cancelled, removed"},
        {"end a clean", "added on_failure, started 1, running 1"},
        {"end a failed", "added on_failure, started 1, running 1"},
        {"end a threw", "added on_failure, started 1, running 1"},
        {"end a fatal", "added on_failure, started 1, running 1"},
        {"end_old 0 failed", "added on_failure, started 1, running 1"},
        {"ready a", "added on_failure, started 1, running 1"},
        {"beat a", "added on_failure, started 1, running 1"},
        {"progress a 1", "added on_failure, started 1, running 1"},
        {"pass 1ns", "added on_failure, started 1, running 1"},
        {"pass 9ns", "added on_failure, started 1, running 1"},
        {"shutdown", "added on_failure, - shutdown_requested, terminated cancelled, - drained drained"},
        {"end_drain", "added on_failure, - shutdown_requested, terminated cancelled, - drained drained"}}},
      {"starting, and its run is not ready",
       "add a on_failure policy 0 notified; end a failed; pass 0ns;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop, stopping stop"},
        {"restart a", "yes: commanded restart, stopping restart"},
        {"reset a", "yes: commanded reset"},
        {"remove a", "yes: commanded remove, stopping remove"},
        {"end a clean", "ended 2 clean, terminated completed"},
        {"end a failed", "ended 2 failed: ended, backing_off failure 2"},
        {"end a threw", "ended 2 threw: ended, backing_off failure 2"},
        {"end a fatal", "ended 2 fatal: ended, terminated failed: ended"},
        {"ready a", "running 2"},
        {"pass 9ns", "stopping start_timeout, killed"},
        {"shutdown", "- shutdown_requested, stopping shutdown"},
        {"end_drain", "- shutdown_requested, stopping shutdown, killed, terminated abandoned, - drained cut_short"}}},
      {"running",
       "add a on_failure policy 0; end a failed; pass 0ns;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop, stopping stop"},
        {"restart a", "yes: commanded restart, stopping restart"},
        {"reset a", "yes: commanded reset"},
        {"remove a", "yes: commanded remove, stopping remove"},
        {"end a clean", "ended 2 clean, terminated completed"},
        {"end a failed", "ended 2 failed: ended, backing_off failure 2"},
        {"end a threw", "ended 2 threw: ended, backing_off failure 2"},
        {"end a fatal", "ended 2 fatal: ended, terminated failed: ended"},
        {"shutdown", "- shutdown_requested, stopping shutdown"},
        {"end_drain", "- shutdown_requested, stopping shutdown, killed, terminated abandoned, - drained cut_short"}}},
      {"running, under a watchdog",
       "add a on_failure policy 0 watched; end a failed; pass 0ns;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop, stopping stop"},
        {"restart a", "yes: commanded restart, stopping restart"},
        {"reset a", "yes: commanded reset"},
        {"remove a", "yes: commanded remove, stopping remove"},
        {"end a clean", "ended 2 clean, terminated completed"},
        {"end a failed", "ended 2 failed: ended, backing_off failure 2"},
        {"end a threw", "ended 2 threw: ended, backing_off failure 2"},
        {"end a fatal", "ended 2 fatal: ended, terminated failed: ended"},
        {"pass 9ns", "stopping watchdog, killed"},
        {"shutdown", "- shutdown_requested, stopping shutdown"},
        {"end_drain", "- shutdown_requested, stopping shutdown, killed, terminated abandoned, - drained cut_short"}}},
      {"running, and its end is queued",
       "add a on_failure policy 0; end a failed; pass 0ns; end a failed &",
       {{"add a always policy 0", "no: ended 2 failed: ended, backing_off failure 2"},
        {"stop a",
         "yes: ended 2 failed: ended, backing_off failure 2, commanded stop, stopping stop, terminated cancelled"},
        {"restart a", "yes: ended 2 failed: ended, backing_off failure 2, commanded restart, started 3, running 3"},
        {"reset a", "yes: ended 2 failed: ended, backing_off failure 2, commanded reset, started 3, running 3"},
        {"remove a",
         "yes: ended 2 failed: ended, backing_off failure 2, commanded remove, stopping remove, terminated cancelled, "
         "removed"},
        {"end a clean", "ended 2 failed: ended, backing_off failure 2"},
        {"end a failed", "ended 2 failed: ended, backing_off failure 2"},
        {"end a threw", "ended 2 failed: ended, backing_off failure 2"},
        {"end a fatal", "ended 2 failed: ended, backing_off failure 2"},
        {"end_old 0 failed", "ended 2 failed: ended, backing_off failure 2"},
        {"ready a", "ended 2 failed: ended, backing_off failure 2"},
        {"beat a", "ended 2 failed: ended, backing_off failure 2"},
        {"progress a 1", "ended 2 failed: ended, backing_off failure 2"},
        {"pass 1ns", "ended 2 failed: ended, backing_off failure 2, started 3, running 3"},
        {"pass 9ns", "ended 2 failed: ended, backing_off failure 2, started 3, running 3"},
        {"shutdown",
         "ended 2 failed: ended, backing_off failure 2, - shutdown_requested, stopping shutdown, terminated cancelled, "
         "- drained drained"},
        {"end_drain",
         "ended 2 failed: ended, backing_off failure 2, - shutdown_requested, stopping shutdown, terminated cancelled, "
         "- drained drained"}}},
      {"backing_off after a failure",
       "add a on_failure policy 0; end a failed;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop, stopping stop, terminated cancelled"},
        {"restart a", "yes: commanded restart, started 2, running 2"},
        {"reset a", "yes: commanded reset, started 2, running 2"},
        {"remove a", "yes: commanded remove, stopping remove, terminated cancelled, removed"},
        {"pass 1ns", "started 2, running 2"},
        {"pass 9ns", "started 2, running 2"},
        {"shutdown", "- shutdown_requested, stopping shutdown, terminated cancelled, - drained drained"},
        {"end_drain", "- shutdown_requested, stopping shutdown, terminated cancelled, - drained drained"}}},
      {"backing_off after a clean exit",
       "add a always policy 0; end a failed; pass 0ns; end a clean;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop, stopping stop, terminated cancelled"},
        {"restart a", "yes: commanded restart, started 3, running 3"},
        {"reset a", "yes: commanded reset, started 3, running 3"},
        {"remove a", "yes: commanded remove, stopping remove, terminated cancelled, removed"},
        {"pass 1ns", "started 3, running 3"},
        {"pass 9ns", "started 3, running 3"},
        {"shutdown", "- shutdown_requested, stopping shutdown, terminated cancelled, - drained drained"},
        {"end_drain", "- shutdown_requested, stopping shutdown, terminated cancelled, - drained drained"}}},
      {"backing_off, its breaker open",
       "add a on_failure policy 2; end a failed;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop, stopping stop, terminated cancelled"},
        {"restart a", "yes: commanded restart, breaker_closed, started 2, running 2"},
        {"reset a", "yes: commanded reset, breaker_closed, started 2, running 2"},
        {"remove a", "yes: commanded remove, stopping remove, terminated cancelled, removed"},
        {"pass 1ns", "started 2, running 2"},
        {"pass 9ns", "started 2, running 2, breaker_closed"},
        {"shutdown", "- shutdown_requested, stopping shutdown, terminated cancelled, - drained drained"},
        {"end_drain", "- shutdown_requested, stopping shutdown, terminated cancelled, - drained drained"}}},
      {"running, as a probe",
       "add a on_failure policy 2; end a failed; pass 1ns;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop, stopping stop"},
        {"restart a", "yes: commanded restart, breaker_closed, stopping restart"},
        {"reset a", "yes: commanded reset, breaker_closed"},
        {"remove a", "yes: commanded remove, stopping remove"},
        {"end a clean", "ended 2 clean, breaker_closed, terminated completed"},
        {"end a failed", "ended 2 failed: ended, breaker_tripped 1/1, backing_off breaker_open 2"},
        {"end a threw", "ended 2 threw: ended, breaker_tripped 1/1, backing_off breaker_open 2"},
        {"end a fatal", "ended 2 fatal: ended, terminated failed: ended"},
        {"pass 9ns", "breaker_closed"},
        {"shutdown", "- shutdown_requested, stopping shutdown"},
        {"end_drain", "- shutdown_requested, stopping shutdown, killed, terminated abandoned, - drained cut_short"}}},
      {"stopping for good",
       "add a on_failure policy 0; end a failed; pass 0ns; stop a;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop"},
        {"restart a", "no:"},
        {"reset a", "no:"},
        {"remove a", "yes: commanded remove"},
        {"end a clean", "ended 2 clean, terminated cancelled"},
        {"end a failed", "ended 2 failed: ended, terminated cancelled"},
        {"end a threw", "ended 2 threw: ended, terminated cancelled"},
        {"end a fatal", "ended 2 fatal: ended, terminated cancelled"},
        {"pass 9ns", "killed"},
        {"shutdown", "- shutdown_requested"},
        {"end_drain", "- shutdown_requested, killed, terminated abandoned, - drained cut_short"}}},
      {"stopping to be removed",
       "add a on_failure policy 0; end a failed; pass 0ns; remove a;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop"},
        {"restart a", "no:"},
        {"reset a", "no:"},
        {"remove a", "yes:"},
        {"end a clean", "ended 2 clean, terminated cancelled, removed"},
        {"end a failed", "ended 2 failed: ended, terminated cancelled, removed"},
        {"end a threw", "ended 2 threw: ended, terminated cancelled, removed"},
        {"end a fatal", "ended 2 fatal: ended, terminated cancelled, removed"},
        {"pass 9ns", "killed"},
        {"shutdown", "- shutdown_requested"},
        {"end_drain", "- shutdown_requested, killed, terminated abandoned, removed, - drained cut_short"}}},
      {"stopping to restart",
       "add a on_failure policy 0; end a failed; pass 0ns; restart a;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop, stopping stop"},
        {"restart a", "yes: commanded restart"},
        {"reset a", "yes: commanded reset"},
        {"remove a", "yes: commanded remove, stopping remove"},
        {"end a clean", "ended 2 clean, started 3, running 3"},
        {"end a failed", "ended 2 failed: ended, started 3, running 3"},
        {"end a threw", "ended 2 threw: ended, started 3, running 3"},
        {"end a fatal", "ended 2 fatal: ended, started 3, running 3"},
        {"pass 9ns", "killed"},
        {"shutdown", "- shutdown_requested, stopping shutdown"},
        {"end_drain", "- shutdown_requested, stopping shutdown, killed, terminated abandoned, - drained cut_short"}}},
      {"stopping, not ready in time",
       "add a on_failure policy 0 notified; end a failed; pass 0ns; pass 4ns;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop, stopping stop"},
        {"restart a", "yes: commanded restart, stopping restart"},
        {"reset a", "yes: commanded reset"},
        {"remove a", "yes: commanded remove, stopping remove"},
        {"end a clean", "ended 2 failed: not ready within 4ns, backing_off failure 2"},
        {"end a failed", "ended 2 failed: not ready within 4ns: ended, backing_off failure 2"},
        {"end a threw", "ended 2 threw: not ready within 4ns: ended, backing_off failure 2"},
        {"end a fatal", "ended 2 fatal: not ready within 4ns: ended, terminated failed: not ready within 4ns: ended"},
        {"ready a", "ready_late 2"},
        {"pass 9ns", "killed"},
        {"shutdown", "- shutdown_requested, stopping shutdown"},
        {"end_drain", "- shutdown_requested, stopping shutdown, killed, terminated abandoned, - drained cut_short"}}},
      {"stopping, as hung",
       "add a on_failure policy 0 watched; end a failed; pass 0ns; pass 4ns;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop, stopping stop"},
        {"restart a", "yes: commanded restart, stopping restart"},
        {"reset a", "yes: commanded reset"},
        {"remove a", "yes: commanded remove, stopping remove"},
        {"end a clean", "ended 2 failed: no heartbeat for 4ns, backing_off failure 2"},
        {"end a failed", "ended 2 failed: no heartbeat for 4ns: ended, backing_off failure 2"},
        {"end a threw", "ended 2 threw: no heartbeat for 4ns: ended, backing_off failure 2"},
        {"end a fatal", "ended 2 fatal: no heartbeat for 4ns: ended, terminated failed: no heartbeat for 4ns: ended"},
        {"pass 9ns", "killed"},
        {"shutdown", "- shutdown_requested, stopping shutdown"},
        {"end_drain", "- shutdown_requested, stopping shutdown, killed, terminated abandoned, - drained cut_short"}}},
      {"stopping in a shutdown",
       "add a on_failure policy 0; end a failed; pass 0ns; shutdown;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop"},
        {"restart a", "no:"},
        {"reset a", "no:"},
        {"remove a", "yes: commanded remove"},
        {"end a clean", "ended 2 clean, terminated cancelled, - drained drained"},
        {"end a failed", "ended 2 failed: ended, terminated cancelled, - drained drained"},
        {"end a threw", "ended 2 threw: ended, terminated cancelled, - drained drained"},
        {"end a fatal", "ended 2 fatal: ended, terminated cancelled, - drained drained"},
        {"pass 9ns", "killed, terminated abandoned, - drained deadline"},
        {"end_drain", "killed, terminated abandoned, - drained cut_short"}}},
      {"terminated, completed",
       "add a on_failure policy 0; end a failed; pass 0ns; end a clean;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop"},
        {"restart a", "yes: commanded restart, removed, added on_failure after run 2, started 3, running 3"},
        {"reset a", "no:"},
        {"remove a", "yes: commanded remove, removed"},
        {"shutdown", "- shutdown_requested, - drained drained"},
        {"end_drain", "- shutdown_requested, - drained drained"}}},
      {"terminated, cancelled",
       "add a on_failure policy 0; end a failed; pass 0ns; stop a; end a clean;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop"},
        {"restart a", "yes: commanded restart, removed, added on_failure after run 2, started 3, running 3"},
        {"reset a", "no:"},
        {"remove a", "yes: commanded remove, removed"},
        {"shutdown", "- shutdown_requested, - drained drained"},
        {"end_drain", "- shutdown_requested, - drained drained"}}},
      {"terminated, circuit_open",
       "add a on_failure policy 1; end a failed;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop"},
        {"restart a", "yes: commanded restart, removed, added on_failure after run 1, started 2, running 2"},
        {"reset a", "no:"},
        {"remove a", "yes: commanded remove, removed"},
        {"shutdown", "- shutdown_requested, - drained drained"},
        {"end_drain", "- shutdown_requested, - drained drained"}}},
      {"terminated, failed",
       "add a never policy 0; end a failed;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop"},
        {"restart a", "yes: commanded restart, removed, added never after run 1, started 2, running 2"},
        {"reset a", "no:"},
        {"remove a", "yes: commanded remove, removed"},
        {"shutdown", "- shutdown_requested, - drained drained"},
        {"end_drain", "- shutdown_requested, - drained drained"}}},
      {"terminated, abandoned",
       "add a on_failure policy 0; end a failed; pass 0ns; end_drain;",
       {{"add a always policy 0", "no:"},
        {"stop a", "yes: commanded stop"},
        {"restart a", "no:"},
        {"reset a", "no:"},
        {"remove a", "yes: commanded remove, removed"},
        {"end a clean", "ended_late 2 clean"},
        {"end a failed", "ended_late 2 failed: ended"},
        {"end a threw", "ended_late 2 threw: ended"},
        {"end a fatal", "ended_late 2 fatal: ended"}}},
      {"removed",
       "add a never policy 0; end a failed; remove a;",
       {{"add a always policy 0", "yes: added always, started 1, running 1"},
        {"stop a", "no:"},
        {"restart a", "no:"},
        {"reset a", "no:"},
        {"remove a", "no:"},
        {"shutdown", "- shutdown_requested, - drained drained"},
        {"end_drain", "- shutdown_requested, - drained drained"}}},
  };
  return kTable;
}

const std::vector<std::string> kInputs{"add a always policy 0",
                                       "stop a",
                                       "restart a",
                                       "reset a",
                                       "remove a",
                                       "end a clean",
                                       "end a failed",
                                       "end a threw",
                                       "end a fatal",
                                       "end_old 0 failed",
                                       "pass 1ns",
                                       "pass 9ns",
                                       "shutdown",
                                       "end_drain",
                                       "ready a",
                                       "beat a",
                                       "progress a 1"};

// "1ns a ended 2 after 0s clean" -> "ended 2 clean"
std::string without_times(const std::string& line) {
  std::string text = line.substr(line.find(' ') + 1);
  if (text.starts_with("a ")) text.erase(0, 2);
  for (const std::string_view word : {" after ", ", ", " requested "}) {
    if (word == " after " && text.find("after run") != std::string::npos) continue;
    const auto from = text.find(word);
    if (from == std::string::npos) continue;
    const auto end = word == ", " ? text.size() : text.find(' ', from + word.size());
    text.erase(from, std::min(end, text.size()) - from);
  }
  return text;
}

// What the input leads to: "yes" or "no" if it is a command, and the events that followed.
std::string cell(const std::string& phase, const std::string& input) {
  const Sequence before = sequence_from(std::string{kSettings} + phase);
  Real real{before.setup};
  for (const auto& step : before.steps) real.take(step);
  real.take_lines();
  real.answers.clear();
  real.take(sequence_from(input).steps.front());
  std::string text;
  for (const auto& answer : real.answers) text += answer.substr(answer.rfind(' ') + 1) + ':';
  std::string separator = text.empty() ? "" : " ";
  for (const auto& line : real.take_lines()) text += std::exchange(separator, ", ") + without_times(line);
  CHECK(real.recorder.ledger().violations() == Lines{});
  CHECK(real.supervisor.counters() == real.recorder.ledger().counters());
  return text;
}

}  // namespace

TEST_CASE("every input in every phase does what the table says") {
  for (const auto& row : table()) {
    for (const auto& input : kInputs) {
      CAPTURE(row.phase, input);
      const auto expected = row.cells.find(input);
      CHECK(cell(row.comes_there, input) == (expected == row.cells.end() ? "" : expected->second));
    }
    for (const auto& [input, comes_to] : row.cells) {
      CAPTURE(row.phase, input);
      CHECK(std::count(kInputs.begin(), kInputs.end(), input) == 1);
    }
  }
}

TEST_CASE("the table has a row for every phase, and for every reason to be terminated") {
  std::set<Phase> phases;
  std::set<Termination::Reason> reasons;
  for (const auto& row : table()) {
    const Sequence sequence = sequence_from(std::string{kSettings} + row.comes_there);
    Real real{sequence.setup};
    for (const auto& step : sequence.steps) real.take(step);
    const auto snapshot = real.supervisor.snapshot("a");
    CAPTURE(row.phase);
    CHECK(snapshot.has_value() == (row.phase != "removed"));
    if (!snapshot) continue;
    CHECK(row.phase.starts_with(to_string(snapshot->phase)));
    phases.insert(snapshot->phase);
    if (!snapshot->termination) continue;
    CHECK(row.phase.ends_with(to_string(snapshot->termination->reason)));
    reasons.insert(snapshot->termination->reason);
  }
  CHECK(phases.size() == 5);
  CHECK(reasons.size() == 5);
}

}  // namespace holdfast::test::supervisor_inputs_test
