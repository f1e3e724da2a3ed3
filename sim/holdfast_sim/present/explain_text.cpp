#include <holdfast_sim/present/explain_text.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <boost/json.hpp>

#include <holdfast_sim/present/detail/chain_json.hpp>
#include <holdfast_sim/present/report_json.hpp>
#include <holdfast_sim/text/detail/human_text.hpp>

namespace holdfast::sim {

namespace {

using detail::moment;
using holdfast::to_string;

// The text in lines of at most `width` columns: the first begins with `head`, the others as far in as the head is wide.
std::string hanging(std::string_view head, std::string_view text, std::size_t width) {
  const std::size_t indent = detail::columns(head);
  std::string result{head};
  std::size_t column = indent;
  for (const auto& word : detail::words_of(text)) {
    const std::size_t length = detail::columns(word);
    if (column > indent && column + 1 + length > width) {
      result += '\n' + std::string(indent, ' ');
      column = indent;
    }
    if (column > indent) result += ' ', ++column;
    result += word;
    column += length;
  }
  return result + '\n';
}

class ExplanationText {
 public:
  ExplanationText(const Explained& explained, const ExplainTextOptions& options)
      : explained_(explained), options_(options) {}

  std::string take() {
    line(fit(explained_.scenario, options_.width));
    line(fmt::format("seed {} · {}", explained_.seed.value, to_string(explained_.verdict)));
    for (std::size_t i = 0; i < explained_.explanations.size(); ++i) tell(i);
    more();
    if (explained_.interrupted) line("\ninterrupted: not everything is explained");
    return std::move(text_);
  }

 private:
  void line(const std::string& text) {
    for (std::size_t at = 0; at <= text.size();) {  // a paragraph begins with a line feed
      const auto end = std::min(text.find('\n', at), text.size());
      text_ += detail::folded(std::string_view{text}.substr(at, end - at), options_.width);
      at = end + 1;
    }
  }

  // What ends with the event that another one before it ends with is the same chain; nullptr: there is none.
  [[nodiscard]] const Explanation* same_as(std::size_t index) const {
    const auto& all = explained_.explanations;
    if (all[index].chain.empty()) return nullptr;
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(index);
    const auto found = std::find_if(all.begin(), end, [&](const Explanation& before) {
      return !before.chain.empty() && before.chain.back().number == all[index].chain.back().number;
    });
    return found == end ? nullptr : &*found;
  }

  void tell(std::size_t index) {
    const Explanation& explanation = explained_.explanations[index];
    const bool remarkable = explanation.of == Explanation::Of::remarkable;
    if (remarkable && explained_.verdict == RehearsalVerdict::held) line("\nevery rule and every expectation held");
    line('\n' + explanation.says);
    if (!explanation.about.empty()) line("  " + explanation.about);
    if (const auto* const same = same_as(index)) return line(fmt::format("  The same as of {}, above.", same->what));
    if (explanation.cut)
      line("  (there were too many events to keep: those in the middle are taken for ones like the others)");
    if (!explanation.chain.empty()) {
      text_ += '\n' + chain_text(explanation.chain, options_.width);
    } else if (explanation.of == Explanation::Of::expectation || explanation.of == Explanation::Of::rule) {
      line("  no event shows why");
    }
    if (!explanation.afterwards.empty()) line("  " + explanation.afterwards);
    if (remarkable && !explanation.chain.empty()) hint(explanation);
  }

  // How another event is chosen.
  void hint(const Explanation& explanation) {
    line("\nany other event:");
    const auto& kind = explanation.chain.back().kind;
    const auto event = explanation.service.empty() ? kind : explanation.service + ' ' + kind;
    text_ += fmt::format("  {} --event {}\n", options_.command, shell_word(event));
  }

  void more() {
    if (explained_.more.empty()) return;
    std::string names;
    for (const auto& name : explained_.more) names += (names.empty() ? "" : ", ") + name;
    line(fmt::format("\nalso violated: {}", names));
  }

  const Explained& explained_;
  const ExplainTextOptions& options_;
  std::string text_;
};

boost::json::value number_or_null(std::uint64_t number) {
  return number == 0 ? boost::json::value{} : boost::json::value(number);
}

boost::json::object of(const Explanation& explanation) {
  return {{"of", std::string{to_string(explanation.of)}}, {"what", printable(explanation.what)},
          {"says", printable(explanation.says)},          {"about", printable(explanation.about)},
          {"service", printable(explanation.service)},    {"chain", detail::json_of(explanation.chain)},
          {"afterwards", explanation.afterwards},         {"cut", explanation.cut}};
}

}  // namespace

boost::json::array detail::json_of(const std::vector<Link>& chain) {
  boost::json::array links;
  for (const Link& link : chain) {
    links.push_back(boost::json::object{{"at_ns", link.at.nanoseconds},
                                        {"until_ns", link.until.nanoseconds},
                                        {"service", printable(link.service)},
                                        {"event", link.kind},
                                        {"number", link.number},
                                        {"run", number_or_null(link.run)},
                                        {"by", std::string{to_string(link.by)}},
                                        {"chaos", link.chaos ? boost::json::value(*link.chaos) : boost::json::value{}},
                                        {"line", number_or_null(link.line)},
                                        {"folded", link.folded},
                                        {"says", printable(link.says)}});
  }
  return links;
}

std::string chain_text(const std::vector<Link>& chain, std::size_t width) {
  std::size_t widest = 0;
  for (const auto& link : chain) {
    if (link.folded == 0) widest = std::max(widest, moment(link.at).size());
  }
  std::string text;
  for (const auto& link : chain) {
    const auto head = fmt::format("  {:<{}}  ", link.folded > 0 ? "…" : moment(link.at), widest);
    const bool is_other = !link.service.empty() && link.service != chain.back().service;
    text += hanging(head, is_other ? printable(link.service) + ": " + link.says : link.says, width);
  }
  return text;
}

std::string explained_text(const Explained& explained, const ExplainTextOptions& options) {
  return ExplanationText{explained, options}.take();
}

std::string explained_json(const Explained& explained) {
  boost::json::array explanations;
  for (const auto& explanation : explained.explanations) explanations.emplace_back(of(explanation));
  boost::json::array more;
  for (const auto& name : explained.more) more.emplace_back(printable(name));
  const boost::json::object object{{"kind", "explanation"},
                                   {"version", kReportJsonVersion},
                                   {"scenario", printable(explained.scenario)},
                                   {"seed", explained.seed.value},
                                   {"verdict", std::string{to_string(explained.verdict)}},
                                   {"digest", explained.digest},
                                   {"explanations", std::move(explanations)},
                                   {"more", std::move(more)},
                                   {"interrupted", explained.interrupted}};
  return boost::json::serialize(object) + '\n';
}

}  // namespace holdfast::sim
