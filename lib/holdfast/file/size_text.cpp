#include <holdfast/file/size_text.hpp>

#include <array>

#include <holdfast/file/letters.hpp>

namespace holdfast::file {

namespace {

struct SizeUnit {
  std::string_view name;
  std::string_view letter;  // of the names that others have
  unsigned shift;
};
constexpr std::array kSizeUnits{SizeUnit{"TiB", "t", 40}, SizeUnit{"GiB", "g", 30}, SizeUnit{"MiB", "m", 20},
                                SizeUnit{"KiB", "k", 10}, SizeUnit{"B", "", 0}};

std::optional<std::uint64_t> shifted(std::uint64_t count, unsigned shift) {
  if (count > (kSizeMax >> shift)) return std::nullopt;
  return count << shift;
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto count = take_number(text);
  if (!count) return std::nullopt;
  for (const auto& unit : kSizeUnits) {
    if (text == unit.name) return shifted(*count, unit.shift);
  }
  return std::nullopt;
}

std::string size_text(std::uint64_t size) {
  for (const auto& unit : kSizeUnits) {
    const std::uint64_t one = std::uint64_t{1} << unit.shift;
    if (size >= one && size % one == 0) return std::to_string(size / one) + std::string{unit.name};
  }
  return std::to_string(size) + "B";
}

std::optional<std::uint64_t> meant_size(std::string_view text) {
  text = trimmed(text);
  const auto count = take_number(text);
  if (!count) return std::nullopt;
  const auto word = lower_case(trimmed(text));
  for (const auto& unit : kSizeUnits) {
    const std::string letter{unit.letter};
    for (const char* const ending : {"", "b", "ib", "bytes", "byte"}) {
      if (word == letter + ending) return shifted(*count, unit.shift);
    }
  }
  return std::nullopt;
}

}  // namespace holdfast::file
