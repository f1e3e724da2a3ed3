// Which sockets of this machine listen on a port of TCP.
//
// Thread-safety: safe anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::detail {

// By the numbers that the kernel gives them, in rising order. Asks the kernel once, and does not wait. nullopt: it does
// not say, or not for this address, which is not one of loopback.
std::optional<std::vector<std::uint32_t>> listeners_on(const std::string& address, std::uint16_t port) noexcept;

// Whether there are listeners now and each of them was there before.
bool are_all_old(const std::vector<std::uint32_t>& before, const std::vector<std::uint32_t>& now) noexcept;

}  // namespace holdfast::detail
