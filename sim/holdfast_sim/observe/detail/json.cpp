// Boost.JSON, compiled into this library: Debian's packages of it are tied to one standard library.
#include <boost/json/src.hpp>
