#include <holdfast_sim/present/sweep_html.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <holdfast/detail/wide.hpp>
#include <holdfast_sim/present/detail/html_text.hpp>
#include <holdfast_sim/present/detail/page_style.hpp>
#include <holdfast_sim/present/detail/sweep_words.hpp>
#include <holdfast_sim/text/detail/human_text.hpp>

namespace holdfast::sim {

namespace {

// One file, and nothing from a network. Everything is there without the script, but for the dark theme by hand and the
// buttons that copy a command. What a colour says, a word or a pattern says as well.
constexpr std::string_view kSweepPage = R"page(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="holdfast sweep">
<title>/*TITLE*/ – holdfast</title>
<link rel="icon" href="data:,">
<style>
/*STYLE*/
section { border-top: 2px solid var(--line); margin-top: 26px; padding-top: 12px; }
section:first-of-type { border-top: 0; margin-top: 0; }
.shares { display: flex; height: 18px; border: 1px solid var(--line); border-radius: 4px; overflow: hidden; margin: 10px 0 4px; }
.shares i { display: block; min-width: 2px; }
.held { background: var(--running); }
.violated { background: repeating-linear-gradient(135deg, var(--lost) 0 6px, var(--panel) 6px 8px); }
.budget { background: repeating-linear-gradient(45deg, var(--waiting) 0 6px, var(--panel) 6px 8px); }
.legend i { display: inline-block; width: 22px; height: 13px; vertical-align: -2px; margin-right: 5px; border: 1px solid var(--line); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: .86rem; margin: 0; padding: 0; list-style: none; }
.reason { background: var(--panel); border: 1px solid var(--line); border-left: 6px solid var(--bad); border-radius: 8px; padding: 8px 12px;
  margin: 8px 0; }
.reason b { overflow-wrap: anywhere; }
.command { display: flex; gap: 8px; align-items: flex-start; margin: 4px 0; }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .86rem; overflow-wrap: anywhere; padding-top: 6px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); gap: 12px; }
.figure { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 8px 12px; min-width: 0; }
.scroll { overflow-x: auto; }
.figure table { font-size: .78rem; } .figure td.n, .figure th.n { padding: 4px 4px 4px 0; }
.figure h3 { font-size: .98rem; margin: 0 0 4px; }
svg { display: block; width: 100%; height: auto; }
svg .area { fill: var(--running); } svg .edge { fill: none; stroke: var(--good); stroke-width: 1.5; }
svg .axis { fill: none; stroke: var(--line); } svg .mark { fill: none; stroke: var(--soft); stroke-dasharray: 2 3; }
svg text { fill: var(--soft); font: 11px system-ui, "DejaVu Sans", sans-serif; }
svg .slice { fill: transparent; } svg .slice:hover { fill: var(--mark); fill-opacity: .25; }
</style>
</head>
<body>
<main>
<header><h1>/*TITLE*/</h1><span class="tools"><button id="theme" type="button">Dark</button></span></header>
<p id="copied" aria-live="polite" class="soft"></p>
/*BODY*/
</main>
<script>
"use strict";
const root = document.documentElement, theme = document.getElementById("theme"), copied = document.getElementById("copied");
function show(dark) {
  root.classList.toggle("dark", dark);
  theme.textContent = dark ? "Light" : "Dark";
}
show(matchMedia("(prefers-color-scheme: dark)").matches);
theme.onclick = () => show(!root.classList.contains("dark"));
for (const button of document.querySelectorAll("button.copy")) {
  button.onclick = () => {
    const code = button.previousElementSibling, range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    const said = words => copied.textContent = words + code.textContent;
    navigator.clipboard ? navigator.clipboard.writeText(code.textContent).then(() => said("Copied: "), () => said("Selected: ")) : said("Selected: ");
  };
}
root.dataset.ready = "true";
</script>
</body>
</html>
)page";

using detail::counted;
using detail::html;
using detail::human;
using detail::value_text;

constexpr std::size_t kReasonsShown = 50;

std::string command(const std::string& text) {
  return fmt::format(
      "<div class=\"command\"><code>{}</code><button type=\"button\" class=\"copy\">Copy</button></div>\n", html(text));
}

// The share of `part` in hundredths of a percent, so that a bar has whole numbers.
std::uint64_t share(std::uint64_t part, std::uint64_t whole) {
  using holdfast::detail::Wide;
  return whole == 0 ? 0 : static_cast<std::uint64_t>(Wide{part} * 10'000 / whole);
}

// How one figure spreads: from the best seed on the left to the worst on the right, in steps of a percent.
class Curve {
 public:
  Curve(const SeedFigureText& text, const Spread& spread) : text_(text), spread_(spread) {
    for (unsigned percent = 1; percent <= 100; ++percent) values_[percent - 1] = spread.not_worse(percent);
    lowest_ = std::min(spread.best(), spread.worst());
    highest_ = std::max(spread.best(), spread.worst());
    // What is counted or lasts is drawn from 0 on; a share of time from the lowest, as little of it is a lot.
    if (text.unit != SeedFigureText::Unit::ppm) lowest_ = 0;
  }

  [[nodiscard]] std::string svg() const {
    std::string edge = fmt::format("M{} {}", kLeft, y_of(values_[0]));
    std::string slices;
    for (unsigned percent = 1; percent <= 100; ++percent) {
      const auto value = values_[percent - 1];
      edge += fmt::format("V{}H{}", y_of(value), x_of(percent));
      slices += fmt::format(
          "<rect class=\"slice\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{} % of the seeds: not worse than "
          "{}</title></rect>\n",
          x_of(percent - 1), kTop, x_of(percent) - x_of(percent - 1), kBottom - kTop, percent, shown(value));
    }
    return fmt::format(
        "<svg viewBox=\"0 0 {0} {1}\" role=\"img\" aria-label=\"{2}: {3} % of the seeds are not worse than {4}, the "
        "worst has "
        "{5}\">\n<path class=\"area\" d=\"{6}V{7}H{8}Z\"/><path class=\"edge\" d=\"{6}\"/>\n"
        "<path class=\"axis\" d=\"M{8} {9}V{7}H{10}\"/><path class=\"mark\" d=\"M{11} {9}V{7}M{12} {9}V{7}\"/>\n"
        "<text x=\"{13}\" y=\"{14}\" text-anchor=\"end\">{15}</text><text x=\"{13}\" y=\"{7}\" "
        "text-anchor=\"end\">{16}</text>\n"
        "<text x=\"{8}\" y=\"{17}\">best</text><text x=\"{11}\" y=\"{17}\" text-anchor=\"middle\">50 %</text>"
        "<text x=\"{12}\" y=\"{17}\" text-anchor=\"middle\">90 %</text>\n"
        "<text x=\"{0}\" y=\"{17}\" text-anchor=\"end\">worst</text>\n{18}</svg>\n",
        kWidth, kHeight, html(text_.name), 90, shown(values_[89]), shown(spread_.worst()), edge, kBottom, kLeft, kTop,
        kRight, x_of(50), x_of(90), kLeft - 5, kTop + 9, shown(highest_), shown(lowest_), kHeight - 4, slices);
  }

  [[nodiscard]] std::string table() const {
    constexpr std::array<unsigned, 3> kPercentsShown{50, 90, 99};  // as the text has
    std::string head = "<th class=\"n\">best</th>";
    std::string row = cell(spread_.best());
    for (const unsigned percent : kPercentsShown) {
      head += fmt::format("<th class=\"n\">{} %</th>", percent);
      row += cell(values_[percent - 1]);
    }
    return fmt::format(
        "<div class=\"scroll\"><table><tr>{}<th class=\"n\">worst</th></tr><tr>{}{}</tr></table></div>\n", head, row,
        cell(spread_.worst()));
  }

 private:
  static constexpr unsigned kWidth = 360, kHeight = 130, kLeft = 74, kRight = 340, kTop = 4, kBottom = 108;

  [[nodiscard]] std::string shown(std::uint64_t value) const { return html(value_text(text_.unit, value)); }
  [[nodiscard]] std::string cell(std::uint64_t value) const {
    return fmt::format("<td class=\"n\">{}</td>", shown(value));
  }
  [[nodiscard]] static unsigned x_of(unsigned percent) noexcept { return kLeft + (kRight - kLeft) * percent / 100; }
  [[nodiscard]] unsigned y_of(std::uint64_t value) const noexcept {
    const auto up = share(value - lowest_, highest_ - lowest_);
    return kBottom - static_cast<unsigned>(up * (kBottom - kTop) / 10'000);
  }

  const SeedFigureText& text_;
  const Spread& spread_;
  std::array<std::uint64_t, 100> values_{};
  std::uint64_t lowest_ = 0;
  std::uint64_t highest_ = 0;
};

class Section {
 public:
  Section(const SweepSummary& summary, bool has_title) : summary_(summary), plan_(summary.plan), sweep_(summary.sweep) {
    text_ += "<section>\n";
    if (has_title) text_ += fmt::format("<h2>{}</h2>\n", html(plan_.scenario));
  }

  std::string take() {
    facts();
    shares();
    failures();
    seen();
    figures();
    corpus();
    text_ += fmt::format("<p class=\"digest soft\">digest {}</p>\n</section>\n", sweep_.digest());
    return std::move(text_);
  }

 private:
  void facts() {
    const auto with = plan_.settings.empty() ? "" : ", with " + detail::joined(plan_.settings);
    text_ += fmt::format("<p class=\"soft\">{}: seeds {} to {}, {}{}</p>\n", html(plan_.file), plan_.seeds.first,
                         plan_.seeds.last, counted(sweep_.runs(), "run"), html(with));
    for (const auto& [word, says, good] : detail::verdicts_of(summary_)) {
      text_ += fmt::format("<p><span class=\"verdict {}\">{}</span> {}</p>\n", good ? "good" : "bad", word, html(says));
    }
    if (summary_.end == SweepSummary::End::interrupted) {
      text_ += fmt::format("<p class=\"bad\">Interrupted: this is what there was so far, {} of {} seeds.</p>\n",
                           human(sweep_.runs()), human(plan_.seeds.size()));
    }
    if (summary_.end == SweepSummary::End::stopped) {
      text_ += "<p class=\"soft\">Stopped at the first seed that did not hold.</p>\n";
    }
  }

  void shares() {
    struct Part {
      RehearsalVerdict verdict;
      std::string_view kind;
      std::string_view word;
    };
    constexpr std::array<Part, 3> kParts{{{RehearsalVerdict::held, "held", "held"},
                                          {RehearsalVerdict::violated, "violated", "violated"},
                                          {RehearsalVerdict::out_of_budget, "budget", "out of budget"}}};
    std::string bar;
    std::string legend;
    for (const auto& [verdict, kind, word] : kParts) {
      const auto runs = sweep_.runs_of(verdict);
      if (runs > 0) bar += fmt::format("<i class=\"{}\" style=\"flex:{}\"></i>", kind, runs);
      legend += fmt::format("<li><i class=\"{}\"></i>{} {}</li>", kind, human(runs), word);
    }
    text_ +=
        fmt::format("<div class=\"shares\" aria-hidden=\"true\">{}</div>\n<ul class=\"legend\">{}</ul>\n", bar, legend);
  }

  void failures() {
    const auto groups = sweep_.failures();
    if (groups.empty()) return;
    text_ += "<h2>Why they did not hold</h2>\n";
    for (std::size_t i = 0; i < std::min(groups.size(), kReasonsShown); ++i) {
      const auto& group = groups[i];
      text_ += fmt::format(
          "<div class=\"reason\"><b>{}</b> <span class=\"soft\">{} of {}</span>\n<p>Seed {}: {}</p>\n{}{}</div>\n",
          html(to_string(group.reason)), human(group.count), counted(sweep_.runs(), "seed"), group.smallest_seed,
          html(group.says), command(repeat_command(plan_, group.smallest_seed)),
          command(explain_command(plan_, group.smallest_seed)));
    }
    if (groups.size() > kReasonsShown) {
      text_ += fmt::format("<p class=\"soft\">And {} more are in the JSON.</p>\n",
                           counted(groups.size() - kReasonsShown, "reason"));
    }
  }

  void seen() {
    if (plan_.sometimes.empty()) return;
    text_ += "<h2>Seen in some run</h2>\n<table>\n";
    for (std::size_t i = 0; i < plan_.sometimes.size(); ++i) {
      const auto runs = sweep_.seen(i);
      text_ += fmt::format("<tr><td>{}</td><td class=\"{}\">{}</td></tr>\n", html(plan_.sometimes[i]),
                           runs == 0 ? "bad" : "good", runs == 0 ? "in none" : "in " + counted(runs, "run"));
    }
    text_ += "</table>\n";
  }

  void figures() {
    if (sweep_.runs() < 2) return;
    text_ +=
        "<h2>Over the seeds</h2>\n<p class=\"soft\">From the best seed on the left to the worst on the right: so many "
        "percent of the "
        "seeds are not worse than the line.</p>\n<div class=\"figures\">\n";
    bool rounded = false;
    for (std::size_t i = 0; i < kSeedFigures; ++i) {
      const Spread& spread = sweep_.spread(static_cast<SeedFigure>(i));
      if (spread.count() == 0) continue;
      rounded = rounded || spread.rounded();
      figure(kSeedFigureTexts[i], spread);
    }
    text_ += "</div>\n";
    if (rounded) text_ += "<p class=\"soft\">Figures between best and worst are up to 0.4 % too small.</p>\n";
  }

  void figure(const SeedFigureText& text, const Spread& spread) {
    const auto some = spread.count() < sweep_.runs()
                          ? fmt::format(" <span class=\"soft\">in {}</span>", counted(spread.count(), "run"))
                          : "";
    text_ += fmt::format("<div class=\"figure\"><h3>{}{}</h3>\n", html(text.name), some);
    if (spread.best() == spread.worst()) {
      text_ += fmt::format("<p>{} in all of them</p></div>\n", html(value_text(text.unit, spread.best())));
      return;
    }
    const Curve curve{text, spread};
    text_ += curve.svg() + curve.table() + "<details><summary>The worst seeds</summary>\n";
    for (const auto& worst : spread.worst_seeds()) {
      if (worst.value == spread.best()) continue;
      text_ += fmt::format("<p>Seed {}: {}</p>\n{}", worst.seed, html(value_text(text.unit, worst.value)),
                           command(repeat_command(plan_, worst.seed)));
    }
    text_ += "</details></div>\n";
  }

  void corpus() {
    if (summary_.corpus == nullptr) return;
    const CorpusSummary& corpus = *summary_.corpus;
    text_ += fmt::format("<h2>Corpus {}</h2>\n<table>\n", html(corpus.folder));
    for (const auto& verdict : corpus.judged) {
      text_ += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n", html(verdict.kept.file),
                           to_string(verdict.status), html(verdict.says));
    }
    for (const auto& name : corpus.added)
      text_ += fmt::format("<tr><td>{}</td><td>new</td><td></td></tr>\n", html(name));
    text_ += "</table>\n";
  }

  const SweepSummary& summary_;
  const SweepPlan& plan_;
  const Sweep& sweep_;
  std::string text_;
};

}  // namespace

std::string sweep_html(const std::vector<SweepSummary>& summaries) {
  std::string body;
  for (const auto& summary : summaries) body += Section{summary, summaries.size() > 1}.take();
  const auto title = summaries.size() == 1 ? summaries.front().plan.scenario : counted(summaries.size(), "sweep");
  const auto page =
      detail::replaced(detail::replaced(kSweepPage, "/*STYLE*/", detail::kPageStyle), "/*TITLE*/", html(title));
  return detail::replaced(page, "/*BODY*/", body);
}

}  // namespace holdfast::sim
