// Carries out the chaos of a scenario: each entry, and each row of a recorded trace, at its time.
//
// Every entry has a timer of its own, armed when it is added, so that chaos is as much decoupled from service to
// service as the services are: one row more or less moves no other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <holdfast/random.hpp>
#include <holdfast/scheduler.hpp>
#include <holdfast/supervisor.hpp>
#include <holdfast_sim/observe/observer.hpp>
#include <holdfast_sim/scenario/scenario.hpp>
#include <holdfast_sim/stage/detail/late_scheduler.hpp>
#include <holdfast_sim/stage/detail/simulated_service.hpp>

namespace holdfast::sim {

// A simulated service of the population.
struct Inhabitant {
  SimulatedService* service = nullptr;
  ServiceId id;
  std::string_view name;
  std::uint64_t name_hash = 0;
};

// A service of the fleet that is not present.
struct Absent {
  std::size_t group;  // in the order of adding
  std::string name;
};

// Whom names mean.
class Population {
 public:
  // Calls `hit` for each service present that a target of a chaos entry names, in the order of adding.
  virtual void for_each(const std::vector<std::string>& names, const std::function<void(const Inhabitant&)>& hit) = 0;
  // nullopt: not present.
  virtual std::optional<Inhabitant> find(std::string_view name) = 0;
  virtual std::optional<Inhabitant> find(ServiceId id) = 0;
  // The services of the fleet that are not present and whom names mean, in the order of adding.
  [[nodiscard]] virtual std::vector<Absent> absent(const std::vector<std::string>& names) const = 0;
  // Adds one, unless it is present by now or the supervisor refuses it.
  virtual void add(const Absent& service) = 0;
  // What services need; null: there is none of this name.
  virtual ResourceQueue<SimulatedService>* resource(std::string_view name) = 0;

 protected:
  ~Population() = default;
};

class ChaosTimetable {
 public:
  // All outlive the timetable. `late` is the supervisor's scheduler, if that may be late; else null.
  ChaosTimetable(Scheduler& scheduler, LateScheduler* late, Supervisor& supervisor, Population& population,
                 const std::vector<Observer*>& observers, Seed seed);
  ~ChaosTimetable();

  // From then on nothing goes wrong, and nothing lasts longer. Before the first entry is added.
  void heal_at(TimePoint at) { heals_at_ = at; }
  // REQUIRES: fewer than 2^32 entries; of one that makes the supervisor late, that there is a scheduler for that.
  void add(ChaosEntry entry);
  // An entry that never happens: the next one has the number after it.
  void skip() { ++numbers_; }

 private:
  struct Entry {
    std::uint32_t number;  // counts the entries from 0: the index of its draws
    ChaosEntry chaos;
  };

  class Moment final : public Timer {
   public:
    Moment(ChaosTimetable& timetable, const Entry& entry, std::uint32_t number)
        : timetable_(timetable), entry_(entry), number_(number) {}

   private:
    void fired() override;

    ChaosTimetable& timetable_;
    const Entry& entry_;
    std::uint32_t number_;
    std::uint32_t occurrence_ = 0;  // how often it has happened before
  };

  // Something that follows from what happened, once.
  class Consequence final : public Timer {
   public:
    explicit Consequence(ChaosTimetable& timetable) : timetable_(timetable) {}
    void set(std::function<void()> what) { what_ = std::move(what); }

   private:
    void fired() override;

    ChaosTimetable& timetable_;
    std::function<void()> what_;
  };

  class StrikeOnStage;
  class VictimOnStage;

  // Targets in batches.
  struct Rollout {
    Batches batches{};
    Strike::Hit hit;
    std::uint64_t draws = 0;         // their number
    std::vector<std::string> names;  // of the targets, in the order of adding
    std::size_t next = 0;            // whom the next batch begins with
    std::size_t last = 0;            // whom the last one began with
  };

  void arm(const Entry& entry, std::uint32_t number, Duration after);
  void happen(const Entry& entry, std::uint32_t number, std::uint32_t occurrence);
  void go_on(std::shared_ptr<Rollout> rollout);
  void infect(ServiceId id, RunNumber run, const Infection& infection, std::uint64_t strike, std::string_view cause);
  void later(TimePoint at, std::function<void()> what);
  void add(const Entry& entry, std::uint32_t occurrence, const std::vector<std::string>& names,
           const std::optional<DrawnLength>& spread);
  // Now, or when the supervisor wakes.
  void tell_supervisor(std::function<void()> what);
  void stand_still(TimePoint until, std::uint32_t entry);
  void be_late(const DrawnLength& by, TimePoint until, std::uint32_t entry);
  Duration lateness(const Timer& timer);
  void report_late(ServiceId service, ChaosEvent::Kind kind, TimePoint until);
  // When the entry begins again; nullopt: never.
  [[nodiscard]] std::optional<TimePoint> next(const Entry& entry, std::uint32_t occurrence) const;
  [[nodiscard]] DrawKey key_of(const Entry& entry) const noexcept;
  [[nodiscard]] bool healed() const noexcept { return scheduler_.now() >= heals_at_; }

  // From when timers of the supervisor are late, and how.
  struct Late {
    DrawnLength by{};
    TimePoint until = TimePoint::min();
    std::uint32_t entry = 0;
  };

  Scheduler& scheduler_;
  LateScheduler* late_scheduler_;
  Supervisor& supervisor_;
  Population& population_;
  const std::vector<Observer*>& observers_;
  std::deque<Entry> entries_;
  std::deque<Moment> moments_;
  std::deque<Consequence> consequences_;
  std::vector<Consequence*> free_;  // of them
  Seed seed_;
  TimePoint heals_at_ = TimePoint::max();
  std::uint32_t numbers_ = 0;  // of entries so far
  std::uint32_t limits_ = 0;   // set on resources so far
  Late late_;
};

}  // namespace holdfast::sim
