// The recordings of a fleet: one for each `up`, and how many of them stay.
//
// Thread-safety: none.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <holdfast/file/program.hpp>

namespace holdfast::up {

// NAME-20261130T054205Z-PID.ndjson, the names of which sort by their time.
class Recording {
 public:
  // Makes the folder, opens a new file and removes the oldest. Throws std::runtime_error with the reason.
  Recording(const std::filesystem::path& folder, const std::string& fleet, std::uint32_t keep);

  [[nodiscard]] std::ostream& stream() noexcept { return stream_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
  std::ofstream stream_;
};

}  // namespace holdfast::up
