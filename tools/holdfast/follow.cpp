// holdfast logs, events: what the services of a fleet that is up write, and what its supervisor reports.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <holdfast/up/log_text.hpp>
#include <holdfast/up/request.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "fleet_client.hpp"
#include "terminal.hpp"

namespace holdfast::tools::control {

namespace {

namespace json = boost::json;
namespace up = holdfast::up;

constexpr auto kLogsFooter = R"(
The last 16 KiB or more that each service has written since "holdfast up" began, 256 KiB in all, as its log has them.
Without -f it ends with the last line. With -f it goes on until Ctrl-C or the end of the fleet. If it is read too
slowly, lines are left out, and a line on standard error says how many.

Examples:
  holdfast logs                    all that is kept of all services
  holdfast logs -f                 the last 10 lines, and what comes
  holdfast logs -n 100 web db-1    the last 100 lines of these groups or services together
  holdfast logs -f --json | jq .line

Exit status:
  0  shown, or the fleet has ended
  1  refused
  2  no such fleet is up)";

constexpr auto kEventsFooter = R"(
What the supervisor has reported of late, also what the log of a crash loop leaves out. Without -f it ends with the last
event. With -f it goes on until Ctrl-C or the end of the fleet. If it is read too slowly, events are left out, and a
line on standard error says how many.

Examples:
  holdfast events                  what is kept, 128 KiB
  holdfast events -f web           the last 10 of this group or service, and what comes
  holdfast events -n 1 --json

Exit status:
  0  shown, or the fleet has ended
  1  refused
  2  no such fleet is up)";

constexpr std::uint32_t kFollowedLines = 10;
constexpr std::size_t kNameWidthMax = 24;  // as on the terminal of "holdfast up"

struct FollowArguments {
  std::string file;  // empty: the one that is up
  up::Request request;
  std::optional<std::uint32_t> lines;
  bool json = false;
};

// Lines as the log of `holdfast up` has them.
class LineWriter {
 public:
  LineWriter(up::LogFormat format, const json::object& head) : format_(format), clock_(format) {
    width_ = std::string_view{"holdfast"}.size();
    const auto* const services = head.if_contains("services");
    if (services == nullptr || !services->is_array()) return;
    for (const auto& service : services->as_array()) {
      if (service.is_string()) width_ = std::max(width_, std::min(service.as_string().size(), kNameWidthMax));
    }
    for (const auto& service : services->as_array()) {
      if (!service.is_string()) continue;
      const std::string name{service.as_string().c_str()};
      labels_.emplace(name, up::LogLabel{format, name, labels_.size(), width_});
    }
  }

  void append(std::string& to, const json::object& line) {
    const auto time = clock_.at(number_at(line, "ms"));
    const auto service = text_at(line, "service");
    if (const auto level = text_at(line, "level"); !level.empty()) {
      return up::append_own_line(to, format_, time, level_of(level), service, text_at(line, "line"), width_);
    }
    const auto stream = text_at(line, "stream") == "err" ? up::LogStream::error : up::LogStream::output;
    auto label = labels_.find(service);
    if (label == labels_.end()) {  // a reload has added it
      label = labels_.emplace(service, up::LogLabel{format_, service, labels_.size(), width_}).first;
    }
    label->second.append_line(to, time, stream, text_at(line, "line"), line.contains("continues"));
  }

 private:
  static LogLevel level_of(std::string_view word) {
    for (const auto level : {LogLevel::info, LogLevel::warning, LogLevel::error}) {
      if (to_string(level) == word) return level;
    }
    return LogLevel::debug;
  }

  const up::LogFormat format_;
  up::LogClock clock_;
  std::size_t width_ = 0;
  std::map<std::string, up::LogLabel, std::less<>> labels_;
};

constexpr std::size_t kPortion = std::size_t{64} * 1024;  // of a print

bool print_followed(const std::string& text, bool json) {
  return text.empty() || (json ? print_json(text) : print(text));
}

int follow(FollowArguments arguments) {
  auto& request = arguments.request;
  request.lines = arguments.lines.value_or(request.follow ? kFollowedLines : std::numeric_limits<std::uint32_t>::max());
  auto client = client_of(arguments.file);
  const auto head = parsed_answer(client.ask(up::request_text(request)));
  if (const auto no = refusal(head)) {
    complain(fmt::format("holdfast: {}\n", *no));
    return something_violated;
  }
  if (const auto silent = names_at(head, "silent"); !silent.empty()) {
    complain(fmt::format("holdfast: log.to is \"nothing\" in the file, so there are no lines of {}\n", silent));
  }
  const auto format = arguments.json    ? up::LogFormat::json
                      : wants_colours() ? up::LogFormat::terminal
                                        : up::LogFormat::text;
  LineWriter writer{format, head};
  for (std::string text; auto answer = client.next_for(STDOUT_FILENO);) {
    const auto line = parsed_answer(*answer);
    if (line.contains("end")) return print_followed(text, arguments.json) ? all_held : bad_input;
    if (const auto lost = number_at(line, "lost"); lost > 0) {
      complain(fmt::format("holdfast: {} lines were left out: they are read too slowly\n", lost));
    } else {
      writer.append(text, line);
    }
    if (client.has_line() && text.size() < kPortion) continue;
    if (!print_followed(text, arguments.json)) return bad_input;
    text.clear();
  }
  return all_held;
}

Command add_follow_command(CLI::App& app, const std::string& what, const std::string& help, const char* footer) {
  auto arguments = std::make_shared<FollowArguments>();
  arguments->request.what = what;
  auto* const line = app.add_subcommand(what, help);
  line->footer(footer);
  line->add_option("NAME", arguments->request.names, "Services or groups; without any, all");
  line->add_flag("-f,--follow", arguments->request.follow, "And what comes, until Ctrl-C");
  line->add_option("-n,--lines", arguments->lines, "How many of the last ones; by default all, with -f 10")
      ->type_name("N");
  line->add_flag("--json", arguments->json, "A line of JSON for each");
  line->add_option("--file", arguments->file, "The fleet's file")->type_name("FILE");
  return {line, [arguments] { return follow(*arguments); }};
}

}  // namespace

Command add_logs_to(CLI::App& app) {
  return add_follow_command(app, "logs", "Show what the services of a fleet that is up have written", kLogsFooter);
}
Command add_events_to(CLI::App& app) {
  return add_follow_command(app, "events", "Show what the supervisor of a fleet that is up has reported",
                            kEventsFooter);
}

}  // namespace holdfast::tools::control
