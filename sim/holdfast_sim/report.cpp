#include <holdfast_sim/report.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>

#include <holdfast/detail/assert.hpp>

namespace holdfast::sim {

GroupReport& GroupReport::operator+=(const GroupReport& other) noexcept {
  services += other.services;
  starts += other.starts;
  restarts += other.restarts;
  failures += other.failures;
  clean_exits += other.clean_exits;
  breaker_trips += other.breaker_trips;
  killed_runs += other.killed_runs;
  for (std::size_t i = 0; i < kTerminationReasons; ++i) terminated[i] += other.terminated[i];
  availability += other.availability;
  return *this;
}

// ---------------------------------------------------------------------------------------------------------------------
// Groups
// ---------------------------------------------------------------------------------------------------------------------

namespace {

RecordedInput describe(const ChaosEntry& entry, const Recorded& recorded, std::optional<Duration> duration) {
  const auto& trace = recorded.trace;
  const auto beyond = std::count_if(trace.failures.begin(), trace.failures.end(), [&](const Failure& row) {
    return duration && saturating_add(entry.at, row.from) > *duration;
  });
  return {recorded.file,
          trace.failures.size(),
          trace.entities.size(),
          trace.zero_length,
          trace.duplicates,
          trace.overlapping,
          static_cast<std::uint64_t>(beyond)};
}

}  // namespace

Report::Report(const Scenario& scenario, Groups groups) : groups_are_(groups) {
  data_.scenario = scenario.name;
  for (const auto& group : scenario.fleet) {
    group_by_name_.emplace(group.name, static_cast<std::uint32_t>(groups_.size()));
    group_is_counted_.push_back(group.count.has_value());
    groups_.push_back({.name = group.name});
  }
  other_group_ = static_cast<std::uint32_t>(groups_.size());
  group_is_counted_.push_back(false);
  groups_.push_back({.name = "others"});
  for (const auto& entry : scenario.chaos) {
    const auto* const recorded = std::get_if<Recorded>(&entry.what);
    if (!recorded) continue;
    if (recorded->of.empty()) groups_.back().name = "recorded";
    data_.recorded.push_back(describe(entry, *recorded, scenario.duration));
  }
}

// "feed-12" is of the group "feed" if that has a count. Whoever is of no group was added for a recorded trace.
std::uint32_t Report::group_named(std::string_view service) {
  if (groups_are_ == Groups::by_name) return group_by_name(service);
  if (const auto found = group_by_name_.find(service);
      found != group_by_name_.end() && !group_is_counted_[found->second]) {
    return found->second;
  }
  if (const auto dash = service.rfind('-'); dash != std::string_view::npos) {
    const auto found = group_by_name_.find(service.substr(0, dash));
    if (found != group_by_name_.end() && group_is_counted_[found->second]) return found->second;
  }
  return other_group_;
}

// "feed-12" is of the group "feed". A group comes to be with its first service.
std::uint32_t Report::group_by_name(std::string_view service) {
  const auto last = service.find_last_not_of("0123456789");
  const bool counted = last != std::string_view::npos && last > 0 && service[last] == '-' && last + 1 < service.size();
  const std::string_view name = counted ? service.substr(0, last) : service;
  const auto [found, is_new] =
      group_by_name_.try_emplace(std::string{name}, static_cast<std::uint32_t>(groups_.size()));
  if (is_new) groups_.push_back({.name = std::string{name}});
  return found->second;
}

Report::Life& Report::life_of(const Event& event) {
  HOLDFAST_ASSERT(event.service.slot < lives_.size(), "an event of a service that was never added");
  return lives_[event.service.slot];
}

// ---------------------------------------------------------------------------------------------------------------------
// Time
// ---------------------------------------------------------------------------------------------------------------------

// A window that ends at `at` is left open for now: what happens in that instant may prolong it.
void Report::pass(TimePoint at) {
  while (!window_ends_.empty() && window_ends_.top().until < at) {
    const WindowEnd end = window_ends_.top();
    window_ends_.pop();
    close_windows(end.slot, end.until);
  }
  timeline_.advance_to(at);
  now_ = at;
}

// Entries of windows that have been prolonged, or whose service is gone, do nothing.
void Report::close_windows(std::uint32_t slot, TimePoint until) {
  Life& life = lives_[slot];
  const bool outage_ends = life.in_outage && life.outage_until == until;
  const bool hang_ends = life.in_hang && life.hang_until == until;
  if (!outage_ends && !hang_ends) return;
  timeline_.advance_to(until);
  settle(life, until);
  if (hang_ends) life.in_hang = false;
  if (outage_ends) {
    life.in_outage = false;
    if (life.outage_counts && life.started_at_repair) {
      after_outages_.lengths.record(Duration::zero());
    } else if (life.outage_counts) {
      std::uint32_t index = free_repairs_;
      if (index == kNone) {
        index = static_cast<std::uint32_t>(repairs_.size());
        repairs_.emplace_back();
      } else {
        free_repairs_ = repairs_[index].next;
      }
      repairs_[index] = {until, life.repairs};
      life.repairs = index;
    }
  }
  show(life);
}

void Report::settle(Life& life, TimePoint at) {
  if (at <= life.since) return;
  const auto length = static_cast<std::uint64_t>((at - life.since).count());
  life.since = at;
  if (!life.counts()) return;
  Availability& availability = group_of(life).availability;
  availability.time += length;
  if (life.up()) availability.up += length;
  if (!life.in_window()) availability.ideal += length;
}

void Report::show(Life& life) {
  if (!life.present) return;
  Standing standing = life.standing;
  switch (life.phase) {
    case Phase::running: standing = life.kept_down() ? Standing::restarting : Standing::running; break;
    case Phase::starting:
    case Phase::backing_off: standing = Standing::restarting; break;
    case Phase::stopping: standing = Standing::stopping; break;
    case Phase::terminated: break;  // as the event said
  }
  if (standing == life.standing) return;
  timeline_.leave(life.standing);
  timeline_.enter(standing);
  life.standing = standing;
}

void Report::set_phase(Life& life, const Event& event, Phase phase) {
  settle(life, event.at);
  life.phase = phase;
  show(life);
}

// ---------------------------------------------------------------------------------------------------------------------
// Chaos
// ---------------------------------------------------------------------------------------------------------------------

void Report::on_chaos(const ChaosEvent& event) {
  ++data_.chaos_events;
  pass_to(event.at);
  if (event.service.slot >= lives_.size()) return;
  Life& life = lives_[event.service.slot];
  if (!life.present || life.id != event.service) return;
  switch (event.kind) {
    case ChaosEvent::Kind::storm: return;
    case ChaosEvent::Kind::outage: return begin_outage(life, event);
    case ChaosEvent::Kind::hang: return begin_hang(life, event);
  }
}

void Report::begin_outage(Life& life, const ChaosEvent& event) {
  settle(life, event.at);
  if (life.phase == Phase::running && life.up()) storms_.fell(event.service.slot, event.at);
  if (life.awaits_running) ++after_failures_.never.overtaken;
  life.awaits_running = false;
  if (!life.in_outage || event.until > life.outage_until) {
    life.outage_until = event.until;
    window_ends_.push({event.until, event.service.slot});
  }
  life.outage_counts = life.phase != Phase::terminated && (life.outage_counts || !life.in_outage);
  life.in_outage = true;
  life.started_at_repair = false;
  show(life);
}

void Report::begin_hang(Life& life, const ChaosEvent& event) {
  settle(life, event.at);
  if (!life.in_hang || event.until > life.hang_until) {
    life.hang_until = event.until;
    if (event.until != TimePoint::max()) window_ends_.push({event.until, event.service.slot});
  }
  life.in_hang = true;
  show(life);
}

// ---------------------------------------------------------------------------------------------------------------------
// Events
// ---------------------------------------------------------------------------------------------------------------------

void Report::on_event(const Event& event) {
  ++data_.events;
  pass_to(event.at);
  std::visit([&](const auto& what) { handle(event, what); }, event.what);
}

void Report::handle(const Event& event, const event::Added& added) {
  if (event.service.slot >= lives_.size()) lives_.resize(event.service.slot + 1);
  Life& life = life_of(event);
  Life born;
  if (added.runs_before.value > 0) {  // in the place of a terminated one, which suffers what that one suffered
    born.in_outage = born.outage_counts = life.in_outage;
    born.outage_until = life.outage_until;
    born.in_hang = life.in_hang;
    born.hang_until = life.hang_until;
  } else {
    storms_.forget(event.service.slot);
  }
  born.id = event.service;
  born.group = group_named(event.name);
  born.phase = Phase::starting;
  born.standing = Standing::restarting;
  born.present = true;
  born.since = event.at;
  life = born;
  timeline_.enter(life.standing);
  ++group_of(life).services;
}

void Report::handle(const Event& event, const event::Warned& warned) {
  auto& all = data_.warnings;
  const bool of_service = !event.about_supervisor();
  const auto found = std::find_if(all.begin(), all.end(), [&](const ConfigurationWarning& warning) {
    return warning.field == warned.field && warning.says == warned.says && (warning.services > 0) == of_service;
  });
  if (found == all.end()) {
    all.push_back({std::string{warned.field}, std::string{warned.says}, of_service ? 1U : 0U});
  } else if (of_service) {
    ++found->services;
  }
}

void Report::handle(const Event& event, const event::Started&) {
  Life& life = life_of(event);
  settle(life, event.at);
  life.phase = Phase::starting;
  life.run_alive = true;
  while (life.repairs != kNone) {
    Repair& repair = repairs_[life.repairs];
    recovered(after_outages_, repair.at, event);
    std::swap(repair.next, free_repairs_);
    std::swap(life.repairs, free_repairs_);
  }
  if (life.in_outage && event.at >= life.outage_until) life.started_at_repair = true;
  GroupReport& group = group_of(life);
  ++group.starts;
  if (life.has_started) count_restart(event, group);
  life.has_started = true;
  show(life);
}

void Report::handle(const Event& event, const event::Running&) {
  Life& life = life_of(event);
  set_phase(life, event, Phase::running);
  if (!life.awaits_running) return;
  life.awaits_running = false;
  recovered(after_failures_, life.failed_at, event);
}

void Report::handle(const Event& event, const event::Ended& ended) {
  Life& life = life_of(event);
  settle(life, event.at);
  const bool was_up = life.up();
  life.run_alive = false;
  if (life.phase != Phase::running) return;  // it was asked to stop
  GroupReport& group = group_of(life);
  if (ended.outcome == Outcome::clean) {
    ++group.clean_exits;
    return;
  }
  ++group.failures;
  if (was_up) storms_.fell(event.service.slot, event.at);
  if (life.in_outage || life.repairs != kNone) return;
  life.awaits_running = true;
  life.failed_at = event.at;
}

void Report::handle(const Event& event, const event::BackingOff&) {
  set_phase(life_of(event), event, Phase::backing_off);
}

void Report::handle(const Event& event, const event::BreakerTripped&) {
  ++group_of(life_of(event)).breaker_trips;
  trips_.record(event.at - TimePoint{});
}

void Report::handle(const Event& event, const event::Killed&) { ++group_of(life_of(event)).killed_runs; }

void Report::handle(const Event& event, const event::Stopping&) { set_phase(life_of(event), event, Phase::stopping); }

void Report::handle(const Event& event, const event::Terminated& terminated) {
  Life& life = life_of(event);
  settle(life, event.at);
  const auto reason = terminated.why.reason;
  ++group_of(life).terminated[static_cast<std::size_t>(reason)];
  const bool lost = reason != Termination::Reason::completed && reason != Termination::Reason::cancelled;
  give_up_recovering(life, lost);
  life.phase = Phase::terminated;
  life.run_alive = false;
  timeline_.leave(life.standing);
  life.standing = lost ? Standing::lost : Standing::done;
  timeline_.enter(life.standing);
  if (!lost) return;
  losses_.push_back(event.at);
  if (data_.first_losses.size() == kFirstLossesMax) return;
  data_.first_losses.push_back({std::string{event.name}, event.at, to_string(terminated.why, terminated.last_error)});
}

void Report::give_up_recovering(Life& life, bool lost) {
  const auto give_up = [lost](Recoveries& never) { ++(lost ? never.lost : never.ended); };
  if (life.awaits_running) give_up(after_failures_.never);
  life.awaits_running = false;
  if (life.in_outage && life.outage_counts) {
    give_up(after_outages_.never);
    life.outage_counts = false;
  }
  while (life.repairs != kNone) {
    give_up(after_outages_.never);
    std::swap(repairs_[life.repairs].next, free_repairs_);
    std::swap(life.repairs, free_repairs_);
  }
}

void Report::handle(const Event& event, const event::Removed&) {
  Life& life = life_of(event);
  settle(life, event.at);
  life.present = false;
  timeline_.leave(life.standing);
}

void Report::handle(const Event& event, const event::ShutdownRequested&) { data_.shutdown_at = event.at; }

void Report::handle(const Event& event, const event::Drained&) { data_.drained_at = event.at; }

// ---------------------------------------------------------------------------------------------------------------------
// Counting
// ---------------------------------------------------------------------------------------------------------------------

void Report::count_restart(const Event& event, GroupReport& group) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  ++group.restarts;
  restarts_.record(event.at - TimePoint{});
  timeline_.count_restart();
  if (event.at.nanoseconds >= second_end_) {
    second_end_ = holdfast::detail::saturating_add(event.at.nanoseconds - event.at.nanoseconds % kSecond, kSecond);
    restarts_this_second_ = 0;
  }
  if (++restarts_this_second_ > data_.busiest_second.restarts) {
    data_.busiest_second = {restarts_this_second_, TimePoint{event.at.nanoseconds - event.at.nanoseconds % kSecond}};
  }
}

void Report::recovered(Tally& tally, TimePoint from, const Event& event) {
  const Duration took = event.at - from;
  tally.lengths.record(took);
  if (took == Duration::zero()) return;
  auto& slowest = data_.slowest;
  if (slowest.size() == kSlowestMax && took <= slowest.back().took) return;
  if (slowest.size() == kSlowestMax) slowest.pop_back();
  const auto place = std::find_if(slowest.begin(), slowest.end(), [&](const auto& other) { return other.took < took; });
  slowest.insert(place, {std::string{event.name}, from, took, &tally == &after_outages_});
}

// ---------------------------------------------------------------------------------------------------------------------
// The end
// ---------------------------------------------------------------------------------------------------------------------

namespace {

Occurrences occurrences(const LogLinearHistogram& times) {
  if (times.count() == 0) return {};
  const TimePoint zero;
  return {times.count(), zero + times.min(), zero + times.quantile(50), zero + times.max()};
}

Recoveries recoveries(const LogLinearHistogram& lengths, Recoveries never) {
  never.count = lengths.count();
  if (never.count == 0) return never;
  never.median = lengths.quantile(50);
  never.percentile_90 = lengths.quantile(90);
  never.percentile_99 = lengths.quantile(99);
  never.max = lengths.max();
  return never;
}

}  // namespace

// Events come in the order of time, so the losses are sorted.
Losses Report::losses() const {
  if (losses_.empty()) return {};
  const auto after = [this](std::size_t percent) { return losses_[(losses_.size() * percent + 99) / 100 - 1]; };
  return {losses_.size(), losses_.front(), after(10), after(50), after(90), losses_.back()};
}

void Report::close_run(TimePoint at) {
  pass_to(at);
  for (Life& life : lives_) {
    if (!life.present) continue;
    settle(life, at);
    if (life.phase == Phase::terminated) continue;
    if (life.awaits_running) ++after_failures_.never.waiting;
    if (life.in_outage && life.outage_counts) {
      const bool over = life.outage_until <= at;
      if (over && life.started_at_repair) after_outages_.lengths.record(Duration::zero());
      if (!life.started_at_repair) ++(over ? after_outages_.never.waiting : after_outages_.never.ongoing);
    }
    for (auto repair = life.repairs; repair != kNone; repair = repairs_[repair].next) ++after_outages_.never.waiting;
  }
}

ReportData Report::finish(const SimulationEnd& end) {
  close_run(end.at);
  data_.end = end;
  data_.history = timeline_.history();
  data_.restarts = occurrences(restarts_);
  data_.breaker_trips = occurrences(trips_);
  data_.losses = losses();
  data_.after_outages = recoveries(after_outages_.lengths, after_outages_.never);
  data_.after_failures = recoveries(after_failures_.lengths, after_failures_.never);
  data_.worst_storm = storms_.worst();
  for (auto& group : groups_) {
    data_.fleet += group;
    if (group.services > 0) data_.groups.push_back(std::move(group));
  }
  return std::move(data_);
}

}  // namespace holdfast::sim
