// Timers and tasks that call a function, and numbered timers on a queue beside a plain list of their order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <tuple>
#include <utility>
#include <vector>

#include <holdfast/timer_queue.hpp>

namespace holdfast::timer_queue_test {

struct Bell final : Timer {
  explicit Bell(std::function<void()> rung = [] {}) : ring(std::move(rung)) {}
  void fired() override { ring(); }
  std::function<void()> ring;
};

struct Chore final : Task {
  explicit Chore(std::function<void()> done = [] {}) : work(std::move(done)) {}
  void run() override { work(); }
  std::function<void()> work;
};

// Numbered bells on a queue, and beside them a list of (time, order of arming, number).
class Bells {
 public:
  static constexpr std::size_t kCount = 24;

  Bells() {
    for (std::size_t i = 0; i < kCount; ++i) bells_.emplace_back([this, i] { rang(i); });
  }
  ~Bells() { queue_.clear(); }

  void arm(std::size_t which, std::int64_t at) {
    if (bells_[which].armed()) return;
    queue_.arm(bells_[which], TimePoint{at});
    list_.emplace_back(at, armings_++, which);
  }
  bool disarm(std::size_t which) {
    const auto listed =
        std::find_if(list_.begin(), list_.end(), [&](const auto& entry) { return std::get<2>(entry) == which; });
    const bool expected = listed != list_.end();
    if (expected) list_.erase(listed);
    return queue_.disarm(bells_[which]) == expected;
  }
  // Fires the earliest; it must be the list's. Inside, one bell may be disarmed and one armed.
  bool fire(std::size_t disarm_inside, std::size_t arm_inside, std::int64_t at) {
    if (queue_.empty()) return list_.empty();
    const auto least = std::min_element(list_.begin(), list_.end());
    const auto [expected_at, order, expected] = *least;
    if (queue_.earliest() != TimePoint{expected_at}) return false;
    list_.erase(least);
    inside_ = [=, this] { return disarm(disarm_inside) && (arm(arm_inside, at), true); };
    rung_.clear();
    queue_.fire_earliest();
    return inside_went_well_ && rung_ == std::vector{expected};
  }
  [[nodiscard]] bool agrees() const {
    if (queue_.size() != list_.size() || queue_.empty() != list_.empty()) return false;
    for (std::size_t i = 0; i < kCount; ++i) {
      const bool listed =
          std::any_of(list_.begin(), list_.end(), [&](const auto& entry) { return std::get<2>(entry) == i; });
      if (bells_[i].armed() != listed) return false;
    }
    return true;
  }
  void clear() {
    queue_.clear();
    list_.clear();
  }

 private:
  void rang(std::size_t which) {
    rung_.push_back(which);
    inside_went_well_ = !bells_[which].armed() && inside_();
  }

  TimerQueue queue_;
  std::deque<Bell> bells_;
  std::vector<std::tuple<std::int64_t, std::uint64_t, std::size_t>> list_;
  std::uint64_t armings_ = 0;
  std::vector<std::size_t> rung_;
  std::function<bool()> inside_;
  bool inside_went_well_ = true;
};

}  // namespace holdfast::timer_queue_test
