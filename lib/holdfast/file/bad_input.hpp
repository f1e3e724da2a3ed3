// What is wrong with a file that a user gave, and where.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#pragma GCC visibility push(default)

namespace holdfast::file {

struct Complaint {
  std::string file;
  std::uint32_t line = 0;    // from 1; 0: the file as a whole
  std::uint32_t column = 0;  // from 1, in bytes; 0: the line as a whole
  std::string key;           // path of the key: "fleet[2].backoff.base"; empty: none
  std::string says;          // what was found and what would be right
};

// "fleets/x.toml:12:9: fleet[0].runs_for: …"
std::string to_string(const Complaint&);

// Has every complaint that could be found, in the order of the file. what() is their text, one a line.
class BadInput : public std::runtime_error {
 public:
  explicit BadInput(std::vector<Complaint> complaints);
  [[nodiscard]] const std::vector<Complaint>& complaints() const noexcept { return complaints_; }

 private:
  std::vector<Complaint> complaints_;
};

}  // namespace holdfast::file

#pragma GCC visibility pop
