// A recorded trace of failures: which entity was down from when to when, and why.
//
// The file is CSV: `#` comment lines, then the header `entity,from,until,cause`, then a row a failure. `from` and
// `until` are lengths of time since the record's time zero, with units ("12345min"); the row's last field is the rest
// of the line. Rows may come in any order, overlap and repeat: nothing is dropped or changed, odd rows are counted.
// Before the cause there may be a column `severity`: the share of the starts that fail while the row lasts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/file/ratio.hpp>
#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct Failure {
  std::uint32_t entity = 0;                     // index into RecordedTrace::entities
  std::uint32_t cause = 0;                      // index into RecordedTrace::causes
  Duration from{0};                             // since the record's time zero
  Duration until{0};                            // from or later
  file::Ratio severity = file::Ratio::from(1);  // above 0, up to 1
  friend bool operator==(const Failure&, const Failure&) = default;
};

struct RecordedTrace {
  std::vector<std::string> entities{};  // in the order of their first appearance
  std::vector<std::string> causes{};    // in the order of their first appearance
  std::vector<Failure> failures{};      // ordered by (from, position in the file)

  // What is odd in the file, counted. A row counts once under each heading that fits.
  std::uint64_t zero_length = 0;  // until equals from: the service crashes and can start again at once
  std::uint64_t duplicates = 0;   // an earlier row has the same fields
  std::uint64_t overlapping = 0;  // begins before an earlier row of its entity has ended: down over the union

  // Some row is no whole outage.
  [[nodiscard]] bool has_severities() const noexcept {
    return std::any_of(failures.begin(), failures.end(),
                       [](const Failure& failure) { return failure.severity != file::Ratio::from(1); });
  }
  friend bool operator==(const RecordedTrace&, const RecordedTrace&) = default;
};
inline constexpr std::string_view kRecordedHeader = "entity,from,until,cause";
inline constexpr std::string_view kRecordedHeaderWithSeverity = "entity,from,until,severity,cause";
inline constexpr std::size_t kRecordedFileSizeMax = std::size_t{64} << 20;  // bytes
inline constexpr std::size_t kRecordedRowsMax = 1'000'000;
inline constexpr std::size_t kRecordedLineLengthMax = 4096;  // bytes

// Throws BadInput (bad_input.hpp), which names the file, the line, the column, what was found and what is right.
RecordedTrace parse_recorded_trace(std::string_view text, const std::string& file);
RecordedTrace read_recorded_trace(const std::filesystem::path& file);

}  // namespace holdfast::sim

#pragma GCC visibility pop
