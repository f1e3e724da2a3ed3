// Lists the keys of a struct.
//
//     void describe(TableOf<Budget>& table) {
//       table.name("budget");
//       table.key("events", &Budget::events, {.forms = {Integer{1}}, .help = "timers fired"});
//       table.key("virtual_time", &Budget::virtual_time, {.forms = {kPositiveLength}, .help = "virtual time"});
//     }
//
// This is all that a struct needs: Value<Budget> is then a table with these keys. The describe() of a struct is
// declared in the namespace of the struct, where argument-dependent lookup finds it. A key that is not required has the
// default of its member. A member that no key fills is a mistake, and ends the program when the table is first used.
// Members that come from elsewhere are named by without_key().
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <holdfast/detail/assert.hpp>

#include <holdfast/file/values.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

template <class T>
class TableOf;

template <class T>
concept Described = std::is_class_v<T> && requires(TableOf<T>& table) {
  describe(table);
};

// The one table of a struct.
template <Described T>
const Table& table_of() {
  static const Table table = [] {
    TableOf<T> made;
    describe(made);
    return made.take();
  }();
  return table;
}

template <Described T>
struct Value<T> {
  static std::vector<Form> forms() { return {Inner{table_of<T>}}; }
  static T read(const TomlValue& value) {
    T object{};
    read_keys(value, table_of<T>(), &object);
    return object;
  }
  static TomlValue write(const T& object) { return written_keys(table_of<T>(), &object); }
};

template <Described T>
struct Value<std::vector<T>> {
  static std::vector<Form> forms() { return {Tables{table_of<T>}}; }
  static std::vector<T> read(const TomlValue& value) {
    std::vector<T> objects;
    objects.reserve(value.items.size());
    for (const auto& item : value.items) objects.push_back(Value<T>::read(item));
    return objects;
  }
  static TomlValue write(const std::vector<T>& objects) {
    std::vector<TomlValue> items;
    items.reserve(objects.size());
    for (const auto& object : objects) items.push_back(Value<T>::write(object));
    return toml(std::move(items));
  }
};

namespace detail {

// Converts to everything, so that a struct can be initialised with so many of them as it has members.
template <std::size_t>
struct Anything {
  template <class T>
  operator T&() const&& noexcept;  // NOLINT(google-explicit-constructor): that is its purpose
  template <class T>
  operator T&() const& noexcept;  // NOLINT(google-explicit-constructor)
};

template <class T, std::size_t... Index>
consteval bool has_members(std::index_sequence<Index...>) {
  return requires { T{Anything<Index>{}...}; };
}

// How many members an aggregate has.
template <class T, std::size_t AtMost = 32>
consteval std::size_t members() {
  if constexpr (AtMost == 0 || has_members<T>(std::make_index_sequence<AtMost>{})) {
    return AtMost;
  } else {
    return members<T, AtMost - 1>();
  }
}

// A member that is not there has no value of its own: the T of std::optional<T>, or else the member's type.
template <class M>
struct Present {
  using Type = M;
  static constexpr bool kOptional = false;
};
template <class M>
requires(!HasValue<std::optional<M>>) struct Present<std::optional<M>> {
  using Type = M;
  static constexpr bool kOptional = true;
};

// The keys of two structs as one table, with the name of the first.
template <Described First, Described Second>
const Table& table_of_both() {
  static const Table table = [] {
    Table both = table_of<First>();
    const auto& more = table_of<Second>().keys;
    both.keys.insert(both.keys.end(), more.begin(), more.end());
    return both;
  }();
  return table;
}

}  // namespace detail

template <class T>
class TableOf {
 public:
  // The properties of a key besides its name and its member.
  struct About {
    std::vector<Form> forms{};  // other limits than those of the member's type
    bool required = false;
    std::string_view needs{};      // the key that must stand beside it
    std::string_view otherwise{};  // what holds without it, if no value says so
    std::string_view help{};
    bool (*written)(const T&) = nullptr;  // whether the writer needs it; nullptr: where it differs from the default
  };

  void name(std::string_view name) { table_.name = name; }
  void is_small() { table_.is_small = true; }
  void elsewhere(std::vector<std::string_view> keys) { table_.elsewhere = std::move(keys); }
  void choice(Table::Choice choice, std::vector<std::string_view> of) {
    table_.choice = choice;
    table_.of = std::move(of);
  }

  template <class M>
  void key(std::string_view name, M T::*member, About about) {
    key_as<Value<typename detail::Present<M>::Type>>(name, member, std::move(about));
  }

  // The same for a member that a file writes in another way.
  template <class As, class M>
  void key_as(std::string_view name, M T::*member, About about) {
    ++members_;
    Key& key = add<As>(name, about);
    if constexpr (!detail::Present<M>::kOptional) {
      if (about.otherwise.empty() && !about.required) key.default_value = without_parts(As::write(T{}.*member));
    }
    key.read = [member](const TomlValue& value, void* object) { static_cast<T*>(object)->*member = As::read(value); };
    key.write = [name, member, about = std::move(about)](const void* object, TomlValue& table) {
      const T& whole = *static_cast<const T*>(object);
      if constexpr (detail::Present<M>::kOptional) {
        if (whole.*member) put(table, name, As::write(*(whole.*member)));
      } else if (is_written(whole, member, about, table)) {
        put(table, name, As::write(whole.*member));
      }
    };
  }

  // One table of the file whose keys fill two members, each with a table of its own.
  template <Described First, Described Second>
  void key_of_both(std::string_view name, First T::*first, Second T::*second, About about) {
    members_ += 2;
    about.forms = {Inner{detail::table_of_both<First, Second>}};
    Key& key = add<Value<First>>(name, about);
    key.read = [first, second](const TomlValue& value, void* object) {
      static_cast<T*>(object)->*first = Value<First>::read(value);
      static_cast<T*>(object)->*second = Value<Second>::read(value);
    };
    key.write = [name, first, second](const void* object, TomlValue& table) {
      auto written = Value<First>::write(static_cast<const T*>(object)->*first);
      auto more = Value<Second>::write(static_cast<const T*>(object)->*second);
      written.entries.insert(written.entries.end(), std::make_move_iterator(more.entries.begin()),
                             std::make_move_iterator(more.entries.end()));
      if (!written.entries.empty()) put(table, name, std::move(written));
    };
  }

  // All keys of a member that has a table of its own, as if they were the struct's.
  template <Described M>
  void all_of(M T::*member) {
    ++members_;
    for (Key key : table_of<M>().keys) {
      key.read = [read = std::move(key.read), member](const TomlValue& value, void* object) {
        read(value, &(static_cast<T*>(object)->*member));
      };
      key.write = [write = std::move(key.write), member](const void* object, TomlValue& table) {
        write(&(static_cast<const T*>(object)->*member), table);
      };
      table_.keys.push_back(std::move(key));
    }
  }

  // A key of the table has more forms, and what it fills depends on the whole struct. `read` and `write` come first;
  // where they return false, the key is read and written as before.
  template <class Read, class Write>
  void change(std::string_view name, std::vector<Form> more, Read read, Write write) {
    const auto key =
        std::find_if(table_.keys.begin(), table_.keys.end(), [name](const Key& each) { return each.name == name; });
    HOLDFAST_ASSERT(key != table_.keys.end(), "a key that is changed is in the table");
    key->forms.insert(key->forms.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    key->read = [read, before = std::move(key->read)](const TomlValue& value, void* object) {
      if (!read(value, *static_cast<T*>(object))) before(value, object);
    };
    key->write = [write, before = std::move(key->write)](const void* object, TomlValue& table) {
      if (!write(*static_cast<const T*>(object), table)) before(object, table);
    };
  }

  // Exactly one of several keys. Each stands for an alternative of the variant, written as As if that is given.
  template <class Alternative, class As = Value<Alternative>, class Variant>
  void alternative(std::string_view name, Variant T::*variant, About about) {
    if (table_.of.empty()) ++members_;
    add_alternative<Alternative, As>(
        name, [variant](auto* whole) { return &(whole->*variant); }, std::move(about));
  }
  // The same for a struct that is the variant.
  template <class Alternative, class As = Value<Alternative>>
  void alternative(std::string_view name, About about) {
    add_alternative<Alternative, As>(
        name, [](auto* whole) { return whole; }, std::move(about));
  }

  // A key for which no member stands: Value<T> itself reads it.
  template <class As>
  void key_of_value(std::string_view name, const About& about) {
    Key& key = add<As>(name, about);
    key.read = [](const TomlValue&, void*) {};
    key.write = [](const void*, TomlValue&) {};
  }

  // A member that no key fills.
  template <class M>
  void without_key(M T::*) {
    ++members_;
  }

  Table take() {
    if constexpr (std::is_aggregate_v<T>) {
      HOLDFAST_ASSERT(members_ == detail::members<T>(), "a member of a struct of the file has no key");
    }
    return std::move(table_);
  }

 private:
  template <class As>
  Key& add(std::string_view name, const About& about) {
    return table_.keys.emplace_back(Key{.name = name,
                                        .forms = about.forms.empty() ? As::forms() : about.forms,
                                        .required = about.required,
                                        .needs = about.needs,
                                        .otherwise = about.otherwise,
                                        .help = about.help});
  }

  template <class Alternative, class As, class Project>
  void add_alternative(std::string_view name, Project project, About about) {
    table_.choice = Table::Choice::exactly_one;
    table_.of.push_back(name);
    Key& key = add<As>(name, about);
    key.read = [project](const TomlValue& value, void* object) { *project(static_cast<T*>(object)) = As::read(value); };
    key.write = [name, project](const void* object, TomlValue& table) {
      const auto* const held = std::get_if<Alternative>(project(static_cast<const T*>(object)));
      if (held != nullptr) put(table, name, As::write(*held));
    };
  }

  // The default of a table is that of its keys.
  static std::optional<TomlValue> without_parts(TomlValue value) {
    const bool has_parts = value.kind == TomlValue::Kind::table || value.kind == TomlValue::Kind::array;
    return has_parts ? std::nullopt : std::optional{std::move(value)};
  }

  template <class M>
  static bool is_written(const T& whole, M T::*member, const About& about, const TomlValue& table) {
    if (about.written != nullptr) return about.written(whole);
    if (about.required || (!about.needs.empty() && table.find(about.needs) != nullptr)) return true;
    return whole.*member != T{}.*member;
  }

  Table table_;
  std::size_t members_ = 0;  // that have a key, or need none
};

}  // namespace holdfast::file

#pragma GCC visibility pop
