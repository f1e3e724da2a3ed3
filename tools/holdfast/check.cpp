// holdfast check: what this machine can tell about a fleet before it is up.

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <holdfast/file/bad_input.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/time.hpp>
#include <holdfast/up/check.hpp>
#include <holdfast_sim/predict/prediction.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "input.hpp"
#include "terminal.hpp"

namespace holdfast::tools::check {

namespace {

namespace json = boost::json;
using holdfast::up::Checked;
using holdfast::up::Finding;

constexpr auto kFooter = R"(
Looks at everything that "holdfast up FILE" will need here and now: programs and the interpreters of scripts, users and
groups, folders, files of variables, logs, the control socket, the endpoint's port, the recording, limits. It starts
nothing and changes nothing. It also says which outage loses a group for good, as "holdfast predict" computes it.
What needs the rights of a service's user is looked at with these if root asks.

Examples:
  holdfast check fleet.toml
  holdfast check fleet.toml && holdfast up fleet.toml
  holdfast check fleet.toml --json | jq .findings

Exit status:
  0  nothing is wrong; warnings do not count
  1  something is
  2  the file cannot be read, or its keys are wrong)";

struct CheckArguments {
  std::string file;
  bool json = false;
};

// The shortest outage that loses a group for good, as `predict` computes it. nullopt: none does, or the file is not fit
// for a rehearsal, which its own command says.
std::optional<std::string> worst_loss(const std::string& file) {
  try {
    const auto predicted = sim::predict(scenario_from(file), {.services = 0});
    const sim::GroupPrediction* worst = nullptr;
    for (const auto& group : predicted.groups) {
      const auto& over = group.outage_loses_everybody_over;
      if (over && (worst == nullptr || *over < *worst->outage_loses_everybody_over)) worst = &group;
    }
    if (worst == nullptr) return std::nullopt;
    return fmt::format("an outage of more than {} loses {} for good; \"holdfast predict\" shows more",
                       to_string(*worst->outage_loses_everybody_over), file::in_quotes(worst->name));
  } catch (const sim::BadInput&) {
    return std::nullopt;
  }
}

bool has_errors(const Checked& checked) {
  return std::any_of(checked.findings.begin(), checked.findings.end(),
                     [](const Finding& finding) { return finding.severity == Finding::Severity::error; });
}

std::string_view word_of(Finding::Severity severity) {
  return severity == Finding::Severity::error ? "error" : "warning";
}

std::string checked_text(const Checked& checked, const std::string& file, const std::optional<std::string>& loss) {
  std::string text;
  for (const auto& finding : checked.findings) {
    text += fmt::format("{}: {}\n", word_of(finding.severity), holdfast::up::to_string(finding));
  }
  if (loss) text += fmt::format("warning: {}: {}\n", file, *loss);
  const auto errors = std::count_if(checked.findings.begin(), checked.findings.end(), [](const Finding& finding) {
    return finding.severity == Finding::Severity::error;
  });
  const auto services = fmt::format("{} service{}", checked.services, checked.services == 1 ? "" : "s");
  if (errors == 0) return text + fmt::format("ok {}: {}\n", file, services);
  return text + fmt::format("{}: {} error{}, {}\n", file, errors, errors == 1 ? "" : "s", services);
}

std::string checked_json(const Checked& checked, const std::string& file, const std::optional<std::string>& loss) {
  json::array findings;
  for (const auto& finding : checked.findings) {
    const auto& complaint = finding.complaint;
    json::array services;
    for (const auto& service : finding.services) services.emplace_back(service);
    findings.emplace_back(json::object{{"severity", json::string{word_of(finding.severity).data()}},
                                       {"file", complaint.file},
                                       {"line", complaint.line},
                                       {"column", complaint.column},
                                       {"key", complaint.key},
                                       {"says", complaint.says},
                                       {"services", std::move(services)}});
  }
  json::object all{{"file", file},
                   {"name", checked.name},
                   {"ok", !has_errors(checked)},
                   {"services", checked.services},
                   {"findings", std::move(findings)}};
  all["certain_loss"] = loss ? json::value(*loss) : json::value(nullptr);
  return json::serialize(all) + "\n";
}

int call(const CheckArguments& arguments) {
  if (is_standard_stream(arguments.file)) {
    throw UsageError{"\"holdfast check\" needs a file: paths in it are relative to its folder"};
  }
  const auto checked = holdfast::up::check(arguments.file);
  const auto loss = worst_loss(arguments.file);
  const bool shown = arguments.json ? print_json(checked_json(checked, arguments.file, loss))
                                    : print(checked_text(checked, arguments.file, loss));
  if (!shown) return bad_input;
  return has_errors(checked) ? something_violated : all_held;
}

}  // namespace

Command add_to(CLI::App& app) {
  auto arguments = std::make_shared<CheckArguments>();
  auto* const line = app.add_subcommand("check", "Say what is wrong here with a fleet that is to be up");
  line->footer(kFooter);
  line->add_option("FILE", arguments->file, "The fleet, a TOML file")->required();
  line->add_flag("--json", arguments->json, "Print it as JSON");
  return {line, [arguments] { return call(*arguments); }};
}

}  // namespace holdfast::tools::check
