#include <holdfast/random.hpp>

#include <holdfast/detail/random123.hpp>

namespace holdfast {

Draw draw(const DrawKey& key, Purpose purpose, std::uint64_t index) noexcept {
  const auto word = (std::uint64_t{static_cast<std::uint32_t>(purpose)} << 32) | key.incarnation;
  const philox4x64_ctr_t counter{{static_cast<std::uint64_t>(key.added_at.nanoseconds), word, index, 0}};
  const philox4x64_key_t philox_key{{key.seed.value, key.name}};
  const philox4x64_ctr_t block = philox4x64(counter, philox_key);
  return {block.v[0], block.v[1]};
}

}  // namespace holdfast
