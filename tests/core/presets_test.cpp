// The presets: each law against the delays and the giving up that its peer's source says.

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <holdfast/backoff.hpp>
#include <holdfast/presets.hpp>

namespace holdfast::presets_test {

namespace {

using namespace std::chrono_literals;

BackoffPolicy policy_of(std::string_view name) {
  const Preset* const preset = find_preset(name);
  REQUIRE(preset != nullptr);
  return preset->policy;
}

std::vector<Duration> delays(const BackoffPolicy& policy, Attempt count) {
  std::vector<Duration> all;
  for (Attempt k = 1; k <= count; ++k) {
    const DelayRange range = delay_range(policy, k);
    CHECK(range.least == range.most);
    all.push_back(range.most);
  }
  return all;
}

}  // namespace

TEST_CASE("every preset is a sound policy, and stands in the order of the alphabet") {
  CHECK(presets().size() == 8);
  CHECK(std::is_sorted(presets().begin(), presets().end(),
                       [](const Preset& a, const Preset& b) { return a.name < b.name; }));
  for (const auto& preset : presets()) {
    CAPTURE(std::string{preset.name});
    CHECK(problems(preset.policy).empty());
    CHECK(find_preset(preset.name) == &preset);
    for (const auto text : {preset.of, preset.source, preset.differs}) {
      CHECK(!text.empty());
      CHECK(text.find('|') == std::string_view::npos);  // it stands in a table
    }
  }
  CHECK(find_preset("Systemd") == nullptr);
  CHECK(find_preset("") == nullptr);
}

TEST_CASE("the presets wait as their peers do") {
  using Delays = std::vector<Duration>;
  CHECK(delays(policy_of("docker"), 11) ==
        Delays{100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 12800ms, 25600ms, 51200ms, 60s});
  CHECK(delays(policy_of("kubernetes"), 7) == Delays{10s, 20s, 40s, 80s, 160s, 300s, 300s});
  CHECK(delays(policy_of("supervisord"), 3) == Delays{1s, 2s, 3s});
  CHECK(delays(policy_of("otp"), 2) == Delays{0s, 0s});
  CHECK(delays(policy_of("runit"), 3) == Delays{1s, 1s, 1s});
  CHECK(delays(policy_of("s6"), 3) == Delays{1s, 1s, 1s});
  CHECK(delays(policy_of("systemd"), 3) == Delays{100ms, 100ms, 100ms});
  CHECK(delay_range(policy_of("nomad"), 2) == DelayRange{15s, 18750ms});
}

TEST_CASE("the presets give up and forget as their peers do") {
  const auto gives_up = [](std::string_view name) { return policy_of(name).breaker; };
  CHECK(gives_up("systemd") == BreakerPolicy{5, 10s, {}, BreakerCounts::ends});
  CHECK(gives_up("nomad") == BreakerPolicy{3, 30min, {}, BreakerCounts::ends});
  CHECK(gives_up("otp") == BreakerPolicy{2, 5s, {}, BreakerCounts::ends});
  CHECK(gives_up("supervisord") == BreakerPolicy{4, kDurationMax});
  for (const auto* const never : {"docker", "kubernetes", "runit", "s6"}) CHECK(!gives_up(never));
  CHECK(policy_of("docker").cooldown == 10s);
  CHECK(policy_of("kubernetes").cooldown == 10min);
  CHECK(policy_of("supervisord").cooldown == 1s);
}

// RestartSec=100ms RestartSteps=8 RestartMaxDelaySec=1min
TEST_CASE("systemd's steps are a refinement of its preset") {
  BackoffPolicy policy = policy_of("systemd");
  policy.growth = SteppedGrowth{8};
  policy.max = 60s;
  CHECK(delay_range(policy, 1).most == 100ms);
  CHECK(delay_range(policy, 5).most == Duration{2'449'489'742});  // 100 ms * sqrt(600)
  CHECK(delay_range(policy, 9).most == 60s);
}

}  // namespace holdfast::presets_test
