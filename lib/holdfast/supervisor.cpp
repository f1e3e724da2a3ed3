#include <holdfast/supervisor.hpp>

#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include <holdfast/detail/restart.hpp>

namespace holdfast {

using detail::Input;

// ---------------------------------------------------------------------------------------------------------------------
// What every restart goes through, inlined: the calls alone took a twentieth of its instructions
// ---------------------------------------------------------------------------------------------------------------------

// If it throws std::bad_alloc nothing has happened, and the input is as it was.
[[gnu::always_inline]] inline void Supervisor::enqueue(Input&& input) {
  const Input& queued = inputs_.push(std::move(input));
  if (attention_ != 0) return attend(queued);
  wake_loop();
}

// Without memory the loop tries again.
[[gnu::always_inline]] inline void Supervisor::wake_at(Record& record, TimePoint at) noexcept {
  try {
    if (record.phase != Phase::backing_off) [[unlikely]] {
      scheduler_.arm_deadline(record, at);
    } else {
      scheduler_.arm(record, at);
    }
  } catch (...) {
    record.keep_deadline(at);
    record.timer_is_due = true;
    owe(kRecords);
  }
}

// Leaving a phase disarms the timer for what the service waited for in it.
[[gnu::always_inline]] inline void Supervisor::set_phase(Record& record, Phase phase) {
  HOLDFAST_ASSERT(is_legal_transition(record.phase, phase), "a service made a transition that semantics forbid");
  if (record.armed()) scheduler_.disarm(record);
  record.phase = phase;
  record.phase_since = now_;
}

template <class Kind>
[[gnu::always_inline]] inline void Supervisor::emit_inline(Record& record, const Kind& what) noexcept {
  try {
    sink_.on_event({now_, record.id, record.name.text(), record.hash, ++record.events, record.run, what});
  } catch (...) {
    sink_threw();
  }
}

template <class Kind>
void Supervisor::emit(Record& record, const Kind& what) noexcept {
  emit_inline(record, what);
}

[[gnu::always_inline]] inline void Supervisor::back_off(Record& record, BackoffCause cause, Duration ceiling,
                                                        Duration delay) {
  set_phase(record, Phase::backing_off);
  emit_inline(record, event::BackingOff{cause, record.retries.attempt, ceiling, delay});
  wake_at(record, now_ + delay);
}

// ---------------------------------------------------------------------------------------------------------------------
// Construction
// ---------------------------------------------------------------------------------------------------------------------

namespace {

// Of services that have none of their own.
detail::PolicyInForce own_policy(Supervisor& supervisor, const SupervisorConfig& config) {
  detail::PolicyInForce policy{.supervisor = &supervisor};
  policy.in_force = in_force(policy.given, config);
  policy.stop_grace = config.stop_grace.value_or(config.shutdown_timeout);
  policy.warnings = problems(config);
  return policy;
}

}  // namespace

Supervisor::Supervisor(Scheduler& scheduler, SupervisorConfig config, Seed seed, EventSink& sink, ArrivalSink* arrivals)
    : scheduler_(scheduler),
      sink_(sink),
      arrivals_(arrivals),
      config_(std::move(config)),
      seed_(seed),
      own_policy_(own_policy(*this, config_)),
      incarnations_(scheduler.now()),
      now_(scheduler.now()),
      attention_(arrivals ? kTells : 0) {
  if (has_errors(own_policy_->warnings)) throw ConfigError{own_policy_->warnings};
  if (config_.restart_limit || config_.starting_max) limit_ = std::make_unique<Limit>(*this);
  restarts_may_wait_ = limit_ != nullptr;
  // The program may add services until the timers run. A time in the past means now.
  if (config_.when_all_terminated == WhenAllTerminated::return_) scheduler_.arm(drain_timer_, TimePoint{});
  if (!own_policy_->warnings.empty()) enqueue({.kind = Input::Kind::warn});
}

Supervisor::~Supervisor() {
  scheduler_.cancel(loop_);
  scheduler_.disarm(drain_timer_);
  if (limit_) scheduler_.disarm(*limit_);
  for (Record* record = services_.first(); record; record = services_.next(*record)) scheduler_.disarm(*record);
  while (shutdown_waiters_.waits()) shutdown_waiters_.after_->leave();
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
  if (auto wrong = wrong_order(config)) return *std::move(wrong);
  if (auto wrong = wrong_group(config)) return *std::move(wrong);

  const detail::SharedPolicy& policy = policy_for(config.policy);
  if (!service.is_added_once() && !objects_.insert(service)) return object_taken(config.name, service);

  const TimePoint now = scheduler_.now();
  Record* record = nullptr;
  try {
    record = &services_.add(config.name, service, policy, now);
    if (const std::uint32_t incarnation = incarnations_.next_of(record->hash, now); incarnation != 0) {
      incarnations_.set_past(*record, {.incarnation = incarnation});
    }
    if (config.policy.ready == Ready::notified && failed_starts_.size() <= record->id.slot) {
      failed_starts_.resize(record->id.slot + std::size_t{1});
    }
    if (config.policy.watchdog && watches_.size() <= record->id.slot) watches_.resize(record->id.slot + std::size_t{1});
    if (limit_) limit_->services.make_room(record->id.slot);
    enter_order(*record);
    enter_group(*record);
    enqueue({.kind = Input::Kind::added, .tenancy = record->tenancy, .record = record});
  } catch (...) {
    objects_.erase(service);
    if (record) unmake(*record);  // its id is used up
    lacked_memory();
    throw;
  }
  if (drain_timer_.armed()) [[unlikely]]
    scheduler_.disarm(drain_timer_);
  ++counters_.spawned;
  ++counters_.active_services;
  return record->id;
}

Result<Accepted> Supervisor::add_group(const GroupConfig& config) {
  const auto refused = [&config](Refusal::Reason reason, const std::string& says) {
    return Refusal{reason, "add_group \"" + config.path + "\": " + says};
  };
  if (is_shutting_down()) return refused(Refusal::Reason::shutting_down, "the supervisor is shutting down");
  if (const auto found = problems(config); has_errors(found)) {
    return refused(Refusal::Reason::invalid_configuration, describe_errors(found));
  }
  if (groups_ && groups_->find(config.path) != detail::ServiceGroups::kNone) {
    return refused(Refusal::Reason::name_taken, "there is such a group; a group stays as long as its supervisor");
  }
  const std::string_view parent = detail::ServiceGroups::parent_path(config.path);
  if (!parent.empty() && (!groups_ || groups_->find(parent) == detail::ServiceGroups::kNone)) {
    return refused(Refusal::Reason::invalid_configuration,
                   "no group \"" + std::string{parent} + "\" was added, which it is in; add that first");
  }
  if (!groups_) groups_ = std::make_unique<detail::ServiceGroups>();
  const auto group = groups_->add(config);
  try {
    enqueue({.kind = Input::Kind::group_added, .tenancy = group});
  } catch (...) {
    groups_->take_back();
    lacked_memory();
    throw;
  }
  return Accepted{};
}

std::optional<Refusal> Supervisor::wrong_group(const ServiceConfig& config) const {
  const std::string& group = config.policy.group;
  if (group.empty() || (groups_ && groups_->find(group) != detail::ServiceGroups::kNone)) return std::nullopt;
  return Refusal{
      Refusal::Reason::invalid_configuration,
      "add \"" + config.name + "\": group is \"" + group + "\", and no such group was added; add it first (add_group)"};
}

void Supervisor::enter_group(Record& record) {
  const std::string& group = record.policy->given.group;
  if (group.empty()) return;
  groups_->enter(record.id.slot, groups_->find(group));
  restarts_may_wait_ = record.starts_specially = true;
}

std::optional<Refusal> Supervisor::wrong_order(const ServiceConfig& config) const {
  const auto refused = [&config](const std::string& says) {
    return Refusal{Refusal::Reason::invalid_configuration, "add \"" + config.name + "\": " + says};
  };
  for (const auto& name : config.policy.order.after.names()) {
    if (name == config.name) return refused("after has \"" + name + "\", which is itself");
    if (services_.find(name)) continue;
    return refused("after has \"" + name + "\", and no service of that name was added; add it first");
  }
  if (!order_) return std::nullopt;
  const auto circle = order_->circle(config.name, comes_after(config.name, config.policy.order));
  if (circle.empty()) return std::nullopt;
  std::string says = "it would come after itself: ";
  for (const auto& name : circle) says += (&name == &circle.front() ? "" : " -> ") + name;
  return refused(says);
}

// Those that are there.
std::vector<detail::ServiceRecord*> Supervisor::comes_after(std::string_view self, const Order& order) const {
  std::vector<Record*> others;
  for (const auto* const list : {&order.after, &order.after_if_present}) {
    for (const auto& name : list->names()) {
      if (Record* const found = name == self ? nullptr : services_.find(name)) others.push_back(found);
    }
  }
  return others;
}

void Supervisor::enter_order(Record& record) {
  const Order& order = record.policy->given.order;
  if (!order_ && !order.is_after_any()) return;
  if (!order_) order_ = std::make_unique<detail::ServiceOrder>();
  restarts_may_wait_ = true;
  order_->enter(record, comes_after(record.name.text(), order));
}

// No event has reported the service yet.
void Supervisor::unmake(Record& record) noexcept {
  services_.free_name(record);
  forget_side_entries(record);
  services_.forget(record);
}

Refusal Supervisor::object_taken(std::string_view name, const Service& service) const {
  const Record* record = services_.first();
  while (&record->service != &service) record = services_.next(*record);
  return {Refusal::Reason::object_taken, "add \"" + std::string{name} + "\": its service object is that of \"" +
                                             std::string{record->name.text()} +
                                             "\"; each service needs an object of its own"};
}

Result<Accepted> Supervisor::stop(std::string_view name) {
  Record* const record = services_.find(name);
  if (!record) return unknown("stop", name);
  give(*record, Command::stop);
  record->final_stop_asked = true;
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
    if (!record->service.runs_side_by_side()) {
      return Refusal{Refusal::Reason::stopping,
                     "restart \"" + std::string{name} +
                         "\": its abandoned run is still alive; restart it once that has ended, or remove it and add "
                         "another one"};
    }
    if (const std::size_t alive = abandoned_runs_.count(*record) + 1; alive > config_.abandoned_runs_max) {
      return Refusal{Refusal::Reason::stopping,
                     "restart \"" + std::string{name} +
                         "\": abandoned runs that are still alive: " + std::to_string(alive) +
                         ", allowed beside another run are " + std::to_string(config_.abandoned_runs_max) +
                         " (abandoned_runs_max); restart it once one of them has ended, or remove it and add another "
                         "one"};
    }
  }
  give(*record, Command::restart);
  record->final_stop_asked = false;
  return Accepted{};
}

Result<Accepted> Supervisor::reset(std::string_view name) {
  if (is_shutting_down()) return too_late("reset", name);
  Record* const record = services_.find(name);
  if (!record) return unknown("reset", name);
  if (record->phase == Phase::terminated) {
    return Refusal{Refusal::Reason::stopping, "reset \"" + std::string{name} + "\": it has terminated; restart it"};
  }
  if (record->final_stop_asked) {
    return Refusal{Refusal::Reason::stopping, "reset \"" + std::string{name} + "\": it is being " +
                                                  (record->remove_asked ? "removed" : "stopped") + " for good"};
  }
  give(*record, Command::reset);
  return Accepted{};
}

namespace {

// The first field that reconfigure() cannot change and that differs; null: none does.
const char* fixed_field_that_differs(const ServicePolicy& a, const ServicePolicy& b) noexcept {
  if (a.ready != b.ready) return "ready";
  if (a.start_timeout != b.start_timeout) return "start_timeout";
  if (a.watchdog != b.watchdog) return "watchdog";
  if (a.watchdog_needs != b.watchdog_needs) return "watchdog_needs";
  if (!(a.order == b.order)) return "order";
  return a.group == b.group ? nullptr : "group";
}

}  // namespace

Result<Accepted> Supervisor::reconfigure(std::string_view name, const ServicePolicy& policy) {
  if (is_shutting_down()) return too_late("reconfigure", name);
  Record* const record = services_.find(name);
  if (!record) return unknown("reconfigure", name);
  const auto refused = [name](Refusal::Reason reason, const std::string& says) {
    return Refusal{reason, "reconfigure \"" + std::string{name} + "\": " + says};
  };
  if (record->phase == Phase::terminated) {
    return refused(Refusal::Reason::stopping, "it has terminated; remove it and add it again with the policy");
  }
  if (record->final_stop_asked) {
    return refused(Refusal::Reason::stopping,
                   std::string{"it is being "} + (record->remove_asked ? "removed" : "stopped") + " for good");
  }
  if (const auto found = problems(policy); has_errors(found)) {
    return refused(Refusal::Reason::invalid_configuration, describe_errors(found));
  }
  if (const char* const field = fixed_field_that_differs(record->policy->given, policy)) {
    return refused(
        Refusal::Reason::invalid_configuration,
        std::string{field} + " is another one, which takes a service of its own; remove it and add it again");
  }
  next_policies_.push_back(policy_for(policy));
  try {
    enqueue({.kind = Input::Kind::reconfigured, .tenancy = record->tenancy, .record = record});
  } catch (...) {
    next_policies_.pop_back();
    lacked_memory();
    throw;
  }
  return Accepted{};
}

bool Supervisor::hold_start(ServiceId service) noexcept {
  Record* const record = services_.find(service);
  if (!record || record->phase != Phase::backing_off) return false;
  scheduler_.disarm(*record);
  record->timer_is_due = false;
  wait_no_more(*record);
  return true;
}

Result<Accepted> Supervisor::remove(std::string_view name) {
  Record* const record = services_.find(name);
  if (!record) return unknown("remove", name);
  if (record->remove_asked) return Accepted{};
  give(*record, Command::remove);
  record->final_stop_asked = record->remove_asked = true;
  if (record->phase == Phase::terminated) free_name(*record, scheduler_.now());
  return Accepted{};
}

// Throws std::bad_alloc; then nothing was commanded.
void Supervisor::give(Record& record, Command command) {
  enqueue({.kind = Input::Kind::command,
           .command = command,
           .tenancy = record.tenancy,
           .run = record.run,
           .record = &record});
}

void Supervisor::request_shutdown(ShutdownCause cause) noexcept {
  if (is_shutting_down()) return;
  shutdown_asked_at_ = scheduler_.now();
  enqueue_or_owe({.kind = Input::Kind::shutdown, .cause = cause});
}

void Supervisor::end_drain(ShutdownCause cause) noexcept {
  request_shutdown(cause);
  enqueue_or_owe({.kind = Input::Kind::end_drain, .cause = cause});
}

// Without memory for it the signal is not reported: it changes nothing else.
void Supervisor::ignore_signal(ShutdownCause signal) noexcept {
  try {
    enqueue({.kind = Input::Kind::signal_ignored, .cause = signal});
  } catch (const std::bad_alloc&) {
  }
}

void Supervisor::recording_failed(std::string_view error) {
  enqueue({.kind = Input::Kind::recording_failed, .error = Error{error}});
}

// ---------------------------------------------------------------------------------------------------------------------
// Inputs
// ---------------------------------------------------------------------------------------------------------------------

void Supervisor::enqueue_or_owe(Input&& input) noexcept {
  try {
    enqueue(std::move(input));
  } catch (const std::bad_alloc&) {
    owe_input(input);
  }
}

void Supervisor::attend(const Input& input) noexcept {
  if (arrivals_) {
    try {
      tell_arrival(input);
    } catch (...) {
      sink_threw();
    }
  }
  if ((attention_ & kProcesses) == 0) wake_loop();
}

namespace {

std::optional<std::uint32_t> status_in(const Input& end) noexcept {
  return end.exit_status == Exit::kNoStatus ? std::nullopt : std::optional{static_cast<std::uint32_t>(end.exit_status)};
}

}  // namespace

// The arrival sink does not see inputs that the supervisor gives itself.
void Supervisor::tell_arrival(const Input& input) {
  switch (input.kind) {
    case Input::Kind::added: {
      const auto& record = *input.record;
      return arrived(
          record.added_at, &record,
          arrival::Added{&record.policy->given, record.service.can_be_killed(), record.service.runs_side_by_side()});
    }
    case Input::Kind::run_ended: {
      const auto& record = *input.record;
      return arrived(scheduler_.now(), &record,
                     arrival::Ended{record.id, record.run, input.outcome, input.error.text(), status_in(input)});
    }
    case Input::Kind::late_end: {
      const ServiceId service = abandoned_runs_.find(*input.record, input.run)->service;
      return arrived(scheduler_.now(), input.record,
                     arrival::Ended{service, input.run, input.outcome, input.error.text(), status_in(input)});
    }
    case Input::Kind::command: return arrived(scheduler_.now(), input.record, arrival::Commanded{input.command});
    case Input::Kind::shutdown: return arrived(*shutdown_asked_at_, nullptr, arrival::ShutdownRequested{input.cause});
    case Input::Kind::end_drain: return arrived(scheduler_.now(), nullptr, arrival::DrainEnded{input.cause});
    case Input::Kind::signal_ignored: return arrived(scheduler_.now(), nullptr, arrival::SignalIgnored{input.cause});
    case Input::Kind::run_warned: {
      const auto& record = *input.record;
      return arrived(scheduler_.now(), &record, arrival::RunWarned{record.id, record.run, input.error.text()});
    }
    case Input::Kind::became_ready: {
      const auto* const abandoned = abandoned_runs_.find(*input.record, input.run);
      return arrived(scheduler_.now(), input.record,
                     arrival::BecameReady{abandoned ? abandoned->service : input.record->id, input.run});
    }
    case Input::Kind::group_added:
      return arrived(scheduler_.now(), nullptr,
                     arrival::GroupAdded{groups_->path(input.tenancy), &groups_->policy(input.tenancy)});
    case Input::Kind::reconfigured:
      return arrived(scheduler_.now(), input.record, arrival::Reconfigured{&next_policies_.back()->given});
    case Input::Kind::warn:
    case Input::Kind::fleet_ends:
    case Input::Kind::first_start:
    case Input::Kind::forget:
    case Input::Kind::all_terminated:
    case Input::Kind::recording_failed:
    case Input::Kind::order_changed:
    case Input::Kind::abandon_rest: return;
  }
}

template <class Kind>
void Supervisor::arrived(TimePoint at, const Record* record, const Kind& what) {
  arrivals_->on_arrival({at, record ? record->name.text() : std::string_view{}, what});
}

void Supervisor::run_ended(Record& record, Exit& exit) noexcept {
  record.run_alive = false;
  Input input{.kind = Input::Kind::run_ended,
              .tenancy = record.tenancy,
              .record = &record,
              .error = exit.take_error(),
              .outcome = exit.outcome(),
              .exit_status = exit.status()};
  try {
    enqueue(std::move(input));
  } catch (const std::bad_alloc&) {
    owe_input(input);
  }
}

// Without memory for it the late end is not reported: it changes nothing else.
void Supervisor::abandoned_run_ended(Record& record, const Run& run, Exit& exit) noexcept {
  detail::AbandonedRun* const found = abandoned_runs_.find_alive(record, run.service(), run.number());
  if (!found) return;
  found->has_ended = true;
  try {
    enqueue({.kind = Input::Kind::late_end,
             .tenancy = record.tenancy,
             .run = run.number(),
             .record = &record,
             .error = exit.take_error(),
             .outcome = exit.outcome(),
             .exit_status = exit.status()});
  } catch (const std::bad_alloc&) {
    (void)abandoned_runs_.take(record, run.number());
    lacked_memory();
  }
}

// Without memory for it the warning is not reported.
void Supervisor::run_warned(Record& record, Error says) noexcept {
  try {
    enqueue({.kind = Input::Kind::run_warned, .tenancy = record.tenancy, .record = &record, .error = std::move(says)});
  } catch (const std::bad_alloc&) {
  }
}

// `is_over`: it is not the present run, or that has ended. Without memory for it the loop does it later, unless it is
// late: then it changes nothing.
void Supervisor::run_is_ready(Record& record, const Run& run, bool is_over) noexcept {
  if (is_over && !abandoned_runs_.find_alive(record, run.service(), run.number())) return;
  try {
    enqueue({.kind = Input::Kind::became_ready, .tenancy = record.tenancy, .run = run.number(), .record = &record});
  } catch (const std::bad_alloc&) {
    if (is_over || record.phase != Phase::starting) return;
    record.ready_is_due = true;
    lacked_memory();
    owe(kRecords);
  }
}

// One store, and a look at the clock: no timer is touched.
void Supervisor::heard(Record& record) noexcept {
  if (record.policy->in_force.watchdog_needs == SignOfLife::progress) return;
  watches_[record.id.slot].heard_at = scheduler_.now();
}

void Supervisor::progressed(Record& record, std::uint64_t reached) noexcept {
  detail::Watch& watch = watches_[record.id.slot];
  if (watch.has_progress && reached <= watch.progress) return;
  watch.progress = reached;
  watch.has_progress = true;
  watch.heard_at = scheduler_.now();
}

void Supervisor::set_pid(Record& record, std::uint32_t pid) {
  if (record.id.slot >= pids_.size()) pids_.resize(record.id.slot + std::size_t{1});
  pids_[record.id.slot] = pid;
  record.has_pid = true;
  if (arrivals_) arrived(scheduler_.now(), &record, arrival::PidKnown{pid});
}

void Supervisor::process_inputs() {
  attention_ |= kProcesses;
  take_inputs();
  if (owed_ == 0) [[likely]] {
    attention_ &= kTells;
    return;
  }
  pay_what_is_owed();
}

// Takes inputs until none is left, including those that they cause. If one throws, the others are taken all the same.
void Supervisor::take_inputs() noexcept {
  while (!inputs_.empty()) {
    now_ = scheduler_.now();
    try {
      process(inputs_.front());
    } catch (...) {
      lacked_memory();
      keep_exception(std::current_exception());
    }
    inputs_.drop_front();
  }
}

namespace {

std::string_view text_of_ignored(ShutdownCause signal) {
  switch (signal) {
    case ShutdownCause::sighup: return "SIGHUP within a second of the shutdown's beginning changes nothing";
    case ShutdownCause::sigint: return "SIGINT within a second of the shutdown's beginning changes nothing";
    default: return "SIGTERM within a second of the shutdown's beginning changes nothing";
  }
}

}  // namespace

void Supervisor::process(Input& input) {
  if (input.kind == Input::Kind::run_ended) [[likely]]
    return process(input, *input.record);
  switch (input.kind) {
    case Input::Kind::warn:
      for (const auto& problem : own_policy_->warnings) emit(event::Warned{problem.field, problem.says});
      return;
    case Input::Kind::shutdown: return on_shutdown(input.cause);
    case Input::Kind::all_terminated:
      if (counters_.active_services == 0) on_shutdown(ShutdownCause::all_terminated);
      return;
    case Input::Kind::end_drain: return on_drain_over(DrainOutcome::cut_short, detail::signal_of(input.cause));
    case Input::Kind::signal_ignored: return emit(event::Warned{"signal", text_of_ignored(input.cause)});
    case Input::Kind::recording_failed: return emit(event::RecordingFailed{input.error.text()});
    case Input::Kind::abandon_rest: return abandon_rest();
    case Input::Kind::order_changed: return on_gates_changed();
    case Input::Kind::group_added: {
      const auto& intensity = groups_->policy(input.tenancy).intensity;
      return emit(event::GroupAdded{groups_->path(input.tenancy), groups_->policy(input.tenancy).strategy,
                                    intensity ? std::optional{intensity->max_restarts} : std::nullopt,
                                    intensity ? std::optional{intensity->within} : std::nullopt});
    }
    case Input::Kind::fleet_ends: return on_fleet_ends();
    case Input::Kind::reconfigured: return on_reconfigured(input);
    default: return process(input, *input.record);
  }
}

void Supervisor::process(Input& input, Record& record) {
  if (record.tenancy != input.tenancy || record.forgotten) return;  // an input of an earlier life
  if (input.kind == Input::Kind::run_ended) [[likely]]
    return on_run_ended(record, input);
  switch (input.kind) {
    case Input::Kind::late_end: return on_late_end(record, input);
    case Input::Kind::added: return on_added(record);
    case Input::Kind::run_warned: return emit(record, event::Warned{"run", input.error.text()});
    case Input::Kind::became_ready: return on_ready(record, input.run);
    case Input::Kind::first_start: return on_first_start(record);
    case Input::Kind::forget: return forget_if_done(record);
    case Input::Kind::command: return on_command(record, input);
    default: return;
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// What the inputs do
// ---------------------------------------------------------------------------------------------------------------------

void Supervisor::on_added(Record& record) {
  if (groups_) groups_->comes_back(record.id.slot);
  emit(record, event::Added{&record.policy->in_force, record.run, record.service.can_be_killed(),
                            record.service.runs_side_by_side()});
  warn_of_policy(record);
  // A step of its own: a stop or a shutdown that has already been asked for comes first.
  enqueue_or_owe({.kind = Input::Kind::first_start, .tenancy = record.tenancy, .record = &record});
}

void Supervisor::warn_of_policy(Record& record) {
  if (record.policy == own_policy_) return;
  for (const auto& problem : record.policy->warnings) emit(record, event::Warned{problem.field, problem.says});
}

void Supervisor::on_first_start(Record& record) {
  if (!record.first_run_due || record.phase != Phase::starting) return;
  // A service that was added again, stopped and added again in one instant has two of these.
  if ((groups_ && groups_->waits(record.id.slot)) || waits_for_siblings(record)) return;
  start_unless_it_waits(record);
}

[[gnu::always_inline]] inline void Supervisor::on_unasked_end(Record& record, Outcome outcome, Duration ready_for) {
  if (!is_failure(outcome)) {
    ++counters_.clean_exits;
    count_clean_exit(record);
  } else {
    ++record.failures;
    ++counters_.failures;
  }
  // The run's number never repeats, so neither does the draw.
  const auto draws = [&] { return draw(key_of(record), Purpose::backoff_jitter, record.run.value); };
  const auto next = detail::after_end(record.policy->in_force, record.retries, {outcome, ready_for}, now_, draws);
  if (!is_failure(outcome) && next.closes_after > 0) [[unlikely]]
    emit_closed(record, next.closes_after);
  switch (next.what) {
    case detail::Next::What::complete: return terminate(record, Termination::Reason::completed);
    case detail::Next::What::fail: return terminate(record, Termination::Reason::failed);
    case detail::Next::What::open_for_good:
      emit_tripped(record, next.failures);
      return terminate(record, Termination::Reason::circuit_open);
    case detail::Next::What::open:
      emit_tripped(record, next.failures);
      if (record.retries.attempt == 1) ++counters_.open_breakers;  // the first opening in a row
      record.starts_specially = true;
      [[fallthrough]];
    case detail::Next::What::back_off: return back_off(record, next.cause, next.ceiling, next.delay);
  }
}

// Takes the error over, if there is one.
void Supervisor::on_run_ended(Record& record, Input& end) {
  if (end.exit_status != Exit::kNoStatus) [[unlikely]]
    apply_exit_rules(record, end);
  if (record.phase != Phase::running) [[unlikely]] {
    if (!is_end_of_a_run(record, end)) return;
    end.outcome = outcome_of_other_end(record, end.outcome, end.error);
  }
  const Outcome outcome = end.outcome;
  const Duration lasted = record.lasted(now_);
  close_run(record);
  const bool failed = is_failure(outcome);
  record.last_run_failed = failed;
  if (failed) record.last_error = std::move(end.error);
  emit(record, event::Ended{outcome, lasted, failed ? record.last_error.text() : std::string_view{}, status_in(end)});
  if (record.phase != Phase::running || record.starts_specially) [[unlikely]]
    return on_other_end(record, outcome);
  on_unasked_end(record, outcome, lasted);  // all the time it was ready
}

// What its exit status means is in the policy. A clean end that is a failure by that has no error of its own.
[[gnu::cold, gnu::noinline]] void Supervisor::apply_exit_rules(const Record& record, Input& end) noexcept {
  if (end.exit_status == Exit::kNoStatus) return;
  const bool had_failed = is_failure(end.outcome);
  end.outcome =
      detail::meaning(record.policy->in_force.exit_rules, end.outcome, static_cast<std::uint8_t>(end.exit_status));
  if (!is_failure(end.outcome)) {
    end.error = {};
  } else if (!had_failed) {
    try {
      end.error = Error{"exit status " + std::to_string(end.exit_status)};
    } catch (const std::bad_alloc&) {
      lacked_memory();
      end.error = Error::literal("its exit status is that of a failure");
    }
  }
}

// Not so of a run that was abandoned, which is reported, and of a life that a restart has replaced in place since the
// end was queued, which is dropped.
[[gnu::cold, gnu::noinline]] bool Supervisor::is_end_of_a_run(Record& record, const Input& end) {
  if (record.phase == Phase::terminated) {
    emit(record, event::EndedLate{end.outcome, record.lasted(now_), end.error.text(), status_in(end)});
    return false;
  }
  return record.phase == Phase::stopping || !record.first_run_due;
}

// A run that was stopped because it missed a deadline has failed, and its error says so.
[[gnu::cold, gnu::noinline]] Outcome Supervisor::outcome_of_other_end(Record& record, Outcome outcome, Error& error) {
  const bool missed = record.phase == Phase::stopping && is_missed_deadline(record.stop_cause);
  if (missed) error = missed_deadline(record, error);
  if (missed && !is_failure(outcome)) outcome = Outcome::failed;
  const bool was_starting = missed ? record.stop_cause == StopCause::start_timeout : record.phase == Phase::starting;
  if (is_failure(outcome) && was_starting) count_failed_start(record);
  return outcome;
}

[[gnu::cold, gnu::noinline]] void Supervisor::on_unasked_special_end(Record& record, Outcome outcome,
                                                                     Duration ready_for) {
  on_unasked_end(record, outcome, ready_for);
  // A shutdown has left it running for the sake of others.
  if (record.phase != Phase::backing_off) return;
  if (shutdown_begun_) return stop_for_good(record, StopCause::shutdown);
  if (groups_ && groups_->has(record.id.slot)) concern_siblings(record);
}

[[gnu::cold, gnu::noinline]] void Supervisor::on_other_end(Record& record, Outcome outcome) {
  if (record.phase == Phase::running) {
    tell_order(record, false);
    return on_unasked_special_end(record, outcome, now_ - record.phase_since);
  }
  forget_readiness(record);
  if (record.phase == Phase::starting || is_missed_deadline(record.stop_cause)) {
    return on_unasked_special_end(record, outcome, was_ready_for(record));
  }
  record.ended_badly_in_drain = record.last_run_failed && shutdown_begun_;
  if (record.stop_cause == StopCause::restart) return begin_by_hand(record);
  if (record.stop_cause == StopCause::dependency) return wait_after_stop(record);
  if (record.stop_cause == StopCause::sibling) return back_off_with_siblings(record);
  terminate(record, Termination::Reason::cancelled);
}

// The first report of the present run counts, unless the run was asked to stop before.
void Supervisor::on_ready(Record& record, RunNumber run) {
  const bool is_present = record.run == run && record.run_open;
  if (is_present && record.awaits_ready) return become_ready(record);
  if (is_present && record.phase == Phase::running) return;
  emit_of(run, record, event::ReadyLate{});
}

// A run that has said that it ended, before the supervisor got to it, is not asked to stop.
void Supervisor::on_start_timeout(Record& record) {
  if (record.run_alive) ask_to_stop(record, StopCause::start_timeout);
}

// A run that has been silent so far may still speak at this very time, by a timer that was armed later: so the decision
// comes after everything that is armed for it now. One that has said that it ended is not asked to stop.
void Supervisor::on_look(Record& record) {
  if (!record.run_alive) return;
  detail::Watch& watch = watches_[record.id.slot];
  const Duration watchdog = *record.policy->in_force.watchdog;
  if (!watch.heard_since(watchdog)) {
    if (watch.looks_again) return on_hang(record, watch);
    watch.looks_again = true;
    return wake_at(record, watch.by);
  }
  watch.looks_again = false;
  if (arrivals_) tell_heard(record, watch);
  const bool was_up = watch.probe_up_at <= watch.by;
  watch.probe_up_at = was_up ? TimePoint::max() : watch.probe_up_at + (now_ - watch.by);
  watch_until(record, watch, watch.next_look(watchdog, now_));
  if (was_up && record.retries.breaker_has_opened)
    reset_retries(record);  // an event, after which `watch` may have moved
}

[[gnu::cold, gnu::noinline]] void Supervisor::on_hang(Record& record, detail::Watch& watch) {
  ++counters_.hangs;
  ++watch.hangs;
  ask_to_stop(record, StopCause::watchdog);
}

// It was heard before, but only now it decides something.
void Supervisor::tell_heard(const Record& record, const detail::Watch& watch) noexcept {
  const bool by_progress = record.policy->in_force.watchdog_needs == SignOfLife::progress && watch.has_progress;
  try {
    arrived(now_, &record,
            arrival::Heard{record.id, record.run, watch.heard_at,
                           by_progress ? std::optional<std::uint64_t>{watch.progress} : std::nullopt});
  } catch (...) {
    sink_threw();
  }
}

void Supervisor::on_late_end(Record& record, Input& end) {
  const auto run = abandoned_runs_.take(record, end.run);
  if (!run) return;
  apply_exit_rules(record, end);
  emit_of(run->run, record, event::EndedLate{end.outcome, now_ - run->began, end.error.text(), status_in(end)});
}

// So many open it, so both numbers are the same.
void Supervisor::emit_tripped(Record& record, std::uint32_t failures) {
  ++counters_.circuit_breaker_trips;
  emit(record, event::BreakerTripped{failures, failures});
}

void Supervisor::emit_closed(Record& record, Attempt openings) {
  --counters_.open_breakers;
  emit(record, event::BreakerClosed{openings});
}

// As if nothing had ever failed.
void Supervisor::reset_retries(Record& record) {
  const Attempt openings = record.retries.breaker_has_opened ? record.retries.attempt : 0;
  record.retries.reset();
  if (openings == 0) return;
  // The probe need not stay up any more.
  if (record.is_watched()) {
    watches_[record.id.slot].probe_up_at = TimePoint::max();
  } else if (record.phase == Phase::running && record.armed()) {
    scheduler_.disarm(record);
  }
  emit_closed(record, openings);
}

void Supervisor::on_command(Record& record, const Input& input) {
  emit(record, event::Commanded{input.command});
  switch (input.command) {
    case Command::stop: return stop_for_good(record, StopCause::stop);
    case Command::restart: return on_restart_command(record, input.run);
    case Command::reset: return on_reset_command(record);
    case Command::remove:
      record.remove_begun = true;
      if (record.phase == Phase::terminated) return forget(record);
      return stop_for_good(record, StopCause::remove);
  }
}

// `run` was the latest when the command was given.
void Supervisor::on_restart_command(Record& record, RunNumber run) {
  if (shutdown_begun_ || record.remove_asked) return;  // overtaken by a later command
  if (record.run != run) return;                       // the next run that it asked for has begun already
  reset_retries(record);
  if (record.waits_for_end()) return ask_to_stop(record, StopCause::restart);
  switch (record.phase) {
    case Phase::starting:
      if ((!order_ || !order_->is_after_any(record.id.slot)) && (!groups_ || !groups_->waits(record.id.slot))) return;
      return begin_by_hand(record);
    case Phase::running: return;
    case Phase::stopping:
      if (is_final(record.stop_cause) || record.stop_cause == StopCause::restart) return;
      record.stop_cause = StopCause::restart;
      return emit(record, event::Stopping{StopCause::restart});
    case Phase::backing_off: return begin_by_hand(record);
    case Phase::terminated: return add_again_in_place(record);
  }
}

void Supervisor::on_reset_command(Record& record) {
  if (shutdown_begun_ || record.remove_asked || record.phase == Phase::terminated) return;  // overtaken
  reset_retries(record);
  if (record.phase == Phase::backing_off) begin_by_hand(record);
}

void Supervisor::on_reconfigured(const Input& input) {
  const detail::SharedPolicy policy = next_policies_.front();
  next_policies_.pop_front();
  Record& record = *input.record;
  const bool is_there = record.tenancy == input.tenancy && !record.forgotten;
  if (is_there && !shutdown_begun_ && record.phase != Phase::terminated) on_reconfigured(record, policy);
}

// What the failures were counted for is not what decides from now on.
void Supervisor::on_reconfigured(Record& record, const detail::SharedPolicy& policy) {
  const bool begins_anew = record.policy->in_force.backoff != policy->in_force.backoff;
  record.policy = policy;
  emit(record, event::Reconfigured{&record.policy->in_force});
  if (begins_anew) reset_retries(record);
  warn_of_policy(record);
}

void Supervisor::tell_of_shutdown(ShutdownWaiter& waiter) noexcept {
  HOLDFAST_ASSERT(!waiter.waits(), "it waits for the request of a shutdown already");
  waiter.before_ = shutdown_waiters_.before_;
  waiter.after_ = &shutdown_waiters_;
  waiter.before_->after_ = &waiter;
  shutdown_waiters_.before_ = &waiter;
}

void Supervisor::on_shutdown(ShutdownCause cause) {
  if (shutdown_begun_) return;
  if (!shutdown_asked_at_) shutdown_asked_at_ = now_;
  shutdown_begun_ = true;
  if (cause != ShutdownCause::ends_fleet) ended_by_.clear();
  emit(event::ShutdownRequested{cause, config_.shutdown_timeout, ended_by_});
  while (shutdown_waiters_.waits()) {
    ShutdownWaiter& waiter = *shutdown_waiters_.after_;
    waiter.leave();
    waiter.shutdown_requested();
  }
  scheduler_.disarm(drain_timer_);
  drain_over_at_ = *shutdown_asked_at_ + config_.shutdown_timeout;
  arm_drain_timer();
  // Stopping a service only queues what it causes, so the list changes only where services are forgotten.
  for (Record *record = services_.first(), *next = nullptr; record; record = next) {
    next = services_.next(*record);
    if (record->phase != Phase::terminated && !is_to_stop_later(*record)) stop_for_good(*record, StopCause::shutdown);
  }
  if (counters_.active_services == 0) on_drain_over(DrainOutcome::drained);
}

// Without memory the loop tries again.
void Supervisor::arm_drain_timer() noexcept {
  try {
    scheduler_.arm_deadline(drain_timer_, drain_over_at_);
  } catch (...) {
    owe(kDrainTimer);
  }
}

void Supervisor::DrainTimer::fired() { supervisor_.on_drain_timer(); }

void Supervisor::on_drain_timer() {
  now_ = scheduler_.now();
  if (!shutdown_begun_) return on_shutdown(ShutdownCause::all_terminated);  // none has ever been added
  if (drain_waits_for_the_dying_) return enqueue_or_owe({.kind = Input::Kind::abandon_rest});
  on_drain_over(DrainOutcome::deadline);
}

// Runs that end because they are killed are not abandoned.
void Supervisor::on_drain_over(DrainOutcome outcome, std::optional<ShutdownCause> cause) {
  if (drain_outcome_) return;
  drain_outcome_ = outcome;
  drain_cause_ = cause;
  scheduler_.disarm(drain_timer_);
  if (order_) stop_the_rest();
  if (somebody_may_still_end()) {
    enqueue_or_owe({.kind = Input::Kind::abandon_rest});
  } else {
    finish_drain();
  }
}

// Those that were to stop after others.
void Supervisor::stop_the_rest() {
  for (Record *record = services_.first(), *next = nullptr; record; record = next) {
    next = services_.next(*record);
    if (record->waits_for_end()) stop_for_good(*record, StopCause::shutdown);
  }
}

// Kills every run that can be killed. Their ends, and ends that are still queued, are taken before the drain is over: a
// run that ended before a deadline is in time.
bool Supervisor::somebody_may_still_end() {
  bool any = false;
  for (Record* record = services_.first(); record; record = services_.next(*record)) {
    if (record->phase != Phase::stopping) continue;
    if (record->run_alive && record->killed) {
      any |= config_.kill_wait.has_value();
      continue;
    }
    if (record->run_alive) {
      if (!record->service.can_be_killed()) continue;
      kill(*record);
      drain_has_killed_ = true;
    }
    any = true;
  }
  return any;
}

// Every killed run has the kill_wait to die, from now on, also one that the end of its own grace killed a moment ago.
void Supervisor::abandon_rest() {
  if (drain_is_over_) return;
  if (std::exchange(drain_waits_for_the_dying_, true) || !config_.kill_wait) return finish_drain();
  if (!abandon_all_but_the_dying() || drain_is_over_) return finish_drain();
  try {
    scheduler_.arm_deadline(drain_timer_, now_ + *config_.kill_wait);
  } catch (const std::bad_alloc&) {  // then they are not waited for
    finish_drain();
  }
}

// False: no killed run is left to wait for.
bool Supervisor::abandon_all_but_the_dying() {
  bool any = false;
  for (Record *record = services_.first(), *next = nullptr; record; record = next) {
    next = services_.next(*record);
    if (record->phase == Phase::terminated) continue;
    if (record->killed && record->run_alive && !record->kill_failed) {
      scheduler_.disarm(*record);  // what is left of its own grace
      any = true;
    } else {
      drain_has_abandoned_ = true;
      abandon(*record);
    }
  }
  return any;
}

void Supervisor::finish_drain() {
  if (drain_is_over_) return;
  drain_is_over_ = true;
  scheduler_.disarm(drain_timer_);
  ShutdownResult result = std::move(removed_in_drain_);
  result.outcome = *drain_outcome_;
  result.took = now_ - *shutdown_asked_at_;
  for (Record *record = services_.first(), *next = nullptr; record; record = next) {
    next = services_.next(*record);
    if (record->phase != Phase::terminated) {
      drain_has_abandoned_ = true;
      abandon(*record);
    }
    list_in(result, *record);
  }
  if (!drain_has_killed_ && !drain_has_abandoned_) result.outcome = DrainOutcome::drained;
  list_groups_in(result);
  result.counters = counters_;
  const auto outcome = result.outcome;
  shutdown_result_ = std::move(result);
  emit(event::Drained{outcome, outcome == DrainOutcome::cut_short ? drain_cause_ : std::nullopt});
}

// What the service waited for in its phase has come.
void Supervisor::on_deadline(Record& record) {
  now_ = scheduler_.now();
  if (record.phase == Phase::backing_off) [[likely]] {
    if (restarts_may_wait_) [[unlikely]]
      return on_restart_due(record);
    return begin_run(record);
  }
  if (drain_ends_by(record.deadline())) {  // of one time the drain's deadline comes first
    scheduler_.disarm(drain_timer_);
    return on_drain_timer();
  }
  if (record.phase == Phase::running) return record.is_watched() ? on_look(record) : on_probe_up(record);
  if (record.phase == Phase::starting) return on_start_timeout(record);
  HOLDFAST_ASSERT(record.phase == Phase::stopping, "a service waited for a time in a phase that has no deadline");
  on_grace_over(record);
}

// Its delay has passed, or the time after which it starts once all that it is after are ready. Its siblings come first,
// those second, the limits last.
[[gnu::cold, gnu::noinline]] void Supervisor::on_restart_due(Record& record) {
  if (!waits_for_siblings(record)) start_unless_it_waits(record);
}

void Supervisor::start_unless_it_waits(Record& record) {
  if (must_wait_for_others(record)) {
    if (!order_->waits(record.id.slot)) wait_for_others(record);
    return;
  }
  if (order_ && order_->waits_no_more(record.id.slot)) --counters_.waiting_services;
  if (!limit_ || record.first_run_due) return begin_run(record);
  stand_in_line(record);
}

// The service starts if the limits let it and nobody waits who was due before it.
void Supervisor::stand_in_line(Record& record) {
  auto& services = limit_->services;
  if (!services.anybody_waits() && services.lets_start(now_)) {
    services.take_token(now_);
    return begin_run(record);
  }
  services.append(record.id.slot);
  ++counters_.limited_restarts;
  ++counters_.waiting_services;
  emit(record, event::Waiting{.waits_for = WaitsFor::restart_limit});
  arm_limit();
}

void Supervisor::on_limit_timer() {
  now_ = scheduler_.now();
  auto& services = limit_->services;
  while (services.anybody_waits() && services.lets_start(now_)) {
    Record& record = *services_.find(services.first());
    services.take_token(now_);
    wait_no_more(record);
    begin_run(record);
  }
  arm_limit();
}

// It starts, or will not.
void Supervisor::wait_no_more(const Record& record) noexcept {
  leave_round(record);
  if (order_ && order_->waits_no_more(record.id.slot)) --counters_.waiting_services;
  if (!is_limited(record)) return;
  limit_->services.leave(record.id.slot);
  --counters_.waiting_services;
  if (!limit_->services.anybody_waits()) scheduler_.disarm(*limit_);
}

// For the first that waits, if a token is all that it needs. Without memory the loop tries again.
void Supervisor::arm_limit() noexcept {
  const auto& services = limit_->services;
  if (limit_->armed() || !services.anybody_waits() || !services.has_place()) return;
  try {
    scheduler_.arm(*limit_, std::max(now_, services.token_at()));
  } catch (...) {
    owe(kLimit);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Order
// ---------------------------------------------------------------------------------------------------------------------

bool Supervisor::must_wait_for_others(const Record& record) const noexcept {
  if (!order_ || !order_->misses_any(record.id.slot)) return false;
  return record.first_run_due || record.policy->in_force.order.on_dependency != OnDependency::keep;
}

// The number of the event never repeats, so neither does the draw. REQUIRES: it does not wait.
void Supervisor::wait_for_others(Record& record) {
  const std::uint32_t slot = record.id.slot;
  std::optional<Duration> delay;
  if (!record.first_run_due) {
    const auto longest = static_cast<std::uint64_t>(record.policy->in_force.order.wake_jitter.count());
    const Draw drawn = draw(key_of(record), Purpose::wake_jitter, record.events + 1);
    delay = Duration{static_cast<Duration::rep>(uniform_up_to(drawn, longest))};
  }
  order_->wait(slot, delay.value_or(Duration::zero()));
  ++counters_.waiting_services;
  emit(record, event::Waiting{WaitsFor::dependency, delay, order_->first_missing(slot)});
}

// Its run has ended, which was stopped because one that it is after had become unready.
void Supervisor::wait_after_stop(Record& record) {
  set_phase(record, Phase::backing_off);
  emit(record, event::BackingOff{BackoffCause::dependency, record.retries.attempt, Duration::zero(), Duration::zero()});
  if (waits_for_siblings(record)) return;
  wait_for_others(record);
  if (!order_->misses_any(record.id.slot)) wake_at(record, now_ + order_->delay(record.id.slot));
}

// Others that are after it may be concerned.
void Supervisor::tell_order(const Record& record, bool is_ready) noexcept {
  if (!order_) return;
  const std::uint32_t slot = record.id.slot;
  if (is_ready ? order_->became_ready(slot, now_) : order_->became_unready(slot, now_)) look_at_order();
}

// In a step of its own. Without memory for it the loop does it later.
void Supervisor::look_at_order() noexcept {
  try {
    enqueue({.kind = Input::Kind::order_changed});
  } catch (const std::bad_alloc&) {
    lacked_memory();
    owe(kOrder);
  }
}

void Supervisor::on_gates_changed() {
  if (order_) on_order_changed();
  if (!groups_) return;
  for (auto group = groups_->take_complete_round(); group != detail::ServiceGroups::kNone;
       group = groups_->take_complete_round()) {
    end_round(group);
  }
}

void Supervisor::on_order_changed() {
  while (const auto change = order_->take_change()) {
    if (shutdown_begun_) continue;
    const auto for_each = [&](const auto& act) {
      for (std::uint32_t slot = order_->first_behind(change->gate), next = 0; slot != detail::kNoSlot; slot = next) {
        next = order_->next_behind(slot);
        act(*services_.find(slot));
      }
    };
    if (change->fell) for_each([&](Record& record) { on_unready(record); });
    if (!order_->is_open(change->gate)) continue;
    for_each([&](Record& record) {
      if (!order_->waits(record.id.slot) || record.armed()) return;
      if (!record.first_run_due)
        return wake_at(record, order_->changed_at(change->gate) + order_->delay(record.id.slot));
      wait_no_more(record);
      if (!waits_for_siblings(record)) begin_run(record);
    });
  }
}

// One that it is after has become unready.
void Supervisor::on_unready(Record& record) {
  const OnDependency what = record.policy->in_force.order.on_dependency;
  if (order_->waits(record.id.slot)) {
    scheduler_.disarm(record);  // it would have started soon
    record.timer_is_due = false;
  } else if (what == OnDependency::keep || record.first_run_due || record.phase == Phase::terminated ||
             !order_->is_concerned(record.id.slot)) {
    return;
  } else if (what == OnDependency::stop) {
    stop_for_good(record, StopCause::dependency_stop);
  } else if (is_limited(record)) {
    wait_no_more(record);
    wait_for_others(record);
  } else if (what == OnDependency::restart && record.waits_for_end()) {
    ask_to_stop(record, StopCause::dependency);
  }
}

// In a shutdown a run goes on as long as a service is alive that is after it.
bool Supervisor::is_to_stop_later(const Record& record) noexcept {
  return order_ && record.waits_for_end() && order_->is_in_use(record.id.slot);
}

// It has terminated. In a shutdown those stop now that it was the last to be after.
void Supervisor::stop_those_before(const Record& record) {
  const std::uint32_t slot = record.id.slot;
  order_->terminates(slot);
  if (!shutdown_begun_ || drain_outcome_) return;
  for (std::size_t i = 0; i < order_->count_of_needs(slot); ++i) {
    const std::uint32_t before = order_->needed_slot(slot, i);
    Record* const found = before == detail::kNoSlot ? nullptr : services_.find(before);
    if (found && found->waits_for_end() && !order_->is_in_use(before)) stop_for_good(*found, StopCause::shutdown);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Groups
// ---------------------------------------------------------------------------------------------------------------------

// It would start, but others are to start with it that are not down yet, or whose own delay has not passed. The last of
// them starts all. False: no round keeps it.
bool Supervisor::waits_for_siblings(Record& record) {
  const std::uint32_t slot = record.id.slot;
  const auto group = groups_ ? groups_->round_over(slot) : detail::ServiceGroups::kNone;
  if (group == detail::ServiceGroups::kNone) return false;
  miss(record, group);
  if (groups_->wait(slot)) {
    end_round(group);
  } else {
    groups_->was_told(slot);
    ++counters_.waiting_services;
    emit(record, event::Waiting{.waits_for = WaitsFor::group});
  }
  return true;
}

// Its run has ended, which was stopped because a sibling had failed.
void Supervisor::back_off_with_siblings(Record& record) {
  set_phase(record, Phase::backing_off);
  emit(record, event::BackingOff{BackoffCause::sibling, record.retries.attempt, Duration::zero(), Duration::zero()});
  on_restart_due(record);
}

// A child is to start again. It counts once if several fail that start again together.
void Supervisor::concern_siblings(Record& failed) {
  const std::uint32_t slot = failed.id.slot;
  const auto group = groups_->group_of(slot);
  auto present = groups_->round_over(slot);
  while (present != detail::ServiceGroups::kNone && !groups_->has_anybody(present)) {
    groups_->end_round(present);
    present = groups_->round_over(slot);
  }
  const bool is_known = present != detail::ServiceGroups::kNone;
  if (!is_known && groups_->restarts_too_often(group, now_)) return lose_group_of(failed, GroupLoss::restarts);
  const auto from = groups_->concerned_from(slot);
  const bool is_inner = is_known && present != group;  // then all of its siblings are in the outer round
  if (from && !is_inner) groups_->begin_round(group, *from);
  const auto round = is_inner ? present : groups_->round_over(slot);
  if (round == detail::ServiceGroups::kNone) return;
  miss(failed, round);
  if (!from) return;
  groups_->for_each_back(group, *from, [&](std::uint32_t sibling) {
    if (sibling != slot) concern(*services_.find(sibling), round);
  });
}

// A service that has never begun a run comes to the round by itself when it would start.
void Supervisor::concern(Record& record, detail::ServiceGroups::Group group) {
  const std::uint32_t slot = record.id.slot;
  const bool waits_for_order = order_ && order_->waits(slot);
  const bool backs_off = record.phase == Phase::backing_off;
  if (record.waits_for_end()) {
    miss(record, group);
    if (record.run_alive) ask_to_stop(record, StopCause::sibling);  // otherwise its own end follows
  } else if (groups_->waits(slot)) {                                // also one that has never begun a run
    look_after([&] { groups_->take_over(slot, group); });
  } else if (backs_off && (waits_for_order || is_limited(record))) {
    scheduler_.disarm(record);
    record.timer_is_due = false;
    wait_no_more(record);
    if (waits_for_order)
      order_->starts_by_hand(slot);  // it waited when one that it is after became unready, if one did
    (void)waits_for_siblings(record);
  } else if (record.phase == Phase::stopping || (backs_off && (record.armed() || record.timer_is_due))) {
    miss(record, group);
  }
}

// Nobody is missing any more. Those that wait start, in the order of adding.
void Supervisor::end_round(detail::ServiceGroups::Group group) {
  groups_->end_round(group);
  if (shutdown_begun_) return;
  groups_->for_each(group, [&](std::uint32_t slot) {
    if (!groups_->waits_for(slot, group)) return;
    Record& record = *services_.find(slot);
    leave_round(record);
    start_unless_it_waits(record);
  });
}

// It starts with the others of the round, as soon as it can.
void Supervisor::miss(const Record& record, detail::ServiceGroups::Group group) noexcept {
  look_after([&] {
    if (groups_->miss(record.id.slot, group)) --counters_.waiting_services;
  });
}

void Supervisor::leave_round(const Record& record) noexcept {
  if (!groups_) return;
  look_after([&] {
    if (groups_->leave(record.id.slot)) --counters_.waiting_services;
  });
}

// What leaves a round may complete it.
template <class Act>
void Supervisor::look_after(const Act& act) noexcept {
  const bool none_was = !groups_->has_complete_round();
  act();
  if (none_was && groups_->has_complete_round()) look_at_order();
}

// It has terminated, and not by a command, and not because it has done its work or was never to start again.
bool Supervisor::is_lost(const Record& record) const noexcept {
  switch (record.reason) {
    case Termination::Reason::completed: return false;
    case Termination::Reason::failed:
    case Termination::Reason::circuit_open: return true;
    case Termination::Reason::cancelled: return record.stop_cause == StopCause::group_lost;
    case Termination::Reason::abandoned: break;
  }
  return !is_final(record.stop_cause) || record.stop_cause == StopCause::group_lost;
}

// And so is every group that it is in. All their services stop for good, from the last to the first.
void Supervisor::lose_group_of(const Record& record, GroupLoss cause) {
  std::string_view child = record.name.text();
  auto group = groups_->group_of(record.id.slot);
  while (true) {
    groups_->lose(group);
    emit(event::GroupLost{groups_->path(group), cause, child});
    if (groups_->parent(group) == detail::ServiceGroups::kNone) break;
    child = groups_->path(group);
    cause = GroupLoss::child;
    group = groups_->parent(group);
  }
  groups_->for_each_back(group, 0, [&](std::uint32_t slot) {
    Record& one = *services_.find(slot);
    // One whose adding has not been reported comes after the loss, and begins the group anew.
    if (one.phase != Phase::terminated && one.events > 0) stop_for_good(one, StopCause::group_lost);
  });
}

// It has terminated.
[[gnu::cold, gnu::noinline]] void Supervisor::look_at_what_its_end_means(Record& record) {
  leave_round(record);
  if (shutdown_begun_) return;
  const ServicePolicy& policy = record.policy->in_force;
  const bool lost = is_lost(record);
  const bool by_command =
      record.reason != Termination::Reason::completed && !lost && record.stop_cause != StopCause::dependency_stop;
  const bool ends_fleet =
      policy.ends_fleet == EndsFleet::always ? !by_command : policy.ends_fleet == EndsFleet::when_lost && lost;
  if (ends_fleet && ended_by_.empty()) {
    try {
      ended_by_ = record.name.text();
    } catch (const std::bad_alloc&) {  // then the result does not name it
      lacked_memory();
    }
    if (!shutdown_asked_at_) shutdown_asked_at_ = now_;  // who is added from now on would come too late
    enqueue_or_owe({.kind = Input::Kind::fleet_ends});
  }
  if (!lost || !groups_ || !groups_->has(record.id.slot)) return;
  const bool has_failed = record.reason == Termination::Reason::failed;
  const bool was_stopped = !has_failed && record.reason != Termination::Reason::circuit_open;
  if (was_stopped && record.stop_cause == StopCause::group_lost) return;  // with its group
  if (has_failed && policy.restart == RestartPolicy::never) return;
  lose_group_of(record, GroupLoss::child);
}

void Supervisor::on_fleet_ends() { on_shutdown(ShutdownCause::ends_fleet); }

// A probe that has said that it ended, before the supervisor got to it, did not stay up.
void Supervisor::on_probe_up(Record& record) {
  if (record.run_alive) reset_retries(record);
}

void Supervisor::on_grace_over(Record& record) {
  if (record.killed || !record.service.can_be_killed()) return give_up(record);
  kill(record);
  if (record.run_alive) give_grace(record);
}

// The run did not stop in time. If that was not for good, the service goes on without it where that is possible.
void Supervisor::give_up(Record& record) {
  const bool goes_on = !is_final(record.stop_cause) && record.service.runs_side_by_side() &&
                       abandoned_runs_.count(record) < config_.abandoned_runs_max;
  if (!goes_on || !set_aside(record)) return abandon(record);
  abandon_and_go_on(record);
}

void Supervisor::abandon_and_go_on(Record& record) {
  ++counters_.abandoned_runs;
  close_run(record);
  emit(record, event::Abandoned{now_ - record.stop_asked_at()});
  if (record.stop_cause == StopCause::restart) return begin_by_hand(record);
  if (record.stop_cause == StopCause::dependency) return wait_after_stop(record);
  if (record.stop_cause == StopCause::sibling) return back_off_with_siblings(record);
  record.last_run_failed = true;
  record.last_error = missed_deadline(record, {});
  if (record.stop_cause == StopCause::start_timeout) count_failed_start(record);
  on_unasked_special_end(record, Outcome::failed, was_ready_for(record));
}

// False: there is no memory.
bool Supervisor::set_aside(Record& record) noexcept {
  try {
    abandoned_runs_.add_present_run_of(record);
    return true;
  } catch (const std::bad_alloc&) {
    lacked_memory();
    return false;
  }
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
  record.has_pid = false;
  record.run_began = now_;
  emit(record, event::Started{});
  const Run run{record, record.id, record.run};
  try {
    record.service.start(run);
  } catch (...) {
    run.end(Exit::from_current_exception());
  }
  if (record.starts_specially) [[unlikely]]
    return begin_specially(record);
  set_phase(record, Phase::running);
  emit(record, event::Running{pid_of(record)});
}

// A command starts it, whoever is ready and whoever waits.
void Supervisor::begin_by_hand(Record& record) {
  wait_no_more(record);
  if (order_) order_->starts_by_hand(record.id.slot);
  begin_run(record);
}

// The run is not ready at once or is watched, or perhaps it is a probe. Like a grace, the time until it is to be ready
// begins when start() has returned: a run that takes exactly as long is ready in time.
[[gnu::cold, gnu::noinline]] void Supervisor::begin_specially(Record& record) {
  const ServicePolicy& policy = record.policy->in_force;
  if (policy.ready == Ready::at_once) {
    const bool is_needed = order_ && order_->is_needed(record.id.slot);
    const bool has_siblings = groups_ && groups_->has(record.id.slot);
    record.starts_specially = record.retries.breaker_has_opened || policy.watchdog || is_needed || has_siblings;
    return become_ready(record);
  }
  record.awaits_ready = true;
  if (limit_) limit_->services.begins_to_start();
  if (policy.start_timeout && record.run_alive) wake_at(record, now_ + *policy.start_timeout);
}

void Supervisor::become_ready(Record& record) {
  forget_readiness(record);
  set_phase(record, Phase::running);
  emit(record, event::Running{pid_of(record)});
  tell_order(record, true);
  const bool probes = record.retries.breaker_has_opened;
  const auto probe_success_after =
      probes ? std::optional{record.policy->backoff().breaker->half_open->probe_success_after} : std::nullopt;
  if (const auto watchdog = record.policy->in_force.watchdog) {
    detail::Watch& watch = watches_[record.id.slot];
    watch.begin(now_, probe_success_after);
    if (record.run_alive) watch_until(record, watch, now_ + *watchdog);
  } else if (probes && record.run_alive) {
    wake_at(record, now_ + *probe_success_after);
  }
}

// The one timer of the service waits for both.
void Supervisor::watch_until(Record& record, detail::Watch& watch, TimePoint at) noexcept {
  watch.by = std::min(at, watch.probe_up_at);
  wake_at(record, watch.by);
}

// The run is ready, or never will be.
void Supervisor::forget_readiness(Record& record) noexcept {
  if (limit_ && record.awaits_ready) {
    limit_->services.starts_no_more();
    arm_limit();
  }
  record.awaits_ready = record.ready_is_due = false;
}

void Supervisor::close_run(Record& record) {
  record.run_open = false;
  record.running_time = saturating_add(record.running_time, record.lasted(now_));
}

void Supervisor::wake_again(Record& record) noexcept { wake_at(record, record.deadline()); }

void Supervisor::give_grace(Record& record) noexcept { wake_at(record, now_ + record.policy->stop_grace); }

void Supervisor::ask_to_stop(Record& record, StopCause cause) {
  record.stop_cause = cause;
  record.killed = record.kill_failed = false;
  forget_readiness(record);
  if (record.phase == Phase::running) tell_order(record, false);
  set_phase(record, Phase::stopping);
  emit(record, event::Stopping{cause});
  if (!record.run_alive) return;  // it has ended by itself, and its end is still queued
  try {
    record.service.stop(Run{record, record.id, record.run});
  } catch (...) {
    emit(record, event::StopThrew{Error::from_current_exception().text()});
  }
  // The grace timer starts after stop(). A run that takes exactly as long as its grace then counts as stopped in time.
  if (record.run_alive) give_grace(record);
}

void Supervisor::kill(Record& record) {
  record.killed = true;
  ++counters_.killed_runs;
  emit(record, event::Killed{now_ - record.stop_asked_at()});
  try {
    record.service.kill(Run{record, record.id, record.run});
  } catch (...) {
    record.kill_failed = true;
    emit(record, event::KillThrew{Error::from_current_exception().text()});
  }
}

void Supervisor::abandon(Record& record) {
  ++counters_.abandoned_runs;
  close_run(record);
  scheduler_.disarm(record);
  record.wait_began_at(record.stop_asked_at());
  terminate(record, Termination::Reason::abandoned);
}

void Supervisor::stop_for_good(Record& record, StopCause cause) {
  if (record.waits_for_end()) return ask_to_stop(record, cause);
  switch (record.phase) {
    case Phase::starting:
    case Phase::running:
      wait_no_more(record);
      record.stop_cause = cause;
      return terminate(record, Termination::Reason::cancelled);
    case Phase::backing_off:
      wait_no_more(record);
      set_phase(record, Phase::stopping);
      record.stop_cause = cause;
      emit(record, event::Stopping{cause});
      return terminate(record, Termination::Reason::cancelled);
    case Phase::stopping:
      if (is_final(record.stop_cause)) return;
      record.stop_cause = cause;
      emit(record, event::Stopping{cause});
      return;
    case Phase::terminated: return;
  }
}

void Supervisor::terminate(Record& record, Termination::Reason why) {
  set_phase(record, Phase::terminated);
  if (record.retries.breaker_has_opened) {
    record.retries.breaker_has_opened = false;
    --counters_.open_breakers;
  }
  record.reason = why;
  ++counters_.terminated;
  --counters_.active_services;
  const bool ended_badly = record.last_run_failed && why != Termination::Reason::abandoned;
  emit(record, event::Terminated{termination_of(record), ended_badly ? record.last_error.text() : std::string_view{}});
  if (order_) stop_those_before(record);
  if (groups_ || record.policy->in_force.ends_fleet != EndsFleet::never) look_at_what_its_end_means(record);
  if (record.remove_begun) {
    forget(record);
  } else if (record.policy->in_force.forget_when_done) {
    // A step of its own: whoever goes through all services must not lose one on the way.
    enqueue_or_owe({.kind = Input::Kind::forget, .tenancy = record.tenancy, .record = &record});
  }
  if (counters_.active_services > 0 || drain_is_over_) return;
  if (drain_outcome_) {
    finish_drain();
  } else if (shutdown_begun_) {
    on_drain_over(DrainOutcome::drained);
  } else if (config_.when_all_terminated == WhenAllTerminated::return_) {
    enqueue_or_owe({.kind = Input::Kind::all_terminated});
  }
}

void Supervisor::add_again_in_place(Record& record) {
  remember_removal(record, now_);
  const detail::Past past{.runs = record.run, .incarnation = incarnations_.next_of(record.hash, now_)};
  // What can fail comes first.
  if (record.run_alive) abandoned_runs_.add_present_run_of(record);
  incarnations_.set_past(record, past);
  emit(record, event::Removed{});
  ++record.id.generation;
  HOLDFAST_ASSERT(record.id.generation != 0, "the ids of a slot are used up");
  record.phase = Phase::starting;  // not a transition: another service begins
  record.first_run_due = true;
  record.last_run_failed = false;
  forget_counts(record);
  record.failures = record.events = 0;
  record.added_at = record.phase_since = now_;
  record.running_time = Duration::zero();
  record.last_error = {};
  ++counters_.spawned;
  ++counters_.active_services;
  if (order_) order_->comes_back(record.id.slot);
  if (groups_) groups_->comes_back(record.id.slot);
  on_added(record);
}

// Unless a restart or a shutdown has overtaken that.
void Supervisor::forget_if_done(Record& record) {
  if (record.phase == Phase::terminated && !shutdown_begun_) forget(record, {.forgotten = true});
}

void Supervisor::forget(Record& record, event::Removed why) {
  if (!record.name_freed) free_name(record, now_);
  if (shutdown_begun_ && !drain_is_over_) list_removed(record);
  emit(record, why);
  objects_.erase(record.service);
  forget_side_entries(record);
  services_.forget(record);
}

// ---------------------------------------------------------------------------------------------------------------------
// Events
// ---------------------------------------------------------------------------------------------------------------------

// A sink that throws stops no step in the middle.
template <class Kind>
void Supervisor::emit_of(RunNumber run, Record& record, const Kind& what) noexcept {
  try {
    sink_.on_event({now_, record.id, record.name.text(), record.hash, ++record.events, run, what});
  } catch (...) {
    sink_threw();
  }
}

template <class Kind>
void Supervisor::emit(const Kind& what) noexcept {
  try {
    sink_.on_event({now_, {}, {}, 0, ++events_, {}, what});
  } catch (...) {
    sink_threw();
  }
}

DrawKey Supervisor::draw_key(ServiceId service) const noexcept {
  const Record* const record = services_.find(service);
  HOLDFAST_ASSERT(record, "the draw key of a service that is not present");
  return key_of(*record);
}

// ---------------------------------------------------------------------------------------------------------------------
// Bookkeeping
// ---------------------------------------------------------------------------------------------------------------------

const detail::SharedPolicy& Supervisor::policy_for(const ServicePolicy& given) {
  if (given == ServicePolicy{}) return own_policy_;
  if (const auto* const found = latest_policies_.find(given)) return *found;
  const ServicePolicy policy = in_force(given, config_);
  auto warnings = problems(given);
  if (given.stop_grace) warn_of_idle_grace(warnings, *given.stop_grace, config_.shutdown_timeout);
  warn_of_endless_clean_ends(warnings, policy, config_);
  return latest_policies_.keep(
      {this, given, policy, policy.stop_grace.value_or(config_.shutdown_timeout), std::move(warnings)});
}

std::optional<std::uint32_t> Supervisor::pid_of(const Record& record) const noexcept {
  return record.has_pid ? std::optional{pids_[record.id.slot]} : std::nullopt;
}

// If there is no memory for its number, it is counted later.
void Supervisor::count_clean_exit(Record& record) noexcept {
  const std::uint32_t slot = record.id.slot;
  try {
    if (slot >= clean_exits_.size()) clean_exits_.resize(slot + std::size_t{1});
    ++clean_exits_[slot];
  } catch (const std::bad_alloc&) {
    record.clean_exit_is_due = true;
    owe(kRecords);
  }
}

// There is room for it since the service was added.
void Supervisor::count_failed_start(const Record& record) noexcept {
  ++counters_.failed_starts;
  ++failed_starts_[record.id.slot];
}

void Supervisor::forget_counts(const Record& record) noexcept {
  const std::uint32_t slot = record.id.slot;
  if (slot < clean_exits_.size()) clean_exits_[slot] = 0;
  if (slot < failed_starts_.size()) failed_starts_[slot] = 0;
  if (slot < watches_.size()) watches_[slot] = {};
}

// "not ready within 30s", "no heartbeat for 10s", with what the run itself returned behind it.
Error Supervisor::missed_deadline(const Record& record, const Error& returned) const noexcept {
  const ServicePolicy& policy = record.policy->in_force;
  const bool hangs = record.stop_cause == StopCause::watchdog;
  try {
    std::string says =
        hangs ? "no " + std::string{in_words(policy.watchdog_needs)} + " for " + to_string(*policy.watchdog)
              : "not ready within " + to_string(*policy.start_timeout);
    if (!returned.text().empty()) (says += ": ") += returned.text();
    return Error{says};
  } catch (const std::bad_alloc&) {
    lacked_memory();
    return Error::literal(hangs ? "no sign of life in time" : "not ready in time");
  }
}

// A run that ended before it was ready, or that missed a deadline. Nothing at all if it never was, so that it never
// resets the backoff.
Duration Supervisor::was_ready_for(const Record& record) const noexcept {
  if (record.phase != Phase::stopping || record.stop_cause != StopCause::watchdog) return Duration::zero();
  return record.stop_asked_at() - watches_[record.id.slot].ready_since;
}

void Supervisor::forget_side_entries(Record& record) noexcept {
  incarnations_.forget_past(record);
  abandoned_runs_.forget(record);
  forget_counts(record);
  if (order_) order_->forget(record);
  if (groups_) groups_->forget(record.id.slot);
}

// A breaker opens with the very failure that fills it.
Termination Supervisor::termination_of(const Record& record) noexcept {
  Termination why{.reason = record.reason};
  if (why.reason == Termination::Reason::circuit_open) {
    why.failures = why.max_failures = record.policy->backoff().breaker->max_failures;
  } else if (why.reason == Termination::Reason::abandoned) {
    why.after = record.waited();
  }
  return why;
}

DrawKey Supervisor::key_of(const Record& record) const noexcept {
  return {seed_, record.hash, record.added_at, incarnations_.past_of(record).incarnation};
}

// Without memory for it a service that is added under this name in the same instant repeats the draws.
void Supervisor::remember_removal(const Record& record, TimePoint now) noexcept {
  if (!incarnations_.remember_removal(record, now)) lacked_memory();
}

void Supervisor::free_name(Record& record, TimePoint now) {
  record.name_freed = true;
  remember_removal(record, now);
  services_.free_name(record);
}

}  // namespace holdfast
