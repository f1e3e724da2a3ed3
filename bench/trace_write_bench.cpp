// What it costs to write a trace: the same events as lines of JSON and as a compact trace, beside the digest, which
// looks at every byte that they have and writes none. The events stand in memory; what is written goes nowhere.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <ostream>
#include <streambuf>
#include <vector>

#include <holdfast_sim/observe/compact_trace.hpp>
#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/observe/event_log.hpp>
#include <holdfast_sim/observe/trace.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace {

using namespace holdfast;
using namespace holdfast::sim;
using namespace std::chrono_literals;

// Counts what is written.
class Nowhere final : public std::streambuf {
 public:
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  std::streamsize xsputn(const char*, std::streamsize count) override {
    bytes_ += static_cast<std::uint64_t>(count);
    return count;
  }
  int_type overflow(int_type c) override {
    ++bytes_;
    return traits_type::not_eof(c);
  }
  std::uint64_t bytes_ = 0;
};

struct Recorded {
  explicit Recorded(std::uint32_t services) : simulation{scenario(services), {&log}} {
    simulation.run_until(TimePoint{} + 4s);
  }
  static Scenario scenario(std::uint32_t services) {
    Scenario scenario{.name = "crash loop", .seed = {42}, .duration = kDurationMax};
    scenario.supervisor.backoff = {.base = 100ms, .max = 1s, .breaker = std::nullopt};
    scenario.fleet.push_back(
        {.name = "feed", .count = services, .behaviour = {.runs_for = Exponential{10ms}, .then = Then::fail}});
    return scenario;
  }
  EventLog log;
  Simulation simulation;
};

template <class Write>
void each(benchmark::State& state, const Write& write) {
  const Recorded recorded{static_cast<std::uint32_t>(state.range(0))};
  Nowhere nowhere;
  std::ostream out{&nowhere};
  for (auto _ : state) write(out, recorded.log.events());
  const auto events = static_cast<std::int64_t>(recorded.log.events().size());
  state.SetItemsProcessed(state.iterations() * events);
  state.counters["bytes_an_event"] =
      static_cast<double>(nowhere.bytes()) / static_cast<double>(state.iterations()) / static_cast<double>(events);
}

template <class Writer>
void write_all(std::ostream& out, const std::vector<Event>& events) {
  Writer writer{out, "crash loop", Seed{42}};
  for (const Event& event : events) writer.on_event(event);
  Digest digest;
  writer.finish({}, digest);
}

void lines(benchmark::State& state) {
  each(state, [](std::ostream& out, const auto& events) { write_all<TraceWriter>(out, events); });
}
void compact(benchmark::State& state) {
  each(state, [](std::ostream& out, const auto& events) { write_all<CompactTraceWriter>(out, events); });
}
void digest(benchmark::State& state) {
  each(state, [](std::ostream&, const auto& events) {
    Digest digest;
    for (const Event& event : events) digest.on_event(event);
    benchmark::DoNotOptimize(digest.text());
  });
}

BENCHMARK(lines)->Arg(100)->Arg(10'000)->Unit(benchmark::kMillisecond);
BENCHMARK(compact)->Arg(100)->Arg(10'000)->Unit(benchmark::kMillisecond);
BENCHMARK(digest)->Arg(100)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
