// In which order a shutdown stops services that are after others: semantics 6.7.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "support.hpp"

namespace holdfast::test::supervisor_order_shutdown_test {

namespace {

ServicePolicy after(NameList names, OnDependency what = OnDependency::keep) {
  return {.order = {.after = std::move(names), .on_dependency = what, .wake_jitter = 0s}};
}

// db; web-0 and web-1 after db; ads after web-0; alone.
struct Shop {
  explicit Shop(SupervisorConfig config = config_of(kAtOnce)) : fleet(config) {
    add("db");
    add("web-0", after({"db"}));
    add("web-1", after({"db"}));
    add("ads", after({"web-0"}));
    add("alone");
    (void)fleet.take();
  }
  Script& add(const std::string& name, const ServicePolicy& policy = {}) {
    Script& script = fleet.script();
    const auto added = fleet->add({.name = name, .policy = policy}, script);
    if (!added) FAIL(added.refusal().message);
    fleet.settle();
    return *(scripts[name] = &script);
  }
  void end(const std::string& name) {
    scripts.at(name)->end_cleanly();
    fleet.settle();
  }
  // Only stops and terminations, without the time: "db stopping".
  Lines take() {
    Lines lines;
    for (const auto& line : fleet.take()) {
      if (line.find(" stopping ") == std::string::npos && line.find(" terminated ") == std::string::npos) continue;
      lines.push_back(line.substr(line.find(' ') + 1));
    }
    return lines;
  }

  Fleet fleet;
  std::map<std::string, Script*> scripts;
};

struct Waiter final : ShutdownWaiter {
  explicit Waiter(std::function<void()> told) : act(std::move(told)) {}
  void shutdown_requested() noexcept override { act(); }
  std::function<void()> act;
};

}  // namespace

TEST_CASE("a shutdown stops a service when the last that is after it has terminated, and others at the same time") {
  Shop shop;
  shop.fleet->request_shutdown();
  shop.fleet.settle();
  CHECK(shop.take() == Lines{"web-1 stopping shutdown", "ads stopping shutdown", "alone stopping shutdown"});
  shop.end("web-1");
  CHECK(shop.take() == Lines{"web-1 terminated cancelled"});
  CHECK(shop.fleet.phase("db") == "running");
  shop.end("ads");
  CHECK(shop.take() == Lines{"ads terminated cancelled", "web-0 stopping shutdown"});
  shop.end("web-0");
  CHECK(shop.take() == Lines{"web-0 terminated cancelled", "db stopping shutdown"});
  shop.end("db");
  shop.end("alone");
  CHECK(shop.take() == Lines{"db terminated cancelled", "alone terminated cancelled"});
  REQUIRE(shop.fleet->shutdown_result());
  CHECK(shop.fleet->shutdown_result()->outcome == DrainOutcome::drained);
}

TEST_CASE("a shutdown waits for nobody who has no run") {
  Shop shop;
  shop.fleet.check();
  REQUIRE(shop.fleet->stop("ads"));
  shop.fleet.settle();
  shop.end("ads");
  (void)shop.take();
  shop.fleet->request_shutdown();
  shop.fleet.settle();
  CHECK(shop.take() == Lines{"web-0 stopping shutdown", "web-1 stopping shutdown", "alone stopping shutdown"});
}

TEST_CASE("a service that ends by itself while a shutdown lets it go on is not started again") {
  for (const auto what : {OnDependency::keep, OnDependency::restart}) {
    Shop shop;
    shop.add("last", after({"db"}, what));
    (void)shop.take();
    shop.fleet->request_shutdown();
    shop.fleet.settle();
    (void)shop.take();
    shop.scripts.at("db")->fail();
    shop.fleet.settle();
    CHECK(shop.take() == Lines{"db stopping shutdown", "db terminated cancelled"});
    CHECK(shop.fleet.snapshot("db").failures == 1);
    shop.fleet.pass(30s);
  }
}

TEST_CASE("the drain's deadline stops, kills and abandons all that are left") {
  Shop shop;
  Script& killable = shop.fleet.script();
  killable.on_kill = [](Run run) { run.end(Exit::failed("killed")); };
  REQUIRE(shop.fleet->add({.name = "killable"}, killable));
  shop.fleet.settle();
  shop.add("user", after({"killable"}));
  (void)shop.take();
  shop.fleet->request_shutdown();
  shop.fleet.settle();
  (void)shop.take();
  shop.fleet.pass(30s - 1ns);
  CHECK(shop.take() == Lines{});
  shop.fleet.pass(1ns);
  CHECK(shop.take() == Lines{"db stopping shutdown", "web-0 stopping shutdown", "killable stopping shutdown",
                             "killable terminated cancelled", "db terminated abandoned after 0s",
                             "web-0 terminated abandoned after 0s", "web-1 terminated abandoned after 30s",
                             "ads terminated abandoned after 30s", "alone terminated abandoned after 30s",
                             "user terminated abandoned after 30s"});
  CHECK(shop.fleet->shutdown_result()->outcome == DrainOutcome::deadline);
}

TEST_CASE("a drain that is cut short asks nobody to wait") {
  Shop shop;
  shop.fleet->request_shutdown();
  shop.fleet.settle();
  (void)shop.take();
  shop.fleet->end_drain();
  shop.fleet.settle();
  const auto lines = shop.take();
  REQUIRE(lines.size() == 7);
  CHECK(lines[0] == "db stopping shutdown");
  CHECK(lines[1] == "web-0 stopping shutdown");
}

TEST_CASE("a command reaches a service that the shutdown has left running") {
  Shop shop;
  shop.fleet->request_shutdown();
  shop.fleet.settle();
  (void)shop.take();
  REQUIRE(shop.fleet->stop("db"));
  shop.fleet.settle();
  CHECK(shop.take() == Lines{"db stopping stop"});
  for (const char* const name : {"web-1", "ads", "web-0", "db", "alone"}) shop.end(name);
  CHECK(shop.fleet->shutdown_result()->outcome == DrainOutcome::drained);
}

TEST_CASE("the grace of a service counts from when it is asked to stop") {
  SupervisorConfig config = config_of(kAtOnce);
  config.stop_grace = 10s;
  Shop shop{config};
  shop.fleet->request_shutdown();
  shop.fleet.pass(10s);
  CHECK(shop.fleet.phase("web-1") == "terminated");
  CHECK(shop.fleet.phase("db") == "running");
  shop.fleet.pass(10s);
  CHECK(shop.fleet.phase("db") == "stopping");
  shop.fleet.pass(9s);
  shop.end("db");
  CHECK(shop.fleet.termination("db") == "cancelled");
}

TEST_CASE("a shutdown calls those that wait for it before it asks a service to stop, the first one first") {
  Shop shop;
  const auto run = [&](const std::string& name) { return shop.scripts.at(name)->runs.back(); };
  Lines told;
  Waiter of_db{[&] { told.push_back("db, which is " + std::string{shop.fleet.phase("db")}); }};
  Waiter of_web{[&] { told.push_back("web-0, with ads " + std::string{shop.fleet.phase("ads")}); }};
  REQUIRE(run("web-0").await_shutdown(of_web));
  REQUIRE(run("db").await_shutdown(of_db));
  CHECK(of_db.waits());
  shop.fleet->request_shutdown();
  CHECK(told.empty());
  shop.fleet.settle();
  CHECK(told == Lines{"web-0, with ads running", "db, which is running"});
  CHECK(shop.fleet.phase("ads") == "stopping");
  CHECK_FALSE(of_db.waits());
}

TEST_CASE("await_shutdown refuses after the request, and for a run that is over") {
  Shop shop;
  const Run first = shop.scripts.at("alone")->runs.back();
  shop.scripts.at("alone")->fail();
  shop.fleet.settle();
  Waiter waiter{[] { FAIL("told"); }};
  CHECK_FALSE(first.await_shutdown(waiter));
  CHECK_FALSE(first.shutdown_requested());
  shop.fleet->request_shutdown();
  const Run db = shop.scripts.at("db")->runs.back();
  CHECK(db.shutdown_requested());
  CHECK_FALSE(db.await_shutdown(waiter));
  shop.fleet.settle();
}

TEST_CASE("a waiter that left, was destroyed or lost its supervisor is not called; a waiter may make others leave") {
  Lines told;
  Waiter leaves{[&] { told.push_back("leaves"); }};
  Waiter last{[&] { told.push_back("last"); }};
  {
    Shop shop;
    const Run db = shop.scripts.at("db")->runs.back();
    Waiter first{[&] {
      told.push_back("first");
      leaves.leave();
    }};
    auto gone = std::make_unique<Waiter>([&] { told.push_back("gone"); });
    for (Waiter* const each : {&first, gone.get(), &leaves, &last}) REQUIRE(db.await_shutdown(*each));
    gone.reset();
    shop.fleet->request_shutdown();
    shop.fleet.settle();
    CHECK(told == Lines{"first", "last"});
  }
  Fleet fleet;
  Script& script = fleet.add("a");
  REQUIRE(script.runs.back().await_shutdown(last));
  fleet.destroy_supervisor();
  CHECK_FALSE(last.waits());
}

}  // namespace holdfast::test::supervisor_order_shutdown_test
