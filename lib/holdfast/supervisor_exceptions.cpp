// What the supervisor does when a sink throws, and when there is no memory.
//
// A sink that throws interrupts nothing: the supervisor keeps its exception, finishes all that is queued, and then
// throws it out of the scheduler's handler. A command that cannot get memory is refused as a whole: add() and the
// others throw std::bad_alloc and have done nothing. A step that must happen nevertheless, such as the end of a run, is
// marked in the service's record, and the loop does it later.
#include <exception>
#include <new>
#include <string>
#include <utility>

#include <holdfast/supervisor.hpp>

namespace holdfast {

using detail::Input;

void Supervisor::sink_threw() noexcept {
  try {
    try {
      throw;
    } catch (const std::exception& exception) {
      std::throw_with_nested(SinkError{std::string{"an event sink threw: "} + exception.what()});
    } catch (...) {
      std::throw_with_nested(SinkError{"an event sink threw something that is not a std::exception"});
    }
  } catch (...) {
    keep_exception(std::current_exception());
  }
}

void Supervisor::lacked_memory() const noexcept {
  if (arrivals_) arrivals_->lacked_memory();
}

// The first one is thrown again when all that was queued is done.
void Supervisor::keep_exception(std::exception_ptr exception) noexcept {
  if (!exception_) exception_ = std::move(exception);
  owe(kException);
}

void Supervisor::owe(std::uint16_t what) noexcept {
  owed_ |= what;
  if ((attention_ & kProcesses) == 0) wake_loop();
}

// Room for these is in the supervisor and its records.
void Supervisor::owe_input(Input& input) noexcept {
  lacked_memory();
  switch (input.kind) {
    case Input::Kind::shutdown: owed_cause_ = input.cause; return owe(kShutdown);
    case Input::Kind::end_drain: owed_cause_ = input.cause; return owe(kEndDrain);
    case Input::Kind::all_terminated: return owe(kAllTerminated);
    case Input::Kind::abandon_rest: return owe(kAbandonRest);
    case Input::Kind::fleet_ends: return owe(kFleetEnds);
    case Input::Kind::first_start:
    case Input::Kind::forget: input.record->next_step_is_due = true; return owe(kRecords);
    case Input::Kind::run_ended:
      apply_exit_rules(*input.record, input);
      input.record->due_end = (1U + static_cast<unsigned>(input.outcome)) & 7U;
      if (is_failure(input.outcome)) input.record->last_error = std::move(input.error);
      return owe(kRecords);
    default: return;
  }
}

// Does the steps for which there was no memory. If there is still none, they wait for the next input or timer.
void Supervisor::pay_what_is_owed() {
  for (std::uint16_t owed = std::exchange(owed_, std::uint16_t{0}) & kAllButException; owed != 0;
       owed = std::exchange(owed_, std::uint16_t{0}) & kAllButException) {
    now_ = scheduler_.now();
    pay(owed);
    take_inputs();
    if ((owed_ & owed) != 0) break;
  }
  owed_ &= kAllButException;
  attention_ &= kTells;
  if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
}

void Supervisor::pay(std::uint16_t owed) noexcept {
  if ((owed & kRecords) != 0) {
    for (Record *record = services_.first(), *next = nullptr; record; record = next) {
      next = services_.next(*record);
      pay(*record);
    }
  }
  if ((owed & kShutdown) != 0) on_shutdown(owed_cause_);
  if ((owed & kAllTerminated) != 0 && counters_.active_services == 0) on_shutdown(ShutdownCause::all_terminated);
  if ((owed & kDrainTimer) != 0 && !drain_outcome_ && !drain_timer_.armed()) arm_drain_timer();
  if ((owed & kLimit) != 0) arm_limit();
  if ((owed & kOrder) != 0) on_gates_changed();
  if ((owed & kFleetEnds) != 0) on_fleet_ends();
  if ((owed & kEndDrain) != 0) on_drain_over(DrainOutcome::cut_short, detail::signal_of(owed_cause_));
  if ((owed & kAbandonRest) != 0) abandon_rest();
}

// The steps that it calls throw nothing: only a restart in place may.
void Supervisor::pay(Record& record) noexcept {
  if (record.clean_exit_is_due) {
    record.clean_exit_is_due = false;
    count_clean_exit(record);
  }
  if (record.timer_is_due) {
    record.timer_is_due = false;
    const bool runs = record.phase == Phase::running && (record.retries.breaker_has_opened || record.is_watched());
    const bool starts = record.awaits_ready && record.policy->in_force.start_timeout;
    const bool waits = record.phase == Phase::backing_off || record.phase == Phase::stopping || runs || starts;
    if (waits && !record.armed()) wake_again(record);
  }
  if (record.next_step_is_due && record.phase != Phase::terminated) {
    record.next_step_is_due = false;
    on_first_start(record);
  }
  if (record.ready_is_due) {
    record.ready_is_due = false;
    on_ready(record, record.run);
  }
  if (record.due_end != 0) {
    detail::Input end{.kind = detail::Input::Kind::run_ended, .outcome = static_cast<Outcome>(record.due_end - 1)};
    if (is_failure(end.outcome)) end.error = record.last_error;
    record.due_end = 0;
    on_run_ended(record, end);
  }
  if (record.next_step_is_due) {  // the last step: the record may be gone after it
    record.next_step_is_due = false;
    forget_if_done(record);
  }
}

// Adds the service's name to the lists it belongs to. If there is no memory for the name, the service is counted.
void Supervisor::list_in(ShutdownResult& result, const Record& record) noexcept {
  using Reason = Termination::Reason;
  try {
    if (record.reason == Reason::abandoned) {
      result.abandoned.emplace_back(record.name.text());
    } else if (record.reason == Reason::failed || record.reason == Reason::circuit_open) {
      result.failed.emplace_back(record.name.text());
    } else if (record.ended_badly_in_drain) {
      result.errors.push_back({std::string{record.name.text()}, std::string{record.last_error.text()}});
    }
  } catch (const std::bad_alloc&) {
    ++result.unnamed;
  }
}

void Supervisor::list_groups_in(ShutdownResult& result) noexcept {
  result.ended_by = std::move(ended_by_);
  for (detail::ServiceGroups::Group group = 0; groups_ && group < groups_->size(); ++group) {
    if (!groups_->is_lost(group)) continue;
    try {
      result.lost_groups.push_back(groups_->path(group));
    } catch (const std::bad_alloc&) {
      ++result.unnamed;
    }
  }
}

void Supervisor::list_removed(const Record& record) noexcept {
  if (record.reason == Termination::Reason::abandoned || record.ended_badly_in_drain)
    list_in(removed_in_drain_, record);
}

}  // namespace holdfast
