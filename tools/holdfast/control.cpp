// holdfast start, stop, restart, reset, signal, down: what an operator asks of a running `holdfast up`.

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <holdfast/file/duration_text.hpp>
#include <holdfast/file/meant_duration.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/time.hpp>
#include <holdfast/up/request.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "fleet_client.hpp"
#include "terminal.hpp"

namespace holdfast::tools::control {

namespace {

namespace json = boost::json;
using holdfast::up::Request;

constexpr auto kNamesFooter = R"(
A NAME is a service or a group. Without --file it is the one fleet of this user that is up.

With --wait it returns when every service is ready, or for "stop" when it has ended. A service that does not say when
it is ready has to run for a second. It is lost if it terminates, or if its breaker opens: then it is tried again ever
more seldom.

Examples:
  holdfast restart web              a new run of each service of the group
  holdfast restart web --wait --timeout 30s && next-step
  holdfast stop db-1 --file a.toml  until somebody starts it
  holdfast start db-1               also after it has failed for good
  holdfast reset web                forget its failures: the next wait is short again

Exit status:
  0  done, or nothing to do
  1  refused; with --wait, a service was lost, or did not stop when it was asked to
  2  no such fleet is up, or it ended meanwhile
  3  the timeout was over first; what was begun goes on)";

constexpr auto kSignalFooter = R"(
Sends a signal to the process of each service, to it alone. That is no command to holdfast: a process that ends by it
has failed, and is started again as its policy says.

Examples:
  holdfast signal web HUP        read your configuration again
  holdfast signal db-1 USR1      a number, or a name with or without SIG

Exit status:
  0  sent
  1  refused, or none of them runs
  2  no such fleet is up)";

constexpr auto kReloadFooter = R"(
Reads the file of "holdfast up" again. What is new is started, what is gone is stopped, what has changed is restarted,
and the rest goes on. A service that somebody has stopped stays so. If the file is wrong, nothing changes. SIGHUP to
"holdfast up" does the same, but for one on a terminal.

Examples:
  holdfast reload --dry-run        what it would do
  holdfast check fleet.toml && holdfast reload

Exit status:
  0  done, or nothing to do
  1  refused: the file is wrong, or what it needs is not there
  2  no such fleet is up)";

constexpr auto kDownFooter = R"(
Stops every service, and returns when "holdfast up" has ended.

Examples:
  holdfast down              the one fleet of this user that is up
  holdfast down fleet.toml   this one

Exit status:
  0  it has ended
  2  no such fleet is up)";

constexpr int kSignalMax = 64;

struct ControlArguments {
  std::string file;  // empty: the one that is up
  Request request;
  std::string timeout;  // as it was given; empty: none
};

std::uint32_t timeout_from(const std::string& text) {
  constexpr Duration kMost = std::chrono::hours{24};
  const auto length = file::parse_duration(text);
  if (length && *length <= kMost) {
    return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(*length).count());
  }
  auto meant = file::meant_duration(text);
  if (!meant) meant = file::meant_seconds(text);
  throw UsageError{
      fmt::format("--timeout: \"{}\" is not a length of time up to 24h; write {}", file::printable(text),
                  meant && *meant <= kMost ? to_string(*meant) : "a number and a unit, like 500ms, 30s or 5min")};
}

// What a wait came to.
int print_waited(const std::string& what, const Request& request, const json::object& waited) {
  int status = all_held;
  const bool is_stop = what == "stop";
  if (const auto names = names_at(waited, "reached"); !names.empty()) {
    if (!print(fmt::format("{}: {}\n", is_stop ? "stopped" : "ready", names))) return bad_input;
  }
  if (const auto names = names_at(waited, "unfinished"); !names.empty()) {
    const auto length = std::chrono::milliseconds{request.timeout_ms.value_or(0)};
    complain(fmt::format("holdfast: not {} within {}: {}\n", is_stop ? "stopped" : "ready", to_string(Duration{length}),
                         names));
    status = budget_ran_out;
  }
  const auto* const lost = waited.if_contains("lost");
  if (lost == nullptr || !lost->is_array()) return status;
  for (const auto& one : lost->as_array()) {
    if (!one.is_object()) continue;
    complain(fmt::format("holdfast: {} is lost: {}\n", text_at(one.as_object(), "service"),
                         text_at(one.as_object(), "why")));
    status = something_violated;
  }
  return status;
}

std::string_view word_for_unchanged(const std::string& what) {
  if (what == "signal") return "not running";
  return what == "start" ? "started before" : "stopped before";
}

int ask_for(const ControlArguments& arguments) {
  const auto& request = arguments.request;
  auto client = client_of(arguments.file);
  const auto answer = parsed_answer(client.ask(holdfast::up::request_text(request)));
  if (const auto no = refusal(answer)) {
    complain(fmt::format("holdfast: {}\n", *no));
    return something_violated;
  }
  const auto changed = names_at(answer, "changed");
  std::string says;
  if (!changed.empty()) says += fmt::format("{}: {}\n", request.what, changed);
  if (const auto names = names_at(answer, "unchanged"); !names.empty()) {
    says += fmt::format("{}: {}\n", word_for_unchanged(request.what), names);
  }
  if (!print(says)) return bad_input;
  if (request.wait) return print_waited(request.what, request, parsed_answer(client.next()));
  return request.what == "signal" && changed.empty() ? something_violated : all_held;
}

int call_reload(const std::string& file, bool is_dry) {
  auto client = client_of(file);
  const auto answer = parsed_answer(client.ask(holdfast::up::request_text({.what = "reload", .dry_run = is_dry})));
  if (const auto no = refusal(answer)) {
    complain(fmt::format("holdfast: nothing has changed\n{}\n", *no));
    return something_violated;
  }
  std::string says;
  const auto* const plan = answer.if_contains("plan");
  if (plan != nullptr && plan->is_array()) {
    for (const auto& line : plan->as_array()) says += std::string{line.as_string().c_str()} + '\n';
  }
  return print(says) ? all_held : bad_input;
}

int call_down(const std::string& file) {
  auto client = client_of(file);
  const auto answer = parsed_answer(client.ask(holdfast::up::request_text({.what = "down"})));
  if (const auto no = refusal(answer)) throw std::runtime_error{*no};
  client.wait_for_end();
  return all_held;
}

CLI::App* add_request(CLI::App& app, const std::string& what, const std::string& help,
                      const std::shared_ptr<ControlArguments>& arguments) {
  auto* const line = app.add_subcommand(what, help);
  arguments->request.what = what;
  line->add_option("--file", arguments->file, "The fleet's file")->type_name("FILE");
  return line;
}

Command add_names_command(CLI::App& app, const std::string& what, const std::string& help) {
  auto arguments = std::make_shared<ControlArguments>();
  auto* const line = add_request(app, what, help, arguments);
  line->footer(kNamesFooter);
  line->add_option("NAME", arguments->request.names, "Services or groups")->required();
  if (what != "reset") {
    line->add_flag("--wait", arguments->request.wait,
                   what == "stop" ? "Until they have ended" : "Until they are ready, or lost");
    line->add_option("--timeout", arguments->timeout, "How long to wait; without it, as long as it takes")
        ->type_name("TIME");
  }
  return {line, [arguments] {
            if (!arguments->timeout.empty()) {
              if (!arguments->request.wait) throw UsageError{"--timeout says how long --wait waits; write both"};
              arguments->request.timeout_ms = timeout_from(arguments->timeout);
            }
            return ask_for(*arguments);
          }};
}

// Names and numbers: "HUP", "SIGHUP", "1".
std::uint32_t signal_from(const std::string& text) {
  if (const auto number = whole_number(text); number && *number >= 1 && *number <= kSignalMax) {
    return static_cast<std::uint32_t>(*number);
  }
  std::string word;
  for (const char c : text) word += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (word.starts_with("SIG")) word.erase(0, 3);
  std::vector<std::string_view> names;
  for (int number = 1; number <= kSignalMax; ++number) {
    const char* const name = ::sigabbrev_np(number);
    if (name == nullptr) continue;
    if (name == word) return static_cast<std::uint32_t>(number);
    names.emplace_back(name);
  }
  throw UsageError{
      fmt::format("there is no signal {}; {}", file::in_quotes(text),
                  file::did_you_mean(file::nearest(word, names), "there are: " + file::listed(names, names.size())))};
}

}  // namespace

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

Command add_signal_to(CLI::App& app) {
  auto arguments = std::make_shared<ControlArguments>();
  auto signal = std::make_shared<std::string>();
  auto* const line = add_request(app, "signal", "Send a signal to the processes of a fleet that is up", arguments);
  line->footer(kSignalFooter);
  arguments->request.names.resize(1);
  line->add_option("NAME", arguments->request.names.front(), "A service or a group")->required();
  line->add_option("SIGNAL", *signal, "Its name or number")->required();
  return {line, [arguments, signal] {
            arguments->request.signal = signal_from(*signal);
            return ask_for(*arguments);
          }};
}

Command add_reload_to(CLI::App& app) {
  auto file = std::make_shared<std::string>();
  auto is_dry = std::make_shared<bool>(false);
  auto* const line = app.add_subcommand("reload", "Do what has changed in the file of a fleet that is up");
  line->footer(kReloadFooter);
  line->add_option("FILE", *file, "The fleet's file; without it, the one that is up");
  line->add_flag("--dry-run", *is_dry, "Only say what it would do");
  return {line, [file, is_dry] { return call_reload(*file, *is_dry); }};
}

Command add_down_to(CLI::App& app) {
  auto file = std::make_shared<std::string>();
  auto* const line = app.add_subcommand("down", "Stop a fleet that is up");
  line->footer(kDownFooter);
  line->add_option("FILE", *file, "The fleet's file; without it, the one that is up");
  return {line, [file] { return call_down(*file); }};
}

}  // namespace holdfast::tools::control
