#include "scarcity.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <vector>

#include "memory.hpp"

namespace soak {

using namespace std::chrono_literals;

namespace {

// Two steps in one: the limit is lowered to what is open, and given back.
class FewDescriptors {
 public:
  explicit FewDescriptors(unsigned limit) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit lowered = before_;
    lowered.rlim_cur = std::min<rlim_t>(limit, before_.rlim_cur);
    ::setrlimit(RLIMIT_NOFILE, &lowered);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

unsigned open_descriptors() {
  std::error_code error;  // the list itself is one of them
  const std::filesystem::directory_iterator list{"/proc/self/fd", error};
  return error ? 0 : static_cast<unsigned>(std::distance(begin(list), end(list))) - 1;
}

Scarcity::Scarcity(holdfast::Seed seed, Disturbances& disturbances, Disk& disk)
    : disturbances_(disturbances), disk_(disk), thread_([this, seed] { run(seed); }) {}

Scarcity::~Scarcity() {
  over_ = true;
  thread_.join();
}

void Scarcity::run(holdfast::Seed seed) {
  using enum Disturbance;
  std::vector<Disturbance> all;
  for (const auto what : {no_descriptors, no_memory, full_disk, throwing_disk}) {
    if (disturbances_.has(what)) all.push_back(what);
  }
  if (all.empty()) return;
  for (Dice dice{seed, "scarcity"}; !over_;) {
    std::this_thread::sleep_for(dice.up_to(dice.up_to(1) == 0 ? 100ms : 1s));
    take_away(all[dice.up_to(all.size() - 1)], 10ms + dice.up_to(500ms), dice);
  }
}

void Scarcity::take_away(Disturbance what, holdfast::Duration time, Dice& dice) {
  disturbances_.happened(what);
  if (what == Disturbance::no_descriptors) {
    const FewDescriptors few{open_descriptors() + static_cast<unsigned>(dice.up_to(4))};
    std::this_thread::sleep_for(time);
  } else if (what == Disturbance::no_memory) {
    let_memory_fail(static_cast<unsigned>(5 + dice.up_to(200)));
    std::this_thread::sleep_for(time);
    let_memory_fail(0);
  } else {
    disk_.is_full = true;
    std::this_thread::sleep_for(time);
    disk_.is_full = false;
  }
}

}  // namespace soak
