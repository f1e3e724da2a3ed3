// The worst storm: the most services that fell within any 60 s, found while events go by.
//
// A service counts once in a window, however often it falls. The services are kept in the order of their latest fall,
// in a list through one array indexed by slot, so that a fall costs O(1) and memory is O(services).
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <vector>

#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct WorstStorm {
  std::uint64_t services = 0;  // 0: none ever fell
  TimePoint began;             // the shortest window that holds a fall of each of them and ends with the last fall
  TimePoint last;
  friend bool operator==(const WorstStorm&, const WorstStorm&) = default;
};

class StormTracker {
 public:
  static constexpr Duration kWindow = std::chrono::seconds{60};  // falls exactly this far apart are in one window

  // REQUIRES: `at` is not before the last fall.
  void fell(std::uint32_t slot, TimePoint at);
  // Another service will have the slot.
  void forget(std::uint32_t slot) noexcept;

  [[nodiscard]] const WorstStorm& worst() const noexcept { return worst_; }

 private:
  static constexpr std::uint32_t kNone = 0xffff'ffff;
  struct Node {
    TimePoint at;
    std::uint32_t before = kNone;
    std::uint32_t after = kNone;
    bool listed = false;
  };

  void append(std::uint32_t slot, TimePoint at) noexcept;
  void unlink(std::uint32_t slot) noexcept;

  std::vector<Node> nodes_;
  std::uint32_t first_ = kNone;
  std::uint32_t last_ = kNone;
  std::uint64_t listed_ = 0;
  WorstStorm worst_;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
