// What a user configures, and what is wrong with a configuration.
//
// Policies are plain values with the defaults of the field. Nothing here acts: the rules that use them are
// backoff.hpp and supervisor.hpp.
//
// Thread-safety: values, safe anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

// When a run that ended by itself is followed by another.
enum class RestartPolicy : std::uint8_t {
  always,      // after a clean exit and after a failure
  on_failure,  // after a failure only
  never,
};
std::string_view to_string(RestartPolicy) noexcept;

// Give up on a service that fails `max_failures` times within `window`. A failure exactly `window` old still counts.
struct BreakerPolicy {
  std::uint32_t max_failures = 10;             // failures, 1 to kMaxFailuresMax; 3 means three runs, two restarts
  Duration window = std::chrono::minutes{10};  // 1 ns to kDurationMax
  friend bool operator==(const BreakerPolicy&, const BreakerPolicy&) = default;
};
inline constexpr std::uint32_t kMaxFailuresMax = 10'000;

// How long to wait before a restart, and when to stop trying.
struct BackoffPolicy {
  Duration base = std::chrono::milliseconds{100};                 // ceiling of the first delay; 0 to max
  Duration max = std::chrono::seconds{60};                        // ceiling of every delay; 0 to kDurationMax
  Duration cooldown = std::chrono::minutes{5};                    // a run this long clears attempt and failure history
  Duration clean_restart_delay = std::chrono::milliseconds{100};  // after a clean exit under `always`
  std::optional<BreakerPolicy> breaker = BreakerPolicy{};         // nullopt: never give up
  friend bool operator==(const BackoffPolicy&, const BackoffPolicy&) = default;
};

// What the supervisor does when every service that was added has terminated.
enum class WhenAllTerminated : std::uint8_t {
  wait,    // wait for a shutdown, or for more services
  return_  // shut down: `return` in text
};
std::string_view to_string(WhenAllTerminated) noexcept;

struct SupervisorConfig {
  Duration shutdown_timeout = std::chrono::seconds{30};  // the drain's deadline, from the shutdown request
  BackoffPolicy backoff;                                 // of every service that has none of its own
  WhenAllTerminated when_all_terminated = WhenAllTerminated::wait;
  // How long a run that was asked to stop has before it is killed, and again from there before it is abandoned; one
  // that cannot be killed is abandoned at once. 0 to kDurationMax; nullopt: only the drain's deadline ends the waiting.
  std::optional<Duration> stop_grace = std::nullopt;
  friend bool operator==(const SupervisorConfig&, const SupervisorConfig&) = default;
};

struct ServiceConfig {
  std::string name;  // UTF-8, 1 to kNameLengthMax bytes, no control characters, unique among the services present
  RestartPolicy restart = RestartPolicy::on_failure;
  std::optional<BackoffPolicy> backoff;               // overrides the supervisor's as a whole
  std::optional<Duration> stop_grace = std::nullopt;  // overrides the supervisor's
};
inline constexpr std::size_t kNameLengthMax = 255;

// One thing that is wrong or questionable in a configuration.
struct Problem {
  enum class Severity : std::uint8_t {
    error,   // refused
    warning  // accepted, but it cannot do what it says; the text gives the numbers
  };
  Severity severity = Severity::error;
  std::string field;  // path of the field as in a scenario file: "backoff.breaker.window"
  std::string says;   // what it was and what is allowed: "is -5s; allowed is 0s to 36500d"
  friend bool operator==(const Problem&, const Problem&) = default;
};

// Everything that is wrong, not only the first; in the order of the fields. Warnings only where no error stands.
std::vector<Problem> problems(const BackoffPolicy&);
std::vector<Problem> problems(const SupervisorConfig&);
std::vector<Problem> problems(const ServiceConfig&);

// "shutdown_timeout is -5s; allowed is …", one problem a line; warnings are left out.
std::string describe_errors(const std::vector<Problem>&);
bool has_errors(const std::vector<Problem>&) noexcept;

// Thrown where a configuration is refused at construction. what() lists every error.
class ConfigError : public std::invalid_argument {
 public:
  explicit ConfigError(std::vector<Problem> problems)
      : std::invalid_argument(describe_errors(problems)), problems_(std::move(problems)) {}
  [[nodiscard]] const std::vector<Problem>& problems() const noexcept { return problems_; }

 private:
  std::vector<Problem> problems_;
};

}  // namespace holdfast

#pragma GCC visibility pop
