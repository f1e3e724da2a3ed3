// Lengths of time as people write them where the format wants another form.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include <holdfast/time.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

// The length that "30m", "1.5h", "30 seconds", "1h 30m", "2w", "00:05:00" or "PT5M" means, for a message that says what
// to write. nullopt: it means none, or more than one.
std::optional<Duration> meant_duration(std::string_view text);

// What may mean one of two, the shorter first: "1,000s" a second or a thousand of them, "10:00" minutes or hours.
std::optional<std::pair<Duration, Duration>> either_duration(std::string_view text);
// The same, of a number alone: seconds, as most other programs have it.
std::optional<Duration> meant_seconds(std::string_view text);

}  // namespace holdfast::file

#pragma GCC visibility pop
