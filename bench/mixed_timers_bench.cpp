// The timer queue under what real fleets do: horizons from a millisecond to ten minutes side by side, and watchdogs
// that are armed again with every heartbeat and hardly ever fire. One iteration is 1 000 steps; `per_step` is the
// figure.
//
// mixed_horizons: of N timers an eighth waits ten minutes, three eighths 100 ms at most, half of them a millisecond;
// each is armed again when it fires. watchdogs: N of them, ten seconds each; a heartbeat timer a service fires every
// 100 ms to 1 s and disarms and arms the watchdog. Beside them bare queues; of these only a heap that knows where its
// entries stand can put a watchdog off.
//
// Each is warm before it is measured. Give it --benchmark_min_time=2, so that what happens seldom has its share: a
// queue that puts work off has to do it.
#include <benchmark/benchmark.h>

#include <deque>

#include <holdfast/random.hpp>
#include <holdfast/timer_queue.hpp>

#include "bare_queues.hpp"

namespace {

using namespace holdfast;

constexpr int kSteps = 1000;  // an iteration
constexpr int kWarmUp = 4;    // steps a timer

// Steele et al., "Fast splittable pseudorandom number generators".
std::uint64_t next_draw(std::uint64_t& state) {
  std::uint64_t mixed = state += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  return mixed ^ (mixed >> 27);
}

std::int64_t up_to(std::uint64_t& state, std::uint64_t most) {
  return static_cast<std::int64_t>(uniform_up_to({next_draw(state) * 0x94d049bb133111eb, 0}, most));
}

std::int64_t mixed_delay(std::uint64_t who, std::uint64_t& state) {
  constexpr std::int64_t kMillisecond = 1'000'000;
  switch (who % 8) {
    case 0: return 600'000 * kMillisecond;
    case 1:
    case 2:
    case 3: return up_to(state, 100 * kMillisecond);
    default: return kMillisecond;
  }
}

struct World {
  TimerQueue queue;
  std::uint64_t state = 1;
  TimePoint now;

  ~World() { queue.clear(); }
  void step() {
    now = queue.earliest();
    queue.fire_earliest();
  }
};

class Mixed final : public Timer {
 public:
  Mixed(World& world, std::uint64_t who) : world_(world), who_(who) {}
  void arm() { world_.queue.arm(*this, world_.now + Duration{mixed_delay(who_, world_.state)}); }

 private:
  void fired() override { arm(); }
  World& world_;
  std::uint64_t who_;
};

class Watchdog final : public Timer {
  void fired() override {}
};

constexpr std::int64_t kPatience = 10'000'000'000;
std::int64_t until_next_beat(std::uint64_t& state) { return 100'000'000 + up_to(state, 900'000'000); }

class Heart final : public Timer {
 public:
  explicit Heart(World& world) : world_(world) {}
  void beat() {
    world_.queue.disarm(watchdog_);
    world_.queue.arm(watchdog_, world_.now + Duration{kPatience});
    world_.queue.arm(*this, world_.now + Duration{until_next_beat(world_.state)});
  }

 private:
  void fired() override { beat(); }
  World& world_;
  Watchdog watchdog_;
};

void count(benchmark::State& state) {
  state.counters["per_step"] =
      benchmark::Counter(kSteps, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void mixed_horizons(benchmark::State& state) {
  World world;
  std::deque<Mixed> timers;
  for (std::int64_t i = 0; i < state.range(0); ++i) timers.emplace_back(world, static_cast<std::uint64_t>(i)).arm();
  for (std::int64_t i = 0; i < kWarmUp * state.range(0); ++i) world.step();
  for (auto _ : state) {
    for (int i = 0; i < kSteps; ++i) world.step();
  }
  count(state);
  world.queue.clear();
}

template <class Queue>
void mixed_horizons_bare(benchmark::State& state) {
  Queue queue;
  std::uint64_t random = 1;
  const auto timers = static_cast<std::uint32_t>(state.range(0));
  for (std::uint32_t i = 0; i < timers; ++i) queue.fill(mixed_delay(i, random), i);
  const auto step = [&] {
    const auto due = queue.take();
    queue.put(due.at + mixed_delay(due.who, random), due.who);
  };
  for (std::uint32_t i = 0; i < kWarmUp * timers; ++i) step();
  for (auto _ : state) {
    for (int i = 0; i < kSteps; ++i) step();
  }
  count(state);
}

void watchdogs(benchmark::State& state) {
  World world;
  std::deque<Heart> hearts;
  for (std::int64_t i = 0; i < state.range(0); ++i) hearts.emplace_back(world).beat();
  for (std::int64_t i = 0; i < kWarmUp * state.range(0); ++i) world.step();
  for (auto _ : state) {
    for (int i = 0; i < kSteps; ++i) world.step();
  }
  count(state);
  world.queue.clear();
}

// Hearts have even numbers, their watchdogs odd ones.
void watchdogs_bare(benchmark::State& state) {
  bench::BareIndexedHeap queue;
  std::uint64_t random = 1;
  const auto hearts = static_cast<std::uint32_t>(state.range(0));
  for (std::uint32_t i = 0; i < hearts; ++i) {
    queue.fill(until_next_beat(random), 2 * i);
    queue.fill(kPatience, 2 * i + 1);
  }
  const auto step = [&] {
    const auto due = queue.take();
    queue.put_off(due.at + kPatience, due.who + 1);
    queue.put_off(due.at + until_next_beat(random), due.who);
  };
  for (std::uint32_t i = 0; i < kWarmUp * hearts; ++i) step();
  for (auto _ : state) {
    for (int i = 0; i < kSteps; ++i) step();
  }
  count(state);
}

void sizes(benchmark::internal::Benchmark* bench) {
  for (const int timers : {100, 10'000, 100'000, 1'000'000}) bench->Arg(timers);
}

BENCHMARK(mixed_horizons_bare<bench::BareHeap>)->Name("mixed_horizons_bare_heap")->Apply(sizes);
BENCHMARK(mixed_horizons_bare<bench::BareWheel>)->Name("mixed_horizons_bare_wheel")->Apply(sizes);
BENCHMARK(mixed_horizons)->Apply(sizes);
BENCHMARK(watchdogs_bare)->Name("watchdogs_bare_heap")->Apply(sizes);
BENCHMARK(watchdogs)->Apply(sizes);

}  // namespace

BENCHMARK_MAIN();
