#include "audit.hpp"

#include <algorithm>
#include <variant>

namespace soak {

using holdfast::Counters, holdfast::Phase, holdfast::ServiceSnapshot;
using holdfast::test::Ledger;
using Lines = std::vector<std::string>;

namespace {

void expect(Lines& lines, bool kept, const std::string& says) {
  if (!kept) lines.push_back(says);
}

void compare(Lines& lines, const ServiceSnapshot& service, const Ledger::Life& life) {
  const auto same = [&](const char* what, const auto& said, const auto& told) {
    expect(lines, said == told, service.name + ": its events tell another " + what + " than its snapshot");
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
  ++events_;
  if (std::holds_alternative<holdfast::event::EndedLate>(event.what)) ++late_ends_;
  ledger_.enter(event);
}

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

Lines Books::differences_at_the_end(const Counters& counters, const std::vector<ServiceSnapshot>& services) const {
  Lines lines = differences(counters, services);
  expect(lines, counters.active_services == 0, "services are left");
  expect(lines, counters.abandoned_runs == late_ends_, "not every abandoned run has told its late end");
  for (const auto& life : ledger_.lives()) {
    expect(lines, life.phase == Phase::terminated, life.name + " has not terminated");
    expect(lines, !life.run_open, life.name + ": its last run has not ended");
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
