// Lengths of time as people write them where the format wants another form.
#pragma once

#include <optional>
#include <string_view>

#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

// The length that "30m", "1.5h", "30 seconds", "1h 30m", "2w", "00:05:00" or "PT5M" means, for a message that says what
// to write. nullopt: it means none, or more than one.
std::optional<Duration> meant_duration(std::string_view text);

}  // namespace holdfast::file

#pragma GCC visibility pop
