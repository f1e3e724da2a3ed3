// Numbers of bytes in files: "512B", "64KiB", "10MiB", "2GiB", "1TiB".
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#pragma GCC visibility push(default)

namespace holdfast::file {

inline constexpr std::uint64_t kSizeMax = std::uint64_t{1} << 59;  // bytes; 18 digits

// nullopt: it has another form, or is above kSizeMax.
std::optional<std::uint64_t> parse_size(std::string_view text);

// The shortest text that parse_size() reads back as the same. REQUIRES: size <= kSizeMax.
std::string size_text(std::uint64_t size);

// What others write: "10M", "10 mb", "64k". nullopt: nothing that is known.
std::optional<std::uint64_t> meant_size(std::string_view text);

}  // namespace holdfast::file

#pragma GCC visibility pop
