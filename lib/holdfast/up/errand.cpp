#include <holdfast/up/errand.hpp>

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <stdexcept>
#include <utility>
#include <vector>

#include <holdfast/asio/detail/launched.hpp>
#include <holdfast/asio/detail/process_group.hpp>

namespace holdfast::up {

namespace asio = boost::asio;
using holdfast::detail::forget_launched;
using holdfast::detail::signal_group;
using holdfast::detail::signal_process;

ErrandProcess::ErrandProcess(const asio::any_io_executor& executor, Process process, Duration timeout)
    : executor_(executor),
      process_(std::move(process)),
      timeout_(timeout),
      end_(executor),
      deadline_(executor),
      reaper_(holdfast::detail::Reaper::of(executor)) {}

ErrandProcess::~ErrandProcess() {
  if (launched_.process.is_open()) kill();
  close();
}

// What may fail for want of memory comes before the process.
void ErrandProcess::begin(Done done) {
  std::vector<Problem> problems;
  const auto identity = holdfast::detail::identity_of(process_.user, process_.group, problems);
  if (!problems.empty()) throw std::runtime_error{problems.front().field + ' ' + problems.front().says};
  deadline_.expires_after(timeout_);
  deadline_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (error || !self->launched_.process.is_open()) return;
    self->is_late_ = true;
    self->kill();
  });
  try {
    launched_ = holdfast::detail::launch(process_, identity);
  } catch (...) {
    deadline_.cancel();
    throw;
  }
  done_ = std::move(done);
  await_end();
}

void ErrandProcess::await_end() {
  end_.wait(launched_.process.number(), [self = shared_from_this()](boost::system::error_code error) {
    if (!error) self->on_end();
  });
}

void ErrandProcess::on_end() {
  if (!launched_.process.is_open()) return;
  if (!reap()) return await_end();
  const auto says = done_ ? trouble() : std::string{};
  close();
  if (done_) std::exchange(done_, nullptr)(says);
}

std::string ErrandProcess::trouble() const {
  if (is_late_) return "took longer than " + holdfast::to_string(timeout_) + ", and was killed";
  if (const auto never = holdfast::detail::trouble_of(launched_, process_)) return never->text;
  if (!is_known_) return "its exit status is unknown";
  if (info_.si_code != CLD_EXITED) return "killed by signal " + std::to_string(info_.si_status);
  return info_.si_status == 0 ? "" : "exit status " + std::to_string(info_.si_status);
}

// Its end is seen as any other; until then the reaper knows it.
void ErrandProcess::kill() noexcept {
  if (!launched_.process.is_open()) return;
  signal_process(launched_.process.number(), SIGKILL);
  signal_group(launched_.process.number(), launched_.id, SIGKILL);
  if (weak_from_this().lock()) reaper_.enter(*this);
}

void ErrandProcess::give_up() noexcept {
  done_ = nullptr;
  launched_.process.is_open() ? kill() : close();
}

bool ErrandProcess::reap() noexcept {
  int result = 0;
  do {
    info_ = {};
    result = ::waitid(P_PIDFD, static_cast<id_t>(launched_.process.number()), &info_, WEXITED | WNOHANG);
  } while (result != 0 && errno == EINTR);
  if (result == 0 && info_.si_pid == 0) return false;
  is_known_ = result == 0;
  forget_launched(launched_.id);
  signal_group(launched_.process.number(), launched_.id, SIGKILL);  // what it has left behind
  return true;
}

void ErrandProcess::reap_if_ended() noexcept {
  pollfd end{launched_.process.number(), POLLIN, 0};
  if (!launched_.process.is_open() || ::poll(&end, 1, 0) <= 0 || !reap()) return;
  end_.stop();
  holdfast::detail::settle(launched_);
  launched_ = {};
}

// A process that is still there is nobody's any more.
void ErrandProcess::close() noexcept {
  reaper_.leave(*this);
  try {
    deadline_.cancel();
  } catch (const std::exception&) {
  }
  end_.stop();
  if (!launched_.process.is_open()) return;
  if (is_known_) {
    holdfast::detail::settle(launched_);
  } else {
    reap_if_ended();
    if (launched_.process.is_open()) forget_launched(launched_.id);
  }
  launched_ = {};
}

}  // namespace holdfast::up
