// The fields of an event by their names, as traces have them: which there are, and what one of them is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/event.hpp>
#include <holdfast_sim/observe/chaos_event.hpp>

namespace holdfast::sim::detail {

struct FieldKind {
  enum class Of : std::uint8_t { length, number, text };
  std::string_view key;  // of a length without "_ns"
  Of of = Of::text;
  std::vector<std::string_view> words{};  // of a text that is one of these
};

// Every kind of event, of the supervisor and of chaos.
const std::vector<std::string_view>& kinds_of_events();
// REQUIRES: it is one of these.
std::vector<FieldKind> fields_of_kind(std::string_view kind);

// What a field is in an event; neither: the event does not have it.
struct FieldValue {
  std::optional<std::int64_t> number{};
  std::optional<std::string> text{};
};
FieldValue field_of(const Event& event, std::string_view key);
FieldValue field_of(const ChaosEvent& event, std::string_view key);

}  // namespace holdfast::sim::detail
