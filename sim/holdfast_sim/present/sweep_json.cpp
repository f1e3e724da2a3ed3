#include <holdfast_sim/present/sweep_text.hpp>

#include <string_view>

#include <boost/json.hpp>

#include <holdfast_sim/present/report_json.hpp>

namespace holdfast::sim {

namespace {

namespace json = boost::json;

json::string as_json(std::string_view of) { return json::string{of.data(), of.size()}; }

json::object head(std::string_view kind, const SweepPlan& plan) {
  return {{"kind", as_json(kind)},
          {"version", kReportJsonVersion},
          {"scenario", as_json(plan.scenario)},
          {"file", as_json(plan.file)}};
}

json::object of(const FailureReason& reason, std::string_view says) {
  return {{"reason", as_json(to_string(reason.kind))},
          {"what", as_json(reason.what)},
          {"cause", as_json(reason.cause)},
          {"says", as_json(says)}};
}

json::value of(const Spread& spread) {
  if (spread.count() == 0) return nullptr;
  json::array worst;
  for (const auto& seed : spread.worst_seeds())
    worst.push_back(json::object{{"seed", seed.seed}, {"value", seed.value}});
  return json::object{{"seeds", spread.count()},
                      {"best", spread.best()},
                      {"median", spread.not_worse(50)},
                      {"percentile_90", spread.not_worse(90)},
                      {"percentile_99", spread.not_worse(99)},
                      {"worst", spread.worst()},
                      {"worst_seeds", std::move(worst)},
                      {"rounded", spread.rounded()}};
}

template <class T>
json::value optional(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value{};
}

json::object of(const CorpusSummary& corpus) {
  json::array files;
  for (const auto& verdict : corpus.judged) {
    auto file = of(verdict.of.reason, verdict.says);
    file["file"] = as_json(verdict.kept.file);
    file["status"] = as_json(to_string(verdict.status));
    files.push_back(std::move(file));
  }
  json::array reasons;
  for (const auto& reason : corpus.reasons) {
    auto one = of(reason.reason, "");
    one.erase("says");
    one["runs"] = reason.runs;
    one["kept"] = reason.kept.size();
    reasons.push_back(std::move(one));
  }
  json::array added;
  for (const auto& name : corpus.added) added.push_back(as_json(name));
  json::array not_kept;
  for (const auto& says : corpus.not_kept) not_kept.push_back(as_json(says));
  return {{"folder", as_json(corpus.folder)},
          {"files", std::move(files)},
          {"added", std::move(added)},
          {"not_kept", std::move(not_kept)},
          {"reasons", std::move(reasons)}};
}

std::string line(const json::object& object) { return json::serialize(object) + '\n'; }

}  // namespace

std::string seed_json(const SweepPlan& plan, const SeedOutcome& outcome) {
  auto object = head("run", plan);
  object["seed"] = outcome.seed;
  object["verdict"] = as_json(to_string(outcome.verdict));
  object["digest"] = as_json(outcome.digest);
  json::array failures;
  for (const auto& failure : outcome.failures) failures.push_back(of(failure.reason, failure.says));
  object["failures"] = std::move(failures);
  for (std::size_t i = 0; i < kSeedFigures; ++i) object[kSeedFigureTexts[i].key] = optional(outcome.figures[i]);
  return line(object);
}

std::string sweep_json(const SweepSummary& summary) {
  const Sweep& sweep = summary.sweep;
  auto object = head("sweep", summary.plan);
  json::array settings;
  for (const auto& setting : summary.plan.settings) settings.push_back(as_json(setting));
  object["settings"] = std::move(settings);
  object["first_seed"] = summary.plan.seeds.first;
  object["last_seed"] = summary.plan.seeds.last;
  object["runs"] = sweep.runs();
  object["held"] = sweep.runs_of(RehearsalVerdict::held);
  object["violated"] = sweep.runs_of(RehearsalVerdict::violated);
  object["out_of_budget"] = sweep.runs_of(RehearsalVerdict::out_of_budget);
  object["first_violated"] = optional(sweep.first_violated());
  object["failing_at_most_ppm"] = is_vacuous(summary) ? json::value{} : optional(sweep.failing_at_most_ppm());
  json::array sometimes;
  for (std::size_t i = 0; i < summary.plan.sometimes.size(); ++i) {
    sometimes.push_back(json::object{{"what", as_json(summary.plan.sometimes[i])}, {"runs", sweep.seen(i)}});
  }
  object["sometimes"] = std::move(sometimes);
  object["vacuous"] = is_vacuous(summary);
  json::array failures;
  for (const auto& group : sweep.failures()) {
    auto failure = of(group.reason, group.says);
    failure["count"] = group.count;
    failure["smallest_seed"] = group.smallest_seed;
    failure["repeat"] = as_json(repeat_command(summary.plan, group.smallest_seed));
    failures.push_back(std::move(failure));
  }
  object["failures"] = std::move(failures);
  json::object figures;
  for (std::size_t i = 0; i < kSeedFigures; ++i)
    figures[kSeedFigureTexts[i].key] = of(sweep.spread(static_cast<SeedFigure>(i)));
  object["figures"] = std::move(figures);
  object["digest"] = as_json(sweep.digest());
  object["interrupted"] = summary.end == SweepSummary::End::interrupted;
  object["stopped_at_first"] = summary.end == SweepSummary::End::stopped;
  object["corpus"] = summary.corpus == nullptr ? json::value{} : json::value(of(*summary.corpus));
  return line(object);
}

}  // namespace holdfast::sim
