#include <holdfast_sim/present/prediction_text.hpp>

#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include <boost/json.hpp>

#include <holdfast_sim/present/report_json.hpp>
#include <holdfast_sim/text/detail/human_text.hpp>

namespace holdfast::sim {

namespace {

namespace json = boost::json;
using detail::counted;
using detail::human;
using detail::percent;
using holdfast::to_string;

std::int64_t half_up(double number) {
  const double up = number + 0.5;
  return static_cast<std::int64_t>(up);
}

std::string part(double share) { return fmt::format("{} %", half_up(share * 100)); }

std::uint32_t ppm(double share) { return static_cast<std::uint32_t>(half_up(share * 1e6)); }

// "117.7", from thousandths.
std::string thousandths(std::uint64_t count) { return fmt::format("{}.{}", human(count / 1000), count % 1000 / 100); }

std::string shown(const std::optional<Interval>& interval) {
  if (!interval) return {};
  return interval->high ? fmt::format("{} to {}", human(interval->low), human(*interval->high))
                        : fmt::format("over {}", human(interval->low));
}

class PredictionText {
 public:
  PredictionText(const Prediction& prediction, std::size_t width) : prediction_(prediction), width_(width) {}

  std::string text() {
    line("{}", fit(prediction_.scenario, width_));
    if (prediction_.services_simulated > 0) {
      line("computed, and beside it what at most {} and seed {} give in a simulation, {} % sure",
           counted(prediction_.services_simulated, "service"), prediction_.seed.value,
           static_cast<double>(kPredictionIntervalPermille) / 10);
    }
    for (const auto& group : prediction_.groups) of(group);
    return std::move(text_);
  }

 private:
  template <class... Parts>
  void line(fmt::format_string<Parts...> format, Parts&&... parts) {
    text_ += detail::folded(fmt::format(format, std::forward<Parts>(parts)...), width_);
  }

  void of(const GroupPrediction& group) {
    text_ += '\n';
    line("{}: {}, each start fails after {}{}", fit(group.name, width_), counted(group.services, "service"),
         human(group.fails_after),
         group.fails_after_of ? fmt::format(", as in chaos[{}]", *group.fails_after_of) : std::string{});
    detail::TextTable table{{"", "computed", "simulated"}};
    giving_up(group, table);
    outages(group, table);
    rate(group, table);
    if (!table.empty()) text_ += table.text(2, width_);
    band(group);
    conclusion(group);
    for (const auto& outage : group.outages) of(outage);
    for (const auto& sentence : group.out_of_reach) line("  out of reach: {}", sentence);
  }

  static void giving_up(const GroupPrediction& group, detail::TextTable& table) {
    if (!loses_somebody(group)) return;
    for (const auto& time : group.given_up_after) {
      table.add({part(time.share) + " given up after", computed(group, time), shown(time.simulated)});
    }
    if (group.everybody_given_up_after) {
      table.add({"all given up after", "at most " + human(*group.everybody_given_up_after), ""});
    }
  }

  static void outages(const GroupPrediction& group, detail::TextTable& table) {
    if (!loses_somebody(group)) return;
    if (group.outage_loses_nobody) {
      table.add({"an outage loses no service", "up to " + human(*group.outage_loses_nobody), ""});
    }
    for (const auto& time : group.outage_loses) {
      table.add({"an outage loses " + part(time.share) + " at", computed(group, time), shown(time.simulated)});
    }
    if (group.outage_loses_everybody_over) {
      table.add({"an outage loses all", "over " + human(*group.outage_loses_everybody_over), ""});
    }
  }

  static void rate(const GroupPrediction& group, detail::TextTable& table) {
    if (!group.restarts_per_hour) return;
    const auto& rate = *group.restarts_per_hour;
    table.add({"restarts an hour, each, at full delay", thousandths(rate.computed),
               rate.simulated
                   ? fmt::format("{} to {}", thousandths((*rate.simulated)[0]), thousandths((*rate.simulated)[1]))
                   : std::string{}});
    if (group.services > 1) {
      const auto all = static_cast<double>(rate.computed) * static_cast<double>(group.services) / 1000 + 0.5;
      table.add({"restarts an hour, all together", human(static_cast<std::uint64_t>(all)), ""});
    }
  }

  // Whether it is given up by closed form or by chance.
  static bool loses_somebody(const GroupPrediction& group) { return group.gives_up != GivingUp::When::never; }

  static std::string computed(const GroupPrediction& group, const PredictedTime& time) {
    if (time.computed) return human(*time.computed);
    return group.gives_up == GivingUp::When::perhaps ? "no closed form" : "";
  }

  void band(const GroupPrediction& group) {
    if (!group.dead_band) return;
    const auto& band = *group.dead_band;
    line("  runs over {} and under {} neither open the breaker nor reset the backoff{}", human(band.band.over),
         human(band.band.under),
         band.services == 0 ? std::string{}
                            : fmt::format("; tried with {}: {} of {} given up, {} reset", human(band.tried),
                                          human(band.given_up), human(band.services), human(band.reset)));
  }

  void conclusion(const GroupPrediction& group) {
    switch (group.gives_up) {
      case GivingUp::When::at_the_first_failure: return line("  Every failure loses the service.");
      case GivingUp::When::surely:
        return line("  Every outage over {} loses the whole group.", human(*group.outage_loses_everybody_over));
      case GivingUp::When::perhaps:
        return line(
            "  {} of the services are lost with the first {} failures of an outage; of the others the window slides, "
            "and a longer outage loses more.",
            percent(group.first_chance_ppm), group.backoff.breaker->max_failures);
      case GivingUp::When::never: return line("  No outage loses a service, however long.");
    }
  }

  void of(const PredictedOutage& outage) {
    const auto lost = ppm(outage.lost.value);
    line("  chaos[{}], an outage of {}, loses {}{} of those that it reaches", outage.chaos, human(outage.length),
         outage.lost.at_least ? "at least " : "",
         lost == 0 && outage.lost.value > 0 ? "under 0.0001 %" : percent(lost));
  }

  const Prediction& prediction_;
  const std::size_t width_;
  std::string text_;
};

json::value nanoseconds(const std::optional<Duration>& length) {
  return length ? json::value(length->count()) : json::value{};
}

json::value of(const std::optional<Interval>& interval) {
  if (!interval) return nullptr;
  return json::object{{"low_ns", interval->low.count()}, {"high_ns", nanoseconds(interval->high)}};
}

json::array of(const std::array<PredictedTime, 3>& times) {
  json::array all;
  for (const auto& time : times) {
    all.push_back(json::object{{"share_ppm", ppm(time.share)},
                               {"computed_ns", nanoseconds(time.computed)},
                               {"simulated", of(time.simulated)}});
  }
  return all;
}

json::value of(const std::optional<PredictedRate>& rate) {
  if (!rate) return nullptr;
  json::value simulated;
  if (rate->simulated) {
    simulated = json::object{{"low_thousandths", (*rate->simulated)[0]}, {"high_thousandths", (*rate->simulated)[1]}};
  }
  return json::object{{"computed_thousandths", rate->computed}, {"simulated", std::move(simulated)}};
}

json::value of(const std::optional<PredictedBand>& band) {
  if (!band) return nullptr;
  return json::object{{"over_ns", band->band.over.count()}, {"under_ns", band->band.under.count()},
                      {"tried_ns", band->tried.count()},    {"services", band->services},
                      {"given_up", band->given_up},         {"reset", band->reset}};
}

json::object of(const PredictedOutage& outage) {
  return {{"chaos", outage.chaos},
          {"length_ns", outage.length.count()},
          {"lost_ppm", ppm(outage.lost.value)},
          {"at_least", outage.lost.at_least}};
}

json::object of(const GroupPrediction& group) {
  json::array outages;
  for (const auto& outage : group.outages) outages.push_back(of(outage));
  json::array sentences;
  for (const auto& sentence : group.out_of_reach) sentences.emplace_back(sentence);
  return {{"name", group.name},
          {"services", group.services},
          {"fails_after_ns", group.fails_after.count()},
          {"fails_after_of", group.fails_after_of ? json::value(*group.fails_after_of) : json::value{}},
          {"gives_up", std::string{to_string(group.gives_up)}},
          {"first_chance_ppm", group.first_chance_ppm},
          {"given_up_after", of(group.given_up_after)},
          {"everybody_given_up_after_ns", nanoseconds(group.everybody_given_up_after)},
          {"outage_loses", of(group.outage_loses)},
          {"outage_loses_nobody_ns", nanoseconds(group.outage_loses_nobody)},
          {"outage_loses_everybody_over_ns", nanoseconds(group.outage_loses_everybody_over)},
          {"restarts_per_hour", of(group.restarts_per_hour)},
          {"dead_band", of(group.dead_band)},
          {"outages", std::move(outages)},
          {"out_of_reach", std::move(sentences)}};
}

}  // namespace

std::string prediction_text(const Prediction& prediction, std::size_t width) {
  return PredictionText{prediction, width}.text();
}

std::string prediction_json(const Prediction& prediction) {
  json::array groups;
  for (const auto& group : prediction.groups) groups.push_back(of(group));
  const json::object object{{"kind", "prediction"},
                            {"version", kReportJsonVersion},
                            {"scenario", prediction.scenario},
                            {"seed", prediction.seed.value},
                            {"services_simulated", prediction.services_simulated},
                            {"interval_ppm", kPredictionIntervalPermille * 1000},
                            {"groups", std::move(groups)}};
  return json::serialize(object) + '\n';
}

std::string certain_loss_text(const CertainLoss& loss) {
  return fmt::format(
      "chaos[{}].outage: lasts {} and loses every service of \"{}\", whose breaker is open after {} of failed starts "
      "at the latest; \"holdfast predict\" shows more, and [expect] circuit_open says that it is meant so",
      loss.chaos, to_string(loss.length), loss.group, to_string(loss.over));
}

}  // namespace holdfast::sim
