// holdfast up: runs the services of a file as processes.

#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast/up/up.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "input.hpp"
#include "terminal.hpp"

namespace holdfast::tools::up {

namespace {

constexpr auto kFooter = R"(
Runs every group that has a command, restarts what ends as its policy says, and prints the lines of all of them with
time, service and stream. SIGTERM and Ctrl-C stop everything in order; a second one ends that at once.
"holdfast run FILE" rehearses the same file.

A file with a command gives up on nobody: where it does not say otherwise, a breaker that has opened tries again, and a
stop has 10 s.

Examples:
  holdfast up fleet.toml                     run the whole fleet
  holdfast up fleet.toml web db              these groups or services alone
  holdfast up fleet.toml --log-format json   a line of JSON for each line
  holdfast status                            from elsewhere: who runs, since when, what happens next
  holdfast restart web; holdfast down        see "holdfast help restart"

Exit status:
  0  it was asked to stop, and every service stopped in time and had not failed for good
  1  a service had failed for good, or did not stop in time
  2  it could not begin: the file, the command line, a log that cannot be written, or the fleet is up already)";

struct Arguments {
  std::string file;
  std::vector<std::string> names;
  std::string log_format = "text";
};

int call(const Arguments& arguments) {
  if (is_standard_stream(arguments.file))
    throw UsageError{"\"holdfast up\" needs a file: paths in it are relative to its folder"};
  holdfast::up::UpOptions options{.file = arguments.file, .names = arguments.names};
  options.on_terminal = ::isatty(STDIN_FILENO) == 1 || ::isatty(STDOUT_FILENO) == 1;
  if (arguments.log_format == "json") {
    options.format = holdfast::up::LogFormat::json;
  } else if (wants_colours(Stream::output)) {
    options.format = holdfast::up::LogFormat::terminal;
  }
  const auto end = holdfast::up::run_up(options);
  if (!end.trouble.empty()) complain(fmt::format("holdfast: {}\n", end.trouble));
  return end.exit_status;
}

}  // namespace

Command add_to(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* const line = app.add_subcommand("up", "Run the services of a file as processes, and keep them running");
  line->footer(kFooter);
  line->add_option("FILE", arguments->file, "The fleet, a TOML file")->required();
  line->add_option("NAME", arguments->names, "Groups or services; without any, all that have a command");
  line->add_option("--log-format", arguments->log_format, "How lines look: text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
  return {line, [arguments] { return call(*arguments); }};
}

}  // namespace holdfast::tools::up
