// What two lines of a trace or of a recording have different.
//
// Thread-safety: functions of their arguments alone.
#pragma once

#include <string>
#include <string_view>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// "delay_ns: recorded 17, replayed 18", key by key; `left` and `right` are the names of the lines. Empty: they are
// equal. REQUIRES: both are JSON objects.
std::string differing_keys(std::string_view left_line, std::string_view right_line, std::string_view left,
                           std::string_view right);

}  // namespace holdfast::sim

#pragma GCC visibility pop
