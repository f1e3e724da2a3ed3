#include <holdfast_sim/search/ledger.hpp>

#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include <fmt/format.h>

#include <holdfast/detail/wide.hpp>
#include <holdfast/version.hpp>
#include <holdfast_sim/format/scenario_writer.hpp>
#include <holdfast_sim/text/detail/xxh3.hpp>

namespace holdfast::sim {

namespace {

namespace json = boost::json;

constexpr int kLedgerVersion = 1;

}  // namespace

std::optional<SeedRange> seeds_of(const Shard& shard, const SeedRange& all) noexcept {
  using holdfast::detail::Wide;
  const auto before = [&](std::uint32_t shards) {
    return static_cast<std::uint64_t>(Wide{all.size()} * shards / shard.of);
  };
  const std::uint64_t begin = before(shard.index - 1);
  const std::uint64_t end = before(shard.index);
  if (begin == end) return std::nullopt;
  return SeedRange{all.first + begin, all.first + (end - 1)};
}

// ---------------------------------------------------------------------------------------------------------------------
// The head
// ---------------------------------------------------------------------------------------------------------------------

LedgerHead ledger_head(const Scenario& scenario, const SweepPlan& plan, const Shard& shard) {
  Scenario without_seed = scenario;
  without_seed.seed = {};
  std::string text = scenario_text(without_seed);
  for (const auto& recorded : recorded_files(without_seed)) text += recorded.path + '\n' + recorded.text;
  const auto hash = XXH3_128bits(text.data(), text.size());
  return {HOLDFAST_VERSION_TEXT, fmt::format("{:016x}{:016x}", hash.high64, hash.low64), plan, shard};
}

namespace {

json::string json_text(std::string_view of) { return json::string{of.data(), of.size()}; }

json::array json_texts(const std::vector<std::string>& all) {
  json::array array;
  for (const auto& one : all) array.push_back(json_text(one));
  return array;
}

std::vector<std::string> texts_of(const json::value& value) {
  std::vector<std::string> all;
  for (const auto& one : value.as_array()) all.emplace_back(one.as_string());
  return all;
}

std::string text_of(const json::value& value) { return std::string{value.as_string()}; }

}  // namespace

std::string to_line(const LedgerHead& head) {
  const json::object object{{"kind", "ledger"},
                            {"version", kLedgerVersion},
                            {"holdfast", json_text(head.version)},
                            {"fingerprint", json_text(head.fingerprint)},
                            {"scenario", json_text(head.plan.scenario)},
                            {"file", json_text(head.plan.file)},
                            {"settings", json_texts(head.plan.settings)},
                            {"expectations", json_texts(head.plan.expectations)},
                            {"sometimes", json_texts(head.plan.sometimes)},
                            {"first_seed", head.plan.seeds.first},
                            {"last_seed", head.plan.seeds.last},
                            {"shard", head.shard.index},
                            {"of_shards", head.shard.of}};
  return json::serialize(object) + '\n';
}

LedgerHead parse_ledger_head(std::string_view line) {
  try {
    const auto value = json::parse(json::string_view{line.data(), line.size()});
    const auto& object = value.as_object();
    if (object.at("kind").as_string() != "ledger") throw BadLedger{"is not a ledger of a sweep"};
    if (object.at("version").to_number<int>() != kLedgerVersion) {
      throw BadLedger{"is a ledger in another version of the format; this holdfast reads version 1"};
    }
    LedgerHead head;
    head.version = text_of(object.at("holdfast"));
    head.fingerprint = text_of(object.at("fingerprint"));
    head.plan = {.file = text_of(object.at("file")),
                 .settings = texts_of(object.at("settings")),
                 .scenario = text_of(object.at("scenario")),
                 .expectations = texts_of(object.at("expectations")),
                 .sometimes = texts_of(object.at("sometimes")),
                 .seeds = {object.at("first_seed").to_number<std::uint64_t>(),
                           object.at("last_seed").to_number<std::uint64_t>()}};
    head.shard = {object.at("shard").to_number<std::uint32_t>(), object.at("of_shards").to_number<std::uint32_t>()};
    const auto& seeds = head.plan.seeds;
    const bool sound = seeds.first <= seeds.last && seeds.last - seeds.first != UINT64_MAX && head.shard.index >= 1 &&
                       head.shard.index <= head.shard.of;
    if (!sound) throw BadLedger{"has a head with seeds or shards that there cannot be"};
    return head;
  } catch (const BadLedger&) {
    throw;
  } catch (const std::exception&) {
    throw BadLedger{
        "is not a ledger of a sweep: its first line is not the head that \"holdfast sweep --ledger\" writes"};
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Lines of seeds
// ---------------------------------------------------------------------------------------------------------------------

namespace {

// In the order of RehearsalVerdict, the last of which no ledger has.
constexpr std::string_view kVerdictLetters = "hvb";
// In the order of FailureReason::Kind.
constexpr std::string_view kReasonLetters = "resb";

void append_escaped(std::string& line, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '\\': line += "\\\\"; break;
      case '\t': line += "\\t"; break;
      case '\n': line += "\\n"; break;
      default: line += c;
    }
  }
}

std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    if (++i == text.size()) throw BadLedger{"ends within an escape"};
    switch (text[i]) {
      case '\\': plain += '\\'; break;
      case 't': plain += '\t'; break;
      case 'n': plain += '\n'; break;
      default: throw BadLedger{"has an escape that there is not"};
    }
  }
  return plain;
}

// The part up to the separator, which is taken off.
std::string_view cut(std::string_view& rest, char separator) {
  const auto end = std::min(rest.find(separator), rest.size());
  const auto part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stopped != end) throw BadLedger{"has no number where one stands in every line"};
  return number;
}

std::size_t index_of(std::string_view text, std::string_view letters) {
  const auto index = text.size() == 1 ? letters.find(text.front()) : letters.npos;
  if (index == letters.npos) throw BadLedger{"has an unknown letter for a verdict or a reason"};
  return index;
}

}  // namespace

std::string to_line(const SeedOutcome& outcome) {
  std::string line =
      fmt::format("{} {} {}", outcome.seed, kVerdictLetters[static_cast<std::size_t>(outcome.verdict)], outcome.digest);
  for (const auto& figure : outcome.figures) line += figure ? fmt::format(" {}", *figure) : std::string{" -"};
  if (!outcome.seen.empty()) line += ' ' + outcome.seen;
  for (const auto& failure : outcome.failures) {
    line += '\t';
    line += kReasonLetters[static_cast<std::size_t>(failure.reason.kind)];
    for (const auto* const part : {&failure.reason.what, &failure.reason.cause, &failure.says}) {
      line += '\t';
      append_escaped(line, *part);
    }
  }
  return line += '\n';
}

SeedOutcome parse_ledger_line(std::string_view line) {
  auto fields = cut(line, '\t');
  SeedOutcome outcome;
  outcome.seed = number_of(cut(fields, ' '));
  outcome.verdict = static_cast<RehearsalVerdict>(index_of(cut(fields, ' '), kVerdictLetters));
  outcome.digest = cut(fields, ' ');
  if (outcome.digest.size() != 32) throw BadLedger{"has a digest of another length than 32"};
  for (auto& figure : outcome.figures) {
    const auto text = cut(fields, ' ');
    if (text != "-") figure = number_of(text);
  }
  outcome.seen = cut(fields, ' ');
  if (!fields.empty() || outcome.seen.find_first_not_of("01") != std::string::npos) {
    throw BadLedger{"has more figures than there are"};
  }
  while (!line.empty()) {
    SeedFailure failure;
    failure.reason.kind = static_cast<FailureReason::Kind>(index_of(cut(line, '\t'), kReasonLetters));
    failure.reason.what = unescaped(cut(line, '\t'));
    failure.reason.cause = unescaped(cut(line, '\t'));
    failure.says = unescaped(cut(line, '\t'));
    outcome.failures.push_back(std::move(failure));
  }
  if (outcome.held() != outcome.failures.empty()) throw BadLedger{"says both that the seed held and that it did not"};
  return outcome;
}

// ---------------------------------------------------------------------------------------------------------------------
// Order
// ---------------------------------------------------------------------------------------------------------------------

bool LedgerOrder::add(SeedOutcome outcome) {
  const std::uint64_t seed = outcome.seed;
  if (seed < seeds_.first || seed > seeds_.last) {
    throw BadLedger{fmt::format("has seed {}, but is of the seeds {} to {}", seed, seeds_.first, seeds_.last)};
  }
  if (complete_ || seed < next_) return false;  // what was taken is not compared again
  const auto [found, added] = ahead_.try_emplace(seed, std::move(outcome));
  if (!added && found->second != outcome) {
    throw BadLedger{fmt::format("has two outcomes of seed {}, and they differ", seed)};
  }
  return added;
}

std::optional<SeedOutcome> LedgerOrder::take() {
  if (complete_) return std::nullopt;
  auto node = ahead_.extract(next_);
  if (node.empty()) return std::nullopt;
  complete_ = next_ == seeds_.last;
  ++next_;
  return std::move(node.mapped());
}

const SeedOutcome* LedgerOrder::find(std::uint64_t seed) const noexcept {
  const auto found = ahead_.find(seed);
  return found == ahead_.end() ? nullptr : &found->second;
}

}  // namespace holdfast::sim
