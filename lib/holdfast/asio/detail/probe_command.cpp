#include <holdfast/asio/detail/probe_command.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <exception>
#include <new>
#include <string_view>
#include <utility>

#include <boost/asio/post.hpp>
#include <holdfast/asio/detail/launched.hpp>
#include <holdfast/asio/detail/process_group.hpp>

namespace holdfast::detail {

namespace {

namespace asio = boost::asio;

constexpr std::size_t kProbePieceMax = 32768;  // bytes of output at a time
constexpr std::size_t kShownMax = 200;         // bytes of it in a message

// A process like the service's, with another command, whose output nobody logs.
Process like(const Process& service, std::vector<std::string> command) {
  Process process = service;
  process.command = std::move(command);
  process.capture_output = true;
  process.output_file.clear();
  process.output_descriptor = -1;
  process.error_descriptor = -1;
  process.input = "/dev/null";
  process.ready_by = ReadySocket{};
  process.health.reset();
  return process;
}

}  // namespace

ProbeCommand::ProbeCommand(const asio::any_io_executor& executor, std::vector<std::string> command, Duration timeout,
                           const Probed& probed, ProbePlaces::Place place)
    : executor_(executor),
      process_(like(*probed.process, std::move(command))),
      identity_(probed.identity),
      timeout_(timeout),
      place_(std::move(place)),
      end_(executor),
      output_(executor),
      deadline_(executor),
      tail_(kShownMax),
      reaper_(Reaper::of(executor)) {}

// The io_context is going away without its reaper, or nobody waits for this any more.
ProbeCommand::~ProbeCommand() {
  if (launched_.process.is_open()) kill();
  close();
}

// What may fail for want of memory comes before the process.
void ProbeCommand::begin(Done done) {
  done_ = std::move(done);
  deadline_.expires_after(timeout_);
  deadline_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (error || !self->launched_.process.is_open()) return;
    self->kill();
    if (self->done_) std::exchange(self->done_, nullptr)({.trouble = "no end within " + to_string(self->timeout_)});
  });
  try {
    start();
  } catch (const std::exception& error) {
    const bool is_there = launched_.process.is_open();
    if (is_there) return kill();  // its end is looked for at the deadline
    asio::post(executor_, [self = shared_from_this(), says = std::string{error.what()}] {
      self->finish({false, says});
    });
  }
}

void ProbeCommand::start() {
  launched_ = launch(process_, *identity_);
  await_end();
  await_output();
}

void ProbeCommand::await_end() {
  end_.wait(launched_.process.number(), [self = shared_from_this()](boost::system::error_code error) {
    if (!error) self->on_end();
  });
}

void ProbeCommand::await_output() {
  output_.wait(launched_.output.number(), [self = shared_from_this()](boost::system::error_code error) {
    if (!error && self->launched_.output.is_open() && self->read_output()) self->await_output();
  });
}

// One piece, so that others get their turn. False: no more can come.
bool ProbeCommand::read_output() {
  std::array<char, kProbePieceMax> piece;
  const auto size = ::read(launched_.output.number(), piece.data(), piece.size());
  try {
    if (size > 0) tail_.append({piece.data(), static_cast<std::size_t>(size)});
  } catch (const std::bad_alloc&) {
  }
  return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

// At most what a pipe can hold: another process may go on writing.
void ProbeCommand::read_what_is_left() {
  const std::uint64_t before = tail_.size();
  const auto capacity = static_cast<std::uint64_t>(std::max(::fcntl(launched_.output.number(), F_GETPIPE_SZ), 0));
  for (std::uint64_t had = before; read_output() && tail_.size() != had && tail_.size() - before < capacity;) {
    had = tail_.size();
  }
}

void ProbeCommand::on_end() {
  if (!launched_.process.is_open()) return;
  if (!reap()) return await_end();
  read_what_is_left();
  finish({.trouble = done_ ? trouble() : ""});
}

std::string ProbeCommand::trouble() {
  if (const auto never = trouble_of(launched_, process_)) return never->text;
  if (status_ == 0) return "";
  constexpr int kSignals = 128;
  std::string says = "exit status " + std::to_string(status_);
  if (status_ > kSignals) says = "killed by signal " + std::to_string(status_ - kSignals);
  if (tail_.size() == 0) return says;
  std::string text = tail_.text();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return says + ": " + text;
}

void ProbeCommand::cancel() noexcept {
  done_ = nullptr;
  if (launched_.process.is_open()) {
    kill();
  } else {
    close();
  }
}

// Its end is seen as any other; until then the reaper knows it.
void ProbeCommand::kill() noexcept {
  signal_process(launched_.process.number(), SIGKILL);
  signal_group(launched_.process.number(), launched_.id, SIGKILL);
  if (weak_from_this().lock()) reaper_.enter(*this);
}

bool ProbeCommand::reap() noexcept {
  siginfo_t info{};
  int result = 0;
  do {
    result = ::waitid(P_PIDFD, static_cast<id_t>(launched_.process.number()), &info, WEXITED | WNOHANG);
  } while (result != 0 && errno == EINTR);
  if (result == 0 && info.si_pid == 0) return false;
  constexpr int kSignals = 128;
  constexpr int kUnknown = 255;  // another part of the program has reaped it
  status_ = result != 0 ? kUnknown : info.si_code == CLD_EXITED ? info.si_status : kSignals + info.si_status;
  forget_launched(launched_.id);
  signal_group(launched_.process.number(), launched_.id, SIGKILL);  // what it has left behind
  return true;
}

void ProbeCommand::reap_if_ended() noexcept {
  pollfd end{launched_.process.number(), POLLIN, 0};
  if (launched_.process.is_open() && ::poll(&end, 1, 0) > 0 && reap()) {
    let_go();
  }
}

void ProbeCommand::finish(const ProbeResult& result) {
  let_go();
  close();
  if (done_) std::exchange(done_, nullptr)(result);
}

void ProbeCommand::let_go() noexcept {
  end_.stop();
  output_.stop();
  settle(launched_);
  launched_ = {};
}

// A process that is still there is nobody's any more.
void ProbeCommand::close() noexcept {
  reaper_.leave(*this);
  try {
    deadline_.cancel();
  } catch (const std::exception&) {
  }
  reap_if_ended();
  if (launched_.process.is_open()) {
    forget_launched(launched_.id);
    end_.stop();
    output_.stop();
    launched_ = {};  // its plan is kept for as long as it may use it
  }
  place_.reset();
}

}  // namespace holdfast::detail
