// The state of the model (supervisor_model.hpp): the lives of services, what has been said and not been acted on, what
// is due next, and the lines that the supervisor has to report.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "supervisor_model_order.hpp"
#include "supervisor_model_step.hpp"

#include <holdfast/snapshot.hpp>

namespace holdfast::test {

// How many warnings follow a service with this policy; they are events, and have their numbers.
inline std::uint64_t warnings_of(const Setup& setup, const ServicePolicy& policy) {
  if (policy == ServicePolicy{}) return 0;
  auto found = problems(policy);
  warn_of_endless_clean_ends(found, in_force(policy, setup.config), setup.config);
  return found.size();
}

class ModelState {
 public:
  struct Life {
    std::string name;
    RestartPolicy restart = RestartPolicy::on_failure;
    BackoffPolicy policy;
    Phase phase = Phase::starting;
    StopCause stop_cause = StopCause::stop;
    bool run_alive = false;  // begun, and has not said that it ended
    bool never_run = true;
    bool stop_asked = false;     // for good, by a command; acted on or not
    bool remove_asked = false;   // acted on or not
    bool removal_begun = false;  // acted on: it is forgotten once it has terminated
    bool name_free = false;
    bool gone = false;
    bool failed_for_good = false;
    bool was_abandoned = false;
    bool last_run_failed = false;
    bool ended_badly_in_drain = false;
    std::map<std::uint64_t, std::int64_t> set_aside;  // abandoned runs that are alive: when they began, by number
    std::uint64_t run = 0, starts = 0, failures = 0, clean_exits = 0, failed_starts = 0;
    bool has_rules = false;                  // kExitRules
    bool forgotten = false;                  // once it has terminated
    bool notified = false;                   // its runs say when they are ready
    bool awaits_ready = false;               // the present one has not yet
    std::optional<std::int64_t> start_over;  // when it is too late for that
    std::uint64_t start_order = 0;
    unsigned watched = 0;                 // of kWatched
    std::optional<std::int64_t> look_at;  // while it is watched: when to see whether it was heard
    std::uint64_t look_order = 0;
    bool looks_again = false;
    std::int64_t heard_at = 0, ready_at = 0;
    std::optional<unsigned> progress;
    std::uint64_t hangs = 0;
    std::uint32_t attempt = 0;
    std::uint32_t openings = 0;               // of its breaker in a row; 0: it is closed
    std::optional<std::int64_t> probe_up_at;  // while it runs as a probe
    std::uint64_t probe_order = 0;
    std::vector<std::int64_t> failed_at;
    std::string last_error;
    std::string termination;
    std::int64_t running_time = 0, added_at = 0, phase_since = 0, began = 0, due = 0;
    std::uint64_t due_order = 0;
    bool limited = false;    // due, and waits for its turn
    std::uint64_t line = 0;  // of services that are after the same; 0: it is after none
    OnDependency on_dependency = OnDependency::keep;
    bool waits = false;                      // for those that it is after
    bool will_wake = false;                  // it waits, and they are ready: until it is due
    std::int64_t wait = 0;                   // how long that is
    std::uint64_t falls_before = 0;          // of its line, that do not concern its run
    std::uint64_t told = 0;                  // events, warnings included
    std::uint64_t warnings = 0;              // that its policy earns
    std::optional<std::int64_t> grace_over;  // while it stops under a grace
    std::uint64_t grace_order = 0;
    std::int64_t stop_asked_at = 0;
    bool killed = false;  // the latest run
    std::uint32_t earlier_lives_now = 0;
    Step added_by;
  };

  [[nodiscard]] const Life* find(std::string_view name) const {
    for (const auto& life : lives) {
      if (life.name == name && !life.name_free) return &life;
    }
    return nullptr;
  }

  // The next moment at which something happens by itself.
  [[nodiscard]] std::optional<std::int64_t> next_due() const {
    const auto first = first_due();
    return first ? std::optional{first->at} : std::nullopt;
  }

  std::int64_t now = 0;
  std::deque<Life> lives;                                   // in the order of adding, those gone included
  std::vector<std::pair<std::size_t, std::uint64_t>> runs;  // every run that ever began: whose, and its number
  std::vector<std::string> lines;                           // reported and not yet taken
  std::vector<std::string> answers;                         // to commands, not yet taken
  Counters counters;
  bool shutdown_asked = false, shutting_down = false, drained = false, killed_in_drain = false;
  std::int64_t deadline = 0;
  std::string outcome;
  std::vector<std::string> abandoned, failed, errors;

 protected:
  // What has been said, and is acted on in the order of arrival.
  struct Said {
    enum class What {
      added,
      first_start,
      ended,
      ended_late,
      stop,
      restart,
      reset,
      reconfigured,
      forget,
      remove,
      shutdown,
      all_terminated,
      end_drain,
      abandon_rest,
      ready,
      order_changed
    };
    What what;
    std::size_t life = 0;
    Outcome outcome = Outcome::clean;
    std::string error = {};
    std::uint64_t run = 0;  // restart: the latest when it was said; ended_late: the one that ended
    std::int64_t began = 0;
    unsigned status = 0;  // ended, ended_late: what it carries; 0: none
    Step with = {};       // reconfigured
  };

  ModelState(std::shared_ptr<const Setup> setup, Seed seed) : setup_(std::move(setup)), seed_(seed) {}
  ~ModelState() = default;
  ModelState(const ModelState&) = default;
  ModelState& operator=(const ModelState&) = default;

  std::optional<std::size_t> present(const std::string& name) const {
    for (std::size_t i = 0; i < lives.size(); ++i) {
      if (lives[i].name == name && !lives[i].name_free) return i;
    }
    return std::nullopt;
  }

  std::size_t place_of(const Life& life) const {
    std::size_t place = 0;
    while (&lives[place] != &life) ++place;
    return place;
  }

  // What is due first: of one time the drain's deadline, then what was said first to be due.
  struct Due {
    std::int64_t at;
    std::uint64_t order;
    std::optional<std::size_t> whose;  // of nobody: the drain's deadline, or the turn of whoever waits for it
    bool is_turn = false;
  };
  std::optional<Due> first_due() const {
    std::optional<Due> first;
    const auto consider = [&first](const Due& due) {
      if (!first || std::pair{due.at, due.order} < std::pair{first->at, first->order}) first = due;
    };
    if (waits_for_first_ && !shutting_down) consider({0, 0, std::nullopt});
    if (shutting_down && outcome.empty()) consider({deadline, 0, std::nullopt});
    if (turn_) consider({turn_->first, turn_->second, std::nullopt, true});
    for (std::size_t i = 0; i < lives.size(); ++i) {
      if (lives[i].gone) continue;
      const bool is_due = lives[i].phase == Phase::backing_off && !lives[i].limited && !waits_for_others(lives[i]);
      if (is_due) consider({lives[i].due, lives[i].due_order, i});
      if (lives[i].start_over) consider({*lives[i].start_over, lives[i].start_order, i});
      if (lives[i].look_at) consider({*lives[i].look_at, lives[i].look_order, i});
      if (lives[i].probe_up_at && lives[i].watched == 0) consider({*lives[i].probe_up_at, lives[i].probe_order, i});
      if (lives[i].grace_over) consider({*lives[i].grace_over, lives[i].grace_order, i});
    }
    return first;
  }

  // It has not been woken.
  static bool waits_for_others(const Life& life) { return life.waits && !life.will_wake; }

  // The latest that is called so, if it is there.
  const Life* holder_of(const std::string& name) const {
    const auto found = std::find_if(lives.rbegin(), lives.rend(), [&](const Life& life) { return life.name == name; });
    return found == lives.rend() || found->gone ? nullptr : &*found;
  }
  bool is_ready(const std::string& name) const {
    const Life* const holder = holder_of(name);
    return holder && holder->phase == Phase::running;
  }

 public:
  // The first that it is after and that is not ready; empty: all are.
  std::string first_missing(const Life& life) const {
    if (life.line == 0) return {};
    for (const auto& name : order_.line(life.line)->needs) {
      if (!is_ready(name)) return name;
    }
    return {};
  }

 protected:
  // Somebody who is after it has not terminated.
  bool is_in_use(const Life& life) const {
    if (holder_of(life.name) != &life) return false;
    return std::any_of(lives.begin(), lives.end(), [&](const Life& other) {
      if (other.gone || other.line == 0 || other.phase == Phase::terminated) return false;
      const auto& needs = order_.line(other.line)->needs;
      return std::find(needs.begin(), needs.end(), life.name) != needs.end();
    });
  }

  // One that is called so is after `name`, or after one that is.
  bool comes_after(const std::string& who, const std::string& name) const {
    const Life* const holder = holder_of(who);
    if (!holder || holder->line == 0) return false;
    const auto& needs = order_.line(holder->line)->needs;
    return std::any_of(needs.begin(), needs.end(),
                       [&](const auto& need) { return need == name || comes_after(need, name); });
  }

  static unsigned number_of(const Life& life) {
    return static_cast<unsigned>(std::find(kNames.begin(), kNames.end(), life.name) - kNames.begin());
  }
  static bool killable(const Life& life) { return can_be_killed(number_of(life)); }

  void reset(Life& life) {
    life.attempt = 0;
    life.failed_at.clear();
  }
  void enter(Life& life, Phase phase) {
    const bool was_ready = life.phase == Phase::running;
    const bool is_ready = phase == Phase::running;
    life.phase = phase;
    life.phase_since = now;
    if (was_ready == is_ready || holder_of(life.name) != &life) return;
    if (order_.changes(life.name, is_ready, now)) said_.push_back({Said::What::order_changed});
  }
  void tell(Life& life, const std::string& what) {
    ++life.told;
    tell(life.name, what);
  }
  void tell(const std::string& who, const std::string& what) {
    lines.push_back(to_string(TimePoint{now}) + ' ' + who + ' ' + what);
  }

  static constexpr std::size_t kAbandonedRunsMax = 3;

  std::shared_ptr<const Setup> setup_;
  bool waits_for_first_ = false;
  Seed seed_;
  std::vector<Said> said_;
  std::map<Where, std::map<unsigned, Step>> planned_;  // by name
  std::vector<std::pair<std::string, std::int64_t>> births_;
  std::uint64_t dues_ = 0;
  std::deque<std::size_t> limited_;                             // who waits for a turn
  std::vector<std::int64_t> tokens_;                            // when they were taken
  std::optional<std::pair<std::int64_t, std::uint64_t>> turn_;  // of the first: when a token is there, and its order
  std::uint32_t starting_ = 0;                                  // runs that are not ready yet
  ModelOrder order_;
};

}  // namespace holdfast::test
