// The timer queue alone: N timers outstanding; the earliest fires and is armed again at a random time within 100 ms.
// Beside it a bare heap without timers, without positions and without disarming.
#include <benchmark/benchmark.h>

#include <deque>

#include <holdfast/random.hpp>
#include <holdfast/timer_queue.hpp>

#include "bare_queues.hpp"

namespace {

using namespace holdfast;

constexpr std::int64_t kHorizon = 100'000'000;  // ns
constexpr int kTimers = 1000;                   // an iteration

// A cheap sequence: what is measured is the queue. Steele et al., "Fast splittable pseudorandom number generators".
std::int64_t next_delay(std::uint64_t& state) {
  std::uint64_t mixed = state += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return static_cast<std::int64_t>(uniform_up_to({mixed, 0}, kHorizon));
}

class Rearming final : public Timer {
 public:
  Rearming(TimerQueue& queue, std::uint64_t& state, TimePoint& now) : queue_(queue), state_(state), now_(now) {}
  void arm() { queue_.arm(*this, now_ + Duration{next_delay(state_)}); }

 private:
  void fired() override { arm(); }

  TimerQueue& queue_;
  std::uint64_t& state_;
  TimePoint& now_;
};

void count(benchmark::State& state) {
  state.counters["per_timer"] =
      benchmark::Counter(kTimers, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void bare_heap(benchmark::State& state) {
  bench::BareHeap heap;
  std::uint64_t random = 1;
  const auto timers = static_cast<std::uint32_t>(state.range(0));
  for (std::uint32_t i = 0; i < timers; ++i) heap.fill(next_delay(random), i);
  for (auto _ : state) {
    for (int i = 0; i < kTimers; ++i) {
      const auto due = heap.take();
      heap.put(due.at + next_delay(random), due.who);
    }
  }
  count(state);
}

void timer_queue(benchmark::State& state) {
  TimerQueue queue;
  std::uint64_t random = 1;
  TimePoint now;
  std::deque<Rearming> timers;
  for (std::int64_t i = 0; i < state.range(0); ++i) timers.emplace_back(queue, random, now).arm();
  for (std::int64_t i = 0; i < 2 * state.range(0); ++i) {
    now = queue.earliest();
    queue.fire_earliest();
  }
  for (auto _ : state) {
    for (int i = 0; i < kTimers; ++i) {
      now = queue.earliest();
      queue.fire_earliest();
    }
  }
  count(state);
  queue.clear();
}

// A watchdog's life: armed, disarmed before it fires, armed again.
void timer_queue_disarm_and_arm(benchmark::State& state) {
  TimerQueue queue;
  std::uint64_t random = 1;
  TimePoint now;
  std::deque<Rearming> timers;
  for (std::int64_t i = 0; i < state.range(0); ++i) timers.emplace_back(queue, random, now).arm();
  std::size_t next = 0;
  for (auto _ : state) {
    for (int i = 0; i < kTimers; ++i) {
      Rearming& timer = timers[next];
      next = next + 1 == timers.size() ? 0 : next + 1;
      queue.disarm(timer);
      timer.arm();
    }
  }
  count(state);
  queue.clear();
}

void sizes(benchmark::internal::Benchmark* bench) {
  for (const int timers : {100, 10'000, 100'000, 1'000'000}) bench->Arg(timers);
}

BENCHMARK(bare_heap)->Apply(sizes);
BENCHMARK(timer_queue)->Apply(sizes);
BENCHMARK(timer_queue_disarm_and_arm)->Apply(sizes);

}  // namespace

BENCHMARK_MAIN();
