#include <holdfast_sim/diff/diff.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <string_view>
#include <utility>

#include <boost/json.hpp>

#include <holdfast/file/bad_input.hpp>
#include <holdfast_sim/observe/line_difference.hpp>
#include <holdfast_sim/scenario/roster.hpp>

namespace holdfast::sim {

namespace {

constexpr std::size_t kRemembered = 4096;          // common lines, of which some are of the service that differs first
constexpr std::uint64_t kBetweenQuestions = 4096;  // events

// Without the keys that are times or lengths of time: `"t_ns":17,`.
std::string without_times(std::string_view line) {
  constexpr std::string_view kEnd = "_ns\":";
  std::string rest;
  for (std::size_t at = 0; at < line.size();) {
    const auto found = line.find(kEnd, at);
    if (found == std::string_view::npos) return rest += line.substr(at);
    const auto key = line.rfind('"', found);
    rest += line.substr(at, key - at);
    at = found + kEnd.size();
    while (at < line.size() && (line[at] == '-' || (line[at] >= '0' && line[at] <= '9'))) ++at;
    if (at < line.size() && line[at] == ',') ++at;
  }
  return rest;
}

// One side of the comparison: its next event, and what is needed to know of it.
struct Side {
  explicit Side(LineSource& from) : source(from) {}

  void advance(const DiffOptions& options) {
    has_line = source.next(line);
    if (!has_line) return;
    ++events;
    if (options.without_times) compared = without_times(line);
  }
  [[nodiscard]] std::string_view text(const DiffOptions& options) const {
    return options.without_times ? std::string_view{compared} : std::string_view{line};
  }

  LineSource& source;
  std::string line;
  std::string compared;
  bool has_line = false;
  std::uint64_t events = 0;
};

// The part of an event that matters after the first difference.
struct Parsed {
  std::string service;
  TimePoint at;
  std::string kind;
  std::string outcome;  // of `ended`
  std::string reason;   // of `terminated`
};

std::string text_of(const boost::json::object& object, std::string_view key) {
  const auto* const value = object.if_contains(key);
  return value && value->is_string() ? std::string{value->get_string()} : std::string{};
}

Parsed parse(const Side& side) {
  namespace json = boost::json;
  json::parse_options options;
  options.allow_invalid_utf8 = true;
  json::error_code failed;
  const json::value value = json::parse(side.line, failed, {}, options);
  const auto* const object = failed ? nullptr : value.if_object();
  const auto* const at = object ? object->if_contains("t_ns") : nullptr;
  if (!at || !at->is_int64()) {
    throw file::BadInput{{{.file = side.source.name(),
                           .line = static_cast<std::uint32_t>(side.source.number()),
                           .says = "is not an event: a JSON object with the time \"t_ns\" is expected"}}};
  }
  return {text_of(*object, "service"), TimePoint{at->get_int64()}, text_of(*object, "kind"),
          text_of(*object, "outcome"), text_of(*object, "reason")};
}

std::string group_of(const std::string& service) {
  const auto numbered = numbered_name(service);
  return std::string{numbered ? numbered->group : std::string_view{service}};
}

class Comparison {
 public:
  Comparison(LineSource& left, LineSource& right, const DiffOptions& options)
      : options_(options), sides_{Side{left}, Side{right}} {}

  Diff run() {
    result_.left = left().source.name();
    result_.right = right().source.name();
    advance_both();
    pass_what_is_common();
    if (result_.first) compare_the_rest();
    finish();
    return std::move(result_);
  }

 private:
  // What one service has done that the other side has not done yet, as texts. A service that differs needs none.
  struct Service {
    std::deque<std::string> ahead;
    std::size_t of_side = 0;
    bool differs = false;
  };
  struct Group {
    GroupDiff result;
    std::map<std::string, Service> services;
  };

  Side& left() noexcept { return sides_[0]; }
  Side& right() noexcept { return sides_[1]; }

  void advance_both() {
    for (auto& side : sides_) side.advance(options_);
  }

  bool asked_to_stop() {
    if (++steps_ % kBetweenQuestions != 0 || !options_.interrupted || !options_.interrupted()) return false;
    return result_.interrupted = true;
  }

  void pass_what_is_common() {
    while (left().has_line && right().has_line && left().text(options_) == right().text(options_)) {
      if (asked_to_stop()) return;
      ++result_.common;
      remembered_.push_back(left().line);
      if (remembered_.size() > kRemembered) remembered_.pop_front();
      advance_both();
    }
    if (left().has_line || right().has_line) note_first();
  }

  void note_first() {
    DifferentEvent first{.event = result_.common + 1};
    std::string service;
    if (left().has_line) {
      first.left = left().line;
      first.left_number = left().source.number();
      service = parse(left()).service;
    }
    if (right().has_line) {
      first.right = right().line;
      first.right_number = right().source.number();
      if (!left().has_line) service = parse(right()).service;
    }
    if (left().has_line && right().has_line) {
      (void)parse(right());  // throws if it is not an event
      first.says = differing_keys(first.left, first.right, "left", "right");
    }
    const auto key = service.empty() ? std::string{"\"n\":"} : "\"service\":\"" + service + "\"";
    for (auto line = remembered_.rbegin(); line != remembered_.rend() && first.before.size() < kEventsBefore; ++line) {
      const bool about_supervisor = line->find("\"service\":") == std::string::npos;
      if (service.empty() ? about_supervisor : line->find(key) != std::string::npos) first.before.push_back(*line);
    }
    std::reverse(first.before.begin(), first.before.end());
    result_.first = std::move(first);
  }

  // The side whose next event is earlier goes on, so that neither gets far ahead.
  void compare_the_rest() {
    std::array<std::optional<Parsed>, 2> next;
    const auto look = [&](std::size_t side) {
      next[side] = sides_[side].has_line ? std::optional{parse(sides_[side])} : std::nullopt;
    };
    look(0);
    look(1);
    while (next[0] || next[1]) {
      if (asked_to_stop()) return;
      const std::size_t side = !next[0] || (next[1] && next[1]->at < next[0]->at) ? 1 : 0;
      take(side, *next[side]);
      sides_[side].advance(options_);
      look(side);
    }
    for (auto& [name, group] : groups_) {
      for (auto& [service, state] : group.services) {
        if (!state.differs && !state.ahead.empty()) mark(group, service, state, last_at_);
      }
    }
  }

  void take(std::size_t side, const Parsed& event) {
    last_at_ = event.at;
    Group& group = groups_[group_of(event.service)];
    count(side == 0 ? group.result.left : group.result.right, event);
    Service& service = group.services[event.service];
    if (service.differs) return;
    const std::string_view text = sides_[side].text(options_);
    if (service.ahead.empty() || service.of_side == side) {
      service.of_side = side;
      service.ahead.emplace_back(text);
    } else if (service.ahead.front() == text) {
      service.ahead.pop_front();
    } else {
      mark(group, event.service, service, event.at);
    }
  }

  void mark(Group& group, const std::string& name, Service& service, TimePoint at) {
    service.differs = true;
    service.ahead.clear();
    if (group.result.different++ > 0) return;
    group.result.first_service = name;
    group.result.first_at = at;
  }

  static void count(DiffCounts& counts, const Parsed& event) {
    ++counts.events;
    if (event.kind == "started") ++counts.starts;
    if (event.kind == "ended" && event.outcome != "clean") ++counts.failures;
    if (event.kind == "terminated" && event.reason != "completed" && event.reason != "cancelled") ++counts.lost;
  }

  void finish() {
    result_.left_events = left().events;
    result_.right_events = right().events;
    for (auto& [name, group] : groups_) {
      group.result.name = name;
      group.result.services = group.services.size();
      if (group.result.different == 0) {
        ++result_.groups_alike;
      } else {
        result_.groups.push_back(std::move(group.result));
      }
    }
    std::stable_sort(result_.groups.begin(), result_.groups.end(),
                     [](const GroupDiff& a, const GroupDiff& b) { return a.first_at < b.first_at; });
    const auto& ends = std::pair{left().source.end(), right().source.end()};
    if (result_.first || result_.interrupted || ends.first.empty() || ends.second.empty()) return;
    const auto compared = [&](const std::string& line) { return options_.without_times ? without_times(line) : line; };
    if (compared(ends.first) == compared(ends.second)) return;
    result_.ends_say = differing_keys(ends.first, ends.second, "left", "right");
  }

  const DiffOptions& options_;
  std::array<Side, 2> sides_;
  Diff result_;
  std::deque<std::string> remembered_;
  std::map<std::string, Group> groups_;
  std::uint64_t steps_ = 0;
  TimePoint last_at_;
};

}  // namespace

Diff diff(LineSource& left, LineSource& right, const DiffOptions& options) {
  return Comparison{left, right, options}.run();
}

}  // namespace holdfast::sim
