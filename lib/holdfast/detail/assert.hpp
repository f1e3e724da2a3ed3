// Assertions that stay on in every build type: a supervisor that is wrong about its own state must not go on.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace holdfast::detail {

[[noreturn]] inline void assertion_failed(const char* condition, const char* says, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: holdfast: %s (%s)\n", file, line, says, condition);
  std::abort();
}

}  // namespace holdfast::detail

// Without the folders, so that a build says the same wherever its sources lie.
#ifdef __FILE_NAME__
#define HOLDFAST_FILE __FILE_NAME__
#else
#define HOLDFAST_FILE __FILE__
#endif

// `says` states the broken rule in words: it is what a user sees when a precondition was violated.
#define HOLDFAST_ASSERT(condition, says)                                               \
  do {                                                                                 \
    if (!(condition)) [[unlikely]]                                                     \
      ::holdfast::detail::assertion_failed(#condition, says, HOLDFAST_FILE, __LINE__); \
  } while (false)
