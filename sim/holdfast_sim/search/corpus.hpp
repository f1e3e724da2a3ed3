// Failing seeds that are kept, so that a failure that was found once is never forgotten: each is a small scenario file,
// and an index counts how often each reason was found.
//
// The index is text, a JSON object a line, so that it can stand under version control beside the files. What is sorted
// in it makes the same index of the same sweeps, in whatever order they were made.
//
// Thread-safety: values and functions of their arguments alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/scenario/scenario.hpp>
#include <holdfast_sim/search/seed_outcome.hpp>
#include <holdfast_sim/search/sweep.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

inline constexpr std::size_t kKeptMax = 3;  // files for one reason of one scenario

// A small file that failed when it was kept.
struct KeptFailure {
  std::string file;        // its name in the folder of the corpus
  std::uint64_t seed = 0;  // of the scenario that it comes from
  bool chaos = false;      // chaos reached a service in its run
  bool failures = false;   // a run failed in it
  friend bool operator==(const KeptFailure&, const KeptFailure&) = default;
};

// What failed in sweeps of one scenario for one reason.
struct CorpusReason {
  std::string scenario;  // its name
  FailureReason reason;
  std::uint64_t runs = 0;  // that failed so, kept or not; a seed that is swept again counts once
  std::vector<KeptFailure> kept;
  friend bool operator==(const CorpusReason&, const CorpusReason&) = default;
};

// The seeds of a scenario whose failures are counted.
struct CountedSeeds {
  std::string scenario;
  std::string fingerprint;        // LedgerHead::fingerprint; the seeds of a scenario that has changed are others
  std::vector<SeedRange> ranges;  // in order, with a gap between any two
  friend bool operator==(const CountedSeeds&, const CountedSeeds&) = default;
};

// An index that cannot be read; what() says why, with the line.
class BadCorpus : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Corpus {
 public:
  [[nodiscard]] const std::vector<CorpusReason>& reasons() const noexcept { return reasons_; }
  [[nodiscard]] const std::vector<CountedSeeds>& counted() const noexcept { return counted_; }

  // Counts a run that did not hold under each of its reasons, unless its seed has been counted.
  void count(const std::string& scenario, const std::string& fingerprint, const SeedOutcome& outcome);
  // From now on these seeds are counted.
  void close(const std::string& scenario, const std::string& fingerprint, const SeedRange& seeds);
  // Whether a file of this seed has a place among those of its reason.
  [[nodiscard]] bool has_room(const std::string& scenario, const FailureReason& reason, std::uint64_t seed) const;
  // REQUIRES: has_room.
  void keep(const std::string& scenario, const FailureReason& reason, KeptFailure kept);
  // Files that are not there any more: their runs stay counted.
  void forget_if(const std::function<bool(const KeptFailure&)>& gone);

  [[nodiscard]] std::string text() const;
  // Throws BadCorpus.
  static Corpus parse(std::string_view text);

  friend bool operator==(const Corpus&, const Corpus&) = default;

 private:
  CorpusReason& of(const std::string& scenario, const FailureReason& reason);
  std::vector<CorpusReason> reasons_;  // by scenario and reason
  std::vector<CountedSeeds> counted_;  // by scenario and fingerprint
};

// "storm.expectation-restarts-too-many.seed-8.toml"
std::string kept_file_name(std::string_view scenario, const FailureReason& reason, std::uint64_t seed);

// The kept scenario under the policies that the scenario it comes from has today: the supervisor's, and those of each
// of its groups. So it says whether that failure would still happen. It lasts as long as today's, if it was cut
// shorter: another policy may need that time to recover, or to fail.
Scenario under_policies_of(const Scenario& today, Scenario kept);

struct CorpusVerdict {
  enum class Status : std::uint8_t {
    still_fails,      // for the reason for which it was kept
    fails_otherwise,  // for another one
    fixed,            // it holds, although what led to the failure still happens
    not_reached       // it holds, but no run fails or no chaos hits any more, so that it proves nothing
  };
  Status status = Status::fixed;
  CorpusReason of;  // without its files
  KeptFailure kept;
  std::string says;  // why it fails; empty if it holds
};
// "still fails"
std::string_view to_string(CorpusVerdict::Status) noexcept;

// What a sweep made of its corpus.
struct CorpusSummary {
  std::string folder;
  std::vector<CorpusVerdict> judged;  // the files that were there before
  std::vector<std::string> added;     // files that are new
  std::vector<std::string> not_kept;  // sentences: failures that no file was made of, and why
  std::vector<CorpusReason> reasons;  // all of the scenario, with this sweep

  [[nodiscard]] std::size_t failing() const noexcept;  // of those judged
};

// Runs a kept scenario, under whatever policies it has. nullopt: it was interrupted.
std::optional<CorpusVerdict> judge(const Scenario& kept, const CorpusReason& of, const KeptFailure& file,
                                   const std::function<bool()>& interrupted = {});

}  // namespace holdfast::sim

#pragma GCC visibility pop
