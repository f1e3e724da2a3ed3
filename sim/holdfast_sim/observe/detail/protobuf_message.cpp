#include <holdfast_sim/observe/detail/protobuf_message.hpp>

namespace holdfast::sim::detail {

void ProtobufMessage::number(unsigned field, std::uint64_t value) {
  varint(field << 3U);
  varint(value);
}

void ProtobufMessage::fixed(unsigned field, std::uint64_t value) {
  varint(field << 3U | 1U);
  for (unsigned i = 0; i < 8; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xffU);
}

void ProtobufMessage::text(unsigned field, std::string_view text) {
  varint(field << 3U | 2U);
  varint(text.size());
  bytes_ += text;
}

void ProtobufMessage::message(unsigned field, const ProtobufMessage& message) { text(field, message.bytes_); }

void ProtobufMessage::append(const ProtobufMessage& fields) { bytes_ += fields.bytes_; }

void ProtobufMessage::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>(value | 0x80U);
  bytes_ += static_cast<char>(value);
}

}  // namespace holdfast::sim::detail
