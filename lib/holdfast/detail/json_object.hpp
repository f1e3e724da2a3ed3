// Appends JSON objects to a text. Keys are literals of ours, with nothing to escape.
//
// A header only, like text.hpp. (The simulator's trace, which writes one line an event, has a faster one of its own.)
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <exception>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <holdfast/detail/text.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {

// Values that are not written: an absent one, and `false`.
enum class Nothing { left_out, written };

// One object, from its construction to its destruction or its close(). visit_fields calls it with each key and its
// value. Whatever appends throws std::bad_alloc if there is no memory for it, the destructor included; so none may be
// in what the standard library destroys. While another exception goes through, the destructor does what it can.
template <Nothing kNothing>
class JsonObject {
 public:
  explicit JsonObject(std::string& text) : text_(text) { text_ += '{'; }
  ~JsonObject() noexcept(false) {
    if (is_closed_) return;
    const bool is_unwinding = std::uncaught_exceptions() != exceptions_;
    try {
      close();
    } catch (...) {
      if (!is_unwinding) throw;  // else nobody will read this text
    }
  }
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;

  // Nothing follows.
  void close() {
    text_ += '}';
    is_closed_ = true;
  }

  // The caller appends the value.
  void key(std::string_view key) {
    if (!is_first_) text_ += ',';
    is_first_ = false;
    ((text_ += '"') += key) += "\":";
    value_begins_ = text_.size();
  }
  // The value of the latest key that was written, as it stands in the text.
  [[nodiscard]] std::string_view latest_value() const noexcept { return std::string_view{text_}.substr(value_begins_); }
  void operator()(std::string_view key, std::string_view value) {
    this->key(key);
    text_ += quoted(value);
  }
  void operator()(std::string_view key, const char* value) { (*this)(key, std::string_view{value}); }
  void operator()(std::string_view key, const std::string& value) { (*this)(key, std::string_view{value}); }
  void operator()(std::string_view key, Duration length) { (*this)(key, length.count()); }
  void operator()(std::string_view key, TimePoint at) { (*this)(key, at.nanoseconds); }
  void operator()(std::string_view key, const ExitStatuses& statuses) { (*this)(key, to_string(statuses)); }
  void operator()(std::string_view key, const NameList& names) { (*this)(key, to_string(names)); }
  template <std::integral Number>
  void operator()(std::string_view key, Number value) {
    this->key(key);
    char digits[24];
    text_.append(digits, std::to_chars(std::begin(digits), std::end(digits), value).ptr);
  }
  void operator()(std::string_view key, bool value) {
    if (kNothing == Nothing::left_out && !value) return;
    this->key(key);
    text_ += value ? "true" : "false";
  }
  template <class Word>
  requires std::is_enum_v<Word>
  void operator()(std::string_view key, Word word) { (*this)(key, to_string(word)); }
  template <class Value>
  void operator()(std::string_view key, const std::optional<Value>& value) {
    if (value) return (*this)(key, *value);
    if constexpr (kNothing == Nothing::written) {
      this->key(key);
      text_ += "null";
    }
  }

 private:
  std::string& text_;
  std::size_t value_begins_ = 0;
  const int exceptions_ = std::uncaught_exceptions();
  bool is_first_ = true;
  bool is_closed_ = false;
};

}  // namespace holdfast::detail
