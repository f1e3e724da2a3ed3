#include <holdfast_sim/scenario/swarm.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <variant>

#include <holdfast/detail/wide.hpp>

namespace holdfast::sim {

namespace {

// From the half to the double, in steps of equal ratio.
constexpr std::array<std::uint32_t, 9> kPercents{50, 59, 71, 84, 100, 119, 141, 168, 200};
constexpr std::uint32_t kWholePercent = 100;

Duration scaled(Duration length, std::uint32_t percent) {
  using holdfast::detail::SignedWide;
  const SignedWide product = SignedWide{length.count()} * percent / kWholePercent;
  return Duration{static_cast<std::int64_t>(std::min(product, SignedWide{kDurationMax.count()}))};
}

// Of what must not be nothing, such as a mean.
Duration scaled_positive(Duration length, std::uint32_t percent) {
  return std::max(scaled(length, percent), std::min(length, Duration{1}));
}

Distribution scaled(const Distribution& law, std::uint32_t percent) {
  struct Scaled {
    std::uint32_t percent;
    Distribution operator()(Fixed law) const { return Fixed{scaled_positive(law.value, percent)}; }
    Distribution operator()(Uniform law) const { return Uniform{scaled(law.min, percent), scaled(law.max, percent)}; }
    Distribution operator()(Exponential law) const { return Exponential{scaled_positive(law.mean, percent)}; }
    Distribution operator()(Weibull law) const { return Weibull{law.shape, scaled_positive(law.scale, percent)}; }
    Distribution operator()(LogNormal law) const { return LogNormal{scaled_positive(law.median, percent), law.sigma}; }
  };
  return std::visit(Scaled{percent}, law);
}

void scale(DrawnLength& length, std::uint32_t percent) { length = scaled(length.of(), percent); }
void scale(std::optional<DrawnLength>& length, std::uint32_t percent) {
  if (length) scale(*length, percent);
}

bool has_length(const DrawnLength&) { return true; }
bool has_length(const std::optional<DrawnLength>& length) { return length.has_value(); }

// What there is to vary.
struct Magnitudes {
  bool length = false;
  bool share = false;
};
Magnitudes magnitudes_of(const Chaos& chaos) {
  return std::visit(
      [](const auto& kind) {
        Magnitudes has;
        if constexpr (requires { kind.length; }) has.length = has_length(kind.length);
        if constexpr (requires { kind.target.share; }) has.share = true;
        return has;
      },
      chaos);
}

std::string named(const ChaosEntry& entry, std::size_t number, const SwarmChoice& choice) {
  std::string text = "chaos[" + std::to_string(number) + "] (" + std::string{key_of(entry.what)} + " at " +
                     holdfast::to_string(entry.at);
  const auto has = magnitudes_of(entry.what);
  if (has.length) text += ", for " + std::to_string(choice.length_percent) + " %";
  if (has.share) text += ", share " + std::to_string(choice.share_percent) + " %";
  return text + ')';
}

}  // namespace

bool is_fault(const Chaos& chaos) { return !is_done_by_operator(chaos); }

std::vector<SwarmChoice> swarm_choices(const Scenario& scenario, Seed seed) {
  std::vector<SwarmChoice> choices(scenario.chaos.size());
  if (!scenario.swarm) return choices;
  for (std::uint32_t i = 0; i < choices.size(); ++i) {
    if (!is_fault(scenario.chaos[i].what)) continue;
    const DrawKey key{.seed = seed, .name = name_hash("swarm"), .incarnation = i};
    const auto percent = [&key](std::uint64_t index) {
      return kPercents[uniform_up_to(draw(key, Purpose::swarm, index), kPercents.size() - 1)];
    };
    const auto has = magnitudes_of(scenario.chaos[i].what);
    choices[i].happens = uniform_up_to(draw(key, Purpose::swarm, 0), 1) == 1;
    if (has.length) choices[i].length_percent = percent(1);
    if (has.share) choices[i].share_percent = percent(2);
  }
  return choices;
}

ChaosEntry chosen(ChaosEntry entry, const SwarmChoice& choice) {
  std::visit(
      [&choice](auto& kind) {
        if constexpr (requires { kind.length; }) scale(kind.length, choice.length_percent);
        if constexpr (requires { kind.target.share; }) {
          auto& share = kind.target.share;
          share = std::clamp<std::uint64_t>(share * choice.share_percent / kWholePercent, 1, Target::kWhole);
        }
      },
      entry.what);
  return entry;
}

std::string swarm_text(const Scenario& scenario, const std::vector<SwarmChoice>& choices) {
  if (!scenario.swarm) return {};
  std::size_t faults = 0;
  std::size_t happen = 0;
  std::string list;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (!is_fault(scenario.chaos[i].what)) continue;
    ++faults;
    if (!choices[i].happens) continue;
    list += (happen++ == 0 ? ": " : ", ") + named(scenario.chaos[i], i, choices[i]);
  }
  return std::to_string(happen) + " of " + std::to_string(faults) + " faults" + list;
}

}  // namespace holdfast::sim
