#include "terminal.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include <holdfast_sim/detail/human_text.hpp>

namespace holdfast::tools {

void prepare_streams() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    // The lowest free one is opened, and all lower ones are open.
    if (::fcntl(descriptor, F_GETFD) == -1 && ::open("/dev/null", O_RDWR) == -1) std::abort();
  }
}

bool print(std::string_view text) {
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (written || errno == EPIPE) return true;
  complain(fmt::format("holdfast: cannot write to standard output: {}\n", std::strerror(errno)));
  return false;
}

void complain(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

bool wants_colours() {
  const char* const no_color = std::getenv("NO_COLOR");  // https://no-color.org
  const char* const terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (!no_color || *no_color == '\0') &&
         !(terminal && std::string_view{terminal} == "dumb");
}

std::size_t width_at_most(std::size_t width) {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return width;
  return std::min<std::size_t>(width, size.ws_col);
}

ProgressLine::ProgressLine() : on_terminal_(::isatty(STDERR_FILENO) == 1), began_(Clock::now()), shown_(began_) {}

void ProgressLine::show(const sim::Progress& progress) {
  const auto now = Clock::now();
  if (!on_terminal_ || now - began_ < std::chrono::seconds{1} || now - shown_ < std::chrono::milliseconds{100}) return;
  shown_ = now;
  visible_ = true;
  const auto passed = progress.at - TimePoint{};
  std::string share;
  if (const auto duration = progress.scenario.duration; duration && duration->count() > 0) {
    share = fmt::format("{:3.0f} %  ",
                        100.0 * static_cast<double>(passed.count()) / static_cast<double>(duration->count()));
  }
  complain(fmt::format("\r\x1b[K{}{} of virtual time, {} in {}", share, sim::detail::human(passed),
                       sim::detail::counted(progress.timers_fired, "timer"),
                       sim::detail::human(std::chrono::duration_cast<Duration>(now - began_))));
}

void ProgressLine::erase() {
  if (visible_) complain("\r\x1b[K");
  visible_ = false;
}

}  // namespace holdfast::tools
