// holdfast sweep: one scenario under many seeds, a rehearsal a thread. What it prints does not depend on the number of
// threads.
#pragma once

#include <cstdint>
#include <filesystem>

namespace holdfast::tools {

// A range of seeds, both ends included.
struct Seeds {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  // REQUIRES: first <= last.
  [[nodiscard]] std::uint64_t after(std::uint64_t index) const noexcept { return first + index; }
};

struct SweepArguments {
  std::filesystem::path scenario;
  Seeds seeds;
  unsigned jobs = 0;  // rehearsals at a time; 0: as many as the machine has processors
  bool json = false;
};

// Prints a line for each seed, in their order, and a summary. Returns the exit status: that of the worst run.
int sweep(const SweepArguments& arguments);

}  // namespace holdfast::tools
