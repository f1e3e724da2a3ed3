#include <holdfast_sim/explain/detail/chain.hpp>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <holdfast_sim/explain/detail/causes.hpp>
#include <holdfast_sim/explain/detail/sentences.hpp>
#include <holdfast_sim/text/detail/human_text.hpp>

namespace holdfast::sim::detail {

namespace {

class Builder {
 public:
  Builder(const History& history, const Scenario& scenario, Seed seed, const std::vector<std::uint32_t>& lines)
      : all_(history.happenings()),
        causes_(causes_of(all_, scenario)),
        sentences_(all_, causes_, scenario, seed, lines) {}

  Chain build() {
    const auto picked = pick();
    return {folded(picked), afterwards()};
  }

 private:
  // Back from the last event. A row of failures that ends with an event belongs to it as a whole. Elsewhere the chain
  // ends where an event has a cause of its own.
  [[nodiscard]] std::vector<std::size_t> pick() const {
    std::set<std::size_t, std::greater<>> todo{all_.size() - 1};
    std::vector<std::size_t> picked;
    std::size_t back_to = all_.size() - 1;
    while (!todo.empty()) {
      const std::size_t index = *todo.begin();
      todo.erase(todo.begin());
      picked.push_back(index);
      const Cause& cause = causes_[index];
      if (cause.first != kNone) back_to = std::min(back_to, cause.first);
      if (cause.also != kNone && cause.also < index) todo.insert(cause.also);
      if (cause.from == kNone || (cause.enough && index <= back_to)) continue;
      todo.insert(cause.from);
    }
    std::reverse(picked.begin(), picked.end());
    return picked;
  }

  // What makes two events alike.
  [[nodiscard]] std::string key_of(std::size_t index) const {
    const auto* const ended = all_[index].as<event::Ended>();
    return fmt::format("{} {} {};", all_[index].kind(), static_cast<int>(causes_[index].why),
                       ended != nullptr ? ended->error : std::string_view{});
  }

  // From behind one failure to the next, which is included.
  struct Round {
    std::size_t begin = 0;  // in the picked ones
    std::size_t end = 0;
    std::string key;
  };
  [[nodiscard]] std::vector<Round> rounds(const std::vector<std::size_t>& picked) const {
    std::vector<Round> found;
    std::size_t begin = 0;
    std::string key;
    for (std::size_t i = 0; i < picked.size(); ++i) {
      key += key_of(picked[i]);
      if (!causes_[picked[i]].failed) continue;
      found.push_back({begin, i + 1, std::exchange(key, {})});
      begin = i + 1;
    }
    found.push_back({begin, picked.size(), ""});  // what is behind the last failure is like nothing else
    return found;
  }

  // Of rounds that are alike the first and the last are shown.
  [[nodiscard]] std::vector<Link> folded(const std::vector<std::size_t>& picked) const {
    const auto all = rounds(picked);
    std::vector<Link> links;
    for (std::size_t first = 0; first < all.size();) {
      std::size_t last = first;
      while (last + 1 < all.size() && all[last + 1].key == all[first].key) ++last;
      add(links, picked, all[first]);
      if (last > first + 1) links.push_back(fold(picked, all, first + 1, last));
      if (last > first) add(links, picked, all[last]);
      first = last + 1;
    }
    return links;
  }

  void add(std::vector<Link>& links, const std::vector<std::size_t>& picked, const Round& round) const {
    for (std::size_t i = round.begin; i < round.end; ++i) links.push_back(link(picked[i]));
  }

  [[nodiscard]] Link link(std::size_t index) const {
    const Happening& happening = all_[index];
    Link link{.at = happening.at(),
              .until = happening.at(),
              .service = std::string{happening.service()},
              .kind = std::string{happening.kind()},
              .number = happening.number,
              .run = happening.event() != nullptr ? happening.event()->run.value : 0,
              .by = causes_[index].by,
              .chaos = sentences_.entry_of(index)};
    if (link.chaos) link.line = sentences_.line_of(*link.chaos);
    link.says = sentences_.of(index);
    return link;
  }

  // The rounds from `first` up to `end`, which is not included.
  [[nodiscard]] Link fold(const std::vector<std::size_t>& picked, const std::vector<Round>& all, std::size_t first,
                          std::size_t end) const {
    Duration shortest = Duration::max();
    Duration longest{0};
    for (std::size_t i = all[first].begin; i < all[end - 1].end; ++i) {
      const auto* const wait = all_[picked[i]].as<event::BackingOff>();
      if (wait == nullptr) continue;
      shortest = std::min(shortest, wait->delay);
      longest = std::max(longest, wait->delay);
    }
    const Happening& last = all_[picked[all[end - 1].end - 1]];
    const auto run_of = [&](std::size_t round) { return all_[picked[all[round].end - 1]].event()->run.value; };
    const std::uint64_t count = run_of(end - 1) - run_of(first) + 1;  // also of those that were not kept
    return {.at = all_[picked[all[first].end - 1]].at(),
            .until = last.at(),
            .service = std::string{last.service()},
            .kind = std::string{last.kind()},
            .number = last.number,
            .run = last.event()->run.value,
            .by = causes_[picked[all[end - 1].end - 1]].by,
            .folded = count,
            .says = Sentences::of_folded(count, last.at(), shortest, longest)};
  }

  // What was still going on when the service was given up.
  [[nodiscard]] std::string afterwards() const {
    const Happening& last = all_.back();
    const auto* const terminated = last.as<event::Terminated>();
    if (terminated == nullptr || terminated->why.reason != Termination::Reason::circuit_open) return {};
    TimePoint until;
    for (const Happening& happening : all_) {
      const auto* const chaos = happening.chaos();
      const bool lasts = chaos != nullptr &&
                         (chaos->kind == ChaosEvent::Kind::outage || chaos->kind == ChaosEvent::Kind::failing_starts);
      if (lasts) until = std::max(until, chaos->until);
    }
    if (until <= last.at()) return {};
    if (until == TimePoint::max()) return "What made it fail never ends.";
    return fmt::format("What made it fail was over at {}, {} later.", moment(until), human(until - last.at()));
  }

  const std::deque<Happening>& all_;
  std::vector<Cause> causes_;
  Sentences sentences_;
};

}  // namespace

Chain chain_of(const History& history, const Scenario& scenario, Seed seed, const std::vector<std::uint32_t>& lines) {
  return Builder{history, scenario, seed, lines}.build();
}

}  // namespace holdfast::sim::detail

namespace holdfast::sim {

namespace {

// What says least goes first.
int weight_of(const Link& link) {
  if (link.kind == "started") return 5;
  if (link.kind == "backing_off") return 4;
  if (link.kind == "running" || link.kind == "waiting") return 3;
  if (link.kind == "ended") return 2;
  return link.folded > 0 ? 1 : 0;
}

}  // namespace

std::vector<Link> shortened(std::vector<Link> chain, std::size_t most) {
  while (chain.size() > most) {
    const auto lightest = std::max_element(chain.begin() + 1, chain.end() - 1,
                                           [](const Link& a, const Link& b) { return weight_of(a) < weight_of(b); });
    chain.erase(lightest);
  }
  return chain;
}

}  // namespace holdfast::sim
