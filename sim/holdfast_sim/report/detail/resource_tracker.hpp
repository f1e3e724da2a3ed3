// Sums up how runs wait for resources: which runs wait, from when, and how the wait ends.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <holdfast/time.hpp>
#include <holdfast_sim/report/detail/log_linear_histogram.hpp>
#include <holdfast_sim/report/report_data.hpp>

namespace holdfast::sim::detail {

class ResourceTracker {
 public:
  // The run of the service in this slot waits. A resource is known from its first mention on.
  void waits(std::uint32_t slot, std::string_view resource, TimePoint at);
  // The run has the resource. Nothing happens if it did not wait.
  void served(std::uint32_t slot, TimePoint at);
  // The run is over. If it still waited, it waited in vain.
  void over(std::uint32_t slot);

  [[nodiscard]] bool is_waiting(std::uint32_t slot) const { return waits_.contains(slot); }
  // In the order of their first mention.
  [[nodiscard]] std::vector<ResourceReport> finish() const;

 private:
  struct Tally {
    ResourceReport report;
    LogLinearHistogram waits;  // of those served
  };
  struct Wait {
    std::size_t resource;
    TimePoint since;
  };

  std::size_t index_of(std::string_view resource);

  std::vector<Tally> tallies_;
  std::unordered_map<std::uint32_t, Wait> waits_;  // by slot; only looked up, never iterated
};

}  // namespace holdfast::sim::detail
