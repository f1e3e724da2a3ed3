// Ctrl-C: the command prints what there is so far, and ends with a status of its own.
#pragma once

namespace holdfast::tools {

// From now on the first SIGINT or SIGTERM is remembered; a second one ends the program as usual. A signal that was
// ignored when the program began stays ignored.
void watch_for_interruption();

// Whether one came. Safe in any thread.
[[nodiscard]] bool interrupted() noexcept;

// The exit status that says so: 130 after SIGINT. REQUIRES: interrupted().
[[nodiscard]] int interrupted_status() noexcept;

}  // namespace holdfast::tools
