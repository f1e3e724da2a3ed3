// A fleet as a file has it: groups of services, and the policies under which they run.
//
// The same file may also describe a rehearsal: how services behave, what goes wrong, what is expected. This reader
// knows the names of those keys, so that it finds a misspelt one, but not their values. The simulator reads those
// (holdfast_sim/format/scenario_reader.hpp).
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/file/bad_input.hpp>
#include <holdfast/file/program.hpp>
#include <holdfast/file/roster.hpp>
#include <holdfast/policy.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

inline constexpr std::size_t kFleetFileSizeMax = std::size_t{1} << 20;  // bytes

// Services of one kind. Without a count it is one service with the group's name; with a count they are name-0,
// name-1, …
struct ServiceGroup {
  std::string name{};
  std::optional<std::uint32_t> count{};
  ServicePolicy policy{};
  Program program{};
  friend bool operator==(const ServiceGroup&, const ServiceGroup&) = default;

  [[nodiscard]] std::uint32_t size() const noexcept { return count.value_or(1); }
  // REQUIRES: index < size().
  [[nodiscard]] std::string service_name(std::uint32_t index) const { return file::service_name(name, count, index); }
};

struct FleetFile {
  std::string name{};
  SupervisorConfig supervisor{};
  Production production{};
  std::vector<GroupConfig> groups{};
  std::vector<ServiceGroup> fleet{};
  friend bool operator==(const FleetFile&, const FleetFile&) = default;
};

// Throws BadInput, which lists everything that is wrong, with place and remedy. `warnings`, if given, receives what is
// questionable in the policies of the file.
FleetFile read_fleet(const std::filesystem::path& file, std::vector<Complaint>* warnings = nullptr);

// The same for a text; `file` is what messages call it.
FleetFile parse_fleet(std::string_view text, const std::string& file, std::vector<Complaint>* warnings = nullptr);

}  // namespace holdfast::file

#pragma GCC visibility pop
