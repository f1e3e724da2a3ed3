// The user and the groups that a process gets, as numbers.
//
// Thread-safety: safe anywhere. It reads the user database, which may be on another machine.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include <holdfast/policy.hpp>

namespace holdfast::detail {

struct Identity {
  std::optional<uid_t> user;  // nullopt: as it is
  std::optional<gid_t> group;
  std::optional<std::vector<gid_t>> groups;  // supplementary ones
};

// Takes names or numbers; empty: unchanged. Adds every mistake to `found`.
Identity identity_of(const std::string& user, const std::string& group, std::vector<Problem>& found);

}  // namespace holdfast::detail
