// The gateway as a program: gateway PORT_OF_A PORT_OF_B, both on this machine. SIGTERM or SIGINT ends it.
#include <cstdlib>
#include <iostream>

#include <holdfast/asio/runtime.hpp>

#include "gateway.hpp"
#include "tcp_line.hpp"

namespace {

using boost::asio::ip::tcp;

// What an operator wants to read.
class Journal final : public holdfast::EventSink {
 public:
  void on_event(const holdfast::Event& event) override {
    std::cout << (event.about_supervisor() ? "gateway" : event.name) << ' ' << holdfast::kind(event);
    if (const auto* const ended = std::get_if<holdfast::event::Ended>(&event.what)) std::cout << ' ' << ended->error;
    std::cout << std::endl;
  }
};

tcp::endpoint on_this_machine(const char* port) {
  return {boost::asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::atoi(port))};
}

void summarise(const holdfast::ShutdownResult& result) {
  std::cout << to_string(result.outcome) << ", " << result.counters.restarts << " restarts";
  for (const auto& name : result.failed) std::cout << ", failed: " << name;
  for (const auto& name : result.abandoned) std::cout << ", abandoned: " << name;
  std::cout << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: gateway PORT_OF_A PORT_OF_B\n";
    return 2;
  }
  holdfast::Runtime* running = nullptr;
  Journal journal;
  gateway::GateWatch gate_watch{[&] { running->request_shutdown(); }};
  holdfast::Runtime runtime{{.supervisor = gateway::supervision(), .sinks = {&journal, &gate_watch}}};
  running = &runtime;

  gateway::Wires wires{runtime.executor(), std::cout};
  gateway::add_services(
      runtime, {gateway::tcp_venue("a", on_this_machine(argv[1])), gateway::tcp_venue("b", on_this_machine(argv[2]))},
      wires);
  const auto result = runtime.run_until_shutdown();
  summarise(result);
  return result.suggested_exit_status();
}
