// Which event of a run is meant: "feed-7 terminated", "feed breaker_tripped #2", "drained", "1234".
//
// The service, or a group, which stands for each of its services; then a kind of event as traces have it, then which
// one of them, from 1. Without "#" it is the last one of a service, and the first one of a group or of the whole fleet.
// A service alone means its latest event. A number alone is that of an event of the run, from 1.
//
// Thread-safety: values and pure functions, safe anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct EventSelector {
  std::string text;  // as it was given
  std::optional<std::uint64_t> number{};
  std::string service;    // or group; empty: any, and the supervisor itself
  std::string kind;       // empty: any
  std::uint64_t nth = 0;  // from 1; 0: not said
};

// A text that selects nothing. what() says what would.
class BadSelector : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws BadSelector.
EventSelector parse_selector(std::string_view text);

// Every kind of event, of the supervisor and of chaos, as traces have them.
const std::vector<std::string_view>& event_kinds();

}  // namespace holdfast::sim

#pragma GCC visibility pop
