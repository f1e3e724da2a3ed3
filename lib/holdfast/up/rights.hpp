// Whether a file can be used, as the kernel would decide for a service.
//
// Thread-safety: none: the rights of the whole thread change for a moment.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <holdfast/asio/detail/identity.hpp>
#include <holdfast/asio/process_service.hpp>

namespace holdfast::up {

// While it lives, files are accessed as a service would. Only root can do that; for anybody else nothing changes.
class RightsOf {
 public:
  explicit RightsOf(const holdfast::detail::Identity& identity);
  ~RightsOf();
  RightsOf(const RightsOf&) = delete;
  RightsOf& operator=(const RightsOf&) = delete;

 private:
  bool has_changed_ = false;
  std::vector<gid_t> groups_before_;
};

// `mode` as access(2) has it; with the rights that files are accessed with.
bool may_access(const std::filesystem::path& path, int mode);

// What is wrong with the program of a process, or with the interpreter of its script; empty: nothing.
std::string trouble_with_program(const Process& process);

// What is wrong with a folder in which files are to be made, or which is to be made; empty: nothing.
std::string trouble_with_writing_in(const std::filesystem::path& folder);

}  // namespace holdfast::up
