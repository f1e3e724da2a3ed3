// What the command ends with. `holdfast help` and lib/docs/reference/command.md list the same.
#pragma once

namespace holdfast::tools {

enum ExitStatus : int {
  all_held = 0,
  something_violated = 1,  // a rule, an expectation, or the run stalled; a replay is not as recorded
  bad_input = 2,           // a scenario or recording, the command line, or a file that cannot be written
  budget_ran_out = 3,
  not_trustworthy = 4,   // two runs of one seed differ, or the checks miss a planted bug
  interrupted_by = 128,  // and the number of the signal: 130 for Ctrl-C
};

}  // namespace holdfast::tools
