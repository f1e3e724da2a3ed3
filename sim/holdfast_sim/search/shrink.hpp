// The smallest scenario that still fails for the same reason.
//
// Whatever a scenario file says is tried without: chaos, groups, keys, services; then distributions become constants,
// and counts and times get smaller and rounder, until nothing can be taken away any more. It works on the file's tree
// of keys and values, so that it knows no key by name but those that hold the others together, and a new key needs
// nothing here. Draws are keyed: what is taken away leaves the draws of the rest as they are.
//
// It never slips to another failure: a candidate counts only if what fails in it first is the same (FailureReason).
// Where too little happened (a count too low, services that do not run, a drain that does not end), time and services
// are not taken away, because then nothing would ever happen in time.
//
// A function of its arguments alone. Shrinking a result again gives the same result.
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/random.hpp>
#include <holdfast_sim/scenario/scenario.hpp>
#include <holdfast_sim/search/seed_outcome.hpp>
#include <holdfast_sim/text/file.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct ShrinkProgress {
  std::uint64_t runs = 0;
  std::uint64_t accepted = 0;
  std::size_t bytes = 0;  // of the smallest file so far
};

struct ShrinkOptions {
  Seed seed{};
  std::uint64_t runs_max = 10'000;
  std::uint64_t timers_max = UINT64_MAX;  // that fire in all runs together; what bounds the time of large fleets
  // Nothing may get worse, so that another policy has a chance: policies stay as they are, and of numbers only those
  // become smaller with which less goes wrong. Otherwise a service that fails rarely may become one that always does.
  bool only_weaker = false;
  std::function<bool()> interrupted = {};  // asked before each run and within it; true ends with what there is
  std::function<void(const ShrinkProgress&)> progress = {};
};

// How far one number may be changed, the others as they are, before the failure is gone or another one.
struct FailingRange {
  std::string path;   // "fleet[0].count"
  std::string value;  // as in the file
  std::string from;
  std::string to;
  bool or_more = false;  // the largest that was tried still failed
};

struct ShrinkResult {
  std::string text;  // of the scenario file, without comments
  FailureReason reason;
  std::string says;    // with the numbers of the smallest
  std::string digest;  // of its run
  std::uint64_t runs = 0;
  bool finished = false;  // false: it was interrupted, or runs_max or timers_max was reached
  std::vector<FailingRange> ranges;
};

// The seed does not fail, or its run was interrupted; what() says so.
class NothingToShrink : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// `text` is that of a scenario file that can be read, whose recorded traces are in `folder`; `file` is what messages
// call it. Throws NothingToShrink, and BadInput if it cannot be read.
ShrinkResult shrink(std::string_view text, const std::string& file, const std::filesystem::path& folder,
                    const ShrinkOptions& options);

// The smallest scenario that breaks a law: `holds` is false for it, as it is for the scenario of `text`. Everything may
// be taken away. For a property that failed on a generated scenario. Of the options it uses runs_max, interrupted and
// progress. Throws what shrink() throws.
struct SmallestBreaker {
  std::string text;  // of the scenario file
  std::uint64_t runs = 0;
  bool finished = false;
};
SmallestBreaker smallest_breaker(std::string_view text, const std::function<bool(const Scenario&)>& holds,
                                 const ShrinkOptions& options = {});

// The file: the scenario below comments that say what fails, and how far the numbers may be changed. `origin` is what
// it was shrunk from.
std::string shrunk_file(const ShrinkResult& result, std::string_view origin, Seed seed);

}  // namespace holdfast::sim

#pragma GCC visibility pop
