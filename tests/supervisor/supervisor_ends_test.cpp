// What the end of a run comes to, for every restart policy, outcome, state of the breaker, and cause of a stop that had
// been requested: each of the combinations, compared with small tables written from semantics.md, sections 2.3 to 2.5
// and 3.

#include "support.hpp"

#include <stdexcept>

namespace holdfast::test::supervisor_ends_test {

namespace {

// Where the breaker stands as the run ends.
enum class Breaker { off, far, one_below_trip, one_below_but_slid, one_below_but_cooled, of_one };
constexpr std::initializer_list<Breaker> kBreakers{
    Breaker::off,   Breaker::far, Breaker::one_below_trip, Breaker::one_below_but_slid, Breaker::one_below_but_cooled,
    Breaker::of_one};
enum class AskedBy { nobody, stop, restart, remove, shutdown, restart_and_then_shutdown };
constexpr std::initializer_list<AskedBy> kAskers{AskedBy::nobody,   AskedBy::stop,
                                                 AskedBy::restart,  AskedBy::remove,
                                                 AskedBy::shutdown, AskedBy::restart_and_then_shutdown};
constexpr std::initializer_list<RestartPolicy> kPolicies{RestartPolicy::always, RestartPolicy::on_failure,
                                                         RestartPolicy::never};
constexpr std::initializer_list<Outcome> kAllOutcomes{Outcome::clean, Outcome::failed, Outcome::threw, Outcome::fatal,
                                                      Outcome::done};

struct Case {
  RestartPolicy policy;
  Outcome outcome;
  Breaker breaker;
  AskedBy asked;
};

// Under `never` a first failure would be the last, so there a run has no failure before it, and the breaker, which is
// not asked, has counted none.
bool has_failed_before(const Case& one) { return one.policy != RestartPolicy::never && one.breaker != Breaker::of_one; }

BackoffPolicy policy_of(Breaker breaker) {
  switch (breaker) {
    case Breaker::off: return kAtOnce;
    case Breaker::far: return at_once_with_breaker(9);
    case Breaker::one_below_trip: return at_once_with_breaker(2);
    case Breaker::one_below_but_slid: return at_once_with_breaker(2, 2s - 1ns);
    case Breaker::one_below_but_cooled: break;
    case Breaker::of_one: return at_once_with_breaker(1);
  }
  auto policy = at_once_with_breaker(2);
  policy.cooldown = 2s;  // as long as the last run takes
  return policy;
}

// What follows a failure that is to be retried.
std::string retried(Breaker breaker) {
  switch (breaker) {
    case Breaker::off:
    case Breaker::far:
    case Breaker::one_below_but_slid:
    case Breaker::one_below_but_cooled: return "backing_off";
    case Breaker::one_below_trip: return "circuit breaker open (2/2 failures)";
    case Breaker::of_one: return "circuit breaker open (1/1 failures)";
  }
  return "";
}

std::string comes_to(const Case& one) {
  switch (one.asked) {
    case AskedBy::restart: return "running";
    case AskedBy::remove: return "gone";
    case AskedBy::stop:
    case AskedBy::shutdown:
    case AskedBy::restart_and_then_shutdown: return "cancelled";
    case AskedBy::nobody: break;
  }
  if (one.outcome == Outcome::fatal) return "failed: boom";
  if (one.outcome == Outcome::done) return "completed";
  if (one.outcome == Outcome::clean) return one.policy == RestartPolicy::always ? "backing_off" : "completed";
  return one.policy == RestartPolicy::never ? "failed: boom" : retried(one.breaker);
}

Exit exit_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::clean: return Exit::clean();
    case Outcome::done: return Exit::done();
    case Outcome::failed: return Exit::failed("boom");
    case Outcome::fatal: return Exit::fatal("boom");
    case Outcome::threw: break;
  }
  try {
    throw std::runtime_error{"boom"};
  } catch (...) {
    return Exit::from_current_exception();
  }
}

void ask(Fleet& fleet, AskedBy asker) {
  switch (asker) {
    case AskedBy::nobody: return;
    case AskedBy::stop: REQUIRE(fleet->stop("a")); break;
    case AskedBy::restart: REQUIRE(fleet->restart("a")); break;
    case AskedBy::remove: REQUIRE(fleet->remove("a")); break;
    case AskedBy::shutdown: fleet->request_shutdown(); break;
    case AskedBy::restart_and_then_shutdown:
      REQUIRE(fleet->restart("a"));
      fleet.settle();
      fleet->request_shutdown();
      break;
  }
  fleet.settle();
  REQUIRE(fleet.phase("a") == "stopping");
}

std::string stands(Fleet& fleet) {
  const auto snapshot = fleet->snapshot("a");
  if (!snapshot) return "gone";
  return snapshot->termination ? fleet.termination("a") : fleet.phase("a");
}

// The run that ends lasts 2 s, and is asked in its last instant if it is asked at all.
void check(const Case& one) {
  Fleet fleet{config_of(policy_of(one.breaker))};
  auto& a = fleet.add("a", one.policy);
  fleet.pass(1s);
  if (has_failed_before(one)) {
    a.fail("an earlier one");
    fleet.pass_nothing();
  }
  fleet.pass(one.policy == RestartPolicy::never || one.breaker == Breaker::of_one ? 1s : 2s);
  ask(fleet, one.asked);
  const std::size_t runs = a.runs.size();
  const auto before = fleet->counters();
  a.end(exit_of(one.outcome));
  fleet.settle();

  const std::string expected = comes_to(one);
  CHECK(stands(fleet) == expected);
  const bool failure = is_failure(one.outcome);
  const bool counted = one.asked == AskedBy::nobody;
  const bool trips = expected.starts_with("circuit");
  const bool over = expected != "backing_off" && expected != "running";
  CHECK(fleet->counters() == Counters{.spawned = 1,
                                      .starts = before.starts + (expected == "running" ? 1 : 0),
                                      .restarts = before.restarts + (expected == "running" ? 1 : 0),
                                      .failures = before.failures + (failure && counted ? 1 : 0),
                                      .clean_exits = !failure && counted ? 1U : 0U,
                                      .circuit_breaker_trips = trips ? 1U : 0U,
                                      .terminated = over ? 1U : 0U,
                                      .active_services = over ? 0U : 1U});
  if (expected != "gone") {
    CHECK(fleet.snapshot("a").last_error == (failure ? "boom" : (has_failed_before(one) ? "an earlier one" : "")));
  }
  fleet.pass(1h);
  CHECK(a.runs.size() == runs + (over ? 0 : 1));
}

}  // namespace

TEST_CASE("the end of a run leads to what the tables say, for every policy, outcome, breaker and stop cause") {
  int cases = 0;
  for (const auto policy : kPolicies) {
    for (const auto outcome : kAllOutcomes) {
      for (const auto breaker : kBreakers) {
        for (const auto asked : kAskers) {
          CAPTURE(to_string(policy), to_string(outcome), static_cast<int>(breaker), static_cast<int>(asked));
          check({policy, outcome, breaker, asked});
          ++cases;
        }
      }
    }
  }
  CHECK(cases == 3 * 5 * 6 * 6);
}

}  // namespace holdfast::test::supervisor_ends_test
