#include <holdfast_sim/search/corpus.hpp>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include <boost/json.hpp>

#include <fmt/format.h>

#include <holdfast/detail/assert.hpp>
#include <holdfast_sim/rehearsal.hpp>
#include <holdfast_sim/scenario/roster.hpp>

namespace holdfast::sim {

using holdfast::to_string;

// ---------------------------------------------------------------------------------------------------------------------
// Counting
// ---------------------------------------------------------------------------------------------------------------------

namespace {

bool is_in(const std::vector<SeedRange>& ranges, std::uint64_t seed) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const SeedRange& range) { return range.first <= seed && seed <= range.last; });
}

// Ranges that overlap or touch become one.
std::vector<SeedRange> joined_ranges(std::vector<SeedRange> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const SeedRange& a, const SeedRange& b) {
    return std::tie(a.first, a.last) < std::tie(b.first, b.last);
  });
  std::vector<SeedRange> apart;
  for (const auto& range : ranges) {
    if (!apart.empty() && (range.first <= apart.back().last || range.first - 1 == apart.back().last)) {
      apart.back().last = std::max(apart.back().last, range.last);
    } else {
      apart.push_back(range);
    }
  }
  return apart;
}

}  // namespace

CorpusReason& Corpus::of(const std::string& scenario, const FailureReason& reason) {
  const auto place = std::lower_bound(
      reasons_.begin(), reasons_.end(), std::tie(scenario, reason),
      [](const CorpusReason& one, const auto& wanted) { return std::tie(one.scenario, one.reason) < wanted; });
  if (place != reasons_.end() && place->scenario == scenario && place->reason == reason) return *place;
  return *reasons_.insert(place, CorpusReason{.scenario = scenario, .reason = reason});
}

void Corpus::count(const std::string& scenario, const std::string& fingerprint, const SeedOutcome& outcome) {
  if (outcome.held()) return;
  for (const auto& seeds : counted_) {
    if (seeds.scenario == scenario && seeds.fingerprint == fingerprint && is_in(seeds.ranges, outcome.seed)) return;
  }
  for (const auto& failure : outcome.failures) ++of(scenario, failure.reason).runs;
}

void Corpus::close(const std::string& scenario, const std::string& fingerprint, const SeedRange& seeds) {
  const auto place = std::lower_bound(
      counted_.begin(), counted_.end(), std::tie(scenario, fingerprint),
      [](const CountedSeeds& one, const auto& wanted) { return std::tie(one.scenario, one.fingerprint) < wanted; });
  if (place == counted_.end() || place->scenario != scenario || place->fingerprint != fingerprint) {
    counted_.insert(place, CountedSeeds{scenario, fingerprint, {seeds}});
    return;
  }
  place->ranges.push_back(seeds);
  place->ranges = joined_ranges(std::move(place->ranges));
}

bool Corpus::has_room(const std::string& scenario, const FailureReason& reason, std::uint64_t seed) const {
  for (const auto& one : reasons_) {
    if (one.scenario != scenario || one.reason != reason) continue;
    return one.kept.size() < kKeptMax &&
           std::none_of(one.kept.begin(), one.kept.end(), [&](const KeptFailure& kept) { return kept.seed == seed; });
  }
  return true;
}

void Corpus::keep(const std::string& scenario, const FailureReason& reason, KeptFailure kept) {
  HOLDFAST_ASSERT(has_room(scenario, reason, kept.seed), "a failure is kept for which there is no room");
  auto& all = of(scenario, reason).kept;
  all.push_back(std::move(kept));
  std::sort(all.begin(), all.end(), [](const KeptFailure& a, const KeptFailure& b) { return a.seed < b.seed; });
}

void Corpus::forget_if(const std::function<bool(const KeptFailure&)>& gone) {
  for (auto& reason : reasons_) std::erase_if(reason.kept, gone);
}

// ---------------------------------------------------------------------------------------------------------------------
// The index as text
// ---------------------------------------------------------------------------------------------------------------------

namespace {

namespace json = boost::json;

constexpr int kCorpusVersion = 1;
constexpr std::array kReasonKinds{FailureReason::Kind::rule, FailureReason::Kind::expectation,
                                  FailureReason::Kind::stalled, FailureReason::Kind::budget};

json::string as_json(const std::string& text) { return json::string{text.data(), text.size()}; }
std::string as_text(const json::value& value) { return std::string{value.as_string()}; }

json::object line_of(const CorpusReason& reason) {
  json::array files;
  for (const auto& kept : reason.kept) {
    files.push_back(json::object{
        {"file", as_json(kept.file)}, {"seed", kept.seed}, {"chaos", kept.chaos}, {"failures", kept.failures}});
  }
  return {{"kind", "reason"},
          {"scenario", as_json(reason.scenario)},
          {"reason", as_json(std::string{to_string(reason.reason.kind)})},
          {"what", as_json(reason.reason.what)},
          {"cause", as_json(reason.reason.cause)},
          {"runs", reason.runs},
          {"files", std::move(files)}};
}

json::object line_of(const CountedSeeds& seeds) {
  json::array ranges;
  for (const auto& range : seeds.ranges) ranges.push_back(json::array{range.first, range.last});
  return {{"kind", "counted"},
          {"scenario", as_json(seeds.scenario)},
          {"fingerprint", as_json(seeds.fingerprint)},
          {"seeds", std::move(ranges)}};
}

CorpusReason reason_in(const json::object& line) {
  CorpusReason reason{.scenario = as_text(line.at("scenario")),
                      .reason = {.what = as_text(line.at("what")), .cause = as_text(line.at("cause"))},
                      .runs = line.at("runs").to_number<std::uint64_t>()};
  const auto name = as_text(line.at("reason"));
  const auto* const kind = std::find_if(kReasonKinds.begin(), kReasonKinds.end(),
                                        [&](FailureReason::Kind one) { return to_string(one) == name; });
  if (kind == kReasonKinds.end()) throw BadCorpus{"has a kind of reason that there is not"};
  reason.reason.kind = *kind;
  for (const auto& value : line.at("files").as_array()) {
    const auto& file = value.as_object();
    auto name_of_file = as_text(file.at("file"));
    if (name_of_file.empty() || name_of_file.find('/') != std::string::npos) {
      throw BadCorpus{"names a file that is not in the folder"};
    }
    reason.kept.push_back({std::move(name_of_file), file.at("seed").to_number<std::uint64_t>(),
                           file.at("chaos").as_bool(), file.at("failures").as_bool()});
  }
  return reason;
}

CountedSeeds counted_in(const json::object& line) {
  CountedSeeds seeds{as_text(line.at("scenario")), as_text(line.at("fingerprint")), {}};
  for (const auto& value : line.at("seeds").as_array()) {
    const auto& range = value.as_array();
    seeds.ranges.push_back({range.at(0).to_number<std::uint64_t>(), range.at(1).to_number<std::uint64_t>()});
    if (seeds.ranges.back().first > seeds.ranges.back().last) throw BadCorpus{"has a range of seeds that ends first"};
  }
  return seeds;
}

}  // namespace

std::string Corpus::text() const {
  std::string text = json::serialize(json::object{{"kind", "corpus"}, {"version", kCorpusVersion}}) + '\n';
  for (const auto& seeds : counted_) text += json::serialize(line_of(seeds)) + '\n';
  for (const auto& reason : reasons_) text += json::serialize(line_of(reason)) + '\n';
  return text;
}

Corpus Corpus::parse(std::string_view text) {
  Corpus corpus;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    try {
      const auto value = json::parse(json::string_view{line.data(), line.size()});
      const auto& object = value.as_object();
      const auto& kind = object.at("kind").as_string();
      if (number == 1) {
        if (kind != "corpus") throw BadCorpus{"is not the head of a corpus"};
        if (object.at("version").to_number<int>() != kCorpusVersion) {
          throw BadCorpus{"is of another version of the format; this holdfast reads version 1"};
        }
      } else if (kind == "counted") {
        const auto seeds = counted_in(object);
        for (const auto& range : seeds.ranges) corpus.close(seeds.scenario, seeds.fingerprint, range);
      } else if (kind == "reason") {
        auto reason = reason_in(object);
        corpus.of(reason.scenario, reason.reason) = std::move(reason);
      } else {
        throw BadCorpus{"is of a kind that there is not"};
      }
    } catch (const BadCorpus& bad) {
      throw BadCorpus{fmt::format("line {} {}", number, bad.what())};
    } catch (const std::exception&) {
      throw BadCorpus{fmt::format("line {} is not what \"holdfast sweep --corpus\" writes", number)};
    }
  }
  return corpus;
}

namespace {

// Letters, digits and dashes, and not too many of them.
std::string word_of(std::string_view text) {
  constexpr std::size_t kLengthMax = 60;
  std::string word;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain || (c >= 'A' && c <= 'Z')) {
      word += plain ? c : static_cast<char>(c - 'A' + 'a');
    } else if (!word.empty() && word.back() != '-') {
      word += '-';
    }
    if (word.size() == kLengthMax) break;
  }
  while (!word.empty() && word.back() == '-') word.pop_back();
  return word.empty() ? "x" : word;
}

}  // namespace

std::string kept_file_name(std::string_view scenario, const FailureReason& reason, std::uint64_t seed) {
  return fmt::format("{}.{}.seed-{}.toml", word_of(scenario), word_of(to_string(reason)), seed);
}

// ---------------------------------------------------------------------------------------------------------------------
// Judging
// ---------------------------------------------------------------------------------------------------------------------

namespace {

// A group that was taken apart when the file was made has left one of its services, under its name.
const FleetGroup* group_of(const Scenario& scenario, const std::string& name) {
  const auto find = [&](std::string_view wanted) -> const FleetGroup* {
    const auto found = std::find_if(scenario.fleet.begin(), scenario.fleet.end(),
                                    [&](const FleetGroup& group) { return group.name == wanted; });
    return found == scenario.fleet.end() ? nullptr : &*found;
  };
  if (const auto* const group = find(name)) return group;
  const auto numbered = numbered_name(name);
  return numbered ? find(numbered->group) : nullptr;
}

bool is_same_reason(const FailureReason& kept, const FailureReason& found) {
  if (kept == found) return true;
  const auto numbered = numbered_name(found.cause);
  return kept.kind == FailureReason::Kind::rule && found.kind == kept.kind && found.what == kept.what && numbered &&
         numbered->group == kept.cause;
}

}  // namespace

Scenario under_policies_of(const Scenario& today, Scenario kept) {
  kept.supervisor = today.supervisor;
  if (today.duration && (!kept.duration || *kept.duration < *today.duration)) kept.duration = today.duration;
  for (auto& group : kept.fleet) {
    if (const auto* const now = group_of(today, group.name)) group.policy = now->policy;
  }
  return kept;
}

std::string_view to_string(CorpusVerdict::Status status) noexcept {
  switch (status) {
    case CorpusVerdict::Status::still_fails: return "still fails";
    case CorpusVerdict::Status::fails_otherwise: return "fails for another reason";
    case CorpusVerdict::Status::fixed: return "fixed";
    case CorpusVerdict::Status::not_reached: return "no longer reaches its precondition";
  }
  return "";
}

std::size_t CorpusSummary::failing() const noexcept {
  return static_cast<std::size_t>(std::count_if(judged.begin(), judged.end(), [](const CorpusVerdict& verdict) {
    return verdict.status == CorpusVerdict::Status::still_fails ||
           verdict.status == CorpusVerdict::Status::fails_otherwise;
  }));
}

std::optional<CorpusVerdict> judge(const Scenario& kept, const CorpusReason& of, const KeptFailure& file,
                                   const std::function<bool()>& interrupted) {
  using Status = CorpusVerdict::Status;
  const auto result = rehearse(kept, {.interrupted = interrupted, .with_history = false});
  const auto outcome = outcome_of(kept, result);
  if (outcome.verdict == RehearsalVerdict::interrupted) return std::nullopt;
  CorpusVerdict verdict{.of = {of.scenario, of.reason, of.runs, {}}, .kept = file};
  if (outcome.held()) {
    const bool reached =
        (!file.chaos || result.report.chaos_events > 0) && (!file.failures || result.report.fleet.failures > 0);
    verdict.status = reached ? Status::fixed : Status::not_reached;
    return verdict;
  }
  const auto same = std::find_if(outcome.failures.begin(), outcome.failures.end(),
                                 [&](const SeedFailure& failure) { return is_same_reason(of.reason, failure.reason); });
  const auto& shown = same == outcome.failures.end() ? outcome.failures.front() : *same;
  verdict.status = same == outcome.failures.end() ? Status::fails_otherwise : Status::still_fails;
  verdict.says = (same == outcome.failures.end() ? to_string(shown.reason) + ": " : std::string{}) + shown.says;
  return verdict;
}

}  // namespace holdfast::sim
