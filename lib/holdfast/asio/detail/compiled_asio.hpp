// Boost.Asio is compiled once, into this library, from headers of one version. A program that includes them in another
// way would misbehave. The compiler or the linker refuses it instead.
#pragma once

#ifndef BOOST_ASIO_SEPARATE_COMPILATION
#error \
    "holdfast-asio has Boost.Asio compiled in: define BOOST_ASIO_SEPARATE_COMPILATION for the whole program, as \
pkg-config, holdfast::asio of CMake and the Meson dependency do"
#endif

#include <boost/asio/version.hpp>

// A linker that drops unused sections (--gc-sections) would otherwise drop what it has to refuse.
#if __has_attribute(retain)
#define HOLDFAST_KEPT [[gnu::used, gnu::retain]]
#else
#define HOLDFAST_KEPT [[gnu::used]]
#endif

namespace holdfast::detail {

// "undefined reference to AsioOfVersion<…>": the headers of Asio have another version than the library was built with.
template <int version>
struct AsioOfVersion {
  static const bool kIsCompiledIn;
};
template <>
const bool AsioOfVersion<BOOST_ASIO_VERSION>::kIsCompiledIn;

HOLDFAST_KEPT inline const bool* const kAsioOfTheseHeaders = &AsioOfVersion<BOOST_ASIO_VERSION>::kIsCompiledIn;

// "undefined reference to CompiledBy<Gcc>": g++ compiles the program, and clang++ has compiled the library. The two
// give some functions of Asio different names, so that a program would link or not depending on what it uses.
struct Gcc;
struct Clang;
#ifdef __clang__
using ThisCompiler = Clang;
#else
using ThisCompiler = Gcc;
#endif
template <class Compiler>
struct CompiledBy {
  static const bool kIsTheSame;
};
template <>
const bool CompiledBy<ThisCompiler>::kIsTheSame;

HOLDFAST_KEPT inline const bool* const kCompilerOfThisProgram = &CompiledBy<ThisCompiler>::kIsTheSame;

#undef HOLDFAST_KEPT

}  // namespace holdfast::detail
