// The rules about order, each with a history that breaks it.
#include <catch2/catch.hpp>

#include <chrono>
#include <string>

#include <holdfast_sim/checks/checks.hpp>

#include "checks_history.hpp"

namespace holdfast::sim::checks_test {

namespace {

using namespace std::chrono_literals;

// db, which is ready, and web after it.
struct Shop : History {
  explicit Shop(OnDependency what, bool db_is_ready = true) {
    if (db_is_ready) {
      up("db");
    } else {
      starting_slowly("db");
    }
    added_under("web", {.backoff = kPolicy, .order = {.after = {"db"}, .on_dependency = what, .wake_jitter = 1s}});
  }
};

}  // namespace

TEST_CASE("starts_after_its_dependencies") {
  Shop first{OnDependency::keep, false};
  first.restarted().finish(EndReason::events_budget);
  check_only(first, Rule::starts_after_its_dependencies, "a run starts, but \"db\" is not ready");

  Shop late{OnDependency::keep, false};
  late.waits_for("db").at(3s).of("db").running().at(4s).of("web").restarted().finish(EndReason::events_budget);
  check_only(late, Rule::starts_when_the_delay_has_passed, "a run starts at 4s, but is due at 3s");

  Shop again{OnDependency::wait};
  again.restarted().at(1s).of("db").failed().backs_off(1, 100ms, 100ms);
  again.of("web").failed().backs_off(1, 100ms, 0s).restarted().finish(EndReason::events_budget);
  check_only(again, Rule::starts_after_its_dependencies, "a run starts, but \"db\" is not ready");

  Shop lazy{OnDependency::wait};
  lazy.restarted().at(1s).failed().backs_off(1, 100ms, 0s);
  lazy.waits_for("db", 0s).finish(EndReason::events_budget);
  check_only(lazy, Rule::starts_after_its_dependencies, "waits for \"db\", but the first that is not ready is \"\"");

  Shop slow{OnDependency::wait};
  slow.restarted().at(1s).of("db").failed().backs_off(1, 100ms, 100ms);
  slow.of("web").failed().backs_off(1, 100ms, 0s);
  slow.waits_for("db", 2s).finish(EndReason::events_budget);
  check_only(slow, Rule::starts_after_its_dependencies, "waits for 2s after that, but its wake_jitter is 1s");

  Shop keeps{OnDependency::keep};
  keeps.restarted().at(1s).of("db").failed().backs_off(1, 100ms, 100ms);
  keeps.of("web").failed().backs_off(1, 100ms, 0s);
  keeps.waits_for("db", 0s).finish(EndReason::events_budget);
  check_only(keeps, Rule::starts_after_its_dependencies, "waits for others, though its policy keeps going");
}

TEST_CASE("follows_its_dependencies") {
  Shop stays{OnDependency::restart};
  stays.restarted().at(1s).of("db").failed().backs_off(1, 100ms, 100ms).at(1100ms).restarted();
  stays.finish(EndReason::events_budget);
  check_only(stays, Rule::follows_its_dependencies,
             "was to stop, because one that it is after had become unready, and did not");

  Shop uncalled{OnDependency::restart};
  uncalled.restarted().at(1s).stopping(StopCause::dependency).finish(EndReason::events_budget);
  check_only(uncalled, Rule::follows_its_dependencies, "stops for dependency, though nothing calls for that");

  Shop otherwise{OnDependency::restart};
  otherwise.restarted().at(1s).of("db").failed().backs_off(1, 100ms, 100ms);
  otherwise.of("web").stopping(StopCause::dependency_stop).finish(EndReason::events_budget);
  check_only(otherwise, Rule::follows_its_dependencies, "stops for dependency_stop, though nothing calls for that");

  Shop ends{OnDependency::restart};
  ends.restarted().at(1s).of("db").failed().backs_off(1, 100ms, 100ms);
  ends.of("web").stopping(StopCause::dependency).exited().cancelled().finish(EndReason::events_budget);
  check_only(ends, Rule::follows_its_dependencies,
             "a run that was stopped because of a dependency is followed by backing_off dependency; found terminated");
}

TEST_CASE("stops_before_its_dependencies") {
  Shop early{OnDependency::keep};
  early.restarted().at(1s).shutdown().of("db").stopping(StopCause::shutdown);
  early.of("web").stopping(StopCause::shutdown).at(2s).exited().cancelled();
  early.finish(EndReason::events_budget);
  check_only(early, Rule::stops_before_its_dependencies,
             "was asked to stop, though services that are after it have not terminated");

  Shop never{OnDependency::keep};
  never.restarted().at(1s).shutdown().of("web").stopping(StopCause::shutdown).at(2s).exited().cancelled();
  never.finish(EndReason::events_budget);
  check_only(never, Rule::stops_when_asked,
             "a service that is asked to stop is reported as stopping, with the cause, at once; nothing followed");
}

}  // namespace holdfast::sim::checks_test
