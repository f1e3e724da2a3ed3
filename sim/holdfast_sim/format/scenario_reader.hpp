// Reads scenario files. lib/docs/reference/scenario_format.md is the reference of the format.
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/scenario/scenario.hpp>
#include <holdfast_sim/text/file.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

inline constexpr std::size_t kScenarioSizeMax = std::size_t{1} << 20;  // bytes of a scenario file

// Throws BadInput, which lists everything that is wrong, with place and remedy. `warnings`, if given, receives what is
// questionable in the policies of the file.
Scenario read_scenario(const std::filesystem::path& file, std::vector<Complaint>* warnings = nullptr);

// The same for a text; `file` is what messages call it, recorded traces are looked for in `folder`.
Scenario parse_scenario(std::string_view text, const std::string& file, const std::filesystem::path& folder,
                        std::vector<Complaint>* warnings = nullptr);

// In which line of the text each entry of its chaos begins, in their order. Throws BadInput if it is no TOML.
std::vector<std::uint32_t> chaos_lines(std::string_view text, const std::string& file);

}  // namespace holdfast::sim

#pragma GCC visibility pop
