// A folder of ledgers of one sweep, written by any number of processes at once, on one machine or on many that share
// it. Each writes a ledger of its own and reads those of the others, so that nothing depends on locks between machines,
// and a task that two machines run at once does no harm.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <holdfast_sim/search/ledger.hpp>

#include "ledger_file.hpp"

namespace holdfast::tools {

// Whether --ledger names a folder: one that is there, or a path that ends with a slash.
bool is_ledger_folder(const std::string& path);

// The ledgers of a folder that have a head, by name; of any other path the path itself. Throws LedgerTrouble.
std::vector<std::string> ledgers_in(const std::string& path);

class LedgerFolder {
 public:
  // Makes the folder, if it is not there. Throws LedgerTrouble.
  LedgerFolder(std::string path, sim::LedgerHead head);

  // Throws LedgerTrouble: a ledger of the folder is of another sweep.
  void check() const;
  // Every outcome of the head's shard that stands in a ledger of the folder, whatever shards these are of, ledger by
  // ledger. Throws LedgerTrouble: a ledger is broken, or of another sweep, or `known` throws BadLedger.
  void read(const std::function<void(sim::SeedOutcome)>& known) const;

  // A ledger of its own, in which everything that read() finds stands already.
  [[nodiscard]] std::unique_ptr<LedgerFile> begin() const;

 private:
  void check(const std::string& path, sim::LedgerHead theirs) const;
  [[nodiscard]] std::string new_name() const;

  const std::string path_;
  const sim::LedgerHead head_;
};

}  // namespace holdfast::tools
