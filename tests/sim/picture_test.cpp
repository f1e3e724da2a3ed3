// The fleet as cells, on histories written by hand, and the page that shows them.
#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/picture/fleet_map.hpp>
#include <holdfast_sim/present/report_html.hpp>
#include <holdfast_sim/rehearsal.hpp>

namespace holdfast::picture_test {

namespace {

using namespace holdfast::sim;
using namespace std::chrono_literals;

TimePoint at(Duration since_zero) { return TimePoint{} + since_zero; }

// One letter a cell: a capital in a fault.
std::string letters(const FleetMap::Row& row) {
  constexpr std::string_view kLetters = ".rwsld";
  constexpr std::string_view kInFaults = ".RWSLD";
  std::string text;
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    const auto cell = static_cast<std::uint8_t>(row.cells[i] & 15U);
    std::uint64_t run = (row.cells[i] >> 4U) + 1U;
    if (run == 16) {
      for (unsigned shift = 0;; shift += 7) {
        const std::uint8_t next = row.cells[++i];
        run += std::uint64_t{next & 127U} << shift;
        if ((next & 128U) == 0) break;
      }
    }
    text.append(run, (cell & kInFault) != 0 ? kInFaults[cell & 7U] : kLetters[cell & 7U]);
  }
  return text;
}

// Gives a map the events that a supervisor and chaos would report.
class History {
 public:
  explicit History(FleetMap& map) : map_(map) {}

  void tell(Duration when, std::uint32_t slot, std::string_view name, Event::What what, std::uint64_t run = 1) {
    Event event;
    event.at = at(when);
    event.service = {slot, 1};
    event.name = name;
    event.run = {run};
    event.what = what;
    map_.on_event(event);
  }
  void add(Duration when, std::uint32_t slot, std::string_view name) {
    tell(when, slot, name, event::Added{&policy_, {}});
  }
  void fault(Duration when, std::uint32_t slot, std::string_view name, Duration until, ChaosEvent::Kind kind) {
    ChaosEvent event;
    event.at = at(when);
    event.service = {slot, 1};
    event.name = name;
    event.kind = kind;
    event.until = at(until);
    map_.on_chaos(event);
  }

 private:
  FleetMap& map_;
  const ServicePolicy policy_{.backoff = BackoffPolicy{}};
};

TEST_CASE("a cell shows the state in which its service was longest") {
  FleetMap map{10s, 10};
  History history{map};
  history.add(0s, 0, "feed");
  history.tell(0s, 0, "feed", event::Started{});
  history.tell(0s, 0, "feed", event::Running{});
  history.tell(2400ms, 0, "feed", event::Ended{Outcome::failed, 2400ms, "x"});
  history.tell(2400ms, 0, "feed", event::BackingOff{BackoffCause::failure, 1, 1s, 1s});
  history.tell(4600ms, 0, "feed", event::Started{}, 2);
  history.tell(4600ms, 0, "feed", event::Running{}, 2);
  history.tell(7s, 0, "feed", event::Stopping{StopCause::stop});
  history.tell(8s, 0, "feed", event::Terminated{{.reason = Termination::Reason::cancelled}, ""});
  map.finish(at(10s));
  REQUIRE(letters(map.rows().at(0)) == "rrwwwrrsdd");
  REQUIRE(map.rows().at(0).first_trouble == std::optional{at(2400ms)});
  REQUIRE(map.restarts() == std::vector<std::uint64_t>{0, 0, 0, 0, 1, 0, 0, 0, 0, 0});
}

TEST_CASE("a service that comes later is absent before, and one that was given up is lost to the end") {
  FleetMap map{6s, 6};
  History history{map};
  history.add(2s, 0, "late");
  history.tell(3s, 0, "late", event::Terminated{{.reason = Termination::Reason::circuit_open}, "x"});
  map.finish(at(6s));
  REQUIRE(letters(map.rows().at(0)) == "..wlll");
}

TEST_CASE("a service that its policy forgets stays what it was, and one that a command removes is done") {
  FleetMap map{5s, 5};
  History history{map};
  const auto ends = [&](std::uint32_t slot, std::string_view name, Termination::Reason reason, bool forgotten) {
    history.add(0s, slot, name);
    history.tell(2s, slot, name, event::Terminated{{.reason = reason}, "x"});
    history.tell(2s, slot, name, event::Removed{.forgotten = forgotten});
  };
  ends(0, "lost", Termination::Reason::failed, true);
  ends(1, "job", Termination::Reason::completed, true);
  ends(2, "removed", Termination::Reason::failed, false);
  map.finish(at(5s));
  REQUIRE(letters(map.rows().at(0)) == "wwlll");
  REQUIRE(letters(map.rows().at(1)) == "wwddd");
  REQUIRE(letters(map.rows().at(2)) == "wwddd");
}

TEST_CASE("a cell is in a fault that lasts for most of it, and a hang lasts as long as its run") {
  FleetMap map{10s, 10};
  History history{map};
  for (const std::uint32_t slot : {0U, 1U}) {
    const std::string_view name = slot == 0 ? "a" : "b";
    history.add(0s, slot, name);
    history.tell(0s, slot, name, event::Started{});
    history.tell(0s, slot, name, event::Running{});
  }
  history.fault(2600ms, 0, "a", 5s, ChaosEvent::Kind::hang);
  history.fault(3s, 0, "a", 4s, ChaosEvent::Kind::hang);  // within the other
  history.fault(1s, 1, "b", 1h, ChaosEvent::Kind::run_hang);
  history.tell(3s, 1, "b", event::Ended{Outcome::failed, 3s, "killed"});
  history.tell(3s, 1, "b", event::BackingOff{BackoffCause::failure, 1, 1s, 1s});
  map.finish(at(10s));
  REQUIRE(letters(map.rows().at(0)) == "rrrRRrrrrr");
  REQUIRE(letters(map.rows().at(1)) == "rRRwwwwwww");
}

// Story: a run that had waited for a resource was in a fault to the end of the page, also after it was served.
TEST_CASE("a run that waits for a resource shows as waiting until it is served or ends, and that is no fault") {
  FleetMap map{8s, 8};
  History history{map};
  for (const std::uint32_t slot : {0U, 1U}) {
    const std::string_view name = slot == 0 ? "served" : "gives_up";
    history.add(0s, slot, name);
    history.tell(0s, slot, name, event::Started{});
    history.fault(0s, slot, name, 10h, ChaosEvent::Kind::waits);
    history.tell(0s, slot, name, event::Running{});
  }
  history.fault(3s, 0, "served", 3s, ChaosEvent::Kind::served);
  history.tell(4s, 1, "gives_up", event::Ended{Outcome::failed, 4s, "x"});
  history.tell(4s, 1, "gives_up", event::Started{}, 2);
  history.tell(4s, 1, "gives_up", event::Running{}, 2);
  map.finish(at(8s));
  REQUIRE(letters(map.rows().at(0)) == "wwwrrrrr");
  REQUIRE(letters(map.rows().at(1)) == "wwwwrrrr");
  REQUIRE(map.rows().at(0).first_trouble == std::nullopt);
  REQUIRE(map.faults().empty());
}

TEST_CASE("faults that begin and end together are one, with how many services they reached") {
  FleetMap map{10s, 10};
  History history{map};
  history.add(0s, 0, "a");
  history.add(0s, 1, "b");
  history.fault(1s, 0, "a", 5s, ChaosEvent::Kind::outage);
  history.fault(1s, 1, "b", 5s, ChaosEvent::Kind::outage);
  history.fault(2s, 1, "b", 2s, ChaosEvent::Kind::storm);
  map.finish(at(10s));
  const auto faults = map.faults();
  REQUIRE(faults.size() == 2);
  REQUIRE(faults[0].services == 2);
  REQUIRE(faults[1].kind == ChaosEvent::Kind::storm);
}

TEST_CASE("runs of equal cells of every length come back as they were") {
  for (const std::uint32_t length : {1U, 15U, 16U, 17U, 143U, 144U, 145U, 5000U}) {
    FleetMap map{1s * length, length};
    History history{map};
    history.add(0s, 0, "a");
    map.finish(at(1s * length));
    REQUIRE(letters(map.rows().at(0)) == std::string(length, 'w'));
  }
}

TEST_CASE("a length that the buckets do not divide ends within the last one") {
  FleetMap map{10s, 3};
  History history{map};
  history.add(0s, 0, "a");
  map.finish(at(10s));
  REQUIRE(map.buckets() == 3);
  REQUIRE(letters(map.rows().at(0)) == "www");
}

Scenario scenario_of(std::uint32_t count, const std::string& name) {
  Scenario scenario;
  scenario.name = name;
  scenario.seed = {18446744073709551615U};
  scenario.duration = 24h;
  scenario.fleet.push_back({.name = "feed", .count = count, .behaviour = {.runs_for = Exponential{1h}}});
  scenario.chaos.push_back({6h, Outage{.length = 90s}});
  return scenario;
}

std::string page_of(const Scenario& scenario) {
  const auto result = rehearse(scenario);
  const auto map = draw_fleet(scenario, result.seed, result.report.end.at - TimePoint{},
                              buckets_of_page(result.report.fleet.services));
  return report_html(scenario, result, map);
}

TEST_CASE("a map agrees with the report about lost services, and is the same each time") {
  const auto scenario = scenario_of(50, "small");
  const auto result = rehearse(scenario);
  const auto map = draw_fleet(scenario, result.seed, 24h, 1000);
  std::uint64_t lost = 0;
  std::uint64_t restarts = 0;
  for (const auto& row : map.rows()) {
    const auto cells = letters(row);
    REQUIRE(cells.size() == map.buckets());
    lost += cells.back() == 'l' ? 1U : 0U;
  }
  for (const auto count : map.restarts()) restarts += count;
  REQUIRE(lost == result.report.lost_at_end);
  REQUIRE(lost > 0);
  REQUIRE(restarts == result.report.fleet.restarts);
  REQUIRE(page_of(scenario) == page_of(scenario));
}

TEST_CASE("the page of a thousand services over a day has at most 3 MB, and asks no network for anything") {
  const auto page = page_of(scenario_of(1000, "large"));
  REQUIRE(page.size() < 3'000'000);
  REQUIRE(page.find("http:") == std::string::npos);
  REQUIRE(page.find("https:") == std::string::npos);
  REQUIRE(page.find("src=") == std::string::npos);
}

TEST_CASE("a name cannot become a part of the page, and a large seed keeps its digits") {
  const auto page = page_of(scenario_of(2, "</script><b>\"&"));
  REQUIRE(page.find("</script><b>") == std::string::npos);
  REQUIRE(page.find("&lt;/script&gt;&lt;b&gt;&quot;&amp;") != std::string::npos);
  REQUIRE(page.find("\"seed\":\"18446744073709551615\"") != std::string::npos);
}

}  // namespace

}  // namespace holdfast::picture_test
