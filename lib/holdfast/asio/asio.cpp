// Boost.Asio, compiled here once. A program that includes it defines BOOST_ASIO_SEPARATE_COMPILATION and links this
// library.
#include <boost/asio/impl/src.hpp>
#include <holdfast/asio/detail/compiled_asio.hpp>

namespace holdfast::detail {

template <>
const bool AsioOfVersion<BOOST_ASIO_VERSION>::kIsCompiledIn = true;
template <>
const bool CompiledBy<ThisCompiler>::kIsTheSame = true;

}  // namespace holdfast::detail
