#include <holdfast_sim/scenario/recorded_trace.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>
#include <unordered_map>

#include <holdfast/detail/text.hpp>
#include <holdfast/file/complaints.hpp>
#include <holdfast/file/duration_text.hpp>
#include <holdfast/file/meant_duration.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/small_file.hpp>
#include <holdfast/policy.hpp>
#include <holdfast_sim/scenario/detail/recorded_trace_lines.hpp>
#include <holdfast_sim/text/file.hpp>

namespace holdfast::sim {

namespace {

using file::in_quotes;
using file::Position;
using file::Ratio;
using holdfast::to_string;

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

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
  // A byte order mark, which spreadsheets write, says nothing.
  Parser(std::string_view text, const std::string& file)
      : rest_(text.substr(text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0)), complaints_(file) {}

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
      if (line == kRecordedHeader || line == kRecordedHeaderWithSeverity) {
        header_ = line;
        return true;
      }
      complain(0, "", "is " + in_quotes(line) + "; " + about_header(line));
      return false;
    }
    complaints_.add({}, "", "has comments only; after them comes the line " + in_quotes(kRecordedHeader));
    return false;
  }

  static std::string about_header(std::string_view line) {
    std::string right = "the first line that is not a comment is " + in_quotes(kRecordedHeader);
    const bool has_severity = line.find("everity") != std::string_view::npos;
    const std::string_view meant = has_severity ? kRecordedHeaderWithSeverity : kRecordedHeader;
    const auto with = [meant](char separator) {
      std::string header{meant};
      std::replace(header.begin(), header.end(), ',', separator);
      return header;
    };
    std::string bare{line};
    std::erase_if(bare, [](char c) { return c == '"' || c == '\'' || c == ' '; });
    for (char& c : bare) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (line.starts_with("\xff\xfe") || line.starts_with("\xfe\xff"))
      return "the file is UTF-16: save it as CSV in UTF-8";
    if (line.starts_with("\x1f\x8b") || line.starts_with("PK\x03\x04")) {
      return "the file is compressed, or a workbook of a spreadsheet: save it as CSV";
    }
    if (line.find('\r') != std::string_view::npos) return "its lines end with CR alone: save it with LF or CRLF";
    if (bare == with(';')) return "its fields are separated by semicolons: write commas";
    if (bare == with('|')) return "its fields are separated by bars: write commas";
    if (bare == with('\t')) return "its fields are separated by tabs: write commas";
    if (bare == meant && line.find_first_of("\"'") != std::string_view::npos) {
      return "it has quotes: nothing is quoted here, and a cause may have commas";
    }
    if (bare == meant) return "write it in small letters and without blanks: " + in_quotes(meant);
    if (bare.starts_with("sep=")) return "only a spreadsheet reads this line: leave it out; " + right;
    if (std::count(line.begin(), line.end(), ',') >= 3 && is_row(line)) return "the header is missing: " + right;
    if (has_severity) return "with severities the first line that is not a comment is " + in_quotes(meant);
    return right;
  }

  // Whether the second field is a length of time, as in a row.
  static bool is_row(std::string_view line) {
    const auto first = line.find(',');
    const auto second = line.find(',', first + 1);
    return parse_duration(line.substr(first + 1, second - first - 1)).has_value();
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
    if (line.empty()) return complain(0, "", "is an empty line; a row is " + in_quotes(header_));
    if (line.front() == '#')
      return complain(0, "", "is a comment; comments stand before the line " + in_quotes(header_));
    const auto first = line.find(',');
    const auto second = first == std::string_view::npos ? first : line.find(',', first + 1);
    const auto third = second == std::string_view::npos ? second : line.find(',', second + 1);
    const bool has_severity = header_ == kRecordedHeaderWithSeverity;
    const auto last = !has_severity || third == std::string_view::npos ? third : line.find(',', third + 1);
    if (last == std::string_view::npos) {
      complain(0, "",
               "is " + in_quotes(line) + ", which has fewer than " + (has_severity ? "five" : "four") + " fields; " +
                   (std::count(line.begin(), line.end(), ';') >= 3    ? "they are separated by semicolons: write commas"
                    : std::count(line.begin(), line.end(), '\t') >= 3 ? "they are separated by tabs: write commas"
                                                                      : "a row is " + in_quotes(header_)));
      return;
    }
    const auto entity = line.substr(0, first);
    const auto cause = line.substr(last + 1);
    const bool named = check_quotes("entity", entity, 0) && check_entity(entity);
    const auto from = read_time("from", line, first + 1, second);
    const auto until = read_time("until", line, second + 1, third);
    const auto severity = has_severity ? read_severity(line, third + 1, last) : std::optional{Ratio::from(1)};
    const bool caused = check_text("cause", cause, last + 1);
    if (from && until && *until < *from) {
      complain(
          second + 1, "until",
          "is " + to_string(*until) + ", before from, which is " + to_string(*from) + "; allowed is from or later");
    } else if (named && from && until && severity && caused) {
      add(entity, *from, *until, cause, *severity);
    }
  }

  void add(std::string_view entity, Duration from, Duration until, std::string_view cause, Ratio severity) {
    const auto index = entities_.index_of(entity);
    if (index == result_.entity_lines.size()) result_.entity_lines.push_back(line_number_);
    result_.trace.failures.push_back({index, causes_.index_of(cause), from, until, severity});
  }

  bool check_entity(std::string_view entity) {
    if (!entity.empty() && entity.size() <= kNameLengthMax) {
      return check_text("entity", entity, 0) && check_ends("entity", entity);
    }
    complain(0, "entity",
             (entity.empty() ? "is empty" : "is " + std::to_string(entity.size()) + " bytes long") +
                 "; allowed are 1 to " + std::to_string(kNameLengthMax) + " bytes");
    return false;
  }

  // As a spreadsheet writes it. A cause may be in quotes: an error is quoted as it was.
  bool check_quotes(const char* key, std::string_view text, std::size_t start) {
    const bool quoted = text.size() > 1 && text.front() == '"' && text.back() == '"';
    if (quoted) complain(start, key, "is " + in_quotes(text) + "; it has quotes: nothing is quoted here");
    return !quoted;
  }

  bool check_ends(const char* key, std::string_view text) {
    const auto blank = holdfast::detail::blank_at_an_end(text);
    if (!blank.empty()) complain(0, key, "is " + in_quotes(text) + ", which " + std::string{blank} + "; leave it out");
    return blank.empty();
  }

  bool check_text(const char* key, std::string_view text, std::size_t start) {
    const auto invisible = holdfast::detail::find_invisible(text);
    const auto broken = file::invalid_utf8(text);
    const auto at = std::min(broken, invisible);
    if (at == std::string_view::npos) return true;
    complain(start + at, key,
             "is " + in_quotes(text) + ", which has " +
                 (at == broken ? "a byte that is not UTF-8" : "a control or invisible character") +
                 "; allowed is UTF-8 without control or invisible characters");
    return false;
  }

  std::optional<Duration> read_time(const char* key, std::string_view line, std::size_t begin, std::size_t end) {
    const auto text = line.substr(begin, end - begin);
    const auto fault = fault_of_duration(text);
    if (!fault) return parse_duration(text);
    if (fault == DurationFault::form) {
      if (const auto hint = about_time(text); !hint.empty()) {
        complain(begin, key, "is " + in_quotes(text) + "; " + hint);
        return std::nullopt;
      }
    }
    complain(begin, key,
             "is " + in_quotes(text) +
                 (fault == DurationFault::form ? "; allowed is a length of time: " + std::string{kDurationForm}
                                               : "; allowed is 0s to " + to_string(kDurationMax)));
    return std::nullopt;
  }

  std::optional<Ratio> read_severity(std::string_view line, std::size_t begin, std::size_t end) {
    const auto text = line.substr(begin, end - begin);
    const auto severity = share_of(text);
    if (severity) return severity;
    const bool percent = text.size() > 1 && text.back() == '%';
    complain(begin, "severity",
             "is " + in_quotes(text) +
                 "; allowed is a number above 0 and up to 1 with up to nine decimals, which is the share of the starts "
                 "that fail" +
                 (percent ? ": 25 percent are \"0.25\"" : ""));
    return std::nullopt;
  }

  // "0.25", to the nearest; nullopt: it is no such number, or not above 0 and up to 1.
  static std::optional<Ratio> share_of(std::string_view text) {
    constexpr std::size_t kDecimalsMax = 9;
    const auto point = std::min(text.find('.'), text.size());
    const auto decimals = text.substr(std::min(point + 1, text.size()));
    const bool is_number = (text.substr(0, point) == "0" || text.substr(0, point) == "1") &&
                           (point == text.size() || !decimals.empty()) && decimals.size() <= kDecimalsMax &&
                           decimals.find_first_not_of("0123456789") == std::string_view::npos;
    if (!is_number) return std::nullopt;
    std::uint64_t value = text.front() == '1' ? 1 : 0;
    std::uint64_t one = 1;
    for (const char digit : decimals) {
      value = value * 10 + static_cast<std::uint64_t>(digit - '0');
      one *= 10;
    }
    if (value == 0 || value > one) return std::nullopt;
    const Ratio share{((value << 32) + one / 2) / one};
    return share == Ratio{} ? std::nullopt : std::optional{share};
  }

  // What to write instead; empty: the line does not show it.
  static std::string about_time(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789";
    if (text.find_first_of("\"'") != std::string_view::npos) return "it has quotes: nothing is quoted here";
    constexpr std::array<std::string_view, 8> kOpenEnds{"", "-", "ongoing", "now", "open", "null", "none", "NULL"};
    if (std::find(kOpenEnds.begin(), kOpenEnds.end(), text) != kOpenEnds.end()) {
      return "what is not over yet lasts until the end of the trace: write when that was";
    }
    if (const auto meant = file::meant_duration(text)) return "write " + in_quotes(to_string(*meant));
    if (const auto either = file::either_duration(text)) {
      return "write " + in_quotes(to_string(either->first)) + " or " + in_quotes(to_string(either->second));
    }
    const bool number = !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
    if (constexpr std::size_t kDigitsOfNow = 10; number && text.substr(0, text.find('.')).size() >= kDigitsOfNow) {
      return "it counts from 1970: write the time since the beginning of the trace, like \"90min\"";
    }
    if (const auto seconds = number ? file::meant_duration(std::string{text} + "s") : std::nullopt) {
      return "write " + in_quotes(to_string(*seconds)) + " if seconds are meant";
    }
    const auto digits =
        std::count_if(text.begin(), text.end(), [&](char c) { return kDigits.find(c) != kDigits.npos; });
    const bool date = digits >= 4 && text.find_first_of("-/:T") != std::string_view::npos &&
                      text.find_first_not_of("0123456789-/:.TZ +apmAPM") == std::string_view::npos &&
                      text.front() != '-';
    return date ? "it is a date: write the time since the beginning of the trace, like \"90min\"" : "";
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
      return std::tie(a.entity, a.from, a.until, a.cause, a.severity) <
             std::tie(b.entity, b.from, b.until, b.cause, b.severity);
    });
    const auto distinct = std::unique(sorted.begin(), sorted.end()) - sorted.begin();
    trace.duplicates = sorted.size() - static_cast<std::size_t>(distinct);
  }

  std::string_view rest_;
  std::string_view header_ = kRecordedHeader;  // that stands in the file
  std::uint32_t line_number_ = 0;
  file::Complaints complaints_;
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
  const auto read = file::read_small_file(file, kRecordedFileSizeMax);
  if (!read.problem.empty()) throw BadInput({{file.generic_string(), 0, 0, "", read.problem}});
  return parse_recorded_trace(read.text, file.generic_string());
}

}  // namespace holdfast::sim
