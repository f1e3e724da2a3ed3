// `holdfast up`: the services of a file run as processes under the supervisor until they are asked to stop.
//
// SIGTERM and SIGINT drain, a second one ends the drain (runtime.hpp). SIGHUP reads the file again (running_fleet.hpp),
// except on a terminal, where it means that the terminal has gone, and drains.
//
// Thread-safety: one at a time.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <holdfast/up/log_text.hpp>

namespace holdfast::up {

struct UpOptions {
  std::filesystem::path file{};
  std::vector<std::string> names{};  // of groups and services; empty: all that have a command
  LogFormat format = LogFormat::text;
  int output = 1;  // a descriptor
  bool on_terminal = false;
};

struct UpEnd {
  int exit_status = 0;
  std::string trouble{};  // what could not be said in the log; empty: nothing
};

// Throws file::BadInput, ConfigError or std::runtime_error if it cannot begin; then nothing was started.
UpEnd run_up(const UpOptions& options);

}  // namespace holdfast::up
