// Every structure is taken apart by all of its members, so that a new one that is not written does not compile.
#include <holdfast_sim/detail/scenario_document.hpp>

#include <limits>
#include <utility>

#include <holdfast_sim/scenario_format.hpp>

namespace holdfast::sim::detail {

namespace {

using Kind = TomlValue::Kind;
using holdfast::to_string;

// Values.

TomlValue text(std::string_view value) {
  TomlValue made;
  made.kind = Kind::text;
  made.text = value;
  return made;
}

TomlValue length(Duration value) { return text(to_string(value)); }

// TOML's whole numbers have 63 bits and a sign. A larger one stands there as a text, where none is allowed.
TomlValue integer(std::uint64_t value) {
  if (value > static_cast<std::uint64_t>(INT64_MAX)) return text(std::to_string(value));
  TomlValue made;
  made.kind = Kind::integer;
  made.integer = static_cast<std::int64_t>(value);
  return made;
}

// Exact for every number that the format allows: they have fewer bits than a double.
TomlValue number(Ratio value) {
  TomlValue made;
  made.kind = Kind::number;
  made.number = static_cast<double>(value.two_to_minus_32) / static_cast<double>(Target::kWhole);
  return made;
}

TomlValue yes() {
  TomlValue made;
  made.kind = Kind::boolean;
  made.boolean = true;
  return made;
}

TomlValue array(std::vector<TomlValue> items) {
  TomlValue made;
  made.kind = Kind::array;
  made.items = std::move(items);
  return made;
}

TomlValue texts(const std::vector<std::string>& values) {
  std::vector<TomlValue> items;
  items.reserve(values.size());
  for (const auto& value : values) items.push_back(text(value));
  return array(std::move(items));
}

// Writes a key into a table, or leaves it out where it would say the default.

void put(TomlValue& table, std::string_view key, TomlValue value) {
  table.entries.push_back({std::string{key}, {}, std::move(value)});
}

void write(TomlValue& table, std::string_view key, Duration value, Duration otherwise) {
  if (value != otherwise) put(table, key, length(value));
}

void write(TomlValue& table, std::string_view key, const std::optional<Duration>& value) {
  if (value) put(table, key, length(*value));
}

void write(TomlValue& table, std::string_view key, std::uint64_t value, std::uint64_t otherwise) {
  if (value != otherwise) put(table, key, integer(value));
}

// The tables, in the order of the format.

TomlValue breaker(const std::optional<BreakerPolicy>& policy) {
  if (!policy) return text("off");
  const auto& [max_failures, window] = *policy;
  TomlValue table;
  write(table, "max_failures", max_failures, BreakerPolicy{}.max_failures);
  write(table, "window", window, BreakerPolicy{}.window);
  return table;
}

TomlValue backoff(const BackoffPolicy& policy) {
  const auto& [base, max, cooldown, clean_restart_delay, breaker_policy] = policy;
  const BackoffPolicy otherwise;
  TomlValue table;
  write(table, "base", base, otherwise.base);
  write(table, "max", max, otherwise.max);
  write(table, "cooldown", cooldown, otherwise.cooldown);
  write(table, "clean_restart_delay", clean_restart_delay, otherwise.clean_restart_delay);
  if (breaker_policy != otherwise.breaker) put(table, "breaker", breaker(breaker_policy));
  return table;
}

TomlValue supervisor(const SupervisorConfig& config) {
  const auto& [shutdown_timeout, policy, when_all_terminated, stop_grace] = config;
  const SupervisorConfig otherwise;
  TomlValue table;
  write(table, "shutdown_timeout", shutdown_timeout, otherwise.shutdown_timeout);
  if (when_all_terminated != otherwise.when_all_terminated) {
    put(table, "when_all_terminated", text(to_string(when_all_terminated)));
  }
  write(table, "stop_grace", stop_grace);
  if (policy != otherwise.backoff) put(table, "backoff", backoff(policy));
  return table;
}

struct WriteDistribution {
  static TomlValue only(std::string_view key, TomlValue value) {
    TomlValue table;
    put(table, key, std::move(value));
    return table;
  }

  TomlValue operator()(const Fixed& fixed) const {
    const auto& [value] = fixed;
    return length(value);
  }
  TomlValue operator()(const Uniform& uniform) const {
    const auto& [min, max] = uniform;
    return only("uniform", array({length(min), length(max)}));
  }
  TomlValue operator()(const Exponential& exponential) const {
    const auto& [mean] = exponential;
    return only("exponential", length(mean));
  }
  TomlValue operator()(const Weibull& weibull) const {
    const auto& [shape, scale] = weibull;
    TomlValue table;
    put(table, "shape", number(shape));
    put(table, "scale", length(scale));
    return only("weibull", std::move(table));
  }
  TomlValue operator()(const LogNormal& log_normal) const {
    const auto& [median, sigma] = log_normal;
    TomlValue table;
    put(table, "median", length(median));
    put(table, "sigma", number(sigma));
    return only("log_normal", std::move(table));
  }
};

TomlValue distribution(const Distribution& value) { return std::visit(WriteDistribution{}, value); }

TomlValue fails_first(const FailsFirst& value) {
  const auto& [runs, after] = value;
  TomlValue table;
  put(table, "runs", integer(runs));
  write(table, "after", after, FailsFirst{}.after);
  return table;
}

struct WriteOnStop {
  TomlValue operator()(const Obeys&) const { return text("obey"); }
  TomlValue operator()(const Ignores&) const { return text("ignore"); }
  TomlValue operator()(const Takes& takes) const {
    const auto& [how_long] = takes;
    TomlValue table;
    put(table, "takes", distribution(how_long));
    return table;
  }
};

void write_behaviour(TomlValue& table, const Behaviour& behaviour) {
  const auto& [runs_for, then, first, on_stop, on_kill] = behaviour;
  const Behaviour otherwise;
  if (runs_for) put(table, "runs_for", distribution(*runs_for));
  if (runs_for || then != otherwise.then) put(table, "then", text(to_string(then)));
  if (first != otherwise.fails_first) put(table, "fails_first", fails_first(first));
  if (on_stop != otherwise.on_stop) put(table, "on_stop", std::visit(WriteOnStop{}, on_stop));
  if (on_kill) put(table, "on_kill", std::visit(WriteOnStop{}, *on_kill));
}

TomlValue fleet_group(const FleetGroup& group) {
  const auto& [name, count, restart, policy, stop_grace, behaviour] = group;
  TomlValue table;
  put(table, "name", text(name));
  if (count) put(table, "count", integer(*count));
  if (restart != FleetGroup{}.restart) put(table, "restart", text(to_string(restart)));
  write_behaviour(table, behaviour);
  write(table, "stop_grace", stop_grace);
  if (policy) put(table, "backoff", backoff(*policy));
  return table;
}

TomlValue target(const Target& value) {
  const auto& [of, share] = value;
  TomlValue table;
  if (!of.empty()) put(table, "of", of.size() == 1 ? text(of.front()) : texts(of));
  if (share != Target::kWhole) put(table, "share", number(Ratio{share}));
  return table;
}

struct WriteChaos {
  TomlValue& entry;

  void operator()(const Storm& storm) const {
    const auto& [whom] = storm;
    put(entry, "storm", target(whom));
  }
  void operator()(const Outage& outage) const {
    const auto& [whom, lasts, fails_after] = outage;
    TomlValue table = target(whom);
    put(table, "for", length(lasts));
    write(table, "fails_after", fails_after, Outage{}.fails_after);
    put(entry, "outage", std::move(table));
  }
  void operator()(const HangWindow& hang) const {
    const auto& [whom, lasts] = hang;
    TomlValue table = target(whom);
    write(table, "for", lasts);
    put(entry, "hang", std::move(table));
  }
  void operator()(const Shutdown&) const { put(entry, "shutdown", yes()); }
  void operator()(const Recorded& recorded) const {
    const auto& [file, of, fails_after, trace] = recorded;
    TomlValue table;
    put(table, "file", text(file));
    if (!of.empty()) put(table, "of", text(of));
    write(table, "fails_after", fails_after, Recorded{}.fails_after);
    put(entry, "recorded", std::move(table));
  }
};

TomlValue chaos_entry(const ChaosEntry& chaos) {
  const auto& [at, what] = chaos;
  TomlValue table;
  if (at != Duration::zero() || !std::holds_alternative<Recorded>(what)) put(table, "at", length(at));
  std::visit(WriteChaos{table}, what);
  return table;
}

TomlValue count_range(const CountRange& range) {
  const auto& [min, max] = range;
  if (min == max) return integer(min);
  const bool open = max == std::numeric_limits<std::uint64_t>::max();
  TomlValue table;
  if (min > 0 || open) put(table, "min", integer(min));
  if (!open) put(table, "max", integer(max));
  return table;
}

static_assert(sizeof(ExpectedCounts) == format::kCounts.size() * sizeof(std::optional<CountRange>),
              "a count is missing in the format");

void write_counts(TomlValue& table, const ExpectedCounts& counts) {
  for (const auto& count : format::kCounts) {
    if (const auto& range = counts.*count.member) put(table, count.name, count_range(*range));
  }
}

TomlValue expected_of_group(const ExpectedOfGroup& group) {
  const auto& [name, counts] = group;
  TomlValue table;
  put(table, "name", text(name));
  write_counts(table, counts);
  return table;
}

// An array of tables, left out where it is empty.
template <class Items, class Write>
void write_tables(TomlValue& table, std::string_view key, const Items& items, const Write& write_item) {
  std::vector<TomlValue> tables;
  tables.reserve(items.size());
  for (const auto& item : items) tables.push_back(write_item(item));
  if (!tables.empty()) put(table, key, array(std::move(tables)));
}

TomlValue expectations(const Expectations& expect) {
  const auto& [fleet, groups, all_running_by, all_terminated_by, drained_by, abandoned_services] = expect;
  TomlValue table;
  write_counts(table, fleet);
  write(table, "all_running_by", all_running_by);
  write(table, "all_terminated_by", all_terminated_by);
  write(table, "drained_by", drained_by);
  if (abandoned_services) put(table, "abandoned_services", texts(*abandoned_services));
  write_tables(table, "fleet", groups, expected_of_group);
  return table;
}

TomlValue budget(const Budget& value) {
  const auto& [events, virtual_time] = value;
  TomlValue table;
  write(table, "events", events, Budget{}.events);
  write(table, "virtual_time", virtual_time, Budget{}.virtual_time);
  return table;
}

}  // namespace

TomlValue document_of(const Scenario& scenario) {
  const auto& [name, seed, duration, config, fleet, chaos, expect, limits] = scenario;
  const Scenario otherwise;
  TomlValue document;
  put(document, "name", text(name));
  write(document, "seed", seed.value, otherwise.seed.value);
  write(document, "duration", duration);
  if (config != otherwise.supervisor) put(document, "supervisor", supervisor(config));
  write_tables(document, "fleet", fleet, fleet_group);
  write_tables(document, "chaos", chaos, chaos_entry);
  if (expect != otherwise.expect) put(document, "expect", expectations(expect));
  if (limits != otherwise.budget) put(document, "budget", budget(limits));
  return document;
}

}  // namespace holdfast::sim::detail
