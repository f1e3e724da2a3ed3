// The folder of --corpus: failing seeds as small files, and the index of all that has failed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <holdfast_sim/search/corpus.hpp>

#include "input.hpp"

namespace holdfast::tools {

// It cannot be read or written, or somebody else uses it; what() says which file.
class CorpusTrouble : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// For one sweep of one scenario; nobody else uses the folder meanwhile. All of it throws CorpusTrouble, and BadInput
// for a kept file that is no scenario any more.
class CorpusFolder {
 public:
  struct Options {
    std::string path;
    ScenarioSource source;  // of the scenario, with the settings in it
    const sim::Scenario& scenario;
    std::string fingerprint;
    std::function<bool()> interrupted;
    std::function<void(std::uint64_t seed)> shrinking;  // called before a seed is made smaller
  };

  // Creates the folder if it is not there.
  explicit CorpusFolder(Options options);
  ~CorpusFolder();
  CorpusFolder(const CorpusFolder&) = delete;
  CorpusFolder& operator=(const CorpusFolder&) = delete;

  // Runs the files of the scenario that are kept, under its policies of today.
  void judge();
  // In the order of the seeds.
  void take(const sim::SeedOutcome& outcome);
  // `seeds` are those that were taken. Makes files of the failures for which there is room, and writes the index.
  void finish(const sim::SeedRange& seeds);

  [[nodiscard]] const sim::CorpusSummary& summary() const noexcept { return summary_; }

 private:
  void read_index();
  void write_index() const;
  void keep_what_fails();
  void keep(const sim::FailureReason& reason, std::uint64_t seed);
  [[nodiscard]] bool is_known(const std::string& text) const;
  [[nodiscard]] std::string path_of(const std::string& name) const;

  Options options_;
  int lock_ = -1;
  sim::Corpus corpus_;
  sim::CorpusSummary summary_;
  std::map<sim::FailureReason, std::vector<std::uint64_t>> failing_;  // the smallest seeds by their first reason
};

}  // namespace holdfast::tools
