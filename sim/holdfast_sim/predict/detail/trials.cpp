#include <holdfast_sim/predict/detail/trials.hpp>

#include <algorithm>

#include <holdfast/backoff.hpp>
#include <holdfast_sim/observe/observer.hpp>
#include <holdfast_sim/predict/giving_up.hpp>
#include <holdfast_sim/scenario/scenario.hpp>
#include <holdfast_sim/stage/simulation.hpp>

namespace holdfast::sim::detail {

namespace {

using namespace std::chrono_literals;

// The moment in which all services crash.
constexpr Duration kCrash = 1s;
// How many restarts one trial may cost.
constexpr std::uint64_t kRestartsMax = 2'000'000;
constexpr std::uint32_t kCycles = 200;

Scenario failing_without_end(const TrialPolicy& policy, std::uint32_t services, Seed seed) {
  Scenario scenario;
  scenario.name = "trial";
  scenario.seed = seed;
  FleetGroup group{
      .name = "trial", .count = services, .policy = {.restart = policy.restart, .backoff = policy.backoff}};
  scenario.fleet.push_back(group);
  scenario.chaos.push_back({kCrash, Outage{.length = kDurationMax, .fails_after = policy.fails_after}});
  return scenario;
}

// Which services were given up, and how far the runs have got.
class Watch final : public Observer {
 public:
  void on_event(const Event& event) override {
    if (std::get_if<event::Terminated>(&event.what)) {
      given_up.push_back(event.at - (TimePoint{} + kCrash));
    } else if (std::get_if<event::Started>(&event.what)) {
      latest_run = std::max(latest_run, event.run.value);
      note_start(event);
    } else if (const auto* const waits = std::get_if<event::BackingOff>(&event.what)) {
      if (waits->attempt == 1 && event.run.value > 1) ++resets;
    }
  }
  void on_chaos(const ChaosEvent&) override {}

  std::vector<Duration> given_up;
  std::uint64_t latest_run = 0;
  std::uint64_t resets = 0;

  // From the start of this run on kCycles cycles are measured; 0: none.
  std::uint64_t measured_from = 0;
  std::vector<double> cycles;

 private:
  void note_start(const Event& event) {
    if (measured_from == 0) return;
    if (event.run.value == measured_from) {
      if (event.service.slot >= began_.size()) began_.resize(event.service.slot + 1);
      began_[event.service.slot] = event.at;
    } else if (event.run.value == measured_from + kCycles) {
      cycles.push_back(static_cast<double>((event.at - began_[event.service.slot]).count()) / kCycles);
    }
  }

  std::vector<TimePoint> began_;
};

// Steps until `done`, or until nothing is left to do.
template <class Done>
void watch(const Scenario& scenario, Watch& watcher, Done&& done) {
  Simulation simulation{scenario, {&watcher}};
  simulation.run_until(done, TimePoint::max());
}

std::uint32_t fewer_where_runs_are_many(std::uint32_t services, std::uint64_t runs) {
  constexpr std::uint64_t kFewest = 20;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(kRestartsMax / std::max<std::uint64_t>(runs, 1),
                                                              std::min<std::uint64_t>(kFewest, services), services));
}

}  // namespace

GivenUp try_giving_up(const TrialPolicy& policy, std::uint32_t services, Seed seed) {
  const std::uint64_t max_failures = policy.backoff.breaker ? policy.backoff.breaker->max_failures : 1;
  services = fewer_where_runs_are_many(services, max_failures + 1);
  const std::uint64_t runs_max = std::max(2 * max_failures, kRestartsMax / services);
  Watch watcher;
  watch(failing_without_end(policy, services, seed), watcher,
        [&] { return watcher.given_up.size() == services || watcher.latest_run >= runs_max; });
  std::sort(watcher.given_up.begin(), watcher.given_up.end());
  return {services, std::move(watcher.given_up), watcher.latest_run};
}

std::vector<double> try_cycles(const TrialPolicy& policy, std::uint32_t services, Seed seed) {
  if (policy.restart == RestartPolicy::never) return {};
  auto endless = policy;
  endless.backoff.breaker = std::nullopt;
  const Duration final_wait = final_delay(policy.backoff, policy.fails_after);
  if (policy.fails_after + final_wait == Duration::zero()) return {};
  Attempt ramp = 1;
  while (grown_delay(policy.backoff, ramp) < final_wait) {
    if (++ramp > kRestartsMax) return {};
  }
  services = fewer_where_runs_are_many(services, ramp + kCycles);
  Watch watcher;
  watcher.measured_from = ramp + 1;  // the wait after run k has the k-th ceiling
  watch(failing_without_end(endless, services, seed), watcher, [&] { return watcher.cycles.size() == services; });
  return watcher.cycles.size() == services ? std::move(watcher.cycles) : std::vector<double>{};
}

BandTrial try_band(const TrialPolicy& policy, Duration lasts, std::uint32_t services, Seed seed) {
  const std::uint64_t runs = 3 * std::uint64_t{policy.backoff.breaker->max_failures};
  services = fewer_where_runs_are_many(services, runs);
  auto scenario = failing_without_end({policy.backoff, policy.restart, lasts}, services, seed);
  Watch watcher;
  watch(scenario, watcher, [&] { return watcher.given_up.size() == services || watcher.latest_run >= runs; });
  return {services, watcher.given_up.size(), watcher.resets};
}

}  // namespace holdfast::sim::detail
