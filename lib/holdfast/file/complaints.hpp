// Collects what is wrong with a file while it is being read.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/file/bad_input.hpp>

#pragma GCC visibility push(default)

namespace holdfast::file {

// Where something stands in a file; line 0: nowhere, the file as a whole.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  friend constexpr auto operator<=>(const Position&, const Position&) noexcept = default;
};

class Complaints {
 public:
  // A file can be wrong in every line; more complaints than this help nobody.
  static constexpr std::size_t kMax = 100;

  explicit Complaints(std::string file) : file_(std::move(file)) {}

  void add(Position at, std::string key, std::string says);

  // About another file that was named at `at`.
  void add_elsewhere(Position at, Complaint complaint);

  // No further complaint is kept, so a reader may stop.
  [[nodiscard]] bool full() const noexcept { return found_.size() > kMax; }
  [[nodiscard]] bool empty() const noexcept { return found_.empty(); }

  // In the order of the file, for a BadInput or to be shown as warnings.
  [[nodiscard]] std::vector<Complaint> in_order() const;

  // Throws BadInput unless empty().
  void throw_if_any() const;

 private:
  struct Placed {
    Position at;
    Complaint complaint;
  };
  std::string file_;
  std::vector<Placed> found_;
};

}  // namespace holdfast::file

#pragma GCC visibility pop
