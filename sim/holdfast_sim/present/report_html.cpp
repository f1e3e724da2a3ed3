#include <holdfast_sim/present/report_html.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <boost/json.hpp>

#include <holdfast_sim/present/detail/chain_json.hpp>
#include <holdfast_sim/present/detail/html_text.hpp>
#include <holdfast_sim/present/detail/page_style.hpp>
#include <holdfast_sim/present/detail/report_page.hpp>
#include <holdfast_sim/present/report_json.hpp>
#include <holdfast_sim/present/report_text.hpp>
#include <holdfast_sim/scenario/roster.hpp>
#include <holdfast_sim/text/wording.hpp>

namespace holdfast::sim {

namespace {

constexpr std::string_view kPlaceOfData = "/*DATA*/";
constexpr std::string_view kPlaceOfTitle = "/*TITLE*/";

std::string base64(const std::vector<std::uint8_t>& bytes) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = std::uint32_t{bytes[i]} << 16;
    if (i + 1 < bytes.size()) three |= std::uint32_t{bytes[i + 1]} << 8;
    if (i + 2 < bytes.size()) three |= bytes[i + 2];
    text += kLetters[three >> 18];
    text += kLetters[three >> 12 & 63];
    text += i + 1 < bytes.size() ? kLetters[three >> 6 & 63] : '=';
    text += i + 2 < bytes.size() ? kLetters[three & 63] : '=';
  }
  return text;
}

// JSON that stands inside of a script: nothing in it may look like a tag.
std::string in_script(const boost::json::object& data) {
  std::string text;
  for (const char c : boost::json::serialize(data)) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

boost::json::array rows_of(const Scenario& scenario, const FleetMap& map) {
  const Roster roster = roster_of(scenario);
  boost::json::array rows;
  for (const auto& row : map.rows()) {
    const auto group = roster.group_of(row.name);
    rows.push_back(boost::json::array{
        printable(row.name), group ? boost::json::value(*group) : boost::json::value{},
        row.first_trouble ? boost::json::value(row.first_trouble->nanoseconds) : boost::json::value{},
        base64(row.cells)});
  }
  return rows;
}

boost::json::array groups_of(const Scenario& scenario) {
  const Roster roster = roster_of(scenario);
  boost::json::array names;
  for (const auto& group : roster.groups()) names.emplace_back(printable(group.name));
  return names;
}

boost::json::array chains_of(const std::vector<Explanation>& why) {
  boost::json::array chains;
  for (const auto& explanation : why) {
    if (explanation.chain.empty()) continue;
    chains.push_back(boost::json::object{{"what", printable(explanation.what)},
                                         {"service", printable(explanation.service)},
                                         {"afterwards", explanation.afterwards},
                                         {"chain", detail::json_of(explanation.chain)}});
  }
  return chains;
}

boost::json::array faults_of(const FleetMap& map) {
  boost::json::array faults;
  for (const auto& fault : map.faults()) {
    faults.push_back(boost::json::array{std::string{to_string(fault.kind)}, fault.from.nanoseconds,
                                        fault.until.nanoseconds, fault.services});
  }
  return faults;
}

boost::json::array numbers(const std::vector<std::uint64_t>& all) {
  boost::json::array numbers;
  for (const auto one : all) numbers.emplace_back(one);
  return numbers;
}

}  // namespace

std::uint32_t buckets_of_page(std::uint64_t services) noexcept {
  constexpr std::uint64_t kCells = 1'500'000;
  constexpr std::uint64_t kMost = 1200, kFewest = 200;
  return static_cast<std::uint32_t>(std::min(kMost, std::max(kFewest, kCells / std::max<std::uint64_t>(services, 1))));
}

std::string report_html(const Scenario& scenario, const RehearsalResult& result, const FleetMap& map,
                        const std::vector<Complaint>& warnings, const std::vector<Explanation>& why) {
  const boost::json::object data{{"report", boost::json::parse(report_json(result, std::nullopt, warnings))},
                                 {"seed", std::to_string(result.seed.value)},  // a number of JavaScript is rounded
                                 {"why", chains_of(why)},
                                 {"groups", groups_of(scenario)},
                                 {"rows", rows_of(scenario, map)},
                                 {"faults", faults_of(map)},
                                 {"more_faults", map.more_faults()},
                                 {"bucket_ns", map.bucket().count()},
                                 {"buckets", map.buckets()},
                                 {"restarts", numbers(map.restarts())}};
  using detail::replaced;
  const auto page = replaced(detail::kReportPage, "/*STYLE*/", detail::kPageStyle);
  return replaced(replaced(page, kPlaceOfTitle, detail::html(result.report.scenario)), kPlaceOfData, in_script(data));
}

}  // namespace holdfast::sim
