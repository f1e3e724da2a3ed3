#include <holdfast_sim/observe/digest.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>
#include <variant>

#include <holdfast/detail/enumerators.hpp>
#include <holdfast/event_fields.hpp>
#include <holdfast_sim/observe/detail/chaos_fields.hpp>
#include <holdfast_sim/observe/detail/field_tags.hpp>
#include <holdfast_sim/text/detail/xxh3.hpp>

namespace holdfast::sim {

struct Digest::Hash {
  Hash() { XXH3_128bits_reset(&state); }
  XXH3_state_t state;
};

Digest::Digest() : hash_(std::make_unique<Hash>()) {}
Digest::~Digest() = default;

void Digest::update(const void* data, std::size_t size) noexcept { XXH3_128bits_update(&hash_->state, data, size); }

void Digest::flush() {
  update(buffer_.data(), used_);
  used_ = 0;
}

// Writes one event into the buffer. Of a long text it writes the length, and the bytes go past the buffer.
class Digest::Canonical {
 public:
  // For the fixed part of one event, its name and its two texts.
  explicit Canonical(Digest& digest) : digest_(digest) {
    if (digest.buffer_.size() - digest.used_ < 4 * kEventBytesMax) digest.flush();
    at_ = digest.buffer_.data() + digest.used_;
  }
  ~Canonical() { digest_.used_ = static_cast<std::size_t>(at_ - digest_.buffer_.data()); }
  Canonical(const Canonical&) = delete;
  Canonical& operator=(const Canonical&) = delete;

  template <class Value>
  void operator()(std::string_view, const Value& value) {
    if constexpr (std::is_same_v<Value, std::string_view> || std::is_same_v<Value, std::string>) {
      bytes(value);
    } else if constexpr (std::is_same_v<Value, Duration>) {
      number(value.count());
    } else if constexpr (std::is_same_v<Value, ExitStatuses>) {
      for (const std::uint64_t bits : value.bits()) number(bits);
    } else if constexpr (std::is_same_v<Value, NameList>) {
      // Of any length, so not into the buffer.
      const std::string names = to_string(value);
      number(static_cast<std::uint32_t>(names.size()));
      at_ = past_the_buffer(digest_, at_, names);
    } else if constexpr (std::is_same_v<Value, bool>) {
      if (value) [[unlikely]]
        number(detail::optional_field_tag(field_));
    } else if constexpr (detail::kIsOptional<Value>) {
      if (value) [[unlikely]] {
        number(detail::optional_field_tag(field_));
        (*this)({}, *value);
        --field_;
      }
    } else {
      number(value);
    }
    ++field_;
  }
  // The next field is the first of its event.
  void begin_fields() noexcept { field_ = 0; }

  template <class Number>
  void number(Number value) noexcept {
    static_assert(std::is_integral_v<Number> || std::is_enum_v<Number>);
    std::memcpy(at_, &value, sizeof value);
    // Canonical bytes are little-endian on every machine.
    if constexpr (std::endian::native == std::endian::big) std::reverse(at_, at_ + sizeof value);
    at_ += sizeof value;
  }

  // A length in 32 bits, then the bytes.
  void bytes(std::string_view text) {
    number(static_cast<std::uint32_t>(text.size()));
    if (text.size() <= kEventBytesMax) [[likely]] {
      if (!text.empty()) std::memcpy(at_, text.data(), text.size());
      at_ += text.size();
    } else {
      at_ = past_the_buffer(digest_, at_, text);
    }
  }

 private:
  // Not inlined, and by value: so that the place in the buffer is kept in a register.
  [[gnu::noinline]] static unsigned char* past_the_buffer(Digest& digest, const unsigned char* at,
                                                          std::string_view text) {
    digest.used_ = static_cast<std::size_t>(at - digest.buffer_.data());
    digest.flush();
    digest.update(text.data(), text.size());
    return digest.buffer_.data();
  }

  Digest& digest_;
  unsigned char* at_;
  std::size_t field_ = 0;  // how many fields of the event there were before
};

namespace {

struct FieldCount {
  std::size_t fields = 0;
  template <class Value>
  constexpr void operator()(std::string_view, const Value&) noexcept {
    ++fields;
  }
};

template <std::size_t Index = 0>
consteval bool every_field_has_a_tag() {
  if constexpr (Index == std::variant_size_v<Event::What>) {
    return true;
  } else {
    using Kind = std::variant_alternative_t<Index, Event::What>;
    // A policy has texts, which no compiler makes at compile time yet: event_log_test counts the fields of `added`.
    if constexpr (event::HasPolicy<Kind>) return every_field_has_a_tag<Index + 1>();
    const Kind what{};
    FieldCount count;
    visit_fields(count, what);
    return count.fields <= detail::kFieldsOfAnEventMax && every_field_has_a_tag<Index + 1>();
  }
}
static_assert(every_field_has_a_tag(), "an event has more fields than there are tags");
static_assert(std::variant_size_v<Event::What> <= detail::kFirstChaosKind &&
                  holdfast::detail::enumerators_of<ChaosEvent::Kind>() <= detail::kFirstTag - detail::kFirstChaosKind,
              "there are more kinds of events than numbers for them");

}  // namespace

void Digest::on_event(const Event& event) {
  ++events_;
  Canonical out{*this};
  out.number(static_cast<std::uint8_t>(event.what.index()));
  out.number(event.at.nanoseconds);
  out.number(event.name_hash);
  out.number(event.n);
  out.number(event.run.value);
  visit_what(event.what, [&](const auto& what) {
    if constexpr (event::HasPolicy<std::remove_cvref_t<decltype(what)>>) {
      out.bytes(event.name);
      visit_backoff(out, *what.policy->backoff);
      out.begin_fields();
      visit_with_policy(out, what, *what.policy);
    } else {
      visit_fields(out, what);
    }
  });
}

void Digest::on_chaos(const ChaosEvent& event) {
  ++events_;
  Canonical out{*this};
  out.number(static_cast<std::uint8_t>(detail::kFirstChaosKind + static_cast<std::uint8_t>(event.kind)));
  out.number(event.at.nanoseconds);
  out.number(event.name_hash);
  out.number(event.until.nanoseconds);
  out.number(event.fails_after.count());
  out.bytes(event.cause);
}

std::string Digest::text() {
  flush();
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&hash_->state));
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : canonical.digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace holdfast::sim
