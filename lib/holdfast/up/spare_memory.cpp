#include <holdfast/up/spare_memory.hpp>

#include <malloc.h>
#include <sys/mman.h>

#include <charconv>
#include <exception>
#include <fstream>
#include <string>
#include <string_view>

namespace holdfast::up {

namespace {

// "55d0c0a00000-55d0c0b00000 r-xp 00000000 08:01 1234   /usr/bin/holdfast"; nullopt for another line, and for a mapping
// that can be written or is of no file.
struct Head {
  bool is_one = false;
  std::optional<Mapping> of_file{};
};

Head head_of(std::string_view line) {
  Head head;
  Mapping mapping;
  const char* const end = line.data() + line.size();
  const auto first = std::from_chars(line.data(), end, mapping.begin, 16);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '-') return head;
  const auto second = std::from_chars(first.ptr + 1, end, mapping.end, 16);
  if (second.ec != std::errc{} || second.ptr == end || *second.ptr != ' ') return head;
  head.is_one = true;
  const std::string_view rest{second.ptr + 1, static_cast<std::size_t>(end - second.ptr - 1)};
  if ((rest.starts_with("r-xp ") || rest.starts_with("r--p ")) && rest.find(" /") != std::string_view::npos) {
    head.of_file = mapping;
  }
  return head;
}

// A page that was changed belongs to no file any more. It is in memory or in the swap.
bool counts_changes(std::string_view line) { return line.starts_with("Anonymous:") || line.starts_with("Swap:"); }

bool is_zero(std::string_view line) {
  const auto digit = line.find_first_of("0123456789");
  return digit != std::string_view::npos && line.substr(digit).starts_with("0 kB");
}

}  // namespace

std::vector<Mapping> unchanged_mappings(std::istream& smaps) {
  std::vector<Mapping> found;
  std::optional<Mapping> present;
  int counts = 0;  // how many of what counts changes were read
  const auto keep = [&] {
    if (present && counts == 2) found.push_back(*present);
  };
  for (std::string line; std::getline(smaps, line);) {
    if (const Head head = head_of(line); head.is_one) {
      keep();
      present = head.of_file;
      counts = 0;
    } else if (present && counts_changes(line)) {
      if (!is_zero(line)) present.reset();
      ++counts;
    }
  }
  keep();
  return found;
}

void give_spare_memory_back() noexcept try {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
  std::ifstream smaps{"/proc/self/smaps"};
  for (const Mapping& mapping : unchanged_mappings(smaps)) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the system says where they are in numbers
    ::madvise(reinterpret_cast<void*>(mapping.begin), mapping.end - mapping.begin, MADV_DONTNEED);
  }
} catch (const std::exception&) {  // no memory to look for memory
}

void SpareMemory::stir() {
  has_stirred_ = true;
  if (timer_ && !waits_) await();
}

void SpareMemory::await() {
  waits_ = true;
  has_stirred_ = false;
  timer_->expires_after(quiet_);
  timer_->async_wait([this](boost::system::error_code error) {
    if (error || !timer_) return;
    if (has_stirred_) return await();
    waits_ = false;
    give_back_();
  });
}

}  // namespace holdfast::up
