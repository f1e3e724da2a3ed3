// Ledgers of sweeps as files (holdfast_sim/search/ledger.hpp has their text).
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <holdfast_sim/search/ledger.hpp>

namespace holdfast::tools {

// A ledger cannot be read, written or used; what() names it and says what would be right.
class LedgerTrouble : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// How two heads of one sweep differ, in words that follow the name of the first; empty: they do not.
std::string difference(const sim::LedgerHead& found, const sim::LedgerHead& asked);

// The ledger that a sweep writes. One process has it at a time: another one that opens it is refused.
class LedgerFile {
 public:
  // Opens a ledger of this head, or begins it. What a dead sweep left half written at its end is taken off. Every
  // outcome that stands in it is given to `known`, in the order of the file. Throws LedgerTrouble.
  LedgerFile(std::string path, const sim::LedgerHead& head, const std::function<void(sim::SeedOutcome)>& known);
  ~LedgerFile();
  LedgerFile(const LedgerFile&) = delete;
  LedgerFile& operator=(const LedgerFile&) = delete;

  // Writes the outcomes at once, whole lines or nothing; those of interrupted runs are left out. About once a second
  // the file is also brought onto the disk. Throws LedgerTrouble. Thread-safety: any thread.
  void append(const std::vector<sim::SeedOutcome>& outcomes);

 private:
  void begin(const sim::LedgerHead& head);
  void go_on(const sim::LedgerHead& head, const std::function<void(sim::SeedOutcome)>& known);
  void write_all(const std::string& text);
  [[noreturn]] void fail(const std::string& what) const;

  const std::string path_;
  int descriptor_ = -1;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point synced_;
};

// A ledger that is only read, one outcome after the other in the order of the seeds.
class LedgerReader {
 public:
  explicit LedgerReader(std::string path);
  ~LedgerReader();
  LedgerReader(const LedgerReader&) = delete;
  LedgerReader& operator=(const LedgerReader&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const sim::LedgerHead& head() const noexcept { return head_; }
  // nullopt: there is none any more, or a seed is missing. Throws LedgerTrouble.
  std::optional<sim::SeedOutcome> next();
  // The same in the order of the file. REQUIRES: next() is not called.
  std::optional<sim::SeedOutcome> next_line();

 private:
  bool read_line(std::string& line);
  [[noreturn]] void fail(const std::string& what) const;

  const std::string path_;
  std::FILE* file_ = nullptr;
  char* buffer_ = nullptr;
  std::size_t capacity_ = 0;
  std::uint64_t line_ = 0;
  sim::LedgerHead head_;
  std::optional<sim::LedgerOrder> order_;
};

}  // namespace holdfast::tools
