// holdfast status: the services of a fleet that is up.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <holdfast/up/request.hpp>
#include <holdfast_sim/text/detail/human_text.hpp>
#include <holdfast_sim/text/wording.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "fleet_client.hpp"
#include "terminal.hpp"

namespace holdfast::tools::control {

namespace {

namespace json = boost::json;

constexpr auto kStatusFooter = R"(
Without a FILE it is the one fleet of this user that is up.

Examples:
  holdfast status                          who runs, since when, what happens next
  holdfast status --watch                  the same again each second, until Ctrl-C
  holdfast status fleet.toml --json | jq   for programs, times in nanoseconds

Exit status:
  0  every service is as it should be
  1  one of them waits for its next start, or was lost
  2  no such fleet is up)";

constexpr std::chrono::seconds kWatchPause{1};
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kClearLine = "\x1b[K";
constexpr std::string_view kClearRest = "\x1b[J";

struct StatusArguments {
  std::string file;  // empty: the one that is up
  bool json = false;
  bool watch = false;
};

// Two units at most: "3d4h", "5min3s", "12.3s", "450ms".
std::string short_time(std::int64_t nanoseconds) {
  const std::int64_t ms = nanoseconds / 1'000'000;
  const std::int64_t s = ms / 1000;
  if (ms < 1000) return fmt::format("{}ms", ms);
  if (s < 60) return fmt::format("{}.{}s", s, ms % 1000 / 100);
  if (s < 3600) return fmt::format("{}min{}s", s / 60, s % 60);
  if (s < 86400) return fmt::format("{}h{}min", s / 3600, s % 3600 / 60);
  return fmt::format("{}d{}h", s / 86400, s % 86400 / 3600);
}

// What an operator wants to know beside the numbers.
std::string note_about(const json::object& service, const json::object& probes) {
  std::string note = text_at(service, "termination_text");
  if (const auto probe = text_at(probes, text_at(service, "name")); !probe.empty()) note = probe;
  if (service.contains("next_start_in_ns") && service.at("next_start_in_ns").is_int64()) {
    note = "next start in " + short_time(number_at(service, "next_start_in_ns"));
  }
  if (const auto dependency = text_at(service, "dependency"); !dependency.empty()) note = "waits for " + dependency;
  if (text_at(service, "waits_for") == "group") note = "waits for its group, " + text_at(service, "group");
  const auto breaker = text_at(service, "breaker");
  if (breaker == "open" || breaker == "half_open") note += (note.empty() ? "" : ", ") + ("breaker " + breaker);
  const auto error = text_at(service, "last_error");
  if (!error.empty() && note.find(error) == std::string::npos) note += (note.empty() ? "" : "; ") + ("last: " + error);
  return note;
}

using Row = std::vector<std::string>;

Row row_of(const json::object& service, const json::object& probes) {
  const auto pid = number_at(service, "pid");
  const auto starts = number_at(service, "starts");
  return {text_at(service, "name"),
          text_at(service, "phase"),
          pid > 0 ? std::to_string(pid) : "-",
          short_time(number_at(service, "time_in_phase_ns")),
          std::to_string(std::max<std::int64_t>(starts - 1, 0)),
          std::to_string(number_at(service, "failures")),
          note_about(service, probes)};
}

// Each part of a note in lines of its own, below its service.
std::string note_below(std::string_view note, std::size_t room) {
  constexpr std::string_view kBetween = "; ";
  std::string text;
  while (!note.empty()) {
    const auto end = std::min(note.find(kBetween), note.size());
    text += sim::detail::folded("    " + sim::printable(note.substr(0, end)), room);
    note.remove_prefix(std::min(end + kBetween.size(), note.size()));
  }
  return text;
}

// A line for each service, with its note behind it or below it. In a terminal that has no room for the columns each is
// a paragraph, as in the report of a run.
std::string table_of(const std::vector<Row>& rows, std::size_t room) {
  sim::detail::TextTable all{{"service", "<phase", "<pid", "<for", "<restarts", "<failures"}};
  for (const auto& row : rows) all.add({row.begin(), row.end() - 1});
  const auto width_of_all = all.whole_width(0);
  const bool has_room = width_of_all <= room;
  auto lines = all.pieces(0, room);
  std::string text;
  if (has_room) text += lines.front();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto& line = lines[i + (has_room ? 1 : 0)];
    const auto& note = rows[i].back();
    if (has_room && !note.empty() && width_of_all + 2 + sim::detail::columns(note) <= room) {
      line.pop_back();
      line += std::string(width_of_all + 2 - sim::detail::columns(line), ' ') + sim::printable(note) + '\n';
      text += line;
    } else {
      text += line + note_below(note, room);
    }
  }
  return text;
}

// Elsewhere than on a terminal a service is one line, unless COLUMNS says how long a line may be.
std::size_t room_of_lines() {
  constexpr std::size_t kAnyWidth = 100'000;
  return ::isatty(STDOUT_FILENO) == 1 || std::getenv("COLUMNS") != nullptr ? width() : kAnyWidth;
}

std::string fleet_text(const json::object& status) {
  const auto room = room_of_lines();
  const auto& fleet = status.at("fleet").as_object();
  std::vector<Row> rows;
  const auto* const found = status.if_contains("probes");  // an `up` of an earlier version has none
  const json::object probes = found != nullptr && found->is_object() ? found->as_object() : json::object{};
  for (const auto& service : fleet.at("services").as_array()) rows.push_back(row_of(service.as_object(), probes));
  const auto head = fmt::format("{}: process {}, {}{}", text_at(status, "name"), number_at(status, "pid"),
                                text_at(status, "file"), fleet.at("shutting_down").as_bool() ? ", stopping" : "");
  return sim::detail::folded(sim::printable(head), room) + table_of(rows, room);
}

bool is_as_it_should_be(const json::object& status) { return status.at("fleet").as_object().at("ready").as_bool(); }

bool print_status(const std::string& answer, const json::object& status, const StatusArguments& arguments) {
  return arguments.json ? print_json(answer + '\n') : print(fleet_text(status));
}

// In place, on a terminal.
bool print_again(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += kClearLine.size() + 1) {
    text.insert(at, kClearLine);
  }
  return print(std::string{kHome} + text + std::string{kClearRest});
}

int watch_status(const StatusArguments& arguments) {
  auto client = client_of(arguments.file);
  const bool in_place = ::isatty(STDOUT_FILENO) == 1 && !arguments.json;
  for (;; std::this_thread::sleep_for(kWatchPause)) {
    const auto answer = client.ask(holdfast::up::request_text({.what = "status"}));
    const auto status = parsed_answer(answer);
    if (const auto no = refusal(status)) throw std::runtime_error{*no};
    const bool shown = in_place ? print_again(fleet_text(status)) : print_status(answer, status, arguments);
    if (!shown) return bad_input;
    if (output_reader_gone()) return is_as_it_should_be(status) ? all_held : something_violated;
  }
}

int show_status(const StatusArguments& arguments) {
  if (arguments.watch) return watch_status(arguments);
  const auto answer = client_of(arguments.file).ask(holdfast::up::request_text({.what = "status"}));
  const auto status = parsed_answer(answer);
  if (const auto no = refusal(status)) throw std::runtime_error{*no};
  if (!print_status(answer, status, arguments)) return bad_input;
  return is_as_it_should_be(status) ? all_held : something_violated;
}

}  // namespace

Command add_status_to(CLI::App& app) {
  auto arguments = std::make_shared<StatusArguments>();
  auto* const line = app.add_subcommand("status", "Show the services of a fleet that is up");
  line->footer(kStatusFooter);
  line->add_option("FILE", arguments->file, "The fleet's file; without it, the one that is up");
  line->add_flag("--watch", arguments->watch, "Show it again each second, until Ctrl-C");
  line->add_flag("--json", arguments->json, "Print it as JSON");
  return {line, [arguments] { return show_status(*arguments); }};
}

}  // namespace holdfast::tools::control
