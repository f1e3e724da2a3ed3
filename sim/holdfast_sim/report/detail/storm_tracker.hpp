// The worst storm: the most services that fell within any 60 s, found while events go by.
//
// A service counts once in a window, however often it falls, and also if it is removed before the window is over. The
// latest falls are kept in order in a list through one array, so that a fall costs O(1), and memory is O(services that
// fell within a window).
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <vector>

#include <holdfast/time.hpp>
#include <holdfast_sim/report/report_data.hpp>

namespace holdfast::sim {

class StormTracker {
 public:
  static constexpr Duration kWindow = std::chrono::seconds{60};  // falls exactly this far apart are in one window

  // REQUIRES: `at` is not before the last fall.
  void fell(std::uint32_t slot, TimePoint at);
  // Another service will have the slot. The storm that is still going on keeps the fall of this one.
  void forget(std::uint32_t slot) noexcept;

  [[nodiscard]] const WorstStorm& worst() const noexcept { return worst_; }

 private:
  static constexpr std::uint32_t kNone = 0xffff'ffff;
  struct Fall {  // the latest of a service
    TimePoint at;
    std::uint32_t slot = kNone;  // kNone: of a service that is gone
    std::uint32_t before = kNone;
    std::uint32_t after = kNone;
  };

  void append(std::uint32_t slot, TimePoint at);
  void unlink(std::uint32_t index) noexcept;

  std::vector<Fall> falls_;
  std::vector<std::uint32_t> latest_;  // by slot: an index into falls_; kNone: not within the window
  std::uint32_t first_ = kNone;
  std::uint32_t last_ = kNone;
  std::uint32_t free_ = kNone;  // a list through `after`
  std::uint64_t listed_ = 0;
  WorstStorm worst_;
};

}  // namespace holdfast::sim
