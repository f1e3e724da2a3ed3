// The checks as a whole: their names, what they report of a violation, and the rules about all events (numbers, times,
// counters). The rules about runs, delays, the breaker, commands and the drain have a file each, checks_*_test.cpp;
// checks_supervisor_test.cpp watches the real supervisor with all of them.

#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <holdfast_sim/checks/checks.hpp>

#include "checks_history.hpp"

namespace holdfast::sim::checks_test {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a history in which nothing happens breaks no rule, and most rules were not tested") {
  History history;
  history.finish();
  check_held(history);
  const auto verdicts = history.checks.verdicts();
  REQUIRE(verdicts.size() == kRuleCount);
  for (const auto& verdict : verdicts) {
    const bool always =
        verdict.rule == Rule::counters_agree_with_events || verdict.rule == Rule::time_never_goes_backwards;
    CHECK((verdict.tested > 0) == always);
  }
}

TEST_CASE("every rule has a name and a sentence, in the order of the enumeration") {
  REQUIRE(rules().size() == kRuleCount);
  CHECK(rules()[static_cast<std::size_t>(Rule::stops_when_asked)].name == "stops_when_asked");
  CHECK(to_string(Rule::counters_agree_with_events) == "counters_agree_with_events");
  for (const auto& rule : rules()) {
    CHECK_FALSE(rule.name.empty());
    CHECK(rule.says.back() == '.');
  }
}

TEST_CASE("a violation shows the events that led to it, with what is still known of their errors") {
  History history;
  history.at(1s).up("feed-17").at(2s).failed("first").backs_off(1, 100ms, 0ms).restarted();
  history.at(3s).failed("second").backs_off(2, 200ms, 133ms).at(4s).restarted().finish();
  REQUIRE(history.checks.violations().size() == 1);
  CHECK(text_of(history.checks.violations().front()) ==
        "4s feed-17 starts_when_the_delay_has_passed: a run starts at 4s, but is due at 3s133ms\n"
        "    2s feed-17#2 started\n"
        "    2s feed-17#2 running\n"
        "    3s feed-17#2 ended failed after 1s: second\n"
        "    3s feed-17#2 backing_off failure attempt 2 delay 133ms of 200ms\n"
        "    4s feed-17#3 started");
}

TEST_CASE("only the first violations are kept, and all are counted") {
  History history;
  history.up("a");
  for (int i = 0; i < 250; ++i) history.running();
  history.finish();
  CHECK(history.checks.violations().size() == kViolationsKeptMax);
  const auto verdicts = history.checks.verdicts();
  CHECK(verdicts[static_cast<std::size_t>(Rule::makes_only_legal_transitions)].violated == 250);
}

TEST_CASE("time_never_goes_backwards") {
  History history;
  history.up("a").at(2s).exited().completed().at(1s).commanded(Command::stop).at(3s).finish();
  check_only(history, Rule::time_never_goes_backwards, "is at 1s, after an event at 2s");
  History end;
  end.up("a").at(2s).exited().completed().at(1s).finish();
  check_only(end, Rule::time_never_goes_backwards, "the end is at 1s, after an event at 2s");
}

TEST_CASE("events_are_numbered_without_gaps") {
  History gap;
  gap.up("a").skip_a_number().at(1s).exited().completed().finish();
  check_only(gap, Rule::events_are_numbered_without_gaps, "has the number 5 instead of 4");
  History unknown;
  unknown.of("a").started().running().at(1s).exited().completed().finish();
  check_only(unknown, Rule::events_are_numbered_without_gaps, "its first event is started instead of added");
}

TEST_CASE("gauge_never_goes_negative") {
  History history;
  history.up("a").exited().completed().completed().finish();
  check_only(history, Rule::gauge_never_goes_negative, "a service terminates, but none is active");
  History others_are_active;
  others_are_active.up("b").up("a").exited().completed().completed().finish();
  check_only(others_are_active, Rule::makes_only_legal_transitions, "terminated may not follow terminated");
}

TEST_CASE("counters_agree_with_events") {
  const std::vector<std::pair<std::string, std::uint64_t Counters::*>> fields{
      {"spawned", &Counters::spawned},
      {"starts", &Counters::starts},
      {"restarts", &Counters::restarts},
      {"failures", &Counters::failures},
      {"clean_exits", &Counters::clean_exits},
      {"circuit_breaker_trips", &Counters::circuit_breaker_trips},
      {"terminated", &Counters::terminated},
      {"killed_runs", &Counters::killed_runs},
      {"abandoned_runs", &Counters::abandoned_runs},
      {"active_services", &Counters::active_services},
  };
  for (const auto& [name, field] : fields) {
    History history;
    history.up("a").finish(EndReason::finished, [field = field](Counters& counters) { counters.*field += 1; });
    const bool is_one = name == "spawned" || name == "starts" || name == "active_services";
    check_only(history, Rule::counters_agree_with_events,
               name + (is_one ? " is 2, but the events add up to 1" : " is 1, but the events add up to 0"));
  }
}

}  // namespace
}  // namespace holdfast::sim::checks_test
