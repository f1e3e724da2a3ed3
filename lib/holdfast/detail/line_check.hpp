// The check of a line in a recording: eight digits that depend on every field of the line and of all lines above. By it
// a replay finds the first line that was changed, dropped, repeated or inserted, even if the change leads to the same
// events. It does not protect against an attacker, who can compute the checks again.
//
// The order of a line's fields does not matter, and neither do blanks.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::detail {

// The fields of one line.
class FieldsHash {
 public:
  // `json`: the value as Recorder writes it.
  void add(std::string_view key, std::string_view json) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, of both with a colon between
    const auto take = [&hash](char c) { hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3; };
    for (const char c : key) take(c);
    take(':');
    for (const char c : json) take(c);
    sum_ += mixed(hash);
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return sum_; }

  // The last step of SplitMix64: without it, sums of similar hashes would be similar.
  static std::uint64_t mixed(std::uint64_t z) noexcept {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t sum_ = 0;
};

class LineCheck {
 public:
  // The next line, without its check.
  void take(const FieldsHash& fields) noexcept {
    state_ = FieldsHash::mixed(state_ * 0x9e3779b97f4a7c15 + fields.value() + 1);
  }
  // For the line that was taken last.
  [[nodiscard]] std::string text() const {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (int shift = 60; shift >= 32; shift -= 4) text += kDigits[(state_ >> shift) & 0xf];
    return text;
  }

 private:
  std::uint64_t state_ = 0;
};

}  // namespace holdfast::detail
