// Runs that were abandoned while their services went on, and that have not ended yet. Few services have any.
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include <holdfast/detail/service_record.hpp>
#include <holdfast/lifecycle.hpp>
#include <holdfast/time.hpp>

namespace holdfast::detail {

struct AbandonedRun {
  ServiceId service;  // when it began: a restart in place changes the id
  RunNumber run;
  TimePoint began;
  bool has_ended = false;  // and that is queued
};

class AbandonedRuns {
 public:
  // How many runs of the service are alive beside its present one.
  [[nodiscard]] std::size_t count(const ServiceRecord& record) const noexcept {
    if (!record.has_abandoned_runs) return 0;
    const auto& runs = runs_.find(record.id.slot)->second;
    return static_cast<std::size_t>(
        std::count_if(runs.begin(), runs.end(), [](const AbandonedRun& run) { return !run.has_ended; }));
  }

  // Adds the present run of the service. If it throws std::bad_alloc, nothing has changed.
  void add_present_run_of(ServiceRecord& record) {
    runs_[record.id.slot].push_back({record.id, record.run, record.run_began});
    record.has_abandoned_runs = true;
    record.run_alive = false;
  }

  // Null: it is not among them.
  [[nodiscard]] AbandonedRun* find(const ServiceRecord& record, RunNumber run) noexcept {
    if (!record.has_abandoned_runs) return nullptr;
    auto& runs = runs_.find(record.id.slot)->second;
    const auto found = std::find_if(runs.begin(), runs.end(), [&](const AbandonedRun& one) { return one.run == run; });
    return found == runs.end() ? nullptr : &*found;
  }
  // Null: no such run is among them, or it has ended before.
  [[nodiscard]] AbandonedRun* find_alive(const ServiceRecord& record, ServiceId service, RunNumber run) noexcept {
    AbandonedRun* const found = find(record, run);
    return found && found->service == service && !found->has_ended ? found : nullptr;
  }

  // Takes the run out. nullopt: it is not among them.
  std::optional<AbandonedRun> take(ServiceRecord& record, RunNumber run) noexcept {
    AbandonedRun* const found = find(record, run);
    if (!found) return std::nullopt;
    const AbandonedRun taken = *found;
    auto& runs = runs_.find(record.id.slot)->second;
    runs.erase(runs.begin() + (found - runs.data()));
    if (runs.empty()) forget(record);
    return taken;
  }

  void forget(ServiceRecord& record) noexcept {
    if (record.has_abandoned_runs) runs_.erase(record.id.slot);
    record.has_abandoned_runs = false;
  }

 private:
  std::unordered_map<std::uint32_t, std::vector<AbandonedRun>> runs_;  // by slot; only looked up, never iterated
};

}  // namespace holdfast::detail
