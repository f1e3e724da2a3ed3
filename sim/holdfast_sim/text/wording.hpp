// Texts for a person at a terminal: what all messages of the simulator and of its command have in common.
//
// Thread-safety: functions of their arguments alone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <holdfast/file/message_text.hpp>
#include <holdfast_sim/text/file.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// As much of the text as fits into `width` columns, its end replaced by "…" if need be. What would not show, or would
// not stay in its line, becomes "?".
std::string fit(std::string_view text, std::size_t width);

// The text for a terminal that shows ASCII only: each other character becomes one that resembles it, or "?", so that
// columns stay where they are.
std::string ascii(std::string_view text);

// A word of a command line, quoted if a shell would read anything into it.
std::string shell_word(const std::string& word);

}  // namespace holdfast::sim

#pragma GCC visibility pop
