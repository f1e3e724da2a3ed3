// The text of an exception with all that caused it: "cannot reach the exchange: connection refused", outermost first.
#pragma once

#include <exception>
#include <string>

namespace holdfast::detail {

// `describe` says what one exception of the chain (std::throw_with_nested) is.
template <class Describe>
std::string chain_of(const std::exception& outermost, const Describe& describe) {
  std::string text = describe(outermost);
  try {
    std::rethrow_if_nested(outermost);
  } catch (const std::exception& cause) {
    (text += ": ") += chain_of(cause, describe);
  } catch (...) {
    text += ": unknown exception";
  }
  return text;
}

}  // namespace holdfast::detail
