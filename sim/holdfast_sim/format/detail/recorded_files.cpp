#include <holdfast_sim/format/detail/recorded_files.hpp>

#include <holdfast/file/message_text.hpp>
#include <holdfast/file/small_file.hpp>
#include <holdfast_sim/scenario/detail/recorded_trace_lines.hpp>
#include <holdfast_sim/text/file.hpp>

namespace holdfast::sim::detail {

RecordedFiles::RecordedFiles(const CheckedScenario& checked) : folder_(checked.folder) {
  for (std::size_t i = 0; i < checked.scenario.chaos.size(); ++i) {
    if (auto* const recorded = std::get_if<Recorded>(&checked.scenario.chaos[i].what)) fill_in(checked, i, *recorded);
  }
}

std::string RecordedFiles::place_of(const Recorded& recorded) const {
  return (folder_ / recorded.file).lexically_normal().generic_string();
}

std::string RecordedFiles::path_of(const Recorded& recorded) const { return printable(place_of(recorded)); }

std::uint32_t RecordedFiles::line_of(const Recorded& recorded, std::size_t entity) const {
  return files_.at(place_of(recorded)).entity_lines[entity];
}

void RecordedFiles::fill_in(const CheckedScenario& checked, std::size_t entry, Recorded& recorded) {
  const std::string key = "chaos[" + std::to_string(entry) + "].recorded.file";
  const Position at = checked.document.position_of(key);
  if (recorded.file.empty() || checked.complaints.full()) {
    complete_ = false;
    return;
  }
  if (std::filesystem::path{recorded.file}.is_absolute()) {
    checked.complaints.add(
        at, key,
        "is the absolute path " + in_quotes(recorded.file) + "; allowed is a path relative to the scenario's folder");
    complete_ = false;
    return;
  }
  const auto [found, added] = files_.try_emplace(place_of(recorded));
  auto& file = found->second;
  if (added) file.good = read(checked, at, key, recorded);
  complete_ = complete_ && file.good;
  rows_ += file.trace.failures.size();
  if (rows_ > kRecordedRowsMax) {
    checked.complaints.add(at, key,
                           "brings the rows of all recorded chaos to " + std::to_string(rows_) +
                               "; allowed are up to " + std::to_string(kRecordedRowsMax) + " together");
    rows_ -= file.trace.failures.size();
    complete_ = false;
    return;
  }
  recorded.trace = file.trace;
}

bool RecordedFiles::read(const CheckedScenario& checked, Position at, const std::string& key,
                         const Recorded& recorded) {
  const auto place = place_of(recorded);
  const auto path = path_of(recorded);
  const auto text = read_small_file(place, kRecordedFileSizeMax);
  if (!text.problem.empty()) {
    checked.complaints.add(at, key, "is " + in_quotes(recorded.file) + ", but " + path + ' ' + text.problem);
    return false;
  }
  try {
    auto [trace, lines] = parse_trace_with_lines(text.text, path);
    files_[place] = {std::move(trace), std::move(lines), true};
    return true;
  } catch (const BadInput& bad) {
    for (const auto& complaint : bad.complaints()) checked.complaints.add_elsewhere(at, complaint);
    return false;
  }
}

}  // namespace holdfast::sim::detail
