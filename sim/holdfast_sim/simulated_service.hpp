// A service that follows a Behaviour, in virtual time, and suffers chaos.
//
// No coroutine and no allocation: one timer, which waits for whatever the present run will do next. The supervisor
// sees an ordinary Service. A fleet may have a million of them: one fills a cache line, and what chaos does to it
// stands elsewhere.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>

#include <holdfast/scheduler.hpp>
#include <holdfast/service.hpp>
#include <holdfast/supervisor.hpp>
#include <holdfast_sim/behaviour.hpp>
#include <holdfast_sim/virtual_scheduler.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// Why a service is down and how its starts fail meanwhile.
struct Affliction {
  Duration fails_after{0};
  std::string_view cause;  // outlives the simulation's services
};

// What chaos has done to one service.
struct Suffering {
  const Affliction* affliction = nullptr;  // of the latest outage
  TimePoint down_until = TimePoint::min();
  TimePoint hangs_until = TimePoint::min();
};
// By slot; only looked up, never iterated.
using Sufferings = std::unordered_map<std::uint32_t, Suffering>;

// What the services of one group share. All outlive the services.
struct Role {
  VirtualScheduler& scheduler;
  const Supervisor& supervisor;
  Sufferings& sufferings;
  EventSink& sink;  // the supervisor's
  Behaviour behaviour;
};

class alignas(64) SimulatedService final : public Service, public Timer {
 public:
  // The role outlives the service.
  explicit SimulatedService(const Role& role) : role_(role) {}
  ~SimulatedService() { role_.scheduler.disarm(*this); }

  void start(Run run) override;
  void stop(Run run) override;
  [[nodiscard]] bool can_be_killed() const noexcept override { return role_.behaviour.on_kill.has_value(); }
  void kill(Run run) override;

  // The supervisor has accepted it, in this slot.
  void enter(std::uint32_t slot) noexcept { slot_ = slot; }
  [[nodiscard]] std::uint32_t slot() const noexcept { return slot_; }

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
  void comes_soon() const noexcept override {
    run_.ends_soon();
    role_.sink.comes_soon(run_.service());
  }
  [[nodiscard]] Duration draw_length(const Distribution& distribution, Purpose purpose) const;
  void live(Duration length);
  void finish_run();
  void begin_to_stop();
  void wait_for_end_of_hang();
  [[nodiscard]] Suffering suffering() const noexcept;
  Suffering& suffer();
  [[nodiscard]] bool is_down() const noexcept { return suffers_ && now() < suffering().down_until; }
  [[nodiscard]] bool hung() const noexcept { return run_hung_ || (suffers_ && now() < suffering().hangs_until); }
  [[nodiscard]] TimePoint now() const noexcept { return role_.scheduler.now(); }

  // What the timer is waiting for.
  enum class Next : std::uint8_t { natural_end, failure_at_first, failure_of_outage, stop, stopped, killed };

  Next next_ = Next::natural_end;
  bool run_alive_ : 1 = false;
  bool run_hung_ : 1 = false;
  bool suffers_ : 1 = false;  // chaos has reached it
  std::uint32_t slot_ = 0;
  const Role& role_;
  Run run_;
};
static_assert(sizeof(SimulatedService) == 64, "it fills one cache line");

}  // namespace holdfast::sim

#pragma GCC visibility pop
