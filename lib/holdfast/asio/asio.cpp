// Boost.Asio, compiled here once: whoever includes it defines BOOST_ASIO_SEPARATE_COMPILATION and finds it in this
// library.
#include <boost/asio/impl/src.hpp>
