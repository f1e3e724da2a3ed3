// Fields of events as the bytes of a compact trace, written and read: the visitors of event_fields.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include <holdfast/detail/enumerators.hpp>
#include <holdfast/event.hpp>
#include <holdfast/policy.hpp>
#include <holdfast_sim/observe/detail/text_buffer.hpp>

namespace holdfast::sim::detail {

// Seven bits a byte, the lowest first; the highest bit says that more follow. Returns how many bytes it took, of ten.
inline std::size_t put_varint(unsigned char* at, std::uint64_t value) noexcept {
  std::size_t bytes = 0;
  while (value >= 0x80) {
    at[bytes++] = static_cast<unsigned char>(value | 0x80);
    value >>= 7;
  }
  at[bytes++] = static_cast<unsigned char>(value);
  return bytes;
}
inline constexpr std::size_t kVarintMax = 10;

class FieldWriter {
 public:
  [[nodiscard]] std::string_view bytes() const noexcept { return bytes_.text(); }
  void clear() noexcept { bytes_.clear(); }

  void number(std::uint64_t value) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes
    bytes_.took(put_varint(reinterpret_cast<unsigned char*>(bytes_.room(kVarintMax)), value));
  }
  template <class Value>
  void operator()(std::string_view, const Value& value) {
    put(value);
  }

 private:
  void put(Duration value) { number(static_cast<std::uint64_t>(value.count())); }
  void put(std::string_view value) {
    number(value.size());
    bytes_.put(value);
  }
  void put(const std::string& value) { put(std::string_view{value}); }
  void put(const ExitStatuses& value) {
    for (const std::uint64_t bits : value.bits()) number(bits);
  }
  void put(const NameList& value) { put(to_string(value)); }
  template <class Value>
  void put(const std::optional<Value>& value) {
    if (!value) return number(0);
    number(1);
    put(*value);
  }
  template <class Value>
  void put(const Value& value) {
    static_assert(std::is_integral_v<Value> || std::is_enum_v<Value>);
    number(static_cast<std::uint64_t>(value));
  }

  TextBuffer bytes_;
};

// The bytes are not those of such fields. what() says why.
class BadBytes : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t taken() const noexcept { return at_; }
  [[nodiscard]] bool at_end() const noexcept { return at_ == bytes_.size(); }

  unsigned byte() {
    if (at_end()) throw BadBytes{"ends in the middle of an event"};
    return static_cast<unsigned char>(bytes_[at_++]);
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint64_t part = byte();
      if (shift == 63 && part > 1) break;
      value |= (part & 0x7f) << shift;
      if (part < 0x80) return value;
    }
    throw BadBytes{"has a number of more than 64 bits"};
  }
  // So many bytes, the lowest first.
  std::uint64_t fixed(unsigned bytes) {
    if (bytes > 8) throw BadBytes{"has a number of more than 64 bits"};
    std::uint64_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) value |= static_cast<std::uint64_t>(byte()) << (8 * i);
    return value;
  }
  std::string_view text() {
    const std::uint64_t size = number();
    if (size > bytes_.size() - at_) throw BadBytes{"has a text that is longer than what follows"};
    const auto text = bytes_.substr(at_, size);
    at_ += size;
    return text;
  }
  template <class Value>
  void operator()(std::string_view, Value& value) {
    take(value);
  }

 private:
  void take(Duration& value) { value = Duration{static_cast<Duration::rep>(number())}; }
  void take(std::string_view& value) { value = text(); }
  void take(std::string& value) { value = std::string{text()}; }
  void take(ExitStatuses& value) {
    for (unsigned part = 0; part < 4; ++part) {
      const std::uint64_t bits = number();
      for (unsigned bit = 0; bit < 64; ++bit) {
        if (((bits >> bit) & 1U) != 0) value.add(static_cast<std::uint8_t>(64 * part + bit));
      }
    }
  }
  void take(NameList& value) {
    const auto names = name_list_of(text());
    if (!names) throw BadBytes{"has a list of names that is none"};
    value = *names;
  }
  template <class Value>
  void take(std::optional<Value>& value) {
    const std::uint64_t present = number();
    if (present > 1) throw BadBytes{"has a field that is neither there nor missing"};
    if (present == 1) take(value.emplace());
  }
  template <class Value>
  void take(Value& value) {
    const std::uint64_t read = number();
    if constexpr (std::is_enum_v<Value>) {
      if (read >= holdfast::detail::enumerators_of<Value>()) throw BadBytes{"has a word that no event has"};
      value = static_cast<Value>(read);
    } else if constexpr (std::is_same_v<Value, bool>) {
      if (read > 1) throw BadBytes{"has a field that is neither true nor false"};
      value = read == 1;
    } else {
      value = static_cast<Value>(read);
      if (static_cast<std::uint64_t>(value) != read) throw BadBytes{"has a number that is too large for its field"};
    }
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
};

}  // namespace holdfast::sim::detail
