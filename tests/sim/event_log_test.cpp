// The log keeps events beyond their views, and writes each as a line for a person.

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <holdfast/event_fields.hpp>
#include <holdfast/file/table_of.hpp>
#include <holdfast_sim/observe/detail/field_tags.hpp>
#include <holdfast_sim/observe/event_log.hpp>

namespace holdfast::sim::event_log_test {
namespace {

using namespace std::chrono_literals;

Event about(Duration at, std::string_view name, std::uint64_t run, const Event::What& what) {
  return {.at = TimePoint{} + at, .service = {.generation = 1}, .name = name, .run = {run}, .what = what};
}

// The digest counts those of the other kinds at compile time.
TEST_CASE("an added service has no more fields than there are tags") {
  std::size_t fields = 0;
  const event::Added what{};
  const ServicePolicy policy;
  visit_with_policy([&fields](std::string_view, const auto&) { ++fields; }, what, policy);
  CHECK(fields > 20);
  CHECK(fields <= detail::kFieldsOfAnEventMax);
}

TEST_CASE("every kind of event has its line") {
  const auto under = [](RestartPolicy restart) {
    return ServicePolicy{.restart = restart, .backoff = BackoffPolicy{}};
  };
  const ServicePolicy on_failure = under(RestartPolicy::on_failure), always = under(RestartPolicy::always);
  ServicePolicy never = under(RestartPolicy::never);
  never.stop_grace = 5s;
  const std::vector<std::pair<Event::What, std::string>> lines{
      {event::Added{&on_failure, {}}, "1s feed#2 added on_failure"},
      {event::Added{&always, {7}}, "1s feed#2 added always after 7 runs"},
      {event::Added{&never, {}, true}, "1s feed#2 added never stop_grace 5s can be killed"},
      {event::Warned{"backoff.breaker", "is out of reach"}, "1s feed#2 warned backoff.breaker is out of reach"},
      {event::Started{}, "1s feed#2 started"},
      {event::Running{}, "1s feed#2 running"},
      {event::Running{4711}, "1s feed#2 running as process 4711"},
      {event::Ended{Outcome::clean, 5min, {}}, "1s feed#2 ended clean after 5min"},
      {event::Ended{Outcome::failed, 10s, "boom"}, "1s feed#2 ended failed after 10s: boom"},
      {event::Ended{Outcome::threw, 0s, ""}, "1s feed#2 ended threw after 0s"},
      {event::BackingOff{BackoffCause::failure, 2, 200ms, 133ms},
       "1s feed#2 backing_off failure attempt 2 delay 133ms of 200ms"},
      {event::BackingOff{BackoffCause::clean_exit, 0, 100ms, 100ms}, "1s feed#2 backing_off clean_exit delay 100ms"},
      {event::BreakerTripped{3, 3}, "1s feed#2 breaker_tripped (3/3 failures)"},
      {event::Waiting{WaitsFor::restart_limit}, "1s feed#2 waiting for restart_limit"},
      {event::BreakerClosed{1}, "1s feed#2 breaker_closed after 1 opening"},
      {event::BreakerClosed{2}, "1s feed#2 breaker_closed after 2 openings"},
      {event::BackingOff{BackoffCause::breaker_open, 2, 20s, 17s},
       "1s feed#2 backing_off breaker_open opening 2 delay 17s of 20s"},
      {event::Commanded{Command::restart}, "1s feed#2 commanded restart"},
      {event::Stopping{StopCause::shutdown}, "1s feed#2 stopping shutdown"},
      {event::StopThrew{"no"}, "1s feed#2 stop_threw: no"},
      {event::Killed{5s}, "1s feed#2 killed after 5s"},
      {event::KillThrew{"no"}, "1s feed#2 kill_threw: no"},
      {event::Terminated{{Termination::Reason::completed}, "boom"}, "1s feed#2 terminated completed"},
      {event::Terminated{{Termination::Reason::cancelled}, "boom"}, "1s feed#2 terminated cancelled"},
      {event::Terminated{{Termination::Reason::circuit_open, 3, 3}, "boom"},
       "1s feed#2 terminated circuit breaker open (3/3 failures)"},
      {event::Terminated{{Termination::Reason::failed}, "boom"}, "1s feed#2 terminated failed: boom"},
      {event::Terminated{{.reason = Termination::Reason::abandoned, .after = 30s}, {}},
       "1s feed#2 terminated abandoned after 30s"},
      {event::EndedLate{Outcome::fatal, 1h, "boom"}, "1s feed#2 ended_late fatal after 1h: boom"},
      {event::Removed{}, "1s feed#2 removed"},
  };
  for (const auto& [what, line] : lines) CHECK(describe(about(1s, "feed", 2, what)) == line);
}

// Each kind of event with each of its texts in memory that is gone afterwards.
template <std::size_t Index = 0>
void keeps_every_text(const ServicePolicy& policy) {
  if constexpr (Index < std::variant_size_v<Event::What>) {
    EventLog log;
    {
      std::variant_alternative_t<Index, Event::What> what{};
      std::deque<std::string> texts;
      visit_fields(
          [&texts](std::string_view key, auto& value) {
            if constexpr (std::is_same_v<std::remove_reference_t<decltype(value)>, std::string_view>) {
              value = texts.emplace_back("a text that is long enough to be allocated: " + std::string{key});
            }
          },
          what);
      if constexpr (std::is_same_v<decltype(what), event::Added>) what.policy = &policy;
      log.on_event(about(1s, "feed", 1, what));
      for (auto& text : texts) std::fill(text.begin(), text.end(), '!');
    }
    visit_what(log.events().front().what, [](const auto& kept) {
      visit_fields(
          [](std::string_view key, const auto& value) {
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, std::string_view>) {
              CHECK(value == "a text that is long enough to be allocated: " + std::string{key});
            }
          },
          kept);
    });
    keeps_every_text<Index + 1>(policy);
  }
}

TEST_CASE("the log keeps every text of every kind of event beyond its view") {
  keeps_every_text(ServicePolicy{.backoff = BackoffPolicy{}});
}

TEST_CASE("the supervisor's own events are written under its name") {
  CHECK(describe({.at = TimePoint{} + 30s, .what = event::ShutdownRequested{ShutdownCause::all_terminated, 30s}}) ==
        "30s supervisor shutdown_requested all_terminated timeout 30s");
  CHECK(describe({.at = TimePoint{} + 1min, .what = event::Drained{DrainOutcome::cut_short}}) ==
        "1min supervisor drained cut_short");
  CHECK(describe({.at = TimePoint{} + 1min, .what = event::Drained{DrainOutcome::cut_short, ShutdownCause::sigint}}) ==
        "1min supervisor drained cut_short by SIGINT");
  CHECK(describe({.at = TimePoint{} + 1min, .what = event::RecordingFailed{"the disk is full"}}) ==
        "1min supervisor recording_failed: the disk is full");
  CHECK(describe({.what = event::Warned{"backoff.cooldown", "leaves a band"}}) ==
        "0s supervisor warned backoff.cooldown leaves a band");
}

TEST_CASE("the log keeps the texts and the policy of an event after they are gone") {
  EventLog log;
  {
    std::string name = "feed-17";
    std::string text = "a text that is too long to be kept in place";
    const ServicePolicy policy{.restart = RestartPolicy::always, .backoff = BackoffPolicy{.base = 7ms}};
    for (const Event::What& what :
         {Event::What{event::Added{&policy, {}}}, Event::What{event::Warned{text, text}},
          Event::What{event::Ended{Outcome::failed, 1s, text}}, Event::What{event::StopThrew{text}},
          Event::What{event::KillThrew{text}}, Event::What{event::Terminated{{Termination::Reason::failed}, text}},
          Event::What{event::EndedLate{Outcome::failed, 1s, text}}}) {
      log.on_event(about(1s, name, 1, what));
    }
    log.on_chaos({.name = name, .cause = text});
    name.assign(name.size(), 'x');
    text.assign(text.size(), 'x');
  }
  CHECK(log.lines() == std::vector<std::string>{
                           "1s feed-17#1 added always",
                           "1s feed-17#1 warned a text that is too long to be kept in place a text that is too long to "
                           "be kept in place",
                           "1s feed-17#1 ended failed after 1s: a text that is too long to be kept in place",
                           "1s feed-17#1 stop_threw: a text that is too long to be kept in place",
                           "1s feed-17#1 kill_threw: a text that is too long to be kept in place",
                           "1s feed-17#1 terminated failed: a text that is too long to be kept in place",
                           "1s feed-17#1 ended_late failed after 1s: a text that is too long to be kept in place"});
  CHECK(std::get<event::Added>(log.events().front().what).policy->backoff->base == 7ms);
  REQUIRE(log.chaos().size() == 1);
  CHECK(log.chaos().front().name == "feed-17");
  CHECK(log.chaos().front().cause == "a text that is too long to be kept in place");
}

TEST_CASE("the events of one service are picked out by its name, and the supervisor's belong to no service") {
  EventLog log;
  log.on_event(about(0s, "a", 1, event::Started{}));
  log.on_event(about(0s, "b", 1, event::Started{}));
  log.on_event({.what = event::Drained{DrainOutcome::drained}});
  log.on_event(about(1s, "a", 1, event::Running{}));
  CHECK(log.lines_of("a") == std::vector<std::string>{"0s a#1 started", "1s a#1 running"});
  CHECK(log.of("b").size() == 1);
  CHECK(log.of("").empty());
  CHECK(log.lines().size() == 4);
  log.clear();
  CHECK(log.events().empty());
  CHECK(log.lines().empty());
}

template <std::size_t... Index>
void every_member_is_a_field(std::index_sequence<Index...>) {
  const auto check = [](const auto& what) {
    using Kind = std::remove_cvref_t<decltype(what)>;
    std::size_t fields = 0;
    visit_fields([&fields](std::string_view, const auto&) { ++fields; }, what);
    INFO(Kind::kKind);
    CHECK(file::detail::members<Kind>() <= fields);  // a member may be several fields
  };
  (check(std::variant_alternative_t<Index, Event::What>{}), ...);
}

TEST_CASE("every member of an event is one of its fields, so that a log keeps its texts") {
  every_member_is_a_field(std::make_index_sequence<std::variant_size_v<Event::What>>{});
}

TEST_CASE("chaos and ends of simulations have text forms") {
  CHECK(to_string(ChaosEvent::Kind::storm) == "storm");
  CHECK(to_string(ChaosEvent::Kind::outage) == "outage");
  CHECK(to_string(ChaosEvent::Kind::hang) == "hang");
  CHECK(to_string(ChaosEvent::Kind::gone) == "gone");
  CHECK(to_string(ChaosEvent::Kind::failing_starts) == "failing_starts");
  CHECK(to_string(EndReason::finished) == "finished");
  CHECK(to_string(EndReason::stalled) == "stalled");
  CHECK(to_string(EndReason::events_budget) == "events_budget");
  CHECK(to_string(EndReason::time_budget) == "time_budget");
}

}  // namespace
}  // namespace holdfast::sim::event_log_test
