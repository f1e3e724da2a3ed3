#include "terminal.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include <holdfast_sim/present/report_text.hpp>
#include <holdfast_sim/text/wording.hpp>

namespace holdfast::tools {

void prepare_streams() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    // The lowest free one is opened, and all lower ones are open. No file of the command may get its number, and it is
    // as unusable as it was: a read or write is an error that is reported.
    const int unusable = descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (::fcntl(descriptor, F_GETFD) == -1 && ::open("/dev/null", unusable) == -1) std::abort();
  }
}

namespace {

std::FILE* file_of(Stream stream) { return stream == Stream::output ? stdout : stderr; }

bool write(std::string_view text, Stream stream) {
  std::FILE* const file = file_of(stream);
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0;
  if (written || errno == EPIPE) return true;
  if (stream == Stream::output) {
    complain(fmt::format("holdfast: cannot write to standard output: {}\n", std::strerror(errno)));
  }
  return false;
}

// Whether the terminal of this user shows UTF-8. Asked for letters alone: numbers and messages stay as they are.
bool shows_utf8() {
  static const bool utf8 = [] {
    std::setlocale(LC_CTYPE, "");
    return std::string_view{::nl_langinfo(CODESET)} == "UTF-8";
  }();
  return utf8;
}

// As an environment variable says it; nullopt: it says nothing of use.
std::optional<std::size_t> columns_of_environment() {
  const char* const text = std::getenv("COLUMNS");
  if (!text) return std::nullopt;
  std::size_t columns = 0;
  const std::string_view digits{text};
  const auto [stopped, error] = std::from_chars(digits.data(), digits.data() + digits.size(), columns);
  const bool good = error == std::errc{} && stopped == digits.data() + digits.size() && columns > 0;
  return good ? std::optional{columns} : std::nullopt;
}

std::size_t columns_of(Stream stream) {
  constexpr std::size_t kElsewhere = 100;
  winsize size{};
  if (::ioctl(::fileno(file_of(stream)), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return columns_of_environment().value_or(kElsewhere);
}

}  // namespace

bool print(std::string_view text, Stream stream) {
  return shows_utf8() ? write(text, stream) : write(sim::ascii(text), stream);
}

bool print_json(std::string_view text, Stream stream) { return write(text, stream); }

void complain(std::string_view text) {
  const auto shown = shows_utf8() ? std::string{text} : sim::ascii(text);
  std::fwrite(shown.data(), 1, shown.size(), stderr);
}

bool output_reader_gone() {
  pollfd output{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  return ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

bool wants_colours(Stream stream) {
  const char* const no_color = std::getenv("NO_COLOR");  // https://no-color.org
  const char* const terminal = std::getenv("TERM");
  return ::isatty(::fileno(file_of(stream))) == 1 && (!no_color || *no_color == '\0') &&
         !(terminal && std::string_view{terminal} == "dumb");
}

std::size_t width(Stream stream) {
  constexpr std::size_t kMin = 40;
  return std::max(columns_of(stream), kMin);
}

ProgressLine::ProgressLine() : on_terminal_(::isatty(STDERR_FILENO) == 1), began_(Clock::now()), shown_(began_) {}

void ProgressLine::show(const sim::Progress& progress) {
  show([&](Duration wall) { return sim::progress_text(progress, wall); });
}

void ProgressLine::show(const std::function<std::string(Duration)>& text) {
  const auto now = Clock::now();
  if (!on_terminal_ || now - began_ < std::chrono::seconds{1} || now - shown_ < std::chrono::milliseconds{100}) return;
  shown_ = now;
  visible_ = true;
  const auto wall = std::chrono::duration_cast<Duration>(now - began_);
  complain("\r\x1b[K" + sim::fit(text(wall), width(Stream::error) - 1));
}

void ProgressLine::erase() {
  if (visible_) complain("\r\x1b[K");
  visible_ = false;
}

}  // namespace holdfast::tools
