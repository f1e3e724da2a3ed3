// The real supervisor in virtual time.
//
//     EventLog log;
//     Simulation sim{{.seed = {42}, .supervisor = {.shutdown_timeout = 30s}}, {&log}};
//     sim.add({.name = "feed"}, {.runs_for = Fixed{10s}, .then = Then::fail});
//     sim.run_for(1min);
//     REQUIRE(sim.supervisor().snapshot("feed")->phase == Phase::running);
//
// The loop is: run what was deferred, jump the clock to the earliest timer, fire it. Nothing else moves time, and
// nothing reads a clock or a generator with a state, so a run is a function of what was built and of the seed.
//
// Thread-safety: none; any number of simulations may run in as many threads.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast/supervisor.hpp>
#include <holdfast_sim/observe/observer.hpp>
#include <holdfast_sim/scenario/behaviour.hpp>
#include <holdfast_sim/scenario/scenario.hpp>
#include <holdfast_sim/stage/virtual_scheduler.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct SimulationConfig {
  Seed seed{};
  SupervisorConfig supervisor{};
  Budget budget{};
  // Chaos that makes the supervisor late may be added. A scenario that has some needs no word of it.
  bool supervisor_may_be_late = false;
};

class Simulation {
 public:
  // An empty fleet. Observers see everything in the order given, and outlive the simulation.
  // Throws ConfigError.
  explicit Simulation(SimulationConfig config, std::vector<Observer*> observers = {});

  // The fleet and the chaos of a scenario, at virtual time zero; `seed` replaces the scenario's own.
  // (A template so that braces always mean a SimulationConfig.)
  template <std::same_as<Scenario> S>
  explicit Simulation(const S& scenario, std::vector<Observer*> observers = {}, std::optional<Seed> seed = std::nullopt)
      : Simulation(SimulationConfig{seed.value_or(scenario.seed), scenario.supervisor, scenario.budget,
                                    has_late_supervisor(scenario)},
                   std::move(observers)) {
    enact(scenario, seed.value_or(scenario.seed));
  }
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // Adds what services may need. REQUIRES: none of that name was added before.
  void add_resource(Resource resource);

  // Adds a simulated service; see Supervisor::add. It begins outside of any outage and hang, also under a name
  // that was in one before it was removed. REQUIRES: what it needs was added before.
  Result<ServiceId> add(ServiceConfig config, Behaviour behaviour = {});

  // Adds a service of another kind, which has to live by the simulation's scheduler alone. It outlives its `removed`
  // event or the last step of the simulation. Chaos, end_run and hang_run do not reach it.
  Result<ServiceId> add(ServiceConfig config, Service& service);

  // Chaos by hand or on a timetable; `at` counts from virtual time zero and is not in the past.
  void add_chaos(ChaosEntry entry);

  // Lets virtual time pass. Everything due at the last instant happens. Stops early only when a budget is used up.
  void run_until(TimePoint at);
  void run_for(Duration length) { run_until(now() + length); }

  // Steps until `done` holds, checked after every timer, or nothing is left to do by `limit`. True if it holds.
  bool run_until(const std::function<bool()>& done, TimePoint limit);

  // Goes on to the end of the scenario, but at most for so many timers: false if there is more to do. A caller who
  // wants to show progress calls it again and again.
  bool run_to_end(std::uint64_t timers_at_most = UINT64_MAX);

  // Ends the simulation here and now, whatever is left to do.
  void interrupt();

  // REQUIRES: run_to_end() has returned true, or interrupt() was called.
  [[nodiscard]] const SimulationEnd& end() const noexcept;

  // Ends the present run of a simulated service now. False if it has none that is alive.
  bool end_run(std::string_view service, Exit exit);
  // From now on the present run neither ends by itself nor obeys. False if it has none that is alive.
  bool hang_run(std::string_view service);

  [[nodiscard]] TimePoint now() const noexcept;
  [[nodiscard]] Supervisor& supervisor() noexcept;
  [[nodiscard]] const Supervisor& supervisor() const noexcept;
  [[nodiscard]] VirtualScheduler& scheduler() noexcept;

 private:
  void enact(const Scenario& scenario, Seed seed);
  static bool has_late_supervisor(const Scenario& scenario);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
