// A supervisor in virtual time that is recorded, and the lines of its recording.
#pragma once

#include "json_line.hpp"
#include "support.hpp"

#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include <holdfast/recorder.hpp>

namespace holdfast::recorder_test {

using namespace holdfast::test;

inline std::string without_check(const std::string& line) {
  constexpr std::string_view kCheck = ",\"check\":\"01234567\"}";
  const auto check = line.size() - kCheck.size();
  const bool has_one = line.size() > kCheck.size() && line.compare(check, 10, kCheck.substr(0, 10)) == 0;
  return has_one ? line.substr(0, check) + '}' : line;
}

// The keys of kAtOnce.
inline const JsonFields kAtOnceFields{
    {"base_ns", 0},      {"max_ns", 0},   {"cooldown_ns", 300'000'000'000}, {"clean_restart_delay_ns", 100'000'000},
    {"max_failures", 0}, {"window_ns", 0}};

// The line of an event of the service `feed`: its number, its run, its kind, and the fields of that kind.
inline std::string event_line(std::int64_t at, int n, int run, const char* kind, const JsonFields& fields = {}) {
  return json_line(JsonFields{{"t_ns", at}, {"service", "feed"}, {"n", n}, {"run", run}, {"kind", kind}} + fields);
}

// The line of an input about the service `feed`.
inline std::string input_line(std::int64_t at, const char* input, const JsonFields& fields = {}) {
  return json_line(JsonFields{{"t_ns", at}, {"input", input}, {"service", "feed"}} + fields);
}

// The input that its first run has ended.
inline std::string end_line(std::int64_t at, const char* outcome, const char* error, const JsonFields& fields = {}) {
  const JsonFields run{{"slot", 0}, {"generation", 1}, {"run", 1}, {"outcome", outcome}, {"error", error}};
  return input_line(at, "end", run + fields);
}

// A supervisor in virtual time that is recorded.
class Recorded {
 public:
  explicit Recorded(const SupervisorConfig& config = config_of(kAtOnce)) { begin(config); }

  void settle() { scheduler.run_tasks(); }
  void pass(Duration time) { let_pass(scheduler, time); }
  // The lines since the last call, without their checks.
  Lines take() {
    std::istringstream in{out.str()};
    out.str("");
    Lines lines;
    for (std::string line; std::getline(in, line);) lines.push_back(without_check(line));
    return lines;
  }
  void finish() {
    supervisor.reset();
    recorder.reset();
  }

  std::ostringstream out;
  sim::VirtualScheduler scheduler;
  test::Recorder sink;
  std::optional<holdfast::Recorder> recorder;
  std::optional<Supervisor> supervisor;

 private:
  void begin(const SupervisorConfig& config) {
    recorder.emplace(out, scheduler, config, kSeed, sink);
    supervisor.emplace(*recorder, config, kSeed, *recorder, &*recorder);
  }
};

}  // namespace holdfast::recorder_test
