#include "merging.hpp"

#include <utility>

#include <fmt/format.h>
#include <holdfast/file/message_text.hpp>

namespace holdfast::tools {

namespace {

void check_same_sweep(const LedgerReader& first, const LedgerReader& other) {
  const auto& a = first.head();
  const auto& b = other.head();
  const auto refuse = [&](std::string_view what) {
    throw LedgerTrouble(
        fmt::format("{}: is of {} than {}", file::printable(other.path()), what, file::printable(first.path())));
  };
  if (a.version != b.version) refuse("another version of holdfast");
  if (a.fingerprint != b.fingerprint || a.plan.scenario != b.plan.scenario || a.plan.settings != b.plan.settings) {
    refuse("another scenario, or of other values,");
  }
  if (a.plan.seeds != b.plan.seeds) refuse("other seeds");
}

}  // namespace

Merger::Merger(const std::vector<std::string>& ledgers) {
  for (const auto& path : ledgers) {
    auto reader = std::make_unique<LedgerReader>(path);
    if (!sources_.empty()) check_same_sweep(*sources_.front().reader, *reader);
    auto at = reader->next();
    sources_.push_back({std::move(reader), std::move(at)});
  }
}

std::optional<sim::SeedOutcome> Merger::next() {
  const Source* first = nullptr;
  for (const auto& source : sources_) {
    if (source.at && (first == nullptr || source.at->seed < first->at->seed)) first = &source;
  }
  if (first == nullptr) return std::nullopt;
  const auto& where = first->reader->path();
  const auto found = *first->at;
  for (auto& source : sources_) {
    if (!source.at || source.at->seed != found.seed) continue;
    if (found != *source.at) {
      throw OutcomesDiffer(fmt::format("seed {} has two outcomes: {} says \"{} {}\", and {} says \"{} {}\"", found.seed,
                                       file::printable(where), to_string(found.verdict), found.digest,
                                       file::printable(source.reader->path()), to_string(source.at->verdict),
                                       source.at->digest));
    }
    source.at = source.reader->next();
  }
  return found;
}

std::vector<sim::SeedRange> missing_seeds(const std::vector<std::string>& ledgers, const sim::SeedRange& all) {
  if (ledgers.empty()) return {all};
  std::vector<sim::SeedRange> gaps;
  Merger merger{ledgers};
  std::uint64_t done = 0;  // seeds, from the first of all
  while (const auto outcome = merger.next()) {
    const auto index = outcome->seed - all.first;
    if (index > done) gaps.push_back({all.first + done, outcome->seed - 1});
    done = index + 1;
  }
  if (done < all.size()) gaps.push_back({all.first + done, all.last});
  return gaps;
}

}  // namespace holdfast::tools
