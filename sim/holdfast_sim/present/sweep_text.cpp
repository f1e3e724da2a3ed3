#include <holdfast_sim/present/sweep_text.hpp>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <holdfast/detail/wide.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast_sim/present/detail/sweep_words.hpp>
#include <holdfast_sim/text/detail/human_text.hpp>

namespace holdfast::sim {

namespace detail {

std::string value_text(SeedFigureText::Unit unit, std::uint64_t value) {
  switch (unit) {
    case SeedFigureText::Unit::ppm: return percent(static_cast<std::uint32_t>(value));
    case SeedFigureText::Unit::count: return human(value);
    case SeedFigureText::Unit::nanoseconds: return human(Duration{static_cast<std::int64_t>(value)});
  }
  return "";
}

// All of them, with commas. (fmt::join gets a false warning from g++ 12.)
std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

std::vector<SweepVerdict> verdicts_of(const SweepSummary& summary) {
  const Sweep& sweep = summary.sweep;
  std::vector<SweepVerdict> verdicts;
  const bool vacuous = is_vacuous(summary);
  if (vacuous) {
    verdicts.push_back({"vacuous",
                        fmt::format("in {} never {}; what else held proves nothing", counted(sweep.runs(), "run"),
                                    joined(never_seen(summary.plan, sweep))),
                        false});
  }
  const auto failed = sweep.runs() - sweep.runs_of(RehearsalVerdict::held);
  if (const auto at_most = vacuous ? std::nullopt : sweep.failing_at_most_ppm()) {
    verdicts.push_back({"held",
                        sweep.runs() < 4
                            ? fmt::format("{}, which prove next to nothing", counted(sweep.runs(), "seed"))
                            : fmt::format("all {} seeds; with 95 % confidence at most {} of all seeds fail (3/n)",
                                          human(sweep.runs()), percent(*at_most)),
                        true});
  } else if (sweep.runs_of(RehearsalVerdict::violated) > 0) {
    verdicts.push_back(
        {"violated", fmt::format("{} of {} did not hold", human(failed), counted(sweep.runs(), "seed")), false});
  } else if (failed > 0) {
    verdicts.push_back({"out of budget",
                        fmt::format("{} of {} did not come to an end", human(failed), counted(sweep.runs(), "seed")),
                        false});
  }
  return verdicts;
}

}  // namespace detail

namespace {

using holdfast::detail::Wide;

using detail::counted;
using detail::human;
using detail::joined;
using detail::value_text;

constexpr std::size_t kFailuresShown = 20;

class Text {
 public:
  Text(const SweepSummary& summary, const SweepTextOptions& options)
      : summary_(summary),
        plan_(summary.plan),
        sweep_(summary.sweep),
        end_(summary.end),
        corpus_(summary.corpus),
        options_(options) {}

  std::string take() {
    header();
    verdicts();
    failures();
    seen();
    figures();
    if (corpus_ != nullptr) corpus();
    footer();
    return std::move(text_);
  }

 private:
  std::string painted(std::string_view text, std::string_view code) const {
    return options_.colours ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string{text};
  }
  void line(const std::string& text) { text_ += detail::folded(text, options_.width); }
  void heading(std::string_view what) { text_ += '\n' + painted(what, "1") + '\n'; }

  void header() {
    line(painted(fit(plan_.scenario, options_.width), "1"));
    const auto settings = plan_.settings.empty() ? "" : " · with " + joined(plan_.settings);
    line(fmt::format("seeds {} to {} · {}{}", plan_.seeds.first, plan_.seeds.last, counted(sweep_.runs(), "run"),
                     settings));
  }

  void verdicts() {
    text_ += '\n';
    detail::TextTable table{{"", "", "<"}};
    const auto row = [&](std::string_view what, RehearsalVerdict verdict) {
      const auto runs = sweep_.runs_of(verdict);
      const auto share = sweep_.runs() == 0 ? 0 : static_cast<std::uint32_t>(ppm(runs));
      table.add({std::string{what}, human(runs), runs == 0 ? "" : "(" + detail::percent(share) + ")"});
    };
    row("held", RehearsalVerdict::held);
    row("violated", RehearsalVerdict::violated);
    row("out of budget", RehearsalVerdict::out_of_budget);
    text_ += table.text(2, options_.width);
  }

  [[nodiscard]] std::uint64_t ppm(std::uint64_t runs) const {
    return static_cast<std::uint64_t>(Wide{runs} * 1'000'000 / sweep_.runs());
  }

  void failures() {
    const auto groups = sweep_.failures();
    if (groups.empty()) return;
    heading("failures");
    for (std::size_t i = 0; i < std::min(groups.size(), kFailuresShown); ++i) {
      const auto& group = groups[i];
      line(fmt::format("  {}  {}", counted(group.count, "seed"),
                       painted(file::printable(to_string(group.reason)), "1;31")));
      line(fmt::format("    seed {}: {}", group.smallest_seed, file::printable(group.says)));
      text_ += fmt::format("    {}\n", repeat_command(plan_, group.smallest_seed));  // to be copied
      text_ += fmt::format("    {}\n", explain_command(plan_, group.smallest_seed));
    }
    if (groups.size() > kFailuresShown) {
      line(fmt::format("  and {} more are in the JSON", counted(groups.size() - kFailuresShown, "reason")));
    }
  }

  void seen() {
    if (plan_.sometimes.empty()) return;
    heading("seen in some run");
    detail::TextTable table{{"", ""}};
    for (std::size_t i = 0; i < plan_.sometimes.size(); ++i) {
      const auto runs = sweep_.seen(i);
      table.add({file::printable(plan_.sometimes[i]), runs == 0 ? "in none" : "in " + counted(runs, "run")});
    }
    text_ += table.text(2, options_.width);
  }

  void figures() {
    if (sweep_.runs() < 2) return;
    heading("over the seeds");
    bool rounded = false;
    for (std::size_t i = 0; i < kSeedFigures; ++i) {
      const Spread& spread = sweep_.spread(static_cast<SeedFigure>(i));
      rounded = rounded || (spread.count() > 0 && spread.rounded());
    }
    text_ += figures_table();
    line(painted(fmt::format("  90 % of the seeds were not worse than …{}",
                             rounded ? "; figures between best and worst are up to 0.4 % too small" : ""),
                 "2"));
  }

  // Rather a table that names fewer of the worst seeds than no table.
  [[nodiscard]] std::string figures_table() const {
    constexpr std::size_t kSeedsNamed = 3;
    auto named = kSeedsNamed;
    while (named > 1 && !figures_with(named).fits(2, options_.width)) --named;
    return figures_with(named).text(2, options_.width);
  }

  [[nodiscard]] detail::TextTable figures_with(std::size_t seeds_named) const {
    detail::TextTable table{
        {"", "best", "median", "90 %", "99 %", "worst", seeds_named == 1 ? "<seed" : "<worst seeds"}};
    for (std::size_t i = 0; i < kSeedFigures; ++i) {
      const Spread& spread = sweep_.spread(static_cast<SeedFigure>(i));
      if (spread.count() > 0) add_row(table, kSeedFigureTexts[i], spread, seeds_named);
    }
    return table;
  }

  static void add_row(detail::TextTable& table, const SeedFigureText& text, const Spread& spread,
                      std::size_t seeds_named) {
    const auto shown = [&](std::uint64_t value) { return value_text(text.unit, value); };
    table.add({std::string{text.name}, shown(spread.best()), shown(spread.not_worse(50)), shown(spread.not_worse(90)),
               shown(spread.not_worse(99)), shown(spread.worst()), worst_seeds(spread, seeds_named)});
  }

  // None where all are alike.
  static std::string worst_seeds(const Spread& spread, std::size_t named) {
    if (spread.best() == spread.worst()) return "";
    std::vector<std::string> seeds;
    for (const auto& worst : spread.worst_seeds()) {
      if (worst.value != spread.best() && seeds.size() < named) seeds.push_back(std::to_string(worst.seed));
    }
    return joined(seeds);
  }

  // Files as words that can be copied, and below each why it fails.
  void corpus() {
    heading(fmt::format("corpus {}", file::printable(corpus_->folder)));
    const auto path = [&](const std::string& name) { return "    " + shell_word(corpus_->folder + '/' + name) + '\n'; };
    constexpr std::array kStatuses{CorpusVerdict::Status::still_fails, CorpusVerdict::Status::fails_otherwise,
                                   CorpusVerdict::Status::not_reached, CorpusVerdict::Status::fixed};
    for (const auto status : kStatuses) {
      bool first = true;
      for (const auto& verdict : corpus_->judged) {
        if (verdict.status != status) continue;
        if (std::exchange(first, false)) line(fmt::format("  {}", to_string(status)));
        text_ += path(verdict.kept.file);
        if (!verdict.says.empty()) line(fmt::format("      {}", file::printable(verdict.says)));
      }
    }
    if (!corpus_->added.empty()) line("  new");
    for (const auto& name : corpus_->added) text_ += path(name);
    for (const auto& says : corpus_->not_kept) line(fmt::format("  not kept: {}", file::printable(says)));
    for (const auto& reason : corpus_->reasons) {
      line(fmt::format("  {} in all sweeps, {} kept: {}", counted(reason.runs, "run"), reason.kept.size(),
                       file::printable(to_string(reason.reason))));
    }
    if (corpus_->reasons.empty()) line("  nothing has failed in any sweep");
  }

  void footer() {
    text_ += '\n';
    text_ += fmt::format("digest {}\n", sweep_.digest());
    if (end_ == SweepSummary::End::interrupted) {
      line(fmt::format("interrupted: this is what there is so far, {} of {} seeds", human(sweep_.runs()),
                       human(plan_.seeds.size())));
    }
    if (end_ == SweepSummary::End::stopped) line("stopped at the first seed that did not hold");
    verdict();
  }

  void verdict() {
    for (const auto& [word, says, good] : detail::verdicts_of(summary_)) {
      line(painted(word, good ? "32" : "1;31") + ": " + says);
    }
    if (corpus_ != nullptr && corpus_->failing() > 0) {
      line(painted("violated", "1;31") + fmt::format(": {} of {} in the corpus {}", human(corpus_->failing()),
                                                     counted(corpus_->judged.size(), "file"),
                                                     corpus_->failing() == 1 ? "fails" : "fail"));
    }
  }

  const SweepSummary& summary_;
  const SweepPlan& plan_;
  const Sweep& sweep_;
  const SweepSummary::End end_;
  const CorpusSummary* const corpus_;
  const SweepTextOptions& options_;
  std::string text_;
};

}  // namespace

bool is_vacuous(const SweepSummary& summary) {
  return summary.end == SweepSummary::End::complete && summary.sweep.runs() > 0 &&
         !never_seen(summary.plan, summary.sweep).empty();
}

std::string sweep_text(const SweepSummary& summary, const SweepTextOptions& options) {
  return Text{summary, options}.take();
}

namespace {

std::string command_of(std::string_view verb, const SweepPlan& plan, std::uint64_t seed) {
  std::string command = fmt::format("holdfast {} {} --seed {}", verb, shell_word(plan.file), seed);
  for (const auto& setting : plan.settings) command += " --set " + shell_word(setting);
  return command;
}

}  // namespace

std::string repeat_command(const SweepPlan& plan, std::uint64_t seed) { return command_of("run", plan, seed); }
std::string explain_command(const SweepPlan& plan, std::uint64_t seed) { return command_of("explain", plan, seed); }

std::string seed_line(const SeedOutcome& outcome) {
  std::string why;
  for (const auto& failure : outcome.failures) {
    const auto& name = failure.reason.what.empty() ? std::string{to_string(failure.reason.kind)} : failure.reason.what;
    why += fmt::format("{}{}: {}", why.empty() ? "  " : "; ", name, failure.says);
  }
  return fmt::format("{} {} {}{}\n", outcome.seed, to_string(outcome.verdict), outcome.digest, file::printable(why));
}

namespace {

// To three digits or so, without a decimal point above 100.
std::string rate_text(std::uint64_t done, std::uint64_t wall) {
  const auto tenths = static_cast<std::uint64_t>(Wide{done} * 10'000'000'000U / wall);
  return tenths >= 1000 ? human(tenths / 10) : fmt::format("{}.{}", tenths / 10, tenths % 10);
}

std::string bar(unsigned percent, std::size_t columns) {
  std::string text;
  for (std::size_t i = 0; i < columns; ++i) text += i < columns * percent / 100 ? "█" : "░";
  return text;
}

std::string progress_words(const SweepProgress& progress, unsigned percent) {
  auto text = fmt::format("{} %  {} of {}", percent, human(progress.done), counted(progress.of, "seed"));
  if (progress.not_held > 0) text += fmt::format(", {} did not hold", human(progress.not_held));
  const auto done = progress.done - progress.done_before;
  if (done == 0) return text;
  const auto wall = static_cast<std::uint64_t>(std::max<std::int64_t>(progress.wall.count(), 1));
  text += fmt::format(", {} a second", rate_text(done, wall));
  const Wide left = Wide{progress.of - progress.done} * wall / done;
  constexpr auto kLongest = static_cast<std::uint64_t>(INT64_MAX);
  if (left > kLongest) return text;
  return text + fmt::format(", {} left", human(Duration{static_cast<std::int64_t>(left)}));
}

}  // namespace

std::string progress_text(const SweepProgress& progress, std::size_t width) {
  constexpr std::size_t kBarMax = 20;
  constexpr std::size_t kBarMin = 5;
  const auto percent = progress.of == 0 ? 100U : static_cast<unsigned>(Wide{progress.done} * 100 / progress.of);
  const auto words = progress_words(progress, percent);  // ASCII: a column for each byte
  const auto room = width > words.size() ? width - words.size() - 1 : 0;
  return room < kBarMin ? words : bar(percent, std::min(room, kBarMax)) + ' ' + words;
}

}  // namespace holdfast::sim
