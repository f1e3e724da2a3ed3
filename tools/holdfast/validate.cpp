// holdfast validate: reads scenarios and says everything that is wrong with them.

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/predict/prediction.hpp>
#include <holdfast_sim/present/prediction_text.hpp>
#include <holdfast_sim/present/report_text.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "input.hpp"
#include "terminal.hpp"

namespace holdfast::tools::validate {

namespace {

constexpr auto kFooter = R"(
Prints "ok" with the size of the fleet for each good file. Complaints go to standard error, one a line: file, line,
column, key, what was found, and what would be right.

Examples:
  holdfast validate scenarios/*.toml
  holdfast validate - < fleet.toml

Exit status:
  0  every file can be run; warnings do not count
  2  one of them cannot)";

int call(const std::vector<std::string>& files) {
  int status = all_held;
  for (const auto& file : files) {
    std::vector<sim::Complaint> warnings;
    std::string says;
    try {
      const auto scenario = scenario_from(file, &warnings);
      says = fmt::format("ok {}: {}\n", is_standard_stream(file) ? kStandardInput : file, sim::extent_text(scenario));
      for (const auto& warning : warnings) says += fmt::format("warning: {}\n", to_string(warning));
      if (const auto loss = sim::worst_certain_loss(scenario)) {
        says += fmt::format("warning: {}: {}\n", is_standard_stream(file) ? kStandardInput : file,
                            sim::certain_loss_text(*loss));
      }
    } catch (const sim::BadInput& bad) {
      complain(fmt::format("{}\n", bad.what()));
      status = bad_input;
    }
    if (!print(says)) return bad_input;
  }
  return status;
}

}  // namespace

Command add_to(CLI::App& app) {
  auto files = std::make_shared<std::vector<std::string>>();
  auto* const line = app.add_subcommand("validate", "Read scenarios and report everything that is wrong with them");
  line->footer(kFooter);
  line->add_option("FILE", *files, "Scenarios, TOML files; - is standard input")->required();
  return {line, [files] { return call(*files); }};
}

}  // namespace holdfast::tools::validate
