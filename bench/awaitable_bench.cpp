// The crash-loop fleet of restart_cycle_bench, written as coroutines, in virtual time: beside simulated services, runs
// that return their failure and runs that throw it. One iteration is 1 000 restarts. `bytes_per_service` is what the
// process has taken from the allocator once every service has run a few times.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <stdexcept>
#include <string>

#include <holdfast_sim/asio/asio_simulation.hpp>
#include <holdfast_sim/observe/digest.hpp>

#include "crash_loop.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::sim;
using namespace std::chrono_literals;

constexpr std::uint64_t kRestarts = 1000;  // an iteration

boost::asio::awaitable<Exit> returns_failure(Context& ctx) {
  co_await ctx.sleep_for(1ms);
  co_return Exit::failed(Error::literal("simulated failure"));
}

boost::asio::awaitable<void> throws_failure(Context& ctx) {
  co_await ctx.sleep_for(1ms);
  throw std::runtime_error{"simulated failure"};
}

std::size_t bytes_in_use() {
  const auto used = mallinfo2();
  return used.uordblks + used.hblkhd;
}

void measure(benchmark::State& state, AsioSimulation& simulation, std::size_t bytes_before) {
  const auto services = static_cast<std::uint64_t>(state.range(0));
  simulation.run_to_end(6 * services);
  const auto bytes = static_cast<double>(bytes_in_use() - bytes_before);
  for (auto _ : state) simulation.run_to_end(2 * kRestarts);
  state.counters["per_restart"] = benchmark::Counter(
      static_cast<double>(kRestarts), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  state.counters["bytes_per_service"] = bytes / static_cast<double>(services);
}

void simulated(benchmark::State& state) {
  Digest digest;
  const std::size_t before = bytes_in_use();
  AsioSimulation simulation{bench::crash_loop(static_cast<std::uint32_t>(state.range(0))), {&digest}};
  measure(state, simulation, before);
}

template <class Function>
void awaitable(benchmark::State& state, Function function) {
  Digest digest;
  const std::size_t before = bytes_in_use();
  AsioSimulation simulation{{.seed = {42}, .supervisor = bench::crash_loop(1).supervisor}, {&digest}};
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    simulation.add({.name = "feed-" + std::to_string(i)}, function).value();
  }
  measure(state, simulation, before);
}

void awaitable_that_returns(benchmark::State& state) { awaitable(state, returns_failure); }
void awaitable_that_throws(benchmark::State& state) { awaitable(state, throws_failure); }

void fleets(benchmark::internal::Benchmark* bench) {
  for (const int services : {100, 10'000, 100'000}) bench->Arg(services);
}

BENCHMARK(simulated)->Apply(fleets);
BENCHMARK(awaitable_that_returns)->Apply(fleets);
BENCHMARK(awaitable_that_throws)->Apply(fleets);

}  // namespace

BENCHMARK_MAIN();
