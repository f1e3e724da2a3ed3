// holdfast import: a file of another supervisor as a first fleet.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast/file/fleet.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/small_file.hpp>
#include <holdfast/up/import.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "input.hpp"
#include "output_file.hpp"
#include "terminal.hpp"

namespace holdfast::tools::import {

namespace {

constexpr auto kFooter = R"(
FILE is a supervisord.conf (with the files that it includes), a Procfile or a Compose file; --from says which, where its
name and text do not. The fleet goes to standard output, or with -o into a file that does not exist yet. What could not
be translated, or means something else here, stands there in comments and is said on standard error, with its line.
%(ENV_NAME)s and ${NAME} are replaced by the value that the variable has now.

Examples:
  holdfast import /etc/supervisor/supervisord.conf -o fleet.toml && holdfast check fleet.toml
  holdfast import Procfile | less
  holdfast import compose.yaml
  holdfast import --from procfile - < Procfile

Exit status:
  0  written; what was left out does not count
  1  written, but everything in it stands as a comment: there is nothing to run
  2  the file is not what it should be, or the output exists or cannot be written)";

struct Arguments {
  std::string file;
  std::string output = "-";
  std::string from;
};

std::string text_of(const std::string& file) {
  if (!is_standard_stream(file)) {
    const auto read = file::read_small_file(file, file::kFleetFileSizeMax);
    if (!read.problem.empty()) throw file::BadInput({{file, 0, 0, "", read.problem}});
    return read.text;
  }
  std::string text{std::istreambuf_iterator<char>{std::cin}, {}};
  if (text.size() > file::kFleetFileSizeMax) {
    throw file::BadInput({{kStandardInput, 0, 0, "", file::too_large(text.size(), file::kFleetFileSizeMax)}});
  }
  return text;
}

holdfast::up::ForeignFormat format_of(const Arguments& arguments, const std::string& text) {
  const auto known = file::listed(holdfast::up::foreign_formats());
  if (!arguments.from.empty()) {
    const auto said = holdfast::up::foreign_format_of(arguments.from);
    if (!said) {
      throw UsageError{fmt::format("--from is {}; allowed are {}", file::in_quotes(arguments.from), known)};
    }
    return *said;
  }
  const auto guessed = holdfast::up::guessed_format(arguments.file, text);
  if (!guessed) {
    throw UsageError{fmt::format("{} looks like none of the files that can be imported; say --from with one of {}",
                                 file::in_quotes(arguments.file), known)};
  }
  return *guessed;
}

int call(const Arguments& arguments) {
  const auto text = text_of(arguments.file);
  const auto imported = holdfast::up::import_fleet(
      {.file = is_standard_stream(arguments.file) ? std::string{kStandardInput} : arguments.file,
       .text = text,
       .format = format_of(arguments, text),
       .variable = [](const std::string& name) -> std::optional<std::string> {
         const char* const value = std::getenv(name.c_str());
         return value != nullptr ? std::optional<std::string>{value} : std::nullopt;
       }});
  if (is_standard_stream(arguments.output)) {
    if (!print_json(imported.text)) return bad_input;  // as it is, in every locale
  } else if (!write_new_file(arguments.output, imported.text)) {
    return bad_input;
  }
  for (const auto& note : imported.notes) complain(to_string(note) + '\n');
  if (imported.services == 0) {
    complain("holdfast: every service stands as a comment, so there is nothing to run\n");
    return something_violated;
  }
  return all_held;
}

}  // namespace

Command add_to(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* const line = app.add_subcommand("import", "Translate a file of another supervisor into a first fleet");
  line->footer(kFooter);
  line->add_option("FILE", arguments->file, "A supervisord.conf, a Procfile or a Compose file; - is standard input")
      ->required();
  line->add_option("-o,--output", arguments->output, "The file to write; it must not exist. - is standard output");
  line->add_option("--from", arguments->from, "What FILE is: supervisord, procfile or compose")->type_name("FORMAT");
  return {line, [arguments] { return call(*arguments); }};
}

}  // namespace holdfast::tools::import
