// Standard output and standard error as this program uses them.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include <holdfast_sim/rehearsal.hpp>

namespace holdfast::tools {

// To be called first: a reader who goes away, or a file that must not grow any further, ends no program but is an error
// of the write; and a file that is opened later never takes the place of a stream that was closed.
void prepare_streams();

// Standard output took everything, or its reader has gone away, which is nobody's fault. Says what is wrong otherwise.
[[nodiscard]] bool print(std::string_view text);
void complain(std::string_view text);

// What standard output is good for.
[[nodiscard]] bool wants_colours();
[[nodiscard]] std::size_t width_at_most(std::size_t width);

// How far a rehearsal has got, in one line of standard error that disappears in the end: only on a terminal, and only
// once it takes more than a second.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine() { erase(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  [[nodiscard]] bool possible() const noexcept { return on_terminal_; }
  void show(const sim::Progress& progress);
  void erase();

 private:
  using Clock = std::chrono::steady_clock;
  const bool on_terminal_;
  const Clock::time_point began_;
  Clock::time_point shown_;
  bool visible_ = false;
};

}  // namespace holdfast::tools
