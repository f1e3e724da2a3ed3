#include <holdfast_sim/explain/detail/causes.hpp>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <variant>

namespace holdfast::sim::detail {

namespace {

class Reader {
 public:
  Reader(const std::deque<Happening>& all, const Scenario& scenario) : all_(all), scenario_(scenario) {}

  std::vector<Cause> read() {
    causes_.reserve(all_.size());
    for (i_ = 0; i_ < all_.size(); ++i_) {
      if (const auto* const chaos = all_[i_].chaos()) {
        causes_.push_back(of(*chaos));
      } else {
        const Event& event = *all_[i_].event();
        causes_.push_back(std::visit([&](const auto& what) { return of(event, what); }, event.what));
      }
    }
    return std::move(causes_);
  }

 private:
  static Cause because(CauseKind by, std::size_t from, Why why = Why::as_ever) {
    return {.by = by, .why = why, .from = from};
  }

  // The latest of these events; kNone stands before all.
  template <class... Index>
  static std::size_t latest(Index... indices) {
    std::size_t found = kNone;
    for (const std::size_t index : {indices...}) {
      if (index != kNone && (found == kNone || index > found)) found = index;
    }
    return found;
  }
  static bool is_later(std::size_t index, std::size_t than) {
    return index != kNone && (than == kNone || index > than);
  }

  // -- Chaos
  // ------------------------------------------------------------------------------------------------------------

  Cause of(const ChaosEvent& chaos) {
    switch (chaos.kind) {
      case ChaosEvent::Kind::outage: return outage(chaos);
      case ChaosEvent::Kind::failing_starts: faults_.push_back(i_); break;
      case ChaosEvent::Kind::hang: hang_ = i_; break;
      case ChaosEvent::Kind::slow: break;
      case ChaosEvent::Kind::stalled: stalled_ = i_; break;
      case ChaosEvent::Kind::drain_late:
      case ChaosEvent::Kind::late: late_ = i_; break;
      case ChaosEvent::Kind::ended_unseen: unseen_ = i_; return because(CauseKind::event, started_);
      case ChaosEvent::Kind::gone: gone_ = i_; break;
      case ChaosEvent::Kind::storm: storm_ = i_; break;
      case ChaosEvent::Kind::run_hang:
        run_hang_ = i_;
        if (chaos.cause == "hang at stop") break;  // by chaos
        return {.by = CauseKind::draw, .why = Why::by_itself, .from = started_, .enough = true};
      case ChaosEvent::Kind::waits: waits_ = i_; return because(CauseKind::event, started_);
      case ChaosEvent::Kind::served: return because(CauseKind::event, waits_);
      case ChaosEvent::Kind::silent: silent_ = i_; return because(CauseKind::event, latest(hang_, run_hang_));
      case ChaosEvent::Kind::heard: return because(CauseKind::event, latest(running_, started_));
    }
    return {.by = CauseKind::disturbance};
  }

  // One that no entry began: it is broken by a failure of its own, or a run has met starts that all fail.
  Cause outage(const ChaosEvent& chaos) {
    outages_.push_back(i_);
    if (chaos.entry != ChaosEvent::kNoEntry) return {.by = CauseKind::disturbance};
    const auto fault = std::find_if(faults_.rbegin(), faults_.rend(), [&](std::size_t each) {
      return all_[each].chaos()->until == chaos.until && all_[each].chaos()->cause == chaos.cause;
    });
    if (fault != faults_.rend()) return because(CauseKind::event, *fault);
    return {.by = CauseKind::draw, .why = Why::by_itself, .from = started_, .enough = true};
  }

  // -- Events
  // -----------------------------------------------------------------------------------------------------------

  template <event::OnlyInforms What>
  Cause of(const Event&, const What&) {
    const std::size_t before = latest(added_, stopping_, running_);
    return before == kNone ? Cause{} : because(CauseKind::event, before);
  }
  Cause of(const Event&, const event::Added& what) {
    added_ = i_;
    policy_ = what.policy;
    const std::size_t removed = removed_;
    started_ = running_ = ended_ = backing_off_ = waiting_ = stopping_ = tripped_ = removed_ = kNone;
    unseen_ = kNone;
    failures_.clear();
    ends_.clear();
    trips_.clear();
    return removed == kNone ? Cause{} : because(CauseKind::command, removed);
  }
  Cause of(const Event&, const event::Started&) {
    Cause cause = cause_of_start();
    if (cause.by != CauseKind::command) cause.also = late_now();
    started_ = i_;
    running_ = stopping_ = killed_ = abandoned_ = waits_ = run_hang_ = silent_ = unseen_ = kNone;
    return cause;
  }
  // Why what happens now happens so late.
  std::size_t late_now() const {
    const std::size_t why = latest(stalled_, late_);
    return why != kNone && all_[why].chaos()->until == all_[i_].at() ? why : kNone;
  }
  // Why somebody had to be killed or given up, or that it happens so late.
  std::size_t hanging_or_late_now() const { return hanging_now() != kNone ? hanging_now() : late_now(); }
  Cause cause_of_start() const {
    if (started_ == kNone && ended_ == kNone) return because(CauseKind::event, latest(added_, waiting_));
    const std::size_t over = latest(ended_, abandoned_);
    if (!is_later(backing_off_, over)) return because(CauseKind::event, over);  // after a stop for a restart
    if (is_later(commanded_, backing_off_)) return because(CauseKind::command, commanded_);
    if (is_later(waiting_, backing_off_)) return because(CauseKind::event, waiting_);
    return because(CauseKind::timer, backing_off_);
  }
  Cause of(const Event&, const event::Running&) {
    running_ = i_;
    const bool slow = added_ != kNone && policy().ready == Ready::notified;
    return because(slow ? CauseKind::draw : CauseKind::event, started_);
  }

  Cause of(const Event& event, const event::Ended& ended) {
    Cause cause = cause_of_end(event, ended);
    ended_ = i_;
    const bool asked = stopping_ != kNone && !is_missed_deadline(all_[stopping_].as<event::Stopping>()->cause);
    if (asked) return cause;
    cause.failed = is_failure(ended.outcome);
    ends_.push_back(i_);
    if (cause.failed) failures_.push_back(i_);
    return cause;
  }

  Cause cause_of_end(const Event& event, event::Ended ended) const {
    const TimePoint over_at = unseen_ == kNone ? event.at : all_[unseen_].at();
    ended.lasted -= event.at - over_at;  // before the supervisor knew
    if (killed_ != kNone) return because(CauseKind::event, killed_, Why::killed);
    if (stopping_ != kNone) return because(CauseKind::event, stopping_, Why::stopped);
    const std::size_t crash = latest(storm_, outages_.empty() ? kNone : outages_.back());
    if (is_later(crash, started_) && all_[crash].at() == over_at && all_[crash].chaos()->cause == ended.error &&
        all_[crash].chaos()->entry != ChaosEvent::kNoEntry) {
      return {.by = CauseKind::disturbance, .why = Why::crashed, .from = started_, .also = crash, .enough = true};
    }
    if (started_ != kNone) {
      if (const auto outage = begun_in(outages_, ended); outage != kNone) {
        const bool is_fault = causes_[outage].by == CauseKind::event;  // what began with it is shown, and not it
        return {.by = CauseKind::disturbance,
                .why = is_fault ? Why::met_fault : Why::in_outage,
                .from = started_,
                .also = is_fault ? causes_[outage].from : outage};
      }
      if (const auto fault = begun_in(faults_, ended); fault != kNone)
        return {.by = CauseKind::disturbance, .why = Why::met_fault, .from = started_, .also = fault};
    }
    if (ended.error == "simulated failure at first")
      return {.by = CauseKind::outside, .why = Why::first_runs, .from = started_, .enough = true};
    if (waits_ != kNone && ended.error.starts_with("simulated: gave up on "))
      return because(CauseKind::timer, waits_, Why::gave_up);
    if (ended.error.starts_with("simulated: refused by ")) return because(CauseKind::event, started_, Why::refused);
    if (hang_ != kNone && all_[hang_].chaos()->until == over_at)
      return {.by = CauseKind::timer, .why = Why::after_hang, .from = started_, .also = hang_, .enough = true};
    return {.by = CauseKind::draw, .why = Why::by_itself, .from = started_, .enough = true};
  }

  // The latest of these that was not over when the present run began, and of which it failed.
  std::size_t begun_in(const std::vector<std::size_t>& windows, const event::Ended& ended) const {
    const TimePoint began = all_[started_].at();
    const auto found = std::find_if(windows.rbegin(), windows.rend(), [&](std::size_t window) {
      const ChaosEvent& chaos = *all_[window].chaos();
      return chaos.at <= began && began < chaos.until && chaos.fails_after == ended.lasted &&
             chaos.cause == ended.error;
    });
    return found == windows.rend() ? kNone : *found;
  }

  Cause of(const Event&, const event::BackingOff& what) {
    backing_off_ = i_;
    if (what.cause == BackoffCause::breaker_open) {
      Cause cause = because(CauseKind::draw, tripped_);
      const std::size_t opened = nth_last(trips_, what.attempt);
      if (opened != kNone) cause.first = causes_[opened].first;
      return cause;
    }
    Cause cause = because(CauseKind::draw, latest(ended_, abandoned_));
    if (what.cause != BackoffCause::failure) {
      cause.by = CauseKind::event;
    } else {
      cause.first = nth_last(failures_, what.attempt);
    }
    return cause;
  }
  // The first of the last so many.
  static std::size_t nth_last(const std::vector<std::size_t>& events, std::uint64_t count) {
    if (events.empty() || count == 0) return kNone;
    return events[events.size() - std::min<std::uint64_t>(events.size(), count)];
  }
  Cause of(const Event&, const event::BreakerTripped& what) {
    tripped_ = i_;
    const auto& breaker = policy().backoff->breaker;
    const bool all_ends = breaker && breaker->counts == BreakerCounts::ends;
    Cause cause = because(CauseKind::event, latest(ended_, abandoned_));
    cause.first = nth_last(all_ends ? ends_ : failures_, what.failures);
    trips_.push_back(i_);
    return cause;
  }
  Cause of(const Event&, const event::BreakerClosed&) {
    if (is_later(commanded_, latest(running_, ended_))) return because(CauseKind::command, commanded_);
    if (is_later(ended_, running_)) return because(CauseKind::event, ended_);
    return because(CauseKind::timer, running_);
  }
  Cause of(const Event&, const event::Reconfigured& what) {
    commanded_ = i_;
    if (policy_ != nullptr && policy_->backoff != what.policy->backoff) {
      failures_.clear();
      ends_.clear();
      trips_.clear();
    }
    policy_ = what.policy;
    return {.by = CauseKind::command};
  }
  Cause of(const Event& event, const event::Commanded&) {
    commanded_ = i_;
    if (gone_ != kNone && all_[gone_].chaos()->until == event.at) return because(CauseKind::command, gone_);
    return {.by = CauseKind::command};
  }
  Cause of(const Event&, const event::Stopping& what) {
    const std::size_t before = stopping_;
    stopping_ = i_;
    switch (what.cause) {
      case StopCause::shutdown: return because(CauseKind::event, shutdown_);
      case StopCause::stop:
      case StopCause::restart:
      case StopCause::remove: return because(CauseKind::command, latest(commanded_, before));
      case StopCause::start_timeout: {
        Cause cause = because(CauseKind::timer, started_);
        cause.also = is_later(waits_, started_) ? waits_ : hanging_now();
        return cause;
      }
      case StopCause::watchdog: {
        Cause cause = because(CauseKind::timer, silent_ != kNone ? silent_ : running_);
        cause.also = hanging_now();
        return cause;
      }
      case StopCause::dependency:
      case StopCause::dependency_stop:
      case StopCause::sibling:
      case StopCause::group_lost: return {.by = CauseKind::outside, .from = latest(running_, started_, backing_off_)};
    }
    return {};
  }
  std::size_t hanging_now() const {
    const bool in_window = hang_ != kNone && all_[i_].at() <= all_[hang_].chaos()->until;
    return latest(in_window ? hang_ : kNone, run_hang_);
  }
  Cause of(const Event&, const event::Killed&) {
    killed_ = i_;
    Cause cause = because(CauseKind::timer, stopping_);
    cause.also = hanging_or_late_now();
    return cause;
  }
  Cause of(const Event&, const event::Abandoned&) {
    abandoned_ = i_;
    Cause cause = because(CauseKind::timer, latest(stopping_, killed_));
    cause.also = hanging_or_late_now();
    const auto* const stop = stopping_ == kNone ? nullptr : all_[stopping_].as<event::Stopping>();
    if (stop != nullptr && is_missed_deadline(stop->cause)) {
      cause.failed = true;
      failures_.push_back(i_);
      ends_.push_back(i_);
    }
    return cause;
  }
  Cause of(const Event&, const event::Terminated& what) {
    terminated_ = i_;
    switch (what.why.reason) {
      case Termination::Reason::circuit_open: return because(CauseKind::event, tripped_);
      case Termination::Reason::abandoned: {
        Cause cause = because(CauseKind::timer, latest(stopping_, killed_, abandoned_));
        cause.also = hanging_or_late_now();
        return cause;
      }
      case Termination::Reason::completed:
      case Termination::Reason::failed: return because(CauseKind::event, latest(ended_, abandoned_));
      case Termination::Reason::cancelled: break;
    }
    return because(CauseKind::event, latest(ended_, stopping_, commanded_, shutdown_));
  }
  Cause of(const Event&, const event::EndedLate&) { return because(CauseKind::event, latest(abandoned_, terminated_)); }
  Cause of(const Event&, const event::Waiting&) {
    const std::size_t before = latest(added_, backing_off_, waiting_);
    waiting_ = i_;
    return because(before == added_ ? CauseKind::event : CauseKind::timer, before);
  }
  Cause of(const Event&, const event::Removed& what) {
    removed_ = i_;
    return because(what.forgotten ? CauseKind::event : CauseKind::command, latest(commanded_, terminated_));
  }
  Cause of(const Event& event, const event::ShutdownRequested& what) {
    shutdown_ = i_;
    const bool by_itself = what.cause == ShutdownCause::all_terminated || what.cause == ShutdownCause::ends_fleet;
    if (by_itself) return because(CauseKind::event, terminated_);
    const bool by_chaos = std::any_of(scenario_.chaos.begin(), scenario_.chaos.end(), [&](const ChaosEntry& entry) {
      return std::holds_alternative<Shutdown>(entry.what) && TimePoint{} + entry.at == event.at;
    });
    return {.by = by_chaos ? CauseKind::disturbance : CauseKind::command};
  }
  Cause of(const Event&, const event::Drained& what) {
    if (what.outcome == DrainOutcome::drained && is_later(terminated_, shutdown_))
      return because(CauseKind::event, terminated_);
    return because(what.outcome == DrainOutcome::deadline ? CauseKind::timer : CauseKind::event, shutdown_);
  }

  // In force for it. REQUIRES: it was added.
  const ServicePolicy& policy() const { return *policy_; }

  const std::deque<Happening>& all_;
  const Scenario& scenario_;
  std::vector<Cause> causes_;
  std::size_t i_ = 0;
  const ServicePolicy* policy_ = nullptr;

  // The latest event of each sort; those below `started_` are of the present run.
  std::size_t added_ = kNone, removed_ = kNone, ended_ = kNone, backing_off_ = kNone, waiting_ = kNone;
  std::size_t commanded_ = kNone, tripped_ = kNone, terminated_ = kNone, shutdown_ = kNone;
  std::size_t storm_ = kNone, hang_ = kNone, gone_ = kNone;
  std::size_t started_ = kNone, running_ = kNone, stopping_ = kNone, killed_ = kNone, abandoned_ = kNone;
  std::size_t waits_ = kNone, run_hang_ = kNone, silent_ = kNone, unseen_ = kNone;
  std::size_t stalled_ = kNone, late_ = kNone;
  std::vector<std::size_t> outages_, faults_;  // in the order in which they began
  std::vector<std::size_t> failures_, ends_;   // of runs that nobody had asked to stop
  std::vector<std::size_t> trips_;
};

}  // namespace

std::vector<Cause> causes_of(const std::deque<Happening>& all, const Scenario& scenario) {
  return Reader{all, scenario}.read();
}

}  // namespace holdfast::sim::detail
