#include <holdfast_sim/report/detail/reporter.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>

#include <holdfast/detail/assert.hpp>
#include <holdfast/detail/enumerators.hpp>
#include <holdfast_sim/observe/detail/taken_down.hpp>

namespace holdfast::sim::detail {

static_assert(holdfast::detail::enumerators_of<Termination::Reason>() == kTerminationReasons &&
                  holdfast::detail::enumerators_of<Standing>() == kStandings,
              "an array of the report is too small for its enumeration");

// ---------------------------------------------------------------------------------------------------------------------
// Groups
// ---------------------------------------------------------------------------------------------------------------------

namespace {

RecordedInput describe(const ChaosEntry& entry, const Recorded& recorded, std::optional<Duration> duration) {
  const auto& trace = recorded.trace;
  const auto beyond = std::count_if(trace.failures.begin(), trace.failures.end(), [&](const Failure& row) {
    return duration && saturating_add(entry.at, recorded.compressed(row.from)) > *duration;
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

Reporter::Reporter(const Scenario& scenario, Groups groups, bool with_history)
    : roster_(roster_of(scenario)), groups_are_(groups), timeline_(with_history) {
  data_.scenario = scenario.name;
  duration_ = scenario.duration;
  for (const auto& group : scenario.fleet) groups_.push_back({.name = group.name});
  other_group_ = static_cast<std::uint32_t>(groups_.size());
  groups_.push_back({.name = "others"});
  for (const auto& entry : scenario.chaos) {
    const auto* const recorded = std::get_if<Recorded>(&entry.what);
    if (!recorded) continue;
    if (recorded->of.empty()) groups_.back().name = "recorded";
    data_.recorded.push_back(describe(entry, *recorded, scenario.duration));
  }
}

// A service that belongs to no group of the fleet was added for a recorded trace.
std::uint32_t Reporter::group_named(std::string_view service) {
  if (groups_are_ == Groups::by_name) return group_by_name(service);
  const auto group = roster_.group_of(service);
  return group && *group < other_group_ ? static_cast<std::uint32_t>(*group) : other_group_;
}

// "feed-12" is of the group "feed". A group comes to be with its first service.
std::uint32_t Reporter::group_by_name(std::string_view service) {
  const auto numbered = numbered_name(service);
  const std::string_view name = numbered && !numbered->group.empty() ? numbered->group : service;
  const auto [found, is_new] =
      group_by_name_.try_emplace(std::string{name}, static_cast<std::uint32_t>(groups_.size()));
  if (is_new) groups_.push_back({.name = std::string{name}});
  return found->second;
}

Reporter::Life& Reporter::life_of(const Event& event) {
  HOLDFAST_ASSERT(event.service.slot < lives_.size(), "an event of a service that was never added");
  return lives_[event.service.slot];
}

// ---------------------------------------------------------------------------------------------------------------------
// Time
// ---------------------------------------------------------------------------------------------------------------------

// A window that ends at `at` is left open for now: what happens in that instant may prolong it.
void Reporter::pass(TimePoint at) {
  while (!window_ends_.empty() && window_ends_.top().until < at) {
    const WindowEnd end = window_ends_.top();
    window_ends_.pop();
    close_windows(end.slot, end.until);
  }
  timeline_.advance_to(at);
  now_ = at;
}

// Entries of windows that have been prolonged, or whose service is gone, do nothing.
void Reporter::close_windows(std::uint32_t slot, TimePoint until) {
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

void Reporter::settle(Life& life, TimePoint at) {
  if (at <= life.since) return;
  const auto length = static_cast<std::uint64_t>((at - life.since).count());
  life.since = at;
  if (!life.counts() || over_) return;
  Availability& availability = group_of(life).availability;
  availability.time += length;
  if (life.up()) availability.up += length;
  if (life.in_window()) return;
  availability.ideal += length;
  if (life.lost()) availability.lost += length;
}

void Reporter::show(Life& life) {
  if (!life.present) return;
  Standing standing = life.standing;
  switch (life.phase) {
    case Phase::running:
      standing = life.kept_down() || life.run_waits || life.over_at ? Standing::restarting : Standing::running;
      break;
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

void Reporter::set_phase(Life& life, const Event& event, Phase phase) {
  settle(life, event.at);
  life.phase = phase;
  show(life);
}

// ---------------------------------------------------------------------------------------------------------------------
// Chaos
// ---------------------------------------------------------------------------------------------------------------------

void Reporter::on_chaos(const ChaosEvent& event) {
  ++data_.chaos_events;
  pass_to(event.at);
  if (event.service.slot >= lives_.size()) return;
  Life& life = lives_[event.service.slot];
  if (!life.present || life.id != event.service) return;
  switch (meaning_of(event.kind)) {
    case ChaosMeaning::disturbed:
    case ChaosMeaning::slowed:
    case ChaosMeaning::unsupervised:
    case ChaosMeaning::drain_is_late:
    case ChaosMeaning::timer_is_late: return;  // it is up while its run lives
    case ChaosMeaning::down:
    case ChaosMeaning::off: return begin_outage(life, event);
    case ChaosMeaning::hung: return begin_hang(life, event);
    case ChaosMeaning::run_hangs: return begin_run_hang(life, event);
    case ChaosMeaning::run_is_over: return end_unseen(life, event);
    case ChaosMeaning::run_waits: return begin_wait(life, event);
    case ChaosMeaning::run_is_served: return end_wait(life, event);
    case ChaosMeaning::run_is_silent:
    case ChaosMeaning::run_is_heard: return;  // what keeps it silent was reported
  }
}

void Reporter::begin_outage(Life& life, const ChaosEvent& event) {
  settle(life, event.at);
  if (life.phase == Phase::running && life.up()) storms_.fell(event.service.slot, event.at);
  if (life.phase != Phase::terminated && std::exchange(life.awaits_running, false)) ++after_failures_.never.overtaken;
  if (!life.in_outage || event.until > life.outage_until) {
    life.outage_until = event.until;
    window_ends_.push({event.until, event.service.slot});
  }
  // One that is lost waits for nothing new.
  life.outage_counts = life.in_outage ? life.outage_counts : life.phase != Phase::terminated;
  life.in_outage = true;
  life.started_at_repair = false;
  show(life);
}

void Reporter::begin_hang(Life& life, const ChaosEvent& event) {
  settle(life, event.at);
  if (!life.in_hang || event.until > life.hang_until) {
    life.hang_until = event.until;
    if (event.until != TimePoint::max()) window_ends_.push({event.until, event.service.slot});
  }
  life.in_hang = true;
  show(life);
}

void Reporter::begin_run_hang(Life& life, const ChaosEvent& event) {
  settle(life, event.at);
  life.run_hangs = life.run_alive;
  show(life);
}

// It is down from now on, and what it takes until it is up again counts from now on.
void Reporter::end_unseen(Life& life, const ChaosEvent& event) {
  settle(life, event.at);
  if (life.up()) storms_.fell(event.service.slot, event.at);
  if (life.run_alive) life.over_at = event.at;
  life.run_hangs = false;  // from now on it waits for its supervisor
  show(life);
}

void Reporter::begin_wait(Life& life, const ChaosEvent& event) {
  settle(life, event.at);
  life.run_waits = life.run_alive;
  resources_.waits(event.service.slot, event.cause, event.at);
  show(life);
}

void Reporter::end_wait(Life& life, const ChaosEvent& event) {
  settle(life, event.at);
  life.run_waits = false;
  resources_.served(event.service.slot, event.at);
  if (life.phase == Phase::running) works(life, event.at, event.name);
  show(life);
}

// ---------------------------------------------------------------------------------------------------------------------
// Events
// ---------------------------------------------------------------------------------------------------------------------

void Reporter::on_event(const Event& event) {
  ++data_.events;
  pass_to(event.at);
  std::visit([&](const auto& what) { handle(event, what); }, event.what);
}

void Reporter::handle(const Event& event, const event::Added& added) {
  if (event.service.slot >= lives_.size()) lives_.resize(event.service.slot + 1);
  Life& life = life_of(event);
  Life born;
  if (!forgotten_.empty()) is_there_again(event);
  const bool is_another = added.runs_before.value == 0;
  if (is_another) {
    storms_.forget(event.service.slot);
    give_up_the_lost(life);
  } else {
    born = again(life, event);
  }
  born.id = event.service;
  born.group = group_named(event.name);
  born.phase = Phase::starting;
  born.standing = Standing::restarting;
  born.present = true;
  born.since = event.at;
  life = born;
  timeline_.enter(life.standing);
  group_of(life).services += is_another;
}

// A command starts one that had terminated: it is the same service, which suffers what it suffered, and goes on
// recovering. It is not lost any more.
Reporter::Life Reporter::again(Life& life, const Event& event) {
  Life born;
  born.in_outage = born.outage_counts = life.in_outage;
  born.outage_until = life.outage_until;
  born.in_hang = life.in_hang;
  born.hang_until = life.hang_until;
  --group_of(life).terminated[static_cast<std::size_t>(life.reason)];
  if (!life.is_lost) return born;
  born.awaits_running = life.awaits_running && !life.in_outage;
  after_failures_.never.overtaken += life.awaits_running && life.in_outage;
  born.failed_at = life.failed_at;
  born.repairs = life.repairs;
  ++data_.started_again;
  losses_.erase(std::lower_bound(losses_.begin(), losses_.end(), life.terminated_at));
  std::erase_if(data_.first_losses, [&](const Loss& loss) { return loss.service == event.name; });
  return born;
}

void Reporter::handle(const Event& event, const event::Warned& warned) {
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

void Reporter::handle(const Event& event, const event::Started&) {
  Life& life = life_of(event);
  settle(life, event.at);
  life.phase = Phase::starting;
  life.run_alive = true;
  life.run_hangs = life.run_ready = life.asked_to_stop = life.taken_down = false;
  life.over_at.reset();
  if (life.in_outage && event.at >= life.outage_until) life.started_at_repair = true;
  GroupReport& group = group_of(life);
  ++group.starts;
  if (life.has_started) count_restart(event, group);
  life.has_started = true;
  show(life);
}

void Reporter::handle(const Event& event, const event::Running&) {
  Life& life = life_of(event);
  while (life.repairs != kNone) {
    Repair& repair = repairs_[life.repairs];
    recovered(after_outages_, repair.at, event.at, event.name);
    std::swap(repair.next, free_repairs_);
    std::swap(life.repairs, free_repairs_);
  }
  life.run_ready = true;
  set_phase(life, event, Phase::running);
  if (!life.run_waits) works(life, event.at, event.name);
}

// After a failure it is up again.
void Reporter::works(Life& life, TimePoint at, std::string_view service) {
  if (!life.awaits_running) return;
  life.awaits_running = false;
  recovered(after_failures_, life.failed_at, at, service);
}

void Reporter::stops_waiting(Life& life) {
  if (life.run_waits) resources_.over(life.id.slot);
  life.run_waits = false;
}

void Reporter::handle(const Event& event, const event::Ended& ended) {
  Life& life = life_of(event);
  settle(life, event.at);
  const bool was_up = life.up();
  life.run_alive = life.run_hangs = false;
  const TimePoint over_at = std::exchange(life.over_at, std::nullopt).value_or(event.at);
  const bool waited = life.run_waits;
  stops_waiting(life);
  if (life.taken_down) return was_taken_down(life, event, was_up);
  if (life.asked_to_stop) return;
  if (!is_failure(ended.outcome)) {
    ++group_of(life).clean_exits;
    return;
  }
  failed(life, event, over_at, was_up, waited);
}

// Its run was over at `over_at`.
void Reporter::failed(Life& life, const Event& event, TimePoint over_at, bool was_up, bool waited) {
  GroupReport& group = group_of(life);
  ++group.failures;
  if (!life.run_ready) ++group.failed_starts;
  if (was_up) storms_.fell(event.service.slot, event.at);
  if (life.awaits_running && waited) return;  // it has not been up since it failed
  begin_recovering(life, over_at);
}

// What an outage keeps down recovers from the outage.
void Reporter::begin_recovering(Life& life, TimePoint at) {
  if ((life.in_outage && !life.started_at_repair) || life.repairs != kNone) return;
  life.awaits_running = true;
  life.failed_at = at;
}

// Its run is over, because another service took it along.
void Reporter::was_taken_down(Life& life, const Event& event, bool was_up) {
  if (!was_up) return;
  storms_.fell(event.service.slot, event.at);
  begin_recovering(life, event.at);
}

void Reporter::handle(const Event& event, const event::BackingOff&) {
  set_phase(life_of(event), event, Phase::backing_off);
}

void Reporter::handle(const Event& event, const event::BreakerTripped&) {
  ++group_of(life_of(event)).breaker_trips;
  trips_.record(event.at - TimePoint{});
}

void Reporter::handle(const Event& event, const event::Killed&) { ++group_of(life_of(event)).killed_runs; }

void Reporter::handle(const Event& event, const event::Stopping& stopping) {
  Life& life = life_of(event);
  life.asked_to_stop = !is_missed_deadline(stopping.cause);
  life.taken_down = is_taken_down(stopping.cause);
  if (stopping.cause == StopCause::watchdog) ++group_of(life).hangs;
  set_phase(life, event, Phase::stopping);
}

// After a restart the next run follows at once. A run that missed a deadline has failed.
void Reporter::handle(const Event& event, const event::Abandoned&) {
  Life& life = life_of(event);
  if (life.asked_to_stop && !life.taken_down) return;
  settle(life, event.at);
  const bool was_up = life.up();
  const bool waited = life.run_waits;
  life.run_alive = life.run_hangs = false;
  stops_waiting(life);
  life.taken_down ? was_taken_down(life, event, was_up) : failed(life, event, event.at, false, waited);
}

void Reporter::handle(const Event& event, const event::Terminated& terminated) {
  Life& life = life_of(event);
  settle(life, event.at);
  const auto reason = terminated.why.reason;
  ++group_of(life).terminated[static_cast<std::size_t>(reason)];
  const bool was_taken = reason == Termination::Reason::cancelled && life.taken_down;
  const bool lost = was_taken || (reason != Termination::Reason::completed && reason != Termination::Reason::cancelled);
  life.reason = reason;
  life.terminated_at = event.at;
  life.is_lost = lost;
  if (!lost) give_up_recovering(life, false);
  life.phase = Phase::terminated;
  life.run_alive = life.run_hangs = false;
  stops_waiting(life);
  timeline_.leave(life.standing);
  life.standing = lost ? Standing::lost : Standing::done;
  timeline_.enter(life.standing);
  if (!lost) return;
  losses_.push_back(event.at);
  if (data_.first_losses.size() == kFirstLossesMax) return;
  data_.first_losses.push_back({std::string{event.name}, event.at,
                                was_taken ? "stopped for good, because another service went down"
                                          : to_string(terminated.why, terminated.last_error)});
}

// Nobody will start it again.
void Reporter::give_up_the_lost(Life& life) {
  if (std::exchange(life.is_lost, false)) give_up_recovering(life, true);
}

void Reporter::give_up_recovering(Life& life, bool lost) {
  const auto give_up = [lost](Recoveries& never) { ++(lost ? never.lost : never.ended); };
  if (life.awaits_running) give_up(after_failures_.never);
  life.awaits_running = false;
  if (life.in_outage && life.outage_counts) {
    if (life.started_at_repair) {
      after_outages_.lengths.record(Duration::zero());
    } else {
      give_up(after_outages_.never);
    }
    life.outage_counts = false;
  }
  while (life.repairs != kNone) {
    give_up(after_outages_.never);
    std::swap(repairs_[life.repairs].next, free_repairs_);
    std::swap(life.repairs, free_repairs_);
  }
}

void Reporter::handle(const Event& event, const event::Removed& removed) {
  Life& life = life_of(event);
  settle(life, event.at);
  if (removed.forgotten && life.lost()) {
    give_up_the_lost(life);
    forgotten_.insert_or_assign(std::string{event.name}, std::exchange(life, Life{}));
    return;
  }
  life.present = false;
  timeline_.leave(life.standing);
}

// What hit it before it was lost may last longer.
void Reporter::settle_forgotten(Life& life, TimePoint at) {
  while (life.in_outage || life.in_hang) {
    TimePoint until = at;
    if (life.in_outage) until = std::min(until, life.outage_until);
    if (life.in_hang) until = std::min(until, life.hang_until);
    settle(life, until);
    if (until == at) return;
    if (life.outage_until == until) life.in_outage = false;
    if (life.hang_until == until) life.in_hang = false;
  }
  settle(life, at);
}

// Nobody misses the one that was forgotten any more.
void Reporter::is_there_again(const Event& event) {
  const auto found = forgotten_.find(event.name);
  if (found == forgotten_.end()) return;
  settle_forgotten(found->second, event.at);
  timeline_.leave(found->second.standing);
  forgotten_.erase(found);
}

void Reporter::handle(const Event& event, const event::ShutdownRequested& shutdown) {
  data_.shutdown_at = event.at;
  nobody_was_left_ = shutdown.cause == ShutdownCause::all_terminated;
}

void Reporter::handle(const Event& event, const event::Drained&) {
  data_.drained_at = event.at;
  for (Life& life : lives_) settle(life, event.at);
  for (auto& [name, life] : forgotten_) settle_forgotten(life, event.at);
  over_ = !nobody_was_left_;
}

// ---------------------------------------------------------------------------------------------------------------------
// Counting
// ---------------------------------------------------------------------------------------------------------------------

void Reporter::count_restart(const Event& event, GroupReport& group) {
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

void Reporter::recovered(Tally& tally, TimePoint from, TimePoint at, std::string_view service) {
  const Duration took = at - from;
  tally.lengths.record(took);
  if (took == Duration::zero()) return;
  auto& slowest = data_.slowest;
  if (slowest.size() == kSlowestMax && took <= slowest.back().took) return;
  if (slowest.size() == kSlowestMax) slowest.pop_back();
  const auto place = std::find_if(slowest.begin(), slowest.end(), [&](const auto& other) { return other.took < took; });
  slowest.insert(place, {std::string{service}, from, took, &tally == &after_outages_});
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
  const std::uint64_t for_ever = never.lost + never.waiting;
  if (never.count + for_ever > 0) {
    never.median_of_all = lengths.quantile(50, for_ever);
    never.percentile_90_of_all = lengths.quantile(90, for_ever);
    never.percentile_99_of_all = lengths.quantile(99, for_ever);
    never.max_of_all = lengths.quantile(100, for_ever);
  }
  if (never.count == 0) return never;
  never.median = lengths.quantile(50);
  never.percentile_90 = lengths.quantile(90);
  never.percentile_99 = lengths.quantile(99);
  never.max = lengths.max();
  return never;
}

}  // namespace

// Events come in the order of time, so the losses are sorted.
Losses Reporter::losses() const {
  if (losses_.empty()) return {};
  const auto after = [this](std::size_t percent) { return losses_[(losses_.size() * percent + 99) / 100 - 1]; };
  return {losses_.size(), losses_.front(), after(10), after(50), after(90), losses_.back()};
}

void Reporter::close_run(TimePoint at) {
  pass_to(at);
  for (auto& [name, life] : forgotten_) settle_forgotten(life, at);
  data_.lost_at_end += forgotten_.size();
  for (Life& life : lives_) {
    give_up_the_lost(life);
    if (!life.present) continue;
    settle(life, at);
    data_.lost_at_end += life.lost();
    if (life.phase == Phase::terminated) continue;
    ++data_.active_at_end;
    if (life.awaits_running) ++after_failures_.never.waiting;
    if (life.in_outage && life.outage_counts) {
      const bool over = life.outage_until <= at;
      if (over && life.started_at_repair) after_outages_.lengths.record(Duration::zero());
      if (!life.started_at_repair) ++(over ? after_outages_.never.waiting : after_outages_.never.ongoing);
    }
    for (auto repair = life.repairs; repair != kNone; repair = repairs_[repair].next) ++after_outages_.never.waiting;
  }
}

// How long lost services count as down, for whom nothing more can happen.
TimePoint Reporter::counts_until(const SimulationEnd& end) const noexcept {
  const bool cut_off = end.reason != EndReason::finished && end.reason != EndReason::stalled;
  return duration_ && !cut_off ? std::max(end.at, TimePoint{} + *duration_) : end.at;
}

// Lost services count as down up to here; the time of all others is over.
void Reporter::close_lost(TimePoint at) {
  for (Life& life : lives_) {
    if (!life.lost()) life = {};
  }
  for (; !window_ends_.empty() && window_ends_.top().until < at; window_ends_.pop()) {
    close_windows(window_ends_.top().slot, window_ends_.top().until);
  }
  for (Life& life : lives_) settle(life, at);
  for (auto& [name, life] : forgotten_) settle_forgotten(life, at);
}

ReportData Reporter::finish(const SimulationEnd& end) {
  close_run(end.at);
  data_.end = end;
  data_.history = timeline_.history();
  data_.most_down = timeline_.most_down();
  data_.counts_until = over_ ? *data_.drained_at : counts_until(end);
  close_lost(counts_until(end));
  data_.restarts = occurrences(restarts_);
  data_.breaker_trips = occurrences(trips_);
  data_.losses = losses();
  data_.after_outages = recoveries(after_outages_.lengths, after_outages_.never);
  data_.after_failures = recoveries(after_failures_.lengths, after_failures_.never);
  data_.worst_storm = storms_.worst();
  data_.resources = resources_.finish();
  for (auto& group : groups_) {
    data_.fleet += group;
    if (group.services > 0) data_.groups.push_back(std::move(group));
  }
  return std::move(data_);
}

}  // namespace holdfast::sim::detail
