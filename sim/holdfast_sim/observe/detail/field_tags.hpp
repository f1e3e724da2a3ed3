// The tags of optional fields in canonical bytes.
//
// A field that may be absent (an optional, or a flag that is false) is written as nothing, or behind a tag. The tag
// comes from the field's number in its event, so two fields of one value never have the same bytes. No event begins
// with a byte that is a tag, so an absent field cannot be mistaken for the beginning of the next event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace holdfast::sim::detail {

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

inline constexpr std::size_t kFieldsOfAnEventMax = 64;

// An event begins with its kind: those of the supervisor from 0 up, those of chaos from here up, all below the tags.
inline constexpr std::uint8_t kFirstChaosKind = 128;
inline constexpr std::uint8_t kFirstTag = 192;

// REQUIRES: field < kFieldsOfAnEventMax, which counts the fields of the event from 0. A new field stands at the end of
// its event, for its number must not change.
constexpr std::uint8_t optional_field_tag(std::size_t field) noexcept {
  return static_cast<std::uint8_t>(field < 4 ? 252 + field : 255 - field);
}

consteval bool optional_field_tags_differ() {
  for (std::size_t a = 0; a < kFieldsOfAnEventMax; ++a) {
    if (optional_field_tag(a) < kFirstTag) return false;
    for (std::size_t b = 0; b < a; ++b) {
      if (optional_field_tag(a) == optional_field_tag(b)) return false;
    }
  }
  return true;
}
static_assert(optional_field_tags_differ());

}  // namespace holdfast::sim::detail
