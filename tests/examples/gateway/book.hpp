// Quotes, orders, and the book between them: plain data and arithmetic, without time of its own.
//
// Prices are whole ticks. Thread-safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <holdfast/time.hpp>

namespace gateway {

struct Quote {
  std::string venue;
  std::string symbol;
  std::int64_t bid = 0;
  std::int64_t ask = 0;
  friend bool operator==(const Quote&, const Quote&) = default;
};

// Buy where it is cheap, sell where it is dear.
struct Order {
  std::string symbol;
  std::string buy_at;
  std::string sell_at;
  std::int64_t gain = 0;
};

// "17 EURUSD 10842 10844": number, symbol, bid, ask. Throws std::runtime_error, which says what is wrong, unless it is
// a quote with the number that is expected.
Quote parse_quote(std::string_view line, std::uint64_t expected, const std::string& venue);

class Book {
 public:
  // A quote counts for so long at most: by then its feed has been given up.
  explicit Book(holdfast::Duration stale_after) : stale_after_(stale_after) {}

  // True if it is news: another price than the one of this venue that counted until now.
  bool enter(const Quote& quote, holdfast::TimePoint now);

  struct Best {
    Quote bid;
    Quote ask;
  };
  // nullopt: no quote for this symbol counts.
  [[nodiscard]] std::optional<Best> best(const std::string& symbol, holdfast::TimePoint now) const;
  // What there is to gain, if anything.
  [[nodiscard]] std::optional<Order> order(const std::string& symbol, holdfast::TimePoint now) const;

 private:
  struct Entry {
    Quote quote;
    holdfast::TimePoint at;
  };
  [[nodiscard]] bool counts(const Entry& entry, holdfast::TimePoint now) const {
    return now - entry.at <= stale_after_;
  }

  holdfast::Duration stale_after_;
  std::map<std::string, std::map<std::string, Entry>> entries_;  // by symbol and venue
};

}  // namespace gateway
