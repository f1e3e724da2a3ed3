// The keys of policies: what the supervisor does, in this world and in the simulated one.
#pragma once

#include <array>
#include <optional>

#include <holdfast/file/table_of.hpp>
#include <holdfast/policy.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

void describe(file::TableOf<HalfOpenPolicy>& table);
void describe(file::TableOf<BreakerPolicy>& table);
void describe(file::TableOf<BackoffPolicy>& table);
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
