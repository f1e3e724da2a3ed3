#include <holdfast_sim/stage/detail/chaos_timetable.hpp>

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
  const Entry& added = entries_.emplace_back(Entry{number, std::move(entry)});
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

class ChaosTimetable::VictimOnStage final : public Victim {
 public:
  VictimOnStage(const ChaosTimetable& timetable, const Inhabitant& who) : timetable_(timetable), who_(who) {}

  void crash(std::string_view cause) override {
    if (!who_.service->run_alive()) return;
    report(ChaosEvent::Kind::storm, timetable_.scheduler_.now(), Duration::zero(), cause);
    who_.service->crash(cause);
  }
  void begin_outage(TimePoint until, Duration fails_after, std::string_view cause) override {
    report(ChaosEvent::Kind::outage, until, fails_after, cause);
    who_.service->begin_outage({fails_after, cause}, until);
  }
  void begin_failing_starts(TimePoint until, std::uint64_t share, Duration fails_after,
                            std::string_view cause) override {
    report(ChaosEvent::Kind::failing_starts, until, fails_after, cause);
    who_.service->begin_failing_starts({.until = until, .share = share, .affliction = {fails_after, cause}});
  }
  void begin_hang(TimePoint until, HungHeartbeats heartbeats, std::string_view cause) override {
    report(ChaosEvent::Kind::hang, until, Duration::zero(), cause);
    who_.service->begin_hang(until, heartbeats);
  }
  void go_off(TimePoint until, std::string_view cause) override {
    report(ChaosEvent::Kind::gone, until, Duration::zero(), cause);
    who_.service->go_off(until);
  }

 private:
  void report(ChaosEvent::Kind kind, TimePoint until, Duration fails_after, std::string_view cause) const {
    const ChaosEvent event{
        timetable_.scheduler_.now(), who_.id, who_.name, who_.name_hash, kind, until, fails_after, cause};
    for (Observer* const observer : timetable_.observers_) observer->on_chaos(event);
  }

  const ChaosTimetable& timetable_;
  const Inhabitant& who_;
};

namespace {

// The share is an independent draw for each service, so that one service more or less changes no other's luck.
bool is_hit(const Target& target, const Supervisor& supervisor, ServiceId service, std::uint32_t entry) {
  if (target.share == Target::kWhole) return true;
  return (draw(supervisor.draw_key(service), Purpose::chaos_share, entry).high >> 32) < target.share;
}

}  // namespace

class ChaosTimetable::StrikeOnStage final : public Strike {
 public:
  StrikeOnStage(ChaosTimetable& timetable, std::uint32_t entry, std::uint32_t number)
      : timetable_(timetable), entry_(entry), number_(number) {}

  [[nodiscard]] TimePoint now() const noexcept override { return timetable_.scheduler_.now(); }
  [[nodiscard]] std::uint32_t number() const noexcept override { return number_; }

  void for_each(const Target& target, const Hit& hit) override {
    timetable_.population_.for_each(target.of, [&](const Inhabitant& who) {
      if (!is_hit(target, timetable_.supervisor_, who.id, entry_)) return;
      VictimOnStage victim{timetable_, who};
      hit(victim);
    });
  }

  void find(std::string_view service, const Hit& hit) override {
    const std::optional<Inhabitant> who = timetable_.population_.find(service);
    if (!who) return;
    VictimOnStage victim{timetable_, *who};
    hit(victim);
  }

  void limit(std::string_view resource, std::uint32_t slots) override {
    if (auto* const queue = timetable_.population_.resource(resource)) queue->limit(entry_, slots);
  }
  void lift_limit(std::string_view resource) override {
    if (auto* const queue = timetable_.population_.resource(resource)) queue->lift_limit(entry_);
  }

  void request_shutdown() override { timetable_.supervisor_.request_shutdown(); }

 private:
  ChaosTimetable& timetable_;
  std::uint32_t entry_;
  std::uint32_t number_;
};

void ChaosTimetable::happen(const Entry& entry, std::uint32_t number) {
  StrikeOnStage strike{*this, entry.number, number};
  std::visit([&](const auto& kind) { kind.strike(strike); }, entry.chaos.what);
}

}  // namespace holdfast::sim
