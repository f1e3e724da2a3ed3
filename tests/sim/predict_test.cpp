// Closed forms of a policy: against sums that are made by hand, and against the real supervisor in virtual time.
#include <catch2/catch.hpp>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include <holdfast_sim/predict/giving_up.hpp>
#include <holdfast_sim/predict/prediction.hpp>
#include <holdfast_sim/predict/uniform_sum.hpp>
#include <holdfast_sim/present/prediction_text.hpp>

namespace holdfast::predict_test {

namespace {

using namespace holdfast::sim;
using namespace std::chrono_literals;
using When = GivingUp::When;

BackoffPolicy policy_of(Duration base, Duration max, Duration cooldown, std::uint32_t failures, Duration window) {
  return {.base = base, .max = max, .cooldown = cooldown, .breaker = BreakerPolicy{failures, window}};
}

Scenario scenario_of(const BackoffPolicy& policy, std::optional<Duration> outage = std::nullopt) {
  Scenario scenario;
  scenario.name = "by hand";
  scenario.seed = {7};
  scenario.fleet.push_back({.name = "feed", .count = 100, .policy = {.backoff = policy}});
  if (outage) scenario.chaos.push_back({1h, Outage{.length = *outage, .fails_after = 20ms}});
  return scenario;
}

// The shares of two, three and four equal waits, from Irwin and Hall's formula.
TEST_CASE("a sum of equal waits is distributed as Irwin and Hall say") {
  const UniformSum two{{1, 1}};
  REQUIRE(two.at_most(0.5) == Approx(0.125).margin(UniformSum::kError));
  REQUIRE(two.at_most(1.5) == Approx(0.875).margin(UniformSum::kError));
  const UniformSum three{{1, 1, 1}};
  REQUIRE(three.at_most(1) == Approx(1.0 / 6).margin(UniformSum::kError));
  REQUIRE(three.at_most(1.5) == Approx(0.5).margin(UniformSum::kError));
  const UniformSum four{{1, 1, 1, 1}};
  REQUIRE(four.at_most(1) == Approx(1.0 / 24).margin(UniformSum::kError));
  REQUIRE(four.at_most(2) == Approx(0.5).margin(UniformSum::kError));
}

// P(U1 + U2 <= x) with widths 1 and 2: x^2/4 up to 1, then (2x - 1)/4 up to 2, then 1 - (3 - x)^2/4.
TEST_CASE("a sum of unequal waits has the shares that the areas say, whatever their order") {
  for (const auto& widths : {std::vector<double>{1, 2}, std::vector<double>{2, 1}}) {
    const UniformSum sum{widths};
    REQUIRE(sum.at_most(0.8) == Approx(0.16).margin(UniformSum::kError));
    REQUIRE(sum.at_most(1.5) == Approx(0.5).margin(UniformSum::kError));
    REQUIRE(sum.at_most(2.6) == Approx(0.96).margin(UniformSum::kError));
    REQUIRE(sum.quantile(0.16) == Approx(0.8).margin(0.005));
    REQUIRE(sum.quantile(0.96) == Approx(2.6).margin(0.005));
  }
}

TEST_CASE("a sum of one wait, of none, and of waits of no length") {
  REQUIRE(UniformSum{{4}}.at_most(1) == Approx(0.25));
  REQUIRE(UniformSum{{4}}.quantile(0.75) == Approx(3));
  REQUIRE(UniformSum{{}}.at_most(0) == 1);
  REQUIRE(UniformSum{{}}.quantile(0.9) == 0);
  REQUIRE(UniformSum{{0, 0}}.quantile(0.9) == 0);
  REQUIRE(UniformSum{{0, 0}}.at_most(-1) == 0);
}

TEST_CASE("a wait too short to be drawn counts as its average") {
  const UniformSum sum{{1e18, 10}};
  REQUIRE(sum.quantile(0) == Approx(5));
  REQUIRE(sum.quantile(1) == Approx(1e18));
}

// Central limit: 9 999 waits of a minute.
TEST_CASE("a sum of thousands of waits is about normal") {
  const std::vector<double> widths(9999, 60.0);
  const UniformSum sum{widths};
  const double mean = 9999 * 30.0;
  const double deviation = std::sqrt(9999 * 60.0 * 60.0 / 12);
  REQUIRE(sum.at_most(mean) == Approx(0.5).margin(UniformSum::kError));
  REQUIRE(sum.at_most(mean + deviation) == Approx(0.8413).margin(2e-3));
  REQUIRE(sum.quantile(0.9) == Approx(mean + 1.2816 * deviation).epsilon(1e-4));
}

// Ceilings 0.1, 0.2, … 25.6 s: together 51.1 s; half of it on average.
TEST_CASE("with the default policy every outage over 51 s loses every service whose starts fail at once") {
  const GivingUp giving_up{{}, RestartPolicy::on_failure, 0ns};
  REQUIRE(giving_up.when() == When::surely);
  REQUIRE(giving_up.loses_everybody_over() == std::optional<Duration>{51100ms});
  REQUIRE(giving_up.loses_nobody() == std::optional<Duration>{0ns});
  REQUIRE(static_cast<double>(giving_up.after(0.5)->count()) == Approx(25.55e9).epsilon(1e-3));
  REQUIRE(giving_up.lost_in_outage(51101ms).value == 1);
  REQUIRE(giving_up.lost_in_outage(25550ms).value == Approx(0.5).margin(1e-3));
}

// The tenth failure ends the tenth run; eight runs of a second and nine waits come before it.
TEST_CASE("runs that fail later make an outage longer that loses everybody, and the last need only begin in it") {
  const GivingUp giving_up{{}, RestartPolicy::on_failure, 1s};
  REQUIRE(giving_up.loses_everybody_over() == std::optional<Duration>{59100ms});
  REQUIRE(giving_up.everybody_after() == std::optional<Duration>{60100ms});
  REQUIRE(giving_up.loses_nobody() == std::optional<Duration>{8s});
  REQUIRE(giving_up.lost_in_outage(8s).value == 0);
  REQUIRE(*giving_up.after(0.5) - *giving_up.outage(0.5) == 1s);
}

TEST_CASE("which services are given up at once, never, or perhaps") {
  const auto of = [](BackoffPolicy policy, Duration fails_after = 0ns,
                     RestartPolicy restart = RestartPolicy::on_failure) {
    return GivingUp{policy, restart, fails_after};
  };
  REQUIRE(of({}, 0ns, RestartPolicy::never).when() == When::at_the_first_failure);
  REQUIRE(of({}, 0ns, RestartPolicy::never).lost_in_outage(1ns).value == 1);
  REQUIRE(of(policy_of(1s, 1s, 5min, 1, 1min)).when() == When::at_the_first_failure);
  BackoffPolicy endless;
  endless.breaker = std::nullopt;
  REQUIRE(of(endless).when() == When::never);
  REQUIRE(!of(endless).loses_everybody_over());
  REQUIRE(!of(endless).loses_nobody());
  // A run as long as the cooldown clears what was counted.
  REQUIRE(of(policy_of(1s, 1s, 5s, 3, 1min), 5s).when() == When::never);
  REQUIRE(of(policy_of(1s, 1s, 5s, 3, 1min), 4999ms).when() == When::surely);
  // Two waits of at most 10 s, 20 s and the runs between them: a window of exactly that still counts.
  REQUIRE(of(policy_of(10s, 60s, 5min, 3, 32s), 1s).when() == When::surely);
  REQUIRE(of(policy_of(10s, 60s, 5min, 3, 32s - 1ns), 1s).when() == When::perhaps);
  REQUIRE(of(policy_of(10s, 60s, 5min, 3, 2s), 1s).when() == When::perhaps);
  REQUIRE(of(policy_of(10s, 60s, 5min, 3, 2s - 1ns), 1s).when() == When::never);
}

// The waits' widths are 10 and 20 s, and 15 s are left: 15 s of (2x - 1)/4 in units of 10 s.
TEST_CASE("where the window may slide, there is a closed form as far as the first failures go") {
  const GivingUp giving_up{policy_of(10s, 60s, 5min, 3, 15s), RestartPolicy::on_failure, 0ns};
  REQUIRE(giving_up.at_first_chance() == Approx(0.5).margin(1e-3));
  REQUIRE(giving_up.after(0.1));
  REQUIRE(!giving_up.after(0.9));
  REQUIRE(!giving_up.loses_everybody_over());
  const auto lost = giving_up.lost_in_outage(1h);
  REQUIRE(lost.at_least);
  REQUIRE(lost.value == Approx(0.5).margin(1e-3));
  REQUIRE(!giving_up.lost_in_outage(8s).at_least);
  REQUIRE(giving_up.lost_in_outage(8s).value == Approx(0.16).margin(1e-3));
}

TEST_CASE("runs that neither open the breaker nor reset anything are a band between window and cooldown") {
  // Ten failures within 10 min are nine runs: over 66.67 s each takes too long.
  const auto band = dead_band(BackoffPolicy{});
  REQUIRE(band == std::optional{DeadBand{Duration{66'666'666'666}, 5min}});
  REQUIRE(!dead_band(policy_of(1s, 1s, 30s, 3, 1min)));
  REQUIRE(!dead_band(policy_of(1s, 1s, 0s, 1, 1min)));
  REQUIRE(dead_band(policy_of(1s, 1s, 30s + 2ns, 3, 1min)) == std::optional{DeadBand{30s, 30s + 2ns}});
}

TEST_CASE("restarts an hour are an hour divided by a run and half of the last ceiling") {
  const auto rate = [](const BackoffPolicy& policy, Duration fails_after) {
    return predict(scenario_of(policy), {.fails_after = fails_after, .services = 0}).groups.at(0).restarts_per_hour;
  };
  REQUIRE(rate({}, 0ns)->computed == 120'000);                                 // 60 s / 2
  REQUIRE(rate({}, 6s)->computed == 100'000);                                  // 6 s + 30 s
  REQUIRE(rate(policy_of(10s, 60s, 5s, 3, 1min), 5s)->computed == 360'000);    // each run resets: 5 s + 10 s / 2
  REQUIRE(rate(policy_of(0s, 60s, 5min, 3, 1min), 36s)->computed == 100'000);  // a base of zero never grows
  REQUIRE(!rate(policy_of(0s, 0s, 5min, 3, 1min), 0s));
}

// Twenty policies, each with its own way to fail: every closed form lies where the supervisor's own runs end.
struct Case {
  BackoffPolicy policy;
  Duration fails_after;
};

// How many closed forms were compared.
int held_in_the_simulation(const std::vector<Case>& cases) {
  int held = 0;
  for (std::size_t i = 0; i < cases.size(); i += HOLDFAST_SLOW_BUILD ? 8 : 1) {
    const auto& [policy, fails_after] = cases[i];
    const auto group = predict(scenario_of(policy), {.fails_after = fails_after}).groups.at(0);
    CAPTURE(i, to_string(fails_after), to_string(group.gives_up));
    const auto times = {group.given_up_after, group.outage_loses};
    for (const auto& three : times) {
      for (const auto& time : three) {
        if (!time.computed) continue;
        CAPTURE(time.share, to_string(*time.computed));
        REQUIRE(time.simulated);
        CAPTURE(to_string(time.simulated->low), to_string(time.simulated->high.value_or(Duration{-1})));
        // What never varies has an interval without a length; rounding may be off by half a nanosecond.
        REQUIRE(time.simulated->holds(*time.computed));
        ++held;
      }
    }
    if (group.gives_up == When::never) {
      for (const auto& time : group.given_up_after) REQUIRE(!time.simulated);
    }
    if (group.gives_up == When::surely) {
      REQUIRE(group.given_up_after[2].simulated->high <= *group.everybody_given_up_after);
      REQUIRE(group.outage_loses[0].simulated->low >= *group.outage_loses_nobody);
    }
    const auto& rate = *group.restarts_per_hour;
    REQUIRE(rate.simulated);
    CAPTURE(rate.computed, (*rate.simulated)[0], (*rate.simulated)[1]);
    REQUIRE((*rate.simulated)[0] <= rate.computed);
    REQUIRE(rate.computed <= (*rate.simulated)[1]);
    if (group.dead_band) {
      REQUIRE(group.dead_band->services > 0);
      REQUIRE(group.dead_band->given_up == 0);
      REQUIRE(group.dead_band->reset == 0);
    }
  }
  return held;
}

TEST_CASE("every closed form lies within what the simulation gives, for 20 policies") {
  const std::vector<Case> cases{
      {{}, 0ns},
      {{}, 20ms},
      {{}, 1s},
      {{}, 30s},
      {{}, 60s},
      {policy_of(1s, 1s, 5min, 2, 1min), 0ns},
      {policy_of(1s, 1s, 5min, 3, 1min), 0ns},
      {policy_of(1s, 60s, 5min, 5, 10min), 100ms},
      {policy_of(10s, 60s, 5min, 3, 15s), 0ns},
      {policy_of(10s, 60s, 5min, 3, 32s), 1s},
      {policy_of(10s, 60s, 5min, 3, 2s), 1s},
      {policy_of(10s, 60s, 5min, 3, 1s), 1s},
      {policy_of(1s, 1s, 5s, 3, 1min), 5s},
      {policy_of(0s, 0s, 5min, 10, 10min), 1s},
      {policy_of(0s, 60s, 5min, 4, 10min), 250ms},
      {policy_of(100ms, 10s, 1min, 100, 1h), 50ms},
      {policy_of(100ms, 5s, 1min, 200, 5min), 0ns},
      {policy_of(5s, 5s, 1h, 5, 24h), 10min},
      {policy_of(30s, 5min, 10min, 10, 1h), 1s},
      {policy_of(1ms, 1s, 10s, 50, 1min), 3ms},
  };
  REQUIRE(cases.size() == 20);
  REQUIRE(held_in_the_simulation(cases) > (HOLDFAST_SLOW_BUILD ? 7 : 70));
}

// The same for policies whose delays grow or are drawn in another way.
TEST_CASE("every closed form lies within what the simulation gives, for every delay law") {
  const auto with = [](BackoffPolicy policy, Growth growth, Jitter jitter) {
    policy.growth = growth;
    policy.jitter = jitter;
    return policy;
  };
  const BackoffPolicy five = policy_of(1s, 20s, 5min, 5, 10min);
  const std::vector<Case> cases{
      {with(five, {}, NoJitter{}), 1s},
      {with(five, {}, EqualJitter{}), 20ms},
      {with(five, {}, ProportionalJitter{Thousandths::of(0.1)}), 0ns},
      {with(five, {}, AdditiveJitter{Thousandths::of(0.25)}), 1s},
      {with(five, ExponentialGrowth{Thousandths::of(1.5)}, {}), 20ms},
      {with(five, LinearGrowth{3s}, {}), 20ms},
      {with(five, SteppedGrowth{3}, {}), 20ms},
      {with(five, FixedDelay{}, {}), 20ms},
      {with(five, LinearGrowth{3s}, NoJitter{}), 1s},
      {with(policy_of(10s, 60s, 5min, 3, 25s), {}, EqualJitter{}), 0ns},     // perhaps
      {with(policy_of(10s, 60s, 5min, 3, 14s), {}, EqualJitter{}), 0ns},     // never: at least 15 s
      {with(policy_of(10s, 60s, 5min, 3, 30s), {}, NoJitter{}), 0ns},        // surely, just so
      {with(policy_of(10s, 60s, 5min, 3, 30s - 1ns), {}, NoJitter{}), 0ns},  // never
      {with(policy_of(15s, 15s, 30min, 3, 30min), FixedDelay{}, AdditiveJitter{Thousandths::of(0.25)}), 1s},
  };
  REQUIRE(held_in_the_simulation(cases) > (HOLDFAST_SLOW_BUILD ? 4 : 50));
}

TEST_CASE("an outage shorter than the shortest waits loses nobody") {
  BackoffPolicy policy = policy_of(10s, 60s, 5min, 3, 10min);
  policy.jitter = EqualJitter{};
  const GivingUp giving_up{policy, RestartPolicy::on_failure, 1s};
  REQUIRE(giving_up.loses_nobody() == std::optional<Duration>{5s + 10s + 1s});
  REQUIRE(giving_up.loses_everybody_over() == std::optional<Duration>{10s + 20s + 1s});
  REQUIRE(giving_up.lost_in_outage(16s).value == 0);
  REQUIRE(giving_up.lost_in_outage(23500ms).value == Approx(0.5).margin(1e-3));
  policy.jitter = NoJitter{};
  const GivingUp exact{policy, RestartPolicy::on_failure, 1s};
  REQUIRE(exact.loses_nobody() == exact.loses_everybody_over());
  REQUIRE(exact.lost_in_outage(31s).value == 0);
  REQUIRE(exact.lost_in_outage(31s + 1ns).value == 1);
  REQUIRE(exact.after(0.5) == std::optional<Duration>{32s});
}

TEST_CASE("each start of a group fails as the outages of the scenario say that reach it") {
  auto scenario = scenario_of({}, 90s);
  scenario.fleet.push_back({.name = "engine"});
  scenario.chaos.push_back({2h, Outage{.target = {.of = {"engine"}}, .length = 1s, .fails_after = 5ms}});
  scenario.chaos.push_back({2h, Outage{.target = {.of = {"feed-3"}}, .length = 1s, .fails_after = 7ms}});
  const auto prediction = predict(scenario, {.services = 0});
  REQUIRE(prediction.groups.at(0).fails_after == 7ms);
  REQUIRE(prediction.groups.at(0).fails_after_of == std::optional<std::size_t>{2});
  REQUIRE(prediction.groups.at(1).fails_after == 5ms);
  REQUIRE(prediction.groups.at(1).outages.size() == 2);
  REQUIRE(predict(scenario_of({}), {.services = 0}).groups.at(0).fails_after == 1s);
  REQUIRE(!predict(scenario_of({}), {.services = 0}).groups.at(0).fails_after_of);
}

TEST_CASE("settings that are out of reach have a sentence each") {
  const auto sentences = [](const BackoffPolicy& policy, Duration fails_after) {
    const auto prediction = predict(scenario_of(policy), {.fails_after = fails_after, .services = 0});
    std::string all;
    for (const auto& one : prediction.groups.at(0).out_of_reach) all += one + "\n";
    return all;
  };
  REQUIRE(sentences({}, 0ns).find("the last ceiling is 25s600ms") != std::string::npos);
  REQUIRE(sentences(policy_of(10s, 60s, 5min, 3, 1s), 1s).find("at least 2s apart, and the window is 1s") !=
          std::string::npos);
  REQUIRE(sentences(policy_of(0s, 60s, 5min, 3, 1s), 1s).find("a base of 0s never grows") != std::string::npos);
  REQUIRE(sentences(policy_of(60s, 60s, 5min, 10, 1min), 0s).find("is out of reach") != std::string::npos);
  auto scenario = scenario_of({});
  scenario.fleet[0].behaviour.runs_for = Fixed{1min};
  REQUIRE(predict(scenario, {.services = 0}).groups.at(0).out_of_reach.back() ==
          "backoff.cooldown is 5min, but no run of feed lasts longer than 1min: nothing is ever reset");
  scenario.fleet[0].policy.restart = RestartPolicy::never;
  REQUIRE(predict(scenario, {.services = 0}).groups.at(0).out_of_reach ==
          std::vector<std::string>{"backoff: restart = \"never\" waits for nothing"});
}

// The default policy with starts that fail after 20 ms: 51.1 s of waits and eight runs.
TEST_CASE("an outage of the scenario that loses a whole group for certain is named, unless it is expected") {
  auto scenario = scenario_of({}, 51261ms);
  const auto loss = worst_certain_loss(scenario);
  REQUIRE(loss);
  REQUIRE(loss->over == 51260ms);
  REQUIRE(loss->group == "feed");
  REQUIRE(certain_loss_text(*loss).find("chaos[0].outage: lasts 51s261ms and loses every service of \"feed\"") == 0);
  REQUIRE(!worst_certain_loss(scenario_of({}, 51260ms)));
  auto expected = scenario;
  expected.expect.fleet.circuit_open = CountRange{0, 100};
  REQUIRE(!worst_certain_loss(expected));
  auto half = scenario;
  std::get<Outage>(half.chaos[0].what).target.share = Target::kWhole / 2;
  REQUIRE(!worst_certain_loss(half));
  auto one = scenario;
  std::get<Outage>(one.chaos[0].what).target.of = {"feed-1"};
  REQUIRE(!worst_certain_loss(one));
  auto gone = scenario;
  std::get<Outage>(gone.chaos[0].what).mode = OutageMode::gone;
  REQUIRE(!worst_certain_loss(gone));
  auto refusing = scenario;
  std::get<Outage>(refusing.chaos[0].what).mode = OutageMode::refusing;
  REQUIRE(!worst_certain_loss(refusing));
  auto partial = scenario;
  std::get<Outage>(partial.chaos[0].what).failing_starts = Ratio::from(0.9);
  REQUIRE(!worst_certain_loss(partial));
}

TEST_CASE("a prediction as text and as JSON says the same") {
  const auto prediction = predict(scenario_of({}, 90s), {.services = 100});
  const auto text = prediction_text(prediction, 100);
  REQUIRE(text.find("Every outage over 51.3s loses the whole group.") != std::string::npos);
  REQUIRE(text.find("chaos[0], an outage of 1min30s, loses 100 % of those that it reaches") != std::string::npos);
  const auto json = boost::json::parse(prediction_json(prediction)).as_object();
  const auto& group = json.at("groups").at(0).as_object();
  REQUIRE(group.at("outage_loses_everybody_over_ns") == 51'260'000'000);
  REQUIRE(group.at("gives_up") == "surely");
  REQUIRE(group.at("outages").at(0).at("lost_ppm") == 1'000'000);
  REQUIRE(prediction_json(prediction) == prediction_json(predict(scenario_of({}, 90s), {.services = 100})));
}

}  // namespace

}  // namespace holdfast::predict_test
