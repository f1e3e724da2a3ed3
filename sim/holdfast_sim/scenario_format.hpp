// The scenario format as data: which keys there are, what may stand behind each, and what is required.
//
// The reader checks files against it and takes its suggestions from it; the tests demand a broken file for every rule
// in it. scenarios/README.md says the same in words.
//
// Thread-safety: constants, safe anywhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <holdfast/policy.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/behaviour.hpp>
#include <holdfast_sim/distribution.hpp>
#include <holdfast_sim/scenario.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

inline constexpr std::size_t kScenarioSizeMax = std::size_t{1} << 20;       // bytes of a scenario file
inline constexpr std::size_t kRecordedFileSizeMax = std::size_t{64} << 20;  // bytes of a recorded trace

namespace format {

struct Table;

// What may stand behind a key. A key accepts several of these, but at most one for each type that TOML knows.

// A text that is not empty.
struct Text {};
// A text that can be a service's name.
struct Name {};
// One of these words.
struct Word {
  std::vector<std::string_view> words;
};
// A length of time; both ends included.
struct Length {
  Duration min{0};
};
struct Integer {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};
struct Number {
  Ratio min;
  Ratio max;
  bool above_min = false;  // min itself is not allowed
};
// `true`, and nothing else.
struct True {};
// An array of texts.
struct Texts {
  std::size_t min = 0;  // how many
};
// An array of two lengths of time.
struct LengthPair {};
// A table of its own.
struct Inner {
  const Table& (*table)();
};
// An array of tables.
struct Tables {
  const Table& (*table)();
  std::size_t max;
};

using Form = std::variant<Text, Name, Word, Length, Integer, Number, True, Texts, LengthPair, Inner, Tables>;

struct Key {
  std::string_view name;
  std::vector<Form> forms;
  bool required = false;
  std::string_view needs = {};  // the key that must stand beside it
};

struct Table {
  enum class Choice : std::uint8_t { free, exactly_one, at_least_one };
  std::vector<Key> keys;
  std::vector<std::string_view> of{};  // the keys that `choice` is about
  Choice choice = Choice::free;

  // The key of that name, or null.
  [[nodiscard]] const Key* find(std::string_view name) const noexcept;
};

// The whole file.
const Table& scenario();

// "a whole number from 1 to 2000000"
std::string describe(const Form& form);
// The forms of a key, with "or" between.
std::string describe(const Key& key);

inline constexpr std::array kRestartPolicies{RestartPolicy::always, RestartPolicy::on_failure, RestartPolicy::never};
inline constexpr std::array kWhenAllTerminated{WhenAllTerminated::wait, WhenAllTerminated::return_};
inline constexpr std::array kThens{Then::end, Then::fail, Then::fatal, Then::throw_, Then::hang};

// The counts that a scenario may expect something of.
struct Count {
  std::string_view name;
  std::optional<CountRange> ExpectedCounts::*member;
};
inline constexpr std::array<Count, 13> kCounts{{
    {"spawned", &ExpectedCounts::spawned},
    {"starts", &ExpectedCounts::starts},
    {"restarts", &ExpectedCounts::restarts},
    {"failures", &ExpectedCounts::failures},
    {"clean_exits", &ExpectedCounts::clean_exits},
    {"circuit_breaker_trips", &ExpectedCounts::circuit_breaker_trips},
    {"killed_runs", &ExpectedCounts::killed_runs},
    {"terminated", &ExpectedCounts::terminated},
    {"completed", &ExpectedCounts::completed},
    {"cancelled", &ExpectedCounts::cancelled},
    {"circuit_open", &ExpectedCounts::circuit_open},
    {"failed", &ExpectedCounts::failed},
    {"abandoned", &ExpectedCounts::abandoned},
}};

// Every table and key of the format with its path: "" (the file itself), "fleet", "fleet.runs_for.weibull.shape". A
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
Listing list_format();

// The rules that are about more than one key, or about another file, by name.
const std::vector<std::string_view>& further_rules();

}  // namespace format

}  // namespace holdfast::sim

#pragma GCC visibility pop
