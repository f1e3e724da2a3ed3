// Values of a scenario file that are replaced from outside: "supervisor.backoff.max=10s".
//
// A path leads from table to table by their keys: `duration`, `supervisor.backoff.max`, `fleet[0].count`,
// `chaos[1].outage.for`. A group may be called by its name: `fleet.feed.count`. What is not there yet is added. A value
// is TOML, or else a text as it stands: `10s`, `off`, `{ exponential = "1h" }`.
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/scenario/scenario.hpp>
#include <holdfast_sim/text/file.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// A setting that no scenario could take, or not this one; what() says what would be right.
class BadSetting : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A text, and the scenario of it, with these settings, in their order; the other arguments are parse_scenario's. What
// is wrong with the text itself is thrown as BadInput with its place; what is wrong with a setting as BadSetting, or as
// BadInput without a line.
std::string text_with(const std::vector<std::string>& settings, std::string_view text, const std::string& file,
                      const std::filesystem::path& folder, std::vector<Complaint>* warnings = nullptr);
Scenario parse_scenario_with(const std::vector<std::string>& settings, std::string_view text, const std::string& file,
                             const std::filesystem::path& folder, std::vector<Complaint>* warnings = nullptr);

}  // namespace holdfast::sim

#pragma GCC visibility pop
