#include <holdfast_sim/checks/detail/check_retries.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include <fmt/format.h>

namespace holdfast::sim::detail {

namespace {

using Bits = holdfast::detail::Wide;

// A number of 128 significant bits and a power of two, for products of lengths that no integer holds.
struct ScaledProduct {
  Bits bits;  // the highest is set
  std::int64_t power;

  static ScaledProduct of(Duration length) noexcept {
    const auto value = static_cast<std::uint64_t>(length.count());
    const int zeros = std::countl_zero(value);
    return {Bits{value << zeros} << 64, -zeros};
  }

  // Rounded down, by less than four units of the last bit.
  [[nodiscard]] ScaledProduct times(const ScaledProduct& other) const noexcept {
    const auto high = [](Bits wide) { return Bits{static_cast<std::uint64_t>(wide >> 64)}; };
    const auto low = [](Bits wide) { return Bits{static_cast<std::uint64_t>(wide)}; };
    const Bits product =
        high(bits) * high(other.bits) + high(high(bits) * low(other.bits)) + high(low(bits) * high(other.bits));
    const bool full = (product >> 127) != 0;
    return {full ? product : product << 1, power + other.power + (full ? 1 : 0)};
  }
  [[nodiscard]] ScaledProduct times(const ScaledProduct& other, std::uint32_t count) const noexcept {
    ScaledProduct result = *this;
    for (std::uint32_t i = 0; i < count; ++i) result = result.times(other);
    return result;
  }

  // More than some hundred products can have lost.
  [[nodiscard]] ScaledProduct raised() const noexcept {
    constexpr Bits kDoubt = 4096;
    const Bits more = bits + kDoubt;
    return more < bits ? ScaledProduct{Bits{1} << 127, power + 1} : ScaledProduct{more, power};
  }
  [[nodiscard]] bool below(const ScaledProduct& other) const noexcept {
    return power != other.power ? power < other.power : bits < other.bits;
  }
};

// max^index * base^(count - index), of which the delay is the count-th root, rounded down. Between the powers of two
// neighbours lies more than what is lost here, so that a power that is neither below nor above is equal.
Duration root_of_product(Duration base, Duration max, std::uint32_t index, std::uint32_t count) noexcept {
  const ScaledProduct from = ScaledProduct::of(base);
  const ScaledProduct target = from.times(from, count - index - 1).times(ScaledProduct::of(max), index);
  const auto power_of = [count](Duration length) {
    const ScaledProduct one = ScaledProduct::of(length);
    return one.times(one, count - 1);
  };
  Duration low = base;
  Duration high = max;
  while (low < high) {
    const Duration middle = low + (high - low) / 2;
    if (power_of(middle).raised().below(target)) {
      low = middle + Duration{1};
    } else {
      high = middle;
    }
  }
  return target.raised().below(power_of(low)) ? low - Duration{1} : low;
}

Duration share_of(Duration length, Thousandths share) noexcept {
  constexpr std::uint32_t kWhole = 1000;
  return Duration{static_cast<Duration::rep>(SignedWide{length.count()} * std::min(share.count, kWhole) / kWhole)};
}

}  // namespace

// Semantics, the table of growths in "Delay laws". A trace may come from anywhere: what no supervisor accepts must not
// take for ever here.
Duration RetryRules::delay_by_law(const BackoffPolicy& policy, Attempt k) noexcept {
  if (!std::holds_alternative<LinearGrowth>(policy.growth)) {
    if (policy.base <= Duration::zero()) return policy.base;
    if (policy.base >= policy.max) return policy.max;
  }
  if (const auto* const exponential = std::get_if<ExponentialGrowth>(&policy.growth)) {
    constexpr Bits kNanosecond = Bits{1} << 32;
    if (exponential->factor.count < kFactorMin.count) return policy.base;
    Bits delay = static_cast<Bits>(policy.base.count()) * kNanosecond;
    const Bits most = static_cast<Bits>(policy.max.count()) * kNanosecond;
    for (; k > 1 && delay < most; --k) delay = delay * exponential->factor.count / 1000;
    return delay >= most ? policy.max : Duration{static_cast<Duration::rep>(delay / kNanosecond)};
  }
  if (const auto* const linear = std::get_if<LinearGrowth>(&policy.growth)) {
    const SignedWide delay = SignedWide{policy.base.count()} + SignedWide{linear->step.count()} * (k - 1);
    return delay >= policy.max.count() ? policy.max : Duration{static_cast<Duration::rep>(delay)};
  }
  if (const auto* const stepped = std::get_if<SteppedGrowth>(&policy.growth)) {
    return k > stepped->steps || stepped->steps > kStepsMax
               ? policy.max
               : root_of_product(policy.base, policy.max, k - 1, stepped->steps);
  }
  return policy.base;
}

// The table of jitters there.
RetryRules::Allowed RetryRules::allowed_otherwise(const Jitter& jitter, Duration grown) noexcept {
  if (std::holds_alternative<NoJitter>(jitter)) return {grown, grown};
  if (const auto* const proportional = std::get_if<ProportionalJitter>(&jitter)) {
    const Duration part = share_of(grown, proportional->share);
    return {grown - part, saturating_add(grown, part)};
  }
  if (const auto* const additive = std::get_if<AdditiveJitter>(&jitter)) {
    return {grown, saturating_add(grown, share_of(grown, additive->share))};
  }
  return {grown - grown / 2, grown};
}

void RetryRules::spreads_its_delays(const SimulationEnd& end) {
  constexpr std::uint64_t kSharesMin = 100;
  if (shares < kSharesMin) return;
  found.tested(Rule::spreads_its_delays);
  const SignedWide excess = shares_over_half;
  if (excess * excess <= (SignedWide{3} * static_cast<std::int64_t>(shares)) << 64) return;
  const SignedWide mean =
      (SignedWide{10'000} * (excess + (SignedWide{shares} << 31)) / static_cast<std::int64_t>(shares)) >> 32;
  const auto hundredths = static_cast<std::int64_t>(mean);
  found.violated(
      Rule::spreads_its_delays, {}, end.at,
      fmt::format("{} delays are {}.{:02}% of their ceilings on average, more than 6 standard errors from 50%", shares,
                  hundredths / 100, hundredths % 100),
      {});
}

std::string RetryRules::window_text(const Step& step) const {
  const auto& breaker = backoff_of(step.life).breaker;
  if (!breaker) return "the breaker is off";
  constexpr std::size_t kShown = 10;
  const Past& past = step.past;
  const std::size_t count = past.failed_at.size();
  std::string text = fmt::format("{} failures within {} open the breaker, the latest were at", breaker->max_failures,
                                 to_string(breaker->window));
  for (std::size_t i = count < kShown ? count : kShown; i > 0; --i) {
    text += ' ' + to_string(past.failed_at[(past.failures + count - i) % count]);
  }
  return text;
}

}  // namespace holdfast::sim::detail
