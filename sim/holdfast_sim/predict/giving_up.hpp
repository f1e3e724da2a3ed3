// When the supervisor gives up on a service of which every start fails, in closed form.
//
// A healthy run crashes at time zero, and from then on each run fails `fails_after` its start. The k-th wait is uniform
// over delay_range(policy, k); the breaker looks at max_failures failures, so at max_failures - 1 waits and runs.
//
//     const GivingUp giving_up{policy, RestartPolicy::on_failure, 20ms};
//     giving_up.when();               // surely, perhaps, never
//     giving_up.after(0.5);           // by then half of the services have been given up
//     giving_up.lost_in_outage(90s);  // the share that an outage of 90 s loses
//
// Thread-safety: a value, safe anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <holdfast/backoff.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/predict/uniform_sum.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

class GivingUp {
 public:
  enum class When : std::uint8_t {
    at_the_first_failure,  // `never` restarts, or one failure opens the breaker
    surely,                // with the failure that completes max_failures
    perhaps,  // the waits may be too long for the window: then it slides, and later failures may open the breaker
    never     // it has no breaker, or one that tries again (half_open), or its runs last too long
  };

  // REQUIRES: problems(policy) has no error; 0 <= fails_after <= kDurationMax.
  GivingUp(const BackoffPolicy& policy, RestartPolicy restart, Duration fails_after);

  [[nodiscard]] When when() const noexcept { return when_; }

  // The probability that the first max_failures failures open the breaker.
  [[nodiscard]] double at_first_chance() const noexcept { return at_first_chance_; }

  // By this time since the first failure a share `p` of the services has been given up. nullopt: it takes more failures
  // than max_failures, for which there is no closed form, or it never happens.
  [[nodiscard]] std::optional<Duration> after(double p) const noexcept;
  // Of an outage: it loses a share `p` of the services if it lasts this long. nullopt as above.
  [[nodiscard]] std::optional<Duration> outage(double p) const noexcept;

  // An outage of this length, or a shorter one, loses nobody. nullopt: no outage loses anybody.
  [[nodiscard]] std::optional<Duration> loses_nobody() const noexcept;
  // Every outage that is longer loses everybody. nullopt: not every one does, however long.
  [[nodiscard]] std::optional<Duration> loses_everybody_over() const noexcept;
  // By then everybody has been given up. nullopt: perhaps not.
  [[nodiscard]] std::optional<Duration> everybody_after() const noexcept;

  struct Share {
    double value = 0;
    bool at_least = false;  // there may be more: the window has slid by then
  };
  [[nodiscard]] Share lost_in_outage(Duration length) const noexcept;

 private:
  [[nodiscard]] std::optional<Duration> quantile(double p, std::int64_t runs) const noexcept;
  [[nodiscard]] Duration runs_take(std::int64_t runs) const noexcept;

  When when_ = When::never;
  double at_first_chance_ = 1;
  Duration fails_after_;
  Duration window_{0};
  std::int64_t waits_ = 0;  // max_failures - 1
  DelayRange waiting_;      // all waits together
  UniformSum sum_;          // what they take beyond the least
};
std::string_view to_string(GivingUp::When) noexcept;

// What the delay of a service that fails without end grows to.
Duration final_delay(const BackoffPolicy& policy, Duration fails_after) noexcept;

// The average time from one restart to the next of a service that fails without end and is never given up.
double average_cycle(const BackoffPolicy& policy, Duration fails_after) noexcept;

// Runs that last longer than `over` and shorter than `under` and then fail: they neither open the breaker nor reset
// anything, whatever the waits are.
struct DeadBand {
  Duration over{0};
  Duration under{0};
  friend bool operator==(const DeadBand&, const DeadBand&) = default;
};
std::optional<DeadBand> dead_band(const BackoffPolicy& policy) noexcept;

}  // namespace holdfast::sim

#pragma GCC visibility pop
