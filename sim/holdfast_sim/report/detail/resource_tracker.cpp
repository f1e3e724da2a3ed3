#include <holdfast_sim/report/detail/resource_tracker.hpp>

#include <algorithm>

namespace holdfast::sim::detail {

std::size_t ResourceTracker::index_of(std::string_view resource) {
  const auto found =
      std::find_if(tallies_.begin(), tallies_.end(), [&](const Tally& tally) { return tally.report.name == resource; });
  if (found != tallies_.end()) return static_cast<std::size_t>(found - tallies_.begin());
  tallies_.emplace_back().report.name = resource;
  return tallies_.size() - 1;
}

void ResourceTracker::waits(std::uint32_t slot, std::string_view resource, TimePoint at) {
  over(slot);
  const std::size_t index = index_of(resource);
  waits_[slot] = {index, at};
  ResourceReport& report = tallies_[index].report;
  ++report.waited;
  if (++report.waiting <= report.most_waiting) return;
  report.most_waiting = report.waiting;
  report.most_at = at;
}

void ResourceTracker::served(std::uint32_t slot, TimePoint at) {
  const auto found = waits_.find(slot);
  if (found == waits_.end()) return;
  Tally& tally = tallies_[found->second.resource];
  tally.waits.record(at - found->second.since);
  ++tally.report.served;
  --tally.report.waiting;
  waits_.erase(found);
}

void ResourceTracker::over(std::uint32_t slot) {
  const auto found = waits_.find(slot);
  if (found == waits_.end()) return;
  ResourceReport& report = tallies_[found->second.resource].report;
  ++report.in_vain;
  --report.waiting;
  waits_.erase(found);
}

std::vector<ResourceReport> ResourceTracker::finish() const {
  std::vector<ResourceReport> reports;
  for (const Tally& tally : tallies_) {
    ResourceReport& report = reports.emplace_back(tally.report);
    if (report.served == 0) continue;
    report.median = tally.waits.quantile(50);
    report.percentile_99 = tally.waits.quantile(99);
    report.max = tally.waits.max();
  }
  return reports;
}

}  // namespace holdfast::sim::detail
