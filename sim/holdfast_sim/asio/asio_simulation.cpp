#include <holdfast_sim/asio/asio_simulation.hpp>

#include <deque>

#include <holdfast_sim/asio/simulated_context.hpp>

namespace holdfast::sim {

namespace {

// The virtual scheduler with an executor beside it.
class SimulatedScheduler final : public ExecutorScheduler {
 public:
  SimulatedScheduler(Scheduler& scheduler, SimulatedContext& context)
      : scheduler_(scheduler), context_(context), executor_(context.get_executor()) {}
  ~SimulatedScheduler() override { close_sleepers(); }

  [[nodiscard]] TimePoint now() const noexcept override { return scheduler_.now(); }
  void arm(Timer& timer, TimePoint at) override { scheduler_.arm(timer, at); }
  bool disarm(Timer& timer) noexcept override { return scheduler_.disarm(timer); }
  void defer(Task& task) override { scheduler_.defer(task); }
  bool cancel(Task& task) noexcept override { return scheduler_.cancel(task); }
  [[nodiscard]] const boost::asio::any_io_executor& executor() const noexcept override { return executor_; }

 private:
  void before_sleeper() override { context_.before_handler(); }
  void after_sleeper() override { context_.after_handler(); }

  Scheduler& scheduler_;
  SimulatedContext& context_;
  const boost::asio::any_io_executor executor_;
};

}  // namespace

// From the last member on, everything ends: services cut their runs off, sleepers are unwound, then the queue.
struct AsioSimulation::World {
  explicit World(Scheduler& virtual_time) : context(virtual_time), scheduler(virtual_time, context) {}

  SimulatedContext context;
  SimulatedScheduler scheduler;
  std::deque<AwaitableService> services;
};

AsioSimulation::AsioSimulation(SimulationConfig config, std::vector<Observer*> observers)
    : Simulation(config, std::move(observers)) {
  open();
}

AsioSimulation::AsioSimulation(Of, const Scenario& scenario, std::vector<Observer*> observers, std::optional<Seed> seed)
    : Simulation(scenario, std::move(observers), seed) {
  open();
}

void AsioSimulation::open() { world_ = std::make_unique<World>(Simulation::scheduler()); }

AsioSimulation::~AsioSimulation() = default;

Result<ServiceId> AsioSimulation::add_made_by(ServiceConfig config, AwaitableService::Factory factory) {
  Service& service = world_->services.emplace_back(world_->scheduler, config.name, std::move(factory));
  auto added = add(std::move(config), service);
  if (!added) world_->services.pop_back();
  return added;
}

const boost::asio::any_io_executor& AsioSimulation::executor() noexcept { return world_->scheduler.executor(); }

ExecutorScheduler& AsioSimulation::executor_scheduler() noexcept { return world_->scheduler; }

void AsioSimulation::limit_handlers(std::uint64_t most) noexcept { world_->context.limit_handlers(most); }

}  // namespace holdfast::sim
