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

// What `ready` and `health` of programs mean for the policy. After all other keys of a group.
template <class Group>
void describe_probes(TableOf<Group>& table) {
  table.change(
      "ready", {Inner{table_of<ReadyWhen>}},
      [](const TomlValue& value, Group& group) {
        if (value.kind != TomlValue::Kind::table) return false;
        group.program.ready = Value<ReadyWhen>::read(value);
        group.policy.ready = Ready::notified;
        return true;
      },
      [](const Group& group, TomlValue& to) {
        if (group.program.ready) put(to, "ready", Value<ReadyWhen>::write(*group.program.ready));
        return group.program.ready.has_value();
      });
  table.change(
      "health", {},
      [](const TomlValue& value, Group& group) {
        group.program.health = Value<HealthWhen>::read(value);
        group.policy.watchdog = watchdog_of(group.program.health->times());
        group.policy.watchdog_needs = SignOfLife::health;
        return true;
      },
      [](const Group&, TomlValue&) { return false; });
  for (const std::string_view name : {"watchdog", "watchdog_needs"}) {
    table.change(
        name, {}, [](const TomlValue&, Group& group) { return group.program.health.has_value(); },
        [](const Group& group, TomlValue&) { return group.program.health.has_value(); });
  }
}

void describe(TableOf<ServiceGroup>& table);
void describe(TableOf<FleetFile>& table);

}  // namespace holdfast::file

#pragma GCC visibility pop
