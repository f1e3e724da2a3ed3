#include <holdfast/file/key_reference.hpp>

#include <map>
#include <set>
#include <utility>

#include <holdfast/file/policy_keys.hpp>
#include <holdfast/file/toml_text.hpp>
#include <holdfast/presets.hpp>

namespace holdfast::file {

namespace {

using holdfast::to_string;

std::string code(std::string_view text) { return '`' + std::string{text} + '`'; }

// What a key's value is, in as few words as a column has room for.
struct TypeOf {
  std::string operator()(const Text&) const { return "text"; }
  std::string operator()(const Name&) const { return "name"; }
  std::string operator()(const Word& word) const {
    std::string list;
    for (const auto each : word.words) list += (list.empty() ? "" : ", ") + code('"' + std::string{each} + '"');
    return list;
  }
  std::string operator()(const Length& length) const {
    return length.min > Duration::zero() ? "length of time from " + code(to_string(length.min)) : "length of time";
  }
  std::string operator()(const Integer& integer) const {
    const auto from = "whole number from " + std::to_string(integer.min);
    return integer.max == Integer::kMax ? from : from + " to " + std::to_string(integer.max);
  }
  std::string operator()(const Number& number) const {
    return (number.above_min ? "number above " : "number from ") + to_string(number.min) +
           (number.above_min ? " and up to " : " to ") + to_string(number.max);
  }
  std::string operator()(const True&) const { return "`true`"; }
  std::string operator()(const Texts& texts) const {
    return texts.min > 0 ? "array of texts that is not empty" : "array of texts";
  }
  std::string operator()(const LengthPair&) const { return "array of two lengths of time"; }
  std::string operator()(const Inner& inner) const {
    return inner.table().is_small ? "table" : "table " + code(inner.table().name);
  }
  std::string operator()(const Tables& tables) const {
    return "array of up to " + std::to_string(tables.max) + " tables";
  }
  std::string operator()(const Spelt& spelt) const { return std::string{spelt.is}; }
  std::string operator()(const Integers& integers) const {
    return "array of whole numbers from " + std::to_string(integers.min) + " to " + std::to_string(integers.max);
  }
  std::string operator()(const NamedTexts&) const { return "table of texts"; }
};

class Rows {
 public:
  void add(const Table& table, const std::string& prefix) {
    for (const auto& key : table.keys) add(key, prefix + std::string{key.name});
  }

  std::string take() { return std::move(rows_); }

 private:
  // A small table stands in several keys of one table: its keys are listed behind the first.
  void add(const Key& key, const std::string& path) {
    std::string type;
    const Table* inner = nullptr;
    for (const auto& form : key.forms) {
      if (!type.empty()) type += ", or ";
      type += std::visit(TypeOf{}, form);
      const auto* const small = std::get_if<Inner>(&form);
      if (small == nullptr || !small->table().is_small) continue;
      const auto [first, added] = listed_.try_emplace(&small->table(), path);
      added ? static_cast<void>(inner = &small->table())
            : static_cast<void>(type += " like that of " + code(first->second));
    }
    if (key.required) type += ", *required*";
    const auto otherwise = key.default_value ? code(value_text(*key.default_value)) : std::string{key.otherwise};
    rows_ += "| " + code(path) + " | " + type + " | " + otherwise + " | " + std::string{key.help} +
             (key.needs.empty() ? "" : ". Needs " + code(key.needs)) + " |\n";
    if (inner != nullptr) add(*inner, path + '.');
  }

  std::map<const Table*, std::string> listed_;  // only looked up
  std::string rows_;
};

}  // namespace

std::string key_reference(const Table& file) {
  std::string text;
  for (const auto& [path, table] : list_format(file).tables) {
    if (table->is_small) continue;
    Rows rows;
    rows.add(*table, "");
    text += (text.empty() ? "# " : "\n# ") + std::string{table->name} +
            "\n\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n" + rows.take();
  }
  return text;
}

std::string preset_reference() {
  std::string text =
      "# presets\n\n| preset | of | policy | the other supervisor | later by up to | read in |\n"
      "| --- | --- | --- | --- | --- | --- |\n";
  for (const auto& preset : presets()) {
    text += "| " + code('"' + std::string{preset.name} + '"') + " | " + std::string{preset.of} + " | " +
            code(value_text(Value<BackoffPolicy>::write(preset.policy))) + " | " + std::string{preset.differs} + " | " +
            code(to_string(preset.granularity)) + " | " + std::string{preset.source} + " |\n";
  }
  return text;
}

}  // namespace holdfast::file
