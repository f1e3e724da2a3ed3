// The identity of a run: 128 bits over the canonical bytes of its events, in order.
//
// XXH3-128 (xxhash). lib/docs/reference/trace_format.md lays the canonical bytes out; they hold everything a trace line
// holds, and no text formatting.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <holdfast_sim/observe/observer.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

class Digest final : public Observer {
 public:
  Digest();
  ~Digest();

  void on_event(const Event& event) override;
  void on_chaos(const ChaosEvent& event) override;

  // Of either kind, so far.
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
  // 32 lower-case hexadecimal digits.
  [[nodiscard]] std::string text();

 private:
  // The bytes of an event but for its texts.
  static constexpr std::size_t kEventBytesMax = 128;

  class Canonical;
  void update(const void* data, std::size_t size) noexcept;
  void flush();

  struct Hash;
  std::unique_ptr<Hash> hash_;
  std::uint64_t events_ = 0;
  std::size_t used_ = 0;
  std::array<unsigned char, 8192> buffer_;
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
