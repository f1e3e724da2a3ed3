// Venues in the real world: lines of text over TCP.
#pragma once

#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "gateway.hpp"

namespace gateway {

Venue tcp_venue(std::string name, boost::asio::ip::tcp::endpoint endpoint);

}  // namespace gateway
