// Real time, one thread: N awaitable services whose runs sleep from 1 ms to 1 s and end in a failure, under a
// supervisor that restarts them at once, beside N of Asio's own steady_timers that are armed again and again for the
// same delays. One iteration is one second of real time.
//
// `per_restart` and `per_timer` are CPU time; the lateness of a wake-up is how long after its time the handler runs, as
// percentiles over all of them.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <holdfast/asio/runtime.hpp>
#include <holdfast/random.hpp>

namespace {

using namespace holdfast;
using namespace std::chrono_literals;
namespace net = boost::asio;

constexpr auto kMeasured = 1s;  // an iteration

// Different for every timer and every time, the same in every run.
Duration delay(std::uint64_t who, std::uint64_t index) {
  const std::uint64_t mixed = (who * 0x9e3779b97f4a7c15 + index) * 0xbf58476d1ce4e5b9;
  return 1ms + Duration{static_cast<std::int64_t>(uniform_up_to({mixed ^ (mixed >> 31), 0}, 999'000'000))};
}

class Latenesses {
 public:
  void add(Duration lateness) { all_.push_back(lateness); }
  void clear() { all_.clear(); }
  void tell(benchmark::State& state, std::string_view rate_name, double cpu_seconds) {
    std::sort(all_.begin(), all_.end());
    const auto at = [&](std::size_t permille) {
      return all_.empty() ? 0 : static_cast<double>(all_[(all_.size() - 1) * permille / 1000].count()) / 1e9;
    };
    state.counters["late_50"] = at(500);
    state.counters["late_99"] = at(990);
    state.counters["late_99.9"] = at(999);
    state.counters["late_max"] = at(1000);
    state.counters[std::string{rate_name}] = cpu_seconds / static_cast<double>(std::max<std::size_t>(all_.size(), 1));
    state.counters["wake_ups"] = static_cast<double>(all_.size());
  }

 private:
  std::vector<Duration> all_;
};

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Lets the io_context run, and after a warm-up counts what it does.
void measure(benchmark::State& state, net::io_context& io, Latenesses& latenesses, std::string_view rate_name) {
  io.run_for(1500ms);
  latenesses.clear();
  double used = 0;
  for (auto _ : state) {
    const double before = cpu_seconds();
    io.run_for(kMeasured);
    used += cpu_seconds() - before;
  }
  latenesses.tell(state, rate_name, used);
}

void awaitable_services(benchmark::State& state) {
  net::io_context io{1};
  Latenesses latenesses;
  Runtime runtime{io,
                  {.supervisor = {.backoff = {.base = 0ns, .max = 0ns, .breaker = std::nullopt}}, .seed = Seed{42}}};
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    const auto who = static_cast<std::uint64_t>(i);
    const auto feed = [&latenesses, who](Context& ctx) -> net::awaitable<Exit> {
      const TimePoint due = ctx.now() + delay(who, ctx.run().value);
      co_await ctx.sleep_until(due);
      latenesses.add(ctx.now() - due);
      co_return Exit::failed(Error::literal("lost"));
    };
    runtime.add({.name = "feed-" + std::to_string(i)}, feed).value();
  }
  measure(state, io, latenesses, "per_restart");
}

class SteadyTimer {
 public:
  SteadyTimer(net::io_context& io, std::uint64_t who, Latenesses& latenesses)
      : timer_(io), who_(who), latenesses_(latenesses) {}
  void arm() {
    timer_.expires_after(delay(who_, ++index_));
    timer_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      latenesses_.add(std::chrono::steady_clock::now() - timer_.expiry());
      arm();
    });
  }

 private:
  net::steady_timer timer_;
  std::uint64_t who_;
  std::uint64_t index_ = 0;
  Latenesses& latenesses_;
};

void steady_timers(benchmark::State& state) {
  net::io_context io{1};
  Latenesses latenesses;
  std::deque<SteadyTimer> timers;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    timers.emplace_back(io, static_cast<std::uint64_t>(i), latenesses).arm();
  }
  measure(state, io, latenesses, "per_timer");
}

BENCHMARK(steady_timers)->Arg(100)->Arg(10'000)->Iterations(5)->Unit(benchmark::kMillisecond);
BENCHMARK(awaitable_services)->Arg(100)->Arg(10'000)->Iterations(5)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
