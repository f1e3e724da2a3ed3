// Reads the recorded traces that a scenario names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <holdfast_sim/format/detail/scenario_checks.hpp>

namespace holdfast::sim::detail {

// Each file once, however often it is named.
class RecordedFiles {
 public:
  // Fills in the traces of all recorded chaos.
  explicit RecordedFiles(const CheckedScenario& checked);

  // Every trace that is named has been read.
  [[nodiscard]] bool complete() const noexcept { return complete_; }

  // The path of the file as messages name it, and the line in which an entity first stands.
  [[nodiscard]] std::string path_of(const Recorded& recorded) const;
  [[nodiscard]] std::uint32_t line_of(const Recorded& recorded, std::size_t entity) const;

 private:
  [[nodiscard]] std::string place_of(const Recorded& recorded) const;
  void fill_in(const CheckedScenario& checked, std::size_t entry, Recorded& recorded);
  bool read(const CheckedScenario& checked, Position at, const std::string& key, const Recorded& recorded);

  struct File {
    RecordedTrace trace;
    std::vector<std::uint32_t> entity_lines;
    bool good = false;
  };
  std::filesystem::path folder_;
  std::map<std::string, File> files_;  // by place
  std::size_t rows_ = 0;
  bool complete_ = true;
};

}  // namespace holdfast::sim::detail
