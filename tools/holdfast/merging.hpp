// The ledgers of one sweep together, seed by seed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <holdfast_sim/search/ledger.hpp>

#include "ledger_file.hpp"

namespace holdfast::tools {

// Two ledgers have different outcomes of one seed.
class OutcomesDiffer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Merger {
 public:
  // REQUIRES: there is one ledger. Throws LedgerTrouble: they are not of one sweep.
  explicit Merger(const std::vector<std::string>& ledgers);

  [[nodiscard]] const sim::SweepPlan& plan() const { return sources_.front().reader->head().plan; }
  // The outcome of the smallest seed that was not returned before; nullopt: there is none. Seeds that no ledger has are
  // left out. Throws LedgerTrouble and OutcomesDiffer.
  std::optional<sim::SeedOutcome> next();

 private:
  // A ledger and the outcome that it is at.
  struct Source {
    std::unique_ptr<LedgerReader> reader;
    std::optional<sim::SeedOutcome> at;
  };
  std::vector<Source> sources_;
};

// The seeds that none of the ledgers has, in order. Throws the same.
std::vector<sim::SeedRange> missing_seeds(const std::vector<std::string>& ledgers, const sim::SeedRange& all);

}  // namespace holdfast::tools
