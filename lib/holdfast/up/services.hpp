// The services of a file as processes: placeholders filled in, paths absolute, files of variables read.
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <holdfast/asio/process_service.hpp>
#include <holdfast/file/fleet.hpp>
#include <holdfast/policy.hpp>
#include <holdfast/up/begin.hpp>

namespace holdfast::up {

struct ServiceToRun {
  ServiceConfig config{};
  std::string group{};
  std::size_t group_index = 0;  // in the file
  Process process{};
  file::ProgramLog log{};  // with its path as it is opened
  std::optional<ErrandToRun> before_start{};
  std::optional<ErrandToRun> after_stop{};
  BeginSays begin_says = BeginSays::nothing;
};

// In the order of the file, but each behind those that it is after. `names` chooses groups and services; empty: all
// that have a command. Throws file::BadInput, which lists everything that is wrong. REQUIRES: `fleet` was read from
// `file`.
std::vector<ServiceToRun> services_of(const file::FleetFile& fleet, const std::filesystem::path& file,
                                      const std::vector<std::string>& names);

// The same, but what is wrong is added to `complaints`, and the services are those that could be made.
std::vector<ServiceToRun> services_of(const file::FleetFile& fleet, const std::filesystem::path& file,
                                      const std::vector<std::string>& names, std::vector<file::Complaint>& complaints);

// With the lines of their keys.
std::vector<file::Complaint> placed(std::vector<file::Complaint> complaints, const std::filesystem::path& file);

// What is wrong if there are so many services under a hard limit of open files; empty: nothing.
std::string trouble_with_descriptors(std::size_t services, std::uint64_t hard);

// A path of the file, which is relative to the file's folder.
std::filesystem::path beside(const std::filesystem::path& file, const std::string& path);

// A process as holdfast was given its limits, before it raised its own limit of open files.
void keep_open_files_limit(Process& process, std::uint64_t soft, std::uint64_t hard);

}  // namespace holdfast::up
