#include "corpus_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/format.h>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/small_file.hpp>
#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/scenario/roster.hpp>
#include <holdfast_sim/search/shrink.hpp>

#include "output_file.hpp"
#include "shrinking.hpp"

namespace holdfast::tools {

namespace {

namespace fs = std::filesystem;

constexpr auto kIndex = "index.ndjson";
constexpr std::size_t kIndexSizeMax = std::size_t{64} << 20;     // bytes
constexpr std::size_t kKeptFileSizeMax = std::size_t{16} << 20;  // bytes
// What one file may take: some seconds, even of a large fleet.
constexpr std::uint64_t kRunsMax = 2'000;
constexpr std::uint64_t kTimersMax = 5'000'000;

[[noreturn]] void fail(const std::string& path, std::string_view why) {
  throw CorpusTrouble{fmt::format("{}: {}", file::printable(path), why)};
}

void write_file(const std::string& path, const std::string& text) {
  OutputFile file{path};
  if (file.ok()) file.stream() << text;
  if (!file.ok() || !file.close()) throw CorpusTrouble{file.problem()};
}

// The scenario that a shrunk file holds, whatever its seed is, whichever service of a group it has left, and whatever
// its comments say.
std::string essence_of(std::string_view text) {
  constexpr std::string_view kName = "name = \"";
  std::string kept;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with("seed = ") || line.starts_with('#') || line.empty()) continue;
    if (line.starts_with(kName) && line.ends_with('"')) {
      const auto numbered = sim::numbered_name(line.substr(kName.size(), line.size() - kName.size() - 1));
      if (numbered) line = line.substr(0, kName.size() + numbered->group.size());
    }
    kept += std::string{line} + '\n';
  }
  return kept;
}

}  // namespace

CorpusFolder::CorpusFolder(Options options) : options_(std::move(options)) {
  summary_.folder = options_.path;
  while (summary_.folder.size() > 1 && summary_.folder.back() == '/') summary_.folder.pop_back();
  std::error_code error;
  fs::create_directories(summary_.folder, error);
  if (error) fail(options_.path, error.message());
  lock_ = ::open(summary_.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ == -1) fail(options_.path, std::strerror(errno));
  try {
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
      fail(options_.path,
           errno == EWOULDBLOCK ? "another sweep uses this corpus; wait until it is over" : std::strerror(errno));
    }
    read_index();
  } catch (...) {
    ::close(lock_);
    throw;
  }
}

CorpusFolder::~CorpusFolder() { ::close(lock_); }

std::string CorpusFolder::path_of(const std::string& name) const { return summary_.folder + '/' + name; }

void CorpusFolder::read_index() {
  const auto path = path_of(kIndex);
  std::error_code error;
  if (!fs::exists(path, error)) return;
  const auto read = file::read_small_file(path, kIndexSizeMax);
  if (!read.problem.empty()) fail(path, read.problem);
  try {
    corpus_ = sim::Corpus::parse(read.text);
  } catch (const sim::BadCorpus& bad) {
    fail(path, bad.what());
  }
  corpus_.forget_if([this](const sim::KeptFailure& kept) {
    std::error_code ignored;
    return !fs::exists(path_of(kept.file), ignored);
  });
}

// In one step, so that a sweep that is killed leaves the old one or the new one.
void CorpusFolder::write_index() const {
  const auto path = path_of(kIndex);
  const auto beside = path + ".new";
  write_file(beside, corpus_.text());
  std::error_code error;
  fs::rename(beside, path, error);
  if (error) fail(path, error.message());
}

void CorpusFolder::judge() {
  for (const auto& reason : corpus_.reasons()) {
    if (reason.scenario != options_.scenario.name) continue;
    for (const auto& kept : reason.kept) {
      const auto scenario = under_policies_of(options_.scenario, sim::read_scenario(path_of(kept.file)));
      auto verdict = sim::judge(scenario, reason, kept, options_.interrupted);
      if (!verdict) return;
      summary_.judged.push_back(std::move(*verdict));
    }
  }
}

void CorpusFolder::take(const sim::SeedOutcome& outcome) {
  corpus_.count(options_.scenario.name, options_.fingerprint, outcome);
  if (outcome.held()) return;
  auto& seeds = failing_[outcome.failures.front().reason];
  if (seeds.size() < sim::kKeptMax) seeds.push_back(outcome.seed);
}

void CorpusFolder::finish(const sim::SeedRange& seeds) {
  corpus_.close(options_.scenario.name, options_.fingerprint, seeds);
  write_index();  // whatever comes of making files, the counts are kept
  keep_what_fails();
  for (const auto& reason : corpus_.reasons()) {
    if (reason.scenario == options_.scenario.name) summary_.reasons.push_back(reason);
  }
}

void CorpusFolder::keep_what_fails() {
  for (const auto& [reason, seeds] : failing_) {
    for (const std::uint64_t seed : seeds) {
      if (options_.interrupted()) return;
      if (corpus_.has_room(options_.scenario.name, reason, seed)) keep(reason, seed);
    }
  }
}

void CorpusFolder::keep(const sim::FailureReason& reason, std::uint64_t seed) {
  const auto& source = options_.source;
  options_.shrinking(seed);
  try {
    const auto result = sim::shrink(source.text, source.file, source.folder,
                                    {.seed = Seed{seed},
                                     .runs_max = kRunsMax,
                                     .timers_max = kTimersMax,
                                     .only_weaker = true,
                                     .interrupted = options_.interrupted});
    if (options_.interrupted() || is_known(result.text)) return;
    const auto name = kept_file_name(options_.scenario.name, reason, seed);
    if (loses_traces(result, source, path_of(name))) {
      summary_.not_kept.push_back(
          fmt::format("seed {}: its file would not find its recorded traces here; put the corpus into the folder of {}",
                      seed, source.file));
      return;
    }
    write_file(path_of(name), shrunk_file(result, source.file, Seed{seed}));
    const auto run = sim::rehearse(sim::parse_scenario(result.text, source.file, source.folder));
    corpus_.keep(options_.scenario.name, reason,
                 {name, seed, run.report.chaos_events > 0, run.report.fleet.failures > 0});
    write_index();
    summary_.added.push_back(name);
  } catch (const sim::NothingToShrink& nothing) {
    summary_.not_kept.emplace_back(nothing.what());
  }
}

// Two seeds often shrink to one and the same scenario.
bool CorpusFolder::is_known(const std::string& text) const {
  for (const auto& reason : corpus_.reasons()) {
    for (const auto& kept : reason.kept) {
      const auto read = file::read_small_file(path_of(kept.file), kKeptFileSizeMax);
      if (read.problem.empty() && essence_of(read.text) == essence_of(text)) return true;
    }
  }
  return false;
}

}  // namespace holdfast::tools
