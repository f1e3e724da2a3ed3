#include <holdfast_sim/predict/giving_up.hpp>

#include <algorithm>
#include <limits>
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

std::vector<double> ceilings(const BackoffPolicy& policy, RestartPolicy restart) {
  std::vector<double> all;
  if (!opens(policy, restart)) return all;
  for (Attempt k = 1; k < policy.breaker->max_failures; ++k) {
    all.push_back(static_cast<double>(backoff_ceiling(policy, k).count()));
  }
  return all;
}

Duration sum_of_ceilings(const BackoffPolicy& policy, RestartPolicy restart) noexcept {
  Duration sum{0};
  if (!opens(policy, restart)) return sum;
  for (Attempt k = 1; k < policy.breaker->max_failures; ++k) sum = saturating_add(sum, backoff_ceiling(policy, k));
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
    : fails_after_(fails_after), longest_(sum_of_ceilings(policy, restart)), sum_(ceilings(policy, restart)) {
  if (restart == RestartPolicy::never || (opens(policy, restart) && policy.breaker->max_failures == 1)) {
    when_ = When::at_the_first_failure;
    return;
  }
  at_first_chance_ = 0;
  if (!opens(policy, restart) || cools_down(policy, fails_after)) return;
  waits_ = policy.breaker->max_failures - 1;
  window_ = policy.breaker->window;
  const Duration running = runs_take(waits_);
  if (running > window_) return;
  const bool always_fits = saturating_add(longest_, running) <= window_;
  when_ = always_fits ? When::surely : When::perhaps;
  at_first_chance_ = always_fits ? 1 : sum_.at_most(static_cast<double>((window_ - running).count()));
}

Duration GivingUp::runs_take(std::int64_t runs) const noexcept { return times(fails_after_, runs); }

std::optional<Duration> GivingUp::quantile(double p, std::int64_t runs) const noexcept {
  if (when_ == When::at_the_first_failure) return Duration::zero();
  if (when_ == When::never || p > at_first_chance_) return std::nullopt;
  return saturating_add(rounded(sum_.quantile(p)), runs_take(runs));
}

std::optional<Duration> GivingUp::after(double p) const noexcept { return quantile(p, waits_); }

// The last of the runs need only begin during the outage.
std::optional<Duration> GivingUp::outage(double p) const noexcept { return quantile(p, waits_ - 1); }

std::optional<Duration> GivingUp::loses_nobody() const noexcept {
  if (when_ == When::never) return std::nullopt;
  return when_ == When::at_the_first_failure ? Duration::zero() : runs_take(waits_ - 1);
}

std::optional<Duration> GivingUp::loses_everybody_over() const noexcept {
  if (when_ == When::at_the_first_failure) return Duration::zero();
  if (when_ != When::surely) return std::nullopt;
  return saturating_add(longest_, runs_take(waits_ - 1));
}

std::optional<Duration> GivingUp::everybody_after() const noexcept {
  if (when_ == When::at_the_first_failure) return Duration::zero();
  if (when_ != When::surely) return std::nullopt;
  return saturating_add(longest_, runs_take(waits_));
}

GivingUp::Share GivingUp::lost_in_outage(Duration length) const noexcept {
  if (when_ == When::never) return {0, false};
  if (when_ == When::at_the_first_failure) return {1, false};
  const Duration waiting = length - runs_take(waits_ - 1);
  if (waiting <= Duration::zero()) return {0, false};
  if (when_ == When::surely && waiting > longest_) return {1, false};
  const double lost = sum_.at_most(static_cast<double>(waiting.count()));
  return lost <= at_first_chance_ ? Share{lost, false} : Share{at_first_chance_, when_ == When::perhaps};
}

Duration final_ceiling(const BackoffPolicy& policy, Duration fails_after) noexcept {
  constexpr Attempt kMany = 64;  // doublings of a nanosecond, and more than any ceiling needs
  return backoff_ceiling(policy, cools_down(policy, fails_after) ? 1 : kMany);
}

double average_cycle(const BackoffPolicy& policy, Duration fails_after) noexcept {
  return static_cast<double>(fails_after.count()) + static_cast<double>(final_ceiling(policy, fails_after).count()) / 2;
}

std::optional<DeadBand> dead_band(const BackoffPolicy& policy) noexcept {
  if (!policy.breaker || policy.breaker->max_failures < 2) return std::nullopt;
  const DeadBand band{policy.breaker->window / (policy.breaker->max_failures - 1), policy.cooldown};
  return band.over + Duration{1} < band.under ? std::optional{band} : std::nullopt;
}

}  // namespace holdfast::sim
