#include "memory.hpp"

#include <execinfo.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>
#include <utility>

namespace soak {

namespace {

constexpr std::size_t kSmallestThatFails = 256;

std::atomic<unsigned> rate_of_failures{0};
std::atomic<std::uint64_t> failures{0};
thread_local bool may_fail = false;
thread_local std::uint64_t state_of_dice = 1;

struct LastFailure {
  std::array<void*, 64> frames{};
  int depth = 0;
};
thread_local LastFailure last_failure;

// The library's own draws are no help here: nothing must be allocated, and each thread needs state_of_dice of its own.
std::uint64_t next() noexcept {  // xorshift64
  state_of_dice ^= state_of_dice << 13;
  state_of_dice ^= state_of_dice >> 7;
  state_of_dice ^= state_of_dice << 17;
  return state_of_dice;
}

bool fails(std::size_t size) noexcept {
  if (!may_fail || size < kSmallestThatFails) return false;
  const unsigned rate = rate_of_failures.load(std::memory_order_relaxed);
  if (rate == 0 || next() % rate != 0) return false;
  ++failures;
  last_failure.depth = backtrace(last_failure.frames.data(), static_cast<int>(last_failure.frames.size()));
  return true;
}

// Without memory of its own: who calls it has none.
void print(std::string_view text) noexcept { (void)!write(STDERR_FILENO, text.data(), text.size()); }

const char* current_error() noexcept {
  const std::exception_ptr error = std::current_exception();
  if (!error) return "no exception";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& known) {
    return known.what();
  } catch (...) {
    return "an unknown exception";
  }
}

[[noreturn]] void terminate_with_reason() noexcept {
  may_fail = false;
  print("soak: std::terminate: ");
  print(current_error());
  print("\nfrom:\n");
  std::array<void*, 64> frames{};
  backtrace_symbols_fd(frames.data(), backtrace(frames.data(), static_cast<int>(frames.size())), STDERR_FILENO);
  if (last_failure.depth > 0) {
    print("the last allocation that failed in this thread:\n");
    backtrace_symbols_fd(last_failure.frames.data(), last_failure.depth, STDERR_FILENO);
  }
  std::abort();
}

}  // namespace

void explain_terminate() noexcept { std::set_terminate(terminate_with_reason); }

void let_memory_fail(unsigned rate) noexcept { rate_of_failures = rate; }

std::uint64_t failed_allocations() noexcept { return failures; }

FailingMemory::FailingMemory(std::uint64_t seed) noexcept {
  state_of_dice = seed | 1;
  may_fail = true;
}
FailingMemory::~FailingMemory() { may_fail = false; }

ReliableMemory::ReliableMemory() noexcept : before_(std::exchange(may_fail, false)) {}
ReliableMemory::~ReliableMemory() { may_fail = before_; }

// Null: no memory.
void* take(std::size_t size, std::size_t alignment) noexcept {
  if (fails(size)) return nullptr;
  if (size == 0) size = 1;
  if (alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__) return std::malloc(size);
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void* take_or_throw(std::size_t size, std::size_t alignment) {
  if (void* const memory = take(size, alignment)) return memory;
  throw std::bad_alloc{};
}

}  // namespace soak

void* operator new(std::size_t size) { return soak::take_or_throw(size, 1); }
void* operator new[](std::size_t size) { return soak::take_or_throw(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return soak::take_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return soak::take_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return soak::take(size, 1); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return soak::take(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return soak::take(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return soak::take(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept { std::free(memory); }
