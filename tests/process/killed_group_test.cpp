// What is said of a process group that was killed, from looks at it. A stopped program and a machine without a free
// processor show themselves only in these times; no test can wait for them.

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include <holdfast/asio/detail/killed_group.hpp>
#include <holdfast/asio/detail/process_group.hpp>

namespace holdfast::detail {

namespace {

using namespace std::chrono_literals;
using Clock = KilledGroup::Clock;

constexpr Clock::time_point kKilled{1h};
constexpr int kSees = 0, kIsBlind = 10;

KilledGroup looked_at(Clock::duration after_the_kill, bool only_runnable = false, int blind_looks = kSees) {
  return {.killed_at = kKilled,
          .looked_at = kKilled + after_the_kill,
          .only_runnable_are_left = only_runnable,
          .blind_looks = blind_looks};
}

// A process that is alone in a group of its own, and the latest look at it.
class Alone {
 public:
  explicit Alone(void (*lives)()) : id_(::fork()) {
    if (id_ == 0) {
      ::setpgid(0, 0);
      for (;;) lives();
    }
    ::setpgid(id_, id_);
  }
  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;
  ~Alone() {
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }

  // Looks until it is, or is not: it has to be born first.
  void comes_to_be(bool runnable) const {
    for (;;) {
      const LookAtGroup look = look_at(id_);
      if (look.alive.size() == 1 && look.alive.front().id == id_ && look.alive.front().is_runnable == runnable) return;
    }
  }

 private:
  pid_t id_;
};

}  // namespace

TEST_CASE("a killed group lives on if a look finds it alive a second after the kill") {
  struct Row {
    const char* what;
    KilledGroup group;
    Clock::duration now;  // after the kill
    KilledGroupFate fate;
  };
  const Row rows[] = {
      {"alive, just before the second is over", looked_at(999ms), 999ms, KilledGroupFate::undecided},
      {"alive after a second", looked_at(1s), 1s, KilledGroupFate::unkillable},
      {"the program was stopped for an hour after its last look", looked_at(1ms), 1h, KilledGroupFate::undecided},
      {"the last look is from before the kill", looked_at(-5s), 1h, KilledGroupFate::undecided},
      {"it waits for a processor", looked_at(1s, true), 1s, KilledGroupFate::undecided},
      {"it still waits for one", looked_at(29'999ms, true), 30s, KilledGroupFate::undecided},
      {"it has waited for half a minute", looked_at(30s, true), 30s, KilledGroupFate::unkillable},
      {"blind since the kill", looked_at(0s, false, kIsBlind), 1s, KilledGroupFate::unseen},
      {"blind, but not for a second", looked_at(0s, false, kIsBlind), 999ms, KilledGroupFate::undecided},
      {"blind once, then stopped", looked_at(0s, false, kIsBlind - 1), 1h, KilledGroupFate::undecided},
      {"seen alive, then blind", looked_at(1s, false, kIsBlind), 2s, KilledGroupFate::unkillable},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(fate_of(row.group, kKilled + row.now) == row.fate);
  }
}

TEST_CASE("a look counts if it began after the end of the leader, after the kill and after the last look") {
  const auto leader_ended = kKilled - 1s;
  const KilledGroup group = looked_at(2s);
  CHECK(is_new_look(kKilled + 3s, leader_ended, group));
  CHECK_FALSE(is_new_look(kKilled + 2s, leader_ended, group));  // the same look
  // A program that was stopped right after the kill has a look from before.
  CHECK_FALSE(is_new_look(kKilled - 1ms, leader_ended, looked_at(-5s)));
  CHECK_FALSE(is_new_look(kKilled, leader_ended, looked_at(-5s)));
  CHECK(is_new_look(kKilled + 1ns, leader_ended, looked_at(-5s)));
  CHECK_FALSE(is_new_look(kKilled + 3s, kKilled + 4s, group));  // a look at the leader itself
}

TEST_CASE("a look says who runs or waits for a processor, and who sleeps") {
  Alone{[] {}}.comes_to_be(true);
  Alone{[] { ::pause(); }}.comes_to_be(false);
}

}  // namespace holdfast::detail
