#include "audit.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "memory.hpp"

namespace soak {

using holdfast::Counters, holdfast::Phase, holdfast::ServiceSnapshot;
using holdfast::test::Ledger;
using Lines = std::vector<std::string>;

namespace {

void expect(Lines& lines, bool kept, const std::string& says) {
  if (!kept) lines.push_back(says);
}

void compare(Lines& lines, const ServiceSnapshot& service, const Ledger::Life& life) {
  const auto same = [&](const char* what, const auto& said, const auto& reported) {
    expect(lines, said == reported, service.name + ": its events report another " + what + " than its snapshot");
  };
  same("name", service.name, life.name);
  same("phase", service.phase, life.phase);
  same("run", service.run.value, life.run);
  same("number of starts", service.starts, life.starts);
  same("number of failures", service.failures, life.failures);
  same("number of clean exits", service.clean_exits, life.clean_exits);
  same("end", service.termination.has_value(), life.phase == Phase::terminated);
}

}  // namespace

void Books::on_event(const holdfast::Event& event) {
  const ReliableMemory reliable;
  ++events_;
  if (std::holds_alternative<holdfast::event::EndedLate>(event.what)) ++late_ends_;
  if (std::holds_alternative<holdfast::event::RecordingFailed>(event.what)) ++failed_recordings_;
  if (std::holds_alternative<holdfast::event::Removed>(event.what)) forget(event.service);
  const auto* const added = std::get_if<holdfast::event::Added>(&event.what);
  if (added && added->runs_before.value > 0) remember(event.service);
  ledger_.enter(event);
}

// The end of a run is not reported when its service is gone by then, unless it was only restarted in its place.
void Books::forget(holdfast::ServiceId service) {
  const auto* const life = ledger_.find(service);
  if (!life) return;
  left_[service.slot] = life->abandoned_runs.size() + (life->run_open ? 1 : 0);
  pending_ends_ += left_[service.slot];
}

void Books::remember(holdfast::ServiceId service) { pending_ends_ -= std::exchange(left_[service.slot], 0); }

Lines Books::differences(const Counters& counters, const std::vector<ServiceSnapshot>& services) const {
  Lines lines = ledger_.violations();
  expect(lines, counters == ledger_.counters(), "the counters are not those of the events");
  expect(lines, services.size() == ledger_.lives().size(), "there are more or fewer services than the events tell");
  for (const auto& service : services) {
    const auto* const life = ledger_.find(service.id);
    expect(lines, life, service.name + ": its events do not tell of it");
    if (life) compare(lines, service, *life);
  }
  return lines;
}

Lines Books::differences_at_the_end(const Counters& counters, const std::vector<ServiceSnapshot>& services,
                                    bool ends_may_be_lost) const {
  Lines lines = differences(counters, services);
  expect(lines, counters.active_services == 0, "services are left");
  expect(lines, failed_recordings_ <= 1, "the recording failed more than once");
  const auto accounted = late_ends_ + pending_ends_;
  expect(lines, counters.abandoned_runs == accounted || (ends_may_be_lost && accounted < counters.abandoned_runs),
         std::to_string(counters.abandoned_runs) + " runs were abandoned, and " + std::to_string(accounted) +
             " of them have reported their late end, or can no longer do so");
  for (const auto& life : ledger_.lives()) {
    expect(lines, life.phase == Phase::terminated, life.name + " has not terminated");
    expect(lines, !life.run_open || ends_may_be_lost, life.name + ": its last run has not ended");
  }
  return lines;
}

Lines contradictions(const Counters& counters, const std::vector<ServiceSnapshot>& services) {
  Lines lines;
  const auto active = std::count_if(services.begin(), services.end(),
                                    [](const auto& service) { return service.phase != Phase::terminated; });
  expect(lines, counters.active_services == static_cast<std::uint64_t>(active), "another number of services is active");
  expect(lines, counters.spawned == counters.terminated + counters.active_services, "a service was lost");
  expect(lines, counters.starts >= counters.restarts, "more restarts than starts");
  return lines;
}

}  // namespace soak
