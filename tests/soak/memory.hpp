// Memory that runs out: operator new of this program, which fails at random while that is asked for.
//
// It fails only in threads that have said so (FailingMemory), and there only outside of ReliableMemory, in which the
// soak itself keeps its accounts. What does not come from operator new (malloc, Asio's aligned coroutine frames) does
// not fail.
//
// Thread-safety: safe in any thread.
#pragma once

#include <cstdint>

namespace soak {

// One allocation in `rate` fails from now on, in every thread with a FailingMemory; 0: none.
void let_memory_fail(unsigned rate) noexcept;
// How many have failed.
std::uint64_t failed_allocations() noexcept;
// When the program ends by std::terminate, stderr says by which exception, from where, and where memory failed last in
// that thread: that the program could not bear it is a fault in one of these places.
void explain_terminate() noexcept;

// While it exists, this thread's memory may fail.
class FailingMemory {
 public:
  explicit FailingMemory(std::uint64_t seed) noexcept;
  ~FailingMemory();
  FailingMemory(const FailingMemory&) = delete;
  FailingMemory& operator=(const FailingMemory&) = delete;
};

// While it exists, this thread's memory does not fail.
class ReliableMemory {
 public:
  ReliableMemory() noexcept;
  ~ReliableMemory();
  ReliableMemory(const ReliableMemory&) = delete;
  ReliableMemory& operator=(const ReliableMemory&) = delete;

 private:
  bool before_;
};

}  // namespace soak
