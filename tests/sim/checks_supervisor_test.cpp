// The checks on whatever the real supervisor does, with services and commands by chance.

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <holdfast/backoff.hpp>
#include <holdfast/supervisor.hpp>
#include <holdfast_sim/checks/checks.hpp>
#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/observe/trace.hpp>
#include <holdfast_sim/stage/virtual_scheduler.hpp>

#include "checks_history.hpp"

namespace holdfast::sim::checks_test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kTimersMax = 3000;  // of one history: some would never end

// What one run does. All lengths are few and round, so that things often fall into one instant.
struct Plan {
  enum class End : std::uint8_t { clean, failed, fatal, threw_at_start, at_start, never };
  enum class OnStop : std::uint8_t { obeys, takes_a_while, fails, ignores, throws };
  enum class OnKill : std::uint8_t { dies, takes_a_while, lives_on, throws };
  Duration length{0};
  End end = End::clean;
  OnStop on_stop = OnStop::obeys;
  OnKill on_kill = OnKill::dies;
  std::optional<Duration> ready_after = Duration{0};  // nullopt: never
};

Exit exit_of(Plan::End end) {
  switch (end) {
    case Plan::End::failed: return Exit::failed("failed").with_status(1);
    case Plan::End::fatal: return Exit::fatal("fatal");
    case Plan::End::at_start: return Exit::failed("failed at its start");
    default: return Exit::clean();
  }
}

// Runs by plan, over and over.
class PlannedService final : public Service, public Timer {
 public:
  PlannedService(Scheduler& scheduler, std::vector<Plan> plans, bool can_be_killed)
      : scheduler_(scheduler), plans_(std::move(plans)), can_be_killed_(can_be_killed) {}
  ~PlannedService() {
    scheduler_.disarm(*this);
    scheduler_.disarm(ready_);
  }

  void start(Run run) override {
    scheduler_.disarm(*this);
    run_ = run;
    exit_ = plan().end;
    scheduler_.disarm(ready_);
    ready_.run = run;
    if (plan().ready_after == Duration{0}) run.ready();
    if (plan().ready_after) scheduler_.arm(ready_, scheduler_.now() + *plan().ready_after);
    if (plan().end == Plan::End::threw_at_start) throw std::runtime_error("threw");
    if (plan().end == Plan::End::at_start) return run.end(exit_of(exit_));
    if (plan().end != Plan::End::never) scheduler_.arm(*this, scheduler_.now() + plan().length);
  }

  void stop(Run run) override {
    switch (plan().on_stop) {
      case Plan::OnStop::obeys: scheduler_.disarm(*this); return run.end(Exit::clean());
      case Plan::OnStop::fails: scheduler_.disarm(*this); return run.end(Exit::failed("failed to stop"));
      case Plan::OnStop::throws: throw std::runtime_error("will not");
      case Plan::OnStop::ignores: return;
      case Plan::OnStop::takes_a_while:
        scheduler_.disarm(*this);
        exit_ = Plan::End::clean;
        scheduler_.arm(*this, scheduler_.now() + 5ms);
    }
  }

  [[nodiscard]] bool can_be_killed() const noexcept override { return can_be_killed_; }
  void kill(Run run) override {
    switch (plan().on_kill) {
      case Plan::OnKill::dies: scheduler_.disarm(*this); return run.end(Exit::failed("killed"));
      case Plan::OnKill::throws: throw std::runtime_error("cannot");
      case Plan::OnKill::lives_on: return;
      case Plan::OnKill::takes_a_while: scheduler_.disarm(*this); scheduler_.arm(*this, scheduler_.now() + 5ms);
    }
  }

 private:
  // Says that the run is ready, perhaps once it has ended or when it was asked to stop.
  struct ReadyTimer final : Timer {
    void fired() override { run.ready(); }
    Run run;
  };

  void fired() override { run_.end(exit_of(exit_)); }
  const Plan& plan() const { return plans_[run_.number().value % plans_.size()]; }

  Scheduler& scheduler_;
  const std::vector<Plan> plans_;
  const bool can_be_killed_;
  Run run_;
  ReadyTimer ready_;
  Plan::End exit_ = Plan::End::clean;
};

struct Order {
  enum class Kind : std::uint8_t { stop, restart, reset, reconfigure, remove, add, shutdown, end_drain };
  Kind kind = Kind::stop;
  std::size_t service = 0;
};

struct Play {
  Seed seed;
  SupervisorConfig config;
  std::vector<ServiceConfig> services;
  std::vector<std::vector<Plan>> plans;            // one a service
  std::vector<std::pair<Duration, Order>> orders;  // on a timetable
  std::map<std::uint64_t, Order> interjections{};  // from within the event with this number
  std::size_t killable = 0;                        // as many services can be killed, the first ones
  std::vector<GroupConfig> groups{};
  std::vector<ServicePolicy> decisions{};  // by which services decide that are reconfigured
};

// The supervisor, its services and those who command them, watched by the checks.
class Theatre final : public EventSink {
 public:
  explicit Theatre(const Play& play, Observer* audience = nullptr)
      : play_(play), audience_(audience), supervisor_(scheduler_, play.config, play.seed, *this) {
    for (const auto& group : play_.groups) (void)supervisor_.add_group(group);
    for (std::size_t i = 0; i < play_.services.size(); ++i) add(i);
    for (const auto& [at, order] : play_.orders) {
      cues_.push_back(std::make_unique<Cue>(*this, order));
      scheduler_.arm(*cues_.back(), TimePoint{} + at);
    }
  }
  ~Theatre() {
    for (auto& cue : cues_) scheduler_.disarm(*cue);
  }

  void on_event(const Event& event) override {
    checks.on_event(event);
    if (audience_) audience_->on_event(event);
    const auto found = play_.interjections.find(++events_);
    if (found == play_.interjections.end()) return;
    const Order& order = found->second;
    // Events do not show whether another service was still there when this one was added.
    const auto& policy = play_.services[order.service % play_.services.size()].policy;
    if (order.kind == Order::Kind::add && !policy.order.after_if_present.names().empty()) return;
    obey(order);
  }

  void run_until(TimePoint limit) {
    scheduler_.run_tasks();
    SimulationEnd end;
    while (scheduler_.timers_fired() < kTimersMax && scheduler_.fire_next(limit)) {
    }
    if (scheduler_.timers_fired() >= kTimersMax) {
      end.reason = EndReason::events_budget;
    } else {
      scheduler_.advance_to(limit);
    }
    end.at = scheduler_.now();
    end.counters = supervisor_.counters();
    checks.finish(end);
  }

  Checks checks;

 private:
  struct Cue final : Timer {
    Cue(Theatre& its_theatre, const Order& its_order) : theatre(its_theatre), order(its_order) {}
    void fired() override { theatre.obey(order); }
    Theatre& theatre;
    Order order;
  };

  void add(std::size_t i) {
    const bool can_be_killed = i < play_.killable;
    services_.push_back(std::make_unique<PlannedService>(scheduler_, play_.plans[i], can_be_killed));
    static_cast<void>(supervisor_.add(play_.services[i], *services_.back()));
  }

  void reconfigure(const ServiceConfig& service, std::size_t number) {
    if (play_.decisions.empty()) return;
    const ServicePolicy& decides = play_.decisions[number % play_.decisions.size()];
    ServicePolicy policy = service.policy;
    policy.restart = decides.restart;
    policy.backoff = decides.backoff;
    policy.stop_grace = decides.stop_grace;
    policy.forget_when_done = decides.forget_when_done;
    static_cast<void>(supervisor_.reconfigure(service.name, policy));
  }

  void obey(const Order& order) {
    const std::size_t i = order.service % play_.services.size();
    const std::string& name = play_.services[i].name;
    switch (order.kind) {
      case Order::Kind::stop: static_cast<void>(supervisor_.stop(name)); return;
      case Order::Kind::restart: static_cast<void>(supervisor_.restart(name)); return;
      case Order::Kind::reset: static_cast<void>(supervisor_.reset(name)); return;
      case Order::Kind::reconfigure: return reconfigure(play_.services[i], order.service);
      case Order::Kind::remove: static_cast<void>(supervisor_.remove(name)); return;
      case Order::Kind::add: return add(i);
      case Order::Kind::shutdown: return supervisor_.request_shutdown();
      case Order::Kind::end_drain: return supervisor_.end_drain();
    }
  }

  const Play& play_;
  Observer* const audience_;  // or null
  VirtualScheduler scheduler_;
  std::vector<std::unique_ptr<PlannedService>> services_;
  std::vector<std::unique_ptr<Cue>> cues_;
  Supervisor supervisor_;
  std::uint64_t events_ = 0;
};

rc::Gen<Duration> short_time() {
  return rc::gen::weightedElement<Duration>({{2, 0ns}, {3, 1ms}, {3, 5ms}, {2, 10ms}, {1, 50ms}, {1, 1s}});
}

BackoffPolicy random_policy() {
  BackoffPolicy policy{.base = *rc::gen::element<Duration>(0ns, 1ns, 1ms, 5ms, 10ms),
                       .max = *rc::gen::element<Duration>(10ms, 40ms, 1s),
                       .cooldown = *rc::gen::element<Duration>(0ns, 5ms, 10ms, 5min),
                       .clean_restart_delay = *rc::gen::element<Duration>(0ns, 1ms, 5ms),
                       .breaker = std::nullopt};
  if (*rc::gen::inRange(0, 4) > 0) {
    policy.breaker = BreakerPolicy{*rc::gen::element<std::uint32_t>(1, 2, 3, 5, 20),
                                   *rc::gen::element<Duration>(1ns, 5ms, 20ms, 1s)};
    if (*rc::gen::arbitrary<bool>()) {
      policy.breaker->half_open = HalfOpenPolicy{.open_for = *rc::gen::element<Duration>(1ns, 1ms, 8ms),
                                                 .open_for_max = *rc::gen::element<Duration>(8ms, 30ms),
                                                 .probe_success_after = *rc::gen::element<Duration>(1ns, 2ms, 10ms)};
    }
  }
  return policy;
}

Plan random_plan() {
  using enum Plan::End;
  using enum Plan::OnStop;
  return {.length = *short_time(),
          .end = *rc::gen::weightedElement<Plan::End>(
              {{3, clean}, {8, failed}, {1, fatal}, {1, threw_at_start}, {1, at_start}, {1, never}}),
          .on_stop = *rc::gen::weightedElement<Plan::OnStop>(
              {{3, obeys}, {3, takes_a_while}, {2, fails}, {1, ignores}, {1, throws}}),
          .on_kill = *rc::gen::element(Plan::OnKill::dies, Plan::OnKill::takes_a_while, Plan::OnKill::lives_on,
                                       Plan::OnKill::throws),
          .ready_after = *rc::gen::element<std::optional<Duration>>(0ns, 1ms, 5ms, std::nullopt)};
}

Order random_order() {
  using enum Order::Kind;
  return {*rc::gen::weightedElement<Order::Kind>({{5, stop},
                                                  {8, restart},
                                                  {5, reset},
                                                  {6, reconfigure},
                                                  {4, remove},
                                                  {6, add},
                                                  {1, shutdown},
                                                  {1, end_drain}}),
          *rc::gen::inRange<std::size_t>(0, 100)};
}

template <class Make>
auto several(int least, int most, const Make& make) {
  std::vector<decltype(make())> made;
  for (int i = *rc::gen::inRange(least, most + 1); i > 0; --i) made.push_back(make());
  return made;
}

GroupPolicy random_group_policy() {
  GroupPolicy policy{.strategy = *rc::gen::element(Strategy::one_for_one, Strategy::one_for_all, Strategy::one_for_all,
                                                   Strategy::rest_for_one)};
  if (*rc::gen::inRange(0, 3) == 0) {
    policy.intensity = {*rc::gen::inRange<std::uint32_t>(0, 6), *rc::gen::element<Duration>(1ms, 5ms, 1s)};
  }
  return policy;
}

// What a service may be given while it is there.
ServicePolicy random_decisions() {
  ServicePolicy policy{.restart = *rc::gen::weightedElement<RestartPolicy>(
                           {{3, RestartPolicy::always}, {3, RestartPolicy::on_failure}, {1, RestartPolicy::never}})};
  if (*rc::gen::arbitrary<bool>()) policy.backoff = random_policy();
  if (*rc::gen::arbitrary<bool>()) policy.stop_grace = *short_time();
  policy.forget_when_done = *rc::gen::inRange(0, 6) == 0;
  return policy;
}

Play random_play() {
  Play play;
  play.seed.value = *rc::gen::arbitrary<std::uint64_t>();
  play.config = {.shutdown_timeout = *rc::gen::element<Duration>(0ns, 1ms, 5ms, 50ms, 30s),
                 .backoff = random_policy(),
                 .when_all_terminated = *rc::gen::element(WhenAllTerminated::wait, WhenAllTerminated::return_)};
  if (*rc::gen::arbitrary<bool>()) play.config.stop_grace = *short_time();
  if (*rc::gen::inRange(0, 4) == 0) play.config.restart_limit = RestartLimit{.every = 5ms, .burst = 1};
  play.killable = *rc::gen::inRange<std::size_t>(0, 5);
  for (const auto* const path : {"/g", "/g/h", "/i"}) {
    play.groups.push_back({path, random_group_policy()});
  }
  play.decisions = several(1, 3, random_decisions);
  for (int i = *rc::gen::inRange(1, 5); i > 0; --i) {
    ServiceConfig service{.name = "s" + std::to_string(i), .policy = random_decisions()};
    if (*rc::gen::inRange(0, 3) == 0) {
      service.policy.ready = Ready::notified;
      service.policy.start_timeout = *rc::gen::element<std::optional<Duration>>(1ns, 1ms, 5ms, 10ms, std::nullopt);
    }
    if (*rc::gen::inRange(0, 3) == 0) {
      service.policy.watchdog = *rc::gen::element<Duration>(1ns, 1ms, 5ms, 10ms);
      service.policy.watchdog_needs = *rc::gen::element(SignOfLife::heartbeat, SignOfLife::progress);
    }
    if (!play.services.empty() && *rc::gen::inRange(0, 3) > 0) {
      const auto before = [&] { return play.services[*rc::gen::inRange<std::size_t>(0, play.services.size())].name; };
      auto& order = service.policy.order;
      order.after = NameList{several(0, 2, before)};
      if (*rc::gen::inRange(0, 3) == 0) order.after_if_present = {"s1", "s3"};
      order.on_dependency = *rc::gen::element(OnDependency::keep, OnDependency::wait, OnDependency::restart,
                                              OnDependency::restart, OnDependency::stop);
      order.wake_jitter = *rc::gen::element<Duration>(0ns, 1ms, 5ms);
    }
    if (*rc::gen::arbitrary<bool>()) service.policy.group = *rc::gen::element<std::string>("/g", "/g", "/g/h", "/i");
    if (*rc::gen::inRange(0, 8) == 0) {
      service.policy.ends_fleet = *rc::gen::element(EndsFleet::when_lost, EndsFleet::always);
    }
    play.services.push_back(std::move(service));
    play.plans.push_back(several(1, 4, random_plan));
  }
  play.orders = several(0, 12, [] {
    const Duration at = *short_time() + *short_time();
    return std::pair{at, random_order()};
  });
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    play.interjections[*rc::gen::inRange<std::uint64_t>(1, 60)] = random_order();
  }
  return play;
}

// The same play once more, as lines of a trace.
std::string trace_of(const Play& play, TimePoint until) {
  std::ostringstream lines;
  TraceWriter writer{lines, "a play", play.seed};
  Theatre theatre{play, &writer};
  theatre.run_until(until);
  Digest digest;
  writer.finish({}, digest);
  return std::move(lines).str();
}

TEST_CASE("whatever services do and commands ask, the supervisor keeps every rule") {
  CHECK(rc::check([] {
    const Play play = random_play();
    const auto until = TimePoint{} + *rc::gen::element<Duration>(5ms, 100ms, 2s, 60s);
    Theatre theatre{play};
    theatre.run_until(until);
    for (const auto& violation : theatre.checks.violations()) RC_LOG() << text_of(violation) << '\n';
    if (!theatre.checks.held()) RC_LOG() << trace_of(play, until);
    RC_ASSERT(theatre.checks.held());
  }));
}

TEST_CASE("a restart that comes in the instant of the last termination, but after it, revives nothing") {
  const Play play{.config = {.backoff = without_breaker(), .when_all_terminated = WhenAllTerminated::return_},
                  .services = {{.name = "a", .policy = {.restart = RestartPolicy::never}}},
                  .plans = {{{.end = Plan::End::at_start}}},
                  .interjections = {{3, {Order::Kind::stop, 0}}, {6, {Order::Kind::restart, 0}}}};
  Theatre theatre{play};
  theatre.run_until(TimePoint{} + 1s);
  CHECK(texts_of(theatre.checks) == std::vector<std::string>{});
  CHECK(theatre.checks.counters().spawned == 1);
}

TEST_CASE("a busy day tests every rule") {
  // Fails, trips, is revived, is removed while it stops, and does not obey the shutdown; fails at short and at long
  // distances.
  BackoffPolicy often = without_breaker();
  often.max = often.base;
  BackoffPolicy seldom = without_breaker();
  seldom.base = seldom.max;
  BackoffPolicy again = kPolicy;
  again.breaker =
      BreakerPolicy{1, 1min, HalfOpenPolicy{.open_for = 100ms, .open_for_max = 1s, .probe_success_after = 50ms}};
  const Play play{
      .config = {.shutdown_timeout = 1s, .backoff = kPolicy, .restart_limit = RestartLimit{.every = 50ms, .burst = 2}},
      .services = {{.name = "fails"},
                   {.name = "hangs", .policy = {.stop_grace = 100ms}},
                   {.name = "leaves"},
                   {.name = "cycles", .policy = {.restart = RestartPolicy::always}},
                   {.name = "stutters", .policy = {.backoff = often}},
                   {.name = "limps", .policy = {.backoff = seldom}},
                   {.name = "probes", .policy = {.backoff = again}},
                   {.name = "warms", .policy = {.ready = Ready::notified, .start_timeout = 2s}},
                   {.name = "stalls", .policy = {.watchdog = 3s}},
                   {.name = "follows",
                    .policy = {.order = {.after = {"fails"}, .on_dependency = OnDependency::restart}}},
                   {.name = "leads", .policy = {.group = "/g"}},
                   {.name = "trails", .policy = {.group = "/g"}}},
      .plans = {{{.length = 1ms, .end = Plan::End::failed}},
                {{.length = 32s, .end = Plan::End::clean, .on_stop = Plan::OnStop::ignores}},
                {{.end = Plan::End::never, .on_stop = Plan::OnStop::takes_a_while}},
                {{.length = 1s, .end = Plan::End::clean}},
                {{.length = 1ms, .end = Plan::End::failed}},
                {{.length = 1ms, .end = Plan::End::failed}},
                {{.length = 32s, .end = Plan::End::clean}, {.length = 1ms, .end = Plan::End::failed}},
                {{.end = Plan::End::never, .ready_after = 1s}, {.end = Plan::End::never, .ready_after = 3s}},
                {{.end = Plan::End::never}},
                {{.end = Plan::End::never}},
                {{.length = 1ms, .end = Plan::End::failed}},
                {{.end = Plan::End::never}}},
      .orders = {{2s, {Order::Kind::restart, 0}},
                 {3s, {Order::Kind::remove, 2}},
                 {4s, {Order::Kind::add, 2}},
                 {30s, {Order::Kind::shutdown, 0}}},
      .groups = {{"/g", {.strategy = Strategy::one_for_all}}}};
  Theatre theatre{play};
  theatre.run_until(TimePoint{} + 60s);
  CHECK(texts_of(theatre.checks) == std::vector<std::string>{});
  for (const auto& verdict : theatre.checks.verdicts()) {
    CAPTURE(to_string(verdict.rule));
    CHECK(verdict.tested > 0);
  }
}

}  // namespace
}  // namespace holdfast::sim::checks_test
