// How values of the plain types stand in a file: Value<T> has the forms of a T and moves it from and to a TOML value.
//
// A type with a form of its own has a specialization of Value beside its keys. Structs that have a describe(), and
// vectors of them, are tables (table_of.hpp). An enumeration needs only its list of enumerators.
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <holdfast/file/duration_text.hpp>
#include <holdfast/file/enumerators.hpp>
#include <holdfast/file/keys.hpp>
#include <holdfast/random.hpp>
#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

// TOML values of each kind.
TomlValue toml(std::string_view text);
TomlValue toml(const char* text) = delete;
// TOML's whole numbers have 63 bits and a sign. A larger one stands there as a text, which the format refuses.
TomlValue toml(std::uint64_t integer);
TomlValue toml(double number);
TomlValue toml_true();
TomlValue toml(std::vector<TomlValue> array);
void put(TomlValue& table, std::string_view key, TomlValue value);

// forms(): what may stand in a file. read(): of a value that has one of the forms. write(): its inverse.
template <class T>
struct Value;

template <class T>
concept HasValue = requires {
  Value<T>::forms();
};

template <>
struct Value<Duration> {
  static std::vector<Form> forms() { return {Length{}}; }
  static Duration read(const TomlValue& value) { return parse_duration(value.text).value_or(Duration::zero()); }
  static TomlValue write(Duration length) { return toml(std::string_view{holdfast::to_string(length)}); }
};

template <std::unsigned_integral T>
struct Value<T> {
  static std::vector<Form> forms() {
    return {Integer{0, std::min<std::uint64_t>(std::numeric_limits<T>::max(), Integer::kMax)}};
  }
  static T read(const TomlValue& value) { return static_cast<T>(value.integer); }
  static TomlValue write(T value) { return toml(std::uint64_t{value}); }
};

// `true`, or absent.
template <>
struct Value<bool> {
  static std::vector<Form> forms() { return {True{}}; }
  static bool read(const TomlValue&) { return true; }
  static TomlValue write(bool) { return toml_true(); }
};

template <>
struct Value<Seed> {
  static std::vector<Form> forms() { return {Integer{}}; }
  static Seed read(const TomlValue& value) { return {static_cast<std::uint64_t>(value.integer)}; }
  static TomlValue write(Seed seed) { return toml(seed.value); }
};

// Exact for every number that the format allows: they have fewer bits than a double.
template <>
struct Value<Ratio> {
  static std::vector<Form> forms() { return {Number{}}; }
  static Ratio read(const TomlValue& value) { return Ratio::from(value.number); }
  static TomlValue write(Ratio ratio) { return toml(static_cast<double>(ratio.two_to_minus_32) / 4294967296.0); }
};

template <>
struct Value<std::string> {
  static std::vector<Form> forms() { return {Text{}}; }
  static std::string read(const TomlValue& value) { return value.text; }
  static TomlValue write(const std::string& text) { return toml(std::string_view{text}); }
};

template <>
struct Value<std::vector<std::string>> {
  static std::vector<Form> forms() { return {Texts{}}; }
  static std::vector<std::string> read(const TomlValue& value);
  static TomlValue write(const std::vector<std::string>& texts);
};

// A single text means an array with that text. An empty vector cannot be written.
struct OneOrMoreTexts {
  static std::vector<Form> forms() { return {Text{}, Texts{1}}; }
  static std::vector<std::string> read(const TomlValue& value);
  static TomlValue write(const std::vector<std::string>& texts);
};

// `true` or absent.
template <class T>
requires std::is_empty_v<T>
struct Value<T> {
  static std::vector<Form> forms() { return {True{}}; }
  static T read(const TomlValue&) { return {}; }
  static TomlValue write(T) { return toml_true(); }
};

template <class Enum>
requires std::is_enum_v<Enum>
struct Value<Enum> {
  static std::vector<Form> forms() {
    Word word;
    for (const Enum each : kEnumerators<Enum>) word.words.push_back(to_string(each));
    return {std::move(word)};
  }
  static Enum read(const TomlValue& value) {
    for (const Enum each : kEnumerators<Enum>) {
      if (to_string(each) == value.text) return each;
    }
    return kEnumerators<Enum>.front();
  }
  static TomlValue write(Enum value) { return toml(to_string(value)); }
};

}  // namespace holdfast::file

#pragma GCC visibility pop
