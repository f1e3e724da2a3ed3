// Chains of thousands of events of generated scenarios: whatever happens, a chain is in order, begins with a first
// cause, and says what the events say.
#include <rapidcheck.h>
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <holdfast_sim/explain/explain.hpp>
#include <holdfast_sim/present/explain_text.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/stage/simulation.hpp>

#include "generated_scenarios.hpp"

namespace holdfast::causes_model_test {

using namespace holdfast::sim;
using namespace holdfast::test;

namespace {

// An event as far as a chain has to agree with it.
struct Seen {
  TimePoint at;
  std::string service;
  std::string kind;
  Duration delay{0};  // of backing_off
};

class Recorder final : public Observer {
 public:
  void on_event(const Event& event) override {
    const auto* const wait = std::get_if<event::BackingOff>(&event.what);
    all.push_back({event.at, std::string{event.name}, std::string{kind(event)}, wait ? wait->delay : Duration{0}});
  }
  void on_chaos(const ChaosEvent& event) override {
    all.push_back({event.at, std::string{event.name}, std::string{to_string(event.kind)}});
  }

  std::vector<Seen> all;  // event n is all[n - 1]
};

std::vector<Seen> events_of(const Scenario& scenario) {
  Recorder recorder;
  Simulation simulation{scenario, {&recorder}};
  (void)simulation.run_to_end();
  return std::move(recorder.all);
}

bool is_chaos_that_fails(const Link& link) {
  return link.kind == "outage" || link.kind == "failing_starts" || link.kind == "storm";
}

// Nothing stands before a first cause.
void check_beginning(const Link& first) {
  INFO(first.kind << ": " << first.says);
  RC_ASSERT(first.by != CauseKind::event);
  RC_ASSERT(first.by != CauseKind::timer);
}

void check_links(const std::vector<Link>& chain, const std::vector<Seen>& events) {
  std::uint64_t before = 0;
  bool chaos_before = false;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const Link& link = chain[i];
    RC_ASSERT(link.number > before);
    before = link.number;
    const Seen& event = events.at(link.number - 1);
    RC_ASSERT(link.kind == event.kind);
    RC_ASSERT(link.service == event.service);
    RC_ASSERT(link.until == event.at);
    RC_ASSERT(!link.says.empty());
    if (link.kind == "ended" && link.by == CauseKind::disturbance && link.folded == 0) RC_ASSERT(chaos_before);
    chaos_before = chaos_before || is_chaos_that_fails(link);
    if (link.kind != "started" || link.by != CauseKind::timer || i == 0) continue;
    const Seen& wait = events.at(chain[i - 1].number - 1);
    if (wait.kind == "backing_off") RC_ASSERT(wait.at + wait.delay == link.at);
  }
}

}  // namespace

TEST_CASE("every chain is in order, begins with a first cause, and agrees with the events") {
  rc::prop("of any event of any scenario", [] {
    const Scenario scenario = *runnable_scenario();
    const auto result = rehearse(scenario);
    const auto events = events_of(scenario);
    RC_PRE(!events.empty());
    for (int i = 0; i < 5; ++i) {
      const auto number = *rc::gen::inRange<std::uint64_t>(1, events.size() + 1);
      ExplainOptions options;
      options.event = parse_selector(std::to_string(number));
      const auto explained = explain(scenario, result, options);
      RC_ASSERT(explained.explanations.size() == 1U);
      const auto& chain = explained.explanations.front().chain;
      RC_ASSERT(!chain.empty());
      RC_ASSERT(chain.back().number == number);
      check_beginning(chain.front());
      check_links(chain, events);
    }
  });
}

TEST_CASE("whatever went wrong has an explanation, the same each time") {
  rc::prop("of any scenario", [] {
    const Scenario scenario = *runnable_scenario();
    const auto result = rehearse(scenario);
    const auto explained = explain(scenario, result);
    RC_ASSERT(!explained.explanations.empty());
    const auto events = events_of(scenario);
    for (const auto& explanation : explained.explanations) check_links(explanation.chain, events);
    RC_ASSERT(explained_text(explained) == explained_text(explain(scenario, result)));
  });
}

}  // namespace holdfast::causes_model_test
