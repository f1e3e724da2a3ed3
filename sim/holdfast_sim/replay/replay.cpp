#include <holdfast_sim/replay/replay.hpp>

#include <istream>
#include <utility>

#include <holdfast_sim/observe/digest.hpp>
#include <holdfast_sim/observe/trace.hpp>
#include <holdfast_sim/replay/detail/replay_stage.hpp>
#include <holdfast_sim/report/report.hpp>

namespace holdfast::sim {

namespace {

// What the report has to know of a scenario.
Scenario scenario_of(const std::string& file, const detail::RecordingHeader& header) {
  return {.name = file, .seed = header.seed, .supervisor = header.supervisor};
}

}  // namespace

std::string_view ReplayResult::verdict() const noexcept {
  if (!same()) return "not as recorded";
  return interrupted ? "interrupted" : "as recorded";
}

ReplayResult replay(std::istream& recording, const std::string& file, const ReplayOptions& options) {
  detail::RecordingReader reader{recording, file};
  const auto& header = reader.header();
  ReplayResult result{.file = file, .version = header.version, .seed = header.seed, .supervisor = header.supervisor};
  Digest digest;
  Report report{scenario_of(file, header), Report::Groups::by_name};
  std::optional<TraceWriter> trace;
  std::vector<Observer*> observers{&digest, &report};
  if (options.trace) observers.push_back(&trace.emplace(*options.trace, file, header.seed));
  observers.insert(observers.end(), options.observers.begin(), options.observers.end());

  detail::ReplayStage stage{reader, observers};
  const SimulationEnd end = stage.run(options.interrupted);

  if (trace) trace->finish(end, digest);
  result.inputs = stage.inputs();
  result.events = stage.events();
  result.lateness = stage.lateness();
  result.difference = stage.difference();
  result.interrupted = end.reason == EndReason::interrupted && !result.difference;
  result.cut_short = reader.cut_short() && !result.difference && !result.interrupted;
  result.lines = reader.lines();
  result.digest = digest.text();
  result.report = report.finish(end);
  return result;
}

}  // namespace holdfast::sim
