#pragma once

// Scenario files as text, and how they are refused.

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/format/scenario_reader.hpp>

namespace holdfast::scenario_reader_test {

using namespace std::chrono_literals;
using namespace holdfast::sim;
namespace fs = std::filesystem;

// Messages name files as they were given: relative to the source folder, so that they are the same everywhere.
inline const fs::path kBadScenarios = "tests/bad_scenarios";

inline void enter_source_folder() { fs::current_path(HOLDFAST_SOURCE_DIR); }

inline std::string text_of(const fs::path& file) {
  std::ifstream stream{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

inline Scenario parse(std::string_view text, std::vector<Complaint>* warnings = nullptr) {
  return parse_scenario(text, "x.toml", "", warnings);
}

// The message with which something is refused, or "accepted".
template <class Read>
std::string refusal(const Read& read) {
  try {
    static_cast<void>(read());
    return "accepted";
  } catch (const BadInput& bad) {
    return bad.what();
  }
}

inline std::string refusal_of_text(std::string_view text) {
  return refusal([text] { return parse(text); });
}

// A file that is gone at the end of the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text)
      : path_(fs::temp_directory_path() / ("holdfast_scenario_test_" + std::to_string(getpid()))) {
    std::ofstream{path_, std::ios::binary} << text;
  }
  ~TemporaryFile() { fs::remove(path_); }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Of tests/files/every_key.toml.
inline std::string every_key() { return text_of("tests/files/every_key.toml"); }

inline Scenario parse_every_key() { return parse_scenario(every_key(), "x.toml", kBadScenarios); }

}  // namespace holdfast::scenario_reader_test
