// Heartbeats in real time: N services under a watchdog, each of which gives a sign of life in turn, beside N of Asio's
// steady_timers that are armed anew with each (expires_after), as programs without a supervisor do it. One iteration is
// one heartbeat. `look_at_the_clock` is what both pay at least.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <holdfast/asio/real_time_scheduler.hpp>
#include <holdfast/supervisor.hpp>

namespace {

using namespace holdfast;
using namespace std::chrono_literals;
namespace net = boost::asio;

constexpr std::size_t kPolledEvery = 10'000;

class Nobody final : public EventSink {
 public:
  void on_event(const Event&) override {}
};

class Beating final : public Service {
 public:
  explicit Beating(std::vector<Run>& runs) : runs_(runs) {}
  void start(Run run) override { runs_.push_back(run); }
  void stop(Run run) override { run.end(Exit::clean()); }
  [[nodiscard]] bool is_added_once() const noexcept override { return true; }

 private:
  std::vector<Run>& runs_;
};

void heartbeat(benchmark::State& state) {
  net::io_context io{1};
  RealTimeScheduler scheduler{io.get_executor()};
  Nobody nobody;
  std::vector<Run> runs;
  std::deque<Beating> services;
  Supervisor supervisor{scheduler, {}, Seed{42}, nobody};
  const auto count = static_cast<std::size_t>(state.range(0));
  runs.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    (void)supervisor.add({.name = "s" + std::to_string(i), .policy = {.watchdog = 1h}}, services.emplace_back(runs));
  }
  while (runs.size() < count) io.run_one();
  io.poll();
  std::size_t next = 0;
  for (auto _ : state) {
    runs[next].heartbeat();
    if (++next == count) next = 0;
  }
}

void expires_after(benchmark::State& state) {
  net::io_context io{1};
  std::deque<net::steady_timer> timers;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    timers.emplace_back(io, 1h).async_wait([](boost::system::error_code) {});
  }
  std::size_t next = 0;
  std::size_t armed = 0;
  for (auto _ : state) {
    timers[next].expires_after(1h);
    timers[next].async_wait([](boost::system::error_code) {});
    if (++next == timers.size()) next = 0;
    if (++armed % kPolledEvery == 0) {
      state.PauseTiming();
      io.poll();  // the handlers that were cancelled
      state.ResumeTiming();
    }
  }
}

void look_at_the_clock(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(std::chrono::steady_clock::now());
}

BENCHMARK(heartbeat)->Arg(1)->Arg(1'000)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(expires_after)->Arg(1)->Arg(1'000)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(look_at_the_clock);

}  // namespace

BENCHMARK_MAIN();
