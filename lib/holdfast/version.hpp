// The version of holdfast: of the headers as macros, of the library that runs as a function.
//
// CHANGELOG.md says what each number promises. Versions whose first two numbers are equal (from 1.0 on: whose first
// number is) can stand in for an earlier one without compiling again.
//
// Thread-safety: constants, safe anywhere.
#pragma once

#include <string_view>

#include <holdfast/detail/compiler.hpp>

#define HOLDFAST_VERSION_MAJOR 0
#define HOLDFAST_VERSION_MINOR 1
#define HOLDFAST_VERSION_PATCH 0
#define HOLDFAST_VERSION_TEXT "0.1.0"

// To compare: #if HOLDFAST_VERSION >= 200 is "0.2.0 or later".
#define HOLDFAST_VERSION (10000 * HOLDFAST_VERSION_MAJOR + 100 * HOLDFAST_VERSION_MINOR + HOLDFAST_VERSION_PATCH)

#pragma GCC visibility push(default)

namespace holdfast {

// HOLDFAST_VERSION_TEXT as it was when the library was compiled. With a shared library it may be later than the
// headers' own.
std::string_view version() noexcept;

}  // namespace holdfast

#pragma GCC visibility pop
