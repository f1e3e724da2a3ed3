// holdfast schema: what may stand in a scenario file, for editors and for people.

#include <memory>

#include <CLI/CLI.hpp>
#include <holdfast_sim/format/scenario_schema.hpp>

#include "command.hpp"
#include "exit_status.hpp"
#include "terminal.hpp"

namespace holdfast::tools::schema {

namespace {

constexpr auto kFooter = R"(
An editor with the schema completes keys, shows what they mean, and marks mistakes. Editors that use taplo ("Even Better
TOML") take it from the first line of a file: #:schema scenario.schema.json

Examples:
  holdfast schema > scenario.schema.json
  holdfast schema --markdown

Exit status:
  0  printed)";

int call(bool markdown) {
  return print(markdown ? sim::scenario_keys() : sim::scenario_schema()) ? all_held : bad_input;
}

}  // namespace

Command add_to(CLI::App& app) {
  auto markdown = std::make_shared<bool>(false);
  auto* const line = app.add_subcommand("schema", "Print a JSON Schema of scenario files, for editors");
  line->footer(kFooter);
  line->add_flag("--markdown", *markdown, "Print the keys as tables of Markdown instead");
  return {line, [markdown] { return call(*markdown); }};
}

}  // namespace holdfast::tools::schema
