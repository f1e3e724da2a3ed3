#include <holdfast_sim/digest.hpp>

#include <bit>
#include <cstring>
#include <type_traits>

#include <xxhash.h>

#include <holdfast_sim/event_fields.hpp>

namespace holdfast::sim {

static_assert(std::endian::native == std::endian::little, "canonical bytes are little-endian, written as they stand");

struct Digest::Hash {
  Hash() : state(XXH3_createState()) { XXH3_128bits_reset(state); }
  ~Hash() { XXH3_freeState(state); }
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;

  XXH3_state_t* state;
};

Digest::Digest() : hash_(std::make_unique<Hash>()) {}
Digest::~Digest() = default;

template <class Number>
void Digest::number(Number value) noexcept {
  static_assert(std::is_integral_v<Number> || std::is_enum_v<Number>);
  std::memcpy(buffer_.data() + used_, &value, sizeof value);
  used_ += sizeof value;
}

// A length in 32 bits, then the bytes. Long texts go past the buffer.
void Digest::bytes(std::string_view text) {
  number(static_cast<std::uint32_t>(text.size()));
  if (text.size() <= kEventBytesMax) {
    if (!text.empty()) std::memcpy(buffer_.data() + used_, text.data(), text.size());
    used_ += text.size();
  } else {
    flush();
    XXH3_128bits_update(hash_->state, text.data(), text.size());
  }
}

// For the fixed part of one event, its name and its two texts.
void Digest::make_room() {
  if (buffer_.size() - used_ < 4 * kEventBytesMax) flush();
}

void Digest::flush() {
  XXH3_128bits_update(hash_->state, buffer_.data(), used_);
  used_ = 0;
}

void Digest::on_event(const Event& event) {
  ++events_;
  make_room();
  number(static_cast<std::uint8_t>(event.what.index()));
  number(event.at.nanoseconds);
  number(event.name_hash);
  number(event.n);
  number(event.run.value);
  const auto field = [&](std::string_view, const auto& value) {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, std::string_view>) {
      bytes(value);
    } else if constexpr (std::is_same_v<Value, Duration>) {
      number(value.count());
    } else {
      number(value);
    }
  };
  std::visit(
      [&](const auto& what) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(what)>, event::Added>) {
          bytes(event.name);
          visit_policy(field, *what.backoff);
        }
        visit_fields(field, what);
      },
      event.what);
}

void Digest::on_chaos(const ChaosEvent& event) {
  constexpr std::uint8_t kFirstChaosKind = 128;
  ++events_;
  make_room();
  number(static_cast<std::uint8_t>(kFirstChaosKind + static_cast<std::uint8_t>(event.kind)));
  number(event.at.nanoseconds);
  number(event.name_hash);
  number(event.until.nanoseconds);
  number(event.fails_after.count());
  bytes(event.cause);
}

std::string Digest::text() {
  flush();
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(hash_->state));
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : canonical.digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace holdfast::sim
