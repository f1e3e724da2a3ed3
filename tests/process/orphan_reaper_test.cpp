// Which processes a program that inherits children reaps, and which it does not.
#include <catch2/catch.hpp>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <vector>

#include <holdfast/asio/detail/launched.hpp>
#include <holdfast/asio/detail/orphans.hpp>

#include "process_stage.hpp"

namespace holdfast::test {
namespace {

using detail::OrphanReaper;

const OrphanReaper::Clock::time_point kBegin{1h};

// A child that has ended and was not reaped.
pid_t zombie(bool leads_session = false, pid_t group = -1) {
  const pid_t id = ::fork();
  if (id == 0) {
    if (leads_session) ::setsid();
    if (group >= 0) ::setpgid(0, group);
    ::_exit(7);
  }
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(id), &info, WEXITED | WNOWAIT);
  return id;
}

bool is_reaped(pid_t id) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(id), &info, WEXITED | WNOHANG | WNOWAIT) != 0;
}

int status_of(pid_t id) {
  int status = -1;
  return ::waitpid(id, &status, 0) == id ? WEXITSTATUS(status) : -1;
}

TEST_CASE("only its service reaps a process that was launched here, however long it has been dead") {
  OrphanReaper reaper{false};
  const pid_t launched = detail::note_launched([] { return zombie(); });
  const pid_t other = zombie();
  CHECK(reaper.look(kBegin));
  CHECK(reaper.look(kBegin + 1h));
  CHECK(is_reaped(other));
  CHECK(status_of(launched) == 7);
  detail::forget_launched(launched);
}

TEST_CASE("a number that was launched twice belongs to the second one until that is forgotten, too") {
  const pid_t id = detail::note_launched([] { return zombie(); });
  detail::note_launched([&] { return id; });
  detail::forget_launched(id);  // the first one
  CHECK(detail::is_launched(id));
  CHECK_FALSE(detail::reap_unless_launched(id));
  detail::forget_launched(id);
  CHECK_FALSE(detail::is_launched(id));
  CHECK(detail::reap_unless_launched(id));
  CHECK_FALSE(detail::reap_unless_launched(id));  // there is nothing any more
}

TEST_CASE(
    "a number that is kept for its group alone is nobody's, and its next owner is reaped; one that lives is not") {
  const detail::KeepsLaunchedGroups keeps;
  const pid_t id = detail::note_launched([] { return zombie(); });
  detail::forget_launched(id);
  CHECK(detail::is_launched_group(id));
  CHECK_FALSE(detail::is_launched(id));
  CHECK(detail::reap_unless_launched(id));
  CHECK(is_reaped(id));
  const pid_t alive = ::fork();
  if (alive == 0) {
    ::pause();
    ::_exit(0);
  }
  CHECK_FALSE(detail::reap_unless_launched(alive));
  ::kill(alive, SIGKILL);
  ::waitpid(alive, nullptr, 0);
}

TEST_CASE("an unknown child is reaped when it has been dead for two seconds, and never where the program waits") {
  OrphanReaper reaper{false}, polite{true};
  const pid_t child = zombie();
  for (const auto at : {kBegin, kBegin + 1s, kBegin + 1999ms}) {
    reaper.look(at);
    CHECK_FALSE(is_reaped(child));
  }
  reaper.look(kBegin + 2s);
  CHECK(is_reaped(child));

  const pid_t own = zombie();
  for (const auto at : {kBegin, kBegin + 1s, kBegin + 1h}) polite.look(at);
  CHECK(status_of(own) == 7);
}

TEST_CASE("the time of a child that somebody has waited for is not another one's") {
  OrphanReaper reaper{false};
  const pid_t first = zombie();
  reaper.look(kBegin);
  CHECK(status_of(first) == 7);
  const pid_t second = zombie();
  reaper.look(kBegin + 2s);
  CHECK_FALSE(is_reaped(second));
  CHECK(status_of(second) == 7);
}

TEST_CASE(
    "a member of the group of a process that was launched here is reaped at once, also when that process is "
    "forgotten") {
  OrphanReaper polite{true};
  // The leader lives until it reads something.
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t leader = detail::note_launched([&] {
    const pid_t id = ::fork();
    if (id == 0) {
      char byte = 0;
      ::setpgid(0, 0);
      ::_exit(::read(ends[0], &byte, 1) == 1 ? 0 : 1);
    }
    ::setpgid(id, id);
    return id;
  });
  const pid_t member = zombie(false, leader), later = zombie(false, leader);
  const pid_t stranger = zombie(true);
  CHECK(detail::is_launched_group(leader));
  REQUIRE(::write(ends[1], "x", 1) == 1);
  CHECK(status_of(leader) == 0);
  detail::forget_launched(leader);
  polite.look(kBegin);
  CHECK(is_reaped(member));
  CHECK(is_reaped(later));
  CHECK(status_of(stranger) == 7);
  polite.look(kBegin);
  CHECK_FALSE(detail::is_launched_group(leader));  // nothing grows with the number of starts
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("many are reaped in portions, and a child that must not be reaped hides no other") {
  OrphanReaper reaper{false};
  const pid_t launched = detail::note_launched([] { return zombie(); });
  std::vector<pid_t> many;
  for (std::size_t i = 0; i < OrphanReaper::kReapedMax + 10; ++i) many.push_back(zombie());
  CHECK(reaper.look(kBegin));
  CHECK_FALSE(reaper.look(kBegin + 2s));
  CHECK(reaper.look(kBegin + 2s));
  for (const pid_t id : many) CHECK(is_reaped(id));
  CHECK(status_of(launched) == 7);
  detail::forget_launched(launched);
}

int is_subreaper() {
  int is = -1;
  ::prctl(PR_GET_CHILD_SUBREAPER, &is);
  return is;
}

TEST_CASE("a program is a subreaper as long as a runtime asks for it, and what it was before then") {
  CHECK(is_subreaper() == 0);
  for (const int before : {0, 1}) {
    ::prctl(PR_SET_CHILD_SUBREAPER, before);
    {
      const Runtime one{{.orphans = Orphans::adopted}};
      {
        const Runtime two{{.orphans = Orphans::adopted}}, other;
        CHECK(is_subreaper() == 1);
      }
      CHECK(is_subreaper() == 1);
    }
    CHECK(is_subreaper() == before);
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

}  // namespace
}  // namespace holdfast::test
