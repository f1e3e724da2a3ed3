#include <holdfast/supervisor.hpp>

#include <memory>
#include <string>
#include <utility>

#include <holdfast/backoff.hpp>

namespace holdfast {

// ---------------------------------------------------------------------------------------------------------------------
// State
// ---------------------------------------------------------------------------------------------------------------------

// One service. As a timer it waits for the end of its backoff. What a restart cycle touches stands first.
struct detail::ServiceRecord final : Timer {
  // What can fail has been done by the caller: a slot that is used again must not be left half made.
  ServiceRecord(Supervisor& owner, ServiceConfig&& config, Service& supervised,
                std::shared_ptr<const Supervisor::Policy> its_policy, FailureHistory&& its_history, ServiceId its_id,
                std::uint32_t its_tenancy) noexcept
      : supervisor(owner),
        service(supervised),
        policy(std::move(its_policy)),
        id(its_id),
        tenancy(its_tenancy),
        restart(config.restart),
        history(std::move(its_history)),
        name(std::move(config.name)) {
    hash = name_hash(name);
  }

  void fired() override {
    supervisor.now_ = supervisor.scheduler_.now();
    supervisor.begin_run(*this);
  }

  Supervisor& supervisor;
  Service& service;
  const std::shared_ptr<const Supervisor::Policy> policy;
  ServiceId id;
  const std::uint32_t tenancy;  // counts the records of this slot; a restart in place is a new id, not a new tenancy
  const RestartPolicy restart;
  Phase phase = Phase::starting;
  StopCause stop_cause = StopCause::stop;  // while stopping
  bool run_alive = false;                  // a run has begun and has not said that it ended, abandoned or not
  bool run_open = false;                   // its time is not in running_time yet
  bool first_run_due = true;               // added, and not yet started
  bool final_stop_asked = false;           // by stop() or remove(); the loop may not have got to it yet
  bool remove_asked = false;               // by remove(); the loop may not have got to it yet
  bool remove_begun = false;               // the loop has got to it: forget the service once it has terminated
  bool name_freed = false;                 // removed as far as a caller can tell
  bool forgotten = false;
  Attempt attempt = 0;
  std::uint32_t incarnation = 0;
  RunNumber run;
  std::uint64_t hash = 0;  // of its name
  std::uint64_t events = 0;
  std::uint64_t failures = 0;
  TimePoint phase_since;
  TimePoint run_began;
  TimePoint next_start;
  TimePoint added_at;
  Duration running_time{0};
  Error last_error;
  FailureHistory history;
  const std::string name;

  std::uint64_t starts = 0;
  std::uint64_t clean_exits = 0;
  Termination termination;
  ServiceRecord* before = nullptr;
  ServiceRecord* after = nullptr;

  [[nodiscard]] Duration lasted(TimePoint now) const noexcept { return now - run_began; }
};

struct Supervisor::Input {
  enum class Kind : std::uint8_t { warn, added, first_start, run_ended, command, shutdown, all_terminated, end_drain };
  Kind kind;
  Command command = Command::stop;
  std::uint32_t tenancy = 0;  // of the record, at the time of the input
  Record* record = nullptr;   // the service it is about, if any
  Exit exit = Exit::clean();
};

// ---------------------------------------------------------------------------------------------------------------------
// Construction
// ---------------------------------------------------------------------------------------------------------------------

Supervisor::Supervisor(Scheduler& scheduler, SupervisorConfig config, Seed seed, EventSink& sink)
    : scheduler_(scheduler),
      sink_(sink),
      config_(std::move(config)),
      seed_(seed),
      removals_at_(scheduler.now()),
      now_(scheduler.now()) {
  auto found = problems(config_);
  if (has_errors(found)) throw ConfigError{std::move(found)};
  own_policy_ = latest_policy_ = std::make_shared<const Policy>(Policy{config_.backoff, std::move(found)});
  if (!own_policy_->warnings.empty()) enqueue({.kind = Input::Kind::warn});
}

Supervisor::~Supervisor() {
  scheduler_.cancel(loop_);
  scheduler_.disarm(drain_timer_);
  for (Record* record = first_; record; record = record->after) scheduler_.disarm(*record);
}

// ---------------------------------------------------------------------------------------------------------------------
// Commands
// ---------------------------------------------------------------------------------------------------------------------

namespace {

Refusal unknown(std::string_view command, std::string_view name) {
  return {Refusal::Reason::unknown_service,
          std::string{command} + ": there is no service named \"" + std::string{name} + '"'};
}

Refusal too_late(std::string_view command, std::string_view name) {
  return {Refusal::Reason::shutting_down, std::string{command} + " \"" + std::string{name} +
                                              "\": the supervisor is shutting down; only stop and remove are accepted"};
}

}  // namespace

Result<ServiceId> Supervisor::add(ServiceConfig config, Service& service) {
  if (is_shutting_down()) return too_late("add", config.name);
  if (const auto found = problems(config); has_errors(found)) {
    return Refusal{Refusal::Reason::invalid_configuration, "add \"" + config.name + "\": " + describe_errors(found)};
  }
  if (find(config.name)) {
    return Refusal{Refusal::Reason::name_taken,
                   "add: the name \"" + config.name + "\" is taken; a name is free again once its service was removed"};
  }

  auto policy = policy_for(config.backoff);
  FailureHistory history{policy->backoff};
  std::uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(records_.size());
    records_.push_back(std::make_unique<Record>(*this, std::move(config), service, std::move(policy),
                                                std::move(history), ServiceId{slot, 1}, std::uint32_t{1}));
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
    Record* const old = records_[slot].get();
    const ServiceId id{slot, old->id.generation + 1};
    HOLDFAST_ASSERT(id.generation != 0, "the ids of a slot are used up");
    const std::uint32_t tenancy = old->tenancy + 1;
    std::destroy_at(old);
    std::construct_at(old, *this, std::move(config), service, std::move(policy), std::move(history), id, tenancy);
  }
  Record& record = *records_[slot];
  record.added_at = record.phase_since = scheduler_.now();
  record.incarnation = incarnation_of(record.hash);
  by_name_.emplace(record.name, &record);
  append(record);
  ++visible_;
  ++counters_.spawned;
  ++counters_.active_services;
  enqueue({.kind = Input::Kind::added, .tenancy = record.tenancy, .record = &record});
  return record.id;
}

Result<Accepted> Supervisor::stop(std::string_view name) {
  Record* const record = find(name);
  if (!record) return unknown("stop", name);
  record->final_stop_asked = true;
  enqueue({.kind = Input::Kind::command, .command = Command::stop, .tenancy = record->tenancy, .record = record});
  return Accepted{};
}

Result<Accepted> Supervisor::restart(std::string_view name) {
  if (is_shutting_down()) return too_late("restart", name);
  Record* const record = find(name);
  if (!record) return unknown("restart", name);
  if (record->remove_asked || (record->final_stop_asked && record->phase != Phase::terminated)) {
    return Refusal{Refusal::Reason::stopping,
                   "restart \"" + record->name + "\": it is being " + (record->remove_asked ? "removed" : "stopped") +
                       " for good; " +
                       (record->remove_asked ? "add it again once it is gone" : "restart it once it has terminated")};
  }
  record->final_stop_asked = false;
  enqueue({.kind = Input::Kind::command, .command = Command::restart, .tenancy = record->tenancy, .record = record});
  return Accepted{};
}

Result<Accepted> Supervisor::remove(std::string_view name) {
  Record* const record = find(name);
  if (!record) return unknown("remove", name);
  if (!record->remove_asked) {
    record->final_stop_asked = record->remove_asked = true;
    if (record->phase == Phase::terminated) free_name(*record);
    enqueue({.kind = Input::Kind::command, .command = Command::remove, .tenancy = record->tenancy, .record = record});
  }
  return Accepted{};
}

void Supervisor::request_shutdown() {
  if (is_shutting_down()) return;
  shutdown_asked_at_ = scheduler_.now();
  enqueue({.kind = Input::Kind::shutdown});
}

void Supervisor::end_drain() {
  request_shutdown();
  enqueue({.kind = Input::Kind::end_drain});
}

// ---------------------------------------------------------------------------------------------------------------------
// Inputs
// ---------------------------------------------------------------------------------------------------------------------

void Supervisor::enqueue(Input&& input) {
  inputs_.push_back(std::move(input));
  if (!processing_ && !loop_.queued()) scheduler_.defer(loop_);
}

void Run::end(Exit exit) const {
  detail::ServiceRecord& record = *record_;
  if (record.id != service_ || record.forgotten || !record.run_alive || record.run != number_) return;
  record.supervisor.run_ended(record, std::move(exit));
}

void Supervisor::run_ended(Record& record, Exit&& exit) {
  record.run_alive = false;
  enqueue({.kind = Input::Kind::run_ended, .tenancy = record.tenancy, .record = &record, .exit = std::move(exit)});
}

// Takes inputs until none is left, those included that they cause. By index: processing may add more.
void Supervisor::process_inputs() {
  processing_ = true;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    now_ = scheduler_.now();
    Input input = std::move(inputs_[i]);
    process(input);
  }
  inputs_.clear();
  processing_ = false;
}

void Supervisor::process(Input& input) {
  switch (input.kind) {
    case Input::Kind::warn:
      for (const auto& problem : own_policy_->warnings) emit(event::Warned{problem.field, problem.says});
      return;
    case Input::Kind::shutdown: return on_shutdown(ShutdownCause::requested);
    case Input::Kind::all_terminated:
      if (counters_.active_services == 0) on_shutdown(ShutdownCause::all_terminated);
      return;
    case Input::Kind::end_drain: return on_drain_over(DrainOutcome::cut_short);
    default: break;
  }
  Record& record = *input.record;
  if (record.tenancy != input.tenancy || record.forgotten) return;  // an input of an earlier life
  switch (input.kind) {
    case Input::Kind::run_ended: return on_run_ended(record, input.exit);
    case Input::Kind::added: return on_added(record);
    case Input::Kind::first_start:
      if (record.first_run_due && record.phase == Phase::starting) begin_run(record);
      return;
    case Input::Kind::command: return on_command(record, input.command);
    default: return;
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// What the inputs do
// ---------------------------------------------------------------------------------------------------------------------

void Supervisor::on_added(Record& record) {
  emit(record, event::Added{record.restart, &record.policy->backoff, record.run});
  if (record.policy != own_policy_) {
    for (const auto& problem : record.policy->warnings) emit(record, event::Warned{problem.field, problem.says});
  }
  // A step of its own: a stop or a shutdown that has already been asked for comes first.
  enqueue({.kind = Input::Kind::first_start, .tenancy = record.tenancy, .record = &record});
}

void Supervisor::on_run_ended(Record& record, const Exit& exit) {
  const Duration lasted = record.lasted(now_);
  if (record.phase == Phase::terminated) {
    emit(record, event::EndedLate{exit.outcome(), lasted, exit.error().text()});
    return;
  }
  close_run(record);
  if (!exit.is_clean()) record.last_error = exit.error();
  emit(record, event::Ended{exit.outcome(), lasted, exit.error().text()});
  if (record.phase == Phase::running) {
    on_unasked_end(record, exit, lasted);
  } else if (record.stop_cause == StopCause::restart) {
    begin_run(record);
  } else {
    terminate(record, {.reason = Termination::Reason::cancelled});
  }
}

void Supervisor::on_unasked_end(Record& record, const Exit& exit, Duration lasted) {
  if (cools_down(record.policy->backoff, lasted)) reset_backoff(record);
  if (exit.is_clean()) {
    ++record.clean_exits;
    ++counters_.clean_exits;
    on_clean_exit(record);
    return;
  }
  ++record.failures;
  ++counters_.failures;
  record.attempt = next_attempt(record.attempt);
  if (exit.outcome() == Outcome::fatal || record.restart == RestartPolicy::never) {
    terminate(record, {.reason = Termination::Reason::failed});
  } else {
    on_failure(record);
  }
}

void Supervisor::on_clean_exit(Record& record) {
  if (record.restart != RestartPolicy::always) {
    terminate(record, {.reason = Termination::Reason::completed});
    return;
  }
  record.attempt = 0;
  const Duration delay = record.policy->backoff.clean_restart_delay;
  back_off(record, BackoffCause::clean_exit, delay, delay);
}

void Supervisor::on_failure(Record& record) {
  const BackoffPolicy& policy = record.policy->backoff;
  if (policy.breaker) {
    const std::uint32_t failures = record.history.record(*policy.breaker, now_);
    const std::uint32_t limit = policy.breaker->max_failures;
    if (failures >= limit) {
      ++counters_.circuit_breaker_trips;
      emit(record, event::BreakerTripped{failures, limit});
      terminate(record, {.reason = Termination::Reason::circuit_open, .failures = failures, .max_failures = limit});
      return;
    }
  }
  const Duration ceiling = backoff_ceiling(policy, record.attempt);
  // The run's number never repeats, so neither does the draw.
  const Draw jitter = draw(key_of(record), Purpose::backoff_jitter, record.run.value);
  back_off(record, BackoffCause::failure, ceiling, full_jitter(ceiling, jitter));
}

void Supervisor::on_command(Record& record, Command command) {
  emit(record, event::Commanded{command});
  switch (command) {
    case Command::stop: return stop_for_good(record, StopCause::stop);
    case Command::restart: return on_restart_command(record);
    case Command::remove:
      record.remove_begun = true;
      if (record.phase == Phase::terminated) return forget(record);
      return stop_for_good(record, StopCause::remove);
  }
}

void Supervisor::on_restart_command(Record& record) {
  if (shutdown_begun_ || record.remove_asked) return;  // asked for first, but overtaken
  reset_backoff(record);
  switch (record.phase) {
    case Phase::starting:
    case Phase::stopping: return;
    case Phase::running: return ask_to_stop(record, StopCause::restart);
    case Phase::backing_off: scheduler_.disarm(record); return begin_run(record);
    case Phase::terminated: return add_again_in_place(record);
  }
}

void Supervisor::on_shutdown(ShutdownCause cause) {
  if (shutdown_begun_) return;
  if (!shutdown_asked_at_) shutdown_asked_at_ = now_;
  shutdown_begun_ = true;
  emit(event::ShutdownRequested{cause, config_.shutdown_timeout});
  scheduler_.arm(drain_timer_, *shutdown_asked_at_ + config_.shutdown_timeout);
  // Stopping a service only queues what it causes, so the list stays as it is, but for services that are forgotten.
  for (Record *record = first_, *next = nullptr; record; record = next) {
    next = record->after;
    if (record->phase != Phase::terminated) stop_for_good(*record, StopCause::shutdown);
  }
  if (counters_.active_services == 0) on_drain_over(DrainOutcome::drained);
}

void Supervisor::DrainTimer::fired() {
  supervisor_.now_ = supervisor_.scheduler_.now();
  supervisor_.on_drain_over(DrainOutcome::deadline);
}

void Supervisor::on_drain_over(DrainOutcome outcome) {
  if (drain_is_over_) return;
  drain_is_over_ = true;
  scheduler_.disarm(drain_timer_);
  ShutdownResult result;
  result.outcome = outcome;
  result.took = now_ - *shutdown_asked_at_;
  for (Record *record = first_, *next = nullptr; record; record = next) {
    next = record->after;
    if (record->phase == Phase::terminated) {
      const auto reason = record->termination.reason;
      if (reason == Termination::Reason::failed || reason == Termination::Reason::circuit_open) {
        result.failed.push_back(record->name);
      }
    } else {
      result.abandoned.push_back(record->name);
      ++counters_.abandoned_runs;
      close_run(*record);
      terminate(*record, {.reason = Termination::Reason::abandoned, .after = result.took});
    }
  }
  result.counters = counters_;
  shutdown_result_ = std::move(result);
  emit(event::Drained{outcome});
}

// ---------------------------------------------------------------------------------------------------------------------
// Steps of a life
// ---------------------------------------------------------------------------------------------------------------------

void Supervisor::begin_run(Record& record) {
  if (record.phase != Phase::starting) set_phase(record, Phase::starting);
  ++record.run.value;
  ++record.starts;
  ++counters_.starts;
  if (!record.first_run_due) ++counters_.restarts;
  record.first_run_due = false;
  record.run_alive = record.run_open = true;
  record.run_began = now_;
  emit(record, event::Started{});
  const Run run{record, record.id, record.run};
  try {
    record.service.start(run);
  } catch (...) {
    run.end(Exit::from_current_exception());
  }
  set_phase(record, Phase::running);
  emit(record, event::Running{});
}

void Supervisor::close_run(Record& record) {
  record.run_open = false;
  record.running_time = saturating_add(record.running_time, record.lasted(now_));
}

void Supervisor::back_off(Record& record, BackoffCause cause, Duration ceiling, Duration delay) {
  set_phase(record, Phase::backing_off);
  record.next_start = now_ + delay;
  emit(record, event::BackingOff{cause, record.attempt, ceiling, delay});
  scheduler_.arm(record, record.next_start);
}

void Supervisor::ask_to_stop(Record& record, StopCause cause) {
  record.stop_cause = cause;
  set_phase(record, Phase::stopping);
  emit(record, event::Stopping{cause});
  if (!record.run_alive) return;  // it has ended by itself, and the loop has yet to get to it
  try {
    record.service.stop(Run{record, record.id, record.run});
  } catch (...) {
    emit(record, event::StopThrew{Error::from_current_exception().text()});
  }
}

void Supervisor::stop_for_good(Record& record, StopCause cause) {
  switch (record.phase) {
    case Phase::starting: return terminate(record, {.reason = Termination::Reason::cancelled});
    case Phase::running: return ask_to_stop(record, cause);
    case Phase::backing_off:
      scheduler_.disarm(record);
      set_phase(record, Phase::stopping);
      emit(record, event::Stopping{cause});
      return terminate(record, {.reason = Termination::Reason::cancelled});
    case Phase::stopping:
      if (record.stop_cause != StopCause::restart) return;
      record.stop_cause = cause;
      emit(record, event::Stopping{cause});
      return;
    case Phase::terminated: return;
  }
}

void Supervisor::terminate(Record& record, Termination why) {
  set_phase(record, Phase::terminated);
  record.termination = why;
  ++counters_.terminated;
  --counters_.active_services;
  emit(record, event::Terminated{why, record.last_error.text()});
  if (record.remove_begun) forget(record);
  if (counters_.active_services > 0 || drain_is_over_) return;
  if (shutdown_begun_) {
    on_drain_over(DrainOutcome::drained);
  } else if (config_.when_all_terminated == WhenAllTerminated::return_) {
    enqueue({.kind = Input::Kind::all_terminated});
  }
}

void Supervisor::add_again_in_place(Record& record) {
  remember_removal(record);
  emit(record, event::Removed{});
  ++record.id.generation;
  HOLDFAST_ASSERT(record.id.generation != 0, "the ids of a slot are used up");
  record.phase = Phase::starting;  // not a transition: another service begins
  record.run_alive = false;
  record.first_run_due = true;
  record.starts = record.failures = record.clean_exits = record.events = 0;
  record.added_at = record.phase_since = now_;
  record.incarnation = incarnation_of(record.hash);
  record.running_time = Duration::zero();
  record.last_error = {};
  ++counters_.spawned;
  ++counters_.active_services;
  on_added(record);
}

void Supervisor::forget(Record& record) {
  if (!record.name_freed) free_name(record);
  emit(record, event::Removed{});
  unlink(record);
  record.forgotten = true;
  free_slots_.push_back(record.id.slot);
}

void Supervisor::set_phase(Record& record, Phase phase) {
  HOLDFAST_ASSERT(is_legal_transition(record.phase, phase), "a service made a transition that semantics forbid");
  record.phase = phase;
  record.phase_since = now_;
}

void Supervisor::reset_backoff(Record& record) {
  record.attempt = 0;
  record.history.clear();
}

// ---------------------------------------------------------------------------------------------------------------------
// Events and snapshots
// ---------------------------------------------------------------------------------------------------------------------

template <class Kind>
void Supervisor::emit(Record& record, const Kind& what) {
  sink_.on_event({now_, record.id, record.name, record.hash, ++record.events, record.run, what});
}

template <class Kind>
void Supervisor::emit(const Kind& what) {
  sink_.on_event({now_, {}, {}, 0, ++events_, {}, what});
}

std::optional<ServiceSnapshot> Supervisor::snapshot(std::string_view name) const {
  const Record* const record = find(name);
  return record ? std::optional{describe(*record)} : std::nullopt;
}

std::vector<ServiceSnapshot> Supervisor::snapshots() const {
  std::vector<ServiceSnapshot> all;
  all.reserve(visible_);
  for (const Record* record = first_; record; record = record->after) {
    if (!record->name_freed) all.push_back(describe(*record));
  }
  return all;
}

ServiceSnapshot Supervisor::describe(const Record& record) const {
  const TimePoint now = scheduler_.now();
  return {
      .name = record.name,
      .id = record.id,
      .restart = record.restart,
      .phase = record.phase,
      .run = record.run,
      .starts = record.starts,
      .failures = record.failures,
      .clean_exits = record.clean_exits,
      .attempt = record.attempt,
      .failures_in_window = record.history.size(),
      .last_error = std::string{record.last_error.text()},
      .running_time = record.run_open ? saturating_add(record.running_time, record.lasted(now)) : record.running_time,
      .age = now - record.added_at,
      .time_in_phase = now - record.phase_since,
      .next_start = record.phase == Phase::backing_off ? std::optional{record.next_start} : std::nullopt,
      .termination = record.phase == Phase::terminated ? std::optional{record.termination} : std::nullopt,
  };
}

std::optional<ServiceId> Supervisor::id(std::string_view name) const {
  const Record* const record = find(name);
  return record ? std::optional{record->id} : std::nullopt;
}

DrawKey Supervisor::draw_key(ServiceId service) const noexcept {
  const Record* const record = find(service);
  HOLDFAST_ASSERT(record, "the draw key of a service that is not present");
  return key_of(*record);
}

// ---------------------------------------------------------------------------------------------------------------------
// Bookkeeping
// ---------------------------------------------------------------------------------------------------------------------

// Fleets repeat one policy, so comparing with the latest is enough to keep one copy of it.
std::shared_ptr<const Supervisor::Policy> Supervisor::policy_for(const std::optional<BackoffPolicy>& override) {
  if (!override) return own_policy_;
  if (latest_policy_ == own_policy_ || latest_policy_->backoff != *override) {
    latest_policy_ = std::make_shared<const Policy>(Policy{*override, problems(*override)});
  }
  return latest_policy_;
}

std::uint32_t Supervisor::incarnation_of(std::uint64_t name) const noexcept {
  if (removals_at_ != scheduler_.now()) return 0;
  for (auto removal = removals_.rbegin(); removal != removals_.rend(); ++removal) {
    if (removal->name == name) return removal->next_incarnation;
  }
  return 0;
}

void Supervisor::remember_removal(const Record& record) {
  const TimePoint now = scheduler_.now();
  if (record.added_at != now) return;
  if (removals_at_ != now) removals_.clear();
  removals_at_ = now;
  removals_.push_back({record.hash, record.incarnation + 1});
}

Supervisor::Record* Supervisor::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

Supervisor::Record* Supervisor::find(ServiceId service) const noexcept {
  if (service.slot >= records_.size()) return nullptr;
  Record* const record = records_[service.slot].get();
  return record->id == service && !record->forgotten ? record : nullptr;
}

DrawKey Supervisor::key_of(const Record& record) const noexcept {
  return {seed_, record.hash, record.added_at, record.incarnation};
}

void Supervisor::free_name(Record& record) {
  record.name_freed = true;
  remember_removal(record);
  by_name_.erase(record.name);
  --visible_;
}

void Supervisor::append(Record& record) noexcept {
  record.before = last_;
  (last_ ? last_->after : first_) = &record;
  last_ = &record;
}

void Supervisor::unlink(Record& record) noexcept {
  (record.before ? record.before->after : first_) = record.after;
  (record.after ? record.after->before : last_) = record.before;
}

}  // namespace holdfast
