#include "book.hpp"

#include <sstream>

namespace gateway {

Quote parse_quote(std::string_view line, std::uint64_t expected, const std::string& venue) {
  std::istringstream words{std::string{line}};
  std::uint64_t number = 0;
  Quote quote{.venue = venue};
  if (!(words >> number >> quote.symbol >> quote.bid >> quote.ask) || !(words >> std::ws).eof()) {
    throw std::runtime_error{"no quote: " + std::string{line}};
  }
  if (number != expected) {
    throw std::runtime_error{"quote " + std::to_string(number) + " instead of " + std::to_string(expected)};
  }
  if (quote.bid > quote.ask) throw std::runtime_error{"bid above ask: " + std::string{line}};
  return quote;
}

bool Book::enter(const Quote& quote, holdfast::TimePoint now) {
  Entry& entry = entries_[quote.symbol][quote.venue];
  const bool news = entry.quote != quote || !counts(entry, now);
  entry = {quote, now};
  return news;
}

std::optional<Book::Best> Book::best(const std::string& symbol, holdfast::TimePoint now) const {
  std::optional<Best> best;
  const auto of_symbol = entries_.find(symbol);
  if (of_symbol == entries_.end()) return best;
  for (const auto& [venue, entry] : of_symbol->second) {
    if (!counts(entry, now)) continue;
    if (!best) best = Best{entry.quote, entry.quote};
    if (entry.quote.bid > best->bid.bid) best->bid = entry.quote;
    if (entry.quote.ask < best->ask.ask) best->ask = entry.quote;
  }
  return best;
}

std::optional<Order> Book::order(const std::string& symbol, holdfast::TimePoint now) const {
  const auto found = best(symbol, now);
  if (!found || found->bid.bid <= found->ask.ask) return std::nullopt;
  return Order{symbol, found->ask.venue, found->bid.venue, found->bid.bid - found->ask.ask};
}

}  // namespace gateway
