#include "engine_sweep.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "ledger_folder.hpp"
#include "merging.hpp"
#include "terminal.hpp"

namespace holdfast::tools {

namespace fs = std::filesystem;

namespace {

// How many seeds stand in the ledgers of a folder, about: whole lines, without reading any twice. A task that runs
// twice has two ledgers of one shard, of which the longer one counts.
class LineCounter {
 public:
  std::uint64_t count(const std::vector<std::string>& ledgers) {
    std::map<std::string, std::uint64_t> by_shard;
    for (const auto& path : ledgers) {
      auto& file = files_[path];
      read_on(path, file);
      const auto name = fs::path{path}.filename().string();
      auto& most = by_shard[name.substr(0, name.find('.'))];
      most = std::max(most, file.lines - std::min<std::uint64_t>(file.lines, 1));  // the first line is the head
    }
    std::uint64_t sum = 0;
    for (const auto& [shard, lines] : by_shard) sum += lines;
    return sum;
  }

 private:
  struct File {
    std::streamoff read = 0;
    std::uint64_t lines = 0;
  };

  static void read_on(const std::string& path, File& file) {
    std::ifstream in{path, std::ios::binary};
    in.seekg(file.read);
    std::array<char, 1 << 16> some{};
    while (in) {
      in.read(some.data(), some.size());
      const auto size = in.gcount();
      file.lines += static_cast<std::uint64_t>(std::count(some.begin(), some.begin() + size, '\n'));
      file.read += size;
    }
  }

  std::map<std::string, File> files_;
};

std::uint64_t size_of(const std::vector<sim::SeedRange>& gaps) {
  std::uint64_t sum = 0;
  for (const auto& gap : gaps) sum += gap.size();
  return sum;
}

// FNV-1a.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

// Beside the scenario's name it has what makes this sweep another one than the next.
std::string own_folder(const sim::LedgerHead& head) {
  constexpr std::size_t kDigits = 8;
  return fmt::format("{}.{}..{}.{}.sweep", fs::path{head.plan.file}.stem().string(), head.plan.seeds.first,
                     head.plan.seeds.last, head.fingerprint.substr(0, kDigits));
}

std::string this_program() { return fs::read_symlink("/proc/self/exe").string(); }

}  // namespace

std::vector<std::string> task_of(const EngineTasks& tasks, std::uint32_t shard) {
  auto words = tasks.words;
  words.insert(words.end(), {"--shard", fmt::format("{}/{}", shard, tasks.of)});
  return words;
}

EngineSweep::EngineSweep(EngineSweepOptions options) : options_(std::move(options)) {
  if (options_.folder.empty()) options_.folder = own_folder(options_.head);
  // Tasks may run in another folder.
  options_.folder = fs::absolute(options_.folder).lexically_normal().string();
  while (options_.folder.ends_with('/')) options_.folder.pop_back();
  options_.tasks = static_cast<std::uint32_t>(std::min<std::uint64_t>(options_.tasks, options_.head.plan.seeds.size()));
  LedgerFolder{options_.folder, options_.head}.check();
}

std::vector<std::string> EngineSweep::ledgers() const { return ledgers_in(options_.folder); }

std::vector<sim::SeedRange> EngineSweep::missing() const { return missing_seeds(ledgers(), options_.head.plan.seeds); }

std::vector<std::uint32_t> EngineSweep::shards_of(const std::vector<sim::SeedRange>& gaps) const {
  std::vector<std::uint32_t> shards;
  auto gap = gaps.begin();
  for (std::uint32_t shard = 1; shard <= options_.tasks; ++shard) {
    const auto seeds = seeds_of({shard, options_.tasks}, options_.head.plan.seeds);
    while (gap != gaps.end() && gap->last < seeds->first) ++gap;
    if (gap != gaps.end() && gap->first <= seeds->last) shards.push_back(shard);
  }
  return shards;
}

EngineTasks EngineSweep::tasks() const {
  EngineTasks tasks{.name = fmt::format("holdfast-{:016x}", hash_of(options_.folder + '\n' + to_line(options_.head))),
                    .folder = options_.folder,
                    .words = {this_program(), "sweep", options_.head.plan.file},
                    .of = options_.tasks,
                    .jobs = options_.jobs_of_task};
  const auto& seeds = options_.head.plan.seeds;
  tasks.words.insert(tasks.words.end(), options_.words.begin(), options_.words.end());
  tasks.words.insert(tasks.words.end(),
                     {"--seeds", fmt::format("{}..{}", seeds.first, seeds.last), "--ledger", options_.folder + '/',
                      "--quiet", "--jobs", std::to_string(options_.jobs_of_task)});
  return tasks;
}

bool EngineSweep::run(const std::function<std::unique_ptr<Engine>()>& engine, const EngineProgress& progress) {
  constexpr unsigned kInVainMax = 3;
  const auto all = options_.head.plan.seeds.size();
  std::unique_ptr<Engine> started;
  LineCounter counter;
  unsigned in_vain = 0;
  std::uint64_t left_before = UINT64_MAX;
  for (bool goes_on = true;;) {
    const auto gaps = missing();
    if (gaps.empty()) return true;
    if (!goes_on) return false;
    const auto left = size_of(gaps);
    in_vain = left < left_before ? 0 : in_vain + 1;
    if (in_vain == kInVainMax) {
      throw EngineTrouble{fmt::format("{} of {} seeds are missing, and {} attempts in a row have done none of them",
                                      left, all, kInVainMax)};
    }
    const auto shards = shards_of(gaps);
    if (left_before != UINT64_MAX) {
      complain(fmt::format("holdfast: {} of {} seeds are missing; {} of {} tasks run again\n", left, all, shards.size(),
                           options_.tasks));
    }
    left_before = left;
    if (!started) started = engine();
    std::uint64_t looked_at = 0;
    started->run(tasks(), shards, [&](const std::string& says) {
      const auto done = counter.count(ledgers());
      goes_on = progress(std::min(done, all), says);
      // The sweep does not wait for a task that it no longer needs: its machine may never answer.
      if (done < all || done == looked_at) return goes_on;
      looked_at = done;
      return goes_on && !missing().empty();
    });
  }
}

}  // namespace holdfast::tools
