#include <holdfast/up/logs.hpp>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include <holdfast/asio/detail/descriptor.hpp>
#include <holdfast/asio/detail/text_finder.hpp>
#include <holdfast/log_line.hpp>
#include <holdfast/up/kept_lines.hpp>
#include <holdfast/up/line_cutter.hpp>
#include <holdfast/up/log_file.hpp>

namespace holdfast::up {

namespace {

using holdfast::detail::Descriptor;
using holdfast::detail::TextFinder;

constexpr std::size_t kReadMax = std::size_t{64} * 1024;   // bytes at a time
constexpr std::size_t kDrainedMax = std::size_t{1} << 20;  // bytes of a service that a line about it waits for
constexpr std::size_t kBatchMax = 64;                      // ready pipes at a time
constexpr std::size_t kWidthMax = 24;                      // of a name, on a terminal
constexpr std::uint64_t kWake = ~std::uint64_t{0};
constexpr std::size_t kNoSource = ~std::size_t{0};

[[noreturn]] void no_logs(const std::string& what) {
  throw std::runtime_error{"cannot " + what + ": " + std::generic_category().message(errno)};
}

// Who waits for a text in what a service writes from some byte on.
struct Search {
  Search(const std::string& text, std::function<void()> when_found)
      : finders{TextFinder{text}, TextFinder{text}}, found(std::move(when_found)) {}

  // After the end of a search nobody is called, or about to be.
  void end() {
    const std::lock_guard lock{mutex};
    found = nullptr;
  }
  void call() {
    const std::lock_guard lock{mutex};
    if (found) std::exchange(found, nullptr)();
  }

  std::array<TextFinder, 2> finders;    // by LogStream, of the thread
  std::array<std::uint64_t, 2> from{};  // by LogStream: how many bytes came before
  std::mutex mutex{};                   // of what follows
  std::function<void()> found;          // empty: the search is over
};

// A pipe whose both ends stay open, so that it never ends: the programs come and go.
struct LogPipe {
  Descriptor read;
  Descriptor write;
  LineCutter cutter;
};

// What both threads need to know of a service to search what it writes.
struct Searched {
  std::mutex mutex{};  // of what follows, and of reading while somebody searches
  std::weak_ptr<Search> search{};
  std::array<std::uint64_t, 2> read{};  // bytes, by LogStream
};

void open_pipe(LogPipe& pipe) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) no_logs("make a pipe for the lines of a service");
  pipe.read = Descriptor{ends[0]};
  pipe.write = Descriptor{ends[1]};
  // The reader's end alone: the programs inherit the other one.
  if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) no_logs("set up a pipe");
}

// Who waits until what a service has written is read.
struct Asked {
  void end() {
    const std::lock_guard lock{mutex};
    then = nullptr;
  }
  void call() {
    const std::lock_guard lock{mutex};
    if (then) std::exchange(then, nullptr)();
  }

  std::mutex mutex{};  // of what follows
  std::function<void()> then;
};

// A line of holdfast that waits to be written.
struct OwnLine {
  LogLevel level = LogLevel::info;
  std::string service{};
  std::string line{};
  std::size_t about = kNoSource;   // what this service has written comes first
  bool ends = false;               // its run is over: a line without an end is one
  bool is_last = false;            // the service is gone
  std::shared_ptr<Asked> asked{};  // who waits until that is read
};

struct LogSource {
  LogLabel label;
  LogFile* to = nullptr;
  std::unique_ptr<LogFile> own{};
  std::array<LogPipe, 2> pipes{};  // by LogStream
  std::string name{};
  KeptLines kept{};
  std::shared_ptr<Searched> searched = std::make_shared<Searched>();
};

// Signals are for the thread of the supervisor.
class SignalsBlockedHere {
 public:
  SignalsBlockedHere() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlockedHere() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlockedHere(const SignalsBlockedHere&) = delete;
  SignalsBlockedHere& operator=(const SignalsBlockedHere&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

struct Logs::State {
  State(int descriptor, LogFormat log_format) : format(log_format), clock(log_format), output(descriptor) {
    if (!epoll.is_open() || !bell.is_open()) no_logs("prepare the log");
    watch(bell.number(), kWake);
  }

  // The thread of the supervisor.

  void add(const Source& source) {
    if (by_name.contains(source.name)) return;
    auto made = std::make_unique<LogSource>(LogSource{.label = {format, source.name, sources_made, width}});
    const auto target = source.log.target();
    if (target == file::LogTo::file) {
      // A file has no colours, whatever the terminal has.
      const auto plain = format == LogFormat::json ? format : LogFormat::text;
      made->label = {plain, source.name, sources_made, width};
      made->own = std::make_unique<LogFile>(source.log.path, source.log.max_bytes.bytes, source.log.keep);
    }
    made->to = made->own ? made->own.get() : &output;
    for (std::size_t stream = 0; target != file::LogTo::nothing && stream < made->pipes.size(); ++stream) {
      open_pipe(made->pipes[stream]);
      watch(made->pipes[stream].read.number(), sources_made * 2 + stream);
    }
    made->name = source.name;
    by_name.emplace(
        source.name,
        Known{sources_made++, {made->pipes[0].write.number(), made->pipes[1].write.number()}, made->searched});
    const std::lock_guard lock{mutex};
    added.push_back(std::move(made));
    ring();
  }

  void watch(int descriptor, std::uint64_t what) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = what;
    if (::epoll_ctl(epoll.number(), EPOLL_CTL_ADD, descriptor, &event) != 0) no_logs("watch a pipe");
  }

  // Any thread.

  void tell(OwnLine line) {
    const std::lock_guard lock{mutex};
    if (own_bytes > kOwnLinesMax && !line.is_last && !line.asked) {
      ++own_lost;
      return;
    }
    own_bytes += line.line.size() + sizeof(OwnLine);
    own_lines.push_back(std::move(line));
    ring();
  }

  void ring() const {
    const std::uint64_t one = 1;
    static_cast<void>(::write(bell.number(), &one, sizeof one));
  }

  // The thread.

  void run() {
    std::array<epoll_event, kBatchMax> ready{};
    for (;;) {
      const int count = ::epoll_wait(epoll.number(), ready.data(), static_cast<int>(ready.size()), -1);
      bool rung = false;
      for (int i = 0; i < count; ++i) {
        const auto what = ready[static_cast<std::size_t>(i)].data.u64;
        what == kWake ? static_cast<void>(rung = true) : static_cast<void>(read_pipe(what / 2, what % 2));
      }
      if (rung && write_own_lines()) break;
      flush();
    }
    for (std::size_t i = 0; i < sources.size(); ++i) empty_pipes(i, true);
    flush();
    const std::lock_guard lock{mutex};
    is_over = true;
    over.notify_all();
  }

  // `end` is that of the bytes that were read, null if the line is the last.
  auto writer(LogSource& source, std::size_t stream, const char* end) {
    return [this, &source, stream, end](std::string_view line, bool goes_on) {
      auto& time = source.own && format == LogFormat::terminal ? file_clock : clock;
      source.label.append_line(source.to->pending(), time.now(), static_cast<LogStream>(stream), line, goes_on);
      source.to->line_added();
      keep(source, static_cast<LogStream>(stream), line, goes_on, time.milliseconds(), end);
    };
  }

  // For those who ask for it later, and for those who have asked.
  void keep(LogSource& source, LogStream stream, std::string_view line, bool goes_on, std::int64_t now,
            const char* end) {
    if (!is_followed_by_more(line, end)) {
      source.kept.add({.milliseconds = now, .number = ++lines_kept, .stream = stream, .goes_on = goes_on}, line);
    }
    if (followers.empty()) return;
    std::erase_if(followers, [](const FollowOrder& order) { return order.to->is_gone(); });
    std::string text;
    for (const auto& order : followers) {
      if (!order.wants(source.name)) continue;
      if (text.empty()) text = followed_line(now, source.name, stream, line, goes_on);
      order.to->push(text);
    }
  }

  // So much more was read at once that this line will not be kept for long: a flood costs less.
  [[nodiscard]] bool is_followed_by_more(std::string_view line, const char* end) const noexcept {
    constexpr std::less<> kBefore{};
    const char* const last = line.data() + line.size();
    if (end == nullptr || kBefore(line.data(), buffer.data()) || kBefore(end, last)) return false;
    return static_cast<std::size_t>(end - last) > kKeptMax;
  }

  void serve(FollowOrder&& order) {
    struct Found {
      KeptLines::Head head;
      const LogSource* source;
      std::string_view line;
    };
    std::vector<Found> found;
    for (const auto& source : sources) {
      if (!order.wants(source->name)) continue;
      source->kept.visit([&](const KeptLines::Head& head, std::string_view line) {
        found.push_back({head, source.get(), line});
      });
    }
    std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.head.number < b.head.number; });
    // The newest of them, as many as a client may be behind.
    std::vector<std::string> texts;
    std::size_t bytes = 0;
    for (auto one = found.rbegin(); one != found.rend() && texts.size() < order.last; ++one) {
      auto text =
          followed_line(one->head.milliseconds, one->source->name, one->head.stream, one->line, one->head.goes_on);
      bytes += text.size() + 1;
      if (bytes > kFollowedMax) break;
      texts.push_back(std::move(text));
    }
    for (auto text = texts.rbegin(); text != texts.rend(); ++text) order.to->push(*text);
    if (!order.follow) return order.to->finish();
    followers.push_back(std::move(order));
  }

  // Nobody may begin to search between a read and its being counted.
  ssize_t read_searched(LogSource& source, std::size_t stream) {
    Searched& searched = *source.searched;
    std::shared_ptr<Search> search;
    std::uint64_t before = 0;
    ssize_t size = 0;
    {
      const std::lock_guard lock{searched.mutex};
      size = ::read(source.pipes[stream].read.number(), buffer.data(), buffer.size());
      if (size <= 0) return size;
      search = searched.search.lock();
      before = searched.read[stream];
      searched.read[stream] += static_cast<std::uint64_t>(size);
    }
    if (!search) return size;
    const auto bytes = static_cast<std::uint64_t>(size);
    const auto old = std::min(search->from[stream] - std::min(before, search->from[stream]), bytes);
    const std::string_view piece{buffer.data() + old, static_cast<std::size_t>(bytes - old)};
    if (search->finders[stream].take(piece)) search->call();
    return size;
  }

  // What is in the pipe now was written before.
  std::shared_ptr<void> find(Searched& searched, const Descriptors& descriptors, const std::string& text,
                             std::function<void()> found) {
    auto search = std::make_shared<Search>(text, std::move(found));
    const std::lock_guard lock{searched.mutex};
    for (std::size_t stream = 0; stream < 2; ++stream) {
      int waiting = 0;
      static_cast<void>(::ioctl(stream == 0 ? descriptors.output : descriptors.error, FIONREAD, &waiting));
      search->from[stream] = searched.read[stream] + static_cast<std::uint64_t>(waiting);
    }
    searched.search = search;
    return {search.get(), [search](Search*) { search->end(); }};
  }

  // Returns how much there was, of one piece.
  std::size_t read_pipe(std::size_t index, std::size_t stream) {
    if (index >= sources.size()) return 0;  // it is on its way
    LogSource& source = *sources[index];
    LogPipe& pipe = source.pipes[stream];
    if (!pipe.read.is_open()) return 0;
    const auto size = read_searched(source, stream);
    if (size <= 0) return 0;
    const auto bytes = static_cast<std::size_t>(size);
    touch(*source.to);
    pipe.cutter.take({buffer.data(), bytes}, writer(source, stream, buffer.data() + bytes));
    return bytes;
  }

  void empty_pipes(std::size_t index, bool is_over_now) {
    for (std::size_t stream = 0; stream < 2; ++stream) {
      std::size_t taken = 0;
      for (std::size_t bytes = 1; bytes > 0 && taken < kDrainedMax; taken += bytes) bytes = read_pipe(index, stream);
      LogSource& source = *sources[index];
      if (!is_over_now) continue;
      touch(*source.to);
      source.pipes[stream].cutter.finish(writer(source, stream, nullptr));
    }
  }

  // True: that was all.
  bool write_own_lines() {
    std::uint64_t rung = 0;
    static_cast<void>(::read(bell.number(), &rung, sizeof rung));
    std::vector<OwnLine> lines;
    std::vector<FollowOrder> asked;
    std::uint64_t lost = 0;
    bool last = false;
    {
      const std::lock_guard lock{mutex};
      lines.swap(own_lines);
      std::move(added.begin(), added.end(), std::back_inserter(sources));
      added.clear();
      asked.swap(orders);
      own_bytes = 0;
      lost = std::exchange(own_lost, 0);
      last = asked_to_end;
    }
    for (auto& order : asked) serve(std::move(order));
    touch(output);
    for (const auto& line : lines) {
      if (line.about != kNoSource) empty_pipes(line.about, line.ends);
      if (line.is_last) close(*sources[line.about]);
      if (line.asked) line.asked->call();
      if (line.line.empty()) continue;
      append_own_line(output.pending(), format, clock.now(), line.level, line.service, line.line, width);
    }
    if (lost > 0) own_trouble(std::to_string(lost) + " lines of holdfast were lost: the output stood still");
    return last;
  }

  // Its place stays, because that of the others must not change.
  void close(LogSource& source) {
    flush();
    losses.erase(source.own.get());
    source.to = &output;
    source.own = nullptr;
    source.pipes = {};
    source.kept = {};
  }

  void own_trouble(const std::string& says) {
    append_own_line(output.pending(), format, clock.now(), LogLevel::warning, "", says, width);
  }

  void touch(LogFile& file) {
    if (std::find(touched.begin(), touched.end(), &file) == touched.end()) touched.push_back(&file);
  }

  void flush() {
    for (auto* const file : touched) {
      file->flush();
      if (file != &output) say_lost(*file);
    }
    touched.clear();
    output.flush();
    say_lost(output);
  }

  // Said again when the trouble is over or another second has passed, not for each line.
  void say_lost(LogFile& file) {
    const auto lost = file.take_lost();
    if (lost.count == 0 && losses.empty()) return;
    auto& loss = losses[&file];
    loss.count += lost.count;
    if (lost.error != 0) loss.error = lost.error;
    const auto now = std::chrono::steady_clock::now();
    if (loss.count == 0 || (lost.count > 0 && now - loss_said < std::chrono::seconds{1})) return;
    if (&file == &output && lost.count > 0) return;  // it could not be said there
    loss_said = now;
    own_trouble(std::to_string(loss.count) + " lines were lost: cannot write to " +
                (file.path().empty() ? "standard output" : file.path()) + ": " +
                std::generic_category().message(loss.error));
    output.flush();
    if (output.take_lost().count == 0) loss = {};  // else it is said another time
  }

  const LogFormat format;
  std::size_t width = 0;
  LogClock clock;
  LogClock file_clock{LogFormat::text};
  LogFile output;
  struct Known {
    std::size_t place;
    Descriptors descriptors;
    std::shared_ptr<Searched> searched;
  };
  std::vector<std::unique_ptr<LogSource>> sources{};    // of the thread
  std::map<std::string, Known, std::less<>> by_name{};  // of the supervisor's thread
  std::size_t sources_made = 0;                         // the same
  const Descriptor epoll{::epoll_create1(EPOLL_CLOEXEC)};
  const Descriptor bell{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::vector<char> buffer = std::vector<char>(kReadMax);
  std::vector<LogFile*> touched{};
  std::map<const LogFile*, LostLines> losses{};
  std::chrono::steady_clock::time_point loss_said{};
  std::vector<FollowOrder> followers{};
  std::uint64_t lines_kept = 0;

  std::mutex mutex{};  // of what follows
  std::condition_variable over{};
  std::vector<OwnLine> own_lines{};
  std::vector<FollowOrder> orders{};
  std::vector<std::unique_ptr<LogSource>> added{};
  std::size_t own_bytes = 0;
  std::uint64_t own_lost = 0;
  bool asked_to_end = false;
  bool has_begun = false;
  bool is_over = false;
};

Logs::Logs(int output, LogFormat format, const std::vector<Source>& sources)
    : state_(std::make_shared<State>(output, format)) {
  state_->width = std::string_view{"holdfast"}.size();
  for (const auto& source : sources) state_->width = std::max(state_->width, std::min(source.name.size(), kWidthMax));
  for (const auto& source : sources) state_->add(source);
}

Logs::~Logs() { finish(std::chrono::milliseconds{0}); }

void Logs::add(const Source& source) { state_->add(source); }

void Logs::retire(const std::string& name) {
  const auto found = state_->by_name.find(name);
  if (found == state_->by_name.end()) return;
  state_->tell({.about = found->second.place, .ends = true, .is_last = true});
  state_->by_name.erase(found);
}

Logs::Descriptors Logs::descriptors(std::string_view name) const {
  const auto found = state_->by_name.find(name);
  return found == state_->by_name.end() ? Descriptors{} : found->second.descriptors;
}

std::shared_ptr<void> Logs::find(std::string_view name, const std::string& text, std::function<void()> found) {
  const auto known = state_->by_name.find(name);
  if (known == state_->by_name.end() || known->second.descriptors.output < 0) return nullptr;
  return state_->find(*known->second.searched, known->second.descriptors, text, std::move(found));
}

std::shared_ptr<void> Logs::after_lines(std::string_view name, std::function<void()> then) {
  const auto known = state_->by_name.find(name);
  if (known == state_->by_name.end() || known->second.descriptors.output < 0) return nullptr;
  const auto asked = std::make_shared<Asked>();
  asked->then = std::move(then);
  state_->tell({.about = known->second.place, .asked = asked});
  return {asked.get(), [asked](Asked*) { asked->end(); }};
}

void Logs::begin() {
  const SignalsBlockedHere blocked;
  state_->has_begun = true;
  std::thread{[state = state_] { state->run(); }}.detach();
}

bool Logs::finish(std::chrono::milliseconds patience) {
  std::unique_lock lock{state_->mutex};
  if (!state_->has_begun) return true;
  state_->asked_to_end = true;
  state_->ring();
  return state_->over.wait_for(lock, patience, [this] { return state_->is_over; });
}

std::string Logs::unsaid() const {
  const std::lock_guard lock{state_->mutex};
  if (!state_->has_begun) return "";
  if (!state_->is_over) return "the last lines were lost: the output stood still";
  const auto loss = state_->losses.find(&state_->output);
  if (loss == state_->losses.end() || loss->second.count == 0) return "";
  return std::to_string(loss->second.count) +
         " lines were lost: cannot write to standard output: " + std::generic_category().message(loss->second.error);
}

void Logs::serve(FollowOrder order) {
  const std::lock_guard lock{state_->mutex};
  state_->orders.push_back(std::move(order));
  state_->ring();
}

void Logs::on_event(const Event& event) {
  const LogLevel level = log_level(event);
  const bool wanted = level >= LogLevel::info;
  const auto unlogged = filter_.look_at(event, wanted);
  const bool ends = std::holds_alternative<event::Ended>(event.what);
  if ((!wanted || !unlogged) && !ends) return;
  OwnLine line{.level = level};
  if (!event.about_supervisor()) {
    line.service = event.name;
    const auto found = state_->by_name.find(event.name);
    if (found != state_->by_name.end()) line.about = found->second.place;
  }
  line.ends = ends;
  if (wanted && unlogged) line.line = log_line(event, *unlogged);
  state_->tell(std::move(line));
}

void Logs::say(LogLevel level, std::string line) { state_->tell({.level = level, .line = std::move(line)}); }

}  // namespace holdfast::up
