#include <holdfast/event.hpp>

#include <variant>

#include <holdfast/event_fields.hpp>

namespace holdfast {

std::string_view to_string(Command command) noexcept {
  switch (command) {
    case Command::stop: return "stop";
    case Command::restart: return "restart";
    case Command::remove: return "remove";
    case Command::reset: return "reset";
  }
  return "?";
}

std::string_view to_string(BackoffCause cause) noexcept {
  switch (cause) {
    case BackoffCause::failure: return "failure";
    case BackoffCause::clean_exit: return "clean_exit";
    case BackoffCause::breaker_open: return "breaker_open";
    case BackoffCause::dependency: return "dependency";
    case BackoffCause::sibling: return "sibling";
  }
  return "?";
}

std::string_view to_string(ShutdownCause cause) noexcept {
  switch (cause) {
    case ShutdownCause::requested: return "requested";
    case ShutdownCause::all_terminated: return "all_terminated";
    case ShutdownCause::sighup: return "SIGHUP";
    case ShutdownCause::sigint: return "SIGINT";
    case ShutdownCause::sigterm: return "SIGTERM";
    case ShutdownCause::ends_fleet: return "ends_fleet";
  }
  return "?";
}

std::string_view to_string(GroupLoss cause) noexcept {
  switch (cause) {
    case GroupLoss::restarts: return "restarts";
    case GroupLoss::child: return "child";
  }
  return "?";
}

std::string_view to_string(DrainOutcome outcome) noexcept {
  switch (outcome) {
    case DrainOutcome::drained: return "drained";
    case DrainOutcome::deadline: return "deadline";
    case DrainOutcome::cut_short: return "cut_short";
  }
  return "?";
}

std::string_view to_string(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
  }
  return "?";
}

namespace event {

LogLevel Ended::level() const noexcept {
  switch (outcome) {
    case Outcome::clean:
    case Outcome::done: return LogLevel::info;
    case Outcome::failed:
    case Outcome::threw: return LogLevel::warning;
    case Outcome::fatal: return LogLevel::error;
  }
  return LogLevel::error;
}

LogLevel Terminated::level() const noexcept {
  const bool well = why.reason == Termination::Reason::completed || why.reason == Termination::Reason::cancelled;
  return well ? LogLevel::info : LogLevel::error;
}

LogLevel Drained::level() const noexcept {
  switch (outcome) {
    case DrainOutcome::drained: return LogLevel::info;
    case DrainOutcome::cut_short: return LogLevel::warning;
    case DrainOutcome::deadline: return LogLevel::error;
  }
  return LogLevel::error;
}

}  // namespace event

std::string_view kind(const Event& event) noexcept {
  return std::visit([](const auto& what) { return what.kKind; }, event.what);
}

GrowthFields fields_of(const Growth& growth) noexcept {
  GrowthFields fields{.law = static_cast<GrowthLaw>(growth.index())};
  if (const auto* const exponential = std::get_if<ExponentialGrowth>(&growth)) {
    if (*exponential != ExponentialGrowth{}) fields.factor = exponential->factor.count;
  } else if (const auto* const linear = std::get_if<LinearGrowth>(&growth)) {
    fields.step = linear->step;
  } else if (const auto* const stepped = std::get_if<SteppedGrowth>(&growth)) {
    fields.steps = stepped->steps;
  }
  return fields;
}

Growth growth_of(const GrowthFields& fields) noexcept {
  switch (fields.law) {
    case GrowthLaw::exponential:
      return fields.factor ? ExponentialGrowth{Thousandths{*fields.factor}} : ExponentialGrowth{};
    case GrowthLaw::linear: return LinearGrowth{fields.step.value_or(Duration{0})};
    case GrowthLaw::steps: return SteppedGrowth{fields.steps.value_or(0)};
    case GrowthLaw::fixed: return FixedDelay{};
  }
  return {};
}

JitterFields fields_of(const Jitter& jitter) noexcept {
  JitterFields fields{.law = static_cast<JitterLaw>(jitter.index())};
  if (const auto* const proportional = std::get_if<ProportionalJitter>(&jitter)) {
    fields.share = proportional->share.count;
  } else if (const auto* const additive = std::get_if<AdditiveJitter>(&jitter)) {
    fields.share = additive->share.count;
  }
  return fields;
}

Jitter jitter_of(const JitterFields& fields) noexcept {
  const Thousandths share{fields.share.value_or(0)};
  switch (fields.law) {
    case JitterLaw::full: return FullJitter{};
    case JitterLaw::none: return NoJitter{};
    case JitterLaw::equal: return EqualJitter{};
    case JitterLaw::proportional: return ProportionalJitter{share};
    case JitterLaw::additive: return AdditiveJitter{share};
  }
  return {};
}

}  // namespace holdfast
