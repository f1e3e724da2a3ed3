// Configurations: what each field may be, what is said where it is something else, all of it at once; and the
// questionable ones, that are accepted with a warning that gives the numbers.

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <holdfast/policy.hpp>

namespace holdfast::policy_test {

namespace {

using namespace std::chrono_literals;
using Severity = Problem::Severity;

// Nothing is questionable about it.
const BackoffPolicy kSound{.base = 100ms, .max = 60s, .cooldown = 1min, .breaker = BreakerPolicy{10, 10min}};

std::string with_cooldown(Duration cooldown) {
  BackoffPolicy policy = kSound;
  policy.cooldown = cooldown;
  const auto found = problems(policy);
  return found.empty() ? "" : found[0].field + ' ' + found[0].says;
}

std::vector<Problem> errors(std::initializer_list<std::pair<const char*, const char*>> of) {
  std::vector<Problem> all;
  for (const auto& [field, says] : of) all.push_back({Severity::error, field, says});
  return all;
}

const std::string kAllowedName = "allowed are 1 to 255 bytes of UTF-8 without control or invisible characters";

}  // namespace

TEST_CASE("a sound configuration has no problems") {
  CHECK(problems(kSound).empty());
  CHECK(problems(SupervisorConfig{.backoff = kSound}).empty());
  CHECK(problems(ServiceConfig{.name = "a", .policy = {.backoff = kSound}}).empty());
  CHECK(problems(ServiceConfig{.name = "a"}).empty());
}

TEST_CASE("each duration is 0 to 36500 days, and the message names the field, its value and the range") {
  struct Field {
    std::string name;
    std::function<std::vector<Problem>(Duration)> set;
  };
  const auto backoff_field = [](Duration BackoffPolicy::*field) {
    return [field](Duration value) {
      BackoffPolicy policy = kSound;
      policy.base = 0ns;
      policy.max = kDurationMax;
      policy.breaker.reset();
      policy.*field = value;
      return problems(policy);
    };
  };
  const std::vector<Field> fields{
      {"shutdown_timeout",
       [](Duration value) { return problems(SupervisorConfig{.shutdown_timeout = value, .backoff = kSound}); }},
      {"stop_grace",
       [](Duration value) { return problems(ServiceConfig{.name = "a", .policy = {.stop_grace = value}}); }},
      {"backoff.base", backoff_field(&BackoffPolicy::base)},
      {"backoff.max", backoff_field(&BackoffPolicy::max)},
      {"backoff.cooldown", backoff_field(&BackoffPolicy::cooldown)},
      {"backoff.clean_restart_delay", backoff_field(&BackoffPolicy::clean_restart_delay)}};
  for (const auto& [name, set] : fields) {
    CAPTURE(name);
    for (const Duration good : {Duration{0}, Duration{1}, Duration{30s}, kDurationMax}) CHECK(set(good).empty());
    const std::vector<std::pair<Duration, std::string>> bad{{-1ns, "-1ns"},
                                                            {-5s, "-5s"},
                                                            {kDurationMax + 1ns, "36500d1ns"},
                                                            {Duration::max(), "106751d23h47min16s854ms775us807ns"},
                                                            {Duration::min(), "-106751d23h47min16s854ms775us808ns"}};
    for (const auto& [value, text] : bad) {
      CAPTURE(text);
      const auto found = set(value);
      const Problem expected{Severity::error, name, "is " + text + "; allowed is 0s to 36500d"};
      CHECK(std::count(found.begin(), found.end(), expected) == 1);
      CHECK(has_errors(found));
    }
  }
}

TEST_CASE("the base may not be above the maximum") {
  BackoffPolicy policy = kSound;
  policy.max = 1s;
  policy.base = 1s;
  CHECK_FALSE(has_errors(problems(policy)));
  policy.base = 1s + 1ns;
  CHECK(problems(policy) ==
        errors({{"backoff.base", "is 1s1ns, above backoff.max, which is 1s; allowed is 0s to backoff.max"}}));
  policy.max = 0ns;
  policy.base = 0ns;
  CHECK_FALSE(has_errors(problems(policy)));
}

TEST_CASE("a breaker takes 1 to 10000 failures") {
  for (const std::uint32_t value : {0U, 10'001U, 0xffff'ffffU}) {
    BackoffPolicy policy = kSound;
    policy.breaker = BreakerPolicy{value, 10min};
    CHECK(problems(policy) == errors({{"backoff.breaker.max_failures",
                                       ("is " + std::to_string(value) + "; allowed is 1 to 10000").c_str()}}));
  }
  for (const std::uint32_t value : {1U, 2U, 10'000U}) {
    CHECK_FALSE(has_errors(problems(BackoffPolicy{.breaker = BreakerPolicy{value, 10min}})));
  }
}

TEST_CASE("a breaker's window is 1 ns to 36500 days") {
  for (const auto& [value, text] :
       {std::pair{Duration{0}, "0s"}, std::pair{Duration{-1}, "-1ns"}, std::pair{kDurationMax + 1ns, "36500d1ns"}}) {
    BackoffPolicy policy = kSound;
    policy.breaker = BreakerPolicy{10, value};
    CHECK(problems(policy) ==
          errors({{"backoff.breaker.window", (std::string{"is "} + text + "; allowed is 1ns to 36500d").c_str()}}));
  }
  for (const Duration value : {Duration{1}, kDurationMax}) {
    CHECK_FALSE(has_errors(problems(BackoffPolicy{.breaker = BreakerPolicy{10, value}})));
  }
}

TEST_CASE("the numbers of growth and jitter have their ranges") {
  const auto growth = [](Growth law) { return problems(BackoffPolicy{.breaker = std::nullopt, .growth = law}); };
  const auto jitter = [](Jitter law) { return problems(BackoffPolicy{.breaker = std::nullopt, .jitter = law}); };
  for (const double good : {1.1, 1.5, 2.0, 100.0}) CHECK(growth(ExponentialGrowth{Thousandths::of(good)}).empty());
  CHECK(growth(ExponentialGrowth{Thousandths::of(1.099)}) ==
        errors({{"backoff.growth.exponential", "is 1.099; allowed is 1.1 to 100"}}));
  CHECK(growth(ExponentialGrowth{Thousandths::of(100.001)}) ==
        errors({{"backoff.growth.exponential", "is 100.001; allowed is 1.1 to 100"}}));
  CHECK(growth(LinearGrowth{-1ns}) == errors({{"backoff.growth.linear", "is -1ns; allowed is 0s to 36500d"}}));
  CHECK(growth(SteppedGrowth{0}) == errors({{"backoff.growth.steps", "is 0; allowed is 1 to 64"}}));
  CHECK(growth(SteppedGrowth{65}) == errors({{"backoff.growth.steps", "is 65; allowed is 1 to 64"}}));
  CHECK(growth(SteppedGrowth{64}).empty());
  CHECK(jitter(ProportionalJitter{}) == errors({{"backoff.jitter.proportional", "is 0; allowed is 0.001 to 1"}}));
  CHECK(jitter(AdditiveJitter{Thousandths::of(1.001)}) ==
        errors({{"backoff.jitter.additive", "is 1.001; allowed is 0.001 to 1"}}));
  CHECK(jitter(AdditiveJitter{Thousandths::of(1)}).empty());
}

TEST_CASE("a breaker whose waits are not drawn is out of reach when they alone are longer than its window") {
  BackoffPolicy policy{.base = 10s, .max = 60s, .cooldown = 15s, .breaker = BreakerPolicy{3, 30s}};
  policy.jitter = NoJitter{};
  CHECK(problems(policy).empty());  // 10 s + 20 s: a failure exactly as old as the window still counts
  policy.breaker->window = 30s - 1ns;
  policy.cooldown = 15s;
  CHECK(problems(policy) ==
        std::vector<Problem>{{Severity::warning, "backoff.breaker",
                              "is out of reach: 3 failures within 29s999ms999us999ns need 2 waits, which take 30s"}});
  policy.jitter = EqualJitter{};  // 5 to 10 s and 10 to 20 s
  policy.breaker->window = 22s;
  policy.cooldown = 11s;
  CHECK(problems(policy) ==
        std::vector<Problem>{{Severity::warning, "backoff.breaker",
                              "is out of reach: 3 failures within 22s need 2 waits, which take 22s500ms on average "
                              "and at most 30s"}});
}

TEST_CASE("a fixed delay has no band in which nothing is reset, because there is nothing to reset") {
  BackoffPolicy policy{.base = 1s, .max = 1s, .cooldown = 5min, .breaker = BreakerPolicy{5, 10s}};
  CHECK(problems(policy).size() == 1);
  policy.growth = FixedDelay{};
  CHECK(problems(policy).empty());
}

TEST_CASE("a name has 1 to 255 bytes") {
  CHECK(problems(ServiceConfig{.name = ""}) == errors({{"name", ("is empty; " + kAllowedName).c_str()}}));
  CHECK(problems(ServiceConfig{.name = std::string(255, 'x')}).empty());
  CHECK(problems(ServiceConfig{.name = std::string(256, 'x')}) ==
        errors({{"name", ("is 256 bytes long; " + kAllowedName).c_str()}}));
}

TEST_CASE("a name has no characters that do not show") {
  const auto says_of = [](const std::string& name) {
    const auto found = problems(ServiceConfig{.name = name});
    return found.empty() ? std::string{} : found.front().says;
  };
  // Story: "feed" with U+202E in it was another service than "feed", and looked like it.
  for (const auto& [character, number] : std::vector<std::pair<std::string, std::string>>{{"\u202e", "U+202E"},
                                                                                          {"\u2028", "U+2028"},
                                                                                          {"\u200b", "U+200B"},
                                                                                          {"\ufeff", "U+FEFF"},
                                                                                          {"\u2063", "U+2063"},
                                                                                          {"\u00ad", "U+00AD"},
                                                                                          {"\U000e0041", "U+E0041"}}) {
    CHECK(says_of("feed" + character) == "has the invisible character " + number + " at byte 4; " + kAllowedName);
  }
  CHECK(says_of("fe\xc2\x85"
                "ed") == "has a control character at byte 2; " + kAllowedName);  // C1
  CHECK(says_of("feed \u00a0é €").empty());
}

TEST_CASE("a name has no blank at either end") {
  const auto says_of = [](const std::string& name) {
    const auto found = problems(ServiceConfig{.name = name});
    return found.empty() ? std::string{} : found.front().says;
  };
  for (const std::string blank :
       {" ", "\u00a0", "\u1680", "\u2000", "\u2003", "\u200a", "\u202f", "\u205f", "\u3000"}) {
    CAPTURE(blank);
    CHECK(says_of(blank + "feed") == "begins with a blank, which nobody sees; leave it out");
    CHECK(says_of("feed" + blank) == "ends with a blank, which nobody sees; leave it out");
    CHECK(says_of("é" + blank) == "ends with a blank, which nobody sees; leave it out");
    CHECK(says_of(blank) == "begins with a blank, which nobody sees; leave it out");
    CHECK(says_of("fe" + blank + "ed").empty());
  }
  for (const std::string shows :
       {"\u00a1", "\u1681", "\u1fff", "\u2010", "\u2030", "\u3001", "\U00002070", "\U00020000"}) {
    CHECK(says_of(shows + "feed" + shows).empty());
  }
}

TEST_CASE("a name has no control characters, at any place; every other byte of UTF-8 may stand in it") {
  for (int byte = 0; byte < 0x80; ++byte) {
    CAPTURE(byte);
    for (const std::size_t place : {0U, 1U, 2U}) {
      std::string name = "ab";
      name.insert(place, 1, static_cast<char>(byte));
      const auto found = problems(ServiceConfig{.name = name});
      if (byte == ' ' && place != 1) {
        CHECK(has_errors(found));
      } else if (byte >= 0x20 && byte != 0x7f) {
        CHECK(found.empty());
      } else {
        const std::string says = "has a control character at byte " + std::to_string(place) + "; " + kAllowedName;
        CHECK(found == errors({{"name", says.c_str()}}));
      }
    }
  }
  for (const auto* const name : {"ü", "数据", "a b", "\xf0\x9f\x9a\x80", "x/y.z-1"}) {
    CAPTURE(name);
    CHECK(problems(ServiceConfig{.name = name}).empty());
  }
}

TEST_CASE("a name that is not UTF-8 is refused") {
  // Story: only control characters were looked for, and the bytes went on into traces that have to be UTF-8.
  for (const auto* const name : {"\xff", "\xc3", "a\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    CHECK(has_errors(problems(ServiceConfig{.name = name})));
  }
}

TEST_CASE("all problems are reported at once, in the order of the fields") {
  const SupervisorConfig config{.shutdown_timeout = -1s,
                                .backoff = {.base = -2s,
                                            .max = kDurationMax + 1ns,
                                            .cooldown = -4s,
                                            .clean_restart_delay = -5s,
                                            .breaker = BreakerPolicy{0, -6s}}};
  const auto found = problems(config);
  CHECK(found == errors({{"shutdown_timeout", "is -1s; allowed is 0s to 36500d"},
                         {"backoff.base", "is -2s; allowed is 0s to 36500d"},
                         {"backoff.max", "is 36500d1ns; allowed is 0s to 36500d"},
                         {"backoff.cooldown", "is -4s; allowed is 0s to 36500d"},
                         {"backoff.clean_restart_delay", "is -5s; allowed is 0s to 36500d"},
                         {"backoff.breaker.max_failures", "is 0; allowed is 1 to 10000"},
                         {"backoff.breaker.window", "is -6s; allowed is 1ns to 36500d"}}));
  CHECK(has_errors(found));
  CHECK(describe_errors(found) ==
        "shutdown_timeout is -1s; allowed is 0s to 36500d\n"
        "backoff.base is -2s; allowed is 0s to 36500d\n"
        "backoff.max is 36500d1ns; allowed is 0s to 36500d\n"
        "backoff.cooldown is -4s; allowed is 0s to 36500d\n"
        "backoff.clean_restart_delay is -5s; allowed is 0s to 36500d\n"
        "backoff.breaker.max_failures is 0; allowed is 1 to 10000\n"
        "backoff.breaker.window is -6s; allowed is 1ns to 36500d");
  const ConfigError error{found};
  CHECK(error.what() == describe_errors(found));
  CHECK(error.problems() == found);
  const auto of_service = problems(ServiceConfig{.name = "", .policy = {.backoff = config.backoff}});
  CHECK(of_service.size() == 7);
  CHECK(of_service[0].field == "name");
}

TEST_CASE("a policy that leaves a band of run times that neither trips nor resets says so, but not the default one") {
  const std::vector<Problem> expected{
      {Severity::warning, "backoff.cooldown",
       "leaves a band: runs that last more than 1min6s666ms666us666ns and less than 5min before they fail neither open "
       "the breaker (10 failures within 10min) nor reset the backoff"}};
  const BackoffPolicy set{.base = 101ms};
  CHECK(problems(set) == expected);
  CHECK(problems(SupervisorConfig{.backoff = set}) == expected);
  CHECK(problems(BackoffPolicy{}).empty());
  CHECK(problems(SupervisorConfig{}).empty());
  CHECK_FALSE(has_errors(expected));
  CHECK(describe_errors(expected).empty());
}

TEST_CASE("there is no band where every run that cannot trip resets") {
  // 10 failures within 10 min: nine gaps of 66.6… s fill the window.
  const Duration border = Duration{10min} / 9;
  CHECK(with_cooldown(border).empty());
  CHECK(with_cooldown(border - 1ns).empty());
  CHECK(with_cooldown(border + 1ns).empty());  // more than the border and less than the cooldown: nothing
  CHECK(with_cooldown(0ns).starts_with("backoff.cooldown is 0s, so that every run resets the backoff"));
  CHECK(with_cooldown(1ns).empty());
  CHECK(with_cooldown(border + 2ns).starts_with("backoff.cooldown leaves a band: runs that last more than "));
  BackoffPolicy policy{.cooldown = kDurationMax, .breaker = BreakerPolicy{1, 1ns}};
  CHECK(problems(policy).empty());  // the first failure trips, whatever it lasted
  policy.breaker.reset();
  CHECK(problems(policy).empty());
}

TEST_CASE("a breaker whose window the backoff alone can fill gets a warning with the numbers") {
  // Four waits of at most 1 s, 2 s, 4 s and 8 s: 15 s, 7.5 s on average.
  BackoffPolicy policy{.base = 1s, .max = 1h, .cooldown = 1ns, .breaker = BreakerPolicy{5, 7500ms}};
  CHECK(problems(policy) ==
        std::vector<Problem>{{Severity::warning, "backoff.breaker",
                              "is out of reach: 5 failures within 7s500ms need 4 waits, which take 7s500ms on average "
                              "and at most 15s"}});
  policy.breaker->window += 1ns;
  CHECK(problems(policy).empty());
}

TEST_CASE("both warnings are given where both hold") {
  const auto found = problems(BackoffPolicy{.base = 1h, .max = 1h, .cooldown = 1h, .breaker = BreakerPolicy{3, 1min}});
  REQUIRE(found.size() == 2);
  CHECK(found[0] == Problem{Severity::warning, "backoff.breaker",
                            "is out of reach: 3 failures within 1min need 2 waits, which take 1h on average and at "
                            "most 2h"});
  CHECK(found[1] == Problem{Severity::warning, "backoff.cooldown",
                            "leaves a band: runs that last more than 30s and less than 1h before they fail neither "
                            "open the breaker (3 failures within 1min) nor reset the backoff"});
}

TEST_CASE("the largest policy there may be is looked at without overflow") {
  const auto found = problems(BackoffPolicy{.base = kDurationMax,
                                            .max = kDurationMax,
                                            .cooldown = kDurationMax,
                                            .breaker = BreakerPolicy{kMaxFailuresMax, kDurationMax}});
  CHECK(found.size() == 2);
  CHECK_FALSE(has_errors(found));
}

TEST_CASE("no warning stands where an error stands") {
  const auto found = problems(BackoffPolicy{.base = 1h, .max = 1h, .cooldown = -1s, .breaker = BreakerPolicy{3, 1min}});
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == Severity::error);
}

TEST_CASE("the defaults are those of the field") {
  CHECK(SupervisorConfig{}.shutdown_timeout == 30s);
  CHECK(SupervisorConfig{}.when_all_terminated == WhenAllTerminated::wait);
  CHECK(ServiceConfig{}.policy.restart == RestartPolicy::on_failure);
  CHECK_FALSE(ServiceConfig{}.policy.backoff.has_value());
}

TEST_CASE("the words for policies are frozen") {
  CHECK(to_string(RestartPolicy::always) == "always");
  CHECK(to_string(RestartPolicy::on_failure) == "on_failure");
  CHECK(to_string(RestartPolicy::never) == "never");
  CHECK(to_string(WhenAllTerminated::wait) == "wait");
  CHECK(to_string(WhenAllTerminated::return_) == "return");
}

}  // namespace holdfast::policy_test
