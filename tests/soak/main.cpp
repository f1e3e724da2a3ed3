// Soaks a fleet until a signal ends it, and accounts for every service and every event of it:
//
//     soak SEED [--timeout SECONDS] [--services N] [--recording FILE] [DISTURBANCE...]
//
// Two threads run the fleet; a third one takes snapshots, a fourth takes descriptors, memory or the disk away. Inside,
// an operator restarts, stops, removes and adds services at random, and an auditor compares counters and snapshots with
// the events at random moments. SIGUSR1 has the program itself ask for the shutdown. "ready" is printed once every
// service has started, and "endpoint PORT"; then a line with figures every ten seconds. After the drain it waits for
// the late ends of abandoned runs, and audits for the last time; then everything is destroyed, and no child and no
// descriptor may be left. Status: 0 if everything agrees; 1, and what does not is printed; 2, a mistake in the
// arguments.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "fleet.hpp"
#include "memory.hpp"

namespace {

int mistaken(std::string_view argument) {
  std::cerr << "soak: what is \"" << argument
            << "\"?\nusage: soak SEED [--timeout SECONDS] [--services N] [--recording FILE] [DISTURBANCE...]\n";
  return 2;
}

// A signal after the drain has its former effect: none, so that the program accounts for what was.
extern "C" void come_too_late(int) {}

std::atomic<soak::Fleet*> asked_to_end{nullptr};

extern "C" void ask_for_shutdown(int) {
  if (auto* const fleet = asked_to_end.load()) fleet->request_shutdown();
}

bool soak_a_fleet(const soak::Options& options, soak::Disturbances& disturbances) {
  soak::Fleet fleet{options, disturbances};
  asked_to_end = &fleet;
  std::signal(SIGUSR1, ask_for_shutdown);
  const bool agrees = fleet.run();
  std::signal(SIGUSR1, SIG_IGN);
  return agrees;
}

}  // namespace

int main(int argc, char** argv) {
  soak::explain_terminate();
  soak::Disturbances disturbances;
  soak::Options options;
  if (argc < 2) return mistaken("");
  options.seed = {std::strtoull(argv[1], nullptr, 10)};
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    const bool has_value = i + 1 < argc;
    if (word == "--timeout" && has_value) {
      options.shutdown_timeout = std::chrono::seconds{std::strtoul(argv[++i], nullptr, 10)};
    } else if (word == "--services" && has_value) {
      options.services = std::max(1U, static_cast<unsigned>(std::strtoul(argv[++i], nullptr, 10)));
    } else if (word == "--recording" && has_value) {
      options.recording = argv[++i];
    } else if (!disturbances.switch_on(word)) {
      return mistaken(word);
    }
  }
  for (const int signal : {SIGTERM, SIGINT}) std::signal(signal, come_too_late);
  const unsigned descriptors = soak::open_descriptors();
  bool agrees = soak_a_fleet(options, disturbances);
  agrees = soak::tell(soak::children_left()) && agrees;
  if (const unsigned now = soak::open_descriptors(); now != descriptors) {
    agrees = soak::tell({std::to_string(now) + " descriptors are open, before it were " + std::to_string(descriptors)});
  }
  return agrees ? 0 : 1;
}
