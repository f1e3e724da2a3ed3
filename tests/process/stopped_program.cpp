// A program that stops itself (SIGSTOP) in the middle of a shutdown, for stopped_program_test.py: what of that which
// ends and arrives while it is stopped is in time?
//
//     stopped_program COUNT SECONDS  COUNT processes that end when a file disappears, and COUNT descriptors that are
//     read
//
// COUNT coroutines wait for its standard input or for so many seconds, whichever comes first. It asks COUNT processes
// to stop, with a grace of so many seconds, says until when all have time, and stops itself. Having been continued it
// says how many of each were in time.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <holdfast/asio/runtime.hpp>

namespace {

namespace net = boost::asio;
using namespace std::chrono_literals;
using namespace net::experimental::awaitable_operators;

class Ends final : public holdfast::EventSink {
 public:
  void on_event(const holdfast::Event& event) override {
    if (event.name.starts_with("process-") && std::holds_alternative<holdfast::event::Stopping>(event.what)) ++stopping;
    if (event.name.starts_with("process-") && std::holds_alternative<holdfast::event::Running>(event.what)) ++running;
    if (std::holds_alternative<holdfast::event::Killed>(event.what)) ++killed;
  }
  int running = 0;
  int stopping = 0;
  int killed = 0;
};

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

long long steady_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

}  // namespace

int main(int, char** arguments) {
  const int count = std::atoi(arguments[1]);
  const std::chrono::seconds time{std::atoi(arguments[2])};
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);

  Ends ends;
  holdfast::Runtime runtime{{.supervisor = {.shutdown_timeout = 60s}, .sinks = {&ends}}};
  int waiting = 0, in_time = 0, too_late = 0;
  long long until = 0;  // the first reader has the least time
  for (int i = 0; i < count; ++i) {
    runtime
        .add({.name = "process-" + std::to_string(i), .policy = {.stop_grace = time}},
             holdfast::Process{.command = {"/bin/sh", "-c",
                                           "trap 'while [ -e stay ]; do sleep 0.05; done; exit 0' TERM; "
                                           "while :; do sleep 0.05; done"}})
        .value();
  }
  const auto reader = [&](holdfast::Context& ctx) -> net::awaitable<void> {
    net::posix::stream_descriptor input{ctx.executor(), ::dup(STDIN_FILENO)};
    if (waiting++ == 0) until = steady_ns() + std::chrono::nanoseconds{time}.count();
    const auto first = co_await (input.async_wait(net::posix::stream_descriptor::wait_read, net::use_awaitable) ||
                                 ctx.sleep_for(time));
    ++(first.index() == 0 ? in_time : too_late);
  };
  // Once all processes are there, all wait and are stopped, and then everything stands still.
  runtime
      .add({.name = "director"},
           [&](holdfast::Context& ctx) -> net::awaitable<void> {
             while (ends.running < count) co_await ctx.sleep_for(1ms);
             co_await ctx.sleep_for(200ms);  // the shells have set their traps
             for (int i = 0; i < count; ++i) runtime.add({.name = "reader-" + std::to_string(i)}, reader).value();
             while (waiting < count) co_await ctx.sleep_for(1ms);
             for (int i = 0; i < count; ++i) runtime.supervisor().stop("process-" + std::to_string(i)).value();
             while (ends.stopping < count) co_await ctx.sleep_for(1ms);
             say("time until " + std::to_string(until));
             // As on a machine with much to do: a short stall is no reason to take no notice of the long one behind it.
             ::usleep(20'000);
             co_await ctx.sleep_for(1ms);
             ::raise(SIGSTOP);
             while (runtime.supervisor().counters().active_services > 1) co_await ctx.sleep_for(1ms);
             say("killed " + std::to_string(ends.killed) + ", abandoned " +
                 std::to_string(runtime.supervisor().counters().abandoned_runs) + ", in time " +
                 std::to_string(in_time) + ", too late " + std::to_string(too_late));
             runtime.request_shutdown();
           })
      .value();
  return runtime.run_until_shutdown(holdfast::Runtime::Signals::left_alone).suggested_exit_status();
}
