// A fleet whose services are in groups, for the tests of groups.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "support.hpp"

namespace holdfast::test {

// Every failure is followed by a delay of this length exactly.
inline BackoffPolicy delay_of(Duration delay, std::optional<BreakerPolicy> breaker = std::nullopt) {
  return {.base = delay, .max = delay, .breaker = breaker, .growth = FixedDelay{}, .jitter = NoJitter{}};
}

struct Grouped {
  explicit Grouped(SupervisorConfig config = config_of(delay_of(1s))) : fleet(config) {}
  // a, b, c in the group "/g".
  explicit Grouped(Strategy strategy, std::optional<RestartIntensity> intensity = std::nullopt) : Grouped() {
    group("/g", strategy, intensity);
    for (const auto* const name : {"a", "b", "c"}) add(name);
    (void)take();
  }

  void group(const std::string& path, Strategy strategy, std::optional<RestartIntensity> intensity = std::nullopt) {
    const auto added = fleet->add_group({.path = path, .policy = {.strategy = strategy, .intensity = intensity}});
    if (!added) FAIL(added.refusal().message);
    fleet.settle();
  }
  Script& add(const std::string& name, ServicePolicy policy = {}, std::string group = "/g") {
    policy.group = std::move(group);
    Script& script = fleet.script();
    const auto added = fleet->add({.name = name, .policy = policy}, script);
    if (!added) FAIL(added.refusal().message);
    fleet.settle();
    return *(scripts[name] = &script);
  }
  Script& of(const std::string& name) { return *scripts.at(name); }
  // Each run ends as soon as it is asked to stop.
  void let_all_obey() {
    for (const auto& [name, script] : scripts) script->on_stop = [](Run run) { run.end(Exit::clean()); };
  }
  // Without the lines of `added`, `running`, `ended` and `commanded`.
  Lines take() {
    Lines lines = fleet.take();
    std::erase_if(lines, [](const std::string& line) {
      for (const auto* const kind : {" added ", " group_added ", " running ", " ended ", " commanded "}) {
        if (line.find(kind) != std::string::npos) return true;
      }
      return false;
    });
    return lines;
  }
  // The same without the time: "a stopping sibling".
  Lines take_untimed() {
    Lines lines = take();
    for (auto& line : lines) line.erase(0, line.find(' ') + 1);
    return lines;
  }

  // One of these; empty: there are not so many.
  std::string take_line(std::size_t index) {
    const Lines lines = take_untimed();
    return index < lines.size() ? lines[index] : std::string{};
  }

  Fleet fleet;
  std::map<std::string, Script*> scripts;
};

}  // namespace holdfast::test
