// Limits on the restarts of a whole fleet: semantics 6.5, sentence by sentence.

#include "support.hpp"

#include <holdfast/detail/restart_limiter.hpp>

namespace holdfast::test::supervisor_limit_test {

namespace {

// A restart is due in the instant of the failure.
SupervisorConfig limited(std::uint32_t burst, std::optional<std::uint32_t> starting_max = std::nullopt) {
  SupervisorConfig config = config_of(kAtOnce);
  config.restart_limit = RestartLimit{.every = 10s, .burst = burst};
  config.starting_max = starting_max;
  return config;
}

SupervisorConfig with_places(std::uint32_t starting_max) {
  SupervisorConfig config = config_of(kAtOnce);
  config.starting_max = starting_max;
  return config;
}

// Services a, b, c …, each in its first run.
struct Crowd {
  explicit Crowd(unsigned count, const SupervisorConfig& config, const ServicePolicy& policy = {}) : fleet(config) {
    for (unsigned i = 0; i < count; ++i) {
      Script& script = *scripts.emplace_back(&fleet.script());
      REQUIRE(fleet->add({.name = std::string(1, static_cast<char>('a' + i)), .policy = policy}, script));
    }
    fleet.settle();
    (void)fleet.take();
  }

  void fail(unsigned which) {
    scripts.at(which)->fail();
    fleet.pass_nothing();
  }
  void fail_all() {
    for (Script* const script : scripts) script->fail();
    fleet.pass_nothing();
  }
  void pass(Duration time) { fleet.pass(time); }

  // The starts and waits since the last call: "10s c started 2".
  Lines take() {
    Lines lines = fleet.take();
    std::erase_if(lines, [](const std::string& line) {
      return line.find(" started ") == std::string::npos && line.find(" waiting ") == std::string::npos;
    });
    return lines;
  }
  std::uint64_t waiting() { return fleet->counters().waiting_services; }

  Fleet fleet;
  std::vector<Script*> scripts;
};

}  // namespace

TEST_CASE("after a quiet time a burst starts again at once, and then one service in every interval, in turn") {
  Crowd crowd{5, limited(2)};
  crowd.fail_all();
  CHECK(crowd.take() == Lines{"0s a started 2", "0s b started 2", "0s c waiting restart_limit",
                              "0s d waiting restart_limit", "0s e waiting restart_limit"});
  CHECK(crowd.waiting() == 3);
  CHECK(crowd.fleet->counters().limited_restarts == 3);
  crowd.pass(10s - 1ns);
  CHECK(crowd.take() == Lines{});
  crowd.pass(1ns);
  CHECK(crowd.take() == Lines{"10s c started 2"});
  crowd.pass(1h);
  CHECK(crowd.take() == Lines{"20s d started 2", "30s e started 2"});
  CHECK(crowd.waiting() == 0);
  CHECK(crowd.fleet->counters().limited_restarts == 3);
}

TEST_CASE("unused restarts are saved up to the burst and no further") {
  Crowd crowd{4, limited(2)};
  crowd.pass(100h);
  crowd.fail_all();
  CHECK(crowd.take() ==
        Lines{"4d4h a started 2", "4d4h b started 2", "4d4h c waiting restart_limit", "4d4h d waiting restart_limit"});
  crowd.pass(15s);  // c has had the first, and half an interval is saved
  CHECK(crowd.take() == Lines{"4d4h10s c started 2"});
  crowd.pass(5s);
  CHECK(crowd.take() == Lines{"4d4h20s d started 2"});
  crowd.pass(10s);
  crowd.fail(0);
  crowd.fail(1);
  CHECK(crowd.take() == Lines{"4d4h30s a started 3", "4d4h30s b waiting restart_limit"});
}

TEST_CASE("first starts and commands neither wait nor take a token") {
  Crowd crowd{3, limited(1)};  // all three have started at once
  crowd.fail(0);
  crowd.fail(1);
  crowd.fail(2);
  CHECK(crowd.take() == Lines{"0s a started 2", "0s b waiting restart_limit", "0s c waiting restart_limit"});
  SECTION("restart") { REQUIRE(crowd.fleet->restart("c")); }
  SECTION("reset") { REQUIRE(crowd.fleet->reset("c")); }
  crowd.fleet.settle();
  CHECK(crowd.take() == Lines{"0s c started 2"});
  CHECK(crowd.waiting() == 1);
  crowd.pass(10s);
  CHECK(crowd.take() == Lines{"10s b started 2"});
}

TEST_CASE("who is stopped or removed leaves its place to the next") {
  Crowd crowd{4, limited(1)};
  crowd.fail_all();
  (void)crowd.take();
  SECTION("the first") {
    REQUIRE(crowd.fleet->stop("b"));
    crowd.pass(10s);
    CHECK(crowd.take() == Lines{"10s c started 2"});
  }
  SECTION("one in the middle") {
    REQUIRE(crowd.fleet->remove("c"));
    crowd.pass(20s);
    CHECK(crowd.take() == Lines{"10s b started 2", "20s d started 2"});
  }
  SECTION("the last") {
    REQUIRE(crowd.fleet->stop("d"));
    crowd.pass(1h);
    CHECK(crowd.take() == Lines{"10s b started 2", "20s c started 2"});
  }
}

TEST_CASE("a shutdown ends the waiting of all") {
  Crowd crowd{3, limited(1)};
  crowd.fail_all();
  (void)crowd.take();
  crowd.fleet->request_shutdown();
  crowd.pass(1h);
  CHECK(crowd.take() == Lines{});
  CHECK(crowd.waiting() == 0);
}

TEST_CASE("a snapshot says that a service waits, and for what, and that nobody knows until when") {
  Crowd crowd{2, limited(1)};
  crowd.fail_all();
  const ServiceSnapshot waits = crowd.fleet.snapshot("b");
  CHECK(waits.phase == Phase::backing_off);
  CHECK(waits.waits_for == WaitsFor::restart_limit);
  CHECK_FALSE(waits.next_start);
  CHECK_FALSE(crowd.fleet.snapshot("a").waits_for);
}

TEST_CASE("only so many runs start at once: the next one when one of them is ready, has ended or is stopped") {
  Crowd crowd{4, with_places(2), {.backoff = kAtOnce, .stop_grace = 1s, .ready = Ready::notified}};
  for (Script* const script : crowd.scripts) script->runs.back().ready();
  crowd.fleet.settle();
  crowd.fail_all();
  CHECK(crowd.take() ==
        Lines{"0s a started 2", "0s b started 2", "0s c waiting restart_limit", "0s d waiting restart_limit"});
  crowd.pass(1h);
  CHECK(crowd.take() == Lines{});
  SECTION("ready") {
    crowd.scripts[0]->runs.back().ready();
    crowd.pass(0s);
    CHECK(crowd.take() == Lines{"1h c started 2"});
    crowd.scripts[1]->runs.back().ready();
    crowd.pass(0s);
    CHECK(crowd.take() == Lines{"1h d started 2"});
  }
  SECTION("ended: it waits behind the others") {
    crowd.fail(0);
    CHECK(crowd.take() == Lines{"1h c started 2", "1h a waiting restart_limit"});
  }
  SECTION("stopped") {
    REQUIRE(crowd.fleet->stop("a"));
    crowd.pass(0s);
    CHECK(crowd.take() == Lines{"1h c started 2"});
  }
}

TEST_CASE("first starts count as starting, though they do not wait") {
  Crowd crowd{3, with_places(2), {.backoff = kAtOnce, .ready = Ready::notified}};  // all three are starting
  crowd.fail(0);
  CHECK(crowd.take() == Lines{"0s a waiting restart_limit"});
  crowd.scripts[1]->runs.back().ready();
  crowd.pass(0s);
  CHECK(crowd.take() == Lines{"0s a started 2"});
}

TEST_CASE("with both limits a service starts when both let it") {
  Crowd crowd{3, limited(1, 1), {.backoff = kAtOnce, .ready = Ready::notified}};
  for (Script* const script : crowd.scripts) script->runs.back().ready();
  crowd.fleet.settle();
  crowd.fail_all();
  CHECK(crowd.take() == Lines{"0s a started 2", "0s b waiting restart_limit", "0s c waiting restart_limit"});
  crowd.pass(10s);  // a token, and no place
  CHECK(crowd.take() == Lines{});
  crowd.pass(3s);
  crowd.scripts[0]->runs.back().ready();
  crowd.pass(0s);
  CHECK(crowd.take() == Lines{"13s b started 2"});
  crowd.scripts[1]->runs.back().ready();
  crowd.pass(7s);  // a place, and a token 10 s after the last one was taken
  CHECK(crowd.take() == Lines{});
  crowd.pass(3s);
  CHECK(crowd.take() == Lines{"23s c started 2"});
}

TEST_CASE("a probe waits for its turn like any other restart") {
  BackoffPolicy patient = kAtOnce;
  patient.breaker = BreakerPolicy{.max_failures = 1, .half_open = HalfOpenPolicy{.open_for = 1ns, .open_for_max = 1ns}};
  Crowd crowd{2, limited(1), {.backoff = patient}};
  crowd.fail_all();
  crowd.pass(1ns);
  CHECK(crowd.take() == Lines{"1ns a started 2", "1ns b waiting restart_limit"});
  CHECK(crowd.fleet.snapshot("b").breaker == BreakerState::open);
}

TEST_CASE("limits outside of their ranges are refused") {
  const auto errors = [](const auto& change) {
    SupervisorConfig config;
    change(config);
    return describe_errors(problems(config));
  };
  CHECK(errors([](auto& config) { config.restart_limit = RestartLimit{.every = 0ns}; }) ==
        "restart_limit.every is 0s; allowed is 1ns to 36500d");
  CHECK(errors([](auto& config) { config.restart_limit = RestartLimit{.burst = 0}; }) ==
        "restart_limit.burst is 0; allowed is 1 to 1000000");
  CHECK(errors([](auto& config) { config.starting_max = 0; }) == "starting_max is 0; allowed is 1 to 1000000");
  CHECK(errors([](auto& config) { config.restart_limit.emplace(); }).empty());
}

TEST_CASE("the largest limits overflow nothing") {
  detail::RestartLimiter limiter{RestartLimit{.every = kDurationMax, .burst = kRestartBurstMax}, std::nullopt};
  TimePoint now{};
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(limiter.lets_start(now));
    limiter.take_token(now);
    now = now + 1ns;
  }
}

}  // namespace holdfast::test::supervisor_limit_test
