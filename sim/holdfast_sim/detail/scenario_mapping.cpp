#include <holdfast_sim/detail/scenario_mapping.hpp>

#include <limits>

#include <holdfast_sim/duration_text.hpp>
#include <holdfast_sim/scenario_format.hpp>

namespace holdfast::sim::detail {

namespace {

using Kind = TomlValue::Kind;

// The value of a key, or null if it is absent or refused.
const TomlValue* find(const TomlValue& table, std::string_view key) {
  const auto* const value = table.find(key);
  return value == nullptr || value->refused ? nullptr : value;
}

// The values themselves. REQUIRES: each has the form that is asked for.

Duration length(const TomlValue& value) { return parse_duration(value.text).value_or(Duration::zero()); }

std::vector<std::string> texts(const TomlValue& array) {
  std::vector<std::string> found;
  for (const auto& item : array.items) found.push_back(item.text);
  return found;
}

// "a" or ["a", "b"]
std::vector<std::string> one_or_more_texts(const TomlValue& value) {
  return value.kind == Kind::text ? std::vector{value.text} : texts(value);
}

template <class Enumerators>
auto enumerator(const Enumerators& all, std::string_view word) {
  for (const auto candidate : all) {
    if (to_string(candidate) == word) return candidate;
  }
  return all.front();
}

// Reads a key into its place, or leaves the default there.

void read(const TomlValue& table, std::string_view key, Duration& into) {
  if (const auto* const value = find(table, key)) into = length(*value);
}

void read(const TomlValue& table, std::string_view key, std::optional<Duration>& into) {
  if (const auto* const value = find(table, key)) into = length(*value);
}

void read(const TomlValue& table, std::string_view key, std::uint64_t& into) {
  if (const auto* const value = find(table, key)) into = static_cast<std::uint64_t>(value->integer);
}

void read(const TomlValue& table, std::string_view key, Ratio& into) {
  if (const auto* const value = find(table, key)) into = Ratio::from(value->number);
}

void read(const TomlValue& table, std::string_view key, std::string& into) {
  if (const auto* const value = find(table, key)) into = value->text;
}

// The tables, in the order of the format.

std::optional<BreakerPolicy> breaker(const TomlValue& value) {
  if (value.kind == Kind::text) return std::nullopt;  // "off"
  BreakerPolicy policy;
  std::uint64_t max_failures = policy.max_failures;
  read(value, "max_failures", max_failures);
  policy.max_failures = static_cast<std::uint32_t>(max_failures);
  read(value, "window", policy.window);
  return policy;
}

BackoffPolicy backoff(const TomlValue& table) {
  BackoffPolicy policy;
  read(table, "base", policy.base);
  read(table, "max", policy.max);
  read(table, "cooldown", policy.cooldown);
  read(table, "clean_restart_delay", policy.clean_restart_delay);
  if (const auto* const value = find(table, "breaker")) policy.breaker = breaker(*value);
  return policy;
}

SupervisorConfig supervisor(const TomlValue& table) {
  SupervisorConfig config;
  read(table, "shutdown_timeout", config.shutdown_timeout);
  if (const auto* const value = find(table, "when_all_terminated")) {
    config.when_all_terminated = enumerator(format::kWhenAllTerminated, value->text);
  }
  if (const auto* const value = find(table, "backoff")) config.backoff = backoff(*value);
  read(table, "stop_grace", config.stop_grace);
  return config;
}

Weibull weibull(const TomlValue& table) {
  Weibull weibull;
  read(table, "shape", weibull.shape);
  read(table, "scale", weibull.scale);
  return weibull;
}

LogNormal log_normal(const TomlValue& table) {
  LogNormal log_normal;
  read(table, "median", log_normal.median);
  read(table, "sigma", log_normal.sigma);
  return log_normal;
}

Distribution distribution(const TomlValue& value) {
  if (value.kind == Kind::text) return Fixed{length(value)};
  if (const auto* const uniform = find(value, "uniform")) {
    return Uniform{length(uniform->items.front()), length(uniform->items.back())};
  }
  if (const auto* const mean = find(value, "exponential")) return Exponential{length(*mean)};
  if (const auto* const table = find(value, "weibull")) return weibull(*table);
  if (const auto* const table = find(value, "log_normal")) return log_normal(*table);
  return Fixed{};
}

FailsFirst fails_first(const TomlValue& table) {
  FailsFirst fails_first;
  read(table, "runs", fails_first.runs);
  read(table, "after", fails_first.after);
  return fails_first;
}

OnStop on_stop(const TomlValue& value) {
  if (const auto* const takes = find(value, "takes")) return Takes{distribution(*takes)};
  if (value.text == "ignore") return Ignores{};
  return Obeys{};
}

Behaviour behaviour(const TomlValue& table) {
  Behaviour behaviour;
  if (const auto* const value = find(table, "runs_for")) behaviour.runs_for = distribution(*value);
  if (const auto* const value = find(table, "then")) behaviour.then = enumerator(format::kThens, value->text);
  if (const auto* const value = find(table, "fails_first")) behaviour.fails_first = fails_first(*value);
  if (const auto* const value = find(table, "on_stop")) behaviour.on_stop = on_stop(*value);
  if (const auto* const value = find(table, "on_kill")) behaviour.on_kill = on_stop(*value);
  return behaviour;
}

FleetGroup fleet_group(const TomlValue& table) {
  FleetGroup group;
  read(table, "name", group.name);
  if (const auto* const value = find(table, "count")) group.count = static_cast<std::uint32_t>(value->integer);
  if (const auto* const value = find(table, "restart")) {
    group.restart = enumerator(format::kRestartPolicies, value->text);
  }
  if (const auto* const value = find(table, "backoff")) group.backoff = backoff(*value);
  read(table, "stop_grace", group.stop_grace);
  group.behaviour = behaviour(table);
  return group;
}

Target target(const TomlValue& table) {
  Target target;
  if (const auto* const of = find(table, "of")) target.of = one_or_more_texts(*of);
  if (const auto* const share = find(table, "share")) target.share = Ratio::from(share->number).two_to_minus_32;
  return target;
}

Outage outage(const TomlValue& table) {
  Outage outage{.target = target(table)};
  read(table, "for", outage.length);
  read(table, "fails_after", outage.fails_after);
  return outage;
}

HangWindow hang(const TomlValue& table) {
  HangWindow hang{.target = target(table), .length = std::nullopt};
  read(table, "for", hang.length);
  return hang;
}

Recorded recorded(const TomlValue& table) {
  Recorded recorded;
  read(table, "file", recorded.file);
  read(table, "of", recorded.of);
  read(table, "fails_after", recorded.fails_after);
  return recorded;
}

ChaosEntry chaos_entry(const TomlValue& table) {
  ChaosEntry entry;
  read(table, "at", entry.at);
  if (const auto* const value = find(table, "storm")) entry.what = Storm{target(*value)};
  if (const auto* const value = find(table, "outage")) entry.what = outage(*value);
  if (const auto* const value = find(table, "hang")) entry.what = hang(*value);
  if (find(table, "shutdown") != nullptr) entry.what = Shutdown{};
  if (const auto* const value = find(table, "recorded")) entry.what = recorded(*value);
  return entry;
}

CountRange count_range(const TomlValue& value) {
  if (value.kind == Kind::integer) {
    const auto count = static_cast<std::uint64_t>(value.integer);
    return {count, count};
  }
  CountRange range{0, std::numeric_limits<std::uint64_t>::max()};
  read(value, "min", range.min);
  read(value, "max", range.max);
  return range;
}

ExpectedCounts expected_counts(const TomlValue& table) {
  ExpectedCounts counts;
  for (const auto& count : format::kCounts) {
    if (const auto* const value = find(table, count.name)) counts.*count.member = count_range(*value);
  }
  return counts;
}

Expectations expectations(const TomlValue& table) {
  Expectations expected;
  expected.fleet = expected_counts(table);
  read(table, "all_running_by", expected.all_running_by);
  read(table, "all_terminated_by", expected.all_terminated_by);
  read(table, "drained_by", expected.drained_by);
  if (const auto* const value = find(table, "abandoned_services")) expected.abandoned_services = texts(*value);
  if (const auto* const groups = find(table, "fleet")) {
    for (const auto& group : groups->items) {
      auto& of_group = expected.groups.emplace_back();
      read(group, "name", of_group.name);
      of_group.counts = expected_counts(group);
    }
  }
  return expected;
}

Budget budget(const TomlValue& table) {
  Budget budget;
  read(table, "events", budget.events);
  read(table, "virtual_time", budget.virtual_time);
  return budget;
}

}  // namespace

Scenario map_scenario(const TomlValue& document) {
  Scenario scenario;
  read(document, "name", scenario.name);
  read(document, "seed", scenario.seed.value);
  read(document, "duration", scenario.duration);
  if (const auto* const value = find(document, "supervisor")) scenario.supervisor = supervisor(*value);
  if (const auto* const groups = find(document, "fleet")) {
    for (const auto& group : groups->items) scenario.fleet.push_back(fleet_group(group));
  }
  if (const auto* const entries = find(document, "chaos")) {
    for (const auto& entry : entries->items) scenario.chaos.push_back(chaos_entry(entry));
  }
  if (const auto* const value = find(document, "expect")) scenario.expect = expectations(*value);
  if (const auto* const value = find(document, "budget")) scenario.budget = budget(*value);
  return scenario;
}

}  // namespace holdfast::sim::detail
