// The fields of a chaos event, as event_fields.hpp has those of events.
#pragma once

#include <holdfast_sim/observe/chaos_event.hpp>

namespace holdfast::sim {

// Calls field(name, reference) for each field of `chaos`, const or not.
template <class Field, class Chaos>
void visit_chaos(Field&& field, Chaos& chaos) {
  field("until_ns", chaos.until.nanoseconds);
  field("fails_after_ns", chaos.fails_after);
  field("cause", chaos.cause);
}

}  // namespace holdfast::sim
