// A sequence that grows at its end and whose elements never move. Unlike a std::deque it wastes almost no memory,
// whatever the size of an element. It may have a million elements.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace holdfast::detail {

template <class Element>
class Pages {
 public:
  Pages() = default;
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages() {
    while (size_ > 0) pop_back();
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Element& operator[](std::size_t index) const noexcept {
    return reinterpret_cast<Element*>(pages_[index / kPageElements]->room)[index % kPageElements];
  }
  [[nodiscard]] Element& back() const noexcept { return (*this)[size_ - 1]; }

  template <class... Arguments>
  Element& emplace_back(Arguments&&... arguments) {
    if (size_ == pages_.size() * kPageElements) pages_.push_back(std::unique_ptr<Page>{new Page});
    auto* const element = new (&(*this)[size_]) Element(std::forward<Arguments>(arguments)...);
    ++size_;
    return *element;
  }
  void pop_back() noexcept {
    std::destroy_at(&back());
    --size_;
  }

 private:
  static constexpr std::size_t kPageElements = 128;
  struct Page {
    alignas(Element) std::byte room[kPageElements * sizeof(Element)];
  };

  std::vector<std::unique_ptr<Page>> pages_;
  std::size_t size_ = 0;
};

}  // namespace holdfast::detail
