// holdfast trace: a trace in another form.

#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/observe/compact_trace.hpp>
#include <holdfast_sim/observe/trace.hpp>
#include <holdfast_sim/observe/trace_csv.hpp>
#include <holdfast_sim/observe/trace_perfetto.hpp>
#include <holdfast_sim/text/wording.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "exit_status.hpp"
#include "input.hpp"
#include "output_file.hpp"
#include "terminal.hpp"

namespace holdfast::tools::trace {

namespace {

constexpr auto kFooter = R"(
A compact trace is what "holdfast run FILE --trace OUT.hft" writes. The lines that come out of it are those that
"--trace OUT.ndjson" would have written, to the byte. The table has a row for each event and a column for each field,
the same in every run; lib/docs/guide/analysing.md shows DuckDB, pandas and jq with both. A Perfetto trace has a track
for each service, a slice for each phase, and arrows from causes to effects: open it in ui.perfetto.dev.

The file is checked while it is read. One that is damaged or cut short ends with 2, and the byte is named; what was
written until then is worth nothing.

Examples:
  holdfast run FILE --trace run.hft && holdfast trace run.hft | jq -c 'select(.kind == "ended")'
  holdfast trace run.hft --format csv -o run.csv
  holdfast trace run.ndjson --format csv | head
  holdfast trace run.hft --format perfetto -o run.pftrace

Exit status:
  0  written
  2  bad input: the trace, the command line, or an output that cannot be written)";

constexpr auto kLines = "ndjson";
constexpr auto kTable = "csv";
constexpr auto kPerfetto = "perfetto";

struct Arguments {
  std::string file;
  std::string output = "-";
  std::string format = kLines;
};

// Of lines nothing is known before they are read, so that no lines can be made of them.
void convert(std::istream& in, const std::string& name, const Arguments& arguments, std::ostream& out) {
  if (arguments.format == kTable) {
    sim::TraceCsvWriter table{out};
    sim::read_trace(in, name, {&table});
    return;
  }
  if (arguments.format == kPerfetto) {
    sim::PerfettoWriter tracks{out};
    tracks.finish(sim::read_trace(in, name, {&tracks}).end.at);
    return;
  }
  if (!sim::is_compact_trace(in)) {
    throw UsageError{fmt::format(
        "{}: is a trace of lines already, or none; --format csv makes a table of it, and perfetto tracks", name)};
  }
  sim::CompactTraceReader reader{in, name};
  sim::Digest digest;
  sim::TraceWriter lines{out, reader.scenario(), reader.seed()};
  const auto summary = reader.read({&digest, &lines});
  lines.finish(summary.end, digest);
}

int call(const Arguments& arguments) {
  if (arguments.format != kLines && arguments.format != kTable && arguments.format != kPerfetto) {
    throw UsageError{fmt::format("--format: \"{}\" is no format; there are: {}, {}, {}",
                                 sim::printable(arguments.format), kLines, kTable, kPerfetto)};
  }
  const bool is_stdin = is_standard_stream(arguments.file);
  const std::string name = is_stdin ? std::string{kStandardInput} : sim::printable(arguments.file);
  std::ifstream opened;
  if (!is_stdin) {
    opened.open(arguments.file, std::ios::binary);
    if (const auto problem = unreadable(arguments.file, opened); !problem.empty()) {
      throw sim::BadInput{{{.file = name, .says = problem}}};
    }
    if (is_same_file(arguments.file, arguments.output)) return complain_overwrites("output", arguments.file);
  }
  OutputFile out{arguments.output};
  if (out.ok()) convert(is_stdin ? std::cin : opened, name, arguments, out.stream());
  return out.close() || out.reader_gone() ? all_held : complain_unwritable("output", out);
}

}  // namespace

Command add_to(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto* const line =
      app.add_subcommand("trace", "Write a compact trace as lines of JSON, or any trace as a table or for Perfetto");
  line->footer(kFooter);
  line->add_option("FILE", arguments->file, "The trace; - is standard input")->required();
  line->add_option("--format", arguments->format, "ndjson (the default), csv or perfetto")->type_name("FORMAT");
  line->add_option("-o,--output", arguments->output, "The file to write; - (the default) is standard output")
      ->type_name("OUT");
  return {line, [arguments] { return call(*arguments); }};
}

}  // namespace holdfast::tools::trace
