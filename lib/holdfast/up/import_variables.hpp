// The variables of a Compose file: $NAME, ${NAME}, ${NAME:-otherwise} and the other forms, and $$ for a dollar.
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast::up {

class ComposeVariables {
 public:
  using Lookup = std::function<std::optional<std::string>(const std::string&)>;
  explicit ComposeVariables(Lookup lookup) : lookup_(std::move(lookup)) {}

  struct Replaced {
    std::string text{};
    std::string fault{};  // it is none of the forms, or a variable that it needs is not set; empty: nothing is wrong
  };
  Replaced replaced(std::string_view text);

  // nullopt: it is not set.
  [[nodiscard]] std::optional<std::string> value_of(const std::string& name) const {
    return lookup_ ? lookup_(name) : std::nullopt;
  }
  [[nodiscard]] const std::set<std::string>& used() const noexcept { return used_; }    // those that are set
  [[nodiscard]] const std::set<std::string>& unset() const noexcept { return unset_; }  // those that became nothing

 private:
  Replaced replaced(std::string_view text, int depth);
  bool add_form(Replaced& made, std::string_view form, int depth);

  Lookup lookup_;
  std::set<std::string> used_;
  std::set<std::string> unset_;
};

}  // namespace holdfast::up
