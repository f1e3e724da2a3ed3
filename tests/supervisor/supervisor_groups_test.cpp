// Groups of services that start again together: semantics 6.8, sentence by sentence.

#include "grouped.hpp"

namespace holdfast::test::supervisor_groups_test {

namespace {

ServicePolicy notified() { return {.ready = Ready::notified}; }

}  // namespace

TEST_CASE("a group has a path in a group that is there, and a service names a group that is there") {
  Grouped all;
  const auto refused = [&](const std::string& path, std::optional<RestartIntensity> intensity = std::nullopt) {
    const auto added = all.fleet->add_group({.path = path, .policy = {.intensity = intensity}});
    return added ? std::string{"accepted"} : added.refusal().message;
  };
  CHECK(refused("feeds") ==
        "add_group \"feeds\": path is \"feeds\"; allowed is a path of names, each behind a slash, as "
        "\"/gateway/feeds\"");
  CHECK(refused("/").starts_with("add_group \"/\": path is empty; allowed are 1 to 255 bytes"));
  CHECK(refused("/a//b").starts_with("add_group \"/a//b\": path is empty;"));
  CHECK(refused("/a ").find("blank") != std::string::npos);
  CHECK(refused('/' + std::string(255, 'a')).find("is 256 bytes long; allowed are up to 255") != std::string::npos);
  CHECK(refused("/gateway/feeds") ==
        "add_group \"/gateway/feeds\": no group \"/gateway\" was added, which it is in; add that first");
  CHECK(refused("/g", RestartIntensity{10'000, 0s}) ==
        "add_group \"/g\": intensity.max_restarts is 10000; allowed is 0 to 9999\n"
        "intensity.within is 0s; allowed is 1ns to 36500d");
  CHECK(all.fleet.take() == Lines{});
  CHECK(refused("/gateway") == "accepted");
  CHECK(refused("/gateway/feeds", RestartIntensity{3, 5s}) == "accepted");
  CHECK(refused("/gateway") ==
        "add_group \"/gateway\": there is such a group; a group stays as long as its supervisor");
  all.fleet.settle();
  CHECK(all.fleet.take() ==
        Lines{"0s - group_added /gateway one_for_one", "0s - group_added /gateway/feeds one_for_one, 3 in 5s"});
  const auto added = all.fleet->add({.name = "a", .policy = {.group = "/none"}}, all.fleet.script());
  REQUIRE_FALSE(added);
  CHECK(added.refusal().message ==
        "add \"a\": group is \"/none\", and no such group was added; add it first (add_group)");
  all.add("a", {}, "/gateway/feeds");
  CHECK(all.fleet.snapshot("a").group == "/gateway/feeds");
  all.fleet->request_shutdown();
  CHECK(refused("/late") == "add_group \"/late\": the supervisor is shutting down");
}

TEST_CASE("one_for_one: nobody else is concerned") {
  Grouped trio{Strategy::one_for_one};
  trio.of("b").fail();
  trio.fleet.pass(1s);
  CHECK(trio.take() == Lines{"0s b backing_off failure 1, 1s of 1s", "1s b started 2"});
}

TEST_CASE("one_for_all: the siblings stop at once from the last to the first, and all start again in order") {
  Grouped trio{Strategy::one_for_all};
  trio.of("b").fail();
  trio.fleet.settle();
  CHECK(trio.take() == Lines{"0s b backing_off failure 1, 1s of 1s", "0s c stopping sibling", "0s a stopping sibling"});
  trio.of("c").end_cleanly();
  trio.of("a").fail("broken pipe");
  trio.fleet.settle();
  CHECK(trio.take() == Lines{"0s c backing_off sibling 0, 0s of 0s", "0s c waiting group",
                             "0s a backing_off sibling 0, 0s of 0s", "0s a waiting group"});
  CHECK(trio.fleet->counters().waiting_services == 2);
  CHECK(trio.fleet.snapshot("a").waits_for == WaitsFor::group);
  CHECK_FALSE(trio.fleet.snapshot("a").next_start);
  CHECK(trio.fleet.snapshot("a").failures == 0);
  CHECK(trio.fleet.snapshot("a").last_error == "broken pipe");
  trio.fleet.pass(1s);
  CHECK(trio.take() == Lines{"1s a started 2", "1s b started 2", "1s c started 2"});
  CHECK(trio.fleet->counters().waiting_services == 0);
  CHECK(trio.fleet->counters().failures == 1);
}

TEST_CASE("one_for_all: the last to stop starts all if the delay has passed before") {
  Grouped trio{Strategy::one_for_all};
  trio.of("b").fail();
  trio.fleet.pass(2s);
  trio.of("c").end_cleanly();
  trio.fleet.pass(1s);
  CHECK(trio.take() == Lines{"0s b backing_off failure 1, 1s of 1s", "0s c stopping sibling", "0s a stopping sibling",
                             "1s b waiting group", "2s c backing_off sibling 0, 0s of 0s", "2s c waiting group"});
  trio.of("a").end_cleanly();
  trio.fleet.settle();
  CHECK(trio.take() ==
        Lines{"3s a backing_off sibling 0, 0s of 0s", "3s a started 2", "3s b started 2", "3s c started 2"});
}

TEST_CASE("rest_for_one: only the siblings that were added later are concerned") {
  Grouped trio{Strategy::rest_for_one};
  trio.let_all_obey();
  trio.of("b").fail();
  trio.fleet.pass(1s);
  CHECK(trio.take() == Lines{"0s b backing_off failure 1, 1s of 1s", "0s c stopping sibling",
                             "0s c backing_off sibling 0, 0s of 0s", "0s c waiting group", "1s b started 2",
                             "1s c started 2"});
  trio.of("c").fail();
  trio.fleet.pass(1s);
  CHECK(trio.take() == Lines{"1s c backing_off failure 1, 1s of 1s", "2s c started 3"});
}

// Who fails, in the order in which it happens, and what follows before the delays have passed.
TEST_CASE(
    "two failures in one instant: each counts as its own, whatever the strategy and in whatever order they come") {
  struct Case {
    Strategy strategy;
    std::string fail;
    Lines stop;
    Lines start;
  };
  const auto cases = {
      Case{Strategy::one_for_one, "ab", {}, {"a", "b"}},
      Case{Strategy::one_for_one, "ba", {}, {"b", "a"}},
      Case{Strategy::one_for_all, "ab", {"c"}, {"a", "b", "c"}},
      Case{Strategy::one_for_all, "ba", {"c"}, {"a", "b", "c"}},
      Case{Strategy::one_for_all, "bc", {"a"}, {"a", "b", "c"}},
      Case{Strategy::one_for_all, "ca", {"b"}, {"a", "b", "c"}},
      Case{Strategy::rest_for_one, "ab", {"c"}, {"a", "b", "c"}},
      Case{Strategy::rest_for_one, "ba", {"c"}, {"a", "b", "c"}},
      Case{Strategy::rest_for_one, "bc", {}, {"b", "c"}},
      Case{Strategy::rest_for_one, "cb", {}, {"b", "c"}},
      Case{Strategy::rest_for_one, "ca", {"b"}, {"a", "b", "c"}},
  };
  for (const auto& one : cases) {
    CAPTURE(to_string(one.strategy), one.fail);
    Grouped trio{one.strategy};
    trio.let_all_obey();
    for (const char name : one.fail) trio.of(std::string{name}).fail();
    trio.fleet.settle();
    Lines stops;
    for (const auto& line : trio.take_untimed()) {
      if (line.ends_with("stopping sibling")) stops.push_back(line.substr(0, 1));
    }
    CHECK(stops == one.stop);
    for (const char name : one.fail) {
      CHECK(trio.fleet.snapshot(std::string{name}).failures == 1);
      CHECK(trio.fleet.snapshot(std::string{name}).attempt == 1);
    }
    CHECK(trio.fleet->counters().failures == 2);
    trio.fleet.pass(1s);
    Lines starts;
    for (const auto& line : trio.take_untimed()) {
      if (line.find(" started 2") != std::string::npos) starts.push_back(line.substr(0, 1));
    }
    CHECK(starts == one.start);
  }
}

TEST_CASE("who fails while the others stop has a delay of its own, and all start when the last has passed") {
  Grouped trio{Strategy::rest_for_one};
  trio.of("b").fail();
  trio.fleet.pass(500ms);
  trio.of("c").end_cleanly();
  trio.of("a").fail();
  trio.fleet.pass(5s);
  CHECK(trio.take() == Lines{"0s b backing_off failure 1, 1s of 1s", "0s c stopping sibling",
                             "500ms c backing_off sibling 0, 0s of 0s", "500ms c waiting group",
                             "500ms a backing_off failure 1, 1s of 1s", "1s b waiting group", "1s500ms a started 2",
                             "1s500ms b started 2", "1s500ms c started 2"});
}

TEST_CASE("a clean exit that another run follows concerns the siblings, and one that completes does not") {
  Grouped all;
  all.group("/g", Strategy::one_for_all);
  all.add("a", {.restart = RestartPolicy::always});
  all.add("b");
  all.let_all_obey();
  (void)all.take();
  all.of("a").end_cleanly();
  all.fleet.pass(100ms);
  CHECK(all.take() == Lines{"0s a backing_off clean_exit 0, 100ms of 100ms", "0s b stopping sibling",
                            "0s b backing_off sibling 0, 0s of 0s", "0s b waiting group", "100ms a started 2",
                            "100ms b started 2"});
  all.of("b").end_cleanly();
  all.fleet.pass(1s);
  CHECK(all.take() == Lines{"100ms b terminated completed"});
  all.of("a").fail();
  all.fleet.pass(1s);
  CHECK(all.take() == Lines{"1s100ms a backing_off failure 1, 1s of 1s", "2s100ms a started 3"});
}

TEST_CASE("groups in groups: all services of a sibling that is a group stop and start again") {
  Grouped all;
  all.group("/g", Strategy::one_for_all);
  all.group("/g/h", Strategy::one_for_one);
  all.group("/g/h/i", Strategy::one_for_all);
  all.add("a");
  all.add("h1", {}, "/g/h");
  all.add("i1", {}, "/g/h/i");
  all.add("i2", {}, "/g/h/i");
  all.add("z");
  all.let_all_obey();
  (void)all.take();
  all.of("i1").fail();
  all.fleet.pass(1s);
  CHECK(all.take_untimed() == Lines{"i1 backing_off failure 1, 1s of 1s", "i2 stopping sibling",
                                    "i2 backing_off sibling 0, 0s of 0s", "i2 waiting group", "i1 started 2",
                                    "i2 started 2"});
  all.of("h1").fail();
  all.fleet.pass(1s);
  CHECK(all.take_untimed() == Lines{"h1 backing_off failure 1, 1s of 1s", "h1 started 2"});
  all.of("i2").fail();
  all.fleet.pass(500ms);
  (void)all.take();
  all.of("a").fail();
  all.fleet.settle();
  CHECK(all.take_untimed() == Lines{"a backing_off failure 1, 1s of 1s", "z stopping sibling", "h1 stopping sibling",
                                    "z backing_off sibling 0, 0s of 0s", "z waiting group",
                                    "h1 backing_off sibling 1, 0s of 0s", "h1 waiting group"});
  all.fleet.pass(1s);
  CHECK(all.take_untimed() ==
        Lines{"i2 waiting group", "a started 2", "h1 started 3", "i1 started 3", "i2 started 3", "z started 2"});
}

TEST_CASE(
    "groups in groups: who fails in an inner group while the outer one starts again starts with that, and is free "
    "again") {
  Grouped all;
  all.group("/g", Strategy::one_for_all);
  all.group("/g/h", Strategy::one_for_all, RestartIntensity{0, 1h});
  all.add("a");
  all.add("h1", {}, "/g/h");
  all.add("h2", {}, "/g/h");
  all.of("a").fail();
  all.of("h1").fail();
  all.fleet.settle();
  all.of("h2").end_cleanly();
  all.fleet.pass(1s);
  (void)all.take();
  CHECK(all.fleet.phase("h2") == "running");
  all.of("h2").fail();
  all.fleet.settle();
  CHECK(all.take_line(1) == "- group_lost /g/h restarts h2");
}

TEST_CASE("a sibling that hangs is abandoned and starts with the others, if its runs are instances of their own") {
  Grouped trio{Strategy::one_for_all};
  trio.let_all_obey();
  trio.of("a").on_stop = nullptr;
  trio.of("a").side_by_side = true;
  trio.of("b").fail();
  trio.fleet.pass(30s);
  CHECK(trio.take_untimed() == Lines{"b backing_off failure 1, 1s of 1s", "c stopping sibling", "a stopping sibling",
                                     "c backing_off sibling 0, 0s of 0s", "c waiting group", "b waiting group",
                                     "a abandoned 1 after 30s", "a backing_off sibling 0, 0s of 0s", "a started 2",
                                     "b started 2", "c started 2"});
}

TEST_CASE("a run that missed a deadline has failed when it ends, and then concerns its siblings") {
  Grouped all;
  all.group("/g", Strategy::one_for_all);
  all.add("a", {.ready = Ready::notified, .start_timeout = 10s});
  all.add("b");
  all.let_all_obey();
  all.of("a").on_stop = nullptr;
  (void)all.take();
  all.fleet.pass(10s);
  CHECK(all.take() == Lines{"10s a stopping start_timeout"});
  all.of("a").end_cleanly();
  all.fleet.settle();
  CHECK(all.take() == Lines{"10s a backing_off failure 1, 1s of 1s", "10s b stopping sibling",
                            "10s b backing_off sibling 0, 0s of 0s", "10s b waiting group"});
  all.fleet.pass(1s);
  CHECK(all.take() == Lines{"11s a started 2", "11s b started 2"});
}

TEST_CASE("a breaker that opens takes its siblings down for its open time") {
  Grouped all;
  all.group("/g", Strategy::one_for_all);
  BreakerPolicy breaker{.max_failures = 1};
  breaker.half_open = HalfOpenPolicy{.open_for = 10s, .open_for_max = 10s, .probe_success_after = 1min};
  all.add("a", {.backoff = delay_of(1s, breaker)});
  all.add("b");
  all.let_all_obey();
  (void)all.take();
  all.of("a").fail();
  all.fleet.settle();
  CHECK(all.take_line(2) == "b stopping sibling");
  all.fleet.pass(10s);
  CHECK(all.fleet.phase("a") == "running");
  CHECK(all.fleet.phase("b") == "running");
  CHECK(all.fleet.snapshot("a").breaker == BreakerState::half_open);
}

TEST_CASE("order and limits: all come to the round, then each waits for what it is after and for its turn") {
  SupervisorConfig config = config_of(delay_of(1s));
  config.restart_limit = RestartLimit{.every = 1s, .burst = 1};
  Grouped all{config};
  all.group("/g", Strategy::one_for_all);
  all.add("db", notified());
  ServicePolicy after_db;
  after_db.order = {.after = {"db"}, .on_dependency = OnDependency::wait, .wake_jitter = 0s};
  all.add("web", after_db);
  all.of("db").runs.back().ready();
  all.let_all_obey();
  all.fleet.settle();
  (void)all.take();
  all.of("db").fail();
  all.fleet.pass(1s);
  CHECK(all.take() == Lines{"0s db backing_off failure 1, 1s of 1s", "0s web stopping sibling",
                            "0s web backing_off sibling 0, 0s of 0s", "0s web waiting group", "1s db started 2",
                            "1s web waiting dependency db, then 0s"});
  all.of("db").runs.back().ready();
  all.fleet.pass(1s);
  CHECK(all.take() == Lines{"1s web waiting restart_limit", "2s web started 2"});
}

TEST_CASE("a service that has not started yet starts with the round") {
  Grouped all;
  all.add("db", notified(), "");
  all.group("/g", Strategy::one_for_all);
  ServicePolicy after_db;
  after_db.order = {.after = {"db"}};
  all.add("web", after_db);
  all.add("cache");
  (void)all.take();
  all.of("cache").fail();
  all.fleet.pass(500ms);
  all.of("db").runs.back().ready();
  all.fleet.settle();
  all.add("late");
  CHECK(all.take() ==
        Lines{"0s cache backing_off failure 1, 1s of 1s", "500ms web waiting group", "500ms late waiting group"});
  all.fleet.pass(1s);
  CHECK(all.take() == Lines{"1s web started 1", "1s cache started 2", "1s late started 1"});
}

TEST_CASE("commands act on what they name: a restart starts one at once, a stop takes it out of the round") {
  Grouped trio{Strategy::one_for_all};
  trio.let_all_obey();
  REQUIRE(trio.fleet->restart("b"));
  trio.fleet.settle();
  CHECK(trio.take_untimed() == Lines{"b stopping restart", "b started 2"});
  trio.of("b").fail();
  trio.fleet.settle();
  (void)trio.take();
  SECTION("restart of one that waits") {
    REQUIRE(trio.fleet->restart("a"));
    trio.fleet.settle();
    CHECK(trio.take() == Lines{"0s a started 2"});
    trio.fleet.pass(1s);
    CHECK(trio.take() == Lines{"1s b started 3", "1s c started 2"});
  }
  SECTION("reset of the one that failed: nobody is missing any more") {
    REQUIRE(trio.fleet->reset("b"));
    trio.fleet.settle();
    CHECK(trio.take() == Lines{"0s b started 3", "0s a started 2", "0s c started 2"});
  }
  SECTION("stop of the one that failed") {
    REQUIRE(trio.fleet->stop("b"));
    trio.fleet.settle();
    CHECK(trio.take() == Lines{"0s b stopping stop", "0s b terminated cancelled", "0s a started 2", "0s c started 2"});
  }
  SECTION("removal of one that waits") {
    REQUIRE(trio.fleet->remove("c"));
    trio.fleet.pass(1s);
    CHECK(trio.take() == Lines{"0s c stopping remove", "0s c terminated cancelled", "0s c removed", "1s a started 2",
                               "1s b started 3"});
  }
  SECTION("one that started by hand stops again if another fails") {
    REQUIRE(trio.fleet->restart("a"));
    REQUIRE(trio.fleet->restart("b"));
    trio.fleet.settle();
    trio.of("b").fail();
    trio.fleet.settle();
    const auto lines = trio.take_untimed();
    REQUIRE_FALSE(lines.empty());
    CHECK(lines.back() == "a waiting group");
  }
  SECTION("a shutdown ends the waiting") {
    trio.fleet->request_shutdown();
    trio.fleet.settle();
    CHECK(trio.fleet->shutdown_result());
    CHECK(trio.fleet->counters().waiting_services == 0);
  }
  SECTION("a service that is held leaves the round") {
    REQUIRE(trio.fleet->hold_start(*trio.fleet->id("b")));
    trio.fleet.settle();
    CHECK(trio.take() == Lines{"0s a started 2", "0s c started 2"});
  }
}

TEST_CASE("a sibling that is being stopped for good is waited for") {
  Grouped trio{Strategy::one_for_all};
  REQUIRE(trio.fleet->stop("c"));
  trio.fleet.settle();
  trio.of("b").fail();
  trio.of("a").on_stop = [](Run run) { run.end(Exit::clean()); };
  trio.fleet.pass(2s);
  (void)trio.take();
  trio.of("c").end_cleanly();
  trio.fleet.settle();
  CHECK(trio.take() == Lines{"2s c terminated cancelled", "2s a started 2", "2s b started 2"});
}

TEST_CASE("a service that is added again, stopped and added again in one instant waits once for its siblings") {
  Grouped trio{Strategy::one_for_all};
  trio.let_all_obey();
  REQUIRE(trio.fleet->stop("c"));
  trio.fleet.settle();
  trio.of("b").fail();
  trio.fleet.settle();
  (void)trio.take();
  REQUIRE(trio.fleet->restart("c"));
  REQUIRE(trio.fleet->stop("c"));
  REQUIRE(trio.fleet->restart("c"));
  trio.fleet.settle();
  const auto lines = trio.take();
  CHECK(std::count(lines.begin(), lines.end(), "0s c waiting group") == 1);
  CHECK(trio.fleet->counters().waiting_services == 2);
}

TEST_CASE("a service that a restart adds again in its place keeps its place among its siblings") {
  Grouped trio{Strategy::rest_for_one};
  trio.let_all_obey();
  REQUIRE(trio.fleet->stop("a"));
  trio.fleet.settle();
  REQUIRE(trio.fleet->restart("a"));
  trio.fleet.settle();
  (void)trio.take();
  trio.of("a").fail();
  trio.fleet.pass(1s);
  const auto lines = trio.take_untimed();
  REQUIRE(lines.size() == 10);
  CHECK(lines[1] == "c stopping sibling");
  CHECK(lines[2] == "b stopping sibling");
  CHECK(lines[7] == "a started 3");
}

}  // namespace holdfast::test::supervisor_groups_test
