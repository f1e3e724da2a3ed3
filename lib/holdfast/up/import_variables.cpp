#include <holdfast/up/import_variables.hpp>

#include <algorithm>
#include <utility>

#include <holdfast/file/letters.hpp>
#include <holdfast/file/message_text.hpp>

namespace holdfast::up {

namespace {

constexpr int kDepthMax = 20;  // of forms within forms

bool begins_name(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

std::string_view name_at_begin(std::string_view text) noexcept {
  if (text.empty() || !begins_name(text.front())) return {};
  const auto end = std::find_if(text.begin(), text.end(), [](char c) { return !begins_name(c) && !file::is_digit(c); });
  return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

// Of the brace that closes the one before the text.
std::size_t closing_brace(std::string_view text) noexcept {
  int open = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{' && i > 0 && text[i - 1] == '$') ++open;
    if (text[i] == '}' && --open == 0) return i;
  }
  return std::string_view::npos;
}

}  // namespace

ComposeVariables::Replaced ComposeVariables::replaced(std::string_view text) { return replaced(text, 0); }

ComposeVariables::Replaced ComposeVariables::replaced(std::string_view text, int depth) {
  Replaced made;
  const auto whole = text;
  const auto wrong = [&] {
    made.fault = "has a $ that begins no variable: " + file::in_quotes(whole) +
                 "; allowed are $NAME, ${NAME}, ${NAME:-otherwise}, and $$ for a $ itself";
    return made;
  };
  if (depth > kDepthMax) return wrong();
  while (!text.empty()) {
    const auto at = text.find('$');
    made.text += text.substr(0, at);
    if (at == std::string_view::npos) break;
    text.remove_prefix(at + 1);
    if (text.starts_with('$')) {
      made.text += '$';
      text.remove_prefix(1);
    } else if (text.starts_with('{')) {
      text.remove_prefix(1);
      const auto end = closing_brace(text);
      if (end == std::string_view::npos || name_at_begin(text).empty()) return wrong();
      if (!add_form(made, text.substr(0, end), depth)) return made.fault.empty() ? wrong() : made;
      text.remove_prefix(end + 1);
    } else {
      const auto name = name_at_begin(text);
      if (name.empty()) return wrong();
      add_form(made, name, depth);
      text.remove_prefix(name.size());
    }
  }
  return made;
}

// What stands between the braces. False: it is none of the forms, or its fault is there.
bool ComposeVariables::add_form(Replaced& made, std::string_view form, int depth) {
  const std::string name{name_at_begin(form)};
  auto rest = form.substr(name.size());
  const auto value = value_of(name);
  const bool counts_empty = rest.starts_with(':');
  if (counts_empty) rest.remove_prefix(1);
  const bool is_set = value && !(counts_empty && value->empty());
  if (rest.empty()) {
    if (counts_empty) return false;
    value ? used_.insert(name) : unset_.insert(name);
    made.text += value.value_or("");
    return true;
  }
  const char kind = rest.front();
  if (kind != '-' && kind != '?' && kind != '+') return false;
  auto word = replaced(rest.substr(1), depth + 1);
  if (!word.fault.empty()) {
    made.fault = std::move(word.fault);
    return false;
  }
  if (kind == '?' && !is_set) {
    made.fault = "needs the variable " + name + ", which is not set here" +
                 (word.text.empty() ? "" : " (\"" + file::printable(word.text) + "\")") + "; set it and import again";
    return false;
  }
  if (is_set) used_.insert(name);
  if (kind == '+') {
    made.text += is_set ? word.text : "";
  } else {
    made.text += is_set ? *value : word.text;
  }
  return true;
}

}  // namespace holdfast::up
