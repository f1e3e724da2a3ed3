// A breaker that tries again: semantics 6.1, sentence by sentence.

#include "support.hpp"

#include <set>

namespace holdfast::test::supervisor_half_open_test {

namespace {

// Two failures open it; open times of at most 10 s, 20 s, 40 s, 40 s, …; a probe has to stay up for 5 s.
BackoffPolicy half_open(Duration cooldown = 5min) {
  return {
      .base = 0ns,
      .max = 0ns,
      .cooldown = cooldown,
      .clean_restart_delay = 100ms,
      .breaker = BreakerPolicy{2, 1h, HalfOpenPolicy{.open_for = 10s, .open_for_max = 40s, .probe_success_after = 5s}}};
}

struct Patient {
  explicit Patient(RestartPolicy restart = RestartPolicy::on_failure, Duration cooldown = 5min)
      : fleet(config_of(half_open(cooldown))), script(fleet.add("a", restart)) {}

  // Fails until the breaker opens.
  void open() {
    script.fail();
    fleet.pass_nothing();
    script.fail();
    fleet.settle();
    (void)fleet.take();
  }
  // Until the open time has passed, and the probe has begun.
  void wait_for_probe() { fleet.pass(*fleet.snapshot("a").next_start - fleet.scheduler.now()); }
  std::string breaker() const { return std::string{to_string(fleet.snapshot("a").breaker)}; }
  const event::BackingOff& waits() const { return fleet.recorder.backoffs.back(); }

  Fleet fleet;
  Script& script;
};

bool has_line(const Lines& lines, std::string_view what) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const auto& line) { return line.find(what) != std::string::npos; });
}

}  // namespace

TEST_CASE("an opened breaker lets the service back off for its open time and then tries a single run") {
  Patient patient;
  patient.script.fail();
  patient.fleet.pass_nothing();
  patient.script.fail();
  patient.fleet.settle();
  const auto lines = patient.fleet.take();
  CHECK(has_line(lines, "breaker_tripped 2/2"));
  CHECK(has_line(lines, "backing_off breaker_open 1, "));
  CHECK_FALSE(has_line(lines, "terminated"));
  CHECK(patient.waits().ceiling == 10s);
  CHECK(patient.fleet.phase("a") == "backing_off");
  CHECK(patient.breaker() == "open");
  CHECK(patient.fleet.snapshot("a").next_start == TimePoint{} + patient.waits().delay);
  const auto starts = patient.fleet->counters().starts;
  patient.fleet.pass(patient.waits().delay - 1ns);
  CHECK(patient.fleet->counters().starts == starts);
  patient.fleet.pass(1ns);
  CHECK(patient.fleet->counters().starts == starts + 1);
  CHECK(patient.breaker() == "half_open");
  CHECK(patient.fleet->counters().open_breakers == 1);
}

TEST_CASE("open times lie in the upper half of their ceilings and differ from service to service") {
  Fleet fleet{config_of(half_open())};
  std::set<Duration> delays;
  for (int i = 0; i < 200; ++i) {
    Script& script = fleet.add("feed-" + std::to_string(i));
    script.fail();
    fleet.pass_nothing();
    script.fail();
    fleet.settle();
    const auto& waits = fleet.recorder.backoffs.back();
    CHECK(waits.cause == BackoffCause::breaker_open);
    CHECK((waits.delay >= 5s && waits.delay <= 10s));
    delays.insert(waits.delay);
  }
  CHECK(delays.size() == 200);
  CHECK(*delays.begin() < 5500ms);
  CHECK(*delays.rbegin() > 9500ms);
}

TEST_CASE("a probe that stays up closes the breaker at that very time, and everything is as if nothing had failed") {
  Patient patient;
  patient.open();
  patient.wait_for_probe();
  (void)patient.fleet.take();
  patient.fleet.pass(5s - 1ns);
  CHECK(patient.breaker() == "half_open");
  patient.fleet.pass(1ns);
  CHECK(has_line(patient.fleet.take(), "breaker_closed after 1"));
  CHECK(patient.breaker() == "closed");
  CHECK(patient.fleet.phase("a") == "running");
  CHECK(patient.fleet.snapshot("a").attempt == 0);
  CHECK(patient.fleet.snapshot("a").failures_in_window == 0);
  CHECK(patient.fleet->counters().open_breakers == 0);
  patient.script.fail();  // one failure of two
  patient.fleet.settle();
  CHECK(has_line(patient.fleet.take(), "backing_off failure 1, "));
  patient.fleet.pass_nothing();
  patient.open();  // the second one
  CHECK(patient.waits().ceiling == 10s);
}

TEST_CASE("a probe that ends cleanly closes the breaker, and the restart policy decides what follows") {
  for (const auto restart : {RestartPolicy::always, RestartPolicy::on_failure}) {
    Patient patient{restart};
    patient.open();
    patient.wait_for_probe();
    (void)patient.fleet.take();
    patient.script.end_cleanly();
    patient.fleet.settle();
    const auto lines = patient.fleet.take();
    REQUIRE(lines.size() == 3);
    CHECK(has_line({lines[1]}, "breaker_closed after 1"));
    CHECK(has_line({lines[2]},
                   restart == RestartPolicy::always ? "backing_off clean_exit 0, 100ms" : "terminated completed"));
    CHECK(patient.breaker() == "closed");
  }
}

TEST_CASE("a probe that fails opens the breaker again for longer, up to the cap, and each opening is a trip") {
  Patient patient;
  patient.open();
  const std::vector<Duration> ceilings{10s, 20s, 40s, 40s, 40s};
  for (std::uint32_t i = 0; i < ceilings.size(); ++i) {
    CHECK(patient.waits().ceiling == ceilings[i]);
    CHECK(patient.waits().attempt == i + 1);
    CHECK(patient.fleet->counters().circuit_breaker_trips == i + 1);
    CHECK(patient.fleet->counters().open_breakers == 1);
    patient.wait_for_probe();
    (void)patient.fleet.take();
    patient.script.fail();
    patient.fleet.settle();
    CHECK(has_line(patient.fleet.take(), "breaker_tripped 1/1"));
  }
}

TEST_CASE("the cooldown does not apply to a probe") {
  Patient patient{RestartPolicy::on_failure, 1s};
  patient.open();
  patient.wait_for_probe();
  patient.fleet.pass(2s);  // longer than the cooldown, shorter than a probe needs
  patient.script.fail();
  patient.fleet.settle();
  CHECK(patient.waits().cause == BackoffCause::breaker_open);
  CHECK(patient.waits().ceiling == 20s);
}

TEST_CASE("a probe that ended before it had stayed up has not succeeded, although the supervisor gets to it later") {
  Patient patient;
  patient.open();
  patient.wait_for_probe();
  (void)patient.fleet.take();
  const TimePoint stayed_up = patient.fleet.scheduler.now() + 5s;
  patient.fleet.pass_until_just_before(stayed_up);
  patient.script.fail();
  // The timer comes before the supervisor gets to the end, as where the two come from different threads.
  REQUIRE(patient.fleet.scheduler.fire_next(stayed_up));
  CHECK_FALSE(has_line(patient.fleet.take(), "breaker_closed"));
  CHECK(patient.waits().ceiling == 20s);
}

TEST_CASE("a fatal error of a probe terminates the service as ever") {
  Patient patient;
  patient.open();
  patient.wait_for_probe();
  patient.script.end(Exit::fatal("bad licence"));
  patient.fleet.settle();
  CHECK(patient.fleet.termination("a") == "failed: bad licence");
  CHECK(patient.breaker() == "closed");
  CHECK(patient.fleet->counters().open_breakers == 0);
}

TEST_CASE("a stop or a shutdown ends the wait of an open breaker") {
  for (const bool shutdown : {false, true}) {
    Patient patient;
    patient.open();
    if (shutdown) {
      patient.fleet->request_shutdown();
    } else {
      REQUIRE(patient.fleet->stop("a"));
    }
    patient.fleet.settle();
    CHECK(patient.fleet.termination("a") == "cancelled");
    CHECK(patient.fleet->counters().open_breakers == 0);
  }
}

TEST_CASE("restart and reset close an open breaker and start the service at once") {
  for (const bool reset : {false, true}) {
    Patient patient;
    patient.open();
    REQUIRE((reset ? patient.fleet->reset("a") : patient.fleet->restart("a")));
    patient.fleet.settle();
    CHECK(patient.fleet.take() == Lines{reset ? "0s a commanded reset" : "0s a commanded restart",
                                        "0s a breaker_closed after 1", "0s a started 3", "0s a running 3"});
    CHECK(patient.breaker() == "closed");
    patient.fleet.pass(1h);  // it is no probe
    CHECK(patient.fleet.take() == Lines{});
  }
}

TEST_CASE("reset leaves a running service alone, but its run is no probe any more; restart stops it") {
  Patient patient;
  patient.open();
  patient.wait_for_probe();
  (void)patient.fleet.take();
  REQUIRE(patient.fleet->reset("a"));
  patient.fleet.settle();
  CHECK(has_line(patient.fleet.take(), "breaker_closed after 1"));
  CHECK(patient.fleet.phase("a") == "running");
  patient.fleet.pass(1min);
  CHECK(patient.fleet.take() == Lines{});
  patient.script.fail();
  patient.fleet.settle();
  CHECK(patient.waits().cause == BackoffCause::failure);

  Patient other;
  other.open();
  other.wait_for_probe();
  (void)other.fleet.take();
  REQUIRE(other.fleet->restart("a"));
  other.fleet.settle();
  CHECK(other.breaker() == "closed");
  CHECK(other.fleet.phase("a") == "stopping");
}

TEST_CASE(
    "reset is refused for a service that is not there, is stopped for good, or has terminated, and in a shutdown") {
  Fleet fleet;
  fleet.add("a");
  CHECK(fleet->reset("b").refusal().message == "reset: there is no service named \"b\"");
  REQUIRE(fleet->stop("a"));
  CHECK(fleet->reset("a").refusal().message == "reset \"a\": it is being stopped for good");
  fleet.settle();
  auto& c = fleet.add("c", RestartPolicy::never);
  c.end_cleanly();
  fleet.settle();
  CHECK(fleet->reset("c").refusal().message == "reset \"c\": it has terminated; restart it");
  fleet->request_shutdown();
  CHECK(fleet->reset("c").refusal().message ==
        "reset \"c\": the supervisor is shutting down; only stop and remove are accepted");
}

TEST_CASE("reset of a closed breaker clears attempt and history, and cuts a backoff short") {
  Fleet fleet{config_of({.base = 1h, .max = 1h, .breaker = BreakerPolicy{3, 10h}})};
  auto& a = fleet.add("a");
  a.fail();
  fleet.settle();
  REQUIRE(fleet->reset("a"));
  fleet.settle();
  CHECK(fleet.phase("a") == "running");
  CHECK(fleet.snapshot("a").attempt == 0);
  CHECK(fleet.snapshot("a").failures_in_window == 0);
}

}  // namespace holdfast::test::supervisor_half_open_test
