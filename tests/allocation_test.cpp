// A restart cycle allocates nothing, nothing grows with the number of restarts (row 23 of semantics.md, section 4), and
// a service takes little. Every allocation of this program is counted.

#include <catch2/catch.hpp>

#include <malloc.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include <holdfast/supervisor.hpp>
#include <holdfast_sim/digest.hpp>
#include <holdfast_sim/simulation.hpp>
#include <holdfast_sim/virtual_scheduler.hpp>

namespace {

std::size_t allocations = 0;  // so far
std::size_t alive = 0;        // of them, not given back
std::size_t bytes = 0;        // of those, as large as they really are

void* counted(std::size_t size, std::size_t alignment = 0) {
  ++allocations;
  const std::size_t least = size == 0 ? 1 : size;
  void* const memory = alignment == 0 ? std::malloc(least)
                                      : std::aligned_alloc(alignment, (least + alignment - 1) / alignment * alignment);
  if (!memory) throw std::bad_alloc{};
  ++alive;
  bytes += malloc_usable_size(memory);
  return memory;
}

void give_back(void* memory) noexcept {
  if (memory) {
    --alive;
    bytes -= malloc_usable_size(memory);
  }
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return counted(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return counted(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }

namespace holdfast {

namespace {

using namespace std::chrono_literals;

struct Counting final : EventSink {
  void on_event(const Event&) override { ++events; }
  std::uint64_t events = 0;
};

// Its runs last a millisecond and end as it was told. Its timer is a node of its own.
class Cycling final : public Service, public Timer {
 public:
  Cycling(Scheduler& scheduler, bool fails) : scheduler_(scheduler), fails_(fails) {}
  ~Cycling() { scheduler_.disarm(*this); }
  void start(Run run) override {
    run_ = run;
    scheduler_.arm(*this, scheduler_.now() + 1ms);
  }
  void stop(Run run) override {
    scheduler_.disarm(*this);
    run.end(Exit::clean());
  }

 private:
  void fired() override { run_.end(fails_ ? Exit::failed(Error::literal("connection refused")) : Exit::clean()); }

  Scheduler& scheduler_;
  bool fails_;
  Run run_;
};

struct Counted {
  std::size_t allocations = 0;
  std::uint64_t restarts = 0;
};

// The allocations in `measured` of virtual time, after a time in which vectors reach their largest size.
Counted cycle(const BackoffPolicy& policy, bool fails, Duration measured, bool by_command = false) {
  sim::VirtualScheduler scheduler;
  Counting events;
  Cycling service{scheduler, fails};
  Cycling second{scheduler, fails};
  Supervisor supervisor{scheduler, {.backoff = policy}, Seed{1}, events};
  REQUIRE(supervisor.add({.name = "a", .restart = RestartPolicy::always}, service));
  REQUIRE(supervisor.add({.name = "b", .restart = RestartPolicy::always}, second));
  const auto run_to = [&](TimePoint end) {
    scheduler.run_tasks();
    while (scheduler.fire_next(end)) {
      if (by_command && supervisor.restart("a")) scheduler.run_tasks();
    }
  };
  run_to(TimePoint{} + 1s);
  const std::size_t before = allocations;
  const std::uint64_t restarts_before = supervisor.counters().restarts;
  run_to(TimePoint{} + 1s + measured);
  return {allocations - before, supervisor.counters().restarts - restarts_before};
}

}  // namespace

TEST_CASE("the counter of this test counts") {
  const std::size_t before = allocations;
  const auto text = std::make_unique<std::string>(1000, 'x');
  CHECK(allocations == before + 2);
}

TEST_CASE("thousands of restarts after failures with a literal error allocate nothing") {
  const auto found = cycle({.base = 1ms, .max = 1ms, .breaker = std::nullopt}, true, 10s);
  CHECK(found.restarts > 5000);
  CHECK(found.allocations == 0);
}

TEST_CASE("thousands of restarts beside a breaker that remembers failures allocate nothing") {
  // Never more than about 700 failures in half a second: the window slides on and on, and the breaker never trips.
  const auto found =
      cycle({.base = 1ms, .max = 1ms, .cooldown = 1h, .breaker = BreakerPolicy{10'000, 500ms}}, true, 10s);
  CHECK(found.restarts > 5000);
  CHECK(found.allocations == 0);
}

TEST_CASE("thousands of restarts after clean exits allocate nothing") {
  const auto found = cycle({.base = 1ms, .max = 1ms, .clean_restart_delay = 1ms, .breaker = std::nullopt}, false, 10s);
  CHECK(found.restarts > 5000);
  CHECK(found.allocations == 0);
}

TEST_CASE("thousands of restarts by command allocate nothing") {
  const auto found = cycle({.base = 1ms, .max = 1ms, .breaker = std::nullopt}, true, 10s, true);
  CHECK(found.restarts > 5000);
  CHECK(found.allocations == 0);
}

TEST_CASE("a literal error, its copies and an exit with it allocate nothing") {
  const std::size_t before = allocations;
  const Error error = Error::literal("connection refused");
  const Error copy = error;  // NOLINT(performance-unnecessary-copy-initialization): what is tested
  const Exit exit = Exit::failed(copy);
  const Exit other = exit;  // NOLINT(performance-unnecessary-copy-initialization)
  const std::size_t after = allocations;
  CHECK(other.error().text().data() == error.text().data());
  CHECK(after == before);
}

// The budget: a simulated service with a backoff, a breaker and its share of the timer queue.
TEST_CASE("a service of a large fleet takes at most 256 bytes, whether it is started, running or backing off") {
  constexpr std::uint32_t kServices = 100'000;
  constexpr std::size_t kBytesMax = 256;
  sim::Scenario scenario{.name = "large fleet", .duration = kDurationMax};
  scenario.fleet.push_back(
      {.name = "feed", .count = kServices, .behaviour = {.runs_for = sim::Exponential{1h}, .then = sim::Then::fail}});
  const std::size_t before = bytes;
  sim::Simulation simulation{scenario, {}};
  simulation.run_until(TimePoint{} + 1ns);
  CHECK(simulation.supervisor().counters().starts == kServices);
  CHECK((bytes - before) / kServices <= kBytesMax);
  simulation.run_until(TimePoint{} + 30s);
  CHECK(simulation.supervisor().counters().restarts > 0);
  CHECK((bytes - before) / kServices <= kBytesMax);
}

// Each failure that the breaker remembers takes 8 bytes more, in storage that grows by doubling.
TEST_CASE("what a breaker remembers takes at most 120 bytes more a service, however often it fails") {
  constexpr std::uint32_t kServices = 1000;
  constexpr std::size_t kHistoryMax = 120;
  sim::Scenario scenario{.name = "breakers", .duration = kDurationMax};
  scenario.supervisor.backoff = {.base = 1ms, .max = 1ms, .cooldown = 1h, .breaker = BreakerPolicy{10, 9ms}};
  scenario.fleet.push_back(
      {.name = "feed", .count = kServices, .behaviour = {.runs_for = sim::Fixed{1ms}, .then = sim::Then::fail}});
  sim::Simulation simulation{scenario, {}};
  simulation.run_until(TimePoint{} + 1us);
  const std::size_t before = bytes;
  simulation.run_until(TimePoint{} + 100ms);
  CHECK((bytes - before) / kServices <= kHistoryMax);
}

TEST_CASE("a fleet that has crashed a thousand times takes no byte more than one that has crashed a hundred times") {
  sim::Scenario scenario{.name = "crash loop", .duration = kDurationMax};
  scenario.supervisor.backoff = {.base = 1ms, .max = 10ms, .breaker = std::nullopt};
  scenario.fleet.push_back(
      {.name = "feed", .count = 300, .behaviour = {.runs_for = sim::Fixed{1ms}, .then = sim::Then::fail}});
  sim::Digest digest;
  sim::Simulation simulation{scenario, {&digest}};
  simulation.run_to_end(60'000);
  const std::size_t bytes_before = bytes;
  const std::size_t allocations_before = allocations;
  simulation.run_to_end(540'000);
  CHECK(simulation.supervisor().counters().restarts > 290'000);
  CHECK(bytes == bytes_before);
  CHECK(allocations == allocations_before);
}

TEST_CASE("adding and removing services of different policies again and again costs the same every time") {
  // Story: each change of policy left a copy of it behind for as long as the supervisor lived.
  sim::VirtualScheduler scheduler;
  Counting events;
  Supervisor supervisor{scheduler, {.backoff = {.breaker = std::nullopt}}, Seed{1}, events};
  Cycling service{scheduler, true};
  const BackoffPolicy one{.base = 1ms, .max = 1ms, .breaker = std::nullopt};
  const BackoffPolicy other{.base = 2ms, .max = 2ms, .breaker = std::nullopt};
  const auto churn = [&](int times) {
    for (int i = 0; i < times; ++i) {
      REQUIRE(supervisor.add({.name = "a", .backoff = i % 2 == 0 ? one : other}, service));
      scheduler.run_tasks();
      REQUIRE(supervisor.remove("a"));
      scheduler.run_tasks();
      scheduler.advance_to(scheduler.now() + 1ms);
    }
  };
  churn(100);
  const std::size_t before = alive;
  churn(1000);
  CHECK(alive == before);
  REQUIRE(supervisor.add({.name = "a"}, service));
  CHECK(supervisor.snapshot("a")->id == ServiceId{0, 1101});  // one slot for all of them
}

}  // namespace holdfast
