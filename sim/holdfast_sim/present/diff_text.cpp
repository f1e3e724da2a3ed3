#include <holdfast_sim/present/diff_text.hpp>

#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <boost/json.hpp>

#include <holdfast_sim/present/detail/chain_json.hpp>
#include <holdfast_sim/present/explain_text.hpp>
#include <holdfast_sim/present/report_json.hpp>
#include <holdfast_sim/text/detail/human_text.hpp>

namespace holdfast::sim {

namespace {

constexpr std::size_t kGroupsOfDiffShown = 20;
constexpr std::size_t kLinksOfDiffShown = 6;

class DiffText {
 public:
  DiffText(const Diff& diff, std::size_t width, const DiffCauses& causes)
      : diff_(diff), width_(width), causes_(causes) {}

  std::string text() {
    line("left:  {}", printable(diff_.left));
    line("right: {}", printable(diff_.right));
    if (diff_.first) {
      first(*diff_.first);
      why("left", causes_.left);
      why("right", causes_.right);
      groups();
    } else if (!diff_.ends_say.empty()) {
      line("\nAll {} events are the same, but the runs end differently: {}", detail::human(diff_.common),
           diff_.ends_say);
    } else {
      line("\nThe same: {}{}", detail::counted(diff_.common, "event"),
           diff_.interrupted ? " until the interruption" : "");
    }
    if (diff_.first && diff_.interrupted) line("\nInterrupted: the counts are of what was read until then.");
    return std::move(text_);
  }

 private:
  template <class... Parts>
  void line(fmt::format_string<Parts...> format, Parts&&... parts) {
    const auto text = fmt::format(format, std::forward<Parts>(parts)...);
    for (std::size_t at = 0; at <= text.size();) {  // a heading begins with a line feed
      const auto end = std::min(text.find('\n', at), text.size());
      text_ += detail::folded(std::string_view{text}.substr(at, end - at), width_);
      at = end + 1;
    }
  }

  // As it is, however long: what people copy and programs look for.
  void whole(std::string_view mark, std::string_view event) {
    text_ += fmt::format("  {} {}\n", mark, event.empty() ? "(nothing more)" : printable(event));
  }

  void first(const DifferentEvent& event) {
    line("\n{} {} the same; event {} is the first that differs{}", detail::counted(diff_.common, "event"),
         diff_.common == 1 ? "is" : "are", detail::human(event.event), place(event));
    if (!event.before.empty()) {
      line("  before it, of the same service in both runs:");
      for (const auto& before : event.before) whole(" ", before);
    }
    whole("-", event.left);
    whole("+", event.right);
    if (!event.says.empty()) line("  {}", event.says);
  }

  void why(std::string_view side, const std::vector<Link>& chain) {
    if (chain.empty()) return;
    line("\nwhy, {}:", side);
    text_ += chain_text(shortened(chain, kLinksOfDiffShown), width_);
  }

  // Events of a simulation have no lines; a file has both.
  static std::string place(const DifferentEvent& event) {
    if (event.left_number == 0 || event.right_number == 0) return ": one run has nothing more";
    return fmt::format(" (line {} of the left, {} of the right)", event.left_number, event.right_number);
  }

  void groups() {
    line("\nfrom there on, left and right");
    detail::TextTable table{{"<group", "services", "that differ", "first", "events", "starts", "failures", "lost"}};
    for (std::size_t i = 0; i < std::min(diff_.groups.size(), kGroupsOfDiffShown); ++i) {
      const auto& group = diff_.groups[i];
      const auto both = [](std::uint64_t left, std::uint64_t right) {
        return left == right ? detail::human(left) : fmt::format("{} | {}", detail::human(left), detail::human(right));
      };
      table.add({group.name.empty() ? "the supervisor" : fit(group.name, width_ / 3), detail::human(group.services),
                 detail::human(group.different), detail::human(group.first_at),
                 both(group.left.events, group.right.events), both(group.left.starts, group.right.starts),
                 both(group.left.failures, group.right.failures), both(group.left.lost, group.right.lost)});
    }
    if (!table.empty()) text_ += table.text(2, width_);
    if (diff_.groups.size() > kGroupsOfDiffShown) {
      line("  and {} more", detail::counted(diff_.groups.size() - kGroupsOfDiffShown, "group"));
    }
    if (diff_.groups.empty()) {
      line("  each service has the same events: only their order among the services differs");
    } else if (diff_.groups_alike > 0) {
      line("  {} more {} the same in both runs", detail::counted(diff_.groups_alike, "group"),
           diff_.groups_alike == 1 ? "is" : "are");
    }
  }

  const Diff& diff_;
  const std::size_t width_;
  const DiffCauses& causes_;
  std::string text_;
};

boost::json::object of(const DiffCounts& counts) {
  return {{"events", counts.events}, {"starts", counts.starts}, {"failures", counts.failures}, {"lost", counts.lost}};
}

boost::json::value of(const std::optional<DifferentEvent>& first) {
  if (!first) return nullptr;
  boost::json::array before;
  for (const auto& line : first->before) before.emplace_back(printable(line));
  const auto line = [](std::uint64_t number) {
    return number == 0 ? boost::json::value{} : boost::json::value(number);
  };
  return boost::json::object{{"event", first->event},
                             {"left_line", line(first->left_number)},
                             {"right_line", line(first->right_number)},
                             {"left", printable(first->left)},
                             {"right", printable(first->right)},
                             {"says", first->says},
                             {"before", std::move(before)}};
}

boost::json::object of(const GroupDiff& group) {
  return {{"name", printable(group.name)},
          {"services", group.services},
          {"different", group.different},
          {"first_service", printable(group.first_service)},
          {"first_at_ns", group.first_at.nanoseconds},
          {"left", of(group.left)},
          {"right", of(group.right)}};
}

}  // namespace

std::string diff_text(const Diff& diff, std::size_t width, const DiffCauses& causes) {
  return DiffText{diff, width, causes}.text();
}

std::string diff_json(const Diff& diff, const DiffCauses& causes) {
  boost::json::array groups;
  for (const auto& group : diff.groups) groups.push_back(of(group));
  boost::json::object object{{"kind", "diff"},
                             {"version", kReportJsonVersion},
                             {"verdict", diff.interrupted ? "interrupted"
                                         : diff.same()    ? "same"
                                                          : "different"},
                             {"left", printable(diff.left)},
                             {"right", printable(diff.right)},
                             {"common_events", diff.common},
                             {"left_events", diff.left_events},
                             {"right_events", diff.right_events},
                             {"first_difference", of(diff.first)},
                             {"left_causes", detail::json_of(causes.left)},
                             {"right_causes", detail::json_of(causes.right)},
                             {"ends_say", diff.ends_say},
                             {"groups", std::move(groups)},
                             {"groups_alike", diff.groups_alike}};
  return boost::json::serialize(object) + '\n';
}

}  // namespace holdfast::sim
