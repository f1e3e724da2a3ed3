// A service that follows a Behaviour, in virtual time, and suffers chaos.
//
// No coroutine and no allocation: one timer, which waits for whatever the present run will do next. The supervisor
// sees an ordinary Service. A fleet may have a million of them: one fills a cache line, and what chaos does to it
// is stored elsewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <holdfast/scheduler.hpp>
#include <holdfast/service.hpp>
#include <holdfast/supervisor.hpp>
#include <holdfast_sim/observe/observer.hpp>
#include <holdfast_sim/scenario/behaviour.hpp>
#include <holdfast_sim/stage/detail/resource_queue.hpp>
#include <holdfast_sim/stage/detail/run_plan.hpp>
#include <holdfast_sim/stage/virtual_scheduler.hpp>

namespace holdfast::sim {

// By slot; only looked up, never iterated.
using Sufferings = std::unordered_map<std::uint32_t, Suffering>;

class SimulatedService;

// The heartbeats of a service, which take a timer of their own.
class Pulse final : public Timer {
 public:
  explicit Pulse(VirtualScheduler& scheduler) : scheduler_(scheduler) {}
  ~Pulse() { scheduler_.disarm(*this); }

  void begin(SimulatedService& whose, std::uint64_t run, Duration every) {
    scheduler_.disarm(*this);
    service_ = &whose;
    run_ = run;
    sign_ = Sign::none;
    heard_at_ = TimePoint{};
    scheduler_.arm(*this, scheduler_.now() + every);
  }

 private:
  friend class SimulatedService;
  void fired() override;

  // What those who watch know of the run.
  enum class Sign : std::uint8_t { none, heard, silent };

  VirtualScheduler& scheduler_;
  SimulatedService* service_ = nullptr;
  std::uint64_t run_ = 0;  // the number of the run whose signs these are
  Sign sign_ = Sign::none;
  TimePoint heard_at_;
};
using Pulses = std::unordered_map<std::uint32_t, Pulse>;  // as Sufferings

// What the services of one group share. All outlive the services.
struct Role {
  VirtualScheduler& scheduler;
  Supervisor& supervisor;
  Sufferings& sufferings;
  Pulses& pulses;
  EventSink& sink;  // the supervisor's
  const std::vector<Observer*>& observers;
  Behaviour behaviour;
  std::optional<Duration> beats_every{};  // its policy has a watchdog
  bool needs_progress = false;            // and that wants progress
  bool says_when_ready = false;           // its policy wants that
  bool begins_slowly = says_when_ready;   // or it needs something
  bool beats_from_start = false;
  ResourceQueue<SimulatedService>* queue = nullptr;  // of what it needs
  std::string gave_up{};                             // errors of its runs
  std::string refused{};
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
  // A simulation makes one for each service.
  [[nodiscard]] bool is_added_once() const noexcept override { return true; }

  // The supervisor has accepted it, in this slot.
  void enter(std::uint32_t slot) noexcept { slot_ = slot; }
  [[nodiscard]] std::uint32_t slot() const noexcept { return slot_; }

  // The present run ends now. False if none is alive.
  bool end_run(Exit exit);
  // The present run neither ends nor obeys any more. False if none is alive.
  bool hang_run();

  // Chaos. Where windows of one kind overlap the service is afflicted until the last ends, in the way of the one that
  // began last. Each kind has an end of its own; while the host is off, nothing else matters.
  void crash(std::string_view cause);
  void begin_outage(const Affliction& affliction, TimePoint until);
  void begin(StartFault fault);
  void begin_hang(TimePoint until, HungHeartbeats heartbeats, HangsWhen when);
  [[nodiscard]] static std::string_view cause_of_hang(HangsWhen when) noexcept;
  void go_off(TimePoint until);
  void is_unsupervised(TimePoint until) { suffer().unsupervised_until = until; }

  // No run is alive on a host that is off, whatever the supervisor takes it for.
  [[nodiscard]] bool run_alive() const noexcept { return run_alive_; }

  // As a client of the resource that its group needs.
  [[nodiscard]] bool wants(std::uint64_t run) const noexcept { return waits_ && run_.number().value == run; }
  void begins() noexcept { is_served_ = true; }
  void served(std::uint64_t run);

 private:
  friend class Pulse;
  void fired() override;
  [[gnu::cold, gnu::noinline]] void begin_to_beat();
  [[nodiscard]] bool beats() const;
  void beat(Pulse& pulse);
  void give_sign(Pulse& pulse, bool hangs);
  void comes_soon() const noexcept override {
    run_.ends_soon();
    role_.sink.comes_soon(run_.service());
  }
  // Of its draws. Called only for what is really drawn.
  [[nodiscard]] auto key() const {
    return [this] { return role_.supervisor.draw_key(run_.service()); };
  }
  // Its last run was abandoned and lives on, and the supervisor has forgotten it. Nothing is drawn for it any more, and
  // nobody hears of it: it ends.
  [[nodiscard, gnu::cold, gnu::noinline]] bool is_removed() const;
  [[nodiscard]] Duration draw_length(const Distribution& distribution, Purpose purpose) const;
  bool has_what_it_needs();
  [[gnu::cold, gnu::noinline]] void begin_slowly();
  [[gnu::cold, gnu::noinline]] void get_ready();
  [[gnu::cold, gnu::noinline]] void become_ready();
  [[gnu::cold, gnu::noinline]] void work();
  void let_go();
  void may_be_over_unseen() const;
  [[gnu::cold, gnu::noinline]] void end_in_chaos();
  [[gnu::cold, gnu::noinline]] void is_ready_no_more();
  void live(Duration length);
  void finish_and_catch();
  [[gnu::cold, gnu::noinline]] void fall_silent();
  void wait_to_boot();
  void boot();
  void finish_run();
  void end_by_itself(Exit&& exit);
  [[nodiscard]] Then drawn_end(const Ends& ends) const;
  void begin_to_stop();
  void hang_this_run();
  [[gnu::cold, gnu::noinline]] void break_down();
  [[gnu::cold, gnu::noinline]] void start_in_chaos();
  [[nodiscard, gnu::cold, gnu::noinline]] RunPlan plan_in_chaos() const;
  [[gnu::cold, gnu::noinline]] void meet_fault();
  [[nodiscard]] Exit failure_of_start() const;
  // Of the present run.
  [[nodiscard]] const Behaviour& behaviour() const noexcept {
    return is_changed_ ? *suffering().changed : role_.behaviour;
  }
  void report(ChaosEvent::Kind kind, TimePoint until, std::string_view cause, Duration fails_after = {}) const;
  void wait_for_end_of_hang();
  void may_hang_when_stopped();
  [[nodiscard]] const Suffering& suffering() const noexcept;
  Suffering& suffer();
  [[nodiscard]] bool is_off() const noexcept { return now() < suffering().off_until; }
  [[nodiscard]] bool hung() const noexcept { return run_hung_ || (suffers_ && now() < suffering().hung_until()); }
  [[nodiscard]] TimePoint now() const noexcept { return role_.scheduler.now(); }

  // What the timer is waiting for.
  enum class Next : std::uint8_t {
    natural_end,
    failure_at_first,
    failure_of_outage,
    failure_of_start,
    stop,
    stopped,
    killed,
    boot,
    refusal,
    giving_up,
    ready
  };

  Next next_ = Next::natural_end;
  bool run_alive_ : 1 = false;
  bool run_hung_ : 1 = false;
  bool run_is_off_ : 1 = false;  // its host is: it is not alive, but the supervisor takes it for that
  bool suffers_ : 1 = false;     // chaos has reached it
  bool waits_ : 1 = false;       // its run does, for what it needs
  bool is_served_ : 1 = false;   // and has a slot of it
  bool holds_ : 1 = false;       // its run does, until it ends
  bool is_changed_ : 1 = false;  // its run does not behave as its group does
  std::uint32_t slot_ = 0;
  const Role& role_;
  Run run_;
};
static_assert(sizeof(SimulatedService) == 64, "it fills one cache line");

}  // namespace holdfast::sim
