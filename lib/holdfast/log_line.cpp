#include <holdfast/log_line.hpp>

#include <algorithm>
#include <variant>

#include <holdfast/detail/text.hpp>

namespace holdfast {

namespace {

LogLevel level_of(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::clean: return LogLevel::info;
    case Outcome::failed:
    case Outcome::threw: return LogLevel::warning;
    case Outcome::fatal: return LogLevel::error;
  }
  return LogLevel::error;
}

LogLevel level_of(Termination::Reason reason) noexcept {
  const bool well = reason == Termination::Reason::completed || reason == Termination::Reason::cancelled;
  return well ? LogLevel::info : LogLevel::error;
}

LogLevel level_of(DrainOutcome outcome) noexcept {
  switch (outcome) {
    case DrainOutcome::drained: return LogLevel::info;
    case DrainOutcome::cut_short: return LogLevel::warning;
    case DrainOutcome::deadline: return LogLevel::error;
  }
  return LogLevel::error;
}

struct LevelOf {
  LogLevel operator()(const event::Added&) const noexcept { return LogLevel::info; }
  LogLevel operator()(const event::Warned&) const noexcept { return LogLevel::warning; }
  LogLevel operator()(const event::Started&) const noexcept { return LogLevel::debug; }
  LogLevel operator()(const event::Running&) const noexcept { return LogLevel::info; }
  LogLevel operator()(const event::Ended& what) const noexcept { return level_of(what.outcome); }
  LogLevel operator()(const event::BackingOff&) const noexcept { return LogLevel::info; }
  LogLevel operator()(const event::BreakerTripped&) const noexcept { return LogLevel::error; }
  LogLevel operator()(const event::Commanded&) const noexcept { return LogLevel::info; }
  LogLevel operator()(const event::Stopping&) const noexcept { return LogLevel::info; }
  LogLevel operator()(const event::StopThrew&) const noexcept { return LogLevel::warning; }
  LogLevel operator()(const event::Killed&) const noexcept { return LogLevel::warning; }
  LogLevel operator()(const event::KillThrew&) const noexcept { return LogLevel::warning; }
  LogLevel operator()(const event::Terminated& what) const noexcept { return level_of(what.why.reason); }
  LogLevel operator()(const event::EndedLate&) const noexcept { return LogLevel::warning; }
  LogLevel operator()(const event::Removed&) const noexcept { return LogLevel::info; }
  LogLevel operator()(const event::ShutdownRequested&) const noexcept { return LogLevel::info; }
  LogLevel operator()(const event::Drained& what) const noexcept { return level_of(what.outcome); }
};

// A value that logfmt reads as it stands.
bool is_plain(std::string_view value) {
  return !value.empty() && std::all_of(value.begin(), value.end(),
                                       [](char c) { return c > ' ' && c <= '~' && c != '"' && c != '=' && c != '\\'; });
}

class Line {
 public:
  void text(std::string_view key, std::string_view value) {
    if (!line_.empty()) line_ += ' ';
    (line_ += key) += '=';
    line_ += is_plain(value) ? std::string{value} : detail::quoted(value);
  }
  void text_if_any(std::string_view key, std::string_view value) {
    if (!value.empty()) text(key, value);
  }
  void number(std::string_view key, std::uint64_t value) { text(key, std::to_string(value)); }
  void time(std::string_view key, Duration value) { text(key, detail::in_seconds(value) + 's'); }
  [[nodiscard]] std::string take() { return std::move(line_); }

  void fields(const event::Added& what) {
    text("restart", to_string(what.restart));
    if (what.runs_before.value != 0) number("runs_before", what.runs_before.value);
  }
  void fields(const event::Warned& what) {
    text("field", what.field);
    text("says", what.says);
  }
  void fields(const event::Started&) {}
  void fields(const event::Running&) {}
  void fields(const event::Ended& what) { end(what.outcome, what.lasted, what.error); }
  void fields(const event::BackingOff& what) {
    text("cause", to_string(what.cause));
    number("attempt", what.attempt);
    time("ceiling", what.ceiling);
    time("delay", what.delay);
  }
  void fields(const event::BreakerTripped& what) { breaker(what.failures, what.max_failures); }
  void fields(const event::Commanded& what) { text("command", to_string(what.command)); }
  void fields(const event::Stopping& what) { text("cause", to_string(what.cause)); }
  void fields(const event::StopThrew& what) { text("error", what.error); }
  void fields(const event::Killed& what) { time("after", what.after); }
  void fields(const event::KillThrew& what) { text("error", what.error); }
  void fields(const event::Terminated& what) {
    text("reason", to_string(what.why.reason));
    if (what.why.reason == Termination::Reason::circuit_open) breaker(what.why.failures, what.why.max_failures);
    if (what.why.reason == Termination::Reason::abandoned) time("after", what.why.after);
    text_if_any("last_error", what.last_error);
  }
  void fields(const event::EndedLate& what) { end(what.outcome, what.lasted, what.error); }
  void fields(const event::Removed&) {}
  void fields(const event::ShutdownRequested& what) {
    text("cause", to_string(what.cause));
    time("timeout", what.timeout);
  }
  void fields(const event::Drained& what) { text("outcome", to_string(what.outcome)); }

 private:
  void end(Outcome outcome, Duration lasted, std::string_view error) {
    text("outcome", to_string(outcome));
    time("lasted", lasted);
    text_if_any("error", error);
  }
  void breaker(std::uint32_t failures, std::uint32_t max_failures) {
    number("failures", failures);
    number("max_failures", max_failures);
  }

  std::string line_;
};

}  // namespace

std::string_view to_string(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
  }
  return "?";
}

LogLevel log_level(const Event& event) noexcept { return std::visit(LevelOf{}, event.what); }

std::string log_line(const Event& event) {
  Line line;
  line.text("event", kind(event));
  if (!event.about_supervisor()) line.text("service", event.name);
  if (event.run.value != 0) line.number("run", event.run.value);
  std::visit([&](const auto& what) { line.fields(what); }, event.what);
  line.number("n", event.n);
  line.time("at", event.at - TimePoint{});
  return line.take();
}

}  // namespace holdfast
