#include <holdfast_sim/search/shrink.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include <holdfast/detail/assert.hpp>
#include <holdfast/file/duration_text.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/policy_keys.hpp>
#include <holdfast/file/toml_document.hpp>
#include <holdfast/file/toml_text.hpp>
#include <holdfast/file/values.hpp>
#include <holdfast/policy.hpp>
#include <holdfast_sim/format/scenario_reader.hpp>
#include <holdfast_sim/scenario/roster.hpp>

namespace holdfast::sim {

namespace {

using file::TomlEntry;
using file::TomlValue;
using Kind = TomlValue::Kind;

// The steps from the file's table to a value: entries of tables and items of arrays, by number.
using Path = std::vector<std::size_t>;

TomlValue& at(TomlValue& document, const Path& path) {
  TomlValue* value = &document;
  for (const std::size_t step : path) {
    value = value->kind == Kind::array ? &value->items[step] : &value->entries[step].value;
  }
  return *value;
}

// Whether the failure is that too little happened in time.
bool is_of_too_little(const FailureReason& reason) {
  constexpr std::array<std::string_view, 7> kCauses{"too few",
                                                    "too low",
                                                    "no service",
                                                    "disturbed until then",
                                                    "services not running",
                                                    "services not terminated",
                                                    "no end of a drain"};
  return reason.kind == FailureReason::Kind::expectation &&
         std::find(kCauses.begin(), kCauses.end(), reason.cause) != kCauses.end();
}

// A number of the file: a count, or a length of time in nanoseconds.
struct Number {
  std::uint64_t value = 0;
  bool is_time = false;
};
std::optional<Number> number_in(const TomlValue& value) {
  if (value.kind == Kind::integer && value.integer >= 0) return Number{static_cast<std::uint64_t>(value.integer)};
  if (value.kind != Kind::text) return std::nullopt;
  const auto length = file::parse_duration(value.text);
  return length ? std::optional{Number{static_cast<std::uint64_t>(length->count()), true}} : std::nullopt;
}
TomlValue value_of(const Number& number) {
  if (!number.is_time) return file::toml(number.value);
  return file::Value<Duration>::write(Duration{static_cast<std::int64_t>(number.value)});
}

// The roundest number in (low, high]: one unit of a step as large as possible.
Number roundest(const Number& number, std::uint64_t low, std::uint64_t high) {
  static constexpr std::array<std::uint64_t, 22> kTimes{86'400'000'000'000,
                                                        43'200'000'000'000,
                                                        21'600'000'000'000,
                                                        3'600'000'000'000,
                                                        1'800'000'000'000,
                                                        600'000'000'000,
                                                        300'000'000'000,
                                                        60'000'000'000,
                                                        30'000'000'000,
                                                        10'000'000'000,
                                                        5'000'000'000,
                                                        1'000'000'000,
                                                        500'000'000,
                                                        100'000'000,
                                                        50'000'000,
                                                        10'000'000,
                                                        5'000'000,
                                                        1'000'000,
                                                        100'000,
                                                        10'000,
                                                        1'000,
                                                        1};
  static constexpr std::array<std::uint64_t, 13> kCounts{1'000'000, 500'000, 100'000, 50'000, 10'000, 5'000, 1'000,
                                                         500,       100,     50,      10,     5,      1};
  const auto try_steps = [&](const auto& steps) -> std::uint64_t {
    for (const std::uint64_t step : steps) {
      if (const std::uint64_t round = high / step * step; round > low) return round;
    }
    return high;
  };
  return {number.is_time ? try_steps(kTimes) : try_steps(kCounts), number.is_time};
}

class Shrinker {
 public:
  Shrinker(std::string_view text, std::string file, std::filesystem::path folder, const ShrinkOptions& options)
      : file_(std::move(file)),
        folder_(std::move(folder)),
        options_(options),
        document_(file::parse_toml(text, file_)) {
    const auto scenario = parse_scenario(text, file_, folder_);
    if (options.seed.value > file::Integer::kMax) {
      throw NothingToShrink(fmt::format("seed {} cannot stand in a file: {} is the largest that can",
                                        options.seed.value, file::Integer::kMax));
    }
    const auto result = rehearse(scenario, {.seed = options.seed, .interrupted = options.interrupted});
    const auto outcome = outcome_of(scenario, result);
    if (outcome.verdict == RehearsalVerdict::interrupted) {
      throw NothingToShrink(
          fmt::format("interrupted in the first run, of seed {} itself: nothing was shrunk yet", options.seed.value));
    }
    if (outcome.held()) {
      throw NothingToShrink(
          fmt::format("{}: seed {} holds: there is nothing to shrink", file::printable(file_), options.seed.value));
    }
    reason_ = outcome.failures.front().reason;
    smallest_ = outcome;
    too_little_ = is_of_too_little(reason_);
    constexpr std::uint64_t kTimersLeast = 10'000;
    timers_max_ = 4 * result.report.end.timers_fired + kTimersLeast;
  }

  // For a law of scenarios instead of a failure of one.
  Shrinker(std::string_view text, std::string file, std::function<bool(const Scenario&)> holds,
           const ShrinkOptions& options)
      : file_(std::move(file)), options_(options), document_(file::parse_toml(text, file_)), holds_(std::move(holds)) {
    if (holds_(parse_scenario(text, file_, folder_)))
      throw NothingToShrink("the law holds: there is nothing to shrink");
  }

  SmallestBreaker breaker() {
    while (running_ && round()) {
    }
    return {toml_text(document_), runs_, running_};
  }

  ShrinkResult result() {
    only_what_fails();
    while (running_ && round()) {
    }
    ShrinkResult result{.text = toml_text(document_), .reason = reason_, .finished = running_};
    if (running_) result.ranges = ranges();
    verify(result);
    result.runs = runs_;
    return result;
  }

 private:
  // -- Candidates -----------------------------------------------------------------------------------------------------

  // Whether the document fails in the same way. What was tried before is not run again.
  bool fails(const TomlValue& document) { return trial(document) == Trial::fails; }

  enum class Trial : std::uint8_t { fails, does_not, takes_too_long };
  Trial trial(const TomlValue& document) {
    if (!running_) return Trial::does_not;
    const auto text = toml_text(document);
    latest_.reset();  // of a text that was tried before nothing more is known
    if (const auto known = tried_.find(text); known != tried_.end()) return known->second;
    if (runs_ == options_.runs_max || timers_ >= options_.timers_max ||
        (options_.interrupted && options_.interrupted())) {
      running_ = false;
      return Trial::does_not;
    }
    cut_off_ = false;
    latest_ = run(text);
    if (!running_) return Trial::does_not;  // interrupted in the midst of it
    const bool same = latest_.has_value();
    const auto trial = same ? Trial::fails : cut_off_ ? Trial::takes_too_long : Trial::does_not;
    tried_.emplace(text, trial);
    return trial;
  }

  // What the text comes to if it fails in the same way; nullopt: it does not, or is not a scenario.
  std::optional<SeedOutcome> run(const std::string& text) {
    try {
      const auto scenario = parse_scenario(text, file_, folder_);
      ++runs_;
      if (holds_) return holds_(scenario) ? std::nullopt : std::optional{SeedOutcome{}};
      // A candidate that would take for ever is none.
      std::uint64_t fired = 0;
      const std::uint64_t slice = std::min(timers_max_, std::uint64_t{1} << 16);
      const auto is_over = [&] {
        const bool interrupted = !verifies_ && options_.interrupted && options_.interrupted();
        if (interrupted) running_ = false;
        return interrupted || (fired += slice) >= timers_max_;
      };
      const auto result = rehearse(scenario, {.interrupted = is_over, .slice = slice, .with_history = false});
      timers_ += result.report.end.timers_fired;
      auto outcome = outcome_of(scenario, result);
      cut_off_ = outcome.verdict == RehearsalVerdict::interrupted;
      if (options_.progress) options_.progress({runs_, accepted_, toml_text(document_).size()});
      if (outcome.failures.empty() || !is_same(outcome.failures.front().reason)) return std::nullopt;
      return outcome;
    } catch (const BadInput&) {
      return std::nullopt;
    } catch (const ConfigError&) {
      return std::nullopt;
    }
  }

  // A group that was taken apart has left one of its services.
  [[nodiscard]] bool is_same(const FailureReason& reason) const {
    if (reason == reason_) return true;
    const auto numbered = numbered_name(reason.cause);
    return reason.kind == FailureReason::Kind::rule && reason_.kind == reason.kind && reason.what == reason_.what &&
           numbered && numbered->group == reason_.cause;
  }

  bool accept(TomlValue candidate) {
    if (!fails(candidate)) return false;
    document_ = std::move(candidate);
    smallest_ = latest_;
    ++accepted_;
    return true;
  }

  // -- Rounds ---------------------------------------------------------------------------------------------------------

  // The seed stands in the file, and nothing is expected but what was missed.
  void only_what_fails() {
    TomlValue candidate = document_;
    set(candidate, "seed", file::toml(options_.seed.value));
    std::erase_if(candidate.entries, [](const TomlEntry& entry) { return entry.key == "expect"; });
    if (reason_.kind == FailureReason::Kind::expectation) {
      if (const auto* const expect = document_.find("expect")) set(candidate, "expect", only(*expect, reason_.what));
    }
    // The configuration is checked whatever is expected.
    if (!accept(candidate)) {
      candidate = document_;
      set(candidate, "seed", file::toml(options_.seed.value));
      const bool same = accept(candidate);
      HOLDFAST_ASSERT(same || !running_, "a scenario with its seed in the file does not fail as before");
      document_ = std::move(candidate);
    }
  }

  static void set(TomlValue& table, std::string_view key, TomlValue value) {
    for (auto& entry : table.entries) {
      if (entry.key != key) continue;
      entry.value = std::move(value);
      return;
    }
    file::put(table, key, std::move(value));
  }

  // One expectation alone: "restarts", or "feed.restarts", which stands in the table of fleet whose name is feed.
  static TomlValue only(const TomlValue& expect, std::string_view what) {
    TomlValue one;
    for (const auto& entry : expect.entries) {
      if (entry.key == what) one.entries.push_back(entry);
      if (entry.value.kind != Kind::array) continue;
      TomlEntry groups{entry.key, entry.at, entry.value};
      std::erase_if(groups.value.items, [&](const TomlValue& item) { return !is_about(item, what); });
      for (auto& item : groups.value.items) keep_only(item, what);
      if (!groups.value.items.empty()) one.entries.push_back(std::move(groups));
    }
    return one;
  }

  static std::string key_of(const TomlValue& item, std::string_view what) {
    const auto* const name = item.find("name");
    if (name == nullptr || !what.starts_with(name->text + '.')) return "";
    return std::string{what.substr(name->text.size() + 1)};
  }
  static bool is_about(const TomlValue& item, std::string_view what) {
    const auto key = key_of(item, what);
    return !key.empty() && item.find(key) != nullptr;
  }
  static void keep_only(TomlValue& item, std::string_view what) {
    const auto key = key_of(item, what);
    std::erase_if(item.entries, [&](const TomlEntry& entry) { return entry.key != "name" && entry.key != key; });
  }

  // True: something became smaller.
  bool round() {
    const std::uint64_t before = accepted_;
    without_items("chaos");
    if (!too_little_) {
      without_items("fleet");
      single_out();
    }
    without_keys();
    without_targets();
    constants();
    single_ends();
    smaller_shares();
    smallest_numbers();
    // What needs many runs comes when nothing else is left to be done: times, and then counts, so that no service stays
    // only because another one went before it.
    if (accepted_ == before) smaller_numbers(true);
    if (accepted_ == before) smaller_numbers(false);
    return accepted_ > before;
  }

  // -- Items of arrays of tables: delta debugging ---------------------------------------------------------------------

  void without_items(std::string_view key) {
    const auto count = [&] {
      const auto* const array = document_.find(key);
      return array == nullptr ? 0 : array->items.size();
    };
    for (std::size_t size = count(); size >= 1; size /= 2) {
      for (std::size_t from = 0; from < count();) {
        if (!accept(without(key, from, std::min(size, count() - from)))) from += size;
      }
    }
  }

  // Without items of an array, and without an array that has none.
  TomlValue without(std::string_view key, std::size_t from, std::size_t count) const {
    TomlValue candidate = document_;
    const auto entry = std::find_if(candidate.entries.begin(), candidate.entries.end(),
                                    [&](const TomlEntry& one) { return one.key == key; });
    auto& items = entry->value.items;
    std::vector<std::string> names;
    for (std::size_t i = from; i < from + count; ++i) {
      if (const auto* const name = items[i].find("name"); key == "fleet" && name != nullptr)
        names.push_back(name->text);
    }
    const auto first = items.begin() + static_cast<std::ptrdiff_t>(from);
    items.erase(first, first + static_cast<std::ptrdiff_t>(count));
    if (items.empty()) candidate.entries.erase(entry);
    for (const auto& name : names) forget(candidate, name);
    return candidate;
  }

  static bool is_of(const std::string& service, const std::string& group) {
    const auto numbered = numbered_name(service);
    return service == group || (numbered && numbered->group == group);
  }

  // Chaos for services of a group that has gone.
  static void forget(TomlValue& document, const std::string& group) {
    const auto chaos = std::find_if(document.entries.begin(), document.entries.end(),
                                    [](const TomlEntry& entry) { return entry.key == "chaos"; });
    if (chaos == document.entries.end()) return;
    std::erase_if(chaos->value.items, [&](TomlValue& item) {
      return std::any_of(item.entries.begin(), item.entries.end(),
                         [&](TomlEntry& entry) { return forget_target(entry.value, group); });
    });
    if (chaos->value.items.empty()) document.entries.erase(chaos);
  }

  // True: no service is left that the chaos would hit.
  static bool forget_target(TomlValue& kind, const std::string& group) {
    for (auto& entry : kind.entries) {
      if (entry.key != "of") continue;
      if (entry.value.kind == Kind::text) return is_of(entry.value.text, group);
      std::erase_if(entry.value.items, [&](const TomlValue& name) { return is_of(name.text, group); });
      return entry.value.items.empty();
    }
    return false;
  }

  // A group with a count becomes one of its services, under its name.
  void single_out() {
    constexpr std::uint64_t kTriedMax = 64;
    const auto* fleet = document_.find("fleet");
    for (std::size_t group = 0; fleet != nullptr && group < fleet->items.size(); ++group) {
      const auto* const count = fleet->items[group].find("count");
      if (count == nullptr) continue;
      const auto services = static_cast<std::uint64_t>(count->integer);
      for (std::uint64_t i = 0; i < std::min(services, kTriedMax); ++i) {
        if (accept(singled_out(group, i))) break;
      }
      fleet = document_.find("fleet");
    }
  }

  TomlValue singled_out(std::size_t group, std::uint64_t index) const {
    TomlValue candidate = document_;
    auto& fleet = *std::find_if(candidate.entries.begin(), candidate.entries.end(),
                                [](const TomlEntry& entry) { return entry.key == "fleet"; });
    auto& table = fleet.value.items[group];
    const std::string name = table.find("name")->text;
    std::erase_if(table.entries, [](const TomlEntry& entry) { return entry.key == "count"; });
    set(table, "name", file::toml(std::string_view{fmt::format("{}-{}", name, index)}));
    rename_targets(candidate, name, fmt::format("{}-{}", name, index));
    return candidate;
  }

  static void rename_targets(TomlValue& value, const std::string& from, const std::string& to) {
    for (auto& entry : value.entries) {
      if (entry.key == "of") {
        if (entry.value.kind == Kind::text && entry.value.text == from) entry.value.text = to;
        for (auto& item : entry.value.items) {
          if (item.text == from) item.text = to;
        }
      }
      rename_targets(entry.value, from, to);
    }
    for (auto& item : value.items) rename_targets(item, from, to);
  }

  // -- Keys -----------------------------------------------------------------------------------------------------------

  // What the failure and the run hang on.
  [[nodiscard]] bool stays(const Path& path) const {
    if (options_.only_weaker && (is_policy(path) || is_stronger_without(last_key(path)))) return true;
    if (path.size() > 1) return too_little_ && is_count_of_services(path);
    const std::string& key = document_.entries[path.front()].key;
    if (holds_) return key == "name";
    return key == "name" || key == "seed" || key == "expect" || (too_little_ && key == "duration");
  }

  // Chaos of which there would be more.
  static bool is_stronger_without(std::string_view key) {
    constexpr std::array<std::string_view, 4> kKeys{"fails_after", "failing_starts", "mode", "share"};
    return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
  }

  [[nodiscard]] bool is_policy(const Path& path) const {
    const auto& outer = document_.entries[path[0]];
    if (outer.key == "supervisor") return true;
    if (path.size() < 3 || outer.key != "fleet") return false;
    const auto& keys = file::table_of<ServicePolicy>().keys;
    const auto& key = outer.value.items[path[1]].entries[path[2]].key;
    return std::any_of(keys.begin(), keys.end(), [&](const file::Key& policy) { return policy.name == key; });
  }

  [[nodiscard]] std::string last_key(const Path& path) const {
    std::string key;
    const TomlValue* value = &document_;
    for (const std::size_t step : path) {
      if (value->kind == Kind::array) {
        value = &value->items[step];
      } else {
        key = value->entries[step].key;
        value = &value->entries[step].value;
      }
    }
    return key;
  }

  [[nodiscard]] bool may_be_smaller(const Path& path) const {
    constexpr std::array<std::string_view, 4> kWeakerIfSmaller{"at", "count", "duration", "for"};
    return !options_.only_weaker ||
           std::find(kWeakerIfSmaller.begin(), kWeakerIfSmaller.end(), last_key(path)) != kWeakerIfSmaller.end();
  }

  // Each key, the outer ones first.
  void without_keys() { without_keys_in({}); }

  void without_keys_in(const Path& path) {
    // From the back, so that what is behind a key that goes was tried already.
    for (std::size_t i = at(document_, path).entries.size(); i-- > 0;) {
      Path inner = path;
      inner.push_back(i);
      if (stays(inner)) continue;
      TomlValue candidate = document_;
      auto& entries = at(candidate, path).entries;
      entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(i));
      if (!accept(std::move(candidate))) without_keys_below(inner);
    }
    if (!path.empty()) without_pairs_in(path);
  }

  // Two keys may need each other, such as `runs_for` and `then`.
  void without_pairs_in(const Path& path) {
    const auto inner = [&](std::size_t i) {
      Path below = path;
      below.push_back(i);
      return below;
    };
    for (std::size_t i = at(document_, path).entries.size(); i-- > 0;) {
      for (std::size_t k = i; k-- > 0 && i < at(document_, path).entries.size();) {
        if (stays(inner(i)) || stays(inner(k))) continue;
        TomlValue candidate = document_;
        auto& entries = at(candidate, path).entries;
        entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(i));
        entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(k));
        accept(std::move(candidate));
      }
    }
  }

  void without_keys_below(const Path& path) {
    const TomlValue& value = at(document_, path);
    if (value.kind == Kind::table) return without_keys_in(path);
    for (std::size_t i = value.items.size(); i-- > 0;) {
      Path inner = path;
      inner.push_back(i);
      without_keys_below(inner);
    }
  }

  // -- Everything else: each value below the tables that may change
  // ------------------------------------------------------

  template <class Visit>
  void each_value(const Visit& visit) {
    for (std::size_t i = 0; i < document_.entries.size(); ++i) {
      if (!stays({i})) each_below({i}, visit);
    }
  }
  template <class Visit>
  void each_below(const Path& path, const Visit& visit) {
    if (options_.only_weaker && is_policy(path)) return;
    visit(path);
    const TomlValue& value = at(document_, path);
    const std::size_t size = value.kind == Kind::array ? value.items.size() : value.entries.size();
    for (std::size_t i = 0; i < size; ++i) {
      // What was visited may have shrunk.
      const TomlValue& now = at(document_, path);
      if (i >= (now.kind == Kind::array ? now.items.size() : now.entries.size())) return;
      Path inner = path;
      inner.push_back(i);
      each_below(inner, visit);
    }
  }

  // One name less in a list of names.
  void without_targets() {
    each_value([this](const Path& path) {
      if (at(document_, path).kind != Kind::array) return;
      for (std::size_t i = at(document_, path).items.size(); i-- > 0;) {
        if (at(document_, path).items[i].kind != Kind::text || at(document_, path).items.size() == 1) continue;
        TomlValue candidate = document_;
        auto& items = at(candidate, path).items;
        items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
        accept(std::move(candidate));
      }
    });
  }

  // A distribution becomes one of its lengths of time: { exponential = "1h" } is "1h".
  void constants() {
    each_value([this](const Path& path) {
      const TomlValue& value = at(document_, path);
      if (value.kind != Kind::table || value.entries.size() != 1) return;
      for (const auto& length : lengths_in(value)) {
        TomlValue candidate = document_;
        at(candidate, path) = length;
        if (accept(std::move(candidate))) return;
      }
    });
  }

  // A mixture of ends becomes one of them.
  void single_ends() {
    each_value([this](const Path& path) {
      const TomlValue value = at(document_, path);
      if (value.kind != Kind::table || last_key(path) != "then") return;
      for (const auto& entry : value.entries) {
        TomlValue candidate = document_;
        at(candidate, path) = file::toml(std::string_view{entry.key});
        if (accept(std::move(candidate))) return;
      }
    });
  }

  static std::vector<TomlValue> lengths_in(const TomlValue& value) {
    std::vector<TomlValue> found;
    const auto look = [&](const TomlValue& inner) {
      if (const auto number = number_in(inner); number && number->is_time) found.push_back(inner);
    };
    for (const auto& entry : value.entries) {
      look(entry.value);
      for (const auto& item : entry.value.items) look(item);
      for (const auto& further : entry.value.entries) look(further.value);
    }
    return found;
  }

  // -- Numbers --------------------------------------------------------------------------------------------------------

  template <class Visit>
  void each_number(const Visit& visit) {
    each_value([&](const Path& path) {
      const auto number = number_in(at(document_, path));
      if (number && !stays(path) && may_be_smaller(path)) visit(path, *number);
    });
  }

  // None, or one.
  void smallest_numbers() {
    each_number([this](const Path& path, const Number& number) {
      for (const std::uint64_t least : {std::uint64_t{0}, std::uint64_t{1}}) {
        if (number.value > least && accept_number(path, {least, number.is_time})) return;
      }
    });
  }

  // A draw that hits under a small share hits under a larger one.
  void smaller_shares() {
    static constexpr std::array<double, 7> kShares{0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5};
    each_value([this](const Path& path) {
      const TomlValue value = at(document_, path);
      if (value.kind != Kind::number) return;
      for (const double share : kShares) {
        if (share >= value.number) return;
        TomlValue candidate = document_;
        at(candidate, path) = file::toml(share);
        if (accept(std::move(candidate))) return;
      }
    });
  }

  void smaller_numbers(bool times) {
    each_number([this, times](const Path& path, const Number& number) {
      if (number.is_time == times && number.value > 1) smaller_number(path, number);
    });
  }

  [[nodiscard]] bool is_count_of_services(const Path& path) const {
    return path.size() == 3 && document_.entries[path[0]].key == "fleet" &&
           document_.entries[path[0]].value.items[path[1]].entries[path[2]].key == "count";
  }

  Trial trial_with(const Path& path, const Number& number) {
    TomlValue candidate = document_;
    at(candidate, path) = value_of(number);
    return trial(candidate);
  }
  bool fails_with(const Path& path, const Number& number) { return trial_with(path, number) == Trial::fails; }

  bool accept_number(const Path& path, const Number& number) {
    TomlValue candidate = document_;
    at(candidate, path) = value_of(number);
    return accept(std::move(candidate));
  }

  // Ever smaller and rounder, to within a sixteenth of where it holds.
  void smaller_number(const Path& path, const Number& number) {
    std::uint64_t high = number.value;
    const std::uint64_t low = holds_from(path, number.is_time, high);
    const auto round = roundest(number, low, high);
    if (round.value < high && fails_with(path, round)) high = round.value;
    if (high < number.value) accept_number(path, {high, number.is_time});
  }

  // A round number between the two, about in the middle. REQUIRES: high - low > 1.
  static std::uint64_t middle_of(std::uint64_t low, std::uint64_t high, bool is_time) {
    const std::uint64_t quarter = (high - low) / 4;
    return roundest({high, is_time}, low + quarter, high - std::max<std::uint64_t>(1, quarter)).value;
  }

  // A number with which it is not the same failure; `high`, with which it is, comes down to it. REQUIRES: it is not
  // with 0.
  std::uint64_t holds_from(const Path& path, bool is_time, std::uint64_t& high) {
    std::uint64_t low = 0;
    while (high - low > std::max<std::uint64_t>(1, high / 16)) {
      const std::uint64_t middle = middle_of(low, high, is_time);
      (fails_with(path, {middle, is_time}) ? high : low) = middle;
    }
    return low;
  }

  // -- The end --------------------------------------------------------------------------------------------------------

  std::vector<FailingRange> ranges() {
    std::vector<FailingRange> all;
    each_value([&](const Path& path) {
      const auto number = number_in(at(document_, path));
      if (number) all.push_back(range_of(path, *number));
    });
    return all;
  }

  // Nobody wants to know more.
  static constexpr std::uint64_t kDayLimit = 86'400'000'000'000;
  static constexpr std::uint64_t kCountLimit = 1'000'000;

  FailingRange range_of(const Path& path, const Number& number) {
    const auto text = [&](std::uint64_t value) {
      return number.is_time ? holdfast::to_string(Duration{static_cast<std::int64_t>(value)}) : std::to_string(value);
    };
    FailingRange range{.path = path_text(path), .value = text(number.value)};
    std::uint64_t low = number.value;
    if (low > 0 && fails_with(path, {0, number.is_time})) low = 0;
    if (low > 0) holds_from(path, number.is_time, low);
    std::uint64_t high = number.value;
    const std::uint64_t limit = number.is_time ? kDayLimit : kCountLimit;
    std::uint64_t beyond = std::max<std::uint64_t>(high, number.is_time ? 1'000'000 : 1);
    auto trial = Trial::fails;
    while (trial == Trial::fails && beyond <= limit) {
      trial = trial_with(path, {beyond, number.is_time});
      if (trial == Trial::fails) high = beyond;
      if (trial == Trial::fails) beyond *= 4;
    }
    range.or_more = trial != Trial::does_not;
    while (!range.or_more && beyond - high > std::max<std::uint64_t>(1, high / 16)) {
      const std::uint64_t middle = middle_of(high, beyond, number.is_time);
      (fails_with(path, {middle, number.is_time}) ? high : beyond) = middle;
    }
    range.from = text(low);
    range.to = text(high);
    return range;
  }

  std::string path_text(const Path& path) {
    std::string text;
    const TomlValue* value = &document_;
    for (const std::size_t step : path) {
      if (value->kind == Kind::array) {
        text += fmt::format("[{}]", step);
        value = &value->items[step];
      } else {
        text += (text.empty() ? "" : ".") + value->entries[step].key;
        value = &value->entries[step].value;
      }
    }
    return text;
  }

  // Twice, and from the text as it will be read.
  void verify(ShrinkResult& result) {
    if (options_.interrupted && options_.interrupted() && smallest_) {  // who interrupts does not want to wait
      result.reason = smallest_->failures.front().reason;
      result.says = smallest_->failures.front().says;
      result.digest = smallest_->digest;
      return;
    }
    verifies_ = true;
    const auto first = run(result.text);
    const auto second = run(result.text);
    HOLDFAST_ASSERT(first && second && *first == *second, "what was shrunk does not fail as it did");
    result.reason = first->failures.front().reason;
    result.says = first->failures.front().says;
    result.digest = first->digest;
  }

  const std::string file_;
  const std::filesystem::path folder_;
  const ShrinkOptions& options_;
  TomlValue document_;
  const std::function<bool(const Scenario&)> holds_{};  // the law, if it is one
  FailureReason reason_;
  bool too_little_ = false;
  bool running_ = true;           // until it is interrupted, or no run is left
  std::uint64_t timers_max_ = 0;  // of one run
  std::uint64_t timers_ = 0;      // of all runs
  std::uint64_t runs_ = 0;
  std::uint64_t accepted_ = 0;
  bool cut_off_ = false;  // the latest run took too long
  bool verifies_ = false;
  std::optional<SeedOutcome> latest_;    // of the latest run, if it failed in the same way
  std::optional<SeedOutcome> smallest_;  // of the document as it is
  std::map<std::string, Trial> tried_;   // by the text
};

}  // namespace

ShrinkResult shrink(std::string_view text, const std::string& file, const std::filesystem::path& folder,
                    const ShrinkOptions& options) {
  return Shrinker{text, file, folder, options}.result();
}

SmallestBreaker smallest_breaker(std::string_view text, const std::function<bool(const Scenario&)>& holds,
                                 const ShrinkOptions& options) {
  return Shrinker{text, "scenario", holds, options}.breaker();
}

std::string shrunk_file(const ShrinkResult& result, std::string_view origin, Seed seed) {
  std::string text =
      fmt::format("# Shrunk from {} with seed {} by \"holdfast shrink\".\n#\n# {}\n# {}\n", file::printable(origin),
                  seed.value, file::printable(to_string(result.reason)), file::printable(result.says));
  if (!result.finished) text += "#\n# It was cut short: something smaller may fail, too.\n";
  if (!result.ranges.empty())
    text += "#\n# So far a number may be changed, the others as they are, and it still fails:\n";
  for (const auto& range : result.ranges) {
    text += fmt::format("#   {} = {}: {} to {}{}\n", range.path, range.value, range.from, range.to,
                        range.or_more ? " or more" : "");
  }
  return text + '\n' + result.text;
}

}  // namespace holdfast::sim
