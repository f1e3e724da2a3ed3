// What stands in a group's texts for each of its services: `${NAME}` is the service's name, `${INDEX}` its number.
//
// `$${` is a `${` that is left alone, for programs that know variables of their own. A `$` without a brace means
// itself: no shell reads these texts.
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#pragma GCC visibility push(default)

namespace holdfast::file {

// What is wrong with the placeholders of a text, for a message: "has \"${HOST}\"; …". Empty: nothing.
std::string placeholder_fault(std::string_view text);

// Whether two services of a group get different texts.
bool differs_by_service(std::string_view text);

// REQUIRES: placeholder_fault(text) is empty.
std::string filled_in(std::string_view text, const std::string& name, std::uint32_t index);

}  // namespace holdfast::file

#pragma GCC visibility pop
