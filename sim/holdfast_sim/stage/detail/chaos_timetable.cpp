#include <holdfast_sim/stage/detail/chaos_timetable.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include <holdfast/detail/assert.hpp>
#include <holdfast/timer_owner.hpp>

namespace holdfast::sim {

ChaosTimetable::ChaosTimetable(Scheduler& scheduler, LateScheduler* late, Supervisor& supervisor,
                               Population& population, const std::vector<Observer*>& observers, Seed seed)
    : scheduler_(scheduler),
      late_scheduler_(late),
      supervisor_(supervisor),
      population_(population),
      observers_(observers),
      seed_(seed) {}

ChaosTimetable::~ChaosTimetable() {
  for (auto& moment : moments_) scheduler_.disarm(moment);
  for (auto& consequence : consequences_) scheduler_.disarm(consequence);
}

void ChaosTimetable::add(ChaosEntry entry) {
  HOLDFAST_ASSERT(late_scheduler_ != nullptr || !makes_supervisor_late(entry.what),
                  "chaos makes a supervisor late that was said to be in time");
  const Entry& added = entries_.emplace_back(Entry{numbers_++, std::move(entry)});
  const auto at = [&](std::uint32_t which, Duration after) { arm(added, which, after); };
  const auto arm_all = [&](const auto& kind) {
    if constexpr (requires { kind.strikes_at(at); }) {
      kind.strikes_at(at);
    } else {
      at(0, Duration::zero());
    }
  };
  std::visit(arm_all, added.chaos.what);
}

void ChaosTimetable::arm(const Entry& entry, std::uint32_t number, Duration after) {
  scheduler_.arm(moments_.emplace_back(*this, entry, number), TimePoint{} + entry.chaos.at + after);
}

void ChaosTimetable::Moment::fired() {
  const std::uint32_t occurrence = occurrence_++;
  timetable_.happen(entry_, number_, occurrence);
  if (const auto again = timetable_.next(entry_, occurrence)) timetable_.scheduler_.arm(*this, *again);
}

void ChaosTimetable::Consequence::fired() {
  const auto what = std::exchange(what_, nullptr);
  timetable_.free_.push_back(this);
  what();
}

void ChaosTimetable::later(TimePoint at, std::function<void()> what) {
  if (free_.empty()) free_.push_back(&consequences_.emplace_back(*this));
  Consequence& consequence = *free_.back();
  free_.pop_back();
  consequence.set(std::move(what));
  scheduler_.arm(consequence, at);
}

void ChaosTimetable::tell_supervisor(std::function<void()> what) {
  if (late_scheduler_ == nullptr || !late_scheduler_->stands_still()) return what();
  // By then it may stand still for longer.
  later(late_scheduler_->wakes_at(), [this, what = std::move(what)] { tell_supervisor(what); });
}

// Also those that are not simulated.
void ChaosTimetable::stand_still(TimePoint until, std::uint32_t entry) {
  const TimePoint now = scheduler_.now();
  if (!late_scheduler_->stand_still(until)) return;
  for (auto slot = supervisor_.first_slot(); slot; slot = supervisor_.slot_after(*slot)) {
    const auto id = supervisor_.id_in(*slot);
    if (!id) continue;
    const std::string_view name = supervisor_.name(*id);
    const ChaosEvent event{.at = now,
                           .service = *id,
                           .name = name,
                           .name_hash = name_hash(name),
                           .kind = ChaosEvent::Kind::stalled,
                           .until = until,
                           .cause = "stall",
                           .entry = entry};
    for (Observer* const observer : observers_) observer->on_chaos(event);
    if (const auto who = population_.find(*id)) who->service->is_unsupervised(until);
  }
}

void ChaosTimetable::be_late(const DrawnLength& by, TimePoint until, std::uint32_t entry) {
  late_ = {by, std::max(late_.until, until), entry};
  late_scheduler_->set_lateness([this](const Timer& timer) { return lateness(timer); });
}

// A service has one timer. So the time at which it is due tells its draws apart; the highest bit tells them from those
// of targets that are reached after a delay, the next one from those of the timer of the limits, for the service that
// is next.
Duration ChaosTimetable::lateness(const Timer& timer) {
  constexpr std::uint64_t kOfTimer = std::uint64_t{1} << 63;
  constexpr std::uint64_t kOfLimit = std::uint64_t{1} << 62;
  using What = TimerOwner::What;
  const TimePoint now = scheduler_.now();
  const auto owner = owner_of(timer);
  if (now >= late_.until || !owner) return {};
  const ServiceId service = owner->service;
  const bool of_drain = owner->what == What::drain;
  if (!of_drain && supervisor_.id_in(service.slot) != service) return {};
  const auto key = [&] {
    return of_drain ? DrawKey{.seed = seed_, .name = name_hash("drain")} : supervisor_.draw_key(service);
  };
  const std::uint64_t number =
      kOfTimer | (owner->what == What::restart_limit ? kOfLimit : 0) | static_cast<std::uint64_t>(now.nanoseconds);
  const Duration late = drawn_length(late_.by.of(), Purpose::target_delay, key, number);
  if (late == Duration::zero()) return late;
  if (!of_drain) {
    report_late(service, ChaosEvent::Kind::late, now + late);
    return late;
  }
  for (auto slot = supervisor_.first_slot(); slot; slot = supervisor_.slot_after(*slot)) {
    const auto seen = supervisor_.snapshot_in(*slot);
    if (seen && seen->phase != Phase::terminated)
      report_late(*supervisor_.id_in(*slot), ChaosEvent::Kind::drain_late, now + late);
  }
  return late;
}

void ChaosTimetable::report_late(ServiceId service, ChaosEvent::Kind kind, TimePoint until) {
  const std::string_view name = supervisor_.name(service);
  const ChaosEvent event{.at = scheduler_.now(),
                         .service = service,
                         .name = name,
                         .name_hash = name_hash(name),
                         .kind = kind,
                         .until = until,
                         .cause = "late_timers",
                         .entry = late_.entry};
  for (Observer* const observer : observers_) observer->on_chaos(event);
}

DrawKey ChaosTimetable::key_of(const Entry& entry) const noexcept {
  return {.seed = seed_, .name = name_hash("chaos"), .incarnation = entry.number};
}

std::optional<TimePoint> ChaosTimetable::next(const Entry& entry, std::uint32_t occurrence) const {
  if (!entry.chaos.every) return std::nullopt;
  const Duration gap = drawn_length(
      *entry.chaos.every, Purpose::chaos_interval, [&] { return key_of(entry); }, occurrence);
  const TimePoint at = scheduler_.now() + std::max(gap, Duration{1});
  const bool over = at >= heals_at_ || (entry.chaos.until && at > TimePoint{} + *entry.chaos.until);
  return over ? std::nullopt : std::optional{at};
}

class ChaosTimetable::VictimOnStage final : public Victim {
 public:
  VictimOnStage(ChaosTimetable& timetable, const Inhabitant& who, std::uint64_t strike)
      : timetable_(timetable), who_(who), strike_(strike) {}

  [[nodiscard]] TimePoint now() const noexcept override { return timetable_.scheduler_.now(); }
  Duration draw(const DrawnLength& length) override {
    return drawn_length(
        length.of(), Purpose::target_length, [&] { return timetable_.supervisor_.draw_key(who_.id); }, strike_);
  }

  void crash(std::string_view cause) override {
    if (!who_.service->run_alive()) return;
    report(ChaosEvent::Kind::storm, timetable_.scheduler_.now(), Duration::zero(), cause);
    who_.service->crash(cause);
  }
  void begin_outage(TimePoint until, Duration fails_after, std::string_view cause) override {
    until = ends(until);
    report(ChaosEvent::Kind::outage, until, fails_after, cause);
    who_.service->begin_outage({fails_after, cause}, until);
  }
  void begin(StartFault fault) override {
    fault.until = ends(fault.until);
    report(fault.kind, fault.until, fault.fails_after.value_or(Duration::zero()), fault.cause);
    who_.service->begin(std::move(fault));
  }
  void infect(Infection infection, TimePoint until, std::string_view cause) override {
    auto hit = [&timetable = timetable_, strike = strike_, infection = std::move(infection), cause](
                   ServiceId id, RunNumber run) { timetable.infect(id, run, infection, strike, cause); };
    who_.service->begin({.name = cause,
                         .kind = ChaosEvent::Kind::storm,
                         .until = ends(until),
                         .cause = cause,
                         .at_start = std::move(hit)});
  }
  void begin_hang(TimePoint until, HungHeartbeats heartbeats, HangsWhen when) override {
    until = ends(until);
    const auto kind = when == HangsWhen::always ? ChaosEvent::Kind::hang : ChaosEvent::Kind::slow;
    report(kind, until, Duration::zero(), SimulatedService::cause_of_hang(when));
    who_.service->begin_hang(until, heartbeats, when);
  }
  void go_off(TimePoint until, std::string_view cause) override {
    until = ends(until);
    report(ChaosEvent::Kind::gone, until, Duration::zero(), cause);
    who_.service->go_off(until);
  }
  void command(Command what) override {
    timetable_.tell_supervisor([&supervisor = timetable_.supervisor_, name = std::string{who_.name}, what] {
      switch (what) {
        case Command::stop: static_cast<void>(supervisor.stop(name)); return;
        case Command::restart: static_cast<void>(supervisor.restart(name)); return;
        case Command::remove: static_cast<void>(supervisor.remove(name)); return;
        case Command::reset: static_cast<void>(supervisor.reset(name)); return;
      }
    });
  }

  void reconfigure(const PolicyChange& change) override {
    timetable_.tell_supervisor([&supervisor = timetable_.supervisor_, name = std::string{who_.name}, change] {
      const ServicePolicy* const in_force = supervisor.policy(name);
      if (in_force == nullptr) return;
      ServicePolicy policy = *in_force;
      change.apply_to(policy);
      static_cast<void>(supervisor.reconfigure(name, policy));
    });
  }

 private:
  [[nodiscard]] TimePoint ends(TimePoint until) const noexcept { return std::min(until, timetable_.heals_at_); }

  void report(ChaosEvent::Kind kind, TimePoint until, Duration fails_after, std::string_view cause) const {
    const ChaosEvent event{.at = timetable_.scheduler_.now(),
                           .service = who_.id,
                           .name = who_.name,
                           .name_hash = who_.name_hash,
                           .kind = kind,
                           .until = until,
                           .fails_after = fails_after,
                           .cause = cause,
                           .entry = static_cast<std::uint32_t>(strike_)};
    for (Observer* const observer : timetable_.observers_) observer->on_chaos(event);
  }

  ChaosTimetable& timetable_;
  const Inhabitant& who_;
  std::uint64_t strike_;  // number of its draws: StrikeOnStage::number_of_draws()
};

namespace {

// The share is an independent draw for each service, so that one service more or less changes no other's luck.
bool is_hit(const Target& target, const Supervisor& supervisor, ServiceId service, std::uint64_t strike) {
  if (target.share == Target::kWhole) return true;
  const auto key = supervisor.draw_key(service);
  const Draw luck = target.cohort.empty() ? draw(key, Purpose::chaos_share, strike)
                                          : draw(key, Purpose::cohort, name_hash(target.cohort));
  return (luck.high >> 32) < target.share;
}

}  // namespace

class ChaosTimetable::StrikeOnStage final : public Strike {
 public:
  StrikeOnStage(ChaosTimetable& timetable, const Entry& entry, std::uint32_t number, std::uint32_t occurrence)
      : timetable_(timetable), entry_(entry), number_(number), occurrence_(occurrence) {}

  [[nodiscard]] TimePoint now() const noexcept override { return timetable_.scheduler_.now(); }
  [[nodiscard]] std::uint32_t number() const noexcept override { return number_; }

  Duration draw(const DrawnLength& length) override {
    return drawn_length(
        length.of(), Purpose::chaos_length, [&] { return timetable_.key_of(entry_); }, occurrence_);
  }

  void for_each(const Target& target, const Hit& hit) override {
    timetable_.population_.for_each(target.of, [&](const Inhabitant& who) {
      if (!is_hit(target, timetable_.supervisor_, who.id, number_of_draws())) return;
      if (target.spread) return hit_later(who.id, *target.spread, hit);
      VictimOnStage victim{timetable_, who, number_of_draws()};
      hit(victim);
    });
  }

  void in_batches(const Target& target, const Batches& batches, const Hit& hit) override {
    auto rollout = std::make_shared<Rollout>(Rollout{.batches = batches, .hit = hit, .draws = number_of_draws()});
    timetable_.population_.for_each(target.of, [&](const Inhabitant& who) {
      if (is_hit(target, timetable_.supervisor_, who.id, rollout->draws)) rollout->names.emplace_back(who.name);
    });
    timetable_.go_on(std::move(rollout));
  }

  void find(std::string_view service, const Hit& hit) override {
    const std::optional<Inhabitant> who = timetable_.population_.find(service);
    if (!who) return;
    VictimOnStage victim{timetable_, *who, number_of_draws()};
    hit(victim);
  }

  [[nodiscard]] std::shared_ptr<const std::vector<std::string>> names_of(
      const std::vector<std::string>& names) const override {
    auto found = std::make_shared<std::vector<std::string>>();
    timetable_.population_.for_each(names, [&](const Inhabitant& who) { found->emplace_back(who.name); });
    return found;
  }

  void add(const std::vector<std::string>& names, const std::optional<DrawnLength>& spread) override {
    timetable_.add(entry_, occurrence_, names, spread);
  }

  void limit(std::string_view resource, std::uint32_t slots, TimePoint until) override {
    auto* const queue = timetable_.population_.resource(resource);
    if (queue == nullptr) return;
    const std::uint32_t number = timetable_.limits_++;
    queue->limit(number, slots);
    until = std::min(until, timetable_.heals_at_);
    if (until != TimePoint::max()) timetable_.later(until, [queue, number] { queue->lift_limit(number); });
  }

  void request_shutdown() override {
    timetable_.tell_supervisor([&supervisor = timetable_.supervisor_] { supervisor.request_shutdown(); });
  }
  void stand_still(TimePoint until) override {
    timetable_.stand_still(std::min(until, timetable_.heals_at_), entry_.number);
  }
  void be_late(const DrawnLength& by, TimePoint until) override {
    timetable_.be_late(by, std::min(until, timetable_.heals_at_), entry_.number);
  }

 private:
  // Every time of every entry has draws of its own.
  [[nodiscard]] std::uint64_t number_of_draws() const noexcept {
    return entry_.number | (std::uint64_t{occurrence_} << 32);
  }

  void hit_later(ServiceId id, const Distribution& spread, const Hit& hit) {
    ChaosTimetable& timetable = timetable_;
    const std::uint64_t number = number_of_draws();
    const Duration delay = drawn_length(
        spread, Purpose::target_delay, [&] { return timetable.supervisor_.draw_key(id); }, number);
    timetable.later(now() + delay, [&timetable, id, number, hit] {
      const auto who = timetable.population_.find(id);
      if (!who || timetable.healed()) return;
      VictimOnStage victim{timetable, *who, number};
      hit(victim);
    });
  }

  ChaosTimetable& timetable_;
  const Entry& entry_;
  std::uint32_t number_;
  std::uint32_t occurrence_;
};

// Whoever is not there has no draws of its own: the entry draws for its name.
void ChaosTimetable::add(const Entry& entry, std::uint32_t occurrence, const std::vector<std::string>& names,
                         const std::optional<DrawnLength>& spread) {
  for (const auto& service : population_.absent(names)) {
    const auto join = [this, service] {
      if (!healed()) tell_supervisor([&population = population_, service] { population.add(service); });
    };
    if (!spread) {
      join();
      continue;
    }
    const auto key = [&] {
      return DrawKey{.seed = seed_, .name = name_hash(service.name), .incarnation = entry.number};
    };
    later(scheduler_.now() + drawn_length(spread->of(), Purpose::target_delay, key, occurrence), join);
  }
}

// What the start of a run does to others, after it: a run must not end inside the start of another one.
void ChaosTimetable::infect(ServiceId id, RunNumber run, const Infection& infection, std::uint64_t strike,
                            std::string_view cause) {
  const DrawKey key = supervisor_.draw_key(id);
  const auto& others = *infection.others;
  if (others.empty()) return;
  const bool is_always = infection.chance == Target::kWhole;
  if (!is_always && (draw(key, Purpose::contagion, run.value).high >> 32) >= infection.chance) return;
  for (std::uint64_t i = 0; i < infection.hits; ++i) {
    const Draw which = draw(key, Purpose::contagion_target, run.value * Infection::kHitsMax + i);
    const std::string& other = others[uniform_up_to(which, others.size() - 1)];
    later(scheduler_.now() + infection.after, [this, id, strike, cause, &other, keep = infection.others] {
      const auto who = population_.find(other);
      if (!who || who->id == id || healed()) return;
      VictimOnStage victim{*this, *who, strike};
      victim.crash(cause);
    });
  }
}

// The next batch, if the last one is done, and then a look at that one.
void ChaosTimetable::go_on(std::shared_ptr<Rollout> rollout) {
  if (healed()) return;
  if (late_scheduler_ != nullptr && late_scheduler_->stands_still())
    return later(late_scheduler_->wakes_at(), [this, rollout] { go_on(rollout); });
  auto& [batches, hit, draws, names, next, last] = *rollout;
  bool waits = false;
  for (std::size_t i = last; i < next; ++i) {
    const auto service = supervisor_.snapshot(names[i]);
    if (!service || service->phase == batches.done) continue;
    if (service->phase == Phase::terminated) return;
    waits = true;
  }
  if (!waits) {
    if (next == names.size()) return;
    last = next;
    next = std::min<std::size_t>(names.size(), next + batches.size);
    for (std::size_t i = last; i < next; ++i) {
      const auto who = population_.find(names[i]);
      if (!who) continue;
      VictimOnStage victim{*this, *who, draws};
      hit(victim);
    }
  }
  later(scheduler_.now() + batches.gap, [this, rollout] { go_on(rollout); });
}

void ChaosTimetable::happen(const Entry& entry, std::uint32_t number, std::uint32_t occurrence) {
  if (healed() && !std::holds_alternative<Shutdown>(entry.chaos.what)) return;
  StrikeOnStage strike{*this, entry, number, occurrence};
  std::visit([&](const auto& kind) { kind.strike(strike); }, entry.chaos.what);
}

}  // namespace holdfast::sim
