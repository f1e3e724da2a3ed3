#include <holdfast/service.hpp>

#include <cstring>
#include <exception>
#include <new>

#include <holdfast/detail/assert.hpp>

namespace holdfast {

namespace {

using Owners = std::uint64_t;

Owners* owners_of(const char* text) noexcept {
  return reinterpret_cast<Owners*>(const_cast<char*>(text) - sizeof(Owners));
}

// A length that 32 bits can hold.
std::uint32_t length_of(std::string_view text) noexcept {
  HOLDFAST_ASSERT(text.size() <= 0xffff'ffff, "the text of an error is 4 GiB long");
  return static_cast<std::uint32_t>(text.size());
}

}  // namespace

Error::Error(std::string_view text) : size_(length_of(text)), is_owned_(true) {
  auto* const memory = static_cast<char*>(::operator new(sizeof(Owners) + text.size()));
  new (memory) Owners{1};
  std::memcpy(memory + sizeof(Owners), text.data(), text.size());
  text_ = memory + sizeof(Owners);
}

Error Error::literal(std::string_view text) noexcept {
  Error error;
  error.text_ = text.data();
  error.size_ = length_of(text);
  return error;
}

// Counted atomically: a copy may live on another thread.
void Error::keep() const noexcept { __atomic_fetch_add(owners_of(text_), 1, __ATOMIC_RELAXED); }

void Error::let_go() const noexcept {
  if (__atomic_fetch_sub(owners_of(text_), 1, __ATOMIC_ACQ_REL) == 1) ::operator delete(owners_of(text_));
}

Error Error::from_current_exception() {
  try {
    throw;
  } catch (const std::exception& exception) {
    return Error{exception.what()};
  } catch (...) {
    return literal("unknown exception");
  }
}

}  // namespace holdfast
