#include <holdfast_sim/find/query.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include <holdfast/file/duration_text.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast_sim/checks/detail/property_checks.hpp>
#include <holdfast_sim/find/detail/event_fields.hpp>

namespace holdfast::sim {

BadQuery::BadQuery(std::size_t column, const std::string& says)
    : std::runtime_error(fmt::format("column {}: {}", column, says)), column_(column) {}

namespace {

using file::did_you_mean;
using file::in_quotes;
using file::listed;
using file::nearest;
using holdfast::to_string;

// ---------------------------------------------------------------------------------------------------------------------
// Words
// ---------------------------------------------------------------------------------------------------------------------

struct QueryWord {
  std::string text;
  std::size_t column = 1;
  bool quoted = false;
  [[nodiscard]] bool is(std::string_view other) const { return !quoted && text == other; }
};

constexpr std::string_view kOperators = "=!<>";

std::vector<QueryWord> words_in(std::string_view text) {
  std::vector<QueryWord> words;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t begin = at;
    const char c = text[at];
    if (c == ' ' || c == '\t' || c == '\n') {
      ++at;
    } else if (c == '"') {
      const auto end = text.find('"', at + 1);
      if (end == text.npos) throw BadQuery{begin + 1, "this quotation mark is never closed"};
      words.push_back({std::string{text.substr(at + 1, end - at - 1)}, begin + 1, true});
      at = end + 1;
    } else if (c == ',' || c == ':') {
      words.push_back({std::string{c}, begin + 1});
      ++at;
    } else if (kOperators.find(c) != kOperators.npos) {
      while (at < text.size() && kOperators.find(text[at]) != kOperators.npos) ++at;
      words.push_back({std::string{text.substr(begin, at - begin)}, begin + 1});
    } else {
      at = std::min(text.size(), text.find_first_of(" \t\n\",:=!<>", at));
      words.push_back({std::string{text.substr(begin, at - begin)}, begin + 1});
    }
  }
  return words;
}

constexpr std::array<std::pair<std::string_view, FieldTest::Is>, 4> kTests{{{"=", FieldTest::Is::equal},
                                                                            {"!=", FieldTest::Is::other},
                                                                            {"<", FieldTest::Is::less},
                                                                            {">", FieldTest::Is::more}}};
constexpr std::array<std::string_view, 6> kPropertyWords{"whenever",   "always",    "never",
                                                         "eventually", "sometimes", "not"};

// A text that words_in() takes for one word, in quotes if it would not.
std::string one_word(const std::string& name) {
  constexpr std::array<std::string_view, 2> kTaken{"any", ""};
  const bool plain =
      name.find_first_of(" \t\n\",:=!<>") == name.npos && std::find(kTaken.begin(), kTaken.end(), name) == kTaken.end();
  return plain ? name : '"' + name + '"';
}

// ---------------------------------------------------------------------------------------------------------------------
// The grammar: one function for each part of it
// ---------------------------------------------------------------------------------------------------------------------

class QueryParser {
 public:
  QueryParser(std::string_view text, const Roster* roster)
      : words_(words_in(text)), roster_(roster), end_column_(text.size() + 1) {}

  Query query() {
    if (words_.empty()) {
      throw BadQuery{1,
                     "looks for nothing; write a kind of event, like \"breaker_tripped of feed\", or a property, "
                     "like \"eventually feed: running at most 2\""};
    }
    return is_property() ? Query{property_query()} : Query{event_query()};
  }

 private:
  // -- Words ----------------------------------------------------------------------------------------------------------

  [[nodiscard]] bool at_end() const { return next_ == words_.size(); }
  [[nodiscard]] bool sees(std::string_view word, std::size_t ahead = 0) const {
    return next_ + ahead < words_.size() && words_[next_ + ahead].is(word);
  }
  bool take(std::string_view word) {
    const bool seen = sees(word);
    next_ += seen ? 1 : 0;
    return seen;
  }
  const QueryWord& take_any(std::string_view wanted) {
    if (at_end()) throw BadQuery{end_column_, fmt::format("ends too early: {} is expected here", wanted)};
    return words_[next_++];
  }
  [[noreturn]] void refuse(const QueryWord& word, const std::string& says) const {
    throw BadQuery{word.column, in_quotes(word.text) + " " + says};
  }
  void refuse_rest(const std::vector<std::string_view>& might) const {
    if (at_end()) return;
    const QueryWord& word = words_[next_];
    refuse(word, fmt::format("is not expected here; {}",
                             did_you_mean(nearest(word.text, might), "here may stand: " + listed(might))));
  }

  Duration length(std::string_view of) {
    const QueryWord& word = take_any(fmt::format("a length of time for \"{}\"", of));
    const auto length = file::parse_duration(word.text);
    if (!length) refuse(word, fmt::format("is not a length of time; write {}", file::kDurationForm));
    return *length;
  }

  std::uint64_t count() {
    const QueryWord& word = take_any("a whole number");
    std::uint64_t number = 0;
    const char* const end = word.text.data() + word.text.size();
    const auto [stopped, error] = std::from_chars(word.text.data(), end, number);
    if (error != std::errc{} || stopped != end) {
      refuse(word, "is not a whole number; write 3, at least 3, at most 3, or 1 to 3");
    }
    return number;
  }

  std::string name() {
    const QueryWord& word = take_any("the name of a group or a service");
    if (roster_ == nullptr || roster_->group(word.text) || roster_->group_of(word.text)) return word.text;
    std::vector<std::string_view> names;
    names.reserve(roster_->groups().size());
    for (const auto& group : roster_->groups()) names.emplace_back(group.name);
    refuse(word,
           "is no group and no service; " + did_you_mean(nearest(word.text, names), "there are: " + listed(names)));
  }

  // -- Events ---------------------------------------------------------------------------------------------------------

  // A whole word of a kind stands for it if no other kind has it, and so does its beginning: "trip".
  std::string kind() {
    const QueryWord& word = take_any("a kind of event");
    const auto& kinds = detail::kinds_of_events();
    if (std::find(kinds.begin(), kinds.end(), word.text) != kinds.end()) return word.text;
    std::vector<std::string_view> meant;
    for (const auto kind : kinds) {
      if (('_' + std::string{kind}).find('_' + word.text) != std::string::npos) meant.push_back(kind);
    }
    if (meant.size() == 1) return std::string{meant.front()};
    if (meant.size() > 1) refuse(word, "may be each of these kinds of event: " + listed(meant, 40));
    std::vector<std::string_view> might = kinds;
    might.insert(might.end(), kPropertyWords.begin(), kPropertyWords.end());
    refuse(word,
           "is not a kind of event; " + did_you_mean(nearest(word.text, might), "there are: " + listed(kinds, 40)));
  }

  SoughtEvent happening() {
    SoughtEvent happening{.kind = kind()};
    for (;;) {
      if (!happening.of && !happening.of_any && take("of")) {
        if (take("any")) {
          happening.of_any = true;
        } else {
          happening.of = name();
        }
      } else if (const auto is = test_ahead()) {
        happening.tests.push_back(field_test(happening.kind, *is));
      } else {
        return happening;
      }
    }
  }

  [[nodiscard]] std::optional<FieldTest::Is> test_ahead() const {
    if (next_ + 1 >= words_.size() || words_[next_].quoted) return std::nullopt;
    const QueryWord& word = words_[next_ + 1];
    if (word.quoted || kOperators.find(word.text.front()) == kOperators.npos) return std::nullopt;
    for (const auto& [text, is] : kTests) {
      if (word.is(text)) return is;
    }
    refuse(word, "compares nothing; write =, !=, < or >");
  }

  FieldTest field_test(const std::string& kind, FieldTest::Is is) {
    using Of = detail::FieldKind::Of;
    const QueryWord& key = words_[next_];
    const QueryWord& compares = words_[next_ + 1];
    next_ += 2;
    const auto fields = detail::fields_of_kind(kind);
    const auto field = std::find_if(fields.begin(), fields.end(), [&](const auto& one) { return one.key == key.text; });
    if (field == fields.end()) {
      std::vector<std::string_view> keys;
      keys.reserve(fields.size());
      for (const auto& one : fields) keys.push_back(one.key);
      if (keys.empty()) refuse(key, fmt::format("is not a field of \"{}\", which has none", kind));
      refuse(key, fmt::format("is not a field of \"{}\"; {}", kind,
                              did_you_mean(nearest(key.text, keys), "there are: " + listed(keys, 40))));
    }
    const QueryWord& value = take_any("a value");
    FieldTest test{.key = key.text, .is = is, .value = value.text};
    if (field->of == Of::length) {
      const auto length = file::parse_duration(value.text);
      if (!length) refuse(value, fmt::format("is not a length of time; write {}", file::kDurationForm));
      test.number = length->count();
    } else if (field->of == Of::number) {
      std::int64_t number = 0;
      const char* const end = value.text.data() + value.text.size();
      const auto [stopped, error] = std::from_chars(value.text.data(), end, number);
      if (error != std::errc{} || stopped != end)
        refuse(value, fmt::format("is not a whole number, as \"{}\" is", key.text));
      test.number = number;
    } else {
      const auto& words = field->words;
      if (!words.empty() && std::find(words.begin(), words.end(), value.text) == words.end()) {
        refuse(value, fmt::format("is none of the words of \"{}\"; {}", key.text,
                                  did_you_mean(nearest(value.text, words), "there are: " + listed(words, 40))));
      }
      if (is == FieldTest::Is::less || is == FieldTest::Is::more) {
        refuse(compares, fmt::format("is for numbers and lengths of time; \"{}\" is a text: write = or !=", key.text));
      }
    }
    return test;
  }

  EventQuery event_query() {
    EventQuery query{.what = happening()};
    query.negated = take("not");
    if (sees("preceded") || sees("followed")) {
      query.order = sees("preceded") ? EventQuery::Order::preceded : EventQuery::Order::followed;
      const QueryWord& word = words_[next_++];
      if (!take("by")) throw BadQuery{column(), fmt::format("\"{}\" needs \"by\" and a kind of event", word.text)};
      query.other = happening();
      if (take("within")) query.within = length("within");
    } else if (query.negated) {
      throw BadQuery{column(), "\"not\" needs \"preceded by\" or \"followed by\" and a kind of event"};
    }
    if (take("from")) query.from = length("from");
    if (take("until")) query.until = last_length(query.from);
    if (query.order == EventQuery::Order::alone) {
      refuse_rest({"of", "preceded by", "followed by", "not preceded by", "not followed by", "from", "until"});
    }
    refuse_rest({"of", "within", "from", "until"});
    return query;
  }

  [[nodiscard]] std::size_t column() const { return at_end() ? end_column_ : words_[next_].column; }

  Duration last_length(Duration from) {
    const std::size_t at = column();
    const Duration until = length("until");
    if (until < from) throw BadQuery{at, "\"until\" is before \"from\": no event is between them"};
    return until;
  }

  // -- Properties -----------------------------------------------------------------------------------------------------

  [[nodiscard]] bool is_property() const {
    return std::any_of(kPropertyWords.begin(), kPropertyWords.end(), [&](auto word) { return sees(word); });
  }

  PropertyQuery property_query() {
    PropertyQuery query;
    query.negated = take("not");
    ExpectedProperty& property = query.property;
    property.name = "found";
    if (take("whenever")) {
      property.whenever = condition();
      if (!take(","))
        throw BadQuery{column(), "behind the condition of \"whenever\" stand a comma and always, never or eventually"};
    }
    property.what = property_kind();
    while (take(",") || !at_end()) {
      if (!property.within && sees("within")) {
        const QueryWord& word = words_[next_++];
        if (!property.whenever || !std::holds_alternative<Eventually>(property.what)) {
          refuse(word,
                 "is of \"whenever …, eventually …\"; a condition needs it only behind starts, restarts and failures");
        }
        property.within = length("within");
      } else if (!property.before && take("before")) {
        property.before = condition();
      } else if (property.from == Duration::zero() && take("from")) {
        property.from = length("from");
      } else if (!property.until && take("until")) {
        property.until = last_length(property.from);
      } else if (!property.in_drain && sees("in") && sees("drain", 1)) {
        next_ += 2;
        property.in_drain = InDrain{};
      } else {
        refuse_rest({"within", "before", "from", "until", "in drain"});
        throw BadQuery{end_column_, "ends with a comma; leave it out, or say before, from or until"};
      }
    }
    return query;
  }

  PropertyKind property_kind() {
    const QueryWord& word = take_any("always, never or eventually");
    if (word.is("always")) return Always{condition()};
    if (word.is("never")) return Never{condition()};
    // Of one run they are the same.
    if (word.is("eventually") || word.is("sometimes")) return Eventually{condition()};
    const std::vector<std::string_view> kinds{"always", "never", "eventually"};
    refuse(word, "is no property; " + did_you_mean(nearest(word.text, kinds), "there are: " + listed(kinds)));
  }

  // "db: running at least 2, failures 0 within 10s"
  Condition condition() {
    Condition condition;
    if (sees(":", 1)) {
      condition.of = name();
      ++next_;
    }
    do {
      count_of(condition);
    } while (sees(",") && counted_ahead() && take(","));
    const bool is_lately = condition.counts.starts || condition.counts.restarts || condition.counts.failures;
    if (is_lately && !take("within")) {
      throw BadQuery{column(),
                     "starts, restarts and failures are counted \"within\" a length of time; write: within 10s"};
    }
    if (is_lately) {
      const std::size_t at = column();
      condition.window = length("within");
      if (*condition.window <= Duration::zero()) throw BadQuery{at, "the length of time has to be above 0s"};
    }
    return condition;
  }

  [[nodiscard]] bool counted_ahead() const {
    return std::any_of(kConditionCounts.begin(), kConditionCounts.end(),
                       [&](const auto& count) { return sees(count.name, 1); });
  }

  void count_of(Condition& condition) {
    const QueryWord& word = take_any("a state like running");
    const auto found = std::find_if(kConditionCounts.begin(), kConditionCounts.end(),
                                    [&](const auto& count) { return word.is(count.name); });
    if (found == kConditionCounts.end()) {
      std::vector<std::string_view> names;
      names.reserve(kConditionCounts.size());
      for (const auto& count : kConditionCounts) names.push_back(count.name);
      refuse(word,
             "is nothing that is counted; " + did_you_mean(nearest(word.text, names), "there are: " + listed(names)));
    }
    auto& range = condition.counts.*found->member;
    if (range) refuse(word, "stands twice");
    range = CountRange{};
    if (sees("at") && sees("least", 1)) {
      next_ += 2;
      range = CountRange{count(), UINT64_MAX};
    } else if (sees("at") && sees("most", 1)) {
      next_ += 2;
      range = CountRange{0, count()};
    } else {
      const std::size_t at = column();
      range->min = count();
      range->max = take("to") ? count() : range->min;
      if (range->max < range->min) throw BadQuery{at, "the smaller number stands first"};
    }
  }

  const std::vector<QueryWord> words_;
  const Roster* const roster_;
  const std::size_t end_column_;
  std::size_t next_ = 0;
};

std::string in_words_of(const SoughtEvent& happening) {
  std::string text = happening.kind;
  if (happening.of_any) text += " of any";
  if (happening.of) text += " of " + one_word(*happening.of);
  for (const auto& test : happening.tests) {
    const auto found =
        std::find_if(kTests.begin(), kTests.end(), [&](const auto& one) { return one.second == test.is; });
    text += fmt::format(" {}{}{}", test.key, found->first, one_word(test.value));
  }
  return text;
}

std::string in_words_of(const EventQuery& query) {
  std::string text = in_words_of(query.what);
  if (query.order != EventQuery::Order::alone) {
    text += fmt::format(" {}{} by {}", query.negated ? "not " : "",
                        query.order == EventQuery::Order::preceded ? "preceded" : "followed", in_words_of(query.other));
    if (query.within) text += " within " + to_string(*query.within);
  }
  if (query.from > Duration::zero()) text += " from " + to_string(query.from);
  if (query.until) text += " until " + to_string(*query.until);
  return text;
}

}  // namespace

Query parse_query(std::string_view text, const Roster* roster) { return QueryParser{text, roster}.query(); }

std::string in_words(const Query& query) {
  if (const auto* const events = std::get_if<EventQuery>(&query)) return in_words_of(*events);
  const auto& property = std::get<PropertyQuery>(query);
  return fmt::format("{}{}{}", property.negated ? "not " : "", detail::in_words(property.property),
                     property.property.in_drain ? ", in drain" : "");
}

}  // namespace holdfast::sim
