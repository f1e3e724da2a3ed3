// Services that are after others: semantics 6.7, sentence by sentence.

#include "support.hpp"

namespace holdfast::test::supervisor_dependencies_test {

namespace {

ServicePolicy after(NameList names, OnDependency what = OnDependency::keep, Duration wake_jitter = 0s) {
  return {.order = {.after = std::move(names), .on_dependency = what, .wake_jitter = wake_jitter}};
}

ServicePolicy notified(ServicePolicy policy = {}) {
  policy.ready = Ready::notified;
  return policy;
}

struct Chain {
  explicit Chain(SupervisorConfig config = config_of(kAtOnce)) : fleet(config) {}

  Script& add(const std::string& name, const ServicePolicy& policy = {}) {
    Script& script = fleet.script();
    const auto added = fleet->add({.name = name, .policy = policy}, script);
    if (!added) FAIL(added.refusal().message);
    fleet.settle();
    return script;
  }
  std::string refused(const std::string& name, const ServicePolicy& policy) {
    const auto added = fleet->add({.name = name, .policy = policy}, fleet.script());
    REQUIRE(!added);
    return added.refusal().message;
  }
  // Without the lines of `added`, `running`, `ended` and `backing_off`.
  Lines take() {
    Lines lines = fleet.take();
    std::erase_if(lines, [](const std::string& line) {
      return line.find(" added ") != std::string::npos || line.find(" running ") != std::string::npos ||
             line.find(" ended ") != std::string::npos || line.find(" backing_off ") != std::string::npos;
    });
    return lines;
  }
  std::uint64_t waiting() { return fleet->counters().waiting_services; }

  Fleet fleet;
};

}  // namespace

TEST_CASE("a service starts once all that it is after are ready") {
  Chain chain;
  Script& db = chain.add("db", notified());
  Script& cache = chain.add("cache", notified());
  chain.add("web", after({"db", "cache"}));
  CHECK(chain.take() == Lines{"0s db started 1", "0s cache started 1", "0s web waiting dependency db"});
  CHECK(chain.waiting() == 1);
  const auto web = chain.fleet.snapshot("web");
  CHECK(web.phase == Phase::starting);
  CHECK(web.starts == 0);
  CHECK(web.waits_for == WaitsFor::dependency);
  CHECK(web.dependency == "db");
  chain.fleet.pass(1s);
  db.runs.back().ready();
  chain.fleet.settle();
  CHECK(chain.fleet.snapshot("web").dependency == "cache");
  chain.fleet.pass(1s);
  CHECK(chain.take() == Lines{});
  cache.runs.back().ready();
  chain.fleet.settle();
  CHECK(chain.take() == Lines{"2s web started 1"});
  CHECK(chain.waiting() == 0);
  CHECK(chain.fleet.phase("web") == "running");
}

TEST_CASE("a chain of services comes up in one instant if all are ready at once") {
  Chain chain;
  chain.add("a");
  chain.add("b", after({"a"}));
  chain.add("c", after({"b"}));
  CHECK(chain.take() == Lines{"0s a started 1", "0s b started 1", "0s c started 1"});
}

TEST_CASE("a service that is added before what it is after is refused, and so is one after itself") {
  Chain chain;
  CHECK(chain.refused("web", after({"db"})) ==
        R"(add "web": after has "db", and no service of that name was added; add it first)");
  CHECK(chain.refused("web", after({"web"})) == R"(add "web": after has "web", which is itself)");
  CHECK(chain.fleet->counters().spawned == 0);
  chain.add("db").on_stop = [](Run run) { run.end(Exit::clean()); };
  chain.add("web", after({"db"}));
  chain.add("ads", after({"web"}));
  REQUIRE(chain.fleet->remove("db"));
  chain.fleet.settle();
  chain.add("other");
  CHECK(chain.refused("db", after({"other", "ads"})) ==
        R"(add "db": it would come after itself: db -> ads -> web -> db)");
}

TEST_CASE("after_if_present orders what is there when the service is added, and nothing else") {
  Chain chain;
  Script& db = chain.add("db", notified());
  ServicePolicy policy;
  policy.order.after_if_present = {"db", "none", "late"};
  chain.add("web", policy);
  chain.add("late", notified());
  db.runs.back().ready();
  chain.fleet.settle();
  CHECK(chain.take() ==
        Lines{"0s db started 1", "0s web waiting dependency db", "0s late started 1", "0s web started 1"});
}

TEST_CASE("keep: a dependency that goes down changes nothing, and own restarts do not wait") {
  Chain chain;
  Script& db = chain.add("db", notified());
  db.runs.back().ready();
  Script& web = chain.add("web", after({"db"}));
  db.fail();
  chain.fleet.pass(1s);
  CHECK(chain.fleet.phase("db") == "starting");
  web.fail();
  chain.fleet.pass(0s);
  CHECK(chain.take() == Lines{"0s db started 1", "0s web started 1", "0s db started 2", "1s web started 2"});
}

TEST_CASE("wait: own restarts wait without spending attempts, and are woken when the dependency is ready") {
  Chain chain;
  Script& db = chain.add("db", notified());
  db.runs.back().ready();
  Script& web = chain.add("web", after({"db"}, OnDependency::wait, 10s));
  db.fail();
  chain.fleet.pass(0s);
  (void)chain.take();
  web.fail();
  chain.fleet.pass(1h);
  const auto lines = chain.take();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].starts_with("0s web waiting dependency db, then "));
  CHECK(chain.fleet.snapshot("web").attempt == 1);
  CHECK(chain.fleet.snapshot("web").failures == 1);
  CHECK_FALSE(chain.fleet.snapshot("web").next_start);
  db.runs.back().ready();
  chain.fleet.settle();
  const auto woken = chain.fleet.snapshot("web");
  CHECK(woken.dependency.empty());
  REQUIRE(woken.next_start);
  CHECK(*woken.next_start >= TimePoint{} + 1h);
  CHECK(*woken.next_start <= TimePoint{} + 1h + 10s);
  chain.fleet.pass(10s);
  CHECK(chain.take() == Lines{to_string(*woken.next_start) + " web started 2"});
}

TEST_CASE("wait: a dependency that goes down again while a service is about to start makes it wait again") {
  Chain chain;
  Script& db = chain.add("db", notified());
  db.runs.back().ready();
  Script& web = chain.add("web", after({"db"}, OnDependency::wait, 10s));
  db.fail();
  chain.fleet.pass(0s);
  web.fail();
  chain.fleet.pass(0s);
  db.runs.back().ready();
  chain.fleet.settle();
  const auto due = chain.fleet.snapshot("web").next_start;
  REQUIRE(due);
  const Duration delay = *due - chain.fleet.scheduler.now();
  chain.fleet.pass(delay - 1ns);
  db.fail();
  chain.fleet.pass(1h);
  CHECK(chain.fleet.phase("web") == "backing_off");
  CHECK(chain.fleet.snapshot("web").dependency == "db");
  db.runs.back().ready();
  chain.fleet.pass(delay - 1ns);
  CHECK(chain.fleet.phase("web") == "backing_off");
  chain.fleet.pass(1ns);
  CHECK(chain.fleet.phase("web") == "running");
}

TEST_CASE("a thousand clients that waited do not come back in step") {
  Chain chain;
  Script& db = chain.add("db", notified());
  db.runs.back().ready();
  std::vector<Script*> clients;
  for (int i = 0; i < 1000; ++i) {
    clients.push_back(&chain.add("client-" + std::to_string(i), after({"db"}, OnDependency::wait, 1000s)));
  }
  db.fail();
  chain.fleet.pass(0s);
  for (Script* const client : clients) client->fail();
  chain.fleet.pass(1s);
  CHECK(chain.waiting() == 1000);
  db.runs.back().ready();
  chain.fleet.pass(500s);
  CHECK(chain.waiting() > 440);
  CHECK(chain.waiting() < 560);
  chain.fleet.pass(500s);
  CHECK(chain.waiting() == 0);
}

TEST_CASE("restart: the service is stopped at once, and starts again when the dependency is ready") {
  Chain chain;
  Script& db = chain.add("db", notified());
  db.runs.back().ready();
  Script& web = chain.add("web", after({"db"}, OnDependency::restart));
  Script& ads = chain.add("ads", after({"web"}, OnDependency::restart));
  (void)chain.take();
  chain.fleet.pass(1s);
  db.fail();
  chain.fleet.pass(0s);
  CHECK(chain.take() == Lines{"1s web stopping dependency", "1s ads stopping dependency", "1s db started 2"});
  web.fail("broken off");
  ads.end_cleanly();
  chain.fleet.pass(1s);
  CHECK(chain.take() == Lines{"1s web waiting dependency db, then 0s", "1s ads waiting dependency web, then 0s"});
  CHECK(chain.fleet.snapshot("web").failures == 0);
  CHECK(chain.fleet.snapshot("web").last_error == "broken off");
  db.runs.back().ready();
  chain.fleet.pass(0s);
  CHECK(chain.take() == Lines{"2s web started 2", "2s ads started 2"});
}

TEST_CASE("restart: a service that stops for longer than the dependency is down starts when it has stopped") {
  Chain chain;
  chain.add("db").on_stop = [](Run run) { run.end(Exit::clean()); };
  Script& web = chain.add("web", after({"db"}, OnDependency::restart));
  (void)chain.take();
  REQUIRE(chain.fleet->restart("db"));
  chain.fleet.pass(1s);
  CHECK(chain.take() ==
        Lines{"0s db commanded restart", "0s db stopping restart", "0s web stopping dependency", "0s db started 2"});
  web.end_cleanly();
  chain.fleet.pass(0s);
  CHECK(chain.take() == Lines{"1s web waiting dependency, then 0s", "1s web started 2"});
}

TEST_CASE("restart: a run that hangs is abandoned, and the service waits") {
  SupervisorConfig config = config_of(kAtOnce);
  config.stop_grace = 1s;
  Chain chain{config};
  Script& db = chain.add("db", notified());
  db.runs.back().ready();
  Script& web = chain.add("web", after({"db"}, OnDependency::restart));
  web.side_by_side = true;
  (void)chain.take();
  db.fail();
  chain.fleet.pass(1s);
  CHECK(chain.take() == Lines{"0s web stopping dependency", "0s db started 2", "1s web abandoned 1 after 1s",
                              "1s web waiting dependency db, then 0s"});
  db.runs.back().ready();
  chain.fleet.pass(0s);
  CHECK(chain.take() == Lines{"1s web started 2"});
}

TEST_CASE("stop: the service is stopped for good, unless it has never started") {
  Chain chain;
  Script& db = chain.add("db", notified());
  Script& cache = chain.add("cache", notified());
  db.runs.back().ready();
  Script& web = chain.add("web", after({"db"}, OnDependency::stop));
  chain.add("ads", after({"db", "cache"}, OnDependency::stop));
  (void)chain.take();
  db.fail();
  chain.fleet.pass(0s);
  web.end_cleanly();
  chain.fleet.pass(0s);
  CHECK(chain.take() == Lines{"0s web stopping dependency_stop", "0s db started 2", "0s web terminated cancelled"});
  CHECK(chain.fleet.phase("ads") == "starting");
  db.runs.back().ready();
  cache.runs.back().ready();
  chain.fleet.settle();
  CHECK(chain.fleet.phase("ads") == "running");
}

TEST_CASE("a dependency that has terminated leaves the services waiting until one of its name is ready") {
  Chain chain;
  chain.add("db").on_stop = [](Run run) { run.end(Exit::clean()); };
  Script& web = chain.add("web", after({"db"}, OnDependency::wait));
  REQUIRE(chain.fleet->stop("db"));
  chain.fleet.settle();
  web.fail();
  chain.fleet.pass(1h);
  CHECK(chain.fleet.snapshot("web").dependency == "db");
  REQUIRE(chain.fleet->remove("db"));
  chain.fleet.pass(1h);
  CHECK(chain.fleet.snapshot("web").dependency == "db");
  (void)chain.take();
  chain.add("db");
  chain.fleet.pass(0s);
  CHECK(chain.take() == Lines{"2h db started 1", "2h web started 2"});
}

TEST_CASE("a stop, a removal and a shutdown end the waiting") {
  Chain chain;
  chain.add("db", notified());
  for (const char* const name : {"a", "b", "c"}) chain.add(name, after({"db"}));
  CHECK(chain.waiting() == 3);
  (void)chain.take();
  REQUIRE(chain.fleet->stop("a"));
  REQUIRE(chain.fleet->remove("b"));
  chain.fleet.settle();
  CHECK(chain.waiting() == 1);
  chain.fleet->request_shutdown();
  chain.fleet.settle();
  CHECK(chain.waiting() == 0);
  CHECK(chain.take() == Lines{"0s a commanded stop", "0s a terminated cancelled", "0s b commanded remove",
                              "0s b terminated cancelled", "0s b removed", "0s - shutdown_requested requested 30s",
                              "0s c terminated cancelled", "0s db stopping shutdown"});
}

TEST_CASE("restart and reset start a service that waits at once, by hand") {
  Chain chain;
  Script& db = chain.add("db", notified());
  chain.add("first", after({"db"}));
  REQUIRE(chain.fleet->restart("first"));
  chain.fleet.settle();
  CHECK(chain.fleet.phase("first") == "running");
  db.runs.back().ready();
  Script& a = chain.add("a", after({"db"}, OnDependency::wait));
  Script& b = chain.add("b", after({"db"}, OnDependency::wait));
  db.fail();
  chain.fleet.pass(0s);
  a.fail();
  b.fail();
  chain.fleet.pass(1s);
  CHECK(chain.waiting() == 2);
  (void)chain.take();
  REQUIRE(chain.fleet->restart("a"));
  REQUIRE(chain.fleet->reset("b"));
  chain.fleet.settle();
  CHECK(chain.take() == Lines{"1s a commanded restart", "1s a started 2", "1s b commanded reset", "1s b started 2"});
  CHECK(chain.waiting() == 0);
}

TEST_CASE("order comes first and limits second: a service waits for its turn only when all are ready") {
  SupervisorConfig config = config_of(kAtOnce);
  config.restart_limit = RestartLimit{.every = 10s, .burst = 1};
  Chain chain{config};
  Script& db = chain.add("db", notified());
  db.runs.back().ready();
  Script& a = chain.add("a", after({"db"}, OnDependency::wait));
  Script& b = chain.add("b", after({"db"}, OnDependency::wait));
  (void)chain.take();
  a.fail();
  b.fail();
  chain.fleet.pass(1s);
  CHECK(chain.take() == Lines{"0s a started 2", "0s b waiting restart_limit"});
  db.fail();
  chain.fleet.pass(1min);
  CHECK(chain.take() ==
        Lines{"1s b waiting dependency db, then 0s", "1s db waiting restart_limit", "10s db started 2"});
  db.runs.back().ready();
  chain.fleet.pass(0s);
  CHECK(chain.take() == Lines{"1min1s b started 2"});
}

TEST_CASE("a probe of an open breaker waits for the dependency like any other restart") {
  Chain chain;
  Script& db = chain.add("db", notified());
  db.runs.back().ready();
  ServicePolicy policy = after({"db"}, OnDependency::wait);
  policy.backoff = at_once_with_breaker(1);
  policy.backoff->breaker->half_open = HalfOpenPolicy{.open_for = 2s, .open_for_max = 2s, .probe_success_after = 5s};
  Script& web = chain.add("web", policy);
  db.fail();
  web.fail();
  chain.fleet.pass(1h);
  CHECK(chain.fleet.snapshot("web").breaker == BreakerState::open);
  CHECK(chain.fleet.snapshot("web").waits_for == WaitsFor::dependency);
  db.runs.back().ready();
  chain.fleet.pass(0s);
  CHECK(chain.fleet.snapshot("web").breaker == BreakerState::half_open);
  chain.fleet.pass(5s);
  CHECK(chain.fleet.snapshot("web").breaker == BreakerState::closed);
}

TEST_CASE("two failures in one instant: each counts as its own, in whatever order they come") {
  for (const auto what : {OnDependency::keep, OnDependency::wait, OnDependency::restart}) {
    for (const bool db_first : {true, false}) {
      CAPTURE(to_string(what), db_first);
      Chain chain;
      Script& db = chain.add("db", notified());
      db.runs.back().ready();
      Script& web = chain.add("web", after({"db"}, what));
      (db_first ? db : web).fail();
      (db_first ? web : db).fail();
      chain.fleet.pass(1s);
      CHECK(chain.fleet.snapshot("web").failures == 1);
      CHECK(chain.fleet.phase("web") == (what == OnDependency::keep ? "running" : "backing_off"));
      db.runs.back().ready();
      chain.fleet.pass(0s);
      CHECK(chain.fleet.phase("web") == "running");
      CHECK(chain.fleet.snapshot("web").starts == 2);
    }
  }
}

TEST_CASE("what is wrong with an order") {
  const auto says = [](const Order& order) {
    std::string text;
    for (const auto& problem : problems(ServicePolicy{.order = order})) text += problem.field + ' ' + problem.says;
    return text;
  };
  CHECK(says({.after = {"a\n"}}).starts_with("after has a control character at byte 1"));
  CHECK(says({.after_if_present = {""}}).starts_with("after_if_present is empty"));
  CHECK(says({.wake_jitter = -1s}) == "wake_jitter is -1s; allowed is 0s to 36500d");
  CHECK(says({.on_dependency = OnDependency::wait}) == "on_dependency is \"wait\", but the service is after no other");
  CHECK(says({.after = NameList{std::vector<std::string>(kAfterMax + 1, "a")}}) ==
        "after brings it to 1001 services that it is after; allowed are up to 1000");
  CHECK(name_list_of(to_string(NameList{"a", "b c"})) == NameList{"a", "b c"});
  CHECK_FALSE(name_list_of("a\n\nb"));
}

}  // namespace holdfast::test::supervisor_dependencies_test
