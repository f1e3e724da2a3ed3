#include <holdfast_sim/checks/detail/check_retries.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace holdfast::sim::detail {

void RetryRules::spreads_its_delays(const SimulationEnd& end) {
  constexpr std::uint64_t kSharesMin = 100;
  if (shares < kSharesMin) return;
  found.tested(Rule::spreads_its_delays);
  const Wide excess = shares_over_half;
  if (excess * excess <= (Wide{3} * static_cast<std::int64_t>(shares)) << 64) return;
  const Wide mean = (Wide{10'000} * (excess + (Wide{shares} << 31)) / static_cast<std::int64_t>(shares)) >> 32;
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
