// Memory for short-lived objects: the next one reuses a block that was given back. Allocators of the system do that
// too, but only for the few blocks that fit their caches, and hundreds of sleeps overlap. The pool keeps at most a few
// more free blocks than are in use, so that a storm leaves no memory behind.
//
// Thread-safety: none. The pool outlives its blocks.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

namespace holdfast::detail {

class BlockPool {
 public:
  BlockPool() = default;
  ~BlockPool() {
    while (free_) ::operator delete(unlink());
  }
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  void* take(std::size_t size) {
    if (size > kBlockSize) return ::operator new(size);
    void* const block = free_ ? unlink() : ::operator new(kBlockSize);
    ++used_blocks_;
    return block;
  }
  void give_back(void* block, std::size_t size) noexcept {
    if (size > kBlockSize) return ::operator delete(block);
    free_ = new (block) Free{free_};
    ++free_blocks_;
    --used_blocks_;
    while (free_blocks_ > used_blocks_ + kFreeAnyway) ::operator delete(unlink());
  }

 private:
  struct Free {
    Free* next;
  };

  void* unlink() noexcept {
    --free_blocks_;
    return std::exchange(free_, free_->next);
  }

  static constexpr std::size_t kBlockSize = 192;
  static constexpr std::size_t kFreeAnyway = 16;

  Free* free_ = nullptr;
  std::size_t free_blocks_ = 0;
  std::size_t used_blocks_ = 0;
};

template <class T>
class PoolAllocator {
 public:
  using value_type = T;

  explicit PoolAllocator(BlockPool& pool) noexcept : pool_(&pool) {}
  template <class U>
  explicit PoolAllocator(const PoolAllocator<U>& other) noexcept : pool_(other.pool_) {}

  T* allocate(std::size_t count) {
    static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    return static_cast<T*>(pool_->take(count * sizeof(T)));
  }
  void deallocate(T* block, std::size_t count) noexcept { pool_->give_back(block, count * sizeof(T)); }

  friend bool operator==(const PoolAllocator&, const PoolAllocator&) = default;

 private:
  template <class>
  friend class PoolAllocator;

  BlockPool* pool_;
};

}  // namespace holdfast::detail
