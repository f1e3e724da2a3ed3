// holdfast status, start, stop, restart, reset, down: what an operator asks of a running `holdfast up`.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <holdfast/file/fleet.hpp>
#include <holdfast/up/control_client.hpp>
#include <holdfast/up/control_path.hpp>
#include <holdfast/up/request.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "terminal.hpp"

namespace holdfast::tools::control {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using holdfast::up::ControlClient;

constexpr auto kStatusFooter = R"(
Without a FILE it is the one fleet of this user that is up.

Examples:
  holdfast status                          who runs, since when, what happens next
  holdfast status fleet.toml --json | jq   the same for programs, times in nanoseconds

Exit status:
  0  every service is as it should be
  1  one of them waits for its next start, or was lost
  2  no such fleet is up)";

constexpr auto kNamesFooter = R"(
A NAME is a service or a group. Without --file it is the one fleet of this user that is up.

Examples:
  holdfast restart web              a new run of each service of the group
  holdfast stop db-1 --file a.toml  until somebody starts it
  holdfast start db-1               also after it has failed for good
  holdfast reset web                forget its failures: the next wait is short again

Exit status:
  0  done, or nothing to do
  1  refused
  2  no such fleet is up)";

constexpr auto kDownFooter = R"(
Stops every service, and returns when "holdfast up" has ended.

Examples:
  holdfast down              the one fleet of this user that is up
  holdfast down fleet.toml   this one

Exit status:
  0  it has ended
  2  no such fleet is up)";

struct Arguments {
  std::string file;  // empty: the one that is up
  std::vector<std::string> names;
  bool json = false;
};

ControlClient the_one_that_is_up() {
  std::vector<fs::path> alive;
  for (const auto& socket : holdfast::up::known_sockets()) {
    try {
      const ControlClient client{socket};
      alive.push_back(socket);
    } catch (const std::runtime_error&) {  // a leftover
    }
  }
  if (alive.empty())
    throw std::runtime_error{"no fleet of this user is up; name its file if it has a control socket of its own"};
  if (alive.size() == 1) return ControlClient{alive.front()};
  std::string names;
  for (const auto& socket : alive) names += (names.empty() ? "" : ", ") + socket.stem().string();
  throw std::runtime_error{"several fleets are up: " + names + "; name the file of one"};
}

ControlClient client_of(const std::string& file) {
  if (file.empty()) return the_one_that_is_up();
  return ControlClient{holdfast::up::control_path(holdfast::file::read_fleet(file), file)};
}

json::object parsed(const std::string& answer) {
  json::error_code error;
  auto value = json::parse(answer, error);
  if (error || !value.is_object())
    throw std::runtime_error{"the answer of \"holdfast up\" is no JSON: is it another version?"};
  return value.as_object();
}

std::string text_at(const json::object& object, std::string_view key) {
  const auto* const value = object.if_contains(json::string_view{key.data(), key.size()});
  return value != nullptr && value->is_string() ? std::string{value->as_string().c_str()} : "";
}

std::int64_t number_at(const json::object& object, std::string_view key) {
  const auto* const value = object.if_contains(json::string_view{key.data(), key.size()});
  return value != nullptr && value->is_int64() ? value->as_int64() : 0;
}

// In words, if the answer is no.
std::optional<std::string> refusal(const json::object& answer) {
  const auto* const ok = answer.if_contains("ok");
  if (ok != nullptr && ok->is_bool() && ok->as_bool()) return std::nullopt;
  return text_at(answer, "error");
}

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
std::string note_about(const json::object& service) {
  std::string note = text_at(service, "termination_text");
  if (service.contains("next_start_in_ns") && service.at("next_start_in_ns").is_int64()) {
    note = "next start in " + short_time(number_at(service, "next_start_in_ns"));
  }
  const auto breaker = text_at(service, "breaker");
  if (breaker == "open" || breaker == "half_open") note += (note.empty() ? "" : ", ") + ("breaker " + breaker);
  const auto error = text_at(service, "last_error");
  if (!error.empty() && note.find(error) == std::string::npos) note += (note.empty() ? "" : "; ") + ("last: " + error);
  return note;
}

using Row = std::vector<std::string>;

Row row_of(const json::object& service) {
  const auto pid = number_at(service, "pid");
  const auto starts = number_at(service, "starts");
  return {text_at(service, "name"),
          text_at(service, "phase"),
          pid > 0 ? std::to_string(pid) : "-",
          short_time(number_at(service, "time_in_phase_ns")),
          std::to_string(std::max<std::int64_t>(starts - 1, 0)),
          std::to_string(number_at(service, "failures")),
          note_about(service)};
}

std::string table_of(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return text;
}

int show_status(const Arguments& arguments) {
  const auto answer = client_of(arguments.file).ask(holdfast::up::request_text("status", {}));
  const auto status = parsed(answer);
  if (const auto no = refusal(status)) throw std::runtime_error{*no};
  const auto& fleet = status.at("fleet").as_object();
  const bool is_ready = fleet.at("ready").as_bool();
  if (arguments.json) return print_json(answer + '\n') ? (is_ready ? all_held : something_violated) : bad_input;
  std::vector<Row> rows{{"service", "phase", "pid", "for", "restarts", "failures", ""}};
  for (const auto& service : fleet.at("services").as_array()) rows.push_back(row_of(service.as_object()));
  const auto head = fmt::format("{}: process {}, {}{}\n", text_at(status, "name"), number_at(status, "pid"),
                                text_at(status, "file"), fleet.at("shutting_down").as_bool() ? ", stopping" : "");
  return print(head + table_of(rows)) ? (is_ready ? all_held : something_violated) : bad_input;
}

std::string names_at(const json::object& answer, std::string_view key) {
  std::string names;
  for (const auto& name : answer.at(json::string_view{key.data(), key.size()}).as_array()) {
    names += (names.empty() ? "" : " ") + std::string{name.as_string().c_str()};
  }
  return names;
}

int ask_for(const std::string& what, const Arguments& arguments) {
  const auto answer = parsed(client_of(arguments.file).ask(holdfast::up::request_text(what, arguments.names)));
  if (const auto no = refusal(answer)) {
    complain(fmt::format("holdfast: {}\n", *no));
    return something_violated;
  }
  std::string says;
  if (const auto names = names_at(answer, "changed"); !names.empty()) says += fmt::format("{}: {}\n", what, names);
  if (const auto names = names_at(answer, "unchanged"); !names.empty()) {
    says += fmt::format("{}: {}\n", what == "start" ? "started before" : "stopped before", names);
  }
  return print(says) ? all_held : bad_input;
}

int call_down(const Arguments& arguments) {
  auto client = client_of(arguments.file);
  const auto answer = parsed(client.ask(holdfast::up::request_text("down", {})));
  if (const auto no = refusal(answer)) throw std::runtime_error{*no};
  client.wait_for_end();
  return all_held;
}

Command add_names_command(CLI::App& app, const std::string& what, const std::string& help) {
  auto arguments = std::make_shared<Arguments>();
  auto* const line = app.add_subcommand(what, help);
  line->footer(kNamesFooter);
  line->add_option("NAME", arguments->names, "Services or groups")->required();
  line->add_option("--file", arguments->file, "The fleet's file")->type_name("FILE");
  return {line, [what, arguments] { return ask_for(what, *arguments); }};
}

}  // namespace

Command add_status_to(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* const line = app.add_subcommand("status", "Show the services of a fleet that is up");
  line->footer(kStatusFooter);
  line->add_option("FILE", arguments->file, "The fleet's file; without it, the one that is up");
  line->add_flag("--json", arguments->json, "Print it as JSON");
  return {line, [arguments] { return show_status(*arguments); }};
}

Command add_start_to(CLI::App& app) {
  return add_names_command(app, "start", "Start services of a fleet that is up and that have ended");
}
Command add_stop_to(CLI::App& app) { return add_names_command(app, "stop", "Stop services of a fleet that is up"); }
Command add_restart_to(CLI::App& app) {
  return add_names_command(app, "restart", "Restart services of a fleet that is up");
}
Command add_reset_to(CLI::App& app) {
  return add_names_command(app, "reset", "Forget the failures of services of a fleet that is up");
}

Command add_down_to(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* const line = app.add_subcommand("down", "Stop a fleet that is up");
  line->footer(kDownFooter);
  line->add_option("FILE", arguments->file, "The fleet's file; without it, the one that is up");
  return {line, [arguments] { return call_down(*arguments); }};
}

}  // namespace holdfast::tools::control
