#include <holdfast/supervisor.hpp>

#include <string>
#include <utility>

#include <holdfast/backoff.hpp>
#include <holdfast/detail/fetch.hpp>

namespace holdfast {

void detail::ServiceRecord::comes_soon() const noexcept {
  fetch();
  detail::fetch(&service, 2 * detail::kCacheLine);  // most are no larger
  policy->supervisor->sink_.comes_soon(id);
}

void detail::ServiceRecord::fired() {
  Supervisor& supervisor = *policy->supervisor;
  supervisor.now_ = supervisor.scheduler_.now();
  supervisor.begin_run(*this);
}

// ---------------------------------------------------------------------------------------------------------------------
// Construction
// ---------------------------------------------------------------------------------------------------------------------

Supervisor::Supervisor(Scheduler& scheduler, SupervisorConfig config, Seed seed, EventSink& sink, ArrivalSink* arrivals)
    : scheduler_(scheduler),
      sink_(sink),
      arrivals_(arrivals),
      config_(std::move(config)),
      seed_(seed),
      own_policy_({this, config_.backoff, config_.stop_grace, false, problems(config_)}),
      latest_policy_(own_policy_),
      removals_at_(scheduler.now()),
      now_(scheduler.now()),
      attention_(arrivals ? kTells : 0) {
  if (has_errors(own_policy_->warnings)) throw ConfigError{own_policy_->warnings};
  if (!own_policy_->warnings.empty()) enqueue({.kind = Input::Kind::warn});
}

Supervisor::~Supervisor() {
  scheduler_.cancel(loop_);
  scheduler_.disarm(drain_timer_);
  for (Record* record = services_.first(); record; record = services_.next(*record)) scheduler_.disarm(*record);
  graces_.clear();
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
  if (services_.find(config.name)) {
    return Refusal{Refusal::Reason::name_taken,
                   "add: the name \"" + config.name + "\" is taken; a name is free again once its service was removed"};
  }

  const TimePoint now = scheduler_.now();
  Record& record = services_.add(config.name, config.restart, service, policy_for(config), now);
  if (const std::uint32_t incarnation = incarnation_of(record.hash, now); incarnation != 0) {
    set_past(record, {.incarnation = incarnation});
  }
  ++counters_.spawned;
  ++counters_.active_services;
  enqueue({.kind = Input::Kind::added, .tenancy = record.tenancy, .record = &record});
  return record.id;
}

Result<Accepted> Supervisor::stop(std::string_view name) {
  Record* const record = services_.find(name);
  if (!record) return unknown("stop", name);
  record->final_stop_asked = true;
  enqueue({.kind = Input::Kind::command, .command = Command::stop, .tenancy = record->tenancy, .record = record});
  return Accepted{};
}

Result<Accepted> Supervisor::restart(std::string_view name) {
  if (is_shutting_down()) return too_late("restart", name);
  Record* const record = services_.find(name);
  if (!record) return unknown("restart", name);
  if (record->remove_asked || (record->final_stop_asked && record->phase != Phase::terminated)) {
    return Refusal{Refusal::Reason::stopping,
                   "restart \"" + std::string{name} + "\": it is being " +
                       (record->remove_asked ? "removed" : "stopped") + " for good; " +
                       (record->remove_asked ? "add it again once it is gone" : "restart it once it has terminated")};
  }
  if (record->phase == Phase::terminated && record->run_alive) {
    return Refusal{Refusal::Reason::stopping,
                   "restart \"" + std::string{name} +
                       "\": its abandoned run is still alive; restart it once that has ended, or remove it and add "
                       "another one"};
  }
  record->final_stop_asked = false;
  enqueue({.kind = Input::Kind::command, .command = Command::restart, .tenancy = record->tenancy, .record = record});
  return Accepted{};
}

Result<Accepted> Supervisor::remove(std::string_view name) {
  Record* const record = services_.find(name);
  if (!record) return unknown("remove", name);
  if (!record->remove_asked) {
    record->final_stop_asked = record->remove_asked = true;
    if (record->phase == Phase::terminated) free_name(*record, scheduler_.now());
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

void Supervisor::enqueue(const Input& input) {
  inputs_.push_back(input);
  if (attention_ != 0) return attend(input);
  if (!loop_.queued()) scheduler_.defer(loop_);
}

void Supervisor::attend(const Input& input) {
  if (arrivals_) tell_arrival(input);
  if ((attention_ & kProcesses) == 0 && !loop_.queued()) scheduler_.defer(loop_);
}

// But for those that the supervisor gives itself.
void Supervisor::tell_arrival(const Input& input) {
  switch (input.kind) {
    case Input::Kind::added: {
      const auto& record = *input.record;
      const auto& policy = *record.policy;
      const auto stop_grace = record.policy == own_policy_ ? std::nullopt : policy.stop_grace;
      return tell(record.added_at, &record,
                  arrival::Added{record.restart, policy.is_own_backoff ? &policy.backoff : nullptr, stop_grace,
                                 record.service.can_be_killed()});
    }
    case Input::Kind::run_ended: {
      const auto& record = *input.record;
      const auto error = input.outcome == Outcome::clean ? std::string_view{} : errors_.back().text();
      return tell(scheduler_.now(), &record, arrival::Ended{record.id, record.run, input.outcome, error});
    }
    case Input::Kind::command: return tell(scheduler_.now(), input.record, arrival::Commanded{input.command});
    case Input::Kind::shutdown: return tell(*shutdown_asked_at_, nullptr, arrival::ShutdownRequested{});
    case Input::Kind::end_drain: return tell(scheduler_.now(), nullptr, arrival::DrainEnded{});
    case Input::Kind::warn:
    case Input::Kind::first_start:
    case Input::Kind::all_terminated: return;
  }
}

template <class Kind>
void Supervisor::tell(TimePoint at, const Record* record, const Kind& what) {
  arrivals_->on_arrival({at, record ? record->name.text() : std::string_view{}, what});
}

void Run::end(Exit exit) const {
  detail::ServiceRecord& record = *record_;
  if (record.id != service_ || record.forgotten || !record.run_alive || record.run != number_) return;
  record.policy->supervisor->run_ended(record, std::move(exit));
}

void Run::ends_soon() const noexcept { record_->fetch(); }

void Supervisor::run_ended(Record& record, Exit&& exit) {
  record.run_alive = false;
  const Outcome outcome = exit.outcome();
  if (outcome != Outcome::clean) errors_.push_back(exit.take_error());
  enqueue({.kind = Input::Kind::run_ended, .outcome = outcome, .tenancy = record.tenancy, .record = &record});
}

// Takes inputs until none is left, those included that they cause. By index: processing may add more.
void Supervisor::process_inputs() {
  attention_ |= kProcesses;
  now_ = scheduler_.now();
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (i > 0) now_ = scheduler_.now();
    process(Input{inputs_[i]});
  }
  forget_inputs();
  attention_ &= kTells;
}

// A storm of inputs leaves no memory behind.
void Supervisor::forget_inputs() {
  constexpr std::size_t kKept = 1024;
  const bool was_storm = inputs_.size() > kKept;
  inputs_.clear();
  errors_.clear();
  errors_taken_ = 0;
  if (!was_storm) [[likely]]
    return;
  inputs_.shrink_to_fit();
  errors_.shrink_to_fit();
}

void Supervisor::process(const Input& input) {
  switch (input.kind) {
    case Input::Kind::warn:
      for (const auto& problem : own_policy_->warnings) emit(event::Warned{problem.field, problem.says});
      return;
    case Input::Kind::shutdown: return on_shutdown(ShutdownCause::requested);
    case Input::Kind::all_terminated:
      if (counters_.active_services == 0) on_shutdown(ShutdownCause::all_terminated);
      return;
    case Input::Kind::end_drain: return on_drain_over(DrainOutcome::cut_short);
    default: return process(input, *input.record);
  }
}

void Supervisor::process(const Input& input, Record& record) {
  Error* const error = input.outcome == Outcome::clean ? nullptr : &errors_[errors_taken_++];
  if (record.tenancy != input.tenancy || record.forgotten) return;  // an input of an earlier life
  switch (input.kind) {
    case Input::Kind::run_ended: return on_run_ended(record, input.outcome, error);
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
  const auto& stop_grace = record.policy->stop_grace;
  const bool can_be_killed = stop_grace && record.service.can_be_killed();
  emit(record, event::Added{record.restart, &record.policy->backoff, record.run, can_be_killed, stop_grace});
  if (record.policy != own_policy_) {
    for (const auto& problem : record.policy->warnings) emit(record, event::Warned{problem.field, problem.says});
  }
  // A step of its own: a stop or a shutdown that has already been asked for comes first.
  enqueue({.kind = Input::Kind::first_start, .tenancy = record.tenancy, .record = &record});
}

// `error` is null for a clean end, and gone once something is queued.
void Supervisor::on_run_ended(Record& record, Outcome outcome, Error* error) {
  const Duration lasted = record.lasted(now_);
  if (record.phase == Phase::terminated) {
    const Error told = error ? std::move(*error) : Error{};
    emit(record, event::EndedLate{outcome, lasted, told.text()});
    return;
  }
  close_run(record);
  if (error) record.last_error = std::move(*error);
  emit(record, event::Ended{outcome, lasted, error ? record.last_error.text() : std::string_view{}});
  if (record.phase == Phase::running) {
    on_unasked_end(record, outcome, lasted);
    return;
  }
  forget_grace(record);
  if (record.stop_cause == StopCause::restart) {
    begin_run(record);
  } else {
    terminate(record, Termination::Reason::cancelled);
  }
}

void Supervisor::on_unasked_end(Record& record, Outcome outcome, Duration lasted) {
  if (cools_down(record.policy->backoff, lasted)) reset_backoff(record);
  if (outcome == Outcome::clean) {
    count_clean_exit(record);
    on_clean_exit(record);
    return;
  }
  ++record.failures;
  ++counters_.failures;
  record.attempt = next_attempt(record.attempt);
  if (outcome == Outcome::fatal || record.restart == RestartPolicy::never) {
    terminate(record, Termination::Reason::failed);
  } else {
    on_failure(record);
  }
}

void Supervisor::on_clean_exit(Record& record) {
  if (record.restart != RestartPolicy::always) {
    terminate(record, Termination::Reason::completed);
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
      terminate(record, Termination::Reason::circuit_open);
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
  for (Record *record = services_.first(), *next = nullptr; record; record = next) {
    next = services_.next(*record);
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
  result.took = drain_took_ = now_ - *shutdown_asked_at_;
  for (Record *record = services_.first(), *next = nullptr; record; record = next) {
    next = services_.next(*record);
    if (record->phase != Phase::terminated) {
      forget_grace(*record);
      abandon(*record);
    }
    if (record->reason == Termination::Reason::abandoned) {
      result.abandoned.emplace_back(record->name.text());
    } else if (record->reason == Termination::Reason::failed || record->reason == Termination::Reason::circuit_open) {
      result.failed.emplace_back(record->name.text());
    }
  }
  result.counters = counters_;
  shutdown_result_ = std::move(result);
  emit(event::Drained{outcome});
}

void Supervisor::Grace::fired() {
  supervisor_.now_ = supervisor_.scheduler_.now();
  supervisor_.on_grace_over(record_, *this);
}

// The grace may be gone afterwards.
void Supervisor::on_grace_over(Record& record, Grace& grace) {
  const Duration waited = now_ - grace.asked_at;
  if (grace.killed || !record.service.can_be_killed()) {
    grace.waited = waited;
    abandon(record);
    return;
  }
  grace.killed = true;
  ++counters_.killed_runs;
  emit(record, event::Killed{waited});
  kill(record);
  if (record.run_alive) scheduler_.arm(grace, now_ + *record.policy->stop_grace);
}

// ---------------------------------------------------------------------------------------------------------------------
// Steps of a life
// ---------------------------------------------------------------------------------------------------------------------

void Supervisor::begin_run(Record& record) {
  if (record.phase != Phase::starting) set_phase(record, Phase::starting);
  ++record.run.value;
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
  emit(record, event::BackingOff{cause, record.attempt, ceiling, delay});
  scheduler_.arm(record, now_ + delay);
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
  // Armed last, so that a run that takes exactly as long as its grace has obeyed.
  if (!record.policy->stop_grace || !record.run_alive) return;
  scheduler_.arm(graces_.try_emplace(record.id.slot, *this, record).first->second, now_ + *record.policy->stop_grace);
}

void Supervisor::kill(Record& record) {
  try {
    record.service.kill(Run{record, record.id, record.run});
  } catch (...) {
    emit(record, event::KillThrew{Error::from_current_exception().text()});
  }
}

void Supervisor::abandon(Record& record) {
  ++counters_.abandoned_runs;
  close_run(record);
  terminate(record, Termination::Reason::abandoned);
}

void Supervisor::stop_for_good(Record& record, StopCause cause) {
  switch (record.phase) {
    case Phase::starting: return terminate(record, Termination::Reason::cancelled);
    case Phase::running: return ask_to_stop(record, cause);
    case Phase::backing_off:
      scheduler_.disarm(record);
      set_phase(record, Phase::stopping);
      emit(record, event::Stopping{cause});
      return terminate(record, Termination::Reason::cancelled);
    case Phase::stopping:
      if (record.stop_cause != StopCause::restart) return;
      record.stop_cause = cause;
      emit(record, event::Stopping{cause});
      return;
    case Phase::terminated: return;
  }
}

void Supervisor::terminate(Record& record, Termination::Reason why) {
  set_phase(record, Phase::terminated);
  record.reason = why;
  ++counters_.terminated;
  --counters_.active_services;
  emit(record, event::Terminated{termination_of(record), record.last_error.text()});
  if (record.remove_begun) forget(record);
  if (counters_.active_services > 0 || drain_is_over_) return;
  if (shutdown_begun_) {
    on_drain_over(DrainOutcome::drained);
  } else if (config_.when_all_terminated == WhenAllTerminated::return_) {
    enqueue({.kind = Input::Kind::all_terminated});
  }
}

void Supervisor::add_again_in_place(Record& record) {
  remember_removal(record, now_);
  emit(record, event::Removed{});
  ++record.id.generation;
  HOLDFAST_ASSERT(record.id.generation != 0, "the ids of a slot are used up");
  record.phase = Phase::starting;  // not a transition: another service begins
  record.run_alive = false;
  record.first_run_due = true;
  forget_side_entries(record);
  set_past(record, {.runs = record.run, .incarnation = incarnation_of(record.hash, now_)});
  record.failures = record.events = 0;
  record.added_at = record.phase_since = now_;
  record.running_time = Duration::zero();
  record.last_error = {};
  ++counters_.spawned;
  ++counters_.active_services;
  on_added(record);
}

void Supervisor::forget(Record& record) {
  if (!record.name_freed) free_name(record, now_);
  emit(record, event::Removed{});
  forget_side_entries(record);
  services_.forget(record);
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
// Events
// ---------------------------------------------------------------------------------------------------------------------

template <class Kind>
void Supervisor::emit(Record& record, const Kind& what) {
  sink_.on_event({now_, record.id, record.name.text(), record.hash, ++record.events, record.run, what});
}

template <class Kind>
void Supervisor::emit(const Kind& what) {
  sink_.on_event({now_, {}, {}, 0, ++events_, {}, what});
}

DrawKey Supervisor::draw_key(ServiceId service) const noexcept {
  const Record* const record = services_.find(service);
  HOLDFAST_ASSERT(record, "the draw key of a service that is not present");
  return key_of(*record);
}

// ---------------------------------------------------------------------------------------------------------------------
// Bookkeeping
// ---------------------------------------------------------------------------------------------------------------------

// Fleets repeat one policy, so comparing with the latest is enough to keep one copy of it.
const detail::SharedPolicy& Supervisor::policy_for(const ServiceConfig& config) {
  if (!config.backoff && !config.stop_grace) return own_policy_;
  const bool is_own = config.backoff.has_value();
  const BackoffPolicy& backoff = is_own ? *config.backoff : config_.backoff;
  const auto& stop_grace = config.stop_grace ? config.stop_grace : config_.stop_grace;
  const detail::ServicePolicy& latest = *latest_policy_;
  if (latest_policy_ == own_policy_ || latest.is_own_backoff != is_own || latest.backoff != backoff ||
      latest.stop_grace != stop_grace) {
    auto warnings = is_own ? problems(backoff) : std::vector<Problem>{};
    latest_policy_ = detail::SharedPolicy{{this, backoff, stop_grace, is_own, std::move(warnings)}};
  }
  return latest_policy_;
}

std::uint32_t Supervisor::incarnation_of(std::uint64_t name, TimePoint now) const noexcept {
  if (removals_at_ != now) return 0;
  for (auto removal = removals_.rbegin(); removal != removals_.rend(); ++removal) {
    if (removal->name == name) return removal->next_incarnation;
  }
  return 0;
}

void Supervisor::remember_removal(const Record& record, TimePoint now) {
  if (record.added_at != now) return;
  if (removals_at_ != now) removals_.clear();
  removals_at_ = now;
  removals_.push_back({record.hash, past_of(record).incarnation + 1});
}

Supervisor::Past Supervisor::past_of(const Record& record) const noexcept {
  return record.has_past ? pasts_.find(record.id.slot)->second : Past{};
}

void Supervisor::set_past(Record& record, const Past& past) {
  pasts_[record.id.slot] = past;
  record.has_past = true;
}

void Supervisor::count_clean_exit(const Record& record) {
  const std::uint32_t slot = record.id.slot;
  if (slot >= clean_exits_.size()) clean_exits_.resize(slot + std::size_t{1});
  ++clean_exits_[slot];
  ++counters_.clean_exits;
}

void Supervisor::forget_side_entries(Record& record) noexcept {
  const std::uint32_t slot = record.id.slot;
  if (record.has_past) pasts_.erase(slot);
  record.has_past = false;
  if (slot < clean_exits_.size()) clean_exits_[slot] = 0;
  forget_grace(record);
}

void Supervisor::forget_grace(const Record& record) noexcept {
  if (record.policy->stop_grace) graces_.erase(record.id.slot);
}

// A breaker opens with the very failure that fills it, and who is abandoned without a grace of its own has been waited
// for as long as the drain.
Termination Supervisor::termination_of(const Record& record) const noexcept {
  Termination why{.reason = record.reason};
  if (why.reason == Termination::Reason::circuit_open) {
    why.failures = why.max_failures = record.policy->backoff.breaker->max_failures;
  } else if (why.reason == Termination::Reason::abandoned) {
    const auto grace = graces_.find(record.id.slot);
    why.after = grace == graces_.end() ? drain_took_ : grace->second.waited;
  }
  return why;
}

DrawKey Supervisor::key_of(const Record& record) const noexcept {
  return {seed_, record.hash, record.added_at, past_of(record).incarnation};
}

void Supervisor::free_name(Record& record, TimePoint now) {
  record.name_freed = true;
  remember_removal(record, now);
  services_.free_name(record);
}

}  // namespace holdfast
