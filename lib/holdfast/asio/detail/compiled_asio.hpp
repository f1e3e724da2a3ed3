// Boost.Asio is compiled once, into this library, from headers of one version. A program that includes them in another
// way would misbehave; it is told so instead, by the compiler or by the linker.
#pragma once

#ifndef BOOST_ASIO_SEPARATE_COMPILATION
#error \
    "holdfast-asio has Boost.Asio compiled in: define BOOST_ASIO_SEPARATE_COMPILATION for the whole program, as \
pkg-config, holdfast::asio of CMake and the Meson dependency do"
#endif

#include <boost/asio/version.hpp>

namespace holdfast::detail {

// "undefined reference to AsioOfVersion<…>": the headers of Asio have another version than the library was built with.
template <int version>
struct AsioOfVersion {
  static const bool kIsCompiledIn;
};
template <>
const bool AsioOfVersion<BOOST_ASIO_VERSION>::kIsCompiledIn;

[[gnu::used]] inline const bool* const kAsioOfTheseHeaders = &AsioOfVersion<BOOST_ASIO_VERSION>::kIsCompiledIn;

}  // namespace holdfast::detail
