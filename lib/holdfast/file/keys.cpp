#include <holdfast/file/keys.hpp>

#include <algorithm>
#include <utility>

#include <holdfast/policy.hpp>

#include <holdfast/file/duration_text.hpp>
#include <holdfast/file/message_text.hpp>

namespace holdfast::file {

namespace {

using holdfast::to_string;

std::string describe_table(const Table& table, const char* what) {
  if (table.choice == Table::Choice::exactly_one) return what + (" with one of: " + listed(table.of));
  std::vector<std::string_view> names;
  for (const auto& key : table.keys) names.push_back(key.name);
  return what + (" with: " + listed(names));
}

struct Describe {
  std::string operator()(const Text&) const { return "a text that is not empty"; }
  std::string operator()(const Name&) const { return "a text of 1 to " + std::to_string(kNameLengthMax) + " bytes"; }
  std::string operator()(const Word& word) const {
    std::string text = word.words.size() > 1 ? "one of " : "";
    for (std::size_t i = 0; i < word.words.size(); ++i) {
      if (i > 0) text += ", ";
      text += in_quotes(word.words[i]);
    }
    return text;
  }
  std::string operator()(const Length& length) const {
    return "a length of time from " + to_string(length.min) + " to " + to_string(kDurationMax) + " like \"1h30min\"";
  }
  std::string operator()(const Integer& integer) const {
    return "a whole number from " + std::to_string(integer.min) + " to " + std::to_string(integer.max);
  }
  std::string operator()(const Number& number) const {
    return std::string{number.above_min ? "a number above " : "a number from "} + to_string(number.min) +
           (number.above_min ? " and up to " : " to ") + to_string(number.max);
  }
  std::string operator()(const True&) const { return "true"; }
  std::string operator()(const Texts& texts) const {
    return texts.min > 0 ? "an array of texts that is not empty" : "an array of texts";
  }
  std::string operator()(const LengthPair&) const {
    return "an array of two lengths of time, the least and the greatest, like [\"1s\", \"5s\"]";
  }
  std::string operator()(const Inner& inner) const { return describe_table(inner.table(), "a table"); }
  std::string operator()(const Tables& tables) const {
    return "an array of up to " + std::to_string(tables.max) + " tables";
  }
  std::string operator()(const Spelt& spelt) const { return std::string{spelt.is}; }
  std::string operator()(const Integers& integers) const {
    return "an array of whole numbers from " + std::to_string(integers.min) + " to " + std::to_string(integers.max);
  }
  std::string operator()(const NamedTexts&) const { return "a table of texts"; }
};

class Lister {
 public:
  void list(const std::string& path, const Table& table) {
    const bool listed_before = std::any_of(listing_.tables.begin(), listing_.tables.end(),
                                           [&table](const ListedTable& listed) { return listed.table == &table; });
    if (listed_before) return;
    listing_.tables.push_back({path, &table});
    for (const auto& key : table.keys) list_key((path.empty() ? "" : path + '.') + std::string{key.name}, key);
  }

  Listing take() { return std::move(listing_); }

 private:
  void list_key(const std::string& path, const Key& key) {
    listing_.keys.push_back({path, &key});
    for (const auto& form : key.forms) {
      if (const auto* const inner = std::get_if<Inner>(&form)) list(path, inner->table());
      if (const auto* const tables = std::get_if<Tables>(&form)) list(path, tables->table());
    }
  }

  Listing listing_;
};

}  // namespace

const Key* Table::find(std::string_view key) const noexcept {
  const auto found = std::find_if(keys.begin(), keys.end(), [key](const Key& each) { return each.name == key; });
  return found == keys.end() ? nullptr : &*found;
}

void read_keys(const TomlValue& value, const Table& table, void* object) {
  for (const auto& key : table.keys) {
    const auto* const found = value.find(key.name);
    if (found != nullptr && !found->refused) key.read(*found, object);
  }
}

TomlValue written_keys(const Table& table, const void* object) {
  TomlValue written;
  for (const auto& key : table.keys) key.write(object, written);
  return written;
}

std::string describe(const Form& form) { return std::visit(Describe{}, form); }

std::string describe(const Key& key) {
  std::string text;
  for (const auto& form : key.forms) {
    if (!text.empty()) text += ", or ";
    text += describe(form);
  }
  return text;
}

Listing list_format(const Table& file) {
  Lister lister;
  lister.list("", file);
  return lister.take();
}

}  // namespace holdfast::file
