// A service's name, in sixteen bytes if it has at most fifteen itself.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include <holdfast/policy.hpp>

namespace holdfast::detail {

class Name {
 public:
  // REQUIRES: at most kNameLengthMax bytes.
  explicit Name(std::string_view text) : size_(static_cast<std::uint8_t>(text.size())) {
    char* const to = is_here() ? here_.data() : new char[text.size()];
    std::memcpy(to, text.data(), text.size());
    if (!is_here()) std::memcpy(here_.data(), &to, sizeof to);
  }
  Name(Name&& other) noexcept : size_(std::exchange(other.size_, 0)), here_(other.here_) {}
  Name& operator=(Name&&) = delete;
  ~Name() {
    if (!is_here()) delete[] elsewhere();
  }

  [[nodiscard]] std::string_view text() const noexcept { return {is_here() ? here_.data() : elsewhere(), size_}; }

 private:
  static_assert(kNameLengthMax <= 255);

  [[nodiscard]] bool is_here() const noexcept { return size_ <= sizeof here_; }
  [[nodiscard]] char* elsewhere() const noexcept {
    char* pointer = nullptr;
    std::memcpy(&pointer, here_.data(), sizeof pointer);
    return pointer;
  }

  std::uint8_t size_;
  std::array<char, 15> here_;  // the text, or a pointer to it
};

}  // namespace holdfast::detail
