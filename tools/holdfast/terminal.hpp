// Standard output and standard error as this program uses them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <holdfast_sim/rehearsal.hpp>

namespace holdfast::tools {

// To be called first: a reader who goes away, or a file that must not grow any further, ends no program but is an error
// of the write; and a file that is opened later never takes the place of a stream that was closed.
void prepare_streams();

enum class Stream : std::uint8_t { output, error };

// Text for a person: ASCII where the locale says that nothing else can be shown (LC_ALL, LC_CTYPE, LANG). True if the
// stream took everything, or its reader has gone away, which is no error. Says what is wrong otherwise.
[[nodiscard]] bool print(std::string_view text, Stream stream = Stream::output);
void complain(std::string_view text);

// JSON for programs: the same in every locale.
[[nodiscard]] bool print_json(std::string_view text, Stream stream = Stream::output);

// Whether the reader of standard output has gone away. A stream that was never read, such as a file, counts as read.
[[nodiscard]] bool output_reader_gone();

// What a stream is good for.
[[nodiscard]] bool wants_colours(Stream stream = Stream::output);
// Columns of a line: the terminal's; elsewhere what COLUMNS says, or else 100. Never below 40, which tables need.
[[nodiscard]] std::size_t width(Stream stream = Stream::output);

// How far a rehearsal or a sweep has got, in one line of standard error that disappears in the end: only on a terminal,
// and only once it takes more than a second.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine() { erase(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  [[nodiscard]] bool possible() const noexcept { return on_terminal_; }
  void show(const sim::Progress& progress);
  // `text` is called with the time so far when there is something to show.
  void show(const std::function<std::string(Duration)>& text);
  void erase();

 private:
  using Clock = std::chrono::steady_clock;
  const bool on_terminal_;
  const Clock::time_point began_;
  Clock::time_point shown_;
  bool visible_ = false;
};

}  // namespace holdfast::tools
