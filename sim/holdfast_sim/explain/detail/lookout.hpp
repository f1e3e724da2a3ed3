// Who was down for how long: which service shows best why a figure is as it is.
//
// A service is down while it is expected to run and does not, or hangs. It is a little simpler than the report's
// figures, because it only chooses. Memory is O(services).
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/observe/observer.hpp>
#include <holdfast_sim/scenario/roster.hpp>

namespace holdfast::sim::detail {

struct DownTime {
  std::string service;
  Duration total{0};
  Duration longest{0};       // of all times in a row
  TimePoint from;            // when that began
  std::uint64_t number = 0;  // the event that ended it, or else the latest one of the service, as traces count them
  bool lost = false;
};

class Lookout final : public Observer {
 public:
  // REQUIRES: `roster` outlives it.
  explicit Lookout(const Roster& roster) : roster_(roster) {}

  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent& event) override;
  // The run is over. Called once.
  void finish(TimePoint at);

  // The service of this group (or of this name; empty: of the fleet) that was down longest in all, a lost one first if
  // there is any. nullopt: none was down.
  [[nodiscard]] std::optional<DownTime> worst(std::string_view group) const;
  // The event with which the most services were down at once, for longer than an instant; 0: none ever was.
  [[nodiscard]] std::uint64_t peak() const noexcept { return peak_; }

 private:
  struct Life {
    std::string name;
    std::uint64_t latest = 0;  // event
    bool present = false;
    bool alive = false;       // it has a run that is ready
    bool useless = false;     // that run hangs by itself, or waits for a resource
    bool taken_down = false;  // its latest stop was because of another service
    bool done = false;
    bool lost = false;
    bool is_down = false;
    TimePoint hangs_until = TimePoint::min();
    TimePoint down_from;
    DownTime down;
  };

  Life& life_of(ServiceId id);
  void pass(Life& life, TimePoint at);
  void judge(Life& life, TimePoint at);
  void rise(Life& life, TimePoint at);
  void end_instant(TimePoint next);

  const Roster& roster_;
  std::vector<Life> lives_;     // by slot
  std::vector<DownTime> gone_;  // of services that were removed
  std::uint64_t count_ = 0;
  std::uint64_t down_ = 0;
  std::uint64_t most_down_ = 0;
  std::uint64_t last_fall_ = 0;
  std::uint64_t peak_ = 0;
  TimePoint now_;
};

}  // namespace holdfast::sim::detail
