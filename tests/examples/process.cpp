// A program that keeps a process of the operating system running, and prints what happens to it:
//
//     process postgres -D /srv/data
//
// tests/examples/process_test.py runs it.
#include <iostream>

#include <holdfast/asio/runtime.hpp>
#include <holdfast/log_line.hpp>

using namespace std::chrono_literals;

namespace {

class Log final : public holdfast::EventSink {
 public:
  void on_event(const holdfast::Event& event) override { std::cout << holdfast::log_line(event) << std::endl; }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: process COMMAND [ARGUMENT...]\n";
    return 2;
  }
  Log log;
  holdfast::Runtime runtime{{.supervisor = {.backoff = {.max = 1s, .breaker = std::nullopt}}, .sinks = {&log}}};
  // SIGTERM stops the process. If it is still alive 5 s later, SIGKILL ends its whole process group.
  const auto added =
      runtime.add({.name = "process", .policy = {.restart = holdfast::RestartPolicy::always, .stop_grace = 5s}},
                  holdfast::Process{.command = {argv + 1, argv + argc}});
  if (!added) {
    std::cerr << added.refusal().message << '\n';
    return 2;
  }
  return runtime.run_until_shutdown().suggested_exit_status();
}
