// Whether the fleet starts again exactly as fast as its scenario lets it: restart_limit and starting_max.
//
// Recomputed from the events and the scenario alone. A restart by command does not wait and takes no token.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <holdfast/event.hpp>
#include <holdfast/policy.hpp>

namespace holdfast::sim::detail {

class LimitCheck {
 public:
  explicit LimitCheck(const SupervisorConfig& config) : limit_(config.restart_limit), most_(config.starting_max) {}

  // What is wrong with it; nullopt: nothing.
  [[nodiscard]] std::optional<std::string> on_event(const Event& event);
  // The supervisor stands still from `at` to `until`. What it may do meanwhile it does then.
  void is_unsupervised(TimePoint at, TimePoint until) noexcept {
    if (at >= stalled_until_) stalled_at_ = at;
    stalled_until_ = until;
  }
  // A timer for the service comes at `until`. For one that waits it is that of the limits, and nobody who waits starts
  // before.
  void is_late(ServiceId service, TimePoint until) noexcept {
    if (service.slot < lives_.size() && lives_[service.slot].waits) late_until_ = until;
  }

 private:
  struct Life {
    bool backs_off = false;  // and no command has reached it since
    bool waits = false;
    bool says_when_ready = false;
    bool starts = false;
  };

  std::optional<std::string> on_restart(TimePoint at, bool waited);
  std::optional<std::string> on_waiting(TimePoint at);
  void waits_no_more(Life& life);
  void starts_no_more(Life& life, TimePoint at);
  void refill(TimePoint at);
  [[nodiscard]] bool has_token() const { return !limit_ || credit_ >= limit_->every; }
  [[nodiscard]] bool has_place() const { return !most_ || starting_ < *most_; }

  std::optional<RestartLimit> limit_;
  std::optional<std::uint32_t> most_;
  std::vector<Life> lives_;  // by slot
  // The bucket as time: `every` for each token, at most as much as for `burst`.
  Duration credit_{0};
  TimePoint filled_at_ = TimePoint::min();
  std::uint64_t waiting_ = 0;
  std::uint64_t starting_ = 0;
  TimePoint place_since_ = TimePoint::min();
  TimePoint token_since_ = TimePoint::min();
  TimePoint stalled_at_ = TimePoint::min();
  TimePoint stalled_until_ = TimePoint::min();
  TimePoint late_until_ = TimePoint::min();  // as long as anybody waits
};

}  // namespace holdfast::sim::detail
