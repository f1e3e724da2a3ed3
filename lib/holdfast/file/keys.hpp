// The keys of a file format as data: what each is called, what may stand behind it, what holds without it, what it
// means, and which member of a struct it fills.
//
// This description is the only place that spells a key. The reader and the writer use it to move values, the checks
// compare a file with it and take their suggestions from it, and the reference and the JSON Schema are printed from it.
// table_of.hpp builds the tables; each struct of a file has a function describe() that lists its keys.
//
// Thread-safety: constants, safe anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <holdfast/file/ratio.hpp>
#include <holdfast/file/toml_document.hpp>
#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

struct Table;

// What may stand behind a key. A key accepts several of these, but at most one for each type that TOML knows.

// A text that is not empty.
struct Text {};
// A text that can be a service's name.
struct Name {};
// One of these words.
struct Word {
  std::vector<std::string_view> words{};
};
// A length of time; both ends included.
struct Length {
  Duration min{0};
};
struct Integer {
  std::uint64_t min = 0;
  std::uint64_t max = kMax;
  static constexpr auto kMax = static_cast<std::uint64_t>(INT64_MAX);  // of TOML
};
struct Number {
  Ratio min{};
  Ratio max{};
  bool above_min = false;  // min itself is not allowed
};
// `true`, and nothing else.
struct True {};
// An array of texts.
struct Texts {
  std::size_t min = 0;        // how many
  bool may_be_empty = false;  // each text behind the first
};
// A text that is spelt in a way of its own.
struct Spelt {
  std::string_view is;       // "a size like \"10MiB\""
  std::string_view pattern;  // the same as a regular expression of JSON Schema, which may allow more
  bool (*fits)(std::string_view) = nullptr;
  std::string (*hint)(std::string_view) = nullptr;  // what somebody means who writes another text; empty: unknown
  std::vector<std::string_view> examples{};
};
// An array of whole numbers.
struct Integers {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};
// A table whose keys are names of the user's, with a text for each.
struct NamedTexts {};
// An array of two lengths of time.
struct LengthPair {};
// A table of its own.
struct Inner {
  const Table& (*table)() = nullptr;
};
// An array of tables.
struct Tables {
  const Table& (*table)() = nullptr;
  std::size_t max = 10'000;
};

using Form = std::variant<Text, Name, Word, Length, Integer, Number, True, Texts, LengthPair, Inner, Tables, Spelt,
                          Integers, NamedTexts>;

inline constexpr Length kPositiveLength{Duration{1}};

struct Key {
  std::string_view name{};
  std::vector<Form> forms{};
  bool required = false;
  std::string_view needs{};  // the key that must stand beside it

  // What holds without the key: a value, or words for people ("for ever"); never both.
  std::optional<TomlValue> default_value{};
  std::string_view otherwise{};
  std::string_view help{};  // what it means, in Markdown

  // Moves a value between a file and the struct that the table is about. REQUIRES: the value has one of the forms.
  std::function<void(const TomlValue& value, void* object)> read{};
  // Adds the key to `table`, unless its value is the default.
  std::function<void(const void* object, TomlValue& table)> write{};
};

struct Table {
  enum class Choice : std::uint8_t { free, exactly_one, at_least_one };
  std::string_view name{};  // unique in the format
  std::vector<Key> keys{};
  std::vector<std::string_view> of{};  // the keys that `choice` is about
  Choice choice = Choice::free;
  // Keys that belong to another reader of the same file: this one passes over them.
  std::vector<std::string_view> elsewhere{};
  // The reference lists its keys in the tables that use it, as "fails_first.runs".
  bool is_small = false;

  // The key of that name, or null.
  [[nodiscard]] const Key* find(std::string_view key) const noexcept;
};

// Reads the keys of `value` that were not refused into the object that `table` is about.
void read_keys(const TomlValue& value, const Table& table, void* object);
// The object as a table of a file, without what has its default.
TomlValue written_keys(const Table& table, const void* object);

// "a whole number from 1 to 2000000"
std::string describe(const Form& form);
// The forms of a key, with "or" between.
std::string describe(const Key& key);

// Every table and key of a format with its path: "" (the file itself), "fleet", "fleet.runs_for.weibull.shape". A
// table that stands in several places is listed at the first.
struct ListedTable {
  std::string path;
  const Table* table;
};
struct ListedKey {
  std::string path;
  const Key* key;
};
struct Listing {
  std::vector<ListedTable> tables;
  std::vector<ListedKey> keys;
};
Listing list_format(const Table& file);

}  // namespace holdfast::file

#pragma GCC visibility pop
