#include "ledger_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <holdfast/file/message_text.hpp>

namespace holdfast::tools {

std::string difference(const sim::LedgerHead& found, const sim::LedgerHead& asked) {
  if (found.version != asked.version) {
    return fmt::format("was written by holdfast {}, and this is {}", file::printable(found.version), asked.version);
  }
  if (found.plan.seeds != asked.plan.seeds || found.shard != asked.shard) {
    return fmt::format("is of the seeds {}..{}, shard {}/{}", found.plan.seeds.first, found.plan.seeds.last,
                       found.shard.index, found.shard.of);
  }
  if (found.fingerprint != asked.fingerprint) return "is of another scenario, or of this one with other values";
  // The command that repeats a failure names the file.
  if (found.plan.file != asked.plan.file) return "is of the file " + file::printable(found.plan.file);
  return found == asked ? "" : "is of other settings";
}

// ---------------------------------------------------------------------------------------------------------------------
// Writing
// ---------------------------------------------------------------------------------------------------------------------

LedgerFile::LedgerFile(std::string path, const sim::LedgerHead& head,
                       const std::function<void(sim::SeedOutcome)>& known)
    : path_(std::move(path)), synced_(std::chrono::steady_clock::now()) {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ == -1) fail(std::strerror(errno));
  try {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) fail(std::strerror(errno));
    if (!S_ISREG(status.st_mode)) fail("is not a regular file, and cannot be gone on with");
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      fail(errno == EWOULDBLOCK ? "another sweep is writing it; give each a ledger of its own" : std::strerror(errno));
    }
    go_on(head, known);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

LedgerFile::~LedgerFile() { ::close(descriptor_); }

void LedgerFile::fail(const std::string& what) const {
  throw LedgerTrouble(fmt::format("{}: {}", file::printable(path_), what));
}

void LedgerFile::begin(const sim::LedgerHead& head) { write_all(to_line(head)); }

void LedgerFile::go_on(const sim::LedgerHead& head, const std::function<void(sim::SeedOutcome)>& known) {
  // A descriptor of its own, for the position of a stream is no business of what is appended.
  std::FILE* const file = std::fopen(path_.c_str(), "re");
  if (file == nullptr) fail(std::strerror(errno));
  char* buffer = nullptr;
  std::size_t capacity = 0;
  off_t whole = 0;  // bytes in whole lines
  std::uint64_t number = 0;
  std::string trouble;
  for (ssize_t size = 0; trouble.empty() && (size = ::getline(&buffer, &capacity, file)) > 0;) {
    const std::string_view line{buffer, static_cast<std::size_t>(size)};
    if (line.back() != '\n') break;
    whole += size;
    try {
      const auto text = line.substr(0, line.size() - 1);
      if (++number > 1) {
        known(sim::parse_ledger_line(text));
      } else if (const auto other = difference(sim::parse_ledger_head(text), head); !other.empty()) {
        trouble = other + "; name another ledger, or remove it";
      }
    } catch (const sim::BadLedger& bad) {
      trouble = fmt::format("line {} {}", number, bad.what());
    }
  }
  const bool unreadable = std::ferror(file) != 0;
  std::free(buffer);
  std::fclose(file);
  if (unreadable) fail("cannot be read");
  if (!trouble.empty()) fail(trouble);
  // A sweep that was killed while it wrote.
  if (::ftruncate(descriptor_, whole) != 0) fail(std::strerror(errno));
  if (number == 0) begin(head);
}

void LedgerFile::append(const std::vector<sim::SeedOutcome>& outcomes) {
  std::string text;
  for (const auto& outcome : outcomes) {
    if (outcome.verdict != sim::RehearsalVerdict::interrupted) text += to_line(outcome);
  }
  const std::lock_guard lock{mutex_};
  write_all(text);
  const auto now = std::chrono::steady_clock::now();
  if (now - synced_ < std::chrono::seconds{1}) return;
  synced_ = now;
  ::fdatasync(descriptor_);
}

void LedgerFile::write_all(const std::string& text) {
  for (std::string_view rest = text; !rest.empty();) {
    const auto written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno != EINTR) fail(std::strerror(errno));
    if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Reading
// ---------------------------------------------------------------------------------------------------------------------

LedgerReader::LedgerReader(std::string path) : path_(std::move(path)) {
  file_ = std::fopen(path_.c_str(), "re");
  if (file_ == nullptr) fail(std::strerror(errno));
  std::string line;
  try {
    if (!read_line(line)) throw sim::BadLedger{"is empty"};
    head_ = sim::parse_ledger_head(line);
  } catch (const sim::BadLedger& bad) {
    std::free(buffer_);
    std::fclose(file_);
    fail(bad.what());
  }
  if (const auto seeds = seeds_of(head_.shard, head_.plan.seeds)) order_.emplace(*seeds);
}

LedgerReader::~LedgerReader() {
  std::free(buffer_);
  std::fclose(file_);
}

void LedgerReader::fail(const std::string& what) const {
  throw LedgerTrouble(fmt::format("{}: {}", file::printable(path_), what));
}

// A last line without an end is of a sweep that was killed while it wrote.
bool LedgerReader::read_line(std::string& line) {
  const ssize_t size = ::getline(&buffer_, &capacity_, file_);
  if (size <= 0 || buffer_[size - 1] != '\n') return false;
  ++line_;
  line.assign(buffer_, static_cast<std::size_t>(size) - 1);
  return true;
}

std::optional<sim::SeedOutcome> LedgerReader::next() {
  if (!order_) return std::nullopt;
  std::string line;
  try {
    for (;;) {
      if (auto outcome = order_->take()) return outcome;
      if (!read_line(line)) return std::nullopt;
      order_->add(sim::parse_ledger_line(line));
    }
  } catch (const sim::BadLedger& bad) {
    fail(fmt::format("line {} {}", line_, bad.what()));
  }
}

std::optional<sim::SeedOutcome> LedgerReader::next_line() {
  std::string line;
  try {
    return read_line(line) ? std::optional{sim::parse_ledger_line(line)} : std::nullopt;
  } catch (const sim::BadLedger& bad) {
    fail(fmt::format("line {} {}", line_, bad.what()));
  }
}

}  // namespace holdfast::tools
