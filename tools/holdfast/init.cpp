// holdfast init: a first scenario to change and run.

#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast_sim/text/wording.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "output_file.hpp"
#include "terminal.hpp"

namespace holdfast::tools::init {

namespace {

constexpr auto kFooter = R"(
The file is a small fleet under an outage, with a comment at every key. A file that exists is never overwritten.

Examples:
  holdfast init                   writes scenario.toml
  holdfast init my_fleet.toml
  holdfast init - | holdfast run -

Exit status:
  0  written
  2  the file exists already, or cannot be written)";

constexpr std::string_view kFirstScenario =
    R"(# A fleet of twenty feeds and an engine through an outage of five minutes.
# Change it and run it again: every key is described in lib/docs/reference/scenario_format.md of holdfast.
name = "my fleet"
seed = 1            # another seed gives another run; "holdfast sweep" tries many
duration = "2h"     # virtual time: a run takes milliseconds

[supervisor]
shutdown_timeout = "30s"

# How a service is started again. This is also what each [[fleet]] may override.
[supervisor.backoff]
base = "100ms"      # the first wait is random, up to this; it doubles with each failure in a row ...
max = "30s"         # ... up to this
cooldown = "5min"   # a run this long makes the supervisor forget earlier failures
breaker = "off"     # or when to give up: { max_failures = 10, window = "10min" }

[[fleet]]
name = "feed"
count = 20                           # the services are feed-0 to feed-19
restart = "on_failure"               # or "always", "never"
runs_for = { exponential = "30min" } # fails after half an hour on average
then = "fail"

[[fleet]]
name = "engine"                      # runs for ever unless something happens to it
on_stop = { takes = "2s" }           # how long it needs to stop

# What goes wrong: half of the feeds cannot run for five minutes.
[[chaos]]
at = "30min"
outage = { of = "feed", share = 0.5, for = "5min" }

[[chaos]]
at = "1h59min"
shutdown = true

# What must hold at the end; "holdfast run" says whether it does, and exits with 1 if not.
[expect]
circuit_breaker_trips = 0
all_running_by = "40min"
drained_by = "1h59min10s"
abandoned_services = []
)";

int call(const std::string& file) {
  if (is_standard_stream(file)) return print(kFirstScenario) ? all_held : bad_input;
  if (!write_new_file(file, kFirstScenario)) return bad_input;
  const auto shown = sim::printable(file);
  const bool written =
      print(fmt::format("wrote {0}\nnext:\n  holdfast run {0}\n  holdfast sweep {0} --seeds 1..100\n", shown));
  return written ? all_held : bad_input;
}

}  // namespace

Command add_to(CLI::App& app) {
  auto file = std::make_shared<std::string>("scenario.toml");
  auto* const line = app.add_subcommand("init", "Write a first scenario to change and run");
  line->footer(kFooter);
  line->add_option("FILE", *file, "The file to write; - is standard output")->capture_default_str();
  return {line, [file] { return call(*file); }};
}

}  // namespace holdfast::tools::init
