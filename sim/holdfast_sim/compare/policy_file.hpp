// A file of policies, laid over a scenario: the policy that is compared with the scenario's own.
//
//     [supervisor]                                  # takes the place of the scenario's whole
//     backoff = { max = "10s", breaker = "off" }
//
//     [[fleet]]                                     # of the group of that name, the keys that stand here
//     name = "feed"
//     restart = "always"
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include <holdfast_sim/scenario/scenario.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

inline constexpr std::size_t kPolicyFileSizeMax = std::size_t{1} << 20;  // bytes

// The scenario under the policies of the file. Throws BadInput, which lists everything that is wrong with place and
// remedy, including groups that the scenario does not have.
Scenario with_policies(Scenario scenario, const std::filesystem::path& file);
// The same for a text; `file` is what messages call it.
Scenario with_policies(Scenario scenario, std::string_view text, const std::string& file);
// The scenario with this backoff for every service, whatever backoff its supervisor and its groups have.
Scenario with_backoff(Scenario scenario, const BackoffPolicy& backoff);

}  // namespace holdfast::sim

#pragma GCC visibility pop
