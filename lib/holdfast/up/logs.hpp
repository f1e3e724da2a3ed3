// What the programs and the supervisor say, line by line, in one stream or in files of the services' own.
//
// Each service writes into two pipes, one for each of its streams. A thread of its own reads them and writes the lines,
// so the supervisor never waits for a slow terminal or disk. Where the lines are written slower than they come, the
// pipes fill up and the programs wait in their next write: nothing is dropped. Lines that cannot be written at all (a
// full disk, a reader that has gone away) are counted, and a line says how many were lost and why.
//
// A line of the supervisor about a service follows what the service had written by then. If the stream stands still for
// long, more than kOwnLinesMax bytes of the supervisor's lines are counted instead of kept.
//
// Thread-safety: on_event(), add(), retire() and descriptors() in one thread, say() and serve() in any.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <holdfast/event.hpp>
#include <holdfast/file/program.hpp>
#include <holdfast/log_filter.hpp>
#include <holdfast/up/follow_order.hpp>
#include <holdfast/up/log_text.hpp>

namespace holdfast::up {

inline constexpr std::size_t kOwnLinesMax = std::size_t{1} << 20;  // bytes

class Logs final : public EventSink {
 public:
  struct Source {
    std::string name{};
    file::ProgramLog log{};
  };
  // For a Process. They stay open as long as this object.
  struct Descriptors {
    int output = -1;
    int error = -1;
  };

  // Opens the files and the pipes. `output` is a descriptor that stays open. Throws std::runtime_error with the reason.
  Logs(int output, LogFormat format, const std::vector<Source>& sources);
  // The same for one more source, unless there is one of its name.
  void add(const Source& source);
  // What a source has written is written down, and its name is free.
  void retire(const std::string& name);
  ~Logs();
  Logs(const Logs&) = delete;
  Logs& operator=(const Logs&) = delete;

  // Both are -1 for a service whose lines go nowhere, or that is unknown.
  [[nodiscard]] Descriptors descriptors(std::string_view name) const;

  // Calls `found` in the thread of the logs, once, when the service writes this text after this call, on one of its
  // streams; what it has written before does not count. That ends with the returned object, which may outlive this one.
  // Null: its lines go nowhere. In the thread of add().
  std::shared_ptr<void> find(std::string_view name, const std::string& text, std::function<void()> found);

  // Calls `then` in the thread of the logs, once, when it has read what the service has written before this call; the
  // searches of find() have seen that by then. That ends as there. In the thread of add().
  std::shared_ptr<void> after_lines(std::string_view name, std::function<void()> then);

  void begin();
  // Writes what there still is, for `patience` at most. False: the stream stood still, and lines were lost.
  bool finish(std::chrono::milliseconds patience);
  // After finish(): what could not be said in the stream itself, because it could not be written; empty: nothing.
  [[nodiscard]] std::string unsaid() const;

  // Gives what the programs have written of late (kept_lines.hpp), and write from now on.
  void serve(FollowOrder order);

  void on_event(const Event& event) override;
  void say(LogLevel level, std::string line);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the thread, which may hang in a write for ever
  LogFilter filter_;
};

}  // namespace holdfast::up
