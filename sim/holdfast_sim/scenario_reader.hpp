// Reads scenario files. scenarios/README.md is the reference of the format.
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast_sim/bad_input.hpp>
#include <holdfast_sim/scenario.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// Throws BadInput with everything that is wrong, with place and remedy. `warnings`, where it is given, receives what is
// questionable in the policies that the file spells out.
Scenario read_scenario(const std::filesystem::path& file, std::vector<Complaint>* warnings = nullptr);

// The same for a text; `file` is what messages call it, recorded traces are looked for in `folder`.
Scenario parse_scenario(std::string_view text, const std::string& file, const std::filesystem::path& folder,
                        std::vector<Complaint>* warnings = nullptr);

}  // namespace holdfast::sim

#pragma GCC visibility pop
