#include <holdfast_sim/recorded_trace.hpp>

#include <algorithm>
#include <optional>
#include <tuple>
#include <unordered_map>

#include <holdfast/policy.hpp>
#include <holdfast_sim/detail/complaints.hpp>
#include <holdfast_sim/detail/message_text.hpp>
#include <holdfast_sim/detail/recorded_trace_lines.hpp>
#include <holdfast_sim/detail/small_file.hpp>
#include <holdfast_sim/duration_text.hpp>
#include <holdfast_sim/scenario_format.hpp>

namespace holdfast::sim {

namespace {

using detail::in_quotes;
using detail::Position;
using holdfast::to_string;

// Texts in the order of their first appearance.
class Names {
 public:
  explicit Names(std::vector<std::string>& names) : names_(names) {}

  std::uint32_t index_of(std::string_view name) {
    const auto [found, added] = indices_.try_emplace(std::string{name}, static_cast<std::uint32_t>(names_.size()));
    if (added) names_.emplace_back(name);
    return found->second;
  }

 private:
  std::vector<std::string>& names_;
  std::unordered_map<std::string, std::uint32_t> indices_;  // only looked up, never iterated
};

class Parser {
 public:
  Parser(std::string_view text, const std::string& file) : rest_(text), complaints_(file) {}

  detail::TraceWithLines parse() {
    if (rest_.empty()) complaints_.add({}, "", "is empty; it begins with the line " + in_quotes(kRecordedHeader));
    if (!rest_.empty() && read_header()) read_rows();
    complaints_.throw_if_any();
    auto& failures = result_.trace.failures;
    std::stable_sort(failures.begin(), failures.end(),
                     [](const Failure& a, const Failure& b) { return a.from < b.from; });
    count_odd_rows();
    return std::move(result_);
  }

 private:
  // The next line without its end. REQUIRES: !rest_.empty().
  std::string_view take_line() {
    const auto end = std::min(rest_.find('\n'), rest_.size());
    auto line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    ++line_number_;
    return line;
  }

  void complain(std::size_t byte, std::string key, std::string says) {
    complaints_.add({line_number_, static_cast<std::uint32_t>(byte + 1)}, std::move(key), std::move(says));
  }

  bool read_header() {
    while (!rest_.empty()) {
      const auto line = take_line();
      if (!line.empty() && line.front() == '#') continue;
      if (line == kRecordedHeader) return true;
      complain(0, "", "is " + in_quotes(line) + "; the first line that is no comment is " + in_quotes(kRecordedHeader));
      return false;
    }
    complaints_.add({}, "", "has comments only; after them comes the line " + in_quotes(kRecordedHeader));
    return false;
  }

  void read_rows() {
    std::size_t rows = 0;
    while (!rest_.empty() && !complaints_.full()) {
      const auto line = take_line();
      if (++rows > kRecordedRowsMax) {
        complain(
            0, "",
            "is row " + std::to_string(rows) + "; allowed are up to " + std::to_string(kRecordedRowsMax) + " rows");
        return;
      }
      read_row(line);
    }
  }

  void read_row(std::string_view line) {
    if (line.size() > kRecordedLineLengthMax) {
      complain(0, "",
               "is a line of " + std::to_string(line.size()) + " bytes; allowed are up to " +
                   std::to_string(kRecordedLineLengthMax) + " bytes");
      return;
    }
    if (line.empty()) return complain(0, "", "is an empty line; a row is " + in_quotes(kRecordedHeader));
    if (line.front() == '#')
      return complain(0, "", "is a comment; comments stand before the line " + in_quotes(kRecordedHeader));
    const auto first = line.find(',');
    const auto second = first == std::string_view::npos ? first : line.find(',', first + 1);
    const auto third = second == std::string_view::npos ? second : line.find(',', second + 1);
    if (third == std::string_view::npos) {
      complain(0, "",
               "is " + in_quotes(line) + ", which has fewer than four fields; a row is " + in_quotes(kRecordedHeader));
      return;
    }
    const auto entity = line.substr(0, first);
    const auto cause = line.substr(third + 1);
    const bool named = check_entity(entity);
    const auto from = read_time("from", line, first + 1, second);
    const auto until = read_time("until", line, second + 1, third);
    const bool caused = check_text("cause", cause, third + 1);
    if (from && until && *until < *from) {
      complain(
          second + 1, "until",
          "is " + to_string(*until) + ", before from, which is " + to_string(*from) + "; allowed is from or later");
    } else if (named && from && until && caused) {
      add(entity, *from, *until, cause);
    }
  }

  void add(std::string_view entity, Duration from, Duration until, std::string_view cause) {
    const auto index = entities_.index_of(entity);
    if (index == result_.entity_lines.size()) result_.entity_lines.push_back(line_number_);
    result_.trace.failures.push_back({index, causes_.index_of(cause), from, until});
  }

  bool check_entity(std::string_view entity) {
    if (!entity.empty() && entity.size() <= kNameLengthMax) return check_text("entity", entity, 0);
    complain(0, "entity",
             (entity.empty() ? "is empty" : "is " + std::to_string(entity.size()) + " bytes long") +
                 "; allowed are 1 to " + std::to_string(kNameLengthMax) + " bytes");
    return false;
  }

  bool check_text(const char* key, std::string_view text, std::size_t start) {
    const auto control = std::find_if(text.begin(), text.end(),
                                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    const auto broken = detail::invalid_utf8(text);
    if (control == text.end() && broken == std::string_view::npos) return true;
    const auto at = std::min(broken, static_cast<std::size_t>(control - text.begin()));
    complain(start + at, key,
             "is " + in_quotes(text) + ", which has " +
                 (at == broken ? "a byte that is no UTF-8" : "a control character") +
                 "; allowed is UTF-8 without control characters");
    return false;
  }

  std::optional<Duration> read_time(const char* key, std::string_view line, std::size_t begin, std::size_t end) {
    const auto text = line.substr(begin, end - begin);
    const auto fault = fault_of_duration(text);
    if (!fault) return parse_duration(text);
    complain(begin, key,
             "is " + in_quotes(text) +
                 (fault == DurationFault::form ? "; allowed is a length of time: " + std::string{kDurationForm}
                                               : "; allowed is 0s to " + to_string(kDurationMax)));
    return std::nullopt;
  }

  void count_odd_rows() {
    auto& trace = result_.trace;
    std::vector<Duration> down_until(trace.entities.size(), Duration::zero());
    for (const auto& failure : trace.failures) {
      if (failure.until == failure.from) ++trace.zero_length;
      if (failure.from < down_until[failure.entity]) ++trace.overlapping;
      down_until[failure.entity] = std::max(down_until[failure.entity], failure.until);
    }
    auto sorted = trace.failures;
    std::sort(sorted.begin(), sorted.end(), [](const Failure& a, const Failure& b) {
      return std::tie(a.entity, a.from, a.until, a.cause) < std::tie(b.entity, b.from, b.until, b.cause);
    });
    const auto distinct = std::unique(sorted.begin(), sorted.end()) - sorted.begin();
    trace.duplicates = sorted.size() - static_cast<std::size_t>(distinct);
  }

  std::string_view rest_;
  std::uint32_t line_number_ = 0;
  detail::Complaints complaints_;
  detail::TraceWithLines result_;
  Names entities_{result_.trace.entities};
  Names causes_{result_.trace.causes};
};

}  // namespace

detail::TraceWithLines detail::parse_trace_with_lines(std::string_view text, const std::string& file) {
  return Parser{text, file}.parse();
}

RecordedTrace parse_recorded_trace(std::string_view text, const std::string& file) {
  return detail::parse_trace_with_lines(text, file).trace;
}

RecordedTrace read_recorded_trace(const std::filesystem::path& file) {
  const auto read = detail::read_small_file(file, kRecordedFileSizeMax);
  if (!read.problem.empty()) throw BadInput({{file.generic_string(), 0, 0, "", read.problem}});
  return parse_recorded_trace(read.text, file.generic_string());
}

}  // namespace holdfast::sim
