// What a file that has changed means for the fleet that is up with it: a plan, before anything is done.
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <holdfast/file/fleet.hpp>
#include <holdfast/up/services.hpp>

namespace holdfast::up {

// A fleet as it was read.
struct FleetToRun {
  file::FleetFile fleet{};
  std::vector<ServiceToRun> services{};
};

struct PlanStep {
  enum class What : unsigned char {
    add,
    remove,
    reconfigure,  // under another policy, and its run goes on
    restart,      // with another program: its name, its counters and its history stay
    replace       // what the supervisor cannot change of it has changed: it is removed and added
  };
  What what = What::add;
  bool other_policy = false;  // of reconfigure and restart
  bool gone = false;          // it was forgotten when it had terminated
  std::string service{};
  std::vector<std::string> keys{};  // that have changed
  std::size_t for_good = 0;         // of replace: as many of them, the first ones, cannot change in place
};

struct Plan {
  std::vector<PlanStep> steps{};
  std::vector<std::string> later{};           // keys of [supervisor] that take effect with the next `holdfast up`
  std::vector<std::string> changed_groups{};  // paths of groups that change or go with the next `holdfast up`
  std::size_t kept = 0;                       // services that go on as they are
};

Plan plan_of(const FleetToRun& before, const FleetToRun& now);

// "+ cache", "- old", "~ web-0: command changed: restarted": a line for each step, and one for what goes on.
// What the supervisor cannot change of the groups that it has stays as it is: `now` has those of `before`, and its new
// ones.
void keep_groups(const file::FleetFile& before, file::FleetFile& now);

std::vector<std::string> lines_of(const Plan& plan);

}  // namespace holdfast::up
