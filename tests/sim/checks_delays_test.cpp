// The rules about delays and when runs start after them (checks/detail/check_retries): good histories, and a bad one
// for each rule.

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <holdfast/backoff.hpp>
#include <holdfast/random.hpp>
#include <holdfast_sim/checks/checks.hpp>

#include "checks_history.hpp"

namespace holdfast::sim::checks_test {
namespace {

using namespace std::chrono_literals;

TEST_CASE("the ceiling doubles up to the maximum and stays there") {
  History history;
  history.up("a", RestartPolicy::on_failure, without_breaker());
  Duration now{0};
  Duration ceiling = 100ms;
  for (Attempt attempt = 1; attempt < 200; ++attempt) {
    const Duration delay = full_jitter(ceiling, draw({}, Purpose::backoff_jitter, attempt));
    history.failed().backs_off(attempt, ceiling, delay).at(now += delay).restarted();
    ceiling = std::min<Duration>(1s, 2 * ceiling);
  }
  check_held(history.finish());
}

TEST_CASE("a run of the cooldown's length clears attempt and history, a clean exit only the attempt") {
  History cooled;
  cooled.up("a").failed().backs_off(1, 100ms, 0ms).restarted().failed().backs_off(2, 200ms, 0ms).restarted();
  cooled.at(5min).failed().backs_off(1, 100ms, 5ms);
  check_held(cooled.finish());
  History clean;
  clean.up("a", RestartPolicy::always).failed().backs_off(1, 100ms, 0ms).restarted();
  clean.exited().backs_off_cleanly().at(100ms).restarted().failed().backs_off(1, 100ms, 0ms).restarted();
  clean.at(1s).failed().tripped().circuit_open();
  check_held(clean.finish());
}

TEST_CASE("while a host is off its service starts later than it was due, with the command of the boot") {
  History history;
  history.up("a").failed().backs_off(1, 100ms, 50ms).at(20ms).gone(1h).at(1h).commanded(Command::restart).restarted();
  history.failed().backs_off(1, 100ms, 100ms).gone(1h + 10ms);  // shorter than the delay
  history.at(1h + 10ms).commanded(Command::restart).restarted();
  history.failed().backs_off(1, 100ms, 50ms).gone(3h).at(2h).gone(2h + 1s);  // within the longer one
  history.at(3h).commanded(Command::restart).restarted();
  history.gone(5h).at(5h).commanded(Command::restart).stopping(StopCause::restart).exited().restarted();
  check_held(history.finish());
}

TEST_CASE("starts_when_the_delay_has_passed") {
  History early;
  early.up("a").failed().backs_off(1, 100ms, 100ms).at(99ms).restarted().finish();
  check_only(early, Rule::starts_when_the_delay_has_passed, "a run starts at 99ms, but is due at 100ms");
  History late;
  late.up("a").failed().backs_off(1, 100ms, 100ms).at(1s).restarted().finish();
  check_only(late, Rule::starts_when_the_delay_has_passed, "a run starts at 1s, but is due at 100ms");
  History never;
  never.up("a").failed().backs_off(1, 100ms, 100ms).at(1s).finish();
  check_only(never, Rule::starts_when_the_delay_has_passed, "no run has started by 1s, though one was due at 100ms");
  History stalled;
  stalled.up("a").failed().backs_off(1, 100ms, 100ms).finish(EndReason::stalled);
  check_only(stalled, Rule::starts_when_the_delay_has_passed, "no run has started by 0s, though one was due at 100ms");
  History stopped_instead;
  stopped_instead.up("a").failed().backs_off(1, 100ms, 100ms).at(1s).commanded(Command::stop);
  stopped_instead.stopping(StopCause::stop).cancelled("boom").finish();
  check_only(stopped_instead, Rule::starts_when_the_delay_has_passed,
             "no run has started, though one was due at 100ms");
  History first;
  first.added("a").at(1ms).restarted().finish();
  check_only(first, Rule::starts_when_the_delay_has_passed, "a run starts at 1ms, but is due at 0s");
  History on_a_host_that_is_off;
  on_a_host_that_is_off.up("a").failed().backs_off(1, 100ms, 100ms).gone(1h).at(100ms).restarted().finish();
  check_only(on_a_host_that_is_off, Rule::starts_when_the_delay_has_passed, "a run starts at 100ms, but is due at 1h");
  History does_not_boot;
  does_not_boot.up("a").failed().backs_off(1, 100ms, 100ms).gone(1h).at(2h).finish();
  check_only(does_not_boot, Rule::starts_when_the_delay_has_passed,
             "no run has started by 2h, though one was due at 1h");
}

TEST_CASE("restarts_in_turn") {
  const auto let_two_wait = [](History& history) -> History& {
    for (const char* const name : {"a", "b"}) history.up(name).failed().backs_off(1, 100ms, 50ms);
    return history.at(50ms).of("a").waiting().of("b").waiting().at(1s);
  };
  History in_turn;
  let_two_wait(in_turn).of("a").restarted().at(2s).of("b").restarted();
  check_held(in_turn.finish());
  History first_stopped;
  let_two_wait(first_stopped)
      .of("a")
      .commanded(Command::stop)
      .stopping(StopCause::stop)
      .cancelled("boom")
      .at(2s)
      .of("b")
      .restarted();
  check_held(first_stopped.finish());
  History by_command;
  let_two_wait(by_command).of("b").commanded(Command::restart).restarted().at(2s).of("a").restarted();
  check_held(by_command.finish());
  History again;
  let_two_wait(again)
      .of("a")
      .restarted()
      .failed()
      .backs_off(2, 200ms, 10ms)
      .at(1s + 10ms)
      .waiting()
      .of("b")
      .restarted()
      .of("a");
  again.restarted();
  check_held(again.finish());

  History overtakes;
  let_two_wait(overtakes).of("b").restarted();
  check_only(overtakes, Rule::restarts_in_turn, "starts, though others have waited for their turn longer");
  History early;
  early.up("a").failed().backs_off(1, 100ms, 50ms).at(10ms).waiting();
  check_only(early, Rule::restarts_in_turn, "waits for its turn at 10ms, but its delay passes at 50ms");
  History twice;
  let_two_wait(twice).of("a").waiting();
  check_only(twice, Rule::restarts_in_turn, "waits for its turn, and did so before");
  History runs;
  runs.up("a").waiting();
  check_only(runs, Rule::restarts_in_turn, "waits for its turn, but does not back off");
}

TEST_CASE("keeps_every_retry_within_its_ceiling") {
  History too_long;
  too_long.up("a").failed().backs_off(1, 100ms, 100ms + 1ns).finish();
  check_only(too_long, Rule::keeps_every_retry_within_its_ceiling, "the delay is 100ms1ns; allowed is 0s to 100ms");
  History negative;
  negative.up("a").at(1s).failed().backs_off(1, 100ms, -1ns).finish(EndReason::events_budget);
  CHECK(negative.checks.violations().front().says == "the delay is -1ns; allowed is 0s to 100ms");
  History doubled;
  doubled.up("a").failed().backs_off(1, 200ms, 150ms).finish();
  check_only(doubled, Rule::keeps_every_retry_within_its_ceiling,
             "is attempt 1 with a ceiling of 200ms; right is attempt 1 with a ceiling of 100ms");
  History not_reset;
  not_reset.up("a").failed().backs_off(1, 100ms, 0ms).restarted().at(5min).failed().backs_off(2, 200ms, 1ms).finish();
  check_only(not_reset, Rule::keeps_every_retry_within_its_ceiling,
             "is attempt 2 with a ceiling of 200ms; right is attempt 1 with a ceiling of 100ms");
  History clean;
  clean.up("a", RestartPolicy::always).exited().backs_off_cleanly(99ms).finish();
  check_only(clean, Rule::keeps_every_retry_within_its_ceiling,
             "is attempt 0 with a ceiling of 99ms; right is attempt 0 with a ceiling of 100ms");
}

TEST_CASE("keeps_every_retry_within_its_ceiling, by the growth of the policy") {
  struct Case {
    Growth growth;
    std::vector<Duration> right;  // the base is 1 s, the maximum 16 s
  };
  const std::vector<Case> cases{{ExponentialGrowth{Thousandths::of(1.5)}, {1s, 1500ms, 2250ms, 3375ms}},
                                {ExponentialGrowth{Thousandths::of(10)}, {1s, 10s, 16s, 16s}},
                                {LinearGrowth{5s}, {1s, 6s, 11s, 16s, 16s}},
                                {SteppedGrowth{4}, {1s, 2s, 4s, 8s, 16s, 16s}},
                                {SteppedGrowth{3}, {1s, Duration{2'519'842'099}, Duration{6'349'604'207}, 16s}},
                                {FixedDelay{}, {1s, 1s, 1s}}};
  for (const auto& [growth, right] : cases) {
    CAPTURE(growth.index());
    BackoffPolicy policy = without_breaker();
    policy.base = 1s;
    policy.max = 16s;
    policy.growth = growth;
    policy.jitter = NoJitter{};
    for (std::size_t wrong = 0; wrong <= right.size(); ++wrong) {  // none of them, when it is past the last
      CAPTURE(wrong);
      History history;
      history.up("a", RestartPolicy::on_failure, policy);
      Duration now{0};
      for (std::size_t i = 0; i < right.size(); ++i) {
        const Duration delay = right[i] + Duration{i == wrong ? 1 : 0};
        history.failed().backs_off(static_cast<Attempt>(i + 1), delay, delay).at(now += delay).restarted();
      }
      history.finish();
      if (wrong == right.size()) {
        check_held(history);
      } else {
        CHECK(history.checks.violations().front().rule == Rule::keeps_every_retry_within_its_ceiling);
      }
    }
  }
}

TEST_CASE("keeps_every_retry_within_its_ceiling, by the jitter of the policy") {
  struct Case {
    Jitter jitter;
    Duration least, most;  // the base is 10 s
  };
  const std::vector<Case> cases{{NoJitter{}, 10s, 10s},
                                {EqualJitter{}, 5s, 10s},
                                {ProportionalJitter{Thousandths::of(0.1)}, 9s, 11s},
                                {AdditiveJitter{Thousandths::of(0.25)}, 10s, 12500ms}};
  for (const auto& [jitter, least, most] : cases) {
    CAPTURE(jitter.index());
    BackoffPolicy policy = without_breaker();
    policy.base = policy.max = 10s;
    policy.jitter = jitter;
    for (const Duration right : {least, most}) {
      History history;
      history.up("a", RestartPolicy::on_failure, policy).failed().backs_off(1, most, right).at(right).restarted();
      check_held(history.finish());
    }
    History low;
    low.up("a", RestartPolicy::on_failure, policy).failed().backs_off(1, most, least - 1ns).finish();
    check_only(low, Rule::keeps_every_retry_within_its_ceiling,
               "the delay is " + holdfast::to_string(least - 1ns) + "; allowed is " + holdfast::to_string(least) +
                   " to " + holdfast::to_string(most));
    History high;
    high.up("a", RestartPolicy::on_failure, policy).failed().backs_off(1, most + 1ns, most).finish();
    check_only(high, Rule::keeps_every_retry_within_its_ceiling,
               "is attempt 1 with a ceiling of " + holdfast::to_string(most + 1ns) +
                   "; right is attempt 1 with a ceiling of " + holdfast::to_string(most));
  }
}

// A service that fails over and over, whose delays are these shares of a ceiling that never grows.
constexpr std::int64_t kWhole = 1'000'000;
void fails_with_shares(History& history, Duration ceiling, const std::vector<std::int64_t>& millionths) {
  BackoffPolicy policy = without_breaker();
  policy.base = policy.max = ceiling;
  policy.cooldown = kDurationMax;
  history.up("a", RestartPolicy::on_failure, policy);
  Duration now{0};
  for (Attempt attempt = 1; const std::int64_t share : millionths) {
    const Duration delay{ceiling.count() / kWhole * share};
    history.failed().backs_off(attempt++, ceiling, delay).at(now += delay).restarted();
  }
}

// Half of them are `low`, half of them `high`.
std::vector<std::int64_t> halves(std::size_t count, std::int64_t low, std::int64_t high) {
  std::vector<std::int64_t> shares(count, low);
  for (std::size_t i = 0; i < count; i += 2) shares[i] = high;
  return shares;
}

TEST_CASE("spreads_its_delays") {
  History none;
  fails_with_shares(none, 100ms, std::vector<std::int64_t>(100, 0));
  check_only(none.finish(), Rule::spreads_its_delays,
             "100 delays are 0.00% of their ceilings on average, more than 6 standard errors from 50%");
  CHECK(none.checks.violations().front().service.empty());
  History all;
  fails_with_shares(all, 1ms, std::vector<std::int64_t>(250, kWhole));
  check_only(all.finish(), Rule::spreads_its_delays,
             "250 delays are 100.00% of their ceilings on average, more than 6 standard errors from 50%");
  History half_jitter;
  fails_with_shares(half_jitter, 500ms, halves(200, 500'000, kWhole));
  check_only(half_jitter.finish(), Rule::spreads_its_delays,
             "200 delays are 75.00% of their ceilings on average, more than 6 standard errors from 50%");
}

TEST_CASE("spreads_its_delays allows 6 standard errors and not more, and says nothing of few or short delays") {
  // Of 300 shares: 6 * sqrt(1 / 12 / 300) is exactly 1/10.
  const auto held_with_mean = [](std::int64_t millionths) {
    History history;
    fails_with_shares(history, 900ms, halves(300, millionths - 200'000, millionths + 200'000));
    return history.finish().checks.held();
  };
  CHECK(held_with_mean(500'000));
  CHECK(held_with_mean(600'000));
  CHECK_FALSE(held_with_mean(600'001));
  CHECK(held_with_mean(400'001));
  CHECK_FALSE(held_with_mean(399'999));
  History few;
  fails_with_shares(few, 100ms, std::vector<std::int64_t>(99, 0));
  check_held(few.finish());
  History too_short;
  fails_with_shares(too_short, 999us, std::vector<std::int64_t>(500, 0));
  check_held(too_short.finish());
  for (const History* const history : {&few, &too_short}) {
    CHECK(history->checks.verdicts()[static_cast<std::size_t>(Rule::spreads_its_delays)].tested == 0);
  }
}

TEST_CASE("spreads_its_delays weighs shares, not lengths, of the longest ceilings too") {
  History history;
  fails_with_shares(history, std::chrono::hours{24 * 300}, halves(100, 0, kWhole));
  check_held(history.finish());
  CHECK(history.checks.verdicts()[static_cast<std::size_t>(Rule::spreads_its_delays)].tested == 1);
}

TEST_CASE("draws_every_delay_anew") {
  History frozen;
  fails_with_shares(frozen, 2s, std::vector<std::int64_t>(10, 123'456));
  check_only(
      frozen.finish(), Rule::draws_every_delay_anew,
      "the delay is 246ms912us of 2s, the one before it was 246ms912us of 2s; shares were repeated 3 times in 3");
  CHECK(frozen.checks.verdicts()[static_cast<std::size_t>(Rule::draws_every_delay_anew)].tested == 9);
  // The same draw for every ceiling, as the supervisor would round it.
  History growing;
  growing.up("a", RestartPolicy::on_failure, {.base = 1s, .max = 1min, .cooldown = 5min, .breaker = std::nullopt});
  Duration now{0};
  Duration ceiling = 1s;
  for (Attempt attempt = 1; attempt <= 4; ++attempt) {
    const Duration delay = full_jitter(ceiling, {0x5555'5555'5555'5555, 0});
    growing.failed().backs_off(attempt, ceiling, delay).at(now += delay).restarted();
    ceiling *= 2;
  }
  check_only(
      growing.finish(), Rule::draws_every_delay_anew,
      "the delay is 2s666ms666us666ns of 8s, the one before it was 1s333ms333us333ns of 4s; shares were repeated "
      "3 times in 3");
}

TEST_CASE("draws_every_delay_anew forgives two repetitions, and whatever is short, apart or of another service") {
  const std::vector<std::int64_t> repeated_twice{700'000, 700'000, 100'000, 100'000, 200'000};
  const std::vector<std::int64_t> repeated_thrice{700'000, 700'000, 100'000, 100'000, 200'000, 200'000};
  History twice;
  fails_with_shares(twice, 1s, repeated_twice);
  check_held(twice.finish());
  History thrice;
  fails_with_shares(thrice, 1s, repeated_thrice);
  CHECK_FALSE(thrice.finish().checks.held());
  History too_short;
  fails_with_shares(too_short, 999ms, repeated_thrice);
  check_held(too_short.finish());
  History two_apart;
  fails_with_shares(two_apart, 1s, halves(20, 100'000, 100'001));
  check_held(two_apart.finish());
  History two_services;
  BackoffPolicy policy = without_breaker();
  policy.base = policy.max = 1s;
  for (const std::string name : {"a", "b", "c", "d", "e"}) {
    two_services.up(name, RestartPolicy::on_failure, policy).failed().backs_off(1, 1s, 500ms);
  }
  check_held(two_services.finish());
}

}  // namespace
}  // namespace holdfast::sim::checks_test
