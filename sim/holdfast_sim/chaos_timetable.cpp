#include <holdfast_sim/chaos_timetable.hpp>

#include <utility>

#include <holdfast/random.hpp>

namespace holdfast::sim {

ChaosTimetable::ChaosTimetable(Scheduler& scheduler, Supervisor& supervisor, Population& population,
                               const std::vector<Observer*>& observers)
    : scheduler_(scheduler), supervisor_(supervisor), population_(population), observers_(observers) {}

ChaosTimetable::~ChaosTimetable() {
  for (auto& moment : moments_) scheduler_.disarm(moment);
}

void ChaosTimetable::add(ChaosEntry entry) {
  const auto number = static_cast<std::uint32_t>(entries_.size());
  Entry& added = entries_.emplace_back(Entry{number, std::move(entry), {}, {}});
  const TimePoint at = TimePoint{} + added.chaos.at;
  if (const auto* const outage = std::get_if<Outage>(&added.chaos.what)) {
    added.afflictions.push_back({outage->fails_after, "outage"});
  }
  const auto* const recorded = std::get_if<Recorded>(&added.chaos.what);
  if (!recorded) {
    scheduler_.arm(moments_.emplace_back(*this, added, 0), at);
    return;
  }
  for (const auto& cause : recorded->trace.causes) added.afflictions.push_back({recorded->fails_after, cause});
  for (const auto& entity : recorded->trace.entities) {
    added.services.push_back(recorded->of.empty() ? entity : recorded->of + '-' + entity);
  }
  for (std::uint32_t row = 0; row < recorded->trace.failures.size(); ++row) {
    scheduler_.arm(moments_.emplace_back(*this, added, row), at + recorded->trace.failures[row].from);
  }
}

namespace {

// The share is an independent draw for each service, so that one service more or less changes no other's luck.
bool is_hit(const Target& target, const Supervisor& supervisor, ServiceId service, std::uint32_t entry) {
  if (target.share == Target::kWhole) return true;
  return (draw(supervisor.draw_key(service), Purpose::chaos_share, entry).high >> 32) < target.share;
}

const Target* target_of(const ChaosEntry& chaos) {
  if (const auto* const storm = std::get_if<Storm>(&chaos.what)) return &storm->target;
  if (const auto* const outage = std::get_if<Outage>(&chaos.what)) return &outage->target;
  if (const auto* const hang = std::get_if<HangWindow>(&chaos.what)) return &hang->target;
  return nullptr;
}

}  // namespace

void ChaosTimetable::happen(const Entry& entry, std::uint32_t row) {
  if (const auto* const recorded = std::get_if<Recorded>(&entry.chaos.what)) {
    hit(entry, recorded->trace.failures[row]);
  } else if (const Target* const target = target_of(entry.chaos)) {
    population_.for_each(target->of, [&](const Victim& victim) {
      if (is_hit(*target, supervisor_, victim.id, entry.number)) hit(entry, victim);
    });
  } else {
    supervisor_.request_shutdown();
  }
}

void ChaosTimetable::hit(const Entry& entry, const Victim& victim) {
  const TimePoint now = scheduler_.now();
  if (std::holds_alternative<Storm>(entry.chaos.what)) {
    if (!victim.service->run_alive()) return;
    tell(victim, ChaosEvent::Kind::storm, now, Duration::zero(), "storm");
    victim.service->crash("storm");
  } else if (const auto* const outage = std::get_if<Outage>(&entry.chaos.what)) {
    afflict(victim, entry.afflictions.front(), now + outage->length);
  } else if (const auto* const hang = std::get_if<HangWindow>(&entry.chaos.what)) {
    const TimePoint until = hang->length ? now + *hang->length : TimePoint::max();
    tell(victim, ChaosEvent::Kind::hang, until, Duration::zero(), "hang");
    victim.service->begin_hang(until);
  }
}

void ChaosTimetable::hit(const Entry& entry, const Failure& row) {
  const std::optional<Victim> victim = population_.find(entry.services[row.entity]);
  if (!victim) return;  // removed by now
  afflict(*victim, entry.afflictions[row.cause], scheduler_.now() + (row.until - row.from));
}

void ChaosTimetable::afflict(const Victim& victim, const Affliction& affliction, TimePoint until) {
  tell(victim, ChaosEvent::Kind::outage, until, affliction.fails_after, affliction.cause);
  victim.service->begin_outage(affliction, until);
}

void ChaosTimetable::tell(const Victim& victim, ChaosEvent::Kind kind, TimePoint until, Duration fails_after,
                          std::string_view cause) {
  const ChaosEvent event{scheduler_.now(), victim.id, victim.name, victim.name_hash, kind, until, fails_after, cause};
  for (Observer* const observer : observers_) observer->on_chaos(event);
}

}  // namespace holdfast::sim
