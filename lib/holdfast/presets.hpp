// The restart laws of other supervisors, as policies: to put the supervisor that one has beside the one that one could
// have. Each says what of its peer a policy cannot express.
//
//     const BackoffPolicy docker = find_preset("docker")->policy;
//
// Thread-safety: constants, safe anywhere.
#pragma once

#include <span>
#include <string_view>

#include <holdfast/policy.hpp>
#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

struct Preset {
  std::string_view name;     // "systemd"
  std::string_view of;       // versions and settings
  std::string_view source;   // where the law was read
  std::string_view differs;  // what the peer does otherwise
  Duration granularity;      // by how much a restart of the peer may come later than its law says
  BackoffPolicy policy;
};

// In the order of the alphabet.
std::span<const Preset> presets() noexcept;
// Null: there is none of that name.
const Preset* find_preset(std::string_view name) noexcept;

}  // namespace holdfast

#pragma GCC visibility pop
