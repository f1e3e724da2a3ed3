// The keys of policies: what the supervisor does, in this world and in the simulated one.
#pragma once

#include <array>
#include <optional>

#include <holdfast/file/table_of.hpp>
#include <holdfast/policy.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

void describe(file::TableOf<HalfOpenPolicy>& table);
void describe(file::TableOf<RestartLimit>& table);
void describe(file::TableOf<RestartIntensity>& table);
void describe(file::TableOf<GroupPolicy>& table);
void describe(file::TableOf<GroupConfig>& table);
void describe(file::TableOf<BreakerPolicy>& table);
void describe(file::TableOf<Growth>& table);
void describe(file::TableOf<Jitter>& table);
void describe(file::TableOf<BackoffPolicy>& table);
void describe(file::TableOf<ExitRules>& table);
void describe(file::TableOf<Order>& table);
void describe(file::TableOf<ServicePolicy>& table);
void describe(file::TableOf<SupervisorConfig>& table);

}  // namespace holdfast

namespace holdfast::file {

template <>
inline constexpr std::array kEnumerators<RestartPolicy>{RestartPolicy::always, RestartPolicy::on_failure,
                                                        RestartPolicy::never};
template <>
inline constexpr std::array kEnumerators<WhenAllTerminated>{WhenAllTerminated::wait, WhenAllTerminated::return_};
template <>
inline constexpr std::array kEnumerators<Ready>{Ready::at_once, Ready::notified};
template <>
inline constexpr std::array kEnumerators<SignOfLife>{SignOfLife::heartbeat, SignOfLife::progress, SignOfLife::health};

template <>
inline constexpr std::array kEnumerators<BreakerCounts>{BreakerCounts::failures, BreakerCounts::ends};

template <>
struct Value<ExitStatuses> {
  static std::vector<Form> forms() { return {Integers{0, 255}}; }
  static ExitStatuses read(const TomlValue& value);
  static TomlValue write(const ExitStatuses& statuses);
};

template <>
inline constexpr std::array kEnumerators<OnDependency>{OnDependency::keep, OnDependency::wait, OnDependency::restart,
                                                       OnDependency::stop};

template <>
inline constexpr std::array kEnumerators<Strategy>{Strategy::one_for_one, Strategy::one_for_all,
                                                   Strategy::rest_for_one};
template <>
inline constexpr std::array kEnumerators<EndsFleet>{EndsFleet::never, EndsFleet::when_lost, EndsFleet::always};

// A single text means a list with that name.
template <>
struct Value<NameList> {
  static std::vector<Form> forms();
  static NameList read(const TomlValue& value);
  static TomlValue write(const NameList& names);
};

// A word, or a table with the law that has a number.
template <>
struct Value<Growth> {
  static std::vector<Form> forms();
  static Growth read(const TomlValue& value);
  static TomlValue write(const Growth& growth);
};
template <>
struct Value<Jitter> {
  static std::vector<Form> forms();
  static Jitter read(const TomlValue& value);
  static TomlValue write(const Jitter& jitter);
};

// The name of a preset, or a table, which may begin with one. What is written is the whole policy.
template <>
struct Value<BackoffPolicy> {
  static std::vector<Form> forms();
  static BackoffPolicy read(const TomlValue& value);
  static TomlValue write(const BackoffPolicy& policy);
};

// "off", or a table.
template <>
struct Value<std::optional<BreakerPolicy>> {
  static std::vector<Form> forms() { return {Word{{"off"}}, Inner{table_of<BreakerPolicy>}}; }
  static std::optional<BreakerPolicy> read(const TomlValue& value) {
    if (value.kind == TomlValue::Kind::text) return std::nullopt;
    return Value<BreakerPolicy>::read(value);
  }
  static TomlValue write(const std::optional<BreakerPolicy>& breaker) {
    return breaker ? Value<BreakerPolicy>::write(*breaker) : toml(std::string_view{"off"});
  }
};

}  // namespace holdfast::file

#pragma GCC visibility pop
