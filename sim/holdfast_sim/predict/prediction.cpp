#include <holdfast_sim/predict/prediction.hpp>

#include <algorithm>
#include <utility>
#include <variant>

#include <holdfast/backoff.hpp>
#include <holdfast_sim/predict/detail/trials.hpp>
#include <holdfast_sim/scenario/detail/name_pattern.hpp>
#include <holdfast_sim/scenario/detail/square_root.hpp>
#include <holdfast_sim/scenario/roster.hpp>

namespace holdfast::sim {

namespace {

using detail::TrialPolicy;
using namespace std::chrono_literals;

// Of the normal distribution: 99.9 % lie between.
constexpr double kDeviations = 3.2905;

// The quantile of a share of `services`, of whom only those in `sorted` have a value.
std::optional<Interval> interval(const std::vector<Duration>& sorted, std::uint64_t services, double share) {
  const auto n = static_cast<double>(services);
  const double spread = kDeviations * detail::square_root(n * share * (1 - share));
  const auto low = static_cast<std::size_t>(std::max(0.0, n * share - spread));
  const auto high = static_cast<std::size_t>(std::min(n - 1, n * share + spread + 1));
  if (low >= sorted.size()) return std::nullopt;
  return Interval{sorted[low], high < sorted.size() ? std::optional{sorted[high]} : std::nullopt};
}

std::vector<Duration> earlier_by(std::vector<Duration> all, Duration by) {
  for (auto& one : all) one = std::max(Duration::zero(), one - by);
  return all;
}

std::uint64_t thousandths_an_hour(double cycle) noexcept {
  constexpr double kHour = 3.6e12;
  const double up = kHour * 1000 / cycle + 0.5;
  return static_cast<std::uint64_t>(up);
}

std::optional<std::array<std::uint64_t, 2>> rate_interval(const std::vector<double>& cycles) {
  if (cycles.size() < 2) return std::nullopt;
  const auto n = static_cast<double>(cycles.size());
  double mean = 0;
  for (const double cycle : cycles) mean += cycle / n;
  double squares = 0;
  for (const double cycle : cycles) squares += (cycle - mean) * (cycle - mean);
  const double spread = kDeviations * detail::square_root(squares / (n - 1) / n);
  return std::array{thousandths_an_hour(mean + spread), thousandths_an_hour(mean - spread)};
}

// What is simulated of one policy.
struct Trials {
  TrialPolicy policy;
  detail::GivenUp given_up{};
  std::vector<double> cycles{};
  detail::BandTrial band{};
};

// Groups with the same policy share their trials.
class Laboratory {
 public:
  Laboratory(std::uint32_t services, Seed seed) : services_(services), seed_(seed) {}

  // Null: nothing is simulated.
  const Trials* of(const TrialPolicy& policy) {
    if (services_ == 0) return nullptr;
    const auto known =
        std::find_if(all_.begin(), all_.end(), [&](const Trials& trials) { return trials.policy == policy; });
    return known == all_.end() ? &all_.emplace_back(make(policy)) : &*known;
  }

 private:
  [[nodiscard]] Trials make(const TrialPolicy& policy) const {
    Trials trials{.policy = policy};
    const bool opens_for_good = policy.backoff.breaker && !policy.backoff.breaker->half_open;
    const bool may_give_up = opens_for_good || policy.restart == RestartPolicy::never;
    if (may_give_up) trials.given_up = detail::try_giving_up(policy, services_, seed_);
    trials.cycles = detail::try_cycles(policy, services_, seed_);
    if (const auto band = dead_band(policy.backoff); band && policy.restart != RestartPolicy::never) {
      trials.band = detail::try_band(policy, middle(*band), services_, seed_);
    }
    return trials;
  }

  const std::uint32_t services_;
  const Seed seed_;
  std::vector<Trials> all_;

 public:
  static Duration middle(const DeadBand& band) noexcept { return band.over + (band.under - band.over) / 2; }
};

// An outage of the scenario that kills runs, or the outages of a recorded trace.
struct Cause {
  std::size_t chaos = 0;
  Duration fails_after{0};
  std::optional<Duration> length;  // nullopt: recorded or drawn, many lengths
  bool whole = true;               // it reaches every service that it names
};

// Its targets are down from its beginning to its end, and every start fails.
template <class Kind>
bool takes_down(const Kind& kind) noexcept {
  return kind.mode == OutageMode::failing && kind.failing_starts == GoingDown::kAllStarts;
}

// Which causes reach which group.
class Causes {
 public:
  explicit Causes(const Scenario& scenario) : scenario_(scenario), roster_(roster_of(scenario)) {
    of_group_.resize(roster_.groups().size());
    for (std::size_t i = 0; i < scenario.chaos.size(); ++i) {
      const auto& what = scenario.chaos[i].what;
      if (const auto* const outage = std::get_if<Outage>(&what); outage && takes_down(*outage)) {
        note(outage->target,
             {i, outage->fails_after, outage->repairs == Repairs::in_turn ? std::nullopt : outage->length.fixed()});
      } else if (const auto* const recorded = std::get_if<Recorded>(&what); recorded && takes_down(*recorded)) {
        note(*recorded, {i, recorded->fails_after, std::nullopt});
      }
    }
  }

  [[nodiscard]] const std::vector<Cause>& of(std::size_t group) const { return of_group_[group]; }
  [[nodiscard]] const Roster& roster() const noexcept { return roster_; }

 private:
  void note(const Target& target, Cause cause) {
    cause.whole = target.share >= Target::kWhole;
    if (target.of.empty()) {
      for (auto& causes : of_group_) causes.push_back(cause);
    }
    for (const auto& name : target.of) {
      if (const auto pattern = pattern_in(name)) {
        note(*pattern, cause);
        continue;
      }
      const auto group = roster_.group(name);
      Cause mine = cause;
      if (!group) mine.whole = false;
      if (const auto index = group ? group : roster_.group_of(name)) add(*index, mine);
    }
  }
  // nullopt: it is a name.
  [[nodiscard]] std::optional<detail::NamePattern> pattern_in(const std::string& name) const {
    return roster_.group(name) || roster_.group_of(name) ? std::nullopt : detail::NamePattern::parse(name);
  }
  // Each group of which it matches a service, as some of its services.
  void note(const detail::NamePattern& pattern, Cause cause) {
    cause.whole = false;
    for (std::size_t group = 0; group < scenario_.fleet.size(); ++group) {
      const auto& one = scenario_.fleet[group];
      for (std::uint32_t i = 0; i < one.size(); ++i) {
        if (!pattern.matches(one.service_name(i))) continue;
        add(group, cause);
        break;
      }
    }
  }
  void note(const Recorded& recorded, const Cause& cause) {
    if (!recorded.of.empty()) {
      if (const auto group = roster_.group(recorded.of)) add(*group, cause);
      return;
    }
    for (const auto& entity : recorded.trace.entities) {
      if (const auto group = roster_.group_of(entity)) add(*group, cause);
    }
  }
  void add(std::size_t group, const Cause& cause) {
    auto& mine = of_group_[group];
    if (mine.empty() || mine.back().chaos != cause.chaos) mine.push_back(cause);
  }

  const Scenario& scenario_;
  const Roster roster_;
  std::vector<std::vector<Cause>> of_group_;
};

// The longest time that a run can last; nullopt: there is no limit.
std::optional<Duration> longest_run(const Behaviour& behaviour) {
  if (!behaviour.runs_for) return std::nullopt;
  if (const auto* const fixed = std::get_if<Fixed>(&*behaviour.runs_for)) return fixed->value;
  if (const auto* const uniform = std::get_if<Uniform>(&*behaviour.runs_for)) return uniform->max;
  return std::nullopt;
}

// A fixed delay has no use for `max`.
bool grows(const BackoffPolicy& policy) { return !std::holds_alternative<FixedDelay>(policy.growth); }

std::vector<std::string> out_of_reach(const GroupPrediction& group, const Behaviour& behaviour,
                                      const std::string& runs_of) {
  using holdfast::to_string;
  const BackoffPolicy& policy = group.backoff;
  if (group.restart == RestartPolicy::never) return {"backoff: restart = \"never\" waits for nothing"};
  std::vector<std::string> found;
  for (const auto& problem : problems(policy)) found.push_back(problem.field + " " + problem.says);
  if (policy.breaker && policy.breaker->half_open) {
    found.emplace_back(
        "backoff.breaker.half_open gives no service up; the restarts here are those of a closed breaker, and while it "
        "is "
        "open "
        "there are fewer");
  } else if (policy.breaker && policy.breaker->max_failures > 1 && group.gives_up == GivingUp::When::never) {
    const bool resets = cools_down(policy, group.fails_after);
    const std::int64_t runs = policy.breaker->max_failures - 1;
    Duration apart = group.fails_after > Duration::max() / runs ? Duration::max() : group.fails_after * runs;
    for (Attempt k = 1; k <= runs; ++k) apart = saturating_add(apart, delay_range(policy, k).least);
    found.push_back("backoff.breaker stays closed while runs fail after " + to_string(group.fails_after) + ": " +
                    (resets ? "that is a cooldown, which clears what was counted"
                            : std::to_string(policy.breaker->max_failures) + " failures are at least " +
                                  to_string(apart) + " apart, and the window is " + to_string(policy.breaker->window)));
  }
  if (group.gives_up == GivingUp::When::surely) {
    const Duration last = grown_delay(policy, policy.breaker->max_failures - 1);
    if (last < policy.max && grows(policy)) {
      found.push_back("backoff.max is " + to_string(policy.max) +
                      ", but while every start fails the breaker opens before: the last " +
                      (std::holds_alternative<FullJitter>(policy.jitter) ? "ceiling" : "delay") + " is " +
                      to_string(last));
    }
  } else if (policy.base == Duration::zero() && policy.max > Duration::zero() && grows(policy) &&
             !std::holds_alternative<LinearGrowth>(policy.growth)) {
    found.push_back("backoff.max is " + to_string(policy.max) + ", but a base of 0s never grows");
  }
  if (const auto longest = longest_run(behaviour); longest && *longest < policy.cooldown && !runs_of.empty()) {
    found.push_back("backoff.cooldown is " + to_string(policy.cooldown) + ", but no run of " + runs_of +
                    " lasts longer than " + to_string(*longest) + ": nothing is ever reset");
  }
  return found;
}

class Predictor {
 public:
  Predictor(const Scenario& scenario, const PredictionOptions& options)
      : scenario_(scenario), options_(options), causes_(scenario), laboratory_(options.services, scenario.seed) {}

  Prediction all() {
    Prediction prediction{scenario_.name, scenario_.seed, options_.services, {}};
    for (std::size_t i = 0; i < scenario_.fleet.size(); ++i) {
      const FleetGroup& group = scenario_.fleet[i];
      prediction.groups.push_back(of({.name = group.name,
                                      .services = group.size(),
                                      .restart = group.policy.restart,
                                      .backoff = group.policy.backoff.value_or(scenario_.supervisor.backoff)},
                                     causes_.of(i), group.behaviour));
    }
    if (const auto others = causes_.roster().groups().size() - scenario_.fleet.size(); others > 0) {
      prediction.groups.push_back(of({.name = "services of recorded traces",
                                      .services = others,
                                      .restart = RestartPolicy::on_failure,
                                      .backoff = scenario_.supervisor.backoff},
                                     causes_.of(scenario_.fleet.size()), {}));
    }
    return prediction;
  }

 private:
  GroupPrediction of(GroupPrediction group, const std::vector<Cause>& causes, const Behaviour& behaviour) {
    choose_fails_after(group, causes);
    const GivingUp giving_up{group.backoff, group.restart, group.fails_after};
    const TrialPolicy policy{group.backoff, group.restart, group.fails_after};
    const Trials* const trials = laboratory_.of(policy);
    group.gives_up = giving_up.when();
    const double first_chance = giving_up.at_first_chance() * 1e6 + 0.5;
    group.first_chance_ppm = static_cast<std::uint32_t>(first_chance);
    group.everybody_given_up_after = giving_up.everybody_after();
    group.outage_loses_nobody = giving_up.loses_nobody();
    group.outage_loses_everybody_over = giving_up.loses_everybody_over();
    set_quantiles(group, giving_up, trials);
    set_rate(group, trials);
    set_band(group, trials);
    for (const auto& cause : causes) {
      if (!cause.length) continue;
      const GivingUp then{group.backoff, group.restart, options_.fails_after.value_or(cause.fails_after)};
      group.outages.push_back({cause.chaos, *cause.length, then.lost_in_outage(*cause.length)});
    }
    group.out_of_reach = out_of_reach(group, behaviour, group.name);
    return group;
  }

  // The shortest of the outages that reach it: it fills a breaker first.
  void choose_fails_after(GroupPrediction& group, const std::vector<Cause>& causes) const {
    group.fails_after = options_.fails_after.value_or(1s);
    if (options_.fails_after || causes.empty()) return;
    const auto shortest = std::min_element(
        causes.begin(), causes.end(), [](const Cause& a, const Cause& b) { return a.fails_after < b.fails_after; });
    group.fails_after = shortest->fails_after;
    group.fails_after_of = shortest->chaos;
  }

  static void set_quantiles(GroupPrediction& group, const GivingUp& giving_up, const Trials* trials) {
    std::vector<Duration> outages;
    if (trials) outages = earlier_by(trials->given_up.after, group.fails_after);
    for (std::size_t i = 0; i < kPredictedShares.size(); ++i) {
      const double share = kPredictedShares[i];
      group.given_up_after[i] = {share, giving_up.after(share), std::nullopt};
      group.outage_loses[i] = {share, giving_up.outage(share), std::nullopt};
      if (!trials || trials->given_up.services == 0) continue;
      group.given_up_after[i].simulated = interval(trials->given_up.after, trials->given_up.services, share);
      group.outage_loses[i].simulated = interval(outages, trials->given_up.services, share);
    }
  }

  static void set_rate(GroupPrediction& group, const Trials* trials) {
    const double cycle = average_cycle(group.backoff, group.fails_after);
    if (group.restart == RestartPolicy::never || cycle == 0) return;
    group.restarts_per_hour = {thousandths_an_hour(cycle), trials ? rate_interval(trials->cycles) : std::nullopt};
  }

  static void set_band(GroupPrediction& group, const Trials* trials) {
    const auto band = dead_band(group.backoff);
    if (!band || group.restart == RestartPolicy::never) return;
    group.dead_band = {*band, Laboratory::middle(*band), 0, 0, 0};
    if (!trials) return;
    group.dead_band->services = trials->band.services;
    group.dead_band->given_up = trials->band.given_up;
    group.dead_band->reset = trials->band.reset;
  }

  const Scenario& scenario_;
  const PredictionOptions& options_;
  const Causes causes_;
  Laboratory laboratory_;
};

bool some_expected(const ExpectedCounts& counts) {
  const auto some = [](const std::optional<CountRange>& range) { return range && range->max > 0; };
  return some(counts.circuit_open) || some(counts.circuit_breaker_trips) || some(counts.failed) ||
         some(counts.terminated);
}

bool expects_losses(const Expectations& expect) {
  return some_expected(expect.fleet) || std::any_of(expect.groups.begin(), expect.groups.end(),
                                                    [](const auto& group) { return some_expected(group.counts); });
}

}  // namespace

Prediction predict(const Scenario& scenario, const PredictionOptions& options) {
  return Predictor{scenario, options}.all();
}

std::optional<CertainLoss> worst_certain_loss(const Scenario& scenario) {
  if (expects_losses(scenario.expect)) return std::nullopt;
  std::optional<CertainLoss> worst;
  const Causes causes{scenario};
  for (std::size_t i = 0; i < scenario.fleet.size(); ++i) {
    const FleetGroup& group = scenario.fleet[i];
    for (const auto& cause : causes.of(i)) {
      if (!cause.length || !cause.whole) continue;
      const GivingUp giving_up{*in_force(group.policy, scenario.supervisor).backoff, group.policy.restart,
                               cause.fails_after};
      const auto over = giving_up.loses_everybody_over();
      if (!over || *cause.length <= *over || (worst && worst->over <= *over)) continue;
      worst = CertainLoss{cause.chaos, *cause.length, group.name, *over};
    }
  }
  return worst;
}

}  // namespace holdfast::sim
