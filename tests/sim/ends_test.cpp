// Runs that end in one of several ways, by a draw for each.

#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <holdfast/random.hpp>
#include <holdfast_sim/scenario/behaviour.hpp>

#include "simulation_fixture.hpp"

namespace holdfast::simulation_test {

namespace {

Ends mixture(const std::vector<std::pair<Then, double>>& shares) {
  std::vector<Ends::Part> parts;
  parts.reserve(shares.size());
  for (const auto& [then, share] : shares) parts.push_back({then, Ratio::from(share)});
  return Ends{std::move(parts)};
}

constexpr std::uint64_t kUnit = std::uint64_t{1} << 32;  // of a draw: one part in 2^32
constexpr std::uint64_t kQuarter = std::uint64_t{1} << 62;

}  // namespace

TEST_CASE("a draw ends in the way into whose part of the weights it falls, whatever they are together") {
  for (const double together : {0.01, 1.0, 100.0}) {
    const Ends ends = mixture({{Then::end, together / 4}, {Then::fail, together / 2}, {Then::hang, together / 4}});
    CHECK(ends.of({0, 0}) == Then::end);
    CHECK(ends.of({kQuarter - kUnit * 200, 0}) == Then::end);
    CHECK(ends.of({kQuarter + kUnit * 200, 0}) == Then::fail);
    CHECK(ends.of({kQuarter * 3 - kUnit * 200, 0}) == Then::fail);
    CHECK(ends.of({kQuarter * 3 + kUnit * 200, 0}) == Then::hang);
    CHECK(ends.of({UINT64_MAX, UINT64_MAX}) == Then::hang);
  }
  const Ends halves = mixture({{Then::end, 0.5}, {Then::fail, 0.5}});
  CHECK(halves.of({2 * kQuarter - 1, UINT64_MAX}) == Then::end);
  CHECK(halves.of({2 * kQuarter, 0}) == Then::fail);
}

TEST_CASE("each run ends in the way that its own draw says, and each way is as frequent as its share") {
  SupervisorConfig config = at_once();
  config.backoff.clean_restart_delay = 0ns;
  Fixture fixture{config};
  const Ends ends = mixture({{Then::end, 0.25}, {Then::fail, 0.625}, {Then::throw_, 0.125}});
  REQUIRE(fixture.sim.add({.name = "s", .policy = {.restart = RestartPolicy::always}},
                          {.runs_for = Fixed{1s}, .then = ends}));
  fixture.sim.run_for(1h);
  const Lines found = fixture.ends_of("s");
  REQUIRE(found.size() == 3600);
  const auto key = fixture.sim.supervisor().draw_key(*fixture.sim.supervisor().id("s"));
  std::vector<int> counts(5);
  for (std::uint64_t run = 1; run <= found.size(); ++run) {
    const Then then = ends.of(draw(key, Purpose::run_end, run));
    const std::string says = then == Then::end    ? " clean "
                             : then == Then::fail ? " failed simulated failure"
                                                  : " threw simulated exception";
    if (!found[run - 1].ends_with(says)) FAIL("run " << run << ": " << found[run - 1]);
    ++counts.at(static_cast<std::size_t>(then));
  }
  CHECK((counts[0] > 795 && counts[0] < 1005));   // 900 expected, standard deviation 26
  CHECK((counts[1] > 2130 && counts[1] < 2370));  // 2250, 29
  CHECK((counts[3] > 370 && counts[3] < 530));    // 450, 20
}

TEST_CASE("a mixture of one way is that way") {
  const auto lines_of = [](const Ends& ends) {
    EventLog log;
    Simulation sim{scenario_of({.runs_for = Exponential{3s}, .then = ends}, {}, 1min), {&log}};
    REQUIRE(sim.run_to_end());
    return log.lines_of("s");
  };
  CHECK(lines_of(mixture({{Then::fail, 1}})) == lines_of(Then::fail));
  CHECK(lines_of(mixture({{Then::fatal, 1}})) == lines_of(Then::fatal));
  CHECK(lines_of(mixture({{Then::fatal, 1}})) != lines_of(Then::fail));
}

TEST_CASE("of the ends in a mixture only the failures break a service that has to be repaired") {
  Fixture fixture;
  REQUIRE(fixture.sim.add(
      {.name = "s", .policy = {.restart = RestartPolicy::always}},
      {.runs_for = Fixed{10s}, .then = mixture({{Then::end, 0.5}, {Then::fail, 0.5}}), .recovers_after = Fixed{5s}}));
  fixture.sim.run_for(10min);
  int clean = 0, failures = 0;
  for (const auto& end : fixture.ends_of("s")) {
    clean += end.ends_with(" clean ");
    failures += end.ends_with("simulated failure");
  }
  CHECK(clean > 5);
  CHECK(failures > 5);
  CHECK(fixture.log.chaos().size() == static_cast<std::size_t>(failures));  // an outage of its own each
}

}  // namespace holdfast::simulation_test
