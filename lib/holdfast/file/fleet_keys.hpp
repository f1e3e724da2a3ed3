// The keys of a fleet that every kind of group has, for both readers.
#pragma once

#include <holdfast/file/fleet.hpp>
#include <holdfast/file/policy_keys.hpp>
#include <holdfast/file/program_keys.hpp>
#include <holdfast/file/table_of.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

// The keys that name services. `Group` has the members of ServiceGroup.
template <class Group>
void describe_names(TableOf<Group>& table) {
  table.name("fleet");
  table.key("name", &Group::name,
            {.forms = {Name{}},
             .required = true,
             .help = "of the group. No other group has it, and no service of another group"});
  table.key("count", &Group::count,
            {.forms = {Integer{1, kServicesMax}},
             .otherwise = "none",
             .help = "with it the services are `name-0`, `name-1`, … `name-(count-1)`; without it there is one, called "
                     "`name`. All groups together have at most 2 000 000 services, those that recorded traces bring "
                     "included"});
}

void describe(TableOf<ServiceGroup>& table);
void describe(TableOf<FleetFile>& table);

}  // namespace holdfast::file

#pragma GCC visibility pop
