// How many enumerators an enumeration has that counts from 0, so that a bit field or an array can assert that it is
// large enough.
#pragma once

#include <cstddef>
#include <string_view>

namespace holdfast::detail {

// Both compilers write the value of a template argument as a name if an enumerator has it, else as a number or a cast.
template <class Enumeration, Enumeration kValue>
consteval bool is_enumerator() {
  const std::string_view name = __PRETTY_FUNCTION__;
  const std::string_view marker = "kValue = ";
  const char first = name[name.rfind(marker) + marker.size()];
  return first != '(' && first != '-' && (first < '0' || first > '9');
}

template <class Enumeration, std::size_t kFrom = 0>
consteval std::size_t enumerators_of() {
  if constexpr (is_enumerator<Enumeration, static_cast<Enumeration>(kFrom)>()) {
    return enumerators_of<Enumeration, kFrom + 1>();
  } else {
    return kFrom;
  }
}

}  // namespace holdfast::detail
