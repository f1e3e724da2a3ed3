// The commands of holdfast, a file each. Each adds itself to the command line, and does its work when it is called.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace holdfast::tools {

struct Command {
  CLI::App* line;             // its part of the command line
  std::function<int()> call;  // prints, and returns the exit status. Throws BadInput and std::exception
};

namespace check {
Command add_to(CLI::App& app);
}
namespace compare {
Command add_to(CLI::App& app);
}
namespace diff {
Command add_to(CLI::App& app);
}
namespace explain {
Command add_to(CLI::App& app);
}
namespace find {
Command add_to(CLI::App& app);
}
namespace import {
Command add_to(CLI::App& app);
}
namespace init {
Command add_to(CLI::App& app);
}
namespace list {
Command add_to(CLI::App& app);
}
namespace merge {
Command add_to(CLI::App& app);
}
namespace predict {
Command add_to(CLI::App& app);
}
namespace replay {
Command add_to(CLI::App& app);
}
namespace report {
Command add_to(CLI::App& app);
}
namespace run {
Command add_to(CLI::App& app);
}
namespace schema {
Command add_to(CLI::App& app);
}
namespace shrink {
Command add_to(CLI::App& app);
}
namespace sweep {
Command add_to(CLI::App& app);
}
namespace control {
Command add_status_to(CLI::App& app);
Command add_start_to(CLI::App& app);
Command add_stop_to(CLI::App& app);
Command add_restart_to(CLI::App& app);
Command add_reset_to(CLI::App& app);
Command add_signal_to(CLI::App& app);
Command add_logs_to(CLI::App& app);
Command add_events_to(CLI::App& app);
Command add_reload_to(CLI::App& app);
Command add_down_to(CLI::App& app);
}  // namespace control
namespace up {
Command add_to(CLI::App& app);
}
namespace trace {
Command add_to(CLI::App& app);
}
namespace validate {
Command add_to(CLI::App& app);
}

}  // namespace holdfast::tools
