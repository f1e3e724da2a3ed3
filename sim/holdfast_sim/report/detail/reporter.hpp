// What is behind a Report: one pass over the events, with the state of every service.
//
// Memory is O(services + outages still to recover from + services lost), whatever the number of events and restarts;
// an event of a restart cycle costs no search and no allocation.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/observe/observer.hpp>
#include <holdfast_sim/report/detail/fleet_timeline.hpp>
#include <holdfast_sim/report/detail/log_linear_histogram.hpp>
#include <holdfast_sim/report/detail/resource_tracker.hpp>
#include <holdfast_sim/report/detail/storm_tracker.hpp>
#include <holdfast_sim/report/report.hpp>
#include <holdfast_sim/report/report_data.hpp>
#include <holdfast_sim/scenario/roster.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

namespace holdfast::sim::detail {

class Reporter {
 public:
  using Groups = Report::Groups;
  Reporter(const Scenario& scenario, Groups groups, bool with_history);

  void on_event(const Event& event);
  void on_chaos(const ChaosEvent& event);
  ReportData finish(const SimulationEnd& end);

 private:
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  // One service, from its adding to its removal; by slot.
  struct Life {
    ServiceId id;
    std::uint32_t group = 0;
    Phase phase = Phase::terminated;
    Standing standing = Standing::done;
    Termination::Reason reason = Termination::Reason::completed;  // once terminated
    bool is_lost = false;  // terminated for good, and has not been given up: a command may still start it
    bool present = false;
    bool run_alive = false;
    bool run_ready = false;      // its latest run has been
    bool asked_to_stop = false;  // its latest run was, by somebody: not because it was not ready in time
    bool taken_down = false;     // its latest run was asked to stop because of another service
    bool has_started = false;
    bool awaits_running = false;     // since failed_at: a run failed outside of any outage
    bool in_outage = false;          // until outage_until
    bool outage_counts = false;      // it began while the service was not terminated
    bool started_at_repair = false;  // a run began in the instant in which the outage ended
    bool in_hang = false;            // until hang_until
    bool run_hangs = false;          // its present run does, by itself
    bool run_waits = false;          // its present run does, for a resource
    std::uint32_t repairs = kNone;   // ends of outages after which no run has begun yet: a list in repairs_
    TimePoint since;                 // its time is summed up to here
    TimePoint failed_at;
    TimePoint terminated_at;
    TimePoint outage_until;
    TimePoint hang_until;
    std::optional<TimePoint> over_at;  // when its present run was over, if the supervisor does not know yet

    [[nodiscard]] bool in_window() const noexcept { return in_outage || in_hang || run_hangs; }
    // Kept down by an outage: it lasts, or no run has begun since it ended.
    [[nodiscard]] bool kept_down() const noexcept { return in_window() || repairs != kNone; }
    [[nodiscard]] bool up() const noexcept {
      const bool works = phase == Phase::running || (phase == Phase::stopping && run_ready);
      return run_alive && works && !kept_down() && !run_waits && !over_at;
    }
    [[nodiscard]] bool lost() const noexcept { return standing == Standing::lost; }
    [[nodiscard]] bool counts() const noexcept { return present && standing != Standing::done; }
  };
  struct WindowEnd {
    TimePoint until;
    std::uint32_t slot;
    friend bool operator>(const WindowEnd& a, const WindowEnd& b) noexcept { return a.until > b.until; }
  };
  struct Repair {
    TimePoint at;
    std::uint32_t next = kNone;
  };
  struct Tally {  // of recoveries
    LogLinearHistogram lengths;
    Recoveries never;
  };

  template <event::OnlyInforms What>
  void handle(const Event&, const What&) {}
  void handle(const Event&, const event::Added&);
  void handle(const Event&, const event::Warned&);
  void handle(const Event&, const event::Started&);
  void handle(const Event&, const event::Running&);
  void handle(const Event&, const event::Ended&);
  void handle(const Event&, const event::BackingOff&);
  void handle(const Event&, const event::BreakerTripped&);
  void handle(const Event&, const event::BreakerClosed&) {}
  void handle(const Event&, const event::Waiting&) {}
  void handle(const Event&, const event::Stopping&);
  void handle(const Event&, const event::Terminated&);
  void handle(const Event&, const event::Removed&);
  void handle(const Event&, const event::ShutdownRequested&);
  void handle(const Event&, const event::Drained&);
  void handle(const Event&, const event::Commanded&) {}
  void handle(const Event&, const event::Reconfigured&) {}
  void handle(const Event&, const event::Killed&);
  void handle(const Event&, const event::Abandoned&);
  void handle(const Event&, const event::EndedLate&) {}

  void pass_to(TimePoint at) {
    if (at > now_) pass(at);
  }
  void pass(TimePoint at);
  void close_windows(std::uint32_t slot, TimePoint until);
  void begin_outage(Life& life, const ChaosEvent& event);
  void begin_hang(Life& life, const ChaosEvent& event);
  void begin_run_hang(Life& life, const ChaosEvent& event);
  void end_unseen(Life& life, const ChaosEvent& event);
  void begin_wait(Life& life, const ChaosEvent& event);
  void end_wait(Life& life, const ChaosEvent& event);
  void works(Life& life, TimePoint at, std::string_view service);
  void begin_recovering(Life& life, TimePoint at);
  void was_taken_down(Life& life, const Event& event, bool was_up);
  void failed(Life& life, const Event& event, TimePoint over_at, bool was_up, bool waited);
  void stops_waiting(Life& life);

  void settle(Life& life, TimePoint at);  // sums up its time as it stood
  void show(Life& life);                  // moves it to where it stands now
  void set_phase(Life& life, const Event& event, Phase phase);
  void give_up_the_lost(Life& life);
  void settle_forgotten(Life& life, TimePoint at);
  void is_there_again(const Event& event);
  void give_up_recovering(Life& life, bool lost);
  Life again(Life& life, const Event& event);
  void count_restart(const Event& event, GroupReport& group);
  void recovered(Tally& tally, TimePoint from, TimePoint at, std::string_view service);
  void note_slow(const SlowRecovery& recovery, std::string_view service);

  Life& life_of(const Event& event);
  GroupReport& group_of(const Life& life) { return groups_[life.group]; }
  std::uint32_t group_named(std::string_view service);
  std::uint32_t group_by_name(std::string_view service);
  void close_run(TimePoint at);
  void close_lost(TimePoint at);
  [[nodiscard]] TimePoint counts_until(const SimulationEnd& end) const noexcept;
  [[nodiscard]] Losses losses() const;

  std::vector<GroupReport> groups_;
  std::map<std::string, std::uint32_t, std::less<>> group_by_name_;  // of Groups::by_name
  std::uint32_t other_group_ = kNone;                                // of services that are in none
  const Roster roster_;
  const Groups groups_are_;

  std::vector<Life> lives_;
  std::map<std::string, Life, std::less<>> forgotten_;  // those that were lost, until somebody adds them again
  std::vector<Repair> repairs_;
  std::uint32_t free_repairs_ = kNone;
  std::priority_queue<WindowEnd, std::vector<WindowEnd>, std::greater<>> window_ends_;
  TimePoint now_;
  std::optional<Duration> duration_;  // of the scenario
  bool nobody_was_left_ = false;      // the shutdown began because all services had terminated
  bool over_ = false;                 // the drain is, and from then on nobody's time counts

  FleetTimeline timeline_;
  StormTracker storms_;
  ResourceTracker resources_;
  Tally after_outages_;
  Tally after_failures_;
  LogLinearHistogram restarts_;
  LogLinearHistogram trips_;
  std::vector<TimePoint> losses_;
  std::uint64_t restarts_this_second_ = 0;
  std::int64_t second_end_ = 0;
  ReportData data_;
};

}  // namespace holdfast::sim::detail
