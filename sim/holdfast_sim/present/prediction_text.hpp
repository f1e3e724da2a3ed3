// A prediction as text for a person, and as JSON for programs (lib/docs/reference/json.md).
//
// Thread-safety: functions of their arguments alone.
#pragma once

#include <cstddef>
#include <string>

#include <holdfast_sim/predict/prediction.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

// `width`: columns of a line at most.
std::string prediction_text(const Prediction& prediction, std::size_t width = 100);

// One object in one line. Ends with a line feed.
std::string prediction_json(const Prediction& prediction);

// "chaos[0]: an outage of 90s loses every service of "feed": …": what `holdfast validate` warns of.
std::string certain_loss_text(const CertainLoss& loss);

}  // namespace holdfast::sim

#pragma GCC visibility pop
