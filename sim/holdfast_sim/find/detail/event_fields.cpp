#include <holdfast_sim/find/detail/event_fields.hpp>

#include <type_traits>
#include <utility>
#include <variant>

#include <holdfast/detail/enumerators.hpp>
#include <holdfast/event_fields.hpp>
#include <holdfast_sim/observe/detail/chaos_fields.hpp>

namespace holdfast::sim::detail {

namespace {

constexpr std::string_view kLengthEnd = "_ns";

std::string_view without_unit(std::string_view key) {
  if (key.ends_with(kLengthEnd)) key.remove_suffix(kLengthEnd.size());
  return key;
}

template <class Value>
struct WithoutOptional {
  using Type = Value;
};
template <class Value>
struct WithoutOptional<std::optional<Value>> {
  using Type = Value;
};

template <class Enumeration, std::size_t... Index>
std::vector<std::string_view> words_of_enumeration(std::index_sequence<Index...>) {
  return {to_string(static_cast<Enumeration>(Index))...};
}

// Those that a value may be; none if it may be any text.
template <class Plain>
std::vector<std::string_view> words_of() {
  if constexpr (std::is_same_v<Plain, bool>) {
    return {"true"};
  } else if constexpr (std::is_enum_v<Plain>) {
    return words_of_enumeration<Plain>(std::make_index_sequence<holdfast::detail::enumerators_of<Plain>()>{});
  } else {
    return {};
  }
}

class FieldLister {
 public:
  template <class Value>
  void operator()(std::string_view key, const Value&) {
    using Plain = typename WithoutOptional<std::remove_cvref_t<Value>>::Type;
    FieldKind kind{.key = without_unit(key)};
    if (key.ends_with(kLengthEnd)) {
      kind.of = FieldKind::Of::length;
    } else if (std::is_integral_v<Plain> && !std::is_same_v<Plain, bool>) {
      kind.of = FieldKind::Of::number;
    } else {
      kind.words = words_of<Plain>();
    }
    fields.push_back(std::move(kind));
  }
  std::vector<FieldKind> fields;
};

class FieldSeeker {
 public:
  explicit FieldSeeker(std::string_view key) : key_(key) {}

  template <class Value>
  void operator()(std::string_view key, const Value& value) {
    if (without_unit(key) == key_) take(value);
  }
  FieldValue found;

 private:
  void take(Duration value) { found.number = value.count(); }
  void take(bool value) {
    if (value) found.text = "true";
  }
  void take(std::string_view value) { found.text = std::string{value}; }
  void take(const std::string& value) { found.text = value; }
  template <class Value>
  void take(const std::optional<Value>& value) {
    if (value) take(*value);
  }
  template <class Value>
  void take(const Value& value) {
    if constexpr (std::is_integral_v<Value>) {
      found.number = static_cast<std::int64_t>(value);
    } else {
      found.text = std::string{to_string(value)};
    }
  }

  std::string_view key_;
};

// The backoff and the rest of a policy stand in the file of the scenario: nobody looks for them here.
template <class Visitor, class What>
void visit_shown(Visitor& visitor, const What& what) {
  if constexpr (std::is_same_v<What, event::Added>) {
    visitor("runs_before", what.runs_before.value);
    visitor("can_be_killed", what.can_be_killed);
    visitor("runs_side_by_side", what.runs_side_by_side);
  } else if constexpr (!event::HasPolicy<What>) {
    visit_fields(visitor, what);
  }
}

template <std::size_t... Index>
std::vector<std::string_view> kinds_of_supervisor(std::index_sequence<Index...>) {
  return {std::variant_alternative_t<Index, Event::What>::kKind...};
}

template <std::size_t Index = 0>
void list_fields(std::string_view kind, FieldLister& lister) {
  if constexpr (Index < std::variant_size_v<Event::What>) {
    using Kind = std::variant_alternative_t<Index, Event::What>;
    if (Kind::kKind != kind) return list_fields<Index + 1>(kind, lister);
    const Kind what{};
    visit_shown(lister, what);
  } else {
    const ChaosEvent chaos;
    visit_chaos(lister, chaos);
  }
}

}  // namespace

const std::vector<std::string_view>& kinds_of_events() {
  static const auto all = [] {
    auto kinds = kinds_of_supervisor(std::make_index_sequence<std::variant_size_v<Event::What>>{});
    for (std::size_t i = 0; i < holdfast::detail::enumerators_of<ChaosEvent::Kind>(); ++i) {
      kinds.push_back(to_string(static_cast<ChaosEvent::Kind>(i)));
    }
    return kinds;
  }();
  return all;
}

std::vector<FieldKind> fields_of_kind(std::string_view kind) {
  FieldLister lister;
  list_fields(kind, lister);
  return std::move(lister.fields);
}

FieldValue field_of(const Event& event, std::string_view key) {
  FieldSeeker seeker{key};
  visit_what(event.what, [&](const auto& what) { visit_shown(seeker, what); });
  return std::move(seeker.found);
}

FieldValue field_of(const ChaosEvent& event, std::string_view key) {
  FieldSeeker seeker{key};
  visit_chaos(seeker, event);
  return std::move(seeker.found);
}

}  // namespace holdfast::sim::detail
