// Memory for large tables with random access. It asks the system for huge pages, without which every access walks the
// page tables. They change only the speed.
//
// Thread-safety: as the global operator new.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>

namespace holdfast::sim::detail {

template <class T>
class HugePages {
 public:
  using value_type = T;

  HugePages() = default;
  template <class U>
  explicit HugePages(const HugePages<U>&) noexcept {}

  T* allocate(std::size_t count) {
    const std::size_t size = count * sizeof(T);
    void* const memory = ::operator new(size, alignment_of(size));
    if (is_large(size)) (void)madvise(memory, size, MADV_HUGEPAGE);  // if it is refused, pages have their usual size
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) noexcept { ::operator delete(memory, alignment_of(count * sizeof(T))); }

  friend bool operator==(const HugePages&, const HugePages&) noexcept = default;

 private:
  static constexpr std::size_t kHugePage = std::size_t{2} << 20;

  static constexpr bool is_large(std::size_t size) noexcept { return size >= 4 * kHugePage; }
  static constexpr std::align_val_t alignment_of(std::size_t size) noexcept {
    return std::align_val_t{is_large(size) ? kHugePage : alignof(T)};
  }
};

}  // namespace holdfast::sim::detail
