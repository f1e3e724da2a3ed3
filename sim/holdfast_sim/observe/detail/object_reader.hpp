// The fields of a line of NDJSON, read in the form of visit_fields, and what is wrong with them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <boost/json.hpp>

#include <holdfast/detail/enumerators.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/observe/detail/read_backoff.hpp>
#include <holdfast_sim/text/file.hpp>

namespace holdfast::sim::detail {

// What is wrong with one line. The caller adds the place.
struct BadLine {
  std::string key;
  std::string says;
};

// What to_string says behind the last enumerator.
inline constexpr std::string_view kNoWord = "?";

// Throws BadLine if an object has a key twice, because one of the values would be overlooked. REQUIRES: `text` is
// well-formed JSON.
void refuse_repeated_keys(std::string_view text);

// Reads the fields of one line.
class ObjectReader {
 public:
  explicit ObjectReader(const boost::json::object& object) : object_(object) {}

  [[nodiscard]] bool has(std::string_view key) const {
    asked_.push_back(key);
    return object_.contains(boost::json::string_view{key.data(), key.size()});
  }

  // Throws BadLine for a key that was not read. REQUIRES: every key that may be there was read, and the texts of those
  // keys still exist.
  void refuse_other_keys() const {
    for (const auto& field : object_) {
      const std::string_view key{field.key().data(), field.key().size()};
      if (std::find(asked_.begin(), asked_.end(), key) != asked_.end()) continue;
      std::string allowed;
      for (auto asked = asked_.begin(); asked != asked_.end(); ++asked) {
        if (std::find(asked_.begin(), asked, *asked) == asked)
          allowed += (allowed.empty() ? "" : ", ") + std::string{*asked};
      }
      throw BadLine{printable(key), "has no place in this line; allowed here: " + allowed};
    }
  }

  [[nodiscard]] const boost::json::value& at(std::string_view key) const {
    asked_.push_back(key);
    const boost::json::value* const value = object_.if_contains(boost::json::string_view{key.data(), key.size()});
    if (!value) throw BadLine{std::string{key}, "is missing"};
    return *value;
  }

  void operator()(std::string_view key, std::string_view& value) const {
    const boost::json::string* const found = at(key).if_string();
    if (!found) throw BadLine{std::string{key}, "is not a string"};
    value = {found->data(), found->size()};
  }
  void operator()(std::string_view key, std::string& value) const {
    std::string_view text;
    (*this)(key, text);
    value = text;
  }
  void operator()(std::string_view key, ExitStatuses& value) const {
    std::string_view text;
    (*this)(key, text);
    const auto statuses = exit_statuses_of(text);
    if (!statuses)
      throw BadLine{std::string{key},
                    "is " + in_quotes(text) + R"(; allowed are exit statuses in rising order, as "3 64 78")"};
    value = *statuses;
  }
  void operator()(std::string_view key, NameList& value) const {
    std::string_view text;
    (*this)(key, text);
    const auto names = name_list_of(text);
    if (!names) throw BadLine{std::string{key}, "is " + in_quotes(text) + R"(; allowed are names, one a line)"};
    value = *names;
  }
  void operator()(std::string_view key, Duration& value) const {
    Duration::rep count = 0;
    (*this)(key, count);
    value = Duration{count};
  }
  template <class Value>
  void operator()(std::string_view key, std::optional<Value>& value) const {
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
      static_assert(holdfast::detail::enumerators_of<Value>() <= kEnumeratorsMax, "a word that could not be read");
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
  mutable std::vector<std::string_view> asked_;
};

}  // namespace holdfast::sim::detail
