// A program that rehearses one service, reads a scenario, and catches what the simulator throws.
#include <iostream>
#include <sstream>

#include <holdfast/file/bad_input.hpp>
#include <holdfast/prometheus.hpp>
#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/observe/event_log.hpp>
#include <holdfast_sim/present/report_json.hpp>
#include <holdfast_sim/present/report_text.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace {

using namespace holdfast;
using namespace holdfast::sim;
using namespace std::chrono_literals;

bool supervises_a_feed() {
  EventLog log;
  Simulation sim{{.seed = {42}}, {&log}};
  if (!sim.add({.name = "feed"}, {.runs_for = Fixed{10s}, .then = Then::throw_})) return false;
  sim.run_for(1min);
  std::cout << prometheus_text("demo", sim.supervisor().counters(), sim.supervisor().snapshots(), UptimeHistogram{});
  return sim.supervisor().snapshot("feed")->failures >= 4 &&
         describe(log.of("feed").front()).starts_with("0s feed#0 added");
}

constexpr auto kScenario = R"(
name = "a feed"
duration = "1h"
[[fleet]]
name = "feed"
runs_for = { exponential = "10min" }
then = "fail"
)";

bool rehearses_a_scenario() {
  std::ostringstream trace;
  const RehearsalResult result = rehearse(parse_scenario(kScenario, "feed.toml", "."), {.trace = &trace});
  std::cout << report_text(result, {.colours = false}) << report_json(result) << '\n';
  return result.all_held();
}

bool refuses_nonsense() {
  try {
    const Simulation sim{{.supervisor = {.shutdown_timeout = -1s}}};
    return false;
  } catch (const ConfigError&) {
  }
  try {
    (void)parse_scenario("nmae = 1", "feed.toml", ".");
    return false;
  } catch (const BadInput& bad) {
    return !bad.complaints().empty();
  }
}

}  // namespace

int main() { return supervises_a_feed() && rehearses_a_scenario() && refuses_nonsense() ? 0 : 1; }
