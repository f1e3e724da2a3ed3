// What the restart policies of a scenario do while every start fails: closed forms (giving_up.hpp), each beside the
// interval that a simulation gives.
//
//     const Prediction prediction = predict(scenario);
//     std::cout << prediction_text(prediction);
//
// Thread-safety: safe anywhere; nothing is shared.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <holdfast/policy.hpp>
#include <holdfast/random.hpp>
#include <holdfast/time.hpp>
#include <holdfast_sim/predict/giving_up.hpp>
#include <holdfast_sim/scenario/scenario.hpp>

#pragma GCC visibility push(default)

namespace holdfast::sim {

struct PredictionOptions {
  std::optional<Duration> fails_after{};  // of every start; nullopt: as the outages of the scenario say, or else 1 s
  std::uint32_t services = 1000;          // to be simulated, at most, for each policy; 0: nothing is simulated
};

// How sure the simulated intervals are: 99.9 %, so that of the dozens on a page hardly any is wrong by chance.
inline constexpr std::uint32_t kPredictionIntervalPermille = 999;

struct Interval {
  Duration low{0};
  std::optional<Duration> high;  // nullopt: longer than the simulation was
  [[nodiscard]] bool holds(Duration value) const noexcept { return low <= value && (!high || value <= *high); }
};

// One figure, computed and counted.
struct PredictedTime {
  double share = 0;                   // of the services that this is about
  std::optional<Duration> computed;   // nullopt: there is no closed form, or it never happens
  std::optional<Interval> simulated;  // nullopt: it did not happen, or nothing was simulated
};

// Restarts in an hour of one service, in thousandths.
struct PredictedRate {
  std::uint64_t computed = 0;
  std::optional<std::array<std::uint64_t, 2>> simulated;
};

// An outage of the scenario, and what it does to a group.
struct PredictedOutage {
  std::size_t chaos = 0;  // its entry
  Duration length{0};
  GivingUp::Share lost;
};

struct PredictedBand {
  DeadBand band;
  Duration tried{0};           // runs of this length
  std::uint64_t services = 0;  // that were simulated
  std::uint64_t given_up = 0;
  std::uint64_t reset = 0;
};

struct GroupPrediction {
  std::string name{};
  std::uint64_t services = 0;
  RestartPolicy restart = RestartPolicy::on_failure;
  BackoffPolicy backoff{};
  Duration fails_after{0};
  std::optional<std::size_t> fails_after_of{};  // the chaos entry that says so

  GivingUp::When gives_up = GivingUp::When::never;
  std::uint32_t first_chance_ppm = 0;  // of the services are given up with the first max_failures failures
  std::array<PredictedTime, 3> given_up_after{};
  std::optional<Duration> everybody_given_up_after{};
  std::array<PredictedTime, 3> outage_loses{};
  std::optional<Duration> outage_loses_nobody{};
  std::optional<Duration> outage_loses_everybody_over{};
  std::optional<PredictedRate> restarts_per_hour{};  // nullopt: no restart, or no time between them
  std::optional<PredictedBand> dead_band{};
  std::vector<PredictedOutage> outages{};
  std::vector<std::string> out_of_reach{};  // sentences
};

inline constexpr std::array<double, 3> kPredictedShares{0.1, 0.5, 0.9};

struct Prediction {
  std::string scenario;
  Seed seed;
  std::uint32_t services_simulated = 0;
  std::vector<GroupPrediction> groups;  // in the order of the fleet
};

Prediction predict(const Scenario& scenario, const PredictionOptions& options = {});

// An outage of the scenario that loses a whole group for certain, though the scenario expects no loss: of the group
// that survives least. nullopt: there is none. Nothing is simulated.
struct CertainLoss {
  std::size_t chaos = 0;
  Duration length{0};
  std::string group;
  Duration over{0};  // every longer outage does
};
std::optional<CertainLoss> worst_certain_loss(const Scenario& scenario);

}  // namespace holdfast::sim

#pragma GCC visibility pop
