// A made-up machine for recordings: its clock runs by itself, a little with every look at it, so that the time moves
// within a handler; it wakes up late, finds many timers due at once, and lets others' work come between. All of it is
// drawn from a seed, so every run can be had again.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <holdfast/recorder.hpp>
#include <holdfast/supervisor.hpp>
#include <holdfast/timer_queue.hpp>
#include <holdfast_sim/observe/event_log.hpp>

namespace holdfast::test {

using namespace std::chrono_literals;

// SplitMix64 (Steele, Lea, Flood, 2014).
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t below(std::uint64_t limit) {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % limit;
  }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class T, std::size_t kSize>
  T of(const std::array<T, kSize>& all) {
    return all[below(kSize)];
  }

 private:
  std::uint64_t state_;
};

// As the scheduler on Asio: a turn fires what was due when it began; what is armed for the past, or by a turn for a
// time that it has passed, comes in the next one.
class LateMachine final : public Scheduler {
 public:
  explicit LateMachine(Duration tick) : tick_(tick) {}
  ~LateMachine() override {
    timers_.clear();
    tasks_.clear();
  }

  [[nodiscard]] TimePoint now() const noexcept override { return clock_ = clock_ + tick_; }
  void arm(Timer& timer, TimePoint at) override { timers_.arm(timer, std::max(at, next_turn_)); }
  bool disarm(Timer& timer) noexcept override { return timers_.disarm(timer); }
  void defer(Task& task) override { tasks_.push(task); }
  bool cancel(Task& task) noexcept override { return tasks_.cancel(task); }

  void pass(Duration time) { clock_ = clock_ + time; }
  void run_tasks() {
    while (!tasks_.empty()) tasks_.run_oldest();
  }
  void turn() {
    run_tasks();
    const TimePoint due = now();
    next_turn_ = due + 1ns;
    while (!timers_.empty() && timers_.earliest() <= due) {
      timers_.fire_earliest();
      run_tasks();
    }
  }

 private:
  const Duration tick_;
  mutable TimePoint clock_;
  TimePoint next_turn_;
  TimerQueue timers_;
  TaskQueue tasks_;
};

// A recorded supervisor on such a machine, and services that do whatever the dice say.
class RestlessFleet final : public EventSink {
 public:
  RestlessFleet(LateMachine& machine, Dice& dice)
      : dice_(dice), recorder_(std::in_place, out_, machine, config_, seed_, *this) {
    supervisor_.emplace(*recorder_, config_, seed_, *recorder_, &*recorder_);
    for (int i = 0; i < 6; ++i) add_group();
    if (!dice_.one_in(4)) add();  // with none, a fleet that returns when all have terminated is over at once
  }
  ~RestlessFleet() { finish(); }

  // Something from outside.
  void act() {
    switch (dice_.below(12)) {
      case 0:
      case 1: return add();
      case 2: return command();
      case 3: return some_run_is_ready();
      case 4:
      case 5: return some_run_gives_a_sign();
      default: return end_some_run();
    }
  }
  void shut_down() { dice_.one_in(3) ? supervisor_->end_drain() : supervisor_->request_shutdown(); }
  void finish() {
    supervisor_.reset();
    recorder_.reset();
  }

  // Others may give it commands too, from within their own callbacks.
  void set_neighbour(RestlessFleet& neighbour) { neighbour_ = &neighbour; }

  [[nodiscard]] std::string recording() const { return out_.str(); }
  [[nodiscard]] const sim::EventLog& log() const { return log_; }

 private:
  static constexpr std::array<Duration, 3> kGraces{0ns, 1ms, 2s};
  static constexpr std::array<std::uint8_t, 5> kStatuses{0, 1, 2, 3, 255};
  static constexpr std::array<const char*, 5> kNames{"a", "b", "c", "feed-0", "feed-1"};
  static constexpr std::array<const char*, 3> kGroups{"/g", "/g/h", "/i"};

  // What may change while a service is there.
  void decide_otherwise(ServicePolicy& policy) {
    const std::array<RestartPolicy, 3> restarts{RestartPolicy::always, RestartPolicy::on_failure, RestartPolicy::never};
    policy.restart = dice_.of(restarts);
    if (dice_.one_in(3)) policy.backoff = some_policy();
    if (dice_.one_in(4)) policy.stop_grace = dice_.of(kGraces);
    policy.forget_when_done = dice_.one_in(8);
  }
  void add() {
    ServiceConfig config{.name = dice_.of(kNames)};
    decide_otherwise(config.policy);
    if (dice_.one_in(4)) {
      config.policy.ready = Ready::notified;
      if (!dice_.one_in(3)) config.policy.start_timeout = dice_.one_in(2) ? 1ms : 2s;
    }
    if (dice_.one_in(3)) {
      config.policy.watchdog = dice_.one_in(2) ? 1ms : 3s;
      if (dice_.one_in(2)) config.policy.watchdog_needs = SignOfLife::progress;
    }
    if (dice_.one_in(2)) config.policy.exit_rules = {.clean = {1, 255}, .failure = {0}, .fatal = {2}};
    if (dice_.one_in(2)) {
      constexpr std::array kWhats{OnDependency::keep, OnDependency::wait, OnDependency::restart, OnDependency::stop};
      config.policy.order = {.after_if_present = {"a", dice_.of(kNames)},
                             .on_dependency = dice_.of(kWhats),
                             .wake_jitter = dice_.one_in(2) ? 2s : 1ms};
    }
    if (dice_.one_in(2)) config.policy.group = dice_.of(kGroups);
    if (dice_.one_in(20)) config.policy.ends_fleet = EndsFleet::when_lost;
    if (supervisor_->add(config, *dice_.of(services_))) policies_.insert_or_assign(config.name, config.policy);
  }
  void add_group() {
    constexpr std::array kStrategies{Strategy::one_for_one, Strategy::one_for_all, Strategy::rest_for_one};
    GroupConfig config{.path = dice_.of(kGroups), .policy = {.strategy = dice_.of(kStrategies)}};
    if (dice_.one_in(3)) config.policy.intensity = {static_cast<std::uint32_t>(dice_.below(6)), 10s};
    (void)supervisor_->add_group(config);
  }
  void command() {
    if (dice_.one_in(20)) add_group();
    const std::string name = dice_.of(kNames);
    if (const auto known = policies_.find(name); known != policies_.end() && dice_.one_in(6)) {
      decide_otherwise(known->second);
      (void)supervisor_->reconfigure(name, known->second);
      return;
    }
    switch (dice_.below(4)) {
      case 0: (void)supervisor_->stop(name); return;
      case 2: (void)supervisor_->reset(name); return;
      case 1: (void)supervisor_->restart(name); return;
      default: (void)supervisor_->remove(name); return;
    }
  }
  void end_some_run() {
    if (!runs_.empty()) runs_[dice_.below(runs_.size())].end(some_exit());
  }
  void some_run_is_ready() {
    if (!runs_.empty()) runs_[dice_.below(runs_.size())].ready();
  }
  void some_run_gives_a_sign() {
    if (runs_.empty()) return;
    const Run run = runs_[runs_.size() - 1 - dice_.below(std::min<std::uint64_t>(runs_.size(), 4))];
    dice_.one_in(2) ? run.heartbeat() : run.progress(dice_.below(20));
  }
  BackoffPolicy some_policy() {
    const std::array<Duration, 4> bases{0ns, 1ns, 1ms, 1s};
    BackoffPolicy policy{.base = dice_.of(bases), .max = 10s, .cooldown = 20s, .clean_restart_delay = dice_.of(bases)};
    if (dice_.one_in(4)) policy.growth = LinearGrowth{dice_.of(bases)};
    if (dice_.one_in(4)) policy.jitter = ProportionalJitter{Thousandths::of(0.1)};
    policy.breaker = dice_.one_in(2) ? std::optional{BreakerPolicy{3, dice_.one_in(3) ? 1ms : 1min}} : std::nullopt;
    if (policy.breaker && dice_.one_in(2))
      policy.breaker->half_open = HalfOpenPolicy{1s, 4s, dice_.one_in(2) ? 1ms : 2s};
    if (policy.breaker && dice_.one_in(2)) policy.breaker->counts = BreakerCounts::ends;
    return policy;
  }
  SupervisorConfig some_config() {
    const auto when = dice_.one_in(2) ? WhenAllTerminated::wait : WhenAllTerminated::return_;
    SupervisorConfig config{.shutdown_timeout = 5s, .backoff = some_policy(), .when_all_terminated = when};
    if (dice_.one_in(2)) config.stop_grace = dice_.of(kGraces);
    if (dice_.one_in(2))
      config.restart_limit = RestartLimit{.every = 2ms, .burst = static_cast<std::uint32_t>(1 + dice_.below(3))};
    if (dice_.one_in(4)) config.starting_max = static_cast<std::uint32_t>(1 + dice_.below(2));
    return config;
  }
  Exit some_exit() {
    Exit exit = exit_without_status();
    return dice_.one_in(3) ? std::move(exit).with_status(dice_.of(kStatuses)) : std::move(exit);
  }
  Exit exit_without_status() {
    switch (dice_.below(6)) {
      case 0: return Exit::clean();
      case 5: return Exit::done();
      case 1: return Exit::fatal("fatal \xff");
      case 2: try { throw std::runtime_error{"thrown \"x\""};
        } catch (...) {
          return Exit::from_current_exception();
        }
      default: return Exit::failed("failed");
    }
  }

  // Within a callback.
  void meddle() {
    if (commands_within_ >= kCommandsWithinMax || !dice_.one_in(6)) return;
    ++commands_within_;
    RestlessFleet& whom = neighbour_ && dice_.one_in(3) ? *neighbour_ : *this;
    if (whom.supervisor_) whom.act();
    if (dice_.one_in(20)) (void)supervisor_->snapshots();  // looks at the clock too
  }
  class Restless final : public Service {
   public:
    Restless(RestlessFleet& fleet, bool killable, bool side_by_side)
        : fleet_(fleet), can_be_killed_(killable), side_by_side_(side_by_side) {}
    void start(Run run) override { fleet_.start(run); }
    void stop(Run run) override { fleet_.stop(run); }
    [[nodiscard]] bool can_be_killed() const noexcept override { return can_be_killed_; }
    void kill(Run run) override { fleet_.kill(run); }
    [[nodiscard]] bool runs_side_by_side() const noexcept override { return side_by_side_; }
    // Not so, but it keeps nothing of a run.
    [[nodiscard]] bool is_added_once() const noexcept override { return true; }

   private:
    RestlessFleet& fleet_;
    const bool can_be_killed_;
    const bool side_by_side_;
  };
  void start(Run run) {
    runs_.push_back(run);
    meddle();
    if (dice_.one_in(3)) run.ready();
    if (dice_.one_in(4)) run.heartbeat();
    if (dice_.one_in(6)) run.end(some_exit());
    if (dice_.one_in(10)) throw std::runtime_error{"start"};
  }
  void stop(Run run) {
    meddle();
    if (dice_.one_in(3)) run.end(some_exit());
    if (dice_.one_in(5)) throw std::runtime_error{"stop"};
  }
  void kill(Run run) {
    meddle();
    if (dice_.one_in(3)) run.end(some_exit());
    if (dice_.one_in(2)) throw std::runtime_error{"kill"};
  }
  void on_event(const Event& event) override {
    log_.on_event(event);
    meddle();
  }

  static constexpr int kCommandsWithinMax = 100;  // each may cause another

  Dice& dice_;
  const Seed seed_{dice_.below(UINT64_MAX)};
  const SupervisorConfig config_ = some_config();
  std::ostringstream out_;
  sim::EventLog log_;
  std::vector<Run> runs_;
  Restless plain_{*this, false, false}, killable_{*this, true, false};
  Restless side_by_side_{*this, false, true}, killable_side_by_side_{*this, true, true};
  const std::array<Restless*, 4> services_{&plain_, &killable_, &side_by_side_, &killable_side_by_side_};
  std::map<std::string, ServicePolicy> policies_;  // of who was added last under each name
  int commands_within_ = 0;
  RestlessFleet* neighbour_ = nullptr;
  std::optional<Recorder> recorder_;
  std::optional<Supervisor> supervisor_;
};

// Lets two fleets live together for a while.
inline void live(LateMachine& machine, Dice& dice, RestlessFleet& first, RestlessFleet& second) {
  const std::array<Duration, 6> sleeps{0ns, 1ns, 1us, 700ms, 3s, 2min};
  first.set_neighbour(second);
  second.set_neighbour(first);
  for (int i = 0; i < 150; ++i) {
    machine.pass(dice.of(sleeps));
    if (!dice.one_in(3)) machine.turn();
    (dice.one_in(3) ? second : first).act();
  }
  if (dice.one_in(2)) first.shut_down();
  for (int i = 0; i < 10; ++i) {
    machine.turn();
    first.act();
    machine.pass(1s);
  }
}

}  // namespace holdfast::test
