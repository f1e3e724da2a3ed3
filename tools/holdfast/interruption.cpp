#include "interruption.hpp"

#include <atomic>
#include <csignal>

#include "exit_status.hpp"

namespace holdfast::tools {

namespace {

std::atomic<int> signal_that_came{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may not wait for a lock");

void remember(int signal) { signal_that_came.store(signal, std::memory_order_relaxed); }

}  // namespace

void watch_for_interruption() {
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction before {};
    if (::sigaction(signal, nullptr, &before) != 0 || before.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = remember;
    action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
    ::sigaction(signal, &action, nullptr);
  }
}

bool interrupted() noexcept { return signal_that_came.load(std::memory_order_relaxed) != 0; }

int interrupted_status() noexcept { return interrupted_by + signal_that_came.load(std::memory_order_relaxed); }

}  // namespace holdfast::tools
