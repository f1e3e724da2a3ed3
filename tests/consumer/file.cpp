// A program that reads a policy from a text, and says what is wrong with another one.
#include <iostream>
#include <optional>
#include <string_view>

#include <holdfast/file/format_check.hpp>
#include <holdfast/file/policy_keys.hpp>
#include <holdfast/file/toml_document.hpp>

using namespace std::chrono_literals;

namespace {

// Throws BadInput with everything that is wrong.
holdfast::BackoffPolicy policy_from(std::string_view text) {
  using namespace holdfast::file;
  auto document = parse_toml(text, "policy.toml");
  Complaints complaints{"policy.toml"};
  check_format(document, table_of<holdfast::BackoffPolicy>(), complaints);
  complaints.throw_if_any();
  return Value<holdfast::BackoffPolicy>::read(document);
}

}  // namespace

int main() {
  if (policy_from("base = \"1s\"\nbreaker = \"off\"\n") !=
      holdfast::BackoffPolicy{.base = 1s, .breaker = std::nullopt}) {
    return 1;
  }
  // A program that links the library of files links the core.
  if (!holdfast::problems(policy_from("max = \"20s\"\nbreaker = \"off\"\n")).empty()) return 1;
  try {
    policy_from("bse = \"1s\"\n");
  } catch (const holdfast::file::BadInput& bad) {
    std::cout << bad.what() << '\n';
    return std::string_view{bad.what()}.find("did you mean \"base\"?") == std::string_view::npos ? 1 : 0;
  }
  return 1;
}
