#include <holdfast_sim/observe/trace.hpp>

#include <cstring>
#include <istream>
#include <optional>
#include <ostream>
#include <type_traits>

#include <boost/json.hpp>

#include <holdfast/detail/text.hpp>
#include <holdfast/event_fields.hpp>
#include <holdfast/file/bad_input.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast_sim/observe/compact_trace.hpp>
#include <holdfast_sim/observe/detail/chaos_fields.hpp>
#include <holdfast_sim/observe/detail/line_source.hpp>
#include <holdfast_sim/observe/detail/object_reader.hpp>
#include <holdfast_sim/observe/detail/trace_services.hpp>
#include <holdfast_sim/text/file.hpp>

namespace holdfast::sim {

// ---------------------------------------------------------------------------------------------------------------------
// Writing
// ---------------------------------------------------------------------------------------------------------------------

namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 16;

// ASCII in which nothing has to be escaped. Eight characters at a time: of ASCII alone, a character is less than
// another one where a subtraction borrows into its highest bit, and the last one where an addition carries into it
// (Warren, Hacker's Delight, section 6-1). A character with its highest bit set is no ASCII, so what it does to others
// is no matter.
bool is_plain(std::string_view text) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x80 * kOnes;
  const auto oddness_at = [](const char* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word | (word + kOnes) | (word - 0x20 * kOnes) | ((word ^ '"' * kOnes) - kOnes) |
           ((word ^ '\\' * kOnes) - kOnes);
  };
  const char* at = text.data();
  const char* const end = at + text.size();
  std::uint64_t odd = 0;
  if (text.size() < sizeof odd) {
    for (; at < end; ++at) odd |= *at < 0x20 || *at == '"' || *at == '\\' || *at == 0x7f;
    return odd == 0;
  }
  for (; at + sizeof odd < end; at += sizeof odd) odd |= oddness_at(at);
  odd |= oddness_at(end - sizeof odd);  // some of them for the second time
  return (odd & kHighs) == 0;
}

// Appends one JSON object to a text. Keys are literals of ours: of known length, and with nothing to escape.
class ObjectWriter {
 public:
  explicit ObjectWriter(detail::TextBuffer& text) : text_(text), begins_(text.size()) {}

  template <std::size_t kSize>
  void operator()(const char (&key)[kSize], std::string_view value) {
    if (is_plain(value)) [[likely]] {
      word(key, value);
    } else {
      this->key(key);
      text_.put(holdfast::detail::without_invisible(
          boost::json::serialize(boost::json::string_view{value.data(), value.size()})));
    }
  }
  template <std::size_t kSize>
  void operator()(const char (&key)[kSize], const std::string& value) {
    (*this)(key, std::string_view{value});
  }
  template <std::size_t kSize>
  void operator()(const char (&key)[kSize], const ExitStatuses& value) {
    word(key, to_string(value));
  }
  template <std::size_t kSize>
  void operator()(const char (&key)[kSize], const NameList& value) {
    (*this)(key, to_string(value));
  }
  template <std::size_t kSize>
  void operator()(const char (&key)[kSize], Duration value) {
    (*this)(key, value.count());
  }
  template <std::size_t kSize, class Value>
  void operator()(const char (&key)[kSize], const std::optional<Value>& value) {
    if (value) (*this)(key, *value);
  }
  template <std::size_t kSize>
  void operator()(const char (&key)[kSize], bool value) {
    if (!value) return;
    this->key(key);
    text_.put("true");
  }
  template <std::size_t kSize, class Value>
  void operator()(const char (&key)[kSize], Value value) {
    if constexpr (std::is_enum_v<Value>) {
      word(key, to_string(value));
    } else {
      this->key(key);
      text_.put_number(value);
    }
  }

  // A text with nothing to escape.
  template <std::size_t kSize>
  void word(const char (&key)[kSize], std::string_view value) {
    char* const at = put_key(key, value.size() + 2);
    *at = '"';
    if (!value.empty()) std::memcpy(at + 1, value.data(), value.size());
    at[1 + value.size()] = '"';
    text_.took(value.size() + 2);
  }
  template <std::size_t kSize>
  void key(const char (&key)[kSize]) {
    (void)put_key(key, 0);
  }
  void close() {
    text_.put('}');
    text_.replace(begins_, '{');
  }

 private:
  // With room for so many more characters, which begins where it says. The comma before the first key makes room for
  // the brace.
  template <std::size_t kSize>
  char* put_key(const char (&key)[kSize], std::size_t more) {
    constexpr std::size_t kLength = kSize - 1;
    char* const at = text_.room(kLength + 4 + more);
    // NOLINTBEGIN(bugprone-not-null-terminated-result): the next piece goes where a text would end
    std::memcpy(at, ",\"", 2);
    std::memcpy(at + 2, key, kLength);
    std::memcpy(at + 2 + kLength, "\":", 2);
    // NOLINTEND(bugprone-not-null-terminated-result)
    text_.took(kLength + 4);
    return at + kLength + 4;
  }

  detail::TextBuffer& text_;
  const std::size_t begins_;
};

}  // namespace

TraceWriter::TraceWriter(std::ostream& out, std::string_view scenario, Seed seed) : out_(out) {
  ObjectWriter object{text_};
  object("holdfast_trace", 1);
  object("scenario", scenario);
  object("seed", seed.value);
  object.close();
  text_.put('\n');
}

void TraceWriter::on_event(const Event& event) {
  ObjectWriter object{text_};
  object.key("t_ns");
  put_time(event.at);
  if (!event.about_supervisor()) object("service", event.name);
  object("n", event.n);
  if (!event.about_supervisor()) object("run", event.run.value);
  visit_what(event.what, [&](const auto& what) {
    object.word("kind", what.kKind);
    if constexpr (event::HasPolicy<std::remove_cvref_t<decltype(what)>>) {
      visit_backoff(object, *what.policy->backoff);
      visit_with_policy(object, what, *what.policy);
    } else {
      visit_fields(object, what);
    }
  });
  object.close();
  text_.put('\n');
  if (text_.size() >= kChunkBytes) flush();
}

// Most events come at the time of the one before, whose digits still stand in the text.
void TraceWriter::put_time(TimePoint at) {
  if (at != latest_at_ || latest_time_ == 0) {
    latest_at_ = at;
    latest_time_ = text_.size();
    text_.put_number(at.nanoseconds);
    latest_digits_ = text_.size() - latest_time_;
  } else {
    text_.repeat(latest_time_, latest_digits_);
  }
}

void TraceWriter::on_chaos(const ChaosEvent& event) {
  ObjectWriter object{text_};
  object("t_ns", event.at.nanoseconds);
  object("service", event.name);
  object("chaos", event.kind);
  visit_chaos(object, event);
  object.close();
  text_.put('\n');
}

void TraceWriter::finish(const SimulationEnd& end, Digest& digest) {
  ObjectWriter object{text_};
  object("end", end.reason);
  object("t_ns", end.at.nanoseconds);
  object("timers_fired", end.timers_fired);
  object.key("counters");
  ObjectWriter counters{text_};
  visit_counters(counters, end.counters);
  counters.close();
  object("events", digest.events());
  object("digest", digest.text());
  object.close();
  text_.put('\n');
  flush();
  out_.flush();
}

void TraceWriter::flush() {
  out_.write(text_.text().data(), static_cast<std::streamsize>(text_.size()));
  text_.clear();
  latest_time_ = 0;
}

// ---------------------------------------------------------------------------------------------------------------------
// Reading
// ---------------------------------------------------------------------------------------------------------------------

namespace {

namespace json = boost::json;

using detail::BadLine;
using detail::ObjectReader;
using detail::read_backoff;

// The kind that goes by `name`, with its fields.
template <std::size_t Index = 0>
Event::What read_what(std::string_view name, const ObjectReader& object) {
  if constexpr (Index == std::variant_size_v<Event::What>) {
    throw BadLine{"kind", "is " + file::in_quotes(name) + ", which is not a kind of event"};
  } else {
    using Kind = std::variant_alternative_t<Index, Event::What>;
    if (Kind::kKind != name) return read_what<Index + 1>(name, object);
    Kind what{};
    if constexpr (!event::HasPolicy<Kind>) visit_fields(object, what);
    return what;
  }
}

class TraceReader {
 public:
  TraceReader(std::istream& in, const std::string& file, const std::vector<Observer*>& observers)
      : lines_(in), file_(file), observers_(observers) {}

  TraceSummary read() {
    try {
      read_first_line();
      while (!read_line()) {
      }
    } catch (const BadLine& bad) {
      throw BadInput{{{.file = file_, .line = lines_.number(), .key = bad.key, .says = bad.says}}};
    }
    return std::move(summary_);
  }

 private:
  json::value next() {
    if (!lines_.next()) throw BadLine{"", "the trace is cut short: the line that says how it ended is missing"};
    json::error_code failed;
    // A text that is not UTF-8 is written as it is, and is read back the same.
    json::parse_options options;
    options.allow_invalid_utf8 = true;
    json::value value = json::parse(lines_.text(), failed, {}, options);
    if (failed || !value.is_object()) throw BadLine{"", "is not a JSON object"};
    detail::refuse_repeated_keys(lines_.text());
    return value;
  }

  void read_first_line() {
    const json::value value = next();
    const ObjectReader object{value.get_object()};
    int version = 0;
    object("holdfast_trace", version);
    if (version != 1) throw BadLine{"holdfast_trace", "is " + std::to_string(version) + "; this program reads 1"};
    std::string_view scenario;
    object("scenario", scenario);
    summary_.scenario = scenario;
    object("seed", summary_.seed.value);
    object.refuse_other_keys();
  }

  // True for the last line.
  bool read_line() {
    const json::value value = next();
    const ObjectReader object{value.get_object()};
    if (object.has("end")) {
      read_last_line(object);
      return true;
    }
    if (object.has("chaos")) {
      read_chaos(object);
    } else {
      read_event(object);
    }
    return false;
  }

  void read_event(const ObjectReader& object) {
    Event event{};
    object("t_ns", event.at.nanoseconds);
    object("n", event.n);
    std::string_view name;
    object("kind", name);
    event.what = read_what(name, object);
    if (object.has("service") || !may_be_about_supervisor(event)) {
      object("service", event.name);
      object("run", event.run.value);
      event.name_hash = name_hash(event.name);
      event.service = id_of(event.name, std::holds_alternative<event::Added>(event.what));
    }
    ServicePolicy policy;
    std::visit(
        [&]<class Kind>(Kind& what) {
          if constexpr (event::HasPolicy<Kind>) {
            policy.backoff = read_backoff(object);
            visit_with_policy(object, what, policy);
            what.policy = &policy;
          }
        },
        event.what);
    object.refuse_other_keys();
    digest_.on_event(event);
    for (Observer* const observer : observers_) observer->on_event(event);
    if (std::holds_alternative<event::Removed>(event.what)) services_.forget(event.name);
  }

  static bool may_be_about_supervisor(const Event& event) {
    return std::holds_alternative<event::ShutdownRequested>(event.what) ||
           std::holds_alternative<event::Drained>(event.what) ||
           std::holds_alternative<event::GroupAdded>(event.what) ||
           std::holds_alternative<event::GroupLost>(event.what) ||
           std::holds_alternative<event::RecordingFailed>(event.what) ||
           std::holds_alternative<event::Warned>(event.what);
  }

  void read_chaos(const ObjectReader& object) {
    ChaosEvent event;
    object("t_ns", event.at.nanoseconds);
    object("service", event.name);
    object("chaos", event.kind);
    visit_chaos(object, event);
    object.refuse_other_keys();
    event.name_hash = name_hash(event.name);
    event.service = id_of(event.name, false);
    digest_.on_chaos(event);
    for (Observer* const observer : observers_) observer->on_chaos(event);
  }

  void read_last_line(const ObjectReader& object) {
    object("end", summary_.end.reason);
    object("t_ns", summary_.end.at.nanoseconds);
    object("timers_fired", summary_.end.timers_fired);
    const json::object* const counters = object.at("counters").if_object();
    if (!counters) throw BadLine{"counters", "is not an object"};
    const ObjectReader reader{*counters};
    visit_counters(
        [&reader](std::string_view key, auto& value) {
          if (key != "killed_runs" || reader.has(key)) reader(key, value);  // traces of 0.1.0 may lack it
        },
        summary_.end.counters);
    reader.refuse_other_keys();
    object("events", summary_.events);
    std::string_view digest;
    object("digest", digest);
    summary_.digest = digest;
    object.refuse_other_keys();
    if (summary_.events != digest_.events()) {
      throw BadLine{"events", "is " + std::to_string(summary_.events) + ", but above there are " +
                                  std::to_string(digest_.events())};
    }
    if (digest != digest_.text()) {
      throw BadLine{"digest", "is " + file::in_quotes(digest) + ", but that of the lines above is " + digest_.text()};
    }
  }

  ServiceId id_of(std::string_view name, bool added) {
    const auto id = services_.id_of(name, added);
    if (!id) throw BadLine{"service", "is " + file::in_quotes(name) + ", which was not added before"};
    return *id;
  }

  detail::LineSource lines_;
  const std::string& file_;
  const std::vector<Observer*>& observers_;
  TraceSummary summary_;
  Digest digest_;
  detail::TraceServices services_;
};

}  // namespace

TraceSummary read_trace(std::istream& in, const std::string& file, const std::vector<Observer*>& observers) {
  if (is_compact_trace(in)) return CompactTraceReader{in, file}.read(observers);
  return TraceReader{in, file, observers}.read();
}

}  // namespace holdfast::sim
