// The supervisor: starts services, starts them again when they fail, and stops them in the end.
//
// ## Phases
//
//     from          on                                             to
//     (none)        add()                                          starting
//     starting      its run begins                                 running
//     starting      stop, remove or shutdown before its first run  terminated(cancelled)
//     running       clean exit, `always`                           backing_off for clean_restart_delay
//     running       clean exit, `on_failure` or `never`            terminated(completed)
//     running       failure, `never`; fatal error, any policy      terminated(failed)
//     running       failure that fills the breaker's window        terminated(circuit_open)
//     running       any other failure                              backing_off for a jittered, growing delay
//     running       stop, restart, remove or shutdown              stopping
//     backing_off   the delay has passed, or restart               starting
//     backing_off   stop, remove or shutdown                       stopping, terminated(cancelled)
//     stopping      its run ends; the stop was a restart's         starting
//     stopping      its run ends; any other stop                   terminated(cancelled)
//     stopping      its stop_grace passes: killed, if it can be    stopping
//     stopping      it passes again, or it could not be killed     terminated(abandoned)
//     stopping      the drain's deadline passes                    terminated(abandoned)
//
// ## How it works
//
// A state machine of callbacks. Inputs (a command, the end of a run, a timer) are queued, and one loop takes them in
// the order of arrival; nothing recurses and nothing waits. Commands may therefore be called from anywhere on the
// scheduler's thread, also from a service's callback or an event sink: they take effect after the current handler.
// What a command returns tells whether it was accepted.
//
// The order of the rules at the end of a run that nobody had asked to stop: count it; a run of at least `cooldown`
// clears attempt and failure history; a fatal error terminates; then the restart policy decides, and for a failure
// the breaker before the delay.
//
// A restart cycle allocates nothing. Nothing grows with the number of restarts.
//
// Thread-safety: none. All calls on the scheduler's thread. The scheduler, the sinks and each service outlive the
// supervisor, a service at least until its `removed` event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <holdfast/arrival.hpp>
#include <holdfast/detail/service_registry.hpp>
#include <holdfast/event.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/random.hpp>
#include <holdfast/result.hpp>
#include <holdfast/scheduler.hpp>
#include <holdfast/service.hpp>
#include <holdfast/snapshot.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

// What a command that has nothing to return returns.
struct Accepted {};

class Supervisor {
 public:
  // Throws ConfigError, which lists everything that is wrong. A questionable configuration is accepted and told in
  // `warned` events. Who wants to see what comes in as well as what goes out gives `arrivals` (recorder.hpp does).
  Supervisor(Scheduler& scheduler, SupervisorConfig config, Seed seed, EventSink& sink,
             ArrivalSink* arrivals = nullptr);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Records the service at once, in `starting`; its first run begins after the current handler.
  // Refused: an invalid configuration, a name that is taken, a shutdown.
  Result<ServiceId> add(ServiceConfig config, Service& service);

  // For good. Does nothing to a terminated service. Refused: an unknown name.
  Result<Accepted> stop(std::string_view name);

  // Starts a new run, without a failure being counted: cuts a backoff short, asks a running service to stop and
  // starts it when its run has ended. Clears attempt and failure history. A terminated service is removed and added
  // again in the same place, with run numbers going on. Refused: an unknown name, a service that is being stopped for
  // good or removed, one whose abandoned run is still alive, a shutdown.
  Result<Accepted> restart(std::string_view name);

  // Stops the service if need be, then forgets it. The name of a terminated service is free at once, that of another
  // one with its `removed` event. Refused: an unknown name.
  Result<Accepted> remove(std::string_view name);

  // Asks every service to stop and drains until all have terminated, or shutdown_timeout has passed since now.
  // A second request changes nothing.
  void request_shutdown();

  // Ends the drain now: whatever has not stopped is abandoned. Requests the shutdown first if need be.
  void end_drain();

  [[nodiscard]] bool is_shutting_down() const noexcept { return shutdown_asked_at_.has_value(); }

  // The shutdown is over; the result names who was abandoned. Nothing more will be started.
  [[nodiscard]] const std::optional<ShutdownResult>& shutdown_result() const noexcept { return shutdown_result_; }

  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

  // Services present, terminated ones included.
  [[nodiscard]] std::size_t service_count() const noexcept { return services_.size(); }
  [[nodiscard]] std::optional<ServiceSnapshot> snapshot(std::string_view name) const;
  // In the order of adding.
  [[nodiscard]] std::vector<ServiceSnapshot> snapshots() const;

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
  friend struct detail::ServiceRecord;

  using Record = detail::ServiceRecord;
  struct Input {
    enum class Kind : std::uint8_t {
      warn,
      added,
      first_start,
      run_ended,
      command,
      shutdown,
      all_terminated,
      end_drain
    };
    Kind kind;
    Command command = Command::stop;
    Outcome outcome = Outcome::clean;  // of a run that ended; if it is not clean, its error is the next of errors_
    std::uint32_t tenancy = 0;         // of the record, at the time of the input
    Record* record = nullptr;          // the service it is about, if any
  };
  // Of a service: what few have.
  struct Past {
    RunNumber runs;                 // before the service was added: it replaced another one in place
    std::uint32_t incarnation = 0;  // DrawKey::incarnation
  };
  // Of a stop that has a grace. It stays when the run was abandoned by it, to tell how long that was waited for.
  class Grace final : public Timer {
   public:
    Grace(Supervisor& supervisor, Record& record) noexcept
        : asked_at(supervisor.now_), supervisor_(supervisor), record_(record) {}
    ~Grace() { supervisor_.scheduler_.disarm(*this); }
    [[nodiscard]] TimePoint over_at() const noexcept { return armed_for(); }

    const TimePoint asked_at;
    Duration waited{0};  // once it is abandoned
    bool killed = false;

   private:
    void fired() override;
    Supervisor& supervisor_;
    Record& record_;
  };
  class DrainTimer final : public Timer {
   public:
    explicit DrainTimer(Supervisor& supervisor) : supervisor_(supervisor) {}

   private:
    void fired() override;
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
  void enqueue(const Input& input);
  void attend(const Input& input);
  void tell_arrival(const Input& input);
  template <class Kind>
  void tell(TimePoint at, const Record* record, const Kind& what);
  void process_inputs();
  void process(const Input& input);
  void process(const Input& input, Record& record);
  void run_ended(Record& record, Exit&& exit);
  void forget_inputs();

  // What the inputs do
  void on_added(Record& record);
  void on_run_ended(Record& record, Outcome outcome, Error* error);
  void on_unasked_end(Record& record, Outcome outcome, Duration lasted);
  void on_failure(Record& record);
  void on_clean_exit(Record& record);
  void on_command(Record& record, Command command);
  void on_restart_command(Record& record);
  void on_shutdown(ShutdownCause cause);
  void on_drain_over(DrainOutcome outcome);
  void on_grace_over(Record& record, Grace& grace);

  // Steps of a life
  void begin_run(Record& record);
  void close_run(Record& record);
  void back_off(Record& record, BackoffCause cause, Duration ceiling, Duration delay);
  void ask_to_stop(Record& record, StopCause cause);
  void stop_for_good(Record& record, StopCause cause);
  void kill(Record& record);
  void abandon(Record& record);
  void terminate(Record& record, Termination::Reason why);
  void add_again_in_place(Record& record);
  void forget(Record& record);
  void set_phase(Record& record, Phase phase);
  void reset_backoff(Record& record);

  template <class Kind>
  void emit(Record& record, const Kind& what);
  template <class Kind>
  void emit(const Kind& what);

  const detail::SharedPolicy& policy_for(const ServiceConfig& config);
  std::uint32_t incarnation_of(std::uint64_t name, TimePoint now) const noexcept;
  void remember_removal(const Record& record, TimePoint now);
  [[nodiscard]] Past past_of(const Record& record) const noexcept;
  void set_past(Record& record, const Past& past);
  [[nodiscard]] DrawKey key_of(const Record& record) const noexcept;
  void count_clean_exit(const Record& record);
  void forget_side_entries(Record& record) noexcept;
  void forget_grace(const Record& record) noexcept;
  [[nodiscard]] Termination termination_of(const Record& record) const noexcept;
  void free_name(Record& record, TimePoint now);
  [[nodiscard]] ServiceSnapshot describe(const Record& record) const;

  Scheduler& scheduler_;
  EventSink& sink_;
  ArrivalSink* const arrivals_;  // or null
  SupervisorConfig config_;
  Seed seed_;

  detail::SharedPolicy own_policy_;     // of services that have none of their own
  detail::SharedPolicy latest_policy_;  // that a service brought along
  detail::ServiceRegistry services_;
  std::unordered_map<std::uint32_t, Past> pasts_;    // by slot; only looked up, never iterated
  std::vector<std::uint64_t> clean_exits_;           // by slot, as far as there are any
  std::unordered_map<std::uint32_t, Grace> graces_;  // the same as for pasts_

  // Names removed in the very instant in which they were added: a name's next draws need another key.
  struct Removal {
    std::uint64_t name;
    std::uint32_t next_incarnation;
  };
  TimePoint removals_at_;
  std::vector<Removal> removals_;

  TimePoint now_;  // of the input that is being processed
  std::vector<Input> inputs_;
  std::vector<Error> errors_;  // of the runs among them that ended with one
  std::size_t errors_taken_ = 0;
  // What makes an input more than to be queued: the loop is at it already, or somebody is told.
  static constexpr std::uint8_t kProcesses = 1;
  static constexpr std::uint8_t kTells = 2;
  std::uint8_t attention_;
  Loop loop_{*this};
  DrainTimer drain_timer_{*this};

  Counters counters_;
  std::uint64_t events_ = 0;  // about the supervisor itself
  std::optional<TimePoint> shutdown_asked_at_;
  Duration drain_took_{0};  // once it is over
  bool shutdown_begun_ = false;
  bool drain_is_over_ = false;
  std::optional<ShutdownResult> shutdown_result_;
};

}  // namespace holdfast

#pragma GCC visibility pop
