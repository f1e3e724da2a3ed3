// The life of a large fleet: N services are added and started, all are crashed at one instant and come back, run for
// a minute, and shut down. One iteration is one life; `starting`, `storm` and `drain` are seconds of CPU.
#include <benchmark/benchmark.h>

#include <ctime>

#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace {

using namespace holdfast;
using namespace holdfast::sim;
using namespace std::chrono_literals;

Scenario fleet(std::uint32_t services) {
  Scenario scenario{.name = "life of a fleet", .seed = {42}, .duration = kDurationMax};
  scenario.supervisor.backoff = {.base = 100ms, .max = 60s};
  scenario.fleet.push_back({.name = "feed", .count = services, .behaviour = {.on_stop = Takes{Fixed{1s}}}});
  scenario.chaos.resize(1);
  scenario.chaos.front().at = 1min;  // a storm
  return scenario;
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void life(benchmark::State& state) {
  double starting = 0;
  double storm = 0;
  double drain = 0;
  for (auto _ : state) {
    const double begun = cpu_seconds();
    Digest digest;
    Simulation simulation{fleet(static_cast<std::uint32_t>(state.range(0))), {&digest}};
    simulation.run_until(TimePoint{} + 1s);
    const double started = cpu_seconds();
    simulation.run_until(TimePoint{} + 2min);
    const double over = cpu_seconds();
    simulation.supervisor().request_shutdown();
    simulation.run_until(TimePoint{} + 3min);
    if (simulation.supervisor().counters().terminated != static_cast<std::uint64_t>(state.range(0))) {
      state.SkipWithError("not every service has terminated");
    }
    starting += started - begun;
    storm += over - started;
    drain += cpu_seconds() - over;
  }
  using benchmark::Counter;
  state.counters["starting"] = Counter(starting, Counter::kAvgIterations);
  state.counters["storm"] = Counter(storm, Counter::kAvgIterations);
  state.counters["drain"] = Counter(drain, Counter::kAvgIterations);
}

BENCHMARK(life)->Arg(1000)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
