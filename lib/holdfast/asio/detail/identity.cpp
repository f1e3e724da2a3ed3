#include <holdfast/asio/detail/identity.hpp>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <string_view>
#include <utility>

namespace holdfast::detail {

namespace {

constexpr std::size_t kBufferMax = std::size_t{1} << 20;

// -1 means "unchanged" in system calls, so no user has it.
std::optional<unsigned> number_of(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number == ~0U) return std::nullopt;
  return number;
}

// Calls one of the functions getpw…_r and getgr…_r, with as much memory as it needs.
template <class Entry, class Key, class Get>
const Entry* look_up(Get get, Key key, Entry& entry, std::string& buffer) {
  for (buffer.resize(1024); buffer.size() <= kBufferMax; buffer.resize(2 * buffer.size())) {
    Entry* found = nullptr;
    if (get(key, &entry, buffer.data(), buffer.size(), &found) != ERANGE) return found;
  }
  return nullptr;
}

std::vector<gid_t> groups_of(const char* user, gid_t group) {
  std::vector<gid_t> groups(32);
  for (int count = static_cast<int>(groups.size());; groups.resize(static_cast<std::size_t>(count))) {
    if (::getgrouplist(user, group, groups.data(), &count) >= 0) {
      groups.resize(static_cast<std::size_t>(count));
      return groups;
    }
  }
}

std::optional<gid_t> group_of(const std::string& name, std::vector<Problem>& found) {
  struct group entry {};
  std::string buffer;
  if (const auto* const known = look_up<struct group>(::getgrnam_r, name.c_str(), entry, buffer)) return known->gr_gid;
  if (const auto number = number_of(name)) return *number;
  found.push_back(
      {.field = "group", .says = "is \"" + name + "\", which is neither a group of this machine nor a number"});
  return std::nullopt;
}

}  // namespace

Identity identity_of(const std::string& user, const std::string& group, std::vector<Problem>& found) {
  Identity identity;
  if (!group.empty()) {
    identity.group = group_of(group, found);
    if (!identity.group) return identity;
    identity.groups.emplace(1, *identity.group);
  }
  if (user.empty()) return identity;
  struct passwd entry {};
  std::string buffer;
  const auto number = number_of(user);
  const auto* known = look_up<struct passwd>(::getpwnam_r, user.c_str(), entry, buffer);
  if (!known && number) known = look_up<struct passwd>(::getpwuid_r, *number, entry, buffer);
  if (known) {
    identity.user = known->pw_uid;
    if (!identity.group) identity.group = known->pw_gid;
    identity.groups = groups_of(known->pw_name, *identity.group);
  } else if (!number) {
    found.push_back(
        {.field = "user", .says = "is \"" + user + "\", which is neither a user of this machine nor a number"});
  } else if (!identity.group) {
    found.push_back(
        {.field = "user", .says = "is " + user + ", of whom this machine knows no group; give a group as well"});
  } else {
    identity.user = *number;
  }
  // A process that is that user already needs no rights for this.
  if (::geteuid() != 0 && identity.user.value_or(::geteuid()) == ::geteuid() &&
      identity.group.value_or(::getegid()) == ::getegid()) {
    return {};
  }
  return identity;
}

}  // namespace holdfast::detail
