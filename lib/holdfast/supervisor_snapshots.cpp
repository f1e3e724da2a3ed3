// Snapshots of the supervisor's services.
#include <string>

#include <holdfast/supervisor.hpp>

namespace holdfast {

namespace {

BreakerState breaker_of(const detail::ServiceRecord& record) {
  if (!record.policy->backoff().breaker) return BreakerState::off;
  if (record.phase == Phase::terminated) {
    return record.reason == Termination::Reason::circuit_open ? BreakerState::open : BreakerState::closed;
  }
  if (!record.retries.breaker_has_opened) return BreakerState::closed;
  return record.phase == Phase::backing_off ? BreakerState::open : BreakerState::half_open;
}

}  // namespace

std::optional<ServiceSnapshot> Supervisor::snapshot(std::string_view name) const {
  const Record* const record = services_.find(name);
  return record ? std::optional{describe(*record)} : std::nullopt;
}

const ServicePolicy* Supervisor::policy(std::string_view name) const noexcept {
  const Record* const record = services_.find(name);
  return record ? &record->policy->in_force : nullptr;
}

std::vector<ServiceSnapshot> Supervisor::snapshots() const {
  std::vector<ServiceSnapshot> all;
  all.reserve(service_count());
  for (const Record* record = services_.first(); record; record = services_.next(*record)) {
    if (!record->name_freed) all.push_back(describe(*record));
  }
  return all;
}

namespace {

std::optional<std::uint32_t> slot_of(const detail::ServiceRecord* record) noexcept {
  return record ? std::optional{record->id.slot} : std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> Supervisor::first_slot() const noexcept { return slot_of(services_.first()); }

std::optional<std::uint32_t> Supervisor::slot_after(std::uint32_t slot) const noexcept {
  const Record* const record = services_.find(slot);
  return record ? slot_of(services_.next(*record)) : std::nullopt;
}

std::optional<ServiceSnapshot> Supervisor::snapshot_in(std::uint32_t slot) const {
  const Record* const record = services_.find(slot);
  return record && !record->name_freed ? std::optional{describe(*record)} : std::nullopt;
}

ServiceSnapshot Supervisor::describe(const Record& record) const {
  const TimePoint now = scheduler_.now();
  const bool stops = record.phase == Phase::stopping;
  const bool waits_for_others = order_ && order_->waits(record.id.slot);
  const bool waits_for_group = groups_ && groups_->waits(record.id.slot);
  const bool has_watch = record.policy->in_force.watchdog.has_value();
  const detail::Watch watch = has_watch ? watches_[record.id.slot] : detail::Watch{};
  return {
      .name = std::string{record.name.text()},
      .group = record.policy->in_force.group,
      .group_is_lost = groups_ && groups_->has(record.id.slot) && groups_->is_given_up(record.id.slot),
      .id = record.id,
      .restart = record.policy->in_force.restart,
      .phase = record.phase,
      .run = record.run,
      .starts = record.run.value - incarnations_.past_of(record).runs.value,
      .failures = record.failures,
      .clean_exits = record.id.slot < clean_exits_.size() ? clean_exits_[record.id.slot] : 0,
      .ready = record.policy->in_force.ready,
      .failed_starts = record.id.slot < failed_starts_.size() ? failed_starts_[record.id.slot] : 0,
      .watchdog = record.policy->in_force.watchdog,
      .hangs = watch.hangs,
      .attempt = record.retries.attempt,
      .failures_in_window = record.retries.history.size(),
      .breaker = breaker_of(record),
      .pid = record.run_alive ? pid_of(record) : std::nullopt,
      .last_error = std::string{record.last_error.text()},
      .running_time = record.run_open ? saturating_add(record.running_time, record.lasted(now)) : record.running_time,
      .age = now - record.added_at,
      .time_in_phase = now - record.phase_since,
      .next_start = record.phase == Phase::backing_off && !is_limited(record) && !waits_for_group &&
                            (!waits_for_others || record.armed())
                        ? std::optional{record.deadline()}
                        : std::nullopt,
      .waits_for = waits_for_others     ? std::optional{WaitsFor::dependency}
                   : waits_for_group    ? std::optional{WaitsFor::group}
                   : is_limited(record) ? std::optional{WaitsFor::restart_limit}
                                        : std::nullopt,
      .dependency = std::string{waits_for_others ? order_->first_missing(record.id.slot) : std::string_view{}},
      .ready_by = record.awaits_ready && record.armed() ? std::optional{record.deadline()} : std::nullopt,
      .watchdog_until = record.is_watched() && record.armed()
                            ? std::optional{watch.heard_at + *record.policy->in_force.watchdog}
                            : std::nullopt,
      .progress = watch.has_progress ? std::optional<std::uint64_t>{watch.progress} : std::nullopt,
      .grace_until = stops && record.armed() ? std::optional{record.deadline()} : std::nullopt,
      .killed = stops && record.killed,
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
