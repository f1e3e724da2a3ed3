// What the holdfast command does. Each function prints and returns the exit status.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace holdfast::tools {

enum ExitStatus : int {
  all_held = 0,
  something_violated = 1,  // a rule, an expectation, or the run stalled; a replay is not as recorded
  bad_input = 2,           // a scenario or recording, the command line, or a file that cannot be written
  budget_ran_out = 3,
};

struct RunArguments {
  std::filesystem::path scenario;
  std::optional<std::uint64_t> seed;
  std::optional<std::filesystem::path> trace;
  bool quiet = false;
  bool json = false;
};

struct ReplayArguments {
  std::filesystem::path recording;
  std::optional<std::filesystem::path> trace;
  std::optional<std::filesystem::path> scenario;
  bool json = false;
};

int run(const RunArguments& arguments);
int replay(const ReplayArguments& arguments);
int validate(const std::vector<std::filesystem::path>& scenarios);
int list(const std::filesystem::path& folder);

}  // namespace holdfast::tools
