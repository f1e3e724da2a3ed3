// What a user configures, and what is wrong with a configuration.
//
// Policies are plain values with the usual defaults. The rules that use them are in backoff.hpp and supervisor.hpp.
//
// Thread-safety: values, safe anywhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
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

// An open breaker tries again after an open time, which lies between half its ceiling and the whole. The ceiling
// doubles each time that the breaker opens again. After the open time a single run, the probe, decides: if it stays up
// or ends cleanly the breaker closes, and if it fails the breaker opens again.
struct HalfOpenPolicy {
  Duration open_for = std::chrono::seconds{30};             // ceiling of the first open time; 1 ns to open_for_max
  Duration open_for_max = std::chrono::minutes{10};         // ceiling of every open time; to kDurationMax
  Duration probe_success_after = std::chrono::seconds{10};  // a probe that has run this long has succeeded; from 1 ns
  friend bool operator==(const HalfOpenPolicy&, const HalfOpenPolicy&) = default;
};

// Which ends a breaker counts.
enum class BreakerCounts : std::uint8_t {
  failures,  // nothing else
  ends,      // clean exits as well, if another run follows them: a probe has to stay up
};
std::string_view to_string(BreakerCounts) noexcept;

// Give up on a service that fails `max_failures` times within `window`. A failure exactly `window` old still counts.
struct BreakerPolicy {
  std::uint32_t max_failures = 10;             // failures, 1 to kMaxFailuresMax; 3 means three runs, two restarts
  Duration window = std::chrono::minutes{10};  // 1 ns to kDurationMax
  std::optional<HalfOpenPolicy> half_open{};   // nullopt: it stays open, and the service terminates
  BreakerCounts counts = BreakerCounts::failures;
  friend bool operator==(const BreakerPolicy&, const BreakerPolicy&) = default;
};
inline constexpr std::uint32_t kMaxFailuresMax = 10'000;

// A number with three decimals, so that no decision needs floating point.
struct Thousandths {
  std::uint32_t count = 0;

  // The nearest one. REQUIRES: 0 <= value < 4 000 000.
  static constexpr Thousandths of(double value) noexcept {
    const double up = value * 1000 + 0.5;
    return {static_cast<std::uint32_t>(up)};
  }
  friend constexpr bool operator==(Thousandths, Thousandths) noexcept = default;
};

// How delays grow from `base` to `max` with the consecutive failures: the law of the k-th delay before any jitter,
// which is never above `max`. A delay that grows with a part of a nanosecond is rounded down.
struct ExponentialGrowth {
  Thousandths factor = Thousandths::of(2);  // base * factor^(k-1); kFactorMin to kFactorMax
  friend bool operator==(const ExponentialGrowth&, const ExponentialGrowth&) = default;
};
struct LinearGrowth {
  Duration step = std::chrono::seconds{1};  // base + step * (k-1); 0 to kDurationMax
  friend bool operator==(const LinearGrowth&, const LinearGrowth&) = default;
};
struct SteppedGrowth {
  // base * (max / base)^((k-1) / steps), so that so many steps of equal ratio lead from base to max; 1 to kStepsMax
  std::uint32_t steps = 5;
  friend bool operator==(const SteppedGrowth&, const SteppedGrowth&) = default;
};
struct FixedDelay {  // always the base
  friend bool operator==(const FixedDelay&, const FixedDelay&) = default;
};
using Growth = std::variant<ExponentialGrowth, LinearGrowth, SteppedGrowth, FixedDelay>;
// Whether it is the default.
constexpr bool doubles(const Growth& growth) noexcept {
  const auto* const exponential = std::get_if<ExponentialGrowth>(&growth);
  return exponential != nullptr && exponential->factor.count == 2000;
}
inline constexpr Thousandths kFactorMin = Thousandths::of(1.1);
inline constexpr Thousandths kFactorMax = Thousandths::of(100);
inline constexpr std::uint32_t kStepsMax = 64;

// From where to where the delay is drawn, once it has grown to d. Both ends are included.
struct FullJitter {  // 0 to d
  friend bool operator==(const FullJitter&, const FullJitter&) = default;
};
struct NoJitter {  // d
  friend bool operator==(const NoJitter&, const NoJitter&) = default;
};
struct EqualJitter {  // d/2 to d
  friend bool operator==(const EqualJitter&, const EqualJitter&) = default;
};
struct ProportionalJitter {
  Thousandths share{};  // d - share * d to d + share * d; 0.001 to 1
  friend bool operator==(const ProportionalJitter&, const ProportionalJitter&) = default;
};
struct AdditiveJitter {
  Thousandths share{};  // d to d + share * d; 0.001 to 1
  friend bool operator==(const AdditiveJitter&, const AdditiveJitter&) = default;
};
using Jitter = std::variant<FullJitter, NoJitter, EqualJitter, ProportionalJitter, AdditiveJitter>;
inline constexpr Thousandths kJitterShareMin = Thousandths{1};
inline constexpr Thousandths kJitterShareMax = Thousandths::of(1);

// The words of both in files, traces and recordings: the alternatives of the variants, in their order.
enum class GrowthLaw : std::uint8_t { exponential, linear, steps, fixed };
std::string_view to_string(GrowthLaw) noexcept;
enum class JitterLaw : std::uint8_t { full, none, equal, proportional, additive };
std::string_view to_string(JitterLaw) noexcept;

// How long to wait before a restart, and when to stop trying.
struct BackoffPolicy {
  Duration base = std::chrono::milliseconds{100};                 // what the first delay grows from; 0 to max
  Duration max = std::chrono::seconds{60};                        // no delay grows further; 0 to kDurationMax
  Duration cooldown = std::chrono::minutes{5};                    // a run this long clears attempt and failure history
  Duration clean_restart_delay = std::chrono::milliseconds{100};  // after a clean exit under `always`
  std::optional<BreakerPolicy> breaker = BreakerPolicy{};         // nullopt: never give up
  Growth growth{};                                                // the delay doubles
  Jitter jitter{};                                                // the delay is drawn from 0 to what it has grown to
  friend bool operator==(const BackoffPolicy&, const BackoffPolicy&) = default;
};

// When a run counts as ready. Until then its service is `starting`.
enum class Ready : std::uint8_t {
  at_once,   // when it has been started
  notified,  // when it says so: Run::ready()
};
std::string_view to_string(Ready) noexcept;

// What a watchdog takes for a sign of life.
enum class SignOfLife : std::uint8_t {
  heartbeat,  // Run::heartbeat(), and progress as well
  progress,   // Run::progress() with a number that has risen, and nothing else
  health,     // Run::heartbeat() by whoever asks the run how it is (ProcessService), and not by the run itself
};
std::string_view to_string(SignOfLife) noexcept;
// What was missing, for people: "heartbeat", "progress", "good health probe".
std::string_view in_words(SignOfLife) noexcept;

// A set of exit statuses.
class ExitStatuses {
 public:
  constexpr ExitStatuses() = default;
  constexpr ExitStatuses(std::initializer_list<std::uint8_t> statuses) noexcept {
    for (const std::uint8_t status : statuses) add(status);
  }

  constexpr void add(std::uint8_t status) noexcept { bits_[status / 64U] |= std::uint64_t{1} << (status % 64U); }
  [[nodiscard]] constexpr bool has(std::uint8_t status) const noexcept {
    return ((bits_[status / 64U] >> (status % 64U)) & 1U) != 0;
  }
  // Bit n % 64 of number n / 64 is status n.
  [[nodiscard]] constexpr const std::array<std::uint64_t, 4>& bits() const noexcept { return bits_; }
  friend bool operator==(const ExitStatuses&, const ExitStatuses&) = default;

 private:
  std::array<std::uint64_t, 4> bits_{};
};
// In rising order: "3 64 78".
std::string to_string(const ExitStatuses&);
// nullopt: it is not what to_string() makes of a set that has any.
std::optional<ExitStatuses> exit_statuses_of(std::string_view text);

// What an end with an exit status means, whatever the run said of it (Exit::with_status). No status is in two of these;
// one in none of them changes nothing.
struct ExitRules {
  ExitStatuses clean{};
  ExitStatuses failure{};
  ExitStatuses fatal{};  // a failure that no restart can fix
  friend bool operator==(const ExitRules&, const ExitRules&) = default;
};

// Names of services. An empty list has no memory of its own.
class NameList {
 public:
  constexpr NameList() noexcept = default;
  NameList(std::initializer_list<std::string_view> names);
  explicit NameList(std::vector<std::string> names);
  constexpr NameList(const NameList& other) : names_(other.names_ ? copy_of(*other.names_) : nullptr) {}
  constexpr NameList(NameList&& other) noexcept : names_(std::exchange(other.names_, nullptr)) {}
  constexpr NameList& operator=(NameList other) noexcept {
    std::swap(names_, other.names_);
    return *this;
  }
  constexpr ~NameList() {
    if (names_) destroy(names_);
  }

  [[nodiscard]] constexpr bool empty() const noexcept { return names_ == nullptr; }
  [[nodiscard]] std::size_t size() const noexcept { return names().size(); }
  [[nodiscard]] const std::vector<std::string>& names() const noexcept;
  friend constexpr bool operator==(const NameList& a, const NameList& b) noexcept {
    return a.names_ == nullptr || b.names_ == nullptr ? a.names_ == b.names_ : are_same(*a.names_, *b.names_);
  }

 private:
  static bool are_same(const std::vector<std::string>& a, const std::vector<std::string>& b) noexcept;
  static std::vector<std::string>* copy_of(const std::vector<std::string>& names);
  static void destroy(std::vector<std::string>* names) noexcept;

  std::vector<std::string>* names_ = nullptr;  // null or not empty
};
// One a line, which no name can have in it: "db\ncache".
std::string to_string(const NameList&);
// nullopt: it is not what to_string() makes of a list that has any.
std::optional<NameList> name_list_of(std::string_view text);

// What a service does when one of those that it is after is not ready any more.
enum class OnDependency : std::uint8_t {
  keep,     // it goes on, and its own restarts wait for nobody
  wait,     // it goes on, but its own restarts wait until all are ready
  restart,  // it is stopped, and started again when all are ready
  stop,     // it is stopped for good
};
std::string_view to_string(OnDependency) noexcept;

// Which services come first.
struct Order {
  NameList after{};             // its first run starts when all of these are ready, and a shutdown stops it before them
  NameList after_if_present{};  // the same for those of these that are there when it is added
  OnDependency on_dependency = OnDependency::keep;
  // A service that has waited for another, or was stopped because of it, starts this long at most after all are ready:
  // uniformly drawn, both ends included, so that a thousand clients do not come back in step. 0 to kDurationMax. First
  // starts do not wait for it.
  Duration wake_jitter = std::chrono::seconds{1};
  friend bool operator==(const Order&, const Order&) = default;

  [[nodiscard]] bool is_after_any() const noexcept { return !after.empty() || !after_if_present.empty(); }
};
inline constexpr std::size_t kAfterMax = 1000;  // names in both lists together

// Whom it concerns when a child of a group is to start again by its policy: those siblings are stopped in the reverse
// order of adding, and all start again together.
enum class Strategy : std::uint8_t {
  one_for_one,   // nobody
  one_for_all,   // all siblings
  rest_for_one,  // the siblings that were added after it
};
std::string_view to_string(Strategy) noexcept;

// How often the children of a group may have to be restarted: with one time more within the window the group is lost.
struct RestartIntensity {
  std::uint32_t max_restarts = 3;             // 0 to kMaxRestartsMax
  Duration within = std::chrono::seconds{5};  // 1 ns to kDurationMax
  friend bool operator==(const RestartIntensity&, const RestartIntensity&) = default;
};
inline constexpr std::uint32_t kMaxRestartsMax = kMaxFailuresMax - 1;

struct GroupPolicy {
  Strategy strategy = Strategy::one_for_one;
  std::optional<RestartIntensity> intensity = std::nullopt;  // nullopt: any number
  friend bool operator==(const GroupPolicy&, const GroupPolicy&) = default;
};

// A group of services, and of other groups.
struct GroupConfig {
  // "/gateway/feeds" is in the group "/gateway". Each part is like the name of a service, without '/'; the whole has up
  // to kNameLengthMax bytes.
  std::string path{};
  GroupPolicy policy{};
  friend bool operator==(const GroupConfig&, const GroupConfig&) = default;
};

// Whether the supervisor shuts down when a service has terminated otherwise than by a command.
enum class EndsFleet : std::uint8_t {
  never,
  when_lost,  // when it has failed for good, was abandoned, or its group is lost
  always      // also when it has completed
};
std::string_view to_string(EndsFleet) noexcept;

// What the supervisor does when every service that was added has terminated.
enum class WhenAllTerminated : std::uint8_t {
  wait,    // wait for a shutdown, or for more services
  return_  // shut down: `return` in text
};
std::string_view to_string(WhenAllTerminated) noexcept;

// At most one restart in every `every`, for all services of a supervisor together, and up to `burst` at once after a
// time in which there were fewer: a token bucket.
struct RestartLimit {
  Duration every = std::chrono::milliseconds{100};  // 1 ns to kDurationMax
  std::uint32_t burst = 10;                         // restarts, 1 to kRestartBurstMax
  friend bool operator==(const RestartLimit&, const RestartLimit&) = default;
};
inline constexpr std::uint32_t kRestartBurstMax = 1'000'000;

struct SupervisorConfig {
  Duration shutdown_timeout = std::chrono::seconds{30};  // the drain's deadline, from the shutdown request
  BackoffPolicy backoff{};                               // of every service that has none of its own
  WhenAllTerminated when_all_terminated = WhenAllTerminated::wait;
  // How long a run that was asked to stop has before it is killed, and after that again before it is abandoned. A run
  // that cannot be killed is abandoned when the first grace is over. 0 to kDurationMax; nullopt: the shutdown_timeout.
  std::optional<Duration> stop_grace = std::nullopt;
  // How many abandoned runs of one service may be alive while it goes on (Service::runs_side_by_side). When one more is
  // abandoned on the way to a restart, the service terminates.
  std::uint32_t abandoned_runs_max = 3;  // 0 to kAbandonedRunsMaxMax
  // How long a drain whose deadline has passed, or that was ended by command, waits for the ends of runs that were
  // killed. Everybody else is abandoned at once. 0 to kDurationMax; nullopt: not at all, which Runtime makes
  // kRuntimeKillWait, because a process takes a moment to die.
  std::optional<Duration> kill_wait = std::nullopt;
  // How fast services start again, all of them together, so that a storm of failures does not become a storm of
  // restarts. A service whose delay has passed waits in `backing_off` until it may start, in the order in which the
  // delays passed. First starts and commands do not wait and take no token. nullopt: no limit.
  std::optional<RestartLimit> restart_limit = std::nullopt;
  // How many runs may be starting (not ready yet) for another service to start again. 1 to kStartingMaxMax; nullopt:
  // any number. First starts and commands count, and do not wait. No effect on services that are ready at once.
  std::optional<std::uint32_t> starting_max = std::nullopt;
  friend bool operator==(const SupervisorConfig&, const SupervisorConfig&) = default;
};
inline constexpr std::uint32_t kAbandonedRunsMaxMax = 1000;
inline constexpr std::uint32_t kStartingMaxMax = 1'000'000;
inline constexpr Duration kRuntimeKillWait = std::chrono::seconds{1};

// All that a service runs under. Configurations, events, recordings and replays carry it whole. Its fields are named in
// three places only: here, in event_fields.hpp for events and recordings, and in file/policy_keys.cpp for files.
struct ServicePolicy {
  RestartPolicy restart = RestartPolicy::on_failure;
  std::optional<BackoffPolicy> backoff{};             // overrides the supervisor's as a whole
  std::optional<Duration> stop_grace = std::nullopt;  // overrides the supervisor's
  Ready ready = Ready::at_once;
  // How long a run may take from its start until it is ready. One that takes longer is stopped, and has failed. 1 ns to
  // kDurationMax; nullopt: as long as it likes. No effect if it is ready at once.
  std::optional<Duration> start_timeout = std::nullopt;
  // How long a run may give no sign of life while it is running. One that is silent for longer hangs: it is stopped,
  // and has failed. 1 ns to kDurationMax; nullopt: as long as it likes.
  std::optional<Duration> watchdog = std::nullopt;
  SignOfLife watchdog_needs = SignOfLife::heartbeat;  // no effect without a watchdog
  ExitRules exit_rules{};
  Order order{};
  std::string group{};  // the path of a group that was added before; empty: in none
  EndsFleet ends_fleet = EndsFleet::never;
  // Whether the service is removed as soon as it has terminated, for whatever reason; not during a shutdown.
  bool forget_when_done = false;
  friend bool operator==(const ServicePolicy&, const ServicePolicy&) = default;
};

// The policy that holds for a service that was given this one: it has the supervisor's backoff and stop_grace where it
// has none of its own. The result always has a backoff; no stop_grace means the shutdown_timeout.
ServicePolicy in_force(const ServicePolicy& given, const SupervisorConfig&);

struct ServiceConfig {
  std::string name{};  // UTF-8, 1 to kNameLengthMax bytes, all of them show, no blank at an end; unique
  ServicePolicy policy{};
};
inline constexpr std::size_t kNameLengthMax = 255;

// One thing that is wrong or questionable in a configuration.
struct Problem {
  enum class Severity : std::uint8_t {
    error,   // refused
    warning  // accepted, but it cannot do what it says; the text gives the numbers
  };
  Severity severity = Severity::error;
  std::string field{};  // path of the field as in a scenario file: "backoff.breaker.window"
  std::string says{};   // what it was and what is allowed: "is -5s; allowed is 0s to 36500d"
  friend bool operator==(const Problem&, const Problem&) = default;
};

// Everything that is wrong, not only the first, in the order of the fields. There are warnings only if there is no
// error. The defaults cause no warning.
std::vector<Problem> problems(const BackoffPolicy&);
std::vector<Problem> problems(const SupervisorConfig&);
std::vector<Problem> problems(const ServicePolicy&);
std::vector<Problem> problems(const ServiceConfig&);
std::vector<Problem> problems(const GroupConfig&);

// The warning of a grace that is longer than a shutdown can wait.
void warn_of_idle_grace(std::vector<Problem>&, Duration stop_grace, Duration shutdown_timeout);

// The warning of a policy in force under which a service that ends cleanly at once is started again at once, for ever.
void warn_of_endless_clean_ends(std::vector<Problem>&, const ServicePolicy&, const SupervisorConfig&);

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
