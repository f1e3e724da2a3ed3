#include <holdfast/log_line.hpp>

#include <algorithm>
#include <type_traits>
#include <variant>

#include <holdfast/detail/text.hpp>
#include <holdfast/event_fields.hpp>

namespace holdfast {

namespace {

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

  // One field of an event; visit_fields calls it. An absent value and a `false` are left out.
  template <class T>
  void operator()(std::string_view key, const T& value) {
    if constexpr (std::is_same_v<T, std::string_view>) {
      text(key, value);
    } else if constexpr (std::is_same_v<T, Duration>) {
      constexpr std::string_view kUnit = "_ns";
      if (key.ends_with(kUnit)) key.remove_suffix(kUnit.size());
      time(key, value);
    } else if constexpr (std::is_same_v<T, bool>) {
      if (value) text(key, "true");
    } else if constexpr (std::is_integral_v<T>) {
      number(key, value);
    } else if constexpr (std::is_enum_v<T>) {
      text(key, to_string(value));
    } else if (value) {
      (*this)(key, *value);
    }
  }

  template <class What>
  void fields(const What& what) {
    visit_fields(*this, what);
  }
  void fields(const event::Added& what) {
    text("restart", to_string(what.policy->restart));
    if (what.runs_before.value != 0) number("runs_before", what.runs_before.value);
  }
  void fields(const event::Reconfigured& what) { text("restart", to_string(what.policy->restart)); }
  void fields(const event::Ended& what) { end(what); }
  void fields(const event::EndedLate& what) { end(what); }
  void fields(const event::Terminated& what) {
    text("reason", to_string(what.why.reason));
    if (what.why.reason == Termination::Reason::circuit_open) {
      number("failures", what.why.failures);
      number("max_failures", what.why.max_failures);
    }
    if (what.why.reason == Termination::Reason::abandoned) time("after", what.why.after);
    text_if_any("last_error", what.last_error);
  }

 private:
  template <class End>
  void end(const End& what) {
    text("outcome", to_string(what.outcome));
    time("lasted", what.lasted);
    text_if_any("error", what.error);
    if (what.exit_status) number("exit_status", *what.exit_status);
  }

  std::string line_;
};

}  // namespace

LogLevel log_level(const Event& event) noexcept {
  return std::visit(
      [](const auto& what) {
        if constexpr (requires { what.kLevel; }) {
          return what.kLevel;
        } else {
          return what.level();
        }
      },
      event.what);
}

std::string log_line(const Event& event, std::uint64_t unlogged) {
  Line line;
  line.text("event", kind(event));
  if (!event.about_supervisor()) line.text("service", event.name);
  if (event.run.value != 0) line.number("run", event.run.value);
  std::visit([&](const auto& what) { line.fields(what); }, event.what);
  if (unlogged != 0) line.number("unlogged", unlogged);
  line.number("n", event.n);
  line.time("at", event.at - TimePoint{});
  return line.take();
}

}  // namespace holdfast
