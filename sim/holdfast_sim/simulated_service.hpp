// A service that follows a Behaviour, in virtual time, and suffers chaos.
//
// No coroutine and no allocation: one timer, which waits for whatever the present run will do next. The supervisor
// sees an ordinary Service.
#pragma once

#include <cstdint>
#include <string_view>

#include <holdfast/scheduler.hpp>
#include <holdfast/service.hpp>
#include <holdfast/supervisor.hpp>
#include <holdfast_sim/behaviour.hpp>

namespace holdfast::sim {

// Why a service is down and how its starts fail meanwhile.
struct Affliction {
  Duration fails_after{0};
  std::string_view cause;  // outlives the simulation's services
};

class SimulatedService final : public Service, public Timer {
 public:
  // All outlive the service.
  SimulatedService(Scheduler& scheduler, const Supervisor& supervisor, const Behaviour& behaviour)
      : scheduler_(scheduler), supervisor_(supervisor), behaviour_(behaviour) {}
  ~SimulatedService() { scheduler_.disarm(*this); }

  void start(Run run) override;
  void stop(Run run) override;

  // The present run ends now. False if none is alive.
  bool end_run(Exit exit);
  // The present run neither ends nor obeys any more. False if none is alive.
  bool hang_run();

  // Chaos. Where windows overlap the service is afflicted until the last ends, in the way of the one that began last.
  void crash(std::string_view cause);
  void begin_outage(const Affliction& affliction, TimePoint until);
  void begin_hang(TimePoint until);

  [[nodiscard]] bool run_alive() const noexcept { return run_alive_; }

 private:
  void fired() override;
  [[nodiscard]] Duration draw_length(const Distribution& distribution, Purpose purpose) const;
  void live(Duration length);
  void finish_run();
  void begin_to_stop();
  void wait_for_end_of_hang();
  [[nodiscard]] bool hung() const noexcept { return run_hung_ || scheduler_.now() < hangs_until_; }

  // What the timer is waiting for.
  enum class Next : std::uint8_t { natural_end, failure_at_first, failure_of_outage, stop, stopped };

  Scheduler& scheduler_;
  const Supervisor& supervisor_;
  const Behaviour& behaviour_;
  const Affliction* affliction_ = nullptr;
  Run run_;
  TimePoint down_until_ = TimePoint::min();
  TimePoint hangs_until_ = TimePoint::min();
  Duration stop_takes_{0};
  Next next_ = Next::natural_end;
  bool run_alive_ = false;
  bool run_hung_ = false;
};

}  // namespace holdfast::sim
