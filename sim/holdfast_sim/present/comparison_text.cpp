#include <holdfast_sim/present/comparison_text.hpp>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <boost/json.hpp>

#include <holdfast_sim/present/report_json.hpp>
#include <holdfast_sim/text/detail/human_text.hpp>

namespace holdfast::sim {

namespace {

std::string_view title(Figure figure) {
  switch (figure) {
    case Figure::up_time: return "up time of a service";
    case Figure::availability: return "availability";
    case Figure::lost: return "services lost";
    case Figure::outage_median: return "recovery after outages, median";
    case Figure::outage_90: return "recovery after outages, 90 %";
    case Figure::outage_99: return "recovery after outages, 99 %";
    case Figure::failure_median: return "recovery after failures, median";
    case Figure::failure_90: return "recovery after failures, 90 %";
    case Figure::failure_99: return "recovery after failures, 99 %";
    case Figure::worst_second: return "restarts in the worst second";
    case Figure::restarts: return "restarts";
  }
  return "";
}

bool is_time(Figure figure) {
  return figure == Figure::up_time || (figure >= Figure::outage_median && figure <= Figure::failure_99);
}

std::string time_text(double nanoseconds) {
  return detail::human(Duration{static_cast<std::int64_t>(nanoseconds + (nanoseconds < 0 ? -0.5 : 0.5))});
}

// Three digits, more of what is large.
std::string number_text(double number) {
  const double size = number < 0 ? -number : number;
  const double up = size + 0.5;
  if (size >= 100) return (number < 0 ? "-" : "") + detail::human(static_cast<std::uint64_t>(up));
  return size >= 10 || size == 0 ? fmt::format("{:.1f}", number) : fmt::format("{:.2f}", number);
}

std::string value_text(Figure figure, double value) {
  if (is_time(figure)) return value < 0 ? "-" + time_text(-value) : time_text(value);
  if (figure == Figure::availability) return fmt::format("{:.4f} %", value / 10'000);
  return number_text(value);
}

std::string signed_text(Figure figure, double value) {
  const auto text = value_text(figure, value);
  return value > 0 ? '+' + text : text;
}

std::string saving_text(const FigureComparison& figure) {
  return figure.pairing_saves ? fmt::format("{:.1f} times", *figure.pairing_saves) : std::string{};
}

std::string p_text(double p) { return p < 0.0001 ? std::string{"p < 0.0001"} : fmt::format("p = {:.4f}", p); }

char letter(std::size_t other) { return static_cast<char>('B' + static_cast<int>(other % 25)); }

// "3.1 fewer services, 2 to 4": a figure that differs significantly.
std::string difference_in(const FigureComparison& figure, std::string_view what) {
  const bool more = figure.difference > 0;
  const double low = more ? figure.interval->low : -figure.interval->high;
  const double high = more ? figure.interval->high : -figure.interval->low;
  const std::string_view less = is_time(figure.figure) ? "less" : "fewer";
  return fmt::format("{} {} {}, {} to {}", value_text(figure.figure, more ? figure.difference : -figure.difference),
                     more ? "more" : less, what, value_text(figure.figure, low), value_text(figure.figure, high));
}

class ComparisonText {
 public:
  ComparisonText(const ComparedPolicies& policies, std::size_t width) : policies_(policies), width_(width) {}

  std::string text() {
    line("{}", fit(policies_.scenario, width_));
    line("A is the scenario's own policy; seeds {} to {}{}", policies_.first_seed, policies_.last_seed,
         policies_.interrupted ? ", and no more: interrupted" : "");
    for (std::size_t i = 0; i < policies_.others.size(); ++i) of(i);
    return std::move(text_);
  }

 private:
  template <class... Parts>
  void line(fmt::format_string<Parts...> format, Parts&&... parts) {
    text_ += detail::folded(fmt::format(format, std::forward<Parts>(parts)...), width_);
  }

  void of(std::size_t other) {
    const auto& [name, found] = policies_.others[other];
    text_ += '\n';
    line("{} is {}", letter(other), printable(name));
    const std::string b{letter(other)};
    detail::TextTable table{{"", "A", b, b + " - A", "95 % sure", "pairing saves"}};
    for (const auto& figure : found.figures) {
      table.add({std::string{title(figure.figure)}, value_text(figure.figure, figure.a),
                 value_text(figure.figure, figure.b), signed_text(figure.figure, figure.difference),
                 figure.interval ? fmt::format("{} to {}", signed_text(figure.figure, figure.interval->low),
                                               signed_text(figure.figure, figure.interval->high))
                                 : std::string{"too few seeds"},
                 saving_text(figure)});
    }
    text_ += table.text(2, width_);
    line("  held under both on {} of {} seeds, under A alone on {}, under {} alone on {} ({}, McNemar)",
         detail::human(found.both_held), detail::human(found.seeds), detail::human(found.only_a_held), b,
         detail::human(found.only_b_held), p_text(found.p_of_verdicts));
    line("  {}", conclusion_text(policies_, other));
  }

  const ComparedPolicies& policies_;
  const std::size_t width_;
  std::string text_;
};

std::string about_losses(const PolicyComparison& found, bool better) {
  const auto* const lost = found.find(Figure::lost);
  if (!lost || !lost->significant()) return {};
  const bool good = lost->difference < 0;
  return fmt::format("; {} it loses {}", good == better ? "and" : "but", difference_in(*lost, "services"));
}

std::string about_verdicts(const PolicyComparison& found, char name) {
  if (found.p_of_verdicts > kErrorRate) return {};
  const bool more = found.only_b_held > found.only_a_held;
  return fmt::format("; {} holds on {} seeds", name, more ? "more" : "fewer");
}

boost::json::object of(const FigureComparison& figure) {
  boost::json::value low, high;
  if (figure.interval) {
    low = figure.interval->low;
    high = figure.interval->high;
  }
  return {{"figure", std::string{to_string(figure.figure)}},
          {"pairs", figure.pairs},
          {"mean_a", figure.a},
          {"mean_b", figure.b},
          {"difference", figure.difference},
          {"low", std::move(low)},
          {"high", std::move(high)},
          {"significant", figure.significant()},
          {"pairing_saves", figure.pairing_saves ? boost::json::value(*figure.pairing_saves) : boost::json::value{}}};
}

}  // namespace

std::string conclusion_text(const ComparedPolicies& policies, std::size_t other) {
  const auto& found = policies.others[other].comparison;
  const char name = letter(other);
  if (found.same_in_every_run) return fmt::format("{} does the same as A on every seed.", name);
  const auto* const up = found.find(Figure::up_time);
  const auto in = policies.duration ? " in " + detail::human(*policies.duration) : std::string{};
  if (!up || !up->interval) {
    return fmt::format("{} seeds are too few to conclude anything: {} are needed at least.", found.seeds,
                       kPairsForInterval);
  }
  if (!up->significant()) {
    return fmt::format(
        "No difference in up time is shown: it is between {} and {} a service{}{}{}. More seeds may tell.",
        signed_text(Figure::up_time, up->interval->low), signed_text(Figure::up_time, up->interval->high), in,
        about_losses(found, true), about_verdicts(found, name));
  }
  const bool better = up->difference > 0;
  return fmt::format("{} is {}: {}{}{}.", name, better ? "better" : "worse",
                     difference_in(*up, "up time of a service" + in), about_losses(found, better),
                     about_verdicts(found, name));
}

std::string comparison_text(const ComparedPolicies& policies, std::size_t width) {
  return ComparisonText{policies, width}.text();
}

std::string comparison_json(const ComparedPolicies& policies) {
  boost::json::array others;
  for (std::size_t i = 0; i < policies.others.size(); ++i) {
    const auto& [name, found] = policies.others[i];
    boost::json::array figures;
    for (const auto& figure : found.figures) figures.push_back(of(figure));
    others.push_back(boost::json::object{{"policy", printable(name)},
                                         {"seeds", found.seeds},
                                         {"both_held", found.both_held},
                                         {"only_a_held", found.only_a_held},
                                         {"only_b_held", found.only_b_held},
                                         {"neither_held", found.neither_held},
                                         {"p_of_verdicts", found.p_of_verdicts},
                                         {"same_in_every_run", found.same_in_every_run},
                                         {"figures", std::move(figures)},
                                         {"conclusion", conclusion_text(policies, i)}});
  }
  const boost::json::object object{{"kind", "comparison"},
                                   {"version", kReportJsonVersion},
                                   {"scenario", printable(policies.scenario)},
                                   {"first_seed", policies.first_seed},
                                   {"last_seed", policies.last_seed},
                                   {"interrupted", policies.interrupted},
                                   {"policies", std::move(others)}};
  return boost::json::serialize(object) + '\n';
}

}  // namespace holdfast::sim
