// The ledger of a sweep: the outcome of each seed that was run, so that no seed is run twice. A text file: a head, then
// a line for each seed, appended when the seed is done. lib/docs/reference/ledger_format.md describes it.
//
// Thread-safety: none; values and functions of their arguments.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <holdfast_sim/search/sweep.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// What says that something is wrong with a ledger: what was found, and what would be right.
class BadLedger : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A part of the seeds: the first of four is 1/4.
struct Shard {
  std::uint32_t index = 1;  // from 1
  std::uint32_t of = 1;
  friend bool operator==(const Shard&, const Shard&) = default;
};
// Its seeds: consecutive ones, as many as the other shards have, or one more. nullopt: there are more shards than
// seeds, and none for it.
std::optional<SeedRange> seeds_of(const Shard& shard, const SeedRange& all) noexcept;

struct LedgerHead {
  std::string version;      // of holdfast
  std::string fingerprint;  // of the scenario with its recorded traces and settings, but for its seed
  SweepPlan plan;           // of the whole sweep
  Shard shard;
  friend bool operator==(const LedgerHead&, const LedgerHead&) = default;
};
LedgerHead ledger_head(const Scenario& scenario, const SweepPlan& plan, const Shard& shard);

// Lines, each with its line feed.
std::string to_line(const LedgerHead& head);
std::string to_line(const SeedOutcome& outcome);
// Their inverses, of lines without the line feed. Throw BadLedger.
LedgerHead parse_ledger_head(std::string_view line);
SeedOutcome parse_ledger_line(std::string_view line);

// Puts the outcomes of a ledger into the order of their seeds. Who wrote it ran several seeds at a time, so that a few
// stand before others with smaller seeds; only those are kept.
class LedgerOrder {
 public:
  explicit LedgerOrder(SeedRange seeds) : next_(seeds.first), seeds_(seeds) {}

  // Whether it is new. Throws BadLedger if the seed is not one of those, or if it was added before with another
  // outcome; the same outcome twice is one.
  bool add(SeedOutcome outcome);
  // The outcome of the next seed; nullopt: it is not there.
  std::optional<SeedOutcome> take();
  // The outcome of a seed beyond the next one; null if it is not there.
  [[nodiscard]] const SeedOutcome* find(std::uint64_t seed) const noexcept;
  // The seed that take() waits for. One behind the last is the end.
  [[nodiscard]] std::uint64_t next() const noexcept { return next_; }
  [[nodiscard]] bool complete() const noexcept { return complete_; }

 private:
  std::uint64_t next_;
  const SeedRange seeds_;
  bool complete_ = false;
  std::map<std::uint64_t, SeedOutcome> ahead_;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
