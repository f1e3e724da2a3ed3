// What the supervisor says about its services when it is asked.
#include <string>

#include <holdfast/supervisor.hpp>

namespace holdfast {

namespace {

BreakerState breaker_of(const detail::ServiceRecord& record) {
  if (!record.policy->backoff.breaker) return BreakerState::off;
  const bool tripped = record.phase == Phase::terminated && record.reason == Termination::Reason::circuit_open;
  return tripped ? BreakerState::open : BreakerState::closed;
}

}  // namespace

std::optional<ServiceSnapshot> Supervisor::snapshot(std::string_view name) const {
  const Record* const record = services_.find(name);
  return record ? std::optional{describe(*record)} : std::nullopt;
}

std::vector<ServiceSnapshot> Supervisor::snapshots() const {
  std::vector<ServiceSnapshot> all;
  all.reserve(service_count());
  for (const Record* record = services_.first(); record; record = services_.next(*record)) {
    if (!record->name_freed) all.push_back(describe(*record));
  }
  return all;
}

ServiceSnapshot Supervisor::describe(const Record& record) const {
  const TimePoint now = scheduler_.now();
  const auto found = record.phase == Phase::stopping ? graces_.find(record.id.slot) : graces_.end();
  const Grace* const grace = found == graces_.end() ? nullptr : &found->second;
  return {
      .name = std::string{record.name.text()},
      .id = record.id,
      .restart = record.restart,
      .phase = record.phase,
      .run = record.run,
      .starts = record.run.value - past_of(record).runs.value,
      .failures = record.failures,
      .clean_exits = record.id.slot < clean_exits_.size() ? clean_exits_[record.id.slot] : 0,
      .attempt = record.attempt,
      .failures_in_window = record.history.size(),
      .breaker = breaker_of(record),
      .last_error = std::string{record.last_error.text()},
      .running_time = record.run_open ? saturating_add(record.running_time, record.lasted(now)) : record.running_time,
      .age = now - record.added_at,
      .time_in_phase = now - record.phase_since,
      .next_start = record.phase == Phase::backing_off ? std::optional{record.next_start()} : std::nullopt,
      .grace_until = grace && grace->armed() ? std::optional{grace->over_at()} : std::nullopt,
      .killed = grace && grace->killed,
      .termination = record.phase == Phase::terminated ? std::optional{termination_of(record)} : std::nullopt,
  };
}

std::optional<ServiceId> Supervisor::id(std::string_view name) const {
  const Record* const record = services_.find(name);
  return record ? std::optional{record->id} : std::nullopt;
}

std::optional<ServiceId> Supervisor::id_in(std::uint32_t slot) const noexcept {
  const Record* const record = services_.find(slot);
  return record ? std::optional{record->id} : std::nullopt;
}

std::string_view Supervisor::name(ServiceId service) const noexcept {
  const Record* const record = services_.find(service);
  HOLDFAST_ASSERT(record, "the name of a service that is not present");
  return record->name.text();
}

}  // namespace holdfast
