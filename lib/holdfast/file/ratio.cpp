#include <holdfast/file/ratio.hpp>

namespace holdfast::file {

std::string to_string(Ratio ratio) {
  if (ratio == Ratio::unusable()) return "not a number from 0 to 4294967295";
  constexpr std::uint64_t kBillion = 1'000'000'000;
  std::uint64_t whole = ratio.two_to_minus_32 >> 32;
  const std::uint64_t fraction = ratio.two_to_minus_32 & 0xffff'ffff;
  std::uint64_t billionths = (fraction * kBillion + (std::uint64_t{1} << 31)) >> 32;
  if (billionths == kBillion) {
    billionths = 0;
    ++whole;
  }
  if (billionths == 0) return std::to_string(whole);
  std::string places = std::to_string(kBillion + billionths).substr(1);
  places.erase(places.find_last_not_of('0') + 1);
  return std::to_string(whole) + "." + places;
}

}  // namespace holdfast::file
