// The real supervisor in virtual time, with awaitable services: the code that runs in production, unchanged.
//
//     AsioSimulation sim{{.seed = {42}}, {&log}};
//     sim.add({.name = "feed"}, feed);      // awaitable<void> feed(Context&)
//     sim.run_for(1h);                      // virtual time: milliseconds
//
// A Simulation like any other: it may have simulated services and chaos too. A run is a function of what was built
// and of the seed as long as the services take time and randomness from nowhere else.
//
// simulated_context.hpp says what works on executor() and what is refused. Channels and other objects that are made
// on it must not outlive the simulation. Chaos does not reach awaitable services: let the channel that replaces their
// network misbehave.
//
// Thread-safety: none; any number of simulations may run in as many threads.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <holdfast/asio/awaitable_service.hpp>
#include <holdfast/asio/executor_scheduler.hpp>
#include <holdfast_sim/stage/simulation.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

class AsioSimulation : public Simulation {
 public:
  // As a Simulation.
  explicit AsioSimulation(SimulationConfig config, std::vector<Observer*> observers = {});
  template <std::same_as<Scenario> S>
  explicit AsioSimulation(const S& scenario, std::vector<Observer*> observers = {},
                          std::optional<Seed> seed = std::nullopt)
      : AsioSimulation(Of::scenario, scenario, std::move(observers), seed) {}
  ~AsioSimulation();

  using Simulation::add;
  // Adds an awaitable service: see awaitable_service.hpp for what may be given.
  template <holdfast::detail::OfferedAsAwaitableService F>
  Result<ServiceId> add(ServiceConfig config, F function) requires(!std::convertible_to<F, Behaviour>) {
    holdfast::detail::check_service<F>();
    return add_made_by(std::move(config), holdfast::detail::factory_of(std::move(function)));
  }

  [[nodiscard]] const boost::asio::any_io_executor& executor() noexcept;
  // For async_sleep. Simulation::scheduler() is the same time.
  [[nodiscard]] ExecutorScheduler& executor_scheduler() noexcept;
  // As SimulatedContext::limit_handlers().
  void limit_handlers(std::uint64_t most) noexcept;

 private:
  enum class Of : bool { scenario };
  AsioSimulation(Of, const Scenario& scenario, std::vector<Observer*> observers, std::optional<Seed> seed);

  void open();
  Result<ServiceId> add_made_by(ServiceConfig config, AwaitableService::Factory factory);

  struct World;
  std::unique_ptr<World> world_;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
