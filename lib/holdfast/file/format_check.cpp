#include <holdfast/file/format_check.hpp>

#include <algorithm>
#include <utility>

#include <holdfast/policy.hpp>

#include <holdfast/file/duration_text.hpp>
#include <holdfast/file/hints.hpp>
#include <holdfast/file/message_text.hpp>

namespace holdfast::file {

namespace {

using holdfast::to_string;
using Kind = TomlValue::Kind;

// What TOML calls the value, and the value itself where it is short.
std::string found(const TomlValue& value) {
  switch (value.kind) {
    case Kind::text: return "is the text " + in_quotes(value.text);
    case Kind::integer: return "is the whole number " + std::to_string(value.integer);
    case Kind::number: return "is the number " + decimal(value.number);
    case Kind::boolean: return value.boolean ? "is true" : "is false";
    case Kind::time: return "is a date or a time of day";
    case Kind::array: return "is an array";
    case Kind::table: return "is a table";
  }
  return "is unknown";
}

// Whether the form is the one for values of this TOML type.
bool is_for(const Form& form, Kind kind) {
  struct Matches {
    Kind kind;
    bool operator()(const Text&) const { return kind == Kind::text; }
    bool operator()(const Name&) const { return kind == Kind::text; }
    bool operator()(const Word&) const { return kind == Kind::text; }
    bool operator()(const Length&) const { return kind == Kind::text; }
    bool operator()(const Integer&) const { return kind == Kind::integer; }
    bool operator()(const Number&) const { return kind == Kind::integer || kind == Kind::number; }
    bool operator()(const True&) const { return kind == Kind::boolean; }
    bool operator()(const Texts&) const { return kind == Kind::array; }
    bool operator()(const LengthPair&) const { return kind == Kind::array; }
    bool operator()(const Inner&) const { return kind == Kind::table; }
    bool operator()(const Tables&) const { return kind == Kind::array; }
    bool operator()(const Spelt&) const { return kind == Kind::text; }
    bool operator()(const Integers&) const { return kind == Kind::array; }
    bool operator()(const NamedTexts&) const { return kind == Kind::table; }
  };
  return std::visit(Matches{kind}, form);
}

std::vector<std::string_view> names_of(const Table& table) {
  std::vector<std::string_view> names;
  for (const auto& key : table.keys) names.push_back(key.name);
  names.insert(names.end(), table.elsewhere.begin(), table.elsewhere.end());
  return names;
}

// What the value is, in a message about its size.
std::string shown(const TomlValue& value) {
  return value.kind == Kind::integer ? std::to_string(value.integer) : decimal(value.number);
}

// The value that a text begins with, as TOML would have it: `{ for = "5min" }`. Empty: it begins with a word.
std::string_view written_value(std::string_view text) {
  if (text.empty()) return text;
  int depth = 0;
  char quote = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quote != 0) {
      if (c == '\\' && quote == '"') ++at;
      if (c == quote) quote = 0;
      if (quote == 0 && depth == 0) return text.substr(0, at + 1);
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth <= 0) return text.substr(0, at + 1);
    } else if (depth == 0) {
      const auto word = text.substr(0, text.find_first_of(" ,;:"));
      const bool is_number = word.find_first_not_of("0123456789.-_") == std::string_view::npos;
      return is_number || word == "true" ? word : std::string_view{};
    }
  }
  return {};
}

class Check {
 public:
  // Without advice it only says whether something is wrong: advice asks that of what it would have written.
  enum class Says : std::uint8_t { advice, only_whether };

  Check(const Table& whole, Complaints& complaints, Says says = Says::advice)
      : whole_(whole), complaints_(complaints), says_(says) {}

  void table(TomlValue& value, const Table& rules, const std::string& path) {
    for (auto& entry : value.entries) {
      if (complaints_.full()) return;
      const std::string inner = (path.empty() ? "" : path + '.') + key_text(entry.key);
      if (const auto* const key = rules.find(entry.key)) {
        key_value(entry.value, *key, inner);
      } else if (std::find(rules.elsewhere.begin(), rules.elsewhere.end(), entry.key) == rules.elsewhere.end()) {
        unknown(entry, rules, inner);
      }
    }
    for (const auto& key : rules.keys) presence(value, key, path);
    choice(value, rules, path);
  }

  void key_value(TomlValue& value, const Key& key, const std::string& path) {
    const auto form = std::find_if(key.forms.begin(), key.forms.end(),
                                   [&value](const Form& candidate) { return is_for(candidate, value.kind); });
    if (form == key.forms.end()) {
      refuse(value, path, found(value) + "; " + advice([&] { return type_hint(value, key, path); }, key));
      return;
    }
    std::visit([&](const auto& matching) { check(value, matching, key, path); }, *form);
  }

 private:
  void refuse(TomlValue& value, const std::string& path, std::string says) {
    refuse(value, value.at, path, std::move(says));
  }

  void refuse(TomlValue& value, Position at, const std::string& path, std::string says) {
    value.refused = true;
    complaints_.add(at, path, std::move(says));
  }

  void unknown(TomlEntry& entry, const Table& rules, const std::string& path) {
    if (says_ == Says::only_whether) return refuse(entry.value, entry.at, path, "");
    const auto allowed = names_of(rules);
    const auto same = std::find_if(allowed.begin(), allowed.end(),
                                   [&](std::string_view name) { return is_the_same_word(name, entry.key); });
    const auto near = same != allowed.end() ? *same : nearest(entry.key, allowed);
    // A word of others is no slip of the pen: "stop_timeout" is not "start_timeout".
    auto hint = is_the_same_word(near, entry.key) ? std::string{} : foreign_key_hint(entry.key, rules, whole_);
    if (hint.empty() && near.empty()) hint = key_hint(entry.key, rules, whole_);
    refuse(entry.value, entry.at, path,
           hint.empty() ? "unknown key; " + did_you_mean(near, "allowed here: " + listed(allowed))
                        : "unknown key; " + hint);
  }

  void presence(TomlValue& value, const Key& key, const std::string& path) {
    const std::string inner = (path.empty() ? "" : path + '.') + std::string{key.name};
    const auto* const present = value.find(key.name);
    if (present == nullptr && key.required) {
      refuse(value, path.empty() ? Position{} : value.at, inner, "is missing; required is " + describe(key));
    }
    if (present != nullptr && !key.needs.empty() && value.find(key.needs) == nullptr) {
      refuse(value, present->at, inner, "stands alone; it needs " + in_quotes(key.needs) + " beside it");
    }
  }

  void choice(TomlValue& value, const Table& rules, const std::string& path) {
    if (rules.choice == Table::Choice::free) return;
    std::vector<std::string_view> present;
    for (const auto& entry : value.entries) {
      if (std::find(rules.of.begin(), rules.of.end(), entry.key) != rules.of.end()) present.push_back(entry.key);
    }
    const bool exactly = rules.choice == Table::Choice::exactly_one;
    if (present.empty()) {
      refuse(value, path,
             std::string{"has none of: "} + listed(rules.of) + "; " + (exactly ? "exactly" : "at least") +
                 " one of them is required");
    } else if (exactly && present.size() > 1) {
      refuse(value, path, "has " + listed(present) + " together; exactly one of them is allowed");
    }
  }

  void check(TomlValue& value, const Text&, const Key& key, const std::string& path) {
    if (value.text.empty()) refuse(value, path, "is empty; allowed is " + describe(key));
  }

  void check(TomlValue& value, const Name&, const Key&, const std::string& path) {
    for (const auto& problem : problems(ServiceConfig{value.text, {}})) {
      if (problem.field == "name") refuse(value, path, problem.says);
    }
  }

  void check(TomlValue& value, const Word& word, const Key& key, const std::string& path) {
    if (std::find(word.words.begin(), word.words.end(), value.text) != word.words.end()) return;
    const auto hint = good_hint([&] { return word_hint(value.text, key); }, key);
    refuse(value, path,
           "is " + in_quotes(value.text) + "; " +
               (hint.empty() ? did_you_mean(nearest(value.text, word.words), "allowed is " + describe(key)) : hint));
  }

  // The key may accept other things than a length of time: the message names them all.
  void check(TomlValue& value, const Length& length, const Key& key, const std::string& path) {
    const auto fault = fault_of_duration(value.text);
    if (!fault && *parse_duration(value.text) >= length.min) return;
    if (fault == DurationFault::form) {
      const auto hint = good_hint([&] { return length_hint(value.text, length, key); }, key);
      if (!hint.empty()) return refuse(value, path, "is " + in_quotes(value.text) + "; " + hint);
      refuse(value, path,
             "is " + in_quotes(value.text) + "; allowed is " + describe(key) + ". A length of time is " +
                 std::string{kDurationForm});
    } else {
      refuse(
          value, path,
          "is " + in_quotes(value.text) + "; allowed is " + to_string(length.min) + " to " + to_string(kDurationMax));
    }
  }

  void check(TomlValue& value, const Integer& range, const Key& key, const std::string& path) {
    const bool held = value.integer >= 0 && std::cmp_greater_equal(value.integer, range.min) &&
                      std::cmp_less_equal(value.integer, range.max);
    if (!held) refuse(value, path, "is " + std::to_string(value.integer) + "; allowed is " + describe(key));
  }

  void check(TomlValue& value, const Number& range, const Key& key, const std::string& path) {
    if (value.kind == Kind::integer) value.number = static_cast<double>(value.integer);
    const Ratio ratio = Ratio::from(value.number);
    // The largest values are whole, so they are compared before anything is rounded.
    const bool too_large = value.number > static_cast<double>(range.max.two_to_minus_32) / 4294967296.0;
    const bool held = (range.above_min ? ratio > range.min : ratio >= range.min) && !too_large && ratio <= range.max;
    if (!held)
      refuse(value, path, "is " + shown(value) + "; " + advice([&] { return share_hint(value.number, range); }, key));
  }

  void check(TomlValue& value, const True&, const Key&, const std::string& path) {
    if (!value.boolean) refuse(value, path, "is false; allowed is true, or leave the key out");
  }

  void check(TomlValue& value, const Texts& texts, const Key& key, const std::string& path) {
    if (value.items.size() < texts.min) refuse(value, path, "is an empty array; allowed is " + describe(key));
    items(value, path, [&](TomlValue& item, const std::string& inner) {
      const bool may_be_empty = texts.may_be_empty && &item != &value.items.front();
      if (item.kind != Kind::text) {
        const auto hint =
            item.kind == Kind::integer ? "write " + in_quotes(std::to_string(item.integer)) : std::string{};
        refuse(
            item, inner,
            found(item) + "; " + (texts.may_be_empty && !hint.empty() ? hint : "allowed is a text that is not empty"));
      } else if (item.text.empty() && !may_be_empty) {
        refuse(item, inner, "is empty; allowed is a text that is not empty");
      }
    });
  }

  void check(TomlValue& value, const LengthPair& pair, const Key&, const std::string& path) {
    if (value.items.size() != 2) {
      refuse(value, path, "is an array of " + std::to_string(value.items.size()) + "; allowed is " + describe(pair));
      return;
    }
    static const Key length_key{"", {Length{}}};
    items(value, path, [&](TomlValue& item, const std::string& inner) {
      if (item.kind == Kind::text) {
        check(item, Length{}, length_key, inner);
      } else {
        refuse(item, inner, found(item) + "; allowed is " + describe(length_key));
      }
    });
  }

  void check(TomlValue& value, const Inner& inner, const Key&, const std::string& path) {
    table(value, inner.table(), path);
  }

  void check(TomlValue& value, const Tables& tables, const Key& key, const std::string& path) {
    if (value.items.size() > tables.max) {
      refuse(value, path, "has " + std::to_string(value.items.size()) + " entries; allowed is " + describe(key));
      return;
    }
    items(value, path, [&](TomlValue& item, const std::string& inner) {
      if (item.kind == Kind::table) {
        table(item, tables.table(), inner);
      } else {
        refuse(item, inner, found(item) + "; allowed is a table");
      }
    });
  }

  void check(TomlValue& value, const Spelt& spelt, const Key& key, const std::string& path) {
    if (spelt.fits(value.text)) return;
    const auto hint = [&] { return spelt.hint == nullptr ? std::string{} : spelt.hint(value.text); };
    refuse(value, path, "is " + in_quotes(value.text) + "; " + advice(hint, key));
  }

  void check(TomlValue& value, const Integers& range, const Key&, const std::string& path) {
    static const auto describe_item = [](const Integers& of) { return describe(Form{Integer{of.min, of.max}}); };
    items(value, path, [&](TomlValue& item, const std::string& inner) {
      const bool held = item.kind == Kind::integer && item.integer >= 0 &&
                        std::cmp_greater_equal(item.integer, range.min) && std::cmp_less_equal(item.integer, range.max);
      if (!held) refuse(item, inner, found(item) + "; allowed is " + describe_item(range));
    });
  }

  void check(TomlValue& value, const NamedTexts&, const Key&, const std::string& path) {
    for (auto& entry : value.entries) {
      if (complaints_.full()) return;
      if (entry.value.kind == Kind::text) continue;
      const auto inner = path + '.' + key_text(entry.key);
      const auto hint = entry.value.kind == Kind::integer ? "write " + in_quotes(std::to_string(entry.value.integer))
                                                          : std::string{"allowed is a text"};
      refuse(entry.value, inner, found(entry.value) + "; " + hint);
    }
  }

  template <class CheckItem>
  void items(TomlValue& value, const std::string& path, const CheckItem& check_item) {
    for (std::size_t i = 0; i < value.items.size() && !complaints_.full(); ++i) {
      check_item(value.items[i], path + '[' + std::to_string(i) + ']');
    }
  }

  // A message does not suggest what the reader would refuse in turn.
  template <class Hint>
  [[nodiscard]] std::string good_hint(const Hint& hint, const Key& key) const {
    if (says_ == Says::only_whether) return "";
    auto says = hint();
    return is_good_advice(says, key) ? says : std::string{};
  }

  // What to write instead, where that is known; else what is allowed.
  template <class Hint>
  [[nodiscard]] std::string advice(const Hint& hint, const Key& key) const {
    auto says = good_hint(hint, key);
    return says.empty() ? "allowed is " + describe(key) : says;
  }

  const Table& whole_;
  Complaints& complaints_;
  Says says_;
};

}  // namespace

bool fits(TomlValue value, const Key& key) {
  static const Table none;
  Complaints complaints{""};
  Check{none, complaints, Check::Says::only_whether}.key_value(value, key, "");
  return complaints.empty();
}

bool is_good_advice(std::string_view advice, const Key& key) {
  constexpr std::string_view kWrite = "write ";
  constexpr std::string_view kOr = " or ";
  if (!advice.starts_with(kWrite)) return true;
  for (advice.remove_prefix(kWrite.size());; advice.remove_prefix(kOr.size())) {
    const auto value = written_value(advice);
    if (value.empty()) return true;
    try {
      const auto document = parse_toml("x = " + std::string{value} + '\n', "");
      // What is too long to be quoted as a whole is no advice.
      if (value.find("…") != std::string_view::npos || !fits(document.entries.front().value, key)) return false;
    } catch (const BadInput&) {
      return false;
    }
    advice.remove_prefix(value.size());
    if (!advice.starts_with(kOr)) return true;
  }
}

void check_format(TomlValue& document, const Table& rules, Complaints& complaints) {
  Check{rules, complaints}.table(document, rules, "");
}

std::string key_text(std::string_view key) {
  const bool bare = !key.empty() && key.size() <= 64 && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return bare ? std::string{key} : in_quotes(key);
}

}  // namespace holdfast::file
