#include <holdfast/file/order.hpp>

#include <functional>
#include <utility>

namespace holdfast::file {

namespace {

// Calls act(group) for each group that one with this order is after.
template <class Act>
void for_each_before(const Order& order, std::size_t groups, const Roster& roster, const Act& act) {
  for (const auto* const list : {&order.after, &order.after_if_present}) {
    for (const auto& name : list->names()) {
      auto group = roster.group(name);
      if (!group) group = roster.group_of(name);
      if (group && *group < groups) act(*group);
    }
  }
}

NameList services_in(const NameList& names, const Roster& roster) {
  std::vector<std::string> services;
  for (const auto& name : names.names()) {
    if (const auto group = roster.group(name)) {
      const auto& [its_name, count] = roster.groups()[*group];
      for (std::uint32_t i = 0; i < count.value_or(1); ++i) services.push_back(service_name(its_name, count, i));
    } else if (roster.group_of(name)) {
      services.push_back(name);
    }
  }
  return NameList{std::move(services)};
}

}  // namespace

Order of_services(const Order& of_groups, const Roster& roster) {
  Order order = of_groups;
  order.after = services_in(of_groups.after, roster);
  order.after_if_present = services_in(of_groups.after_if_present, roster);
  return order;
}

std::size_t services_before(const Order& of_groups, const Roster& roster) {
  std::size_t services = 0;
  for (const auto* const list : {&of_groups.after, &of_groups.after_if_present}) {
    for (const auto& name : list->names()) {
      const auto group = roster.group(name);
      services += group ? roster.groups()[*group].count.value_or(1) : 1;
    }
  }
  return services;
}

std::vector<std::size_t> order_of_adding(const std::vector<Order>& orders, const Roster& roster) {
  std::vector<std::size_t> all;
  std::vector<bool> seen(orders.size());
  const std::function<void(std::size_t)> add = [&](std::size_t group) {
    if (seen[group]) return;
    seen[group] = true;
    for_each_before(orders[group], orders.size(), roster, add);
    all.push_back(group);
  };
  for (std::size_t group = 0; group < orders.size(); ++group) add(group);
  return all;
}

std::string circle_of(std::size_t group, const std::vector<Order>& orders, const Roster& roster) {
  std::vector<bool> seen(orders.size());
  const std::function<std::string(std::size_t)> back_from = [&](std::size_t at) {
    std::string path;
    for_each_before(orders[at], orders.size(), roster, [&](std::size_t before) {
      if (!path.empty() || (before != group && seen[before])) return;
      seen[before] = true;
      const std::string& name = roster.groups()[before].name;
      if (before == group) {
        path = name;
      } else if (const auto rest = back_from(before); !rest.empty()) {
        path = name + " -> " + rest;
      }
    });
    return path;
  };
  const auto path = back_from(group);
  return path.empty() ? path : roster.groups()[group].name + " -> " + path;
}

}  // namespace holdfast::file
