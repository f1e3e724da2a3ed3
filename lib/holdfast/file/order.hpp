// The order of a fleet's groups: which come after which, and what the names in an order stand for.
//
// In a file `after` has names of groups, each of which stands for all of its services, and of single services.
//
// Thread-safety: pure functions, safe anywhere.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <holdfast/file/roster.hpp>
#include <holdfast/policy.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

// The same with names of services alone, as the supervisor takes it. A name that the fleet does not have is left out.
Order of_services(const Order& of_groups, const Roster& roster);

// How many services those are.
std::size_t services_before(const Order& of_groups, const Roster& roster);

// Every group once, as indices: each behind all that it is after, and otherwise in the order of the file. `orders` are
// those of the roster's first groups. REQUIRES: no circle.
std::vector<std::size_t> order_of_adding(const std::vector<Order>& orders, const Roster& roster);

// "web -> db -> web" from a group back to itself; empty: it does not come after itself.
std::string circle_of(std::size_t group, const std::vector<Order>& orders, const Roster& roster);

}  // namespace holdfast::file

#pragma GCC visibility pop
