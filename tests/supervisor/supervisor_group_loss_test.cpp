// Groups that are given up on, and services that the fleet does not go on without: semantics 6.8.

#include "grouped.hpp"

namespace holdfast::test::supervisor_group_loss_test {

namespace {

ServicePolicy ends_fleet(EndsFleet when, RestartPolicy restart = RestartPolicy::on_failure) {
  return {.restart = restart, .ends_fleet = when};
}

}  // namespace

TEST_CASE("intensity: one restart more than it allows within its window, and the group is lost") {
  Grouped trio{Strategy::one_for_one, RestartIntensity{2, 10s}};
  trio.of("a").fail();
  trio.fleet.pass(5s);
  trio.of("b").fail();
  trio.fleet.pass(5s);
  CHECK(trio.take() == Lines{"0s a backing_off failure 1, 1s of 1s", "1s a started 2",
                             "5s b backing_off failure 1, 1s of 1s", "6s b started 2"});
  SECTION("exactly as old as the window still counts") {
    trio.of("b").fail();
    trio.fleet.settle();
    CHECK(trio.take() == Lines{"10s b backing_off failure 2, 1s of 1s", "10s - group_lost /g restarts b",
                               "10s c stopping group_lost", "10s b stopping group_lost", "10s b terminated cancelled",
                               "10s a stopping group_lost"});
    trio.of("c").fail();
    trio.of("a").end_cleanly();
    trio.fleet.settle();
    CHECK(trio.take() == Lines{"10s c terminated cancelled", "10s a terminated cancelled"});
    trio.fleet->request_shutdown();
    trio.fleet.settle();
    REQUIRE(trio.fleet->shutdown_result());
    CHECK(trio.fleet->shutdown_result()->lost_groups == Lines{"/g"});
    CHECK(trio.fleet->shutdown_result()->suggested_exit_status() == 1);
  }
  SECTION("older than the window does not") {
    trio.fleet.pass(1ns);
    trio.of("b").fail();
    trio.fleet.settle();
    CHECK(trio.take_untimed() == Lines{"b backing_off failure 2, 1s of 1s"});
  }
}

TEST_CASE("intensity: a failure counts anew once everybody has left the restart before it, also in that instant") {
  Grouped trio{Strategy::rest_for_one, RestartIntensity{1, 10s}};
  trio.let_all_obey();
  trio.of("b").fail();  // c is asked to stop
  trio.of("b").on_start = [](Run run) { run.end(Exit::failed("again")); };
  REQUIRE(trio.fleet->restart("b"));  // by hand, and it fails at once
  REQUIRE(trio.fleet->stop("c"));
  trio.fleet.settle();
  const auto lines = trio.take_untimed();
  CHECK(std::count(lines.begin(), lines.end(), "- group_lost /g restarts b") == 1);
}

TEST_CASE("a service that is added in the instant of a loss, but after it, begins its group anew") {
  Grouped trio{Strategy::one_for_one, RestartIntensity{0, 10s}};
  trio.let_all_obey();
  trio.of("a").fail();
  REQUIRE(trio.fleet->add({.name = "late", .policy = {.group = "/g"}}, trio.fleet.script()));
  trio.fleet.settle();
  const auto lines = trio.take_untimed();
  CHECK(std::count(lines.begin(), lines.end(), "- group_lost /g restarts a") == 1);
  CHECK(std::count(lines.begin(), lines.end(), "late started 1") == 1);
  CHECK(trio.fleet.phase("late") == "running");
  CHECK(trio.fleet.phase("b") == "terminated");
  trio.fleet->end_drain();
  trio.fleet.settle();
  REQUIRE(trio.fleet->shutdown_result());
  CHECK(trio.fleet->shutdown_result()->lost_groups == Lines{});
}

TEST_CASE("nobody is added to a fleet that is to end") {
  Grouped all;
  all.group("/g", Strategy::one_for_one);
  all.add("main", ends_fleet(EndsFleet::always));
  all.add("other");
  bool was_added = true;
  all.of("other").on_stop = [&](Run run) {
    was_added = static_cast<bool>(all.fleet->add({.name = "late"}, all.fleet.script()));
    run.end(Exit::clean());
  };
  all.of("main").end_cleanly();
  REQUIRE(all.fleet->restart("other"));
  all.fleet.settle();
  CHECK_FALSE(was_added);
  CHECK(all.fleet->shutdown_result());
}

TEST_CASE("intensity: children that fail together and start again together count once") {
  Grouped trio{Strategy::one_for_all, RestartIntensity{1, 10s}};
  trio.let_all_obey();
  trio.of("a").fail();
  trio.of("b").fail();
  trio.fleet.pass(1s);
  CHECK(trio.fleet.phase("c") == "running");
  (void)trio.take();
  trio.of("c").fail();
  trio.fleet.settle();
  CHECK(trio.take_line(1) == "- group_lost /g restarts c");
}

TEST_CASE("intensity: none at all is allowed") {
  Grouped trio{Strategy::one_for_all, RestartIntensity{0, 1s}};
  trio.let_all_obey();
  trio.of("a").fail();
  trio.fleet.settle();
  CHECK(trio.take_untimed() == Lines{"a backing_off failure 1, 1s of 1s", "- group_lost /g restarts a",
                                     "c stopping group_lost", "b stopping group_lost", "a stopping group_lost",
                                     "a terminated cancelled", "c terminated cancelled", "b terminated cancelled"});
}

TEST_CASE("a child that is lost for good loses the group") {
  Grouped all;
  all.group("/g", Strategy::one_for_one);
  all.add("a", {.backoff = delay_of(1s, BreakerPolicy{.max_failures = 1})});
  all.add("b");
  all.add("c", {.stop_grace = 1s});
  all.let_all_obey();
  (void)all.take();
  SECTION("its breaker opens for good") {
    all.of("a").fail();
    all.fleet.settle();
    CHECK(all.take_untimed() == Lines{"a breaker_tripped 1/1", "a terminated circuit breaker open (1/1 failures)",
                                      "- group_lost /g child a", "c stopping group_lost", "b stopping group_lost",
                                      "c terminated cancelled", "b terminated cancelled"});
  }
  SECTION("a fatal error") {
    all.of("b").end(Exit::fatal("no licence"));
    all.fleet.settle();
    CHECK(all.take_untimed() == Lines{"b terminated failed: no licence", "- group_lost /g child b",
                                      "c stopping group_lost", "a stopping group_lost", "c terminated cancelled",
                                      "a terminated cancelled"});
  }
  SECTION("not one that completes, is stopped, or is removed, even if it does not obey") {
    all.of("a").end_cleanly();
    REQUIRE(all.fleet->stop("b"));
    all.of("c").on_stop = nullptr;
    REQUIRE(all.fleet->remove("c"));
    all.fleet.pass(2s);
    CHECK(all.take() == Lines{"0s a terminated completed", "0s b stopping stop", "0s c stopping remove",
                              "0s b terminated cancelled", "1s c terminated abandoned after 1s", "1s c removed"});
  }
}

TEST_CASE("a sibling that does not stop, and whose runs cannot be side by side, is lost and its group with it") {
  Grouped trio{Strategy::one_for_all};
  trio.let_all_obey();
  trio.of("c").on_stop = nullptr;
  trio.of("a").fail();
  trio.fleet.pass(29s);
  (void)trio.take();
  trio.fleet.pass(1s);
  CHECK(trio.take() == Lines{"30s c terminated abandoned after 30s", "30s - group_lost /g child c",
                             "30s b stopping group_lost", "30s b terminated cancelled", "30s a stopping group_lost",
                             "30s a terminated cancelled"});
}

TEST_CASE("a service that never starts again is not lost when it fails, and nor is its group") {
  Grouped all;
  all.group("/g", Strategy::one_for_all, RestartIntensity{0, 1s});
  all.add("a", {.restart = RestartPolicy::never});
  all.add("b");
  (void)all.take();
  all.of("a").fail();
  all.fleet.settle();
  CHECK(all.take() == Lines{"0s a terminated failed: boom"});
}

TEST_CASE("a lost group loses the group that it is in, and all stop from the last to the first") {
  Grouped all;
  all.group("/g", Strategy::one_for_one, RestartIntensity{100, 1s});
  all.group("/g/h", Strategy::one_for_one, RestartIntensity{0, 1s});
  all.group("/x", Strategy::one_for_one);
  all.add("a");
  all.add("h", {}, "/g/h");
  all.add("z");
  all.add("x", {}, "/x");
  all.let_all_obey();
  (void)all.take();
  all.of("h").fail();
  all.fleet.settle();
  CHECK(all.take_untimed() == Lines{"h backing_off failure 1, 1s of 1s", "- group_lost /g/h restarts h",
                                    "- group_lost /g child /g/h", "z stopping group_lost", "h stopping group_lost",
                                    "h terminated cancelled", "a stopping group_lost", "z terminated cancelled",
                                    "a terminated cancelled"});
  CHECK(all.fleet.phase("x") == "running");
  all.fleet->request_shutdown();
  all.fleet.settle();
  REQUIRE(all.fleet->shutdown_result());
  CHECK(all.fleet->shutdown_result()->lost_groups == Lines{"/g", "/g/h"});
}

TEST_CASE("a lost group takes the groups in it along, and they are not lost by themselves") {
  Grouped all;
  all.group("/g", Strategy::one_for_one, RestartIntensity{0, 1s});
  all.group("/g/h", Strategy::one_for_one);
  all.add("a");
  all.add("h", {}, "/g/h");
  all.let_all_obey();
  (void)all.take();
  all.of("a").fail();
  all.fleet.settle();
  CHECK(all.take_untimed() == Lines{"a backing_off failure 1, 1s of 1s", "- group_lost /g restarts a",
                                    "h stopping group_lost", "a stopping group_lost", "a terminated cancelled",
                                    "h terminated cancelled"});
  CHECK(all.fleet.snapshot("h").group_is_lost);
}

TEST_CASE("a lost group begins anew with a service that is added or restarted by hand") {
  Grouped trio{Strategy::one_for_one, RestartIntensity{1, 1h}};
  trio.let_all_obey();
  const auto lose = [&](const std::string& name) {
    trio.of(name).fail();
    trio.fleet.pass(1s);
    trio.of(name).fail();
    trio.fleet.settle();
  };
  lose("a");
  CHECK(trio.fleet.phase("c") == "terminated");
  REQUIRE(trio.fleet->restart("a"));
  REQUIRE(trio.fleet->restart("b"));
  trio.fleet.settle();
  (void)trio.take();
  trio.of("a").fail();
  trio.fleet.pass(1s);
  CHECK(trio.take_untimed() == Lines{"a backing_off failure 1, 1s of 1s", "a started 4"});
  trio.of("b").fail();
  trio.fleet.settle();
  CHECK(trio.take_line(1) == "- group_lost /g restarts b");
}

TEST_CASE("ends_fleet: the fleet shuts down when a service is lost, or whenever it ends, with its name in the result") {
  struct Case {
    EndsFleet when;
    const char* how;
    bool ends;
  };
  const auto cases = {Case{EndsFleet::never, "fails", false},      Case{EndsFleet::when_lost, "fails", true},
                      Case{EndsFleet::always, "fails", true},      Case{EndsFleet::when_lost, "completes", false},
                      Case{EndsFleet::always, "completes", true},  Case{EndsFleet::when_lost, "is stopped", false},
                      Case{EndsFleet::always, "is stopped", false}};
  for (const auto& one : cases) {
    CAPTURE(to_string(one.when), one.how);
    Grouped all;
    all.add("other", {}, "");
    all.add("main", ends_fleet(one.when, RestartPolicy::never), "");
    all.let_all_obey();
    (void)all.take();
    const std::string how = one.how;
    if (how == "fails") all.of("main").fail();
    if (how == "completes") all.of("main").end_cleanly();
    if (how == "is stopped") REQUIRE(all.fleet->stop("main"));
    all.fleet.settle();
    const auto& result = all.fleet->shutdown_result();
    REQUIRE(result.has_value() == one.ends);
    if (!one.ends) continue;
    CHECK(all.take_line(1) == "- shutdown_requested ends_fleet 30s, with main");
    CHECK(result->ended_by == "main");
    CHECK(result->outcome == DrainOutcome::drained);
    CHECK(result->suggested_exit_status() == (how == "fails" ? 1 : 0));
  }
}

TEST_CASE("ends_fleet: a service whose group is lost is lost, and so is one that a restart could not stop") {
  Grouped all;
  all.group("/g", Strategy::one_for_one, RestartIntensity{0, 1s});
  all.add("a");
  all.add("main", ends_fleet(EndsFleet::when_lost));
  all.add("hangs", {.stop_grace = 1s, .ends_fleet = EndsFleet::when_lost}, "");
  all.let_all_obey();
  (void)all.take();
  SECTION("its group is lost") {
    all.of("a").fail();
    all.fleet.settle();
    REQUIRE(all.fleet->shutdown_result());
    CHECK(all.fleet->shutdown_result()->ended_by == "main");
    CHECK(all.fleet->shutdown_result()->suggested_exit_status() == 1);
  }
  SECTION("a restart could not stop it") {
    all.of("hangs").on_stop = nullptr;
    REQUIRE(all.fleet->restart("hangs"));
    all.fleet.pass(1s);
    REQUIRE(all.fleet->shutdown_result());
    CHECK(all.fleet->shutdown_result()->ended_by == "hangs");
  }
  SECTION("a shutdown that was asked for before is no end of the fleet") {
    all.of("main").end(Exit::fatal("no licence"));
    all.fleet->request_shutdown();
    all.fleet.settle();
    REQUIRE(all.fleet->shutdown_result());
    CHECK(all.fleet->shutdown_result()->ended_by.empty());
    CHECK(all.fleet->shutdown_result()->lost_groups == Lines{"/g"});
  }
}

}  // namespace holdfast::test::supervisor_group_loss_test
