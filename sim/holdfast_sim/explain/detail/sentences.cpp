#include <holdfast_sim/explain/detail/sentences.hpp>

#include <algorithm>
#include <optional>
#include <string_view>
#include <variant>

#include <fmt/format.h>

#include <holdfast/backoff.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/random.hpp>
#include <holdfast_sim/explain/detail/lookout.hpp>
#include <holdfast_sim/scenario/detail/named.hpp>
#include <holdfast_sim/text/detail/human_text.hpp>

namespace holdfast::sim::detail {

namespace {

using holdfast::to_string;

std::string in_quotes(std::string_view text) { return file::in_quotes(text); }

std::string until_text(TimePoint until) { return until == TimePoint::max() ? "for ever" : "until " + moment(until); }

// "30 %", of a probability in units of 2^-32.
std::string share_text(std::uint64_t share) {
  constexpr unsigned kUnit = 32;
  return percent(static_cast<std::uint32_t>((share * 1'000'000 + (std::uint64_t{1} << (kUnit - 1))) >> kUnit));
}

// How likely a start fails that falls into what this entry began; nullopt: every start does.
std::optional<std::uint64_t> share_of(const ChaosEntry& entry) {
  Ratio share = GoingDown::kAllStarts;
  if (const auto* const outage = std::get_if<Outage>(&entry.what)) share = outage->failing_starts;
  if (const auto* const recorded = std::get_if<Recorded>(&entry.what)) share = recorded->failing_starts;
  if (share == GoingDown::kAllStarts) return std::nullopt;
  return share.two_to_minus_32;
}

std::string others_that_wait(std::uint64_t others) {
  if (others == 0) return {};
  return fmt::format(", and {} {} already", counted(others, "other service"), others == 1 ? "waits" : "wait");
}

}  // namespace

std::string law_text(const Distribution& law) {
  struct Text {
    std::string operator()(const Fixed& fixed) const { return "always " + to_string(fixed.value); }
    std::string operator()(const Uniform& uniform) const {
      return fmt::format("uniform from {} to {}", to_string(uniform.min), to_string(uniform.max));
    }
    std::string operator()(const Exponential& law) const { return "exponential with a mean of " + to_string(law.mean); }
    std::string operator()(const Weibull& law) const { return "a Weibull law with a scale of " + to_string(law.scale); }
    std::string operator()(const LogNormal& law) const {
      return "log-normal with a median of " + to_string(law.median);
    }
  };
  return std::visit(Text{}, law);
}

// ---------------------------------------------------------------------------------------------------------------------
// Where things stand
// ---------------------------------------------------------------------------------------------------------------------

std::string Sentences::entry_text(std::uint32_t entry) const {
  const auto line = line_of(entry);
  return line == 0 ? fmt::format("chaos[{}]", entry) : fmt::format("chaos[{}] (line {})", entry, line);
}

std::optional<std::uint32_t> Sentences::entry_of(std::size_t index) const {
  if (const auto* const chaos = all_[index].chaos()) {
    if (chaos->entry == ChaosEvent::kNoEntry) return std::nullopt;
    return chaos->entry;
  }
  if (all_[index].as<event::ShutdownRequested>() == nullptr || causes_[index].by != CauseKind::disturbance)
    return std::nullopt;
  const auto found = std::find_if(scenario_.chaos.begin(), scenario_.chaos.end(), [&](const ChaosEntry& entry) {
    return std::holds_alternative<Shutdown>(entry.what) && TimePoint{} + entry.at == all_[index].at();
  });
  return static_cast<std::uint32_t>(found - scenario_.chaos.begin());
}

const ServicePolicy* Sentences::policy_at(std::size_t index) const {
  for (std::size_t i = index + 1; i-- > 0;) {
    const Event* const event = all_[i].event();
    if (const ServicePolicy* const policy = event ? policy_in(*event) : nullptr) return policy;
  }
  return nullptr;
}

const FleetGroup* Sentences::group_of(std::size_t index) const {
  const auto group = roster_.group_of(all_[index].service());
  return group && *group < scenario_.fleet.size() ? &scenario_.fleet[*group] : nullptr;
}

std::string Sentences::run(std::size_t index) const {
  const Event* const event = all_[index].event();
  return event == nullptr || event->run.value == 0 ? "its run" : fmt::format("run {}", event->run.value);
}

// ---------------------------------------------------------------------------------------------------------------------
// Chaos
// ---------------------------------------------------------------------------------------------------------------------

std::string Sentences::of_starts(const ChaosEvent& chaos) const {
  const auto* const poison =
      chaos.entry < scenario_.chaos.size() ? std::get_if<Poison>(&scenario_.chaos[chaos.entry].what) : nullptr;
  if (poison != nullptr && (poison->from_start > 1 || poison->to_start)) {
    const auto last = poison->to_start ? fmt::format("to {}", *poison->to_start) : std::string{"on"};
    return fmt::format("{} starts from number {} {} fail after {}", until_text(chaos.until), poison->from_start, last,
                       to_string(chaos.fails_after));
  }
  const auto* const recorded =
      chaos.entry < scenario_.chaos.size() ? std::get_if<Recorded>(&scenario_.chaos[chaos.entry].what) : nullptr;
  if (recorded != nullptr && recorded->trace.has_severities()) {
    return fmt::format("{} a start fails after {} with the probability that the record has for it",
                       until_text(chaos.until), to_string(chaos.fails_after));
  }
  const auto share = chaos.entry < scenario_.chaos.size() ? share_of(scenario_.chaos[chaos.entry]) : std::nullopt;
  if (!share) return fmt::format("{} each start fails after {}", until_text(chaos.until), to_string(chaos.fails_after));
  return fmt::format("{} a start fails after {} with a probability of {}", until_text(chaos.until),
                     to_string(chaos.fails_after), share_text(*share));
}

// With what has taken slots away from the resource.
std::string Sentences::of_wait(const ChaosEvent& chaos) const {
  std::optional<std::uint32_t> worst;
  std::uint32_t slots = UINT32_MAX;
  for (std::uint32_t i = 0; i < scenario_.chaos.size(); ++i) {
    const ChaosEntry& entry = scenario_.chaos[i];
    const auto* const less = std::get_if<Capacity>(&entry.what);
    const TimePoint from = TimePoint{} + entry.at;
    if (less == nullptr || less->of != chaos.cause || from > chaos.at || entry.every) continue;
    const auto lasts = less->length ? less->length->fixed() : std::optional{Duration::max()};
    if (!lasts || from + *lasts <= chaos.at || less->slots >= slots) continue;
    slots = less->slots;
    worst = i;
  }
  auto waits = fmt::format("its run waits for {}", in_quotes(chaos.cause));
  if (!worst) return waits;
  return fmt::format("{}, which has {} because of {}", waits, counted(slots, "slot"), entry_text(*worst));
}

std::string Sentences::of_silence(std::size_t index, const ChaosEvent& chaos) const {
  for (std::size_t i = index; i-- > 0;) {
    if (all_[i].as<event::Started>() == nullptr) continue;
    if (chaos.until < all_[i].at()) return "its run gives no sign of life, from its beginning on";
    break;
  }
  return fmt::format("its run gives no sign of life any more; the latest was at {}", moment(chaos.until));
}

std::string Sentences::says(std::size_t index, const ChaosEvent& chaos) const {
  const std::string who = chaos.entry == ChaosEvent::kNoEntry ? std::string{} : entry_text(chaos.entry) + ": ";
  switch (chaos.kind) {
    case ChaosEvent::Kind::storm: return fmt::format("{}its run is made to fail: {}", who, in_quotes(chaos.cause));
    case ChaosEvent::Kind::outage:
      if (chaos.entry != ChaosEvent::kNoEntry) {
        const bool named = chaos.cause != "outage";
        return fmt::format("{}an outage begins{}; {}", who, named ? " (" + in_quotes(chaos.cause) + ")" : "",
                           of_starts(chaos));
      }
      if (causes_[index].by == CauseKind::event) return fmt::format("it is down with that; {}", of_starts(chaos));
      return fmt::format("it breaks down by itself; {}", of_starts(chaos));
    case ChaosEvent::Kind::hang: return fmt::format("{}it hangs {}", who, until_text(chaos.until));
    case ChaosEvent::Kind::run_hang:
      if (chaos.cause == "hang at stop") return "its run hangs now that it is asked to stop";
      return "its run hangs by itself: it neither ends nor obeys";
    case ChaosEvent::Kind::gone:
      return fmt::format("{}its host goes off {}, and the supervisor with it", who, until_text(chaos.until));
    case ChaosEvent::Kind::waits: return of_wait(chaos);
    case ChaosEvent::Kind::served: return fmt::format("its run has what it waited for: {}", in_quotes(chaos.cause));
    case ChaosEvent::Kind::failing_starts: {
      const bool poison = chaos.cause == "poison";
      return fmt::format("{}{}; {}", who, poison ? "its configuration is bad from now on" : "its starts begin to fail",
                         of_starts(chaos));
    }
    case ChaosEvent::Kind::slow: {
      const std::string_view what = chaos.cause == "hang at start"  ? "what starts hangs"
                                    : chaos.cause == "hang at stop" ? "what is asked to stop hangs"
                                                                    : "what starts is slow";
      return fmt::format("{}{}, {}", who, what, until_text(chaos.until));
    }
    case ChaosEvent::Kind::stalled:
      return fmt::format("{}the supervisor stands still {}", who, until_text(chaos.until));
    case ChaosEvent::Kind::late:
      return fmt::format("{}the supervisor's timer is late; what is due now comes at {}", who, moment(chaos.until));
    case ChaosEvent::Kind::drain_late:
      return fmt::format("{}the supervisor is late; the deadline of the drain, which is now, comes at {}", who,
                         moment(chaos.until));
    case ChaosEvent::Kind::ended_unseen:
      return "its run is over, and the supervisor, which stands still, does not know";
    case ChaosEvent::Kind::silent: return of_silence(index, chaos);
    case ChaosEvent::Kind::heard: return "its run gives a sign of life";
  }
  return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// Runs
// ---------------------------------------------------------------------------------------------------------------------

std::string Sentences::end(std::size_t index, const event::Ended& ended) const {
  const Cause& cause = causes_[index];
  const bool failed = is_failure(ended.outcome);
  const std::string verb = failed ? "fails" : "ends";
  const std::string error = ended.error.empty() ? std::string{} : ": " + in_quotes(ended.error);
  const std::string lasted = human(ended.lasted);
  switch (cause.why) {
    case Why::crashed: return fmt::format("{} {} with it, after {}{}", run(index), verb, lasted, error);
    case Why::in_outage:
      return fmt::format("{} {} after {}, because it began within the outage{}", run(index), verb, lasted, error);
    case Why::met_fault:
      return fmt::format("{} {} after {}, because it began while starts fail{}", run(index), verb, lasted, error);
    case Why::first_runs: {
      const auto* const group = group_of(index);
      return fmt::format("{} fails after {}: fails_first says that the first {} do", run(index), lasted,
                         group == nullptr ? "runs" : counted(group->behaviour.fails_first.runs, "run"));
    }
    case Why::gave_up: return fmt::format("{} gives up waiting, after {}{}", run(index), lasted, error);
    case Why::refused: return fmt::format("{} {} at once, because the queue is full{}", run(index), verb, error);
    case Why::after_hang: return fmt::format("{} {}, which was due while it hung{}", run(index), verb, error);
    case Why::stopped: {
      if (failed) return fmt::format("{} has failed with that{}", run(index), error);
      return fmt::format("{} stops{}", run(index), error);
    }
    case Why::killed: return fmt::format("{} ends by the kill{}", run(index), error);
    case Why::as_ever:
    case Why::by_itself: break;
  }
  const auto* const group = group_of(index);
  const auto* const law = group != nullptr && group->behaviour.runs_for ? &*group->behaviour.runs_for : nullptr;
  std::string drawn;
  if (law != nullptr && std::holds_alternative<Fixed>(*law)) drawn = ", as runs_for says";
  if (law != nullptr && !std::holds_alternative<Fixed>(*law)) drawn = ", drawn by runs_for: " + law_text(*law);
  return fmt::format("{} {} by itself after {}{}{}", run(index), verb, lasted, drawn, error);
}

std::string Sentences::begin(std::size_t index) const {
  const Cause& cause = causes_[index];
  std::string how;
  if (const auto* const waited = cause.from != kNone ? all_[cause.from].as<event::Waiting>() : nullptr) {
    const auto where = waited->waits_for == WaitsFor::dependency ? "of waiting for what it is after"
                       : waited->waits_for == WaitsFor::group    ? "of waiting for its group"
                                                                 : "in the queue";
    how = fmt::format(", after {} {}", human(all_[index].at() - all_[cause.from].at()), where);
  } else if (cause.by == CauseKind::command) {
    how = " by command";
  } else if (cause.from != kNone && all_[cause.from].as<event::Added>() != nullptr) {
    how = ", its first";
  }
  return fmt::format("{} begins{}{}", run(index), how, goings_on(index));
}

// What goes on when a run begins, and may make it fail.
std::string Sentences::goings_on(std::size_t index) const {
  const TimePoint at = all_[index].at();
  for (std::size_t i = index; i-- > 0;) {
    const auto* const chaos = all_[i].chaos();
    if (chaos == nullptr || chaos->until <= at) continue;
    if (chaos->kind == ChaosEvent::Kind::outage && causes_[i].by != CauseKind::event)
      return ", although the outage lasts " + until_text(chaos->until);
    if (chaos->kind == ChaosEvent::Kind::failing_starts) return ", while starts fail " + until_text(chaos->until);
  }
  return {};
}

std::string Sentences::wait(std::size_t index, const event::BackingOff& what) const {
  const auto* const policy = policy_at(index);
  if (what.cause == BackoffCause::dependency) return "it is to start again when what it is after is ready";
  if (what.cause == BackoffCause::sibling) return "it is to start again with the others of its group";
  if (what.cause == BackoffCause::clean_exit)
    return fmt::format("it waits {} after a clean exit (clean_restart_delay)", human(what.delay));
  if (what.cause == BackoffCause::breaker_open) {
    return fmt::format("opening {} in a row: it waits {}, drawn from {} to {}, before a single try", what.attempt,
                       human(what.delay), human(what.ceiling - what.ceiling / 2), human(what.ceiling));
  }
  const auto count = fmt::format("failure {} in a row", what.attempt);
  if (policy == nullptr || !policy->backoff) return fmt::format("{}: it waits {}", count, human(what.delay));
  const DelayRange range = delay_range(*policy->backoff, what.attempt);
  if (range.least == range.most) return fmt::format("{}: it waits {}", count, human(what.delay));
  return fmt::format("{}: it waits {}, drawn from {} to {}", count, human(what.delay), human(range.least),
                     human(range.most));
}

std::string Sentences::trip(std::size_t index, const event::BreakerTripped& what) const {
  const auto* const policy = policy_at(index);
  const auto* const breaker = policy != nullptr && policy->backoff->breaker ? &*policy->backoff->breaker : nullptr;
  const bool probe = breaker != nullptr && breaker->half_open && what.max_failures == 1 && breaker->max_failures != 1;
  if (probe) return "the breaker opens again: its single try has failed";
  const std::string limit = breaker == nullptr ? std::string{}
                                               : ", and max_failures is " + std::to_string(breaker->max_failures) +
                                                     " within " + to_string(breaker->window);
  const auto first = causes_[index].first;
  const std::string within =
      first == kNone || what.failures < 2 ? std::string{} : " within " + human(all_[index].at() - all_[first].at());
  return fmt::format("the breaker opens: {}{}{}", counted(what.failures, "failure"), within, limit);
}

// How long it would have needed, where that was drawn.
std::string Sentences::slow_start(std::size_t index, Duration allowed) const {
  const auto* const group = group_of(index);
  const auto* const event = all_[index].event();
  if (group == nullptr || !group->behaviour.ready_after || causes_[index].also != kNone) return {};
  TimePoint added;
  for (std::size_t i = 0; i < index; ++i) {
    if (all_[i].as<event::Added>() != nullptr) added = all_[i].at();
  }
  const Distribution& law = *group->behaviour.ready_after;
  const DrawKey key{.seed = seed_, .name = event->name_hash, .added_at = added};
  const auto* const fixed = std::get_if<Fixed>(&law);
  const Duration needs =
      fixed != nullptr ? fixed->value : sample(law, draw(key, Purpose::ready_length, event->run.value));
  if (needs <= allowed) return {};  // something else has changed it
  return fixed != nullptr ? fmt::format(": ready_after is {}", human(needs))
                          : fmt::format(": it needs {}, drawn by ready_after: {}", human(needs), law_text(law));
}

std::string Sentences::stop(std::size_t index, const event::Stopping& what) const {
  const auto* const policy = policy_at(index);
  switch (what.cause) {
    case StopCause::shutdown: return fmt::format("{} is asked to stop, because of the shutdown", run(index));
    case StopCause::stop:
    case StopCause::restart:
    case StopCause::remove:
      return fmt::format("{} is asked to stop, because of the command \"{}\"", run(index), to_string(what.cause));
    case StopCause::start_timeout: {
      const Duration allowed = policy != nullptr ? policy->start_timeout.value_or(Duration{0}) : Duration{0};
      return fmt::format("{} is not ready within its start_timeout of {}, and is asked to stop{}", run(index),
                         to_string(allowed), slow_start(index, allowed));
    }
    case StopCause::watchdog: {
      const Duration allowed = policy != nullptr ? policy->watchdog.value_or(Duration{0}) : Duration{0};
      return fmt::format("{} has given no sign of life for {} (watchdog), and is asked to stop", run(index),
                         to_string(allowed));
    }
    case StopCause::dependency:
      return fmt::format("{} is asked to stop, because a service that it is after is not ready any more", run(index));
    case StopCause::dependency_stop:
      return fmt::format("{} is stopped for good, because a service that it is after is not ready any more",
                         run(index));
    case StopCause::sibling:
      return fmt::format("{} is asked to stop, because a sibling in its group starts again", run(index));
    case StopCause::group_lost: return fmt::format("{} is stopped for good, because its group is lost", run(index));
  }
  return {};
}

// What an operator does has no entry in its events: it is named where only one can have done it.
template <class Kind, class IsIt>
std::string Sentences::by_operator(std::size_t index, const IsIt& is_it, std::string_view does,
                                   std::string_view otherwise) const {
  std::optional<std::uint32_t> by;
  for (std::uint32_t i = 0; i < scenario_.chaos.size(); ++i) {
    const auto* const entry = std::get_if<Kind>(&scenario_.chaos[i].what);
    if (entry == nullptr || TimePoint{} + scenario_.chaos[i].at > all_[index].at() || !is_it(*entry)) continue;
    if (by) return std::string{does};
    by = i;
  }
  return by ? fmt::format("{}: {}", entry_text(*by), does) : std::string{otherwise};
}

std::string Sentences::command(std::size_t index, Command what) const {
  const auto is_it = [&](const OperatorCommand& entry) {
    return entry.what == what && is_named(roster_, all_[index].service(), entry.target.of);
  };
  return by_operator<OperatorCommand>(index, is_it,
                                      fmt::format("an operator gives it the command \"{}\"", to_string(what)),
                                      fmt::format("the command \"{}\" reaches it", to_string(what)));
}

std::string Sentences::reconfigured(std::size_t index) const {
  const auto is_it = [&](const Reconfigure& entry) {
    return is_named(roster_, all_[index].service(), entry.target.of);
  };
  return by_operator<Reconfigure>(index, is_it, "an operator gives it another policy",
                                  "it is under another policy from now on");
}

std::string Sentences::added(std::size_t index) const {
  const auto is_it = [&](const Joining& entry) { return is_named(roster_, all_[index].service(), entry.of); };
  if (all_[index].at() == TimePoint{}) return "the service is added";
  return by_operator<Joining>(index, is_it, "an operator adds the service", "the service is added");
}

std::string Sentences::shutdown(std::size_t index, const event::ShutdownRequested& what) const {
  const auto entry = entry_of(index);
  const std::string who = entry ? entry_text(*entry) + ": " : std::string{};
  if (what.cause == ShutdownCause::all_terminated) return "every service has terminated, so the supervisor shuts down";
  if (what.cause == ShutdownCause::ends_fleet)
    return fmt::format("{} has ended, and the fleet ends with it (ends_fleet)", file::in_quotes(what.ended_by));
  return fmt::format("{}the supervisor is asked to shut down, within {}", who, to_string(what.timeout));
}

std::string Sentences::of_folded(std::uint64_t count, TimePoint last, Duration shortest, Duration longest) {
  const auto waits = longest == Duration::zero() ? std::string{}
                     : shortest == longest       ? ", after waits of " + human(longest)
                                           : fmt::format(", after waits of {} to {}", human(shortest), human(longest));
  return fmt::format("{} more like it, the last at {}{}", human(count), moment(last), waits);
}

// Of one event of the supervisor.
struct Sentences::OfEvent {
  const Sentences& all;
  std::size_t index;
  const Event& event;

  // One that changes nothing, and has no sentence of its own.
  template <event::OnlyInforms What>
  std::string operator()(const What&) const {
    return std::string{What::kKind};
  }
  std::string operator()(const event::Added&) const { return all.added(index); }
  std::string operator()(const event::Reconfigured&) const { return all.reconfigured(index); }
  std::string operator()(const event::Warned& what) const {
    return fmt::format("a warning: {} {}", what.field, file::printable(what.says));
  }
  std::string operator()(const event::Started&) const { return all.begin(index); }
  std::string operator()(const event::Running&) const {
    const auto from = all.causes_[index].from;
    if (all.causes_[index].by != CauseKind::draw || from == kNone) return all.run(index) + " is running";
    return fmt::format("{} is ready, {} after its start", all.run(index), human(event.at - all.all_[from].at()));
  }
  std::string operator()(const event::Ended& what) const { return all.end(index, what); }
  std::string operator()(const event::BackingOff& what) const { return all.wait(index, what); }
  std::string operator()(const event::BreakerTripped& what) const { return all.trip(index, what); }
  std::string operator()(const event::BreakerClosed&) const { return "the breaker closes"; }
  std::string operator()(const event::Commanded& what) const {
    if (all.causes_[index].from != kNone) return "its host is on again, and starts it";
    return all.command(index, what.command);
  }
  std::string operator()(const event::Stopping& what) const { return all.stop(index, what); }
  std::string operator()(const event::StopThrew& what) const {
    return "it throws when it is asked to stop: " + in_quotes(what.error);
  }
  std::string operator()(const event::Killed& what) const {
    return fmt::format("{} is killed: it has not stopped within {}", all.run(index), to_string(what.after));
  }
  std::string operator()(const event::KillThrew& what) const {
    return "it throws when it is to be killed: " + in_quotes(what.error);
  }
  std::string operator()(const event::Terminated& what) const {
    switch (what.why.reason) {
      case Termination::Reason::completed: return "it has completed, and no run follows";
      case Termination::Reason::cancelled: return "it has stopped, as it was asked to";
      case Termination::Reason::circuit_open:
      case Termination::Reason::failed:
      case Termination::Reason::abandoned: break;
    }
    return "it is given up: " + file::printable(to_string(what.why, what.last_error));
  }
  std::string operator()(const event::EndedLate&) const {
    return fmt::format("{}, which was abandoned, ends after all", all.run(index));
  }
  std::string operator()(const event::Abandoned& what) const {
    return fmt::format("{} is abandoned: it has not stopped within {}", all.run(index), to_string(what.after));
  }
  std::string operator()(const event::ReadyLate&) const { return all.run(index) + " says too late that it is ready"; }
  std::string operator()(const event::Waiting& what) const {
    if (what.waits_for == WaitsFor::dependency) {
      const auto who = what.dependency.empty() ? std::string{"what it is after"} : file::in_quotes(what.dependency);
      if (!what.delay) return fmt::format("it waits until {} is ready", who);
      return fmt::format("it waits until {} is ready, and then {}, drawn by wake_jitter", who, human(*what.delay));
    }
    if (what.waits_for == WaitsFor::group) return "it waits until the others of its group can start, too";
    const SupervisorConfig& supervisor = all.scenario_.supervisor;
    std::string limits;
    if (const auto& limit = supervisor.restart_limit) {
      limits =
          fmt::format("restart_limit lets one service start in {}, {} at once", to_string(limit->every), limit->burst);
    }
    if (supervisor.starting_max) {
      limits +=
          fmt::format("{}starting_max lets {} start at a time", limits.empty() ? "" : ", ", *supervisor.starting_max);
    }
    return fmt::format("it waits for its turn: {}{}", limits, others_that_wait(all.all_[index].waiting));
  }
  std::string operator()(const event::Removed& what) const {
    return what.forgotten ? "the service is forgotten, as its policy says" : "the service is removed";
  }
  std::string operator()(const event::ShutdownRequested& what) const { return all.shutdown(index, what); }
  std::string operator()(const event::Drained& what) const {
    switch (what.outcome) {
      case DrainOutcome::drained: return "the shutdown is over: every service has stopped";
      case DrainOutcome::deadline: return "the shutdown is over, because its time is up: what is left is abandoned";
      case DrainOutcome::cut_short: return "the shutdown is cut short";
    }
    return {};
  }
  std::string operator()(const event::RecordingFailed& what) const {
    return "the recording could not be written: " + in_quotes(what.error);
  }
};

std::string Sentences::of(std::size_t index) const {
  if (const auto* const chaos = all_[index].chaos()) return says(index, *chaos);
  const Event& event = *all_[index].event();
  return std::visit(OfEvent{*this, index, event}, event.what);
}

}  // namespace holdfast::sim::detail
