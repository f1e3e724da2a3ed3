#include <holdfast_sim/predict/giving_up.hpp>

#include <algorithm>
#include <limits>
#include <variant>
#include <vector>

#include <holdfast/backoff.hpp>

namespace holdfast::sim {

namespace {

Duration times(Duration length, std::int64_t count) noexcept {
  std::int64_t product = 0;
  return __builtin_mul_overflow(length.count(), count, &product) ? Duration::max() : Duration{product};
}

Duration rounded(double nanoseconds) noexcept {
  constexpr auto kMost = static_cast<double>(std::numeric_limits<std::int64_t>::max());
  const double up = nanoseconds + 0.5;  // libm is not the same everywhere
  return up >= kMost ? Duration::max() : Duration{static_cast<std::int64_t>(up)};
}

bool opens(const BackoffPolicy& policy, RestartPolicy restart) noexcept {
  return policy.breaker && !policy.breaker->half_open && restart != RestartPolicy::never;
}

// Between the shortest and the longest that each wait can be.
std::vector<double> widths(const BackoffPolicy& policy, RestartPolicy restart) {
  std::vector<double> all;
  if (!opens(policy, restart)) return all;
  for (Attempt k = 1; k < policy.breaker->max_failures; ++k) {
    const DelayRange wait = delay_range(policy, k);
    all.push_back(static_cast<double>((wait.most - wait.least).count()));
  }
  return all;
}

// All waits together.
DelayRange sum_of_waits(const BackoffPolicy& policy, RestartPolicy restart) noexcept {
  DelayRange sum;
  if (!opens(policy, restart)) return sum;
  for (Attempt k = 1; k < policy.breaker->max_failures; ++k) {
    const DelayRange wait = delay_range(policy, k);
    sum = {saturating_add(sum.least, wait.least), saturating_add(sum.most, wait.most)};
  }
  return sum;
}

}  // namespace

std::string_view to_string(GivingUp::When when) noexcept {
  switch (when) {
    case GivingUp::When::at_the_first_failure: return "at_the_first_failure";
    case GivingUp::When::surely: return "surely";
    case GivingUp::When::perhaps: return "perhaps";
    case GivingUp::When::never: return "never";
  }
  return "";
}

GivingUp::GivingUp(const BackoffPolicy& policy, RestartPolicy restart, Duration fails_after)
    : fails_after_(fails_after), waiting_(sum_of_waits(policy, restart)), sum_(widths(policy, restart)) {
  if (restart == RestartPolicy::never || (opens(policy, restart) && policy.breaker->max_failures == 1)) {
    when_ = When::at_the_first_failure;
    return;
  }
  at_first_chance_ = 0;
  if (!opens(policy, restart) || cools_down(policy, fails_after)) return;
  waits_ = policy.breaker->max_failures - 1;
  window_ = policy.breaker->window;
  const Duration at_least = saturating_add(waiting_.least, runs_take(waits_));
  if (at_least > window_) return;  // nor does a later failure: the waits do not get shorter
  const bool always_fits = saturating_add(waiting_.most, runs_take(waits_)) <= window_;
  when_ = always_fits ? When::surely : When::perhaps;
  at_first_chance_ = always_fits ? 1 : sum_.at_most(static_cast<double>((window_ - at_least).count()));
}

Duration GivingUp::runs_take(std::int64_t runs) const noexcept { return times(fails_after_, runs); }

std::optional<Duration> GivingUp::quantile(double p, std::int64_t runs) const noexcept {
  if (when_ == When::at_the_first_failure) return Duration::zero();
  if (when_ == When::never || p > at_first_chance_) return std::nullopt;
  return saturating_add(saturating_add(waiting_.least, rounded(sum_.quantile(p))), runs_take(runs));
}

std::optional<Duration> GivingUp::after(double p) const noexcept { return quantile(p, waits_); }

// The last of the runs need only begin during the outage.
std::optional<Duration> GivingUp::outage(double p) const noexcept { return quantile(p, waits_ - 1); }

std::optional<Duration> GivingUp::loses_nobody() const noexcept {
  if (when_ == When::never) return std::nullopt;
  return when_ == When::at_the_first_failure ? Duration::zero() : saturating_add(waiting_.least, runs_take(waits_ - 1));
}

std::optional<Duration> GivingUp::loses_everybody_over() const noexcept {
  if (when_ == When::at_the_first_failure) return Duration::zero();
  if (when_ != When::surely) return std::nullopt;
  return saturating_add(waiting_.most, runs_take(waits_ - 1));
}

std::optional<Duration> GivingUp::everybody_after() const noexcept {
  if (when_ == When::at_the_first_failure) return Duration::zero();
  if (when_ != When::surely) return std::nullopt;
  return saturating_add(waiting_.most, runs_take(waits_));
}

GivingUp::Share GivingUp::lost_in_outage(Duration length) const noexcept {
  if (when_ == When::never) return {0, false};
  if (when_ == When::at_the_first_failure) return {1, false};
  if (length <= *loses_nobody()) return {0, false};
  if (when_ == When::surely && length > *loses_everybody_over()) return {1, false};
  const double lost = sum_.at_most(static_cast<double>((length - *loses_nobody()).count()));
  return lost <= at_first_chance_ ? Share{lost, false} : Share{at_first_chance_, when_ == When::perhaps};
}

Duration final_delay(const BackoffPolicy& policy, Duration fails_after) noexcept {
  constexpr Attempt kLatest = std::numeric_limits<Attempt>::max();
  return grown_delay(policy, cools_down(policy, fails_after) ? 1 : kLatest);
}

double average_cycle(const BackoffPolicy& policy, Duration fails_after) noexcept {
  const DelayRange wait = delay_range(policy.jitter, final_delay(policy, fails_after));
  return static_cast<double>(fails_after.count()) + static_cast<double>(wait.least.count()) / 2 +
         static_cast<double>(wait.most.count()) / 2;
}

std::optional<DeadBand> dead_band(const BackoffPolicy& policy) noexcept {
  if (!policy.breaker || policy.breaker->max_failures < 2) return std::nullopt;
  if (std::holds_alternative<FixedDelay>(policy.growth)) return std::nullopt;  // which has nothing to be reset
  const DeadBand band{policy.breaker->window / (policy.breaker->max_failures - 1), policy.cooldown};
  return band.over + Duration{1} < band.under ? std::optional{band} : std::nullopt;
}

}  // namespace holdfast::sim
