// What a deadline means while the strand is busy (semantics, section 5): a fleet of 100 000 that obeys, on a strand
// that takes five times the drain's deadline to hear it.
#include <catch2/catch.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <holdfast/asio/detail/timer_loop.hpp>
#include <holdfast/scheduler.hpp>
#include <holdfast/supervisor.hpp>
#include <holdfast_sim/stage/virtual_scheduler.hpp>

namespace holdfast::busy_strand_test {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kServices = 100'000;
constexpr Duration kCost = 50us;  // of the strand, for each stop that is obeyed: 5 s in all
constexpr Duration kTimeout = 1s;

// The loop of the real-time scheduler on a strand whose clock only goes on while something runs, or while all wait. The
// alarm stands in one queue with everything else, as a descriptor does.
class BusyStrand final : public Scheduler, detail::Wakeups {
 public:
  [[nodiscard]] TimePoint now() const noexcept override { return loop_.now(); }
  void arm(Timer& timer, TimePoint at) override { loop_.arm(timer, at); }
  void arm_deadline(Timer& timer, TimePoint at) override { loop_.arm_deadline(timer, at); }
  bool disarm(Timer& timer) noexcept override { return loop_.disarm(timer); }
  void defer(Task& task) override { loop_.defer(task); }
  bool cancel(Task& task) noexcept override { return loop_.cancel(task); }

  void post(std::function<void()> handler) {
    let_alarm_ring();
    queue_.push_back(std::move(handler));
  }
  void work_for(Duration time) { clock_ = clock_ + time; }

  // Until there is nothing to do and nothing to wait for.
  void run() {
    for (;;) {
      let_alarm_ring();
      if (!queue_.empty()) {
        const auto handler = std::move(queue_.front());
        queue_.pop_front();
        handler();
      } else if (rings_at_) {
        clock_ = *rings_at_;
      } else {
        return;
      }
    }
  }

 private:
  [[nodiscard]] TimePoint read_clock() const noexcept override { return clock_; }
  void wake_at(TimePoint at) override { rings_at_ = at; }
  void wake_never() noexcept override { rings_at_.reset(); }
  void wake_soon() override {
    post([this] { loop_.turn(); });
  }
  void go_round() override {
    post([this] { loop_.went_round(); });
  }
  void let_alarm_ring() {
    if (!rings_at_ || clock_ < *rings_at_) return;
    rings_at_.reset();
    queue_.emplace_back([this] { loop_.woke(); });
  }

  TimePoint clock_;
  std::optional<TimePoint> rings_at_;
  std::deque<std::function<void()>> queue_;
  detail::TimerLoop loop_{*this};
};

// Ends some time after its stop has been heard.
class Obedient final : public Service {
 public:
  using Heard = std::function<void(std::function<void()>)>;
  Obedient(Scheduler& scheduler, const Heard& heard, Duration takes)
      : scheduler_(scheduler), heard_(heard), takes_(takes) {}
  ~Obedient() { scheduler_.disarm(end_); }

  void start(Run run) override { run_ = run; }
  void stop(Run) override {
    heard_([this] { takes_ == 0ns ? end_now() : scheduler_.arm(end_, scheduler_.now() + takes_); });
  }
  [[nodiscard]] bool is_added_once() const noexcept override { return true; }

 private:
  class End final : public Timer {
   public:
    explicit End(Obedient& service) : service_(service) {}

   private:
    void fired() override { service_.end_now(); }
    Obedient& service_;
  };
  void end_now() const { run_.end(Exit::clean()); }

  Scheduler& scheduler_;
  const Heard& heard_;
  const Duration takes_;
  Run run_;
  End end_{*this};
};

class Nobody final : public EventSink {
  void on_event(const Event&) override {}
};

// A fleet, all of which is asked to stop.
struct Fleet {
  Fleet(Scheduler& scheduler, Obedient::Heard how_heard) : heard(std::move(how_heard)), scheduler_(scheduler) {}
  void add(Duration takes) {
    services.push_back(std::make_unique<Obedient>(scheduler_, heard, takes));
    REQUIRE(supervisor.add({.name = std::to_string(services.size())}, *services.back()));
  }

  const Obedient::Heard heard;
  std::vector<std::unique_ptr<Obedient>> services;

 private:
  Scheduler& scheduler_;
  Nobody nobody_;

 public:
  Supervisor supervisor{scheduler_, {.shutdown_timeout = kTimeout}, Seed{1}, nobody_};
};

struct BusyFleet {
  BusyStrand strand;
  Fleet fleet{strand, [this](std::function<void()> then) {
                strand.post([this, then = std::move(then)] {
                  strand.work_for(kCost);
                  then();
                });
              }};

  // Of a shutdown that is asked for at 0 s.
  const ShutdownResult& shut_down() {
    strand.run();
    fleet.supervisor.request_shutdown();
    strand.run();
    REQUIRE(fleet.supervisor.shutdown_result());
    return *fleet.supervisor.shutdown_result();
  }
};

}  // namespace

TEST_CASE("a fleet that obeys has drained in time, though the strand takes five times the deadline to hear all of it") {
  BusyFleet busy;
  for (std::size_t i = 0; i < kServices; ++i) busy.fleet.add(0ns);
  const ShutdownResult& result = busy.shut_down();
  CHECK(result.outcome == DrainOutcome::drained);
  CHECK(result.abandoned.empty());
  CHECK(result.took == kServices * kCost);
  CHECK(result.suggested_exit_status() == 0);
}

// The deadline is 1 s of time in which the strand could run. The alarm, which rings every 250 ms, is handled after 5 s:
// so the strand could not run for 4.75 s, and the deadline comes at 5.75 s.
TEST_CASE(
    "a strand that was busy puts the deadline off by as long, and a service that takes longer than that is abandoned") {
  BusyFleet busy;
  for (std::size_t i = 2; i < kServices; ++i) busy.fleet.add(0ns);
  busy.fleet.add(750ms - kCost);  // heard at 5 s less the cost of the last one
  busy.fleet.add(750ms + 1ns);
  const ShutdownResult& result = busy.shut_down();
  CHECK(result.outcome == DrainOutcome::deadline);
  CHECK(result.abandoned == std::vector<std::string>{std::to_string(kServices)});
  CHECK(result.took == 5750ms);
}

TEST_CASE("in virtual time no strand is busy: a fleet that obeys within the deadline has drained, the rest has not") {
  for (const bool one_is_late : {false, true}) {
    CAPTURE(one_is_late);
    sim::VirtualScheduler scheduler;
    Fleet fleet{scheduler, [](const std::function<void()>& then) { then(); }};
    for (std::size_t i = 1; i < kServices; ++i) fleet.add(kTimeout - 1ns);
    fleet.add(one_is_late ? kTimeout + 1ns : 0ns);
    scheduler.run_tasks();
    fleet.supervisor.request_shutdown();
    scheduler.run_tasks();
    while (scheduler.fire_next(TimePoint::max())) {
    }
    const ShutdownResult& result = *fleet.supervisor.shutdown_result();
    CHECK(result.outcome == (one_is_late ? DrainOutcome::deadline : DrainOutcome::drained));
    CHECK(result.abandoned.size() == (one_is_late ? 1 : 0));
    CHECK(result.took == (one_is_late ? kTimeout : kTimeout - 1ns));
  }
}

}  // namespace holdfast::busy_strand_test
