// The rules about groups, each with a history that breaks it.
#include <catch2/catch.hpp>

#include <chrono>
#include <optional>
#include <string>

#include <holdfast_sim/checks/checks.hpp>

#include "checks_history.hpp"

namespace holdfast::sim::checks_test {

namespace {

using namespace std::chrono_literals;

// a, b and c in the group "/g", each with a run.
struct Trio : History {
  explicit Trio(Strategy strategy, std::optional<std::uint32_t> max_restarts = std::nullopt,
                RestartPolicy restart = RestartPolicy::on_failure) {
    group("/g", strategy, max_restarts, max_restarts ? std::optional<Duration>{10s} : std::nullopt);
    const ServicePolicy policy{.restart = restart, .backoff = kPolicy, .group = "/g"};
    for (const auto* const name : {"a", "b", "c"}) added_under(name, policy).restarted();
    at(1s);
  }
  // One fails, and its delay is over 100 ms later.
  Trio& fails(const std::string& name) {
    of(name).failed().backs_off(1, 100ms, 100ms);
    return *this;
  }
  Trio& stops(const std::string& name) {
    of(name).stopping(StopCause::sibling);
    return *this;
  }
  Trio& has_stopped(const std::string& name) {
    of(name).exited().backs_off_with_siblings().waits_for_group();
    return *this;
  }
  Trio& starts(const std::string& name) {
    of(name).restarted();
    return *this;
  }
  Trio& is_lost(const std::string& name) {
    of(name).stopping(StopCause::group_lost).exited().cancelled();
    return *this;
  }
};

}  // namespace

TEST_CASE("groups that keep the rules") {
  Trio all{Strategy::one_for_all};
  all.fails("b").stops("c").stops("a").has_stopped("a").has_stopped("c");
  all.at(1100ms);
  all.starts("a").starts("b").starts("c").finish(EndReason::events_budget);
  check_held(all);

  Trio late{Strategy::one_for_all};
  late.fails("b").stops("c").stops("a").has_stopped("a");
  late.at(1100ms).of("b").waits_for_group();
  late.at(5s).of("c").exited().backs_off_with_siblings();
  late.starts("a").starts("b").starts("c").finish(EndReason::events_budget);
  check_held(late);

  Trio both{Strategy::one_for_all};
  both.fails("b").stops("a").fails("c").has_stopped("a");
  both.at(1100ms);
  both.starts("a").starts("b").starts("c").finish(EndReason::events_budget);
  check_held(both);

  Trio taken_out{Strategy::one_for_all};
  taken_out.fails("b").stops("c").stops("a").has_stopped("a").has_stopped("c");
  taken_out.of("b").commanded(Command::stop).stopping(StopCause::stop).cancelled("boom");
  taken_out.starts("a").starts("c").finish(EndReason::events_budget);
  check_held(taken_out);

  Trio rest{Strategy::rest_for_one, 1};
  rest.fails("b").stops("c").has_stopped("c");
  rest.at(1100ms);
  rest.starts("b").starts("c");
  rest.at(2s).of("a").failed().backs_off(1, 100ms, 50ms);
  rest.group_lost("/g", GroupLoss::restarts, "a");
  rest.is_lost("c").is_lost("b");
  rest.of("a").stopping(StopCause::group_lost).cancelled("boom").finish(EndReason::events_budget);
  check_held(rest);
}

TEST_CASE("starts_again_with_its_group") {
  Trio order{Strategy::one_for_all};
  order.fails("b").stops("a").stops("c").finish(EndReason::events_budget);
  check_only(order, Rule::starts_again_with_its_group,
             "stops for a sibling, though nothing calls for that, or in another order");

  Trio uncalled{Strategy::rest_for_one};
  uncalled.fails("b").stops("c").stops("a").finish(EndReason::events_budget);
  check_only(uncalled, Rule::starts_again_with_its_group,
             "stops for a sibling, though nothing calls for that, or in another order");

  Trio goes_on{Strategy::one_for_all};
  goes_on.fails("b").stops("c").at(1050ms).of("c").exited();
  check_only(goes_on, Rule::starts_again_with_its_group,
             "was to stop, because a sibling in its group starts again, and did not");

  Trio early{Strategy::one_for_all};
  early.fails("b").stops("c").stops("a").has_stopped("a").at(1100ms);
  early.starts("b").finish(EndReason::events_budget);
  check_only(early, Rule::starts_again_with_its_group, "a run starts, but \"c\", which is to start with it, cannot");

  Trio before_its_delay{Strategy::one_for_all};
  before_its_delay.fails("b").stops("c").stops("a").has_stopped("a").has_stopped("c").at(1050ms);
  before_its_delay.starts("a").finish(EndReason::events_budget);
  check_only(before_its_delay, Rule::starts_again_with_its_group,
             "a run starts, but \"b\", which is to start with it, cannot");

  Trio jumps{Strategy::rest_for_one};
  jumps.fails("a").stops("c").stops("b").has_stopped("b").has_stopped("c").at(1100ms);
  jumps.starts("a").starts("c").starts("b").finish(EndReason::events_budget);
  check_only(jumps, Rule::starts_again_with_its_group,
             "starts again with its group before \"b\", which was added earlier");

  Trio alone{Strategy::one_for_one};
  alone.fails("b").at(1100ms).of("b").waits_for_group().finish(EndReason::events_budget);
  check_only(alone, Rule::starts_again_with_its_group, "waits for its group, which does not start again");

  Trio stays{Strategy::one_for_all};
  stays.fails("b").stops("c").stops("a").of("a").exited().cancelled().finish(EndReason::events_budget);
  CHECK_FALSE(stays.checks.held());
  CHECK(stays.checks.violations().front().rule == Rule::starts_again_with_its_group);
}

TEST_CASE("loses_a_group_when_its_policy_says_so") {
  Trio uncalled{Strategy::one_for_one, 1};
  uncalled.fails("b").group_lost("/g", GroupLoss::restarts, "b");
  uncalled.is_lost("c");
  uncalled.of("b").stopping(StopCause::group_lost).cancelled("boom");
  uncalled.is_lost("a").finish(EndReason::events_budget);
  check_only(uncalled, Rule::loses_a_group_when_its_policy_says_so,
             "the group /g is lost, though nothing calls for that now");

  Trio kept{Strategy::one_for_one, 0};
  kept.fails("b").at(1100ms);
  kept.starts("b").finish(EndReason::events_budget);
  check_only(kept, Rule::loses_a_group_when_its_policy_says_so, "the group /g was to be lost, and was not");

  Trio child{Strategy::one_for_one};
  child.of("b").ended(Outcome::fatal, "boom").given_up().at(2s).of("a").exited();
  check_only(child, Rule::loses_a_group_when_its_policy_says_so, "the group /g was to be lost, and was not");

  Trio never{Strategy::one_for_one, std::nullopt, RestartPolicy::never};
  never.of("b").failed().given_up().group_lost("/g", GroupLoss::child, "b");
  never.is_lost("c").is_lost("a");
  never.finish(EndReason::events_budget);
  check_only(never, Rule::loses_a_group_when_its_policy_says_so,
             "the group /g is lost, though nothing calls for that now");

  Trio lives_on{Strategy::one_for_one, 0};
  lives_on.fails("b").group_lost("/g", GroupLoss::restarts, "b");
  lives_on.is_lost("c").is_lost("a").at(1100ms);
  lives_on.starts("b").finish(EndReason::events_budget);
  CHECK_FALSE(lives_on.checks.held());
  CHECK(lives_on.checks.violations().front().rule == Rule::stops_when_asked);
}

}  // namespace holdfast::sim::checks_test
