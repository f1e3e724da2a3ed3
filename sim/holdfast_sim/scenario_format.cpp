#include <holdfast_sim/scenario_format.hpp>

#include <algorithm>

#include <holdfast_sim/detail/message_text.hpp>
#include <holdfast_sim/duration_text.hpp>

namespace holdfast::sim::format {

namespace {

using holdfast::to_string;

constexpr Duration kShortest{1};
constexpr auto kIntegerMax = static_cast<std::uint64_t>(INT64_MAX);

template <class Enumerators>
Word words_of(const Enumerators& enumerators) {
  Word word;
  for (const auto enumerator : enumerators) word.words.push_back(to_string(enumerator));
  return word;
}

// The tables, the inner ones first.

const Table& breaker() {
  static const Table table{{
      {"max_failures", {Integer{1, kMaxFailuresMax}}},
      {"window", {Length{kShortest}}},
  }};
  return table;
}

const Table& backoff() {
  static const Table table{{
      {"base", {Length{}}},
      {"max", {Length{}}},
      {"cooldown", {Length{}}},
      {"clean_restart_delay", {Length{}}},
      {"breaker", {Word{{"off"}}, Inner{breaker}}},
  }};
  return table;
}

const Table& supervisor() {
  static const Table table{{
      {"shutdown_timeout", {Length{}}},
      {"when_all_terminated", {words_of(kWhenAllTerminated)}},
      {"stop_grace", {Length{}}},
      {"backoff", {Inner{backoff}}},
  }};
  return table;
}

const Table& weibull() {
  static const Table table{{
      {"shape", {Number{kShapeMin, kShapeMax}}, true},
      {"scale", {Length{kShortest}}, true},
  }};
  return table;
}

const Table& log_normal() {
  static const Table table{{
      {"median", {Length{kShortest}}, true},
      {"sigma", {Number{Ratio{}, kSigmaMax}}, true},
  }};
  return table;
}

const Table& distribution() {
  static const Table table{{
                               {"uniform", {LengthPair{}}},
                               {"exponential", {Length{kShortest}}},
                               {"weibull", {Inner{weibull}}},
                               {"log_normal", {Inner{log_normal}}},
                           },
                           {"uniform", "exponential", "weibull", "log_normal"},
                           Table::Choice::exactly_one};
  return table;
}

const Table& fails_first() {
  static const Table table{{
      {"runs", {Integer{1, kIntegerMax}}, true},
      {"after", {Length{}}},
  }};
  return table;
}

const Table& on_stop() {
  static const Table table{{
      {"takes", {Length{}, Inner{distribution}}, true},
  }};
  return table;
}

const Table& fleet() {
  static const Table table{{
      {"name", {Name{}}, true},
      {"count", {Integer{1, kServicesMax}}},
      {"restart", {words_of(kRestartPolicies)}},
      {"runs_for", {Length{}, Inner{distribution}}, false, "then"},
      {"then", {words_of(kThens)}, false, "runs_for"},
      {"fails_first", {Inner{fails_first}}},
      {"on_stop", {Word{{"obey", "ignore"}}, Inner{on_stop}}},
      {"on_kill", {Word{{"obey", "ignore"}}, Inner{on_stop}}},
      {"stop_grace", {Length{}}},
      {"backoff", {Inner{backoff}}},
  }};
  return table;
}

const Key kOf{"of", {Text{}, Texts{1}}};
const Key kShare{"share", {Number{Ratio{}, Ratio::from(1), true}}};

const Table& storm() {
  static const Table table{{kOf, kShare}};
  return table;
}

const Table& outage() {
  static const Table table{{
      kOf,
      kShare,
      {"for", {Length{}}, true},
      {"fails_after", {Length{}}},
  }};
  return table;
}

const Table& hang() {
  static const Table table{{
      kOf,
      kShare,
      {"for", {Length{}}},
  }};
  return table;
}

const Table& recorded() {
  static const Table table{{
      {"file", {Text{}}, true},
      {"of", {Text{}}},
      {"fails_after", {Length{}}},
  }};
  return table;
}

const Table& chaos() {
  static const Table table{{
                               {"at", {Length{}}},  // required but for `recorded`: a further rule
                               {"storm", {Inner{storm}}},
                               {"outage", {Inner{outage}}},
                               {"hang", {Inner{hang}}},
                               {"shutdown", {True{}}},
                               {"recorded", {Inner{recorded}}},
                           },
                           {"storm", "outage", "hang", "shutdown", "recorded"},
                           Table::Choice::exactly_one};
  return table;
}

const Table& range() {
  static const Table table{{
                               {"min", {Integer{0, kIntegerMax}}},
                               {"max", {Integer{0, kIntegerMax}}},
                           },
                           {"min", "max"},
                           Table::Choice::at_least_one};
  return table;
}

std::vector<Key> counts() {
  std::vector<Key> keys;
  keys.reserve(kCounts.size());
  for (const auto& count : kCounts) keys.push_back({count.name, {Integer{0, kIntegerMax}, Inner{range}}});
  return keys;
}

const Table& expect_of_group() {
  static const Table table = [] {
    Table built{counts()};
    built.keys.insert(built.keys.begin(), {"name", {Text{}}, true});
    return built;
  }();
  return table;
}

const Table& expect() {
  static const Table table = [] {
    Table built{counts()};
    built.keys.push_back({"all_running_by", {Length{}}});
    built.keys.push_back({"all_terminated_by", {Length{}}});
    built.keys.push_back({"drained_by", {Length{}}});
    built.keys.push_back({"abandoned_services", {Texts{}}});
    built.keys.push_back({"fleet", {Tables{expect_of_group, kGroupsMax}}});
    return built;
  }();
  return table;
}

const Table& budget() {
  static const Table table{{
      {"events", {Integer{1, kIntegerMax}}},
      {"virtual_time", {Length{kShortest}}},
  }};
  return table;
}

std::string describe_table(const Table& table, const char* what) {
  std::vector<std::string_view> names;
  for (const auto& key : table.keys) names.push_back(key.name);
  const auto* const of = table.choice == Table::Choice::exactly_one ? " with one of: " : " with: ";
  return what + std::string{of} + detail::listed(names);
}

struct Describe {
  std::string operator()(const Text&) const { return "a text that is not empty"; }
  std::string operator()(const Name&) const { return "a text of 1 to " + std::to_string(kNameLengthMax) + " bytes"; }
  std::string operator()(const Word& word) const {
    std::string text = word.words.size() > 1 ? "one of " : "";
    for (std::size_t i = 0; i < word.words.size(); ++i) {
      if (i > 0) text += ", ";
      text += detail::in_quotes(word.words[i]);
    }
    return text;
  }
  std::string operator()(const Length& length) const {
    return "a length of time from " + to_string(length.min) + " to " + to_string(kDurationMax) + " like \"1h30min\"";
  }
  std::string operator()(const Integer& integer) const {
    return "a whole number from " + std::to_string(integer.min) + " to " + std::to_string(integer.max);
  }
  std::string operator()(const Number& number) const {
    return std::string{number.above_min ? "a number above " : "a number from "} + to_string(number.min) +
           (number.above_min ? " and up to " : " to ") + to_string(number.max);
  }
  std::string operator()(const True&) const { return "true"; }
  std::string operator()(const Texts& texts) const {
    return texts.min > 0 ? "an array of texts that is not empty" : "an array of texts";
  }
  std::string operator()(const LengthPair&) const {
    return "an array of two lengths of time, the least and the greatest, like [\"1s\", \"5s\"]";
  }
  std::string operator()(const Inner& inner) const { return describe_table(inner.table(), "a table"); }
  std::string operator()(const Tables& tables) const {
    return "an array of up to " + std::to_string(tables.max) + " tables";
  }
};

class Lister {
 public:
  void list(const std::string& path, const Table& table) {
    const bool listed_before = std::any_of(listing_.tables.begin(), listing_.tables.end(),
                                           [&table](const ListedTable& listed) { return listed.table == &table; });
    if (listed_before) return;
    listing_.tables.push_back({path, &table});
    for (const auto& key : table.keys) list_key((path.empty() ? "" : path + '.') + std::string{key.name}, key);
  }

  Listing take() { return std::move(listing_); }

 private:
  void list_key(const std::string& path, const Key& key) {
    listing_.keys.push_back({path, &key});
    for (const auto& form : key.forms) {
      if (const auto* const inner = std::get_if<Inner>(&form)) list(path, inner->table());
      if (const auto* const tables = std::get_if<Tables>(&form)) list(path, tables->table());
    }
  }

  Listing listing_;
};

}  // namespace

const Key* Table::find(std::string_view name) const noexcept {
  const auto found = std::find_if(keys.begin(), keys.end(), [name](const Key& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

const Table& scenario() {
  static const Table table{{
      {"name", {Name{}}, true},
      {"seed", {Integer{0, kIntegerMax}}},
      {"duration", {Length{kShortest}}},
      {"supervisor", {Inner{supervisor}}},
      {"fleet", {Tables{fleet, kGroupsMax}}},
      {"chaos", {Tables{chaos, kChaosMax}}},
      {"expect", {Inner{expect}}},
      {"budget", {Inner{budget}}},
  }};
  return table;
}

std::string describe(const Form& form) { return std::visit(Describe{}, form); }

std::string describe(const Key& key) {
  std::string text;
  for (const auto& form : key.forms) {
    if (!text.empty()) text += ", or ";
    text += describe(form);
  }
  return text;
}

Listing list_format() {
  Lister lister;
  lister.list("", scenario());
  return lister.take();
}

const std::vector<std::string_view>& further_rules() {
  static const std::vector<std::string_view> rules{
      "toml--syntax",
      "toml--encoding",
      "toml--repeated_key",
      "toml--nested_too_deep",
      "fleet--nobody",
      "fleet.name--repeated",
      "fleet.name--service_of_another_group",
      "fleet.name--too_long_with_number",
      "fleet.count--too_many_together",
      "fleet.runs_for.uniform--min_above_max",
      "fleet.on_stop.takes.uniform--min_above_max",
      "fleet.on_kill.takes.uniform--min_above_max",
      "supervisor.backoff--base_above_max",
      "fleet.backoff--base_above_max",
      "chaos.at--missing",
      "chaos.at--beyond_duration",
      "chaos.storm.of--unknown",
      "chaos.storm.of--repeated",
      "chaos.storm.of--also_in_group",
      "chaos.storm.of--unknown_number",
      "chaos.outage.of--unknown",
      "chaos.outage.of--repeated",
      "chaos.hang.of--unknown",
      "chaos.hang.of--repeated",
      "chaos.recorded.of--unknown",
      "chaos.recorded.of--no_count",
      "chaos.recorded.of--other_entity",
      "chaos.recorded.file--absolute",
      "chaos.recorded.file--not_found",
      "chaos.recorded.file--folder",
      "chaos.recorded--entity_is_a_group",
      "expect.fleet.name--unknown",
      "expect.fleet.name--repeated",
      "expect.spawned--min_above_max",
      "expect.fleet.spawned--min_above_max",
      "expect.all_running_by--beyond_duration",
      "expect.all_terminated_by--beyond_duration",
      "expect.drained_by--beyond_duration",
      "expect.abandoned_services--unknown",
      "expect.abandoned_services--group",
      "expect.abandoned_services--repeated",
      "recorded_trace--empty",
      "recorded_trace--no_header",
      "recorded_trace--only_comments",
      "recorded_trace--late_comment",
      "recorded_trace--empty_line",
      "recorded_trace--long_line",
      "recorded_trace--too_few_fields",
      "recorded_trace--no_entity",
      "recorded_trace--bad_entity",
      "recorded_trace--long_entity",
      "recorded_trace--bad_from",
      "recorded_trace--negative_from",
      "recorded_trace--long_until",
      "recorded_trace--until_before_from",
      "recorded_trace--bad_cause",
      "recorded_trace--every_row",
      "everything_at_once",
  };
  return rules;
}

}  // namespace holdfast::sim::format
