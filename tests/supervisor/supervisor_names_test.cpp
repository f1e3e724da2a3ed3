// Names and identities: which service has which name, until when, and in which order services are listed. Semantics.md,
// section 5, and rows 3, 11, 17 and 25 of section 4.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "supervisor_states.hpp"

namespace holdfast::test::supervisor_commands_test {

// Row 3: they overwrote each other in the map.
TEST_CASE("a second service of one name is refused with an error that names it, whatever the first is doing") {
  for (const State state : kStates) {
    CAPTURE(static_cast<int>(state));
    Fleet fleet{config_of(kSlow)};
    bring(fleet, state);
    const auto before = fleet.snapshot("a");
    const auto counters = fleet->counters();
    auto& second = fleet.script();
    const auto result = fleet->add({.name = "a"}, second);
    REQUIRE_FALSE(result);
    CHECK(result.refusal().reason == Refusal::Reason::name_taken);
    CHECK(result.refusal().message.find("\"a\"") != std::string::npos);
    CHECK(fleet.snapshot("a") == before);
    CHECK(fleet->counters() == counters);
    fleet.settle();
    CHECK(second.calls.empty());
  }
}

// Row 11: terminated services stayed in the map for ever.
TEST_CASE("the name of a terminated service is free at once when it is removed") {
  Fleet fleet;
  auto& first = fleet.add("a");
  first.end_cleanly();
  fleet.settle();
  const ServiceId old_id = fleet.snapshot("a").id;
  REQUIRE(fleet->remove("a"));
  auto& second = fleet.script();
  const auto added = fleet->add({.name = "a"}, second);
  REQUIRE(added);
  CHECK_FALSE(added.value() == old_id);
  fleet.settle();
  CHECK(second.calls == Lines{"start 1"});
  CHECK(fleet.snapshot("a").run == RunNumber{1});
  CHECK(fleet->counters() ==
        Counters{.spawned = 2, .starts = 2, .clean_exits = 1, .terminated = 1, .active_services = 1});
  first.end_cleanly();  // of the earlier life; the supervisor ignores it
  fleet.settle();
  CHECK(fleet.phase("a") == "running");
}

TEST_CASE("of hundreds of services each is found by its name, whichever others were removed and added again") {
  constexpr int kServices = 300;
  const auto name = [](int i) { return "s-" + std::to_string(i); };
  Fleet fleet;
  const auto add = [&](int i) { fleet.add(name(i)).on_stop = [](Run run) { run.end(Exit::clean()); }; };
  const auto every_one_is_found_but = [&](int third) {
    for (int i = 0; i < kServices; ++i) {
      CAPTURE(name(i));
      REQUIRE(fleet->snapshot(name(i)).has_value() == (i % 3 != third));
      if (i % 3 != third) REQUIRE(fleet->snapshot(name(i))->name == name(i));
    }
  };
  for (int i = 0; i < kServices; ++i) add(i);
  for (int third = 0; third < 3; ++third) {
    for (int i = third; i < kServices; i += 3) {
      REQUIRE(fleet->remove(name(i)));
      fleet.settle();
    }
    every_one_is_found_but(third);
    for (int i = third; i < kServices; i += 3) add(i);
  }
  every_one_is_found_but(3);
}

TEST_CASE("the name of a service that is alive stays taken until its removed event") {
  Fleet fleet;
  auto& a = fleet.add("a");
  REQUIRE(fleet->remove("a"));
  fleet.settle();
  CHECK_FALSE(fleet->add({.name = "a"}, a));
  a.end_cleanly();
  CHECK_FALSE(fleet->add({.name = "a"}, a));
  fleet.settle();
  CHECK(fleet->add({.name = "a"}, a));
  fleet.settle();
  CHECK(fleet.phase("a") == "running");
}

TEST_CASE("a sink that hears of the removal can add a service of that name at once") {
  Fleet fleet;
  auto& a = fleet.add("a");
  auto& successor = fleet.script();
  bool added = false;
  fleet.recorder.on_each = [&](const Event& event) {
    if (kind(event) == "removed") added = static_cast<bool>(fleet->add({.name = "a"}, successor));
  };
  REQUIRE(fleet->remove("a"));
  fleet.settle();
  a.end_cleanly();
  fleet.settle();
  CHECK(added);
  CHECK(successor.calls == Lines{"start 1"});
  fleet.recorder.on_each = nullptr;
}

TEST_CASE("commands for a name that nobody has are refused with an error that names it") {
  Fleet fleet;
  for (const auto& result : {fleet->stop("ghost"), fleet->restart("ghost"), fleet->remove("ghost")}) {
    REQUIRE_FALSE(result);
    CHECK(result.refusal().reason == Refusal::Reason::unknown_service);
    CHECK(result.refusal().message.find("\"ghost\"") != std::string::npos);
    CHECK_THROWS_WITH(result.value(), result.refusal().message);
  }
  CHECK(fleet.take() == Lines{});
}

// Row 17: it was recorded when its task was first polled.
TEST_CASE("a service is recorded when add returns, in starting, before its first run") {
  Fleet fleet;
  auto& a = fleet.script();
  fleet.pass(3s);
  const auto id = fleet->add({.name = "a", .policy = {.restart = RestartPolicy::never}}, a);
  REQUIRE(id);
  CHECK(fleet->service_count() == 1);
  CHECK(fleet->counters() == Counters{.spawned = 1, .active_services = 1});
  CHECK(fleet.snapshot("a") ==
        ServiceSnapshot{.name = "a", .id = id.value(), .restart = RestartPolicy::never, .phase = Phase::starting});
  CHECK(a.calls.empty());
  CHECK(fleet.recorder.lines().empty());
}

// However names come to lie beside each other in the table that finds them, and whichever of them leaves it.
TEST_CASE("every name is found, and no other, while services come and go at random") {
  constexpr std::size_t kNames = 60;
  Fleet fleet;
  std::vector<bool> present(kNames);
  std::uint64_t state = 1;
  const auto next = [&state](std::uint64_t below) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (state >> 33) % below;
  };
  const auto name_of = [](std::size_t which) { return "service " + std::to_string(which); };
  for (int step = 0; step < 2000; ++step) {
    CAPTURE(step);
    const std::size_t which = next(kNames);
    if (present[which]) {
      REQUIRE(fleet->remove(name_of(which)));
      fleet.settle();
    } else {
      fleet.add(name_of(which)).end_cleanly();
      fleet.settle();
    }
    present[which] = !present[which];
    for (std::size_t i = 0; i < kNames; ++i) REQUIRE(fleet->id(name_of(i)).has_value() == present[i]);
  }
}

// Row 25: in the random order of a hash map.
TEST_CASE("snapshots come in the order of adding, through removals, restarts in place and adding again") {
  Fleet fleet;
  const auto names = [&] {
    std::string all;
    for (const auto& snapshot : fleet->snapshots()) all += snapshot.name + ' ';
    return all;
  };
  std::string expected;
  for (int i = 0; i < 40; ++i) {
    const std::string name = "s" + std::to_string((i * 17) % 40);
    fleet.add(name);
    expected += name + ' ';
  }
  CHECK(names() == expected);
  Fleet other;
  for (const auto* const name : {"d", "b", "a", "c"}) other.add(name).end_cleanly();
  other.settle();
  const auto of_other = [&] {
    std::string all;
    for (const auto& snapshot : other->snapshots()) all += snapshot.name;
    return all;
  };
  REQUIRE(other->restart("b"));
  other.settle();
  CHECK(of_other() == "dbac");  // in the same place
  REQUIRE(other->remove("d"));
  CHECK(of_other() == "bac");
  other.add("d");
  CHECK(of_other() == "bacd");
  REQUIRE(other->remove("a"));
  REQUIRE(other->remove("c"));
  CHECK(of_other() == "bd");
}

// Story: the same object under two names was started twice, and a process was lost.
TEST_CASE("a service object is refused under a second name for as long as it is present under the first") {
  Fleet fleet;
  auto& service = fleet.add("a");
  const auto refused = fleet->add({.name = "b"}, service);
  REQUIRE_FALSE(refused);
  CHECK(refused.refusal().reason == Refusal::Reason::object_taken);
  CHECK(refused.refusal().message ==
        "add \"b\": its service object is that of \"a\"; each service needs an object of its own");
  CHECK(fleet->counters().spawned == 1);
  service.end_cleanly();
  fleet.settle();
  CHECK_FALSE(fleet->add({.name = "b"}, service));  // it may be restarted
  REQUIRE(fleet->restart("a"));
  fleet.settle();
  CHECK_FALSE(fleet->add({.name = "b"}, service));
  REQUIRE(fleet->remove("a"));
  fleet.settle();
  CHECK_FALSE(fleet->add({.name = "b"}, service));  // its run is alive
  service.end_cleanly();
  fleet.settle();
  CHECK(fleet->add({.name = "b"}, service));
}

}  // namespace holdfast::test::supervisor_commands_test
