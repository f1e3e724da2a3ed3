// The services of a file as processes: placeholders filled in, paths absolute, files of variables read.
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <holdfast/asio/process_service.hpp>
#include <holdfast/file/fleet.hpp>
#include <holdfast/policy.hpp>

namespace holdfast::up {

struct ServiceToRun {
  ServiceConfig config{};
  std::string group{};
  Process process{};
  file::ProgramLog log{};  // with its path as it is opened
};

// In the order of the file. `names` chooses groups and services; empty: all that have a command. Throws
// file::BadInput, which lists everything that is wrong. REQUIRES: `fleet` was read from `file`.
std::vector<ServiceToRun> services_of(const file::FleetFile& fleet, const std::filesystem::path& file,
                                      const std::vector<std::string>& names);

// A path of the file, which is relative to the file's folder.
std::filesystem::path beside(const std::filesystem::path& file, const std::string& path);

// The processes as holdfast was given them, before it raised its own limit of open files.
void keep_open_files_limit(std::vector<ServiceToRun>& services, std::uint64_t soft, std::uint64_t hard);

}  // namespace holdfast::up
