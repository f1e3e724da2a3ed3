// A program that signals_test.py sends signals to. It says "ready" when everything runs, and every event in a line.
//
//     signalled_program [OPTION...]
//
//     --deaf                   a coroutine that takes no notice of a stop
//     --shells COUNT SCRIPT    processes that are never started again, each `sh -c SCRIPT`
//     --halts                  stops itself (SIGSTOP) as soon as it has said that it shuts down
//     --request                asks for its shutdown when everything runs
//     --left-alone             handles no signals
//     --own                    has handlers of its own for SIGTERM and SIGHUP, set before: "own 15"
//     --adopt                  inherits what its processes leave behind, and reaps it
//     --sigchld                leaves SIGCHLD to the runtime
//     --own-child MS           starts a child of its own, waits for it MS milliseconds after its end: "own child 7"
//     --linger                 after the drain it says "lingers" and reads its standard input to the end
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/this_coro.hpp>
#include <holdfast/asio/runtime.hpp>
#include <holdfast/log_line.hpp>

namespace {

using namespace std::chrono_literals;

struct Options {
  bool is_deaf = false;
  int shells = 0;
  std::string script{};
  bool requests = false;
  bool halts = false;
  bool handles_signals = true;
  bool has_own_handlers = false;
  bool adopts = false;
  bool leaves_sigchld = false;
  int waits_ms = -1;  // negative: no child
  bool lingers = false;
};

Options options_of(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = arguments[i];
    if (word == "--deaf") options.is_deaf = true;
    if (word == "--request") options.requests = true;
    if (word == "--halts") options.halts = true;
    if (word == "--left-alone") options.handles_signals = false;
    if (word == "--own") options.has_own_handlers = true;
    if (word == "--linger") options.lingers = true;
    if (word == "--adopt") options.adopts = true;
    if (word == "--sigchld") options.leaves_sigchld = true;
    if (word == "--own-child") options.waits_ms = std::atoi(arguments[++i]);
    if (word == "--shells") {
      options.shells = std::atoi(arguments[i + 1]);
      options.script = arguments[i + 2];
      i += 2;
    }
  }
  return options;
}

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

class Says final : public holdfast::EventSink {
 public:
  Says(int services, bool requests, bool halts) : left_(services), requests_(requests), halts_(halts) {}
  void on_event(const holdfast::Event& event) override {
    say(holdfast::log_line(event));
    if (halts_ && std::holds_alternative<holdfast::event::ShutdownRequested>(event.what)) std::raise(SIGSTOP);
    if (!std::holds_alternative<holdfast::event::Running>(event.what) || --left_ != 0) return;
    say("ready");
    if (requests_) runtime->request_shutdown();
  }
  holdfast::Runtime* runtime = nullptr;

 private:
  int left_;
  const bool requests_;
  const bool halts_;
};

boost::asio::awaitable<void> is_deaf(holdfast::Context& ctx) {
  co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
  for (;;) co_await ctx.sleep_for(1h);
}

boost::asio::awaitable<void> obeys(holdfast::Context& ctx) { co_await ctx.stopped(); }

// As system() and popen() do.
boost::asio::awaitable<void> waits_for_a_child(holdfast::Context& ctx, int ms) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(7);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  co_await ctx.sleep_for(std::chrono::milliseconds{ms});
  int status = -1;
  const bool got = ::waitpid(child, &status, 0) == child;
  say(got ? "own child " + std::to_string(WEXITSTATUS(status)) : "own child lost");
  co_await ctx.stopped();
}

void on_own_signal(int signal) {
  const char text[] = {'o', 'w', 'n', ' ', static_cast<char>('0' + signal / 10), static_cast<char>('0' + signal % 10),
                       '\n'};
  [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, text, sizeof text);
}

}  // namespace

int main(int count, char** arguments) {
  const Options options = options_of(count, arguments);
  if (options.has_own_handlers) {
    std::signal(SIGTERM, on_own_signal);
    std::signal(SIGHUP, on_own_signal);
  }
  Says says{options.shells + (options.is_deaf ? 2 : 1) + (options.waits_ms < 0 ? 0 : 1), options.requests,
            options.halts};
  int status = 0;
  {
    using holdfast::Orphans;
    holdfast::Runtime runtime{{.supervisor = {.shutdown_timeout = 60s},
                               .sinks = {&says},
                               .orphans = options.adopts ? Orphans::adopted : Orphans::reaped_by_process_1,
                               .waits_for_children = options.waits_ms > 0,
                               .takes_sigchld = options.leaves_sigchld}};
    says.runtime = &runtime;
    runtime.add({.name = "obedient"}, obeys).value();
    if (options.is_deaf) runtime.add({.name = "deaf"}, is_deaf).value();
    if (options.waits_ms >= 0) {
      runtime.add({.name = "parent"}, [&](holdfast::Context& ctx) { return waits_for_a_child(ctx, options.waits_ms); })
          .value();
    }
    for (int i = 0; i < options.shells; ++i) {
      runtime
          .add({.name = "shell-" + std::to_string(i), .policy = {.restart = holdfast::RestartPolicy::never}},
               holdfast::Process{.command = {"/bin/sh", "-c", options.script}})
          .value();
    }
    using Signals = holdfast::Runtime::Signals;
    const auto result = runtime.run_until_shutdown(options.handles_signals ? Signals::handled : Signals::left_alone);
    status = result.suggested_exit_status();
  }
  if (options.lingers) {
    say("lingers");
    while (std::getchar() != EOF) continue;
  }
  return status;
}
