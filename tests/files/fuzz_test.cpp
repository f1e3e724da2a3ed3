// What the fuzzers are given: dictionaries that hold the whole format, and kept inputs that somebody can understand.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/json.hpp>

#include <holdfast/event_fields.hpp>
#include <holdfast/recorder.hpp>
#include <holdfast_sim/observe/detail/chaos_fields.hpp>
#include <holdfast_sim/scenario/recorded_trace.hpp>
#include <holdfast_sim/stage/virtual_scheduler.hpp>

namespace holdfast::fuzz_test {

namespace {

using namespace holdfast::sim;
namespace fs = std::filesystem;

const fs::path kFolder = fs::path{HOLDFAST_SOURCE_DIR} / "tests/fuzz";

std::string text_of(const fs::path& file) {
  std::ifstream stream{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

// The lines of a dictionary. That of scenarios has the keys of the format from its schema (schema_test.py).
std::set<std::string> entries_of(const char* name) {
  std::ifstream in{kFolder / name};
  std::set<std::string> entries;
  for (std::string line; std::getline(in, line);) entries.insert(line);
  return entries;
}

// `text` as an entry of a dictionary.
std::string plain(std::string_view text) { return '"' + std::string{text} + '"'; }
std::string quoted(std::string_view text) { return "\"\\\"" + std::string{text} + "\\\"\""; }
std::string json_key(std::string_view text) { return "\"\\\"" + std::string{text} + "\\\":\""; }

// Calls say(kind, What{}) for each kind of event.
template <class Say, std::size_t... Index>
void for_each_kind(const Say& say, std::index_sequence<Index...>) {
  (say(std::variant_alternative_t<Index, Event::What>{}), ...);
}

}  // namespace

TEST_CASE("the dictionary of recorded traces holds the header and every unit") {
  const auto entries = entries_of("recorded_trace_fuzz.dict");
  CHECK(entries.contains(plain(kRecordedHeader)));
  for (const char* const unit : {"d", "h", "min", "s", "ms", "us", "ns"}) CHECK(entries.contains(plain(unit)));
}

TEST_CASE("the dictionary of traces holds every kind of event and every field") {
  const auto entries = entries_of("trace_fuzz.dict");
  const auto demand = [&entries](std::string_view key, const auto&) {
    INFO(key);
    CHECK(entries.contains(json_key(key)));
  };
  const ServicePolicy policy{.backoff = BackoffPolicy{}};
  for_each_kind(
      [&](const auto& kind) {
        using Kind = std::remove_cvref_t<decltype(kind)>;
        INFO(Kind::kKind);
        CHECK(entries.contains(quoted(Kind::kKind)));
        if constexpr (event::HasPolicy<Kind>) {
          visit_with_policy(demand, kind, policy);
        } else {
          visit_fields(demand, kind);
        }
      },
      std::make_index_sequence<std::variant_size_v<Event::What>>{});
  for (std::uint8_t kind = 0; to_string(ChaosEvent::Kind{kind}) != "?"; ++kind) {
    INFO(to_string(ChaosEvent::Kind{kind}));
    CHECK(entries.contains(quoted(to_string(ChaosEvent::Kind{kind}))));
  }
  const ChaosEvent chaos;
  const Counters counters;
  visit_backoff(demand, BackoffPolicy{});
  visit_chaos(demand, chaos);
  visit_counters(demand, counters);
}

TEST_CASE("the dictionary of recordings holds every key of what a recorder writes") {
  std::ostringstream out;
  class Nothing final : public EventSink {
    void on_event(const Event&) override {}
  } nothing;
  {
    VirtualScheduler scheduler;
    Recorder recorder{out, scheduler, {}, Seed{1}, nothing};
    const ServiceId id{0, 1};
    const ServicePolicy policy{RestartPolicy::always, BackoffPolicy{}, Duration{1}};
    recorder.on_arrival({{}, "a", arrival::Added{&policy, true, false}});
    recorder.on_arrival({{}, "a", arrival::Ended{id, RunNumber{1}, Outcome::clean, ""}});
    recorder.on_event({TimePoint{1}, id, "a", 0, 1, {}, event::StopThrew{"x"}});
  }
  const auto entries = entries_of("recording_fuzz.dict");
  std::istringstream in{out.str()};
  std::size_t keys = 0;
  for (std::string line; std::getline(in, line);) {
    const auto value = boost::json::parse(line);
    for (const auto& [key, unused] : value.get_object()) {
      INFO(key);
      CHECK(entries.contains(json_key({key.data(), key.size()})));
      ++keys;
    }
  }
  CHECK(keys > 30);
}

TEST_CASE("every kept input has a line that says what it was") {
  const auto readme = text_of(kFolder / "README.md");
  for (const char* const kept : {"corpus", "regressions"}) {
    for (const auto& entry : fs::recursive_directory_iterator{kFolder / kept}) {
      if (!entry.is_regular_file()) continue;
      INFO(entry.path().string());
      CHECK(readme.find('`' + entry.path().filename().string() + '`') != std::string::npos);
    }
  }
}

}  // namespace holdfast::fuzz_test
