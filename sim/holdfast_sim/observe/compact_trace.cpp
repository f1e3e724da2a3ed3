#include <holdfast_sim/observe/compact_trace.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <deque>
#include <istream>
#include <limits>
#include <optional>
#include <ostream>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include <holdfast/event_fields.hpp>
#include <holdfast/file/bad_input.hpp>
#include <holdfast/file/message_text.hpp>
#include <holdfast/file/roster.hpp>
#include <holdfast_sim/observe/detail/chaos_fields.hpp>
#include <holdfast_sim/observe/detail/field_bytes.hpp>
#include <holdfast_sim/observe/detail/read_backoff.hpp>
#include <holdfast_sim/observe/detail/trace_services.hpp>
#include <holdfast_sim/text/detail/xxh3.hpp>
#include <holdfast_sim/text/file.hpp>

namespace holdfast::sim {

namespace {

// ---------------------------------------------------------------------------------------------------------------------
// The format: lib/docs/reference/compact_trace_format.md
// ---------------------------------------------------------------------------------------------------------------------

// Kinds of records. An event of the supervisor has its place in Event::What.
constexpr unsigned kFirstChaos = 40;
constexpr unsigned kService = 61;  // a name for a service number
constexpr unsigned kCorrect = 62;  // the next event's n and run are not what they would be taken for
constexpr unsigned kEnd = 63;
constexpr unsigned kKindBits = 0x3f;
constexpr unsigned kHasMore = 0x80;
static_assert(std::variant_size_v<Event::What> <= kFirstChaos);
static_assert(kFirstChaos + holdfast::detail::enumerators_of<ChaosEvent::Kind>() <= kService);

constexpr unsigned kSameService = 15;  // in place of how many bytes the number of the service has

template <class Kind, std::size_t Index = 0>
consteval unsigned place_of() {
  if constexpr (std::is_same_v<Kind, std::variant_alternative_t<Index, Event::What>>) {
    return Index;
  } else {
    return place_of<Kind, Index + 1>();
  }
}
constexpr unsigned kStarted = place_of<event::Started>();
constexpr unsigned kRunning = place_of<event::Running>();
constexpr unsigned kEnded = place_of<event::Ended>();
constexpr unsigned kBackingOff = place_of<event::BackingOff>();

// Of `ended`.
constexpr unsigned kOutcomeBits = 0x07;
constexpr unsigned kOtherLength = 0x08;  // not the time since its start
constexpr unsigned kSameError = 0x10;
constexpr unsigned kOtherError = 0x20;
constexpr unsigned kHasStatus = 0x40;
static_assert(holdfast::detail::enumerators_of<Outcome>() <= kOutcomeBits + 1);

// Of `backing_off`.
constexpr unsigned kCauseBits = 0x07;
constexpr unsigned kSameCeiling = 0x08;
constexpr unsigned kAttemptShift = 4;
constexpr unsigned kAttemptFollows = 15;
static_assert(holdfast::detail::enumerators_of<BackoffCause>() <= kCauseBits + 1);

constexpr std::size_t kBlockBytes = std::size_t{1} << 16;     // a block ends with the record that reaches this
constexpr std::size_t kBlockBytesMax = std::size_t{1} << 24;  // that a reader takes
constexpr std::size_t kBlockHead = 8;
constexpr std::uint32_t kLastBlock = 0x80000000;
constexpr std::size_t kRecordMax = 128;  // without its texts
constexpr std::size_t kTextsMax = 65536;
constexpr std::size_t kTextBytesMax = std::size_t{1} << 24;  // of all that are remembered

// Whether a new text gets a place. Writer and reader count alike.
constexpr bool is_remembered(std::size_t texts, std::size_t bytes, std::string_view text) noexcept {
  return texts < kTextsMax && bytes + text.size() <= kTextBytesMax;
}

constexpr unsigned bytes_of(std::uint64_t value) noexcept {
  return (64U - static_cast<unsigned>(std::countl_zero(value)) + 7U) / 8U;
}

constexpr std::uint64_t little(std::uint64_t value) noexcept {
  if constexpr (std::endian::native == std::endian::little) return value;
  return __builtin_bswap64(value);
}

// As std::memcmp says, which takes longer to be called than to compare an error of a few words.
bool is_same_text(std::string_view a, std::string_view b) noexcept {
  using Word = std::uint64_t;
  if (a.size() != b.size()) return false;
  if (a.size() < sizeof(Word)) return a == b;
  const auto differ_at = [&](std::size_t at) {
    Word one = 0;
    Word other = 0;
    std::memcpy(&one, a.data() + at, sizeof one);
    std::memcpy(&other, b.data() + at, sizeof other);
    return one ^ other;
  };
  Word differ = differ_at(a.size() - sizeof(Word));
  for (std::size_t at = 0; at + sizeof(Word) < a.size(); at += sizeof(Word)) differ |= differ_at(at);
  return differ == 0;
}

void put_32(unsigned char* at, std::uint32_t value) noexcept {
  for (unsigned i = 0; i < 4; ++i) at[i] = static_cast<unsigned char>(value >> (8 * i));
}
std::uint32_t get_32(const unsigned char* at) noexcept {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(at[i]) << (8 * i);
  return value;
}

std::uint32_t checksum_of(const unsigned char* bytes, std::size_t size) noexcept {
  return static_cast<std::uint32_t>(XXH3_64bits(bytes, size));
}

constexpr std::uint64_t number_of(const ServiceId& service) noexcept {
  return service.generation == 0 ? 0 : std::uint64_t{service.slot} + 1;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Writing
// ---------------------------------------------------------------------------------------------------------------------

CompactTraceWriter::CompactTraceWriter(std::ostream& out, std::string_view scenario, Seed seed)
    : out_(out), block_(kBlockHead + kBlockBytes + kRecordMax), known_(1) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes
  out_.write(reinterpret_cast<const char*>(kCompactTraceMagic.data()), kCompactTraceMagic.size());
  at_ = block_.data() + kBlockHead;
  full_ = block_.data() + kBlockHead + kBlockBytes;
  put_raw(scenario);
  put_number(seed.value);
}

// Where the next byte goes, in a register: a member would be read again after each byte, which might have changed it.
struct CompactTraceWriter::Place {
  unsigned char* at;

  void byte(unsigned value) noexcept { *at++ = static_cast<unsigned char>(value); }
  // Eight are written always, of which those that follow overwrite what is too much.
  void bytes(std::uint64_t value, unsigned bytes) noexcept {
    const std::uint64_t ordered = little(value);
    std::memcpy(at, &ordered, sizeof ordered);
    at += bytes;
  }
  void number(std::uint64_t value) noexcept { at += detail::put_varint(at, value); }
};

void CompactTraceWriter::put_number(std::uint64_t value) noexcept { at_ += detail::put_varint(at_, value); }

void CompactTraceWriter::make_room(std::size_t bytes) {
  const auto used = static_cast<std::size_t>(at_ - block_.data());
  if (used + bytes + kRecordMax <= block_.size()) return;
  block_.resize(2 * (used + bytes + kRecordMax));
  at_ = block_.data() + used;
  full_ = block_.data() + kBlockHead + kBlockBytes;
}

void CompactTraceWriter::put_raw(std::string_view text) {
  make_room(text.size());
  put_number(text.size());
  if (!text.empty()) std::memcpy(at_, text.data(), text.size());
  at_ += text.size();
}

// What repeats itself mostly does so at once: a thousand services of one policy, an outage for all of them.
void CompactTraceWriter::put_text(std::string_view text) {
  if (latest_text_ > 0 && is_same_text(text, latest_text_is_)) return put_number(latest_text_);
  const auto known = texts_.find(text);
  if (known != texts_.end()) {
    latest_text_ = known->second + 1;
    latest_text_is_ = known->first;
    return put_number(latest_text_);
  }
  put_number(0);
  put_raw(text);
  if (!is_remembered(texts_.size(), text_bytes_, text)) return;
  texts_.emplace(std::string{text}, texts_.size());
  text_bytes_ += text.size();
}

void CompactTraceWriter::put_block(bool last) {
  unsigned char* const begin = block_.data();
  const auto size = static_cast<std::size_t>(at_ - begin) - kBlockHead;
  put_32(begin, static_cast<std::uint32_t>(size) | (last ? kLastBlock : 0));
  put_32(begin + 4, checksum_of(begin + kBlockHead, size));
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes
  out_.write(reinterpret_cast<const char*>(begin), static_cast<std::streamsize>(kBlockHead + size));
  at_ = begin + kBlockHead;
}

// What a reader could not know. Rare: the first event of a service, and late ends of runs.
[[gnu::noinline, gnu::cold]] void CompactTraceWriter::correct(const ServiceId& service, std::string_view name,
                                                              std::uint64_t n, std::uint64_t run) {
  const std::uint64_t number = number_of(service);
  if (number >= known_.size()) known_.resize(number + 1);
  if (known_[number].generation != service.generation) {
    known_[number] = {.generation = service.generation};
    put_byte(kService);
    put_number(number);
    put_raw(name);
  }
  Known& known = known_[number];
  if (known.n == n && known.run == run) return;
  known.n = n;
  known.run = run;
  put_byte(kCorrect);
  put_number(number);
  put_number(n);
  put_number(run);
}

// What every event begins with. `n` and `run` are those before it.
[[gnu::always_inline]] inline CompactTraceWriter::Known& CompactTraceWriter::lead(Place& place, unsigned kind,
                                                                                  const ServiceId& service,
                                                                                  std::string_view name,
                                                                                  std::uint64_t n, std::uint64_t run,
                                                                                  TimePoint at) {
  if (at_ >= full_) [[unlikely]]
    put_block(false);
  const std::uint64_t number = number_of(service);
  const bool is_known = number < known_.size() && known_[number].generation == service.generation &&
                        known_[number].n == n && known_[number].run == run;
  if (!is_known) [[unlikely]]
    correct(service, name, n, run);
  const bool is_same = number == std::exchange(latest_service_, number);
  const unsigned service_bytes = is_same ? 0 : bytes_of(number);
  const auto later = static_cast<std::uint64_t>(at.nanoseconds) -
                     static_cast<std::uint64_t>(std::exchange(latest_at_, at).nanoseconds);
  const unsigned later_bytes = bytes_of(later);
  Known& known = known_[number];
  place.at = at_;
  place.byte(kind);
  place.byte((is_same ? kSameService : service_bytes) | later_bytes << 4);
  place.bytes(number, service_bytes);
  place.bytes(later, later_bytes);
  return known;
}

void CompactTraceWriter::on_event(const Event& event) {
  const auto kind = static_cast<unsigned>(event.what.index());
  Place place{};
  switch (kind) {
    case kStarted: {
      Known& known = lead(place, kind, event.service, event.name, event.n - 1, event.run.value - 1, event.at);
      known.n = event.n;
      known.run = event.run.value;
      known.started = event.at;
      break;
    }
    case kRunning: {
      const auto& pid = std::get_if<event::Running>(&event.what)->pid;
      lead(place, pid ? kind | kHasMore : kind, event.service, event.name, event.n - 1, event.run.value, event.at).n =
          event.n;
      if (pid) place.number(*pid);
      break;
    }
    case kEnded: {
      Known& known = lead(place, kind, event.service, event.name, event.n - 1, event.run.value, event.at);
      known.n = event.n;
      put(place, *std::get_if<event::Ended>(&event.what), event.at - known.started);
      break;
    }
    case kBackingOff:
      lead(place, kind, event.service, event.name, event.n - 1, event.run.value, event.at).n = event.n;
      put(place, *std::get_if<event::BackingOff>(&event.what));
      break;
    default: return put_rare(event);
  }
  at_ = place.at;
}

[[gnu::always_inline]] inline void CompactTraceWriter::put(Place& place, const event::Ended& ended, Duration since) {
  const bool is_timed = ended.lasted == since;
  const bool is_same = is_same_text(ended.error, latest_error_);
  const bool is_empty = ended.error.empty();
  place.byte(static_cast<unsigned>(ended.outcome) | (is_timed ? 0 : kOtherLength) |
             (is_empty  ? 0
              : is_same ? kSameError
                        : kOtherError) |
             (ended.exit_status ? kHasStatus : 0));
  if (!is_timed) place.number(static_cast<std::uint64_t>(ended.lasted.count()));
  if (!is_empty && !is_same) [[unlikely]] {
    latest_error_ = ended.error;
    at_ = place.at;
    put_text(latest_error_);
    place.at = at_;
  }
  if (ended.exit_status) place.number(*ended.exit_status);
}

[[gnu::always_inline]] inline void CompactTraceWriter::put(Place& place, const event::BackingOff& waits) {
  const bool is_same = waits.ceiling == std::exchange(latest_ceiling_, waits.ceiling);
  const unsigned attempt = std::min<unsigned>(waits.attempt, kAttemptFollows);
  const auto delay = static_cast<std::uint64_t>(waits.delay.count());
  const auto ceiling = static_cast<std::uint64_t>(waits.ceiling.count());
  const unsigned ceiling_bytes = is_same ? 0 : bytes_of(ceiling);
  place.byte(static_cast<unsigned>(waits.cause) | (is_same ? kSameCeiling : 0) | attempt << kAttemptShift);
  place.byte(bytes_of(delay) | ceiling_bytes << 4);
  place.bytes(delay, bytes_of(delay));
  place.bytes(ceiling, ceiling_bytes);
  if (attempt == kAttemptFollows) place.number(waits.attempt);
}

[[gnu::noinline]] void CompactTraceWriter::put_rare(const Event& event) {
  Place place{};
  const auto kind = static_cast<unsigned>(event.what.index());
  lead(place, kind, event.service, event.name, event.n - 1, event.run.value, event.at).n = event.n;
  at_ = place.at;
  fields_.clear();
  visit_what(event.what, [&](const auto& what) {
    if constexpr (event::HasPolicy<std::remove_cvref_t<decltype(what)>>) {
      visit_backoff(fields_, *what.policy->backoff);
      visit_with_policy(fields_, what, *what.policy);
    } else {
      visit_fields(fields_, what);
    }
  });
  put_text(fields_.bytes());
}

void CompactTraceWriter::on_chaos(const ChaosEvent& event) {
  const std::uint64_t number = number_of(event.service);
  const bool is_known = number < known_.size() && known_[number].generation == event.service.generation;
  Place place{};
  lead(place, kFirstChaos + static_cast<unsigned>(event.kind), event.service, event.name,
       is_known ? known_[number].n : 0, is_known ? known_[number].run : 0, event.at);
  at_ = place.at;
  fields_.clear();
  visit_chaos(fields_, event);
  put_text(fields_.bytes());
}

void CompactTraceWriter::finish(const SimulationEnd& end, Digest& digest) {
  detail::FieldWriter& fields = fields_;
  fields.clear();
  fields("end", end.reason);
  fields("t_ns", end.at.nanoseconds);
  fields("timers_fired", end.timers_fired);
  visit_counters(fields, end.counters);
  fields("events", digest.events());
  fields("digest", digest.text());
  put_byte(kEnd);
  put_raw(fields.bytes());
  put_block(true);
  out_.flush();
}

// ---------------------------------------------------------------------------------------------------------------------
// Reading
// ---------------------------------------------------------------------------------------------------------------------

struct CompactTraceReader::State {
  State(std::istream& its_in, std::string its_file) : in(its_in), file(std::move(its_file)) {
    std::array<char, kCompactTraceMagic.size()> magic{};
    const bool whole = take(magic.data(), magic.size());
    const auto is = [&magic](std::size_t from, std::size_t to) {
      return std::equal(magic.begin() + static_cast<std::ptrdiff_t>(from),
                        magic.begin() + static_cast<std::ptrdiff_t>(to),
                        kCompactTraceMagic.begin() + static_cast<std::ptrdiff_t>(from),
                        [](char a, unsigned char b) { return static_cast<unsigned char>(a) == b; });
    };
    if (!whole || !is(0, 4)) refuse(0, "is no compact trace, which begins with the bytes 89 48 46 54");
    if (!is(0, 7)) refuse(4, "was changed on its way, as programs do that take it for a text: copy it as it is");
    if (!is(7, 8)) {
      refuse(7, fmt::format("has version {}; this program reads {}", static_cast<unsigned char>(magic[7]),
                            kCompactTraceMagic[7]));
    }
    next_block();
    guarded([this] {
      summary.scenario = std::string{reader->text()};
      summary.seed.value = reader->number();
    });
  }

  // -- Blocks
  // -----------------------------------------------------------------------------------------------------------

  [[noreturn]] void refuse(std::uint64_t byte, const std::string& says) const {
    throw BadInput{{{.file = file, .says = fmt::format("byte {}: {}", byte, says)}}};
  }

  bool take(char* to, std::size_t bytes) {
    in.read(to, static_cast<std::streamsize>(bytes));
    offset += static_cast<std::uint64_t>(in.gcount());
    return static_cast<std::size_t>(in.gcount()) == bytes;
  }

  void next_block() {
    const std::uint64_t begins = offset;
    std::array<char, kBlockHead> head{};
    if (!take(head.data(), head.size())) {
      refuse(offset, fmt::format("the trace is cut short: a block should begin at byte {}", begins));
    }
    std::array<unsigned char, kBlockHead> bytes{};
    std::memcpy(bytes.data(), head.data(), head.size());
    const std::uint32_t size = get_32(bytes.data());
    is_last = (size & kLastBlock) != 0;
    const std::size_t wanted = size & ~kLastBlock;
    if (wanted > kBlockBytesMax) {
      refuse(begins, fmt::format("the block that begins here is damaged: it would have {} bytes", wanted));
    }
    block.resize(wanted);
    block_begins = offset;
    if (!take(block.data(), wanted)) {
      refuse(offset, fmt::format("the trace is cut short: the block at byte {} should have {} bytes more", begins,
                                 wanted - (offset - block_begins)));
    }
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes
    if (checksum_of(reinterpret_cast<const unsigned char*>(block.data()), wanted) != get_32(bytes.data() + 4)) {
      refuse(begins, "the block that begins here is damaged: its checksum is another one");
    }
    reader.emplace(std::string_view{block.data(), block.size()});
  }

  // What is wrong within a block is said with the byte of the file.
  template <class Read>
  void guarded(const Read& read) const {
    try {
      read();
    } catch (const detail::BadBytes& bad) {
      refuse(block_begins + reader->taken(),
             fmt::format("the block that begins at byte {} {}", block_begins - kBlockHead, bad.what()));
    }
  }

  // -- Records
  // ----------------------------------------------------------------------------------------------------------

  struct Known {
    bool is_there = false;
    std::string name{};
    std::uint64_t name_hash = 0;
    ServiceId id{};
    std::uint64_t n = 0;
    std::uint64_t run = 0;
    TimePoint started{};
  };

  Known& known_of(std::uint64_t number) {
    if (number >= known.size() || !known[number].is_there) {
      throw detail::BadBytes{fmt::format("has an event of service {}, of which it never said the name", number)};
    }
    return known[number];
  }

  // Valid until the next one is read.
  std::string_view text() {
    const std::uint64_t which = reader->number();
    if (which > 0) {
      if (which > texts.size()) throw detail::BadBytes{fmt::format("has text {} of {}", which, texts.size())};
      return texts[which - 1];
    }
    const auto text = reader->text();
    if (is_remembered(texts.size(), text_bytes, text)) {
      texts.emplace_back(text);
      text_bytes += text.size();
    }
    return text;
  }

  // True for the end.
  bool read_record(const std::vector<Observer*>& observers) {
    const unsigned first = reader->byte();
    const unsigned kind = first & kKindBits;
    if (kind == kService) {
      read_name();
    } else if (kind == kCorrect) {
      Known& service = known_of(reader->number());
      service.n = reader->number();
      service.run = reader->number();
    } else if (kind == kEnd) {
      read_end();
      return true;
    } else {
      read_event(kind, (first & kHasMore) != 0, observers);
    }
    return false;
  }

  void read_name() {
    const std::uint64_t number = reader->number();
    if (number == 0 || number > file::kServicesMax) {
      throw detail::BadBytes{fmt::format("has a name for service {}, which no fleet has", number)};
    }
    const std::string name{reader->text()};
    if (number >= known.size()) known.resize(number + 1);
    known[number] = {.is_there = true, .name = name, .name_hash = name_hash(name), .id = *services.id_of(name, true)};
  }

  void read_event(unsigned kind, bool has_more, const std::vector<Observer*>& observers) {
    const unsigned sizes = reader->byte();
    const unsigned service_bytes = sizes & 0x0f;
    if (service_bytes != kSameService) latest_service = reader->fixed(service_bytes);
    at.nanoseconds = static_cast<std::int64_t>(static_cast<std::uint64_t>(at.nanoseconds) + reader->fixed(sizes >> 4));
    Known& service = known_of(latest_service);
    if (kind >= kFirstChaos) return read_chaos(kind - kFirstChaos, service, observers);
    Event event{.at = at, .service = service.id, .name = service.name, .name_hash = service.name_hash};
    event.n = ++service.n;
    if (kind == kStarted) {
      ++service.run;
      service.started = at;
    }
    event.run.value = service.run;
    ServicePolicy policy;
    read_what(kind, has_more, service, event, policy);
    digest.on_event(event);
    for (Observer* const observer : observers) observer->on_event(event);
    if (std::holds_alternative<event::Removed>(event.what)) services.forget(service.name);
  }

  void read_what(unsigned kind, bool has_more, const Known& service, Event& event, ServicePolicy& policy) {
    if (kind == kStarted) {
      event.what = event::Started{};
    } else if (kind == kRunning) {
      event::Running running;
      if (has_more) running.pid = narrow<std::uint32_t>(reader->number());
      event.what = running;
    } else if (kind == kEnded) {
      event.what = read_ended(service);
    } else if (kind == kBackingOff) {
      event.what = read_backing_off();
    } else {
      detail::FieldReader fields{text()};
      read_fields(kind, fields, event, policy);
      if (!fields.at_end()) throw detail::BadBytes{"has more fields of an event than it has"};
    }
  }

  template <class Number>
  static Number narrow(std::uint64_t value) {
    if (value > std::numeric_limits<Number>::max())
      throw detail::BadBytes{"has a number that is too large for its field"};
    return static_cast<Number>(value);
  }
  template <class Word>
  static Word word(unsigned value) {
    if (value >= holdfast::detail::enumerators_of<Word>()) throw detail::BadBytes{"has a word that no event has"};
    return static_cast<Word>(value);
  }

  event::Ended read_ended(const Known& service) {
    const unsigned bits = reader->byte();
    event::Ended ended{.outcome = word<Outcome>(bits & kOutcomeBits), .lasted = at - service.started, .error = {}};
    if ((bits & kOtherLength) != 0) ended.lasted = Duration{static_cast<Duration::rep>(reader->number())};
    if ((bits & kOtherError) != 0) latest_error = std::string{text()};
    if ((bits & (kSameError | kOtherError)) != 0) ended.error = latest_error;
    if ((bits & kHasStatus) != 0) ended.exit_status = narrow<std::uint32_t>(reader->number());
    return ended;
  }

  event::BackingOff read_backing_off() {
    const unsigned bits = reader->byte();
    const unsigned sizes = reader->byte();
    event::BackingOff waits{};
    waits.cause = word<BackoffCause>(bits & kCauseBits);
    waits.delay = Duration{static_cast<Duration::rep>(reader->fixed(sizes & 0x0f))};
    const auto ceiling = Duration{static_cast<Duration::rep>(reader->fixed(sizes >> 4))};
    if ((bits & kSameCeiling) == 0) latest_ceiling = ceiling;
    waits.ceiling = latest_ceiling;
    waits.attempt = bits >> kAttemptShift;
    if (waits.attempt == kAttemptFollows) waits.attempt = narrow<std::uint32_t>(reader->number());
    return waits;
  }

  template <std::size_t Index = 0>
  static void read_fields(unsigned kind, detail::FieldReader& fields, Event& event, ServicePolicy& policy) {
    if constexpr (Index == std::variant_size_v<Event::What>) {
      throw detail::BadBytes{fmt::format("has an event of kind {}, which is none", kind)};
    } else {
      using Kind = std::variant_alternative_t<Index, Event::What>;
      if (kind != Index) return read_fields<Index + 1>(kind, fields, event, policy);
      Kind what{};
      if constexpr (event::HasPolicy<Kind>) {
        policy.backoff = detail::read_backoff(fields);
        visit_with_policy(fields, what, policy);
        what.policy = &policy;
      } else {
        visit_fields(fields, what);
      }
      event.what = what;
    }
  }

  void read_chaos(unsigned kind, const Known& service, const std::vector<Observer*>& observers) {
    ChaosEvent event{.at = at, .service = service.id, .name = service.name, .name_hash = service.name_hash};
    event.kind = word<ChaosEvent::Kind>(kind);
    detail::FieldReader fields{text()};
    visit_chaos(fields, event);
    if (!fields.at_end()) throw detail::BadBytes{"has more fields of an event than it has"};
    digest.on_chaos(event);
    for (Observer* const observer : observers) observer->on_chaos(event);
  }

  void read_end() {
    detail::FieldReader fields{reader->text()};
    fields("end", summary.end.reason);
    fields("t_ns", summary.end.at.nanoseconds);
    fields("timers_fired", summary.end.timers_fired);
    visit_counters(fields, summary.end.counters);
    fields("events", summary.events);
    fields("digest", summary.digest);
    if (!fields.at_end() || !reader->at_end() || !is_last) throw detail::BadBytes{"goes on behind its end"};
  }

  TraceSummary read(const std::vector<Observer*>& observers) {
    bool over = false;
    while (!over) {
      while (reader->at_end()) {
        if (is_last) refuse(offset, "the trace is cut short: it does not say how the run ended");
        next_block();
      }
      guarded([&] { over = read_record(observers); });
    }
    if (in.peek() != std::istream::traits_type::eof()) refuse(offset, "something stands behind the end of the trace");
    if (summary.events != digest.events()) {
      refuse(offset,
             fmt::format("the trace has {} events, and says that there are {}", digest.events(), summary.events));
    }
    if (summary.digest != digest.text()) {
      refuse(offset, fmt::format("the digest of the events is {}, and the trace says {}", digest.text(),
                                 file::in_quotes(summary.digest)));
    }
    return std::move(summary);
  }

  std::istream& in;
  const std::string file;
  std::uint64_t offset = 0;  // in the file: bytes taken
  std::uint64_t block_begins = 0;
  std::vector<char> block;
  bool is_last = false;
  std::optional<detail::FieldReader> reader;  // of the block

  TraceSummary summary;
  Digest digest;
  TimePoint at{};
  std::uint64_t latest_service = 0;
  Duration latest_ceiling{};
  std::string latest_error;
  std::vector<Known> known{Known{.is_there = true}};  // the supervisor itself, then by number
  detail::TraceServices services;
  std::deque<std::string> texts;
  std::size_t text_bytes = 0;
};

CompactTraceReader::CompactTraceReader(std::istream& in, std::string file)
    : state_(std::make_unique<State>(in, std::move(file))) {}
CompactTraceReader::~CompactTraceReader() = default;

const std::string& CompactTraceReader::scenario() const noexcept { return state_->summary.scenario; }
Seed CompactTraceReader::seed() const noexcept { return state_->summary.seed; }

TraceSummary CompactTraceReader::read(const std::vector<Observer*>& observers) { return state_->read(observers); }

bool is_compact_trace(std::istream& in) { return in.peek() == kCompactTraceMagic.front(); }

}  // namespace holdfast::sim
