// The crash-loop fleet: N services, each run fails after 1 ms, full jitter, base 10 ms, cap 100 ms, breaker off.
// One iteration is 1 000 restarts, each of two timers; `per_restart` is the figure to quote, as a ratio between the
// rows of one run.
#include <benchmark/benchmark.h>

#include <fstream>
#include <vector>

#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/observe/trace.hpp>
#include <holdfast_sim/stage/simulation.hpp>

#include "bare_loops.hpp"
#include "crash_loop.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::sim;
using namespace std::chrono_literals;

constexpr std::uint64_t kRestarts = 1000;  // an iteration

void count(benchmark::State& state) {
  state.counters["per_restart"] = benchmark::Counter(
      static_cast<double>(kRestarts), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

template <class Queue>
void bare(benchmark::State& state) {
  const auto services = static_cast<std::uint32_t>(state.range(0));
  bench::BareCrashLoop<Queue> loop{services};
  for (std::uint32_t i = 0; i < 2 * services; ++i) loop.step();
  for (auto _ : state) {
    for (std::uint64_t i = 0; i < kRestarts; ++i) loop.step();
  }
  count(state);
}

void supervised(benchmark::State& state, const std::vector<Observer*>& observers) {
  const auto services = static_cast<std::uint32_t>(state.range(0));
  Simulation simulation{bench::crash_loop(services), observers};
  simulation.run_to_end(std::uint64_t{4} * services);
  for (auto _ : state) simulation.run_to_end(2 * kRestarts);
  count(state);
}

void supervisor_unobserved(benchmark::State& state) { supervised(state, {}); }

void supervisor_digest(benchmark::State& state) {
  Digest digest;
  supervised(state, {&digest});
}

void supervisor_checks(benchmark::State& state) {
  Checks checks;
  supervised(state, {&checks});
}

// The trace as text, to nowhere: what is measured is not a disk.
void supervisor_trace(benchmark::State& state) {
  std::ofstream nowhere{"/dev/null"};
  TraceWriter trace{nowhere, "crash loop", Seed{42}};
  supervised(state, {&trace});
}

void supervisor_digest_checks_and_trace(benchmark::State& state) {
  std::ofstream nowhere{"/dev/null"};
  Digest digest;
  Checks checks;
  TraceWriter trace{nowhere, "crash loop", Seed{42}};
  supervised(state, {&digest, &checks, &trace});
}

void fleets(benchmark::internal::Benchmark* bench) {
  for (const int services : {100, 10'000, 100'000, 1'000'000}) bench->Arg(services);
}

BENCHMARK(bare<bench::BareHeap>)->Name("bare_heap")->Apply(fleets);
BENCHMARK(bare<bench::BareHeapWithLane>)->Name("bare_heap_with_lane")->Apply(fleets);
BENCHMARK(bare<bench::BareWheel>)->Name("bare_wheel")->Apply(fleets);
BENCHMARK(supervisor_unobserved)->Apply(fleets);
BENCHMARK(supervisor_digest)->Apply(fleets);
BENCHMARK(supervisor_checks)->Apply(fleets);
BENCHMARK(supervisor_trace)->Apply(fleets);
BENCHMARK(supervisor_digest_checks_and_trace)->Apply(fleets);

}  // namespace

BENCHMARK_MAIN();
