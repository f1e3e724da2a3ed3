// A sweep of one scenario on an engine: which tasks are missing, which run again, and when it is done.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <holdfast_sim/search/ledger.hpp>

#include "engine.hpp"

namespace holdfast::tools {

struct EngineSweepOptions {
  sim::LedgerHead head;            // of the whole sweep
  std::string folder;              // for the ledgers; empty: one of its own beside the current folder's files
  std::vector<std::string> words;  // for each task: options of "holdfast sweep", without shard and ledger
  std::uint32_t tasks = 1;         // at most
  unsigned jobs_of_task = 1;       // runs at a time
};

// How far it is; called a few times a second. `says` is what the engine is doing. True: go on.
using EngineProgress = std::function<bool(std::uint64_t seeds_done, const std::string& says)>;

class EngineSweep {
 public:
  // Makes the folder. Throws LedgerTrouble: it has ledgers of something else.
  explicit EngineSweep(EngineSweepOptions options);

  [[nodiscard]] const std::string& folder() const noexcept { return options_.folder; }
  [[nodiscard]] std::vector<std::string> ledgers() const;

  // Runs tasks until no seed is missing. `engine` is asked for only if one is. False: `progress` ended it. Throws
  // EngineTrouble if nothing gets done any more, and what the engine throws.
  bool run(const std::function<std::unique_ptr<Engine>()>& engine, const EngineProgress& progress);

 private:
  [[nodiscard]] std::vector<sim::SeedRange> missing() const;
  [[nodiscard]] std::vector<std::uint32_t> shards_of(const std::vector<sim::SeedRange>& gaps) const;
  [[nodiscard]] EngineTasks tasks() const;

  EngineSweepOptions options_;
};

}  // namespace holdfast::tools
