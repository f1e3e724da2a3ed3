// What `holdfast find` looks for, as a text and as a value. lib/docs/guide/finding.md explains the language.
//
//     breaker_tripped of feed not preceded by outage within 5min
//     whenever db: running at most 2, eventually db: running 3 within 50s
//
// Its words are those that stand elsewhere already: kinds of events and their fields as traces have them, and the words
// of [[expect.property]].
//
// Thread-safety: values and pure functions, safe anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <holdfast/time.hpp>
#include <holdfast_sim/scenario/property.hpp>
#include <holdfast_sim/scenario/roster.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// What a field of an event has to be: "outcome=failed", "delay>1min".
struct FieldTest {
  enum class Is : std::uint8_t { equal, other, less, more };
  std::string key{};  // as it was written: of a length of time without "_ns"
  Is is = Is::equal;
  std::string value{};
  std::optional<std::int64_t> number{};  // of a number, or of a length of time in nanoseconds
  friend bool operator==(const FieldTest&, const FieldTest&) = default;
};

// Which events are meant.
struct SoughtEvent {
  std::string kind{};  // as traces have it
  bool of_any = false;
  std::optional<std::string> of{};  // a group or a service; neither: any, and of the second event the same
  std::vector<FieldTest> tests{};
  friend bool operator==(const SoughtEvent&, const SoughtEvent&) = default;
};

// Events, and which other ones come before or after them.
struct EventQuery {
  enum class Order : std::uint8_t { alone, preceded, followed };
  SoughtEvent what{};
  Order order = Order::alone;
  bool negated = false;
  SoughtEvent other{};
  std::optional<Duration> within{};  // included
  Duration from{0};                  // of `what`, both included
  std::optional<Duration> until{};
  friend bool operator==(const EventQuery&, const EventQuery&) = default;
};

// Runs of which a property holds, or with `negated` does not.
struct PropertyQuery {
  ExpectedProperty property{};
  bool negated = false;
  friend bool operator==(const PropertyQuery&, const PropertyQuery&) = default;
};

using Query = std::variant<EventQuery, PropertyQuery>;

// A text that is no query. what() names the column and the word, and says what would be right.
class BadQuery : public std::runtime_error {
 public:
  BadQuery(std::size_t column, const std::string& says);
  [[nodiscard]] std::size_t column() const noexcept { return column_; }  // from 1, in bytes

 private:
  std::size_t column_;
};

// Throws BadQuery. `roster`: of the scenario, where a name has to stand; null: any name will do.
Query parse_query(std::string_view text, const Roster* roster = nullptr);

// As it was understood, with whole words. parse_query(in_words(query)) is the query again, unless a condition is of a
// name that needs quotes.
std::string in_words(const Query& query);

}  // namespace holdfast::sim

#pragma GCC visibility pop
