// What the tests of conformance share: either world, timers and tasks that call a function, and a late thread.
#pragma once

#include <catch2/catch.hpp>

#include <functional>
#include <memory>
#include <utility>

#include "support.hpp"
#include "worlds.hpp"

namespace holdfast::test::conformance_test {

inline std::unique_ptr<World> any_world() { return make_world(GENERATE("virtual", "real")); }

class Bell final : public Timer {
 public:
  Bell(Scheduler& scheduler, std::function<void()> act) : scheduler_(scheduler), act_(std::move(act)) {}
  ~Bell() { scheduler_.disarm(*this); }
  void arm(TimePoint at) {
    armed_for_ = at;
    scheduler_.arm(*this, at);
  }
  bool disarm() { return scheduler_.disarm(*this); }

 private:
  void fired() override {
    CHECK(scheduler_.now() >= armed_for_);
    act_();
  }
  Scheduler& scheduler_;
  std::function<void()> act_;
  TimePoint armed_for_;
};

class Job final : public Task {
 public:
  Job(Scheduler& scheduler, std::function<void()> act) : scheduler_(scheduler), act_(std::move(act)) {}
  ~Job() { scheduler_.cancel(*this); }
  void defer() { scheduler_.defer(*this); }
  bool cancel() { return scheduler_.cancel(*this); }

 private:
  void run() override { act_(); }
  Scheduler& scheduler_;
  std::function<void()> act_;
};

// Keeps the thread until a time has passed, as a stopped program, a busy machine or a handler that blocks does. In
// virtual time nothing can be late.
inline void be_late_for(World& world, TimePoint at) {
  while (world.is_real() && world.scheduler().now() <= at) {
  }
}

}  // namespace holdfast::test::conformance_test
