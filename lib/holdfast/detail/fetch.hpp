// Prefetches memory into the cache. Nothing is read, so any address will do.
#pragma once

#include <cstddef>

namespace holdfast::detail {

inline constexpr std::size_t kCacheLine = 64;

inline void fetch(const void* memory, std::size_t bytes) noexcept {
  for (std::size_t at = 0; at < bytes; at += kCacheLine) {
    __builtin_prefetch(static_cast<const char*>(memory) + at, 1);
  }
}

}  // namespace holdfast::detail
