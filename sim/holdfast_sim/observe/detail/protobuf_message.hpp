// The bytes of a message of Protocol Buffers, field by field (protobuf.dev/programming-guides/encoding).
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::sim::detail {

class ProtobufMessage {
 public:
  void number(unsigned field, std::uint64_t value);  // of the types int, uint, enum and bool; negative ones in 64 bits
  void fixed(unsigned field, std::uint64_t value);   // of the type fixed64
  void text(unsigned field, std::string_view text);  // of the types string and bytes
  void message(unsigned field, const ProtobufMessage& message);
  // All fields of the other one.
  void append(const ProtobufMessage& fields);

  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  void clear() noexcept { bytes_.clear(); }

 private:
  void varint(std::uint64_t value);

  std::string bytes_;
};

}  // namespace holdfast::sim::detail
