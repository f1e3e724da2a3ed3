#include <holdfast/asio/detail/child_process.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace holdfast::detail {

namespace {

namespace asio = boost::asio;

constexpr std::size_t kPieceMax = 32768;  // bytes of output at a time

int wait_for(int process, siginfo_t& info, int options) noexcept {
  info.si_pid = 0;
  int result = 0;
  do {
    result = ::waitid(P_PIDFD, static_cast<id_t>(process), &info, WEXITED | options);
  } while (result != 0 && errno == EINTR);
  return result;
}

std::string text_of(const siginfo_t& end) {
  if (end.si_code == CLD_EXITED) return "exit status " + std::to_string(end.si_status);
  const char* const name = ::sigdescr_np(end.si_status);
  std::string text = "killed by signal " + std::to_string(end.si_status);
  if (name) text += std::string{" ("} + name + ')';
  return end.si_code == CLD_DUMPED ? text + ", core dumped" : text;
}

}  // namespace

ChildProcess::ChildProcess(const asio::any_io_executor& executor, Launched launched, const Process& process,
                           Ended ended)
    : launched_(std::move(launched)),
      process_(process),
      ended_(std::move(ended)),
      end_(executor),
      output_(executor),
      tail_(process.output_kept_max) {}

ChildProcess::~ChildProcess() { put_an_end(); }

void ChildProcess::watch() {
  end_.assign(launched_.process.number());
  await_end();
  if (!launched_.output.is_open()) return;
  output_.assign(launched_.output.number());
  await_output();
}

void ChildProcess::await_end() {
  end_.async_wait(asio::posix::stream_descriptor::wait_read,
                  [self = shared_from_this()](boost::system::error_code error) {
                    if (!error && !self->reaped_) self->on_end();
                  });
}

// What is written faster than it is read makes the process wait, and nothing grow. Asio only waits: what it had read by
// itself when the process ended would be lost.
void ChildProcess::await_output() {
  output_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](boost::system::error_code error) {
                       if (!error && !self->reaped_ && self->read_output()) self->await_output();
                     });
}

// False: there is nothing to come. A piece at a time, so that others get their turn.
bool ChildProcess::read_output() {
  std::array<char, kPieceMax> piece;
  const auto size = ::read(launched_.output.number(), piece.data(), piece.size());
  if (size > 0) tail_.append({piece.data(), static_cast<std::size_t>(size)});
  return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

// The group's remains are killed while the process is still there to be reaped: as long as it is, nobody else can have
// its number.
void ChildProcess::on_end() {
  siginfo_t info{};
  const bool can_be_reaped = wait_for(launched_.process.number(), info, WNOWAIT | WNOHANG) == 0;
  if (can_be_reaped && info.si_pid == 0) return await_end();
  if (can_be_reaped) ::kill(-launched_.id, SIGKILL);
  read_what_is_left();
  Exit exit = reap();
  close();
  if (ended_) std::exchange(ended_, nullptr)(std::move(exit));
}

// As much as a pipe can hold: who has left the group may go on writing.
void ChildProcess::read_what_is_left() {
  if (!launched_.output.is_open()) return;
  const std::uint64_t before = tail_.size();
  const auto capacity = static_cast<std::uint64_t>(std::max(::fcntl(launched_.output.number(), F_GETPIPE_SZ), 0));
  for (std::uint64_t had = before; read_output() && tail_.size() != had && tail_.size() - before < capacity;) {
    had = tail_.size();
  }
}

Exit ChildProcess::reap() {
  siginfo_t info{};
  const int result = wait_for(launched_.process.number(), info, WNOHANG);
  reaped_ = true;
  if (const std::string trouble = trouble_of(launched_, process_); !trouble.empty()) return Exit::failed(trouble);
  if (result != 0) {
    return Exit::failed("its exit status is unknown: another part of the program has reaped it" + tail_.told());
  }
  const bool obeyed = asked_to_stop_ && info.si_code != CLD_EXITED && info.si_status == SIGTERM;
  if (obeyed || (info.si_code == CLD_EXITED && info.si_status == 0)) return Exit::clean();
  return Exit::failed(text_of(info) + tail_.told());
}

void ChildProcess::ask_to_stop() {
  asked_to_stop_ = true;
  signal_group(SIGTERM);
  signal_group(SIGCONT);
}

void ChildProcess::kill() { signal_group(SIGKILL); }

void ChildProcess::signal_group(int signal) {
  if (reaped_ || ::kill(-launched_.id, signal) == 0 || errno == ESRCH) return;
  throw std::system_error{errno, std::generic_category(), "cannot signal its process group"};
}

void ChildProcess::put_an_end() noexcept {
  constexpr int kMilliseconds = 10'000;
  ended_ = nullptr;
  if (!reaped_ && launched_.process.is_open()) {
    ::kill(-launched_.id, SIGKILL);
    pollfd end{launched_.process.number(), POLLIN, 0};
    while (::poll(&end, 1, kMilliseconds) < 0 && errno == EINTR) {
    }
    siginfo_t info{};
    wait_for(launched_.process.number(), info, WNOHANG);
    reaped_ = true;
  }
  close();
}

// The streams of Asio know the descriptors, and those belong to launched_.
void ChildProcess::close() noexcept {
  if (end_.is_open()) end_.release();
  if (output_.is_open()) output_.release();
  launched_ = {};
}

}  // namespace holdfast::detail
