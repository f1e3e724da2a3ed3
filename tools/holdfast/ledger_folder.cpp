#include "ledger_folder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <holdfast/file/message_text.hpp>

namespace holdfast::tools {

namespace fs = std::filesystem;

namespace {

// Another process may be about to write it.
bool has_head(const fs::path& file) {
  std::ifstream in{file};
  std::string head;
  return std::getline(in, head) && !in.eof();
}

}  // namespace

bool is_ledger_folder(const std::string& path) {
  std::error_code error;
  return path.ends_with('/') || fs::is_directory(path, error);
}

std::vector<std::string> ledgers_in(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {path};
  std::vector<std::string> files;
  for (fs::directory_iterator entry{path, error}, end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".ledger" && has_head(entry->path())) files.push_back(entry->path().string());
  }
  if (error) throw LedgerTrouble(fmt::format("{}: {}", file::printable(path), error.message()));
  std::sort(files.begin(), files.end());
  return files;
}

LedgerFolder::LedgerFolder(std::string path, sim::LedgerHead head) : path_(std::move(path)), head_(std::move(head)) {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw LedgerTrouble(fmt::format("{}: {}", file::printable(path_), error.message()));
}

void LedgerFolder::read(const std::function<void(sim::SeedOutcome)>& known) const {
  const auto seeds = seeds_of(head_.shard, head_.plan.seeds);
  if (!seeds) return;
  for (const auto& path : ledgers_in(path_)) {
    LedgerReader reader{path};
    check(path, reader.head());
    try {
      while (auto outcome = reader.next_line()) {
        if (outcome->seed >= seeds->first && outcome->seed <= seeds->last) known(std::move(*outcome));
      }
    } catch (const sim::BadLedger& bad) {
      throw LedgerTrouble(fmt::format("{}: {}", file::printable(path), bad.what()));
    }
  }
}

void LedgerFolder::check() const {
  for (const auto& path : ledgers_in(path_)) check(path, LedgerReader{path}.head());
}

void LedgerFolder::check(const std::string& path, sim::LedgerHead theirs) const {
  theirs.shard = head_.shard;
  const auto other = difference(theirs, head_);
  if (other.empty()) return;
  throw LedgerTrouble(fmt::format("{}: {}; name another folder, or remove it", file::printable(path), other));
}

std::unique_ptr<LedgerFile> LedgerFolder::begin() const {
  auto ledger = std::make_unique<LedgerFile>(new_name(), head_, [](const auto&) {});
  sim::LedgerOrder order{*seeds_of(head_.shard, head_.plan.seeds)};
  constexpr std::size_t kAtOnce = 1000;
  std::vector<sim::SeedOutcome> some;
  read([&](const sim::SeedOutcome& outcome) {
    if (!order.add(outcome)) return;
    while (order.take()) {
    }
    some.push_back(outcome);
    if (some.size() == kAtOnce) ledger->append(std::exchange(some, {}));
  });
  ledger->append(some);
  return ledger;
}

// Of the machine and the process. A number of a process comes again.
std::string LedgerFolder::new_name() const {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  std::string machine{host.data()};
  std::replace(machine.begin(), machine.end(), '/', '_');
  for (unsigned i = 1;; ++i) {
    const auto name = fs::path{path_} / fmt::format("shard-{}-of-{}.{}.{}.{}.ledger", head_.shard.index, head_.shard.of,
                                                    machine, ::getpid(), i);
    const int descriptor = ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor != -1) {
      ::close(descriptor);
      return name.string();
    }
    if (errno != EEXIST)
      throw LedgerTrouble(fmt::format("{}: {}", file::printable(name.string()), std::strerror(errno)));
  }
}

}  // namespace holdfast::tools
