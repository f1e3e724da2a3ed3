// A length of time that is fixed, or drawn each time.
//
// A value that a length of time and a distribution become by themselves.
#pragma once

#include <chrono>
#include <concepts>
#include <optional>
#include <variant>

#include <holdfast/time.hpp>
#include <holdfast_sim/scenario/distribution.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

class DrawnLength {
 public:
  DrawnLength() = default;  // none
  template <class Rep, class Period>
  DrawnLength(std::chrono::duration<Rep, Period> fixed) : of_(Fixed{fixed}) {}  // NOLINT(google-explicit-constructor)
  DrawnLength(Distribution of) : of_(of) {}                                     // NOLINT(google-explicit-constructor)
  // NOLINTBEGIN(google-explicit-constructor): a distribution is a drawn length
  template <class Of>
  requires(std::same_as<Of, Fixed> || std::same_as<Of, Uniform> || std::same_as<Of, Exponential> ||
           std::same_as<Of, Weibull> || std::same_as<Of, LogNormal>) DrawnLength(Of of)
      : of_(of) {}
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] const Distribution& of() const noexcept { return of_; }
  // nullopt: it is drawn.
  [[nodiscard]] std::optional<Duration> fixed() const noexcept {
    const auto* const fixed = std::get_if<Fixed>(&of_);
    return fixed ? std::optional{fixed->value} : std::nullopt;
  }
  friend bool operator==(const DrawnLength&, const DrawnLength&) = default;

 private:
  Distribution of_ = Fixed{};
};

}  // namespace holdfast::sim

#pragma GCC visibility pop
