// A value, or the reason why a command was refused.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include <holdfast/detail/assert.hpp>

#pragma GCC visibility push(default)

namespace holdfast {

struct Refusal {
  enum class Reason : std::uint8_t {
    invalid_configuration,
    name_taken,
    object_taken,  // a service has this object
    unknown_service,
    shutting_down,
    stopping  // it stops for good, and the command would undo that
  };
  Reason reason;
  std::string message;  // complete: what was asked, why it is refused, what would be right
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}            // NOLINT: a value is a result
  Result(Refusal refusal) : state_(std::move(refusal)) {}  // NOLINT: and so is a refusal

  explicit operator bool() const noexcept { return std::holds_alternative<T>(state_); }

  // Throws std::runtime_error with the refusal's message if there is no value.
  const T& value() const {
    if (!*this) throw std::runtime_error(refusal().message);
    return std::get<T>(state_);
  }

  // REQUIRES: there is no value.
  [[nodiscard]] const Refusal& refusal() const noexcept {
    HOLDFAST_ASSERT(!*this, "the refusal of a command that was accepted");
    return *std::get_if<Refusal>(&state_);
  }

 private:
  std::variant<T, Refusal> state_;
};

}  // namespace holdfast

#pragma GCC visibility pop
