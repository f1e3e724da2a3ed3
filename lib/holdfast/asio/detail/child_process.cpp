#include <holdfast/asio/detail/child_process.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>
#include <holdfast/asio/detail/launched.hpp>
#include <holdfast/asio/detail/orphans.hpp>
#include <holdfast/asio/detail/process_group.hpp>

namespace holdfast::detail {

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::size_t kPieceMax = 32768;  // bytes of output at a time
// After an end by a signal of a stop, the supervisor's own stop may come this much later and still be the same stop.
constexpr auto kSameStop = 250ms;
// After that, and after any other end, the executor gets this many turns, so that a stop that has already arrived is
// seen.
constexpr int kTurns = 6;
constexpr int kNotificationsLeftMax = 64;
constexpr std::size_t kStatusMax = 200;  // bytes of it that are kept
// The pauses between two looks, where the kernel cannot report a change.
constexpr auto kUnwatchedPause = 20ms;  // it is out of watches
constexpr auto kTracedPause = 100ms;    // a debugger holds the dead process
constexpr auto kGroupPauseMax = 50ms;   // the end of a group
constexpr auto kLookPause = 5ms;        // a slow look at the group
// A program that ends within this time and leaves processes behind has gone into the background.
constexpr auto kBackgroundMax = 1s;

int wait_for(int process, siginfo_t& info) noexcept {
  info = {};
  int result = 0;
  do {
    result = ::waitid(P_PIDFD, static_cast<id_t>(process), &info, WEXITED | WNOHANG);
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

// Programs read whole microseconds, and take none for no watchdog.
std::string watchdog_text(Duration watchdog) {
  return std::to_string(std::max<std::int64_t>(watchdog / std::chrono::microseconds{1}, 1));
}

std::string name_of(int signal) {
  const char* const name = ::sigabbrev_np(signal);
  return name ? std::string{"SIG"} + name : "signal " + std::to_string(signal);
}

}  // namespace

ChildProcess::ChildProcess(const asio::any_io_executor& executor, std::shared_ptr<const Process> process, Run run,
                           Ended ended)
    : executor_(executor),
      process_(std::move(process)),
      run_(run),
      ended_(std::move(ended)),
      end_(executor),
      output_(executor),
      tick_(executor),
      reaper_(Reaper::of(executor)),
      tail_(process_->output_kept_max) {}

ChildProcess::~ChildProcess() {
  if (state_ != State::over) disown();
  close();
}

// ---------------------------------------------------------------------------------------------------------------------
// Its beginning
// ---------------------------------------------------------------------------------------------------------------------

// The first look is queued before the process is created, while an allocation may still fail: then no end can get lost.
void ChildProcess::start(const std::shared_ptr<const Identity>& identity, const FindLine& find_line) {
  tick_.expires_after(kUnwatchedPause);
  await_tick();
  try {
    if (Probing::is_needed(*process_, run_)) {
      probing_ = std::make_shared<Probing>(executor_, Probed{process_, identity}, run_);
      probing_->prepare(find_line);
    }
    if (needs_socket()) {
      launch_with_socket(*identity);
    } else {
      launched_ = launch(*process_, *identity);
    }
  } catch (...) {
    state_ = State::over;
    tick_.cancel();
    notifications_.reset();
    probing_.reset();
    throw;
  }
  began_ = Clock::now();
  watch();
  begin_probing();
  try {
    run_.set_pid(static_cast<std::uint32_t>(launched_.id));
  } catch (const std::bad_alloc&) {  // snapshots do not show its number then
  }
}

// Without memory for it the run may miss a deadline, which is said then.
void ChildProcess::begin_probing() noexcept try {
  if (probing_) probing_->begin(std::move(launched_.ready));
} catch (const std::bad_alloc&) {
}

// If the kernel has no watch left, a timer looks instead: the process is alive, so the start has not failed.
void ChildProcess::watch() noexcept {
  end_is_watched_ = watch_end();
  output_is_watched_ = !launched_.output.is_open() || watch_output();
  notifications_are_watched_ = !notifications_ || watch_notifications();
  if (end_is_watched_ && output_is_watched_ && notifications_are_watched_) tick_.cancel();
}

bool ChildProcess::watch_end() noexcept try {
  end_.assign(launched_.process.number());
  await_end();
  return true;
} catch (const std::exception&) {
  return false;
}

bool ChildProcess::watch_output() noexcept try {
  if (!output_.is_open()) output_.assign(launched_.output.number());
  await_output();
  return true;
} catch (const std::exception&) {
  return false;
}

void ChildProcess::await_end() {
  end_.async_wait(asio::posix::stream_descriptor::wait_read,
                  [self = shared_from_this()](boost::system::error_code error) {
                    if (!error && !self->main_has_ended_) self->on_end();
                  });
}

void ChildProcess::await_tick() {
  tick_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error) self->on_tick();
  });
}

// Asio reuses the memory of the running handler or of the last one, so this fails only if there never was any; then the
// next stop or kill looks.
void ChildProcess::look_again_in(Clock::duration pause) noexcept try {
  tick_.expires_after(pause);
  await_tick();
} catch (const std::exception&) {
}

void ChildProcess::on_tick() {
  switch (state_) {
    case State::running: return look_at_what_is_not_watched();
    case State::deciding: return std::exchange(looked_for_a_stop_, true) ? on_decided() : decide_after_turns(kTurns);
    case State::waits_for_group:
    case State::kills_group: return poll_group();
    case State::over: return;
  }
}

void ChildProcess::look_at_what_is_not_watched() {
  if (!end_is_watched_ || !output_is_watched_ || !notifications_are_watched_) look_again_in(kUnwatchedPause);
  if (!output_is_watched_) read_output();
  if (!notifications_are_watched_) read_notifications_left();
  on_end();
}

// ---------------------------------------------------------------------------------------------------------------------
// Its output
// ---------------------------------------------------------------------------------------------------------------------

// A process that writes faster than this reads has to wait, so nothing grows. Asio only waits for readiness: bytes that
// it had read itself would be lost at the end of the process.
void ChildProcess::await_output() {
  output_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](boost::system::error_code error) {
                       if (!error && self->state_ != State::over && self->read_output()) self->await_more_output();
                     });
}

void ChildProcess::await_more_output() noexcept {
  if (watch_output()) return;
  output_is_watched_ = false;
  if (state_ == State::running) look_again_in(kUnwatchedPause);
}

// Reads one piece, so that other work gets its turn. False: no more output can come.
bool ChildProcess::read_output() {
  std::array<char, kPieceMax> piece;
  const auto size = ::read(launched_.output.number(), piece.data(), piece.size());
  if (size > 0) append_output({piece.data(), static_cast<std::size_t>(size)});
  output_is_over_ = size == 0;
  return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

// Without memory for the output the process goes on all the same.
void ChildProcess::append_output(std::string_view piece) noexcept try {
  tail_.append(piece);
  if (probing_) probing_->take_output(piece);
} catch (const std::bad_alloc&) {
}

// At most what a pipe can hold, since a process that has left the group may go on writing.
void ChildProcess::read_what_is_left() {
  if (!launched_.output.is_open() || output_is_over_) return;
  const std::uint64_t before = tail_.size();
  const auto capacity = static_cast<std::uint64_t>(std::max(::fcntl(launched_.output.number(), F_GETPIPE_SZ), 0));
  for (std::uint64_t had = before; read_output() && tail_.size() != had && tail_.size() - before < capacity;) {
    had = tail_.size();
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// What it says of itself
// ---------------------------------------------------------------------------------------------------------------------

bool ChildProcess::says_it_is_well() const noexcept { return run_.watchdog() && !process_->health; }

bool ChildProcess::needs_socket() const noexcept {
  const bool says_when_ready = run_.says_when_ready() && std::holds_alternative<ReadySocket>(process_->ready_by);
  return says_when_ready || says_it_is_well();
}

void ChildProcess::launch_with_socket(const Identity& identity) {
  notifications_ = std::make_unique<Notifications>(executor_);
  Process with_socket = *process_;
  with_socket.environment.emplace_back("NOTIFY_SOCKET", notifications_->socket.address());
  if (const auto watchdog = run_.watchdog(); watchdog && says_it_is_well()) {
    with_socket.environment.emplace_back(kWatchdogLength, watchdog_text(*watchdog));
  }
  launched_ = launch(with_socket, identity);
}

bool ChildProcess::watch_notifications() noexcept try {
  auto& watch = notifications_->watch;
  if (!watch.is_open()) watch.assign(notifications_->socket.number());
  await_notification();
  return true;
} catch (const std::exception&) {
  return false;
}

void ChildProcess::await_notification() {
  notifications_->watch.async_wait(asio::posix::stream_descriptor::wait_read,
                                   [self = shared_from_this()](boost::system::error_code error) {
                                     if (error || self->state_ == State::over) return;
                                     self->read_notification();
                                     if (self->watch_notifications()) return;
                                     self->notifications_are_watched_ = false;
                                     if (self->state_ == State::running) self->look_again_in(kUnwatchedPause);
                                   });
}

// One at a time, so that others get their turn. False: there is none.
bool ChildProcess::read_notification() try {
  const auto message = notifications_->socket.receive();
  if (message) on_message(*message);
  return message.has_value();
} catch (const std::bad_alloc&) {
  return false;
}

// As many as a process can have left behind: who has left the group may go on sending.
void ChildProcess::read_notifications_left() {
  if (!notifications_) return;
  for (int i = 0; i < kNotificationsLeftMax && read_notification(); ++i) {
  }
}

void ChildProcess::on_message(const NotifySocket::Message& message) {
  if (!is_of_its_group(message.sender)) {
    return warn_once(notifications_->warned_of_stranger,
                     "process " + std::to_string(message.sender) +
                         " wrote to its NOTIFY_SOCKET and is not, or no longer, in its process group; such messages "
                         "are refused");
  }
  if (message.is_cut) {
    return warn_once(notifications_->warned_of_length,
                     "it wrote more than " + std::to_string(kNotifyTextMax) +
                         " bytes at once to its NOTIFY_SOCKET; such messages are refused");
  }
  on_notification(notification_from(message.text));
}

void ChildProcess::on_notification(const Notification& what) {
  if (what.status) notifications_->status = what.status->substr(0, kStatusMax);
  if (what.main && *what.main != std::to_string(launched_.id)) {
    warn_once(notifications_->warned_of_main,
              "it names another process as its main one (MAINPID), which would be supervised by nobody; that is "
              "refused: have it stay in the foreground");
  }
  if (what.ready && std::holds_alternative<ReadySocket>(process_->ready_by)) {
    probing_ ? probing_->is_ready() : run_.ready();
  }
  if (process_->health) return;  // a probe says how it is, not the process itself
  if (what.progress) run_.progress(*what.progress);
  if (what.heartbeat) run_.heartbeat();
}

bool ChildProcess::is_of_its_group(pid_t sender) const noexcept {
  return sender > 0 && (sender == launched_.id || ::getpgid(sender) == launched_.id);
}

// What the text of a failure holds: the exit status, and the end of the output.
std::string ChildProcess::told() const {
  const std::string why = missed_a_deadline_ && probing_ ? probing_->why() : std::string{};
  if (!why.empty()) return "; " + why + told_by_itself();
  return told_by_itself();
}

std::string ChildProcess::told_by_itself() const {
  if (!notifications_ || notifications_->status.empty()) return tail_.suffix();
  OutputTail status{kStatusMax};
  status.append(notifications_->status);
  return "; its status: " + status.text() + tail_.suffix();
}

// ---------------------------------------------------------------------------------------------------------------------
// Its end
// ---------------------------------------------------------------------------------------------------------------------

// False: it has not ended, or its tracer still holds it.
bool ChildProcess::reap() noexcept {
  siginfo_t info{};
  const int result = wait_for(launched_.process.number(), info);
  if (result == 0 && info.si_pid == 0) return false;
  main_has_ended_ = true;
  status_is_known_ = result == 0;
  end_info_ = info;
  forget_launched(launched_.id);
  return true;
}

void ChildProcess::on_end() {
  if (main_has_ended_) return;
  if (!reap()) {
    // The descriptor stays readable, so a wait for it would return at once, again and again.
    if (end_is_watched_) look_again_in(kTracedPause);
    return;
  }
  on_main_ended();
}

void ChildProcess::on_main_ended() {
  tick_.cancel();
  ended_at_ = Clock::now();
  read_notifications_left();  // they came before the end
  if (probing_) probing_->read_what_is_left();
  stop_probing();
  if (!ended_) {  // it was disowned
    signal_group(SIGKILL);
    state_ = State::over;
    return close();
  }
  has_group_ = has_member(launched_.process.number(), launched_.id);
  state_ = State::deciding;
  if (killed_) return kill_group();
  if (asked_to_stop_ || takes_part_in_shutdown()) return await_group();
  if (may_be_a_stop()) return look_again_in(kSameStop);
  looked_for_a_stop_ = true;
  decide_after_turns(kTurns);
}

// Either a whole control group is being stopped, or a shutdown was requested at the same time.
void ChildProcess::decide_after_turns(int turns) {
  try {
    asio::post(executor_, [self = shared_from_this(), turns] {
      if (self->state_ != State::deciding) return;
      turns > 0 ? self->decide_after_turns(turns - 1) : self->on_decided();
    });
  } catch (const std::bad_alloc&) {
    on_decided();
  }
}

bool ChildProcess::may_be_a_stop() const noexcept {
  if (!status_is_known_) return false;
  const int signal = exit_status() - 128;
  return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == process_->stop_signal;
}

// It has ended as after a stop, in a shutdown that asks it later than others, or has not come to it yet.
bool ChildProcess::takes_part_in_shutdown() const noexcept {
  return status_is_known_ && (exit_status() == 0 || may_be_a_stop()) && run_.shutdown_requested();
}

// It was not asked to stop. Zombies do not count as left behind: the process never waited for them, and process 1 has
// not yet.
void ChildProcess::on_decided() {
  if (takes_part_in_shutdown()) return await_group();
  if (has_group_) has_group_ = has_member(launched_.process.number(), launched_.id);
  if (!has_group_) return end_unasked(false);
  look_again_in(kLookPause);
  const bool only_zombies = only_zombies_are_left();
  const bool gives_up = group_.blind_looks >= kBlindLooksMax && Clock::now() - ended_at_ >= kKilledGroupMax;
  if (!only_zombies && group_.looked_at < ended_at_ && !gives_up) return;
  end_unasked(!only_zombies);
}

// The next run must find no process of this one alive.
void ChildProcess::end_unasked(bool left_behind) {
  read_what_is_left();
  if (ended_at_ - began_ < kBackgroundMax && verdict_or_less().is_clean()) {
    warn_of_background(left_behind);
  } else if (left_behind) {
    warn("processes that it left behind in its process group were killed");
  }
  left_behind ? kill_group() : finish();
}

void ChildProcess::warn(const std::string& says) const noexcept try { run_.warn(says); } catch (const std::bad_alloc&) {
}

void ChildProcess::warn_once(bool& warned, const std::string& says) const noexcept {
  if (!std::exchange(warned, true)) warn(says);
}

// Nothing if it has left nobody, as far as can be told.
void ChildProcess::warn_of_background(bool left_behind) noexcept try {
  std::string whom;
  if (left_behind) {
    whom = "it ended within a second and left processes behind, which were killed";
  } else if (launched_.output.is_open() && !output_is_over_) {
    whom = "it ended within a second and left processes behind, which no supervisor watches";
  } else if (const auto inherited = inherited_since(began_)) {
    whom = "it ended within a second, and process " + std::to_string(inherited->id) + " (" + inherited->name +
           "), which began in that time, lives on without a supervisor";
  } else {
    return;
  }
  warn(whom +
       "; a program that goes into the background by itself cannot be supervised: have it stay in the foreground "
       "(nginx -g 'daemon off;', others --foreground, --no-daemon or -F)");
} catch (const std::bad_alloc&) {
}

void ChildProcess::await_group() {
  state_ = State::waits_for_group;
  ended_in_shutdown_ = !asked_to_stop_;
  pause_ = 0ms;
  if (process_->stop_to == StopTo::process) {
    signal_group(process_->stop_signal);
    signal_group(SIGCONT);
  }
  poll_group();
}

void ChildProcess::kill_group() {
  state_ = State::kills_group;
  group_.killed_at = Clock::now();
  pause_ = 0ms;
  signal_group(SIGKILL);
  poll_group();
}

void ChildProcess::poll_group() {
  look_again_in(pause_);
  pause_ = std::min<Clock::duration>(kGroupPauseMax, 2 * pause_ + 1ms);
  if (group_is_gone()) return finish();
  if (state_ != State::kills_group) return;
  if (killed_) return finish();  // the caller of kill waits, and may have little time
  switch (fate_of(group_, Clock::now())) {
    case KilledGroupFate::undecided: return;  // the look takes its time
    case KilledGroupFate::unkillable:
      remains_ = Remains::unkillable;
      warn("processes of its process group could not be killed and live on");
      break;
    case KilledGroupFate::unseen:
      warn("there is no descriptor to see whether the processes of its process group have died");
      break;
  }
  finish();
}

bool ChildProcess::group_is_gone() {
  if (has_group_) has_group_ = has_member(launched_.process.number(), launched_.id);
  if (!has_group_) return true;
  return (state_ == State::kills_group || pause_ >= kGroupPauseMax) && only_zombies_are_left();
}

// Zombies may stay for ever if process 1 does not reap them. A look can miss a process that was just forked, so two
// looks are needed; after a SIGKILL one is enough, because nothing forks any more.
bool ChildProcess::only_zombies_are_left() {
  const LookAtGroup look = look_at(launched_.id);
  group_.blind_looks = look.is_blind ? group_.blind_looks + 1 : 0;
  if (!is_new_look(look.began, ended_at_, group_)) return false;
  group_.looked_at = look.began;
  zombies_seen_ = look.alive.empty() ? zombies_seen_ + 1 : 0;
  group_.only_runnable_are_left =
      std::all_of(look.alive.begin(), look.alive.end(), [](const GroupMember& member) { return member.is_runnable; });
  if (state_ == State::waits_for_group) signal_who_missed_it(look.alive);
  return zombies_seen_ >= (state_ == State::waits_for_group ? 2 : 1);
}

// If a signal comes while a shell starts a command, the shell's own copy handles it, and the command never gets it. A
// process has missed the signal if it is still alive, the signal would end it, and its parent is gone; while its parent
// is alive, the stop itself may have started it. All others get the signal only once, because some programs take a
// second one for a more urgent one.
void ChildProcess::signal_who_missed_it(const std::vector<GroupMember>& members) {
  for (const GroupMember& member : members) {
    const auto is_parent = [&](const GroupMember& other) { return other.id == member.parent; };
    if (std::any_of(members.begin(), members.end(), is_parent)) continue;
    if (!would_end(member.id, process_->stop_signal)) continue;
    signal_member(member, process_->stop_signal);
    signal_member(member, SIGCONT);
  }
}

void ChildProcess::finish() {
  read_what_is_left();
  Exit exit = verdict_or_less();
  state_ = State::over;
  close();
  if (ended_) std::exchange(ended_, nullptr)(std::move(exit));
}

Exit ChildProcess::verdict_or_less() const noexcept try { return verdict(); } catch (const std::bad_alloc&) {
  return Exit::failed(Error::literal("it failed, and there was no memory to say how"));
}

// A clean end needs no memory.
Exit ChildProcess::verdict() const {
  if (const auto trouble = trouble_of(launched_, *process_)) {
    Exit exit = Exit::failed(trouble->text);
    return trouble->status == 0 ? exit : std::move(exit).with_status(static_cast<std::uint8_t>(trouble->status));
  }
  if (!status_is_known_) {
    return Exit::failed("its exit status is unknown: another part of the program has reaped it" + told());
  }
  const std::uint8_t status = exit_status();
  const bool has_obeyed = (asked_to_stop_ || ended_in_shutdown_) && (status == 0 || may_be_a_stop());
  if (!has_obeyed && status != 0) return Exit::failed(text_of(end_info_) + told()).with_status(status);
  switch (remains_) {
    case Remains::none: break;
    case Remains::killed: return Exit::failed("others of its process group had to be killed" + told());
    case Remains::unkillable: return Exit::failed("others of its process group could not be killed" + told());
  }
  if (missed_a_deadline_ && probing_) {  // it is a failure, whatever this says; so this says why
    if (const std::string why = probing_->why(); !why.empty()) return Exit::failed(why);
  }
  // No rule about exit statuses makes an obeyed stop anything else, so it has none.
  return has_obeyed ? Exit::clean() : Exit::clean().with_status(status);
}

// As a shell has it.
std::uint8_t ChildProcess::exit_status() const noexcept {
  const int status = end_info_.si_code == CLD_EXITED ? end_info_.si_status : 128 + end_info_.si_status;
  return static_cast<std::uint8_t>(status);
}

// ---------------------------------------------------------------------------------------------------------------------
// Signals
// ---------------------------------------------------------------------------------------------------------------------

void ChildProcess::ask_to_stop() {
  if (state_ == State::over || asked_to_stop_) return;
  asked_to_stop_ = true;
  missed_a_deadline_ = run_.missed_a_deadline();
  stop_probing();
  if (state_ == State::kills_group) return;
  signal(process_->stop_signal);
  signal(SIGCONT);
  if (state_ == State::deciding) await_group();
}

// Polls the rest of the group soon: a stop from elsewhere has armed no timer here.
void ChildProcess::kill() {
  if (state_ == State::over) return;
  killed_ = true;
  stop_probing();
  if (main_has_ended_ && state_ != State::kills_group) {
    if (asked_to_stop_ || ended_in_shutdown_) remains_ = Remains::killed;
    state_ = State::kills_group;
    group_.killed_at = Clock::now();
    pause_ = 0ms;
    look_again_in(0ms);
  }
  signal(SIGKILL);
}

// Once the group had no member, its number may belong to another group: then this returns ESRCH.
int ChildProcess::signal_group(int number) const noexcept {
  return has_group_ ? detail::signal_group(launched_.process.number(), launched_.id, number) : ESRCH;
}

// Sends the signal to each member once, because a program may take a second one for a more urgent one. A process that
// is not, or not yet, in its group gets the signal by itself.
void ChildProcess::signal(int number) {
  const bool to_group = process_->stop_to == StopTo::group || number == SIGKILL || main_has_ended_;
  int refused = 0;
  if (!main_has_ended_) {
    const bool reached_by_group = to_group && ::getpgid(launched_.id) == launched_.id;
    refused = signal_process(launched_.process.number(), reached_by_group ? 0 : number);
  }
  if (to_group) {
    const int failed = signal_group(number);
    if (failed != ESRCH && refused == 0) refused = failed;
  }
  if (refused == 0 || refused == ESRCH) return;
  if (number == SIGKILL) refused_ = true;
  refuse(number, refused);
}

bool ChildProcess::send(int number) const {
  if (main_has_ended_ || !launched_.process.is_open()) return false;
  const int refused = signal_process(launched_.process.number(), number);
  if (refused != 0 && refused != ESRCH) refuse(number, refused);
  return refused == 0;
}

void ChildProcess::refuse(int number, int error) const {
  throw std::system_error{error, std::generic_category(),
                          "cannot send " + name_of(number) + " to process " + std::to_string(launched_.id)};
}

void ChildProcess::disown() noexcept {
  ended_ = nullptr;
  stop_probing();
  if (state_ == State::over || !launched_.process.is_open()) return;
  if (!main_has_ended_) {
    const int refused = signal_process(launched_.process.number(), SIGKILL);
    refused_ = refused != 0 && refused != ESRCH;
  }
  signal_group(SIGKILL);
  if (!main_has_ended_ && !reap()) return reaper_.enter(*this);
  state_ = State::over;
  close();
}

// What it has found out stays known.
void ChildProcess::stop_probing() noexcept {
  if (probing_) probing_->stop();
}

void ChildProcess::reap_if_ended() noexcept {
  pollfd end{launched_.process.number(), POLLIN, 0};
  if (main_has_ended_ || !launched_.process.is_open() || ::poll(&end, 1, 0) <= 0) return;
  if (reap()) {
    signal_group(SIGKILL);
  } else {
    is_held_ = true;
  }
}

// Asio's streams must not close the descriptors, which belong to launched_.
void ChildProcess::close() noexcept {
  reaper_.leave(*this);
  stop_probing();
  if (!launched_.process.is_open()) return;
  tick_.cancel();
  if (end_.is_open()) end_.release();
  if (output_.is_open()) output_.release();
  if (notifications_ && notifications_->watch.is_open()) notifications_->watch.release();
  if (main_has_ended_) {
    settle(launched_);
  } else {
    forget_launched(launched_.id);  // no service waits for it any more
  }
  launched_ = {};
}

}  // namespace holdfast::detail
