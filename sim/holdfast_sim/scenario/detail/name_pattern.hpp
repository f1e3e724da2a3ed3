// A pattern of names of services: `*` is any text, `{3..17}` a whole number from 3 to 17.
//
//     NamePattern::parse("eu-*-{0..9}")->matches("eu-feed-7")
//
// Thread-safety: values and pure functions, safe anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace holdfast::sim::detail {

class NamePattern {
 public:
  // nullopt: there is nothing of a pattern in it.
  static std::optional<NamePattern> parse(std::string_view text);

  // The whole name, not a part of it. A number has no leading zeros. REQUIRES: name.size() <= kServiceNameSizeMax.
  [[nodiscard]] bool matches(std::string_view name) const;

 private:
  struct AnyText {};
  struct Number {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
  };
  using Part = std::variant<std::string, AnyText, Number>;

  static std::optional<Number> parse_number(std::string_view text, std::size_t& length);

  std::vector<Part> parts_;
};

}  // namespace holdfast::sim::detail
