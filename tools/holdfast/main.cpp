// The holdfast command: reads the command line, calls a command, and turns every end into an exit status.

#include <algorithm>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast/file/bad_input.hpp>
#include <holdfast/version.hpp>
#if HOLDFAST_RUNS_PROCESSES
#include <holdfast/up/begin.hpp>
#endif

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "terminal.hpp"

namespace {

using namespace holdfast::tools;

constexpr auto kFooter = R"(
"holdfast help COMMAND" shows the options of a command, with examples.

Examples:
  holdfast init                                   write a first scenario
  holdfast list                                   which scenarios there are
  holdfast run scenarios/failure_storm.toml       run one and show what happened
  holdfast up fleet.toml                          run the same file's services as processes
  holdfast sweep FILE --seeds 1..1000             a thousand seeds on all cores, failures grouped
  holdfast explain FILE --seed 7                  why it failed, from the first cause on
  holdfast find FILE --seeds 1..1000 'killed'     which runs have such an event
  holdfast shrink FILE --seed 7                   the smallest file that still fails like seed 7
  holdfast validate scenarios/*.toml              check files and report what is wrong with them
  holdfast replay recording.ndjson                does the supervisor decide as it did in a recorded run?

Exit status:
  0    all rules and expectations held
  1    one was violated, or the run stalled; a replay is not as recorded
  2    bad input: a scenario or recording, the command line, or an output that cannot be written
  3    a budget of the scenario ran out before its end
  4    nothing could be trusted: two runs of one seed differ, or the checks miss a planted bug; please report it
  130  interrupted by Ctrl-C; the output covers what ran until then (143: by SIGTERM)

"holdfast help" and "holdfast COMMAND --help" end with 0. It is no error if the reader of the output goes away.)";

int show_help(const CLI::App& app, const std::vector<std::string>& words) {
  if (words.size() < 2 || words[1] == "help") return print(app.help()) ? all_held : bad_input;
  for (const auto* const command : app.get_subcommands({})) {
    if (command->get_name() == words[1]) return print(command->help("holdfast")) ? all_held : bad_input;
  }
  refuse_unknown_command(app, words[1]);
}

bool is_command(const CLI::App& app, const std::string& word) {
  const auto all = app.get_subcommands({});
  return std::any_of(all.begin(), all.end(), [&](const auto* command) { return command->get_name() == word; });
}

// Behind "--" every word is a file, also one that begins with a dash.
std::vector<std::string> with_plain_files(std::vector<std::string> words) {
  const auto separator = std::find(words.begin(), words.end(), "--");
  if (separator == words.end() || separator == words.begin()) return words;
  for (auto word = words.erase(separator); word != words.end(); ++word) {
    if (word->size() > 1 && word->front() == '-') word->insert(0, "./");
  }
  return words;
}

int parse_and_call(const std::vector<std::string>& words) {
  CLI::App app{"Rehearses a supervised fleet in virtual time, and runs it: one supervisor, one file.", "holdfast"};
  app.footer(kFooter);
  app.set_version_flag("--version", "holdfast " HOLDFAST_VERSION_TEXT, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.get_formatter()->column_width(28);
  std::vector<Command> commands{init::add_to(app),    list::add_to(app),    run::add_to(app),    sweep::add_to(app),
                                merge::add_to(app),   shrink::add_to(app),  replay::add_to(app), validate::add_to(app),
                                predict::add_to(app), compare::add_to(app), diff::add_to(app),   explain::add_to(app),
                                report::add_to(app),  find::add_to(app),    trace::add_to(app),  schema::add_to(app)};
#if HOLDFAST_RUNS_PROCESSES
  commands.insert(commands.end(),
                  {up::add_to(app), check::add_to(app), import::add_to(app), control::add_status_to(app),
                   control::add_start_to(app), control::add_stop_to(app), control::add_restart_to(app),
                   control::add_reset_to(app), control::add_signal_to(app), control::add_logs_to(app),
                   control::add_events_to(app), control::add_reload_to(app), control::add_down_to(app)});
#endif
  // What a command does not know is refused in our own words.
  for (const auto& command : commands) command.line->allow_extras();
  const auto word = words.empty() ? std::string{} : words.front();
  if (word == "help") return show_help(app, words);
  const bool asks = word == "-h" || word == "--help" || word == "--version";
  if (!asks && !is_command(app, word)) refuse_unknown_command(app, word);
  refuse_empty_words(words);
  try {
    app.parse(std::vector<std::string>{words.rbegin(), words.rend()});  // it takes them from the end
  } catch (const CLI::CallForVersion&) {
    return print(app.version() + '\n') ? all_held : bad_input;
  } catch (const CLI::Success& asked) {
    return app.exit(asked) == 0 ? all_held : bad_input;
  } catch (const CLI::ParseError& error) {
    refuse_file_like_an_option(word, {words.begin() + 1, words.end()});
    throw UsageError{fmt::format("{}; \"holdfast help {}\" shows how it is used", in_plain_words(error.what()), word)};
  }
  for (const auto& command : commands) {
    if (!*command.line) continue;
    refuse_leftovers(*command.line);
    return command.call();
  }
  return bad_input;
}

}  // namespace

int main(int argc, char** argv) {
#if HOLDFAST_RUNS_PROCESSES
  // It becomes a service's program, which shall find everything as it was.
  if (argc > 1 && argv[1] == std::string_view{holdfast::up::kBeginWord}) return holdfast::up::begin_service(argc, argv);
#endif
  prepare_streams();
  try {
    return parse_and_call(with_plain_files({argv + std::min(argc, 1), argv + argc}));
  } catch (const holdfast::sim::BadInput& bad) {
    complain(std::string{bad.what()} + '\n');
  } catch (const std::exception& error) {
    complain(std::string{"holdfast: "} + error.what() + '\n');
  }
  return bad_input;
}
