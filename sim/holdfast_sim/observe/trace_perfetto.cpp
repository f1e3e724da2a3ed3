#include <holdfast_sim/observe/trace_perfetto.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <holdfast/event_fields.hpp>
#include <holdfast_sim/observe/detail/chaos_fields.hpp>
#include <holdfast_sim/observe/detail/protobuf_message.hpp>

namespace holdfast::sim {

namespace {

// In a room of its own: names as short as these stand in other files, too.
namespace perfetto {

// The numbers of Perfetto's fields (trace_packet.proto, interned_data.proto, track_event.proto, track_descriptor.proto,
// debug_annotation.proto).
namespace trace {
constexpr unsigned kPacket = 1;
}
namespace packet {
constexpr unsigned kTimestamp = 8;
constexpr unsigned kSequence = 10;
constexpr unsigned kTrackEvent = 11;
constexpr unsigned kInterned = 12;
constexpr unsigned kSequenceFlags = 13;
constexpr unsigned kTrackDescriptor = 60;
constexpr std::uint64_t kStateCleared = 1;
constexpr std::uint64_t kNeedsState = 2;
}  // namespace packet
namespace interned {
constexpr unsigned kEventName = 2;
constexpr unsigned kAnnotationName = 3;
constexpr unsigned kText = 29;
constexpr unsigned kIid = 1;
constexpr unsigned kIs = 2;
}  // namespace interned
namespace track_event {
constexpr unsigned kAnnotation = 4;
constexpr unsigned kType = 9;
constexpr unsigned kNameIid = 10;
constexpr unsigned kTrack = 11;
constexpr unsigned kCounterValue = 30;
constexpr unsigned kFlow = 47;
constexpr unsigned kTerminatingFlow = 48;
}  // namespace track_event
namespace annotation {
constexpr unsigned kNameIid = 1;
constexpr unsigned kBool = 2;
constexpr unsigned kUnsigned = 3;
constexpr unsigned kSigned = 4;
constexpr unsigned kText = 6;
constexpr unsigned kTextIid = 17;
}  // namespace annotation
namespace track {
constexpr unsigned kUuid = 1;
constexpr unsigned kName = 2;
constexpr unsigned kParent = 5;
constexpr unsigned kCounter = 8;
}  // namespace track

enum class Type : std::uint8_t { slice_begin = 1, slice_end, instant, counter };

using Message = detail::ProtobufMessage;

// Texts that are written once and have a number then. One that comes first is put into what the next packet brings.
class Texts {
 public:
  explicit Texts(unsigned field) : field_(field) {}

  // nullopt: it has none, because there are too many.
  std::optional<std::uint64_t> iid_of(std::string_view text, Message& interned) {
    constexpr std::size_t kRemembered = 65536;
    if (const auto known = iids_.find(text); known != iids_.end()) return known->second;
    if (iids_.size() == kRemembered) return std::nullopt;
    const std::uint64_t iid = iids_.size() + 1;
    iids_.emplace(text, iid);
    Message entry;
    entry.number(interned::kIid, iid);
    entry.text(interned::kIs, text);
    interned.message(field_, entry);
    return iid;
  }

 private:
  unsigned field_;
  std::map<std::string, std::uint64_t, std::less<>> iids_;
};

struct Dictionary {
  Texts event_names{interned::kEventName};
  Texts annotation_names{interned::kAnnotationName};
  Texts texts{interned::kText};
  Message news;  // of the next packet
};

// Fields of an event as annotations. What is empty or false is left out.
class Annotations {
 public:
  explicit Annotations(Dictionary& dictionary) : dictionary_(dictionary) {}

  template <class Value>
  void operator()(std::string_view key, const Value& value) {
    if constexpr (std::is_same_v<Value, bool>) {
      if (value) put(key, [](Message& to) { to.number(annotation::kBool, 1); });
    } else if constexpr (std::is_same_v<Value, Duration>) {
      signed_number(key, value.count());
    } else if constexpr (std::is_integral_v<Value>) {
      if constexpr (std::is_signed_v<Value>) {
        signed_number(key, value);
      } else {
        put(key, [&](Message& to) { to.number(annotation::kUnsigned, value); });
      }
    } else if constexpr (requires { value.has_value(); }) {
      if (value) (*this)(key, *value);
    } else if constexpr (std::is_convertible_v<const Value&, std::string_view>) {
      text(key, value);
    } else {
      text(key, to_string(value));
    }
  }

  [[nodiscard]] const Message& all() const noexcept { return all_; }

 private:
  void signed_number(std::string_view key, std::int64_t value) {
    put(key, [&](Message& to) { to.number(annotation::kSigned, static_cast<std::uint64_t>(value)); });
  }
  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    put(key, [&](Message& to) {
      if (const auto iid = dictionary_.texts.iid_of(value, dictionary_.news)) {
        to.number(annotation::kTextIid, *iid);
      } else {
        to.text(annotation::kText, value);
      }
    });
  }
  template <class Put>
  void put(std::string_view key, const Put& put_value) {
    one_.clear();
    // The keys are those of event_fields.hpp, so that there is always a number for one.
    one_.number(annotation::kNameIid, dictionary_.annotation_names.iid_of(key, dictionary_.news).value_or(0));
    put_value(one_);
    all_.message(track_event::kAnnotation, one_);
  }

  Dictionary& dictionary_;
  Message one_;
  Message all_;
};

// A place on a track from which an arrow may lead.
struct Mark {
  std::uint64_t track = 0;  // 0: none
  TimePoint at{};
};

bool is_in(std::string_view group, std::string_view path) noexcept {
  return group.starts_with(path) && (group.size() == path.size() || group[path.size()] == '/');
}

std::size_t common_length(std::string_view a, std::string_view b) noexcept {
  const auto shorter = std::min(a.size(), b.size());
  std::size_t i = 0;
  while (i < shorter && a[i] == b[i]) ++i;
  return i;
}

// Whether the next failure of the service may come of it.
constexpr bool brings_down(ChaosMeaning meaning) noexcept {
  switch (meaning) {
    case ChaosMeaning::disturbed:
    case ChaosMeaning::down:
    case ChaosMeaning::off:
    case ChaosMeaning::hung:
    case ChaosMeaning::run_hangs:
    case ChaosMeaning::run_is_silent: return true;
    default: return false;
  }
}

constexpr bool lasts(ChaosMeaning meaning) noexcept { return meaning <= ChaosMeaning::unsupervised; }

class Tracks {
 public:
  explicit Tracks(std::ostream& out) : out_(out) {
    Message first;
    first.number(packet::kSequence, 1);
    first.number(packet::kSequenceFlags, packet::kStateCleared);
    write(first);
    root_ = new_track("fleet", 0);
    for (auto& counter : counters_) counter.track = new_track(counter.name, root_, true);
  }

  void see(const Event& event) {
    advance(event.at);
    if (event.about_supervisor()) {
      visit_what(event.what, [&](const auto& what) { see_fleet(what); });
      return;
    }
    if (std::holds_alternative<event::Added>(event.what)) add(event);
    Service& service = services_.at(event.service.slot);
    visit_what(event.what, [&](const auto& what) { see_service(service, event, what); });
  }

  void see(const ChaosEvent& chaos) {
    advance(chaos.at);
    Service& service = services_.at(chaos.service.slot);
    Annotations fields{dictionary_};
    visit_chaos(fields, chaos);
    const ChaosMeaning meaning = meaning_of(chaos.kind);
    Message flow;
    if (meaning == ChaosMeaning::run_is_heard) service.fault = {};
    // That a run is silent follows from what made it so.
    if (brings_down(meaning) && (meaning != ChaosMeaning::run_is_silent || service.fault.flow == 0)) {
      service.fault = {++flows_, lasts(meaning) ? chaos.until : TimePoint::max()};
      flow.fixed(track_event::kFlow, flows_);
    }
    if (!lasts(meaning) || chaos.until <= chaos.at) {
      flush(service);
      put(Type::instant, service.track, chaos.at, to_string(chaos.kind), fields.all(), flow);
      return;
    }
    const std::uint64_t lane = free_lane(service, chaos.at, chaos.until);
    put(Type::slice_begin, lane, chaos.at, to_string(chaos.kind), fields.all(), flow);
  }

  void finish(TimePoint at) {
    advance(at);
    for (Service& service : services_) {
      close(service);
      for (const Lane& lane : service.lanes) put(Type::slice_end, lane.track, std::min(lane.until, at));
    }
    if (shuts_down_) put(Type::slice_end, root_, at);
    count();
  }

 private:
  enum class Counted : std::uint8_t { running, backing_off, nothing };

  // What chaos does one after the other. Slices of a track must lie within each other, so that what overlaps has a
  // track of its own.
  struct Lane {
    std::uint64_t track;
    TimePoint until;
  };
  struct Fault {
    std::uint64_t flow = 0;  // 0: none, or it has had its effect
    TimePoint until{};
  };
  // The slice that begins now, unless another one begins at the same time.
  struct Begins {
    std::string_view name{};
    Message annotations{};
    Message flows{};
  };
  struct Service {
    std::uint64_t track = 0;
    std::string name{};
    std::string group{};
    std::vector<std::string> after{};
    std::vector<Lane> lanes{};
    Mark went_down{};
    Fault fault{};
    std::optional<Begins> begins{};
    unsigned open = 0;   // slices of its track
    bool waits = false;  // the innermost of them, or the one that begins, says so
    Counted counted = Counted::nothing;
  };
  struct Counter {
    std::string_view name;
    std::uint64_t track = 0;
    std::uint64_t value = 0;
    std::optional<std::uint64_t> written{};
  };
  struct Group {
    std::uint64_t track = 0;
    Mark lost{};
  };

  // -------------------------------------------------------------------------------------------------------------------
  // Packets
  // -------------------------------------------------------------------------------------------------------------------

  void write(const Message& body) {
    Message whole;
    whole.message(trace::kPacket, body);
    out_.write(whole.bytes().data(), static_cast<std::streamsize>(whole.bytes().size()));
  }

  std::uint64_t new_track(std::string_view name, std::uint64_t parent, bool counts = false) {
    Message described;
    described.number(track::kUuid, ++tracks_);
    described.text(track::kName, name);
    if (parent != 0) described.number(track::kParent, parent);
    if (counts) described.text(track::kCounter, {});
    Message body;
    body.number(packet::kSequence, 1);
    body.message(packet::kTrackDescriptor, described);
    write(body);
    return tracks_;
  }

  void put(Type type, std::uint64_t on, TimePoint at, std::string_view name = {}, const Message& annotations = {},
           const Message& flows = {}) {
    Message event;
    event.number(track_event::kType, static_cast<std::uint64_t>(type));
    event.number(track_event::kTrack, on);
    if (!name.empty()) {
      event.number(track_event::kNameIid, dictionary_.event_names.iid_of(name, dictionary_.news).value_or(0));
    }
    event.append(annotations);
    event.append(flows);
    put(event, at);
  }

  void put(const Message& event, TimePoint at) {
    Message body;
    body.number(packet::kTimestamp, static_cast<std::uint64_t>(at.nanoseconds));
    body.number(packet::kSequence, 1);
    body.number(packet::kSequenceFlags, packet::kNeedsState);
    if (!dictionary_.news.empty()) body.message(packet::kInterned, dictionary_.news);
    dictionary_.news.clear();
    body.message(packet::kTrackEvent, event);
    write(body);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Time
  // -------------------------------------------------------------------------------------------------------------------

  void advance(TimePoint at) {
    if (at == now_) return;
    for (const std::size_t slot : begin_now_) flush(services_[slot]);
    begin_now_.clear();
    failed_now_.clear();
    count();
    now_ = at;
  }

  void count() {
    for (auto& counter : counters_) {
      if (counter.written == counter.value) continue;
      counter.written = counter.value;
      Message event;
      event.number(track_event::kType, static_cast<std::uint64_t>(Type::counter));
      event.number(track_event::kTrack, counter.track);
      event.number(track_event::kCounterValue, counter.value);
      put(event, now_);
    }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Slices
  // -------------------------------------------------------------------------------------------------------------------

  void flush(Service& service) {
    if (!service.begins) return;
    put(Type::slice_begin, service.track, now_, service.begins->name, service.begins->annotations,
        service.begins->flows);
    service.begins.reset();
    ++service.open;
  }

  void close(Service& service) {
    service.begins.reset();
    service.waits = false;
    for (; service.open > 0; --service.open) put(Type::slice_end, service.track, now_);
  }

  void begin(Service& service, std::string_view name, const Annotations& fields, Message flows, Counted counted) {
    close(service);
    begin_inside(service, name, fields, std::move(flows));
    count_as(service, counted);
  }

  void begin_waiting(Service& service, const Annotations& fields, Message flows) {
    if (service.waits) {
      flush(service);
      put(Type::slice_end, service.track, now_);
      --service.open;
    }
    begin_inside(service, "waiting", fields, std::move(flows));
    service.waits = true;
  }

  void begin_inside(Service& service, std::string_view name, const Annotations& fields, Message flows) {
    flush(service);
    service.begins = Begins{name, fields.all(), std::move(flows)};
    begin_now_.push_back(static_cast<std::size_t>(&service - services_.data()));
  }

  void count_as(Service& service, Counted counted) {
    if (service.counted != Counted::nothing) --counters_.at(static_cast<std::size_t>(service.counted)).value;
    if (counted != Counted::nothing) ++counters_.at(static_cast<std::size_t>(counted)).value;
    service.counted = counted;
  }

  void instant(Service& service, std::string_view name, const Annotations& fields, const Message& flows = {}) {
    flush(service);
    put(Type::instant, service.track, now_, name, fields.all(), flows);
  }

  std::uint64_t free_lane(Service& service, TimePoint at, TimePoint until) {
    const auto over =
        std::find_if(service.lanes.begin(), service.lanes.end(), [&](const Lane& lane) { return lane.until <= at; });
    if (over == service.lanes.end()) {
      // With numbers from the second one on, because the viewer lays siblings of one name over each other.
      const std::string number = service.lanes.empty() ? "" : ' ' + std::to_string(service.lanes.size() + 1);
      service.lanes.push_back({new_track("chaos" + number, service.track), until});
      return service.lanes.back().track;
    }
    put(Type::slice_end, over->track, over->until);
    over->until = until;
    return over->track;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Arrows
  // -------------------------------------------------------------------------------------------------------------------

  // Of an effect on this service. The cause stands as an instant where it was, since nobody knew of its effects then.
  Message arrow_from(const Mark& cause, std::string_view service) {
    Message flows;
    if (cause.track == 0) return flows;
    Annotations fields{dictionary_};
    fields("service", service);
    Message flow;
    flow.fixed(track_event::kFlow, ++flows_);
    put(Type::instant, cause.track, cause.at, "leads to", fields.all(), flow);
    flows.fixed(track_event::kTerminatingFlow, flows_);
    return flows;
  }

  // Of an effect of what chaos does to it: the first one alone.
  Message arrow_from_fault(Service& service) const {
    Message flows;
    if (service.fault.flow != 0 && now_ <= service.fault.until) {
      flows.fixed(track_event::kTerminatingFlow, service.fault.flow);
    }
    service.fault.flow = 0;
    return flows;
  }

  [[nodiscard]] Mark went_down(std::string_view name) const {
    const auto found = slots_.find(name);
    return found == slots_.end() ? Mark{} : services_[found->second].went_down;
  }

  // Of those that it is after the one that went down last.
  [[nodiscard]] Mark dependency_of(const Service& service) const {
    Mark latest;
    for (const auto& name : service.after) {
      const Mark mark = went_down(name);
      if (mark.track != 0 && (latest.track == 0 || latest.at <= mark.at)) latest = mark;
    }
    return latest;
  }

  // The latest failure of this instant, of those that are nearest in the tree of groups.
  [[nodiscard]] Mark sibling_of(const Service& service) const {
    Mark nearest;
    std::size_t length = 0;
    for (const std::size_t slot : failed_now_) {
      const std::size_t common = common_length(services_[slot].group, service.group);
      if (nearest.track != 0 && common < length) continue;
      length = common;
      nearest = services_[slot].went_down;
    }
    return nearest;
  }

  [[nodiscard]] Mark lost_group_of(const Service& service) const {
    Mark latest;
    for (const auto& [path, group] : groups_) {
      if (group.lost.track != 0 && is_in(service.group, path)) latest = group.lost;
    }
    return latest;
  }

  Message cause_of(Service& service, StopCause cause) {
    switch (cause) {
      case StopCause::dependency:
      case StopCause::dependency_stop: return arrow_from(dependency_of(service), service.name);
      case StopCause::sibling: return arrow_from(sibling_of(service), service.name);
      case StopCause::group_lost: return arrow_from(lost_group_of(service), service.name);
      case StopCause::watchdog:
      case StopCause::start_timeout: return arrow_from_fault(service);
      case StopCause::shutdown:
      case StopCause::stop:
      case StopCause::restart:
      case StopCause::remove: break;
    }
    return {};
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Events
  // -------------------------------------------------------------------------------------------------------------------

  void add(const Event& event) {
    if (services_.size() <= event.service.slot) services_.resize(event.service.slot + std::size_t{1});
    Service& service = services_[event.service.slot];
    const ServicePolicy& policy = *std::get<event::Added>(event.what).policy;
    // One that is added again goes on where it was.
    if (service.name != event.name || service.group != policy.group) {
      service = {};
      service.name = event.name;
      service.group = policy.group;
      service.track = new_track(event.name, policy.group.empty() ? root_ : group(policy.group).track);
    }
    service.after = policy.order.after.names();
    const auto& if_present = policy.order.after_if_present.names();
    service.after.insert(service.after.end(), if_present.begin(), if_present.end());
    service.went_down = {service.track, now_};  // until it is ready
    slots_.insert_or_assign(service.name, event.service.slot);
  }

  Group& group(std::string_view path) {
    if (const auto known = groups_.find(path); known != groups_.end()) return known->second;
    const auto parent = path.substr(0, path.rfind('/'));
    const std::uint64_t above = parent.empty() || parent.size() == path.size() ? root_ : group(parent).track;
    return groups_.emplace(path, Group{new_track(path, above), {}}).first->second;
  }

  template <class What>
  Annotations fields_of(const Event& event, const What& what) {
    Annotations fields{dictionary_};
    fields("n", event.n);
    if (event.run.value != 0) fields("run", event.run.value);
    if constexpr (event::HasPolicy<What>) {
      fields("restart", what.policy->restart);
    } else {
      visit_fields(fields, what);
    }
    return fields;
  }

  template <class What>
  void see_service(Service& service, const Event& event, const What& what) {
    const Annotations fields = fields_of(event, what);
    if constexpr (std::is_same_v<What, event::Added> || std::is_same_v<What, event::Started>) {
      begin(service, "starting", fields, {}, Counted::nothing);
    } else if constexpr (std::is_same_v<What, event::Running>) {
      begin(service, "running", fields, {}, Counted::running);
    } else if constexpr (std::is_same_v<What, event::BackingOff>) {
      begin(service, "backing_off", fields, {}, Counted::backing_off);
    } else if constexpr (std::is_same_v<What, event::Waiting>) {
      begin_waiting(service, fields,
                    what.dependency.empty() ? Message{} : arrow_from(went_down(what.dependency), service.name));
    } else if constexpr (std::is_same_v<What, event::Stopping>) {
      service.went_down = {service.track, now_};
      begin(service, "stopping", fields, cause_of(service, what.cause), Counted::nothing);
    } else if constexpr (std::is_same_v<What, event::Ended>) {
      service.went_down = {service.track, now_};
      const bool failed = is_failure(what.outcome);
      if (failed) failed_now_.push_back(event.service.slot);
      instant(service, what.kKind, fields, failed ? arrow_from_fault(service) : Message{});
      close(service);
      count_as(service, Counted::nothing);
    } else if constexpr (std::is_same_v<What, event::Terminated>) {
      begin(service, "terminated", fields, {}, Counted::nothing);
    } else if constexpr (std::is_same_v<What, event::Removed>) {
      instant(service, what.kKind, fields);
      close(service);
      slots_.erase(service.name);
    } else {
      instant(service, what.kKind, fields);
    }
  }

  template <class What>
  void see_fleet(const What& what) {
    Annotations fields{dictionary_};
    if constexpr (!event::HasPolicy<What>) visit_fields(fields, what);
    if constexpr (std::is_same_v<What, event::GroupAdded>) {
      put(Type::instant, group(what.group).track, now_, what.kKind, fields.all());
    } else if constexpr (std::is_same_v<What, event::GroupLost>) {
      const auto child = groups_.find(what.child);
      const Mark cause = child == groups_.end() ? went_down(what.child) : child->second.lost;
      Group& lost = group(what.group);
      put(Type::instant, lost.track, now_, what.kKind, fields.all(), arrow_from(cause, what.group));
      lost.lost = {lost.track, now_};
    } else if constexpr (std::is_same_v<What, event::ShutdownRequested>) {
      put(Type::slice_begin, root_, now_, "shutting_down", fields.all(), arrow_from(went_down(what.ended_by), "all"));
      shuts_down_ = true;
    } else {
      put(Type::instant, root_, now_, what.kKind, fields.all());
    }
  }

  std::ostream& out_;
  Dictionary dictionary_;
  std::uint64_t tracks_ = 0;
  std::uint64_t flows_ = 0;
  std::uint64_t root_ = 0;
  TimePoint now_{};
  bool shuts_down_ = false;
  std::array<Counter, 2> counters_{Counter{"running"}, Counter{"backing_off"}};  // by Counted
  std::vector<Service> services_;                                                // by slot
  std::map<std::string, std::size_t, std::less<>> slots_;
  std::map<std::string, Group, std::less<>> groups_;
  std::vector<std::size_t> begin_now_;   // services of which a slice begins at this time
  std::vector<std::size_t> failed_now_;  // services of which a run has failed at this time
};

}  // namespace perfetto

}  // namespace

class PerfettoWriter::Fleet : public perfetto::Tracks {
 public:
  using Tracks::Tracks;
};

PerfettoWriter::PerfettoWriter(std::ostream& out) : fleet_(std::make_unique<Fleet>(out)) {}
PerfettoWriter::~PerfettoWriter() = default;

void PerfettoWriter::on_event(const Event& event) { fleet_->see(event); }
void PerfettoWriter::on_chaos(const ChaosEvent& event) { fleet_->see(event); }
void PerfettoWriter::finish(TimePoint at) { fleet_->finish(at); }

}  // namespace holdfast::sim
