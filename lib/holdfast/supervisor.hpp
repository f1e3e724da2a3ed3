// The supervisor: starts services, starts them again when they fail, and stops them in the end.
//
// ## Phases
//
//     from          on                                             to
//     (none)        add()                                          starting
//     starting      its run begins, once all that it is after      running
//                   are ready; with ready = notified, its run
//                   says that it is ready
//     starting      its run ends before that                       as from running
//     starting      stop, restart, remove or shutdown in a run     stopping
//     starting      the start_timeout passes                       stopping
//     starting      stop, remove or shutdown before its first run  terminated(cancelled)
//     running       clean exit, `always`                           backing_off for clean_restart_delay
//     running       clean exit, `on_failure` or `never`            terminated(completed)
//     running       failure, `never`; fatal error, any policy      terminated(failed)
//     running       failure that fills the breaker's window        terminated(circuit_open); with half_open
//                                                                  backing_off for the breaker's open time
//     running       failure of the probe of an open breaker        backing_off for a longer open time
//     running       any other failure                              backing_off for a jittered, growing delay
//     running       stop, restart, remove or shutdown              stopping
//     running       no sign of life for its watchdog               stopping
//     running       one that it is after is unready (Order)        stopping
//     running       a sibling in its group fails (Strategy), or    stopping
//                   its group is lost
//     backing_off   the delay has passed, and neither a sibling,   starting
//                   nor one that it is after, nor a limit on
//                   restarts asks it to wait; restart or reset
//     backing_off   stop, remove or shutdown                       stopping, terminated(cancelled)
//     stopping      its run ends; the stop was a restart's         starting
//     stopping      its run ends; it was stopped to wait for one   backing_off
//                   that it is after, or to start again with a
//                   sibling
//     stopping      its run ends; it was not ready in time, or     as from running after a failure
//                   its watchdog asked it to stop
//     stopping      its run ends; any other stop                   terminated(cancelled)
//     stopping      its stop_grace passes: killed, if it can be    stopping
//     stopping      it passes again, or it could not be killed     terminated(abandoned)
//     stopping      the drain's deadline passes: killed, if it     stopping
//                   can be, and there is a kill_wait
//     stopping      that passes, or it is not waited for           terminated(abandoned)
//
// ## How it works
//
// A state machine of callbacks. Inputs (a command, the end of a run, a timer) are queued, and one loop takes them in
// the order of arrival; nothing recurses and nothing waits. Commands may therefore be called from anywhere on the
// scheduler's thread, also from a service's callback or an event sink: they take effect after the current handler. A
// command returns whether it was accepted.
//
// What follows the end of a run that nobody had asked to stop is decided by a pure function, in detail/restart.hpp.
//
// A restart cycle allocates nothing. Nothing grows with the number of restarts.
//
// Thread-safety: none. All calls on the scheduler's thread. The scheduler, the sinks and each service outlive the
// supervisor, a service at least until its `removed` event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/arrival.hpp>
#include <holdfast/detail/abandoned_runs.hpp>
#include <holdfast/detail/groups.hpp>
#include <holdfast/detail/incarnations.hpp>
#include <holdfast/detail/input_queue.hpp>
#include <holdfast/detail/order.hpp>
#include <holdfast/detail/restart_limiter.hpp>
#include <holdfast/detail/service_registry.hpp>
#include <holdfast/detail/service_set.hpp>
#include <holdfast/detail/watch.hpp>
#include <holdfast/event.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/random.hpp>
#include <holdfast/result.hpp>
#include <holdfast/scheduler.hpp>
#include <holdfast/service.hpp>
#include <holdfast/snapshot.hpp>
#include <holdfast/timer_owner.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

// An event sink threw: what() has its text, and the sink's exception is nested in it. It is thrown out of a handler of
// the scheduler, and so out of whatever runs the scheduler, after the supervisor has acted on everything that was
// queued.
class SinkError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The value of a command that has nothing else to return.
struct Accepted {};

class Supervisor {
 public:
  // Throws ConfigError, which lists everything that is wrong. A questionable configuration is accepted and reported in
  // `warned` events. `arrivals`, if it is given, sees every input (recorder.hpp uses it).
  Supervisor(Scheduler& scheduler, SupervisorConfig config, Seed seed, EventSink& sink,
             ArrivalSink* arrivals = nullptr);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Adds a group, which services may belong to from now on. It stays as long as the supervisor. Refused: an invalid
  // configuration, a path that is taken, one in a group that is not there, a shutdown.
  Result<Accepted> add_group(const GroupConfig& config);

  // Records the service at once, in `starting`; its first run begins after the current handler.
  // Refused: an invalid configuration, a name that is taken, an unknown group, a service that is to be after an unknown
  // one or, by way of others, after itself, a shutdown.
  Result<ServiceId> add(ServiceConfig config, Service& service);

  // Stops the service for good. Does nothing to a terminated service. Refused: an unknown name.
  Result<Accepted> stop(std::string_view name);

  // Starts a new run, without a failure being counted: cuts a backoff or a wait for others short, asks a running
  // service to stop and starts it when its run has ended. Clears attempt and failure history. A terminated service is
  // removed and added again in the same place, with run numbers going on. Refused: an unknown name, a service that is
  // being stopped for good or removed, one whose abandoned run is still alive, a shutdown.
  Result<Accepted> restart(std::string_view name);

  // Clears attempt and failure history and closes an open breaker. A service that backs off starts at once; one that
  // runs goes on, and its run is no probe any more. Refused: an unknown name, a service that has terminated or is being
  // stopped for good or removed, a shutdown.
  Result<Accepted> reset(std::string_view name);

  // Gives the service another policy, without a restart: it decides whatever is decided from then on. What has been
  // decided stays: a delay, an open time or a grace that has begun ends when it was to end. With another backoff the
  // service begins anew with it: attempt and failure history are cleared, and an open breaker closes. Refused: an
  // invalid policy, one that differs in how runs show that they are ready and alive (ready, start_timeout, watchdog,
  // watchdog_needs), in the order or in the group, an unknown name, a service that has terminated or is being stopped
  // for good or removed, a shutdown.
  Result<Accepted> reconfigure(std::string_view name, const ServicePolicy& policy);

  // Holds the next start of a service that backs off until restart(). The simulator uses it for a host that is off.
  // False if the service does not back off.
  bool hold_start(ServiceId service) noexcept;

  // Stops the service if need be, then forgets it. The name of a terminated service is free at once, the name of any
  // other with its `removed` event. Refused: an unknown name.
  Result<Accepted> remove(std::string_view name);

  // Asks every service to stop and drains until all have terminated, or shutdown_timeout has passed since now.
  // A second request changes nothing. The event reports `cause`: `requested` or a signal.
  void request_shutdown(ShutdownCause cause = ShutdownCause::requested) noexcept;

  // Ends the drain now: runs that have not stopped are killed if they can be, and runs that have still not ended,
  // within the kill_wait if there is one, are abandoned. Requests the shutdown first if need be.
  void end_drain(ShutdownCause cause = ShutdownCause::requested) noexcept;

  // Reports a signal that came so soon after the shutdown began that it counts as the one that began it (`warned`).
  void ignore_signal(ShutdownCause signal) noexcept;

  // Reports to the event sink that the recording of this supervisor could not be written (recorder.hpp).
  void recording_failed(std::string_view error);

  [[nodiscard]] bool is_shutting_down() const noexcept { return shutdown_asked_at_.has_value(); }

  // The shutdown is over; the result names the abandoned services. Nothing more will be started.
  [[nodiscard]] const std::optional<ShutdownResult>& shutdown_result() const noexcept { return shutdown_result_; }

  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

  // Services present, terminated ones included.
  [[nodiscard]] std::size_t service_count() const noexcept { return services_.size(); }
  [[nodiscard]] std::optional<ServiceSnapshot> snapshot(std::string_view name) const;
  // The policy in force for the service, until it is reconfigured or removed. Null: no service of this name is present.
  [[nodiscard]] const ServicePolicy* policy(std::string_view name) const noexcept;
  // In the order of adding.
  [[nodiscard]] std::vector<ServiceSnapshot> snapshots() const;

  // The same one at a time, by slot (ServiceId::slot), for callers that must not be held up for long. A slot belongs to
  // its service until that is removed. nullopt: there is no further one.
  [[nodiscard]] std::optional<std::uint32_t> first_slot() const noexcept;
  // REQUIRES: a service is in `slot`, or was until its `removed` event, which is being reported.
  [[nodiscard]] std::optional<std::uint32_t> slot_after(std::uint32_t slot) const noexcept;
  // nullopt: none is there, or it is being removed.
  [[nodiscard]] std::optional<ServiceSnapshot> snapshot_in(std::uint32_t slot) const;

  // nullopt: no service of this name is present.
  [[nodiscard]] std::optional<ServiceId> id(std::string_view name) const;
  // nullopt: no service is present in this slot.
  [[nodiscard]] std::optional<ServiceId> id_in(std::uint32_t slot) const noexcept;

  // REQUIRES: the service is present.
  [[nodiscard]] std::string_view name(ServiceId service) const noexcept;

  // The key of everything random that concerns a service, for its own draws (random.hpp names the purposes).
  // REQUIRES: the service is present.
  [[nodiscard]] DrawKey draw_key(ServiceId service) const noexcept;

 private:
  friend class Run;
  friend std::optional<TimerOwner> owner_of(const Timer& timer) noexcept;
  friend struct detail::ServiceRecord;

  using Record = detail::ServiceRecord;
  class DrainTimer final : public Timer {
   public:
    explicit DrainTimer(Supervisor& supervisor) : supervisor_(supervisor) {}
    // Later than it was armed for if the scheduler could not run for a while.
    [[nodiscard]] TimePoint over_at() const noexcept { return armed_for(); }

   private:
    friend std::optional<TimerOwner> holdfast::owner_of(const Timer& timer) noexcept;
    void fired() override;
    Supervisor& supervisor_;
  };
  // The ends of the list of those who wait for the request of a shutdown.
  class ShutdownWaiters final : public ShutdownWaiter {
    void shutdown_requested() noexcept override {}
  };
  // The limits on restarts, and the timer that waits for the next token.
  class Limit final : public Timer {
   public:
    explicit Limit(Supervisor& supervisor)
        : services(supervisor.config_.restart_limit, supervisor.config_.starting_max), supervisor_(supervisor) {}
    detail::RestartLimiter services;

   private:
    friend std::optional<TimerOwner> holdfast::owner_of(const Timer& timer) noexcept;
    void fired() override { supervisor_.on_limit_timer(); }
    Supervisor& supervisor_;
  };
  class Loop final : public Task {
   public:
    explicit Loop(Supervisor& supervisor) : supervisor_(supervisor) {}

   private:
    void run() override { supervisor_.process_inputs(); }
    Supervisor& supervisor_;
  };

  // Inputs
  void enqueue(detail::Input&& input);
  void attend(const detail::Input& input) noexcept;
  // If there is no memory to wake the loop now, the next input wakes it.
  [[gnu::always_inline]] void wake_loop() noexcept {
    if (loop_.queued()) return;
    try {
      scheduler_.defer(loop_);
    } catch (...) {  // NOLINT(bugprone-empty-catch)
    }
  }
  void give(Record& record, Command command);
  void tell_arrival(const detail::Input& input);
  template <class Kind>
  void arrived(TimePoint at, const Record* record, const Kind& what);
  void process_inputs();
  void take_inputs() noexcept;
  void process(detail::Input& input);
  void process(detail::Input& input, Record& record);
  void run_ended(Record& record, Exit& exit) noexcept;
  void abandoned_run_ended(Record& record, const Run& run, Exit& exit) noexcept;
  void run_warned(Record& record, Error says) noexcept;
  void run_is_ready(Record& record, const Run& run, bool is_over) noexcept;
  void heard(Record& record) noexcept;
  void progressed(Record& record, std::uint64_t reached) noexcept;
  void set_pid(Record& record, std::uint32_t pid);
  void tell_of_shutdown(ShutdownWaiter& waiter) noexcept;

  // What the inputs do
  void on_added(Record& record);
  void warn_of_policy(Record& record);
  void on_run_ended(Record& record, detail::Input& end);
  void apply_exit_rules(const Record& record, detail::Input& end) noexcept;
  bool is_end_of_a_run(Record& record, const detail::Input& end);
  Outcome outcome_of_other_end(Record& record, Outcome outcome, Error& error);
  void on_unasked_special_end(Record& record, Outcome outcome, Duration ready_for);
  void on_other_end(Record& record, Outcome outcome);
  void on_ready(Record& record, RunNumber run);
  void on_start_timeout(Record& record);
  void on_look(Record& record);
  void on_hang(Record& record, detail::Watch& watch);
  void tell_heard(const Record& record, const detail::Watch& watch) noexcept;
  void on_late_end(Record& record, detail::Input& end);
  void on_unasked_end(Record& record, Outcome outcome, Duration ready_for);
  void on_command(Record& record, const detail::Input& input);
  void on_restart_command(Record& record, RunNumber run);
  void on_reset_command(Record& record);
  void on_reconfigured(const detail::Input& input);
  void on_reconfigured(Record& record, const detail::SharedPolicy& policy);
  void on_shutdown(ShutdownCause cause);
  void on_drain_timer();
  void on_drain_over(DrainOutcome outcome, std::optional<ShutdownCause> cause = std::nullopt);
  bool somebody_may_still_end();
  void abandon_rest();
  bool abandon_all_but_the_dying();
  [[nodiscard]] bool drain_ends_by(TimePoint at) const noexcept {
    return shutdown_begun_ && !drain_outcome_ && drain_timer_.over_at() <= at;
  }
  void finish_drain();
  void on_deadline(Record& record);
  void on_restart_due(Record& record);
  void on_limit_timer();
  void on_first_start(Record& record);
  void on_order_changed();
  void on_gates_changed();
  void on_fleet_ends();
  void on_unready(Record& record);
  void on_probe_up(Record& record);
  void on_grace_over(Record& record);
  void give_up(Record& record);
  void abandon_and_go_on(Record& record);

  // Steps of a life
  void begin_run(Record& record);
  void begin_by_hand(Record& record);
  void begin_specially(Record& record);
  void become_ready(Record& record);
  void watch_until(Record& record, detail::Watch& watch, TimePoint at) noexcept;
  void forget_readiness(Record& record) noexcept;
  void wait_no_more(const Record& record) noexcept;
  void stand_in_line(Record& record);
  void wait_for_others(Record& record);
  void wait_after_stop(Record& record);
  bool waits_for_siblings(Record& record);
  void back_off_with_siblings(Record& record);
  void concern_siblings(Record& failed);
  void concern(Record& record, detail::ServiceGroups::Group group);
  void end_round(detail::ServiceGroups::Group group);
  void start_unless_it_waits(Record& record);
  void miss(const Record& record, detail::ServiceGroups::Group group) noexcept;
  void leave_round(const Record& record) noexcept;
  template <class Act>
  void look_after(const Act& act) noexcept;
  [[nodiscard]] bool is_lost(const Record& record) const noexcept;
  void lose_group_of(const Record& record, GroupLoss cause);
  void look_at_what_its_end_means(Record& record);
  void tell_order(const Record& record, bool is_ready) noexcept;
  void look_at_order() noexcept;
  [[nodiscard]] bool must_wait_for_others(const Record& record) const noexcept;
  [[nodiscard]] bool is_to_stop_later(const Record& record) noexcept;
  void stop_those_before(const Record& record);
  void stop_the_rest();
  void arm_limit() noexcept;
  [[nodiscard]] bool is_limited(const Record& record) const noexcept {
    return limit_ && limit_->services.waits(record.id.slot);
  }
  void close_run(Record& record);
  void back_off(Record& record, BackoffCause cause, Duration ceiling, Duration delay);
  void ask_to_stop(Record& record, StopCause cause);
  void stop_for_good(Record& record, StopCause cause);
  void wake_at(Record& record, TimePoint at) noexcept;
  void wake_again(Record& record) noexcept;
  void give_grace(Record& record) noexcept;
  void arm_drain_timer() noexcept;
  void kill(Record& record);
  bool set_aside(Record& record) noexcept;
  void abandon(Record& record);
  void terminate(Record& record, Termination::Reason why);
  void add_again_in_place(Record& record);
  void forget_if_done(Record& record);
  void forget(Record& record, event::Removed why = {});
  void set_phase(Record& record, Phase phase);
  void reset_retries(Record& record);
  void emit_tripped(Record& record, std::uint32_t failures);
  void emit_closed(Record& record, Attempt openings);

  template <class Kind>
  void emit(Record& record, const Kind& what) noexcept;
  template <class Kind>
  void emit_inline(Record& record, const Kind& what) noexcept;  // for what every restart reports
  template <class Kind>
  void emit_of(RunNumber run, Record& record, const Kind& what) noexcept;
  template <class Kind>
  void emit(const Kind& what) noexcept;

  // Exceptions, and no memory
  void sink_threw() noexcept;
  void keep_exception(std::exception_ptr exception) noexcept;
  void enqueue_or_owe(detail::Input&& input) noexcept;
  void owe_input(detail::Input& input) noexcept;
  void owe(std::uint16_t what) noexcept;
  void lacked_memory() const noexcept;
  void pay_what_is_owed();
  void pay(std::uint16_t owed) noexcept;
  void pay(Record& record) noexcept;
  void unmake(Record& record) noexcept;

  [[nodiscard]] std::optional<Refusal> wrong_order(const ServiceConfig& config) const;
  [[nodiscard]] std::vector<Record*> comes_after(std::string_view self, const Order& order) const;
  void enter_order(Record& record);
  [[nodiscard]] std::optional<Refusal> wrong_group(const ServiceConfig& config) const;
  void enter_group(Record& record);
  [[nodiscard]] Refusal object_taken(std::string_view name, const Service& service) const;
  const detail::SharedPolicy& policy_for(const ServicePolicy& given);
  [[nodiscard]] std::optional<std::uint32_t> pid_of(const Record& record) const noexcept;
  [[nodiscard]] DrawKey key_of(const Record& record) const noexcept;
  void count_clean_exit(Record& record) noexcept;
  void forget_counts(const Record& record) noexcept;
  void count_failed_start(const Record& record) noexcept;
  [[nodiscard]] Error missed_deadline(const Record& record, const Error& returned) const noexcept;
  [[nodiscard]] Duration was_ready_for(const Record& record) const noexcept;
  static void list_in(ShutdownResult& result, const Record& record) noexcept;
  void list_removed(const Record& record) noexcept;
  void list_groups_in(ShutdownResult& result) noexcept;
  void forget_side_entries(Record& record) noexcept;
  [[nodiscard]] static Termination termination_of(const Record& record) noexcept;
  void free_name(Record& record, TimePoint now);
  void remember_removal(const Record& record, TimePoint now) noexcept;
  [[nodiscard]] ServiceSnapshot describe(const Record& record) const;

  Scheduler& scheduler_;
  EventSink& sink_;
  ArrivalSink* const arrivals_;  // or null
  SupervisorConfig config_;
  Seed seed_;

  detail::SharedPolicy own_policy_;                // of services that have none of their own
  detail::LatestPolicies latest_policies_;         // that services brought along
  std::list<detail::SharedPolicy> next_policies_;  // of reconfigure(), which the loop has not taken yet
  detail::ServiceRegistry services_;
  detail::ServiceSet objects_;  // of services that might be added twice
  detail::Incarnations incarnations_;
  detail::AbandonedRuns abandoned_runs_;
  std::vector<std::uint64_t> clean_exits_;    // by slot, as far as there are any
  std::vector<std::uint32_t> pids_;           // the same
  std::vector<std::uint64_t> failed_starts_;  // the same, with room for every service that may have any
  std::vector<detail::Watch> watches_;        // the same, with room for every service that has a watchdog

  ShutdownWaiters shutdown_waiters_;

  TimePoint now_;  // of the input that is being processed
  detail::InputQueue inputs_;
  // Why an input needs more than to be queued: the loop is already running, or there is an arrival sink.
  static constexpr std::uint8_t kProcesses = 1;
  static constexpr std::uint8_t kTells = 2;
  std::uint8_t attention_;
  // What the loop has yet to do besides its inputs: steps for which there was no memory, and an exception to throw.
  static constexpr std::uint16_t kRecords = 1;  // some are marked
  static constexpr std::uint16_t kShutdown = 2;
  static constexpr std::uint16_t kAllTerminated = 4;
  static constexpr std::uint16_t kDrainTimer = 8;
  static constexpr std::uint16_t kEndDrain = 16;
  static constexpr std::uint16_t kAbandonRest = 32;
  static constexpr std::uint16_t kLimit = 64;
  static constexpr std::uint16_t kOrder = 128;
  static constexpr std::uint16_t kFleetEnds = 256;
  static constexpr std::uint16_t kException = 512;
  static constexpr std::uint16_t kAllButException = kException - 1;
  std::uint16_t owed_ = 0;
  ShutdownCause owed_cause_ = ShutdownCause::requested;
  std::exception_ptr exception_;
  Loop loop_{*this};
  std::unique_ptr<Limit> limit_;                   // null: restarts are not limited
  std::unique_ptr<detail::ServiceOrder> order_;    // null: no service has ever been after another
  std::unique_ptr<detail::ServiceGroups> groups_;  // null: no group was added
  bool restarts_may_wait_ = false;                 // there is one of the three
  DrainTimer drain_timer_{*this};                  // before a shutdown: looks whether any service was added

  Counters counters_;
  std::uint64_t events_ = 0;  // about the supervisor itself
  std::optional<TimePoint> shutdown_asked_at_;
  TimePoint drain_over_at_;
  bool shutdown_begun_ = false;
  std::optional<ShutdownCause> drain_cause_;   // the signal that cut it short, if one did
  std::optional<DrainOutcome> drain_outcome_;  // decided; runs that it killed may still end
  bool drain_has_killed_ = false;
  bool drain_has_abandoned_ = false;
  bool drain_waits_for_the_dying_ = false;
  bool drain_is_over_ = false;
  ShutdownResult removed_in_drain_;  // services of the result that are gone
  std::string ended_by_;             // the service with whose end the fleet ends
  std::optional<ShutdownResult> shutdown_result_;
};

}  // namespace holdfast

#pragma GCC visibility pop
