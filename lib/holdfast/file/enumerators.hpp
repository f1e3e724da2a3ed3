// The words of an enumeration in a file are those of its to_string(). A specialization lists the enumerators:
//
//     template <>
//     inline constexpr std::array holdfast::file::kEnumerators<Colour>{Colour::red, Colour::blue};
#pragma once

#pragma GCC visibility push(default)

namespace holdfast::file {

template <class Enum>
inline constexpr int kEnumerators = 0;  // specialized by a std::array

}  // namespace holdfast::file

#pragma GCC visibility pop
