// What this machine can tell about a file before `holdfast up` runs it: programs that are not there, users, folders,
// files and limits that do not fit. Nothing is started and nothing is changed.
//
// Thread-safety: none. It takes on the rights of services for a moment, where it may.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <holdfast/file/bad_input.hpp>

namespace holdfast::up {

struct Finding {
  enum class Severity : unsigned char { error, warning };
  Severity severity = Severity::error;
  file::Complaint complaint{};
  std::vector<std::string> services{};  // that it is about; empty: the fleet as a whole
};

struct Checked {
  std::string name{};
  std::size_t services = 0;         // that have a command
  std::vector<Finding> findings{};  // in the order of the file
};

// Throws file::BadInput if the file is none.
Checked check(const std::filesystem::path& file);

// "fleet.toml:7:1: fleet[0].command: …", with the services, a few of them by name.
std::string to_string(const Finding& finding);

}  // namespace holdfast::up
