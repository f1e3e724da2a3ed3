// The fields of a line of NDJSON, read in the form of visit_fields, and what is wrong with them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <boost/json.hpp>

#include <holdfast/policy.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/detail/message_text.hpp>

namespace holdfast::sim::detail {

// What is wrong with one line; where it stands is added by the caller.
struct BadLine {
  std::string key;
  std::string says;
};

// What to_string says behind the last enumerator.
inline constexpr std::string_view kNoWord = "?";

// Reads the fields of one line.
class ObjectReader {
 public:
  explicit ObjectReader(const boost::json::object& object) : object_(object) {}

  [[nodiscard]] bool has(std::string_view key) const {
    return object_.contains(boost::json::string_view{key.data(), key.size()});
  }

  [[nodiscard]] const boost::json::value& at(std::string_view key) const {
    const boost::json::value* const value = object_.if_contains(boost::json::string_view{key.data(), key.size()});
    if (!value) throw BadLine{std::string{key}, "is missing"};
    return *value;
  }

  void operator()(std::string_view key, std::string_view& value) const {
    const boost::json::string* const found = at(key).if_string();
    if (!found) throw BadLine{std::string{key}, "is not a string"};
    value = {found->data(), found->size()};
  }
  void operator()(std::string_view key, Duration& value) const {
    Duration::rep count = 0;
    (*this)(key, count);
    value = Duration{count};
  }
  void operator()(std::string_view key, std::optional<Duration>& value) const {
    if (has(key)) (*this)(key, value.emplace());
  }
  void operator()(std::string_view key, bool& value) const {
    if (!has(key)) return;
    const bool* const found = at(key).if_bool();
    if (!found) throw BadLine{std::string{key}, "is neither true nor false"};
    value = *found;
  }

  template <class Value>
  void operator()(std::string_view key, Value& value) const {
    if constexpr (std::is_enum_v<Value>) {
      std::string_view text;
      (*this)(key, text);
      constexpr std::uint8_t kEnumeratorsMax = 16;
      for (std::uint8_t i = 0; i < kEnumeratorsMax && to_string(static_cast<Value>(i)) != kNoWord; ++i) {
        value = static_cast<Value>(i);
        if (to_string(value) == text) return;
      }
      throw BadLine{std::string{key}, "is " + in_quotes(text) + ", which is none of its words"};
    } else {
      boost::json::error_code failed;
      const auto number = at(key).to_number<Value>(failed);
      if (failed) throw BadLine{std::string{key}, "is not a whole number in its range"};
      value = number;
    }
  }

 private:
  const boost::json::object& object_;
};

// What visit_policy has written.
inline BackoffPolicy read_policy(const ObjectReader& object) {
  BackoffPolicy policy;
  BreakerPolicy breaker;
  object("base_ns", policy.base);
  object("max_ns", policy.max);
  object("cooldown_ns", policy.cooldown);
  object("clean_restart_delay_ns", policy.clean_restart_delay);
  object("max_failures", breaker.max_failures);
  object("window_ns", breaker.window);
  policy.breaker = breaker.max_failures == 0 ? std::nullopt : std::optional{breaker};
  return policy;
}

}  // namespace holdfast::sim::detail
